"""Least squares and ridge of few rows: one kernel from the rows to the certificate, for the plain case.

The general way, from moments to equations to a factor to a certificate, takes some sixty calls, which is longer than the arithmetic of a
thousand rows.  The kernel does the same steps with the same bits where nothing is unusual: float64 arrays in C order, no weights, one
target, one segment of rows, a condition that wants no refinement.  Anything else is left to the general way, with its checks and errors.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..certificate import OPTIMAL, Certificate
from ..kernels import load
from ..moments import Moments
from ..sources.folding import DOUBLE, SEGMENT_ELEMENTS, SEGMENT_ROWS
from ..workspace import gram_rows
from .batch import Batch
from .least_squares import EPS, LOST_DIGITS, SMALL, WELL_CONDITIONED, LinearSolution, certain_digits, rounding_terms

kernels = load("small_ridge")

WIDEST = 64
"""Columns up to which the kernel serves: moments are taken of so few whatever the rows (see estimators/least_squares.py)."""


@cache
def longest(d: int) -> int:
    """Rows that are one segment; of more, a fold merges several, with other bits."""
    return max(SEGMENT_ELEMENTS // d, SEGMENT_ROWS)


@cache
def sizes(d: int) -> tuple[float, float, int, int, int]:
    """Of d columns and a target: the noise of a mean, the terms of rounding, rows per block, entries of the two workspaces."""
    rows = gram_rows(d + 2)
    return (Moments(d, 1).mean_noise(), rounding_terms(d, 1), rows, *kernels.workspace(d, rows))


def fit_few_rows(X: Any, y: Any, alpha: Any, fit_intercept: Any) -> tuple[LinearSolution, Moments] | None:
    """Minimise (1/2) ||y - X w - b||^2 + (alpha/2) ||w||^2, and the moments on the way; None for what the general way should do.

    Parameters
    ----------
    X, y, alpha, fit_intercept
        As the user gave them, unchecked.

    Notes
    -----
    One read of X; n (d + 2)(d + 3) + d^3 / 3 flops.
    """
    if type(X) is not np.ndarray or type(y) is not np.ndarray or X.dtype is not DOUBLE or y.dtype is not DOUBLE:
        return None
    if X.ndim != 2 or y.ndim != 1 or not X.flags.c_contiguous or not y.flags.c_contiguous:
        return None
    n, d = X.shape
    if len(y) != n or not 1 <= d <= WIDEST or n * d <= SMALL or n > longest(d):
        return None
    if type(alpha) not in (float, int) or not 0 <= alpha < np.inf or (fit_intercept is not True and fit_intercept is not False):
        return None
    noise, terms, rows, block, work = sizes(d)
    moments = Moments(d, 1)
    coef, figures = np.empty(d), np.empty(4)
    done, intercept = kernels.fit_rows(
        X, y, alpha, fit_intercept, noise, terms, WELL_CONDITIONED, LOST_DIGITS, moments.scale, moments.scaled_mean, moments.lower()[0],
        coef, figures, rows, np.empty(block), np.empty(work),
    )  # fmt: skip
    if not done:
        return None
    moments.count, moments.weight = n, float(n)
    norm, bound, condition, _ = figures.tolist()
    certificate = certificate_of_kernel(d, norm, bound, condition)
    return LinearSolution(coef[None, :], np.array([intercept]), certificate, d), moments


def fit_groups(X: Any, y: np.ndarray, weight: np.ndarray, starts: np.ndarray, alpha: float, fit_intercept: bool) -> Batch | None:
    """The same of each group of rows starts[k], ..., starts[k + 1] - 1; None for sparse rows, and more columns than the kernel serves.

    Parameters
    ----------
    X : ndarray of shape (n, d), float64 or float32, adjacent rows or columns
    y : ndarray of shape (n,), float64
    weight : ndarray of shape (n,), or empty for ones
    starts : ndarray of int64, shape (g + 1,)

    Notes
    -----
    float32 rows are summed in double. No step of refinement, however few the rows; a group whose condition asks for one is not done.
    """
    g, d = len(starts) - 1, X.shape[1]
    if not isinstance(X, np.ndarray) or not 1 <= d <= WIDEST:
        return None
    noise, terms, rows, block, work = sizes(d)
    done, intercept = np.empty(g, np.uint8), np.empty(g)
    coef, figures = np.empty((g, d)), np.empty((g, 4))
    kernels.fit_groups(
        X, y, weight, starts, alpha, fit_intercept, noise, terms, WELL_CONDITIONED, LOST_DIGITS,
        coef, intercept, figures, done, rows, np.empty(block), np.empty(work),
    )  # fmt: skip
    once = np.ones(g, np.int64)
    return Batch(done.astype(bool) & (np.diff(starts) <= longest(d)), coef, intercept, figures[:, :3], once, once)


def certificate_of_kernel(d: int, norm: float, bound: float, condition: float) -> Certificate:
    """The certificate of a fit that a kernel has done."""
    error = rounding_terms(d, 1) * EPS * condition
    return Certificate(OPTIMAL, "Cholesky (least squares from moments)", norm, bound, condition, 1, certain_digits(error))
