"""Lasso and elastic net, with a duality gap as proof.

    minimise  (1/(2 W)) sum_i s_i (y_i - x_i w - b)^2 + l1 ||w||_1 + (l2/2) ||w||^2,    W = sum_i s_i      (w >= 0 where asked)

In scaled coefficients (`quadratic`), times W U^2:  (1/2) ||y~ - Z v||^2 + (1/2) sum_j ridge_j v_j^2 + sum_j lambda_j |v_j|  with
lambda = W l1 T U and ridge = W l2 T^2.

*Working sets.*  The minimum is found on a few columns (`coordinate_descent`), then the slopes g of all columns are looked at; those that
exceed their lambda join, and the set at least doubles (Massias, Gramfort and Salmon 2018, ICML, "Celer").

*The gap.*  Take the rows (y~, 0) and (Z, diag(ridge)^(1/2)) as one matrix; then the dual feasible point r kappa, with r the residual and
kappa the largest number up to 1 for which kappa |g_j| <= lambda_j, leaves

    F(v) - F* <= (1 - kappa)^2 ||r||^2 / 2 + sum_j (lambda_j |v_j| - kappa g_j v_j)

in which nothing large cancels.  With e a bound on the error of g, kappa (|g_j| + e_j) <= lambda_j, and kappa e_j |v_j| comes on top.
Where every coefficient has a ridge, F is strongly convex, and with q any subgradient also F(v) - F* <= sum_j (|q_j| + e_j)^2 / (2 ridge_j).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..certificate import ILL_CONDITIONED, OPTIMAL, STOPPED_EARLY, Certificate
from ..doubledouble import exact
from ..sources import ArraySource, require_rows
from ..sparse_rows import SparseRows
from ..watch import time_is_up
from .cholesky import CholeskyFactor
from .coordinate_descent import minimise_on_gram
from .least_squares import EPS, REFINABLE, TEN_DIGITS, WELL_CONDITIONED, refine
from .quadratic import Answer, Quadratic, Slopes

ROUNDS = 64
"""Working sets at most: each doubles, so that more means rounding decides."""


@dataclass(frozen=True)
class Penalty:
    """l1 and l2 per unit of weight, and whether coefficients must not be negative."""

    l1: float
    l2: float
    positive: bool = False

    @staticmethod
    def elastic_net(alpha: float, l1_ratio: float, positive: bool) -> Penalty:
        return Penalty(alpha * l1_ratio, alpha * (1 - l1_ratio), positive)

    def scaled(self, problem: Quadratic) -> tuple[np.ndarray, np.ndarray]:
        """lambda and ridge of the problem's coordinates."""
        T = problem.scale
        return problem.weight * self.l1 * T * problem.unit, problem.weight * self.l2 * T * T


@dataclass(frozen=True)
class LassoSolution:
    """Coefficients (d,), intercept, sweeps, and what was proven; `v` is the same point in the problem's coordinates."""

    coef: np.ndarray
    intercept: Any
    n_iter: int
    certificate: Certificate
    v: np.ndarray


def solve_lasso(problem: Quadratic, penalty: Penalty, start: np.ndarray | None = None, *, tol: float, max_iter: int) -> LassoSolution:
    """The minimum; see the top of this file.

    Parameters
    ----------
    problem : Quadratic
    penalty : Penalty
    start : ndarray of shape (d,), optional
        Coefficients in the problem's coordinates; zeros if left out.
    tol : float
        Where `max_iter` ends the search, a gap of at most tol ||y~||^2 is accepted without a warning.
    max_iter : int
        Sweeps and solutions of a support's equations at most.

    Notes
    -----
    One look at all columns per working set, and its Gram.
    """
    lam, ridge = penalty.scaled(problem)
    v = np.zeros(len(lam)) if start is None else start
    at = problem.at(v, ridge)
    size, n_iter, rcond, refined, found = problem.batch, 0, 1.0, False, _is_minimum(at, lam, penalty.positive)
    for _ in range(ROUNDS):
        if found or n_iter >= max_iter or time_is_up():
            break
        columns = _working_set(at, lam, penalty.positive, size)
        A, c = problem.gram(columns)
        A.ravel()[:: len(columns) + 1] += ridge[columns]
        inner = minimise_on_gram(A, c, lam[columns], v[columns], positive=penalty.positive, max_iter=max_iter - n_iter)
        n_iter, rcond = n_iter + inner.n_iter, inner.rcond
        v = np.zeros(len(lam))
        v[columns] = inner.v
        at = problem.at(v, ridge)
        found = inner.exact and not _excess(at, lam, penalty.positive)[v == 0].any()
        size = 2 * max(size, len(columns))
    if found and rcond < WELL_CONDITIONED:
        better = _refined(problem, penalty, v)
        v, refined = (v, False) if better is None else (better, True)
    answer = problem.answer(v)
    if (answer.v != at.v).any():
        at = problem.at(answer.v, ridge)
    return _certified(problem, penalty, at, answer, found, n_iter, rcond, refined, tol * problem.energy)


