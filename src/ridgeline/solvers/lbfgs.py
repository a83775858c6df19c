"""L-BFGS, preconditioned where that pays: for objectives whose Hessian is dear, or does not fit in memory.

Every loss here has a bounded curvature, l'' <= kappa, so the Hessian is below  P = kappa Z'SZ + penalty  (per output; Böhning 1992, Ann.
Inst. Statist. Math. 44, for the softmax), and one factor of P serves all outputs.  With a single output the Hessian itself costs no more
than Z'SZ and takes its place.  Either guess stands under the secant pairs for all steps, is formed in float32, for an error in it moves no
optimum, and of some of the rows: of every k-th, it is right to about (p k / n)^(1/2), and steps shrink by no less.  `Price` weighs what
it costs against the steps it saves, and chooses k.

Columns that are nearly independent want no more than their sizes: the diagonal of P comes first, unless P is cheap, and P when the
gradient has shrunk too slowly.  Steps of 1 then rarely overshoot, and a backtracking search suffices.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import log

import numpy as np

from ..inner import inner
from ..objective import Objective, Point
from .newton import EPS, SUFFICIENT, Solution, rounding
from .reads import slope_in_columns
from .regular_hessian import RegularHessian
from .secant import SecantPair, secant_pair, secant_step

SINGLE = np.dtype(np.float32)

MEMORY = 40
"""Pairs kept by the two-loop recursion: 4 m flops each, where a read takes 4 n m,"""

SHORT_MEMORY = 10
"""and where columns outnumber rows: classes then separate, and curvature dies away so fast that old pairs mislead."""

GRAM_LIMIT = 6000
"""Columns up to which P is formed; above, only its diagonal."""

STRIDES = (1, 2, 3, 5, 7, 11, 17, 29, 61)
"""Of the rows that P may come from; primes, so that no usual period of the rows is in step with them."""

COLUMNS_PER_PASS = 52
"""Columns of which P costs as much as a pass for the gradient with one output,"""

PER_OUTPUT = 9
"""and how many more for each further output."""

FACTOR = 2.0
"""Rows per column, the cost of whose P is that of its factor."""

SHRINKAGE = 0.1
"""Of the gradient per step, with P of all rows: what a curvature that varies over the rows leaves to the secant pairs."""

DECADES = 7.0
"""By which a fit brings the gradient down."""

CHEAP = 3.0
"""Passes that P may cost to be formed at once."""

LOOK = 4
"""Steps with the diagonal alone, before their progress is judged."""


def gram_passes(p: int, outputs: int) -> float:
    """What Z'SZ of p columns costs, in passes for the gradient of so many outputs."""
    return p / (COLUMNS_PER_PASS + PER_OUTPUT * (outputs - 1))


@dataclass(frozen=True)
class Price:
    """What P costs, in passes, at the stride at which it and the steps that it then takes cost least."""

    stride: int
    passes: float
    steps: float

    @staticmethod
    def of(objective: Objective) -> Price:
        p, n = objective.coordinates.width, max(objective.rows, 1)
        whole = gram_passes(p, objective.loss.outputs)
        prices = []
        for stride in STRIDES:
            error = max((p * stride / n) ** 0.5, SHRINKAGE)
            if error < 1 or stride == 1:
                steps = DECADES * log(10) / -log(min(error, 0.9))
                prices.append(Price(stride, whole * (1 / stride + FACTOR * p / n), steps))
        return min(prices, key=lambda price: price.passes + price.steps)


class DiagonalPreconditioner:
    """The inverse of P's diagonal, for every output.

    Times (1 + (p / n)^(1/2))^2, the largest eigenvalue of the Gram of n rows of p independent columns of unit variance, divided by n
    (Marchenko and Pastur 1967): without it the first step for few rows goes far too far.
    """

    def __init__(self, objective: Objective) -> None:
        self.outputs, p = objective.loss.outputs, objective.coordinates.width
        spread = (1 + (p / objective.rows) ** 0.5) ** 2
        diagonal = spread * objective.loss.curvature * objective.squares() + objective.penalty[:p]
        self.inverse = 1 / np.where(diagonal > 0, diagonal, 1)

    def __call__(self, g: np.ndarray) -> np.ndarray:
        return (g.reshape(self.outputs, -1) * self.inverse).ravel()


