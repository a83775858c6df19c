"""Rows of a matrix, in memory, memory-mapped or sparse: slabs are views of it, and nothing is copied that a kernel can read as it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ..conversion import working_format
from ..sparse_rows import SparseRows
from ..validation import Matrix, require_range
from .folding import (
    BEGINNING,
    EMPTY,
    NO_NAMES,
    Place,
    Schema,
    Segment,
    Slab,
    adjacent,
    converted,
    segment_rows,
    slab_rows,
    sparse_bounds,
)  # fmt: skip
from .mapped import Pages, column, every
from .skipping import Skipped


class ArraySource:
    """Rows of arrays in memory or memory-mapped, read without a copy of X.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype, order and strides; or SparseRows.
    y : ndarray of shape (n,) or (n, t), float64, or int64 class codes.
    weight : ndarray of shape (n,), or empty for equal weights.
    offset : ndarray of shape (n,) or (n, c), or empty for none.
    n_threads : int, optional
        Threads of a fold; None for the default of `threads.thread_count`.
    schema : Schema
        What the columns mean.

    The arguments are taken as checked (see `source` for the function that checks).
    """

    def __init__(
        self,
        X: Matrix,
        y: np.ndarray,
        weight: np.ndarray = EMPTY,
        offset: np.ndarray = EMPTY,
        n_threads: int | None = None,
        schema: Schema = NO_NAMES,
    ) -> None:
        self.X = X
        self.n_threads = n_threads
        self.schema = schema
        self.y = np.ascontiguousarray(y)
        self.weight = np.ascontiguousarray(weight, dtype=np.float64)
        self.offset = np.ascontiguousarray(offset, dtype=np.float64)
        self.n_rows, self.n_features = X.shape
        self.n_targets = 1 if self.y.ndim == 1 else self.y.shape[1]
        self.dtype = working_format(X.dtype)
        self.reads = 0

    rereadable = True
    partitions = None
    skipped: tuple[Skipped, ...] = ()

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]:
        """Yield the segments of the one run, from one of them on."""
        if isinstance(self.X, SparseRows):
            for first, stop in pairwise(sparse_bounds(self.X)[start.segment :].tolist()):
                yield Segment(self._slabs(first, stop), stop - first)
            return
        step = segment_rows(self.n_rows, self.n_features)
        pages = Pages.of(self.X, start.segment * step)
        windows = [Pages.of(column(values), start.segment * step) for values in (self.y, self.weight, self.offset)]
        beside = [window for window in windows if window is not None]
        for first in range(start.segment * step, self.n_rows, step):
            stop = min(first + step, self.n_rows)
            for window in beside:
                window.move_to(first)
            if pages is not None and pages.far_apart:
                yield Segment(self._beside(pages.picked(np.arange(first, stop)), slice(first, stop))._slabs(0, stop - first), stop - first)
                continue
            if pages is not None:
                pages.move_to(first)
            yield Segment(self._slabs(first, stop), stop - first)
        for window in beside if pages is None else [pages, *beside]:
            window.release()

    def _slabs(self, start: int, stop: int) -> Iterator[Slab]:
        X = self.X
        as_is = adjacent(X)
        step = stop - start if as_is else slab_rows(self.n_features)
        for a in range(start, stop, step):
            b = min(a + step, stop)
            yield Slab(
                X[a:b] if as_is else converted(X[a:b], self.dtype),
                self.y[a:b],
                self.weight[a:b] if self.weight.size else EMPTY,
                self.offset[a:b] if self.offset.size else EMPTY,
            )

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return self.n_rows

    def identity(self) -> Any:
        """The arrays."""
        return "arrays", self.X, self.y, self.weight, self.offset

    @property
    def windowed(self) -> bool:
        """Whether X is read through a window over a file: nothing of the length of its rows should be made in memory."""
        return not isinstance(self.X, SparseRows) and Pages.of(self.X) is not None

    def sample(self, stride: int) -> ArraySource:
        """Every `stride`-th row, without a copy of X."""
        return ArraySource(
            self.X[::stride], every(self.y, stride), every(self.weight, stride), every(self.offset, stride), self.n_threads
        )

    def pick(self, numbers: np.ndarray) -> PickedRows:
        """The rows with these numbers, copied a block at a time when they are read."""
        return PickedRows(self, numbers)

    def take(self, rows: Any) -> ArraySource:
        """Some of the rows; without a copy of X where `rows` is a slice."""
        return self._beside(self.X[rows], rows)

    def _beside(self, X: Matrix, rows: Any) -> ArraySource:
        """Those rows, whose matrix is X."""
        weight, offset = (values[rows] if values.size else values for values in (self.weight, self.offset))
        return ArraySource(X, self.y[rows], weight, offset, self.n_threads, self.schema)

    def weighted(self, factor: np.ndarray) -> ArraySource:
        """The same rows, their weights times a factor of each; no copy of X."""
        weight = factor * self.weight if self.weight.size else factor
        return ArraySource(self.X, self.y, weight, self.offset, self.n_threads, self.schema)

    def check_finite(self) -> None:
        """Raise a ValueError that names the first NaN or infinity in X."""
        require_range(self.X, "X", self.dtype, self.schema.features)

    def targets_only(self) -> ArraySource:
        """The same targets and weights beside no columns at all."""
        return ArraySource(self.X[:, :0], self.y, self.weight, self.offset, self.n_threads, self.schema)


class PickedRows:
    """Some rows of arrays, in the order of their numbers, copied a block at a time; of a mapped file a segment at a time.

    Parameters
    ----------
    rows : ArraySource
    numbers : ndarray of shape (k,), int64, ascending
    """

    rereadable = True
    partitions = None

    def __init__(self, rows: ArraySource, numbers: np.ndarray) -> None:
        self._rows, self.numbers = rows, numbers
        self.n_features, self.n_targets, self.dtype = rows.n_features, rows.n_targets, rows.dtype
        self.n_threads, self.schema = rows.n_threads, rows.schema
        self.reads = 0

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]:
        """Yield the segments of the one run, from one of them on."""
        step = segment_rows(len(self.numbers), self.n_features)
        rows = self._rows
        windows = [
            Pages.of(column(values)) if isinstance(values, np.ndarray) else None
            for values in (rows.X, rows.y, rows.weight, rows.offset)
        ]
        mapped = [window for window in windows if window is not None]
        for first in range(start.segment * step, len(self.numbers), step):
            numbers = self.numbers[first : first + step]
            # few of many rows: those of one segment may lie all over the file
            yield Segment(self._slabs(numbers, self._copied(numbers, windows) if mapped else None), len(numbers))
        for window in mapped:
            window.release()

    def _slabs(self, numbers: np.ndarray, copied: ArraySource | None) -> Iterator[Slab]:
        step = slab_rows(self.n_features)
        for a in range(0, len(numbers), step):
            here = slice(a, a + step)
            rows = self._rows.take(numbers[here]) if copied is None else copied.take(here)
            yield from rows._slabs(0, rows.n_rows)

    def _copied(self, numbers: np.ndarray, windows: list[Pages | None]) -> ArraySource:
        """Those rows, what lies in files copied through its window."""
        rows = self._rows

        def entries(values: Any, window: Pages | None) -> Any:
            if window is not None:
                return window.picked(numbers).reshape(-1, *values.shape[1:])
            return values[numbers] if values.size else values

        X, y, weight, offset = map(entries, (rows.X, rows.y, rows.weight, rows.offset), windows)
        return ArraySource(X, y, weight, offset, self.n_threads, self.schema)

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return len(self.numbers)

    def identity(self) -> Any:
        """The arrays, and which of their rows."""
        return "some rows", self.numbers, self._rows.identity()

    def pick(self, numbers: np.ndarray) -> PickedRows:
        """Of these rows, those with these numbers."""
        return PickedRows(self._rows, self.numbers[numbers])

    def check_finite(self) -> None:
        """Raise a ValueError that names the first NaN or infinity in X."""
        self._rows.check_finite()

    def targets_only(self) -> PickedRows:
        """The same targets and weights beside no columns at all."""
        return PickedRows(self._rows.targets_only(), self.numbers)
