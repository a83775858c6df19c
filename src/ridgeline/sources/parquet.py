"""Parquet files: row groups in their order, the wanted columns alone, streamed so that a large row group is never whole in memory.

A row group is laid out as one, so its segments are those of a matrix of its rows: a fit has the same bits as that of the row groups as
chunks.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from .arrow import ArrowBatch, column_of, columns_of, require_pyarrow
from .columns import Batch, Column, batch_rows, file_state

BUFFER = 1 << 25
"""Bytes of compressed data, of all columns together, read at a time; without such a buffer a row group would be read whole."""

UNREADABLE = (OSError, ValueError, KeyError, NotImplementedError)
"""What the reader raises for a file that is damaged; the last where a damaged footer names what is not in Parquet."""


@dataclass
class ParquetFile:
    """One file: where it is, which of its row groups are wanted, and columns that its folder's name gives (`year=2024/`).

    `rows` in all and the `groups` to be read are known to the table that has opened it.
    """

    path: str
    filesystem: Any = None
    wanted: list[int] | None = None
    keys: dict[str, Any] = field(default_factory=dict)
    rows: int = -1
    groups: list[int] = field(default_factory=list)

    def open(self, words: Sequence[str] = (), columns: int = 1) -> Any:
        """Open it, and read its footer; `words` are columns to read as dictionaries, `columns` how many are to be read."""
        require_pyarrow(f"reading {self.path}")
        import pyarrow.parquet as pq

        buffer = min(max(BUFFER // max(columns, 1), 1 << 16), 1 << 20)
        try:
            return pq.ParquetFile(
                self.path, filesystem=self.filesystem, buffer_size=buffer, read_dictionary=list(words), page_checksum_verification=True
            )
        except UNREADABLE as error:
            raise failure(error, f"{self.path} cannot be read as Parquet") from error


    def state(self) -> tuple[str, int | None, int | None]:
        """Its name, its length in bytes and when it was last changed, in nanoseconds."""
        if self.filesystem is None:
            return file_state(self.path)
        info = self.filesystem.get_file_info(self.path)
        return os.path.basename(self.path), info.size, info.mtime_ns


def failure(error: Exception, what: str) -> Exception:
    """An error of the reader as a ValueError that says where; what the operating system refused stays an OSError."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    text = (str(error).splitlines() or [""])[0].rstrip(".")
    return ValueError(f"{what}: {text}. The file is damaged or cut short; write or copy it again.")


class ParquetTable:
    """Parquet files of the same columns, in order.

    Raises
    ------
    ValueError
        For a file that is not Parquet, and for one whose columns are not those of the first, with its name.
    """

    def __init__(self, files: Sequence[ParquetFile], name: str) -> None:
        self.name = name
        self.files = list(files)
        if not self.files:
            raise ValueError(f"{name}: there is no Parquet file.")
        self.columns: dict[str, Column] = {}
        for number, file in enumerate(self.files):
            with file.open() as opened:
                columns = columns_of(opened.schema_arrow, file.path)
                file.rows = opened.metadata.num_rows
                file.groups = list(range(opened.num_row_groups)) if file.wanted is None else file.wanted
            columns.update({key: _column_of_value(value) for key, value in file.keys.items()})
            self.columns = self._reconcile(columns, file) if number else columns

    def _reconcile(self, columns: dict[str, Column], file: ParquetFile) -> dict[str, Column]:
        """The columns of the files so far; numbers may differ in width."""
        out = {}
        for name, before in self.columns.items():
            now = columns.get(name)
            if now is None:
                out[name] = Column(None, f"values in some files only: {file.path} has no such column")
            elif before.refused or now.refused or (before.dtype is None) != (now.dtype is None):
                changed = f"another kind of values in {file.path} than in {self.files[0].path}"
                alike = before.refused == now.refused != ""  # not ==: NumPy takes float64 and None for equal
                out[name] = before if alike else Column(None, before.refused or changed)
            else:
                out[name] = before if before.dtype is None or now.dtype is None else Column(np.result_type(before.dtype, now.dtype))
        return out

    def partitions(self, names: Sequence[str]) -> None:
        """None: the rows are here."""

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """Batches of each row group, a run of its own; those before number `run` are not read."""
        numbers = count()
        for file in self.files:
            yield from self._file(file, numbers, run, names, n_features, parallel)

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return sum(file.rows for file in self.files) if all(file.wanted is None for file in self.files) else None

    def identity(self, names: Sequence[str]) -> Any:
        """Name, length and time of change of every file, and what of it is wanted."""
        return "Parquet", [(*file.state(), file.rows, file.wanted, file.keys) for file in self.files]

    def _file(
        self, file: ParquetFile, numbers: Iterator[int], run: int, names: Sequence[str], n_features: int, parallel: bool
    ) -> Iterator[Batch]:
        words = [name for name in names if self.columns[name].dtype is None and name not in file.keys]
        with file.open(words, len(names)) as opened:
            if opened.metadata.num_rows != file.rows:
                raise ValueError(
                    f"{file.path} had {file.rows} rows when the source was made and has {opened.metadata.num_rows} now; it must not "
                    "change during a fit."
                )
            stored = [name for name in names if name not in file.keys]
            before = 0
            for group in range(opened.num_row_groups):
                rows = opened.metadata.row_group(group).num_rows
                if (file.wanted is None or group in file.wanted) and (number := next(numbers)) >= run:
                    yield from self._group(file, number, opened, group, before, rows, stored, n_features, parallel)
                before += rows

    def _group(
        self,
        file: ParquetFile,
        run: int,
        opened: Any,
        group: int,
        before: int,
        rows: int,
        stored: list[str],
        n_features: int,
        parallel: bool,
    ) -> Iterator[Batch]:
        step, size = batch_rows(rows, n_features)
        start = 0
        batches = opened.iter_batches(batch_size=size, row_groups=[group], columns=stored, use_threads=parallel)
        while True:
            try:
                data = next(batches, None)
            except UNREADABLE as error:
                where = f"{file.path} is damaged in row group {group}, after row {before + start} of the file"
                raise failure(error, where) from error
            if data is None:
                break

            def place(row: int, start: int = start) -> str:
                return f"row {before + start + row} of {file.path} (row group {group}, row {start + row} of it)"

            batch = ArrowBatch(data, step, place, run)
            yield _WithKeys(batch, file.keys) if file.keys else batch
            start += data.num_rows
        if start != rows:
            raise ValueError(f"{file.path} is damaged: row group {group} should have {rows} rows and has {start}.")


