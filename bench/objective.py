"""The objective that every answer is judged by, in plain NumPy, sharing nothing with the library.

    F(W, b) = sum_i loss(y_i, x_i W + b) + (alpha / 2) ||W||^2          smooth families
    F(w, b) = sum_i loss(y_i, x_i w + b) + alpha ||w||_1                lasso, quantile

An answer's accuracy is in the units of F / n.  For a smooth F it is the largest entry of its gradient; where there are corners,
F(w, b) - D(v) for a feasible point v of the dual, which nothing can come closer to the minimum than:

    lasso      D(v) = y'v - v'v / 2,    X'v in [-alpha, alpha],  1'v = 0          v: the residuals, centred and shrunk until feasible
    quantile   D(v) = y'v,              the same, and v in [q - 1, q]             v: q or q - 1 by the residuals' signs, and on the
                                                                                  rows that the fit runs through what X'v asks for

(Koenker 2005, ch. 6, for the second.)  A lower bound that came from one contender's answer holds for every other's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FEASIBLE = 1e-9
"""How far a dual value may leave its interval by rounding: it is the solution of a small linear system."""


@dataclass(frozen=True)
class Point:
    """An answer: coefficients (d,) or (c, d), intercept () or (c,), Huber's scale, and what the library says of its own fit."""

    coef: np.ndarray
    intercept: Any
    scale: float = 1.0
    remark: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """What a family needs beside the data: the penalty's weight in F, and the loss's own number."""

    alpha: float = 0.0
    delta: float = 1.0
    epsilon: float = 1.35
    quantile: float = 0.5


# ------------------------------------------------------------------------------------------------ smooth families


def squared(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, np.ndarray]:
    """loss(y, z) = (y - z)^2 / 2."""
    r = _predictions(X, point) - y
    return _with_penalty(X, 0.5 * float(r @ r), r, point, terms)


def logistic(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, np.ndarray]:
    """loss(y, z) = log(1 + e^z) - y z, for y in {0, 1}."""
    z = _predictions(X, point)
    tail = np.exp(-np.abs(z))
    loss = np.maximum(z, 0) + np.log1p(tail) - y * z
    p = np.where(z >= 0, 1.0, tail) / (1 + tail)
    return _with_penalty(X, float(loss.sum()), p - y, point, terms)


def softmax(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, np.ndarray]:
    """loss(k, z) = log(sum_l e^(z_l)) - z_k; the gradient's rows are the classes'."""
    Z = X @ point.coef.T + point.intercept
    Z -= Z.max(axis=1, keepdims=True)
    rows = np.arange(len(y))
    chosen = Z[rows, y]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1)
    loss = float((np.log(total) - chosen).sum())
    Z /= total[:, None]
    Z[rows, y] -= 1
    gradient = np.column_stack([Z.T @ X + terms.alpha * point.coef, Z.sum(axis=0)])
    return (loss + 0.5 * terms.alpha * float((point.coef**2).sum())) / len(y), gradient / len(y)


def huber(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, np.ndarray]:
    """loss(y, z) = r^2 / 2 where |r| <= delta, else delta |r| - delta^2 / 2, with r = z - y."""
    r = _predictions(X, point) - y
    slope = np.clip(r, -terms.delta, terms.delta)
    return _with_penalty(X, float((slope * (r - 0.5 * slope)).sum()), slope, point, terms)


def scaled_huber(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, np.ndarray]:
    """loss(y, z) = (sigma + sigma h((y - z) / sigma)) / 2, h(u) = u^2 where |u| <= epsilon, else 2 epsilon |u| - epsilon^2.

    Half of what scikit-learn's `HuberRegressor(alpha=alpha)` minimises; the gradient's last entry is that of sigma.
    """
    u = (_predictions(X, point) - y) / point.scale
    slope = np.clip(u, -terms.epsilon, terms.epsilon)
    h = slope * (2 * u - slope)
    value, gradient = _with_penalty(X, 0.5 * point.scale * float((1 + h).sum()), slope, point, terms)
    return value, np.append(gradient, 0.5 * float((1 - slope**2).mean()))