def _excess(at: Slopes, lam: np.ndarray, positive: bool) -> np.ndarray:
    """Where a slope is larger than its lambda beyond doubt."""
    return (at.g if positive else np.abs(at.g)) > lam + at.error


def _is_minimum(at: Slopes, lam: np.ndarray, positive: bool) -> bool:
    used = at.v != 0
    return not (_excess(at, lam, positive)[~used].any() or (np.abs(at.g - lam * np.sign(at.v)) > at.error)[used].any())


def _working_set(at: Slopes, lam: np.ndarray, positive: bool, size: int) -> np.ndarray:
    """The columns in use and those nearest to it, `size` of them, in their order."""
    if size >= len(lam):
        return np.arange(len(lam))
    nearness = (at.g if positive else np.abs(at.g)) - lam
    nearness[at.v != 0] = np.inf
    size = max(size, int(np.count_nonzero(at.v)))
    return np.sort(np.argpartition(-nearness, size - 1)[:size])


def _refined(problem: Quadratic, penalty: Penalty, v: np.ndarray) -> np.ndarray | None:
    """The support's equations solved with residuals of twice the precision, where the rows are at hand and no sign changes."""
    S = np.flatnonzero(v)
    parts = problem.support_equations(S, penalty.l2) if len(S) else None
    if parts is None:
        return None
    equations, rows = parts
    factor = CholeskyFactor(equations.A[0])
    if not factor.positive or factor.rcond < REFINABLE:
        return None
    sign = np.sign(v[S])
    pull = problem.weight * penalty.l1 * equations.scale * sign
    first = factor.solve(equations.c[0] - pull * equations.target_scale[0])
    refined = refine(rows, equations, factor, exact(first), problem.fit_intercept, pull=pull)
    if refined is None or (refined[0][0][0, : len(S)] * sign <= 0).any():
        return None
    better = np.zeros_like(v)
    better[S] = refined[0][0][0, : len(S)] * equations.scale / problem.scale[S] * problem.unit
    return better


def _certified(
    problem: Quadratic, penalty: Penalty, at: Slopes, answer: Answer, found: bool, n_iter: int, rcond: float, refined: bool,
    tolerance: float,
) -> LassoSolution:
    lam, ridge = penalty.scaled(problem)
    q = _subgradient(at, lam, penalty.positive)
    bound = duality_gap(at, lam, penalty.positive)
    if (ridge > 0).all():
        with np.errstate(over="ignore"):
            bound = min(bound, 0.5 * float(((np.abs(q) + at.error) ** 2 / ridge).sum()))
    bound = 1.01 * bound + 0.5 * problem.weight * at.slip**2  # its own rounding
    with np.errstate(over="ignore"):
        original = (np.abs(q) + at.error) / (problem.scale * problem.weight) + np.abs(problem.center) * at.slip
    norm = max(float(original.max()), at.slip) / problem.unit
    used = int(np.count_nonzero(answer.coef))
    proof = bound / problem.weight / problem.unit / problem.unit
    # of the support's matrix, in double
    condition = 1 / rcond if rcond > 0 else np.inf if rcond == 0 else np.nan
    if found and not refined and EPS * condition > TEN_DIGITS:
        status = ILL_CONDITIONED
        message = (
            f"The {used} columns in use are nearly dependent (condition {condition:.1e}): their coefficients may have fewer than ten "
            "digits, though the objective is proven. Raise alpha or lower l1_ratio, or drop columns."
        )
    elif found:
        status, message = OPTIMAL, f"{used} of {len(lam)} columns are in use; found after {n_iter} sweeps and solved on the support."
    elif bound <= tolerance:
        status, message = OPTIMAL, f"{used} of {len(lam)} columns are in use; the duality gap is below tol after {n_iter} sweeps."
    else:
        status = STOPPED_EARLY
        remedy = "The time limit came first: raise time_limit." if time_is_up() else "You might want to increase the number of iterations."
        message = (
            f"Objective did not converge. {remedy} "
            f"Duality gap: {bound:.3e}, tolerance: {tolerance:.3e}, after {n_iter} sweeps."
        )
    certificate = Certificate(
        status, "coordinate descent, then Cholesky on the support", norm, float(proof), float(condition), problem.passes, message
    )
    return LassoSolution(answer.coef, answer.intercept, n_iter, certificate, at.v)


