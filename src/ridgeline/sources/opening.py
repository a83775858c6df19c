"""`source`: which kind of place some data are, decided without importing what they would need."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..engines.contract import Machines
from ..engines.naming import machines
from . import dask_collections, ray_objects
from .arrays import ArraySource
from .chunks import ChunkSource
from .columns import Table
from .folding import EMPTY, Schema, Source
from .mapped import checked, is_npy, open_npy
from .shared_files import SharedFiles
from .skipping import Skipped, warn_of
from .table import TableSource

COLLECTIONS = {"dask": dask_collections, "dask_expr": dask_collections, "ray": ray_objects}
"""Packages whose data lie in partitions that other processes may hold, and who opens them: `kind`, `open_table`, `open_rows`."""

NO_SKIPPING = (
    "on_error='skip' leaves out what cannot be read of Parquet, CSV and .npy files and of chunks; {data} are in memory or read by "
    "somebody else, so that nothing of them is damaged in reading: leave it out."
)


def source(
    data: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    target: str | Sequence[str] | None = None,
    weight: str | None = None,
    offset: Any = None,
    groups: str | None = None,
    features: Sequence[str] | None = None,
    categories: Mapping[str, Sequence[Any]] | None = None,
    spool: bool | str | os.PathLike[str] = False,
    n_threads: int | None = None,
    engine: Any = None,
    on_error: str = "raise",
) -> Source:
    """A source of rows for `fit_source`: rows need not fit in memory.

    Parameters
    ----------
    data : matrix, chunks or table
        *A matrix* of shape (n, d), with `y`: array-like, memory map, the path of a `.npy` file (mapped), or a Dask array.
        *Chunks*: a function without arguments that returns a fresh iterable of `(X, y)`, `(X, y, sample_weight)` or
        `(X, y, sample_weight, offset)` each time it is called (every pass over the data calls it once); a list of such tuples; or an
        iterator of them, which serves one pass: enough for least squares.
        *A table*, with `target`: the path of a Parquet or CSV file, a folder of Parquet files, a glob, a list of paths; an Arrow table or
        dataset; a pandas or polars data frame; a Dask data frame; a Ray dataset.
        *Objects in Ray's store*: a list of references to chunks or, with `target`, to frames.
    y, sample_weight : array-like of shape (n,), or the path of a .npy file, optional
        Targets (or shape (n, t)) and weights of a matrix.
    target : str or list of str
        Column of a table to predict; several for least squares. Words are the labels of a classifier.
    weight : str, optional
        Column of a table with the sample weights.
    offset : str, or array-like of shape (n,), optional
        What is added to the prediction of each row: the column of a table, or the numbers beside a matrix.
    groups : str, optional
        Column of a table with the key of each row's group, for `fit_many`.
    features : list of str, optional
        Columns of a table that make X, in this order; None for all that have no other role.
    categories : mapping of str to sequence, optional
        For columns of words, which become one 0/1 column per category but the first: their categories, in order. None to find them
        (sorted), at the cost of one more read of those columns.
    spool : bool or path, default False
        Write the chunks of an iterator to an unnamed temporary file (in that folder), so that they can be read again.
    n_threads : int, optional
        Threads to share the reading of the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. Results have the same bits
        for any number.
    engine : {None, "serial", "ray"} or distributed.Client, optional
        Who reads the partitions of a collection. None: of Dask's, the workers of the client that Dask would compute with, where there is
        one; of Ray's, its workers; summaries alone come back. "serial": this process, a partition at a time. Of Parquet files, whose
        workers open them, on paths that all know; None for this process. Results have the same bits.
    on_error : {"raise", "skip"}
        Whether what cannot be read is an error, when a pass comes to it, or left out: of Parquet, row groups and files; of CSV, lines with
        more or fewer cells than the header; of `.npy` files that are cut short, the rows that are not whole in all of them; of chunks,
        those that do not fit the first. To "skip" them reads files and the chunks of a function once more, at once: every pass leaves
        out the same, a warning says how many rows, and `skipped` of the source
        lists what and why. Cells that are empty or NaN are no damage.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        For shapes and columns that do not match, and for files that are damaged or cut short, with their position.
    TypeError
        For arguments that do not belong to this kind of data.
    ImportError
        Where the kind of data needs a package that is not installed, with its name.

    Notes
    -----
    Memory: some megabytes per thread, and the targets and weights where they are arrays. Boundaries of segments depend on the layout of
    the data alone (rows of a matrix; row groups, partitions, chunks), so that a fit has the same bits each time.

    Examples
    --------
    >>> from ridgeline import Ridge, source
    >>> rows = source([([[0.0], [1.0]], [1.0, 3.0]), ([[2.0]], [5.0])])      # two chunks
    >>> Ridge(alpha=0).fit_source(rows).coef_.round(6)
    array([2.])
    """
    data, kind = _recognise(data, y, target)
    collection = COLLECTIONS.get(_package(data))
    if engine is not None and collection is None and kind != "files":
        raise TypeError("engine says who reads Parquet files or the partitions of a collection (Dask, Ray), and these data are neither.")
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}.")
    skipped: list[Skipped] | None = [] if on_error == "skip" else None
    in_files = any(is_npy(value) for value in (data, y, sample_weight, offset))
    parts = kind == "files" or (kind == "chunks" and collection is None) or (kind == "a matrix" and in_files)
    if skipped is not None and not parts:
        raise TypeError(NO_SKIPPING.format(data=f"rows of {'a table' if kind == 'table' else kind}"))
    columns = {"target": target, "weight": weight, "groups": groups, "features": features, "categories": categories}
    if kind in ("files", "table"):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                meant = {"y": "target", "sample_weight": "weight"}[name]
                raise TypeError(f"{name} goes with a matrix; of a table, name the column: source(data, {meant}='...').")
        if target is None:
            raise ValueError("target is missing; a table needs the name of the column to predict: source(data, target='y').")
        if kind == "files":
            opened = open_files(data, skipped, machines(engine))
        else:
            opened = _open_table(data) if collection is None else collection.open_table(data, engine)
        rows = TableSource(opened, target, weight, offset, features, categories, n_threads, groups)
        rows.skipped = tuple(skipped or ())
        warn_of(rows.skipped)
        return rows
    for name, value in columns.items():
        if value is not None:
            raise TypeError(f"{name}= names columns of a table, and these data are {kind}; pass arrays: source(X, y, sample_weight).")
    if kind == "chunks":
        if y is not None or sample_weight is not None or offset is not None:
            raise TypeError("chunks bring their own targets, weights and offsets: tuples (X, y, sample_weight, offset).")
        if collection is not None:
            return collection.open_rows(data, None, None, None, n_threads, engine)
        chunks = ChunkSource(data, n_threads, skip=skipped is not None)
        warn_of(chunks.skipped)
        if spool is False or chunks.rereadable:
            return chunks
        from .spool import spool_chunks

        return spool_chunks(chunks, None if spool is True else spool)
    if y is None:
        raise ValueError("y is missing; a matrix needs its targets: source(X, y).")
    if collection is not None:
        return collection.open_rows(data, y, sample_weight, offset, n_threads, engine)
    return _matrix(data, y, sample_weight, offset, n_threads, skipped)


def _matrix(data: Any, y: Any, sample_weight: Any, offset: Any, n_threads: int | None, skipped: list[Skipped] | None) -> ArraySource:
    from ..validation import check_matrix, check_targets, check_weights, holds_names

    data, y, sample_weight, offset = (open_npy(value, skipped) if is_npy(value) else value for value in (data, y, sample_weight, offset))
    if skipped:
        n = min(len(value) for value in (data, y, sample_weight, offset) if value is not None)
        data, y, sample_weight, offset = (None if value is None else value[:n] for value in (data, y, sample_weight, offset))
    X = check_matrix(data)
    given = np.asarray(y)
    labels = None
    if holds_names(given):
        from ..labels import check_labels

        labels, codes = check_labels(y, len(X))
        y = codes.astype(np.float64)
    n = len(X)
    targets, weight = checked(y, n, check_targets), checked(sample_weight, n, check_weights)
    offsets = EMPTY if offset is None else checked(offset, n, partial(check_targets, name="offset", multi=False))
    schema = Schema(labels=labels, target_dtype=given.dtype if labels is None else labels.dtype, offset=offset is not None)
    rows = ArraySource(X, targets, weight, offsets, n_threads, schema)
    rows.skipped = tuple(skipped or ())
    warn_of(rows.skipped)
    return rows


def _package(data: Any) -> str:
    """The package that defines a value; of a list of references, theirs."""
    package = type(data).__module__.partition(".")[0]
    if isinstance(data, (list, tuple)) and data and package == "builtins":
        inner = type(data[0]).__module__.partition(".")[0]
        return inner if inner == "ray" else package
    return package


def _recognise(data: Any, y: Any, target: Any) -> tuple[Any, str]:
    """The data and their kind: "files", "table", "chunks", "a matrix" or "a Dask array"; paths of tables become a list."""
    if isinstance(data, (str, os.PathLike)):
        path = os.fspath(data)
        return (path, "a matrix") if is_npy(path) else ([path], "files")
    if isinstance(data, (list, tuple)) and data and all(isinstance(path, (str, os.PathLike)) for path in data):
        return [os.fspath(path) for path in data], "files"
    package = _package(data)
    if package in COLLECTIONS:
        return data, COLLECTIONS[package].kind(data, target)
    if package == "pyarrow" and type(data).__name__ == "RecordBatchReader":
        raise TypeError("a RecordBatchReader can be read only once; pass the table or dataset it reads, or write it to a Parquet file.")
    if package in ("pyarrow", "polars", "pandas", "narwhals") and y is None:
        return data, "table"
    if callable(data) or isinstance(data, Iterator):
        return data, "chunks"
    if y is None and isinstance(data, (list, tuple)) and data and _is_chunk(data[0]):
        return (lambda: data), "chunks"
    return data, "a matrix"


def _is_chunk(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) in (2, 3, 4) and np.ndim(value[0]) == 2


def _open_table(data: Any) -> Table:
    package, name = _package(data), type(data).__name__
    if package == "pyarrow":
        from .arrow import ArrowTable
        from .datasets import open_dataset

        return ArrowTable(data) if name in ("Table", "RecordBatch") else open_dataset(data)
    if name == "LazyFrame":
        raise TypeError("a LazyFrame has no rows yet: write it with sink_parquet('rows.parquet') and pass that path, or collect() it.")
    from .frames import FrameTable

    return FrameTable(data)


def open_files(paths: Sequence[str], skipped: list[Skipped] | None = None, elsewhere: Machines | None = None) -> Table:
    """Files of one kind, folders and globs, as one table.

    With a list `skipped`, what cannot be read is left out and appended to it; with machines `elsewhere`, they are the ones to open them.
    """
    name = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    found: list[str] = []
    for path in paths:
        matches = [path] if os.path.exists(path) or not glob.has_magic(path) else sorted(glob.glob(path, recursive=True))
        if not matches:
            raise FileNotFoundError(f"no file matches {path!r}.")
        found += matches
    for path in found:
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no file {path!r}.")
    from .text import SUFFIXES, CsvTable

    if all(path.endswith(SUFFIXES) for path in found):
        if elsewhere is not None:
            raise TypeError(f"{name} is CSV, which is read from its beginning, by one; write it as Parquet for several machines to share.")
        return CsvTable(found, name, skipped)
    from .parquet import is_parquet, open_paths

    strange = next((path for path in found if not is_parquet(path)), None)
    if strange is not None:
        raise ValueError(f"{strange} is neither Parquet nor CSV by its name or its first bytes (.parquet, {', '.join(SUFFIXES)}, .npy).")
    table = open_paths(found, name, skipped)
    return table if elsewhere is None else SharedFiles(table, elsewhere)
