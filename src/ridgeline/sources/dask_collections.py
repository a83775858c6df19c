"""Dask arrays and data frames: folded by the workers of a client; without one they are computed here, by Dask's own scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..engines.dask_workers import DaskEngine, active_client, is_client
from ..engines.naming import HERE
from .chunks import ChunkSource
from .columns import Table
from .frames import FrameTable
from .partitions import PartitionTable
from .prefetch import ahead

FRAME = "the Dask data frame"


def kind(data: Any, target: Any) -> str:
    """Whether a collection is a table or a matrix.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if hasattr(data, "npartitions") and hasattr(data, "columns"):
        return "table"
    if hasattr(data, "numblocks"):
        return "a Dask array"
    raise TypeError(f"a Dask {type(data).__name__} has no columns; pass a Dask array or data frame.")


def client_of(engine: Any) -> Any:
    """The client that `engine` names: the active one for None, no client for "serial".

    Raises
    ------
    TypeError
        For anything else than those and a `distributed.Client`.
    """
    if engine is None:
        return active_client()
    if isinstance(engine, str) and engine == HERE:
        return None
    if not is_client(engine):
        raise TypeError(f"engine of a Dask collection must be None, 'serial' or a distributed.Client, got {engine!r}.")
    return engine


def computed(client: Any, collection: Any) -> Any:
    """A part of a collection, brought to this process."""
    return collection.compute() if client is None else client.compute(collection).result()


class DaskFrames:
    """The partitions of a Dask data frame."""

    def __init__(self, data: Any, client: Any) -> None:
        self.data, self.client = data, client

    @cached_property
    def engine(self) -> DaskEngine | None:
        """The workers, where there is a client."""
        return None if self.client is None else DaskEngine.of(self.client, self.data)

    def __len__(self) -> int:
        return int(self.data.npartitions)

    def select(self, names: Sequence[str]) -> DaskFrames:
        """Of a frame that is not computed yet, no other columns are."""
        return DaskFrames(self.data[list(names)], self.client)

    def here(self, number: int) -> Any:
        """One partition, computed."""
        return computed(self.client, self.data.get_partition(number))


def open_table(data: Any, engine: Any) -> Table:
    """A Dask data frame as a table."""
    return PartitionTable(DaskFrames(data, client_of(engine)), FrameTable(data._meta, FRAME).columns, FRAME)


def open_rows(X: Any, y: Any, weight: Any, offset: Any, n_threads: int | None, engine: Any) -> ChunkSource:
    """Rows of a Dask array, a block of rows at a time.

    Parameters
    ----------
    X : dask array of shape (n, d)
    y, weight, offset : dask array or array-like of shape (n,), or None for the last two
    engine : {None, "serial"} or distributed.Client
        Who folds the blocks.

    Raises
    ------
    ValueError
        If the blocks of a Dask vector are not those of X.
    """
    client = client_of(engine)
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
    return ChunkSource(lambda: ahead(chunks(), 1), n_threads, DaskEngine.of(client, *parts), _outline(client, *parts))


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
