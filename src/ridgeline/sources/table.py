"""Rows of a table, wherever it is: columns by name, read ahead in batches, made into slabs by the threads that use them.

A slab lies in memory column by column, as the table does, so that making it is one copy of each column from the batch, in a size that stays
in the processor's cache until the kernel has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..conversion import working_format
from ..engines.contract import Partitions
from ..threads import thread_count
from ..validation import require_range, require_weights
from .columns import Batch, Categories, Table, find, find_categories, numeric
from .folding import BEGINNING, EMPTY, SLAB_ELEMENTS, Place, Schema, Segment, Slab
from .prefetch import ahead
from .skipping import Skipped

SLAB = SLAB_ELEMENTS << 2
"""Entries of X made at a time: a segment of float32 is 2 MB; smaller slabs make more, shorter copies, and take longer."""


@dataclass(frozen=True)
class _Decoded:
    """A batch with its features as arrays, one per column of the table."""

    batch: Batch
    features: list[np.ndarray]
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray


class TableSource:
    """Rows of a table: features, targets, weights and offsets from columns by name.

    Parameters
    ----------
    table : Table
    target : str or list of str
        Columns to predict: numbers, or one column of words for a classifier.
    weight, offset : str, optional
    groups : str, optional
        Column of the keys that `fit_many` goes by: numbers or words.
    features : list of str, optional
        Columns of X, in this order; None for all the others, in the order of the table.
    categories : mapping of str to sequence, optional
        Categories of columns of words, the first of which is the reference; None to find them (sorted), which reads those columns once.
    n_threads : int, optional

    Raises
    ------
    ValueError
        For columns that are not there or hold what no fit can use; while rows are read, for empty cells, with file, row and column.

    Notes
    -----
    X is float32 where all columns fit into it (float32, float16, words, and small whole numbers beside those), else float64.
    """

    rereadable = True
    skipped: tuple[Skipped, ...] = ()

    def __init__(
        self,
        table: Table,
        target: str | Sequence[str],
        weight: str | None = None,
        offset: str | None = None,
        features: Sequence[str] | None = None,
        categories: Mapping[str, Sequence[Any]] | None = None,
        n_threads: int | None = None,
        groups: str | None = None,
    ) -> None:
        self.table = table
        self.n_threads = n_threads
        self.reads = 0
        self._targets = [target] if isinstance(target, str) else list(target)
        self._weight, self._offset, self._groups = weight, offset, groups
        self._flat = isinstance(target, str)
        roles = {name for name in (*self._targets, weight, offset, groups) if name is not None}
        if groups is not None:
            find(table, groups, "groups column")
        if isinstance(features, str):
            raise TypeError(f"features is a list of column names, got the name {features!r}; write [{features!r}].")
        self._features = [name for name in table.columns if name not in roles] if features is None else list(features)
        named = self._targets + self._features
        double = next((name for k, name in enumerate(named) if name in named[:k]), None)
        if double is not None:
            raise ValueError(f"column {double!r} is named twice among target and features; name it once.")
        if not self._features:
            raise ValueError(f"{table.name} has no columns left to be features.")
        self.n_targets = len(self._targets)
        dtypes = [find(table, name, "column").dtype for name in self._features]
        for name, role in ((weight, "weight"), (offset, "offset")):
            if name is not None:
                numeric(table, name, role)
        target_words = self._flat and find(table, self._targets[0], "target").dtype is None
        if not target_words:
            target_dtype = np.result_type(*(numeric(table, name, "target") for name in self._targets))
        self._encodings = self._find_encodings(dict(categories or {}), dtypes, target_words)
        names: list[str] = []
        for name in self._features:
            one_hot = self._encodings.get(name)
            names += [name] if one_hot is None else [f"{name}={value}" for value in one_hot.values[1:]]
        self.n_features = len(names)
        labels = None
        if target_words:
            labels = np.array(self._encodings[self._targets[0]].values)
            target_dtype = labels.dtype
        self.schema = Schema(tuple(names), labels, target_dtype, offset is not None)
        self.dtype = working_format(np.result_type(*(np.dtype(np.uint8) if dtype is None else dtype for dtype in dtypes)))

    def _find_encodings(
        self, given: dict[str, Sequence[Any]], dtypes: list[np.dtype | None], target_words: bool
    ) -> dict[str, Categories]:
        words = [name for name, dtype in zip(self._features, dtypes) if dtype is None]
        sought = words + (self._targets if target_words else [])
        for name in given:
            if name not in sought:
                raise ValueError(f"categories names {name!r}, which is not a feature of {self.table.name} that holds words.")
        found = find_categories(self.table, [name for name in sought if name not in given], set(words))
        return {name: Categories(name, given[name]) if name in given else found[name] for name in sought}

    @property
    def has_weight(self) -> bool:
        return self._weight is not None

    @property
    def has_groups(self) -> bool:
        return self._groups is not None

    def keyed(self, features: bool = True) -> Iterator[tuple[np.ndarray, Iterator[Slab]]]:
        """The key of every row of a batch, and its rows; without `features` the keys alone are read, and there are no rows."""
        assert self._groups is not None
        names = self._columns(self._features)
        parallel = thread_count(self.n_threads) > 1
        if not features:
            for batch in ahead(self.table.batches([self._groups], 1, parallel)):
                if batch.rows:
                    yield self._keys(batch), iter(())
            return
        for batch in ahead(self.table.batches([*names, self._groups], self.n_features, parallel)):
            for decoded in self._decoded([batch], self._features):
                yield self._keys(batch), self._slabs(decoded, 0, batch.rows)

    def _keys(self, batch: Batch) -> np.ndarray:
        name = self._groups
        assert name is not None
        if self.table.columns[name].dtype is None:
            codes, words = batch.words(name)
            return np.array(words)[codes]
        keys = batch.numbers(name)
        require_placed(keys.astype(np.float64, copy=False), f"groups column {name!r}", batch)
        return keys

    @property
    def partitions(self) -> Partitions[TableSource] | None:
        there = self.table.partitions(self._columns(self._features))
        return None if there is None else there.map(self.of(None).of)

    def of(self, table: Any) -> TableSource:
        """The same roles of the columns of another table."""
        other = copy(self)
        other.table = table
        return other

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]:
        """Yield the segments of each batch; the next batches are being read meanwhile."""
        behind = start.segment
        for decoded in ahead(self._decode(self._features, start.run)):
            batch = decoded.batch
            for first in range(0, batch.rows, batch.step):
                if batch.run == start.run and behind:
                    behind -= 1
                else:
                    stop = min(first + batch.step, batch.rows)
                    yield Segment(self._slabs(decoded, first, stop), stop - first, batch.run)

    def _decode(self, features: Sequence[str], run: int = 0) -> Iterator[_Decoded]:
        """Batches as arrays, from a run on; in the thread that reads ahead."""
        parallel = thread_count(self.n_threads) > 1
        yield from self._decoded(self.table.batches(self._columns(features), self.n_features, parallel, run), features, run)

    def _decoded(self, batches: Iterable[Batch], features: Sequence[str], run: int = 0) -> Iterator[_Decoded]:
        for batch in batches:
            if batch.run < run or not batch.rows:
                continue
            columns = [self._values(batch, name) for name in features]
            y = np.stack([self._target(batch, name) for name in self._targets], axis=1)
            weight = self._vector(batch, self._weight)
            if weight.size:
                require_placed(weight, f"weight {self._weight!r}", batch)
                require_weights(weight, f"weight {self._weight!r} in {batch.place(0)} and after it")
            yield _Decoded(batch, columns, y[:, 0] if self._flat else y, weight, self._vector(batch, self._offset))

    def _columns(self, features: Sequence[str]) -> list[str]:
        """The names of these features and of what goes beside them."""
        beside = [name for name in (self._weight, self._offset) if name is not None]
        return list(dict.fromkeys([*features, *self._targets, *beside]))

    def _values(self, batch: Batch, name: str) -> np.ndarray:
        encoding = self._encodings.get(name)
        return batch.numbers(name) if encoding is None else encoding.codes(batch)

    def _target(self, batch: Batch, name: str) -> np.ndarray:
        values = self._values(batch, name).astype(np.float64, copy=False)
        require_placed(values, f"target {name!r}", batch)
        return values

    def _vector(self, batch: Batch, name: str | None) -> np.ndarray:
        if name is None:
            return EMPTY
        values = batch.numbers(name).astype(np.float64, copy=False)
        require_placed(values, f"column {name!r}", batch)
        return np.ascontiguousarray(values)

    def _slabs(self, decoded: _Decoded, start: int, stop: int) -> Iterator[Slab]:
        step = max(SLAB // max(self.n_features, 1), 64)
        columns = [(values, self._encodings.get(name)) for name, values in zip(self._features, decoded.features)]
        for a in range(start, stop, step):
            b = min(a + step, stop)
            by_columns = np.empty((self.n_features, b - a), self.dtype)
            k = 0
            for values, one_hot in columns:
                if one_hot is None:
                    by_columns[k] = values[a:b]
                    k += 1
                else:
                    for code in range(1, len(one_hot.values)):
                        by_columns[k] = values[a:b] == code
                        k += 1
            yield Slab(
                by_columns.T,
                np.ascontiguousarray(decoded.y[a:b]),
                decoded.weight[a:b] if decoded.weight.size else EMPTY,
                decoded.offset[a:b] if decoded.offset.size else EMPTY,
            )

    def check_finite(self) -> None:
        """Raise a ValueError that names the first NaN or infinity among the features, with its column and place."""
        there = self.partitions
        if there is not None:
            there.map(TableSource.check_finite).reduce()
            return
        numbers = [name for name in self._features if name not in self._encodings]
        for decoded in ahead(self._decode(numbers)):
            for name, values in zip(numbers, decoded.features):
                require_placed(values, f"column {name!r}", decoded.batch)

    def categories(self) -> dict[str, list[Any]]:
        """The categories of each feature that holds words, the reference first."""
        return {name: self._encodings[name].values for name in self._features if name in self._encodings}

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return self.table.known_rows

    def identity(self) -> Any:
        """The table, which of its columns are what, and its categories."""
        categories = {name: encoding.values for name, encoding in self._encodings.items()}
        rows = self.table.identity(self._columns(self._features))
        return rows, self._features, self._targets, self._weight, self._offset, categories

    def targets_only(self) -> TableSource:
        """The targets, weights and offsets alone: no other column is read."""
        narrow = self.of(self.table)
        narrow._features, narrow.n_features, narrow.reads = [], 0, 0
        return narrow


def require_placed(values: np.ndarray, what: str, batch: Batch) -> None:
    """`require_range`, with the place of the row in the table."""
    try:
        require_range(values, what)
    except ValueError:
        with np.errstate(invalid="ignore"):
            bad = ~(np.abs(values) <= np.finfo(np.float64).max)
        row = int(np.argmax(bad))
        kind = "NaN" if np.isnan(values[row]) else "infinity"
        raise ValueError(f"{what} contains {kind} in {batch.place(row)}; drop such rows or fill them in first.") from None
