"""The lecture's losses, as functions that return one value per example: no sum, no mean.

Each is computed in float32 where every floating-point argument is float32 or float16, else in float64;
whole numbers and booleans take the format of the other argument. A loss that exceeds the format is inf.

Arguments that belong together have one shape: nothing broadcasts, since a column against a row would
silently give a table of all pairs. Every argument is checked before anything is computed, and an error
names the first offending place.

A cross-entropy from logits is the better one to ask for: ``log(softmax(z))`` keeps its digits at any scale
of z, where a probability rounded to 1 or to 0 has lost them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernels import load
from .validation import (
    as_labels,
    as_real_array,
    at,
    require_finite,
    require_probabilities,
    require_same_shape,
)

kernels = load("cross_entropy")

_FORMATS = {"d": "double", "f": "float"}


def squared_error(y: Any, y_pred: Any) -> Any:
    """``(y - y_pred)**2``, elementwise: the loss of least squares (eq. 10 has the gradient of its mean).

    Parameters
    ----------
    y : array_like of real numbers
        Targets, of any shape. For several targets per example, of shape (n, t), the result has shape (n, t)
        too.
    y_pred : array_like of the shape of `y`
        Predictions.

    Returns
    -------
    ndarray or scalar
        Of the shape of `y`.

    Examples
    --------
    >>> from ridgeline import squared_error
    >>> squared_error([1.0, 2.0], [1.5, 2.0]).tolist()
    [0.25, 0.0]
    """
    r, dtype = _residual(y, y_pred)
    return _rounded(lambda: r * r, dtype)


def absolute_error(y: Any, y_pred: Any) -> Any:
    """``|y - y_pred|``, elementwise.

    Parameters
    ----------
    y : array_like of real numbers
        Targets, of any shape.
    y_pred : array_like of the shape of `y`
        Predictions.

    Returns
    -------
    ndarray or scalar
        Of the shape of `y`.

    Examples
    --------
    >>> from ridgeline import absolute_error
    >>> absolute_error([1.0, 2.0], [1.5, 2.0]).tolist()
    [0.5, 0.0]
    """
    r, dtype = _residual(y, y_pred)
    return _rounded(lambda: np.abs(r), dtype)


def huber(y: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Huber's loss, elementwise: quadratic for small residuals, linear for large ones.

    With ``r = y - y_pred``: ``r**2 / 2`` where ``|r| <= delta``, else ``delta * (|r| - delta / 2)``.

    Parameters
    ----------
    y : array_like of real numbers
        Targets, of any shape.
    y_pred : array_like of the shape of `y`
        Predictions.
    delta : float, default 1.0
        The residual at which the two pieces meet, in the unit of `y`. Positive.

    Returns
    -------
    ndarray or scalar
        Of the shape of `y`.

    References
    ----------
    P. J. Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964), 73-101.

    Examples
    --------
    >>> from ridgeline import huber
    >>> huber([0.0, 0.0], [0.5, 3.0]).tolist()
    [0.125, 2.5]
    """
    if not np.ndim(delta) == 0 or not delta > 0 or not np.isfinite(delta):
        raise ValueError(f"delta is {delta!r}; pass a positive number.")
    delta = float(delta)
    r, dtype = _residual(y, y_pred)

    def value() -> Any:
        a = np.abs(r)
        return np.where(a <= delta, 0.5 * r * r, delta * (a - 0.5 * delta))

    return _rounded(value, dtype)


def binary_cross_entropy(y: Any, p: Any, *, from_logits: bool = False) -> Any:
    """Cross-entropy of a target in [0, 1] and the probability, or the logit, of the class 1.

    ``-y log(p) - (1 - y) log(1 - p)``: eq. (21) for two classes. From logits, p = sigmoid(z) (eq. 25), it
    is ``y softplus(-z) + (1 - y) softplus(z)``, finite for every finite logit, with derivative
    ``sigmoid(z) - y``.

    Parameters
    ----------
    y : array_like of numbers in [0, 1], any shape
        Classes, 0 and 1, or probabilities of the class 1.
    p : array_like of the shape of `y`
        Probabilities of the class 1, or with `from_logits` their logits. From probabilities, the loss is
        inf where p = 0 < y or p = 1 > y.
    from_logits : bool, default False
        Whether `p` holds logits.

    Returns
    -------
    ndarray or scalar
        Of the shape of `y`.

    Examples
    --------
    >>> from ridgeline import binary_cross_entropy
    >>> binary_cross_entropy([1, 0], [0.5, 0.0]).tolist()
    [0.6931471805599453, 0.0]
    >>> binary_cross_entropy([0], [800.0], from_logits=True).tolist()
    [800.0]
    """
    y, p = _pair(y, p, "y", "p")
    require_same_shape(y, p, "y", "p")
    require_probabilities(y, "y", "encode the two classes as 0 and 1.", rows=False)
    kernel: Any
    if from_logits:
        _require_logits(p, "p", rows=False)
        kernel = kernels.binary_from_logits
    else:
        require_probabilities(p, "p", "pass from_logits=True if these are logits.", rows=False)
        kernel = kernels.binary_from_probabilities
    return _fill(kernel, _flat(y), _flat(p), y.shape)


