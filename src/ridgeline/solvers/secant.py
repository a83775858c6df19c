"""Secant pairs: what differences of gradients say about the inverse Hessian, on top of an approximation of it.

With s = theta+ - theta and y = g+ - g, H^-1 y = s up to second order.  The recursion of Nocedal (1980, Math. Comp. 35) applies the BFGS
update of the last pairs to a vector in 4 m flops a pair, without forming it, around any symmetric positive first guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..inner import inner, length

EPS = float(np.finfo(float).eps)

SecantPair = tuple[np.ndarray, np.ndarray, float]
"""s, y and 1 / s'y."""


def secant_pair(s: np.ndarray, y: np.ndarray) -> SecantPair | None:
    """The pair, or None where its curvature s'y is not positive beyond rounding."""
    size = float(np.abs(y).max(initial=0.0))  # its square may overflow
    if not 0 < size < np.inf:
        return None
    curvature = inner(s, y / size)
    positive = curvature > EPS * length(s) * length(y / size)
    return (s, y, 1 / curvature / size) if positive else None


def secant_step(
    g: np.ndarray, pairs: Sequence[SecantPair], inverse: Callable[[np.ndarray], np.ndarray], *, rescale: bool = False
) -> np.ndarray:
    """An approximation of H^-1 g from the first guess `inverse` and the pairs, oldest first.

    `rescale` multiplies the guess by the curvature that the newest pair showed, for one that knows H only to a factor.
    """
    if not pairs:
        return inverse(g)
    q = g.copy()
    coefficients = []
    for s, y, rho in reversed(pairs):
        a = rho * inner(s, q)
        coefficients.append(a)
        q -= a * y
    r = inverse(q)
    if rescale:
        s, y, rho = pairs[-1]
        r *= 1 / (rho * inner(y, inverse(y)))
    for (s, y, rho), a in zip(pairs, reversed(coefficients)):
        r += (a - rho * inner(y, r)) * s
    return r
