"""The squared loss as a quadratic in scaled coefficients, from moments or from rows: what a penalised solver asks of it.

    (1/2) sum_i s_i (y_i - x_i w - b)^2 = (1/(2 U^2)) ||y~ - Z v||^2 + ...,    w = T v / U,    b the best for w

Z has the centred columns times T, y~ the centred target times U (powers of two: exact).  At a point v there are two questions:

    at(v, ridge)      g = Z'(y~ - Z v) - ridge v   for all d columns, with a bound on what rounding hides in it
    gram(columns)     A = Z'Z and c = Z'y~         for the columns of a working set

`MomentsQuadratic` answers from a d x d scatter.  `RowsQuadratic` never forms one: it reads the rows once for the slopes of all columns, and
once for the matrix of some, which it keeps, so that its memory is O(columns^2 + d + block).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..doubledouble import add, dot, exact, neg
from ..kernels import load
from ..moments import DOUBLE, moments_of
from ..objective import Objective
from ..pointwise import SQUARED
from ..ranges import power_of_two_scale
from ..sources import Source, require_rows
from ..views import CentredTargets, SelectedColumns, TargetsAsColumns
from ..workspace import block_rows
from .least_squares import EPS, NormalEquations, normal_equations

kernels = load("coordinate_descent")


@dataclass(frozen=True)
class Slopes:
    """What is known at a point v.

    Attributes
    ----------
    v, g, error : ndarray of shape (d,)
        The point, g = Z'(y~ - Z v) - ridge v there, and a bound on |g's error|.
    residual : float
        ||y~ - Z v||^2 + sum_j ridge_j v_j^2.
    slip : float
        How far the intercept is at most from the best, times U.
    """

    v: np.ndarray
    g: np.ndarray
    error: np.ndarray
    residual: float
    slip: float


@dataclass(frozen=True)
class Answer:
    """Coefficients (d,) and intercept in original units and in the precision of the data, and the point they are."""

    coef: np.ndarray
    intercept: Any
    v: np.ndarray


class Quadratic(Protocol):
    """See the top of this file.

    Attributes
    ----------
    scale, center : ndarray of shape (d,)
        T, and the columns' means (zeros without an intercept).
    unit, weight, energy : float
        U, the sum of the weights, ||y~||^2.
    fit_intercept : bool
    batch : int
        Columns that are worth a Gram where a look at all of them is called for.
    passes : int
        Reads of the rows so far.
    """

    scale: np.ndarray
    center: np.ndarray
    unit: float
    weight: float
    energy: float
    fit_intercept: bool
    batch: int

    @property
    def passes(self) -> int: ...

    def at(self, v: np.ndarray, ridge: np.ndarray) -> Slopes: ...

    def gram(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...

    def answer(self, v: np.ndarray) -> Answer: ...

    def inner(self, coef: np.ndarray) -> np.ndarray: ...

    def support_equations(self, columns: np.ndarray, l2: float) -> tuple[NormalEquations, Source] | None: ...


class MomentsQuadratic:
    """From moments of all columns.

    Parameters
    ----------
    moments : Moments or ExtendedMoments
    fit_intercept : bool
    target : int
    source : Source, optional
        The rows they came from, for refinement.
    dtype : dtype
        Precision of the coefficients.
    equations : NormalEquations, optional
        Those of the moments without a penalty, where they are known (they serve every target).
    """

    def __init__(
        self, moments: Any, fit_intercept: bool, target: int = 0, source: Source | None = None, dtype: Any = np.float64,
        equations: NormalEquations | None = None,
    ) -> None:  # fmt: skip
        d, k = moments.n_features, target
        e = normal_equations(moments, 0.0, fit_intercept) if equations is None else equations
        self.equations, self.fit_intercept, self.dtype, self.target, self.source = e, fit_intercept, np.dtype(dtype), k, source
        self.scale, self.unit, self.weight = e.scale, float(e.target_scale[k]), e.weight
        self.A, self.c = e.A[0], np.ascontiguousarray(e.c[0][k])
        self.center = e.mean[0][:d] if fit_intercept else np.zeros(d)
        self.target_mean = float(e.mean[0][d + k])
        self.batch = d
        about_zero = 0.0 if fit_intercept else e.weight * (self.target_mean * self.unit) ** 2
        self.energy = float(moments.target_scatter()[k]) + about_zero
        # as in `least_squares._finish`, which cites the bounds
        terms = 8 * (block_rows(moments.scale.size) + d) ** 0.5 + 64
        self._gamma, self._eta = moments.eps * terms, EPS * (EPS if moments.precision == "extended" else 1.0)
        self._terms = terms
        self._root = np.sqrt(np.maximum(np.diag(self.A), 0.0))
        self._far = np.sqrt(e.weight) * np.abs(self.center * e.scale)
        self._far_target = np.sqrt(e.weight) * abs(self.target_mean * self.unit) if fit_intercept else 0.0

    @staticmethod
    def of_rows(source: Source, fit_intercept: bool, target: int = 0) -> MomentsQuadratic:
        """From the moments of rows; of float32 rows in double, or their products would be rounded to float32."""
        return MomentsQuadratic(double_moments(source), fit_intercept, target, source, source.dtype)

    @property
    def passes(self) -> int:
        return 0 if self.source is None else self.source.reads

    def at(self, v: np.ndarray, ridge: np.ndarray) -> Slopes:
        """2 d flops in double-double per coefficient that is not zero."""
        g = np.empty_like(v)
        kernels.slopes(self.A, self.c, ridge, v, g, np.empty_like(v))
        size = np.abs(v)
        reach = np.sqrt(self.energy) + size @ self._root
        far = self._far_target + size @ self._far
        error = self._gamma * reach * self._root + 8 * self._eta * (reach * self._far + far * self._root)
        error += EPS * (np.abs(g) + ridge * size)
        residual = max(self.energy - float((self.c + g) @ v), 0.0) + 4 * self._gamma * reach * reach
        slip = 0.0
        if self.fit_intercept:
            answer = self.answer(v)
            w = answer.coef.astype(np.float64)
            off = add(dot(exact(w), exact(self.center)), exact(float(answer.intercept) - self.target_mean))[0]
            slip = abs(float(off)) * self.unit + self._eta * self._terms * far / np.sqrt(self.weight)
        return Slopes(v, g, error, residual, float(slip))

    def gram(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A copy of the columns' part."""
        return self.A[np.ix_(columns, columns)], self.c[columns]

    def answer(self, v: np.ndarray) -> Answer:
        coef = (v / self.unit * self.scale).astype(self.dtype)
        w = coef.astype(np.float64)
        intercept = self.dtype.type(0.0)
        if self.fit_intercept:
            shift = dot(exact(w), exact(self.center))
            intercept = self.dtype.type(add(exact(self.target_mean), neg(shift))[0])
        return Answer(coef, intercept, w / self.scale * self.unit)

    def inner(self, coef: np.ndarray) -> np.ndarray:
        """The point v of coefficients in original units."""
        return coef / self.scale * self.unit

    def support_equations(self, columns: np.ndarray, l2: float) -> tuple[NormalEquations, Source] | None:
        """The normal equations of some columns and the rows of those, for refinement; None without rows."""
        if self.source is None or not self.source.rereadable:
            return None
        return _of_columns(SelectedColumns(self.source, columns, self.target), l2 * self.weight, self.fit_intercept)


