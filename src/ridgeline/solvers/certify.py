"""From where a solver stopped to what it proved.

With lambda^2 = g' H^-1 g at the final point, a quadratic model says F - F* = lambda^2 / 2.  It becomes a bound where H cannot change
much on the way to the optimum:

- the logistic and softmax losses have |l'''| <= l'' |dz|, so H changes by a factor at most e^r over a step that moves no prediction by more
  than r.  With R = max_i ||Z_i||_{H^-1} and r the movement from where H was formed, lambda and R at the point itself are larger by e^(r/2)
  at most.  If e^r lambda R <= 0.15, it lies where predictions move by no more than 1/2, and F - F* <= e^(1/2 + r) lambda^2 / 2 (the
  argument of Bach 2010, Electron. J. Statist. 4, section 2; for the softmax, predictions are differences of outputs).  H may be that of
  some of the rows: that of all is no smaller;
- a loss that is quadratic within a threshold and convex beyond keeps the curvature of the rows that are well within it, by a share of the
  threshold, until a prediction moves by that share.  With H of those rows alone, or of some of them, the step to the optimum moves no
  prediction by more than 2 R lambda; where that is less than the share, F - F* <= lambda^2 / 2 (times 1 + the share where
  the threshold has a scale, since (r + dz)^2 / (sigma + t) - r^2 / sigma - 2 u dz + u^2 t = (dz - u t)^2 / (sigma + t), u = r / sigma);
- with alpha > 0, F minimised over the intercepts is strongly convex in w: F - F* <= ||g||^2 / (2 alpha) with g the gradient in w at the
  best intercepts, plus what those gain; `_strong_convexity` bounds both;
- otherwise every loss is at least zero, so F - F* <= F.

The cheaper bounds come first, and where they are small enough the data are not read for another.
"""

from __future__ import annotations

import numpy as np

from ..certificate import (
    ILL_CONDITIONED,
    NO_FINITE_OPTIMUM,
    OPTIMAL,
    RANK_DEFICIENT,
    STOPPED_EARLY,
    Certificate,
)
from ..expansion import DOUBLE
from ..inner import outside
from ..objective import Objective, Point
from ..workspace import block_rows
from .corner import large_enough
from .eigen import eigenvectors
from .newton import EPS, SAMPLES, Solution
from .regular_hessian import RegularHessian

WITHIN = 1e-3
"""Share of the threshold by which rows are well within it."""

NAMED = 8
"""Columns named in a message."""

SMALL = 1e-10
"""A bound on F - F*, beside F, that wants no better one."""


def certify(
    objective: Objective, solution: Solution, slip: np.ndarray, method: str, remedy: str
) -> Certificate:
    """The certificate of a solution that was moved by `slip` after its gradient was computed; one read of the data at most."""
    point, loss = solution.point, objective.loss
    c, p = loss.outputs, objective.coordinates.width
    g = point.gradient
    original = objective.coordinates.original_gradient(g[: c * p].reshape(c, p))
    shared = np.abs(g[c * p :]).max(initial=0.0)
    moved = objective.slope_error(point, slip) + solution.error
    original = np.abs(original) + objective.coordinates.original_bound(moved[: c * p].reshape(c, p))
    norm = max(original.max(initial=0.0), shared + moved[c * p :].max(initial=0.0)) / objective.weight
    bound = _suboptimality(objective, solution, slip, moved)
    factor = solution.factor
    if factor is None:
        condition = solution.condition
    else:
        condition = 1 / factor.rcond if factor.rcond else np.inf
    blind = solution.null_space
    if solution.runaway is not None:
        status = NO_FINITE_OPTIMUM
        message = (
            "The classes can be separated, so the risk has no finite minimum: the coefficients of "
            f"{_columns(objective, solution.runaway[:, None])} grow without end. "
            "Add a penalty (a finite C, say C=1), or drop those columns."
        )
    elif not solution.converged:
        status, message = STOPPED_EARLY, f"Stopped after {solution.n_iter} iterations with gradient {norm:.1e}. {remedy}"
    elif blind is not None and blind.shape[1]:
        status = RANK_DEFICIENT
        message = (
            f"The data do not determine the coefficients of {_columns(objective, blind)} "
            "(dependent or constant columns): the smallest of the solutions was returned. Drop dependent columns, or add a penalty."
        )
    elif condition * EPS > 1e-3:
        status = ILL_CONDITIONED
        message = f"The Hessian's condition is {condition:.1e}: digits of the coefficients are lost. Add a penalty or drop columns."
    else:
        status, message = OPTIMAL, f"Converged in {solution.n_iter} iterations."
    return Certificate(
        status, method, float(norm), float(bound), float(condition), objective.source.reads, message
    )


