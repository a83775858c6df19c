"""Dask collections, a partition at a time: each is computed when the pass comes to it, by whatever scheduler Dask is set to use.

The partitions are the runs of rows: a fit has the same bits as that of the partitions as chunks, whatever computes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .chunks import ChunkSource
from .columns import Batch, Column
from .frames import FrameTable
from .prefetch import ahead


class DaskTable:
    """A Dask data frame."""

    def __init__(self, data: Any) -> None:
        self.data, self.name = data, "the Dask data frame"
        self.columns: dict[str, Column] = FrameTable(data._meta, self.name).columns

    def batches(self, names: Sequence[str], n_features: int, parallel: bool) -> Iterator[Batch]:
        """The slices of each partition."""
        data = self.data[list(names)]
        for number in range(data.npartitions):
            part = FrameTable(data.get_partition(number).compute(), f"partition {number} of {self.name}", number)
            yield from part.batches(names, n_features, parallel)


def array_source(X: Any, y: Any, weight: Any, offset: Any, n_threads: int | None) -> ChunkSource:
    """Rows of a Dask array, a block of rows at a time.

    Parameters
    ----------
    X : dask array of shape (n, d)
    y, weight, offset : dask array or array-like of shape (n,), or None for the last two

    Raises
    ------
    ValueError
        If the blocks of a Dask vector are not those of X.
    """
    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions (rows, columns), got a Dask array of shape {X.shape}.")
    vectors = {"y": y, "sample_weight": weight, "offset": offset}
    blocks = X.numblocks[0]
    known = not np.isnan(np.array(X.chunks[0], dtype=float)).any()
    ends = np.cumsum((0, *X.chunks[0])) if known else None
    for name, vector in vectors.items():
        if hasattr(vector, "numblocks"):
            if vector.numblocks[0] != blocks or (known and vector.chunks[0] != X.chunks[0]):
                raise ValueError(f"{name} has chunks of rows {vector.chunks[0]}, X {X.chunks[0]}; rechunk one of them like the other.")
        elif vector is not None:
            if ends is None:
                raise ValueError(f"X has chunks of unknown length, so {name} must be a Dask array with the same chunks.")
            values = vectors[name] = np.asarray(vector)
            if len(values) != ends[-1]:
                raise ValueError(f"X has {ends[-1]} rows, {name} has {len(values)}.")

    def part(vector: Any, k: int) -> Any:
        if vector is None:
            return None
        if hasattr(vector, "numblocks"):
            return vector.blocks[k].compute()
        assert ends is not None
        return vector[ends[k] : ends[k + 1]]

    def chunks() -> Iterator[tuple[Any, ...]]:
        for k in range(blocks):
            yield (X.blocks[k].compute(), *(part(vector, k) for vector in vectors.values()))

    return ChunkSource(lambda: ahead(chunks(), 1), n_threads)
