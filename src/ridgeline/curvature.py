"""The Hessian of an objective at one point, as a product with vectors: for more parameters than a matrix of them has room for.

    H v = sum_i s_i Z_i' L_i (Z_i v) + penalty v,    L_i = l''(y_i, z_i)

The L_i are kept, one number per row, or the probabilities of the classes (the softmax has L = diag(p) - p p'), so that a product costs
what a gradient costs: it is the gradient, at v, of the squares (1/2) s L (Z v)^2.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .activations import softmax
from .expansion import Coordinates, Expansion
from .kernels import load
from .objective import Objective
from .pointwise import SQUARED, PointwiseLoss, SoftmaxLoss
from .probes import predictions
from .sources import ArraySource, Slab, Source, fold
from .sparse_rows import SparseRows

squares_of_stored = load("stored_rows").squares


class RowCurvatures:
    """L_i of every row, in their order: (n,), or probabilities (n, c): a summary."""

    def __init__(self, loss: PointwiseLoss | SoftmaxLoss, coordinates: Coordinates, theta: np.ndarray) -> None:
        self.loss, self.coordinates = loss, coordinates
        self.theta = theta.reshape(loss.outputs, -1)
        self.parts: list[np.ndarray] = []

    def add_rows(self, slab: Slab) -> None:
        z = predictions(slab, self.coordinates, self.theta)
        z = z + slab.offset.reshape(len(z), -1) if slab.offset.size else z
        if isinstance(self.loss, SoftmaxLoss):
            self.parts.append(softmax(np.ascontiguousarray(z)))
        else:
            self.parts.append(self.loss.curvatures(slab.y, np.ascontiguousarray(z[:, 0])))

    def merge(self, other: RowCurvatures) -> None:
        self.parts += other.parts


class SoftmaxProduct:
    """sum_i s_i Z_i' (diag(p_i) - p_i p_i') Z_i v over sparse rows whose targets are the p_i: a summary."""

    def __init__(self, coordinates: Coordinates, v: np.ndarray) -> None:
        self.coordinates, self.v = coordinates, v
        self.product = np.zeros_like(v)

    def add_rows(self, slab: Slab) -> None:
        at, p = (self.coordinates.shift, self.coordinates.scale), slab.y.T
        dz = slab.X.predict(self.v, *at).T
        r = p * (dz - (p * dz).sum(axis=0))
        if slab.weight.size:
            r *= slab.weight
        self.product += slab.X.combine(r, *at, self.coordinates.fit_intercept)

    def merge(self, other: SoftmaxProduct) -> None:
        self.product += other.product


class ColumnSquares:
    """sum_i s_i Z_i^2 of sparse rows: a summary."""

    def __init__(self, coordinates: Coordinates) -> None:
        self.coordinates = coordinates
        self.sums = np.zeros(coordinates.width)

    def add_rows(self, slab: Slab) -> None:
        squares_of_stored(slab.X, self.coordinates.shift, self.coordinates.scale, slab.weight, self.sums)

    def merge(self, other: ColumnSquares) -> None:
        self.sums += other.sums


def has_products(objective: Objective) -> bool:
    """Whether products with the Hessian of this objective are at hand: of rows in memory, and a loss without shared parameters.

    Dense rows have them of the squared loss alone: those of others are not worth more than what `lbfgs` makes of gradients.
    """
    loss = objective.loss
    return (_stored(objective.source) or (isinstance(objective.source, ArraySource) and loss.quadratic)) and not loss.shared


def _stored(source: Source) -> bool:
    """Whether its rows are sparse and in memory."""
    return isinstance(source, ArraySource) and isinstance(source.X, SparseRows)


def column_squares(objective: Objective) -> np.ndarray:
    """sum_i s_i Z_i^2 (p,), at least what rounding leaves of it: one read of sparse rows; of dense ones about, from some of them."""
    if not _stored(objective.source):
        return objective.squares()
    sums = fold(objective.source, partial(ColumnSquares, objective.coordinates)).sums
    return np.maximum(sums, objective.weight * np.finfo(float).eps * objective.reach**2)


class HessianProduct:
    """H of `objective` at theta (m,), as a function of v (m,); one read for each product, and, unless the loss is quadratic, to make it.

    Attributes
    ----------
    size : float
        sum s L / sum s, the mean curvature (for the softmax of one class): H is about this times the columns' squares.
    """

    def __init__(self, objective: Objective, theta: np.ndarray) -> None:
        assert has_products(objective) and isinstance(objective.source, ArraySource)
        source, loss = objective.source, objective.loss
        assert isinstance(loss, (PointwiseLoss, SoftmaxLoss))
        self.objective = objective
        if loss.quadratic:
            L = np.full(source.n_rows, loss.curvature)
        else:
            L = np.concatenate(fold(source, partial(RowCurvatures, loss, objective.coordinates, theta)).parts)
        s = source.weight if source.weight.size else np.ones(source.n_rows)
        if L.ndim == 1:
            self.rows = ArraySource(source.X, np.zeros(len(L)), s * L, n_threads=source.n_threads)
            self.size = np.full(1, float(s @ L) / objective.weight)
        else:
            self.rows = ArraySource(source.X, L, source.weight, n_threads=source.n_threads)
            self.size = s @ (L * (1 - L)) / objective.weight

    def __call__(self, v: np.ndarray) -> np.ndarray:
        objective, coordinates = self.objective, self.objective.coordinates
        objective.source.reads += 1
        with np.errstate(over="ignore", invalid="ignore"):
            if objective.loss.outputs == 1:
                product = fold(self.rows, partial(Expansion, SQUARED, coordinates, v, 1)).gradient
            else:
                product = fold(self.rows, partial(SoftmaxProduct, coordinates, v.reshape(objective.loss.outputs, -1))).product.ravel()
            product += objective.penalty * v
        return product