def _suboptimality(objective: Objective, solution: Solution, slip: np.ndarray, moved: np.ndarray) -> float:
    """The least of the bounds; the gradient is known to `moved` and to its own rounding."""
    point, factor, loss = solution.point, solution.factor, objective.loss
    error = moved + objective.rounding(point, block_rows(objective.coordinates.width))
    with np.errstate(over="ignore"):  # then it is no bound
        bounds = [point.value, _strong_convexity(objective, point, error)]
    if min(bounds) <= SMALL * point.value:
        return max(min(bounds), 0.0) / objective.weight
    if not loss.self_concordant:
        bounds.append(_within(objective, point, error))
    elif factor is not None and factor.at is not None and factor.shift == 0 and solution.converged and factor.rcond:
        gauge = objective.gauge()
        gradient = outside(gauge, point.gradient)
        decrement, radius = _ellipsoid(factor, gradient, error, np.resize(objective.reach, objective.penalty.size))
        away = factor.at - point.theta
        moved_by = 2 * objective.span(away)
        moved_by = objective.shift(away) if moved_by > 1 else moved_by
        growth = np.exp(min(moved_by, 100.0))
        if growth * decrement * 2 * radius <= 0.15:
            bounds.append(0.5 * np.exp(0.5) * growth * decrement**2 + objective.gauge_excess(point.theta, slip))
    return max(min(bounds), 0.0) / objective.weight


def _ellipsoid(factor: RegularHessian, gradient: np.ndarray, error: np.ndarray, reach: np.ndarray) -> tuple[float, float]:
    """lambda, and R: the largest movement of a prediction per unit of length in H, which may be off by its rounding to single precision."""
    length = np.sqrt(factor.rcond * factor.norm)
    decrement = factor.whiten(gradient) + float(np.linalg.norm(factor.scale * error)) / length
    kept = 1.0 if factor.precision == DOUBLE else np.sqrt(max(1 - factor.off, 0.0)) or np.nan
    return decrement / kept, float(np.linalg.norm(reach * factor.scale)) / length / kept


def _within(objective: Objective, point: Point, error: np.ndarray) -> float:
    """The bound from rows well within the threshold: of a sample if it will do, else of all; infinite where they are too few."""
    loss, shared = objective.loss, point.theta[objective.size - objective.loss.shared :]
    threshold = loss.threshold(shared)
    # a step in the scale moves the threshold
    reach = np.append(objective.reach, np.full(loss.shared, threshold / shared[0] if loss.shared else 0.0))
    for stride in (*SAMPLES, 1):
        part = objective if stride == 1 else objective.sampled(stride) if large_enough(objective, stride) else None
        if part is None:
            continue
        core = part.posed(loss.inner(WITHIN), objective.alpha / stride).expand(point.theta, 2)
        if stride > 1:
            objective.source.reads += 1
        factor = RegularHessian(core.hessian, np.zeros((objective.size, 0)))
        if factor.shift or not factor.rcond:
            continue
        decrement, radius = _ellipsoid(factor, point.gradient, error, reach)
        if 2 * decrement * radius <= WITHIN * threshold:
            return 0.5 * (1 + WITHIN) * decrement**2
    return np.inf


