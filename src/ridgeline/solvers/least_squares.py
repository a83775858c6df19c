"""Least squares and ridge from moments (the lecture's eqs. 11 and 14), with the care that the condition asks for.

    minimise  (1/2) sum_i s_i (y_i - x_i w - b)^2 + (alpha/2) ||w||^2

With centred moments S (of the columns scaled by powers of two, T) the normal equations are

    A v = c,    A = S_xx + alpha T^2,    c = S_xy,    w = T v,    b = mean(y) - mean(x) w

The ladder, by the estimated reciprocal condition rcond of A (unit diagonal):

    rcond >= 1e-4            Cholesky; the answer has about 16 - 4 digits
    rcond >= 1e-12           Cholesky, then refinement: v <- v + A^-1 g, with g = X'(s (y - Xv)) - alpha v in double-double
    below, or not positive   double-double moments and pivoted Cholesky (rank, null space), then the same refinement

Each rung reads the data again; moments without their rows stop where they are and the certificate says so.
(Refinement with residuals of twice the precision: Björck 1967, BIT 7; Higham 2002, section 20.5.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import log10
from typing import Any

import numpy as np

from ..aside import aside
from ..certificate import ILL_CONDITIONED, OPTIMAL, RANK_DEFICIENT, Certificate
from ..doubledouble import DD, add, dot, exact, mul, neg
from ..kernels import load
from ..moments import additions, moments_of
from ..ranges import power_of_two_scale
from ..sources import Slab, Source, fold
from ..sparse_rows import SparseRows
from .cholesky import CholeskyFactor, ExtendedFactor

residual_extended = load("moments").residual_extended
residual_of_stored = load("stored_rows").residual_extended
kernels = load("normal_equations")

EPS = float(np.finfo(float).eps)

WELL_CONDITIONED = 1e-4
"""rcond above which plain Cholesky keeps twelve digits (error about eps / rcond)."""

REFINABLE = 1e-12
"""rcond above which refinement contracts: each step multiplies the error by about n eps / rcond."""

RANK_TOLERANCE = 1e-27
"""Pivot (of a unit diagonal, in double-double) below which a column is a combination of others: (3e-14)^2, a column whose part
independent of the others is at the level of the rounding errors of its entries."""

ASSEMBLY = 150
"""Times d^2: for how many flops the assembly counts, which fills memory that has not been used."""

TEN_DIGITS = 1e-10

LOST_DIGITS = 1e3 * TEN_DIGITS
"""The error, by the bound on the moments' rounding (which is a thousand times what is seen), that counts as ill-conditioned."""

SINGLE_LIMIT = 1e-2
"""The error that moments of float32 rows may have before they count as ill-conditioned."""

SMALL = 4096
"""Entries of X below which refinement costs less than a tenth of a millisecond, and is always done."""


SMALL_SINGLE = 16 * SMALL
"""The same for float32 rows, whose Gram has seven digits where refinement has those of the rows."""


@dataclass(frozen=True)
class LinearSolution:
    """Coefficients (t, d), intercepts (t,), the certificate, and what the factor knew.

    `rank` is the rank of the (centred) columns.
    """

    coef: np.ndarray
    intercept: np.ndarray
    certificate: Certificate
    rank: int

    def target(self, k: int) -> LinearSolution:
        """The solution of one target."""
        return replace(self, coef=self.coef[k : k + 1], intercept=self.intercept[k : k + 1])


NOTHING = np.empty((0, 0))


@dataclass(frozen=True)
class NormalEquations:
    """A v = c in scaled columns, in double-double; for plain moments the low parts of A and c are empty (0 x 0)."""

    A: DD
    c: DD
    scale: np.ndarray  # T
    target_scale: np.ndarray
    mean: DD  # of x and y, in original units
    weight: float
    penalty: np.ndarray  # alpha T^2

    def extended(self) -> tuple[DD, DD]:
        """A and c with low parts of their own shape."""
        if self.A[1].size:
            return self.A, self.c
        return exact(self.A[0]), exact(self.c[0])


