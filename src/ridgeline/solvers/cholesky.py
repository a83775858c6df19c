"""Factor, then solve: positive definite systems with a condition estimate, in double and in double-double.

Both factors answer the same two questions, `solve` (for the rows of B) and `rcond`; `ExtendedFactor` also knows the rank it found
and a basis of the null space.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..aside import aside
from ..doubledouble import DD, add, div, exact, mul, neg, total
from ..kernels import load
from ..workspace import padded

small, blocked = load("small_factor"), load("block_factor")

SMALL_ORDER = 96
"""Up to which the plain factorisation is no slower than one by blocks,"""

BLOCK_ORDER = 2048
"""and the one by blocks than LAPACK's on several threads, which would have SciPy loaded, and whose threads spin for a while when done."""

SIDES = 8
"""Right-hand sides that the factor by blocks solves for at a time."""

ESTIMATE = 20
"""Times n^2: about the flops of a condition estimate, some five pairs of triangular solves,"""

EXTENDED = 100
"""and for how many flops one operation in double-double counts: twenty, none of them in vectors."""

DOUBLE = np.dtype(np.float64)


def lapack() -> Any:
    """The kernels over LAPACK; the first call imports SciPy."""
    return load("factor")


class CholeskyFactor:
    """A = L L' of a symmetric positive definite A (n, n): n^3 / 3 flops, one copy of A.

    Attributes
    ----------
    positive : bool
        Whether the factorisation succeeded; nothing else may be asked otherwise.
    norm, rcond : float
        ||A||_1 and LAPACK's estimate of 1 / (||A||_1 ||A^-1||_1), 0 if not positive.
    """

    def __init__(self, A: np.ndarray) -> None:
        n = len(A)
        self.rcond, flops = 0.0, float(n) ** 3 / 3
        if n <= SMALL_ORDER:
            self._L = np.empty((n, n))  # its transpose, to be exact
            A = np.ascontiguousarray(A, dtype=np.float64)
            self.positive, self.norm, self.rcond = small.factor(A, self._L, np.empty(2 * n))
            return
        if n <= BLOCK_ORDER:
            self._L = np.zeros((padded(n, DOUBLE), padded(n, DOUBLE)))  # likewise
            A = np.ascontiguousarray(A, dtype=np.float64)
            self.positive, self.norm, self.rcond = aside(lambda: blocked.factor(A, self._L, np.empty(2 * n)), flops)
            return
        self._L = aside(lambda: np.array(A, dtype=np.float64, order="C"), flops)
        kernels = lapack()
        self.norm = kernels.norm_1(self._L)
        self.positive = bool(np.isfinite(self.norm)) and aside(lambda: kernels.cholesky_factor(self._L), flops) == 0
        if self.positive:
            work, signs = np.empty(3 * n), np.empty(n, np.intc)
            self.rcond = aside(lambda: kernels.cholesky_rcond(self._L, self.norm, work, signs), ESTIMATE * float(n) ** 2)

    def solve(self, B: np.ndarray) -> np.ndarray:
        """A^-1 b for each row b of B (k, n), or for a vector B (n,)."""
        X = np.array(B, dtype=np.float64, order="C", ndmin=2)
        n = X.shape[1]
        if n <= SMALL_ORDER:
            small.solve(self._L, X)
        elif n <= BLOCK_ORDER:
            aside(lambda: blocked.solve(self._L, X, np.empty(SIDES * n if len(X) > 1 else 0)), 2 * float(n) ** 2 * len(X))
        else:
            kernels = lapack()
            aside(lambda: kernels.cholesky_solve(self._L, X), 2 * float(n) ** 2 * len(X))
        return X if B.ndim == 2 else X[0]

    def whiten(self, b: np.ndarray) -> float:
        """||L^-1 b||, the length of b in the metric of A^-1."""
        return float(np.sqrt(max(float(b @ self.solve(b)), 0.0)))


