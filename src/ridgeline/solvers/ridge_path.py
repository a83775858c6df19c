"""Ridge at every penalty from one decomposition, and what each penalty would have predicted for rows left out.

    S = Q diag(lambda) Q',   w(alpha) = Q (lambda + alpha)^-1 Q's

for the (centred, weighted) scatter S of the columns and s = X'y.  Leaving row i out changes its residual e_i to e_i / (1 - h_i), with
h_i = s_i (1/W + t_i' (lambda + alpha)^-1 t_i), t_i = Q'(x_i - m): no fit is made (Allen 1974, Technometrics 16; Hastie, Tibshirani and
Friedman 2009, eq. 7.64).  Where rows are fewer than columns, the decomposition is that of X X', with the same lambda and t.

Leaving a block of rows out needs the moments of the others: a sum over the blocks before and after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..moments import Moments
from ..sources import SLAB_ELEMENTS, ArraySource
from ..sparse_rows import as_array
from .dual import centred_rows


def left_out(
    source: ArraySource, moments: Moments | None, alphas: np.ndarray, fit_intercept: bool
) -> Iterator[tuple[slice, np.ndarray]]:
    """Every row's residual in the fit of all others, for every penalty (positive), a block of rows at a time.

    Parameters
    ----------
    source : ArraySource
    moments : Moments or None
        Of its rows; None decomposes X X' (n, n) instead.
    alphas : ndarray of shape (k,)

    Yields
    ------
    rows : slice
    residual : ndarray of shape (b, t, k)
        y less its prediction, times the root of the row's weight.

    Notes
    -----
    With moments: 9 d^3 flops once, one read of the rows and 2 n d (d + k (t + 1)) flops. Without: n^2 d + 9 n^3.
    """
    n, t = source.n_rows, source.n_targets
    weight = source.weight if source.weight.size else np.ones(n)
    root = np.sqrt(weight)
    y = source.y.reshape(n, t)
    target = (y - weight @ y / weight.sum() if fit_intercept else y) * root[:, None]
    if moments is None:
        parts = _wide(source, root, target, alphas, fit_intercept)
    else:
        parts = _tall(source, moments, root, target, alphas, fit_intercept)
    for rows, error, left in parts:
        error /= left[:, None, :]
        yield rows, error


Parts = Iterator[tuple[slice, np.ndarray, np.ndarray]]
"""Rows, their residuals (b, t, k) and 1 - h (b, k)."""


def _tall(
    source: ArraySource, moments: Moments, root: np.ndarray, target: np.ndarray, alphas: np.ndarray, fit_intercept: bool
) -> Parts:
    d = source.n_features
    S = _scatter(moments, fit_intercept)
    values, Q = np.linalg.eigh(S[:d, :d])
    shrink = 1 / (np.maximum(values, 0.0)[:, None] + alphas)
    # per target (d, k)
    coefficients = (S[d:, :d] @ Q)[:, :, None] * shrink
    center = moments.mean[:d] if fit_intercept else np.zeros(d)
    step = max(SLAB_ELEMENTS // max(d, 1), 16)
    for a in range(0, source.n_rows, step):
        rows = slice(a, a + step)
        T = (as_array(source.X[rows]).astype(np.float64) - center) @ Q * root[rows, None]
        error = np.empty((len(T), len(coefficients), len(alphas)))
        for j, v in enumerate(coefficients):
            np.subtract(target[rows, j, None], T @ v, out=error[:, j])
        T *= T
        left = T @ shrink
        constant = root[rows, None] ** 2 / moments.weight if fit_intercept else 0.0
        yield rows, error, np.subtract(1 - constant, left, out=left)


def _wide(source: ArraySource, root: np.ndarray, target: np.ndarray, alphas: np.ndarray, fit_intercept: bool) -> Parts:
    """With X X' = U diag(lambda) U': 1 - h and the residuals are sums of alpha / (lambda + alpha) over U, and cancel nothing."""
    rows = centred_rows(source, fit_intercept)
    K = rows.gram() / rows.scale**2
    if fit_intercept:
        # the direction that centring took out comes last, and goes
        constant = root / np.linalg.norm(root)
        K += (2 * np.trace(K) + 1) * np.outer(constant, constant)
    values, U = np.linalg.eigh(K)
    if fit_intercept:
        values, U = values[:-1], U[:, :-1]
    kept = alphas / (np.maximum(values, 0.0)[:, None] + alphas)
    error = np.stack([U @ (column[:, None] * kept) for column in (U.T @ target).T], axis=1)
    yield slice(0, source.n_rows), error, (U * U) @ kept


def _scatter(moments: Moments, fit_intercept: bool) -> np.ndarray:
    """Of x and y together, about the mean or about zero."""
    S = moments.scatter
    return S if fit_intercept else S + moments.weight * np.outer(moments.mean, moments.mean)


def path(moments: Moments, alphas: np.ndarray, fit_intercept: bool) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (k, t, d) and intercepts (k, t) for every penalty; 9 d^3 flops once, then 2 d^2 per target and penalty."""
    d = moments.n_features
    S = _scatter(moments, fit_intercept)
    values, Q = np.linalg.eigh(S[:d, :d])
    values = np.maximum(values, 0.0)
    projected = S[d:, :d] @ Q
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = 1 / (values + alphas[:, None])
    # without a penalty: directions that the columns do not have are left out
    shrink[(values + alphas[:, None]) <= 16 * d * np.finfo(float).eps * values.max(initial=0.0)] = 0.0
    coef = (projected * shrink[:, None, :]) @ Q.T
    intercept = moments.mean[d:] - coef @ moments.mean[:d] if fit_intercept else np.zeros(coef.shape[:2])
    return coef, intercept


def without_each(parts: Sequence[Moments]) -> list[Moments]:
    """For each part the moments of all others: sums from both ends, so that nothing is taken away; 3 K merges."""
    before: list[Any] = [None]
    for part in parts[:-1]:
        before.append(part if before[-1] is None else before[-1] + part)
    out: list[Any] = []
    after: Any = None
    for part, first in zip(reversed(parts), reversed(before)):
        out.append(first if after is None else after if first is None else first + after)
        after = part if after is None else part + after
    return out[::-1]


def mean_r2(moments: Moments, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """R^2 of coefficients (k, t, d) and intercepts (k, t) on the rows of some moments, averaged over targets: (k,)."""
    d = moments.n_features
    S, mean = moments.scatter, moments.mean
    off = intercept + coef @ mean[:d] - mean[d:]
    about = np.diag(S)[d:]
    explained = 2 * np.einsum("ktd,td->kt", coef, S[d:, :d]) - np.einsum("ktd,ktd->kt", coef @ S[:d, :d], coef)
    left = np.maximum(about - explained, 0.0) + moments.weight * off**2
    constant = about <= 0
    r2 = np.where(constant, np.where(left == 0, 1.0, 0.0), 1 - left / np.where(constant, 1.0, about))
    return np.asarray(r2.mean(axis=1))