class RowsQuadratic:
    """From rows, read again and again.

    Parameters
    ----------
    source : Source
        With one target.
    fit_intercept : bool

    Raises
    ------
    ValueError
        If X is not finite, with the position.

    Notes
    -----
    Construction reads the rows once for the columns' means and ranges, and the targets once.
    """

    def __init__(self, source: Source, fit_intercept: bool) -> None:
        self.source, self.fit_intercept, self.dtype = source, fit_intercept, source.dtype
        targets = moments_of(TargetsAsColumns(source.targets_only()))
        require_rows(targets.weight)
        mean, scale, scatter = float(targets.mean[0]), float(targets.scale[0]), float(targets.scaled_columns()[1][0])
        self.target_mean = mean if fit_intercept else 0.0
        spread = (scatter / targets.weight) ** 0.5 / scale if fit_intercept else np.hypot((scatter / targets.weight) ** 0.5 / scale, mean)
        self.unit = float(power_of_two_scale(np.array([spread]))[0])
        self.energy = targets.weight * (spread * self.unit) ** 2
        self.objective = Objective(CentredTargets(source, self.target_mean, self.unit), SQUARED, 0.0, fit_intercept)
        self.scale, self.center = self.objective.coordinates.scale, self.objective.coordinates.center
        self.weight = self.objective.weight
        # the Gram of so many columns takes about the time of one read of all of them
        self.batch = int(min(source.n_features, max(64, (16 * source.n_features) ** 0.5)))
        self._known = np.empty(0, np.intp)
        self._gram, self._slopes = np.empty((0, 0)), np.empty(0)

    @property
    def passes(self) -> int:
        return self.source.reads

    def at(self, v: np.ndarray, ridge: np.ndarray) -> Slopes:
        """One read of the rows."""
        d, objective = len(self.scale), self.objective
        point = objective.expand(np.append(v, np.zeros(int(self.fit_intercept))), 1)
        error = objective.rounding(point, block_rows(objective.coordinates.width))[:d]
        g = -point.gradient[:d] - ridge * v
        # centring a target rounds it once, and their root mean square is below one
        error = error + EPS * (np.abs(g) + ridge * np.abs(v) + self.weight * objective.reach[:d])
        slip = 0.0
        if self.fit_intercept:
            # the columns' means are zero to rounding, and so the best intercept is near zero whatever v
            slip = abs(float(point.gradient[d])) / self.weight
            error = error + slip * self.weight * 8 * EPS * (np.abs(self.center * self.scale) + objective.reach[:d])
            answer = self.answer(v)
            w, b = answer.coef.astype(np.float64)[None], np.array([answer.intercept], np.float64) - self.target_mean
            slip += abs(float(objective.coordinates.internal(w, b)[0, d])) * self.unit
        return Slopes(v, g, error, 2 * point.value + float(ridge @ v**2), slip)

    def gram(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One read of the rows where a column is new; then it is kept, with those before it."""
        if not np.isin(columns, self._known).all():
            self._known = np.union1d(self._known, columns)
            rows = SelectedColumns(self.objective.source, self._known)
            moments = moments_of(rows)
            equations = normal_equations(moments, 0.0, self.fit_intercept)
            ratio = self.scale[self._known] / equations.scale
            of_target = 1 / float(equations.target_scale[0])
            self._gram = equations.A[0] * ratio * ratio[:, None]
            self._slopes = equations.c[0][0] * ratio * of_target
        at = np.searchsorted(self._known, columns)
        return self._gram[np.ix_(at, at)], self._slopes[at]

    def answer(self, v: np.ndarray) -> Answer:
        theta = np.append(v, np.zeros(int(self.fit_intercept)))[None]
        w, b = self.objective.coordinates.original(theta)
        coef = (w[0] / self.unit).astype(self.dtype)
        intercept = self.dtype.type(float(b[0]) / self.unit + self.target_mean) if self.fit_intercept else self.dtype.type(0.0)
        return Answer(coef, intercept, coef.astype(np.float64) * self.unit / self.scale)

    def inner(self, coef: np.ndarray) -> np.ndarray:
        """As `MomentsQuadratic.inner`."""
        return coef / self.scale * self.unit

    def support_equations(self, columns: np.ndarray, l2: float) -> tuple[NormalEquations, Source]:
        """As `MomentsQuadratic.support_equations`."""
        return _of_columns(SelectedColumns(self.source, columns), l2 * self.weight, self.fit_intercept)


def _of_columns(rows: Source, penalty: float, fit_intercept: bool) -> tuple[NormalEquations, Source]:
    return normal_equations(moments_of(rows), penalty, fit_intercept), rows


def double_moments(source: Source) -> Any:
    """The moments of rows, float32 rows in double.

    Raises
    ------
    ValueError
        If an entry is not finite, with its position, or no row has weight.
    """
    moments = moments_of(source, products=DOUBLE)
    require_rows(moments.weight)
    return moments


def gram_difference(gram: np.ndarray, source: Source, columns: np.ndarray, fit_intercept: bool) -> float | None:
    """The largest difference between a matrix and X'X of some columns, with weights of mean one, beside the columns' lengths.

    None where an intercept is fitted and the columns are not centred.
    """
    moments = moments_of(SelectedColumns(source, columns))
    k = len(columns)
    square, mean = moments.scatter[:k, :k], moments.mean[:k]
    length = np.sqrt(np.diag(square) + moments.weight * mean**2)
    if fit_intercept and (np.sqrt(moments.weight) * np.abs(mean) > 1e-4 * length).any():
        return None
    square = square + moments.weight * np.outer(mean, mean)
    length = np.where(length > 0, length, 1.0)
    share = getattr(source, "n_rows", moments.count) / moments.weight
    return float(np.abs((gram / share - square) / length / length[:, None]).max())
