"""Moments in double-double, about 31 digits: for columns so nearly dependent that squaring them in double would lose the answer.

    W = sum s_i      v = sum s_i (z_i - c)      S_c = sum s_i (z_i - c)(z_i - c)'

The pivot c is any point near the data; with 106 bits, where exactly does not matter.  From them

    m = c + v / W      S = S_c - v v' / W
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import moments_bytes
from .doubledouble import DD, add, div, fast_two_sum, mul, two_sum
from .kernels import load
from .moments import EPS, Moments, guard_part, guard_variance, rows_used
from .sources import Slab
from .sparse_rows import SparseRows

accumulate_extended = load("moments").accumulate_extended
accumulate_stored = load("stored_rows").accumulate_extended

PIVOT_GROWTH = 4
"""A merged record takes a new pivot, its mean, when it has this many times the rows the last pivot was taken from."""


def _pair(a: np.ndarray) -> DD:
    return a[0], a[1]


class ExtendedMoments:
    """Moments in double-double, as sums about a pivot c: `Moments.of(..., precision="extended")`.

        W = sum s_i      v = sum s_i (z_i - c)      S_c = sum s_i (z_i - c)(z_i - c)'

    Same operations as `Moments`, about 31 digits. `mean` and `scatter` are rounded to double.
    """

    precision = "extended"
    eps = EPS * EPS
    faintest = 1e-240  # their second words have digits too

    def __init__(self, n_features: int, n_targets: int, scale: np.ndarray | None = None) -> None:
        p = n_features + n_targets
        self.n_features = n_features
        self.n_targets = n_targets
        self.scale = np.ones(p) if scale is None else scale
        self.count = 0
        self.pivot: np.ndarray | None = None
        self._pivot_count = 0
        self._weight = np.zeros(2)
        self._sums = np.zeros((2, p))
        self._hi = np.zeros((p, p))
        self._lo = np.zeros((p, p))
        self._tail = np.zeros((p, p))

    @property
    def weight(self) -> float:
        return float(self._weight[0])

    @property
    def mean(self) -> np.ndarray:
        hi, _ = self.scaled_mean_extended()
        return hi / self.scale

    @property
    def scatter(self) -> np.ndarray:
        with np.errstate(over="ignore", under="ignore"):
            return self.scaled_scatter_extended()[0] / self.scale / self.scale[:, None]

    def scatter_noise(self) -> np.ndarray:
        """What rounding can leave of the scatter of each (scaled) column that lies beside its pivot; there are rows."""
        return 256 * self.eps * self.weight * (self.scaled_mean_extended()[0] - self.pivot) ** 2

    def scaled_columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and scatter of each column, times its `scale` and its square, rounded."""
        return self.scaled_mean_extended()[0], np.diag(self.scaled_scatter_extended()[0])

    def target_scatter(self) -> np.ndarray:
        """The scatter of each (scaled) target, rounded."""
        return np.ascontiguousarray(self.scaled_columns()[1][self.n_features :])

    def scaled_mean_extended(self) -> DD:
        """m = c + v / W, of the scaled columns."""
        if self.pivot is None:
            return np.zeros(self.scale.size), np.zeros(self.scale.size)
        return add((self.pivot, np.zeros_like(self.pivot)), div((self._sums[0], self._sums[1]), _pair(self._weight)))

    def scaled_scatter_extended(self) -> DD:
        """S = S_c - v v' / W, symmetric, of the scaled columns."""
        hi, lo = (np.tril(a) + np.tril(a, -1).T for a in (self._hi, self._lo + self._tail))
        if self.pivot is None:
            return hi, lo
        v = (self._sums[0], self._sums[1])
        u = div(v, _pair(self._weight))
        outer = mul((v[0][:, None], v[1][:, None]), (u[0][None, :], u[1][None, :]))
        outer = (np.tril(outer[0]) + np.tril(outer[0], -1).T, np.tril(outer[1]) + np.tril(outer[1], -1).T)
        return add((hi, lo), (-outer[0], -outer[1]))

    @property
    def flops_per_row(self) -> float:
        return 100.0 * self.scale.size**2  # twenty for one in double-double, none of them in vectors

    def add_rows(self, slab: Slab) -> None:
        if isinstance(slab.X, SparseRows):
            self._add_stored(slab.X, slab)
            return
        y = slab.y.reshape(len(slab.X), self.n_targets)
        if self.pivot is None:
            used = np.flatnonzero(slab.weight)[:256] if slab.weight.size else np.arange(min(256, len(slab.X)))
            if not used.size:
                # the NaN of a row without weight, for `moments_of` to find
                self._sums[0] += 0 * np.concatenate([slab.X.sum(0, dtype=np.float64), y.sum(0)])
                return
            self._pivot_count = len(used)
            self.pivot = np.concatenate([slab.X[used].mean(0, dtype=np.float64), y[used].mean(0)]) * self.scale
        self.count += rows_used(slab)
        accumulate_extended(
            slab.X, y, slab.weight, self.scale, self.pivot, self._weight, self._sums, self._hi, self._lo, self._tail,
            np.empty((4, self.scale.size)),
        )  # fmt: skip

    def _add_stored(self, X: SparseRows, slab: Slab) -> None:
        """Rows of which only some entries are stored, as sums about zero: with 106 bits that is as good a pivot as any."""
        part = ExtendedMoments(self.n_features, self.n_targets, self.scale)
        p, used = self.scale.size, rows_used(slab)
        if used:
            part.pivot, part._pivot_count, part.count = np.zeros(p), used, used
        accumulate_stored(
            X, slab.y.reshape(len(X), self.n_targets), slab.weight, self.scale, part._weight, part._sums, part._hi, part._lo, part._tail,
            np.empty((3, p)), np.empty(p, np.int64),
        )  # fmt: skip
        self.merge(part)

    def merge(self, other: ExtendedMoments) -> None:
        self._combine(other, 1.0)

    def _combine(self, other: ExtendedMoments, sign: float) -> None:
        """Bring both to one pivot and add, or take away."""
        self._check(other)
        count = self.count + (other.count if sign > 0 else -other.count)
        if other.pivot is None:
            self.count, self._sums = count, self._sums + 0 * other._sums
            return
        if self.pivot is None:
            self.pivot, self.scale, self._pivot_count = other.pivot, other.scale, other._pivot_count
        scale = np.minimum(self.scale, other.scale)
        self._rescale(scale)
        other = other.copy()
        assert other.pivot is not None
        other._rescale(scale)
        if sign > 0 and count > PIVOT_GROWTH * max(self._pivot_count, other._pivot_count):
            # a pivot taken from few rows may lie far out, where sums about it are large and their last digits coarse
            share = other.weight / (self.weight + other.weight)
            mine, theirs = self.scaled_mean_extended()[0], other.scaled_mean_extended()[0]
            self._move(mine + share * (theirs - mine))
            self._pivot_count = count
        elif other._pivot_count > self._pivot_count:
            self._move(other.pivot)
            self._pivot_count = other._pivot_count
        other._move(self.pivot)
        self._add(sign * other._hi, sign * other._lo, sign * other._tail)
        self._sums = np.stack(add(_pair(self._sums), _pair(sign * other._sums)))
        self._weight = np.array(add(_pair(self._weight), _pair(sign * other._weight)))
        self.count = count

    def _rescale(self, scale: np.ndarray) -> None:
        ratio = scale / self.scale
        self.scale, self.pivot, self._sums = scale, self.pivot * ratio, self._sums * ratio
        self._hi, self._lo, self._tail = (a * ratio * ratio[:, None] for a in (self._hi, self._lo, self._tail))

    def _add(self, hi: np.ndarray, lo: np.ndarray, tail: np.ndarray | float = 0.0) -> None:
        """S + (hi + lo + tail), the rounding of the second words kept in the third."""
        s, e = two_sum(self._hi, hi)
        t, f = two_sum(self._lo, lo)
        t, g = two_sum(t, e)
        self._hi, self._lo = fast_two_sum(s, t)
        self._tail = self._tail + tail + (f + g)

    def _move(self, pivot: np.ndarray) -> None:
        """Change the pivot from c to c': with e = c - c' exact,

        v' = v + W e        S' = S + e (v + W e / 2)' + (v + W e / 2) e'
        """
        e = two_sum(self.pivot, -pivot)
        v, w = _pair(self._sums), _pair(self._weight)
        half = add(v, mul((e[0] / 2, e[1] / 2), w))
        cross = mul((e[0][:, None], e[1][:, None]), (half[0][None, :], half[1][None, :]))
        self._add(*add(cross, (cross[0].T, cross[1].T)))
        self._sums = np.stack(add(v, mul(e, w)))
        self.pivot = pivot

    def part(self, features: Any, targets: Any) -> ExtendedMoments:
        """The moments of some of the columns, by number: of the same rows, without a read of them."""
        columns = np.append(np.asarray(features, dtype=np.intp), self.n_features + np.asarray(targets, dtype=np.intp))
        new = ExtendedMoments(len(columns) - len(targets), len(targets), self.scale[columns])
        new.pivot, new._pivot_count = None if self.pivot is None else self.pivot[columns], self._pivot_count
        new._weight, new._sums, new.count = self._weight.copy(), self._sums[:, columns], self.count
        square = np.ix_(columns, columns)
        new._hi, new._lo, new._tail = ((np.tril(a) + np.tril(a, -1).T)[square] for a in (self._hi, self._lo, self._tail))
        return new

    def copy(self) -> ExtendedMoments:
        new = ExtendedMoments(self.n_features, self.n_targets, self.scale)
        new.pivot, new._pivot_count = self.pivot, self._pivot_count
        new._weight, new._sums = self._weight.copy(), self._sums.copy()
        new._hi, new._lo, new._tail, new.count = self._hi.copy(), self._lo.copy(), self._tail.copy(), self.count
        return new

    _check = Moments._check
    __add__ = Moments.__add__
    __repr__ = Moments.__repr__

    def __sub__(self, other: ExtendedMoments) -> ExtendedMoments:
        self._check(other)
        if guard_part(self, other):
            return ExtendedMoments(self.n_features, self.n_targets, self.scale)
        new = self.copy()
        new._combine(other, -1.0)
        guard_variance(self, new)
        return new

    def finite(self) -> bool:
        return bool(np.isfinite(np.diag(self._hi)).all() and np.isfinite(self._sums).all())

    def well_scaled(self) -> bool:
        diagonal = np.diag(self._hi)
        with np.errstate(invalid="ignore"):
            return bool(np.all((diagonal > self.faintest) & (diagonal < 1e240)))

    def to_bytes(self) -> bytes:
        lower = np.tril_indices(self.scale.size)
        pivot = np.full(self.scale.size, np.nan) if self.pivot is None else self.pivot
        return moments_bytes.pack(self.precision, self.n_features, self.n_targets, (
            np.array([*self._weight, self.count, self._pivot_count]), self.scale, pivot,
            self._sums[0], self._sums[1], self._hi[lower], self._lo[lower],
            self._tail[lower],
        ))  # fmt: skip

    @staticmethod
    def _from_arrays(d: int, t: int, arrays: list[np.ndarray]) -> ExtendedMoments:
        new = ExtendedMoments(d, t, arrays[1])
        new._weight, new.count, new._pivot_count = arrays[0][:2], int(arrays[0][2]), int(arrays[0][3])
        new.pivot = None if np.isnan(arrays[2]).any() else arrays[2]
        new._sums = np.stack(arrays[3:5])
        lower = np.tril_indices(d + t)
        new._hi[lower], new._lo[lower], new._tail[lower] = arrays[5:8]
        return new