def normal_equations(moments: Any, alpha: float, fit_intercept: bool) -> NormalEquations:
    """Assemble A and c from moments, with columns scaled by powers of two to a diagonal near one."""
    if moments.precision == "extended":
        return _extended_equations(moments, alpha, fit_intercept)
    d, t = moments.n_features, moments.n_targets
    A, c, T, penalty = np.empty((d, d)), np.empty((t, d)), np.empty(d), np.empty(d)
    given = *moments.lower(), moments.weight, moments.mean_noise(), alpha, fit_intercept
    aside(lambda: kernels.assemble(*given, A, c, T, penalty), ASSEMBLY * float(d) ** 2)
    mean = moments.mean, np.zeros(d + t)
    return NormalEquations((A, NOTHING), (c, NOTHING), T, moments.scale[d:], mean, moments.weight, penalty)


def _extended_equations(moments: Any, alpha: float, fit_intercept: bool) -> NormalEquations:
    d = moments.n_features
    mean, S = moments.scaled_mean_extended(), moments.scaled_scatter_extended()
    if not fit_intercept:
        W = exact(moments.weight)
        outer = mul((mean[0][:, None], mean[1][:, None]), (mean[0][None, :], mean[1][None, :]))
        S = add(S, mul(outer, (np.broadcast_to(W[0], outer[0].shape), np.broadcast_to(W[1], outer[0].shape))))
    else:
        # a constant column has no scatter but rounding, which scaling would make a column like any other
        constant = np.diag(S[0]) <= moments.scatter_noise()
        S = tuple(np.where(constant | constant[:, None], 0.0, part) for part in S)
    D = power_of_two_scale(np.sqrt(np.diag(S[0])[:d]))
    T = D * moments.scale[:d]
    A = tuple(part[:d, :d] * D * D[:, None] for part in S)
    c = tuple(part[d:, :d] * D for part in S)
    penalty = alpha * T * T
    diagonal = np.arange(d)
    A[0][diagonal, diagonal], A[1][diagonal, diagonal] = add(
        (A[0][diagonal, diagonal], A[1][diagonal, diagonal]), exact(penalty)
    )
    mean = tuple(part / moments.scale for part in mean)
    return NormalEquations(A, c, T, moments.scale[d:], mean, moments.weight, penalty)


class ResidualGradient:
    """g = sum_i s_i Z_i (y_i - Z_i theta) in double-double, Z = [(x - m) * T, 1]: a summary."""

    def __init__(self, center: np.ndarray, scale: np.ndarray, theta: DD) -> None:
        self.center, self.scale, self.theta = center, scale, theta
        self.g = np.zeros_like(theta[0]), np.zeros_like(theta[0])

    def add_rows(self, slab: Slab) -> None:
        t, p = self.theta[0].shape
        add_residual = residual_of_stored if isinstance(slab.X, SparseRows) else residual_extended
        add_residual(
            slab.X, slab.y.reshape(len(slab.X), t), slab.weight, self.center, self.scale, *self.theta, *self.g,
            np.empty((2, p)),
        )  # fmt: skip

    def merge(self, other: ResidualGradient) -> None:
        self.g = add(self.g, other.g)


