"""Ridge of many columns by a Gram in single precision, which takes half the time of one in double, and residuals in double.

    A v = c,  A = S + alpha T^2  (as in least_squares.py)        M = A, of products rounded to single precision
    v <- v + M^-1 g,   g = X~'(y - X~ v) - alpha T^2 v            one read of the rows each, in double

With rho = ||I - M^-1 A||, about the condition times the rounding of single precision, a step leaves rho of the error, and what a step
moves tells how far off the last point was.  Where the condition forbids it, or the steps do not shrink as they must, there is no answer
from here, and the moments are taken in double.  (Mixed precision refinement: Carson and Higham 2018, SIAM J. Sci. Comput. 40.)
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..expansion import Coordinates, Expansion
from ..moments import Moments
from ..pointwise import SQUARED
from ..sources import ArraySource, fold
from .cholesky import CholeskyFactor
from .gradient_proof import End, proven
from .least_squares import EPS, LinearSolution, NormalEquations, normal_equations

WIDTH = 600
"""Columns from which half a Gram costs more than the reads that refinement takes."""

SURE = 1e-8
"""rcond above which a step leaves less than a tenth of the error (measured: 1e-10 / rcond of it), so that a few of them do."""

SHRINKS = 0.1

PROBED = 12
"""Rows per column from which the moments of a sample of PROBE rows per column are a cheap first look at the condition."""

PROBE = 2

FLATTERY = 40
"""By how much the condition of that sample may exceed that of all: (1 + h)^2 / (1 - h)^2 with h = PROBE^(-1/2) for independent columns
(Marchenko and Pastur 1967), and a little."""

STEPS = 7

STEADY = 1e-12
"""What the last step moves of the largest coefficient, at most: the error is less by rho."""

ROUGH = 1e-11
"""The same where steps shrink no more, since rounding in targets and predictions far from zero hides what is left."""

SINGLE = np.dtype(np.float32)

METHOD = "Cholesky of a Gram in single precision, refined in double"


def solve_by_single_gram(source: ArraySource, alpha: float, fit_intercept: bool) -> LinearSolution | None:
    """Ridge of one target; None where single precision cannot tell, and the reads were in vain.

    Parameters
    ----------
    source : ArraySource of float64 rows, n > d
    alpha : float
    fit_intercept : bool

    Notes
    -----
    Half the time of n d (d + 1) flops in double, d^3 / 3 flops, and three or four reads.
    """
    n, d = source.X.shape
    if n > PROBED * d:
        sample = source.sample(n // (PROBE * d))
        share = sample.n_rows / n
        if _factor(sample, alpha * share, fit_intercept, SURE / FLATTERY) is None:
            return None
    found = _factor(source, alpha, fit_intercept, SURE)
    return None if found is None else _refine(source, *found, fit_intercept)


def applies(source: ArraySource) -> bool:
    """Whether there are enough rows and columns for a Gram to be what costs."""
    n, d = source.X.shape
    return d >= WIDTH and n >= 4 * d


def _factor(source: ArraySource, alpha: float, fit_intercept: bool, least: float) -> tuple[NormalEquations, CholeskyFactor] | None:
    """The equations from products in single precision and their factor, if its rcond is at least that."""
    with np.errstate(over="ignore", invalid="ignore"):
        moments = fold(source, partial(Moments, source.n_features, 1, products=SINGLE))
    if not moments.finite() or not moments.weight > 0:
        return None
    equations = normal_equations(moments, alpha, fit_intercept)
    factor = CholeskyFactor(equations.A[0])
    return (equations, factor) if factor.rcond >= least else None


def _refine(source: ArraySource, equations: NormalEquations, factor: CholeskyFactor, fit_intercept: bool) -> LinearSolution | None:
    """Steps until one moves next to nothing, which is then not taken: the gradient there is what is certified."""
    d = len(equations.scale)
    center = equations.mean[0][:d] if fit_intercept else np.zeros(d)
    coordinates = Coordinates(center, equations.scale, fit_intercept)
    theta = np.zeros(d + fit_intercept)
    theta[:d] = factor.solve(equations.c[0][0])
    theta[d:] = equations.mean[0][d]
    last, rho = np.inf, 0.0
    for _ in range(STEPS):
        sums = fold(source, partial(Expansion, SQUARED, coordinates, theta, 1))
        gradient = -sums.gradient
        gradient[:d] -= equations.penalty * theta[:d]
        step = np.append(factor.solve(gradient[:d]), gradient[d:] / equations.weight)
        size = np.abs(step[:d]).max() / max(np.abs(theta[:d]).max(), np.finfo(float).tiny)
        shrunk = size <= SHRINKS * last
        if not shrunk and not size <= ROUGH:
            return None
        if shrunk and size > EPS and np.isfinite(last):
            rho = max(rho, size / last)
        if size <= STEADY or not shrunk:
            reach = np.append(np.sqrt(np.diagonal(equations.A[0])), np.full(len(theta) - d, np.sqrt(equations.weight)))
            end = End(coordinates, theta, gradient, sums.value, reach, equations.weight)
            known = max(float(gradient[:d] @ step[:d]), 0.0) ** 0.5
            return proven(source, end, partial(_length, factor, known, rho), 1 / factor.rcond, METHOD)
        last, theta = size, theta + step
    return None


def _length(factor: CholeskyFactor, known: float, rho: float, error: np.ndarray) -> float:
    """In the metric of A^-1, of a gradient whose length in that of M^-1 is known, and of an error."""
    return float(known + np.linalg.norm(error) / (factor.rcond * factor.norm) ** 0.5) / (1 - 2 * rho) ** 0.5
