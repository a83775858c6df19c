"""A Hessian made regular: the directions that it does not see are found, and kept out of the way of its factor.

With an orthonormal basis N of the directions that the objective cannot see (a gauge, dependent columns), H + N N' is regular where H was
not, and gives the same step, since N'g = 0.
"""

from __future__ import annotations

import numpy as np

from ..objective import Objective
from ..ranges import power_of_two_scale
from .cholesky import CholeskyFactor

EPS = float(np.finfo(float).eps)

GAUGE = 1e-6
"""The part of a unit direction outside the gauge at which it is a direction of its own."""


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

    Attributes
    ----------
    matrix, hidden : ndarray of shapes (m, m) and (m, k)
        H and N.
    share : float
        The part of the rows that H was summed over, 1 for all: `solve` takes H / share for the whole, and H itself, since no row takes
        curvature away, is a bound on it from below.
    """

    def __init__(
        self, H: np.ndarray, N: np.ndarray, damping: float = 0.0, size: float = 1.0, at: np.ndarray | None = None
    ) -> None:
        m = len(H)
        self.at = at
        self.matrix, self.hidden = H, N
        self.share = 1.0
        diagonal = np.where(np.diag(H) > 0, np.diag(H), size)
        self.scale = power_of_two_scale(np.sqrt(diagonal))
        A = H * self.scale * self.scale[:, None]
        if N.shape[1]:
            Q, _ = np.linalg.qr(N / self.scale[:, None])
            A += Q @ Q.T
        self.shift = damping
        self.factor = CholeskyFactor(A + damping * np.eye(m) if damping else A)
        self.rcond = self.factor.rcond
        while self.factor.rcond < m * EPS and self.shift < 1e3:
            self.shift = max(self.shift * 100, 64 * m * EPS)
            self.factor = CholeskyFactor(A + self.shift * np.eye(m))
        self.norm = self.factor.norm

    def solve(self, g: np.ndarray) -> np.ndarray:
        return self.share * self.scale * self.factor.solve(self.scale * g)

    def whiten(self, g: np.ndarray) -> float:
        """(g' H^-1 g)^(1/2), of the H that was summed."""
        return self.factor.whiten(self.scale * g)


def unseen_directions(objective: Objective, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal bases (m, k) of the directions that H does not see, and of those of them that the data leave open.

    The first has the gauge, where the penalty on it is nothing or faint; there the minimum is known.  Other candidates are
    eigenvectors of the scaled Hessian with eigenvalues at rounding level; each is tried on the rows themselves (an eigenvalue of
    1e-16 may be a singular value of 1e-8 of the columns, which is small but is not nothing).
    """
    m = len(H)
    gauge = objective.gauge(np.diag(H))
    first = RegularHessian(H, gauge)
    if first.rcond > 64 * m * EPS:
        return gauge, np.zeros((m, 0))
    scale = power_of_two_scale(np.sqrt(np.maximum(np.diag(H), 0)))
    A = H * scale * scale[:, None]
    if gauge.shape[1]:
        Q, _ = np.linalg.qr(gauge / scale[:, None])
        A += Q @ Q.T
    values, vectors = np.linalg.eigh(A)
    known = objective.gauge()
    hidden, found = list(gauge.T), []
    for vector in vectors[:, values < 64 * m * EPS * values[-1]].T:
        direction = scale * vector
        reach = objective.movement(direction)
        if reach == 0 or objective.along(direction).largest <= 64 * m * EPS * reach:
            direction /= max(np.linalg.norm(direction), 1e-300)
            hidden.append(direction)
            if np.linalg.norm(direction - known @ (known.T @ direction)) > GAUGE:
                found.append(direction)
    return _orthonormal(hidden, m), _orthonormal(found, m)


def _orthonormal(vectors: list[np.ndarray], size: int) -> np.ndarray:
    return np.linalg.qr(np.array(vectors).T)[0] if vectors else np.zeros((size, 0))