def categorical_cross_entropy(y: Any, p: Any, *, from_logits: bool = False) -> Any:
    """Cross-entropy of target distributions and probabilities, or logits, along the last axis (eq. 21).

    ``-sum_j y_j log(p_j)``, with 0 log 0 = 0. From logits, p = softmax(z) (eq. 17), its derivative is
    ``softmax(z) - y``.

    Parameters
    ----------
    y : array_like of shape (..., c)
        Distributions over c classes, such as `one_hot` gives: entries in [0, 1], rows that sum to 1 within
        1e-6 (float32: 1e-4).
    p : array_like of shape (..., c)
        Distributions likewise, or with `from_logits` logits. A logit of -inf stands for the probability 0.
    from_logits : bool, default False
        Whether `p` holds logits.

    Returns
    -------
    ndarray or scalar of shape (...)
        inf where a class with y_j > 0 has probability 0.

    Examples
    --------
    >>> from ridgeline import categorical_cross_entropy
    >>> categorical_cross_entropy([[0, 1, 0]], [[0.25, 0.5, 0.25]]).tolist()
    [0.6931471805599453]
    """
    y, p = _pair(y, p, "y", "p")
    require_same_shape(y, p, "y", "p")
    _require_classes(p, "p")
    require_probabilities(y, "y", "encode class numbers with one_hot.", rows=True)
    _require_distribution_or_logits(p, "p", from_logits)
    kernel = kernels.categorical_from_logits if from_logits else kernels.categorical_from_probabilities
    return _fill(kernel, _rows(y), _rows(p), p.shape[:-1])


def sparse_categorical_cross_entropy(labels: Any, p: Any, *, from_logits: bool = False) -> Any:
    """Cross-entropy of class numbers and probabilities, or logits.

    ``-log(p_k)`` for the label k: `categorical_cross_entropy` of the one-hot code of k (lecture, eqs. 19 to
    21).

    Parameters
    ----------
    labels : array_like of shape (...)
        Class numbers 0, ..., c - 1.
    p : array_like of shape (..., c)
        Distributions over c classes: entries in [0, 1], rows that sum to 1 within 1e-6 (float32: 1e-4); or
        with `from_logits` logits. A logit of -inf stands for the probability 0.
    from_logits : bool, default False
        Whether `p` holds logits.

    Returns
    -------
    ndarray or scalar of shape (...)
        inf where the label's class has probability 0.

    Examples
    --------
    >>> from ridgeline import sparse_categorical_cross_entropy
    >>> sparse_categorical_cross_entropy([1], [[0.0, 1000.0, 0.0]], from_logits=True).tolist()
    [0.0]
    """
    p = as_real_array(p, "p")
    p = p.astype(_common_format(p), copy=False)
    _require_classes(p, "p")
    remedy = "encode the classes as 0, ..., c - 1, or give p a column for every class."
    labels = as_labels(labels, "labels", p.shape[-1], remedy)
    if labels.shape != p.shape[:-1]:
        raise ValueError(
            f"labels has shape {labels.shape} where p has {p.shape}; pass one label "
            f"for each row of p, or one-hot rows to categorical_cross_entropy."
        )
    _require_distribution_or_logits(p, "p", from_logits)
    if from_logits:
        return _fill(kernels.sparse_from_logits, _flat(labels), _rows(p), labels.shape)
    chosen = np.take_along_axis(p, labels[..., np.newaxis], axis=-1)[..., 0]
    certain = np.ones(chosen.size, chosen.dtype)
    return _fill(kernels.binary_from_probabilities, certain, _flat(chosen), labels.shape)


