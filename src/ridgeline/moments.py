"""Moments: the weight, mean and centred scatter of (x, y) — all that a squared loss can learn from rows.

    W = sum s_i      m = sum s_i z_i / W      S = sum s_i (z_i - m)(z_i - m)'      z_i = (x_i, y_i)

They add over disjoint rows and take away again, whatever the order, so one pass over data that live anywhere serves least squares
and ridge at every penalty.  `Moments` holds them in double; `ExtendedMoments` in double-double, about 31 digits, for columns so nearly
dependent that squaring them in double would lose the answer.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import moments_bytes
from .kernels import load
from .ranges import RangesWithTargets, power_of_two_scale
from .sources import EMPTY, SEGMENT_ELEMENTS, SEGMENT_ROWS, ArraySource, Slab, Source, fold, require_rereadable
from .sparse_rows import SparseRows
from .workspace import aligned, gram_rows, padded

kernels = load("moments")

EPS = float(np.finfo(float).eps)

DOUBLE = np.dtype(np.float64)


class Moments:
    """Weight, mean and centred scatter of the columns of X and y together, in double precision.

    Made by `Moments.of`; `a + b` are the moments of the rows of both, `a - b` those of a without b's rows. The constructor makes the
    moments of no rows.

    Parameters
    ----------
    n_features, n_targets : int
        The numbers of columns of X and of y.
    scale : ndarray of shape (d + t,), optional
        Powers of two by which columns are multiplied before their products are summed, so that no sum overflows; 1 by default.
    products : dtype, optional
        The precision of the products of two columns; None for that of the rows.

    Attributes
    ----------
    n_features, n_targets : int
        d and t: the first d columns are X, the last t are y.
    eps : float
        Unit of rounding of the sums: that of float32 where rows were.
    weight : float
        Sum of the sample weights.
    count : int
        Rows with a positive weight.
    mean : ndarray of shape (d + t,)
    scatter : ndarray of shape (d + t, d + t)
        Weighted scatter about the mean, symmetric. Divide by `weight` for the covariance. An entry beyond the
        double range is infinite here, though not in the sums that a fit uses.

    Notes
    -----
    Cost: one read of the rows and n (d + t)(d + t + 1) flops; memory 8 (d + t)^2 bytes.
    The merge is that of Chan, Golub and LeVeque (1979).

    Examples
    --------
    >>> from ridgeline import Moments
    >>> monday = Moments.of([[0.0], [2.0]], [1.0, 5.0])
    >>> week = monday + Moments.of([[4.0]], [9.0])
    >>> week.count, week.mean, week.scatter.tolist()
    (3, array([2., 5.]), [[8.0, 16.0], [16.0, 32.0]])
    >>> (week - monday).mean
    array([4., 9.])
    >>> Moments.from_bytes(week.to_bytes()).weight
    3.0
    """

    precision = "double"
    faintest = 1e-280  # of second moments that have all their digits, far from where the double range ends

    def __init__(
        self, n_features: int, n_targets: int, scale: np.ndarray | None = None, products: np.dtype | None = None
    ) -> None:
        p = n_features + n_targets
        self._products = products
        self.n_features = n_features
        self.n_targets = n_targets
        self.weight = 0.0
        self.count = 0
        self.eps = EPS
        self.scale = np.ones(p) if scale is None else scale
        self.scaled_mean = np.zeros(p)
        wide = padded(p + 1, DOUBLE)
        self._wide = aligned((wide, wide), DOUBLE, zero=True)
        """The scatter in its first p rows and columns, of which only the lower triangle holds; the rest is the kernel's."""

    @staticmethod
    def of(
        X: Any, y: Any, sample_weight: Any = None, *, precision: str = "double", n_threads: int | None = None
    ) -> Any:
        """The moments of the rows of X (n, d) and y (n,) or (n, t).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Rows; there may be none.
        y : array-like of shape (n,) or (n, t)
            Targets.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.
        precision : {"double", "extended"}
            "extended" returns `ExtendedMoments`: about 31 digits, about ten times the time.
        n_threads : int, optional
            Threads that share the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.

        Returns
        -------
        Moments or ExtendedMoments

        Raises
        ------
        ValueError
            For shapes that do not match, negative weights, and entries that are not finite, with their position.
        """
        from .validation import check_matrix, check_targets, check_weights

        X = check_matrix(X, minimum_rows=0)
        weight = check_weights(sample_weight, len(X)) if len(X) else EMPTY
        return moments_of(ArraySource(X, check_targets(y, len(X)), weight, n_threads=n_threads), precision)

    @staticmethod
    def of_source(source: Source, *, precision: str = "double") -> Any:
        """The moments of the rows of a source (`ridgeline.source`); one read, wherever the rows are.

        Parameters
        ----------
        source : Source
            From `ridgeline.source`.
        precision : {"double", "extended"}
            As in `of`.

        Returns
        -------
        Moments or ExtendedMoments

        Raises
        ------
        ValueError
            For entries that are not finite, with their place.
        """
        return moments_of(source, precision)

    @property
    def _lower(self) -> np.ndarray:
        return self._wide[: self.scale.size, : self.scale.size]

    @property
    def mean(self) -> np.ndarray:
        """The weighted means of the columns of X, then of y."""
        return self.scaled_mean / self.scale

    @property
    def scatter(self) -> np.ndarray:
        """The weighted scatter about the mean, symmetric."""
        with np.errstate(over="ignore", under="ignore"):
            return self.scaled_scatter() / self.scale / self.scale[:, None]

    def scaled_scatter(self) -> np.ndarray:
        """The symmetric scatter of the columns multiplied by `scale`."""
        lower = np.tril(self._lower)
        return lower + np.tril(lower, -1).T

    def scaled_columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and scatter of each column, times its `scale` and its square."""
        return self.scaled_mean, np.diag(self._lower)

    def lower(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The scatter of the scaled columns, of which only the lower triangle of the first p rows holds; their means; `scale`."""
        return self._wide, self.scaled_mean, self.scale

    def target_scatter(self) -> np.ndarray:
        """The scatter of each (scaled) target."""
        return np.ascontiguousarray(np.diagonal(self._lower)[self.n_features :])

    def mean_noise(self) -> float:
        """The relative error of a mean from rounding: its square times the mean's and the weight is no scatter."""
        return float(4 * additions(self.scale.size) ** 0.5 * EPS)

    @property
    def flops_per_row(self) -> float:
        return float(self.scale.size) ** 2

    def add_rows(self, slab: Slab) -> None:
        """Add the rows of a slab in place."""
        kind, p = self._products or slab.X.dtype, self.scale.size
        b, wide = min(gram_rows(p + 1), len(slab.X)) or 1, padded(p + 1, kind)
        y = slab.y.reshape(len(slab.X), self.n_targets)
        sums = self._wide if self.weight == 0 or self._outweighs(slab) else np.empty_like(self._wide)
        partial = sums if kind == DOUBLE else aligned((wide, wide), kind)
        self.count += rows_used(slab)
        self.eps = max(self.eps, float(np.finfo(kind).eps))
        self.weight = kernels.accumulate(
            slab.X, y, slab.weight, self.scale, self.weight, self.scaled_mean, self._wide,
            aligned((b, wide), kind), np.empty((3, max(b, wide))), partial, sums,
        )  # fmt: skip

    def _outweighs(self, slab: Slab) -> bool:
        """Whether the rows so far weigh so much more than a slab's that its products can be added onto theirs."""
        weight = float(slab.weight.sum()) if slab.weight.size else len(slab.X)
        return not isinstance(slab.X, SparseRows) and weight <= self.weight

    def merge(self, other: Moments) -> None:
        """Add another record in place."""
        self._combine(other, other.weight)

    def _combine(self, other: Moments, weight: float) -> None:
        """Add (weight = other.weight) or take away (weight = -other.weight) another record."""
        self._check(other)
        self.count += other.count if weight >= 0 else -other.count
        self.eps = max(self.eps, other.eps)
        self._rescale(np.minimum(self.scale, other.scale))
        ratio = self.scale / other.scale
        total = self.weight + weight
        if weight == 0:
            # the NaN of a row without weight, for `moments_of` to find
            self.scaled_mean += 0 * other.scaled_mean
            return
        delta = other.scaled_mean * ratio - self.scaled_mean
        f = (self.weight / total) * weight if self.weight else 0.0
        kernels.merge(self._wide, other._wide, float(np.sign(weight)), ratio, f, delta)
        self.scaled_mean += (weight / total) * delta
        self.weight = total

    def _rescale(self, scale: np.ndarray) -> None:
        ratio = scale / self.scale
        self.scaled_mean = self.scaled_mean * ratio
        if (ratio != 1).any():
            self._lower[:] *= ratio
            self._lower[:] *= ratio[:, None]
        self.scale = scale

    def _check(self: Any, other: Any) -> None:
        if type(other) is not type(self):
            raise TypeError(f"cannot combine {type(self).__name__} with {type(other).__name__}")
        if (self.n_features, self.n_targets) != (other.n_features, other.n_targets):
            raise ValueError(
                f"moments of {self.n_features} features and {self.n_targets} targets cannot be combined with moments of "
                f"{other.n_features} and {other.n_targets}."
            )

    def part(self, features: Any, targets: Any) -> Moments:
        """The moments of some of the columns: of the same rows, without a read of them.

        Parameters
        ----------
        features, targets : sequence of int
            Numbers of columns of X and of y, in any order.

        Returns
        -------
        Moments
            Of the same precision.
        """
        columns = np.append(np.asarray(features, dtype=np.intp), self.n_features + np.asarray(targets, dtype=np.intp))
        new = Moments(len(columns) - len(targets), len(targets), self.scale[columns])
        new.weight, new.count, new.eps = self.weight, self.count, self.eps
        new.scaled_mean = self.scaled_mean[columns]
        new._lower[:] = self.scaled_scatter()[np.ix_(columns, columns)]
        return new

    def copy(self) -> Moments:
        new = Moments(self.n_features, self.n_targets, self.scale, self._products)
        new.weight, new.count, new.eps = self.weight, self.count, self.eps
        new.scaled_mean, new._wide[:] = self.scaled_mean.copy(), self._wide
        return new

    def __add__(self, other: Moments) -> Moments:
        new = self.copy()
        new.merge(other)
        return new

    def __sub__(self, other: Moments) -> Moments:
        """The moments without the rows of `other`.

        Raises
        ------
        ValueError
            If `other` cannot be part of these rows: it has more of them or more weight, or taking it away
            leaves a negative variance; or if what is left is lost to rounding beside what is taken.
        """
        self._check(other)
        if guard_part(self, other):
            return type(self)(self.n_features, self.n_targets, self.scale)
        new = self.copy()
        new._combine(other, -other.weight)
        guard_variance(self, new)
        np.fill_diagonal(new._lower, np.maximum(np.diag(new._lower), 0))
        return new

    def finite(self) -> bool:
        return bool(np.isfinite(np.diag(self._lower)).all() and np.isfinite(self.scaled_mean).all())

    def well_scaled(self) -> bool:
        """Whether no second moment has come near the ends of the double range, where squares lose digits or overflow."""
        diagonal = np.diagonal(self._lower)
        if diagonal.min() > self.faintest and diagonal.max() < 1e280:
            return True
        # numbers about 1e-130 that differ have squares above the double range's end: without scatter they are equal
        steady = (diagonal == 0) & (np.abs(self.scaled_mean) > 1e-130)
        return bool(np.all(steady | ((diagonal > self.faintest) & (diagonal < 1e280))))

    def to_bytes(self) -> bytes:
        """A portable, versioned, checksummed image (no pickle).

        Returns
        -------
        bytes
            About 4 (d + t)^2 of them.
        """
        return moments_bytes.pack(self.precision, self.n_features, self.n_targets, (
            np.array([self.weight, self.count, self.eps]), self.scale, self.scaled_mean, self._lower[np.tril_indices(self.scale.size)],
        ))  # fmt: skip

    @staticmethod
    def from_bytes(image: bytes) -> Any:
        """Read what `to_bytes` wrote.

        Parameters
        ----------
        image : bytes
            Of `Moments` or `ExtendedMoments`.

        Returns
        -------
        Moments or ExtendedMoments

        Raises
        ------
        ValueError
            For anything else, and for an image that is damaged or cut short, saying which.
        """
        precision, d, t, arrays = moments_bytes.unpack(image)
        if precision == "extended":
            from .extended_moments import ExtendedMoments

            return ExtendedMoments._from_arrays(d, t, arrays)
        new = Moments(d, t, arrays[1])
        new.weight, new.count, new.eps = float(arrays[0][0]), int(arrays[0][1]), float(arrays[0][2])
        new.scaled_mean = arrays[2]
        new._lower[np.tril_indices(d + t)] = arrays[3]
        return new

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.n_features} features, {self.n_targets} target(s), weight {self.weight:g}>"