def duality_gap(at: Slopes, lam: np.ndarray, positive: bool) -> float:
    """The bound at the top of this file, with the error of the slopes."""
    size, slope = np.abs(at.v), (at.g if positive else np.abs(at.g)) + at.error
    over = slope > lam
    kappa = float((lam[over] / slope[over]).min()) if over.any() else 1.0
    return 0.5 * (1 - kappa) ** 2 * at.residual + float((np.abs(lam * size - kappa * at.g * at.v) + kappa * at.error * size).sum())


def _subgradient(at: Slopes, lam: np.ndarray, positive: bool) -> np.ndarray:
    """The subgradient of F nearest to zero, coordinate by coordinate."""
    at_zero = np.maximum(at.g - lam, 0.0) if positive else np.maximum(np.abs(at.g) - lam, 0.0) * np.sign(at.g)
    return np.where(at.v == 0, at_zero, at.g - lam * np.sign(at.v))


def largest_alpha(problem: Quadratic, l1_ratio: float, positive: bool) -> float:
    """The least alpha at which every coefficient is zero."""
    zero = np.zeros(len(problem.scale))
    g = problem.at(zero, zero).g
    with np.errstate(over="ignore"):
        slopes = (g if positive else np.abs(g)) / problem.scale
    return max(float(slopes.max()), 0.0) / problem.unit / (problem.weight * l1_ratio)


def alpha_grid(largest: float, eps: float, n_alphas: int) -> np.ndarray:
    """From the largest down to eps times it, in equal ratios; the rounding unit where every coefficient is zero anyway."""
    smallest = float(np.finfo(float).resolution)
    if largest <= smallest:
        return np.full(n_alphas, smallest)
    return np.geomspace(largest, largest * eps, n_alphas)


def solve_path(
    problem: Quadratic, alphas: np.ndarray, l1_ratio: float, positive: bool, start: np.ndarray | None = None, *, tol: float, max_iter: int
) -> Iterator[LassoSolution]:
    """The solution for every alpha, from the first, each from the one before."""
    for alpha in alphas.tolist():
        solution = solve_lasso(problem, Penalty.elastic_net(alpha, l1_ratio, positive), start, tol=tol, max_iter=max_iter)
        start = solution.v
        yield solution


def fold_error(left_out: Any, solutions: Sequence[LassoSolution]) -> np.ndarray:
    """The mean squared error of each solution on rows left out, or from their moments; (k,).

    Raises
    ------
    ValueError
        If those rows have no weight.
    """
    coef = np.stack([s.coef for s in solutions]).astype(np.float64)
    intercept = np.array([s.intercept for s in solutions], dtype=np.float64)
    if isinstance(left_out, ArraySource):
        used = np.flatnonzero(coef.any(axis=0))
        # no copy of X beyond the columns in use
        X = left_out.X.some_columns(used) if isinstance(left_out.X, SparseRows) else left_out.X[:, used]
        prediction = X @ coef[:, used].T + intercept
        weight = left_out.weight if left_out.weight.size else np.ones(left_out.n_rows)
        require_rows(float(weight.sum()))
        return np.average((left_out.y[:, None] - prediction) ** 2, axis=0, weights=weight)
    require_rows(left_out.weight)
    d, S, mean = left_out.n_features, left_out.scatter, left_out.mean
    off = intercept + coef @ mean[:d] - mean[d]
    explained = 2 * coef @ S[d, :d] - np.einsum("kd,kd->k", coef @ S[:d, :d], coef)
    return np.maximum(S[d, d] - explained, 0.0) / left_out.weight + off**2
