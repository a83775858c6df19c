"""Rows written to temporary files and mapped: for what can be read only once, and for what must be read row by row.

The files have no name: the system deletes them with the process that holds them, however it ends.  (Where it cannot do that, they are
deleted as soon as they are closed.)
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
from contextlib import suppress
from typing import Any

import numpy as np

from .arrays import ArraySource
from .chunks import ChunkSource, sort_labels
from .folding import EMPTY, Schema, Slab, Source, in_arrays, require_rows


def _unnamed(folder: str | None) -> Any:
    return tempfile.TemporaryFile(dir=folder, prefix="ridgeline-")


def reserved(shape: tuple[int, ...], dtype: np.dtype, folder: Any = None) -> np.ndarray:
    """An array in a temporary file whose place on the disk is taken beforehand: writing to a map of a full disk would end the process.

    Raises
    ------
    OSError
        Where there is no room.
    """
    size = math.prod(shape) * dtype.itemsize
    if not size:
        return np.empty(shape, dtype)
    folder = None if folder is None else os.fspath(folder)
    with _unnamed(folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            where = folder or tempfile.gettempdir()
            raise OSError(error.errno, f"no space left in {where} for {size} bytes of rows in order of their groups") from error
        return np.memmap(file, dtype, "r+", shape=shape)


class _Column:
    """Values appended to a temporary file, all in one dtype: the widest that came."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder
        self.dtype: np.dtype | None = None
        self.rows = 0
        self.tail: tuple[int, ...] = ()
        self.file = _unnamed(folder)

    def append(self, values: np.ndarray) -> None:
        if self.dtype is None:
            self.dtype, self.tail = values.dtype, values.shape[1:]
        wide = np.result_type(self.dtype, values.dtype)
        if wide != self.dtype:
            self._widen(wide)
        if values.size:
            self.file.write(np.ascontiguousarray(values, dtype=self.dtype).reshape(-1).view(np.uint8).data)
        self.rows += len(values)

    def _widen(self, dtype: np.dtype) -> None:
        old, rows = self.array(), self.rows
        self.file.close()  # the map stays
        self.file, self.dtype, self.rows = _unnamed(self.folder), dtype, 0
        for a in range(0, rows, 4096):
            self.append(old[a : a + 4096])

    def close(self) -> None:
        """Done with writing. What array() mapped stays, and goes with the last who holds it."""
        with suppress(OSError):  # what did not fit on the disk does not fit now either
            self.file.close()

    def array(self) -> np.ndarray:
        self.file.flush()
        if self.dtype is None or not self.rows or not all(self.tail):
            return np.empty((self.rows, *self.tail))
        return np.memmap(self.file, self.dtype, "r", shape=(self.rows, *self.tail))


def spool(source: Source, folder: Any = None) -> ArraySource:
    """The rows of a source in temporary files, as a source that can be read again and anywhere.

    Parameters
    ----------
    source : Source
        Read once, in order.
    folder : path-like, optional
        Where the files are; None for the system's temporary folder.

    Raises
    ------
    OSError
        Where the disk is full, with the rows that fitted. Nothing is left behind.

    Notes
    -----
    One read and one write of the data, as C-ordered float32 or float64.
    """
    folder = None if folder is None else os.fspath(folder)
    columns: list[_Column] = []
    source.reads += 1
    try:
        for _ in range(4):
            columns.append(_Column(folder))
        X, y, weight, offset = columns
        for segment in source.segments():
            for slab in (part for whole in segment for part in in_arrays(whole)):
                with np.errstate(over="ignore", invalid="ignore"):
                    finite = np.isfinite(slab.X.sum(dtype=np.float64))
                if not finite and source.rereadable:
                    source.check_finite()  # the source knows where it is
                _append(slab, X, y, weight, offset)
        require_rows(y.rows)
        arrays = [column.array() for column in columns]
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        rows = columns[1].rows if len(columns) > 1 else 0
        raise OSError(
            error.errno,
            f"no space left in {folder or tempfile.gettempdir()} after {rows} rows; name a folder with more: spool='/path'",
        ) from error
    finally:
        for column in columns:
            column.close()
    return ArraySource(
        np.asarray(arrays[0]), np.asarray(arrays[1]), arrays[2] if weight.rows else EMPTY, arrays[3] if offset.rows else EMPTY,
        source.n_threads, source.schema,
    )  # fmt: skip


def by_number(source: Source) -> ArraySource:
    """The source, if its rows can be had by their number; else the same rows spooled."""
    return source if isinstance(source, ArraySource) else spool(source)


def spool_chunks(chunks: ChunkSource, folder: Any = None) -> ArraySource:
    """`spool`, for chunks whose labels are all known only at the end."""
    rows = spool(chunks, folder)
    labels = chunks.labels_so_far()
    if labels is None:
        return rows
    names = sort_labels(labels)
    rank = {label: float(code) for code, label in enumerate(names.tolist())}
    codes = np.array([rank[label] for label in labels])[rows.y.astype(np.intp)]
    schema = Schema(labels=names, target_dtype=names.dtype, offset=rows.schema.offset)
    return ArraySource(rows.X, codes, rows.weight, rows.offset, rows.n_threads, schema)


def _append(slab: Slab, X: _Column, y: _Column, weight: _Column, offset: _Column) -> None:
    """One slab; weights and offsets that only some slabs have are made up for those that have none."""
    for column, values, absent in ((weight, slab.weight, 1.0), (offset, slab.offset, 0.0)):
        if values.size:
            for a in range(column.rows, y.rows, 4096):
                column.append(np.full(min(4096, y.rows - a), absent))
            column.append(values)
        elif column.rows:
            column.append(np.full(len(slab.X), absent))
    X.append(slab.X)
    y.append(slab.y)
