"""The table of a logistic or softmax fit: arguments and refusals; the arithmetic is in ridgeline.statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..labels import class_factors, class_shares, classes_of, encode
from ..sources import ArraySource, Source, require_rereadable
from ..views import OneTarget
from .base import PENALISED, source_names
from .classifier import loss_of_classes
from .fitted_rows import require_source_alone
from .online import OnlineClassifier

if TYPE_CHECKING:
    from ..statistics.summary import Summary

FEW = 1 << 16
"""Entries of X, half a megabyte, up to which a fit keeps its rows for a summary: their copy takes a hundredth of the fit."""


class LogisticStatistics(OnlineClassifier):
    """`summary`."""

    C: float

    def _keep_few_rows(self, matrix: Any, codes: np.ndarray, weight: np.ndarray) -> None:
        """Keep a copy of dense rows of few entries, if there may be a summary of them."""
        l2, l1, *_ = self._options()
        if isinstance(matrix, np.ndarray) and matrix.size <= FEW and not (l2 or l1):
            self._few_rows = ArraySource(matrix.copy(), codes.astype(np.float64), weight.copy(), n_threads=self.n_threads)

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
        baseline: Any = None,
        symmetric: bool = False,
    ) -> Summary:
        """Standard errors, tests and intervals of the coefficients, and what the likelihood says of the fit.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            The rows of the fit: the curvature of the likelihood is a sum over them. A fit of up to 65536 entries of X has kept them.
        source : Source, optional
            The rows, in place of arrays. With covariance "cluster" it has two targets, the label and the cluster, both numbers.
        covariance : {"classical", "HC0", "HC1", "cluster"}
            The inverse information, right where the model is; the sandwich, right for the coefficients that many rows would give where the
            model is not (and rows are independent, or independent between clusters).
        groups : array-like of shape (n,), optional
            The cluster of each row, with covariance "cluster".
        level : float, default 0.95
            Of the intervals.
        distribution : {"t", "normal"}, optional
            "normal" unless given.
        weights : {"precision", "frequency"}
            Whether a weight counts copies of a row: n and the sandwich then count them too.
        baseline : label, optional
            Of three classes and more, the one that the others are compared with; the first of `classes_` unless given.
        symmetric : bool, default False
            Of three classes and more, the coefficients as `coef_` has them, which sum to zero over the classes, in place of comparisons.

        Returns
        -------
        Summary
            `print` it; its numbers are attributes, `table` is a dict of columns.

        Raises
        ------
        ValueError
            With a penalty, and for separated classes, where theory gives no table; for rows that are not those of the fit; for HC2 and
            HC3, which belong to least squares; for arguments, each by its name.

        Notes
        -----
        Four reads of the rows, of which one forms the Hessian (n q^2 flops for q parameters), and q^3 flops.
        """
        from ..statistics.fitted import Question, with_groups
        from ..statistics.logistic import Classes, summarise

        self._require_fitted()
        l2, l1, *_ = self._options()
        if l2 or l1:
            raise ValueError(PENALISED.format(name=type(self).__name__, what=f"C={self.C:g}", instead="with C=float('inf')"))
        question = Question.of(covariance, level, distribution, weights, "normal")
        clustered = question.kind == "cluster"
        question.require_groups(groups if source is None else "of the source" if clustered else groups)
        c = len(self.classes_)
        if source is None:
            rows, values, share = self._coded_rows(X, y, sample_weight)
            rows = with_groups(rows, groups) if clustered else rows
        else:
            require_source_alone(X, y, sample_weight)
            rows, values, share = self._source_rows(source, clustered)
        factors = class_factors(self.class_weight, self.classes_, share)
        coef = self.coef_ if isinstance(self.coef_, np.ndarray) else self.coef_.toarray()
        labels = tuple(map(str, self.classes_.tolist()))
        base = None if symmetric else 0 if baseline is None else int(encode([baseline], self.classes_, 1)[0])
        classes = Classes(labels, values, share * factors if factors.size else share, factors, base)
        fit = self._as_fitted(coef, self.intercept_)
        return summarise(fit, rows, classes, loss_of_classes(c), question)

    def _coded_rows(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, np.ndarray, np.ndarray]:
        """Rows of arrays whose targets are codes, the codes, and the weight of each class."""
        every, kept = np.arange(len(self.classes_)), self._few_rows
        if X is None and y is None and sample_weight is None and kept is not None:
            return kept, every, class_shares(kept.y.astype(np.int64), kept.weight, len(every))
        if X is None or y is None:
            raise ValueError(
                f"{'X' if X is None else 'y'} is missing: the curvature of a likelihood is a sum over the rows, which the model does not "
                "keep. Pass those that were given to fit, summary(X, y)."
            )
        matrix, weight, names = self._fit_input(X, sample_weight)
        self._check_columns(matrix.shape[1], names)
        codes = encode(y, self.classes_, len(matrix))
        share = class_shares(codes, weight, len(self.classes_))
        rows = ArraySource(matrix, codes.astype(np.float64), weight, n_threads=self.n_threads)
        return rows, every, share

    def _source_rows(self, source: Source, clustered: bool) -> tuple[Any, np.ndarray, np.ndarray]:
        """A source, the values that stand for the classes in it, and the weight of each class."""
        require_rereadable(source, "a summary reads the rows several times")
        self._check_columns(source.n_features, source_names(source))
        expected = 1 + clustered
        if source.n_targets != expected:
            what = ", the label and the cluster" if clustered else ""
            raise ValueError(f"the source has {source.n_targets} target(s) per row where {expected} are needed{what}.")
        found, values, share = classes_of(OneTarget(source, 0) if clustered else source)
        if not np.array_equal(found.astype(self.classes_.dtype), self.classes_):
            raise ValueError(f"the rows have the classes {found.tolist()[:10]}, but the fit has {self.classes_.tolist()[:10]}.")
        return source, values, share