def _strong_convexity(objective: Objective, point: Point, error: np.ndarray) -> float:
    """A bound on F - F* from the penalty on w, with the gradient known to `error`; infinite where it is no use.

    Let b + v be the best intercepts beside w, C the Hessian in b at the point, q the gradient, delta = (q' C^+ q)^(1/2) and r the largest
    difference of two entries of v (|v| for one output).  C changes by no more than e^r on the way, so that

        0 >= q'v + v'Cv (1 - e^-r) / r,   r <= rho (v'Cv)^(1/2),   hence   1 - e^-r <= rho delta

    with rho^2 = 2 / (the least eigenvalue of C but for the gauge), or 1 / C.  For rho delta <= 1/2 that is r <= 2 rho delta <= 1: F falls
    by no more than 2 delta^2, and (v'Cv)^(1/2) <= delta r / (1 - e^-r) <= 1.6 delta.  On the way the gradient in w_jk changes at the rate
    sum_i s_i z_ij (l'' v)_k, by Cauchy and Schwarz at most (sum_i s_i z_ij^2 l''_kk)^(1/2) (e^r v'Cv)^(1/2): over all outputs no more than
    e^(1/2) 1.6 delta (W tr l'')^(1/2) times the column's reach.
    """
    loss, p = objective.loss, objective.coordinates.width
    c, d = loss.outputs, p - objective.coordinates.fit_intercept
    penalty = objective.penalty[: c * p].reshape(c, p)[:, :d]
    if loss.shared or not (penalty > 0).all():
        return np.inf
    g = (np.abs(point.gradient) + error).reshape(c, p)
    gained = drift = 0.0
    if p > d:
        if not loss.self_concordant:
            return np.inf
        values, vectors = eigenvectors(objective.output_curvature(point.theta))
        kept = slice(1, None) if loss.gauge else slice(None)
        if not values[kept][0] > EPS * len(values) * values[-1]:
            return np.inf
        q = vectors.T @ point.gradient.reshape(c, p)[:, d]
        blur = float(np.linalg.norm(error.reshape(c, p)[:, d]))
        delta = float(np.linalg.norm((np.abs(q[kept]) + blur) / np.sqrt(values[kept])))
        reach = np.sqrt((2.0 if loss.gauge else 1.0) / values[kept][0]) * delta
        if not reach <= 0.5:
            return np.inf
        gained = 2 * delta**2
        trace = loss.curvature * min(c, 2)  # of the softmax at most 1: diag(p) - p p'
        drift = 2.7 * delta * float(np.sqrt(trace * objective.weight))
    in_w = float(np.sqrt((g[:, :d] ** 2 / penalty).sum()))
    in_w += drift * float(np.sqrt((objective.reach[:d] ** 2 / penalty[0]).sum()))
    return 0.5 * in_w**2 + gained


def _columns(objective: Objective, directions: np.ndarray) -> str:
    """The columns (and the intercept) that any of some directions (m, k) moves, by number."""
    c, p, d = objective.loss.outputs, objective.coordinates.width, objective.source.n_features
    theta = directions[: c * p].T.reshape(-1, p)
    reach = np.where(objective.reach[:d] > 0, objective.reach[:d], 1.0)
    share = np.abs(theta[:, :d]).max(axis=0, initial=0.0) * reach
    largest = max(share.max(initial=0.0), np.abs(theta).max())
    moved = np.flatnonzero(share > 1e-6 * largest)
    text = ("column " if len(moved) == 1 else "columns ") + ", ".join(str(j) for j in moved[:NAMED]) if len(moved) else ""
    text += ", ..." if len(moved) > NAMED else ""
    _, intercept = objective.coordinates.original(theta)
    if np.abs(intercept).max() > 1e-6 * largest:
        text = f"{text} and the intercept" if text else "the intercept"
    return text
