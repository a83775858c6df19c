"""Products of long vectors in the calling thread.

A BLAS wakes threads of its own for vectors of ten thousand numbers, which then look for more work for some ten milliseconds, in the way
of the threads that read the rows.  NumPy's einsum takes as long for the product, and leaves nobody awake.
"""

from __future__ import annotations

from math import sqrt

import numpy as np


def inner(a: np.ndarray, b: np.ndarray) -> float:
    """a'b of two vectors."""
    return float(np.einsum("i,i->", a, b))


def length(a: np.ndarray) -> float:
    """||a|| of a vector whose squares neither overflow nor vanish."""
    return sqrt(inner(a, a))


def outside(N: np.ndarray, v: np.ndarray) -> np.ndarray:
    """What of v (m,) lies outside the span of the orthonormal columns of N (m, k)."""
    return v - np.einsum("ij,j->i", N, np.einsum("ij,i->j", N, v)) if N.shape[1] else v.copy()