def solve(
    moments: Any,
    alpha: float = 0.0,
    *,
    fit_intercept: bool = True,
    source: Source | None = None,
    dtype: Any = np.float64,
) -> LinearSolution:
    """Least squares (alpha = 0) or ridge from moments; see the top of this file for the ladder.

    Parameters
    ----------
    moments : Moments or ExtendedMoments
    alpha : float
        Weight of (alpha/2) ||w||^2, or of alpha ||w||^2 beside the whole sum of squares.
    fit_intercept : bool
    source : Source, optional
        The rows the moments came from, for refinement.
    dtype : dtype
        Precision of the coefficients returned (and certified).

    Returns
    -------
    LinearSolution

    Notes
    -----
    d^3 / 3 flops beside the moments, and one read of the rows per step of refinement (two or three steps).
    """
    passes = 0 if source is None else source.reads
    equations = normal_equations(moments, alpha, fit_intercept)
    if moments.precision == "double":
        factor = CholeskyFactor(equations.A[0])
        small = moments.count * moments.n_features <= (SMALL if moments.eps <= EPS else SMALL_SINGLE)
        plain = source is None or (factor.rcond >= WELL_CONDITIONED and not small)
        if plain and factor.rcond >= (REFINABLE if source is None else WELL_CONDITIONED):
            v = factor.solve(equations.c[0])
            return _finish(moments, equations, factor, v, fit_intercept, "Cholesky", passes, dtype)
        if source is not None:
            if factor.rcond >= REFINABLE:
                v = factor.solve(equations.c[0])
                refined = refine(source, equations, factor, exact(v), fit_intercept)
                if refined is not None:
                    method = "Cholesky with double-double refinement"
                    return _finish_refined(source, equations, factor, refined, fit_intercept, method, dtype)
            extended = moments_of(source, "extended", n_targets=moments.n_targets)
            return solve(extended, alpha, fit_intercept=fit_intercept, source=source, dtype=dtype)
    return _solve_extended(moments, equations, fit_intercept, source, passes, dtype)


def _solve_extended(
    moments: Any, equations: NormalEquations, fit_intercept: bool, source: Source | None, passes: int, dtype: Any
) -> LinearSolution:
    extended = moments.precision == "extended"
    # plain moments carry noise of order eps: a pivot below it says nothing
    tolerance = RANK_TOLERANCE if extended else 4 * len(equations.A[0]) * EPS
    A, c = equations.extended()
    factor = ExtendedFactor(A, tolerance)
    d = len(equations.scale)
    v = factor.solve_extended(c)
    method = "double-double Cholesky" if extended else "pivoted Cholesky"
    if factor.rank < d:
        basis = _orthonormal(equations.scale[:, None] * factor.null_space)
        # the smallest of the solutions: take away the part that the data do not see
        w = (v[0] + v[1]) * equations.scale
        v = exact((w - (w @ basis) @ basis.T) / equations.scale)
        # what rounding in that step left of the equations goes back into the independent columns
        products = [dot(A, exact(row)) for row in v[0]]
        left = np.stack([add((c[0][k], c[1][k]), neg(Av))[0] for k, Av in enumerate(products)])
        v = add(v, exact(factor.solve(left)))
        solution = _finish(moments, equations, factor, v, fit_intercept, method, passes, dtype)
        names = ", ".join(str(j) for j in np.flatnonzero(np.abs(basis).max(axis=1) > 1e-8)[:8])
        message = (
            f"The columns have rank {factor.rank}, not {d} (columns {names} depend on each other or are constant): the smallest "
            "of the solutions was returned. Drop the dependent columns, or use Ridge with alpha > 0."
            if extended
            else f"The columns are dependent to double precision (rank {factor.rank} of {d} is certain). "
            'Collect the moments with precision="extended", or fit the rows themselves.'
        )
        status = RANK_DEFICIENT if extended else ILL_CONDITIONED
        certificate = replace(solution.certificate, status=status, message=message, condition=float("inf"))
        return replace(solution, certificate=certificate, rank=factor.rank)
    if source is not None:
        refined = refine(source, equations, factor, v, fit_intercept)
        if refined is not None:
            method += " with refinement"
            return _finish_refined(source, equations, factor, refined, fit_intercept, method, dtype)
    return _finish(moments, equations, factor, v, fit_intercept, method, passes, dtype)


