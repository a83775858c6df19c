"""Odd but legal forms of an array: the same numbers, lying or spelled differently.

A form takes a clean float64 array to something array-like; `Form.twin` is the clean array whose answer it must have.  To add a form, add
a row.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

SWAPPED = ">" if np.little_endian else "<"


@dataclass(frozen=True)
class Form:
    """`change` makes it of a C-contiguous float64 array of one or two dimensions.

    Attributes
    ----------
    dtype : the format that is computed in: float32 for the short floats, else float64.
    columns : whether a kernel reads the columns of a matrix one after another, so that sums may round differently.
    holds : whether the form can hold these numbers.
    needs : package without which there is no such form.
    """

    change: Callable[[np.ndarray], Any]
    dtype: Any = np.float64
    columns: bool = False
    holds: Callable[[np.ndarray], bool] = lambda a: True
    needs: str = "numpy"

    def of(self, a: np.ndarray) -> Any:
        return self.change(np.ascontiguousarray(a, dtype=np.float64))

    def twin(self, a: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(a, dtype=self.dtype)


def in_wider(before: int, after: int, step: int) -> Callable[[np.ndarray], np.ndarray]:
    """A view into an array of NaN, with a margin on each axis and every `step`-th entry."""

    def change(a: np.ndarray) -> np.ndarray:
        wide = np.full(tuple(before + after + abs(step) * n for n in a.shape), np.nan)
        inner = tuple(slice(before, before + abs(step) * n, abs(step)) for n in a.shape)
        where = tuple(slice(None, None, -1) for _ in a.shape) if step < 0 else ...
        view = wide[inner][where]
        view[...] = a
        return view

    return change


def reversed_along(*axes: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(a: np.ndarray) -> np.ndarray:
        flip = tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(a.ndim))
        return a[flip].copy()[flip]

    return change


def read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy(order="K")
    a.flags.writeable = False
    return a


def unaligned(offset: int, dtype: Any = np.float64) -> Callable[[np.ndarray], np.ndarray]:
    def change(a: np.ndarray) -> np.ndarray:
        a = a.astype(dtype)
        out = np.empty(a.nbytes + offset, np.uint8)[offset:].view(a.dtype).reshape(a.shape)
        out[...] = a
        return out

    return change


def as_dtype(dtype: Any) -> Form:
    """Another format, where it holds the numbers exactly."""
    kind = np.dtype(dtype)
    short = kind.kind == "f" and kind.itemsize <= 4

    def holds(a: np.ndarray) -> bool:
        with np.errstate(invalid="ignore", over="ignore"):
            return bool((a.astype(kind).astype(np.float64) == a).all())

    return Form(lambda a: a.astype(kind), np.float32 if short else np.float64, holds=holds)


def mapped(mode: str, order: str = "C") -> Callable[[np.ndarray], np.ndarray]:
    def change(a: np.ndarray) -> np.ndarray:
        with tempfile.NamedTemporaryFile() as file:
            file.write(a.tobytes(order))  # type: ignore[arg-type]
            file.flush()
            return np.memmap(file.name, np.float64, mode, shape=a.shape, order=order)  # type: ignore[call-overload, no-any-return]

    return change


def anonymous_map(a: np.ndarray) -> np.ndarray:
    memory = mmap.mmap(-1, a.nbytes)
    memory.write(a.tobytes())
    return np.frombuffer(memory).reshape(a.shape)


def field_of_records(a: np.ndarray) -> np.ndarray:
    """A field of packed records: strides that are no multiple of the entries' size."""
    records = np.zeros(a.shape, np.dtype([("flag", "i1"), ("value", "f8")]))
    records["value"] = a
    return records["value"]


class Subclass(np.ndarray):
    """As units and labelled arrays are: arithmetic and reductions keep the class, and print that they were used."""

    def __array_finalize__(self, other: Any) -> None:
        self.unit = getattr(other, "unit", "metre")


class AsArray:
    """An object that is an array only when asked (and only of the first protocol)."""

    def __init__(self, a: np.ndarray) -> None:
        self.a = a

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.a.astype(dtype or self.a.dtype)


class AsInterface:
    """An object with nothing but the array interface."""

    def __init__(self, a: np.ndarray) -> None:
        self.a, self.__array_interface__ = a, a.__array_interface__


class AsSequence:
    """An object with a length and items, and no more."""

    def __init__(self, a: np.ndarray) -> None:
        self.a = a

    def __len__(self) -> int:
        return len(self.a)

    def __getitem__(self, k: int) -> Any:
        return self.a.tolist()[k]


def objects(of: Callable[[float], Any]) -> Callable[[np.ndarray], np.ndarray]:
    def change(a: np.ndarray) -> np.ndarray:
        out = np.empty(a.shape, object)
        out.ravel()[:] = [of(value) for value in a.ravel().tolist()]
        return out

    return change


def nested(outer: type, inner: type) -> Callable[[np.ndarray], Any]:
    return lambda a: outer(inner(row) for row in a.tolist()) if a.ndim == 2 else outer(a.tolist())


def frame(library: str, cell: str) -> Callable[[np.ndarray], Any]:
    """A matrix as a data frame of columns of the kind `cell`, a vector as a series."""

    def column(module: Any, values: np.ndarray) -> Any:
        if library == "pandas":
            return module.array(values, dtype=cell)
        if library == "polars":
            return module.Series(values).cast(getattr(module, cell))
        return module.array(values).cast(getattr(module, cell)())

    def change(a: np.ndarray) -> Any:
        module = pytest.importorskip(library)
        if a.ndim == 1:
            return module.Series(column(module, a)) if library == "pandas" else column(module, a)
        columns = {f"x{j}": column(module, values) for j, values in enumerate(a.T.copy())}
        return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)

    return change


