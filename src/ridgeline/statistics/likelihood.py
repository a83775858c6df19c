"""What the likelihood of a logistic or softmax fit says at its optimum theta: the information matrix, and the scores of rows.

    l(theta) = sum_i s_i log p_i(y_i)       g = dl/dtheta = sum_i s_i (y_i - p_i) z_i       H = -d2l/dtheta2

theta has c - 1 equations of c classes: the log-odds of each against the first (the softmax's own c, which add the same to every class
unchanged, are these less their mean).  Their gradient and Hessian are those of the softmax without its first block.  With D H D = L L' of
unit diagonal and R = L^-1 D, the inverse information is R'R (Fisher), and |R g| says in standard errors how far theta is from the optimum.

    covariance = J R' M R J'       M = I, or R (sum g_i g_i') R'      (the sandwich: Huber 1967; White 1982, Econometrica 50)

J takes theta, whose columns are centred and scaled, back to coefficients and intercepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..activations import sigmoid, softmax
from ..doubledouble import exact
from ..expansion import Coordinates
from ..objective import Objective
from ..probes import predictions
from ..solvers.cholesky import CholeskyFactor, ExtendedFactor
from ..solvers.least_squares import EPS
from ..sources import EMPTY, SLAB_ELEMENTS, Slab, Source
from ..sources.folding import DOUBLE, in_arrays
from ..views import View
from .inference import TOUCHED, without_noise

NEARLY_SINGULAR = 1e-10
"""rcond below which the Hessian is factored with pivots, to find the columns that depend on each other."""


@dataclass(frozen=True)
class Information:
    """The curvature at the optimum.

    Attributes
    ----------
    log_likelihood : float
    whitener : ndarray of shape (q, m)
        R; m parameters of which q are determined.
    distance : float
        |R g|.
    back : ndarray of shape (m, m)
        J, intercepts first in each equation.
    undetermined : ndarray of bool, shape (m,)
        Rows of `back` that the data do not determine.
    condition : float
        2-norm condition of the information's square root, scaled to unit diagonal.
    """

    log_likelihood: float
    whitener: np.ndarray
    distance: float
    back: np.ndarray
    undetermined: np.ndarray
    condition: float


def information(objective: Objective, theta: np.ndarray) -> Information:
    """H at theta (c, p), factored; one read of the rows and m^3 flops."""
    p, several = objective.coordinates.width, len(theta) > 1
    first = p if several else 0
    point = objective.expand(theta.ravel(), 2)
    H, g = point.hessian[first:, first:], point.gradient[first:]
    D = 1 / np.sqrt(np.where(np.diag(H) > 0, np.diag(H), 1.0))
    A = H * D * D[:, None]
    m, null_space = len(D), np.zeros((len(D), 0))
    plain = CholeskyFactor(A)
    if plain.rcond >= NEARLY_SINGULAR:
        from scipy.linalg import cholesky, solve_triangular

        W = solve_triangular(cholesky(A, lower=True), np.eye(m), lower=True)
    else:
        factor = ExtendedFactor(exact(A), 4 * m * EPS)
        W, null_space = factor.whitener()[0], factor.null_space
    R = W * D
    J = np.kron(np.eye(m // p), _back(objective.coordinates))
    along = D[:, None] * without_noise(null_space)
    undetermined: np.ndarray = np.any(np.abs(J @ along) > TOUCHED * (np.abs(J) @ np.abs(along)), axis=1)
    condition = np.inf if null_space.size else float(np.sqrt(np.linalg.norm(A, 2)) * np.linalg.norm(W, 2))
    return Information(-point.value, R, float(np.linalg.norm(R @ g)), J, undetermined, condition)


def _back(coordinates: Coordinates) -> np.ndarray:
    """(b, w) from one equation's (v, b~): w = T v, b = b~ - m w."""
    d, p = len(coordinates.center), coordinates.width
    lead = p - d
    J = np.zeros((p, p))
    J[lead:, :d] = np.diag(coordinates.scale)
    if lead:
        J[0, :d] = -coordinates.center * coordinates.scale
        J[0, d] = 1.0
    return J


class LikelihoodScores(View):
    """g_i (m) in place of x_i, and the group in place of the targets.

    Parameters
    ----------
    source : Source
        Of class codes; with groups the targets are (n, 2), code and group.
    coordinates : Coordinates
    theta : ndarray of shape (c, p)
    clustered : bool
    frequency : bool
        Whether a weight counts copies of a row; clusters' sums are the same either way.
    """

    def __init__(self, source: Source, coordinates: Coordinates, theta: np.ndarray, clustered: bool, frequency: bool) -> None:
        super().__init__(source)
        self.coordinates, self.theta, self.clustered, self.frequency = coordinates, theta, clustered, frequency
        self.n_features, self.dtype, self.n_targets = max(len(theta) - 1, 1) * theta.shape[1], DOUBLE, 1

    def change(self, slab: Slab) -> Iterator[Slab]:
        step = max(SLAB_ELEMENTS // max(self.n_features, 1), 1)
        for whole in in_arrays(slab):
            for a in range(0, len(whole.X), step):
                rows = slice(a, a + step)
                vectors = (values[rows] if values.size else EMPTY for values in (whole.weight, whole.offset))
                yield self._scores(Slab(whole.X[rows], whole.y[rows], *vectors))

    def _scores(self, slab: Slab) -> Slab:
        n, s = len(slab.X), slab.weight
        codes = slab.y.reshape(n, -1)
        z = predictions(slab, self.coordinates, self.theta)
        r = self._residuals(codes[:, 0], z + slab.offset.reshape(n, -1) if slab.offset.size else z)
        weight = EMPTY
        if s.size and self.frequency and not self.clustered:
            weight = s
        elif s.size:
            r = r * s[:, None]
        Z = np.ones((n, self.coordinates.width))
        d = len(self.coordinates.center)
        Z[:, :d] = (slab.X - self.coordinates.center) * self.coordinates.scale
        scores = (r[:, :, None] * Z[:, None, :]).reshape(n, -1)
        if not self.clustered:
            return Slab(scores, np.zeros(n), weight, EMPTY)
        some = s > 0 if s.size else slice(None)
        return Slab(scores[some], np.ascontiguousarray(codes[some, 1], dtype=np.float64), EMPTY, EMPTY)

    def _residuals(self, codes: np.ndarray, z: np.ndarray) -> np.ndarray:
        """y - p of every class but the first (n, c - 1)."""
        if z.shape[1] == 1:
            # 1 - sigma(z) = sigma(-z), without cancellation
            sign = np.where(codes > 0, 1.0, -1.0)[:, None]
            return sign * sigmoid(-sign * z)
        p = softmax(np.ascontiguousarray(z))
        return (np.arange(1, z.shape[1]) == codes[:, None]) - p[:, 1:]
