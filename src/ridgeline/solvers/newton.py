"""Newton's method with a safeguarded step, for objectives whose Hessian fits in memory.

    H n = -g,   theta <- theta + t n,   t = 1, 1/2, 1/4, ... until F falls enough (Armijo 1966)

A Hessian is formed anew where that pays.  Once steps shrink fast, the last factor serves for the steps that follow, bettered by what the
gradients have shown since (secant pairs, in the two-loop recursion of L-BFGS with the factor in the middle); each then costs a read of
the data and no Hessian.  `_worth_a_hessian` compares the two, for losses whose curvature changes smoothly.

Directions that the objective cannot see (a gauge, dependent columns) are found once and kept out: with an orthonormal basis N of them,
H + N N' is regular where H was not, and gives the same step, since N'g = 0.

Where steps had to be cut short, the Hessian says too little (Huber's loss with few rows in its quadratic part): it is then damped,
H + mu D, with mu rising while steps are cut and falling while they are not.

It stops when a full step no longer changes theta to nine digits: the convergence is quadratic, so the point it arrives at is right to
rounding.  A gradient that is small because every probability is 0 or 1 does not look like that, and is not taken for an optimum:
while steps stay long, their direction is tested for being one on which the loss only falls (Albert and Anderson 1984, Biometrika 71).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log, log2

import numpy as np

from ..objective import Objective, Point
from ..ranges import power_of_two_scale
from .cholesky import CholeskyFactor
from .secant import SecantPair, secant_pair, secant_step

EPS = float(np.finfo(float).eps)


STEP = EPS**0.5 / 16
"""A relative step whose square is below rounding."""


STALLED = 1e-5
"""A relative step that, where the gradient is small and no longer falls, is rounding magnified by the condition, and no way to infinity."""

SEPARATION = 1e-11
"""Sum of losses' recession along a direction, beside the sum of movements, that rounding can explain."""

GAUGE = 1e-6
"""The part of a unit direction outside the gauge at which it is a direction of its own."""

FIRST_DAMPING = 1e-3
"""Damping, beside a unit diagonal, after the first step that was cut to less than a fifth."""

FLAT = 1e-9
"""A relative change of F that says less about a step than its slopes do."""

SUFFICIENT = 1e-4
"""Armijo's fraction of the predicted decrease."""


COLUMNS_PER_READ = 32
"""Parameters whose Hessian costs as much as the read of the rows that it goes with."""

UNREAD = 1 << 20
"""Entries of X that are read in the time of all else that a step does; below, a Hessian comes nearly free."""

SAMPLES = (61, 7)
"""Strides of the samples that a fit starts from; primes, so that no usual period of the rows is in step with them."""

FAR_BELOW = 1e-3
"""Of `tol`: a gradient that is worth no further read of many rows once a step changes no more than the tenth digit."""

ROWS_PER_PARAMETER = 5
"""Rows that a sample must have at least, per parameter,"""

LEAST_SIZE = 100
"""and as many as for this number of parameters."""

SAMPLE_STEPS = 12

ROUGH = 0.02
"""A relative step whose square is below the error of a sample."""

REGULAR = 1e-10
"""rcond of a sample's Hessian above which the rows of the whole leave no direction open."""

SAMPLE_ERROR = 1.5
"""Beside (parameters / rows)^(1/2): the relative error of a sample's optimum and of its Hessian, for planning."""

SLOW = 0.9
"""Shrinkage of the gradient, or size of a step, above which only a new Hessian will do."""