def whole(a: np.ndarray) -> bool:
    return bool((a == np.round(a)).all() and np.abs(a).max(initial=0) < 100)


FORMS: dict[str, Form] = {
    # order and strides
    "C": Form(np.copy),
    "Fortran": Form(np.asfortranarray, columns=True),
    "transposed twice": Form(lambda a: np.ascontiguousarray(a.T).T, columns=True),
    "rows of a larger array": Form(lambda a: np.concatenate([a, a, a])[len(a) : 2 * len(a)]),
    "inside a margin": Form(in_wider(2, 3, 1)),
    "every second entry": Form(in_wider(0, 1, 2)),
    "every third entry": Form(in_wider(1, 0, 3)),
    "every second, backwards": Form(in_wider(1, 1, -2)),
    "Fortran inside a margin": Form(lambda a: in_wider(2, 3, 1)(np.ascontiguousarray(a.T)).T, columns=True),
    "Fortran, every second": Form(lambda a: in_wider(0, 1, 2)(np.ascontiguousarray(a.T)).T, columns=True),
    "reversed rows": Form(reversed_along(0)),
    "reversed columns": Form(reversed_along(1)),
    "reversed both ways": Form(reversed_along(0, 1)),
    "Fortran reversed": Form(lambda a: reversed_along(0)(np.ascontiguousarray(a.T)).T, columns=True),
    "from a higher dimension": Form(lambda a: np.stack([a, a + 1], axis=-1)[..., 0]),
    "a last axis of a stack": Form(lambda a: np.stack([a + 1, a])[1]),
    "strides of no multiple": Form(field_of_records),
    "gathered": Form(lambda a: a[::-1][np.arange(len(a))[::-1]]),
    # memory
    "read-only": Form(read_only),
    "read-only Fortran": Form(lambda a: read_only(np.asfortranarray(a)), columns=True),
    "from bytes": Form(lambda a: np.frombuffer(a.tobytes()).reshape(a.shape)),
    "unaligned by 1": Form(unaligned(1)),
    "unaligned by 3": Form(unaligned(3)),
    "unaligned by 4": Form(unaligned(4)),
    "unaligned float32": Form(unaligned(2, np.float32), np.float32),
    "mapped, read-only": Form(mapped("r")),
    "mapped, copy on write": Form(mapped("c")),
    "mapped, writable": Form(mapped("r+")),
    "mapped Fortran": Form(mapped("r", "F"), columns=True),
    "anonymous mapping": Form(anonymous_map),
    # formats
    **{name: as_dtype(name) for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "longdouble",
    )},
    **{f"byte-swapped {name}": as_dtype(SWAPPED + name) for name in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8")},
    "byte-swapped long double": Form(lambda a: a.astype(np.dtype(np.longdouble).newbyteorder())),
    "float32 Fortran": Form(lambda a: np.asfortranarray(a, np.float32), np.float32, columns=True),
    "int32 Fortran": Form(lambda a: np.asfortranarray(a, np.int32), holds=whole, columns=True),
    # objects
    "objects": Form(lambda a: a.astype(object)),
    "objects: NumPy scalars": Form(objects(np.float64)),
    "objects: whole numbers": Form(objects(int), holds=whole),
    "objects: fractions": Form(objects(Fraction)),
    "objects: decimals": Form(objects(Decimal)),
    "objects: mixed": Form(lambda a: np.where(np.arange(a.size).reshape(a.shape) % 2 == 0, a.astype(object), objects(Fraction)(a))),
    # classes
    "subclass": Form(lambda a: a.view(Subclass)),
    "masked, no mask": Form(np.ma.masked_array),
    "masked, empty mask": Form(lambda a: np.ma.masked_array(a, np.zeros(a.shape, bool))),
    "masked, hard mask": Form(lambda a: np.ma.masked_array(a, hard_mask=True)),
    "an object with __array__": Form(AsArray),
    "an object with the array interface": Form(AsInterface),
    "a memoryview": Form(memoryview),
    # sequences
    "list of lists": Form(nested(list, list)),
    "list of tuples": Form(nested(list, tuple)),
    "tuple of tuples": Form(nested(tuple, tuple)),
    "list of arrays": Form(list),
    "a sequence of its own kind": Form(AsSequence),
    # tables
    "pandas": Form(frame("pandas", "float64"), columns=True, needs="pandas"),
    "pandas float32": Form(frame("pandas", "float32"), np.float32, columns=True, needs="pandas"),
    "pandas nullable": Form(frame("pandas", "Float64"), columns=True, needs="pandas"),
    "pandas nullable int": Form(frame("pandas", "Int16"), holds=whole, columns=True, needs="pandas"),
    "polars": Form(frame("polars", "Float64"), columns=True, needs="polars"),
    "polars float32": Form(frame("polars", "Float32"), np.float32, columns=True, needs="polars"),
    "polars int": Form(frame("polars", "Int16"), holds=whole, columns=True, needs="polars"),
    "Arrow": Form(frame("pyarrow", "float64"), columns=True, needs="pyarrow"),
    "Arrow float32": Form(frame("pyarrow", "float32"), np.float32, columns=True, needs="pyarrow"),
    "Arrow int": Form(frame("pyarrow", "int16"), holds=whole, columns=True, needs="pyarrow"),
}  # fmt: skip
