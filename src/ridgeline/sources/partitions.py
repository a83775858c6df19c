"""Dask collections, in partitions.

With an active `distributed.Client` a fold is done by its workers, where the partitions are, and summaries alone come back
(`engines.cluster`).  Without one, or where a fit asks for rows, partitions are computed one at a time when a pass comes to them, by
whatever scheduler Dask is set to use.  Partitions are runs, so that either way, and with the partitions as chunks, a fit has the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..engines.cluster import DaskEngine, active_client
from ..engines.contract import Partitions
from .chunks import ChunkSource
from .columns import Batch, Column
from .frames import FrameTable
from .prefetch import ahead


def client_of(engine: Any) -> Any:
    """The client that `engine` names: the active one for None, no client for "serial".

    Raises
    ------
    TypeError
        For anything else than those and a `distributed.Client`.
    """
    if engine is None:
        return active_client()
    if isinstance(engine, str) and engine == "serial":
        return None
    if not hasattr(engine, "scheduler_info"):
        raise TypeError(f"engine must be None, 'serial' or a distributed.Client, got {engine!r}.")
    return engine


def computed(client: Any, collection: Any) -> Any:
    """A part of a collection, brought to this process."""
    return collection.compute() if client is None else client.compute(collection).result()


class DaskTable:
    """A Dask data frame, and the client whose workers fold it, if any."""

    def __init__(self, data: Any, client: Any = None) -> None:
        self.data, self.client, self.name = data, client, "the Dask data frame"
        self.columns: dict[str, Column] = FrameTable(data._meta, self.name).columns
        self._engines: dict[tuple[str, ...], DaskEngine] = {}

    def partitions(self, names: Sequence[str]) -> Partitions[FrameTable] | None:
        """The partitions on the workers; of a frame that is not computed yet, no other columns are."""
        if self.client is None:
            return None
        key = tuple(names)
        if key not in self._engines:
            every = set(names) == set(self.columns)
            self._engines[key] = DaskEngine(self.client, self.data if every else self.data[list(names)])
        return Partitions(self._engines[key], partial(_frame, self.name))

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return None

    def identity(self) -> Any:
        """Columns, and where the partitions begin: their rows are taken to be the same each time."""
        return "Dask data frame", [(name, str(kind)) for name, kind in self.data.dtypes.items()], str(self.data.divisions)

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """The slices of each partition; those before number `run` are not computed."""
        data = self.data[list(names)]
        for number in range(run, data.npartitions):
            part = _frame(self.name, number, computed(self.client, data.get_partition(number)))
            yield from part.batches(names, n_features, parallel)


def _frame(name: str, number: int, data: Any) -> FrameTable:
    return FrameTable(data, f"partition {number} of {name}", number)


def array_source(X: Any, y: Any, weight: Any, offset: Any, n_threads: int | None, client: Any = None) -> ChunkSource:
    """Rows of a Dask array, a block of rows at a time.

    Parameters
    ----------
    X : dask array of shape (n, d)
    y, weight, offset : dask array or array-like of shape (n,), or None for the last two
    client : distributed.Client, optional
        Whose workers fold the blocks.

    Raises
    ------
    ValueError
        If the blocks of a Dask vector are not those of X.
    """
    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions (rows, columns), got a Dask array of shape {X.shape}.")
    if np.isnan(X.shape[1]):
        raise ValueError("X has an unknown number of columns; call compute_chunk_sizes() on it first.")
    X = _whole_rows(X)
    known = not np.isnan(np.array(X.chunks[0], dtype=float)).any()
    vectors = []
    for name, vector in (("y", y), ("sample_weight", weight), ("offset", offset)):
        if hasattr(vector, "numblocks"):
            if vector.numblocks[0] != X.numblocks[0] or (known and vector.chunks[0] != X.chunks[0]):
                raise ValueError(f"{name} has chunks of rows {vector.chunks[0]}, X {X.chunks[0]}; rechunk one of them like the other.")
            vector = _whole_rows(vector)
        elif vector is not None:
            if not known:
                raise ValueError(f"X has chunks of unknown length, so {name} must be a Dask array with the same chunks.")
            if len(vector) != sum(X.chunks[0]):
                raise ValueError(f"X has {sum(X.chunks[0])} rows, {name} has {len(vector)}.")
            vector = _in_blocks(np.asarray(vector), X.chunks[0], client)
        vectors.append(vector)
    parts = (X, *vectors)

    def chunks() -> Iterator[tuple[Any, ...]]:
        for k in range(X.numblocks[0]):
            yield tuple(None if part is None else computed(client, part.blocks[k]) for part in parts)

    if client is None:
        return ChunkSource(lambda: ahead(chunks(), 1), n_threads)
    return ChunkSource(lambda: ahead(chunks(), 1), n_threads, DaskEngine(client, *parts), _outline(client, *parts))


def _whole_rows(values: Any) -> Any:
    """An array whose blocks are of rows alone."""
    return values.rechunk({1: -1}) if values.ndim == 2 and values.numblocks[1] > 1 else values


def _in_blocks(values: np.ndarray, rows: tuple[int, ...], client: Any) -> Any:
    """An array of this process in blocks, sent to the workers once."""
    import dask.array

    blocks = dask.array.from_array(values, chunks=(rows, *values.shape[1:]), name=False)
    return blocks if client is None else client.persist(blocks)


def _outline(client: Any, X: Any, y: Any, *vectors: Any) -> tuple[Any, ...]:
    """A chunk that shows what the blocks hold, without rows of X."""
    # whether objects are names only they can tell
    targets = computed(client, y.blocks[0]) if y.dtype == object else np.empty((0, *y.shape[1:]), y.dtype)
    beside = (None if vector is None else np.ones(len(targets)) for vector in vectors)
    return (np.zeros((len(targets), X.shape[1]), X.dtype), targets, *beside)
