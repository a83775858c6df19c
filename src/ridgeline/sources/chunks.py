"""Rows that come in chunks, from a function that makes them afresh for every pass, or once, from an iterator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import chain
from typing import Any

import numpy as np

from ..checkpoints.fingerprint import Digests, fingerprint
from ..engines.contract import Engine, Partitions
from ..sparse_rows import is_sparse, sparse_rows
from ..validation import as_real_array, holds_names, is_missing, require_range, require_weights, unmasked
from .arrays import ArraySource
from .folding import BEGINNING, EMPTY, NO_NAMES, Place, Schema, Segment, require_rereadable
from .skipping import Skipped, warn_of


class ChunkSource:
    """Rows from chunks `(X, y)`, `(X, y, weight)` or `(X, y, weight, offset)`.

    Each chunk is a segment, or several where it is long, and is read in its own precision.

    Parameters
    ----------
    chunks : callable or iterator
        A function, called with no argument for every pass, that returns an iterable of tuples of arrays; or an iterator of such tuples,
        which serves one pass.
    n_threads : int, optional
    engine : Engine, optional
        Which holds the same chunks as its partitions.
    first : tuple, optional
        What shows the columns of the chunks, without any rows; None for the first of them.
    skip : bool, default False
        Leave out chunks that do not fit the first, instead of an error; those of a function are found at once, by one read more.

    Notes
    -----
    Targets that are names cost one more pass at construction, to know them all.
    """

    def __init__(
        self,
        chunks: Callable[[], Iterable[tuple[Any, ...]]] | Iterator[tuple[Any, ...]],
        n_threads: int | None = None,
        engine: Engine | None = None,
        first: tuple[Any, ...] | None = None,
        skip: bool = False,
    ) -> None:
        self._skip = skip
        self._left_out: dict[int, Skipped] = {}
        self.engine = engine
        self.rereadable = callable(chunks)
        self.n_threads = n_threads
        self._opened: Any = None
        self._rows: int | None = None
        self._codes: dict[Any, int] | None = None
        self.reads = 0
        self.n_features = self.n_targets = -1
        self.schema = NO_NAMES
        if callable(chunks):
            self._chunks = chunks
            first = next(self._open(), None) if first is None else first
        else:
            first = next(chunks, None)
            whole: Iterable[Any] = chain((first,), chunks)
            self._chunks = lambda: whole
        if first is None:
            raise ValueError("the chunks hold no rows; at least one chunk is needed to know the columns.")
        target = np.asarray(first[1]) if isinstance(first, (tuple, list)) and len(first) > 1 else EMPTY
        if holds_names(target):
            self._codes = {}
        part = self._check(0, first)
        offset = len(first) > 3 and first[3] is not None
        self.n_features, self.n_targets, self.dtype = part.n_features, part.n_targets, part.dtype
        self._digests = None if engine is not None else [fingerprint(part.identity())]
        self.schema = Schema(target_dtype=target.dtype, offset=offset)
        if self._codes is not None and self.rereadable:
            labels = sort_labels(self._find_labels())
            self._codes = {label: code for code, label in enumerate(labels.tolist())}
            self.schema = Schema(labels=labels, target_dtype=labels.dtype, offset=offset)
        if skip and self.rereadable:
            for k, chunk in enumerate(self._open()):
                self._sound(k, chunk)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was left out so far."""
        return tuple(self._left_out[k] for k in sorted(self._left_out))

    def _sound(self, k: int, chunk: Any) -> ArraySource | None:
        """Chunk k as a source of its own; None where it is left out."""
        try:
            return self._check(k, chunk)
        except ValueError as error:
            if not self._skip:
                raise
            X: Any = chunk[0] if isinstance(chunk, (tuple, list)) and chunk else None
            self._left_out[k] = Skipped(str(error), len(X) if hasattr(X, "__len__") else None)
            return None

    def _find_labels(self) -> dict[Any, int]:
        """Every label there is."""
        there = self._there("_labels_of")
        if there is not None:
            return there.reduce().codes
        assert self._codes is not None
        for k, chunk in enumerate(self._open()):
            self._sound(k, chunk)
        return self._codes

    def _labels_of(self, k: int, chunk: Any) -> _Labels:
        """The labels of a chunk, on the machine that holds it."""
        self._check(k, chunk)
        assert self._codes is not None
        return _Labels(self._codes)

    @property
    def partitions(self) -> Partitions[ArraySource] | None:
        return self._there("_check")

    def _there(self, read: str) -> Partitions[Any] | None:
        """The engine's partitions, each read by this method of a source that has no chunks of its own."""
        if self.engine is None:
            return None
        alone: Any = copy(self)
        alone.engine = alone._chunks = alone._opened = alone._digests = None
        return Partitions(self.engine, getattr(alone, read))

    def _open(self) -> Iterator[Any]:
        chunks = iter(self._chunks())
        if chunks is self._opened:
            require_rereadable(self, "the rows were read before")
            raise TypeError(
                "the function given to source() returned the same iterator twice, which can be read only "
                "once; it must return a fresh one, source(lambda: chunks(...))."
            )
        self._opened = chunks
        return chunks

    def _check(self, k: int, chunk: Any) -> ArraySource:
        """Chunk k as a source of its own; every message names the chunk."""
        if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3, 4):
            what = f"{type(chunk).__name__} of {len(chunk)}" if hasattr(chunk, "__len__") else type(chunk).__name__
            raise ValueError(f"chunk {k} must be a tuple (X, y), (X, y, sample_weight) or (X, y, sample_weight, offset), got {what}.")
        name = f"X in chunk {k}"
        X = sparse_rows(chunk[0], name) if is_sparse(chunk[0]) else as_real_array(chunk[0], name)
        if X.ndim != 2:
            raise ValueError(f"X in chunk {k} must have two dimensions (rows, columns), got shape {X.shape}.")
        if self.n_features not in (-1, X.shape[1]):
            raise ValueError(
                f"X in chunk {k} has shape {X.shape}, but chunk 0 had {self.n_features} columns; "
                "every chunk needs the same columns."
            )
        y = as_real_array(chunk[1], f"y in chunk {k}") if self._codes is None else self._encode(k, chunk[1])
        targets = y.shape[1] if y.ndim == 2 else 1
        if y.ndim not in (1, 2) or self.n_targets not in (-1, targets):
            wanted = f"{self.n_targets} target(s), as chunk 0 had"
            wanted = "one or two dimensions" if self.n_targets == -1 else wanted
            raise ValueError(f"y in chunk {k} has shape {y.shape}; it needs {wanted}.")
        vectors = {}
        for place, name in ((2, "sample_weight"), (3, "offset")):
            if len(chunk) > place and chunk[place] is not None:
                values = vectors[name] = as_real_array(chunk[place], f"{name} in chunk {k}")
                if values.ndim != 1:
                    raise ValueError(f"{name} in chunk {k} must have one dimension, got shape {values.shape}.")
        weight, offset = vectors.get("sample_weight", EMPTY), vectors.get("offset", EMPTY)
        if len(y) != len(X) or any(len(values) != len(X) for values in vectors.values()):
            counts = "".join(f" and {values.size} {name}" for name, values in (("weights", weight), ("offsets", offset)) if values.size)
            raise ValueError(f"chunk {k} has {len(X)} rows of X, {len(y)} of y{counts}.")
        if self.n_features != -1 and bool("offset" in vectors) != self.schema.offset:
            raise ValueError(f"chunk {k} and chunk 0 differ in whether they have offsets; give all of them offsets, or none.")
        require_range(y, f"y in chunk {k}")
        require_range(offset, f"offset in chunk {k}")
        require_weights(weight, f"sample_weight in chunk {k}")
        return ArraySource(X, y.astype(np.float64, copy=False), weight, offset)

    def _encode(self, k: int, y: Any) -> np.ndarray:
        """Codes of a chunk of names; the labels are being collected until the schema has them."""
        assert self._codes is not None
        labels = unmasked(y, f"y in chunk {k}")
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        codes = np.empty(labels.shape)
        for row, label in enumerate(labels.tolist()):
            if is_missing(label):
                raise ValueError(f"y in chunk {k} is missing at row {row}; drop such rows before the fit.")
            if self.schema.labels is None:
                self._codes.setdefault(label, len(self._codes))
            elif label not in self._codes:
                raise ValueError(f"y in chunk {k} holds the label {label!r} at row {row}, which was not there at the first reading.")
            codes[row] = self._codes[label]
        return codes

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]:
        """Yield the segments of each chunk, a run of its own, checked as it comes."""
        rows = 0
        for k, chunk in enumerate(self._open()):
            part = self._sound(k, chunk)
            if part is None:
                continue
            if not self.rereadable:  # nobody can look for it afterwards
                require_range(part.X, f"X in chunk {k}", part.dtype)
            rows += part.n_rows
            if k >= start.run:
                for segment in part.segments(start if k == start.run else BEGINNING):
                    yield Segment(segment.slabs, segment.rows, k)
        if self._rows not in (None, rows):
            raise ValueError(
                f"the chunks held {self._rows} rows at the first reading and {rows} at the next; "
                "the function given to source() must return all of them each time."
            )
        self._rows = rows
        if not self.rereadable:
            warn_of(self.skipped)

    def check_finite(self) -> None:
        """Raise a ValueError that names the first NaN or infinity, and the chunk it is in."""
        there = self._there("_check_finite")
        if there is not None:
            there.reduce()
            return
        for k, chunk in enumerate(self._open()):
            self._check_finite(k, chunk)

    def _check_finite(self, k: int, chunk: Any) -> None:
        part = self._sound(k, chunk)
        if part is not None:
            require_range(part.X, f"X in chunk {k}", part.dtype)

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return self._rows

    def identity(self) -> Any:
        """The first chunk, of an engine every one, and the labels where targets are names."""
        there = self._there("_digest")
        if self._digests is None and there is not None:
            self._digests = there.reduce().digests
        return "chunks", self._digests, self.schema.labels

    def _digest(self, k: int, chunk: Any) -> Digests:
        return Digests(self._check(k, chunk).identity())

    def targets_only(self) -> ChunkSource:
        """Itself: a chunk comes whole."""
        return self

    def labels_so_far(self) -> list[Any] | None:
        """The labels in order of their first appearance, where targets are names that come only once."""
        return None if self.rereadable or self._codes is None else list(self._codes)


class _Labels:
    """The labels that some chunks hold."""

    def __init__(self, codes: dict[Any, int]) -> None:
        self.codes = codes

    def merge(self, other: _Labels) -> None:
        self.codes.update(other.codes)


def sort_labels(labels: Iterable[Any]) -> np.ndarray:
    """Labels as a sorted array of their own type.

    Raises
    ------
    ValueError
        For labels of types that do not sort.
    """
    try:
        return np.unique(np.array(sorted(labels)))
    except TypeError as error:
        raise ValueError(f"the target mixes labels of types that do not sort ({error}); use one type throughout.") from error
