"""Newton's method with a safeguarded step, for objectives whose Hessian fits in memory.

    H n = -g,   theta <- theta + t n,   t = 1, 1/2, 1/4, ... until F falls enough (Armijo 1966)

A Hessian is formed anew where that pays.  Once steps shrink fast, the last factor serves for the steps that follow, bettered by what the
gradients have shown since (secant pairs, in the two-loop recursion of L-BFGS with the factor in the middle); each then costs a read of
the data and no Hessian.  `reads` compares the two, for losses whose curvature changes smoothly, and saves the read after the last step.

Products in single precision take half the time, and an error in a Hessian moves no optimum: where the Hessian of a sample shows that their
rounding spoils little of a step even in the direction of least curvature, Hessians of more rows are formed so.  What they then prove
allows for it.

Directions that the objective cannot see (a gauge, dependent columns) are found once and kept out (`regular_hessian`).

Where steps had to be cut short, the Hessian says too little (Huber's loss with few rows in its quadratic part): it is then damped,
H + mu D, with mu rising while steps are cut and falling while they are not.

It stops when a full step no longer changes theta to nine digits: the convergence is quadratic, so the point it arrives at is right to
rounding.  A gradient that is small because every probability is 0 or 1 does not look like that, and is not taken for an optimum:
while steps stay long, their direction is tested for being one on which the loss only falls (Albert and Anderson 1984, Biometrika 71).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..expansion import DOUBLE
from ..inner import inner, outside
from ..objective import Objective, Point
from .reads import BEND, DIGITS, STEP, without_a_read, worth_a_hessian
from .regular_hessian import BORNE, SINGLE, RegularHessian, unseen_directions
from .secant import SecantPair, secant_pair, secant_step

EPS = float(np.finfo(float).eps)

STALLED = 1e-5
"""A relative step that, where the gradient is small and no longer falls, is rounding magnified by the condition, and no way to infinity."""

SEPARATION = 1e-11
"""Sum of losses' recession along a direction, beside the sum of movements, that rounding can explain."""

FIRST_DAMPING = 1e-3
"""Damping, beside a unit diagonal, after the first step that was cut to less than a fifth."""

FLAT = 1e-9
"""A relative change of F that says less about a step than its slopes do."""

SUFFICIENT = 1e-4
"""Armijo's fraction of the predicted decrease."""

SAMPLES = (61, 7)
"""Strides of the samples that a fit starts from; primes, so that no usual period of the rows is in step with them."""

FAR_BELOW = 1e-3
"""Of `tol`: a gradient that is worth no further read of many rows once a step changes no more than the tenth digit."""

ROWS_PER_PARAMETER = 5
"""Rows that a sample must have at least, per parameter,"""

LEAST_SIZE = 100
"""and as many as for this number of parameters."""

SAMPLE_STEPS = 12

LARGEST_ROUGH = 0.2
"""A relative step after which a sample is not worth another look, if its square is below the error of the sample."""

REGULAR = 1e-10
"""rcond of a sample's Hessian above which the rows of the whole leave no direction open."""

SAMPLE_ERROR = 1.5
"""Beside (parameters / rows)^(1/2): the relative error of a sample's optimum and of its Hessian, for planning."""


@dataclass(frozen=True)
class Solution:
    """Where a solver stopped.

    Attributes
    ----------
    point : Point
        Parameters, value and gradient there.
    factor : RegularHessian or None
        The last Hessian factored, at the point or one short step from it.
    n_iter : int
    converged : bool
    runaway : ndarray or None
        A direction on which the objective falls forever.
    null_space : ndarray of shape (m, k)
        Directions that the data do not determine, beside the gauge.
    error : ndarray of shape (m,), or 0
        How far the gradient may be off, beside its rounding.
    condition : float
        Of the Hessian, where there is no factor that knows it.
    """

    point: Point
    factor: RegularHessian | None
    n_iter: int
    converged: bool
    runaway: np.ndarray | None = None
    null_space: np.ndarray | None = None
    error: np.ndarray | float = 0.0
    condition: float = np.nan


