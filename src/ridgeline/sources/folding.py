"""Where rows live.  A source knows its shape, checks itself, and yields its rows as segments of slabs.

A *slab* is a float64 or float32 block of rows, its columns or its rows adjacent in memory, or a run of `SparseRows`, with its targets,
weights and offsets: what a kernel takes.  A *segment* is a
sequence of slabs whose boundaries depend on the shape of the data alone, never on threads or memory; a *run* is the segments of what lies
together (a matrix, a chunk, a row group, a partition).  `fold` reduces each segment on its own, on as many threads as there are, and merges
the results in the order of `engines.tree`.

To add a source: a final class with what `Source` lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from ..aside import aside
from ..checkpoints import current
from ..engines.contract import Partitions
from ..engines.tree import Tree
from ..sparse_rows import SparseRows
from ..threads import reduce, thread_count
from ..watch import Watch, watch

SEGMENT_ELEMENTS = 1 << 19
"""Entries of X per segment at most (4 MB of float64), which take some tenths of a millisecond to read: enough to share with a thread."""

SEGMENT_ROWS = 2048
"""Or, for wide rows, this many: merging two d x d summaries then costs a few per cent of making one."""

WIDE = 8192
"""Columns above which no d x d summary is formed."""

WIDE_ROWS = 128
"""Rows per segment then, at least: a matrix of few long rows, too, is work to share."""

SLAB_ELEMENTS = 1 << 17
"""Entries converted at a time where X is not already contiguous float64 or float32: 1 MB, which stays in a core's cache."""

SLAB_BLOCK = 128
"""Rows that a kernel packs at a time where there are many columns: a block of fewer reads and writes all of their sums for little."""

EMPTY = np.empty(0)

DOUBLE = np.dtype(np.float64)


@dataclass(frozen=True, slots=True)
class Slab:
    """Rows for a kernel: X (n, d), y (n,) or (n, t), weights (n,) or (0,), offsets (n,), (n, c) or (0,); and the part of the rows they
    are of, where these are summed up in several (the folds of a cross-validation)."""

    X: Any
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    part: int = field(default=0, kw_only=True)


class Summary(Protocol):
    """A record with an empty element, rows added in place, and `merge`: a monoid.

    One whose rows take many times longer than to read them says so as `flops_per_row`.
    """

    def add_rows(self, slab: Slab) -> None: ...

    def merge(self, other: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """Slabs that are reduced together, how many rows they hold, and the number of the run they are of: numbers never fall from one segment
    to the next."""

    slabs: Iterable[Slab]
    rows: int
    run: int = 0

    def __iter__(self) -> Iterator[Slab]:
        return iter(self.slabs)


class Place(NamedTuple):
    """Where a segment is: the number of its run, and its own within that."""

    run: int = 0
    segment: int = 0


BEGINNING = Place()


@dataclass(frozen=True, slots=True)
class Schema:
    """What the columns of a source mean.

    Attributes
    ----------
    features : tuple of str, optional
        Names of the columns of X, where they have names.
    labels : ndarray, optional
        Where targets are names: the targets in the slabs are codes, and code k stands for labels[k].  Sorted.
    target_dtype : dtype
        Of the targets as they were given, which the slabs hold as float64: classes are given back in it.
    offset : bool
        Whether slabs have offsets.
    """

    features: tuple[str, ...] | None = None
    labels: np.ndarray | None = None
    target_dtype: np.dtype = DOUBLE
    offset: bool = False


NO_NAMES = Schema()


class Source(Protocol):
    """What the fold and the estimators need of a place where rows live.

    `segments` yields those from a place on, and reads what lies before it only where it must; `identity` is what tells these rows from
    others, of values and arrays, as far as that can be known without reading them all, and is the same when the rows are opened again.
    `known_rows` is their number where that is known without reading them.
    `rereadable` is false of rows that come only once; `targets_only` is a source of the same targets, weights and offsets, in which X may
    have no columns: quicker to read where columns lie apart.  `partitions` is None of rows that are read in this process; of rows on other
    machines it is what an engine holds, and `segments` brings them here, for those who cannot do with summaries.
    """

    n_features: int
    n_targets: int
    dtype: np.dtype
    reads: int
    n_threads: int | None
    schema: Schema
    rereadable: bool

    @property
    def partitions(self) -> Partitions[Source] | None: ...

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]: ...

    def identity(self) -> Any: ...

    @property
    def known_rows(self) -> int | None: ...

    def check_finite(self) -> None: ...

    def targets_only(self) -> Source: ...


S = TypeVar("S", bound=Summary)


class Progress(Generic[S]):
    """A fold in progress.

    Parameters
    ----------
    look : callable
        Called with this each time that a segment has become a part of it, while nothing changes.

    Attributes
    ----------
    tree : Tree or None
        The totals so far.
    place : Place
        Of the segment that comes next.
    """

    def __init__(self, look: Callable[[Progress[S]], None], tree: Tree[S] | None = None, place: Place = BEGINNING) -> None:
        self.look, self.tree, self.place = look, tree, place

    def follow(self, tree: Tree[S]) -> None:
        """One more segment is in the totals."""
        run = tree.nodes[0][0]
        self.tree, self.place = tree, Place(run, self.place.segment + 1 if run == self.place.run else 1)
        self.look(self)


def fold(source: Source, empty: Callable[[], S]) -> S:
    """Reduce the rows of `source` to one summary: the only loop over data in the library.

    Parameters
    ----------
    source : Source
    empty : callable
        Makes the empty summary; called once per segment, on any thread or machine, so that it must have a pickle: a class, or a `partial`
        of one.

    Returns
    -------
    The merged summary. Segments are merged in an order that their runs alone decide (`engines.tree`), so that the result has the same bits
    however they were computed.

    Raises
    ------
    OutOfTime
        When the time limit of a scope (`watch.watched`) has passed.
    """
    source.reads += 1
    total = partial(_total, source, empty)
    record = current.get()
    return total() if record is None else record.fold(source, empty, total)


