"""Tables from the user's own files: CSV by the standard library, Parquet where pyarrow is installed.

A column is numbers (float64, NaN where a cell is empty) or words (an object array of str, None where a cell
is empty).  It is numbers if every cell that is not empty is one.  Messages name the column and the line.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

BLOCK_ROWS = 8192
"""Rows of a CSV file held as text at a time: a few megabytes, enough to hide the cost per block."""

MAX_CATEGORIES = 1000
"""More distinct words than this in a column look like names or identifiers, not categories."""

# Cells of a column of numbers that stand for no number.  Among words only an empty cell is missing: "NA" may
# be a country and "none" an answer.
NO_NUMBER = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})

DELIMITERS = ",;\t|"

_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")


@dataclass(frozen=True)
class Table:
    """Named columns of one length.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    columns : dict of str to ndarray
        float64, or object holding str and None.
    places : ndarray of int64
        Line of the file on which each row starts, or number of the row, from 1, where a file has no lines.
    unit : "line" or "row"
        Which of the two.
    """

    name: str
    columns: dict[str, np.ndarray]
    places: np.ndarray
    unit: str

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def place(self, row: int) -> str:
        """Where a row is, for messages."""
        return f"{self.unit} {self.places[row]}"

    def column(self, name: str, role: str = "column") -> np.ndarray:
        """The column of that name, or a ValueError with the nearest name there is."""
        if name not in self.columns:
            raise ValueError(f"{self.name} has no {role} {name!r}; {_nearest(name, self.columns)}")
        return self.columns[name]

    def numbers(self, name: str, role: str = "column") -> np.ndarray:
        """A column of numbers, or a ValueError with the first cell that is none."""
        values = self.column(name, role)
        if values.dtype != object:
            return values
        row = next(i for i, word in enumerate(values) if word is not None and not _is_number(word))
        raise ValueError(
            f"{role} {name!r} of {self.name} holds text, {_shorten(values[row])} in {self.place(row)}, where numbers are needed"
            + (" (a comma is no decimal point: write 1.5 for 1,5)" if _DECIMAL_COMMA.fullmatch(values[row]) else "")
        )

    def missing(self, names: Iterable[str]) -> np.ndarray:
        """Rows in which one of these columns is empty."""
        mask = np.zeros(len(self), bool)
        for name in names:
            mask |= empty_cells(self.column(name))
        return mask

    def take(self, keep: np.ndarray) -> Table:
        """The rows where `keep` is true."""
        columns = {name: values[keep] for name, values in self.columns.items()}
        return Table(self.name, columns, self.places[keep], self.unit)


def empty_cells(values: np.ndarray) -> np.ndarray:
    """Mask of the cells of a column that are empty."""
    if values.dtype == object:
        return np.fromiter((cell is None for cell in values), bool, len(values))
    return np.isnan(values)


@dataclass(frozen=True)
class Features:
    """How columns of a table become columns of X: numbers as they are, words as one 0/1 column per category.

    The first category, in sorted order, has no column of its own: it is the reference that the coefficients
    of the others compare with, so that the columns stay independent of the intercept.

    Attributes
    ----------
    columns : tuple of str
        Columns of the table, in the order of X.
    categories : dict of str to tuple of str
        Sorted categories of those that hold words.
    """

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @staticmethod
    def of(table: Table, columns: Sequence[str], *, one_hot: bool) -> Features:
        """Choose the encoding of these columns of a table.

        Raises
        ------
        ValueError
            If one holds words and `one_hot` is false, or holds too many distinct ones.
        """
        categories = {}
        for name in columns:
            values = table.column(name)
            if values.dtype != object:
                continue
            if not one_hot:
                try:
                    table.numbers(name)
                except ValueError as error:
                    raise ValueError(
                        f"{error}; --one-hot makes 0/1 columns of it, --drop leaves it out."
                    ) from None
            words = tuple(sorted({word for word in values if word is not None}))
            if len(words) > MAX_CATEGORIES:
                raise ValueError(
                    f"column {name!r} of {table.name} holds {len(words)} distinct words, more than the "
                    f"{MAX_CATEGORIES} that --one-hot encodes; it looks like a name or an identifier: leave "
                    "it out with "
                    "--drop."
                )
            categories[name] = words
        return Features(tuple(columns), categories)

    @property
    def names(self) -> list[str]:
        """Names of the columns of X: 'age', 'colour=red'."""
        return [
            label
            for name in self.columns
            for label in (
                [f"{name}={word}" for word in self.categories[name][1:]]
                if name in self.categories
                else [name]
            )
        ]

    def matrix(self, table: Table) -> np.ndarray:
        """X of shape (rows, columns), float64, in C order.

        Raises
        ------
        ValueError
            For a column that is not there, an empty or infinite cell, text among numbers, and a category that
            was not there when the encoding was chosen.
        """
        X = np.empty((len(table), len(self.names)))
        k = 0
        for name in self.columns:
            words = self.categories.get(name)
            values = table.numbers(name) if words is None else as_words(table.column(name))
            require_cells(table, name, values)
            if words is None:
                X[:, k] = values
                k += 1
                continue
            codes = {word: i for i, word in enumerate(words)}
            index = np.array([codes.get(word, -1) for word in values], dtype=np.intp)
            if (index < 0).any():
                row = int(np.argmax(index < 0))
                raise ValueError(
                    f"column {name!r} of {table.name} holds {_shorten(values[row])} in {table.place(row)}, "
                    "a category "
                    f"that the model has not seen; it knows {_listing(words)}."
                )
            X[:, k : k + len(words) - 1] = index[:, None] == np.arange(1, len(words))
            k += max(len(words) - 1, 0)
        return X


def require_cells(table: Table, name: str, values: np.ndarray, role: str = "column") -> None:
    """Raise a ValueError that names the first empty or infinite cell of a column."""
    empty = empty_cells(values)
    if empty.any():
        row = int(np.argmax(empty))
        raise ValueError(
            f"{role} {name!r} of {table.name} is empty in {table.place(row)} (and {int(empty.sum()) - 1} "
            "more); fill "
            "the cells in, or drop such rows (fit: --drop-missing)."
        )
    if values.dtype != object and not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"{role} {name!r} of {table.name} is infinite in {table.place(row)}; correct or drop that row."
        )


def as_words(values: np.ndarray) -> np.ndarray:
    """A column as words: numbers that are whole print without a fraction, as they most likely stood in the "
    "file."""
    if values.dtype == object:
        return values
    words = np.empty(len(values), object)
    words[:] = [None if v != v else str(int(v)) if v.is_integer() else repr(v) for v in values.tolist()]
    return words


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a CSV file (with a header line, UTF-8) or a Parquet file.

    Parameters
    ----------
    path : path-like
        Taken for Parquet if its first bytes say so, else for CSV.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For a file that is neither, with what is wrong and where.
    ImportError
        For a Parquet file where pyarrow is not installed.
    OSError
        Where there is no such file, or it may not be read.
    """
    path = Path(path)
    with open(path, "rb") as file:
        start = file.read(4)
    table = _read_parquet(path) if start == b"PAR1" or path.suffix in (".parquet", ".pq") else _read_csv(path)
    if not len(table):
        raise ValueError(f"{path.name} has a header but no rows.")
    return table


# -------------------------------------------------------------------------------------------------------- CSV


def _read_csv(path: Path) -> Table:
    """One pass; a second where a column that began with numbers turned out to hold words, to read it as "
    "words."""
    words: set[str] = set()
    while True:
        table, turned = _read_csv_pass(path, words)
        if not turned:
            return table
        words |= turned


