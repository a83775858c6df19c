"""Column ranges: where each column lies and how far it spreads, from one cheap read; they choose centres and scales."""

from __future__ import annotations

import numpy as np

from .kernels import load
from .sources import EMPTY, Slab
from .sparse_rows import as_array
from .workspace import block_rows, padded

column_ranges = load("ranges").column_ranges


class ColumnRanges:
    """Number of rows, their weight, and weighted mean, minimum and maximum of every column: a summary."""

    def __init__(self, n_features: int) -> None:
        self.rows = 0
        self.weight = 0.0
        self.mean = np.zeros(n_features)
        self.low = np.full(n_features, np.inf)
        self.high = np.full(n_features, -np.inf)

    def add_rows(self, slab: Slab) -> None:
        d = self.mean.size
        self.rows += len(slab.X)
        wide = padded(d, np.dtype(np.float64))
        self.weight = column_ranges(
            slab.X, slab.weight, self.weight, self.mean, self.low, self.high,
            np.empty((min(block_rows(d), len(slab.X)) or 1, wide)), np.empty((6, wide)),
        )  # fmt: skip

    def merge(self, other: ColumnRanges) -> None:
        self.rows += other.rows
        total = self.weight + other.weight
        # a share of zero still passes on the NaN of a row without weight
        self.mean += (other.weight / total if other.weight else 0.0) * (other.mean - self.mean)
        self.weight = total
        np.minimum(self.low, other.low, out=self.low)
        np.maximum(self.high, other.high, out=self.high)

    def finite(self) -> bool:
        """Whether every entry read was finite (a NaN or an infinity shows in the means)."""
        return bool(np.isfinite(self.mean).all())


def power_of_two_scale(spread: np.ndarray) -> np.ndarray:
    """Powers of two that bring each spread into [1/2, 1); 1 where a column does not vary. Scaling by them is exact.

    Exponents stay within +-500, so that the square of a scale, too, is a normal number.
    """
    _, exponent = np.frexp(spread)
    scale = np.ldexp(1.0, np.minimum(np.maximum(-exponent, -500), 500))
    usable = (spread > 0) & (spread < np.inf)
    return scale if usable.all() else np.where(usable, scale, 1.0)


class RangesWithTargets:
    """Column ranges of X and y side by side: what chooses the scales."""

    def __init__(self, d: int, t: int) -> None:
        self.both = ColumnRanges(d + t)

    def add_rows(self, slab: Slab) -> None:
        y = slab.y.reshape(len(slab.X), -1)
        for a in range(0, len(slab.X), 1024):
            b = a + 1024
            part = np.concatenate([as_array(slab.X[a:b]), y[a:b]], axis=1)
            self.both.add_rows(Slab(part, EMPTY, slab.weight[a:b], EMPTY))

    def merge(self, other: RangesWithTargets) -> None:
        self.both.merge(other.both)
