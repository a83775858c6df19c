"""Tails and quantiles of the distributions that tests need, from SciPy, which is imported with the first of them."""

from __future__ import annotations

import numpy as np


def two_sided(statistic: np.ndarray, freedom: float) -> np.ndarray:
    """P(|T| > |statistic|), of Student's t, or of the normal distribution for infinite `freedom`."""
    from scipy.special import ndtr, stdtr

    size = -np.abs(statistic)
    return np.asarray(2 * (ndtr(size) if np.isinf(freedom) else stdtr(freedom, size)))


def quantile(level: float, freedom: float) -> float:
    """The size that |T| exceeds with probability 1 - level."""
    from scipy.special import ndtri, stdtrit

    tail = (1 - level) / 2
    return -float(ndtri(tail) if np.isinf(freedom) else stdtrit(freedom, tail))


def f_tail(statistic: float, above: float, below: float) -> float:
    """P(F > statistic)."""
    from scipy.special import fdtrc

    return float(fdtrc(above, below, statistic))


def chi2_tail(statistic: float, freedom: float) -> float:
    """P(chi^2 > statistic)."""
    from scipy.special import chdtrc

    return float(chdtrc(freedom, statistic))
