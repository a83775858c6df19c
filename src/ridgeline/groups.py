"""Rows in groups: which rows belong together, under which key, and where they lie.

Groups whose rows lie together are used in place; others are gathered a few groups at a time, through the order that puts them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .conversion import working_format
from .labels import SHORT_RANGE
from .sources import EMPTY, SLAB_ELEMENTS, adjacent
from .validation import first_position, is_missing, unmasked


@dataclass(frozen=True)
class Groups:
    """Keys (g,), and the rows of group k: starts[k], ..., starts[k + 1] - 1 of `order`, or of the rows as they lie where that is None."""

    keys: np.ndarray
    starts: np.ndarray
    order: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def jobs(self, n_features: int, most_groups: int) -> Iterator[tuple[int, int]]:
        """Runs of at most so many groups, of about a slab's entries together, or of one larger group."""
        most = max(SLAB_ELEMENTS // max(n_features, 1), 1)
        first = 0
        while first < len(self):
            stop = int(np.searchsorted(self.starts, self.starts[first] + most, side="right")) - 1
            stop = min(max(stop, first + 1), first + most_groups, len(self))
            yield first, stop
            first = stop

    def rows(self, first: int, stop: int) -> slice | np.ndarray:
        """Where the rows of some groups are."""
        where = slice(int(self.starts[first]), int(self.starts[stop]))
        return where if self.order is None else self.order[where]


def groups_by_key(keys: Any, n: int) -> Groups:
    """Groups of rows with equal keys: in the order of the rows where each group's lie together, else sorted.

    Raises
    ------
    ValueError
        For keys that are missing, not one per row, or of types that do not sort.
    """
    array = unmasked(keys, "groups")
    if array.shape != (n,):
        raise ValueError(f"groups has shape {array.shape}, expected {(n,)}: one key per row of X.")
    missing = _missing(array)
    if missing.any():
        raise ValueError(f"groups is missing at {first_position(missing)}; give such rows a key, or drop them.")
    change = np.flatnonzero(array[1:] != array[:-1]) + 1
    starts = np.concatenate([[0], change, [n]]).astype(np.int64)
    try:
        unique, codes = _codes(array[starts[:-1]])
    except TypeError as error:
        raise ValueError(f"groups mixes keys of types that do not sort ({error}); use one type throughout.") from error
    if len(unique) == len(codes):
        return Groups(array[starts[:-1]], starts)
    codes = codes.ravel().astype(np.uint16 if len(unique) <= 1 << 16 else np.int64)  # short codes are sorted by counting
    codes = np.repeat(codes, np.diff(starts))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(unique)))
    return Groups(unique, np.concatenate([[0], ends]).astype(np.int64), order)


def _codes(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sorted distinct keys, and the number of each."""
    if keys.dtype.kind in "iu":
        low, high = int(keys.min()), int(keys.max())
        if high - low < max(len(keys), SHORT_RANGE) and high < 1 << 62:  # counted, not sorted
            shifted = keys.astype(np.int64) - low
            present = np.bincount(shifted, minlength=high - low + 1) > 0
            return (np.flatnonzero(present) + low).astype(keys.dtype), (np.cumsum(present) - 1)[shifted]
    return np.unique(keys, return_inverse=True)


def groups_between(boundaries: Any, n: int) -> Groups:
    """Groups of rows that lie between boundaries b_0 <= b_1 <= ... <= b_g, of keys 0, ..., g - 1.

    Raises
    ------
    ValueError
        For boundaries that are not whole numbers, decrease, or lie outside the rows.
    """
    array = unmasked(boundaries, "boundaries")
    if array.ndim != 1 or len(array) < 2 or array.dtype.kind not in "iu":
        raise ValueError(f"boundaries must be at least two whole numbers, got {array.dtype} of shape {array.shape}.")
    starts = array.astype(np.int64)
    if starts[0] < 0 or starts[-1] > n or (np.diff(starts) < 0).any():
        raise ValueError(f"boundaries must rise from at least 0 to at most {n}, the number of rows; got {starts[0]} to {starts[-1]}.")
    return Groups(np.arange(len(starts) - 1), starts)


def _missing(keys: np.ndarray) -> np.ndarray:
    if keys.dtype.kind in "fcmM":
        return np.asarray(np.isnat(keys) if keys.dtype.kind in "mM" else np.isnan(keys))
    if keys.dtype.kind == "O":
        return np.array([is_missing(key) for key in keys], dtype=bool)
    return np.zeros(len(keys), dtype=bool)


@dataclass(frozen=True)
class GroupedRows:
    """Rows and their groups: X (n, d) of any real dtype and layout, or sparse; targets (n, t); weights and offsets (n,), or empty."""

    X: Any
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    groups: Groups

    def take(self, first: int, stop: int) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
        """X, y, weights and offsets of some groups; of X a view where a kernel can read it as it lies, else a copy."""
        rows = self.groups.rows(first, stop)
        X = self.X[rows]
        if not adjacent(X):
            X = np.ascontiguousarray(X, dtype=working_format(X.dtype))
        weight, offset = (a[rows] if a.size else EMPTY for a in (self.weight, self.offset))
        return X, self.y[rows], weight, offset
