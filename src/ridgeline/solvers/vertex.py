"""From a point near an optimum of a piecewise-linear loss to the exact optimal vertex, with its proof.

The problem and the letters are those of `ridgeline.solvers.interior_point`.  A basis is a set B of k =
rank(X) linearly independent rows.  Its vertex is the beta that interpolates them; each other row has its dual
value where its residual puts it, and those of the basis follow from X'v = 0:

    X_B beta = y_B,    v_i = upper_i if r_i > 0, lower_i if r_i < 0,    X_B' v_B = -sum_{i not in B} v_i x_i.

The vertex is optimal if lower <= v_B <= upper, for then every term of the gap is zero.  If v_k > upper_k for
a k in B, then along the edge d with X_B d = -e_k the residual r_k grows and F falls at the rate v_k - upper_k
(if v_k < lower_k, along -d).  Each other row that changes sign at r_i = step x_i'd adds |x_i'd| (upper_i -
lower_i) to the slope; the row at which the slope turns positive takes the place of k (Barrodale & Roberts
1973).

Rows outside the basis may be interpolated too (ties).  Their v may lie anywhere in the box; the values of the
interior point, which tend to the centre of the set of dual optima, are kept for them and corrected by
weighted least squares.

The system X_B beta = y_B is solved by QR and refined with residuals free of rounding: each product is split
into a rounded product and its exact error (Dekker 1971), and all are summed exactly (`math.fsum`).

References
----------
I. Barrodale and F. D. K. Roberts (1973), An improved algorithm for discrete l1 linear approximation, SIAM J.
Numer. Anal. 10, 839-848.

T. J. Dekker (1971), A floating-point technique for extending the available precision, Numer. Math. 18,
224-242.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

from ..aside import aside

Array = NDArray[np.float64]
Index = NDArray[np.intp]

EPS = float(np.finfo(np.float64).eps)
# Dekker's splitting constant for a 53-bit significand, 2^27 + 1.
SPLIT = 134217729.0
# A residual below TIE (|y_i| + |x_i'beta| + max_B |x|'|beta|) is zero blurred by rounding.  Too large a value
# is harmless: it adds at most TIE |y| to a term of the gap.
TIE = 2.0**-42
# A row whose part orthogonal to the rows before it is less than this share of its length depends on them.
INDEPENDENT = 1e-11
# In the choice of a basis the square roots of the weights q may differ by this factor at most, so that the
# rounding of the heaviest rows (1e-16) stays below the lightest.
WEIGHT_RANGE = 1e-6
# v_B may leave the box by this share of the size of the sums it comes from.
OUTSIDE = 1e-12
# X'w counts as zero if it is at most this share of sqrt(n) (sum_i x_ij^2 (upper_i - lower_i)^2)^(1/2).
VANISHING = 1e-12
# Breakpoints of the line search along an edge that are sorted at first, and the factor by which that grows.
NEAREST, FARTHER = 256, 16


class Rows(Protocol):
    """The rows of X, wherever they live: `n` rows of `p` columns."""

    n: int
    p: int

    def predict(self, beta: Array) -> Array:
        """X beta, of shape (n,)."""
        ...

    def combine(self, v: Array) -> Array:
        """X'v, of shape (p,)."""
        ...

    def gram(self, q: Array) -> Array:
        """X' diag(q) X, of shape (p, p), for q >= 0."""
        ...

    def take(self, indices: Index) -> Array:
        """The rows at `indices`, of shape (len(indices), p)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DualPair:
    """beta and a v with X'v = 0 in the box, the primal value F(beta), and the gap: F(beta) - F* <= gap.

    `noise` is the rounding in the two; `basis` the rows that define beta where it is a vertex.
    """

    beta: Array
    v: Array
    primal: float
    gap: float
    noise: float
    basis: Index | None

    def within(self, tol: float) -> bool:
        """Whether the gap is at most tol F(beta), or no more than rounding."""
        return self.gap <= max(tol * self.primal, self.noise)


def paired(
    beta: Array,
    y: Array,
    r: Array,
    v: Array,
    lower: Array,
    upper: Array,
    basis: Index | None = None,
    size: Array | float = 0.0,
) -> DualPair:
    """Evaluate F(beta) and the gap at r = y - X beta and a dual feasible v; `size` that of |x_i|'|beta|."""
    above, below = np.maximum(r, 0.0), np.maximum(-r, 0.0)
    primal = float(upper @ above) - float(lower @ below)
    gap = float((upper - v) @ above) + float((v - lower) @ below)
    noise = 4 * EPS * float((upper - lower) @ (np.abs(y) + np.abs(y - r) + size))
    return DualPair(beta, v, primal, gap, noise, basis)