class ExtendedFactor:
    """P'AP = L L' in double-double with diagonal pivoting; A must have a diagonal of order one.

    Attributes
    ----------
    norm : float
        ||A||_1.
    rank : int
    null_space : ndarray of shape (n, n - rank)
        Columns span the directions that A does not see.
    rcond : float
        The ratio of the smallest to the largest pivot kept: an upper bound on 1 / condition that is rarely far off.
    """

    def __init__(self, A: DD, tolerance: float) -> None:
        n = len(A[0])
        self.norm = float(np.abs(A[0]).sum(axis=1).max(initial=0.0))
        self._hi, self._lo = (np.array(a, dtype=np.float64, order="C") for a in A)
        self._order = np.empty(n, np.intp)
        hi, lo, order, kernels = self._hi, self._lo, self._order, lapack()
        self.rank = r = aside(lambda: kernels.cholesky_factor_extended(hi, lo, tolerance, order), EXTENDED * float(n) ** 3 / 3)
        pivots = np.diag(self._hi)[:r] ** 2
        self.rcond = float(pivots.min() / pivots.max()) if r else 1.0
        # L11' u = L21' gives the kept columns' share in each dependent one: null vector (-u, 1)
        self.null_space = np.zeros((n, n - r))
        if r < n:
            hi, lo = self._hi[:r, :r], self._lo[:r, :r]
            share = (self._hi[r:, :r].copy(), self._lo[r:, :r].copy())
            for i in range(r - 1, -1, -1):
                later = total(mul((share[0][:, i + 1 :], share[1][:, i + 1 :]), (hi[i + 1 :, i], lo[i + 1 :, i])))
                left = add((share[0][:, i], share[1][:, i]), neg(later))
                share[0][:, i] = (left[0] + left[1]) / hi[i, i]
                share[1][:, i] = 0
            self.null_space[self._order[:r]] = -share[0].T
            self.null_space[self._order[r:]] = np.eye(n - r)

    def solve_extended(self, B: DD) -> DD:
        """A^-1 b for each row of B (k, n) in double-double; dependent columns get zero."""
        r, order = self.rank, self._order[: self.rank]
        hi, lo = (np.ascontiguousarray(b[:, order]) for b in B)
        kernels = lapack()
        aside(lambda: kernels.cholesky_solve_extended(self._hi, self._lo, hi, lo, r), EXTENDED * 2 * float(r) ** 2 * len(hi))
        X = np.zeros_like(B[0]), np.zeros_like(B[1])
        X[0][:, order], X[1][:, order] = hi, lo
        return X

    def whitener(self) -> DD:
        """R (rank, n) with R'R = A^-1 of the kept columns and zeros for the others, R = L^-1 P', in double-double.

        About 20 rank^3 / 3 flops, by forward substitution.
        """
        r = self.rank
        lower, pivots = (self._hi[:r, :r], self._lo[:r, :r]), (np.diag(self._hi)[:r], np.diag(self._lo)[:r])
        rows = np.zeros((r, r)), np.zeros((r, r))
        for i in range(r):
            done = total(mul((lower[0][i, :i, None], lower[1][i, :i, None]), (rows[0][:i], rows[1][:i])), axis=0)
            pivot = np.full(r, pivots[0][i]), np.full(r, pivots[1][i])
            rows[0][i], rows[1][i] = div(add(exact(np.eye(r)[i]), neg(done)), pivot)
        R = np.zeros((r, len(self._order))), np.zeros((r, len(self._order)))
        for whole, part in zip(R, rows):
            whole[:, self._order[:r]] = part
        return R

    def solve(self, B: np.ndarray) -> np.ndarray:
        """As `solve_extended`, of doubles and rounded."""
        rows = np.array(B, dtype=np.float64, ndmin=2)
        hi, _ = self.solve_extended((rows, np.zeros_like(rows)))
        return hi if np.ndim(B) == 2 else hi[0]
