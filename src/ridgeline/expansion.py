"""Expansion: value, gradient and (on request) Hessian of a sum of losses at one point, as a summary over rows.

    F = sum_i s_i l(y_i, z_i),    z_i = Z_i theta + o_i,    Z = [(X - m) T, 1]

The coordinates (m, T) make the solvers' life even: columns centred near their mean and scaled by powers of two.  They are exact to undo:

    w = T v,   b = b~ - m w        dF/dw = T^-1 dF/dv + m dF/db~,   dF/db = dF/db~        for theta = (v, b~)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .doubledouble import add, dot, exact, neg
from .pointwise import Loss
from .sources import Slab
from .workspace import padded

DOUBLE = np.dtype(np.float64)


@dataclass(frozen=True)
class Coordinates:
    """Centre m and scale T of the d columns, and whether a column of ones follows them."""

    center: np.ndarray
    scale: np.ndarray
    fit_intercept: bool

    @property
    def shift(self) -> np.ndarray:
        """The centre in scaled columns, m T."""
        return self.center * self.scale

    @property
    def width(self) -> int:
        """p: columns of Z."""
        return len(self.center) + self.fit_intercept

    def original(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(w, b) of shapes (c, d) and (c,) from theta (c, p)."""
        d = len(self.center)
        w = theta[:, :d] * self.scale
        if not self.fit_intercept:
            return w, np.zeros(len(theta))
        shift = dot(exact(w), exact(self.center))
        return w, add(exact(theta[:, d]), neg(shift))[0]

    def internal(self, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        """theta (c, p) from (w, b): the inverse of `original`, rounded once."""
        v = w / self.scale
        if not self.fit_intercept:
            return v
        shift = dot(exact(w), exact(self.center))
        return np.concatenate([v, add(exact(b), shift)[0][:, None]], axis=1)

    def original_bound(self, e: np.ndarray) -> np.ndarray:
        """Bounds on the entries of `original_gradient` from bounds e on those of g."""
        return Coordinates(np.abs(self.center), self.scale, self.fit_intercept).original_gradient(e)

    def original_gradient(self, g: np.ndarray) -> np.ndarray:
        """(dF/dw, dF/db) of shape (c, p) from the gradient in theta (c, p)."""
        d = len(self.center)
        out = g.copy()
        with np.errstate(over="ignore"):
            out[:, :d] /= self.scale
            if self.fit_intercept:
                out[:, :d] += g[:, d:] * self.center
        return out


class Expansion:
    """The summary; `order` 0 is the value alone, 1 adds the gradient, 2 the Hessian, whose products are in `precision`.

    `ranged` adds the range of every column of X, of rows in arrays and a loss of one number per row.

    Attributes
    ----------
    weight, value : float
    gradient : ndarray of shape (m,)
        m = c p + shared, row by row of theta.
    hessian : ndarray of shape (m, m)
        Symmetric; only at order 2.
    extremes : ndarray of shape (2, at least d), or empty
        The least and the greatest entry of each column of the rows with weight; only where `ranged`.
    """

    def __init__(
        self,
        loss: Loss,
        coordinates: Coordinates,
        theta: np.ndarray,
        order: int,
        precision: np.dtype = DOUBLE,
        ranged: bool = False,
    ) -> None:
        m = theta.size
        self.extremes = np.empty((0, 0))
        if ranged:
            self.extremes = np.full((2, padded(len(coordinates.center), DOUBLE)), np.inf)
            self.extremes[1] = -np.inf
        self.precision = precision
        self.loss, self.coordinates, self.theta, self.order = loss, coordinates, theta, order
        self.totals = np.zeros((2, 2))
        self.gradients = np.zeros((2, m))
        self.lower = np.zeros((m, m) if order >= 2 else (1, 1))

    @property
    def flops_per_row(self) -> float:
        return float(self.theta.size) ** 2 if self.order >= 2 else 0.0

    def add_rows(self, slab: Slab) -> None:
        """Add the rows of a slab in place."""
        self.loss.add_rows(slab, self)

    def merge(self, other: Expansion) -> None:
        """Add another expansion at the same point in place."""
        for mine, theirs in ((self.totals, other.totals), (self.gradients, other.gradients)):
            mine[0], mine[1] = add((mine[0], mine[1]), (theirs[0], theirs[1]))
        self.lower += other.lower
        if self.extremes.size:
            np.minimum(self.extremes[0], other.extremes[0], out=self.extremes[0])
            np.maximum(self.extremes[1], other.extremes[1], out=self.extremes[1])

    @property
    def weight(self) -> float:
        return float(self.totals[:, 0].sum())

    @property
    def value(self) -> float:
        return float(self.totals[:, 1].sum())

    @property
    def gradient(self) -> np.ndarray:
        return self.gradients.sum(axis=0)

    @property
    def hessian(self) -> np.ndarray:
        whole = self.lower + self.lower.T  # above the diagonal there is nothing yet
        whole.ravel()[:: len(whole) + 1] *= 0.5
        return whole
