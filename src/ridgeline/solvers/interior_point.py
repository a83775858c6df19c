"""Least weighted sums of piecewise-linear losses, exactly: quantile and absolute regression.

Over beta in R^p, with r = y - X beta, minimise

    F(beta) = sum_i max(upper_i r_i, lower_i r_i),              lower_i <= 0 <= upper_i.

Quantile tau with weight w_i is upper = tau w_i, lower = (tau - 1) w_i; a penalty a |beta_j| is one more row x
= e_j, y = 0, upper = a, lower = -a.  For any v in the box lower <= v <= upper with X'v = 0, every beta has

    F(beta) - F* <= F(beta) - v'y = F(beta) - v'r = sum_i r_i^+ (upper_i - v_i) + r_i^- (v_i - lower_i),

a sum of terms that are all >= 0, so it is found without cancellation.

Three parts find such a pair.  `central_path` approaches an optimum; `vertex` guesses from an approximate one
which rows are interpolated at the optimum, repairs the guess, and has the exact answer with its proof.  With
many more rows than columns, most rows only lend their sign: a sample gives a beta, far from which the
residuals of the full data are taken to keep their signs, so that these rows enter through one vector,

    g = sum_{fixed i} v_i x_i,      F(beta) = sum_{band i} max(upper_i r_i, lower_i r_i) - g'beta + constant,

and the rows of the band near zero are solved for alone (Portnoy & Koenker 1997).  Rows that did change
sign join the band, and the vertex found is judged on the full data.

References
----------
S. Portnoy and R. Koenker (1997), The Gaussian hare and the Laplacian tortoise: computability of squared-error
versus absolute-error estimators, Statistical Science 12, 279-300.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..watch import time_is_up
from .central_path import Iterate, advance, dual_feasible, start, weighted_least_squares
from .vertex import DualPair, Rows, choose_basis, find_vertex, paired, vanishes

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# A vertex is guessed when the relative gap is below FIRST_GUESS, and again each time it has fallen by
# GUESS_AGAIN. With 20 to 300 columns the guess at 1e-4 is p/10 exchanges or fewer from the optimum in most
# cases, at 1e-3 p/3.
FIRST_GUESS = 1e-4
GUESS_AGAIN = 0.1
# A shorter step than this is no progress: rounding in the Gram matrix has the last word.
SMALLEST_STEP = 1e-8
# |r| below this (y is scaled to at most 1) is taken for an exact fit blurred by the least squares solution.
PERFECT = 1e-8
# Sample and band have (n p)^(2/3) rows, the order that Portnoy & Koenker (1997) find best, but no
# more than LARGEST_SAMPLE of all; a sample of less than SMALLEST_SAMPLE rows per column says too little to
# begin with.
LARGEST_SAMPLE = 0.25
SMALLEST_SAMPLE = 100
# The sample is solved to this multiple of p/m, the relative gap at which sampling error leaves it (m rows).
SAMPLE_GAP = 0.1
# Rows heavier than this many times the average are in every sample and every band.
HEAVY = 8.0
# The band is drawn anew, at most this often, when rows outside it changed sign.
BANDS = 4
# Rows of a Gram matrix whose weighted copy is made at a time.
ROWS_AT_A_TIME = 4096


@dataclass(frozen=True, slots=True, eq=False)
class PiecewiseLinearFit:
    """A minimiser with its proof.

    Attributes
    ----------
    beta : ndarray of shape (p,)
    v : ndarray of shape (n,)
        The dual point: lower <= v <= upper and X'v = 0 up to rounding.
    primal : float
        F(beta).
    gap : float
        F(beta) - F* is at most this, up to rounding.
    status : {"optimal", "rank_deficient", "stopped_early"}
        "optimal": the gap is at most tol F(beta), or within the rounding of the residuals.  "rank_deficient":
        the same, but X determines only some combinations of beta; for a vertex, beta is then the shortest of
        its equals.
    n_iter : int
        Interior point iterations, those on samples and bands included.
    reads : int
        Passes over the rows: calls of `predict`, `combine` and `gram`.
    vertex : bool
        Whether beta interpolates rank(X) independent rows, solved to working accuracy.
    """

    beta: Array
    v: Array
    primal: float
    gap: float
    status: Literal["optimal", "rank_deficient", "stopped_early"]
    n_iter: int
    reads: int
    vertex: bool


class _Counted:
    """The rows that carry weight, and a count of the reads.  Vectors of length n are of these rows only."""

    def __init__(self, rows: Rows, keep: NDArray[np.bool_]) -> None:
        self._rows = rows
        self._index = None if keep.all() else np.flatnonzero(keep)
        self.n = int(np.count_nonzero(keep))
        self.p = rows.p
        self.reads = 0

    def spread(self, values: Array) -> Array:
        """`values` at their rows among all rows, 0 elsewhere."""
        if self._index is None:
            return values
        full = np.zeros(self._rows.n)
        full[self._index] = values
        return full

    def predict(self, beta: Array) -> Array:
        self.reads += 1
        prediction = self._rows.predict(beta)
        return prediction if self._index is None else prediction[self._index]

    def combine(self, v: Array) -> Array:
        self.reads += 1
        return self._rows.combine(self.spread(v))

    def gram(self, q: Array) -> Array:
        self.reads += 1
        return self._rows.gram(self.spread(q))

    def take(self, indices: Index) -> Array:
        return self._rows.take(indices if self._index is None else self._index[indices])


class _Taken:
    """Some rows in memory.  The others, whose v is fixed, enter as g: `combine(v)` is X'v + g."""

    def __init__(self, x: Array, g: Array | float = 0.0) -> None:
        self.n, self.p = x.shape
        self._x = np.asfortranarray(x)
        self._g = g

    def predict(self, beta: Array) -> Array:
        return self._x @ beta

    def combine(self, v: Array) -> Array:
        return self._x.T @ v + self._g

    def gram(self, q: Array) -> Array:
        total: Array = np.zeros((self.p, self.p))
        for a in range(0, self.n, ROWS_AT_A_TIME):
            x = self._x[a : a + ROWS_AT_A_TIME]
            total += x.T @ (q[a : a + ROWS_AT_A_TIME, None] * x)
        return total

    def take(self, indices: Index) -> Array:
        return self._x[indices]


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Minimise sum_i max(upper_i r_i, lower_i r_i), r = y - X beta."""

    rows: Rows
    y: Array
    lower: Array
    upper: Array

    def parts(self) -> tuple[Rows, Array, Array, Array]:
        return self.rows, self.y, self.lower, self.upper


@dataclass(slots=True)
class _Budget:
    """Iterations made, and how many may be."""

    most: int
    made: int = 0

    @property
    def spent(self) -> bool:
        """Whether they are made, or the time is up."""
        return self.made >= self.most or time_is_up()


def _follow(
    rows: Rows, at: Iterate, below: float, offset: float, budget: _Budget
) -> tuple[Array, float, bool]:
    """Advance until gap <= below (F + offset): the last weights, the ratio, and whether the path ends."""
    step = 1.0
    while True:
        q = at.weights()
        gap = at.complementarity()
        ratio = gap / max(gap + float(at.r @ at.v) + offset, 5e-324)
        last = budget.spent or not step > SMALLEST_STEP
        if last or ratio <= below:
            return q, ratio, last
        step = advance(rows, at, q)
        budget.made += 1


def _few(p: int) -> int:
    """How many exchanges a guess is worth: about as much work as the iterations it may save."""
    return 10 + p // 5


def _minimise(
    problem: _Problem, tol: float, budget: _Budget, beta: Array, rank: int, offset: float = 0.0
) -> DualPair:
    """Follow the path from beta and guess vertices on the way: the first pair within tol, or the best."""
    rows, y, lower, upper = problem.parts()
    at = start(rows, y, lower, upper, beta)
    if np.abs(at.r).max() < PERFECT:
        first = choose_basis(rows, at.weights(), rank)
        found = find_vertex(rows, y, lower, upper, np.zeros_like(y), first, _few(rows.p))
        if found is not None and found.within(tol):
            return found
    below = FIRST_GUESS
    while True:
        q, ratio, last = _follow(rows, at, below, offset, budget)
        last = last or ratio <= 0.01 * tol
        most = _few(rows.p) + last * rows.p
        found = find_vertex(rows, y, lower, upper, at.v, choose_basis(rows, q, rank), most)
        if found is not None and found.within(tol):
            return found
        if last:
            break
        below = max(min(below, ratio) * GUESS_AGAIN, 0.01 * tol)

    r = y - rows.predict(at.beta)
    pairs = [paired(at.beta, y, r, np.zeros_like(y), lower, upper)]
    inside = dual_feasible(rows, at, q, lower, upper)
    # In directions that the Gram matrix does not show, beta* may be far and X'v = 0 up to rounding means
    # nothing.
    if rank == rows.p and vanishes(rows, inside, lower, upper):
        pairs.append(paired(at.beta, y, r, inside, lower, upper))
    return min(pairs, key=lambda pair: pair.gap)


def _narrowed(problem: _Problem, tol: float, budget: _Budget) -> DualPair | None:
    """The vertex found from a sample and the rows near its fit; None if that does not apply or succeed."""
    rows, y, lower, upper = problem.parts()
    n, p = rows.n, rows.p
    m = min(int((n * p) ** (2 / 3)), int(LARGEST_SAMPLE * n))
    width = upper - lower
    heavy = width > HEAVY * width.mean()
    always = np.flatnonzero(heavy)
    if m < SMALLEST_SAMPLE * p or len(always) > m // 2:
        return None
    sample = np.union1d(np.arange(m) * n // m, always)
    share = np.where(heavy[sample], 1.0, n / m)
    part = _Problem(_Taken(rows.take(sample)), y[sample], lower[sample] * share, upper[sample] * share)
    beta, rank = weighted_least_squares(part.rows, part.y, part.upper - part.lower)
    if rank < p:
        return None
    at = start(*part.parts(), beta)
    if np.abs(at.r).max() >= PERFECT:
        _follow(part.rows, at, SAMPLE_GAP * p / m, 0.0, budget)
    beta = at.beta

    for _ in range(BANDS):
        r = y - rows.predict(beta)
        band = np.union1d(np.argpartition(np.abs(r), m)[:m], always)
        v = np.where(r > 0, upper, lower)
        v[band] = 0.0
        part = _Problem(_Taken(rows.take(band), rows.combine(v)), y[band], lower[band], upper[band])
        found = _minimise(part, tol, budget, beta, rank, offset=float(v @ r))
        if found.basis is None:
            return None
        v[band] = found.v
        turned = np.setdiff1d(np.flatnonzero((y - rows.predict(found.beta)) * r < 0), band)
        if len(turned) == 0:
            best = find_vertex(rows, y, lower, upper, v, band[found.basis], _few(p))
            if best is not None and best.within(tol):
                return best
        beta, always = found.beta, np.union1d(always, turned)
        if len(always) > m:
            return None
    return None


def interior_point(
    rows: Rows, y: Array, lower: Array, upper: Array, *, tol: float = 1e-10, max_iter: int = 100
) -> PiecewiseLinearFit:
    """Minimise sum_i max(upper_i r_i, lower_i r_i) over beta, r = y - X beta.

    Parameters
    ----------
    rows : Rows
        X; it is read, and of long data up to a quarter of the rows is copied.  Centre the columns: where
        their means are more than about 1e7 times their spread, rounding hides the spread from the solver.
    y, lower, upper : ndarray of shape (n,)
        Finite, with lower <= 0 <= upper.  Rows with lower = upper = 0 are left out.
    tol : float
        Largest relative duality gap to call optimal.
    max_iter : int
        Largest number of interior point iterations on the full data, and on samples and bands together.

    Returns
    -------
    PiecewiseLinearFit
    """
    keep = upper > lower
    read = _Counted(rows, keep)
    if read.n < rows.n:
        y, lower, upper = y[keep], lower[keep], upper[keep]
    # Powers of two that bring y and the weights to order one, so that no product over- or underflows.
    y_exponent = math.frexp(float(np.max(np.abs(y), initial=0.0)))[1]
    v_exponent = math.frexp(float(np.max(upper - lower, initial=0.0)))[1]
    y = np.ldexp(y, -y_exponent)
    lower, upper = np.ldexp(lower, -v_exponent), np.ldexp(upper, -v_exponent)

    problem = _Problem(read, y, lower, upper)
    budget = _Budget(max_iter)
    rank = 0
    # Quotients of rows far from their corner may leave the range of float64; advance() checks its step.
    with np.errstate(all="ignore"):
        if read.n == 0 or read.p == 0:
            v = np.where(y > 0, upper, lower)
            best = paired(np.zeros(read.p), y, y, v, lower, upper, np.arange(0))
        elif (narrowed := _narrowed(problem, tol, budget)) is not None:
            best = narrowed
        else:
            budget.most += budget.made
            beta, rank = weighted_least_squares(read, y, upper - lower)
            best = _minimise(problem, tol, budget, beta, rank)
        beta, v = np.ldexp(best.beta, y_exponent), read.spread(np.ldexp(best.v, v_exponent))
    status: Literal["optimal", "rank_deficient", "stopped_early"] = "stopped_early"
    if best.within(tol):
        # A basis tells the rank more sharply than the Gram matrix, which squares the condition.
        rank = rank if best.basis is None else len(best.basis)
        status = "optimal" if rank == rows.p else "rank_deficient"
    return PiecewiseLinearFit(
        beta=beta,
        v=v,
        primal=math.ldexp(best.primal, y_exponent + v_exponent),
        gap=math.ldexp(best.gap, y_exponent + v_exponent),
        status=status,
        n_iter=budget.made,
        reads=read.reads,
        vertex=best.basis is not None,
    )
