"""Tables in partitions, which other machines may hold: one frame after the other.

With an engine a fold is done where the partitions are, and summaries alone come back.  Without one, or where a fit asks for rows, they
come here one at a time when a pass comes to them.  Partitions are runs, so that either way, and with the partitions as chunks, a fit has
the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from ..checkpoints.fingerprint import Digests
from ..engines.contract import Engine, Partitions
from .arrow import ArrowTable
from .columns import Batch, Column, Table
from .frames import FrameTable


class Frames(Protocol):
    """The frames that make a table: pandas', polars', Arrow's.

    `select` gives the same ones, of which no other columns need be read; `here` brings the one with this number to this process.
    """

    @property
    def engine(self) -> Engine | None: ...

    def __len__(self) -> int: ...

    def select(self, names: Sequence[str]) -> Frames: ...

    def here(self, number: int) -> Any: ...


class PartitionTable:
    """Frames of the same columns."""

    def __init__(self, frames: Frames, columns: dict[str, Column], name: str, known_rows: int | None = None) -> None:
        self.frames, self.columns, self.name, self.known_rows = frames, columns, name, known_rows
        self._selected: dict[tuple[str, ...], Frames] = {}
        self._digests: dict[tuple[str, ...], list[str]] = {}

    def _of(self, names: Sequence[str]) -> Frames:
        key = tuple(names)
        if key not in self._selected:
            self._selected[key] = self.frames if set(names) == set(self.columns) else self.frames.select(names)
        return self._selected[key]

    def partitions(self, names: Sequence[str]) -> Partitions[Table] | None:
        """The frames where they are; of frames that are not computed yet, no other columns are."""
        engine = self._of(names).engine
        return None if engine is None else Partitions(engine, partial(table_of, self.name))

    def identity(self, names: Sequence[str]) -> Any:
        """Of each frame its columns, its length and some of its rows: one read, made once."""
        key = tuple(names)
        if key not in self._digests:
            there, frames = self.partitions(names), self._of(names)
            if there is not None:
                self._digests[key] = there.map(partial(_digest, names)).reduce().digests
            else:
                tables = (table_of(self.name, number, frames.here(number)) for number in range(len(frames)))
                self._digests[key] = [digest for table in tables for digest in _digest(names, table).digests]
        return "partitions", self._digests[key]

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """The slices of each frame; those before number `run` are not computed."""
        frames = self._of(names)
        for number in range(run, len(frames)):
            yield from table_of(self.name, number, frames.here(number)).batches(names, n_features, parallel)


def table_of(name: str, number: int, data: Any) -> Table:
    """A frame as a table: partition `number` of the table `name`."""
    place = f"partition {number} of {name}"
    return ArrowTable(data, place, number) if type(data).__module__.startswith("pyarrow") else FrameTable(data, place, number)


def _digest(names: Sequence[str], table: Table) -> Digests:
    return Digests(table.identity(names))