class _Basis:
    """k independent rows X_B, factored as X_B' = Q R."""

    def __init__(self, rows: Rows, indices: Index) -> None:
        self.indices = indices
        self.x = rows.take(indices)
        # Where k = p the columns may have any scale; where k < p that decides what "shortest" means.
        self.scale = column_scale(self.x) if len(indices) == rows.p else np.ones(rows.p)
        self.q, self.r = _orthogonal((self.x * self.scale).T, mode="economic")

    def _least(self, c: Array) -> Array:
        """The shortest d with X_B d = c."""
        d: Array = self.scale * (self.q @ solve_triangular(self.r, c, trans="T"))
        return d

    def interpolate(self, y: Array) -> Array:
        """The shortest beta with X_B beta = y, to working accuracy."""
        beta = self._least(y)
        size = math.inf
        # Each step gains the digits that the condition of X_B leaves of 16; the last no longer halves.
        for _ in range(10):
            correction = self._least(exact_residual(y, self.x, beta))
            if not (new := float(np.abs(correction).max(initial=0.0))) <= 0.5 * size:
                break
            beta, size = beta + correction, new
        return beta

    def edge(self, k: int) -> Array:
        """The d with X_B d = e_k."""
        e = np.zeros(len(self.indices))
        e[k] = 1.0
        return self._least(e)

    def duals(self, g: Array) -> Array:
        """The v_B with X_B' v_B = -g."""
        v: Array = solve_triangular(self.r, -(self.q.T @ (self.scale * g)))
        v -= solve_triangular(self.r, self.q.T @ (self.scale * (g + self.x.T @ v)))
        return v


def exact_residual(y: Array, x: Array, beta: Array) -> Array:
    """y - x beta, each entry rounded once."""

    def halves(z: Array) -> tuple[Array, Array]:
        high = SPLIT * z
        high = high - (high - z)
        return high, z - high

    product = x * beta
    x_high, x_low = halves(x)
    b_high, b_low = halves(beta)
    error = x_low * b_low - (((product - x_high * b_high) - x_low * b_high) - x_high * b_low)
    return np.array([math.fsum([y_i, *(-p_i), *(-e_i)]) for y_i, p_i, e_i in zip(y, product, error)])


def column_scale(x: Array) -> Array:
    """Factors that bring the largest entry of each column to one, where it is not zero."""
    largest = np.abs(x).max(axis=0, initial=0.0)
    return 1.0 / np.where(largest > 0, largest, 1.0)


def choose_basis(rows: Rows, q: Array, rank: int) -> Index:
    """Independent rows, heavy in q: pivoted QR of the heaviest rows, of more while the rank falls short."""
    count = min(rows.n, 2 * rows.p + 32)
    while True:
        heavy = np.argpartition(q, rows.n - count)[rows.n - count :]
        x = rows.take(heavy)
        x = x * column_scale(x)
        weight = np.maximum(np.sqrt(q[heavy] / q[heavy].max()), WEIGHT_RANGE)[:, None] * x
        r, order = _orthogonal(weight.T, mode="r", pivoting=True)
        pivots = np.abs(np.diagonal(r))
        lengths = np.linalg.norm(weight, axis=1)[order[: len(pivots)]]
        independent = pivots > INDEPENDENT * lengths
        found = len(pivots) if independent.all() else int(np.argmin(independent))
        if found >= rank or count == rows.n:
            chosen: Index = heavy[order[:found]]
            return chosen
        count = min(rows.n, 4 * count)


def vanishes(rows: Rows, w: Array, lower: Array, upper: Array) -> bool:
    """Whether X'w = 0 within the rounding of such sums over the box."""
    terms = np.sqrt(np.diagonal(rows.gram((upper - lower) ** 2)))
    return bool((np.abs(rows.combine(w)) <= VANISHING * math.sqrt(rows.n) * terms).all())


