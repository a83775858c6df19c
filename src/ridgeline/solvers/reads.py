"""What a read of the rows is worth to Newton's method: when to form a Hessian, and when no further read is needed.

With a share q of what was left of the way after each step, k steps leave q^k of it.  The factor of a sample has the q of the sample, which
secant pairs better a little; that of all the rows at a point a step of size e away has q = BEND e, so that e is followed by BEND e^2,
BEND^2 e^3, ... `worth_a_hessian` counts the reads that either takes, and those of a Hessian one step later.

**The last step needs no read.**  With H the Hessian of all rows at a point a, and p the step from theta,

    g(theta + p) = g(theta) + H p + E p,    |(E p)_j| <= (e^r - 1) (H_jj p'H p)^(1/2)

where predictions lie within r of those at a, all the way: l'' changes by a factor e^r there at most (Bach 2010, as in `certify`), so that
-(e^r - 1) H <= E <= (e^r - 1) H, and Cauchy and Schwarz do the rest.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, expm1, log

import numpy as np

from ..expansion import DOUBLE
from ..inner import inner
from ..objective import NO_HESSIAN, Objective, Point
from .regular_hessian import SINGLE, RegularHessian

EPS = float(np.finfo(float).eps)

STEP = EPS**0.5 / 16
"""A relative step whose square is below rounding."""

DIGITS = 1e-10
"""What may be left of the way, beside the predictions: ten digits are right."""

COLUMNS_PER_READ = {DOUBLE: 40, SINGLE: 90}
"""Columns whose Gram costs as much as the read of the rows that it goes with, by the precision of its products,"""

PER_OUTPUT = {DOUBLE: 4, SINGLE: 9}
"""and how many more for each further output, whose gradient makes the read dearer; a Hessian has a Gram for every pair of outputs."""

UNREAD = 1 << 20
"""Entries of X that are read in the time of all else that a step does; below, a Hessian comes nearly free."""

SLOW = 0.9
"""Shrinkage of the gradient, or size of a step, above which only a new Hessian will do."""

SECANTS_PAY = 0.9
"""Steps with secant pairs, beside those that the factor alone would take."""

BEND = 0.5
"""By how much the Hessian changes with a step, beside its size; |l'''| <= l'' |dz| allows 1, and over the rows signs differ."""

LARGE = 1e4
"""Range of columns up to which `tol` bounds the gradient in the columns as they were given; beyond, it would drown in rounding."""


def hessian_price(objective: Objective, precision: np.dtype = DOUBLE) -> float:
    """What a Hessian costs beside the read of the rows that it goes with, in such reads."""
    p, c = objective.coordinates.width, objective.loss.outputs
    entries = objective.rows * p
    grams = c * (c + 1) / 2 * p / (COLUMNS_PER_READ[precision] + PER_OUTPUT[precision] * (c - 1))
    return grams * entries / (entries + UNREAD)


def worth_a_hessian(objective: Objective, left: float, shrinkage: float, whole: bool, precision: np.dtype = DOUBLE) -> bool:
    """Whether a Hessian at the next point will save more reads than it costs, and one at the point after that no more.

    Parameters
    ----------
    objective : Objective
    left : float
        How far the next point will be from the optimum, beside the predictions.
    shrinkage : float
        By how much a step with the factor at hand shrinks that.
    whole : bool
        Whether that factor is of all the rows, so that the last step can be proven.
    precision : dtype
        Of the products that the Hessian would be summed from.
    """
    if not objective.loss.self_concordant or not shrinkage < SLOW or not left < SLOW:
        return True
    price = hessian_price(objective, precision)
    now, later = (price + _reads_after_a_hessian(e) for e in (left, left * shrinkage))
    by_steps = SECANTS_PAY * log(STEP / left) / log(max(shrinkage, STEP)) if left > STEP else 0.0
    if whole:
        by_steps = SECANTS_PAY * log(DIGITS / left) / log(max(shrinkage, DIGITS)) - 1 if left > DIGITS else 0.0
    return max(ceil(by_steps), 0) > now and now <= 1 + later


def _reads_after_a_hessian(left: float) -> int:
    """Reads until no digit is left, the last step being free, once a Hessian was formed that far from the optimum."""
    return max(ceil(log(DIGITS) / log(max(BEND * left, DIGITS)) - 2), 0)


def without_a_read(
    objective: Objective,
    point: Point,
    factor: RegularHessian,
    step: np.ndarray,
    tol: float,
    *,
    known: np.ndarray | float = 0.0,
    scaled: bool = False,
) -> tuple[Point, np.ndarray] | None:
    """The point after a step and bounds on the error of its gradient, entry by entry, as above; None where a read is cheap or says more.

    `known` bounds the error of the gradient before the step.  `tol` is of the gradient in the given columns, or in `scaled` ones.
    """
    if objective.rows * objective.coordinates.width < UNREAD:
        return None
    if factor.share < 1 or factor.shift or factor.at is None or not objective.loss.self_concordant:
        return None
    radius = objective.span(point.theta - factor.at) + objective.span(step)
    if objective.loss.gauge:  # differences of outputs count
        radius *= 2
    image = np.einsum("ij,j->i", factor.matrix, step)
    curved = inner(step, image)
    if not (radius < 1 and curved >= 0):
        return None
    gradient, value = point.gradient + image, point.value + inner(point.gradient, step) + 0.5 * curved
    root = np.sqrt(np.diag(factor.matrix).clip(0))
    error = known + root * (expm1(radius) * np.sqrt(curved) + factor.rounding * inner(root, np.abs(step)))
    there = Point(point.theta + step, value, gradient, NO_HESSIAN)
    largest = replace(there, gradient=np.abs(gradient) + error)
    proven = objective.steepness(largest) if scaled else slope_in_columns(objective, largest)
    return (there, error) if proven <= tol else None


def slope_in_columns(objective: Objective, point: Point) -> float:
    """Largest entry of the gradient per unit of weight, in units of the given columns within their limits."""
    units = np.clip(1 / objective.coordinates.scale, 1.0, LARGE)
    g = np.abs(point.gradient.reshape(objective.loss.outputs, -1))
    g[:, : len(units)] *= units
    return float(g.max(initial=0.0)) / objective.weight
