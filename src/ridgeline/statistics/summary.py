"""The table of a fit: a coefficient, its standard error, a test that it is zero, an interval; and what the fit as a whole says.

    statistic = coef / se,    p = P(|T| > |statistic|),    interval = coef -+ se q      q the quantile of |T| at the level asked for

with T Student's t of n - k degrees of freedom for classical least squares, whose statistic has exactly that distribution where errors are
normal, and the normal distribution elsewhere, where theory gives it for many rows only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..certificate import Certificate
from ..sources import ArraySource
from ..sparse_rows import linear
from ..validation import check_matrix, require_finite
from .distributions import quantile, two_sided
from .inference import Metric
from .rows import careful_rows, plain_rows
from .text import as_html, as_text

NAN = float("nan")

class Intervals(NamedTuple):
    """Predictions and what they may be off by, each of shape (n,)."""

    prediction: np.ndarray
    low: np.ndarray
    high: np.ndarray
    standard_error: np.ndarray


@dataclass(frozen=True)
class Spread:
    """How far the mean at a row of X may be off: |M^1/2 u|, with M of `covariance` in the metric of the fit."""

    metric: Metric
    middle: np.ndarray
    coef: np.ndarray
    intercept: float
    careful: bool

    def at(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Predictions of the rows of X and their standard errors."""
        means, variances = np.zeros(len(X)), np.empty(len(X))
        a = 0
        for segment in ArraySource(X, means).segments():
            for slab in segment:
                rows = slice(a, a + len(slab.X))
                U, _ = (careful_rows if self.careful else plain_rows)(self.metric, slab.X, means[rows])
                means[rows] = linear(slab.X, self.coef[None, :], self.intercept)[:, 0]
                variances[rows] = np.einsum("ij,ij->i", U @ self.middle, U)
                a = rows.stop
        return means, np.sqrt(np.maximum(variances, 0.0))


