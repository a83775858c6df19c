"""Questions that a solver asks of the rows beside F: how large columns are, how outputs curve, how predictions move along a direction."""

from __future__ import annotations

import numpy as np

from .activations import softmax
from .expansion import DOUBLE, Coordinates
from .kernels import load
from .pointwise import Loss, PointwiseLoss
from .sources import SLAB_ELEMENTS, Slab
from .sparse_rows import SparseRows
from .workspace import block_rows, padded

kernels = load("expansion")


def predictions(slab: Slab, coordinates: Coordinates, theta: np.ndarray) -> np.ndarray:
    """Z theta' (n, c) for the rows of a slab, in double, each output's numbers adjacent; 2 n p c flops."""
    if isinstance(slab.X, SparseRows):
        return slab.X.predict(theta, coordinates.shift, coordinates.scale)
    p = theta.shape[1]
    b, wide = min(block_rows(p), len(slab.X)) or 1, padded(p, DOUBLE)
    out = np.empty((len(theta), len(slab.X)))
    kernels.predict_rows_of(
        slab.X, coordinates.shift, coordinates.scale, np.ascontiguousarray(theta, DOUBLE), np.empty((b, wide)),
        np.empty((len(theta), wide)), out,
    )  # fmt: skip
    return out.T


class Squares:
    """Sums of the columns' squares: a summary."""

    def __init__(self, coordinates: Coordinates) -> None:
        self.coordinates = coordinates
        self.sums = np.zeros(coordinates.width)

    def add_rows(self, slab: Slab) -> None:
        d = len(self.coordinates.center)
        s = slab.weight if slab.weight.size else np.ones(len(slab.X))
        step = max(SLAB_ELEMENTS // max(d, 1), 1)
        for a in range(0, len(s), step):
            X = slab.X[a : a + step]
            X = X.toarray() if isinstance(X, SparseRows) else X
            Z = (X - self.coordinates.center) * self.coordinates.scale
            self.sums[:d] += s[a : a + step] @ (Z * Z)
        self.sums[d:] += s.sum()

    def merge(self, other: Squares) -> None:
        self.sums += other.sums


class OutputCurvature:
    """The Hessian of the losses in the intercepts alone, at theta: a summary.

    Of the softmax, sum_i s_i (diag(p_i) - p_i p_i'): its rows sum to zero, and so the diagonal needs no difference.
    """

    def __init__(self, loss: Loss, coordinates: Coordinates, theta: np.ndarray) -> None:
        c = loss.outputs
        self.loss, self.coordinates, self.theta = loss, coordinates, theta[: c * coordinates.width].reshape(c, -1)
        self.hessian = np.zeros((c, c))

    def add_rows(self, slab: Slab) -> None:
        z = predictions(slab, self.coordinates, self.theta)
        z = z + slab.offset.reshape(len(z), -1) if slab.offset.size else z
        s = slab.weight if slab.weight.size else np.ones(len(z))
        if isinstance(self.loss, PointwiseLoss):
            self.hessian += s @ self.loss.curvatures(slab.y, np.ascontiguousarray(z[:, 0]))
            return
        p = softmax(np.ascontiguousarray(z))
        common = p.T @ (s[:, None] * p)
        np.fill_diagonal(common, 0)
        self.hessian += np.diag(common.sum(axis=1)) - common

    def merge(self, other: OutputCurvature) -> None:
        self.hessian += other.hessian


class Ray:
    """Along a direction: sum s recession, sum s |z|, the largest |z|: a summary."""

    def __init__(self, loss: Loss, coordinates: Coordinates, direction: np.ndarray) -> None:
        self.loss, self.coordinates, self.direction = loss, coordinates, direction
        self.recession = self.movement = self.largest = 0.0

    def add_rows(self, slab: Slab) -> None:
        z = predictions(slab, self.coordinates, self.direction)
        spread = np.ptp(z, axis=1) if self.loss.gauge else np.abs(z[:, 0])
        s = slab.weight if slab.weight.size else np.ones(len(z))
        slope = self.loss.recession(slab.y, z if self.loss.outputs > 1 else z[:, 0])
        self.recession += float(s[s > 0] @ slope[s > 0])  # it may be infinite
        self.movement += float(s @ spread)
        self.largest = max(self.largest, float(spread[s > 0].max(initial=0.0)))

    def merge(self, other: Ray) -> None:
        self.recession += other.recession
        self.movement += other.movement
        self.largest = max(self.largest, other.largest)


class Shift:
    """The largest movement of a prediction along a step: a summary."""

    def __init__(self, coordinates: Coordinates, step: np.ndarray) -> None:
        self.coordinates, self.step = coordinates, step
        self.largest = 0.0

    def add_rows(self, slab: Slab) -> None:
        p = self.coordinates.width
        b, wide = min(block_rows(p), len(slab.X)) or 1, padded(p, np.dtype(np.float64))
        moved = kernels.largest_movement(
            slab.X, self.coordinates.shift, self.coordinates.scale, self.step, np.empty((b, wide)), np.empty((4, max(b, wide)))
        )  # fmt: skip
        self.largest = max(self.largest, moved)

    def merge(self, other: Shift) -> None:
        self.largest = max(self.largest, other.largest)