def find_vertex(
    rows: Rows, y: Array, lower: Array, upper: Array, v: Array, first: Index, max_exchanges: int
) -> DualPair | None:
    """The optimal vertex near an approximate dual optimum, or None if few exchanges do not lead to it.

    Parameters
    ----------
    rows : Rows
    y, lower, upper : ndarray of shape (n,)
    v : ndarray of shape (n,)
        Near a dual optimum; it matters for rows that are interpolated.
    first : ndarray of indices
        The basis to begin with, of rank(X) independent rows.
    max_exchanges : int
        Each costs two reads and a QR factorisation of the basis.
    """
    basis = _Basis(rows, first)
    w = np.clip(v, lower, upper)
    while True:
        beta = basis.interpolate(y[basis.indices])
        prediction = rows.predict(beta)
        r = y - prediction
        scale = float((np.abs(basis.x) @ np.abs(beta)).max(initial=0.0))
        tie = np.abs(r) <= TIE * (np.abs(y) + np.abs(prediction) + scale)
        tie[basis.indices] = True
        w = np.where(tie, w, np.where(r > 0, upper, lower))
        outside = _settle(rows, basis, tie, w, lower, upper)
        if not outside.any():
            # A basis of fewer than p rows spans X'w only if its size is indeed the rank of X.
            if len(basis.indices) < rows.p and not vanishes(rows, w, lower, upper):
                return None
            return paired(beta, y, r, w, lower, upper, basis.indices, np.where(tie, scale, 0.0))
        if max_exchanges == 0:
            return None
        max_exchanges -= 1
        k = int(np.argmax(outside))
        enter = _exchange(rows, basis, k, np.where(tie, 0.0, r), w, lower, upper)
        if enter is None:
            return None
        w = np.clip(w, lower, upper)
        indices = basis.indices.copy()
        indices[k] = enter
        basis = _Basis(rows, indices)


def _settle(rows: Rows, basis: _Basis, tie: NDArray[np.bool_], w: Array, lower: Array, upper: Array) -> Array:
    """Make X'w = 0 through w_B, helped by other ties if w_B would leave the box; return by how much."""
    g = rows.combine(w)
    start = w[basis.indices]
    outside = _set_duals(basis, g, w, lower, upper)
    if not outside.any() or np.count_nonzero(tie) == len(basis.indices):
        return outside
    # The smallest change of the ties that restores X'w = 0, each measured by its room in the box.
    w[basis.indices] = start
    room: Array = np.square(np.where(tie, np.minimum(upper - w, w - lower), 0.0))
    multiplier = np.linalg.lstsq(rows.gram(room), g, rcond=None)[0].astype(np.float64)
    w -= room * rows.predict(multiplier)
    np.clip(w, lower, upper, out=w)
    return _set_duals(basis, rows.combine(w), w, lower, upper)


def _set_duals(basis: _Basis, g: Array, w: Array, lower: Array, upper: Array) -> Array:
    """Change w_B so that X'w, now g, becomes 0; return how far each leaves the box, 0 within rounding."""
    b = basis.indices
    change = basis.duals(g)
    value = w[b] + change
    outside = np.maximum(value - upper[b], lower[b] - value)
    within = outside <= OUTSIDE * (np.abs(value).max(initial=0.0) + upper[b] - lower[b])
    w[b] = np.where(within, np.clip(value, lower[b], upper[b]), value)
    return np.where(within, 0.0, outside)


def _exchange(
    rows: Rows, basis: _Basis, k: int, r: Array, w: Array, lower: Array, upper: Array
) -> int | None:
    """The row that replaces k-th of the basis at the lowest point of the edge on which it leaves the box.

    `r` is exactly zero at the ties.  On return the rows passed on the way
    have their new w.
    """
    leaving = basis.indices[k]
    sign = -1.0 if w[leaving] > upper[leaving] else 1.0
    rate = sign * rows.predict(basis.edge(k))
    rate[basis.indices] = 0.0
    # Rounded down, so that the last breakpoint is found also where F is flat beyond it.
    slope = (1 - OUTSIDE) * max(w[leaving] - upper[leaving], lower[leaving] - w[leaving])
    rate[np.abs(rate) <= INDEPENDENT * np.abs(rate).max()] = 0.0
    meets = np.flatnonzero((r * rate > 0) | ((r == 0) & (rate != 0)))
    steps = r[meets] / rate[meets]
    gains = np.where(rate[meets] > 0, rate[meets] * (w - lower)[meets], -rate[meets] * (upper - w)[meets])
    count = NEAREST
    while True:
        near = np.argpartition(steps, count)[:count] if count < len(steps) else np.arange(len(steps))
        order = near[np.argsort(steps[near], kind="stable")]
        reached = int(np.searchsorted(np.cumsum(gains[order]), slope))
        if reached < len(order):
            break
        if len(order) == len(steps):
            return None
        count *= FARTHER
    passed = meets[order[:reached]]
    w[passed] = np.where(rate[passed] > 0, lower[passed], upper[passed])
    return int(meets[order[reached]])


def _orthogonal(A: Array, **kind: Any) -> Any:
    """SciPy's QR factorisation of `kind`."""
    return aside(lambda: qr(A, **kind), 4.0 * A.shape[0] * A.shape[1] * min(A.shape))
