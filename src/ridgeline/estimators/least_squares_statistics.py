"""The table, intervals and influence of a least squares fit: arguments and refusals; the arithmetic is in ridgeline.statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..sources import ArraySource, Source
from ..validation import check_targets
from ..views import regression_rows
from .base import PENALISED, Regressor, source_names
from .fitted_rows import FittedRows, require_source_alone
from .parameters import check_count

if TYPE_CHECKING:
    from ..statistics.fitted import Fitted, Question
    from ..statistics.influence import Influence
    from ..statistics.summary import Intervals, Summary

POSITIVE = (
    "{name}(positive=True) has no standard errors: coefficients held at zero are not normally distributed about anything. Fit with "
    "positive=False for a table."
)


class LeastSquaresStatistics(FittedRows, Regressor):
    """`summary`, `predict_interval`, `influence`."""

    positive: bool
    n_threads: int | None
    intercept_: Any
    _moments: Any
    _weighted: bool = True
    """Whether rows of other weights than one may have been fitted."""

    def _alphas(self, n_targets: int) -> np.ndarray:
        raise NotImplementedError

    def summary(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        source: Source | None = None,
        covariance: str = "classical",
        groups: Any = None,
        level: float = 0.95,
        distribution: str | None = None,
        weights: str = "precision",
        target: int | None = None,
    ) -> Summary:
        """Standard errors, tests and intervals of the coefficients, and what the fit as a whole says.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            The rows of the fit. Without them the classical table is made from the moments that the fit kept; a fit of up to 4096 entries of
            X has kept its rows too.
        source : Source, optional
            The rows, in place of arrays. With covariance "cluster" its last target is the cluster, a number:
            `source("rows.parquet", target=["price", "shop"])`.
        covariance : {"classical", "HC0", "HC1", "HC2", "HC3", "cluster"}
            What is assumed of the errors: independent with one variance; independent with any variances; independent between clusters. All
            but the first need the rows.
        groups : array-like of shape (n,), optional
            The cluster of each row, with covariance "cluster".
        level : float, default 0.95
            Of the intervals.
        distribution : {"t", "normal"}, optional
            "t" for the classical covariance and "normal" for the others, unless given. Of clusters t has their number less one.
        weights : {"precision", "frequency"}
            A weight s says that the error of the row has variance sigma^2 / s; or that there are s such rows.
        target : int, optional
            Which of several targets.

        Returns
        -------
        Summary
            `print` it; its numbers are attributes, `table` is a dict of columns.

        Raises
        ------
        ValueError
            With a penalty or `positive`, where theory gives no table; for rows that are not those of the fit; if there is no degree of
            freedom; for arguments, each by its name.

        Notes
        -----
        From moments d^3 flops. From rows two reads, three for a robust covariance, each n d^2 flops; where the columns are nearly
        dependent or the rows few (4096 entries), some fifty times as many, in double-double. Memory: blocks of rows.

        Examples
        --------
        >>> from ridgeline import LinearRegression
        >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [1.1, 1.9, 3.2, 3.8]
        >>> LinearRegression().fit(X, y).summary().standard_error.round(4)
        array([0.248 , 0.0906])
        """
        from ..statistics.fitted import Question, with_groups
        from ..statistics.least_squares import summarise_rows

        fit, k = self._fitted(target)
        question = Question.of(covariance, level, distribution, weights, "t")
        if source is None and X is None and y is None:
            question.require_groups(groups)
            return self._summary_of_fit(fit, k, question, groups)
        question.require_groups(groups if source is None else "of the source" if covariance == "cluster" else groups)
        rows = self._rows(X, y, sample_weight, source, extra=int(covariance == "cluster" and source is not None))
        if source is None and covariance == "cluster":
            rows = with_groups(rows, groups)
        return summarise_rows(fit, rows, k, question, self._moments if hasattr(self, "_moments") else None)

    def _summary_of_fit(self, fit: Fitted, target: int, question: Question, groups: Any) -> Summary:
        """From what the fit kept."""
        from ..statistics.fitted import with_groups
        from ..statistics.least_squares import summarise_moments, summarise_rows

        kept = self._few_rows
        if kept is not None:
            return summarise_rows(fit, kept if groups is None else with_groups(kept, groups), target, question)
        moments = getattr(self, "_moments", None)
        if moments is None:
            raise ValueError("this fit kept no moments of its rows; pass them, summary(X, y, sample_weight).")
        one = moments if moments.n_targets == 1 else moments.part(range(moments.n_features), [target])
        return summarise_moments(fit, one, self._weighted or moments.weight != moments.count, question)

    def predict_interval(self, X: Any, level: float = 0.95, kind: str = "prediction", *, target: int | None = None) -> Intervals:
        """Intervals around the predictions, from the moments that the fit kept and errors of one variance.

        For another covariance, or a fit that kept no moments, ask the table:
        `model.summary(X, y, covariance="HC3").predict_interval(X_new)`.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows with the columns of the fit, in their order.
        level : float, default 0.95
            The probability that an interval covers what it is for.
        kind : {"prediction", "mean"}
            "prediction" covers a single new target of weight one, "mean" the expected target of such rows.
        target : int, optional
            Which of several targets.

        Returns
        -------
        Intervals
            (prediction, low, high, standard_error) of shape (n,) each.

        Raises
        ------
        ValueError
            As `summary` and `predict`, and where columns depend on each other.
        """
        self._require_fitted()
        matrix = self._predict_input(X)
        return self.summary(target=target).predict_interval(matrix, level, kind)

    def influence(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        source: Source | None = None,
        largest: int | None = None,
        target: int | None = None,
    ) -> Influence:
        """Leverage, studentised residuals, Cook's distance and DFFITS of the rows of the fit.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            The rows of the fit, if it has not kept them (see `summary`).
        source : Source, optional
            The rows, in place of arrays.
        largest : int, optional
            Only so many rows, those of the largest Cook's distances, largest first: memory then does not grow with the rows.
        target : int, optional
            Which of several targets.

        Returns
        -------
        Influence

        Raises
        ------
        ValueError
            As `summary`.

        Notes
        -----
        Three reads of the rows, each n d^2 flops.
        """
        from ..statistics.influence import influence_of

        fit, k = self._fitted(target)
        if largest is not None:
            largest = check_count(largest, "largest", low=1)
        return influence_of(fit, self._rows(X, y, sample_weight, source), k, largest)

    def _fitted(self, target: int | None) -> tuple[Fitted, int]:
        """What statistics needs to know of the fit of one target, which must be one without a penalty; and the target's number."""
        self._require_fitted()
        name = type(self).__name__
        coef, intercept = np.atleast_2d(self.coef_), np.ravel(self.intercept_)
        if self.positive:
            raise ValueError(POSITIVE.format(name=name))
        penalties = self._alphas(len(coef))
        if penalties.any():
            raise ValueError(PENALISED.format(name=name, what=f"alpha={penalties.max():g}", instead="LinearRegression"))
        if target is None and len(coef) > 1:
            raise ValueError(f"the model has {len(coef)} targets: say which, target=0 to {len(coef) - 1}.")
        k = 0 if target is None else check_count(target, "target", low=0)
        if k >= len(coef):
            raise ValueError(f"target is {k}, but the model has {len(coef)} target(s), counted from 0.")
        return self._as_fitted(coef[k], intercept[min(k, len(intercept) - 1)]), k

    def _rows(self, X: Any, y: Any, sample_weight: Any, source: Source | None, extra: int = 0) -> Any:
        """The rows as a source, checked against the columns of the fit; `extra` targets follow those of the model."""
        if source is not None:
            require_source_alone(X, y, sample_weight)
            rows = regression_rows(source, multi=True)
            self._check_columns(rows.n_features, source_names(source))
            expected = self.coef_.size // self.n_features_in_ + extra
            if rows.n_targets != expected:
                what = "the model's and the cluster" if extra else "as the model has"
                raise ValueError(f"the source has {rows.n_targets} targets per row where {expected} are needed, {what}.")
            return rows
        if X is None and y is None and sample_weight is None and self._few_rows is not None:
            return self._few_rows
        if X is None or y is None:
            raise ValueError(f"{'X' if X is None else 'y'} is missing; pass the rows that were given to fit.")
        matrix, weight, names = self._fit_input(X, sample_weight)
        self._check_columns(matrix.shape[1], names)
        targets = check_targets(y, len(matrix))
        if targets.size != len(matrix) * (self.coef_.size // self.n_features_in_):
            raise ValueError(f"y has shape {targets.shape}, but the model has {self.coef_.size // self.n_features_in_} target(s).")
        return ArraySource(matrix, targets, weight, n_threads=self.n_threads)
