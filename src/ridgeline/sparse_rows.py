"""Rows of a sparse matrix: the entries that are not zero, in the order of the rows, which the kernels read as they lie.

Any SciPy sparse matrix or array becomes one of these once, without a copy where it is CSR of float64 or float32 in good order, and is never
made dense.  Rows can be taken out by a slice, a mask or numbers, which copies no entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import working_format
from .kernels import load

kernels = load("stored_rows")

FEW_ENTRIES = 1 << 20
"""Of an array that sparse rows become without being asked to: 8 MB."""


class SparseRows:
    """Rows (n, d) of which the stored entries are known, their columns ascending in each row; read-only.

    Attributes
    ----------
    begin, end : ndarray of shape (n,), int64
        Where the entries of each row lie in `columns` and `data`.
    columns : ndarray of int32 or int64
    data : ndarray of float64 or float32
    shape : tuple of (n, d)
    """

    __slots__ = ("begin", "columns", "data", "end", "shape")
    ndim = 2

    def __init__(
        self, begin: np.ndarray, end: np.ndarray, columns: np.ndarray, data: np.ndarray, shape: tuple[int, int]
    ) -> None:
        self.begin, self.end, self.columns, self.data, self.shape = begin, end, columns, data, shape

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Any:
        """Some of the rows: a slice, a mask or their numbers; `[rows, :0]` has none of their columns."""
        if isinstance(rows, tuple):
            rows, columns = rows
            if columns != slice(0):
                raise TypeError("columns cannot be taken out of sparse rows")
            return np.empty((len(self), 0), self.dtype)[rows]
        begin, end = (np.ascontiguousarray(place[rows]) for place in (self.begin, self.end))
        return SparseRows(begin, end, self.columns, self.data, (len(begin), self.shape[1]))

    @property
    def stored(self) -> int:
        """How many entries are stored."""
        return int((self.end - self.begin).sum())

    def toarray(self) -> np.ndarray:
        """The rows as an array (n, d), C-ordered: for a few of them."""
        out = np.zeros(self.shape, self.dtype)
        counts = self.end - self.begin
        at = self._entries()
        out[np.repeat(np.arange(len(self)), counts), self.columns[at]] = self.data[at]
        return out

    def some_columns(self, columns: np.ndarray) -> np.ndarray:
        """Some of the columns as an array in double, C-ordered: for a few of them; the stored entries are looked at once."""
        place = np.full(self.shape[1], -1, dtype=np.intp)
        place[columns] = np.arange(len(columns))
        at = self._entries()
        column = place[self.columns[at]]
        row = np.repeat(np.arange(len(self)), self.end - self.begin)
        out = np.zeros((len(self), len(columns)))
        out[row[column >= 0], column[column >= 0]] = self.data[at][column >= 0]
        return out

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """A few rows as an array, for whoever works on few at a time; more are refused."""
        n, d = self.shape
        if n > 1 and n * d > FEW_ENTRIES:
            raise TypeError(f"{n} sparse rows of {d} columns are too many to write out; take some of them, rows[a:b]")
        return self.toarray().astype(dtype or self.dtype, copy=False)

    def _entries(self) -> Any:
        """The places of the entries, row by row."""
        n, counts = len(self), self.end - self.begin
        if n and np.array_equal(self.begin[1:], self.end[:-1]):
            return slice(int(self.begin[0]), int(self.end[-1]))
        return np.repeat(self.begin - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum()) if n else slice(0, 0)

    def predict(self, theta: np.ndarray, shift: np.ndarray | None = None, scale: np.ndarray | None = None) -> np.ndarray:
        """Z theta' (n, c) in double, Z = X scale - shift (zero and one unless given), with a last column of ones if theta (c, p) has it.

        2 c flops per entry.
        """
        d = self.shape[1]
        out = np.empty((len(theta), len(self)))
        kernels.predict(
            self, np.zeros(d) if shift is None else shift, np.ones(d) if scale is None else scale,
            np.ascontiguousarray(theta, np.float64), np.empty(theta.shape), out,
        )  # fmt: skip
        return out.T

    def combine(self, r: np.ndarray, shift: np.ndarray, scale: np.ndarray, ones: bool = False) -> np.ndarray:
        """r Z (c, d), Z = X scale - shift, for r (c, n); (c, d + 1) if Z has a last column of `ones`; 2 c flops per entry."""
        out = np.empty((len(r), self.shape[1] + ones))
        kernels.combine(self, shift, scale, np.ascontiguousarray(r), np.empty(out.shape), out)
        return out

    def require_finite(self, name: str) -> None:
        """Raise a ValueError that names the row and column of the first NaN or infinity."""
        at = self._entries()
        bad = ~np.isfinite(self.data[at])
        if not bad.any():
            return
        k = int(np.argmax(bad))
        value, column = self.data[at][k], int(self.columns[at][k])
        row = int(np.repeat(np.arange(len(self)), self.end - self.begin)[k])
        kind = "NaN" if np.isnan(value) else "infinity"
        raise ValueError(f"Input {name} contains {kind} at row {row}, column {column}; drop such rows or fill them in first.")


def as_array(rows: Any) -> np.ndarray:
    """Rows of either kind as an array: for a few of them."""
    return rows.toarray() if isinstance(rows, SparseRows) else rows


def linear(rows: Any, coef: np.ndarray, intercept: Any) -> np.ndarray:
    """X coef' + intercept of rows of either kind, in double: (n, c) for coef (c, d)."""
    with np.errstate(over="ignore", invalid="ignore"):
        out = rows.predict(coef) if isinstance(rows, SparseRows) else rows.astype(np.float64, copy=False) @ coef.T
        return np.asarray(out + intercept)


