"""Parquet files that several machines can open: a row group is a partition, and its name is all that travels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

from ..engines.contract import Machines, Partitions
from .columns import Batch, Table
from .parquet import ParquetFile, ParquetTable


class SharedFiles:
    """Files that are read where the machines of an engine are; by this process only for those who ask for rows.

    Row groups are runs here as there, so that a fit has the bits of one in this process.
    """

    def __init__(self, table: ParquetTable, machines: Machines) -> None:
        self._table = table
        self.name, self.columns, self.known_rows = table.name, table.columns, table.known_rows
        groups = [(file, group) for file in table.files for group in file.groups]
        # machines have working directories of their own
        self._engine = machines([replace(file, path=_everywhere(file), wanted=[group]) for file, group in groups])

    def partitions(self, names: Sequence[str]) -> Partitions[Table]:
        """The row groups, to be opened by whoever reads them."""
        outline = copy(self._table)
        outline.files = []
        return Partitions(self._engine, partial(_of, outline))

    def identity(self, names: Sequence[str]) -> Any:
        """As of files of this process."""
        return self._table.identity(names)

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """The batches of the row groups, read here."""
        return self._table.batches(names, n_features, parallel, run)


def _everywhere(file: ParquetFile) -> str:
    return os.path.abspath(file.path) if file.filesystem is None else file.path


def _of(outline: ParquetTable, number: int, file: ParquetFile) -> Table:
    """One row group as a table with the columns of all of them."""
    table = copy(outline)
    table.files = [file]
    return table
