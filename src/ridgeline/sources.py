"""Where rows live.  A source knows its shape, checks itself, and yields its rows as segments of slabs.

A *slab* is a float64 or float32 block of rows, its columns or its rows adjacent in memory, with its targets, weights and offsets: what a
kernel takes.  A *segment* is a
run of slabs whose boundaries depend on the shape of the data alone, never on threads or memory; `fold` reduces each segment on its own,
on as many threads as there are, and merges the results in order.

To add a source: a final class with `n_features`, `n_targets`, `dtype`, `reads`, `n_threads`, `segments()` and `check_finite()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from .threads import reduce, thread_count
from .validation import as_real_array, require_range

SEGMENT_ELEMENTS = 1 << 19
"""Entries of X per segment at most (4 MB of float64), which take some tenths of a millisecond to read: enough to share with a thread."""

SEGMENT_ROWS = 2048
"""Or, for wide rows, this many: merging two d x d summaries then costs a few per cent of making one."""

SLAB_ELEMENTS = 1 << 17
"""Entries converted at a time where X is not already contiguous float64 or float32: 1 MB, which stays in a core's cache."""

EMPTY = np.empty(0)


@dataclass(frozen=True, slots=True)
class Slab:
    """Rows for a kernel: X (n, d), y (n,) or (n, t), weights (n,) or (0,), offsets (n,), (n, c) or (0,)."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray


class Summary(Protocol):
    """A record with an empty element, rows added in place, and `merge`: a monoid."""

    def add_rows(self, slab: Slab) -> None: ...

    def merge(self, other: Any) -> None: ...


class Source(Protocol):
    """What the fold needs of a place where rows live."""

    n_features: int
    n_targets: int
    dtype: np.dtype
    reads: int
    n_threads: int | None

    def segments(self) -> Iterator[Iterable[Slab]]: ...

    def check_finite(self) -> None: ...


S = TypeVar("S", bound=Summary)


def fold(source: Source, empty: Callable[[], S]) -> S:
    """Reduce the rows of `source` to one summary: the only loop over data in the library.

    Parameters
    ----------
    source : Source
    empty : callable
        Makes the empty summary; called once per segment, on any thread.

    Returns
    -------
    The merged summary. Segments are merged in their order, so the result has the same bits however they were computed.
    """
    source.reads += 1

    def summarise(segment: Iterable[Slab]) -> S:
        part = empty()
        for slab in segment:
            part.add_rows(slab)
        return part

    total = reduce(source.segments(), summarise, thread_count(source.n_threads))
    return empty() if total is None else total


def adjacent(X: np.ndarray) -> bool:
    """Whether kernels read X as it is: float64 or float32, columns or rows adjacent, nothing overlapping."""
    if X.dtype not in (np.float64, np.float32) or not X.dtype.isnative or not X.flags.aligned:
        return False
    (n, d), size = X.shape, X.itemsize
    row, column = (s // size if s % size == 0 else -1 for s in X.strides)
    return ((column == 1 or d == 1) and row >= d) or ((row == 1 or n == 1) and column >= n)


def segment_rows(n: int, n_features: int) -> int:
    """Rows per segment: a function of the shape alone; segments of one matrix are of equal length but for the last, multiples of 64."""
    target = max(SEGMENT_ELEMENTS // max(n_features, 1), SEGMENT_ROWS)
    count = -(-n // target) or 1
    return -(-n // (64 * count)) * 64 or 64


class ArraySource:
    """Rows of arrays in memory or memory-mapped, read without a copy of X.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype, order and strides.
    y : ndarray of shape (n,) or (n, t), float64, or int64 class codes.
    weight : ndarray of shape (n,), or empty for equal weights.
    offset : ndarray of shape (n,) or (n, c), or empty for none.
    n_threads : int, optional
        Threads of a fold; None for the default of `threads.thread_count`.

    The arguments are taken as checked (see `source` for the function that checks).
    """

    def __init__(
        self,
        X: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray = EMPTY,
        offset: np.ndarray = EMPTY,
        n_threads: int | None = None,
    ) -> None:
        self.X = X
        self.n_threads = n_threads
        self.y = np.ascontiguousarray(y)
        self.weight = np.ascontiguousarray(weight, dtype=np.float64)
        self.offset = np.ascontiguousarray(offset, dtype=np.float64)
        self.n_rows, self.n_features = X.shape
        self.n_targets = 1 if self.y.ndim == 1 else self.y.shape[1]
        self.dtype = np.dtype(np.float32 if X.dtype.kind == "f" and X.dtype.itemsize <= 4 else np.float64)
        self.reads = 0

    def segments(self) -> Iterator[Iterable[Slab]]:
        """Yield the segments, each an iterator of slabs."""
        step = segment_rows(self.n_rows, self.n_features)
        for start in range(0, self.n_rows, step):
            yield self._slabs(start, min(start + step, self.n_rows))

    def _slabs(self, start: int, stop: int) -> Iterator[Slab]:
        X = self.X
        as_is = adjacent(X)
        step = stop - start if as_is else max(SLAB_ELEMENTS // max(self.n_features, 1), 1)
        for a in range(start, stop, step):
            b = min(a + step, stop)
            yield Slab(
                X[a:b] if as_is else np.ascontiguousarray(X[a:b], dtype=self.dtype),
                self.y[a:b],
                self.weight[a:b] if self.weight.size else EMPTY,
                self.offset[a:b] if self.offset.size else EMPTY,
            )

    def sample(self, stride: int) -> ArraySource:
        """Every `stride`-th row, without a copy of X."""
        return ArraySource(
            self.X[::stride], self.y[::stride], self.weight[::stride], self.offset[::stride], self.n_threads
        )

    def check_finite(self) -> None:
        """Raise a ValueError that names the first NaN or infinity in X."""
        require_range(self.X, "X", self.dtype)


class ChunkSource:
    """Rows from a re-iterable of chunks `(X, y)`, `(X, y, weight)`.

    Each chunk is a segment, or several where it is long, and is read in its own precision.

    Parameters
    ----------
    chunks : callable
        Called with no argument for every pass; returns an iterable of tuples of arrays.
    """

    def __init__(self, chunks: Callable[[], Iterable[tuple[Any, ...]]], n_threads: int | None = None) -> None:
        self._chunks = chunks
        self.n_threads = n_threads
        self._opened: Any = None
        self._rows: int | None = None
        self.reads = 0
        self.n_features = self.n_targets = -1
        first = next(self._open(), None)
        if first is None:
            raise ValueError("the chunks hold no rows; at least one chunk is needed to know the columns.")
        part = self._check(0, first)
        self.n_features, self.n_targets, self.dtype = part.n_features, part.n_targets, part.dtype

    def _open(self) -> Iterator[Any]:
        chunks = iter(self._chunks())
        if chunks is self._opened:
            raise TypeError(
                "the function given to source() returned the same iterator twice, which can be read only "
                "once; it must return a fresh one, source(lambda: chunks(...))."
            )
        self._opened = chunks
        return chunks

    def _check(self, k: int, chunk: Any) -> ArraySource:
        """Chunk k as a source of its own; every message names the chunk."""
        if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
            what = f"{type(chunk).__name__} of {len(chunk)}" if hasattr(chunk, "__len__") else type(chunk).__name__
            raise ValueError(f"chunk {k} must be a tuple (X, y) or (X, y, sample_weight), got {what}.")
        X = as_real_array(chunk[0], f"X in chunk {k}")
        if X.ndim != 2:
            raise ValueError(f"X in chunk {k} must have two dimensions (rows, columns), got shape {X.shape}.")
        if self.n_features not in (-1, X.shape[1]):
            raise ValueError(
                f"X in chunk {k} has shape {X.shape}, but chunk 0 had {self.n_features} columns; "
                "every chunk needs the same columns."
            )
        y = as_real_array(chunk[1], f"y in chunk {k}")
        targets = y.shape[1] if y.ndim == 2 else 1
        if y.ndim not in (1, 2) or self.n_targets not in (-1, targets):
            wanted = f"{self.n_targets} target(s), as chunk 0 had"
            wanted = "one or two dimensions" if self.n_targets == -1 else wanted
            raise ValueError(f"y in chunk {k} has shape {y.shape}; it needs {wanted}.")
        given = len(chunk) > 2 and chunk[2] is not None
        weight = as_real_array(chunk[2], f"sample_weight in chunk {k}") if given else EMPTY
        if weight.ndim != 1:
            raise ValueError(f"sample_weight in chunk {k} must have one dimension, got shape {weight.shape}.")
        if len(y) != len(X) or (given and len(weight) != len(X)):
            weights = f" and {weight.size} weights" if given else ""
            raise ValueError(f"chunk {k} has {len(X)} rows of X, {len(y)} of y{weights}.")
        require_range(y, f"y in chunk {k}")
        require_range(weight, f"sample_weight in chunk {k}")
        if weight.size and weight.min() < 0:
            raise ValueError(f"sample_weight in chunk {k} is negative at row {int(np.argmax(weight < 0))}.")
        return ArraySource(X, y.astype(np.float64, copy=False), weight)

    def segments(self) -> Iterator[Iterable[Slab]]:
        """Yield the segments of each chunk, checked as it comes."""
        rows = 0
        for k, chunk in enumerate(self._open()):
            part = self._check(k, chunk)
            rows += part.n_rows
            yield from part.segments()
        if self._rows not in (None, rows):
            raise ValueError(
                f"the chunks held {self._rows} rows at the first reading and {rows} at the next; "
                "the function given to source() must return all of them each time."
            )
        self._rows = rows

    def check_finite(self) -> None:
        """Raise a ValueError that names the first NaN or infinity, and the chunk it is in."""
        for k, chunk in enumerate(self._open()):
            part = self._check(k, chunk)
            require_range(part.X, f"X in chunk {k}", part.dtype)


def source(data: Any, y: Any = None, sample_weight: Any = None, *, n_threads: int | None = None) -> Source:
    """A source of rows for `fit_source`.

    Parameters
    ----------
    data : array-like of shape (n, d), or callable
        A matrix, or a function without arguments that returns a fresh iterable of chunks `(X, y)` or `(X, y, sample_weight)`
        each time it is called (for data that do not fit in memory: every pass over the data calls it once).
    y, sample_weight : array-like of shape (n,), optional
        Targets and weights of a matrix.
    n_threads : int, optional
        Threads to share the reading of the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. Results have the same bits
        for any number.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        For shapes that do not match and entries that are not finite, with their position.
    TypeError
        For a one-shot iterator: it cannot be read twice.
    """
    if callable(data):
        return ChunkSource(data, n_threads)
    if isinstance(data, Iterator):
        raise TypeError(
            "source() was given a one-shot iterator, which can be read only once; "
            "pass a function that returns a fresh iterator, source(lambda: chunks(...))."
        )
    from .validation import check_matrix, check_targets, check_weights

    X = check_matrix(data)
    if y is None:
        raise ValueError("y is missing; a matrix needs its targets: source(X, y).")
    return ArraySource(X, check_targets(y, len(X)), check_weights(sample_weight, len(X)), n_threads=n_threads)
