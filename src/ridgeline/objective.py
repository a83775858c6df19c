"""The one objective, as a function of a flat parameter vector: a source folded through a loss, plus the penalty.

    F(theta) = sum_i s_i l(y_i, z_i) + (1/2) sum_j penalty_j theta_j^2

A solver sees this object and the expansions that come out of it, never a row.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .expansion import DOUBLE, Coordinates, Expansion
from .inner import inner
from .pieces import Pieces
from .pointwise import SQUARED, Loss, PointwiseLoss
from .probes import OutputCurvature, Ray, Shift, Squares
from .ranges import ColumnRanges, power_of_two_scale
from .sources import ArraySource, PickedRows, Source, fold, require_rereadable, require_rows
from .views import View, WithoutTargets
from .watch import watch

EPS = float(np.finfo(float).eps)

NO_HESSIAN = np.empty((0, 0))

FEW = 1024
"""Rows that show the size of a column."""

FAR = 256.0
"""Beside the reach of a sample's columns: that of all rows up to which its coordinates serve."""

FAINT = 1e-6
"""A penalty, beside a diagonal entry of the Hessian, that would make it too ill-conditioned along the gauge."""


@dataclass(frozen=True)
class Point:
    """F and its derivatives at theta; `hessian` is 0 x 0 below order 2, and comes of products in `precision`."""

    theta: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    precision: np.dtype = DOUBLE


class OutOfRange(Exception):
    """Of a sample's coordinates: the columns of all rows go far beyond them, or are not finite."""