def require_moments(moments: Any) -> None:
    """Raise a ValueError for moments of no rows."""
    if not moments.weight > 0:
        raise ValueError("the moments hold no rows (their weight is zero); add some with Moments.of(X, y).")


def additions(p: int) -> int:
    """How many numbers at most are added up one by one to an entry of a segment's scatter: the rows of a block, then the blocks."""
    return gram_rows(p) + max(SEGMENT_ELEMENTS // p, SEGMENT_ROWS) // gram_rows(p)


def rows_used(slab: Slab) -> int:
    """Rows with a positive weight."""
    return int(np.count_nonzero(slab.weight)) if slab.weight.size else len(slab.X)


def guard_part(whole: Any, part: Any) -> bool:
    """Refuse a part with more rows or weight than the whole; say whether it is all of it."""
    if part.count > whole.count or part.weight > whole.weight * (1 + 1e-12):
        raise ValueError(
            f"cannot take away {part.count} rows of weight {part.weight:g} from {whole.count} rows "
            f"of weight {whole.weight:g}: they are not among these."
        )
    if part.count < whole.count:
        # the sum of the weights is rounded, and so is what is left of it
        if whole.weight - part.weight <= 4 * EPS * whole.weight:
            raise ValueError(
                f"the {whole.count - part.count} rows that would be left have a weight below the rounding "
                "of the whole; collect the moments of those rows afresh."
            )
        return False
    mean, scatter = whole.scaled_columns()
    other_mean, other_scatter = part.scaled_columns()
    spread, ratio = np.sqrt(np.maximum(scatter, 0)), whole.scale / part.scale
    # loose: rows taken away before leave the rounding errors of a larger whole
    near = 1e-6 * spread + 1e-7 * np.abs(mean) * np.sqrt(whole.weight)
    far = np.abs(other_mean * ratio - mean) * np.sqrt(whole.weight) > near
    far |= np.abs(np.sqrt(np.maximum(other_scatter, 0)) * ratio - spread) > near
    if part.weight < whole.weight * (1 - 1e-12) or far.any():
        raise ValueError(f"cannot take away {part.count} rows from {whole.count} rows that are not the same.")
    return True


def guard_variance(whole: Any, rest: Any) -> None:
    """Refuse a rest with a variance more negative than rounding of the scatter and of the means explains."""
    mean, before = whole.scaled_columns()
    ratio = rest.scale / whole.scale
    noise = 1e-10 * before + 16 * EPS * np.abs(mean) * np.sqrt(whole.weight) * np.sqrt(np.maximum(before, 0))
    negative = rest.scaled_columns()[1] < -noise * ratio**2
    if negative.any():
        raise ValueError(
            f"taking these rows away would leave column {int(np.argmax(negative))} with a negative variance: "
            "they are not among the rows of the whole."
        )


def moments_of(
    source: Source, precision: str = "double", n_targets: int | None = None, products: np.dtype | None = None
) -> Any:
    """Fold a source into its moments; a second fold with power-of-two scales where squares leave the double range.

    `products` is the precision of products in "double", None for that of the rows.

    Raises
    ------
    ValueError
        If an entry of X is not finite, with its position.
    """
    from .extended_moments import ExtendedMoments

    kinds: dict[str, Any] = {"double": partial(Moments, products=products), "extended": ExtendedMoments}
    if precision not in kinds:
        raise ValueError(f"precision must be 'double' or 'extended', got {precision!r}.")
    return scaled(source, kinds[precision], n_targets or source.n_targets)


def scaled(source: Source, kind: Any, t: int) -> Any:
    """The total of summaries `kind(d, t, scale)`, with the scales of the rows where they are not well scaled without; see `moments_of`."""
    d = source.n_features
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        moments = fold(source, partial(kind, d, t))
        if moments.finite() and moments.well_scaled():
            return moments
        if not source.rereadable:
            scatter = moments.scaled_columns()[1]
            if moments.finite() and not ((scatter > 0) & (scatter < moments.faintest)).any():
                return moments  # a column is constant: one read has no more to tell
            require_rereadable(source, "its squares leave the double range, so that a second read has to scale the columns")
        source.check_finite()
        ranges = fold(source, partial(RangesWithTargets, d, t))
        spread = np.maximum(ranges.both.high - ranges.both.mean, ranges.both.mean - ranges.both.low)
        return fold(source, partial(kind, d, t, power_of_two_scale(spread)))
