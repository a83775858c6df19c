"""Least squares and ridge of sparse rows with many columns, where neither their moments nor the Gram of the rows has room.

    minimise  (1/2) sum_i s_i (y_i - x_i w - b)^2 + (alpha/2) ||w||^2

by conjugate gradients in centred and scaled columns (`newton_cg`, of which one step is enough), one target after the other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..certificate import OPTIMAL, RANK_DEFICIENT
from ..objective import Objective
from ..pointwise import SQUARED
from ..sources import ArraySource
from ..sparse_rows import SparseRows
from .least_squares import LinearSolution
from .select import minimise

MOMENTS_LIMIT = 4000
"""Columns whose moments are formed: 128 MB, and their factor in half a second."""

DUAL_LIMIT = 2000
"""Rows whose Gram is formed, where they are fewer than the columns."""

SHRINKAGE = 1e-11
"""Of the gradient at zero, at which a fit is done."""


def wide(source: ArraySource) -> bool:
    """Whether the rows of a source are sparse and too many, in both directions, for a Gram."""
    n, d = source.X.shape
    return isinstance(source.X, SparseRows) and d > MOMENTS_LIMIT and n > DUAL_LIMIT


def solve_wide(source: ArraySource, alphas: np.ndarray, fit_intercept: bool, max_iter: int = 20) -> list[LinearSolution]:
    """One solution per target; a read of the rows per product with the Hessian, about the root of its condition many."""
    targets = source.y.reshape(source.n_rows, -1)
    solutions = []
    for alpha, y in zip(alphas.tolist(), targets.T):
        rows = ArraySource(source.X, np.ascontiguousarray(y), source.weight, source.offset, source.n_threads)
        objective = Objective(rows, SQUARED, alpha, fit_intercept)
        start = np.zeros(objective.size)
        if fit_intercept:
            start[-1] = np.average(y, weights=source.weight if source.weight.size else None)
        tol = SHRINKAGE * objective.steepness(objective.expand(start, 1))
        best = minimise(objective, start, tol=tol, max_iter=max_iter, solver="newton_cg", remedy="Raise alpha, or scale the columns.")
        source.reads += rows.reads
        certificate = best.certificate
        if alpha == 0 and certificate.status == OPTIMAL and source.n_rows <= source.n_features:
            certificate = replace(
                certificate, status=RANK_DEFICIENT,
                message=f"There are no more rows ({source.n_rows}) than columns ({source.n_features}): one of the solutions was "
                "returned. Use Ridge with alpha > 0 for a unique answer.",
            )  # fmt: skip
        rank = source.n_features if alpha else min(source.n_features, source.n_rows)
        solutions.append(LinearSolution(best.coef, best.intercept, certificate, rank))
    return solutions