def _total(source: Source, empty: Callable[[], S], progress: Progress[S] | None = None) -> S:
    """The total of all rows: of those read here, the ones behind what `progress` holds, which then follows."""
    scope, there = watch(), source.partitions
    if there is not None:
        part = there.map(partial(_summary, empty)).reduce(None if scope is None else _shown(scope, source.reads, there.engine.count))
        return empty() if part is None else part
    if scope is not None:
        scope.begin(source.reads, source.known_rows)
    total = _reduce(source, empty, scope, thread_count(source.n_threads), progress)
    return empty() if total is None else total


def _shown(scope: Watch, read: int, count: int) -> Callable[[int], None]:
    """What tells a scope of the partitions that are done elsewhere."""
    shown = 0

    def waiting(done: int) -> None:
        nonlocal shown
        before, shown = shown, done
        scope.read(done - before)

    scope.begin(read, count, "partitions")
    return waiting


def _summary(empty: Callable[[], Summary], source: Source) -> Any:
    """The rows of one partition, where it lies: on one thread, since a machine works at several partitions."""
    return _reduce(source, empty, None, 1)


def _reduce(
    source: Source, empty: Callable[[], S], scope: Watch | None, n_threads: int, progress: Progress[S] | None = None
) -> S | None:
    """The rows of a source in this process; None where there are none."""

    def summarise(segment: Segment) -> Tree[S]:
        part = empty()
        for slab in segment:
            aside(partial(part.add_rows, slab), len(slab.X) * getattr(part, "flops_per_row", 0.0))
            if scope is not None:
                scope.read(len(slab.X))
        return Tree(segment.run, part)

    if progress is None:
        tree = reduce(source.segments(), summarise, n_threads, private=True)
    else:
        tree = reduce(source.segments(progress.place), summarise, n_threads, progress.tree, progress.follow, private=True)
    return None if tree is None else tree.total()


def adjacent(X: Any) -> bool:
    """Whether kernels read X as it is: float64 or float32, columns or rows adjacent, nothing overlapping."""
    if isinstance(X, SparseRows):
        return True
    if X.dtype not in (np.float64, np.float32) or not X.dtype.isnative or not X.flags.aligned:
        return False
    (n, d), size = X.shape, X.itemsize
    row, column = (s // size if s % size == 0 else -1 for s in X.strides)
    return ((column == 1 or d == 1) and row >= d) or ((row == 1 or n == 1) and column >= n)


def slab_rows(n_features: int) -> int:
    """Rows converted at a time: about a megabyte, and whole blocks of a kernel, but for rows too wide for that."""
    rows = SLAB_ELEMENTS // max(n_features, 1)
    return max(rows // SLAB_BLOCK, 1) * SLAB_BLOCK if n_features <= WIDE else max(rows, 1)


def converted(X: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A contiguous copy, in the order in which X is read fastest."""
    return np.array(X, dtype=dtype, order="K", copy=True)


def segment_rows(n: int, n_features: int) -> int:
    """Rows per segment: a function of the shape alone; segments of one matrix are of equal length but for the last, multiples of 64."""
    target = max(SEGMENT_ELEMENTS // max(n_features, 1), SEGMENT_ROWS if n_features <= WIDE else WIDE_ROWS)
    count = -(-n // target) or 1
    return -(-n // (64 * count)) * 64 or 64


def in_arrays(slab: Slab) -> Iterator[Slab]:
    """The rows of a slab as arrays, a megabyte at a time where they were sparse."""
    if not isinstance(slab.X, SparseRows):
        yield slab
        return
    step = max(SLAB_ELEMENTS // max(slab.X.shape[1], 1), 1)
    for a in range(0, len(slab.X), step):
        rows = slice(a, a + step)
        vectors = (part[rows] if part.size else EMPTY for part in (slab.weight, slab.offset))
        yield Slab(slab.X[rows].toarray(), slab.y[rows], *vectors)


ENTRIES_PER_COLUMN = 8
"""Stored entries of a sparse segment at least: a summary has a few numbers per column, which are made and merged."""

ENTRY_COST = 8
"""Entries of a dense segment that are read in the time of one stored entry."""


def sparse_bounds(X: SparseRows) -> np.ndarray:
    """Where segments of stored rows begin and end, each with about as many entries: a function of where the entries lie."""
    n, d = X.shape
    total = X.stored
    count = min(total // max(SEGMENT_ELEMENTS // ENTRY_COST, ENTRIES_PER_COLUMN * d), -(-n // SEGMENT_ROWS))
    count = 1 << max(count.bit_length() - 1, 0)  # a power of two goes into any usual number of threads
    goals = total * np.arange(1, count) // count
    return np.unique(np.concatenate([[0], np.searchsorted(np.cumsum(X.end - X.begin), goals, side="right"), [n]]))


ONCE = (
    "The chunks come from an iterator, which can be read only once, and {what}. Pass a function that returns a fresh iterator, "
    "source(lambda: chunks(...)), or have the rows written to a temporary file, source(chunks, spool=True)."
)


def require_rereadable(source: Source, what: str = "this fit reads the rows several times") -> None:
    """Raise a TypeError, with the remedy, for rows that come only once."""
    if not source.rereadable:
        raise TypeError(ONCE.format(what=what))


def require_rows(weight: float) -> None:
    """Raise a ValueError if the rows of a source weigh nothing."""
    if not weight > 0:
        raise ValueError("the source has no rows, or none with a positive weight; there is nothing to fit.")