SECANTS_PAY = 0.7
"""Steps with secant pairs, beside those that the factor alone would take."""


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
    """

    point: Point
    factor: RegularHessian | None
    n_iter: int
    converged: bool
    runaway: np.ndarray | None = None
    null_space: np.ndarray | None = None


class RegularHessian:
    """H + N N' in scaled coordinates (unit diagonal to a power of two), factored; a shift is added if it is not positive.

    Parameters
    ----------
    H : ndarray of shape (m, m)
    N : ndarray of shape (m, k)
        Directions that H does not see.
    at : ndarray of shape (m,), optional
        Where H was formed, for those who ask.
    damping : float
        A multiple of the scaled identity to add (Levenberg 1944), for a step that stays where the model holds.
    size : float
        The order of a curvature, for parameters in which H has none.

    Attributes
    ----------
    hidden : ndarray of shape (m, k)
        N.
    share : float
        The part of the rows that H was summed over, 1 for all: `solve` takes H / share for the whole, and H itself, since no row takes
        curvature away, is a bound on it from below.
    """

    def __init__(
        self, H: np.ndarray, N: np.ndarray, damping: float = 0.0, size: float = 1.0, at: np.ndarray | None = None
    ) -> None:
        m = len(H)
        self.at = at
        self.hidden = N
        self.share = 1.0
        diagonal = np.where(np.diag(H) > 0, np.diag(H), size)
        self.scale = power_of_two_scale(np.sqrt(diagonal))
        A = H * self.scale * self.scale[:, None]
        if N.shape[1]:
            Q, _ = np.linalg.qr(N / self.scale[:, None])
            A += Q @ Q.T
        self.shift = damping
        self.factor = CholeskyFactor(A + damping * np.eye(m) if damping else A)
        self.rcond = self.factor.rcond
        while self.factor.rcond < m * EPS and self.shift < 1e3:
            self.shift = max(self.shift * 100, 64 * m * EPS)
            self.factor = CholeskyFactor(A + self.shift * np.eye(m))
        self.norm = self.factor.norm

    def solve(self, g: np.ndarray) -> np.ndarray:
        return self.share * self.scale * self.factor.solve(self.scale * g)

    def whiten(self, g: np.ndarray) -> float:
        """(g' H^-1 g)^(1/2), of the H that was summed."""
        return self.factor.whiten(self.scale * g)


def unseen_directions(objective: Objective, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal bases (m, k) of the directions that H does not see, and of those of them that the data leave open.

    The first has the gauge, where the penalty on it is nothing or faint; there the minimum is known.  Other candidates are
    eigenvectors of the scaled Hessian with eigenvalues at rounding level; each is tried on the rows themselves (an eigenvalue of
    1e-16 may be a singular value of 1e-8 of the columns, which is small but is not nothing).
    """
    m = len(H)
    gauge = objective.gauge(np.diag(H))
    first = RegularHessian(H, gauge)
    if first.rcond > 64 * m * EPS:
        return gauge, np.zeros((m, 0))
    scale = power_of_two_scale(np.sqrt(np.maximum(np.diag(H), 0)))
    A = H * scale * scale[:, None]
    if gauge.shape[1]:
        Q, _ = np.linalg.qr(gauge / scale[:, None])
        A += Q @ Q.T
    values, vectors = np.linalg.eigh(A)
    known = objective.gauge()
    hidden, found = list(gauge.T), []
    for vector in vectors[:, values < 64 * m * EPS * values[-1]].T:
        direction = scale * vector
        reach = objective.movement(direction)
        if reach == 0 or objective.along(direction).largest <= 64 * m * EPS * reach:
            direction /= max(np.linalg.norm(direction), 1e-300)
            hidden.append(direction)
            if np.linalg.norm(direction - known @ (known.T @ direction)) > GAUGE:
                found.append(direction)
    return _orthonormal(hidden, m), _orthonormal(found, m)


def _orthonormal(vectors: list[np.ndarray], size: int) -> np.ndarray:
    return np.linalg.qr(np.array(vectors).T)[0] if vectors else np.zeros((size, 0))


def newton(
    objective: Objective,
    theta: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    factor: RegularHessian | None = None,
    rough: bool = False,
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
    rough : bool
        Stop where a step no longer changes two digits, without another look.

    Notes
    -----
    At most one read of the data and n m (m + 1) + m^3 / 3 flops per iteration (one more read per halving of a step, which is rare).
    """
    gauge = objective.gauge()
    damping, shrinkage, order = 0.0, np.inf, 2
    if factor is not None:
        shrinkage = SAMPLE_ERROR * (objective.size / (factor.share * objective.rows)) ** 0.5
        order = 2 if _worth_a_hessian(objective, shrinkage, shrinkage) else 1
    point = objective.expand(theta - gauge @ (gauge.T @ theta), order)
    if not np.isfinite(point.value):
        return Solution(point, None, 0, False)
    if order == 2:
        N, blind = unseen_directions(objective, point.hessian)
    else:
        assert factor is not None
        N, blind = factor.hidden, np.zeros((objective.size, 0))  # the sample has no others
    pairs: list[SecantPair] = []
    steepness = np.inf
    for iteration in range(1, max_iter + 1):
        if factor is None or point.hessian.size:
            factor = RegularHessian(point.hessian, N, damping, objective.weight, point.theta)
            pairs.clear()
        g = point.gradient - N @ (N.T @ point.gradient)
        step = -secant_step(g, pairs, factor.solve)
        step -= N @ (N.T @ step)
        slope = float(g @ step)
        size = objective.movement(step) / max(1.0, objective.movement(point.theta))
        if not np.isfinite(size):
            return Solution(point, factor, iteration - 1, False, null_space=blind)
        noise = 8 * EPS * abs(point.value)
        if factor.share < 1 and size <= STEP and objective.steepness(point) <= FAR_BELOW * tol:
            return Solution(point, factor, iteration, True, null_space=blind)
        if (damping == 0 and size <= STEP) or -slope <= EPS * noise:
            last = objective.expand(point.theta + step, 1)
            final = last if objective.steepness(last) <= objective.steepness(point) else point
            ok = objective.steepness(final) <= max(tol, rounding(objective, final))
            return Solution(final, factor, iteration, ok, null_space=blind)
        steepness, before = objective.steepness(point), steepness
        if size <= STALLED and before / 2 < steepness <= tol:
            return Solution(point, factor, iteration, True, null_space=blind)
        if rough and damping == 0 and size <= ROUGH:
            return Solution(replace(point, theta=point.theta + step), factor, iteration, True, null_space=blind)
        if iteration >= 8 and point.hessian.size and _runs_away(objective, point, step):
            return Solution(point, factor, iteration, False, runaway=step, null_space=blind)
        order = 2 if damping or _worth_a_hessian(objective, size, shrinkage) else 1
        t = 1.0
        while True:
            trial = objective.expand(point.theta + t * step, order)
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
            shrinkage = factor.whiten(trial.gradient - N @ (N.T @ trial.gradient)) / factor.whiten(g)
        if order == 1:
            pair = secant_pair(trial.theta - point.theta, trial.gradient - point.gradient)
            pairs += [pair] if pair else []
        point = trial
    return Solution(point, factor, max_iter, False, null_space=blind)


def _worth_a_hessian(objective: Objective, size: float, shrinkage: float) -> bool:
    """Whether a Hessian at the next point will save more reads than it costs.

    Without one, each read multiplies what is left by about the shrinkage of the gradient over the last step; with one, it is squared.
    """
    if not objective.loss.self_concordant or not shrinkage < SLOW or not size < SLOW:
        return True
    left = log(STEP) / log(size)  # how many times the digits at hand are wanted
    squarings = max(ceil(log2(left)), 1) if left > 1 else 1
    steps = SECANTS_PAY * log(STEP / size) / log(max(shrinkage, STEP)) if size > STEP else 1
    entries = objective.rows * objective.coordinates.width
    price = objective.size / COLUMNS_PER_READ * entries / (entries + UNREAD)
    return steps > squarings * (1 + price)


def warm_start(objective: Objective, theta: np.ndarray) -> tuple[np.ndarray, RegularHessian | None]:
    """The minimum of a sixtieth of the rows, then of a seventh, as far as those are enough rows to say something; else theta.

    With it comes the factor of the last Hessian, if it is regular.

    The error of a start falls with the root of the rows it comes from, and the rows' reads with their number: what is left to the whole
    of the rows is two or three steps.
    """
    factor = None
    if not objective.loss.self_concordant:
        return theta, factor
    for stride in SAMPLES:
        if objective.rows < stride * ROWS_PER_PARAMETER * max(objective.size, LEAST_SIZE):
            continue
        part = objective.sampled(stride)
        if part is None:
            break
        found = newton(part, theta, tol=ROUGH, max_iter=SAMPLE_STEPS, rough=True)
        objective.source.reads += -(-part.source.reads // stride)
        if found.converged and found.factor is not None:
            theta, factor = found.point.theta, found.factor
            usable = factor.shift == 0 and factor.rcond > REGULAR and found.null_space is not None and not found.null_space.size
            factor.share = 1 / stride
            factor = factor if usable else None
    return theta, factor


def examine(objective: Objective, solution: Solution) -> Solution:
    """What a solver without Hessians did not see where it stopped: blind directions, a factor, a runaway.

    One read, and one more per direction to try on the rows.
    """
    point = objective.expand(solution.point.theta, 2)
    N, blind = unseen_directions(objective, point.hessian)
    factor = RegularHessian(point.hessian, N, at=point.theta)
    step = -factor.solve(point.gradient)
    runaway = step if _runs_away(objective, point, step) else None
    return replace(
        solution, point=point, factor=factor, null_space=blind, runaway=runaway, converged=runaway is None
    )


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
    return close and abs(float(trial.gradient @ step)) <= 0.5 * abs(slope)


def rounding(objective: Objective, point: Point) -> float:
    """A gradient (per unit of weight) that rounding alone can leave.

    Slopes are bounded by the loss per unit of movement, and change by the curvature times the rounding of the predictions.
    """
    blur = 8 * objective.loss.curvature * objective.movement(point.theta)
    return EPS * (64 * max(1.0, abs(point.value) / objective.weight) + blur)


def _unpenalised(objective: Objective, step: np.ndarray) -> bool:
    """Whether the penalty leaves the direction free."""
    return float(np.abs(objective.penalty * step).max(initial=0.0)) == 0.0
