"""Fewer rows than columns: ridge and minimum-norm least squares through the n x n Gram of the rows.

    w = X~' u,    (K + alpha I) u = y~,    K = X~ X~',    X~ = R (X - 1 m'),    y~ = R (y - mean(y)),    R = diag(sqrt(s))

m and mean(y) are the weighted means (zero without an intercept).  With alpha = 0 the smallest of the interpolating solutions.
Centred rows satisfy r'X~ = 0 for r = sqrt(s): K is made regular by adding (mean diagonal) r r' / r'r, which changes nothing that
y~ (also orthogonal to r) can see.  (Saunders, Gammerman and Vovk 1998, ICML.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..certificate import ILL_CONDITIONED, OPTIMAL, RANK_DEFICIENT, Certificate
from ..expansion import Coordinates, Expansion
from ..pointwise import SQUARED
from ..ranges import ColumnRanges, power_of_two_scale
from ..sources import SLAB_ELEMENTS, ArraySource, fold
from ..sparse_rows import SparseRows
from .cholesky import CholeskyFactor
from .eigen import eigenvectors
from .least_squares import EPS, LinearSolution

BLOCK_ELEMENTS = 1 << 20
"""Entries of X~ that are formed at a time for the Gram: 8 MB, enough that adding up n x n products costs little beside forming them."""

EXACT = 1e-10
"""Length of the gradient, beside that of the penalty: since A >= alpha, w is then as near to the optimum, beside its own length."""


class CentredRows:
    """X~ as what is asked of it, by blocks: never a copy of X."""

    def __init__(self, source: ArraySource, fit_intercept: bool) -> None:
        self.source = source
        self.X: Any = source.X
        self.root = np.sqrt(source.weight) if source.weight.size else np.ones(source.n_rows)
        ranges = fold(source, partial(ColumnRanges, source.n_features))
        self.mean = ranges.mean if fit_intercept else np.zeros(source.n_features)
        spread = np.maximum(np.abs(ranges.low - self.mean), np.abs(ranges.high - self.mean))
        # one scale for all columns: the penalty and the minimum norm are not those of scaled columns
        self.scale = float(power_of_two_scale(np.array([spread.max(initial=0.0)]))[0])
        self.coordinates = Coordinates(self.mean, np.full(source.n_features, self.scale), False)

    def gram(self) -> np.ndarray:
        """The lower triangle of K; one read."""
        from scipy.linalg.blas import dsyrk

        X, n = self.X, len(self.root)
        step = max(BLOCK_ELEMENTS // n, 1)
        K = np.zeros((n, n), order="F")
        block = np.empty((n, min(step, X.shape[1])))
        for a in range(0, X.shape[1], step):
            part = block[:, : min(step, X.shape[1] - a)]
            np.subtract(X[:, a : a + step], self.mean[a : a + step], out=part)
            part *= self.scale * self.root[:, None]
            K = dsyrk(1.0, part.T, beta=1.0, c=K, trans=1, lower=0, overwrite_c=1)
        self.source.reads += 1
        return K.T

    def combine(self, u: np.ndarray) -> np.ndarray:
        """X~' u; one read."""
        # the slopes of the squared loss at zero are -y, and a row without weight counts for nothing
        y = np.divide(u, self.root, out=np.zeros_like(u), where=self.root > 0)
        return -self._expand(y, np.zeros(self.source.n_features)).gradient

    def residual_gradient(self, target: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        """||r||^2 / 2 and X~' r with r = R target - X~ w; one read."""
        sums = self._expand(target, w)
        return sums.value, -sums.gradient

    def _expand(self, y: np.ndarray, w: np.ndarray) -> Expansion:
        source = self.source
        rows = ArraySource(self.X, y, source.weight, n_threads=source.n_threads)
        source.reads += 1
        return fold(rows, partial(Expansion, SQUARED, self.coordinates, w, 1))

    def predict(self, w: np.ndarray) -> np.ndarray:
        """X~ w; one read."""
        X, v = self.X, self.scale * w
        step = max(BLOCK_ELEMENTS // X.shape[1], 1)
        z = np.empty(len(self.root))
        for a in range(0, len(z), step):
            z[a : a + step] = (X[a : a + step] - self.mean) @ v
        self.source.reads += 1
        return self.root * z


class StoredCentredRows(CentredRows):
    """X~ of rows of which only some entries are stored; a few of them at a time are made dense, for the Gram."""

    def gram(self) -> np.ndarray:
        n, d = self.X.shape
        K = np.empty((n, n))
        step = max(SLAB_ELEMENTS // d, 1)
        for a in range(0, n, step):
            few = (self.X[a : a + step].toarray() - self.mean) * self.scale
            K[a : a + step] = self._predictions(few).T
        K *= self.root
        K *= self.root[:, None]
        self.source.reads += 1
        return K

    def predict(self, w: np.ndarray) -> np.ndarray:
        self.source.reads += 1
        return self._predictions(w[None])[:, 0] * self.root

    def _predictions(self, W: np.ndarray) -> np.ndarray:
        return self.X.predict(W, self.coordinates.shift, self.coordinates.scale)


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
        Steps of refinement at most, u <- u + (K + alpha I)^-1 (y~ - X~ X~' u - alpha u).

    Notes
    -----
    n^2 d flops for K, n^3 / 3 per distinct alpha, 8 n d t; two reads of X, two per target and three more per step of refinement.
    Memory 24 n^2 bytes.

    The gradient is known to rounding: with e_i = (d + 4) eps (|y~_i| + ||x~_i|| ||w||) the error of a residual (Higham 2002, 3.5; x
    itself rounded once when centred, ||x~_i||^2 = K_ii), it errs by no more than ||X~||_F (||e|| + (n + 4) eps ||r||) and 4 eps alpha
    ||w||, and F - F* <= ||g||^2 / (2 alpha).
    """
    rows = centred_rows(source, fit_intercept)
    y = source.y.reshape(source.n_rows, -1).T
    weight = source.weight.sum() if source.weight.size else float(source.n_rows)
    s = source.weight if source.weight.size else np.ones(source.n_rows)
    mean_y = (y @ s) / weight if fit_intercept else np.zeros(len(y))
    K = rows.gram()
    lengths = np.sqrt(np.diagonal(K))
    level = max(float(lengths @ lengths) / len(K), np.finfo(float).tiny)
    if fit_intercept:
        K += level * np.outer(rows.root, rows.root) / weight
    solutions = []
    inverses = {alpha: _inverse(K, alpha * rows.scale**2, level, fit_intercept) for alpha in dict.fromkeys(alphas.tolist())}
    for k, alpha in enumerate(alphas.tolist()):
        scaled = alpha * rows.scale**2
        solve, condition, rank = inverses[alpha]
        centred = y[k] - mean_y[k]
        target = rows.root * centred
        u = solve(target)
        w = rows.combine(u)
        value, g = rows.residual_gradient(centred, w)
        for _ in range(steps):
            if alpha > 0 and np.linalg.norm(scaled * w - g) <= EXACT * scaled * np.linalg.norm(w):
                break
            u = u + solve(target - rows.predict(w) - scaled * u)
            w = rows.combine(u)
            value, g = rows.residual_gradient(centred, w)
        # rounded to the precision returned; from here on everything is about those numbers
        coef = (w[None] * rows.scale).astype(source.dtype)
        intercept = (mean_y[k : k + 1] - coef @ rows.mean).astype(source.dtype)
        if source.dtype != np.float64:
            w = coef[0].astype(np.float64) / rows.scale
            value, g = rows.residual_gradient(centred, w)
        slip = float(intercept[0] + coef[0].astype(np.float64) @ rows.mean - mean_y[k]) if fit_intercept else 0.0
        g = scaled * w - g
        length = float(np.linalg.norm(w))
        residual = (2 * value) ** 0.5
        error = (w.size + 4) * EPS * float(np.linalg.norm(np.abs(target) + lengths * length))
        if alpha > 0:
            g_error = (level * len(K)) ** 0.5 * (error + (len(K) + 4) * EPS * residual) + 4 * EPS * scaled * length
            bound = 0.5 * (float(np.linalg.norm(g)) + g_error) ** 2 / scaled
        else:
            bound = 0.5 * (residual + error) ** 2  # the risk itself
        bound += 0.5 * weight * slip * slip
        original = g / rows.scale / weight + rows.mean * slip
        status, message = OPTIMAL, "Solved through the Gram of the rows, and refined where that left anything."
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
    shifted = K.copy()
    shifted.ravel()[:: n + 1] += alpha
    factor = CholeskyFactor(shifted)
    if factor.positive and factor.rcond > 4 * n * EPS:
        return factor.solve, 1 / factor.rcond, n - fit_intercept
    values, vectors = eigenvectors(K)
    kept = values > 4 * n * EPS * max(values[-1], level)
    inverse = np.where(kept, 1 / np.where(kept, values + alpha, 1), 0)
    # what is left out for being as small as rounding the penalty alone keeps from zero
    least = values[kept].min() if kept.all() or (not alpha > 0 and kept.any()) else alpha
    condition = float(values[-1] / least) if least > 0 else np.inf
    return (lambda B: (B @ vectors * inverse) @ vectors.T), condition, int(kept.sum()) - fit_intercept
