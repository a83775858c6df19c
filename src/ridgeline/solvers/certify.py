"""From where a solver stopped to what it proved.

With lambda^2 = g' H^-1 g at the final point, a quadratic model says F - F* = lambda^2 / 2.  It becomes a bound where H cannot change
much on the way to the optimum:

- the logistic and softmax losses have |l'''| <= l'' |dz|, so H changes by a factor at most e^r over a step that moves no prediction by more
  than r.  With R = max_i ||Z_i||_{H^-1} and r the movement from where H was formed, lambda and R at the point itself are larger by e^(r/2)
  at most.  If e^r lambda R <= 0.15, it lies where predictions move by no more than 1/2, and F - F* <= e^(1/2 + r) lambda^2 / 2 (the
  argument of Bach 2010, Electron. J. Statist. 4, section 2; for the softmax, predictions are differences of outputs).  H may be that of
  some of the rows: that of all is no smaller;
- a piecewise quadratic loss has its optimum at the end of a Newton step that crosses no corner, on the piece where H was formed, and the
  model is exact;
- otherwise every loss is at least zero, so F - F* <= F, and with alpha > 0 on every parameter F - F* <= ||g||^2 / (2 alpha).
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
from ..objective import Objective
from ..workspace import block_rows
from .newton import EPS, Solution

NAMED = 8
"""Columns named in a message."""


def certify(
    objective: Objective, solution: Solution, slip: np.ndarray, method: str, remedy: str
) -> Certificate:
    """The certificate of a solution that was moved by `slip` after its gradient was computed; one read of the data at most."""
    point, loss = solution.point, objective.loss
    c, p = loss.outputs, objective.coordinates.width
    g = point.gradient
    original = objective.coordinates.original_gradient(g[: c * p].reshape(c, p))
    shared = np.abs(g[c * p :]).max(initial=0.0)
    moved = objective.slope_error(point, slip)
    original = np.abs(original) + objective.coordinates.original_bound(moved[: c * p].reshape(c, p))
    norm = max(original.max(initial=0.0), shared + moved[c * p :].max(initial=0.0)) / objective.weight
    bound = _suboptimality(objective, solution, slip, moved)
    factor = solution.factor
    if factor is None:
        condition = np.nan  # no Hessian was formed
    else:
        condition = 1 / factor.rcond if factor.rcond else np.inf
    blind = solution.null_space
    if solution.runaway is not None:
        status = NO_FINITE_OPTIMUM
        message = (
            f"The classes can be separated, so the risk has no finite minimum: the coefficients of {_columns(objective, solution.runaway)} "
            "grow without end. Add a penalty (a finite C, say C=1), or drop those columns."
        )
    elif not solution.converged:
        status, message = STOPPED_EARLY, f"Stopped after {solution.n_iter} iterations with gradient {norm:.1e}. {remedy}"
    elif blind is not None and blind.shape[1]:
        status = RANK_DEFICIENT
        message = (
            f"The data do not determine the coefficients of {_columns(objective, np.abs(blind).max(axis=1))} "
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
    bounds = [point.value]
    if objective.alpha > 0 and (objective.penalty > 0).all():
        bounds.append(0.5 * float(((np.abs(point.gradient) + error) ** 2 / objective.penalty).sum()))
    if factor is not None and factor.at is not None and factor.shift == 0 and solution.converged and factor.rcond:
        length = np.sqrt(factor.rcond * factor.norm)
        gauge = objective.gauge()
        gradient = point.gradient - gauge @ (gauge.T @ point.gradient)
        # of a sample's Hessian: the whole's is no smaller
        decrement = factor.whiten(gradient) + float(np.linalg.norm(factor.scale * error)) / length
        width = np.resize(objective.reach, objective.penalty.size - loss.shared)
        reach = float(np.linalg.norm(width * factor.scale[: width.size]))
        radius = 2 * reach / length
        away = factor.at - point.theta
        if loss.self_concordant:
            moved_by = 2 * objective.span(away)
            moved_by = objective.shift(away) if moved_by > 1 else moved_by
            growth = np.exp(min(moved_by, 100.0))
            still = growth * decrement * radius <= 0.15
        else:
            growth = 1.0
            still = objective.same_piece(point.theta, -factor.solve(gradient), away)
        if still:
            bounds.append(0.5 * np.exp(0.5) * growth * decrement**2 + objective.gauge_excess(point.theta, slip))
    return max(min(bounds), 0.0) / objective.weight


def _columns(objective: Objective, direction: np.ndarray) -> str:
    """The columns (and the intercept) that a direction moves, by number."""
    c, p, d = objective.loss.outputs, objective.coordinates.width, objective.source.n_features
    theta = direction[: c * p].reshape(c, p)
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
