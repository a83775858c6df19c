"""The optima for a sequence of penalties, each from the last: a smooth loss plus (alpha/2) ||w||^2.

At the optimum for one alpha, the gradient for the next needs no read of the rows,

    g_a'(theta) = g_a(theta) + (P_a' - P_a) theta,

and neither does the step -(L + P_a')^-1 g_a', with L the losses' Hessian where it was formed last: Euler's predictor along theta(alpha),
the curve on which g_a = 0.  One read then says how far it is off, and steps with the same L, bettered by secant pairs of the losses'
gradients, correct it.  L is formed anew where a step shrinks the gradient too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..inner import inner, outside
from ..objective import NO_HESSIAN, Objective, Point
from .newton import EPS, SUFFICIENT, Solution, newton, warm_start
from .regular_hessian import RegularHessian
from .secant import secant_pair, secant_step

STALE = 0.1
"""Shrinkage of the gradient by a step above which the Hessian is formed at the next point."""

PAIRS = 12
"""Secant pairs kept."""


class _Path:
    """The last point of the path, the losses' Hessian, and differences of the losses' gradients since it was formed."""

    def __init__(self, point: Point, penalty: np.ndarray) -> None:
        self.point, self.penalty = point, penalty
        self.losses = np.empty((0, 0))
        self.differences: list[tuple[np.ndarray, np.ndarray]] = []

    def move(self, point: Point) -> None:
        """To another point of the same objective."""
        step = point.theta - self.point.theta
        if point.hessian.size:
            self.losses = point.hessian - np.diag(self.penalty)
            self.differences.clear()
        else:
            self.differences.append((step, point.gradient - self.point.gradient - self.penalty * step))
            del self.differences[:-PAIRS]
        self.point = point

    def penalise(self, penalty: np.ndarray) -> None:
        """The same point under another penalty."""
        at, change = self.point, penalty - self.penalty
        pull = change * at.theta
        self.point = Point(at.theta, at.value + 0.5 * inner(pull, at.theta), at.gradient + pull, NO_HESSIAN)
        self.penalty = penalty


def penalty_path(
    objective: Objective, alphas: np.ndarray, theta: np.ndarray, *, tol: float, max_iter: int
) -> Iterator[Solution]:
    """Yield the minimum for each alpha in turn, from theta; best from the largest alpha to the smallest.

    Parameters
    ----------
    objective : Objective
        Of a smooth loss without shared parameters; its own penalty is not used.
    alphas : ndarray of shape (k,)
    theta : ndarray of shape (m,)
    tol : float
        Largest entry of the gradient, divided by the total weight, at which to stop.
    max_iter : int
        Steps per alpha.

    Notes
    -----
    For the first alpha a fit; then one to four reads per alpha, m^3 / 3 flops, and a Hessian (n m (m + 1) flops) where it pays.
    """
    first = objective.penalised(float(alphas[0]))
    start, factor = warm_start(first, theta)
    found = newton(first, start, tol=tol, max_iter=max_iter, factor=factor)
    yield found
    if len(alphas) == 1:
        return
    path = _Path(found.point, first.penalty)
    path.move(first.expand(found.point.theta, 2))
    for alpha in alphas[1:]:
        here = objective.penalised(float(alpha))
        path.penalise(here.penalty)
        solution = _correct(here, path, tol, max_iter)
        if not solution.converged:  # from the point it came to, with every safeguard
            steps = solution.n_iter
            solution = newton(here, path.point.theta, tol=tol, max_iter=max_iter)
            solution = replace(solution, n_iter=steps + solution.n_iter)
            path.move(here.expand(solution.point.theta, 2))
        yield solution


def _correct(objective: Objective, path: _Path, tol: float, max_iter: int) -> Solution:
    """Steps until the gradient is within `tol`; not converged if one had to be cut."""
    N = objective.gauge(np.diag(path.losses) + path.penalty)
    factor, shrinkage = None, 0.0
    for iteration in range(max_iter + 1):
        point = path.point
        steepness = objective.steepness(point)
        if steepness <= tol:
            return Solution(point, factor, iteration, True)
        if factor is None or point.hessian.size:
            factor = RegularHessian(path.losses + np.diag(path.penalty), N)
        pairs = [secant_pair(s, y + path.penalty * s) for s, y in path.differences]
        step = outside(N, -secant_step(point.gradient, [pair for pair in pairs if pair], factor.solve))
        slope = inner(point.gradient, step)
        trial = objective.expand(point.theta + step, 2 if shrinkage > STALE else 1)
        if not trial.value <= point.value + SUFFICIENT * slope + 8 * EPS * abs(point.value):
            return Solution(point, None, iteration, False)
        shrinkage = objective.steepness(trial) / steepness
        path.move(trial)
    return Solution(path.point, None, max_iter, False)
