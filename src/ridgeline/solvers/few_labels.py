"""Binary logistic regression of few rows: one kernel from the rows to the certificate, where it ends in a clean optimum.

A general fit spends most of the time of a thousand rows between its passes over them.  The kernel runs the whole of Newton's method over
rows that are packed once and stay in the cache, and hands over whatever is not plain: separated classes, dependent columns, a condition
that costs digits, steps that do not settle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..certificate import OPTIMAL, Certificate
from ..kernels import load
from ..sources import ArraySource, adjacent
from ..threads import thread_count
from ..workspace import block_rows, padded
from .batch import Batch
from .few_rows import WIDEST
from .select import Minimum

kernels = load("small_logistic")

CACHED = 1 << 16
"""Entries of packed rows that the kernel takes: 512 kB, which a second-level cache holds."""

DOUBLE = np.dtype(np.float64)


def most_rows(d: int) -> int:
    """The rows of d columns that the kernel takes."""
    return CACHED // padded(d + 1, DOUBLE)


def fit_few_labels(source: ArraySource, alpha: float, fit_intercept: bool, tol: float, max_iter: int) -> Minimum | None:
    """The minimum of the logistic loss of few rows; None for what the general solver should do.

    `theta` of the minimum is (w, b) as it is returned.
    """
    thread_count(source.n_threads)  # one thread does it, but the argument is checked as for more rows
    d = source.n_features
    if not isinstance(source.X, np.ndarray) or source.offset.size or source.n_rows > most_rows(d):
        return None
    X = source.X if adjacent(source.X) else np.ascontiguousarray(source.X, dtype=source.dtype)  # small: a copy is quicker than another way
    batch = fit_groups(X, source.y, source.weight, np.array([0, source.n_rows]), alpha, fit_intercept, tol, max_iter)
    if batch is None or not batch.done[0]:
        return None
    source.reads += int(batch.passes[0])
    coef, intercept = batch.coef.astype(source.dtype), batch.intercept.astype(source.dtype)
    certificate = certificate_of_kernel(d, batch.figures[0].tolist(), int(batch.n_iter[0]), int(batch.passes[0]))
    return Minimum(coef, intercept, np.append(coef[0], intercept), int(batch.n_iter[0]), certificate)


def fit_groups(
    X: Any, y: np.ndarray, weight: np.ndarray, starts: np.ndarray, alpha: float, fit_intercept: bool, tol: float, max_iter: int
) -> Batch | None:
    """The same of each group of rows starts[k], ..., starts[k + 1] - 1; None for sparse rows, and more columns than the kernel serves.

    Parameters
    ----------
    X : ndarray of shape (n, d), float64 or float32, adjacent rows or columns
    y : ndarray of shape (n,), float64: 0 for the first class, 1 for the second
    weight : ndarray of shape (n,), or empty for ones
    starts : ndarray of int64, shape (g + 1,)
    """
    g, d = len(starts) - 1, X.shape[1]
    if not isinstance(X, np.ndarray) or not 1 <= d <= WIDEST:
        return None
    rows, most = block_rows(d + 1), min(int(np.diff(starts).max()), most_rows(d))
    done, intercept, counts = np.empty(g, np.uint8), np.empty(g), np.zeros((g, 2), np.int64)
    coef, figures = np.empty((g, d)), np.empty((g, 3))
    kernels.fit_groups(
        X, y, weight, starts, alpha, fit_intercept, tol, max_iter, X.itemsize == 4, coef, intercept, figures, counts, done,
        most, rows, np.empty(kernels.workspace(most, d, rows)),
    )  # fmt: skip
    return Batch(done.astype(bool), coef, intercept, figures, counts[:, 0], counts[:, 1])


def certificate_of_kernel(d: int, figures: Sequence[float], n_iter: int, passes: int) -> Certificate:
    """The certificate of a fit that a kernel has done; d columns."""
    norm, bound, condition = figures
    method = f"Newton with Cholesky (few rows of {d} columns)"
    return Certificate(OPTIMAL, method, norm, bound, condition, passes, f"Converged in {n_iter} iterations.")
