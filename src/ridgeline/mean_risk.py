"""A mean risk and its gradient at one point, in the lecture's scaling and the columns as given.

    R(theta)  = (1/W) sum_i s_i l(y_i, z_i) + (alpha/2) ||w||^2,     z_i = w.x_i + b,     W = sum_i s_i
    R'(theta) = (1/W) sum_i s_i l'(y_i, z_i) (x_i, 1) + alpha (w, 0)

theta is (w, b), or w without an intercept; for softmax a row of it for each class.  The sums are an
`Expansion` with neither centre nor scale: the path of gradient descent depends on the columns' units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from . import pointwise
from .expansion import Coordinates, Expansion
from .sources import Source, fold
from .validation import as_real_array, require_finite


@dataclass(frozen=True)
class Risk:
    """The lecture's loss: `factor` times one of `pointwise`."""

    loss: pointwise.Loss
    factor: float = 1.0

    @property
    def curvature(self) -> float:
        """A bound on the second derivative in the prediction."""
        return self.factor * self.loss.curvature


SQUARED = Risk(pointwise.SQUARED, 2.0)  # (y - z)^2, not its half
ABSOLUTE = Risk(pointwise.ABSOLUTE)
LOGISTIC = Risk(pointwise.LOGISTIC)


def huber_risk(delta: float) -> Risk:
    """The Huber loss with its corner at `delta`."""
    return Risk(pointwise.huber_loss(delta))


def softmax_risk(n_classes: int) -> Risk:
    """The cross-entropy of softmax; targets are class codes (n,) or distributions (n, c)."""
    return Risk(pointwise.SoftmaxLoss(n_classes))


def as_given(n_features: int, fit_intercept: bool) -> Coordinates:
    """The columns as they are."""
    return Coordinates(np.zeros(n_features), np.ones(n_features), fit_intercept)


def mean_risk(
    risk: Risk, source: Source, columns: Coordinates, theta: np.ndarray, alpha: float, order: int
) -> tuple[float, np.ndarray]:
    """The mean risk at theta and its gradient (zero where order is 0).

    Parameters
    ----------
    risk : Risk
    source : Source
    columns : Coordinates
        From `as_given`.
    theta : ndarray of shape (p,) or (c, p), float64
        p = d columns of w, and one more (b, not penalised) with an intercept.
    alpha : float
    order : {0, 1}

    Returns
    -------
    value : float
    gradient : ndarray of the shape of theta
        Not finite where the arithmetic overflowed; the caller silences NumPy's warnings of that.

    Notes
    -----
    One read of X; 2 n p c flops for order 0, 4 n p c for order 1.
    """
    flat, d = theta.reshape(-1), source.n_features
    total = fold(source, partial(Expansion, risk.loss, columns, flat, order))
    weight, value = (total.totals[0] + total.totals[1]).tolist()
    factor = risk.factor / weight
    gradient = ((total.gradients[0] + total.gradients[1]) * factor).reshape(theta.shape)
    value *= factor
    if alpha:
        w = theta[..., :d]
        gradient[..., :d] += alpha * w
        value += 0.5 * alpha * float(np.vdot(w, w))
    return value, gradient


def check_coefficients(w: Any, shape: tuple[int, ...], name: str = "w") -> np.ndarray:
    """Coefficients of the given shape as contiguous float64, finite."""
    array = as_real_array(w, name)
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape}: one coefficient per column of X."
        )
    require_finite(array, name)
    return np.ascontiguousarray(array, dtype=np.float64)
