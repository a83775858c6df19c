"""Eigenvalues of a symmetric matrix by LAPACK, through NumPy; in a large one an interrupt is heard at once."""

from __future__ import annotations

import numpy as np

from ..aside import aside

VALUES, VECTORS = 4 / 3, 9.0
"""Times n^3: the flops for the eigenvalues, and with the eigenvectors (Golub and Van Loan 2013, section 8.3)."""


def eigenvalues(A: np.ndarray) -> np.ndarray:
    """The eigenvalues (n,) of A (n, n) in ascending order."""
    return aside(lambda: np.linalg.eigvalsh(A), VALUES * float(len(A)) ** 3)


def eigenvectors(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same, and the orthonormal eigenvectors in the columns of an (n, n) array."""
    values, vectors = aside(lambda: np.linalg.eigh(A), VECTORS * float(len(A)) ** 3)
    return values, vectors
