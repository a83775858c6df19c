"""Data frames (pandas, polars and whatever else narwhals knows): columns taken a few thousand rows at a time, never the frame at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .columns import SOME, Batch, Column, batch_rows, empty_cell, placer


def require_narwhals() -> Any:
    """The module narwhals, or an ImportError that says what to install."""
    try:
        import narwhals
    except ImportError as error:
        raise ImportError("reading data frames needs narwhals: pip install 'ridgeline[frames]'.") from error
    return narwhals


def column_of(kind: Any) -> Column:
    """What a column's dtype is to a fit."""
    nw = require_narwhals()
    if kind.is_numeric():
        if kind.is_decimal():
            return Column(np.dtype(np.float64))
        name = str(kind).lower()
        return Column(np.dtype(name)) if name.lstrip("uint").isdigit() or name in ("float32", "float64", "float16") else Column(None, name)
    if kind == nw.Boolean:
        return Column(np.dtype(np.bool_))
    if kind in (nw.String, nw.Categorical) or isinstance(kind, nw.Enum) or kind == nw.Enum:
        return Column(None)
    if kind.is_temporal():
        return Column(None, f"times ({kind})")
    return Column(None, f"values of type {kind}")


class FrameBatch:
    """Some rows of a frame."""

    def __init__(self, data: Any, step: int, place: Callable[[int], str], run: int = 0) -> None:
        self.data, self.rows, self.step, self.place, self.run = data, len(data), step, place, run

    def _column(self, name: str) -> Any:
        column = self.data.get_column(name)
        if column.null_count():
            raise empty_cell(name, self.place(int(np.argmax(column.is_null().to_numpy()))))
        return column

    def numbers(self, name: str) -> np.ndarray:
        """A column of numbers, a view where the frame has it in one piece."""
        column = self._column(name)
        if column.dtype.is_decimal():
            column = column.cast(require_narwhals().Float64)
        values = column.to_numpy()
        return values.astype(np.float64) if values.dtype.kind == "O" else values

    def words(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """A column of words: codes in order of first appearance, and the words."""
        known: dict[Any, int] = {}
        codes = [known.setdefault(word, len(known)) for word in self._column(name).to_list()]
        return np.array(codes, dtype=np.intp), list(known)


class FrameTable:
    """A frame in memory, a run of its own."""

    def __init__(self, data: Any, name: str = "the data frame", run: int = 0) -> None:
        nw = require_narwhals()
        self.data, self.name, self.run = nw.from_native(data, eager_only=True), name, run
        names = list(self.data.columns)
        for column in names:
            if not isinstance(column, str):
                raise TypeError(f"{name} has a column named {column!r}; columns are found by name, so every name must be a string.")
        self.columns = {column: column_of(kind) for column, kind in self.data.schema.items()}

    def partitions(self, names: Sequence[str]) -> None:
        """None: the rows are here."""

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return len(self.data)

    def identity(self, names: Sequence[str]) -> Any:
        """Columns, number of rows, and some of the rows."""
        data = self.data.select(list(names))
        some = np.linspace(0, max(len(data) - 1, 0), min(len(data), SOME)).astype(np.intp).tolist()
        return "frame", [(name, str(kind)) for name, kind in data.schema.items()], len(data), repr(data[some].rows())

    def batches(self, names: Sequence[str], n_features: int, parallel: bool, run: int = 0) -> Iterator[Batch]:
        """Slices of the frame."""
        data = self.data.select(list(names))
        step, size = batch_rows(len(data), n_features)
        for start in range(0, len(data), size):
            yield FrameBatch(data[start : start + size], step, placer(self.name, start), self.run)
