"""Rows of a least squares fit in its own metric: u_i, residuals, leverages and scores, a block at a time.

    u_i = (W^-1/2, R T (x_i - m)),    e_i = (y_i - mean y) - gamma u_i,    h_i = s_i |u_i|^2         (see inference.py)

Where the columns are nearly dependent, or the rows few, z_i = T (x_i - m), R z_i and e_i are formed in double-double: the condition of R is
the square root of that of A, and beyond 1e3 it would show in the tenth digit of a leverage.

The score of row i is what it adds to the equations that the coefficients solve, s_i e_i u_i; the covariances of covariance.py are sums of
their squares, each divided by a power of 1 - h_i.  A weight is the inverse of a variance ("precision": a row of weight 2 is one row, and
errs less) or a count ("frequency": two rows).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..doubledouble import DD, add, dot, exact, neg, two_sum
from ..expansion import Coordinates
from ..moments import moments_of
from ..probes import predictions
from ..solvers.least_squares import SMALL, WELL_CONDITIONED
from ..sources import EMPTY, SLAB_ELEMENTS, Slab, Source
from ..sources.folding import DOUBLE, WIDE
from ..sparse_rows import as_array
from ..views import OneTarget, View
from .inference import Metric, metric_of

CAREFUL = 1e-6
"""rcond of A below which rows, too, are taken in double-double."""

FULL_LEVERAGE = 1e-10
"""1 - h at most of a row that alone determines a coefficient: its residual is rounding."""

EXPONENT = {"HC0": 0, "HC1": 0, "HC2": 1, "HC3": 2}
"""The power of 1 / (1 - h_i) (MacKinnon and White 1985, J. Econometrics 29)."""


def metric_of_rows(source: Source, fit_intercept: bool, target: int) -> tuple[Metric, bool]:
    """Least squares of one target, and whether its rows want double-double; one read, two where the condition asks for it.

    Raises
    ------
    ValueError
        For more columns than a table of coefficients has use for.
    """
    if source.n_features > WIDE:
        raise ValueError(f"standard errors need a matrix of all columns by all columns, and there are {source.n_features}; at most {WIDE}.")
    rows = source if source.n_targets == 1 else OneTarget(source, target)
    moments = moments_of(rows, products=DOUBLE)
    metric = metric_of(moments, fit_intercept)
    small = moments.count * moments.n_features <= SMALL
    if not small and metric.rcond >= WELL_CONDITIONED:
        return metric, False
    metric = metric_of(moments_of(rows, "extended"), fit_intercept)
    return metric, small or metric.rcond < CAREFUL


class MetricRows(View):
    """u_i in place of x_i, and (e_i, the targets after the model's) in place of the targets: a group travels there.

    Parameters
    ----------
    metric : Metric
        Of one target.
    careful : bool
        Whether in double-double.
    target : int
        Its number among those of the source.
    extra : int
        How many numbers that are no targets follow them.
    bare : bool
        Whether the residuals alone are wanted, beside no columns.
    """

    def __init__(
        self, source: Source, metric: Metric, careful: bool, target: int = 0, extra: int = 0, bare: bool = False
    ) -> None:
        super().__init__(source)
        self.metric, self.target, self.extra = metric, target, extra
        self._read = READERS[careful][bare]
        self.n_features, self.dtype, self.n_targets = metric.size, DOUBLE, 1 + extra

    def change(self, slab: Slab) -> Iterator[Slab]:
        step = max(SLAB_ELEMENTS // max(slab.X.shape[1], 1), 1)
        y = slab.y.reshape(len(slab.X), -1)
        for a in range(0, len(slab.X), step):
            part = slice(a, a + step)
            weight = slab.weight[part] if slab.weight.size else EMPTY
            targets = np.empty((len(y[part]), 1 + self.extra))
            targets[:, 1:] = y[part, y.shape[1] - self.extra :]
            U, targets[:, 0] = self._read(self.metric, slab.X[part], y[part, self.target])
            yield Slab(U, targets, weight, EMPTY)


def plain_rows(metric: Metric, X: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """u (n, q) and e (n,) of rows X that kernels take as they are and their targets y."""
    q, lead, d = metric.size, int(metric.fit_intercept), len(metric.scale)
    theta = np.zeros((q + 1, d + lead))
    theta[:lead, -1] = metric.weight**-0.5
    theta[lead:q, :d] = metric.whitener[0] + metric.whitener[1]
    theta[q, :d] = metric.slopes[0][0] + metric.slopes[1][0]
    out = predictions(Slab(X, EMPTY, EMPTY, EMPTY), Coordinates(metric.center[0], metric.scale, metric.fit_intercept), theta)
    return out[:, :q], y - metric.target_mean[0] - out[:, q]


def plain_residuals(metric: Metric, X: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """No u, and e."""
    coordinates, slopes = Coordinates(metric.center[0], metric.scale, False), metric.slopes[0][:1] + metric.slopes[1][:1]
    fitted = predictions(Slab(X, EMPTY, EMPTY, EMPTY), coordinates, slopes)[:, 0]
    return np.empty((len(y), 0)), y - metric.target_mean[0] - fitted


def careful_rows(metric: Metric, X: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """u and e, in double-double until they are rounded at the end."""
    lead, z = int(metric.fit_intercept), _scaled(metric, X)
    U = np.empty((len(y), metric.size))
    U[:, :lead] = metric.weight**-0.5
    for k in range(metric.rank):
        U[:, lead + k] = dot(z, (metric.whitener[0][k : k + 1], metric.whitener[1][k : k + 1]))[0]
    return U, _careful(metric, z, y)


def careful_residuals(metric: Metric, X: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """No u, and e by way of double-double."""
    return np.empty((len(y), 0)), _careful(metric, _scaled(metric, X), y)


def _scaled(metric: Metric, X: Any) -> DD:
    """T (x - m) in double-double."""
    z = two_sum(as_array(X).astype(np.float64), -metric.center[0])
    z = add(z, exact(np.broadcast_to(-metric.center[1], z[0].shape)))
    return z[0] * metric.scale, z[1] * metric.scale


def _careful(metric: Metric, z: DD, y: np.ndarray) -> np.ndarray:
    """(y - mean y) - v z in double-double, rounded."""
    deviation = add(exact(y), neg((metric.target_mean[0], metric.target_mean[1])))
    residual: np.ndarray = add(deviation, neg(dot(z, (metric.slopes[0][:1], metric.slopes[1][:1]))))[0]
    return residual


READERS = {False: (plain_rows, plain_residuals), True: (careful_rows, careful_residuals)}
"""By whether double-double is wanted: how u and e are read, and how e alone."""


class ResidualSums:
    """Rows of positive weight, sum s e^2 and sum log s: a summary over `MetricRows`."""

    def __init__(self) -> None:
        self.rows = 0
        self.squares = self.log_weight = 0.0

    def add_rows(self, slab: Slab) -> None:
        e, s = slab.y[:, 0], slab.weight
        if not s.size:
            self.rows += len(e)
            self.squares += float(np.sum(e * e))
            return
        self.rows += int(np.count_nonzero(s))
        self.squares += float(np.sum(s * e * e))
        self.log_weight += float(np.sum(np.log(s[s > 0])))

    def merge(self, other: ResidualSums) -> None:
        self.rows += other.rows
        self.squares += other.squares
        self.log_weight += other.log_weight


def leverages(slab: Slab, frequency: bool = False) -> np.ndarray:
    """h of the rows of a slab of `MetricRows`; of one copy of each where weights count copies."""
    h: np.ndarray = np.einsum("ij,ij->i", slab.X, slab.X)
    return h * slab.weight if slab.weight.size and not frequency else h


class LeastSquaresScores(View):
    """Scores in place of u_i, the group in place of the targets, and what a square of a score counts in place of the weight."""

    def __init__(self, rows: MetricRows, kind: str, frequency: bool) -> None:
        super().__init__(rows)
        self.kind, self.frequency = kind, frequency

    def change(self, slab: Slab) -> Iterator[Slab]:
        e, s = slab.y[:, 0], slab.weight
        if self.kind == "cluster":
            some = s > 0 if s.size else slice(None)
            score = e * s if s.size else e
            yield Slab((score[:, None] * slab.X)[some], np.ascontiguousarray(slab.y[some, 1]), EMPTY, EMPTY)
            return
        factor = s if self.frequency else EMPTY
        power = EXPONENT[self.kind]
        if power:
            rest = 1 - leverages(slab, self.frequency)
            if rest.min(initial=1.0) < FULL_LEVERAGE:
                raise ValueError(
                    f"a row has leverage 1: it alone determines a coefficient, and {self.kind} divides its residual, zero, by zero. "
                    "Use HC1, or leave out the column that only this row has."
                )
            factor = factor * rest**-power if factor.size else rest**-power
        score = e if self.frequency or not s.size else e * s
        yield Slab(score[:, None] * slab.X, np.zeros(len(e)), factor, EMPTY)
