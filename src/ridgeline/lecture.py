"""The lecture's risks as it writes them, their gradients, and least squares through the inverse.

For n rows x_i of X with targets y_i, and p = sigma(Xw),

    LS(w)   = (1/n) ||y - Xw||^2 + (alpha/2) ||w||^2                                (eqs. 8, 9, 12)
    LS'(w)  = (2/n) X'(Xw - y) + alpha w                                            (eqs. 10, 13)
    w*      = (X'X + alpha I)^-1 X'y                                                (eqs. 11, 14)
    CE(w)   = -(1/n) sum_i (y_i log p_i + (1 - y_i) log(1 - p_i)) + (alpha/2) ||w||^2    (eq. 26)
    CE'(w)  = (1/n) X'(sigma(Xw) - y) + alpha w,   by sigma' = sigma (1 - sigma)    (eqs. 28, 29)

The factor n/2.  Setting LS'(w) = 0 gives (X'X + (n alpha/2) I) w = X'y.  So the closed form (14) does not
minimise (12) with the same number: (14) with lambda minimises the *sum* ||y - Xw||^2 + lambda ||w||^2, which
is `Ridge(alpha=lambda)`; the minimiser of (12) with lambda is (14) with n lambda/2, which is
`Ridge(alpha=n*lambda/2)`.

Costs and gradients read X once, by cache blocks, and allocate nothing of its size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import working_format
from .mean_risk import LOGISTIC, SQUARED, Risk, as_given, check_coefficients, mean_risk
from .sources import ArraySource
from .validation import check_matrix, check_number, check_targets, require_finite, require_probabilities


def least_squares_cost(w: Any, X: Any, y: Any, alpha: float = 0.0) -> float | np.float32:
    """Mean squared error of w, with the ridge penalty: eqs. (8), (9) and (12).

    ``(1/n) ||y - Xw||^2 + (alpha/2) ||w||^2``. Its minimiser is ``Ridge(alpha=n*alpha/2,
    fit_intercept=False)``: the mean has a factor 1/n and the penalty a factor 1/2 that the closed form (14)
    does not have.

    Parameters
    ----------
    w : array-like of shape (d,)
        Coefficients; there is no intercept.
    X : array-like of shape (n, d)
        Rows: float64 or float32; anything else is read as float64, block by block.
    y : array-like of shape (n,)
        Targets.
    alpha : float, default 0.0
        Weight of (alpha/2) ||w||^2, the lecture's lambda.

    Returns
    -------
    float or float32
        float32 where X is float32 (or float16).

    Raises
    ------
    ValueError
        For shapes that do not match, and entries that are not finite, with their position.
    OverflowError
        If finite arguments give a cost beyond the format's range.

    Notes
    -----
    One read of X, 2 n d flops; memory O(cache block + n).

    Examples
    --------
    >>> from ridgeline import least_squares_cost
    >>> least_squares_cost([1.0], [[1.0], [2.0]], [1.0, 4.0])
    2.0
    >>> least_squares_cost([1.0], [[1.0], [2.0]], [1.0, 4.0], alpha=0.5)
    2.25
    """
    return _evaluate(SQUARED, w, X, y, alpha, 0)[0]


def least_squares_gradient(w: Any, X: Any, y: Any, alpha: float = 0.0) -> np.ndarray:
    """Gradient of `least_squares_cost`: eqs. (10) and (13), ``(2/n) X'(Xw - y) + alpha w``.

    It is zero at ``Ridge(alpha=n*alpha/2, fit_intercept=False)``, see `least_squares_cost` for the factor
    n/2.

    Parameters
    ----------
    w : array-like of shape (d,)
        Coefficients; there is no intercept.
    X : array-like of shape (n, d)
        Rows: float64 or float32; anything else is read as float64, block by block.
    y : array-like of shape (n,)
        Targets.
    alpha : float, default 0.0
        Weight of (alpha/2) ||w||^2, the lecture's lambda.

    Returns
    -------
    ndarray of shape (d,)
        float32 where X is float32 (or float16), else float64.

    Raises
    ------
    ValueError, OverflowError
        As `least_squares_cost`.

    Notes
    -----
    One read of X, 4 n d flops; memory O(cache block + n).

    Examples
    --------
    >>> from ridgeline import least_squares_gradient
    >>> least_squares_gradient([1.0], [[1.0], [2.0]], [1.0, 4.0]).tolist()
    [-4.0]
    """
    return _evaluate(SQUARED, w, X, y, alpha, 1)[1]


def logistic_cost(w: Any, X: Any, y: Any, alpha: float = 0.0) -> float | np.float32:
    """Mean binary cross-entropy of the logits Xw, with the ridge penalty: eq. (26).

    ``-(1/n) sum_i (y_i log p_i + (1 - y_i) log(1 - p_i)) + (alpha/2) ||w||^2`` with ``p = sigmoid(Xw)``,
    computed from the logits z as ``y softplus(-z) + (1 - y) softplus(z)``, finite however certain a wrong
    prediction is. The minimiser is ``LogisticRegression(C=1/(n*alpha), fit_intercept=False)``.

    Parameters
    ----------
    w : array-like of shape (d,)
        Coefficients; there is no intercept.
    X : array-like of shape (n, d)
        Rows: float64 or float32; anything else is read as float64, block by block.
    y : array-like of shape (n,)
        0 and 1, or probabilities of the class 1.
    alpha : float, default 0.0
        Weight of (alpha/2) ||w||^2, the lecture's lambda.

    Returns
    -------
    float or float32
        float32 where X is float32 (or float16).

    Raises
    ------
    ValueError
        For shapes that do not match, targets outside [0, 1] and entries that are not finite, with their
        position.
    OverflowError
        If finite arguments give logits beyond the format's range.

    Notes
    -----
    One read of X, 2 n d flops and n softplus; memory O(cache block + n).

    Examples
    --------
    >>> from ridgeline import logistic_cost
    >>> logistic_cost([0.0], [[1.0], [2.0]], [0, 1])
    0.6931471805599453
    >>> logistic_cost([800.0], [[1.0], [2.0]], [0, 1])
    400.0
    """
    return _evaluate(LOGISTIC, w, X, y, alpha, 0)[0]


def logistic_gradient(w: Any, X: Any, y: Any, alpha: float = 0.0) -> np.ndarray:
    """Gradient of `logistic_cost`: eq. (29), ``(1/n) X'(sigmoid(Xw) - y) + alpha w``.

    The slope of the cost in a logit is sigmoid(z) - y, since sigmoid' = sigmoid (1 - sigmoid) (eq. 28)
    cancels the denominators of the logarithms. For y = 1 it is computed as -sigmoid(-z), which keeps its
    digits where sigmoid(z) rounds to 1.

    Parameters
    ----------
    w : array-like of shape (d,)
        Coefficients; there is no intercept.
    X : array-like of shape (n, d)
        Rows: float64 or float32; anything else is read as float64, block by block.
    y : array-like of shape (n,)
        0 and 1, or probabilities of the class 1.
    alpha : float, default 0.0
        Weight of (alpha/2) ||w||^2, the lecture's lambda.

    Returns
    -------
    ndarray of shape (d,)
        float32 where X is float32 (or float16), else float64.

    Raises
    ------
    ValueError, OverflowError
        As `logistic_cost`.

    Notes
    -----
    One read of X, 4 n d flops and 2 n sigmoids; memory O(cache block + n).

    Examples
    --------
    >>> from ridgeline import logistic_gradient
    >>> logistic_gradient([0.0], [[1.0], [2.0]], [0, 1]).tolist()
    [-0.25]
    """
    return _evaluate(LOGISTIC, w, X, y, alpha, 1)[1]


def least_squares_by_inverse(X: Any, y: Any, alpha: float = 0.0) -> np.ndarray:
    """The explicit solution as the lecture writes it: eqs. (11) and (14), for teaching and not for use.

    ``w* = (X'X + alpha I)^-1 X'y``, the inverse really formed. It minimises ``||y - Xw||^2 + alpha ||w||^2``,
    so it is ``Ridge(alpha=alpha, fit_intercept=False)``; for the minimiser of the regularised mean (12) pass
    n*alpha/2.

    X'X has the square of the condition number of X, so half the digits are gone before the inverse loses
    more; the inverse also costs three times a factorisation. docs/conditioning.md measures it beside three
    better ways. To fit a model, take `LinearRegression` or `Ridge`.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Rows: float64 or float32; anything else is read as float64, block by block.
    y : array-like of shape (n,) or (n, t)
        Targets.
    alpha : float, default 0.0
        Weight of alpha ||w||^2 beside the whole sum of squares.

    Returns
    -------
    ndarray of shape (d,) or (d, t)
        float32 where X is float32 (or float16), else float64.

    Raises
    ------
    ValueError
        For shapes that do not match, entries that are not finite, and an X'X + alpha I that has no inverse.

    Notes
    -----
    2 n d^2 + 2 d^3 flops, one read of X.

    Examples
    --------
    >>> from ridgeline import least_squares_by_inverse
    >>> least_squares_by_inverse([[1.0], [2.0]], [1.0, 4.0]).tolist()
    [1.8]
    """
    X = check_matrix(X)
    kind = working_format(X.dtype)
    y = check_targets(y, len(X)).astype(kind)
    alpha = check_number(alpha, "alpha")
    require_finite(X, "X")
    X = X.astype(kind, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        A = X.T @ X + kind.type(alpha) * np.eye(X.shape[1], dtype=kind)
        try:
            w: np.ndarray = np.linalg.inv(A) @ (X.T @ y)
        except np.linalg.LinAlgError:
            w = np.full(1, np.nan, kind)
    if not np.isfinite(w).all():
        raise ValueError(
            "X'X + alpha I has no inverse: the columns of X depend on each other. "
            "Drop some, pass alpha > 0, or use LinearRegression(), which returns the smallest solution."
        )
    return w


def _evaluate(
    risk: Risk, w: Any, X: Any, y: Any, alpha: float, order: int
) -> tuple[float | np.float32, np.ndarray]:
    """The value and (order 1) the gradient of a mean risk, in the format of X."""
    X = check_matrix(X)
    w = check_coefficients(w, (X.shape[1],))
    y = check_targets(y, len(X), multi=False)
    if risk is LOGISTIC:
        require_probabilities(y, "y", "encode the two classes as 0 and 1.", rows=False)
    source = ArraySource(X, y)
    alpha = check_number(alpha, "alpha")
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        value, gradient = mean_risk(risk, source, as_given(len(w), False), w, alpha, order)
        rounded, gradient = source.dtype.type(value), gradient.astype(source.dtype)
    if not (np.isfinite(gradient).all() if order else np.isfinite(rounded)):
        # looked for only now: a sound X is read once
        source.check_finite()
        raise OverflowError(f"the risk at w is beyond the range of {source.dtype}; scale X, y or w down.")
    return (rounded if source.dtype == np.float32 else value), gradient
