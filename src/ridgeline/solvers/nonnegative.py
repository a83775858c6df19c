"""Least squares and ridge with coefficients of zero or more, from moments.

    minimise  (1/2) v'A v - c'v   over v >= 0,      A, c of the normal equations (`least_squares`), whose scaling keeps signs

The optimum is the least squares of its support P = {j : v_j > 0}, with multipliers of zero or more elsewhere (Karush, Kuhn and Tucker):

    A_PP v_P = c_P,  v_P > 0,        mu_Z = A_ZP v_P - c_Z >= 0

Exchanging all columns that break a condition at once (block principal pivoting: Judice and Pires 1994, Computers Ops. Res. 21) finds P in
some few factors, or leads near it; `minimise_on_gram`, which lowers the risk at every step and bears a singular A, settles it.  The
coefficients are then those of the unconstrained solver on the moments of P, with its care and its certificate, which holds for the whole:
where mu >= 0, the optimum of the columns in P is that of all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..certificate import ILL_CONDITIONED, OPTIMAL, Certificate
from ..doubledouble import add, dot, exact, neg
from ..moments import moments_of
from ..sources import Source
from .cholesky import CholeskyFactor, ExtendedFactor
from .coordinate_descent import minimise_on_gram
from .least_squares import EPS, RANK_TOLERANCE, LinearSolution, NormalEquations, normal_equations, rounding_terms, solve

EXCHANGES = 12
"""Supports that are tried; three to six are enough where the exchanges end at all."""

STEPS = 30
"""Times the columns, sweeps and supports after which the minimum counts as lost; it takes about two."""


def solve_nonnegative(
    moments: Any, alpha: float, *, fit_intercept: bool, source: Source | None = None, dtype: Any = np.float64
) -> list[LinearSolution]:
    """One solution per target; see the top of this file.

    Parameters
    ----------
    moments : Moments or ExtendedMoments
    alpha : float
        Weight of (alpha/2) ||w||^2.
    source : Source, optional
        The rows the moments came from, read again where their condition asks for more digits.
    dtype : dtype
        Precision of the coefficients returned (and certified).

    Notes
    -----
    About d^3 flops for each of some few supports, beside the moments.
    """
    solutions = [_solve_target(moments, k, alpha, fit_intercept, dtype) for k in range(moments.n_targets)]
    if source is not None and moments.precision == "double" and any(s.certificate.status == ILL_CONDITIONED for s in solutions):
        extended = moments_of(source, "extended", n_targets=moments.n_targets)
        return solve_nonnegative(extended, alpha, fit_intercept=fit_intercept, dtype=dtype)
    return solutions


def _solve_target(moments: Any, k: int, alpha: float, fit_intercept: bool, dtype: Any) -> LinearSolution:
    d = moments.n_features
    moments = moments.part(np.arange(d), [k])
    equations = normal_equations(moments, alpha, fit_intercept)
    tried = np.flatnonzero(_minimum(equations.A[0], equations.c[0][0]) > 0)
    for _ in range(d + EXCHANGES):
        if tried.size:
            found = solve(moments.part(tried, [0]), alpha, fit_intercept=fit_intercept, dtype=dtype)
        else:
            found = _constant(equations, fit_intercept, dtype)
        positive = found.coef[0] > 0
        if not positive.all():
            tried = tried[positive]  # a coefficient of zero, to rounding
            continue
        support, solution = tried, found
        multiplier, noise = _multipliers(moments, equations, support, solution)
        if (multiplier >= -noise).all():
            break
        tried = np.union1d(support, [(multiplier + noise).argmin()])  # beyond the digits that chose the support
    coef = np.zeros((1, d), dtype)
    coef[0, support] = solution.coef[0]
    bound = _bound(moments, equations, np.maximum(noise - multiplier, 0.0))
    certificate = replace(
        solution.certificate, solver=f"active set, {support.size} of {d} columns; {solution.certificate.solver}",
        suboptimality=solution.certificate.suboptimality + bound / equations.weight / float(equations.target_scale[0]) ** 2,
    )  # fmt: skip
    if not bound <= EPS * float(moments.target_scatter()[0]):
        certificate = replace(
            certificate, status=ILL_CONDITIONED,
            message="The columns are so nearly dependent that some may belong to the support or not: raise alpha, or drop columns.",
        )  # fmt: skip
    return replace(solution, coef=coef, certificate=certificate)


def _multipliers(moments: Any, equations: NormalEquations, support: np.ndarray, solution: LinearSolution) -> tuple[np.ndarray, np.ndarray]:
    """mu at the minimum on the support, which rounding of the coefficients does not move, and what rounding may have made of it."""
    d = len(equations.scale)
    v = np.zeros(d)
    v[support] = solution.coef[0].astype(np.float64) / equations.scale[support] * equations.target_scale[0]
    A, c = equations.extended()
    # rounding in forming them (Higham 2002, 3.5)
    noise = moments.eps * rounding_terms(d, 1) * (np.abs(A[0]) @ np.abs(v) + np.abs(c[0][0]))
    mu = add(dot(A, exact(v)), neg((c[0][0], c[1][0])))
    some = np.ix_(support, support)
    if moments.precision == "extended":
        factor = ExtendedFactor((A[0][some], A[1][some]), RANK_TOLERANCE)
        back = factor.solve_extended((mu[0][None, support], mu[1][None, support]))
        mu = add(mu, neg(dot((A[0][:, support], A[1][:, support]), (back[0][0], back[1][0]))))
    else:
        plain = CholeskyFactor(A[0][some])
        mu = exact(mu[0] - A[0][:, support] @ plain.solve(mu[0][support])) if plain.positive else mu
    out: np.ndarray = mu[0]
    out[support] = noise[support] = 0.0
    return out, noise


def _minimum(A: np.ndarray, c: np.ndarray) -> np.ndarray:
    """v >= 0, A possibly singular."""
    start, nothing = _by_exchanges(A, c), np.zeros(len(c))
    return minimise_on_gram(A, c, nothing, start, positive=True, max_iter=STEPS * len(c)).v


def _by_exchanges(A: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The positive part of the solution on the last of some supports, from all columns on."""
    v, used = np.zeros(len(c)), np.ones(len(c), bool)
    for _ in range(EXCHANGES):
        support = np.flatnonzero(used)
        factor = CholeskyFactor(A[np.ix_(support, support)])
        if not factor.positive:
            break
        u = np.zeros(len(c))
        u[support] = factor.solve(c[support])
        v = np.maximum(u, 0.0)
        wrong = np.where(used, u <= 0, A @ u < c)
        if not wrong.any():
            break
        used ^= wrong
    return v


def _constant(equations: NormalEquations, fit_intercept: bool, dtype: Any) -> LinearSolution:
    """No column helps: zero coefficients, and the mean of the target."""
    d = len(equations.scale)
    intercept = (equations.mean[0][d:] if fit_intercept else np.zeros(1)).astype(dtype)
    certificate = Certificate(
        OPTIMAL, "mean of the target", 0.0, 0.0, 1.0, 0, "No column lowers the risk with a coefficient above zero.",
    )  # fmt: skip
    return LinearSolution(np.zeros((1, 0), dtype), intercept, certificate, 0)


def _bound(moments: Any, equations: NormalEquations, against: np.ndarray) -> float:
    """F - F* <= (1/2) e'A^-1 e where each multiplier is -e_j at least; what the others say of a dependent column holds for it too."""
    if not against.any():
        return 0.0
    if moments.precision == "extended":
        back = ExtendedFactor(equations.A, RANK_TOLERANCE).solve_extended(exact(against[None]))[0][0]
        return 0.5 * float(against @ back)
    factor = CholeskyFactor(equations.A[0])
    return 0.5 * factor.whiten(against) ** 2 if factor.rcond > 64 * len(against) * EPS else float("inf")
