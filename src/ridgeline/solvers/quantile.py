"""Quantile regression by the interior point of this package, over a source held in memory.

    minimise  sum_i s_i rho_tau(y_i - x_i w - b) + l1 ||w||_1,    rho_tau(r) = max(tau r, (tau - 1) r)

The penalty is d more rows: l1 |w_j| = max(l1 r, -l1 r) with r = 0 - w_j.  Columns are centred and scaled by powers of two first.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..certificate import OPTIMAL, RANK_DEFICIENT, STOPPED_EARLY, Certificate
from ..expansion import Coordinates, Expansion
from ..objective import Objective
from ..pointwise import SQUARED
from ..probes import predictions
from ..sources import EMPTY, SLAB_ELEMENTS, ArraySource, fold
from ..sparse_rows import as_array
from ..watch import time_is_up
from .interior_point import interior_point
from .vertex import EPS

BLUR = 1e-13
"""A coefficient, beside the largest in scaled columns, that is rounding."""


class SourceRows:
    """Rows of a source in the coordinates of a fit, then one row per penalised coefficient: what the interior point reads."""

    def __init__(self, source: ArraySource, coordinates: Coordinates, l1: float) -> None:
        self.source, self.coordinates = source, coordinates
        self.d = source.n_features
        self.penalised = self.d if l1 else 0
        self.n = source.n_rows + self.penalised
        self.p = coordinates.width

    def predict(self, beta: np.ndarray) -> np.ndarray:
        out = np.empty(self.n)
        row = 0
        self.source.reads += 1
        for segment in self.source.segments():
            for slab in segment:
                out[row : row + len(slab.X)] = predictions(slab, self.coordinates, beta[None])[:, 0]
                row += len(slab.X)
        out[row:] = (self.coordinates.scale * beta[: self.d])[: self.penalised]
        return out

    def _squares(self, y: np.ndarray, weight: np.ndarray, order: int) -> Expansion:
        source = ArraySource(self.source.X, y, weight)
        self.source.reads += 1
        return fold(source, partial(Expansion, SQUARED, self.coordinates, np.zeros(self.p), order))

    def combine(self, v: np.ndarray) -> np.ndarray:
        """X'v: minus the gradient, at zero, of squares with targets v."""
        n = self.source.n_rows
        out = -self._squares(v[:n], EMPTY, 1).gradient
        out[: self.penalised] += self.coordinates.scale[: self.penalised] * v[n:]
        return out

    def gram(self, q: np.ndarray) -> np.ndarray:
        """X' diag(q) X: the Hessian of squares with weights q."""
        n = self.source.n_rows
        out = self._squares(np.zeros(n), q[:n], 2).hessian
        diagonal = np.arange(self.penalised)
        out[diagonal, diagonal] += self.coordinates.scale[: self.penalised] ** 2 * q[n:]
        return out

    def take(self, indices: np.ndarray) -> np.ndarray:
        n = self.source.n_rows
        out = np.zeros((len(indices), self.p), order="F")
        data = np.flatnonzero(indices < n)
        step = max(SLAB_ELEMENTS // max(self.d, 1), 1)
        for a in range(0, len(data), step):
            here = data[a : a + step]
            X = as_array(self.source.X[indices[here]]).astype(np.float64, copy=False)
            out[here, : self.d] = (X - self.coordinates.center) * self.coordinates.scale
        if self.coordinates.fit_intercept:
            out[data, self.d] = 1
        penalty = np.flatnonzero(indices >= n)
        column = indices[penalty] - n
        out[penalty, column] = self.coordinates.scale[column]
        return out


def solve_quantile(
    source: ArraySource, tau: float, l1: float, fit_intercept: bool, *, tol: float = 1e-10, max_iter: int = 100
) -> tuple[np.ndarray, np.floating, int, Certificate]:
    """Coefficients (d,), intercept, iterations and certificate.

    Parameters
    ----------
    source : ArraySource
    tau : float in (0, 1)
    l1 : float
        Weight of ||w||_1 beside the weighted *sum* of losses.
    fit_intercept : bool
    tol : float
        Relative duality gap.
    max_iter : int

    Notes
    -----
    About ten to twenty Grams of all the rows, n p (p + 1) flops each, or of a few per cent of them where n is large; n-vectors.
    """
    # the objective serves for its coordinates and its check of the columns
    objective = Objective(source, SQUARED, 0.0, fit_intercept)
    coordinates = objective.coordinates
    s = source.weight if source.weight.size else np.ones(source.n_rows)
    rows = SourceRows(source, coordinates, l1)
    extra = np.full(rows.penalised, l1)
    y = np.append(source.y, np.zeros(rows.penalised))
    lower, upper = np.append((tau - 1) * s, -extra), np.append(tau * s, extra)
    fit = interior_point(rows, y, lower, upper, tol=tol, max_iter=max_iter)
    beta = fit.beta.copy()
    if fit.vertex and l1:  # a penalty's row in the basis holds its coefficient at zero, to rounding
        size = np.abs(beta[: rows.d])
        beta[: rows.d][size <= BLUR * size.max(initial=0.0)] = 0.0
    coef, intercept = (a.astype(source.dtype) for a in coordinates.original(beta[None]))
    # the gap of the numbers returned: rounding them may cost a little, in float32 more than a little
    returned = coordinates.internal(coef.astype(np.float64), intercept.astype(np.float64))[0]
    r = y - rows.predict(returned)
    primal = float(np.maximum(upper * r, lower * r).sum())
    hidden = EPS * float((upper - lower) @ (np.abs(y) + np.abs(y - r)))  # by the rounding of the residuals
    gap = fit.gap + max(primal - fit.primal, 0.0) + hidden
    left = coordinates.original_gradient(rows.combine(fit.v)[None])
    messages = {
        OPTIMAL: (OPTIMAL, "The duality gap is closed: " + ("a vertex, solved exactly." if fit.vertex else "to rounding.")),
        RANK_DEFICIENT: (
            RANK_DEFICIENT,
            "The columns are dependent, so that other coefficients fit as well: drop dependent columns, or use alpha > 0.",
        ),
        STOPPED_EARLY: (
            STOPPED_EARLY,
            f"Stopped after {fit.n_iter} iterations with a duality gap of {gap:.1e}: "
            f"raise {'time_limit' if time_is_up() else 'max_iter'}, or scale the columns.",
        ),
    }
    status, message = messages[fit.status]
    certificate = Certificate(
        status, "interior point with exact vertex" if fit.vertex else "interior point",
        float(np.abs(left).max(initial=0.0) / objective.weight), gap / objective.weight, float("nan"), source.reads, message,
    )  # fmt: skip
    return coef[0], intercept[0], fit.n_iter, certificate


