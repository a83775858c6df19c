"""The lecture's activations: sigmoid and softmax, their logarithms, and the one-hot code of a label.

With p = sigmoid(z) or p = softmax(z), the numbers z are the *logits* of p (eq. 18): for two classes z =
log(p / (1 - p)), for several z_j = log p_j + const.

Each function takes any array-like of real numbers, of any shape and memory layout, and computes and answers
in float32 where it was given float32 or float16, else in float64.  A scalar in gives a NumPy scalar out.
NaN gives NaN, infinities their limits; no warning is raised.  Large arrays are shared among threads (`threads.thread_count`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .kernels import load
from .validation import as_floating, as_labels, at, holds_names, unmasked

kernels = load("activations")

# One kernel per format, looked up here once: the choice by argument type costs more than a short call.
_FORMATS = {"d": "double", "f": "float"}

THREADED = 1 << 18
"""Entries from which threads share the work: about a fifth of a millisecond's."""

PART = 1 << 15
"""Entries that a thread takes at a time: 256 kB of float64, which its cache holds."""


def _per_format(kernel: Any) -> dict[str, Callable[..., int | None]]:
    return {char: kernel[signature] for char, signature in _FORMATS.items()}


_SIGMOID = _per_format(kernels.sigmoid)
_LOG_SIGMOID = _per_format(kernels.log_sigmoid)
_SOFTPLUS = _per_format(kernels.softplus)
_SOFTMAX = _per_format(kernels.softmax)
_LOG_SOFTMAX = _per_format(kernels.log_softmax)
_LOGSUMEXP = _per_format(kernels.logsumexp)


def sigmoid(z: Any, *, out: np.ndarray | None = None) -> Any:
    """Logistic sigmoid, elementwise (lecture, eq. 25).

    ``sigmoid(z) = 1 / (1 + exp(-z))``, with derivative (eq. 28) ``sigmoid(z) * (1 - sigmoid(z))``. For z >
    36 the float64 result rounds to 1, and 1 - sigmoid(z) is then better had as ``sigmoid(-z)``.

    Parameters
    ----------
    z : array_like of real numbers, any shape
        Logits.
    out : ndarray, optional
        Where to write the result; it must have the shape and format of the result. It may be `z`.

    Returns
    -------
    ndarray or scalar
        In (0, 1) up to rounding; 0 at -inf, 1 at inf, NaN at NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgeline import sigmoid
    >>> sigmoid([0.0, -745.0, np.inf]).tolist()
    [0.5, 5e-324, 1.0]
    """
    return _elementwise(_SIGMOID, z, out)


def log_sigmoid(z: Any, *, out: np.ndarray | None = None) -> Any:
    """Logarithm of the sigmoid, elementwise: ``log(sigmoid(z)) = -softplus(-z)``.

    The log-probability of the class y = 1 under the logit z (lecture, eqs. 18 and 25), exact where the
    sigmoid itself underflows. Its derivative is ``sigmoid(-z)``.

    Parameters
    ----------
    z : array_like of real numbers, any shape
        Logits.
    out : ndarray, optional
        Where to write the result; it must have the shape and format of the result. It may be `z`.

    Returns
    -------
    ndarray or scalar
        At most 0; -inf at -inf, -0.0 at inf, NaN at NaN.

    Examples
    --------
    >>> from ridgeline import log_sigmoid
    >>> log_sigmoid([-1000.0, 0.0]).tolist()
    [-1000.0, -0.6931471805599453]
    """
    return _elementwise(_LOG_SIGMOID, z, out)


def softplus(z: Any, *, out: np.ndarray | None = None) -> Any:
    """``log(1 + exp(z))``, elementwise and without overflow.

    The cross-entropy of the class y = 0 under the logit z; its derivative is the sigmoid (lecture, eq. 25).

    Parameters
    ----------
    z : array_like of real numbers, any shape
        Logits.
    out : ndarray, optional
        Where to write the result; it must have the shape and format of the result. It may be `z`.

    Returns
    -------
    ndarray or scalar
        At least 0; 0 at -inf, inf at inf, NaN at NaN.

    Examples
    --------
    >>> from ridgeline import softplus
    >>> softplus([0.0, 1000.0]).tolist()
    [0.6931471805599453, 1000.0]
    """
    return _elementwise(_SOFTPLUS, z, out)


def softmax(z: Any, axis: int = -1, *, out: np.ndarray | None = None) -> Any:
    """Probabilities of the logits `z` (lecture, eqs. 17 and 18).

    ``softmax(z)_j = exp(z_j) / sum_k exp(z_k)``. Adding one number to all logits changes nothing.

    Parameters
    ----------
    z : array_like of real numbers
        Logits, one row of them along `axis`. A scalar is a row of one.
    axis : int, default -1
        The axis of a row's logits.
    out : ndarray, optional
        Where to write the result; it must have the shape and format of the result. It may be `z`.

    Returns
    -------
    ndarray or scalar
        Non-negative, of the shape of `z`, with sum 1 along `axis`. A logit of -inf has probability 0; a row
        that holds +inf or NaN, or nothing but -inf, is NaN.

    Examples
    --------
    >>> from ridgeline import softmax
    >>> softmax([1000.0, 1000.0]).tolist()
    [0.5, 0.5]
    """
    return _row_to_row(_SOFTMAX, z, axis, out)