class Objective:
    """F over a source.

    Parameters
    ----------
    source : Source
    loss : Loss
    alpha : float
        Weight of (alpha/2) ||w||^2, in original columns; intercepts and shared parameters are not penalised.
    fit_intercept : bool

    Raises
    ------
    ValueError
        If X is not finite, with the position.

    Attributes
    ----------
    best : Point or None
        The lowest point since `timed` was set, without its Hessian: what there is when time runs out.
    points : int
        How many points were computed since.
    known : tuple of Pieces
        Rows that are not read any more.
    ranged : bool
        Whether `reach` is that of all rows; if not, the first `expand` sees to it.

    Notes
    -----
    Construction reads the data once, for the columns' means and ranges; each `expand` reads them once.
    """

    best: Point | None = None
    points = 0
    timed = False
    known: tuple[Pieces, ...] = ()
    ranged = True

    def __init__(self, source: Source, loss: Loss, alpha: float, fit_intercept: bool) -> None:
        require_rereadable(source)
        ranges = self._ranges_of(source)
        if not ranges.finite():
            source.check_finite()
        require_rows(ranges.weight)
        self._place(source, ranges, fit_intercept)
        self._pose(loss, alpha)

    @classmethod
    def from_sample(cls, source: ArraySource, loss: PointwiseLoss, alpha: float, fit_intercept: bool, stride: int) -> Objective:
        """F in coordinates that every `stride`-th row decides, which saves a read: the first `expand` finds the ranges of all rows.

        Where those are far from the sample's, or not finite, that raises `OutOfRange`; then, and for a sample that says nothing, the
        other constructor serves.
        """
        ranges = cls._ranges_of(source.sample(stride))
        if not (ranges.finite() and ranges.weight > 0):
            return cls(source, loss, alpha, fit_intercept)
        self = cls.__new__(cls)
        self._place(source, ranges, fit_intercept)
        self._count()
        self.ranged = False
        self._pose(loss, alpha)
        return self

    @staticmethod
    def _ranges_of(source: Source) -> ColumnRanges:
        with np.errstate(over="ignore", invalid="ignore"):
            return fold(source, partial(ColumnRanges, source.n_features))

    def _place(self, source: Source, ranges: ColumnRanges, fit_intercept: bool) -> None:
        """The coordinates."""
        self.source, self.weight, self.rows = source, ranges.weight, ranges.rows
        center = ranges.mean if fit_intercept else np.zeros(source.n_features)
        scale = power_of_two_scale(_reach(center, ranges.low, ranges.high))
        self.coordinates = Coordinates(center, scale, fit_intercept)
        self._reach_to(ranges.low, ranges.high)

    def _count(self) -> None:
        """The rows and their weight, without a look at the columns."""
        counted = fold(self.source.targets_only(), partial(ColumnRanges, 0))
        self.rows, self.weight = counted.rows, counted.weight

    def _reach_to(self, low: np.ndarray, high: np.ndarray) -> None:
        """How far the columns of Z go from zero, whose least and greatest entries are those of X."""
        center, scale = self.coordinates.center, self.coordinates.scale
        self.reach = np.append(_reach(center, low, high) * scale, np.ones(int(self.coordinates.fit_intercept)))

    def _pose(self, loss: Loss, alpha: float) -> None:
        """What follows from the loss and the penalty."""
        self.loss, self.alpha, self.best = loss, alpha, None
        self.penalty = self._penalties(alpha)
        self.size = self.penalty.size
        self._reaches = self._movements()

    def _movements(self) -> np.ndarray:
        """The most by which each parameter moves a prediction, per unit."""
        spread = np.where(self.reach > 0, self.reach, 1.0)
        return np.append(np.tile(spread, self.loss.outputs), np.ones(self.loss.shared))

    def posed(self, loss: Loss, alpha: float, source: Source | None = None) -> Objective:
        """Another loss and penalty of the same rows, or of a view of them with the same X and weights: the columns are not read again."""
        other = copy(self)
        other.source = self.source if source is None else source
        other._pose(loss, alpha)
        return other

    def _penalties(self, alpha: float) -> np.ndarray:
        """alpha per parameter, in the coordinates of theta."""
        scale, outputs = self.coordinates.scale, self.loss.outputs
        penalty = np.zeros((outputs, self.coordinates.width))
        penalty[:, : len(scale)] = alpha * scale * scale
        return np.append(penalty.ravel(), np.zeros(self.loss.shared))

    def penalised(self, alpha: float) -> Objective:
        """The same losses with another penalty."""
        other = copy(self)
        other.alpha, other.penalty, other.best = alpha, self._penalties(alpha), None
        return other

    def of_rows(self, source: ArraySource, rows: np.ndarray) -> Objective:
        """F of some of the rows, in the same coordinates: the others are given no weight, so that nothing is copied.

        Parameters
        ----------
        source : ArraySource
            The rows that this objective was made from.
        rows : ndarray of bool, shape (n,)
        """
        part = copy(self)
        part.source = source.weighted(rows.astype(np.float64))
        part.weight, part.rows, part.best = float(part.source.weight.sum()), int(rows.sum()), None
        return part

    def expand(self, theta: np.ndarray, order: int, precision: np.dtype = DOUBLE) -> Point:
        """F at theta with derivatives up to `order`; one read of the data. Outside the loss's domain all is infinite.

        `precision` is that of the Hessian's products alone.

        Raises
        ------
        OutOfRange
            If the coordinates are of a sample, and do not suit all rows.
        """
        if not self.admits(theta):
            return Point(theta, np.inf, np.full(self.size, np.inf), NO_HESSIAN)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = fold(self.source, partial(Expansion, self.loss, self.coordinates, theta, order, precision, not self.ranged))
            if not self.ranged:
                self._find_range(sums)
            pull = self.penalty * theta
            value, gradient, hessian = sums.value + 0.5 * inner(pull, theta), sums.gradient + pull, NO_HESSIAN
            if order >= 2:
                hessian = sums.hessian
                hessian.ravel()[:: self.size + 1] += self.penalty
            for pieces in self.known:
                v, g, h = self.loss.of_pieces(pieces.at(self._main(theta)), self._shared(theta))
                value, gradient, hessian = value + v, gradient + g, hessian + h if order >= 2 else NO_HESSIAN
        point = Point(theta, value, gradient, hessian, precision)
        if order >= 1:
            self._note(point)
        return point

    def _find_range(self, sums: Expansion) -> None:
        """The reach of all rows, from the first sums over them."""
        d = self.source.n_features
        finite = np.isfinite(sums.value) and np.isfinite(sums.gradient).all()
        self._reach_to(sums.extremes[0, :d], sums.extremes[1, :d])
        if not (finite and self.reach.max(initial=0.0) <= FAR):
            raise OutOfRange
        self._reaches, self.ranged = self._movements(), True

    def _note(self, point: Point) -> None:
        """Show a point to whoever watches; of a timed objective, keep it if it is the lowest so far."""
        scope = watch()
        if scope is None:
            return
        scope.point(self.source.reads, self.rows, point.value / self.weight, self.steepness(point))
        if self.timed and np.isfinite(point.value):
            self.points += 1
            if self.best is None or point.value <= self.best.value:
                self.best = replace(point, hessian=NO_HESSIAN)
            scope.limited = True

    def sampled(self, stride: int) -> Objective | None:
        """F of every `stride`-th row in the same coordinates, its penalty in proportion; None where the source has no sample to give."""
        if not isinstance(self.source, (ArraySource, View)) or (sample := self.source.sample(stride)) is None:
            return None
        part = copy(self)
        part.source = sample
        part.penalty = self.penalty / stride
        part.timed, part.ranged = False, True
        part._count()
        return part if part.weight > 0 else None

    def pieces(self, theta: np.ndarray, width: float) -> Pieces:
        """The rows farther than `width` from the loss's threshold at theta, summed, and the numbers of the others; one read."""
        threshold = self.loss.threshold(self._shared(theta))
        main, low = self._main(theta), max(threshold - width, 0.0)
        return fold(self.source, partial(Pieces, self.coordinates, main, low, threshold + width))

    def narrowed(self, theta: np.ndarray, width: float) -> Objective:
        """F as it is while no row farther than `width` from the threshold reaches it: a function of the other rows alone; one read.

        Of rows that can be sampled (`sampled`), which can be picked one by one, too.
        """
        assert isinstance(self.source, (ArraySource, PickedRows, View))
        pieces = self.pieces(theta, width)
        rows = self.source.pick(pieces.near)
        assert rows is not None
        part = copy(self)
        part.source, part.known, part.timed = rows, (*self.known, pieces), False
        return part

    def admits(self, theta: np.ndarray) -> bool:
        """Whether theta is in the domain of the loss."""
        return self.loss.admits(self._shared(theta))

    def _main(self, theta: np.ndarray) -> np.ndarray:
        return theta[: self.size - self.loss.shared]

    def _shared(self, theta: np.ndarray) -> np.ndarray:
        return theta[self.size - self.loss.shared :]

    def movement(self, step: np.ndarray) -> float:
        """The most that one entry of a step moves a prediction (or a shared parameter)."""
        return float(np.abs(step * self._reaches).max(initial=0.0))

    def slope_error(self, point: Point, slip: np.ndarray) -> np.ndarray:
        """By how much the gradient changes at most where theta moves by `slip`, entry by entry.

        l'' <= kappa: a slope changes by no more than kappa times the movement of its prediction.
        """
        change = self._kappa(point) * self.weight * self.span(slip) * self._reaches
        return change + self.penalty * np.abs(slip)

    def rounding(self, point: Point, rows: int) -> np.ndarray:
        """How far rounding moves the gradient, entry by entry, with `rows` rows summed at a time.

        Sums of m terms err by 4 sqrt(m) eps of their terms' size (Higham and Mary 2019, SIAM J. Sci. Comput. 41, theorem 2.4, but for
        a probability of 1e-3); l >= 0 and l'' <= kappa give l'^2 <= 2 kappa l, so that sum s |l'| <= (2 kappa W F)^(1/2).
        """
        kappa, p = self._kappa(point), self.coordinates.width
        slopes = np.sqrt(2 * kappa * self.weight) * np.sqrt(max(point.value, 0.0)) * 4 * np.sqrt(rows)
        predictions = kappa * self.weight * 4 * np.sqrt(p + 1) * self.span(point.theta)
        return EPS * (slopes + predictions) * self._reaches

    def span(self, theta: np.ndarray) -> float:
        """A bound on the size of any prediction."""
        c, p = self.loss.outputs, self.coordinates.width
        return float((np.abs(theta) * self._reaches)[: c * p].reshape(c, p).sum(axis=1).max(initial=0.0))

    def _kappa(self, point: Point) -> float:
        """The bound on l''; a shared parameter is a scale, which divides it."""
        return self.loss.curvature / float(point.theta[-1]) if self.loss.shared else self.loss.curvature

    def steepness(self, point: Point) -> float:
        """Largest entry of the gradient per unit of weight and of movement: what `tol` bounds, whatever the columns' scales."""
        return float(np.abs(point.gradient / self._reaches).max(initial=0.0)) / self.weight

    def gram(self, precision: np.dtype = DOUBLE) -> np.ndarray:
        """sum_i s_i Z_i Z_i' (p, p), its products in `precision`; one read."""
        zero = np.zeros(self.coordinates.width)
        blank = WithoutTargets(self.source)
        return fold(blank, partial(Expansion, SQUARED, self.coordinates, zero, 2, precision)).hessian

    def squares(self) -> np.ndarray:
        """sum_i s_i Z_i^2 (p,) from about a thousand of the rows, and no less than any column's largest entry alone contributes."""
        stride = max(self.rows // FEW, 1)
        part = self.sampled(stride)
        if part is None:
            return self.weight / 4 * self.reach**2
        least = self.weight / self.rows * self.reach**2
        return np.maximum(stride * fold(part.source, partial(Squares, self.coordinates)).sums, least)

    def output_curvature(self, theta: np.ndarray) -> np.ndarray:
        """sum_i s_i l'' (c, c) of some thousand rows at theta: that of all rows is no smaller (no shared parameters)."""
        part = self.sampled(max(self.rows // (8 * FEW), 1)) or self
        return fold(part.source, partial(OutputCurvature, self.loss, self.coordinates, theta)).hessian

    def along(self, direction: np.ndarray) -> Ray:
        """How predictions move along a direction (flat, shared parameters zero); one read."""
        p, c = self.coordinates.width, self.loss.outputs
        return fold(self.source, partial(Ray, self.loss, self.coordinates, direction[: c * p].reshape(c, p)))

    def shift(self, step: np.ndarray) -> float:
        """The largest change of any difference of two outputs (of a single output, itself) along a step; one read."""
        p, c = self.coordinates.width, self.loss.outputs
        return fold(self.source, partial(Shift, self.coordinates, step[: c * p].reshape(c, p))).largest

    def gauge(self, beside: np.ndarray | None = None) -> np.ndarray:
        """Orthonormal columns (m, k) along which no prediction changes whatever the data; the minimum is orthogonal to them.

        One constant added to every output of a row, through one column of Z.  Of all points that differ by those, the penalty
        prefers the one whose parameters sum to zero over the outputs; where nothing is penalised they are equal, and it will do.
        With the diagonal of a Hessian only those whose penalty is nothing beside it: along the others the Hessian is regular, and where a
        faint penalty is taken for none, a step that starts from a minimum over the gauge is off by as little.
        """
        p, c = self.coordinates.width, self.loss.outputs
        if not self.loss.gauge:
            return np.zeros((self.size, 0))
        columns = np.arange(p)
        if beside is not None:
            columns = np.flatnonzero(self.penalty[:p] <= FAINT * beside[: c * p].reshape(c, p).min(axis=0))
        basis = np.zeros((c, p, len(columns)))
        basis[:, columns, np.arange(len(columns))] = 1 / np.sqrt(c)
        return basis.reshape(self.size, len(columns))

    def across_gauge(self, H: np.ndarray) -> np.ndarray:
        """A Hessian (m, m) without what the penalty adds along the gauge, where the losses have no curvature: zero along it.

        Across it, where the minimum is, nothing changes: the penalty of a column is the same for every output.
        """
        p, c = self.coordinates.width, self.loss.outputs
        if not self.loss.gauge:
            return H
        across = H.copy()
        across.reshape(c, p, c, p)[:, np.arange(p), :, np.arange(p)] -= self.penalty[:p, None, None] / c
        return across

    def gauge_excess(self, theta: np.ndarray, slip: np.ndarray) -> float:
        """What the penalty costs along the gauge at theta, or anywhere within `slip` of it: F beyond its value without that part."""
        if not self.loss.gauge:
            return 0.0
        p, c = self.coordinates.width, self.loss.outputs
        mean = np.abs(theta.reshape(c, p).mean(axis=0)) + np.abs(slip.reshape(c, p)).mean(axis=0)
        return 0.5 * c * float(self.penalty[:p] @ mean**2)


def _reach(center: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The farthest that the entries of each column lie from its centre."""
    return np.maximum(high - center, center - low)
