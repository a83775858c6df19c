"""CSV files through pyarrow: a block of text at a time, columns of numbers as float64.

What a column holds is read off the first block, as everywhere; a cell further down that does not fit is an error that names its row.
Batches are the blocks, which depend on the file alone.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .arrow import ArrowBatch, columns_of, require_pyarrow
from .columns import Batch, Column, empty_cell, file_state, placer
from .folding import segment_rows

BLOCK = 1 << 22
"""Bytes of text per batch."""

SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")


class CsvTable:
    """CSV files with one header line each, of the same columns, in order."""

    def __init__(self, paths: Sequence[str], name: str) -> None:
        self.paths, self.name = list(paths), name
        self._types: dict[str, Any] = {}
        pa = require_pyarrow(f"reading {name}")
        for number, path in enumerate(self.paths):
            with self._open(path, None, False) as reader:
                schema = reader.schema
            if number == 0:
                self.columns = columns_of(schema, path)
            elif schema.names != list(self.columns):
                raise ValueError(f"{path} has other columns than {self.paths[0]}; files read as one table need the same header.")
        for column, kind in self.columns.items():
            # what began with whole numbers may go on with fractions, what began empty may go on as anything
            self._types[column] = pa.float64() if kind.dtype is not None else pa.string()
            if kind.refused.startswith("nothing"):
                self.columns[column] = Column(np.dtype(np.float64))
                self._types[column] = pa.float64()
            elif kind.dtype is not None and kind.dtype.kind == "b":
                self._types[column] = pa.bool_()
            elif kind.dtype is not None and kind.dtype.kind in "iu":
                # classes stay whole numbers; the values are float64
                self.columns[column] = Column(np.dtype(np.int64))

    def _open(self, path: str, names: Sequence[str] | None, parallel: bool) -> Any:
        import pyarrow.csv as csv

        try:
            options = csv.ConvertOptions(
                include_columns=None if names is None else list(names),
                column_types={} if names is None else {name: self._types[name] for name in names},
            )
            return csv.open_csv(
                path, csv.ReadOptions(block_size=BLOCK, use_threads=parallel),
                csv.ParseOptions(delimiter=_delimiter(path)), options,
            )  # fmt: skip
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path} cannot be read as CSV: {_first_line(error)}.") from error

    def partitions(self, names: Sequence[str]) -> None:
        """None: the rows are here."""

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return None

    def identity(self, names: Sequence[str]) -> Any:
        """Name, length and time of change of every file."""
        return "CSV", [file_state(path) for path in self.paths]

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """The blocks of each file, each a run; where one begins is known when those before it have been read."""
        number = 0
        for path in self.paths:
            start = 0
            with self._open(path, names, False) as reader:  # read by one thread, an error names its row
                while True:
                    try:
                        data = reader.read_next_batch()
                    except StopIteration:
                        break
                    except (OSError, ValueError) as error:
                        raise ValueError(f"{path} cannot be read after row {start}: {_first_line(error)}.") from error
                    step = segment_rows(data.num_rows, n_features)
                    yield _CsvBatch(ArrowBatch(data, step, placer(path, start), number))
                    start += data.num_rows
                    number += 1


class _CsvBatch:
    """A block, in which an empty word is an empty cell."""

    def __init__(self, batch: ArrowBatch) -> None:
        self.batch, self.rows, self.step, self.place, self.run = batch, batch.rows, batch.step, batch.place, batch.run
        self.numbers = batch.numbers

    def words(self, name: str) -> tuple[np.ndarray, list[Any]]:
        codes, words = self.batch.words(name)
        if "" in words and (codes == words.index("")).any():
            raise empty_cell(name, self.place(int(np.argmax(codes == words.index("")))))
        return codes, words


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(".")


def _delimiter(path: str) -> str:
    """The sign among , ; tab | that the header has most of."""
    opener: Any = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as file:
        header = file.readline(1 << 16)
    if not header.strip():
        raise ValueError(f"{os.path.basename(path)} is empty; its first line must name the columns")
    return max(",;\t|", key=lambda sign: header.count(sign.encode()))
