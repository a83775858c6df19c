"""What a kernel that fits many groups hands back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Fits of g groups, by a kernel.

    Attributes
    ----------
    done : ndarray of bool, shape (g,)
        Groups that the kernel did; of the others nothing is known here.
    coef : ndarray of shape (g, d)
    intercept : ndarray of shape (g,)
    figures : ndarray of shape (g, 3)
        Gradient norm, suboptimality and condition, as in a certificate.
    n_iter, passes : ndarray of int, shape (g,)
    """

    done: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    figures: np.ndarray
    n_iter: np.ndarray
    passes: np.ndarray
