"""Rows of a table in the order of a key column: counted, then put where they belong in temporary files, as in sorting by counting.

The first pass reads the keys and counts the rows of each; the second puts every row behind those of its group that came before.  Nothing
but the keys and their counts stays in memory, whatever order the rows come in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import ArraySource
from .folding import require_rows
from .spool import reserved
from .table import TableSource


def in_groups(rows: TableSource, folder: Any = None) -> tuple[np.ndarray, np.ndarray, ArraySource]:
    """The rows of a table that has a key column, each group's together and in their own order.

    Parameters
    ----------
    rows : TableSource
        With `groups`.
    folder : path-like, optional
        Where the files are; None for the system's temporary folder.

    Returns
    -------
    keys : ndarray of shape (g,)
        In the order of the rows where each group's lie together, else sorted.
    starts : ndarray of int, shape (g + 1,)
        Group k is the rows starts[k], ..., starts[k + 1] - 1.
    sorted : ArraySource
        Of files without a name, which the system deletes with the process.

    Raises
    ------
    OSError
        Where the disk has no room for the rows, before any is written.

    Notes
    -----
    A read of the keys, a read of the rows, and one write of them.
    """
    counts, together = _counts(rows)
    require_rows(len(counts))
    keys = list(counts) if together else sorted(counts)
    ends = np.cumsum([counts[key] for key in keys], dtype=np.int64)
    starts = np.concatenate([[0], ends]).astype(np.int64)
    n = int(starts[-1])
    X = reserved((n, rows.n_features), rows.dtype, folder)
    y = reserved((n,) if rows.n_targets == 1 else (n, rows.n_targets), np.dtype(np.float64), folder)
    weight, offset = (reserved((n if there else 0,), np.dtype(np.float64), folder) for there in (rows.has_weight, rows.schema.offset))
    index, following = {key: k for k, key in enumerate(keys)}, starts[:-1].copy()
    rows.reads += 1
    for here, slabs in rows.keyed():
        places, first = _places(here, index, following), 0
        for slab in slabs:
            at = places[first : first + len(slab.X)]
            X[at], y[at] = slab.X, slab.y.reshape(len(at), *y.shape[1:])
            for column, values in ((weight, slab.weight), (offset, slab.offset)):
                if column.size:
                    column[at] = values
            first += len(at)
    return np.array(keys), starts, ArraySource(X, y, weight, offset, rows.n_threads, rows.schema)


def _counts(rows: TableSource) -> tuple[dict[Any, int], bool]:
    """The number of rows of each key, in order of first appearance, and whether each group's rows lie together."""
    counts: dict[Any, int] = {}
    together, last = True, None
    for here, _ in rows.keyed(features=False):
        if together:
            runs = here[np.flatnonzero(np.concatenate([[True], here[1:] != here[:-1]]))].tolist()
            begun = [key for k, key in enumerate(runs) if k or key != last]
            together = len(set(begun)) == len(begun) and not any(key in counts for key in begun)
            counts.update((key, 0) for key in begun if key not in counts)
            last = runs[-1]
        keys, found = np.unique(here, return_counts=True)
        for key, count in zip(keys.tolist(), found.tolist()):
            counts[key] = counts.get(key, 0) + count
    return counts, together


def _places(here: np.ndarray, index: dict[Any, int], following: np.ndarray) -> np.ndarray:
    """Where each row of a batch belongs; `following`, the next free place of each group, moves on."""
    keys, inverse, counts = np.unique(here, return_inverse=True, return_counts=True)
    groups = np.array([index[key] for key in keys.tolist()])
    order = np.argsort(inverse, kind="stable")
    rank = np.arange(len(here)) - np.repeat(np.cumsum(counts) - counts, counts)
    places = np.empty(len(here), dtype=np.int64)
    places[order] = np.repeat(following[groups], counts) + rank
    following[groups] += counts
    return places
