"""`predict` for files that need not fit in memory: batch by batch, to CSV or Parquet."""

from __future__ import annotations

import argparse
import csv
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..report import plural
from ..sources.arrow import require_pyarrow
from ..sources.columns import Batch, Categories, find, numeric
from ..sources.opening import open_files
from ..sources.table import require_placed
from ..tables import Features
from .refusal import Refusal

Columns = list[np.ndarray]


def predict_in_passes(model: Any, features: Features, options: argparse.Namespace) -> None:
    """Write the predictions of every row of the files."""
    table = open_files([options.file])
    known = {name: Categories(name, words) for name, words in features.categories.items()}
    for name in features.columns:
        find(table, name, "column") if name in known else numeric(table, name, "column")
    header = ["prediction"] + ([f"P({label})" for label in model.classes_.tolist()] if options.proba else [])
    rows = 0
    with _writing(options.out, header) as write:
        for batch in table.batches(list(features.columns), len(features.names), True):
            X = _matrix(batch, features, known)
            write([model.predict(X), *(model.predict_proba(X).T if options.proba else ())])
            rows += len(X)
        if not rows:
            raise Refusal(f"{table.name} has a header but no rows.")
    if options.out:
        print(f"{plural(rows, 'prediction')} written to {options.out}")


def _matrix(batch: Batch, features: Features, known: dict[str, Categories]) -> np.ndarray:
    columns: Columns = []
    for name in features.columns:
        if name in known:
            codes = known[name].codes(batch)
            columns += [(codes == code).astype(np.float64) for code in range(1, len(known[name].values))]
        else:
            values = batch.numbers(name).astype(np.float64, copy=False)
            require_placed(values, f"column {name!r}", batch)
            columns.append(values)
    return np.stack(columns, axis=1)


@contextmanager
def _writing(path: str | None, header: Sequence[str]) -> Iterator[Callable[[Columns], None]]:
    """What writes some rows: to standard output, or to a file that is there when all of them are."""
    if path is None:
        yield _csv_writer(sys.stdout, header)
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        if path.endswith((".parquet", ".pq")):
            with _ParquetOut(temporary, header) as out:
                yield out.write
        else:
            with open(temporary, "x", encoding="utf-8", newline="") as file:
                yield _csv_writer(file, header)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _csv_writer(file: Any, header: Sequence[str]) -> Callable[[Columns], None]:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    return lambda columns: writer.writerows(zip(*(column.tolist() for column in columns)))


class _ParquetOut:
    """A Parquet file that grows by a row group at a time."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.pyarrow = require_pyarrow("writing Parquet")
        self.path, self.header = path, list(header)
        self.writer: Any = None

    def __enter__(self) -> _ParquetOut:
        return self

    def write(self, columns: Columns) -> None:
        import pyarrow.parquet as pq

        table = self.pyarrow.table(dict(zip(self.header, map(self.pyarrow.array, columns))))
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table)

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:  # some rows came
            self.writer.close()