def is_sparse(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of SciPy (or says of itself that it becomes one)."""
    return type(value) is not np.ndarray and callable(getattr(value, "tocsr", None))


def sparse_rows(matrix: Any, name: str) -> SparseRows:
    """The rows of a SciPy sparse matrix or array of any format and any real dtype, which stays as it is.

    Raises
    ------
    ValueError
        If it does not have two dimensions, holds complex numbers or objects, or is damaged: an entry of a column that is not there.

    Notes
    -----
    CSR of float64 or float32 is not copied; CSR with entries out of order or repeated is copied and put in order (repeated entries add
    up); other formats are converted, and other numbers become float64.
    """
    if matrix.ndim != 2:
        raise ValueError(
            f"{name}: Expected 2D array, got sparse array with dim {matrix.ndim} of shape {matrix.shape} instead. "
            "Reshape your data to rows and columns first."
        )
    if matrix.dtype.kind == "c":
        raise ValueError(f"{name}: Complex data not supported; pass its real and imaginary parts as columns.")
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {matrix.dtype}, not numbers; encode text, dates and categories as numbers.")
    csr = matrix.tocsr()
    shape = int(csr.shape[0]), int(csr.shape[1])
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(csr.data, working_format(csr.dtype))
    columns = csr.indices if csr.indices.dtype in (np.int32, np.int64) else csr.indices.astype(np.int64)
    bounds, columns = np.asarray(csr.indptr).astype(np.int64), np.ascontiguousarray(columns)
    if len(bounds) != shape[0] + 1 or len(columns) != len(data):
        raise ValueError(
            f"{name} is damaged: {len(bounds)} row pointers for {shape[0]} rows, {len(columns)} columns for {len(data)} entries."
        )
    rows = SparseRows(bounds[:-1], bounds[1:], columns, data, shape)
    try:
        order, row, place = kernels.disorder(rows.begin, rows.end, columns, shape[1])
    except ValueError as error:
        raise ValueError(f"{name} is damaged: {error}.") from error
    if order == kernels.OUTSIDE:
        raise ValueError(f"{name} is damaged: row {row} has an entry of column {columns[place]}, and there are {shape[1]} columns.")
    return rows if order == kernels.SOUND else _in_order(csr, data, columns, bounds)


def _in_order(csr: Any, data: np.ndarray, columns: np.ndarray, bounds: np.ndarray) -> SparseRows:
    """A copy with the columns ascending in each row and entries of one column added up, by SciPy, which is there with its matrix."""
    ordered = type(csr)((data.copy(), columns.copy(), bounds), shape=csr.shape)
    ordered.has_canonical_format = False  # whatever it was told before
    ordered.has_sorted_indices = False
    with np.errstate(over="ignore"):
        ordered.sum_duplicates()
    bounds = ordered.indptr.astype(np.int64)
    return SparseRows(bounds[:-1], bounds[1:], ordered.indices, ordered.data, csr.shape)
