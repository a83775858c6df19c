"""Arrow datasets: Parquet ones by their row groups, others (IPC, filtered, CSV) by Arrow's own scanner, whose batches come in order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from .arrow import ArrowBatch, columns_of, require_pyarrow
from .columns import Batch, Table, batch_rows, file_state, placer
from .parquet import ParquetTable, files_of

ROWS_AT_ONCE = 1 << 16
"""Rows that decide the length of a segment, where nobody knows how many rows there are."""


def open_dataset(data: Any) -> Table:
    """An Arrow dataset as a table."""
    import pyarrow.dataset as ds

    if type(data) is ds.FileSystemDataset and isinstance(data.format, ds.ParquetFileFormat):
        try:
            files = files_of(data)
        except ValueError:  # a filtered dataset does not give its files away
            return DatasetTable(data)
        return ParquetTable(files, "the Arrow dataset")
    return DatasetTable(data)


class DatasetTable:
    """Any dataset that scans in order."""

    def __init__(self, data: Any) -> None:
        require_pyarrow("reading an Arrow dataset")
        self.data = data
        self.name = "the Arrow dataset"
        self.columns = columns_of(data.schema, self.name)

    def partitions(self, names: Sequence[str]) -> None:
        """None: the rows are here."""

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return None

    def identity(self, names: Sequence[str]) -> Any:
        """Columns, and the files where there are any."""
        files = [path for path in getattr(self.data, "files", ()) if os.path.exists(path)]
        return "Arrow dataset", str(self.data.schema), [file_state(path) for path in files]

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """The scanner's batches, cut at a fixed number of rows."""
        step, size = batch_rows(ROWS_AT_ONCE, n_features)
        start = 0
        for data in self.data.to_batches(columns=list(names), batch_size=size, use_threads=parallel):
            yield ArrowBatch(data, step, placer(self.name, start))
            start += data.num_rows