def kl_divergence(p: Any, q: Any) -> Any:
    """Kullback-Leibler divergence of `q` from `p` along the last axis (lecture, eq. 21).

    ``KL(p || q) = sum_j p_j log(p_j / q_j)``, with 0 log 0 = 0. It is what the cross-entropy of p and q has
    above the entropy of p: ``CE(p, q) = H(p) + KL(p || q)``.

    Parameters
    ----------
    p, q : array_like of shape (..., c)
        Distributions over c classes: entries in [0, 1], rows that sum to 1 within 1e-6 (float32: 1e-4).
        They are taken as given, not scaled to sum to 1.

    Returns
    -------
    ndarray or scalar of shape (...)
        0 for equal rows, inf where q_j = 0 < p_j. Negative by no more than the row of `q` sums to above
        that of `p`.

    Examples
    --------
    >>> from ridgeline import kl_divergence
    >>> kl_divergence([[1.0, 0.0], [0.5, 0.5]], [[0.5, 0.5], [1.0, 0.0]]).tolist()
    [0.6931471805599453, inf]
    """
    p, q = _pair(p, q, "p", "q")
    require_same_shape(p, q, "p", "q")
    _require_classes(p, "p")
    require_probabilities(p, "p", "pass softmax(z) if these are logits.", rows=True)
    require_probabilities(q, "q", "pass softmax(z) if these are logits.", rows=True)
    return _fill(kernels.kl_divergence, _rows(p), _rows(q), p.shape[:-1])


def _common_format(*arrays: np.ndarray) -> type:
    """float32 if all that is floating point is float32 or float16, and something is; else float64."""
    sizes = [array.dtype.itemsize for array in arrays if array.dtype.kind == "f"]
    return np.float32 if sizes and max(sizes) <= 4 else np.float64


def _pair(a: Any, b: Any, name: str, other_name: str) -> tuple[np.ndarray, np.ndarray]:
    a = as_real_array(a, name)
    b = as_real_array(b, other_name)
    dtype = _common_format(a, b)
    return a.astype(dtype, copy=False), b.astype(dtype, copy=False)


def _residual(y: Any, y_pred: Any) -> tuple[Any, type]:
    """y - y_pred in float64, and the format of the answer."""
    y = as_real_array(y, "y")
    y_pred = as_real_array(y_pred, "y_pred")
    require_same_shape(y, y_pred, "y", "y_pred")
    require_finite(y, "y")
    require_finite(y_pred, "y_pred")
    with np.errstate(over="ignore"):
        return np.subtract(y, y_pred, dtype=np.float64, casting="unsafe"), _common_format(y, y_pred)


def _rounded(value: Any, dtype: type) -> Any:
    """The array `value()` rounded to `dtype`; beyond its range it is inf, without a warning."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(value()).astype(dtype, copy=False)[()]


def _require_classes(p: np.ndarray, name: str) -> None:
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name} has shape {p.shape}; pass shape (..., c), a column for each of c classes.")


def _require_distribution_or_logits(p: np.ndarray, name: str, from_logits: bool) -> None:
    if from_logits:
        _require_logits(p, name, rows=True)
    else:
        require_probabilities(p, name, "pass from_logits=True if these are logits.", rows=True)


def _require_logits(z: np.ndarray, name: str, *, rows: bool) -> None:
    """No NaN; and where a row is the logits of one distribution, no +inf, and not -inf throughout."""
    bad = np.isnan(z)
    if bad.any():
        raise ValueError(f"{name} contains NaN{at(bad)}; drop such rows or fill them in first.")
    if not rows:
        return
    bad = z == np.inf
    if bad.any():
        raise ValueError(f"{name} contains +inf{at(bad)}, which is no logit; clip it to a finite one.")
    bad = np.all(z == -np.inf, axis=-1)
    if bad.any():
        raise ValueError(f"{name} is -inf throughout{at(bad)}, which no distribution has; keep one finite.")


def _flat(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a).reshape(-1)


def _rows(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a).reshape(-1, a.shape[-1])


def _fill(kernel: Any, a: np.ndarray, b: np.ndarray, shape: tuple[int, ...]) -> Any:
    """kernel(a, b, out) for a new `out` of the given shape; a scalar where there are no dimensions."""
    values = np.empty(shape, b.dtype)
    kernel[_FORMATS[b.dtype.char]](a, b, values.reshape(-1))
    return values[()]
