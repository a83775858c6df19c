"""Which solver a fit uses: a readable table.

    loss                        parameters m    solver    why
    any but Huber's with scale  m > 2000        newton_cg of sparse rows: products with the Hessian cost what a gradient costs
    Huber's, fixed threshold    m > 150         lbfgs     its Hessian is another wherever rows cross the corner
    any                         m <= 250        newton    a Hessian of m^2 numbers is cheap, and six to twelve reads of the data suffice
    any                         m <= 600        newton    of 75 rows per parameter, 150 of a softmax: samples leave little to the whole
    logistic, softmax; alpha>0  more            lbfgs     a Hessian costs more passes than it saves; one Gram preconditions all outputs
    else                        m <= 2000       newton    curvature may jump or vanish: steps want the Hessian itself
    else                        more            lbfgs     the Hessian would be larger than what it is worth

Where m <= 2000 and L-BFGS gets stuck, or has taken as long as Newton's method would have, that goes on from its point: columns of raw
counts, of which some are nearly constant, can take L-BFGS thousands of steps. Up to 600 parameters a Hessian gives the last digits, and
proves them.
`python -m bench.auto` measures both sides of every boundary.

Newton's method starts from samples: `newton` for smooth losses, `corner` for those whose slope has a corner.

A squared loss is solved from its moments (`least_squares`); through the Gram of the rows where they are fewer than the columns (`dual`);
of many sparse rows and columns, by newton_cg (`wide`); ridge of one target and many columns through a Gram in single precision, or by
conjugate gradients, where the columns allow it (`without_moments`);
a quantile loss by an interior point (`interior_point`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..certificate import Certificate
from ..curvature import has_products
from ..objective import Objective, OutOfRange
from ..pointwise import Loss, PointwiseLoss
from ..sources import ArraySource, Source
from ..watch import OutOfTime, watch
from .certify import certify
from .corner import corner
from .lbfgs import gram_passes, lbfgs
from .newton import LEAST_SIZE, ROWS_PER_PARAMETER, SAMPLES, Solution, borne_precision, examine, newton, polish, warm_start
from .newton_cg import newton_cg
from .regular_hessian import BORNE, SINGLE

FEW_PARAMETERS = 250
"""Up to which Newton's method is as quick on any loss."""

FEW_WITH_A_CORNER = 150
"""The same for Huber's loss with a fixed threshold."""

MANY_ROWS = 75
"""Per parameter, from which Newton's method from samples is the quicker one up to `POLISH_LIMIT`: 10 reads where L-BFGS takes 20 to 35;"""

MANY_ROWS_OF_OUTPUTS = 150
"""where there are several outputs, whose Hessian is dearer."""

POLISH_LIMIT = 600
"""Up to which a Hessian for the last digits and their proof costs less than the search before it."""

NEWTON_LIMIT = 2000
"""Up to which it is for losses that nothing bends evenly, and the limit of proofs by a Hessian."""

NEWTON_STEPS = 8
"""That Newton's method takes from a point of L-BFGS, or somewhat more."""

METHODS = {
    "newton": "Newton with Cholesky ({why})",
    "newton_cg": "Newton with conjugate gradients ({why}, sparse rows)",
    "lbfgs": "preconditioned L-BFGS ({why})",
}

PROVEN = 1e-8
"""A bound on F - F*, beside F, that wants no better proof."""

STALE = 1e-4
"""A movement of predictions since the last Hessian after which another may prove more."""

VISIBLE = 1e-13
"""A movement of predictions by rounding the coefficients that is worth another read to certify."""


@dataclass(frozen=True)
class Minimum:
    """Coefficients (c, d) and intercepts (c,) in original columns, as returned to the user, and their certificate.

    `theta` is the same point in the solver's coordinates, with the shared parameters at its end.
    """

    coef: np.ndarray
    intercept: np.ndarray
    theta: np.ndarray
    n_iter: int
    certificate: Certificate


