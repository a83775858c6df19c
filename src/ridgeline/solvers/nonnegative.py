"""Least squares and ridge with coefficients of zero or more, from moments.

    minimise  (1/2) v'A v - c'v   over v >= 0,      A, c of the normal equations (`least_squares`), whose scaling keeps signs

The optimum is the least squares of its support P = {j : v_j > 0}, with multipliers of zero or more elsewhere (Karush, Kuhn and Tucker):

    A_PP v_P = c_P,  v_P > 0,        mu_Z = A_ZP v_P - c_Z >= 0

The active-set method of Lawson and Hanson (1974, ch. 23) finds P from a square root R'R = A; the coefficients are then those of the
unconstrained solver on the moments of P, with its care and its certificate, which holds for the whole: where mu >= 0, the optimum of the
columns in P is that of all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..certificate import ILL_CONDITIONED, OPTIMAL, Certificate
from ..moments import moments_of
from ..sources import Source
from .cholesky import CholeskyFactor
from .eigen import eigenvectors
from .least_squares import EPS, LinearSolution, NormalEquations, normal_equations, solve

EXCHANGES = 30
"""Times the columns, exchanges after which the active-set method counts as lost; it takes about two."""


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
    About d^3 flops and one exchange of d^2 flops per column of the support, beside the moments.
    """
    solutions = [_solve_target(moments, k, alpha, fit_intercept, dtype) for k in range(moments.n_targets)]
    if source is not None and moments.precision == "double" and any(s.certificate.status == ILL_CONDITIONED for s in solutions):
        extended = moments_of(source, "extended", n_targets=moments.n_targets)
        return solve_nonnegative(extended, alpha, fit_intercept=fit_intercept, dtype=dtype)
    return solutions


def _solve_target(moments: Any, k: int, alpha: float, fit_intercept: bool, dtype: Any) -> LinearSolution:
    d = moments.n_features
    equations = normal_equations(moments.part(np.arange(d), [k]), alpha, fit_intercept)
    A, c = equations.A[0], equations.c[0][0]
    support = np.flatnonzero(_active_set(A, c) > 0)
    while True:
        if not support.size:
            return _constant(equations, fit_intercept, dtype)
        solution = solve(moments.part(support, [k]), alpha, fit_intercept=fit_intercept, dtype=dtype)
        positive = solution.coef[0] > 0
        if positive.all():
            break
        support = support[positive]  # a coefficient of zero, to rounding
    coef = np.zeros((1, d), dtype)
    coef[0, support] = solution.coef[0]
    v = coef[0].astype(np.float64) / equations.scale * equations.target_scale[0]
    gradient = A @ v - c
    # rounding in forming it (Higham 2002, 3.5)
    noise = (d + 2) * EPS * (np.abs(A) @ np.abs(v) + np.abs(c))
    negative = gradient < -noise
    negative[support] = False
    certificate = solution.certificate
    method = f"active set, {support.size} of {d} columns; {certificate.solver}"
    if negative.any():
        certificate = replace(
            certificate, status=ILL_CONDITIONED, suboptimality=_bound(A, np.where(negative, gradient, 0.0), equations),
            message="The columns are so nearly dependent that some may belong to the support or not: raise alpha, or drop columns.",
        )  # fmt: skip
    return replace(solution, coef=coef, certificate=replace(certificate, solver=method))


def _active_set(A: np.ndarray, c: np.ndarray) -> np.ndarray:
    """v >= 0 by the method of Lawson and Hanson, A possibly singular."""
    from scipy.linalg import solve_triangular
    from scipy.optimize import nnls

    try:
        R = np.linalg.cholesky(A).T
        b = solve_triangular(R, c, trans="T")
    except np.linalg.LinAlgError:
        values, Q = eigenvectors(A)
        kept = values > len(A) * EPS * max(values[-1], 0.0)
        root = np.sqrt(values[kept])
        R, b = root[:, None] * Q[:, kept].T, (c @ Q[:, kept]) / root
    return np.asarray(nnls(R, b, maxiter=EXCHANGES * len(A))[0])


def _constant(equations: NormalEquations, fit_intercept: bool, dtype: Any) -> LinearSolution:
    """No column helps: zero coefficients, and the mean of the target."""
    d = len(equations.scale)
    intercept = (equations.mean[0][d:] if fit_intercept else np.zeros(1)).astype(dtype)
    certificate = Certificate(
        OPTIMAL, f"active set, 0 of {d} columns", 0.0, 0.0, 1.0, 0, "No column lowers the risk with a coefficient above zero.",
    )  # fmt: skip
    return LinearSolution(np.zeros((1, d), dtype), intercept, certificate, 0)


def _bound(A: np.ndarray, gradient: np.ndarray, equations: NormalEquations) -> float:
    """F - F* <= (1/2) g'A^-1 g of the part of the gradient that no multiplier explains, over the total weight."""
    factor = CholeskyFactor(A)
    if not factor.positive:
        return float("inf")
    return 0.5 * float(factor.whiten(gradient) / equations.target_scale[0]) ** 2 / equations.weight
