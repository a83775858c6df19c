"""Arrow's columns as NumPy's, without a copy where a column is plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .columns import SOME, Batch, Column, batch_rows, empty_cell, placer


def require_pyarrow(what: str) -> Any:
    """The module pyarrow, or an ImportError that says what to install."""
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(f"{what} needs pyarrow: pip install 'ridgeline[parquet]'.") from error
    return pyarrow


def column_of(kind: Any) -> Column:
    """What an Arrow type is to a fit."""
    pa = require_pyarrow("reading Arrow data")
    types = pa.types
    if types.is_dictionary(kind):
        return column_of(kind.value_type) if types.is_dictionary(kind.value_type) else Column(None)
    if types.is_string(kind) or types.is_large_string(kind) or getattr(types, "is_string_view", lambda _: False)(kind):
        return Column(None)
    if types.is_boolean(kind):
        return Column(np.dtype(np.bool_))
    if types.is_integer(kind) or types.is_floating(kind):
        return Column(np.dtype(kind.to_pandas_dtype()))
    if types.is_decimal(kind):
        return Column(np.dtype(np.float64))
    if types.is_null(kind):
        return Column(None, "nothing but empty cells")
    if types.is_temporal(kind):
        return Column(None, f"times ({kind})")
    return Column(None, str(kind))


class ArrowBatch:
    """A record batch and where it is from."""

    def __init__(self, data: Any, step: int, place: Callable[[int], str], run: int = 0) -> None:
        self.data, self.rows, self.step, self.place, self.run = data, data.num_rows, step, place, run

    def _column(self, name: str) -> Any:
        column = self.data.column(name)
        if column.null_count:
            empty = column.is_null().to_numpy(zero_copy_only=False)
            raise empty_cell(name, self.place(int(np.argmax(empty))))
        return column

    def numbers(self, name: str) -> np.ndarray:
        """A column of numbers: a view of the batch, but of bits and decimals."""
        column = self._column(name)
        pa = require_pyarrow("reading Arrow data")
        if pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        return column.to_numpy(zero_copy_only=False)

    def words(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """A column of words: codes and the dictionary of this batch."""
        column = self._column(name)
        pa = require_pyarrow("reading Arrow data")
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        codes, words = column.indices.to_numpy(zero_copy_only=False), self._dictionary(name, column)
        beyond = (codes < 0) | (codes >= len(words))
        if beyond.any():  # Arrow does not look
            raise ValueError(f"column {name!r} is damaged in {self.place(int(np.argmax(beyond)))}: its dictionary has no such entry.")
        if None in words and (codes == words.index(None)).any():
            raise empty_cell(name, self.place(int(np.argmax(codes == words.index(None)))))
        return codes.astype(np.intp, copy=False), words

    def _dictionary(self, name: str, column: Any) -> list[Any]:
        try:
            return list(column.dictionary.to_pylist())
        except UnicodeDecodeError as error:
            raise ValueError(f"column {name!r} holds text that is not UTF-8 about {self.place(0)} ({error.reason}).") from None


class ArrowTable:
    """A table or record batch in memory, a run of its own."""

    def __init__(self, data: Any, name: str = "the Arrow table", run: int = 0) -> None:
        pa = require_pyarrow("reading Arrow data")
        self.data = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
        self.name, self.run = name, run
        self.columns = columns_of(self.data.schema, self.name)

    def partitions(self, names: Sequence[str]) -> None:
        """None: the rows are here."""

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return int(self.data.num_rows)

    def identity(self, names: Sequence[str]) -> Any:
        """Columns, number of rows, and some of the rows."""
        data = self.data.select(list(names))
        some = np.linspace(0, max(len(data) - 1, 0), min(len(data), SOME)).astype(np.intp)
        kinds = [(field.name, str(field.type)) for field in data.schema]
        return "Arrow table", kinds, len(data), repr(data.take(some).to_pylist())

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """Batches that depend on the number of rows, not on Arrow's chunks."""
        data = self.data.select(list(names))
        step, size = batch_rows(data.num_rows, n_features)
        for start in range(0, data.num_rows, size):
            (part,) = data.slice(start, size).combine_chunks().to_batches()
            yield ArrowBatch(part, step, placer(self.name, start), self.run)


def columns_of(schema: Any, name: str) -> dict[str, Column]:
    """The columns of an Arrow schema."""
    try:
        names = schema.names
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} has a column whose name is not UTF-8 text ({error.reason}).") from None
    if len(set(names)) < len(names):
        double = next(column for k, column in enumerate(names) if column in names[:k])
        raise ValueError(f"{name} has two columns named {double!r}; rename one of them.")
    return {field.name: column_of(field.type) for field in schema}