def posed(source: Source, loss: Loss, alpha: float, fit_intercept: bool) -> Objective:
    """F over a source for `minimise`: where Newton's method will start from samples, in a sample's coordinates, which saves a read."""
    size = source.n_features + fit_intercept
    rows = source.n_rows if isinstance(source, ArraySource) and isinstance(source.X, np.ndarray) else 0
    by_samples = size <= POLISH_LIMIT and rows >= SAMPLES[0] * ROWS_PER_PARAMETER * max(size, LEAST_SIZE)
    if by_samples and isinstance(source, ArraySource) and isinstance(loss, PointwiseLoss) and loss.self_concordant:
        return Objective.from_sample(source, loss, alpha, fit_intercept, SAMPLES[0])
    return Objective(source, loss, alpha, fit_intercept)


def minimise(
    objective: Objective, theta: np.ndarray, *, tol: float, max_iter: int, solver: str = "auto", remedy: str = ""
) -> Minimum:
    """Minimise by the solver of the table above, round to the precision of the data, and certify what is returned.

    Raises
    ------
    ValueError
        If the objective has no finite value at the start: an offset or a weight is too large for the format.
    """
    name, why = solver, "as asked"
    if solver == "auto":
        name = "newton" if objective.size <= _newton_limit(objective) else "lbfgs"
        if objective.size > NEWTON_LIMIT and has_products(objective):
            name = "newton_cg"
        why = f"{objective.size} parameters"
    method = METHODS[name].format(why=why)
    try:
        solution = _in_time(objective, lambda: _solve(name, objective, theta, tol, max_iter))
    except OutOfRange:
        before = objective.coordinates
        objective = Objective(objective.source, objective.loss, objective.alpha, before.fit_intercept)
        start = objective.coordinates.internal(*before.original(theta.reshape(objective.loss.outputs, -1)))
        return minimise(objective, start.ravel(), tol=tol, max_iter=max_iter, solver=solver, remedy=remedy)
    if solution is None:
        assert objective.best is not None  # the clock counts from the first point on
        solution = Solution(objective.best, None, objective.points - 1, False)
        remedy = "The time limit came first: raise time_limit."
    if not np.isfinite(solution.point.value):
        objective.source.check_finite()
        raise ValueError("the objective overflows at the start; scale the targets, weights or offsets down.")
    dtype = objective.source.dtype
    if solution.factor is None and solution.converged and objective.size <= NEWTON_LIMIT and not objective.alpha > 0:
        solution = examine(objective, solution)
    if solution.factor is None and solution.converged and objective.size <= POLISH_LIMIT and objective.loss.self_concordant:
        solution = polish(objective, solution, tol=tol, max_iter=max_iter)
    coef, intercept, solution, slip = _rounded(objective, solution, dtype)
    certificate = certify(objective, solution, slip, method, remedy)
    if _old_hessian(objective, solution) and certificate.suboptimality > PROVEN * solution.point.value / objective.weight:
        # the last word to a Hessian at the point itself: one Newton step more, and a proof
        steps = solution.n_iter
        solution = newton(objective, solution.point.theta, tol=tol, max_iter=max_iter)
        solution = replace(solution, n_iter=steps + solution.n_iter)
        coef, intercept, solution, slip = _rounded(objective, solution, dtype)
        certificate = certify(objective, solution, slip, method, remedy)
    return Minimum(coef, intercept, solution.point.theta, solution.n_iter, certificate)


def _newton_limit(objective: Objective) -> int:
    """Parameters up to which Newton's method is the quicker one."""
    if not objective.loss.self_concordant:
        return NEWTON_LIMIT if objective.loss.shared else FEW_WITH_A_CORNER
    if not objective.alpha > 0:
        return NEWTON_LIMIT
    enough = MANY_ROWS if objective.loss.outputs == 1 else MANY_ROWS_OF_OUTPUTS
    return POLISH_LIMIT if objective.rows >= enough * objective.size else FEW_PARAMETERS


