"""What the gradient alone proves of ridge coefficients, where there are no moments in double to ask.

The gradient is known up to rounding, by Cauchy and Schwarz from F = sum s r^2 / 2 and r_j^2 = S_jj:

    |g_j error| <= e_j = 4 eps r_j (sqrt(m) sqrt(2 F) + sqrt(d) sum_k |v_k| r_k)      m rows summed at a time, the intercept among the v

(the 4 sqrt(m) of Higham and Mary 2019, SIAM J. Sci. Comput. 41, as elsewhere), and F - F* = (1/2) g' A^-1 g, in whichever way A is bounded
from below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..certificate import OPTIMAL, Certificate
from ..expansion import Coordinates
from ..sources import Source
from ..workspace import block_rows
from .least_squares import EPS, LinearSolution


@dataclass(frozen=True)
class End:
    """Where a solver stopped.

    Attributes
    ----------
    coordinates : Coordinates
    theta, gradient : ndarray of shape (d,) or, with an intercept, (d + 1,)
        The point, and the gradient (or minus the gradient) of F there.
    value : float
        F, or the part of it that is not the penalty's.
    reach : ndarray like theta
        r, or more.
    weight : float
    """

    coordinates: Coordinates
    theta: np.ndarray
    gradient: np.ndarray
    value: float
    reach: np.ndarray
    weight: float

    def rounding(self, movement: float | None = None) -> np.ndarray:
        """e, for every entry of the gradient; `movement` in place of sum_k |v_k| r_k."""
        d = len(self.coordinates.scale)
        movement = float(np.abs(self.theta) @ self.reach) if movement is None else movement
        return np.asarray(4 * EPS * self.reach * (np.sqrt(block_rows(d)) * np.sqrt(2 * self.value) + np.sqrt(d) * movement))


def proven(source: Source, end: End, length: Callable[[np.ndarray], float], condition: float, method: str) -> LinearSolution:
    """Coefficients in original units and their certificate.

    Parameters
    ----------
    source : Source
    end : End
    length : callable
        The most that ||g + f|| is in the metric of A^-1, for any f (d,) with |f| <= the errors (d,) it is given.
    condition : float
    method : str
    """
    coordinates, theta, weight = end.coordinates, end.theta, end.weight
    d = len(coordinates.scale)
    coef, intercept = coordinates.original(theta[None])
    # the intercept is rounded, and moves every prediction
    slip = coordinates.internal(coef, intercept)[0] - theta
    error = end.rounding() + np.sqrt(weight) * end.reach * np.abs(slip[d:]).max(initial=0.0)
    bound = 0.5 * length(error[:d]) ** 2 + 0.5 * float((np.abs(end.gradient[d:]) + error[d:]).sum()) ** 2 / weight
    original = np.abs(coordinates.original_gradient(end.gradient[None])) + coordinates.original_bound(error[None])
    certificate = Certificate(
        OPTIMAL, method, float(original.max()) / weight, bound / weight, condition, source.reads,
        "Refined until a step moved no digit that counts.",
    )  # fmt: skip
    return LinearSolution(coef, intercept, certificate, d)
