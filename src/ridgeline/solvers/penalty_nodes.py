"""Sums of squares of left-out residuals at many penalties, from those at a few: as functions of the penalty they are nearly polynomials.

The residual of row i in the ridge fit of the others is y_i - b - sum_k c_ik / (l_ik + alpha), with l_ik the eigenvalues of the scatter
without it.  With u = alpha / (alpha + mu),

    1 / (l + alpha) = (1 - u) / (l + (mu - l) u),

whose pole lies at -l / (mu - l) < 0 for l < mu and at l / (l - mu) > 1 for l > mu, and all penalties in 0 < u < 1.  So the sums of squares
are analytic but for real u at a distance from that interval, which is the longest with mu between the extreme eigenvalues.  Their
polynomial through r Chebyshev nodes misses them by 4 M rho^-r / (rho - 1), for the ellipse of parameter rho and the bound M on it
(Trefethen 2013, Approximation Theory and Approximation Practice, theorem 8.2).  Half of the way to the poles no denominator is less than
half of what it is in the interval, and for the few conditions that half of the penalties do for M is taken to be within 1e4 of the
targets' squares.

What the eigenvalues without a row are is seen when all have been read: l >= (1 - h) (lambda + alpha) - alpha for its leverage h, whatever
the alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EPS = float(np.finfo(np.float64).eps)

LEFT = 0.75
"""Share of the least eigenvalue that is taken to be left without a row."""

OUTLYING = 4.0
"""Leverage of a row, in means, that must leave so much for a first read at nodes to be worth its chance."""

FEW = 0.5
"""Share of the penalties up to which nodes are worth the chance of a second read."""

RANGE = 100.0
"""The targets' squares over the least sum: the interpolant's errors are rounding of the largest."""

BOUND = 1e4
"""M over the targets' squares."""


@dataclass(frozen=True)
class PenaltyNodes:
    """Penalties (r), and the weights (r, k) that take sums there to those at the penalties asked for."""

    alphas: np.ndarray
    weights: np.ndarray
    smallest: float

    def hold(self, least: np.ndarray) -> bool:
        """Whether by the least 1 - h (r) of the rows no eigenvalue is less than the nodes were laid out for."""
        return bool((least * (self.smallest + self.alphas) - self.alphas).max() >= LEFT * self.smallest)

    def between(self, sums: np.ndarray) -> np.ndarray:
        """(t, k) from (t, r)."""
        return sums @ self.weights


def penalty_nodes(values: np.ndarray, risk: np.ndarray, alphas: np.ndarray, rows: int) -> PenaltyNodes | None:
    """Nodes from which the sums at all penalties follow to rounding; None where they would be too many.

    Parameters
    ----------
    values : ndarray of shape (d,)
        Eigenvalues of the scatter, zero or more.
    risk : ndarray of shape (t, k + 1)
        Sums of squares that all rows' fits leave, then those of the targets: the range of what is sought.
    alphas : ndarray of shape (k,)
        Positive.
    rows : int
        That have weight.
    """
    smallest, alpha = float(values.min()), float(alphas.min())
    leverage = OUTLYING * (1 + float((values / (values + alpha)).sum())) / rows
    low, high = LEFT * smallest, float(values.max())
    if not smallest - low > leverage * (smallest + alpha) or not (risk.max(axis=1) <= RANGE * risk.min(axis=1)).all():
        return None
    mu = np.sqrt(low * high)
    u = alphas / (alphas + mu)
    first, last = float(u.min()), float(u.max())
    middle, half = (first + last) / 2, (last - first) / 2
    if not half > 0:
        return None
    # beside u = 0 the pole of the least eigenvalue, beside u = 1 that of the largest, as far from it; half of the way
    beyond = low / (mu - low) / (2 * half)
    rho = 1 + beyond + np.sqrt(2 * beyond + beyond**2)
    r = max(2, int(np.ceil(np.log(4 * BOUND * RANGE / (EPS * (rho - 1))) / np.log(rho))))
    if r > FEW * len(alphas):
        return None
    angles = (2 * np.arange(r) + 1) * np.pi / (2 * r)
    nodes = middle + half * np.cos(angles)
    return PenaltyNodes(mu * nodes / (1 - nodes), _weights(np.cos(angles), angles, (u - middle) / half), smallest)


def _weights(nodes: np.ndarray, angles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The barycentric formula's share of each Chebyshev node (r, k), stable everywhere (Higham 2004, IMA J. Numer. Anal. 24)."""
    signed = np.sin(angles) * (-1.0) ** np.arange(len(nodes))
    apart = points - nodes[:, None]
    there = apart == 0
    shares = signed[:, None] / np.where(there, 1.0, apart)
    shares = np.where(there.any(axis=0), there.astype(np.float64), shares)
    return np.asarray(shares / shares.sum(axis=0))