def _solve(name: str, objective: Objective, theta: np.ndarray, tol: float, max_iter: int) -> Solution:
    if name == "newton":
        if not objective.loss.self_concordant:
            return corner(objective, theta, tol=tol, max_iter=max_iter)
        theta, factor = warm_start(objective, theta)
        return newton(objective, theta, tol=tol, max_iter=max_iter, factor=factor, precision=borne_precision(factor))
    if name == "newton_cg":
        return newton_cg(objective, theta, tol=tol, max_iter=max_iter)
    solution = lbfgs(objective, theta, tol=tol, max_iter=min(10 * max_iter, _patience(objective)))
    if solution.converged or objective.size > NEWTON_LIMIT or solution.n_iter >= 10 * max_iter:
        return solution
    go_on, steps = newton if objective.loss.self_concordant else corner, solution.n_iter
    solution = go_on(objective, solution.point.theta, tol=tol, max_iter=max_iter)
    return replace(solution, n_iter=steps + solution.n_iter)


def _patience(objective: Objective) -> int:
    """Steps of L-BFGS that cost as much as Newton's method: so both together cost no more than twice the quicker one."""
    m, c, p = objective.size, objective.loss.outputs, objective.coordinates.width
    if m > NEWTON_LIMIT:
        return sys.maxsize
    reads = c * (c + 1) / 2 * gram_passes(p, c) + m**2 / (12 * max(objective.rows, 1))  # m^3 / 3 flops beside 4 n m
    return math.ceil(NEWTON_STEPS * reads)


def _in_time(objective: Objective, solve: Callable[[], Solution]) -> Solution | None:
    """What `solve` returns, None if the time limit of the scope came first: the objective then has its best point."""
    scope = watch()
    objective.timed = True
    try:
        return solve()
    except OutOfTime:
        return None
    finally:
        objective.timed = False
        if scope is not None:
            scope.limited = False


def _old_hessian(objective: Objective, solution: Solution) -> bool:
    """Whether a solver converged on a Hessian of a sample, of a point far off, or of rounded products that prove little."""
    factor = solution.factor
    if not solution.converged or factor is None or factor.at is None:
        return False
    rounded = factor.precision == SINGLE and factor.off > BORNE
    return factor.share < 1 or rounded or objective.movement(factor.at - solution.point.theta) > STALE


def _rounded(
    objective: Objective, solution: Solution, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray, Solution, np.ndarray]:
    """The coefficients in the data's precision, and the solution moved to exactly those (one read, if it shows).

    Last comes the movement that was too small for that read.
    """
    coordinates = objective.coordinates
    cut = objective.loss.outputs * coordinates.width
    theta = solution.point.theta[:cut].reshape(objective.loss.outputs, coordinates.width)
    theta = theta - _removable(objective, solution, theta)
    coef, intercept = (a.astype(dtype) for a in coordinates.original(theta))
    moved = solution.point.theta.copy()
    moved[:cut] = coordinates.internal(coef.astype(np.float64), intercept.astype(np.float64)).ravel()
    slip = moved - solution.point.theta
    if objective.movement(slip) > VISIBLE:
        return coef, intercept, replace(solution, point=objective.expand(moved, 1), error=0.0), np.zeros_like(slip)
    return coef, intercept, solution, slip


def _removable(objective: Objective, solution: Solution, theta: np.ndarray) -> np.ndarray:
    """What of theta lies in directions that the data leave open, measured in original columns: without it w is the smallest."""
    gauge, blind = objective.loss.gauge, solution.null_space
    # what is common to all outputs, column by column
    common = np.broadcast_to(theta.mean(axis=0), theta.shape) if gauge else np.zeros_like(theta)
    if blind is None or not blind.shape[1]:
        return common
    d = len(objective.coordinates.center)
    scale = objective.coordinates.scale
    directions = blind[: theta.size].T.reshape(-1, *theta.shape)  # without the shared parameters
    if gauge:
        directions = directions - directions.mean(axis=1, keepdims=True)
    w = (directions[:, :, :d] * scale).reshape(len(directions), -1)
    size = np.abs(w).max(axis=1)
    w, directions = w[size > 0] / size[size > 0, None], directions[size > 0] / size[size > 0, None, None]
    share, *_ = np.linalg.lstsq(w.T, ((theta - common)[:, :d] * scale).ravel(), rcond=None)
    return common + np.tensordot(share, directions, axes=1)
