"""Columns of a table, and how they become columns of X: numbers as they are, words as one 0/1 column per category.

The first category, in sorted order, has no column of its own: it is the reference that the coefficients of the others compare with, so that
the columns stay independent of the intercept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Protocol

import numpy as np

from ..engines.contract import Partitions
from .folding import SLAB_ELEMENTS, segment_rows

MAX_CATEGORIES = 1000
"""More distinct words than this in a column look like names or identifiers, not categories."""

SOME = 64
"""Rows of a table in memory that tell it from others of the same shape."""

BATCH_ELEMENTS = SLAB_ELEMENTS << 4
"""Entries read at a time: several segments, so that what a batch costs beside its entries does not show; 8 MB of float32."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds: numbers of a `dtype`, or words (None), or, where `refused` is not empty, what no fit can use."""

    dtype: np.dtype | None
    refused: str = ""


class Batch(Protocol):
    """Some rows of a table in memory.

    `step` is the length of its segments, `run` the number of what it is a part of (a row group, a partition).  `numbers` gives an array
    of a real dtype; `words` the code of every row and what the codes stand for; both raise a ValueError with the place of the first empty
    cell.
    """

    rows: int
    step: int
    run: int

    def numbers(self, name: str) -> np.ndarray: ...

    def words(self, name: str) -> tuple[np.ndarray, list[Any]]: ...

    def place(self, row: int) -> str: ...


class Table(Protocol):
    """Named columns that are read in batches, whose boundaries depend on how the table is laid out and on the arguments, nothing else.

    `partitions` are these columns of rows that other machines hold, None where there are no other machines.
    `batches` may leave out the runs before number `run`; `identity` is what tells these columns from others, as `Source.identity`.
    """

    name: str
    columns: dict[str, Column]

    def partitions(self, names: Sequence[str]) -> Partitions[Table] | None: ...

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]: ...

    def identity(self, names: Sequence[str]) -> Any: ...

    @property
    def known_rows(self) -> int | None: ...


def batch_rows(rows: int, n_features: int) -> tuple[int, int]:
    """(rows per segment, rows per batch) for a run of rows that is laid out as one: a row group, a partition, a frame."""
    step = segment_rows(rows, n_features)
    return step, step * max(BATCH_ELEMENTS // (step * max(n_features, 1)), 1)


def placer(name: str, start: int) -> Callable[[int], str]:
    """Where a row of a batch is, for a batch that begins at row `start` of `name`."""
    return lambda row: f"row {start + row} of {name}"


def file_state(path: str) -> tuple[str, int, int]:
    """Name, length in bytes and time of the last change in nanoseconds: what tells a file from others and from its past."""
    status = os.stat(path)
    return os.path.basename(path), status.st_size, status.st_mtime_ns


def empty_cell(name: str, place: str) -> ValueError:
    return ValueError(f"column {name!r} is empty (null) in {place}; fill such cells in, or drop the rows, first.")


def present(table: Table, name: Any, role: str) -> Column:
    """The column of that name, whatever it holds.

    Raises
    ------
    ValueError
        If there is none, with the nearest name there is.
    """
    column = table.columns.get(name)
    if column is None:
        near = get_close_matches(str(name), [str(known) for known in table.columns], 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {_listing(table.columns)}"
        raise ValueError(f"{table.name} has no {role} {name!r}; {hint}")
    return column


def find(table: Table, name: Any, role: str) -> Column:
    """The column of that name, for a fit to use.

    Raises
    ------
    ValueError
        If there is none, with the nearest name there is, or if it holds what no fit can use.
    """
    column = present(table, name, role)
    if column.refused:
        raise ValueError(
            f"{role} {name!r} of {table.name} holds {column.refused}; make numbers of it, or leave it out with features=[...]."
        )
    return column


def numeric(table: Table, name: str, role: str) -> np.dtype:
    """The dtype of a column that must hold numbers."""
    column = find(table, name, role)
    if column.dtype is None:
        raise ValueError(f"{role} {name!r} of {table.name} holds words where numbers are needed.")
    return column.dtype


class Categories:
    """The categories of a column of words, in a stable order, and the code of each."""

    def __init__(self, name: str, values: Iterable[Any]) -> None:
        self.name = name
        self.values = list(values)
        self.index = {value: code for code, value in enumerate(self.values)}
        if len(self.index) < len(self.values):
            raise ValueError(f"the categories of column {name!r} name one twice: {_listing(self.values)}")

    def codes(self, batch: Batch) -> np.ndarray:
        """The code of every row of a batch.

        Raises
        ------
        ValueError
            For a word that is not one of the categories, with its place.
        """
        local, words = batch.words(self.name)
        known = np.array([self.index.get(word, -1) for word in words] or [0], dtype=np.intp)
        codes = known[local]
        if (known < 0).any() and (codes < 0).any():
            row = int(np.argmax(codes < 0))
            raise ValueError(
                f"column {self.name!r} holds {words[local[row]]!r} in {batch.place(row)}, which is not among its categories, "
                f"{_listing(self.values)}"
            )
        return codes

    def sorted(self) -> Categories:
        """The same, sorted."""
        try:
            return Categories(self.name, sorted(self.values))
        except TypeError as error:
            raise ValueError(f"column {self.name!r} mixes words of types that do not sort ({error}).") from error


def find_categories(table: Table, names: Sequence[str], limited: set[str]) -> dict[str, Categories]:
    """The sorted categories of columns of words, from one read of those columns.

    Raises
    ------
    ValueError
        Where one of the columns `limited` has more than `MAX_CATEGORIES`, or has none.
    """
    if not names:
        return {}
    there = table.partitions(names)
    if there is None:
        found = _Words.of(names, limited, table.name, table)
    else:
        found = there.map(partial(_Words.of, names, limited, table.name)).reduce()
    return {name: Categories(name, words).sorted() for name, words in found.words.items()}


class _Words:
    """The distinct words of columns."""

    def __init__(self, names: Sequence[str], limited: set[str], place: str) -> None:
        self.words: dict[str, dict[Any, None]] = {name: {} for name in names}
        self.limited, self.place = limited, place

    @staticmethod
    def of(names: Sequence[str], limited: set[str], place: str, table: Table) -> _Words:
        found = _Words(names, limited, place)
        for batch in table.batches(names, len(names), False):
            for name in names:
                codes, words = batch.words(name)
                used = np.bincount(codes, minlength=len(words)) > 0
                found._add(name, (word for word, there in zip(words, used) if there))
        return found

    def merge(self, other: _Words) -> None:
        for name, words in other.words.items():
            self._add(name, words)

    def _add(self, name: str, words: Iterable[Any]) -> None:
        known = self.words[name]
        known.update((word, None) for word in words)
        if name in self.limited and len(known) > MAX_CATEGORIES:
            raise ValueError(
                f"column {name!r} of {self.place} holds more than {MAX_CATEGORIES} distinct words: it looks like a name or an "
                "identifier. Leave it out with features=[...], or give its categories yourself: categories={...}."
            )


def _listing(names: Iterable[Any]) -> str:
    names = list(names)
    return ", ".join(str(name) for name in names[:8]) + (f" and {len(names) - 8} more." if len(names) > 8 else ".")
