"""Least squares as statistics sees it, from moments alone: the columns in the metric of their own scatter, and standard errors.

    A v = c                                      the centred, scaled normal equations of solvers/least_squares.py;  w = T v
    A^-1 = R'R                                   R = L^-1 of A = L L', so that nothing is squared twice
    gamma = R c,  v = R' gamma,  |gamma|^2 = v'c  the part of S_yy that the columns explain
    u_i = (W^-1/2, R T (x_i - m))                row i in this metric: sum s_i u_i u_i' = I; no first entry without an intercept

In u everything else is short.  The leverage of row i is s_i |u_i|^2, and the coefficients' error is a sum over the errors of rows,

    (b, w) - truth = Q sum_i s_i e_i u_i,        Q = ( W^-1/2   -m' T R' )
                                                     (   0         T R'  )

so that their covariance is Q M Q' with M = sigma^2 I for errors of one variance sigma^2 / s_i (Gauss and Markov), and the M of
covariance.py for others.  sigma^2 = RSS / (n - rank - 1), RSS = S_yy - |gamma|^2: a difference of large numbers where the fit is good, and
R is only as good as the condition allows.  Moments in extended precision give both to the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..doubledouble import DD, add, dot, exact, mul, neg
from ..solvers.cholesky import CholeskyFactor, ExtendedFactor
from ..solvers.eigen import eigenvalues
from ..solvers.least_squares import EPS, RANK_TOLERANCE, WELL_CONDITIONED, NormalEquations, normal_equations

TOUCHED = 1e-8
"""The share in a null vector, beside its largest, from which a column counts as part of the dependence."""


@dataclass(frozen=True)
class Metric:
    """Least squares of t targets in the coordinates at the top of this file.

    Attributes
    ----------
    center : DD of shape (d,)
        m; zeros without an intercept.
    scale : ndarray of shape (d,)
        T, powers of two.
    gram : ndarray of shape (d, d)
        A, rounded.
    whitener : DD of shape (r, d)
        R, of rank r; zeros in a column that was found to be a combination of others.
    slopes : DD of shape (t, d)
        v, zero for those columns.
    gamma : DD of shape (t, r)
    target_mean : DD of shape (t,)
        Zero without an intercept.
    explained, target_scatter, residual_ss : ndarray of shape (t,)
        |gamma|^2, S_yy (about zero without an intercept) and their difference.
    undetermined : ndarray of bool, shape (d,)
        Columns that depend on each other: the data say nothing about their coefficients one by one.
    loose : bool
        Whether the intercept is as undetermined: the mean of the columns, too, changes along the dependence.
    weight, count
        Sum of the weights; rows of positive weight.
    rcond : float
        Reciprocal condition of A, estimated.
    condition : float
        2-norm condition of the columns, centred and scaled to one length; infinite if they are dependent.
    error : float
        Relative error that rounding of the moments may have left in the variances of the coefficients.
    """

    center: DD
    scale: np.ndarray
    gram: np.ndarray
    whitener: DD
    slopes: DD
    gamma: DD
    target_mean: DD
    explained: np.ndarray
    target_scatter: np.ndarray
    residual_ss: np.ndarray
    undetermined: np.ndarray
    loose: bool
    weight: float
    count: int
    fit_intercept: bool
    rcond: float
    condition: float
    error: float

    @property
    def rank(self) -> int:
        """Rank of the (centred) columns."""
        return len(self.whitener[0])

    @property
    def size(self) -> int:
        """q: entries of u, the parameters that the data determine."""
        return self.rank + int(self.fit_intercept)

    @property
    def freedom(self) -> int:
        """Rows of positive weight less the parameters."""
        return self.count - self.size

    def require_freedom(self, n_rows: float) -> None:
        """Raise a ValueError if the rows leave none."""
        if n_rows <= self.size:
            raise ValueError(
                f"{n_rows:g} rows leave no degree of freedom for {self.rank} coefficients"
                f"{' and the intercept' if self.fit_intercept else ''}; standard errors need more rows."
            )

    def coefficients(self) -> tuple[DD, DD]:
        """Slopes (t, d) and intercepts (t,) in original units."""
        coef = self.slopes[0] * self.scale, self.slopes[1] * self.scale
        if not self.fit_intercept:
            return coef, (np.zeros(len(coef[0])), np.zeros(len(coef[0])))
        return coef, add(self.target_mean, neg(dot(coef, (self.center[0][None, :], self.center[1][None, :]))))

    def influence(self) -> np.ndarray:
        """Q (1 + d, q), the intercept first; (d, q) without one.  Rows of undetermined columns are NaN."""
        R = self.whitener[0] + self.whitener[1]
        slopes = self.scale[:, None] * R.T
        slopes[self.undetermined] = np.nan
        if not self.fit_intercept:
            return slopes
        scaled = self.center[0] * self.scale, self.center[1] * self.scale
        reach = dot(self.whitener, (scaled[0][None, :], scaled[1][None, :]))[0]
        first = np.full(self.size, np.nan) if self.loose else np.append(self.weight**-0.5, -reach)
        return np.concatenate([first[None, :], np.concatenate([np.zeros((len(slopes), 1)), slopes], axis=1)])

    def excess(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """By how much the weighted sum of squares of other coefficients (t, d) exceeds the least, of the part that the columns see."""
        moved = coef / self.scale - (self.slopes[0] + self.slopes[1])
        shift = np.zeros(len(coef))
        if self.fit_intercept:
            there = add(exact(intercept), dot(exact(coef), (self.center[0][None, :], self.center[1][None, :])))
            shift = add(there, neg(self.target_mean))[0]
        return np.maximum(((moved @ self.gram) * moved).sum(axis=1), 0.0) + self.weight * shift * shift


def metric_of(moments: Any, fit_intercept: bool) -> Metric:
    """Least squares from moments, in double where their condition is good, in double-double elsewhere.

    Notes
    -----
    d^3 flops where rcond >= 1e-4 and the moments are in double, else some 30 d^3 in double-double.
    """
    d = moments.n_features
    equations = normal_equations(moments, 0.0, fit_intercept)
    extended = moments.precision == "extended"
    plain = None if extended else CholeskyFactor(equations.A[0])
    null_space = np.zeros((d, 0))
    if plain is not None and plain.rcond >= WELL_CONDITIONED:
        from scipy.linalg import cholesky, solve_triangular

        R = exact(solve_triangular(cholesky(equations.A[0], lower=True), np.eye(d), lower=True))
        rcond = plain.rcond
    else:
        factor = ExtendedFactor(equations.extended()[0], RANK_TOLERANCE if extended else 4 * d * EPS)
        R, null_space, rcond = factor.whitener(), factor.null_space, factor.rcond
    c = equations.extended()[1]
    gamma = _times(R, c)
    slopes = _times((R[0].T, R[1].T), gamma)
    explained = dot(gamma, gamma)
    scatter = target_scatter(moments, fit_intercept)
    rss = np.maximum(add(scatter, neg(explained))[0], 0.0)
    unit = equations.target_scale
    null_space = without_noise(null_space)
    undetermined: np.ndarray = np.any(null_space != 0, axis=1)
    center = equations.mean[0][:d] * equations.scale
    loose = fit_intercept and bool((np.abs(center @ null_space) > TOUCHED * (np.abs(center) @ np.abs(null_space))).any())
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = moments.eps * max(1 / rcond, float(np.max(scatter[0] / rss, initial=0.0)))
    zeros = np.zeros(d), np.zeros(d)
    mean = (equations.mean[0][:d], equations.mean[1][:d]) if fit_intercept else zeros
    mean_y = equations.mean[0][d:], equations.mean[1][d:]
    return Metric(
        mean, equations.scale, equations.A[0], R, (slopes[0] / unit[:, None], slopes[1] / unit[:, None]),
        (gamma[0] / unit[:, None], gamma[1] / unit[:, None]), mean_y if fit_intercept else exact(0 * mean_y[0]),
        explained[0] / unit**2, scatter[0] / unit**2, rss / unit**2, undetermined, loose, moments.weight, moments.count, fit_intercept,
        rcond, np.inf if null_space.size else _condition(equations, R), lost if np.isfinite(lost) else 1.0,
    )  # fmt: skip


def without_noise(null_space: np.ndarray) -> np.ndarray:
    """Null vectors, in their columns, with zeros for the entries that are rounding beside the largest."""
    size = np.abs(null_space)
    return np.where(size > TOUCHED * size.max(axis=0, initial=0.0), null_space, 0.0)


def _times(A: DD, rows: DD) -> DD:
    """A b for each row b."""
    products = [dot(A, (hi[None, :], lo[None, :])) for hi, lo in zip(*rows)]
    return np.stack([hi for hi, _ in products]), np.stack([lo for _, lo in products])


def _condition(equations: NormalEquations, R: DD) -> float:
    """(|A| |A^-1|)^1/2 in the 2-norm, of the columns scaled to unit length; A^-1 = R'R has all its digits where A has not."""
    A, length = equations.A[0], np.sqrt(np.diag(equations.A[0]))
    whitener = (R[0] + R[1]) * length
    if not length.size:
        return 1.0
    return float(np.sqrt(eigenvalues(A / length / length[:, None])[-1]) * np.linalg.norm(whitener, 2))


