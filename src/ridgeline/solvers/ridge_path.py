"""Ridge at every penalty from one decomposition, and what each penalty would have predicted for rows left out.

    S = Q diag(lambda) Q',   w(alpha) = Q (lambda + alpha)^-1 Q's

for the (centred, weighted) scatter S of the columns and s = X'y.  Leaving row i out changes its residual e_i to e_i / (1 - h_i), with
h_i = s_i (1/W + t_i' (lambda + alpha)^-1 t_i), t_i = Q'(x_i - m): no fit is made (Allen 1974, Technometrics 16; Hastie, Tibshirani and
Friedman 2009, eq. 7.64).  Where rows are fewer than columns, the decomposition is that of X X', with the same lambda and t.

Leaving a block of rows out needs the moments of the others: a sum over the blocks before and after it.  Of each such sum only the
coefficients are asked for, which a tridiagonal form of S gives at a fraction of what its eigenvectors cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..aside import aside
from ..kernels import load
from ..moments import Moments
from ..sources import ArraySource, Slab, Source, fold
from ..threads import reduce, thread_count
from ..workspace import padded
from .dual import centred_rows
from .eigen import eigenvectors
from .penalty_nodes import penalty_nodes

kernels, tridiagonal = load("left_out"), load("tridiagonal")

DOUBLE = np.dtype(np.float64)

NEGLIGIBLE = 16 * float(np.finfo(float).eps)
"""Times the columns, beside the largest eigenvalue of their scatter: one that may be rounding."""

SHIFTS = 32
"""Penalties that the kernel solves for at a time."""

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
    Sums alone take r penalties for k where `PenaltyNodes` say that so many do; a second read where the rows then prove them wrong.
    """
    if moments is None:
        assert isinstance(source, ArraySource)
        residual = _wide(source, alphas, fit_intercept)
        return np.einsum("itk,itk->tk", residual, residual), residual
    decomposed = _Decomposed.of(moments, fit_intercept)
    nodes = None if keep else penalty_nodes(decomposed.values, decomposed.risk(np.append(alphas, np.inf)), alphas, moments.count)
    if nodes is not None:
        sums = fold(source, partial(LeftOut, decomposed.at(nodes.alphas), keep))
        if nodes.hold(sums.least):
            return nodes.between(sums.squares), np.empty((0, source.n_targets, len(alphas)))
    basis = decomposed.at(alphas)
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


@dataclass(frozen=True)
class _Decomposed:
    """Eigenvalues (d) and eigenvectors (d, d) of the scatter, the targets' products with them (t, d), their squares, means and 1 / W."""

    values: np.ndarray
    vectors: np.ndarray
    products: np.ndarray
    squares: np.ndarray
    center: np.ndarray
    mean: np.ndarray
    constant: float

    @staticmethod
    def of(moments: Moments, fit_intercept: bool) -> _Decomposed:
        d, t = moments.n_features, moments.n_targets
        S = _scatter(moments, fit_intercept)
        values, Q = eigenvectors(S[:d, :d])
        center, mean = (moments.mean[:d], moments.mean[d:]) if fit_intercept else (np.zeros(d), np.zeros(t))
        constant = 1 / moments.weight if fit_intercept else 0.0
        squares = np.diag(S)[d:]
        return _Decomposed(
            np.maximum(values, 0.0), Q, S[d:, :d] @ Q, squares, np.ascontiguousarray(center), np.ascontiguousarray(mean), constant
        )

    def risk(self, alphas: np.ndarray) -> np.ndarray:
        """Sums of squares (t, k) that a fit with each penalty leaves of the targets, to rounding of the targets' own."""
        shrink = 1 / (self.values + alphas[:, None])
        explained = (self.products**2) @ (shrink * (2 - self.values * shrink)).T
        return np.asarray(self.squares[:, None] - explained)

    def at(self, alphas: np.ndarray) -> _Basis:
        d, many = len(self.values), len(self.products) * len(alphas)
        shrink = 1 / (self.values + alphas[:, None])
        coefficients = (self.products[:, None, :] * shrink).reshape(many, d)
        return _Basis(self.center, self.mean, self.constant, _in_whole_vectors(self.vectors.T), coefficients, shrink)


