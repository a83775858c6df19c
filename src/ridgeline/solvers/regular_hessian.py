"""A Hessian made regular: the directions that it does not see are found, and kept out of the way of its factor.

With an orthonormal basis N of the directions that the objective cannot see (a gauge, dependent columns), H + N N' is regular where H was
not, and gives the same step, since N'g = 0.
"""

from __future__ import annotations

import numpy as np

from ..expansion import DOUBLE
from ..objective import Objective
from ..ranges import power_of_two_scale
from .cholesky import CholeskyFactor
from .eigen import eigenvectors

EPS = float(np.finfo(float).eps)

SINGLE = np.dtype(np.float32)

ROUNDING = {DOUBLE: 1e-12, SINGLE: 1e-5}
"""Error of an entry H_ij, beside (H_ii H_jj)^(1/2), by the precision of the products: that of sums over a block of 2048 rows,
4 sqrt(2048) eps / 2 (Higham and Mary 2019, SIAM J. Sci. Comput. 41), and over the blocks, in double."""

BORNE = 0.05
"""Share of a step that rounding may spoil, if it is at its worst along the direction of least curvature."""


class RegularHessian:
    """H + N N' in scaled coordinates (unit diagonal to a power of two), factored; a shift is added if it is not positive.

    Parameters
    ----------
    H : ndarray of shape (m, m)
    N : ndarray of shape (m, k)
        Directions that H does not see.
    at : ndarray of shape (m,), optional
        Where H was formed, for those who ask.
    damping : float
        A multiple of the scaled identity to add (Levenberg 1944), for a step that stays where the model holds.
    size : float
        The order of a curvature, for parameters in which H has none.
    precision : dtype
        Of the products that H was summed from.

    Attributes
    ----------
    matrix, hidden : ndarray of shapes (m, m) and (m, k)
        H and N.
    share : float
        The part of the rows that H was summed over, 1 for all: `solve` takes H / share for the whole, and H itself, since no row takes
        curvature away, is a bound on it from below.
    precision : dtype
        Of the products.
    rounding : float
        A bound on the error of an entry, beside (H_ii H_jj)^(1/2).
    """

    def __init__(
        self,
        H: np.ndarray,
        N: np.ndarray,
        damping: float = 0.0,
        size: float = 1.0,
        at: np.ndarray | None = None,
        precision: np.dtype = DOUBLE,
    ) -> None:
        m = len(H)
        self.at, self.precision, self.rounding = at, precision, ROUNDING[precision]
        self.matrix, self.hidden = H, N
        self.share = 1.0
        # a curvature so small that steps by its inverse overflow is none
        diagonal = np.where(np.diag(H) > np.finfo(float).tiny * size, np.diag(H), size)
        self.scale = power_of_two_scale(np.sqrt(diagonal))
        A = H * self.scale * self.scale[:, None]
        add_projection(A, N / self.scale[:, None])
        self.shift = damping
        self.factor = CholeskyFactor(A + damping * np.eye(m) if damping else A)
        self.rcond = self.factor.rcond
        while self.factor.rcond < m * EPS and self.shift < 1e3:
            self.shift = max(self.shift * 100, 64 * m * EPS)
            self.factor = CholeskyFactor(A + self.shift * np.eye(m))
        self.norm = self.factor.norm

    def blur(self, precision: np.dtype) -> float:
        """An entry's error beside the least eigenvalue, were the products rounded to that: the share of a step that it may spoil."""
        least = self.rcond * self.norm  # the diagonal is at most 1
        return ROUNDING[precision] / least if least else np.inf

    @property
    def off(self) -> float:
        """The share of itself by which H may be off in some direction, if all entries' errors were to add up there."""
        return len(self.scale) * self.blur(self.precision)

    def solve(self, g: np.ndarray) -> np.ndarray:
        return self.share * self.scale * self.factor.solve(self.scale * g)

    def whiten(self, g: np.ndarray) -> float:
        """(g' H^-1 g)^(1/2), of the H that was summed."""
        return self.factor.whiten(self.scale * g)


def add_projection(A: np.ndarray, N: np.ndarray) -> None:
    """A += Q Q' in place, with Q an orthonormal basis of the columns of N.

    Those of a gauge have no row in common, and so are orthogonal whatever the scale: small products of each do, where one by BLAS would
    have its threads spin for a while when it is done.
    """
    if not N.shape[1]:
        return
    sizes = np.count_nonzero(N, axis=0)
    if np.count_nonzero(N, axis=1).max() <= 1 and sizes.min() == sizes.max() > 0:
        columns, rows = (places.reshape(len(sizes), -1) for places in np.nonzero(N.T))
        units = N[rows, columns]
        units /= np.sqrt((units**2).sum(axis=1, keepdims=True))
        A[rows[:, :, None], rows[:, None, :]] += units[:, :, None] * units[:, None, :]
        return
    Q, _ = np.linalg.qr(N)
    A += Q @ Q.T


def unseen_directions(objective: Objective, first: RegularHessian) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal bases (m, k) of the directions that a Hessian does not see, and of those of them that the data leave open.

    `first` is the Hessian across the gauge, with the gauge alone kept out, which the first basis has too: there the minimum is known.
    Other candidates are eigenvectors of the scaled Hessian with eigenvalues at rounding level; each is tried on the rows themselves (an
    eigenvalue of 1e-16 may be a singular value of 1e-8 of the columns, which is small but is not nothing).
    """
    H, gauge = first.matrix, first.hidden
    m = len(H)
    if first.rcond > 64 * m * EPS:
        return gauge, np.zeros((m, 0))
    scale = power_of_two_scale(np.sqrt(np.maximum(np.diag(H), 0)))
    A = H * scale * scale[:, None]
    add_projection(A, gauge / scale[:, None])
    values, vectors = eigenvectors(A)
    found = []
    for vector in vectors[:, values < 64 * m * EPS * values[-1]].T:
        direction = scale * vector
        reach = objective.movement(direction)
        if reach == 0 or objective.along(direction).largest <= 64 * m * EPS * reach:
            found.append(direction / max(np.linalg.norm(direction), 1e-300))
    return _orthonormal([*gauge.T, *found], m), _orthonormal(found, m)


def _orthonormal(vectors: list[np.ndarray], size: int) -> np.ndarray:
    return np.linalg.qr(np.array(vectors).T)[0] if vectors else np.zeros((size, 0))
