"""Newton's method for a smooth objective plus absolute values: L1 and elastic net penalties.

    minimise  G(theta) = F(theta) + sum_j l_j |theta_j|

A step goes towards the minimum of the quadratic model with the absolute values as they are (Lee, Sun and Saunders 2014, SIAM J. Optim. 24),

    n = argmin_d  g'd + (1/2) d'H d + sum_j l_j |theta_j + d_j|,     theta <- theta + t n,   t = 1, 1/2, 1/4, ...

until G has fallen by a fraction of the decrease D = g'n + sum_j l_j (|theta_j + n_j| - |theta_j|) < 0 that the linear part predicts.
The model is minimised to the last digit (`coordinate_descent`), so that coefficients that are zero at the optimum become exactly zero,
and the convergence is quadratic.

With u_j = l_j sign(theta_j) on the support and the u_j in [-l_j, l_j] nearest to -g_j elsewhere, F(theta) + u'theta is a smooth function
that lies below G everywhere and touches it at the answer: what `certify` proves of its gradient g + u holds for G.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..objective import Objective, Point
from ..ranges import power_of_two_scale
from .certify import certify
from .coordinate_descent import minimise_on_gram
from .newton import SUFFICIENT, Solution, rounding
from .reads import STEP
from .regular_hessian import RegularHessian
from .select import Minimum

DAMPING = 1e-9
"""Added to the model's unit diagonal, for directions that H does not see: there only the absolute values choose."""

MODEL_STEPS = 1000
"""Sweeps and supports in one minimisation of the model, which takes a dozen."""

HALVINGS = 40


def proximal_newton(
    objective: Objective, l1: np.ndarray, theta: np.ndarray, *, tol: float, max_iter: int, remedy: str = ""
) -> Minimum:
    """Minimise, round to the precision of the data, and certify what is returned.

    Parameters
    ----------
    objective : Objective
        F, with the squared part of the penalty.
    l1 : ndarray of shape (m,)
        Weights of the absolute values, in the objective's coordinates; zero for intercepts.
    theta : ndarray of shape (m,)
        Start; finite value there.
    tol : float
        Largest entry of the least subgradient, divided by the total weight, that counts as converged.
    max_iter : int

    Raises
    ------
    ValueError
        If F has no finite value at the start.

    Notes
    -----
    One read of the data, n m (m + 1) flops and a dozen sweeps of 2 m^2 per step, about ten steps; memory m^2.
    """
    point = objective.expand(theta, 2)
    if not np.isfinite(point.value):
        objective.source.check_finite()
        raise ValueError("the objective overflows at the start; scale the targets, weights or offsets down.")
    gauge = objective.gauge(np.diag(point.hessian))
    gauge = gauge[:, l1 @ np.abs(gauge) == 0]
    n_iter, converged = 0, False
    while n_iter < max_iter and not converged:
        n_iter += 1
        step = _model_step(point, l1, gauge)
        size = objective.movement(step) / max(1.0, objective.movement(point.theta))
        point, taken = _search(objective, l1, point, step)
        converged = (size <= STEP or taken == 0) and objective.steepness(subgradient(point, l1)) <= max(tol, rounding(objective, point))
        if taken == 0:
            break
    last = RegularHessian(point.hessian, gauge, 0.0, objective.weight, point.theta)
    # where the lower bound is not curved along every direction, nothing is proved through its Hessian
    factor = None if objective.loss.gauge or last.shift else last
    coordinates, c = objective.coordinates, objective.loss.outputs
    coef, intercept = coordinates.original(point.theta.reshape(c, -1))
    if gauge.shape[1]:
        intercept = intercept - intercept.mean()
    coef, intercept = coef.astype(objective.source.dtype), intercept.astype(objective.source.dtype)
    moved = coordinates.internal(coef.astype(np.float64), intercept.astype(np.float64)).ravel()
    if objective.movement(moved - point.theta) > 0:
        point = replace(objective.expand(moved, 1), hessian=point.hessian)
    solution = Solution(subgradient(point, l1), factor, n_iter, converged)
    support = int(np.count_nonzero(coef.any(axis=0)))
    method = f"proximal Newton ({support} of {coef.shape[1]} columns)"
    certificate = certify(objective, solution, np.zeros_like(theta), method, remedy)
    return Minimum(coef, intercept, point.theta, n_iter, certificate)


def subgradient(point: Point, l1: np.ndarray) -> Point:
    """G and its subgradient of least size at a point."""
    g, theta = point.gradient, point.theta
    least = np.where(theta == 0, np.sign(g) * np.maximum(np.abs(g) - l1, 0.0), g + l1 * np.sign(theta))
    return replace(point, value=point.value + float(l1 @ np.abs(theta)), gradient=least)


def _model_step(point: Point, l1: np.ndarray, gauge: np.ndarray) -> np.ndarray:
    """n, from the model in columns scaled to a diagonal near one."""
    H = point.hessian + gauge @ gauge.T * np.abs(np.diag(point.hessian)).max(initial=0.0)
    scale = power_of_two_scale(np.sqrt(np.maximum(np.diag(H), 0.0)))
    A = H * scale * scale[:, None]
    A.ravel()[:: len(A) + 1] += DAMPING
    v = point.theta / scale
    best = minimise_on_gram(A, A @ v - point.gradient * scale, l1 * scale, v, positive=False, max_iter=MODEL_STEPS)
    step: np.ndarray = best.v * scale - point.theta
    return step


def _search(objective: Objective, l1: np.ndarray, point: Point, step: np.ndarray) -> tuple[Point, float]:
    """The point after the longest step of 1, 1/2, 1/4, ... that lowers G enough, and its length; zero where rounding hides any."""
    here = float(l1 @ np.abs(point.theta))
    full = float(l1 @ np.abs(point.theta + step))
    decrease = float(point.gradient @ step) + full - here
    noise = 8 * np.finfo(float).eps * (abs(point.value) + here)
    length = 1.0
    for _ in range(HALVINGS):
        # the whole step lands on zeros exactly
        theta = point.theta + step if length == 1 else point.theta + length * step
        new = objective.expand(theta, 2)
        fall = point.value + here - new.value - float(l1 @ np.abs(theta))
        if np.isfinite(new.value) and fall >= -SUFFICIENT * length * decrease - noise:
            return new, length
        length /= 2
    return point, 0.0