def newton(
    objective: Objective,
    theta: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    factor: RegularHessian | None = None,
    rough: float = 0.0,
    precision: np.dtype = DOUBLE,
) -> Solution:
    """Minimise the objective from theta.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (m,)
        Start; finite value there.
    tol : float
        Largest entry of the gradient, divided by the total weight, that counts as converged.
    max_iter : int
    factor : RegularHessian, optional
        Of a sample, for the first steps.
    rough : float
        A relative step with which to stop, without another look.
    precision : dtype
        Of the products that Hessians are summed from, while they bear it.

    Notes
    -----
    At most one read of the data and n m (m + 1) + m^3 / 3 flops per iteration (one more read per halving of a step, which is rare).
    """
    gauge = objective.gauge()
    damping, shrinkage, order = 0.0, np.inf, 2
    if factor is not None:
        shrinkage = SAMPLE_ERROR * (objective.size / (factor.share * objective.rows)) ** 0.5
        order = 2 if worth_a_hessian(objective, shrinkage, shrinkage, False, precision) else 1
    point = _expand(objective, outside(gauge, theta), order, precision)
    if not np.isfinite(point.value):
        return Solution(point, None, 0, False)
    made = None
    if order == 2:
        made = _factored(objective, point, gauge)
        if made.blur(precision) > BORNE and precision == SINGLE:
            point, precision = _expand(objective, point.theta, 2), DOUBLE
            made = _factored(objective, point, gauge)
        N, blind = unseen_directions(objective, made)
        made = made if N is gauge else None
    else:
        assert factor is not None
        N, blind = factor.hidden, np.zeros((objective.size, 0))  # the sample has no others
    pairs: list[SecantPair] = []
    steepness = np.inf
    for iteration in range(1, max_iter + 1):
        if factor is None or point.hessian.size:
            factor = made or _factored(objective, point, N, damping)
            if factor.blur(precision) > BORNE and precision == SINGLE:
                point, precision = _expand(objective, point.theta, 2), DOUBLE
                factor = _factored(objective, point, N, damping)
            pairs.clear()
        made = None
        g = outside(N, point.gradient)
        step = outside(N, -secant_step(g, pairs, factor.solve))
        slope = inner(g, step)
        size = objective.movement(step) / max(1.0, objective.movement(point.theta))
        if not np.isfinite(size):
            return Solution(point, factor, iteration - 1, False, null_space=blind)
        noise = 8 * EPS * abs(point.value)
        if factor.share < 1 and size <= STEP and objective.steepness(point) <= FAR_BELOW * tol:
            return Solution(point, factor, iteration, True, null_space=blind)
        single = factor.precision == SINGLE
        foreseen = BEND * size + single * factor.blur(SINGLE) if point.hessian.size else shrinkage
        if damping == 0 and size * foreseen <= DIGITS:
            end = without_a_read(objective, point, factor, step, tol)
            if end is not None:
                return Solution(end[0], factor, iteration, True, null_space=blind, error=end[1])
        if (damping == 0 and size <= STEP) or -slope <= EPS * noise:
            last = objective.expand(point.theta + step, 1)
            final = last if objective.steepness(last) <= objective.steepness(point) else point
            ok = objective.steepness(final) <= max(tol, rounding(objective, final))
            return Solution(final, factor, iteration, ok, null_space=blind)
        steepness, before = objective.steepness(point), steepness
        if size <= STALLED and before / 2 < steepness <= tol:
            return Solution(point, factor, iteration, True, null_space=blind)
        if damping == 0 and size <= rough:
            return Solution(replace(point, theta=point.theta + step), factor, iteration, True, null_space=blind)
        if iteration >= 8 and point.hessian.size and _runs_away(objective, point, step):
            return Solution(point, factor, iteration, False, runaway=step, null_space=blind)
        bent = BEND * size > rough**2 > 0  # the factor of a sample should be right to the error of the sample
        pays = worth_a_hessian(objective, size * foreseen, foreseen, factor.share == 1, precision)
        order = 2 if damping or bent or pays else 1
        t = 1.0
        while True:
            trial = _expand(objective, point.theta + t * step, order, precision)
            if trial.value <= point.value + SUFFICIENT * t * slope + noise or _flat(point, trial, step, slope):
                break
            if t * size < 64 * EPS:
                ok = objective.steepness(point) <= max(tol, rounding(objective, point))
                return Solution(point, factor, iteration, ok, null_space=blind)
            t *= 0.5
            order = 2
        damping = max(10 * damping, FIRST_DAMPING) if t < 0.2 else damping / 10 if damping > FIRST_DAMPING / 10 else 0.0
        shrinkage = np.inf
        if t == 1 and not damping and objective.loss.self_concordant:
            shrinkage = factor.whiten(outside(N, trial.gradient)) / factor.whiten(g)
        if order == 1:
            pair = secant_pair(trial.theta - point.theta, trial.gradient - point.gradient)
            pairs += [pair] if pair else []
        point = trial
    return Solution(point, factor, max_iter, False, null_space=blind)


