"""Rows in Ray: a dataset, or references to objects in its store, each a frame of a table or a chunk of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..engines.contract import Partitions
from ..engines.naming import HERE
from ..engines.ray_workers import RayEngine, machines
from .chunks import ChunkSource
from .columns import Column, Table
from .partitions import PartitionTable, table_of
from .prefetch import ahead


def kind(data: Any, target: Any) -> str:
    """Whether it is a table or chunks.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(data, (list, tuple)):
        return "chunks" if target is None else "table"
    if hasattr(data, "to_arrow_refs"):
        return "table"
    raise TypeError(f"a {type(data).__name__} of Ray holds no rows; pass a dataset, or a list of references.")


def engine_of(engine: Any, references: Sequence[Any]) -> RayEngine | None:
    """Ray's own workers for None and "ray"; None for "serial".

    Raises
    ------
    TypeError
        For anything else.
    """
    if isinstance(engine, str) and engine == HERE:
        return None
    if engine is not None and machines(engine) is None:
        raise TypeError(f"engine of rows in Ray must be None, 'ray' or 'serial', got {engine!r}.")
    return RayEngine(references)


class RayFrames:
    """Frames in Ray's store."""

    def __init__(self, references: Sequence[Any], engine: RayEngine | None) -> None:
        self.references, self.engine = references, engine

    def __len__(self) -> int:
        return len(self.references)

    def select(self, names: Sequence[str]) -> RayFrames:
        """The same ones: whoever reads them takes the columns."""
        return self

    def here(self, number: int) -> Any:
        """One frame, brought to this process."""
        return fetched(self.references[number])


def fetched(reference: Any) -> Any:
    """The object, in this process."""
    import ray

    return ray.get(reference)


def open_table(data: Any, engine: Any) -> Table:
    """A dataset, or a sequence of references to frames, as a table.

    A dataset is computed once, into Ray's store, its blocks in their order.
    """
    is_dataset = hasattr(data, "to_arrow_refs")
    name, references = ("the Ray dataset", _blocks(data)) if is_dataset else ("the frames in Ray", list(data))
    if not references:
        raise ValueError(f"{name}: there are no rows.")
    kinds = Partitions(RayEngine(references), partial(_Kinds.of, name)).reduce()
    return PartitionTable(RayFrames(references, engine_of(engine, references)), kinds.columns, name, kinds.rows)


def _blocks(dataset: Any) -> list[Any]:
    """The blocks of a dataset as Arrow tables, in their order, which Ray keeps only where it is told to."""
    options = dataset.context.execution_options
    before, options.preserve_order = options.preserve_order, True
    try:
        return list(dataset.to_arrow_refs())
    finally:
        options.preserve_order = before


class _Kinds:
    """What the columns of frames hold, as the first that has rows shows, and how many rows there are."""

    def __init__(self, columns: dict[str, Column], rows: int) -> None:
        self.columns, self.rows = columns, rows

    @staticmethod
    def of(name: str, number: int, data: Any) -> _Kinds:
        table = table_of(name, number, data)
        return _Kinds(table.columns, table.known_rows or 0)

    def merge(self, other: _Kinds) -> None:
        if not self.rows:
            self.columns = other.columns
        self.rows += other.rows


def open_rows(references: Sequence[Any], y: Any, weight: Any, offset: Any, n_threads: int | None, engine: Any) -> ChunkSource:
    """Chunks in Ray's store, which bring their own targets: y, weight and offset are None."""
    there = engine_of(engine, references)
    first = None if there is None else Partitions(RayEngine(references[:1]), _outline).reduce()
    return ChunkSource(lambda: ahead(map(fetched, references), 1), n_threads, there, first)


def _outline(number: int, chunk: Any) -> tuple[Any, ...]:
    """A chunk that shows what this one holds, without its rows of X."""
    part = ChunkSource(lambda: [chunk])  # which says what is wrong with it
    y = np.asarray(chunk[1])
    targets = y if y.dtype == object else y[:0]  # whether objects are names only they can tell
    beside = (None if vector is None else np.ones(len(targets)) for vector in chunk[2:])
    return (np.zeros((len(targets), part.n_features), part.dtype), targets, *beside)
