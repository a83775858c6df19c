"""Standard errors of least squares, from moments alone.

    sigma^2 = RSS / (n - rank - 1),   RSS = S_yy - c'v                 (A v = c the centred, scaled normal equations)
    var(w)  = sigma^2 T A^-1 T,       var(b) = sigma^2 (1 / W + m' T A^-1 T m)

RSS is a difference of large numbers where the fit is good, and A^-1 is only as good as the condition allows: moments in extended
precision (`Moments.of(..., precision="extended")`) give both to the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .doubledouble import DD, add, dot, exact, mul, neg
from .solvers.cholesky import ExtendedFactor
from .solvers.least_squares import EPS, RANK_TOLERANCE, normal_equations


@dataclass(frozen=True)
class LinearInference:
    """What least squares says about its coefficients under independent errors of one variance.

    Attributes
    ----------
    coef, coef_se : ndarray of shape (t, d)
        Coefficients and standard errors (nan for a column that depends on others).
    intercept, intercept_se : ndarray of shape (t,)
    residual_sd : ndarray of shape (t,)
        sqrt(RSS / degrees of freedom).
    residual_ss : ndarray of shape (t,)
        Weighted sum of squared residuals.
    degrees_of_freedom : int
        Rows of positive weight, minus the rank, minus one for the intercept.
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

    Returns
    -------
    LinearInference

    Raises
    ------
    ValueError
        If the rows leave no degree of freedom.

    Notes
    -----
    About 20 d^3 flops; no row is read.

    Examples
    --------
    >>> from ridgeline import Moments
    >>> from ridgeline.inference import linear_inference
    >>> moments = Moments.of([[1.0], [2.0], [3.0], [4.0]], [1.1, 1.9, 3.2, 3.8], precision="extended")
    >>> fit = linear_inference(moments)
    >>> fit.coef.round(3), fit.coef_se.round(3), fit.residual_sd.round(3)
    (array([[0.94]]), array([[0.083]]), array([0.184]))
    """
    d, t = moments.n_features, moments.n_targets
    equations = normal_equations(moments, 0.0, fit_intercept)
    extended = moments.precision == "extended"
    A, c = equations.extended()
    factor = ExtendedFactor(A, RANK_TOLERANCE if extended else 4 * d * EPS)
    freedom = moments.count - factor.rank - int(fit_intercept)
    if freedom < 1:
        raise ValueError(
            f"{moments.count} rows leave no degree of freedom for {factor.rank} coefficients"
            f"{' and the intercept' if fit_intercept else ''}; standard errors need more rows."
        )
    v = factor.solve_extended(c)
    explained = dot(v, c)
    variance = _target_scatter(moments, fit_intercept)
    rss = add(variance, neg(explained))
    residual_ss = np.maximum(rss[0], 0.0) / equations.target_scale**2
    sigma2 = residual_ss / freedom

    inverse = factor.solve_extended(exact(np.eye(d)))
    unit = np.maximum(np.diag(inverse[0]), 0.0)
    unit = np.where(unit > 0, unit, np.nan)
    coef = v[0] / equations.target_scale[:, None], v[1] / equations.target_scale[:, None]
    coef = coef[0] * equations.scale, coef[1] * equations.scale
    coef_se = np.sqrt(sigma2[:, None] * unit) * equations.scale
    intercept, intercept_se = np.zeros(t), np.zeros(t)
    if fit_intercept:
        mean_x = equations.mean[0][:d], equations.mean[1][:d]
        mean_y = equations.mean[0][d:], equations.mean[1][d:]
        intercept = add(mean_y, neg(dot(coef, (mean_x[0][None, :], mean_x[1][None, :]))))[0]
        scaled_mean = mean_x[0] * equations.scale, mean_x[1] * equations.scale
        reach = dot(inverse, (scaled_mean[0][None, :], scaled_mean[1][None, :]))
        spread = dot(reach, scaled_mean)
        intercept_se = np.sqrt(sigma2 * (1 / moments.weight + float(spread[0])))
    return LinearInference(
        coef[0], coef_se, intercept, intercept_se, np.sqrt(sigma2), residual_ss, freedom
    )


def _target_scatter(moments: Any, fit_intercept: bool) -> DD:
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
