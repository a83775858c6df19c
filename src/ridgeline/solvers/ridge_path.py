"""Ridge at every penalty from one decomposition, and what each penalty would have predicted for rows left out.

    S = Q diag(lambda) Q',   w(alpha) = Q (lambda + alpha)^-1 Q's

for the (centred, weighted) scatter S of the columns and s = X'y.  Leaving row i out changes its residual e_i to e_i / (1 - h_i), with
h_i = s_i (1/W + t_i' (lambda + alpha)^-1 t_i), t_i = Q'(x_i - m): no fit is made (Allen 1974, Technometrics 16; Hastie, Tibshirani and
Friedman 2009, eq. 7.64).  Where rows are fewer than columns, the decomposition is that of X X', with the same lambda and t.

Leaving a block of rows out needs the moments of the others: a sum over the blocks before and after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..kernels import load
from ..moments import Moments
from ..sources import ArraySource, Slab, Source, fold
from ..workspace import padded
from .dual import centred_rows

kernels = load("left_out")

DOUBLE = np.dtype(np.float64)

BLOCK = 64
"""Rows at a time: for a hundred columns and penalties, what the kernel makes of them stays in the second-level cache."""


def left_out(
    source: Source, moments: Moments | None, alphas: np.ndarray, fit_intercept: bool, keep: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Every row's residual in the fit of all others, for every penalty (positive): their squares' sums, and themselves.

    Parameters
    ----------
    source : Source
    moments : Moments or None
        Of its rows; None, for an `ArraySource` alone, decomposes X X' (n, n) instead.
    alphas : ndarray of shape (k,)
    fit_intercept : bool
    keep : bool
        Whether the residuals are wanted.

    Returns
    -------
    squares : ndarray of shape (t, k)
    residual : ndarray of shape (n, t, k), or (0, t, k)
        y less its prediction, times the root of the row's weight.

    Notes
    -----
    With moments: 9 d^3 flops once, one read of the rows and n d (2 d + 2 k (t + 1)) flops. Without: n^2 d + 9 n^3.
    """
    if moments is None:
        assert isinstance(source, ArraySource)
        residual = _wide(source, alphas, fit_intercept)
        return np.einsum("itk,itk->tk", residual, residual), residual
    basis = _Basis.of(moments, alphas, fit_intercept)
    sums = fold(source, partial(LeftOut, basis, keep))
    shape = (-1, source.n_targets, len(alphas))
    return sums.squares, np.concatenate([np.empty((0, basis.coefficients.shape[0])), *sums.residuals]).reshape(shape)


@dataclass(frozen=True)
class _Basis:
    """What the kernel asks of the decomposition: means, 1 / W, Q', Q's / (lambda + alpha) (t k, d), and 1 / (lambda + alpha) (k, d)."""

    center: np.ndarray
    mean: np.ndarray
    constant: float
    turned: np.ndarray
    coefficients: np.ndarray
    shrink: np.ndarray

    @staticmethod
    def of(moments: Moments, alphas: np.ndarray, fit_intercept: bool) -> _Basis:
        d, t = moments.n_features, moments.n_targets
        S = _scatter(moments, fit_intercept)
        values, Q = np.linalg.eigh(S[:d, :d])
        shrink = 1 / (np.maximum(values, 0.0) + alphas[:, None])
        turned = np.zeros((d, padded(d, DOUBLE)))
        turned[:, :d] = Q.T
        coefficients = ((S[d:, :d] @ Q)[:, None, :] * shrink).reshape(t * len(alphas), d)
        center, mean = (moments.mean[:d], moments.mean[d:]) if fit_intercept else (np.zeros(d), np.zeros(t))
        constant = 1 / moments.weight if fit_intercept else 0.0
        return _Basis(np.ascontiguousarray(center), np.ascontiguousarray(mean), constant, turned, coefficients, shrink)


class LeftOut:
    """Sums of the squares of left-out residuals (t, k), and where they are kept the residuals (n, t k): a summary."""

    def __init__(self, basis: _Basis, keep: bool) -> None:
        self.basis, self.keep = basis, keep
        t, k = len(basis.mean), len(basis.shrink)
        self.squares = np.zeros((t, k))
        self.residuals: list[np.ndarray] = []

    def add_rows(self, slab: Slab) -> None:
        basis, n = self.basis, len(slab.X)
        (k, d), many = basis.shrink.shape, len(basis.coefficients)
        wide = basis.turned.shape[1]
        residual = np.empty((n if self.keep else 0, many))
        kernels.left_out(
            slab.X, slab.y.reshape(n, -1), slab.weight, basis.center, basis.mean, basis.constant, basis.turned, basis.coefficients,
            basis.shrink, self.squares, residual, np.empty((BLOCK, wide)), np.empty((d, BLOCK)), np.empty((many, BLOCK)),
            np.empty((k, BLOCK)), np.empty((3, max(BLOCK, wide))),
        )  # fmt: skip
        self.residuals.append(residual)

    def merge(self, other: LeftOut) -> None:
        self.squares += other.squares
        self.residuals += other.residuals


def _wide(source: ArraySource, alphas: np.ndarray, fit_intercept: bool) -> np.ndarray:
    """With X X' = U diag(lambda) U': 1 - h and the residuals are sums of alpha / (lambda + alpha) over U, and cancel nothing."""
    weight = source.weight if source.weight.size else np.ones(source.n_rows)
    root, y = np.sqrt(weight), source.y.reshape(source.n_rows, -1)
    target = (y - weight @ y / weight.sum() if fit_intercept else y) * root[:, None]
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
    error /= ((U * U) @ kept)[:, None, :]
    return error


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
