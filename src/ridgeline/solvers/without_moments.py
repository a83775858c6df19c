"""Ridge of one target and many dense columns without moments in double: the ways that are quicker, where they can prove their answer.

    columns                                          way              reads
    so independent that few steps do (`promising`)   conjugate        25 to 45, no Gram
    600 or more, of four rows each or more           single_gram      3 to 5, and a Gram of half the cost

Each gives up early where the columns are not what it needs; where both do, moments are taken.
"""

from __future__ import annotations

import numpy as np

from ..sources import ArraySource
from . import conjugate, single_gram
from .least_squares import LinearSolution

METHODS = (conjugate.METHOD, single_gram.METHOD)


def solve_without_moments(source: ArraySource, alpha: float, fit_intercept: bool) -> LinearSolution | None:
    """The solution, or None: where neither way applies, nothing was read."""
    dense = isinstance(source.X, np.ndarray) and source.dtype == np.float64
    if not dense or source.y.ndim > 1:
        return None
    found = None
    if alpha > 0 and conjugate.promising(*source.X.shape):
        found = conjugate.solve_by_products(source, alpha, fit_intercept)
    if found is None and single_gram.applies(source):
        found = single_gram.solve_by_single_gram(source, alpha, fit_intercept)
    return found
