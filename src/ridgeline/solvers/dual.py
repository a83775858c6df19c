"""Fewer rows than columns: ridge and minimum-norm least squares through the n x n Gram of the rows.

    w = X~' u,    (K + alpha I) u = y~,    K = X~ X~',    X~ = R (X - 1 m'),    y~ = R (y - mean(y)),    R = diag(sqrt(s))

m and mean(y) are the weighted means (zero without an intercept).  With alpha = 0 the smallest of the interpolating solutions.
Centred rows satisfy r'X~ = 0 for r = sqrt(s): K is made regular by adding (mean diagonal) r r' / r'r, which changes nothing that
y~ (also orthogonal to r) can see.  (Saunders, Gammerman and Vovk 1998, ICML.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..certificate import ILL_CONDITIONED, OPTIMAL, RANK_DEFICIENT, Certificate
from ..ranges import ColumnRanges, power_of_two_scale
from ..sources import SLAB_ELEMENTS, ArraySource, fold
from ..sparse_rows import SparseRows
from .cholesky import CholeskyFactor
from .least_squares import EPS, LinearSolution


class CentredRows:
    """X~ as a pair of products, by blocks of columns: never a copy of X."""

    def __init__(self, source: ArraySource, fit_intercept: bool) -> None:
        self.X: Any = source.X
        self.root = np.sqrt(source.weight) if source.weight.size else np.ones(source.n_rows)
        ranges = fold(source, lambda: ColumnRanges(source.n_features))
        self.mean = ranges.mean if fit_intercept else np.zeros(source.n_features)
        spread = np.maximum(np.abs(ranges.low - self.mean), np.abs(ranges.high - self.mean))
        # one scale for all columns: the penalty and the minimum norm are not those of scaled columns
        self.scale = float(power_of_two_scale(np.array([spread.max(initial=0.0)]))[0])
        self.step = max(SLAB_ELEMENTS // max(source.n_rows, 1), 16)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (columns, X~ of those columns)."""
        for a in range(0, self.X.shape[1], self.step):
            columns = slice(a, a + self.step)
            block = self.X[:, columns].astype(np.float64)
            block -= self.mean[columns]
            block *= self.scale
            block *= self.root[:, None]
            yield columns, block

    def gram(self) -> np.ndarray:
        K = np.zeros((len(self.root), len(self.root)))
        for _, block in self.blocks():
            K += block @ block.T
        return K

    def combine(self, U: np.ndarray, magnitude: bool = False) -> np.ndarray:
        """X~' u for each row u of U (t, n); |X~|'u if `magnitude`."""
        W = np.empty((len(U), self.X.shape[1]))
        for columns, block in self.blocks():
            W[:, columns] = U @ (np.abs(block) if magnitude else block)
        return W

    def predict(self, W: np.ndarray, magnitude: bool = False) -> np.ndarray:
        """X~ w for each row w of W (t, d); |X~| w if `magnitude`."""
        Z = np.zeros((len(W), len(self.root)))
        for columns, block in self.blocks():
            Z += W[:, columns] @ (np.abs(block) if magnitude else block).T
        return Z


