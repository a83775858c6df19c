"""Pieces: what Huber's loss can learn of rows that stay on a piece of it, as a summary over rows, beside the numbers of the others.

At theta_0, r = Z theta_0 - y.  Rows with |r| <= low lie inside, rows with |r| >= high outside.  At theta_0 + e, while none of them has
reached the corner,

    inside:   sum s r^2 = q + 2 c'e + e'G e,   half its gradient c + G e      (G = sum s Z Z', c = sum s r Z, q = sum s r^2 at theta_0)
    outside:  sum s |r| = a + b'e                                             (b = sum s sign(r) Z)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .expansion import Coordinates
from .kernels import load
from .sources import Slab
from .workspace import block_rows, padded

split = load("pieces").split


@dataclass(frozen=True)
class Sums:
    """The sums above at one point: weights, squares, their half gradient and Gram; weights, sizes and their gradient."""

    inside: float
    squares: float
    gradient: np.ndarray
    gram: np.ndarray
    outside: float
    sizes: float
    slope: np.ndarray


class Pieces:
    """The summary; `near` are the rows in between, numbered in the order in which they were added.

    Parameters
    ----------
    coordinates : Coordinates
    theta : ndarray of shape (p,)
        theta_0.
    low, high : float
    """

    def __init__(self, coordinates: Coordinates, theta: np.ndarray, low: float, high: float) -> None:
        p = len(theta)
        self.coordinates, self.theta, self.low, self.high = coordinates, theta, low, high
        self.totals = np.zeros(3)
        self.slope = np.zeros(p)
        self.lower = np.zeros((p + 1, p + 1))
        self.rows = 0
        self._near: list[np.ndarray] = []

    @property
    def flops_per_row(self) -> float:
        return float(len(self.theta)) ** 2

    def add_rows(self, slab: Slab) -> None:
        """Add the rows of a slab in place."""
        n, p = len(slab.X), len(self.theta)
        wide, numbers = padded(p + 1, np.dtype(np.float64)), np.empty(n, np.int64)
        b = min(block_rows(p + 1), n) or 1
        count = split(
            slab.X, slab.y, slab.weight, self.coordinates.shift, self.coordinates.scale, self.theta, self.low, self.high,
            self.totals, self.slope, self.lower, numbers, np.empty((b, wide)), np.empty((4, max(b, wide))), np.empty((wide, wide)),
        )  # fmt: skip
        self._near.append(numbers[:count] + self.rows)
        self.rows += n

    def merge(self, other: Pieces) -> None:
        """Add another summary at the same point in place; its rows follow."""
        self.totals += other.totals
        self.slope += other.slope
        self.lower += other.lower
        self._near += [numbers + self.rows for numbers in other._near]
        self.rows += other.rows

    @property
    def near(self) -> np.ndarray:
        return np.concatenate([np.empty(0, np.int64), *self._near])

    def at(self, theta: np.ndarray) -> Sums:
        """The sums at another point, reached before any row of them reached the corner."""
        p, e = len(self.theta), theta - self.theta
        gram = np.tril(self.lower[:p, :p], -1)
        gram += gram.T
        gram.ravel()[:: p + 1] = np.diagonal(self.lower)[:p]
        cross, turned = self.lower[p, :p], gram @ e
        squares = float(self.lower[p, p] + 2 * cross @ e + e @ turned)
        inside, outside, sizes = (float(total) for total in self.totals)
        return Sums(inside, squares, cross + turned, gram, outside, sizes + float(self.slope @ e), self.slope)