def _predictions(X: np.ndarray, point: Point) -> np.ndarray:
    return X @ np.ravel(point.coef) + float(np.squeeze(point.intercept))


def _with_penalty(
    X: np.ndarray, loss: float, slope: np.ndarray, point: Point, terms: Terms
) -> tuple[float, np.ndarray]:
    """F / n and its gradient with respect to (w, b), from the total loss and its slopes."""
    w = np.ravel(point.coef)
    gradient = np.append(slope @ X + terms.alpha * w, slope.sum())
    return (loss + 0.5 * terms.alpha * float(w @ w)) / len(X), gradient / len(X)


# ----------------------------------------------------------------------------------------- families with corners


def lasso(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, float]:
    """F / n and a lower bound of its minimum, for the squared loss."""
    w = np.ravel(point.coef)
    r = y - _predictions(X, point)
    value = 0.5 * float(r @ r) + terms.alpha * float(np.abs(w).sum())
    v = r - r.mean()
    v *= min(1.0, terms.alpha / max(float(np.abs(v @ X).max()), np.finfo(float).tiny))
    return value / len(X), float(y @ v - 0.5 * v @ v) / len(X)


def quantile(X: np.ndarray, y: np.ndarray, point: Point, terms: Terms) -> tuple[float, float]:
    """F / n and a lower bound of its minimum (-inf where this answer gives none), for loss(y, z) = max(q r, (q - 1) r), r = y - z."""
    q, w = terms.quantile, np.ravel(point.coef)
    r = y - _predictions(X, point)
    value = float(np.maximum(q * r, (q - 1) * r).sum()) + terms.alpha * float(np.abs(w).sum())
    used = np.flatnonzero(w) if terms.alpha else np.arange(len(w))
    through = np.argpartition(np.abs(r), len(used))[: len(used) + 1]
    v = np.where(r > 0, q, q - 1)
    v[through] = 0
    equations = np.vstack([X[np.ix_(through, used)].T, np.ones(len(through))])
    wanted = np.append(terms.alpha * np.sign(w[used]), 0.0) - np.append(v @ X[:, used], v.sum())
    try:
        v[through] = np.linalg.solve(equations, wanted)
    except np.linalg.LinAlgError:
        return value / len(X), -np.inf
    feasible = v.min() >= q - 1 - FEASIBLE and v.max() <= q + FEASIBLE
    if terms.alpha and np.abs(v @ X).max() > terms.alpha * (1 + FEASIBLE):
        feasible = False
    return value / len(X), float(y @ v) / len(X) if feasible else -np.inf


SMOOTH: dict[str, Callable[..., tuple[float, np.ndarray]]] = {
    "ols": squared,
    "ridge": squared,
    "logistic": logistic,
    "softmax": softmax,
    "huber": huber,
    "scaled huber": scaled_huber,
}
CORNERED: dict[str, Callable[..., tuple[float, float]]] = {"lasso": lasso, "quantile": quantile}


class Judge:
    """Accuracies of answers to one problem; remembers the best lower bound that any of them gave."""

    def __init__(self, family: str, X: np.ndarray, y: np.ndarray, terms: Terms) -> None:
        self._family, self._X, self._y, self._terms = family, X, y, terms
        self.bound = -np.inf

    def accuracy(self, point: Point) -> float:
        """The largest entry of the gradient of F / n, or the duality gap over n; `inf` for an answer with NaN or infinity."""
        if not (np.isfinite(point.coef).all() and np.isfinite(point.intercept).all() and point.scale > 0):
            return np.inf
        if self._family in SMOOTH:
            _, gradient = SMOOTH[self._family](self._X, self._y, point, self._terms)
            return float(np.abs(gradient).max())
        value, bound = CORNERED[self._family](self._X, self._y, point, self._terms)
        self.bound = max(self.bound, bound)
        return max(value - self.bound, 0.0)
