"""Losses with a corner in their slope (Huber's): from samples to the rows near the corner, and from these to the optimum of all.

Near the optimum most rows stay on their piece of the loss, and enter through a few sums that no longer need them (`pieces`).  With a start
theta_0 from a sample of m rows, a prediction differs from the optimum's by about

    e = (p / m)^(1/2) (mean psi^2)^(1/2) / mean psi'      (psi the slope of the loss; Huber 1981, Robust Statistics, 7.6)

so rows more than a few e from the corner are summed up once, in the read that also forms the Hessian; Newton's method runs on
the others, a small part of the rows, to their optimum; and one more read of all rows finds the gradient there.  It is zero to
rounding unless a row did come farther; then Newton's method goes on with all of them.  (The same is done for absolute losses by
Portnoy and Koenker 1997, Statistical Science 12.)
"""

from __future__ import annotations

import numpy as np

from ..objective import Objective
from .newton import LEAST_SIZE, REGULAR, ROWS_PER_PARAMETER, SAMPLE_STEPS, SAMPLES, Solution, newton, rounding
from .reads import STEP
from .regular_hessian import RegularHessian

BAND = 4.5
"""Half the band's width in units of e: of a million Gaussian movements seven are larger, and few of those rows lie near the corner."""

LARGEST_BAND = 0.3
"""A share of rows in the band beyond which nothing is saved."""

NARROWER = 0.1
"""Width of the band after the first step, whose error is that of the rows that crossed the corner, beside the width before."""

ROUGH = 0.02
"""A relative step whose square is below the error of a sample."""

STEPS = 12
"""Newton steps on the band; from so near, three to five do."""


def corner(objective: Objective, theta: np.ndarray, *, tol: float, max_iter: int) -> Solution:
    """Minimise an objective whose loss is quadratic within a threshold and linear beyond it.

    Parameters, where they are not those of `newton`, and the solution are the same.

    Notes
    -----
    With enough rows in arrays: about a Hessian, a gradient and a half of reads; 8 bytes for each row of the band.
    """
    theta, rows = _from_samples(objective, theta)
    width = _width(objective, theta, rows) if rows else np.inf
    if width < np.inf:
        found = _on_the_band(objective, theta, width, tol)
        if found is not None:
            if found.converged:
                return found
            theta = found.point.theta
    return newton(objective, theta, tol=tol, max_iter=max_iter)


def large_enough(objective: Objective, stride: int) -> bool:
    """Whether every `stride`-th row makes a sample that says something."""
    return objective.rows >= stride * ROWS_PER_PARAMETER * max(objective.size, LEAST_SIZE)


def _from_samples(objective: Objective, theta: np.ndarray) -> tuple[np.ndarray, int]:
    """The optimum of the largest sample that gave one, and its number of rows; 0 if there is none."""
    rows = 0
    for stride in SAMPLES:
        if not large_enough(objective, stride):
            continue
        part = objective.sampled(stride)
        if part is None:
            break
        found = newton(part, theta, tol=ROUGH, max_iter=SAMPLE_STEPS, rough=ROUGH)
        objective.source.reads += -(-part.source.reads // stride)
        usable = found.converged and found.null_space is not None and not found.null_space.size
        if not usable or not np.isfinite(found.point.theta).all() or not objective.admits(found.point.theta):
            break
        theta, rows = found.point.theta, part.rows
    return theta, rows


def _width(objective: Objective, theta: np.ndarray, rows: int) -> float:
    """BAND e, from a small sample; infinite where too many rows would be in the band."""
    part = objective.sampled(max(stride for stride in SAMPLES if large_enough(objective, stride)))
    assert part is not None
    shared = theta[objective.size - objective.loss.shared :]
    threshold = objective.loss.threshold(shared)
    sums = part.pieces(theta, 0.0).at(theta[: objective.size - objective.loss.shared])
    if not sums.inside > 0:
        return np.inf
    spread = np.sqrt((sums.squares + threshold**2 * sums.outside) * part.weight) / sums.inside
    width = BAND * spread * (objective.size / rows) ** 0.5
    return float(width) if len(part.pieces(theta, width).near) <= LARGEST_BAND * part.rows else np.inf


def _on_the_band(objective: Objective, theta: np.ndarray, width: float, tol: float) -> Solution | None:
    """From the optimum of a sample; None where Newton's method on the band does not find one."""
    band = objective.narrowed(theta, width)
    nothing = np.zeros((objective.size, 0))
    factor = None
    for iteration in range(1, STEPS + 1):
        point = band.expand(theta, 2)
        factor = RegularHessian(point.hessian, nothing, size=objective.weight, at=theta)
        if factor.shift or factor.rcond < REGULAR:
            return None
        step = -factor.solve(point.gradient)
        theta = theta + step
        size = objective.movement(step) / max(1.0, objective.movement(theta))
        if not (np.isfinite(size) and objective.admits(theta)):
            return None
        if size <= STEP:
            break
        if iteration == 1:
            band = band.narrowed(theta, NARROWER * width)
    else:
        return None
    last = objective.expand(theta, 1)
    size = objective.movement(factor.solve(last.gradient)) / max(1.0, objective.movement(theta))
    ok = size <= STEP and objective.steepness(last) <= max(tol, rounding(objective, last))
    return Solution(last, factor, iteration, bool(ok), null_space=nothing)