def target_scatter(moments: Any, fit_intercept: bool) -> DD:
    """S_yy of each target, centred or about zero, in scaled units."""
    d = moments.n_features
    if moments.precision == "extended":
        S, mean = moments.scaled_scatter_extended(), moments.scaled_mean_extended()
        diagonal = np.diag(S[0])[d:], np.diag(S[1])[d:]
        mean = mean[0][d:], mean[1][d:]
    else:
        diagonal, mean = exact(moments.target_scatter()), exact(moments.scaled_mean[d:])
    if fit_intercept:
        return diagonal
    return add(diagonal, mul(exact(np.full(len(mean[0]), moments.weight)), mul(mean, mean)))


@dataclass(frozen=True)
class LinearInference:
    """What least squares says about its coefficients under independent errors of one variance.

    Attributes
    ----------
    coef, coef_se : ndarray of shape (t, d)
        Coefficients and standard errors (nan for columns that depend on each other).
    intercept, intercept_se : ndarray of shape (t,)
    residual_sd : ndarray of shape (t,)
        sqrt(RSS / degrees of freedom).
    residual_ss : ndarray of shape (t,)
        Weighted sum of squared residuals.
    degrees_of_freedom : int
        Rows of positive weight, minus the rank, minus one for the intercept.

    Examples
    --------
    >>> from ridgeline import Moments
    >>> from ridgeline.statistics import linear_inference
    >>> linear_inference(Moments.of([[1.0], [2.0], [3.0], [4.0]], [1.1, 1.9, 3.2, 3.8])).degrees_of_freedom
    2
    """

    coef: np.ndarray
    coef_se: np.ndarray
    intercept: np.ndarray
    intercept_se: np.ndarray
    residual_sd: np.ndarray
    residual_ss: np.ndarray
    degrees_of_freedom: int


