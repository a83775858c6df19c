"""L-BFGS, preconditioned by the Gram: for objectives whose Hessian does not fit in memory, or is dear.

Every loss here has a bounded curvature, l'' <= kappa, so the Hessian is below  P = kappa Z'SZ + penalty  (per output; Böhning 1992, Ann.
Inst. Statist. Math. 44, for the softmax).  One factor of P serves all outputs and all steps as the first guess under the
secant pairs; a step of 1 never overshoots badly, and a secant backtracking suffices.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from ..objective import Objective
from .newton import EPS, SUFFICIENT, RegularHessian, Solution
from .secant import SecantPair, secant_pair, secant_step

MEMORY = 20
"""Pairs kept by the two-loop recursion."""

GRAM_LIMIT = 6000
"""Columns up to which the Gram is formed for the preconditioner; above, only its diagonal."""


class GramPreconditioner:
    """P^-1 for the rows of theta (c, p): one p x p factor, or its diagonal above `GRAM_LIMIT` columns."""

    def __init__(self, objective: Objective) -> None:
        self.outputs, self.p = objective.loss.outputs, objective.coordinates.width
        kappa, penalty = objective.loss.curvature, objective.penalty[: self.p]
        self.factor = None
        if self.p <= GRAM_LIMIT:
            P = kappa * objective.gram() + np.diag(penalty)
            P[np.diag_indices(self.p)] += 1e-12 * np.trace(P) / self.p
            self.factor = RegularHessian(P, np.zeros((self.p, 0)))
        else:
            self.diagonal = kappa * objective.weight * objective.reach**2 / 4 + penalty

    def __call__(self, g: np.ndarray) -> np.ndarray:
        rows = g.reshape(self.outputs, self.p)
        if self.factor is None:
            return (rows / np.where(self.diagonal > 0, self.diagonal, 1)).ravel()
        return (self.factor.scale * self.factor.factor.solve(rows * self.factor.scale)).ravel()


def lbfgs(objective: Objective, theta: np.ndarray, *, tol: float, max_iter: int) -> Solution:
    """Minimise the objective from theta (no shared parameters).

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (m,)
    tol : float
        Largest entry of the gradient, divided by the total weight, at which to stop.
    max_iter : int

    Notes
    -----
    One read for the preconditioner (n p (p + 1) flops), then one read and 4 n p c flops per step.
    """
    precondition = GramPreconditioner(objective)
    point = objective.expand(theta, 1)
    pairs: deque[SecantPair] = deque(maxlen=MEMORY)
    for iteration in range(max_iter):
        if objective.steepness(point) <= tol:
            return Solution(point, None, iteration, True)
        step = -secant_step(point.gradient, pairs, precondition, rescale=True)
        slope = float(point.gradient @ step)
        if not slope < 0:
            pairs.clear()
            step = -precondition(point.gradient)
            slope = float(point.gradient @ step)
        t, noise = 1.0, 8 * EPS * abs(point.value)
        while True:
            trial = objective.expand(point.theta + t * step, 1)
            if trial.value <= point.value + SUFFICIENT * t * slope + noise:
                break
            if t < 1e-12:
                return Solution(point, None, iteration, False)
            t *= 0.5
        s, y = trial.theta - point.theta, trial.gradient - point.gradient
        pair = secant_pair(s, y)
        if pair:
            pairs.append(pair)
        elif objective.steepness(trial) >= objective.steepness(point):
            return Solution(point, None, iteration, False)
        point = trial
    return Solution(point, None, max_iter, objective.steepness(point) <= tol)