def _read_csv_pass(path: Path, words: Collection[str]) -> tuple[Table, set[str]]:
    """Read with the columns `words` taken for words; also the columns whose first blocks were read as "
    "numbers in vain."""
    turned: set[str] = set()
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(file.readline())
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter)
            names = _header(next(reader, []), path.name, reader.line_num)
            parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
            textual = set(words)
            places: list[np.ndarray] = []
            for lines, rows in _blocks(reader, len(names), path.name):
                places.append(lines)
                for name, cells in zip(names, zip(*rows)):
                    values = None if name in textual else _numbers(cells)
                    if values is None:
                        if name not in textual and parts[name]:
                            turned.add(name)
                        textual.add(name)
                        values = _words(cells)
                    parts[name].append(values)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} is not UTF-8 text (byte {error.start} of a block reads "
            f"{error.object[error.start]:#04x}); save it "
            "as CSV in UTF-8."
        ) from None
    except csv.Error as error:
        raise ValueError(f"{path.name} cannot be read as CSV: {error}.") from None
    if turned:
        return Table(path.name, {}, np.empty(0, np.int64), "line"), turned
    columns = {name: np.concatenate(part) if part else np.empty(0) for name, part in parts.items()}
    lines = np.concatenate(places) if places else np.empty(0, np.int64)
    return Table(path.name, columns, lines, "line"), turned