def refine(
    source: Source, equations: NormalEquations, factor: Any, v: DD, fit_intercept: bool, max_steps: int = 10, pull: Any = 0.0
) -> tuple[DD, float] | None:
    """Refine v until a step changes no digit of it; `pull` (t, d) is a slope that a penalty adds whatever theta.

    Returns theta = (v, b) in double-double and rho, the worst contraction seen: the factor's inverse is A^-1 up to a relative error of
    rho. None if the steps do not shrink.
    """
    t, d = v[0].shape
    center = equations.mean[0][:d] if fit_intercept else np.zeros(d)
    target_mean = equations.mean[0][d:]
    theta = np.zeros((t, d + 1)), np.zeros((t, d + 1))
    for part, values in zip(theta, v):
        part[:, :d] = values / equations.target_scale[:, None]
    if fit_intercept:
        theta[0][:, d] = target_mean
    last, rho = np.inf, 0.0
    for _ in range(max_steps):
        residual = fold(source, partial(ResidualGradient, center, equations.scale, theta))
        g_hi, g_lo = residual.g
        w = theta[0][:, :d], theta[1][:, :d]
        shrink = mul(exact(np.broadcast_to(equations.penalty, (t, d))), w)
        gradient = add(add((g_hi[:, :d], g_lo[:, :d]), neg(shrink)), exact(np.broadcast_to(-np.asarray(pull), (t, d))))
        step = np.zeros((t, d + 1))
        step[:, :d] = factor.solve(gradient[0])
        if fit_intercept:
            step[:, d] = g_hi[:, d] / equations.weight
        theta = add(theta, exact(step))
        with np.errstate(invalid="ignore", divide="ignore"):
            size = np.abs(step[:, :d]).max(initial=0.0) / max(np.abs(theta[0][:, :d]).max(initial=0.0), 1e-300)
            converged = np.all(np.abs(step) <= 0.25 * EPS * np.abs(theta[0])) or size < 1e-25
        if not np.isfinite(size) or size > 0.5 * last:
            if last <= EPS:
                break
            return None
        if size > EPS:
            rho = max(rho, size / last)
        last = size
        if converged:
            break
    return theta, rho


