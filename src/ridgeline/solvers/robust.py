"""Huber regression: Newton from the least squares solution, with the threshold fixed or in units of a scale that is fitted too.

With concomitant scale (Huber 1981, 7.7) the objective is jointly convex in (theta, sigma).  Where more rows than it can trade for are
fitted exactly, its minimum is at sigma = 0, with least absolute deviations of the others; there it is solved for sigma at a floor,
which is at most W sigma / 2 from the minimum.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..certificate import OPTIMAL
from ..objective import Objective
from ..pointwise import SQUARED, ScaledHuberLoss, huber_loss
from ..ranges import power_of_two_scale
from ..sources import Source, fold
from ..views import LargestTarget, ScaledTargets
from ..watch import time_is_up
from .corner import large_enough
from .newton import SAMPLES, newton
from .regular_hessian import RegularHessian
from .select import Minimum, minimise

FLOOR = 1e-20
"""Smallest scale, beside the root mean square of the least squares residuals."""

PERFECT = 1e-12
"""Scale, beside the predictions, that is rounding."""

SMALLEST_UNIT = 1e-6
"""Beside the predictions, the smallest unit to measure residuals in: their rounding then stays below the tolerance."""

LARGEST_THRESHOLD = 1e100
"""Beside the largest target: a larger threshold is never reached, and its square should stay finite."""

REMEDY = "Raise max_iter, or scale the columns."


def least_squares_start(squares: Objective) -> tuple[Objective, np.ndarray, float]:
    """The minimiser (flat) of the squared objective, of a sample where that says enough, and the root mean square of the residuals there.

    First comes the objective that was minimised: the sample's, or the one given.
    """
    if large_enough(squares, SAMPLES[0]) and (part := squares.sampled(SAMPLES[0])) is not None:
        theta, rms = _least_squares(part)
        squares.source.reads += 1
        if rms > PERFECT * squares.movement(theta):
            return part, theta, rms
    return squares, *_least_squares(squares)


def _least_squares(squares: Objective) -> tuple[np.ndarray, float]:
    """Two reads."""
    at_zero = squares.expand(np.zeros(squares.size), 2)
    theta = -RegularHessian(at_zero.hessian, np.zeros((squares.size, 0))).solve(at_zero.gradient)
    at_best = squares.expand(theta, 0)
    if not at_best.value <= at_zero.value:
        theta, at_best = at_zero.theta, at_zero
    return theta, float(np.sqrt(max(2 * at_best.value / squares.weight, 0.0)))


def in_units(source: Source, size: float) -> tuple[Source, float]:
    """The source with its targets brought to the order of one where they are of the order of `size`, and the factor (exact)."""
    factor = float(power_of_two_scale(np.array([size]))[0])
    return ScaledTargets(source, factor), factor


def in_own_units(best: Minimum, factor: float, power: int) -> Minimum:
    """The minimum where targets were multiplied by `factor`, and the objective thereby by factor^power."""
    gradient_norm, suboptimality = best.certificate.gradient_norm, best.certificate.suboptimality / factor
    if power == 2:
        gradient_norm, suboptimality = gradient_norm / factor, suboptimality / factor
    certificate = replace(best.certificate, gradient_norm=gradient_norm, suboptimality=suboptimality)
    coef, intercept = ((a.astype(np.float64) / factor).astype(a.dtype) for a in (best.coef, best.intercept))
    return replace(best, coef=coef, intercept=intercept, certificate=certificate)


def solve_huber(
    source: Source, delta: float, alpha: float, fit_intercept: bool, *, tol: float, max_iter: int
) -> Minimum:
    """Huber's loss with threshold delta; `tol` bounds the gradient beside the largest slope, delta (or the residuals, if smaller)."""
    whole, factor = in_units(source, fold(source.targets_only(), LargestTarget).value)
    threshold = np.clip(delta * factor, np.finfo(float).tiny, LARGEST_THRESHOLD)
    squares = Objective(whole, SQUARED, alpha, fit_intercept)
    part, theta, rms = least_squares_start(squares)
    # a threshold far below the residuals leaves few rows in the quadratic part: come down to it in steps
    step = rms
    while step > 10 * threshold:
        rows, unit = in_units(part.source, step)
        # the penalty keeps its share beside the slope, so that each optimum is near the next
        share = step / threshold * (part.weight / squares.weight)
        coarse = part.posed(huber_loss(step * unit), min(alpha * share, LARGEST_THRESHOLD), rows)
        theta = newton(coarse, theta * unit, tol=1e-3, max_iter=max_iter).point.theta / unit
        step /= 10
    rows, unit = in_units(whole, max(min(threshold, rms), SMALLEST_UNIT * squares.movement(theta)))
    objective = squares.posed(huber_loss(threshold * unit), alpha, rows)
    best = minimise(objective, theta * unit, tol=tol * min(threshold * unit, 1.0), max_iter=max_iter, remedy=REMEDY)
    return in_own_units(best, factor * unit, 2)