@dataclass(frozen=True, repr=False)
class Summary:
    """What a fit without a penalty says: `print` it, or read its numbers.

    Attributes
    ----------
    names, equations : tuple of str
        Of the k rows of the table: the column (or "intercept"), and the class where there are several equations (else "").
    coef, standard_error, statistic, p_value, low, high : ndarray of shape (k,)
        NaN where the data do not determine a coefficient; `notes` say which.
    covariance : ndarray of shape (k, k)
        Of the coefficients.
    kind : str
        "classical", "HC0" to "HC3" or "cluster".
    distribution : str
        "t" or "normal": what the statistic is compared with.
    level : float
        Of the intervals.
    n_rows, weight : float
        Rows of positive weight (with frequency weights, their sum); the sum of the weights.
    n_parameters, df_model, df_residual : int
        Parameters that the data determine; without the intercepts; rows less parameters.
    n_groups : int
        Clusters; 0 for other covariances.
    residual_sd, residual_ss, r2, r2_adjusted, f_statistic, f_p_value : float
        Of least squares (NaN for others). R^2 is about the mean, without an intercept about zero. F tests that all slopes are zero, with
        the covariance of the table.
    log_likelihood, aic, bic : float
        Of least squares with normal errors, whose variance is not counted among the parameters; NaN where weights are not known.
    deviance, null_deviance : float
        Of least squares the residual sum of squares and that of the mean alone; of logistic regression -2 log-likelihood.
    null_log_likelihood, pseudo_r2, lr_statistic, lr_p_value : float
        Of logistic regression: the intercepts alone, McFadden's 1 - l / l_0, and the likelihood ratio test against it.
    condition : float
        2-norm condition of the (centred) columns scaled to one length: above 30 they are hard to tell apart (Belsley, Kuh and Welsch 1980).
    status : str
        That of the fit's certificate.
    notes : tuple of str

    Examples
    --------
    >>> from ridgeline import LinearRegression
    >>> table = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [1.1, 1.9, 3.2, 3.8]).summary()
    >>> table.names, table.standard_error.round(4), table.p_value.round(4), round(table.r2, 4)
    (('intercept', 'x0'), array([0.248 , 0.0906]), array([0.6068, 0.0092]), 0.9818)
    >>> table.predict_interval([[5.0]], level=0.9).high.round(3)
    array([5.785])
    """

    title: str
    names: tuple[str, ...]
    equations: tuple[str, ...]
    coef: np.ndarray
    covariance: np.ndarray
    kind: str
    distribution: str
    level: float
    n_rows: float
    weight: float
    n_parameters: int
    df_model: int
    df_residual: float
    condition: float
    certificate: Certificate
    df_test: float = NAN
    n_groups: int = 0
    residual_sd: float = NAN
    residual_ss: float = NAN
    r2: float = NAN
    r2_adjusted: float = NAN
    f_statistic: float = NAN
    f_p_value: float = NAN
    log_likelihood: float = NAN
    aic: float = NAN
    bic: float = NAN
    deviance: float = NAN
    null_deviance: float = NAN
    null_log_likelihood: float = NAN
    pseudo_r2: float = NAN
    lr_statistic: float = NAN
    lr_p_value: float = NAN
    notes: tuple[str, ...] = ()
    spread: Spread | None = None

    @property
    def status(self) -> str:
        return self.certificate.status

    @property
    def standard_error(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))

    @property
    def statistic(self) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.coef / self.standard_error

    @property
    def _freedom(self) -> float:
        return self.df_test if self.distribution == "t" else np.inf

    @property
    def p_value(self) -> np.ndarray:
        return two_sided(self.statistic, self._freedom)

    @property
    def low(self) -> np.ndarray:
        return self.coef - self.standard_error * quantile(self.level, self._freedom)

    @property
    def high(self) -> np.ndarray:
        return self.coef + self.standard_error * quantile(self.level, self._freedom)

    def at_level(self, level: float) -> Summary:
        """The same with intervals of another level.

        Parameters
        ----------
        level : float
            The share of intervals that cover the truth.

        Returns
        -------
        Summary
        """
        return replace(self, level=check_level(level))

    @property
    def table(self) -> dict[str, np.ndarray]:
        """The table as a dict of columns, which every data frame takes: `pandas.DataFrame(summary.table)`."""
        named = {"equation": np.array(self.equations, dtype=object)} if any(self.equations) else {}
        return {
            **named, "name": np.array(self.names, dtype=object), "coef": self.coef, "standard_error": self.standard_error,
            "statistic": self.statistic, "p_value": self.p_value, "low": self.low, "high": self.high,
        }  # fmt: skip

    def to_frame(self) -> Any:
        """The table as a pandas data frame, its rows named (pandas must be installed).

        Returns
        -------
        pandas.DataFrame
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_frame() makes a pandas data frame; pandas is not installed. `table` is a dict of columns.") from error
        frame = pandas.DataFrame(self.table)
        return frame.set_index([key for key in ("equation", "name") if key in frame])

    def predict_interval(self, X: Any, level: float | None = None, kind: str = "prediction") -> Intervals:
        """Intervals around the predictions for new rows, with the covariance of this table.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The new rows.
        level : float, optional
            That of the table unless given.
        kind : {"prediction", "mean"}
            "mean" covers the expected target of rows such as these; "prediction" a single new target of weight one, whose error has the
            residual variance.

        Returns
        -------
        Intervals
            (prediction, low, high, standard_error), each of shape (n,); the standard error is that of the mean.

        Raises
        ------
        ValueError
            For classifiers, for columns that depend on each other (what a new row predicts may not be determined), and for X.
        """
        if self.spread is None:
            raise ValueError("intervals of predictions are there for least squares; a probability's needs another theory.")
        if self.spread.metric.undetermined.any():
            raise ValueError("the columns depend on each other, so that the data may not say what a new row predicts: drop columns first.")
        if kind not in ("prediction", "mean"):
            raise ValueError(f"kind must be 'prediction' or 'mean', got {kind!r}.")
        matrix = check_matrix(X)
        if matrix.shape[1] != len(self.spread.coef):
            raise ValueError(f"X has {matrix.shape[1]} features, but the model has {len(self.spread.coef)}.")
        mean, error = self.spread.at(matrix)
        if not np.isfinite(error).all():
            require_finite(matrix, "X")
        reach = np.hypot(error, self.residual_sd) if kind == "prediction" else error
        reach = reach * quantile(self.level if level is None else check_level(level), self._freedom)
        return Intervals(mean, mean - reach, mean + reach, error)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def facts(self) -> Iterator[tuple[str, Any]]:
        """What the head of the table shows.

        Yields
        ------
        tuple of str and object
            Label and value.
        """
        yield "rows", self.n_rows
        if self.weight != self.n_rows:
            yield "total weight", self.weight
        if self.n_groups:
            yield "clusters", self.n_groups
        yield "residual df", self.df_residual
        for label, value in (
            ("residual SD", self.residual_sd), ("R^2", self.r2), ("adjusted R^2", self.r2_adjusted),
            (f"F({self.df_model}, {self.df_test:g})", self.f_statistic), ("p of F", self.f_p_value),
            ("log-likelihood", self.log_likelihood), ("AIC", self.aic), ("BIC", self.bic),
            ("deviance", self.deviance), ("null deviance", self.null_deviance), ("McFadden R^2", self.pseudo_r2),
            (f"LR chi^2({self.df_model})", self.lr_statistic), ("p of LR", self.lr_p_value),
        ):  # fmt: skip
            if not np.isnan(value):
                yield label, f"{value:.3g}" if label.startswith("p of") else value
        yield "condition", self.condition
        yield "status", self.status


def check_level(level: Any) -> float:
    """A probability strictly between 0 and 1."""
    if isinstance(level, (bool, str)) or np.ndim(level) or not 0 < level < 1:
        raise ValueError(f"level must be a probability between 0 and 1, such as 0.95, got {level!r}.")
    return float(level)