class LeftOut:
    """Sums of the squares of left-out residuals (t, k), the least 1 - h (k), and where they are kept the residuals (n, t k): a summary."""

    def __init__(self, basis: _Basis, keep: bool) -> None:
        self.basis, self.keep = basis, keep
        t, k = len(basis.mean), len(basis.shrink)
        self.squares, self.least = np.zeros((t, k)), np.ones(k)
        self.residuals: list[np.ndarray] = []

    def add_rows(self, slab: Slab) -> None:
        basis, n = self.basis, len(slab.X)
        (k, d), many = basis.shrink.shape, len(basis.coefficients)
        wide = basis.turned.shape[1]
        residual = np.empty((n if self.keep else 0, many))
        kernels.left_out(
            slab.X, slab.y.reshape(n, -1), slab.weight, basis.center, basis.mean, basis.constant, basis.turned, basis.coefficients,
            basis.shrink, self.squares, self.least, residual, np.empty((BLOCK, wide)), np.empty((d, BLOCK)),
            np.empty((many, BLOCK)), np.empty((k, BLOCK)), np.empty((3, max(BLOCK, wide))),
        )  # fmt: skip
        self.residuals.append(residual)

    def merge(self, other: LeftOut) -> None:
        self.squares += other.squares
        np.minimum(self.least, other.least, out=self.least)
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
    values, U = eigenvectors(K)
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
    """Coefficients (k, t, d) and intercepts (k, t) for every penalty.

    4 d^3 / 3 flops once, then 2 d^2 per target and penalty; where a penalty drowns in the rounding of the scatter, 9 d^3 at first.
    """
    d = moments.n_features
    S = _scatter(moments, fit_intercept)
    coef = _shifted(S[:d, :d], S[d:, :d], alphas)
    if coef is None:
        coef = _within_the_columns(S[:d, :d], S[d:, :d], alphas)
    intercept = moments.mean[d:] - coef @ moments.mean[:d] if fit_intercept else np.zeros(coef.shape[:2])
    return coef, intercept


def _shifted(A: np.ndarray, B: np.ndarray, alphas: np.ndarray) -> np.ndarray | None:
    """(A + alpha)^-1 b for every alpha and row b of B; None where alpha may be less than A's rounding."""
    d, k = len(A), len(alphas)
    if not alphas.min(initial=np.inf) > NEGLIGIBLE * d * np.abs(A).sum(axis=1).max(initial=0.0):
        return None
    out = np.empty((k, len(B), d))
    work = _in_whole_vectors(A)
    rows, lanes = np.empty((7, work.shape[1])), np.empty((2 * d + 1, SHIFTS))
    B = np.ascontiguousarray(B)
    positive = aside(lambda: tridiagonal.solve_shifted(work, B, alphas, out, np.empty_like(work), rows, lanes), 8 / 3 * float(d) ** 3)
    return out if positive else None


def _in_whole_vectors(A: np.ndarray) -> np.ndarray:
    """A copy of A (d, d) whose rows are padded with zeros."""
    wide = np.zeros((len(A), padded(len(A), DOUBLE)))
    wide[:, : len(A)] = A
    return wide


def _within_the_columns(A: np.ndarray, B: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """The same by A's eigenvectors; without a penalty, directions that the columns do not have are left out."""
    values, Q = eigenvectors(A)
    values = np.maximum(values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = 1 / (values + alphas[:, None])
    shrink[(values + alphas[:, None]) <= NEGLIGIBLE * len(A) * values.max(initial=0.0)] = 0.0
    coef: np.ndarray = (B @ Q * shrink[:, None, :]) @ Q.T
    return coef


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


class _Scores:
    """Those of one fold after another: a summary."""

    def __init__(self, scores: np.ndarray) -> None:
        self.rows = [scores]

    def merge(self, other: _Scores) -> None:
        self.rows += other.rows


def fold_scores(
    parts: Sequence[Moments], trains: Sequence[Moments], alphas: np.ndarray, fit_intercept: bool, n_threads: int | None
) -> np.ndarray:
    """The mean R^2 of every penalty (k) on each of K parts, after a fit of the moments beside it: (K, k)."""

    def score(fold: tuple[Moments, Moments]) -> _Scores:
        part, train = fold
        return _Scores(mean_r2(part, *path(train, alphas, fit_intercept)))

    scores = reduce(zip(parts, trains), score, thread_count(n_threads), private=True)
    return np.array(scores.rows if scores else []).reshape(len(parts), len(alphas))


def mean_r2(moments: Moments, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """R^2 of coefficients (k, t, d) and intercepts (k, t) on the rows of some moments, averaged over targets: (k,)."""
    d = moments.n_features
    S, mean = moments.scatter, moments.mean
    off = intercept + coef @ mean[:d] - mean[d:]
    about = np.diag(S)[d:]
    A, spread = _in_whole_vectors(S[:d, :d]), np.empty(coef.shape[:2])
    work = np.empty((SHIFTS, A.shape[1])), np.empty((SHIFTS, d))
    tridiagonal.quadratic_forms(A, np.ascontiguousarray(coef).reshape(-1, d), spread.reshape(-1), *work)
    explained = 2 * np.einsum("ktd,td->kt", coef, S[d:, :d]) - spread
    left = np.maximum(about - explained, 0.0) + moments.weight * off**2
    constant = about <= 0
    r2 = np.where(constant, np.where(left == 0, 1.0, 0.0), 1 - left / np.where(constant, 1.0, about))
    return np.asarray(r2.mean(axis=1))