class _WithKeys:
    """A batch beside the columns that the folder's name gives, which are the same in every row."""

    def __init__(self, batch: ArrowBatch, keys: dict[str, Any]) -> None:
        self.batch, self.keys = batch, keys
        self.rows, self.step, self.place, self.run = batch.rows, batch.step, batch.place, batch.run

    def numbers(self, name: str) -> np.ndarray:
        return np.full(self.rows, self.keys[name]) if name in self.keys else self.batch.numbers(name)

    def words(self, name: str) -> tuple[np.ndarray, list[Any]]:
        return (np.zeros(self.rows, np.intp), [self.keys[name]]) if name in self.keys else self.batch.words(name)


def _column_of_value(value: Any) -> Column:
    return Column(None) if isinstance(value, str) else column_of(require_pyarrow("a folder of Parquet files").scalar(value).type)


def is_parquet(path: str) -> bool:
    """Whether a path is taken for Parquet: by its name, by its first bytes, or as a folder."""
    if os.path.isdir(path) or path.endswith((".parquet", ".pq", ".parq")):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


def open_paths(paths: Sequence[str], name: str, skipped: list[Any] | None = None) -> ParquetTable:
    """Files and folders, in the order given; the files of a folder in the order of their paths; see `open_files` for `skipped`."""
    require_pyarrow(f"reading {name}")
    files: list[ParquetFile] = []
    for path in paths:
        if not os.path.isdir(path):
            files.append(ParquetFile(path))
            continue
        import pyarrow.dataset

        found = sorted(
            inner for inner in glob.glob(os.path.join(glob.escape(path), "**", "*"), recursive=True)
            if os.path.isfile(inner) and not _hidden(os.path.relpath(inner, path)) and is_parquet(inner)
        )  # fmt: skip
        if found:
            partitioned = any("=" in os.path.relpath(inner, path) for inner in found)
            if partitioned:
                options = {"partitioning": "hive", "partition_base_dir": path, "format": "parquet"}
                files += files_of(pyarrow.dataset.dataset(found, **options))
            else:
                files += [ParquetFile(inner) for inner in found]
    if skipped is not None:
        from .damage import sound_parts

        files, damaged = sound_parts(files)
        skipped += damaged
        if not files and damaged:
            raise ValueError(f"nothing of {name} can be read. {damaged[0].why}")
    return ParquetTable(files, name)


def _hidden(path: str) -> bool:
    """Spark and others leave `_SUCCESS` and `.crc` files beside the data."""
    return any(part.startswith(("_", ".")) for part in path.split(os.sep))


def files_of(dataset: Any) -> list[ParquetFile]:
    """The files of an Arrow dataset in Parquet."""
    import pyarrow.dataset

    out = []
    for fragment in dataset.get_fragments():
        fragment.ensure_complete_metadata()
        wanted = None if fragment.row_groups is None else [group.id for group in fragment.row_groups]
        keys = pyarrow.dataset.get_partition_keys(fragment.partition_expression)
        out.append(ParquetFile(fragment.path, fragment.filesystem, wanted, dict(keys)))
    return out