def warm_start(objective: Objective, theta: np.ndarray) -> tuple[np.ndarray, RegularHessian | None]:
    """The minimum of a sixtieth of the rows, then of a seventh, as far as those are enough rows to say something; else theta.

    With it comes the factor of the last Hessian, if it is regular.  The loss is self-concordant: for one with a corner there is `corner`.

    The error of a start falls with the root of the rows it comes from, and the rows' reads with their number: what is left to the whole
    of the rows is two or three steps.
    """
    factor = None
    for stride in SAMPLES:
        if objective.rows < stride * ROWS_PER_PARAMETER * max(objective.size, LEAST_SIZE):
            continue
        part = objective.sampled(stride)
        if part is None:
            break
        rough = min((part.size / part.rows) ** 0.25, LARGEST_ROUGH)
        found = newton(part, theta, tol=rough, max_iter=SAMPLE_STEPS, rough=rough, precision=borne_precision(factor))
        objective.source.reads += -(-part.source.reads // stride)
        if found.converged and found.factor is not None:
            theta, factor = found.point.theta, found.factor
            usable = factor.shift == 0 and factor.rcond > REGULAR and found.null_space is not None and not found.null_space.size
            factor.share = 1 / stride
            factor = factor if usable else None
    return theta, factor


def borne_precision(factor: RegularHessian | None) -> np.dtype:
    """Single, if the Hessian of a sample shows that those of more rows, too, will bear products in it; they take half the time."""
    return SINGLE if factor is not None and factor.blur(SINGLE) <= BORNE / 2 else DOUBLE


def polish(objective: Objective, solution: Solution, *, tol: float, max_iter: int) -> Solution:
    """The last digits, and a factor that proves them, for what a solver without Hessians found.

    A Hessian of all rows there makes the step to the optimum; where a seventh of them are enough, their factor, and two or three reads.
    """
    theta, stride, factor = solution.point.theta, SAMPLES[-1], None
    enough = objective.rows >= stride * ROWS_PER_PARAMETER * max(objective.size, LEAST_SIZE)
    part = objective.sampled(stride) if enough else None
    if part is not None:
        H = _expand(part, theta, 2).hessian
        objective.source.reads += 1
        found = RegularHessian(H, objective.gauge(), at=theta)
        found.share = 1 / stride
        factor = found if found.shift == 0 and found.rcond > REGULAR else None
    better = newton(objective, theta, tol=tol, max_iter=max_iter, factor=factor, precision=borne_precision(factor))
    return replace(better, n_iter=solution.n_iter + better.n_iter) if better.converged else solution


def examine(objective: Objective, solution: Solution) -> Solution:
    """What a solver without Hessians did not see where it stopped: blind directions, a factor, a runaway.

    One read, and one more per direction to try on the rows.
    """
    point = _expand(objective, solution.point.theta, 2)
    N, blind = unseen_directions(objective, _factored(objective, point, objective.gauge()))
    factor = RegularHessian(point.hessian, N, at=point.theta)
    step = -factor.solve(point.gradient)
    runaway = step if _runs_away(objective, point, step) else None
    return replace(
        solution, point=point, factor=factor, null_space=blind, runaway=runaway, converged=runaway is None
    )


def _expand(objective: Objective, theta: np.ndarray, order: int, precision: np.dtype = DOUBLE) -> Point:
    """The point, its Hessian that across the gauge."""
    point = objective.expand(theta, order, precision)
    return replace(point, hessian=objective.across_gauge(point.hessian)) if order == 2 else point


def _factored(objective: Objective, point: Point, N: np.ndarray, damping: float = 0.0) -> RegularHessian:
    return RegularHessian(point.hessian, N, damping, objective.weight, point.theta, point.precision)


def _runs_away(objective: Objective, point: Point, step: np.ndarray) -> bool:
    """Whether a step is long, and along a direction on which the losses only fall."""
    size = objective.movement(step) / max(1.0, objective.movement(point.theta))
    if not size > 1e-3 or not _unpenalised(objective, step):
        return False
    ray = objective.along(step)
    return ray.movement > 0 and ray.recession <= SEPARATION * ray.movement


def _flat(point: Point, trial: Point, step: np.ndarray, slope: float) -> bool:
    """Whether the step is right by its slopes, where the values are too close together to tell.

    The approximate Wolfe conditions (Hager and Zhang 2005, SIAM J. Optim. 16): near the optimum F changes by the square of the step, and
    drowns in rounding long before its derivative along the step does.
    """
    close = trial.value <= point.value + FLAT * abs(point.value)
    return close and abs(inner(trial.gradient, step)) <= 0.5 * abs(slope)


def rounding(objective: Objective, point: Point) -> float:
    """A gradient (per unit of weight) that rounding alone can leave.

    Slopes are bounded by the loss per unit of movement, and change by the curvature times the rounding of the predictions.
    """
    blur = 8 * objective.loss.curvature * objective.movement(point.theta)
    return EPS * (64 * max(1.0, abs(point.value) / objective.weight) + blur)


def _unpenalised(objective: Objective, step: np.ndarray) -> bool:
    """Whether the penalty leaves the direction free."""
    return float(np.abs(objective.penalty * step).max(initial=0.0)) == 0.0
