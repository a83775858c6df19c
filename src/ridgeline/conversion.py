"""What a user holds, as a NumPy array: data frames, Arrow tables, tensors of other libraries; and what to do where it cannot be one.

An object offers its memory by `__array__`, or by DLPack (`__dlpack__` and `__dlpack_device__`, dmlc.github.io/dlpack), and is not copied
where it does.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any

import numpy as np

# DLPack's numbers of devices whose memory the processor reads: kDLCPU, kDLCUDAHost, kDLROCMHost, kDLCUDAManaged.
HOST_MEMORY = (1, 3, 11, 13)

MOST_NAMES = 5
"""Columns that a message lists."""


def working_format(dtype: np.dtype) -> np.dtype:
    """The format in which numbers are computed: float32 for float16, which it holds exactly, and itself; float64 for all others."""
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)


def column_names(X: Any) -> np.ndarray | None:
    """The column names of a data frame, if all are strings; None for anything else."""
    columns = getattr(X, "column_names", None)  # Arrow's; its `columns` are the data
    if columns is None:
        columns = getattr(X, "columns", None)
    if columns is None or callable(columns):
        return None
    names = list(columns)
    return np.array(names, dtype=object) if names and all(isinstance(name, str) for name in names) else None


def as_array(value: Any, name: str) -> np.ndarray:
    """`value` as an array of whatever it holds, without a copy where it offers its memory.

    Raises
    ------
    ValueError
        If it is ragged.
    TypeError
        If it lies on another device, or is no array at all; the message says how to make it one.
    """
    if type(value) is np.ndarray:
        return value
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__") and not hasattr(value, "__array_interface__"):
            _require_host(value, name)
            return np.from_dlpack(value)
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array of numbers ({error}).") from error
    except (TypeError, RuntimeError, BufferError) as error:
        _require_host(value, name)
        raise TypeError(f"{name}, a {_kind(value)}, cannot be read as an array of numbers, such as float32 or float64: {error}") from error
    if array.dtype == object and array.ndim == 0 and not _is_number(value):
        raise TypeError(f"{name} is a {_kind(value)}, which is no array: {_way(value, name)}.")
    return array


def require_no_path(value: Any, name: str) -> None:
    """Raise a ValueError for a string or a path where data should be."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        return
    if name == "X":
        raise ValueError(
            f"X is {os.fspath(value)!r}, a name and not numbers. A file is fitted by fit_source(ridgeline.source({os.fspath(value)!r}, "
            "target=...)), with the name of the column to predict."
        )
    raise ValueError(f"{name} is {os.fspath(value)!r}, a name and not numbers; pass the column itself: X[{os.fspath(value)!r}] of a frame.")


def what_to_encode(value: Any, array: np.ndarray, entry: Any) -> str:
    """What to do about a matrix of objects of which `entry` is no number: its columns by name, where it came from a frame."""
    if isinstance(entry, (date, timedelta)):
        return "turn times into numbers first, such as days since the first of them"
    names = column_names(value)
    if array.ndim != 2 or names is None:
        return "encode text and categories as numbers first (for instance one column per category)"
    words = [name for name, column in zip(names, array.T) if not all(map(_is_number, column))]
    listed = "[" + ", ".join(map(repr, words[:MOST_NAMES])) + (", ..." if len(words) > MOST_NAMES else "") + "]"
    encoded = {"pandas": f"pandas.get_dummies(X, columns={listed})", "polars": f"X.to_dummies({listed})"}.get(_library(value))
    by_hand = f"{encoded} makes 0/1 columns of them" if encoded else "make one 0/1 column per category of them"
    return (
        f"the columns {listed} hold no numbers. Drop them, or encode them first: {by_hand}, as fit_source(ridgeline.source(frame, "
        "target=...)) does by itself"
    )


def _require_host(value: Any, name: str) -> None:
    try:
        device, _ = value.__dlpack_device__()
    except Exception:  # not DLPack, or a device that has no number
        return
    if int(device) not in HOST_MEMORY:
        raise TypeError(
            f"{name}, a {_kind(value)}, lies on a GPU or another device (DLPack's number {int(device)}), and fits run on the processor: "
            f"bring it over first, by {name}.cpu() of torch or {name}.get() of CuPy."
        )


def _kind(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{_library(value)} {kind.__qualname__}"


def _library(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _is_number(value: Any) -> bool:
    """Whether a value is one number, or stands for a missing one."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        float(value)
    except OverflowError:
        return True
    except (TypeError, ValueError):
        return isinstance(value, complex)
    return True


def _way(value: Any, name: str) -> str:
    """How to make an array of what is none."""
    if hasattr(value, "collect"):
        return f"collect it first, {name}.collect()"
    if isinstance(value, dict):
        return f"make a table of it first, pandas.DataFrame({name}) or numpy.column_stack(list({name}.values()))"
    return "pass an array, a data frame or an Arrow table"