def _delimiter(line: str) -> str:
    """The delimiter that cuts the header into the most names; a comma where none does."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter), [])))


def _header(cells: list[str], file: str, line: int) -> list[str]:
    names = [cell.strip() or f"column {k}" for k, cell in enumerate(cells, 1)]
    if not names:
        raise ValueError(f"{file} is empty; its first line must name the columns.")
    if all(_is_number(name) for name in names):
        raise ValueError(
            f"the first line of {file} holds only numbers ({', '.join(names[:3])}, ...), not the names of "
            "the columns; add a "
            "header line."
        )
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{file} has two columns named {name!r} in line {line}; rename one of them.")
        seen.add(name)
    return names


def _blocks(reader: Any, width: int, file: str) -> Iterator[tuple[np.ndarray, list[list[str]]]]:
    """Line numbers and rows, a block at a time; blank lines are left out."""
    lines, rows = [], []
    line = reader.line_num + 1
    for cells in reader:
        if cells:
            if len(cells) != width:
                raise ValueError(
                    f"line {line} of {file} has {len(cells)} cells where the header has {width}; correct "
                    "that line."
                )
            lines.append(line)
            rows.append(cells)
            if len(rows) == BLOCK_ROWS:
                yield np.array(lines), rows
                lines, rows = [], []
        line = reader.line_num + 1
    if rows:
        yield np.array(lines), rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip().lower() in NO_NUMBER
    return "_" not in cell


def _numbers(cells: Sequence[str]) -> np.ndarray | None:
    """The cells as numbers, NaN for the empty ones; None if one is neither."""
    if "_" in "".join(cells):  # float() takes 1_000 for a number; a file most likely means a name
        return None
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        pass
    try:
        return np.array([float("nan" if c.strip().lower() in NO_NUMBER else c) for c in cells])
    except ValueError:
        return None


def _words(cells: Sequence[str]) -> np.ndarray:
    """The cells as words, None for the empty ones; equal words are one object."""
    known: dict[str, str] = {}
    words = np.empty(len(cells), object)
    words[:] = [known.setdefault(word, word) if (word := cell.strip()) else None for cell in cells]
    return words


# ---------------------------------------------------------------------------------------------------- Parquet


def _read_parquet(path: Path) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"{path.name} is a Parquet file, and reading one needs pyarrow: pip install "
            "'ridgeline[parquet]', or save the "
            "table as CSV."
        ) from error
    try:
        data = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read()
        data.validate(full=True)  # Arrow does not look whether a dictionary has the entries that codes name, or text is UTF-8
        names = data.column_names
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        if getattr(error, "errno", None) is not None:  # what the operating system refused
            raise
        raise ValueError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}.") from None
    if len(set(names)) < data.num_columns or not data.num_columns:
        raise ValueError(f"{path.name} has no columns, or two of one name; give each a name of its own.")
    columns = {name: _from_arrow(pyarrow, data[name], name, path.name) for name in names}
    return Table(path.name, columns, np.arange(1, data.num_rows + 1), "row")


def _from_arrow(pyarrow: Any, column: Any, name: str, file: str) -> np.ndarray:
    """Whole numbers, fractions, decimals and truths as float64; strings, categories and dates as words."""
    types, kind = pyarrow.types, column.type
    if types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if numeric or types.is_null(kind) or types.is_boolean(kind):
        if types.is_boolean(kind):
            column = column.cast(pyarrow.uint8())
        return np.asarray(column.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=np.float64)
    if types.is_nested(kind) or types.is_binary(kind):
        raise ValueError(
            f"column {name!r} of {file} holds {kind}, not numbers or text; leave it out of the file."
        )
    words = np.empty(len(column), object)
    words[:] = [cell.strip() or None if cell else None for cell in column.cast(pyarrow.string()).to_pylist()]
    return words


# --------------------------------------------------------------------------------------------------- messages


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else f"it has {_listing(known)}."


def _listing(names: Collection[str], most: int = 8) -> str:
    some = ", ".join(repr(name) for name in list(names)[:most])
    return some if len(names) <= most else f"{some} and {len(names) - most} more"


def _shorten(word: str, most: int = 40) -> str:
    return repr(word if len(word) <= most else word[: most - 3] + "...")
