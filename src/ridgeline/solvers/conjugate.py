"""Ridge of many nearly independent columns by conjugate gradients: neither a Gram nor its factor, a read of the rows per step.

A step leaves of the error about the share

    rho = (kappa^(1/2) - 1) / (kappa^(1/2) + 1),    kappa the condition of A = X'SX + alpha, its columns scaled

For independent columns kappa = ((1 + h) / (1 - h))^2 with h = (d / n)^(1/2) (Marchenko and Pastur 1967), and so rho = h: forty thousand
rows of three thousand columns take some twenty reads, where a Gram costs as much as sixty.  Columns that depend on each other take more
steps, a few that are alike one each; whether it is worth going on is seen from how the gradient falls, before much is lost.
"""

from __future__ import annotations

from math import inf, log

import numpy as np

from ..curvature import HessianProduct, column_squares
from ..objective import Objective, Point
from ..pointwise import SQUARED
from ..sources import ArraySource
from .gradient_proof import End, proven
from .least_squares import LinearSolution
from .newton_cg import conjugate_gradients

METHOD = "conjugate gradients"

SHRINKAGE = 1e-12
"""Of the gradient at zero, at which a fit is done: coefficients then have about the digits that a Gram in double gives."""

GRAM_READS = 1 / 60
"""Per column: the reads that a fit by `single_gram` takes as long as, measured for 1000 and 3000 columns."""

GAIN = 1.5
"""How many times fewer reads independent columns must promise."""

FIRST_LOOK = 4
"""Steps before the fall of the gradient says something: columns with a common part spend one or two on it."""

PROVEN = 1e-10
"""A bound on F - F*, beside F at zero, without which the answer does not count."""

CORRELATED = 10
"""Sum_k |v_k| r_k at the optimum, beside its size for independent columns, d^(1/2) ||y||, that is foreseen."""


def reads_of_a_gram(d: int) -> float:
    """What a fit of d columns by a Gram in single precision costs, in reads of the rows."""
    return d * GRAM_READS


def promising(n: int, d: int) -> bool:
    """Whether independent columns would take fewer steps than `reads_of_a_gram`, by the factor `GAIN`."""
    steps = log(SHRINKAGE) / (0.5 * log(d / n)) if n > d else inf
    return GAIN * steps <= reads_of_a_gram(d)


def solve_by_products(source: ArraySource, alpha: float, fit_intercept: bool) -> LinearSolution | None:
    """Ridge of one target; None where the columns are not as independent as that takes, which a few reads show.

    Parameters
    ----------
    source : ArraySource
        Dense rows.
    alpha : float
        Positive.
    fit_intercept : bool

    Notes
    -----
    4 n d flops and a read per step; a dozen numbers per column of memory.
    """
    d = source.n_features
    objective = Objective(source, SQUARED, alpha, fit_intercept)
    start = np.zeros(objective.size)
    if fit_intercept:
        start[-1] = np.average(source.y, weights=source.weight if source.weight.size else None)
    point = objective.expand(start, 1)
    if not np.isfinite(point.value):
        return None
    first, limit = objective.steepness(point), reads_of_a_gram(d)
    squares = column_squares(objective)
    movement = CORRELATED * (2 * d * point.value) ** 0.5
    foreseen = SHRINKAGE * np.abs(point.gradient) + _end(objective, point).rounding(movement)
    if not _gap(objective, foreseen) <= PROVEN * point.value:
        return None

    def on_course(steps: int, left: float) -> bool:
        return steps < FIRST_LOOK or (left < first and steps * log(SHRINKAGE) / log(left / first) <= limit)

    product = HessianProduct(objective, start)
    step, condition = conjugate_gradients(product, point, squares + objective.penalty, SHRINKAGE * first, on_course)
    last = objective.expand(start + step, 1)
    end, steepness = _end(objective, last), np.abs(last.gradient)
    if not _gap(objective, steepness + end.rounding()) <= PROVEN * point.value:
        return None
    return proven(source, end, lambda error: (2 * _gap(objective, steepness[:d] + error)) ** 0.5, condition, METHOD)


def _end(objective: Objective, point: Point) -> End:
    """No column's squares sum to more than the weight times its largest."""
    reach = np.sqrt(objective.weight) * objective.reach
    return End(objective.coordinates, point.theta, point.gradient, point.value, reach, objective.weight)


def _gap(objective: Objective, gradient: np.ndarray) -> float:
    """||g||^2 / (2 alpha), the most by which F can fall, at the best intercept, with |g| at most that (d or more)."""
    d = objective.source.n_features
    return float(0.5 * (gradient[:d] ** 2 / objective.penalty[:d]).sum())