def linear_inference(moments: Any, *, fit_intercept: bool = True) -> LinearInference:
    """Coefficients, standard errors and residual standard deviation of unpenalised least squares.

    Parameters
    ----------
    moments : Moments or ExtendedMoments
        `Moments.of(X, y, sample_weight)`; with weights s_i the errors are taken to have variance sigma^2 / s_i.
    fit_intercept : bool
        Whether the fit has an intercept.

    Returns
    -------
    LinearInference

    Raises
    ------
    ValueError
        If the rows leave no degree of freedom.

    Notes
    -----
    d^3 flops to 30 d^3 in double-double, as the condition asks; no row is read.

    Examples
    --------
    >>> from ridgeline import Moments
    >>> from ridgeline.statistics import linear_inference
    >>> moments = Moments.of([[1.0], [2.0], [3.0], [4.0]], [1.1, 1.9, 3.2, 3.8], precision="extended")
    >>> fit = linear_inference(moments)
    >>> fit.coef.round(3), fit.coef_se.round(3), fit.residual_sd.round(3)
    (array([[0.94]]), array([[0.091]]), array([0.202]))
    """
    metric = metric_of(moments, fit_intercept)
    metric.require_freedom(metric.count)
    coef, intercept = metric.coefficients()
    sd = np.sqrt(metric.residual_ss / metric.freedom)
    unit = np.linalg.norm(metric.influence(), axis=1)
    unit, unit_intercept = (unit[1:], unit[0]) if fit_intercept else (unit, 0.0)
    return LinearInference(
        coef[0], sd[:, None] * unit, intercept[0], sd * unit_intercept, sd, metric.residual_ss, metric.freedom
    )
