"""The optima for a sequence of penalties, each from the last: a smooth loss plus (alpha/2) ||w||^2.

At the optimum for one alpha, the gradient for the next needs no read of the rows,

    g_a'(theta) = g_a(theta) + (P_a' - P_a) theta,

and neither does the step -(L + P_a')^-1 g_a', with L the losses' Hessian where it was formed last: Euler's predictor along theta(alpha),
the curve on which g_a = 0.  One read then says how far it is off, and steps with the same L, bettered by secant pairs of the losses'
gradients, correct it.  L is formed anew where a step shrinks the gradient too little, or where the reads that it saves are more than
it costs.

A penalty that has become small beside the losses hardly moves theta: the gradient after such a step is bounded without a read (`reads`),
and the bounds of one step after another add up until one is too large, and a read takes their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from math import log

import numpy as np

from ..expansion import DOUBLE
from ..inner import inner, outside
from ..objective import NO_HESSIAN, Objective, Point
from .newton import EPS, SUFFICIENT, Solution, borne_precision, newton, warm_start
from .reads import hessian_price, without_a_read
from .regular_hessian import RegularHessian
from .secant import secant_pair, secant_step

STALE = 0.1
"""Shrinkage of the gradient by a step above which the Hessian is formed at the next point."""

PLAIN = 0.05
"""Shrinkage that is usual, before a step of an alpha has shown its own."""

STEPS_AFTER = 2
"""Steps that lead to the optimum once a Hessian was formed beside it."""

PAIRS = 12
"""Secant pairs kept."""


class _Path:
    """The last point of the path, the losses' Hessian and where it was formed, and differences of the losses' gradients since.

    `error` bounds that of the point's gradient, entry by entry: zero where it was read.
    """

    def __init__(self, point: Point, penalty: np.ndarray) -> None:
        self.point, self.penalty = point, penalty
        self.losses = np.empty((0, 0))
        self.at, self.precision = point.theta, DOUBLE
        self.error: np.ndarray | float = 0.0
        self.differences: list[tuple[np.ndarray, np.ndarray]] = []

    def factored(self, N: np.ndarray) -> RegularHessian:
        """The losses' Hessian and the penalty, as of the point where it was formed."""
        return RegularHessian(self.losses + np.diag(self.penalty), N, at=self.at, precision=self.precision)

    def move(self, point: Point, error: np.ndarray | float = 0.0) -> None:
        """To another point of the same objective."""
        step = point.theta - self.point.theta
        if point.hessian.size:
            self.losses = point.hessian - np.diag(self.penalty)
            self.at, self.precision = point.theta, point.precision
            self.differences.clear()
        elif np.all(error == 0) and np.all(self.error == 0):
            self.differences.append((step, point.gradient - self.point.gradient - self.penalty * step))
            del self.differences[:-PAIRS]
        self.point, self.error = point, error

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
        Of a self-concordant loss; its own penalty is not used.
    alphas : ndarray of shape (k,)
    theta : ndarray of shape (m,)
    tol : float
        Largest entry of the gradient, divided by the total weight, at which to stop.
    max_iter : int
        Steps per alpha.

    Notes
    -----
    For the first alpha a fit; then none to four reads per alpha, m^3 / 3 flops, and a Hessian (n m (m + 1) flops) where it pays.
    """
    first = objective.penalised(float(alphas[0]))
    start, factor = warm_start(first, theta)
    found = newton(first, start, tol=tol, max_iter=max_iter, factor=factor)
    yield found
    if len(alphas) == 1:
        return
    path = _Path(found.point, first.penalty)
    path.move(first.expand(found.point.theta, 2))
    for k, alpha in enumerate(alphas[1:], 1):
        here = objective.penalised(float(alpha))
        path.penalise(here.penalty)
        to_come = [objective.penalised(float(later)).penalty for later in alphas[k + 1 : k + 2]]
        solution = _correct(here, path, tol, max_iter, to_come[0] if to_come else None, len(alphas) - k - 1)
        if not solution.converged:  # from the point it came to, with every safeguard
            steps = solution.n_iter
            solution = newton(here, path.point.theta, tol=tol, max_iter=max_iter)
            solution = replace(solution, n_iter=steps + solution.n_iter)
            path.move(here.expand(solution.point.theta, 2))
        yield solution


def _correct(
    objective: Objective, path: _Path, tol: float, max_iter: int, following: np.ndarray | None, to_come: int
) -> Solution:
    """Steps until the gradient is within `tol`; not converged if one had to be cut. `following` is the next of the penalties to come."""
    N = objective.gauge(np.diag(path.losses) + path.penalty)
    factor, shrinkage = None, PLAIN
    for iteration in range(max_iter + 1):
        point = path.point
        steepness = objective.steepness(replace(point, gradient=np.abs(point.gradient) + path.error))
        if steepness <= tol:
            return Solution(point, factor, iteration, True, error=path.error)
        if factor is None or point.hessian.size:
            factor = path.factored(N)
        plain = outside(N, -factor.solve(point.gradient))
        end = without_a_read(objective, point, factor, plain, tol, known=path.error, scaled=True)
        if end is not None:
            path.move(*end)
            return Solution(end[0], factor, iteration + 1, True, error=end[1])
        pairs = [secant_pair(s, y + path.penalty * s) for s, y in path.differences]
        step = outside(N, -secant_step(point.gradient, [pair for pair in pairs if pair], factor.solve))
        slope = inner(point.gradient, step)
        precision = borne_precision(factor)
        price = hessian_price(objective, precision)
        steps = log(max(steepness / tol, 1.0)) / -log(shrinkage) if shrinkage < 1 else np.inf
        anew = shrinkage > STALE or steps > STEPS_AFTER + price
        if not anew and to_come > price and following is not None:
            anew = _proves_the_next(objective, factor, point, outside(N, -factor.solve((following - path.penalty) * point.theta)), tol)
        trial = objective.expand(point.theta + step, 2 if anew else 1, precision)
        noise = 8 * EPS * abs(point.value) + float(np.sum(path.error * np.abs(step)))
        if not trial.value <= point.value + SUFFICIENT * slope + noise:
            return Solution(point, None, iteration, False)
        shrinkage = objective.steepness(trial) / steepness
        path.move(trial)
    return Solution(path.point, None, max_iter, False)


def _proves_the_next(objective: Objective, factor: RegularHessian, point: Point, step: np.ndarray, tol: float) -> bool:
    """Whether Euler's step to the next penalty would need no read, if the Hessian were formed here."""
    here = copy(factor)
    here.at = point.theta
    arrived = replace(point, gradient=-np.einsum("ij,j->i", factor.matrix, step))
    return without_a_read(objective, arrived, here, step, tol, scaled=True) is not None
