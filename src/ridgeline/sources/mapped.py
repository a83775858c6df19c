"""Arrays in files: `.npy` through the system's page cache, a moving window of it in memory.

Reading a mapped page makes it resident; a pass over a file would make all of it so.  The pass therefore asks for the pages ahead of it in
good time (the disk then works while the processor does) and gives back those behind it, which stay in the system's cache where there is
room for them.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Callable
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np

from .skipping import Skipped

WINDOW = 1 << 25
"""Bytes asked for ahead of a pass, and kept behind it: 32 MB, which a disk of 3 GB/s reads in ten milliseconds."""


FAR = 4
"""Lengths of a row from one row to the next, from which on rows are copied together: a sample, of which a copy is small."""


class Pages:
    """The moving window of a pass over the rows of a mapped array, from row `first` on."""

    def __init__(self, mapped: mmap.mmap, address: int, X: np.ndarray, first: int) -> None:
        self.mapped, self.X = mapped, X
        self.offset = X.__array_interface__["data"][0] - address
        n, self.row = len(X), abs(X.strides[0])
        # each column of a Fortran-ordered file is a run of its own, with a window of its own
        by_rows = X.flags.c_contiguous or X.strides[0] >= X.strides[1] * X.shape[1]
        self.runs = 1 if by_rows else X.shape[1]
        self.stride = 0 if by_rows else X.strides[1]
        self.run_length = n * self.row
        self.window = max(WINDOW // self.runs, 1 << 16)
        self.asked = self.given_back = first * self.row
        # a segment of such rows reaches over more of the file than the window
        self.far_apart = by_rows and self.row >= FAR * X.shape[1] * X.itemsize

    @staticmethod
    def of(X: np.ndarray, first: int = 0) -> Pages | None:
        """The window over X from row `first` on, or None where X is not in a mapped file, is small, or the system offers no advice."""
        base: Any = X
        safe = False  # a private, writable mapping would lose what was written to it
        while isinstance(base, np.ndarray):
            safe = safe or (isinstance(base, np.memmap) and base.mode in ("r", "r+"))
            base = base.base
        if not safe or not isinstance(base, mmap.mmap) or X.ndim != 2 or min(X.strides) <= 0 or extent(X) < 4 * WINDOW:
            return None
        if not X.shape[1]:  # a pass over the targets alone asks for no page
            return None
        if not hasattr(mmap, "MADV_WILLNEED"):
            return None
        return Pages(base, np.frombuffer(base, np.uint8).__array_interface__["data"][0], X, first)

    def move_to(self, row: int) -> None:
        """The pass is about to read from this row on."""
        here = row * self.row
        if here + self.window // 2 >= self.asked:
            end = min(here + self.window + self.window // 2, self.run_length)
            self._advise(mmap.MADV_WILLNEED, self.asked, end)
            self.asked = end
        # other threads may still be at what lies a little behind: they would only have to map it again
        if here - 2 * self.window >= self.given_back:
            self._advise(mmap.MADV_DONTNEED, self.given_back, here - self.window)
            self.given_back = here - self.window

    def picked(self, numbers: np.ndarray) -> np.ndarray:
        """A copy of the rows with these ascending numbers, the window moving along."""
        rows = np.empty((len(numbers), self.X.shape[1]), self.X.dtype)
        step = max(self.window // self.row, 1)
        a = 0
        while a < len(numbers):
            self.move_to(int(numbers[a]))
            b = int(np.searchsorted(numbers, numbers[a] + step))
            rows[a:b] = self.X[numbers[a:b]]
            a = b
        return rows

    def release(self) -> None:
        """Give back what is left at the end of a pass."""
        self._advise(mmap.MADV_DONTNEED, self.given_back, self.run_length)

    def _advise(self, advice: int, start: int, stop: int) -> None:
        page = mmap.PAGESIZE
        for run in range(self.runs):
            a = (self.offset + run * self.stride + start) // page * page
            b = min(self.offset + run * self.stride + stop, len(self.mapped))
            if b > a:
                self.mapped.madvise(advice, a, b - a)


def column(values: np.ndarray) -> np.ndarray:
    """A vector as a matrix of one column, for `Pages`; a matrix as it is."""
    return values if values.ndim == 2 else values.reshape(-1, 1)


def checked(values: Any, n: int, check: Callable[[Any, int], np.ndarray]) -> np.ndarray:
    """What `check` gives of n values; of a long mapped array of float64, which needs no conversion, a window at a time.

    Checking it whole would make all of it resident.
    """
    whole = isinstance(values, np.ndarray) and values.dtype == np.float64 and values.flags.c_contiguous and values.ndim in (1, 2)
    pages = Pages.of(column(values)) if whole else None
    if pages is None or len(values) != n:
        return check(values, n)
    step = max(WINDOW // pages.row, 1)
    try:
        for a in range(0, len(values), step):
            pages.move_to(a)
            part = values[a : a + step]
            check(part, len(part))
    except ValueError:
        return check(values, n)  # counts rows from the first
    pages.release()
    return values


def every(values: np.ndarray, stride: int) -> np.ndarray:
    """Every `stride`-th entry of a vector or row of a matrix: of a long mapped one a copy, the window moving along."""
    pages = Pages.of(column(values))
    if pages is None:
        return values[::stride]
    rows = pages.picked(np.arange(0, len(values), stride))
    pages.release()
    return rows if values.ndim == 2 else rows[:, 0]


def extent(X: np.ndarray) -> int:
    """Bytes from the first entry to the last: every seventh row touches as many pages as all of them."""
    return max(n * stride for n, stride in zip(X.shape, X.strides))


def is_npy(path: Any) -> bool:
    """Whether a path names a `.npy` file."""
    return isinstance(path, (str, os.PathLike)) and os.fspath(path).endswith(".npy")


def open_npy(path: Any, skipped: list[Skipped] | None = None) -> np.ndarray:
    """The array in a `.npy` file, mapped read-only: nothing is read but its header.

    With a list `skipped`, of a file in C order that is cut short the rows that are whole, and what is missing is appended to the list.

    Raises
    ------
    ValueError
        For a file that is not one, holds Python objects, or is shorter than its header says, with the first row that is missing.
    OSError
        Where there is no such file, or it may not be read.
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            _require_header(file, 2 if version == (1, 0) else 4, size)
            shape, fortran, dtype = read(file)
        except (ValueError, EOFError, SyntaxError, TokenError) as error:  # the header is a Python literal
            raise ValueError(f"{path} cannot be read as .npy: {str(error).rstrip('.')}.") from None
        start = file.tell()
    if any(axis < 0 for axis in shape):
        raise ValueError(f"{path} cannot be read as .npy: its header promises the shape {shape}.")
    if dtype.hasobject:
        raise ValueError(f"{path} holds Python objects, which cannot be mapped; save it as an array of numbers.")
    wanted = start + dtype.itemsize * math.prod(shape)
    if size < wanted:
        row = dtype.itemsize * math.prod(shape[1:])
        whole = max(size - start, 0) // max(row, 1)
        by_columns = fortran and len(shape) > 1
        where = "every column is incomplete" if by_columns else f"row {whole} is the first incomplete"
        what = f"{path} is cut short: its header promises shape {shape} of {dtype}, {wanted} bytes, and the file has {size} ({where})."
        if skipped is None or by_columns or not whole:
            raise ValueError(f"{what} Copy or write the file again.")
        skipped.append(Skipped(what, shape[0] - whole))
        return np.memmap(path, dtype, "r", offset=start, shape=(whole, *shape[1:]))
    if not wanted - start:
        return np.empty(shape, dtype)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _require_header(file: BinaryIO, width: int, size: int) -> None:
    """Raise a ValueError if the header's length, a number of `width` bytes, runs past the end: NumPy would allocate it first."""
    length = int.from_bytes(file.read(width), "little")
    if file.tell() + length > size:
        raise ValueError(f"its header of {length} bytes does not fit in the file, which has {size}")
    file.seek(-width, os.SEEK_CUR)
