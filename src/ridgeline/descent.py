"""Gradient descent with a constant learning rate, as the lecture runs it.

    R(w, b)  = (1/W) sum_i s_i l(y_i, w.x_i + b) + (alpha/2) ||w||^2,      W = sum_i s_i
    w <- w - eta dR/dw,      b <- b - eta dR/db                             eta the learning rate

Where R' is Lipschitz with constant L, a step with eta < 2/L lowers R, and eta > 2/L diverges on a quadratic
(Nesterov 2018, Lectures on Convex Optimization, section 1.2.3).  With k a bound on l'' (2 for squared error,
1 for Huber, 1/4 for binary and 1/2 for categorical cross-entropy)

    L <= k lambda_max(Z'SZ) / W + alpha,      Z = [X, 1] with an intercept, else X

The exact solvers of the estimators need no learning rate and reach the minimum to the last digit; this is the
method to learn from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Any

import numpy as np

from .blame import warn
from .certificate import FitWarning
from .mean_risk import (
    ABSOLUTE,
    LOGISTIC,
    SQUARED,
    Risk,
    as_given,
    check_coefficients,
    huber_risk,
    mean_risk,
    softmax_risk,
)
from .sources import ArraySource, Source
from .validation import (
    as_labels,
    as_real_array,
    check_count,
    check_matrix,
    check_number,
    check_targets,
    check_weights,
    require_finite,
    require_probabilities,
)

POWER_ITERATIONS = 30
"""Steps towards lambda_max: the Rayleigh quotient is then within a percent or two of it from a random start
(Kuczynski and Wozniakowski 1992, SIAM J. Matrix Anal. 13: relative error at most about 0.87 log(d) / (k - 1)
on average, usually far less)."""

MARGIN = 0.99
"""The learning rate named in the warning is this part of 2/L, for what the power iterations have not found
yet."""


@dataclass(frozen=True)
class DescentResult:
    """Where gradient descent went.

    Attributes
    ----------
    coef : ndarray of shape (d,), or (c, d) for a categorical cross-entropy
        In the format of X (float32 or float64).
    intercept : float, or ndarray of shape (c,)
        0 without `fit_intercept`.
    risk : ndarray of shape (n_iter + 1,)
        The (regularised) mean risk before the first step and after each.
    gradient_norm : float
        Largest absolute entry of the gradient at `coef` and `intercept`.
    n_iter : int
        Steps taken.
    converged : bool
        Whether `gradient_norm` <= tol.

    Examples
    --------
    >>> from ridgeline import gradient_descent
    >>> r = gradient_descent("squared_error", [[1.0], [2.0]], [2.0, 4.0], learning_rate=0.1, max_iter=100, tol=1e-6)
    >>> r.converged, r.n_iter, r.coef.round(6), len(r.risk)
    (True, 24, array([2.]), 25)
    """

    coef: np.ndarray
    intercept: Any
    risk: np.ndarray
    gradient_norm: float
    n_iter: int
    converged: bool


def gradient_descent(
    loss: str, X: Any, y: Any, *, learning_rate: float, max_iter: int, tol: float = 0.0, alpha: float = 0.0,
    fit_intercept: bool = False, sample_weight: Any = None, init: Any = None, delta: float = 1.0,
) -> DescentResult:  # fmt: skip
    """Minimise a mean risk by steps of constant learning rate against the gradient, and keep the risk curve.

    Parameters
    ----------
    loss : str
        "squared_error", "absolute_error" (by subgradients: a constant step ends in a band about the minimum),
        "huber", "binary_cross_entropy" (eq. 26), "sparse_categorical_cross_entropy" or
        "categorical_cross_entropy" (eq. 22).
    X : array-like of shape (n, d)
        Rows: float64 or float32; anything else is read as float64, block by block.
    y : array-like of shape (n,)
        Numbers; 0, 1 or probabilities of the class 1 for the binary cross-entropy; class numbers 0, ..., c -
        1 for the sparse categorical one; distributions of shape (n, c) for the categorical one.
    learning_rate : float
        Positive. Below 2/L every step lowers the risk; see the top of this file.
    max_iter : int
        The most steps to take.
    tol : float, default 0.0
        Stop where no entry of the gradient exceeds this. At 0, all steps are taken unless the gradient
        vanishes.
    alpha : float, default 0.0
        Weight of (alpha/2) ||w||^2 beside the *mean* risk: for squared error the minimiser is
        Ridge(alpha=n*alpha/2), for the binary cross-entropy LogisticRegression(C=1/(n*alpha)). The intercept
        is not penalised.
    fit_intercept : bool, default False
        Whether to fit an intercept, which is never penalised.
    sample_weight : array-like of shape (n,), optional
        The risk is then the weighted mean.
    init : array-like of shape (d,) or (c, d), or a pair (coef, intercept), optional
        Where to start; zero by default. `init=(r.coef, r.intercept)` continues from a result r.
    delta : float, default 1.0
        The corner of the Huber loss.

    Returns
    -------
    DescentResult

    Raises
    ------
    TypeError, ValueError
        Before any step, for arguments of the wrong type, shape or range; entries that are not finite are
        named with their position.

    Warns
    -----
    FitWarning
        If the steps diverged. The last finite point is returned, with `converged` False; the message gives a
        learning rate that is safe for these data.

    Notes
    -----
    One read of X and 4 n p c flops per step, p = d (+ 1 with an intercept) and c = 1 but for the categorical
    losses. Memory O(cache block + n + max_iter).

    Examples
    --------
    >>> from ridgeline import gradient_descent
    >>> r = gradient_descent("squared_error", [[1.0], [2.0]], [1.0, 4.0], learning_rate=0.1, max_iter=2)
    >>> r.risk.round(6).tolist()
    [8.5, 2.425, 0.90625]
    >>> r.n_iter, r.converged
    (2, False)
    """
    prepare = LOSSES.get(loss) if isinstance(loss, str) else None
    if prepare is None:
        raise ValueError(unknown_loss(loss, LOSSES))
    X = check_matrix(X)
    n, d = X.shape
    step = check_number(learning_rate, "learning_rate", strict=True)
    max_iter = check_count(max_iter, "max_iter")
    tol, alpha = check_number(tol, "tol"), check_number(alpha, "alpha")
    risk, targets, c = prepare(y, n, check_number(delta, "delta", strict=True))
    weight = check_weights(sample_weight, n)
    theta = _start(init, c, d, bool(fit_intercept))
    require_finite(X, "X")
    source = ArraySource(X, targets, weight)

    curve = np.empty(max_iter + 1)
    last, gradient, norm, k = None, theta, np.inf, 0
    columns = as_given(d, bool(fit_intercept))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        while True:
            curve[k], new_gradient = mean_risk(risk, source, columns, theta, alpha, 1)
            new_norm = float(np.abs(new_gradient).max())
            if not (isfinite(curve[k]) and isfinite(new_norm)):
                break
            last, gradient, norm = theta, new_gradient, new_norm
            if norm <= tol or k == max_iter:
                break
            theta = last - step * gradient
            k += 1
    if last is None:
        raise ValueError("the risk at the start is beyond double precision; scale X, y or init down.")
    finite = theta is last
    k = k if finite else k - 1
    converged = norm <= tol
    if not converged and (not finite or curve[k] > curve[0]):
        _warn_of_divergence(risk, source, alpha, step, bool(fit_intercept), finite)
    coef = last[..., :d].astype(source.dtype)
    intercept = last[..., d] if fit_intercept else np.zeros(theta.shape[:-1])
    return DescentResult(
        coef, intercept if c else float(intercept), curve[: k + 1].copy(), norm, k, converged
    )


def _start(init: Any, c: int, d: int, fit_intercept: bool) -> np.ndarray:
    """theta (d [+ 1],), or (c, d [+ 1]) where c > 0, from `init`; always a new array."""
    outer = (c,) if c else ()
    theta = np.zeros((*outer, d + fit_intercept))
    if init is None:
        return theta
    pair = isinstance(init, tuple)
    if pair and len(init) != 2:
        raise ValueError(
            f"init is a tuple of {len(init)}; pass the coefficients, or a pair (coef, intercept)."
        )
    theta[..., :d] = check_coefficients(init[0] if pair else init, (*outer, d), "init")
    if pair:
        intercept = as_real_array(init[1], "init[1], the intercept,")
        if intercept.shape not in {(), outer}:
            raise ValueError(f"init[1], the intercept, has shape {intercept.shape}, expected {outer}.")
        require_finite(np.atleast_1d(intercept), "init[1], the intercept,")
        if fit_intercept:
            theta[..., d] = intercept
        elif intercept.any():
            raise ValueError("init holds an intercept that is not zero; pass fit_intercept=True to use it.")
    return theta


def _regression(risk: Risk) -> Callable[..., tuple[Risk, np.ndarray, int]]:
    return lambda y, n, delta: (risk, check_targets(y, n, multi=False), 0)


def _binary(y: Any, n: int, delta: float) -> tuple[Risk, np.ndarray, int]:
    targets = check_targets(y, n, multi=False)
    require_probabilities(targets, "y", "encode the two classes as 0 and 1.", rows=False)
    return LOGISTIC, targets, 0


def _categorical(y: Any, n: int, delta: float) -> tuple[Risk, np.ndarray, int]:
    targets = check_targets(y, n)
    if targets.ndim != 2:
        raise ValueError(
            f"y has shape {targets.shape}, expected (n, c): encode class numbers with one_hot, or take "
            '"sparse_categorical_cross_entropy".'
        )
    require_probabilities(targets, "y", "encode class numbers with one_hot.", rows=True)
    return softmax_risk(targets.shape[1]), targets, targets.shape[1]


def _sparse_categorical(y: Any, n: int, delta: float) -> tuple[Risk, np.ndarray, int]:
    check_targets(y, n, multi=False)
    codes = as_labels(y, "y", None, "encode the classes as 0, ..., c - 1.").reshape(n).astype(np.int64)
    c = int(codes.max()) + 1
    if c > n:  # a coefficient row for each class number below c: a stray number must not ask for gigabytes
        raise ValueError(
            f"y holds {c - 1} at row {int(codes.argmax())}, more class numbers than the {n} rows; encode the "
            'classes as 0, ..., c - 1, or pass distributions to "categorical_cross_entropy".'
        )
    return softmax_risk(c), codes, c


# name -> (y, n, delta) -> (risk, checked targets, classes: 0 for one output)
LOSSES: dict[str, Callable[[Any, int, float], tuple[Risk, np.ndarray, int]]] = {
    "squared_error": _regression(SQUARED),
    "absolute_error": _regression(ABSOLUTE),
    "huber": lambda y, n, delta: (huber_risk(delta), check_targets(y, n, multi=False), 0),
    "binary_cross_entropy": _binary,
    "sparse_categorical_cross_entropy": _sparse_categorical,
    "categorical_cross_entropy": _categorical,
}


def unknown_loss(loss: Any, known: Any) -> str:
    """The message for a name that is not in `known`, with the nearest one that is."""
    near = get_close_matches(loss, known, 1, 0.5) if isinstance(loss, str) else []
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown loss {loss!r};{meant} the losses are {', '.join(map(repr, known))}."


def _warn_of_divergence(
    risk: Risk, source: ArraySource, alpha: float, step: float, fit_intercept: bool, finite: bool
) -> None:
    """Warn and name 2/L; but not where the step is safe and the risk rose finitely, by rounding about an
    exact start."""
    what = "the risk ended above where it began" if finite else "the risk grew beyond double precision"
    L = alpha + (risk.curvature * _greatest_eigenvalue(source, fit_intercept) if risk.curvature else 0.0)
    if not isfinite(L):
        advice = "X'X is beyond double precision; scale the columns of X."
    elif L and step > MARGIN * 2 / L:
        advice = f"the largest safe learning rate for these data, 2/L, is about {MARGIN * 2 / L:.3g}."
    elif risk.curvature and finite:
        return
    else:
        advice = "a subgradient step of constant length may overshoot by its length; take a smaller one."
    warn(
        f"gradient_descent diverged at learning_rate={step:g} ({what}): {advice}", FitWarning
    )


def _greatest_eigenvalue(source: ArraySource, fit_intercept: bool) -> float:
    """lambda_max(Z'SZ) / W by power iterations: Z'SZ v / W is half the gradient of the mean squared error
    with y = 0 at v.

    POWER_ITERATIONS reads of X. Not below lambda_max by more than a few percent; 0 for X = 0; infinite where
    Z'SZ overflows.
    """
    zero: Source = ArraySource(source.X, np.zeros(len(source.y)), source.weight)
    v = np.random.default_rng(0).normal(size=source.n_features + fit_intercept)
    norm = float(np.linalg.norm(v))
    columns = as_given(source.n_features, fit_intercept)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for _ in range(POWER_ITERATIONS):
            v = 0.5 * mean_risk(SQUARED, zero, columns, v / norm, 0.0, 1)[1]
            norm = float(np.linalg.norm(v))
            if not 0 < norm < np.inf:
                break
    return norm
