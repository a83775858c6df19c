"""What single rows do to a least squares fit, read a block at a time.

    leverage    h_i = s_i |u_i|^2                              how far x_i lies from the others; sums to the parameters, k
    internal    r_i = sqrt(s_i) e_i / (sigma (1 - h_i)^1/2)    the residual over its standard error
    external    t_i = r_i ((f - 1) / (f - r_i^2))^1/2          the same with sigma from the other rows;  f = n - k
    Cook        D_i = r_i^2 h_i / (k (1 - h_i))                how far the fitted values move without row i (Cook 1977, Technometrics 19)
    DFFITS      t_i (h_i / (1 - h_i))^1/2                      how far its own does (Belsley, Kuh and Welsch 1980)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..sources import Slab, Source, fold, require_rereadable
from .fitted import Fitted
from .least_squares import require_fit
from .rows import MetricRows, ResidualSums, leverages, metric_of_rows


@dataclass(frozen=True)
class Influence:
    """Each of shape (n,), or of as many rows as were asked for.

    Attributes
    ----------
    row : ndarray of int
        The number of the row, in the order in which the source reads them.
    residual : ndarray
        y - prediction.
    leverage, studentized_internal, studentized_external, cooks_distance, dffits : ndarray
        See the formulas of `ridgeline.statistics.influence`. NaN for a row of leverage one; zero leverage and influence for a row without
        weight.

    Examples
    --------
    >>> from ridgeline import LinearRegression
    >>> X, y = [[1.0], [2.0], [3.0], [4.0], [10.0]], [1.1, 1.9, 3.2, 3.8, 10.5]
    >>> rows = LinearRegression().fit(X, y).influence(X, y)
    >>> rows.leverage.round(2), rows.cooks_distance.argmax()
    (array([0.38, 0.28, 0.22, 0.2 , 0.92]), np.int64(4))
    """

    row: np.ndarray
    residual: np.ndarray
    leverage: np.ndarray
    studentized_internal: np.ndarray
    studentized_external: np.ndarray
    cooks_distance: np.ndarray
    dffits: np.ndarray

    @property
    def table(self) -> dict[str, np.ndarray]:
        """A dict of columns, which every data frame takes."""
        return dict(vars(self))


class LargestInfluence:
    """Of each row e, h and r, those of the largest Cook's distances alone if `largest` is given: a summary over `MetricRows`.

    Equal distances keep the order of the rows, so that what is kept does not depend on how the rows were split.
    """

    def __init__(self, sigma: float, largest: int | None) -> None:
        self.sigma, self.largest, self.rows = sigma, largest, 0
        self.parts: list[np.ndarray] = []

    def add_rows(self, slab: Slab) -> None:
        e, h = slab.y[:, 0], np.minimum(leverages(slab), 1.0)
        s = slab.weight if slab.weight.size else np.ones(len(e))
        with np.errstate(divide="ignore", invalid="ignore"):
            internal = np.where(h < 1, np.sqrt(s) * e / (self.sigma * np.sqrt(1 - h)), np.nan)
        number = np.arange(self.rows, self.rows + len(e), dtype=np.float64)
        self.rows += len(e)
        self._add([np.stack([number, e, h, internal])])

    def merge(self, other: LargestInfluence) -> None:
        for part in other.parts:
            part[0] += self.rows
        self.rows += other.rows
        self._add(other.parts)

    def _add(self, parts: list[np.ndarray]) -> None:
        self.parts += parts
        if self.largest is not None:
            every = np.concatenate(self.parts, axis=1)
            order = np.argsort(-_distance(every[2], every[3]), kind="stable")[: self.largest]
            self.parts = [every[:, np.sort(order)]]


def _distance(h: np.ndarray, internal: np.ndarray) -> np.ndarray:
    """k times Cook's distance; infinite for leverage one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(h < 1, internal**2 * (h / (1 - h)), np.inf)


def influence_of(fit: Fitted, source: Source, target: int, largest: int | None) -> Influence:
    """The influence of every row, or of those with the `largest` Cook's distances, largest first.

    Raises
    ------
    ValueError
        If these are not the rows that were fitted, and if there is no degree of freedom.
    TypeError
        For rows that come only once.

    Notes
    -----
    Three reads of the rows (four where the condition asks for double-double). Memory: eleven numbers per row, or per row asked for.
    """
    require_rereadable(source, "influence reads the rows three times")
    metric, careful = metric_of_rows(source, fit.fit_intercept, target)
    require_fit(fit, metric)
    metric.require_freedom(metric.count)
    rows = MetricRows(source, metric, careful, target)
    freedom = metric.freedom
    sigma = float(np.sqrt(fold(MetricRows(source, metric, careful, target, bare=True), ResidualSums).squares / freedom))
    found = np.concatenate(fold(rows, partial(LargestInfluence, sigma, largest)).parts, axis=1)
    if largest is not None:
        found = found[:, np.argsort(-_distance(found[2], found[3]), kind="stable")]
    number, e, h, internal = found
    with np.errstate(divide="ignore", invalid="ignore"):
        external = internal * np.sqrt((freedom - 1) / np.maximum(freedom - internal**2, 0.0))
        odds = np.where(h < 1, h / (1 - h), np.nan)
    return Influence(
        number.astype(np.int64), e, h, internal, external, internal**2 * odds / metric.size, external * np.sqrt(odds)
    )