def _orthonormal(N: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the span of N's columns, each scaled first so that none drowns."""
    Q, _ = np.linalg.qr(N / np.maximum(np.abs(N).max(axis=0), 1e-300))
    return Q


def rounding_terms(d: int, t: int) -> float:
    """gamma / eps of `_finish`: how many units of rounding an entry of the moments may be off, beside its columns' sizes."""
    return float(8 * (additions(d + t) + d) ** 0.5 + 64)


def certain_digits(error: float) -> str:
    """What a certificate says of a relative error of the coefficients."""
    return f"About {min(max(-log10(max(error, 1e-17)), 0), 16):.0f} digits are certain."


def _finish(
    moments: Any,
    equations: NormalEquations,
    factor: Any,
    v: Any,
    fit_intercept: bool,
    method: str,
    passes: int,
    dtype: Any,
) -> LinearSolution:
    """Coefficients and certificate from the moments alone.

    The gradient A v - c is formed from the moments; e bounds what rounding in the moments and in forming it can hide,

        |S_jk error| <= gamma r_j r_k + eta (f_j r_k + r_j f_k),    r_j = sqrt(S_jj),  f_j = sqrt(W) |m_j|

    with gamma = (8 sqrt(additions + d) + 64) eps (Higham and Mary 2019, SIAM J. Sci. Comput. 41), eps of the blocks' precision,
    and eta = 8 eps of the means'. Then F - F* = (1/2) (g + e)' A^-1 (g + e) is at most (1/2) (||L^-1 g|| + ||e|| ||A^-1||^(1/2))^2,
    and the error of the means, itself at most gamma f_j / sqrt(W), adds W / 2 times the square of what it moves the intercept.
    """
    d, t = moments.n_features, moments.n_targets
    extended = moments.precision == "extended"
    v, v_lo = v if isinstance(v, tuple) else (v, NOTHING)
    terms = rounding_terms(d, t)
    gamma, eta = moments.eps * terms, EPS * (EPS if extended else 1.0)
    coef, g, intercept, bounds = np.empty((t, d)), np.empty((t, d)), np.empty(t), np.empty((t, 2))
    norm = kernels.finish(
        *equations.A, *equations.c, equations.scale, equations.target_scale, moments.target_scatter(), *equations.mean,
        equations.weight, fit_intercept, gamma, eta, terms, dtype == np.float32,
        v, v_lo, coef, intercept, g, bounds, np.empty((4, d)),
    )  # fmt: skip
    reach = (factor.rcond * factor.norm) ** -0.5 if factor.rcond and factor.norm else np.inf if factor.norm else 0.0
    bound = 0.0
    for gradient, step, (unseen, slip), unit in zip(g, factor.solve(g), bounds.tolist(), equations.target_scale.tolist()):
        length = max(float(gradient @ step), 0.0) ** 0.5 + (unseen * reach if unseen else 0.0)
        try:
            bound += 0.5 * ((length / equations.weight**0.5 / unit) ** 2 + slip**2)
        except OverflowError:
            bound = float("inf")
    condition = 1 / factor.rcond if factor.rcond else np.inf
    error = gamma * condition
    status, message = OPTIMAL, certain_digits(error)
    if error > (LOST_DIGITS if extended else SINGLE_LIMIT) or (not extended and EPS * condition * 8 > TEN_DIGITS):
        status = ILL_CONDITIONED
        message = (
            f"The columns are nearly dependent (condition {condition:.1e} of their moments): the coefficients may have fewer than "
            'ten digits. Collect the moments with precision="extended", fit the rows themselves, or raise alpha.'
        )
    certificate = Certificate(
        status, f"{method} (least squares from moments)", float(norm), bound, float(condition), passes, message,
    )  # fmt: skip
    return LinearSolution(coef.astype(dtype, copy=False), intercept.astype(dtype, copy=False), certificate, d)


def _finish_refined(
    source: Source, equations: NormalEquations, factor: Any, refined: tuple[DD, float], fit_intercept: bool, method: str, dtype: Any
) -> LinearSolution:
    """Coefficients rounded to double, and the certificate of exactly those: one more read gives their gradient g.

    F - F* = (1/2) g' A^-1 g, of the coefficients and (with weight W) the intercept; the factor's inverse may be short by a factor 1 - rho.
    """
    theta, rho = refined
    t, d = theta[0].shape[0], theta[0].shape[1] - 1
    center = equations.mean[0][:d] if fit_intercept else np.zeros(d)
    coef = theta[0][:, :d] * equations.scale, theta[1][:, :d] * equations.scale
    inner = theta[0][:, :d], theta[1][:, :d]
    shift = dot(inner, exact(center * equations.scale))
    intercept = add((theta[0][:, d], theta[1][:, d]), neg(shift))[0] if fit_intercept else np.zeros(t)
    coef = coef[0].astype(dtype).astype(np.float64)
    intercept = intercept.astype(dtype).astype(np.float64)
    returned = np.zeros((t, d + 1)), np.zeros((t, d + 1))
    returned[0][:, :d] = coef / equations.scale
    if fit_intercept:
        shift = dot(exact(returned[0][:, :d]), exact(center * equations.scale))
        returned[0][:, d], returned[1][:, d] = add(exact(intercept), shift)
    residual = fold(source, partial(ResidualGradient, center, equations.scale, returned))
    g = residual.g[0][:, :d] - equations.penalty * returned[0][:, :d]
    g_intercept = residual.g[0][:, d] if fit_intercept else np.zeros(t)
    slip = g_intercept / equations.weight
    bound = 0.5 * sum(float(row @ factor.solve(row)) for row in g) / (1 - min(rho, 0.5))
    bound = 1.01 * (bound + 0.5 * float(slip @ slip) * equations.weight)  # its own rounding
    with np.errstate(over="ignore"):
        original = g / equations.scale + center * g_intercept[:, None]
    norm = max(np.abs(original).max(initial=0.0), np.abs(g_intercept).max(initial=0.0)) / equations.weight
    certificate = Certificate(
        OPTIMAL, method, float(norm), float(max(bound, 0.0) / equations.weight), 1 / factor.rcond,
        source.reads, "Refined with residuals of twice the precision until no digit changed.",
    )  # fmt: skip
    return LinearSolution(coef.astype(dtype), intercept.astype(dtype), certificate, d)