class GramPreconditioner:
    """P^-1 for the rows of theta (c, p), by one p x p factor of every `stride`-th row; with one output that of the Hessian at `theta`."""

    def __init__(self, objective: Objective, theta: np.ndarray, stride: int = 1) -> None:
        self.outputs, p = objective.loss.outputs, objective.coordinates.width
        part = objective.sampled(stride) if stride > 1 else objective
        if part is None:
            part, stride = objective, 1
        if self.outputs == 1:
            P = stride * part.expand(theta, 2, SINGLE).hessian
        else:
            P = stride * objective.loss.curvature * part.gram(SINGLE) + np.diag(objective.penalty[:p])
        P[np.diag_indices(p)] += 1e-12 * np.trace(P) / max(p, 1)
        self.factor = RegularHessian(P, np.zeros((p, 0)))

    def __call__(self, g: np.ndarray) -> np.ndarray:
        rows = g.reshape(self.outputs, -1)
        return (self.factor.scale * self.factor.factor.solve(rows * self.factor.scale)).ravel()


def lbfgs(objective: Objective, theta: np.ndarray, *, tol: float, max_iter: int) -> Solution:
    """Minimise the objective from theta (no shared parameters).

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (m,)
    tol : float
        Largest entry of the gradient, divided by the total weight, that counts as converged: in the given columns where those are
        between 1 and `LARGE` in range, else in columns brought there.
    max_iter : int

    Notes
    -----
    One read and 4 n p c flops per step; n p (p + 1) flops in float32, or a fraction of them, where P is formed.
    """
    price = Price.of(objective)
    formed = objective.coordinates.width <= GRAM_LIMIT and price.passes <= CHEAP
    point = objective.expand(theta, 1)
    if not np.isfinite(point.value):
        return Solution(point, None, 0, False)
    first = slope_in_columns(objective, point)
    precondition = GramPreconditioner(objective, theta, price.stride) if formed else DiagonalPreconditioner(objective)
    pairs: deque[SecantPair] = deque(maxlen=MEMORY if objective.rows > objective.coordinates.width else SHORT_MEMORY)
    for iteration in range(max_iter):
        steepness = slope_in_columns(objective, point)
        if steepness <= tol or objective.steepness(point) <= rounding(objective, point):
            return Solution(point, None, iteration, True)
        if not formed and iteration >= LOOK and objective.coordinates.width <= GRAM_LIMIT:
            formed = _steps_left(iteration, first, steepness, tol) > price.passes + price.steps
            precondition = GramPreconditioner(objective, point.theta, price.stride) if formed else precondition
        step = -secant_step(point.gradient, pairs, precondition, rescale=True)
        slope = inner(point.gradient, step)
        if not slope < 0:
            pairs.clear()
            step = -precondition(point.gradient)
            slope = inner(point.gradient, step)
        trial = _shortened(objective, point, step, slope)
        if trial is None:
            return _stuck(objective, point, iteration, tol)
        pair = secant_pair(trial.theta - point.theta, trial.gradient - point.gradient)
        if pair:
            pairs.append(pair)
        elif slope_in_columns(objective, trial) >= steepness:
            return _stuck(objective, point, iteration, tol)
        point = trial
    return Solution(point, None, max_iter, slope_in_columns(objective, point) <= tol)


def _shortened(objective: Objective, point: Point, step: np.ndarray, slope: float) -> Point | None:
    """The first of t = 1, 1/2, ... at which F falls enough, None if it does not at any length that matters."""
    t, noise = 1.0, 8 * EPS * abs(point.value)
    while t >= 1e-12:
        trial = objective.expand(point.theta + t * step, 1)
        if trial.value <= point.value + SUFFICIENT * t * slope + noise:
            return trial
        t *= 0.5
    return None


def _stuck(objective: Objective, point: Point, iteration: int, tol: float) -> Solution:
    """Where no step leads further: the optimum if what is left of the gradient is within `tol`, or rounding."""
    arrived = objective.steepness(point) <= max(tol, rounding(objective, point))
    return Solution(point, None, iteration, arrived)


def _steps_left(taken: int, first: float, now: float, wanted: float) -> float:
    """At the rate at which the gradient has shrunk so far."""
    return taken * log(now / wanted) / log(first / now) if now < first else np.inf
