"""CSV files through pyarrow: a block of text at a time, columns of numbers as float64.

What a column holds is read off the first block, as everywhere; a cell further down that does not fit is an error that names its row.
Batches are the blocks, which depend on the file alone.  Lines with more or fewer cells than the header are left out where that is asked
for.  A torn compressed file is always an error: how many of its rows Arrow gives before the tear differs from pass to pass.
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
from .skipping import Skipped

BLOCK = 1 << 22
"""Bytes of text per batch."""

SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")


class CsvTable:
    """CSV files with one header line each, of the same columns, in order; see `open_files` for `skipped`."""

    def __init__(self, paths: Sequence[str], name: str, skipped: list[Skipped] | None = None) -> None:
        self.paths, self.name = [], name
        self._types: dict[str, Any] = {}
        self._skips = skipped is not None
        self.columns: dict[str, Column] = {}
        pa = require_pyarrow(f"reading {name}")
        for path in paths:
            try:
                with self._open(path, None, False) as reader:
                    schema = reader.schema
            except ValueError as error:
                if skipped is None:
                    raise
                skipped.append(Skipped(str(error), None))
                continue
            self.paths.append(path)
            if not self.columns:
                self.columns = columns_of(schema, path)
            elif schema.names != list(self.columns):
                raise ValueError(f"{path} has other columns than {self.paths[0]}; files read as one table need the same header.")
        if skipped is not None:
            for path in self.paths:
                skipped += self._damage(path)
            if not self.paths:
                raise ValueError(f"nothing of {name} can be read. {skipped[0].why}")
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

    def _damage(self, path: str) -> list[Skipped]:
        """What is to be left out of a file: one read of its lines."""
        pa = require_pyarrow(f"reading {path}")
        lines: list[Any] = []
        column = next(iter(self.columns))
        rows = 0
        with self._open(path, [column], False, {column: pa.string()}, lines) as reader:
            try:
                for batch in reader:
                    rows += batch.num_rows
            except (OSError, ValueError) as error:
                raise ValueError(f"{path} cannot be read after row {rows}: {_first_line(error)}.") from error
        if not lines:
            return []
        first, more = lines[0], f" (and {len(lines) - 1} more such lines)" if len(lines) > 1 else ""
        cells = f"{first.actual_columns} cells where the header has {first.expected_columns}"
        return [Skipped(f"line {first.number} of {path} has {cells}{more}.", len(lines))]

    def _open(
        self, path: str, names: Sequence[str] | None, parallel: bool, types: dict[str, Any] | None = None, lines: list[Any] | None = None
    ) -> Any:
        """A reader of some columns; lines that are left out are appended to `lines`."""
        import pyarrow.csv as csv

        def leave_out(line: Any) -> str:
            if lines is not None:
                lines.append(line)
            return "skip"

        types = self._types if types is None else types

        try:
            options = csv.ConvertOptions(
                include_columns=None if names is None else list(names),
                column_types={} if names is None else {name: types[name] for name in names},
            )
            return csv.open_csv(
                path, csv.ReadOptions(block_size=BLOCK, use_threads=parallel),
                csv.ParseOptions(delimiter=_delimiter(path), invalid_row_handler=leave_out if self._skips else None), options,
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