def solve_scaled_huber(
    source: Source, epsilon: float, alpha: float, fit_intercept: bool, *, tol: float, max_iter: int
) -> tuple[Minimum, float]:
    """Huber's loss with concomitant scale, and that scale.

    From the least squares fit; where that does not lead there (a row far out makes its residuals larger than the scale by any
    factor), from a scale and coefficients that come down in steps.
    """
    whole, factor = in_units(source, fold(source.targets_only(), LargestTarget).value)
    squares = Objective(whole, SQUARED, alpha / factor, fit_intercept)
    _, theta, rms = least_squares_start(squares)

    def jointly(theta: np.ndarray, sigma: float) -> tuple[Minimum, float]:
        rows, unit = in_units(whole, max(sigma, SMALLEST_UNIT * squares.movement(theta)))
        objective = squares.posed(ScaledHuberLoss(epsilon), alpha / (factor * unit), rows)
        best = minimise(objective, np.append(theta, sigma) * unit, tol=tol, max_iter=max_iter, remedy=REMEDY)
        return in_own_units(best, factor * unit, 1), float(best.theta[-1]) / unit / factor

    if rms > _floor(squares, theta, rms):
        best, sigma = jointly(theta, rms)
        if best.certificate.status == OPTIMAL or time_is_up():
            return best, sigma
        theta, sigma = _come_down(whole, squares, theta, rms, epsilon, alpha / factor)
        if sigma > _floor(squares, theta, rms):
            return jointly(theta, sigma)
    floor = _floor(squares, theta, rms)
    best = solve_huber(whole, epsilon * floor, alpha / factor * floor, fit_intercept, tol=max(tol, 1e-3), max_iter=max_iter)
    certificate = replace(
        best.certificate,
        message=f"The rows fit so well that the best scale is zero; a floor was used. {best.certificate.message}",
        gradient_norm=best.certificate.gradient_norm / floor,
        suboptimality=best.certificate.suboptimality / floor + floor / 2,
    )
    return in_own_units(replace(best, certificate=certificate), factor, 1), floor / factor


def _come_down(
    source: Source, squares: Objective, theta: np.ndarray, rms: float, epsilon: float, alpha: float
) -> tuple[np.ndarray, float]:
    """A scale ten times too large or less and the best coefficients for it, or a scale at the floor.

    With sigma fixed, sigma F = sum s huber_{epsilon sigma} + (alpha sigma / 2) ||w||^2 + constant.  The best F for each sigma is convex in
    sigma, and its slope is dF/dsigma at the best coefficients.
    """
    sigma = rms
    while sigma > _floor(squares, theta, rms):
        rows, unit = in_units(source, sigma)
        smaller = sigma / 10 * unit
        coarse = squares.posed(huber_loss(epsilon * smaller), smaller * alpha / unit, rows)
        lower = newton(coarse, theta * unit, tol=1e-8, max_iter=100).point.theta
        both = squares.posed(ScaledHuberLoss(epsilon), alpha / unit, rows)
        if both.expand(np.append(lower, smaller), 1).gradient[-1] < 0:
            break
        theta, sigma = lower / unit, sigma / 10
    return theta, sigma


def _floor(squares: Objective, theta: np.ndarray, rms: float) -> float:
    """A scale at which residuals are rounding."""
    return max(FLOOR * rms, PERFECT * squares.movement(theta), np.finfo(float).tiny)