def log_softmax(z: Any, axis: int = -1, *, out: np.ndarray | None = None) -> Any:
    """Log-probabilities of the logits `z`: the logarithm of `softmax` (lecture, eqs. 17 and 18).

    ``log_softmax(z)_j = z_j - logsumexp(z)``, which keeps its digits where the probability underflows or is
    nearly 1.

    Parameters
    ----------
    z : array_like of real numbers
        Logits, one row of them along `axis`. A scalar is a row of one.
    axis : int, default -1
        The axis of a row's logits.
    out : ndarray, optional
        Where to write the result; it must have the shape and format of the result. It may be `z`.

    Returns
    -------
    ndarray or scalar
        At most 0, of the shape of `z`. A logit of -inf has log-probability -inf; a row that holds NaN, or
        nothing but -inf, is NaN; beside a logit of +inf, which itself gives NaN, the others are -inf.

    Examples
    --------
    >>> from ridgeline import log_softmax
    >>> log_softmax([0.0, -50.0]).tolist()
    [-1.9287498479639178e-22, -50.0]
    """
    return _row_to_row(_LOG_SOFTMAX, z, axis, out)


def logsumexp(z: Any, axis: int = -1, keepdims: bool = False, *, out: np.ndarray | None = None) -> Any:
    """``log(sum_j exp(z_j))`` along `axis`, without overflow: the logarithm of the denominator of eq. (17).

    Parameters
    ----------
    z : array_like of real numbers
        A scalar is a row of one.
    axis : int, default -1
        The axis of a row's logits.
    keepdims : bool, default False
        Whether the result keeps `axis`, with length 1.
    out : ndarray, optional
        Where to write the result; it must have the shape and format of the result.

    Returns
    -------
    ndarray or scalar
        Of the shape of `z` without `axis`. -inf for an empty row or one of nothing but -inf; inf for a row
        that holds +inf; NaN for one that holds NaN.

    Examples
    --------
    >>> from ridgeline import logsumexp
    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    z = as_floating(z, "z")
    rows, axis = _axis_last(z, axis)
    shape = rows.shape[:-1]
    if keepdims and z.ndim:
        shape = z.shape[:axis] + (1,) + z.shape[axis + 1 :]
    values = np.empty(shape, rows.dtype) if out is None else _buffer(out, shape, rows)
    rows = _as_rows(rows)
    if _in_parts(_LOGSUMEXP[rows.dtype.char], rows, values.reshape(-1)):
        exact = load("exact_logsumexp").logsumexp_of_cancelled
        _per_format(exact)[rows.dtype.char](rows, values.reshape(-1))
    return _answer(values, out)


def one_hot(
    labels: Any, n_classes: int | None = None, *, classes: Any = None, dtype: Any = np.float64
) -> np.ndarray:
    """One-hot code of class labels (lecture, eqs. 19 and 20).

    The row of a label k is the unit vector e_k: 1 in column k and 0 elsewhere, the distribution that is
    sure of k.

    Parameters
    ----------
    labels : array_like, any shape
        Class numbers 0, ..., n_classes - 1; with `classes`, labels of any kind that occur there.
    n_classes : int, optional
        The number of columns. Default: one more than the greatest label.
    classes : array_like of shape (c,), optional
        The distinct labels that stand for the columns, in this order.
    dtype : data type, default float64
        Of the code.

    Returns
    -------
    ndarray of shape labels.shape + (c,)

    Raises
    ------
    ValueError
        If a label is not a class number below `n_classes`, or not one of `classes`. The message says where.

    Examples
    --------
    >>> from ridgeline import one_hot
    >>> one_hot([2, 0]).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    >>> one_hot(["cat", "dog"], classes=["dog", "cat"]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    if classes is not None:
        index, n_columns = _position_in(labels, classes)
        if n_classes is not None and n_classes != n_columns:
            raise ValueError(f"n_classes is {n_classes} but classes has {n_columns} entries; pass only one.")
    else:
        if n_classes is not None and (n_classes != int(n_classes) or n_classes < 0):
            raise ValueError(f"n_classes is {n_classes!r}; pass a whole number >= 0.")
        array = unmasked(labels, "labels")
        if holds_names(array):
            raise ValueError("labels are not class numbers; pass classes=, the label of each column.")
        remedy = "raise n_classes, or pass classes=, the label of each column."
        index = as_labels(array if array.size else array.astype(np.intp), "labels", n_classes, remedy)
        n_columns = int(index.max(initial=-1)) + 1 if n_classes is None else int(n_classes)
    code = np.zeros((index.size, n_columns), dtype)
    code[np.arange(index.size), index.reshape(-1)] = 1
    return code.reshape(*index.shape, n_columns)


def _position_in(labels: Any, classes: Any) -> tuple[np.ndarray, int]:
    """For each label its place in `classes`, and how many classes there are."""
    column_of: dict[Any, int] = {}
    for k, label in enumerate(unmasked(classes, "classes").tolist()):
        if column_of.setdefault(label, k) != k:
            raise ValueError(f"classes holds {label!r} at positions {column_of[label]} and {k}; keep one.")
    array = unmasked(labels, "labels")
    given = array.reshape(-1).tolist()
    index = np.array([column_of.get(label, -1) for label in given], np.intp).reshape(array.shape)
    bad = index < 0
    if bad.any():
        label = given[int(np.argmax(bad))]
        raise ValueError(f"labels holds {label!r}{at(bad)}, which is not in classes; add it or drop the row.")
    return index, len(column_of)


def _elementwise(kernel: dict[str, Callable[..., int | None]], z: Any, out: np.ndarray | None) -> Any:
    z = as_floating(z, "z")
    values = np.empty(z.shape, z.dtype) if out is None else _buffer(out, z.shape, z)
    _in_parts(kernel[z.dtype.char], _flat(z), values.reshape(-1))
    return _answer(values, out)


def _row_to_row(kernel: dict[str, Callable[..., int | None]], z: Any, axis: int, out: np.ndarray | None) -> Any:
    z = as_floating(z, "z")
    rows, axis = _axis_last(z, axis)
    if out is not None:
        _require_output(out, z.shape, z.dtype)
        if rows is z and out.flags.c_contiguous and _may_write(out, z):
            _in_parts(kernel[rows.dtype.char], _as_rows(rows), _as_rows(out))
            return out
    values = np.empty(rows.shape, rows.dtype)
    _in_parts(kernel[rows.dtype.char], _as_rows(rows), _as_rows(values))
    if rows is not z:
        values = np.moveaxis(values, -1, axis) if z.ndim else values.reshape(())
    return _answer(values, out)


class _Count:
    """How many rows a kernel marked: a sum over parts."""

    def __init__(self, rows: int | None) -> None:
        self.rows = rows or 0

    def merge(self, other: _Count) -> None:
        self.rows += other.rows


def _in_parts(kernel: Callable[..., int | None], z: np.ndarray, values: np.ndarray) -> int:
    """`kernel` of z into values, by several threads where there is much to do; how many rows it marked.

    No row depends on another, nor on its place, so that the parts change no bit.
    """
    if z.size < THREADED or len(z) < 2:
        return kernel(z, values) or 0
    from .threads import reduce, thread_count

    step = max(PART * len(z) // z.size, 1)
    parts = (slice(a, a + step) for a in range(0, len(z), step))
    total = reduce(parts, lambda part: _Count(kernel(z[part], values[part])), thread_count())
    return total.rows if total else 0


def _axis_last(z: np.ndarray, axis: int) -> tuple[np.ndarray, int]:
    """`z` with the rows along its last axis, and the number of that axis counted from the front."""
    if z.ndim == 0 and axis in (0, -1):
        return z.reshape(1), 0
    if not -z.ndim <= axis < z.ndim:
        raise ValueError(
            f"axis is {axis} but z has shape {z.shape}; pass one from {-z.ndim} to {z.ndim - 1}."
        )
    axis %= z.ndim
    return (z if axis == z.ndim - 1 else np.moveaxis(z, axis, -1)), axis


def _flat(z: np.ndarray) -> np.ndarray:
    """C-contiguous, of one dimension; a view where `z` is C-contiguous already."""
    return (z if z.flags.c_contiguous else np.ascontiguousarray(z)).reshape(-1)


def _as_rows(z: np.ndarray) -> np.ndarray:
    """C-contiguous, of shape (n, c); a view where `z` is C-contiguous already."""
    if z.ndim != 2:
        c = z.shape[-1]
        z = z.reshape(z.size // c if c else int(np.prod(z.shape[:-1])), c)
    return z if z.flags.c_contiguous else np.ascontiguousarray(z)


def _buffer(out: np.ndarray, shape: tuple[int, ...], z: np.ndarray) -> np.ndarray:
    """`out`, or a new array where the kernel cannot write `out` directly."""
    _require_output(out, shape, z.dtype)
    if out.flags.c_contiguous and _may_write(out, z):
        return out
    return np.empty(shape, z.dtype)


def _may_write(out: np.ndarray, z: np.ndarray) -> bool:
    """Whether `out` may be written while `z` is read: they share no memory, or are the very same entries."""
    if out is z:
        return True
    same = out.ctypes.data == z.ctypes.data and out.shape == z.shape and z.flags.c_contiguous
    return same or not np.may_share_memory(out, z)


def _require_output(out: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out is a {type(out).__name__}; pass a NumPy array.")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}; pass one of shape {shape}.")
    if out.dtype != dtype or not out.dtype.isnative:
        raise ValueError(f"out has dtype {out.dtype}; pass one of {dtype}.")
    if not out.flags.writeable:
        raise ValueError("out is read-only; pass an array that may be written.")


def _answer(values: np.ndarray, out: np.ndarray | None) -> Any:
    if out is None:
        return values[()]  # a NumPy scalar where there are no dimensions
    if out is not values:
        out[...] = values
    return out