class StoredCentredRows(CentredRows):
    """X~ of rows of which only some entries are stored; a few of them at a time are made dense, for the Gram."""

    def gram(self) -> np.ndarray:
        n, d = self.X.shape
        K = np.empty((n, n))
        step = max(SLAB_ELEMENTS // d, 1)
        for a in range(0, n, step):
            few = (self.X[a : a + step].toarray() - self.mean) * self.scale
            K[a : a + step] = self.X.predict(few, *self._coordinates()).T
        K *= self.root
        K *= self.root[:, None]
        return K

    def combine(self, U: np.ndarray, magnitude: bool = False) -> np.ndarray:
        return self._rows(magnitude).combine(U * self.root, *self._coordinates(magnitude))

    def predict(self, W: np.ndarray, magnitude: bool = False) -> np.ndarray:
        return self._rows(magnitude).predict(W, *self._coordinates(magnitude)).T * self.root

    def _rows(self, magnitude: bool) -> SparseRows:
        return self.X.absolute() if magnitude else self.X

    def _coordinates(self, magnitude: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Shift and scale; in place of |X~| the bound |X| + |m|."""
        shift = self.mean * self.scale
        return -np.abs(shift) if magnitude else shift, np.full(shift.size, self.scale)


def centred_rows(source: ArraySource, fit_intercept: bool) -> CentredRows:
    """X~ of either kind of rows."""
    kind = StoredCentredRows if isinstance(source.X, SparseRows) else CentredRows
    return kind(source, fit_intercept)


def solve_dual(source: ArraySource, alphas: np.ndarray, fit_intercept: bool, steps: int = 2) -> list[LinearSolution]:
    """One solution per target; see the top of this file.

    Parameters
    ----------
    source : ArraySource with n < d rows, finite
    alphas : ndarray of shape (t,)
    fit_intercept : bool
    steps : int
        Steps of refinement, u <- u + (K + alpha I)^-1 (y~ - X~ X~' u - alpha u).

    Notes
    -----
    n^2 d flops for K, n^3 / 3 per distinct alpha, 4 n d t per step; two reads of X and two more per step. Memory 8 n^2 bytes.
    """
    rows = centred_rows(source, fit_intercept)
    y = source.y.reshape(source.n_rows, -1).T
    weight = source.weight.sum() if source.weight.size else float(source.n_rows)
    s = source.weight if source.weight.size else np.ones(source.n_rows)
    mean_y = (y @ s) / weight if fit_intercept else np.zeros(len(y))
    target = rows.root * (y - mean_y[:, None])
    K = rows.gram()
    source.reads += 1
    level = max(float(np.trace(K)) / len(K), np.finfo(float).tiny)
    if fit_intercept:
        K += level * np.outer(rows.root, rows.root) / weight
    solutions = []
    for k, alpha in enumerate(alphas.tolist()):
        scaled = alpha * rows.scale**2
        solve, condition, rank = _inverse(K, scaled, level, fit_intercept)
        u = solve(target[k : k + 1])
        for _ in range(steps):
            u = u + solve(target[k : k + 1] - rows.predict(rows.combine(u)) - scaled * u)
            source.reads += 2
        # rounded to the precision returned; from here on everything is about those numbers
        coef = (rows.combine(u) * rows.scale).astype(source.dtype)
        intercept = (mean_y[k : k + 1] - coef @ rows.mean).astype(source.dtype)
        w = coef.astype(np.float64) / rows.scale
        slip = float(intercept[0] + coef[0].astype(np.float64) @ rows.mean - mean_y[k]) if fit_intercept else 0.0
        # F - F* <= ||g||^2 / (2 alpha) with g the gradient; at alpha = 0 the risk itself bounds it
        residual = target[k : k + 1] - rows.predict(w)
        g = scaled * w - rows.combine(residual)
        # rounding in forming them: |fl(x'w) - x'w| <= (d + 2) eps |x|'|w| (Higham 2002, 3.5), x itself rounded once when centred
        residual_error = (w.size + 4) * EPS * (np.abs(target[k : k + 1]) + rows.predict(np.abs(w), magnitude=True))
        g_error = 4 * EPS * scaled * np.abs(w) + rows.combine(
            residual_error + (residual.size + 4) * EPS * np.abs(residual), magnitude=True
        )
        source.reads += 5
        if alpha > 0:
            bound = 0.5 * float(((np.abs(g) + g_error) ** 2).sum()) / scaled
        else:
            bound = 0.5 * float(((np.abs(residual) + residual_error) ** 2).sum())
        bound += 0.5 * weight * slip * slip
        original = g / rows.scale / weight + rows.mean * slip
        status, message = OPTIMAL, "Solved through the Gram of the rows, refined twice."
        if alpha == 0:
            status = RANK_DEFICIENT
            message = (
                f"There are fewer rows ({source.n_rows}) than columns ({source.n_features}): the smallest of the coefficients that "
                "fit was returned. Use Ridge with alpha > 0 for a unique answer."
            )
        elif EPS * condition > 1e-10:
            status = ILL_CONDITIONED
            message = f"The penalty is tiny beside the data (condition {condition:.1e}): raise alpha."
        certificate = Certificate(
            status, "Cholesky of the rows' Gram (fewer rows than columns)" if alpha else "minimum norm through the rows' Gram",
            max(float(np.abs(original).max()), abs(slip)), bound / weight, condition, source.reads, message,
        )  # fmt: skip
        solutions.append(LinearSolution(coef, intercept, certificate, rank))
    return solutions


def _inverse(
    K: np.ndarray, alpha: float, level: float, fit_intercept: bool
) -> tuple[Callable[[np.ndarray], np.ndarray], float, int]:
    """(K + alpha I)^-1 as a function of rows, its condition, and the rank of the centred rows."""
    n = len(K)
    factor = CholeskyFactor(K + alpha * np.eye(n))
    if factor.positive and factor.rcond > 4 * n * EPS:
        return factor.solve, 1 / factor.rcond, n - fit_intercept
    values, vectors = np.linalg.eigh(K)
    kept = values > 4 * n * EPS * max(values[-1], level)
    inverse = np.where(kept, 1 / np.where(kept, values + alpha, 1), 0)
    condition = float(values[-1] / values[kept].min()) if kept.any() else np.inf
    return (lambda B: (B @ vectors * inverse) @ vectors.T), condition, int(kept.sum()) - fit_intercept
