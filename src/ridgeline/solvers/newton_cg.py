"""Newton's method with steps by conjugate gradients: for more parameters than there is room for a Hessian.

    H p = -g    until the gradient that this leaves, g + H p, is a fraction eta of g

H is a product with vectors and costs a read of the data each time.  The fraction falls with the square of what the last step did to the
gradient (Eisenstat and Walker 1996, SIAM J. Sci. Comput. 17, choice 2), so that early steps are cheap and late ones converge as Newton's
do; a quadratic objective is solved at once.  The diagonal of H, as the columns' squares give it, preconditions: the columns of a text
differ by what their words' frequencies differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..curvature import HessianProduct, column_squares
from ..inner import inner
from ..objective import Objective, Point
from .newton import EPS, SUFFICIENT, Solution, _flat, _runs_away

FIRST_FRACTION = 0.25
"""eta of the first step, and the largest of any."""

STRICTNESS = 0.9
"""eta beside the square of the gradient's last shrinkage (Eisenstat and Walker's gamma)."""

BELOW = 0.5
"""Of `tol`: no step is solved further than to this, and one that is solved to it should arrive."""

MOST_PRODUCTS = 1000
"""Of one step; what is left then goes into the next."""

LONG = 8
"""Steps after which one that is still long is tested for a direction along which the loss only falls."""


def newton_cg(objective: Objective, theta: np.ndarray, *, tol: float, max_iter: int) -> Solution:
    """Minimise the objective from theta (no shared parameters).

    Parameters
    ----------
    objective : Objective
        With products (`curvature.has_products`).
    theta : ndarray of shape (m,)
    tol : float
        Largest entry of the gradient, divided by the total weight, at which to stop.
    max_iter : int
        Newton steps.

    Notes
    -----
    Two reads per step, one per product; ten numbers per parameter and one per row and output of memory.
    """
    point = objective.expand(theta, 1)
    if not np.isfinite(point.value):
        return Solution(point, None, 0, False)
    squares, penalty = column_squares(objective), objective.penalty.reshape(objective.loss.outputs, -1)
    quadratic = objective.loss.quadratic
    product: HessianProduct | None = None
    condition = np.nan
    fraction = 0.0 if quadratic else FIRST_FRACTION
    for iteration in range(1, max_iter + 1):
        steepness = objective.steepness(point)
        if steepness <= max(tol, rounding(objective, point)):
            return Solution(point, None, iteration - 1, True, condition=condition)
        if product is None or not quadratic:
            product = HessianProduct(objective, point.theta)
        diagonal = (product.size[:, None] * squares + penalty).ravel()
        step, condition = conjugate_gradients(product, point, np.where(diagonal > 0, diagonal, 1.0), max(fraction * steepness, BELOW * tol))
        if objective.loss.gauge:
            # of what is common to all outputs the minimum has nothing, and the preconditioner, which differs between them, has
            outputs = step.reshape(objective.loss.outputs, -1)
            outputs -= outputs.mean(axis=0)
        if iteration >= LONG and _runs_away(objective, point, step):
            return Solution(point, None, iteration, False, runaway=step)
        trial = _shortened(objective, point, step)
        if trial is None:
            return Solution(point, None, iteration, False)
        if not quadratic:
            fraction = min(STRICTNESS * (objective.steepness(trial) / steepness) ** 2, FIRST_FRACTION)
        elif objective.steepness(trial) > steepness / 2:  # rounding is what is left
            converged = objective.steepness(trial) <= max(tol, 8 * rounding(objective, trial))
            return Solution(trial, None, iteration, converged, condition=condition)
        point = trial
    return Solution(point, None, max_iter, objective.steepness(point) <= tol, condition=condition)


def rounding(objective: Objective, point: Point) -> float:
    """The steepness that the rounding of a gradient can leave."""
    return objective.steepness(replace(point, gradient=objective.rounding(point, 1)))


def conjugate_gradients(
    product: HessianProduct, point: Point, diagonal: np.ndarray, enough: float, on_course: Callable[[int, float], bool] | None = None
) -> tuple[np.ndarray, float]:
    """p with steepness(g + H p) <= enough, or as near to it as `MOST_PRODUCTS` products lead (Hestenes and Stiefel 1952).

    Parameters
    ----------
    product, point : HessianProduct and Point
        H and g.
    diagonal : ndarray of shape (m,)
        The preconditioner, positive.
    enough : float
    on_course : callable, optional
        Of the products so far and the steepness left; where it says no, the step stays as it is.

    Returns
    -------
    step : ndarray of shape (m,)
    condition : float
        Of H scaled by the diagonal, as far as the products have shown it (`_ritz_condition`): at most the true one, to rounding.
    """
    objective = product.objective
    step = np.zeros_like(point.gradient)
    residual = -point.gradient
    z = residual / diagonal
    direction = z.copy()
    size = inner(residual, z)
    lengths: list[float] = []
    ratios: list[float] = []
    for count in range(1, MOST_PRODUCTS + 1):
        image = product(direction)
        curvature = inner(direction, image)
        if not curvature > EPS * inner(diagonal * direction, direction):
            # a direction that the rows do not see: what is left of the gradient along it is rounding
            break
        t = size / curvature
        lengths.append(t)
        step += t * direction
        image *= t
        residual -= image
        left = objective.steepness(replace(point, gradient=residual))
        if left <= enough or not (on_course is None or on_course(count, left)):
            break
        np.divide(residual, diagonal, out=z)
        last, size = size, inner(residual, z)
        ratios.append(size / last)
        direction *= ratios[-1]
        direction += z
    return step, _ritz_condition(np.array(lengths), np.array(ratios[: len(lengths) - 1]))


def _ritz_condition(lengths: np.ndarray, ratios: np.ndarray) -> float:
    """Largest over least eigenvalue of the tridiagonal matrix that the steps of conjugate gradients are (Saad 2003, section 6.7.3).

        T_kk = 1 / t_k + r_(k-1) / t_(k-1),   T_k(k+1) = r_k^(1/2) / t_k,   t the steps' lengths, r the ratios of directions
    """
    if not len(lengths):
        return np.nan
    beside = np.sqrt(ratios) / lengths[:-1]
    T = np.diag(1 / lengths) + np.diag(beside, 1) + np.diag(beside, -1)
    T[1:, 1:] += np.diag(ratios / lengths[:-1])
    values = np.linalg.eigvalsh(T)
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


def _shortened(objective: Objective, point: Point, step: np.ndarray) -> Point | None:
    """The first of t = 1, 1/2, ... at which F falls enough, None if it does not at any length that matters."""
    slope, t, noise = inner(point.gradient, step), 1.0, 8 * EPS * abs(point.value)
    while t >= 1e-12:
        trial = objective.expand(point.theta + t * step, 1)
        if trial.value <= point.value + SUFFICIENT * t * slope + noise or _flat(point, trial, step, slope):
            return trial
        t *= 0.5
    return None
