"""Ridge regression that chooses its penalty by cross-validation, exactly and from one or two reads of the rows."""

from __future__ import annotations

from itertools import pairwise
from numbers import Real
from typing import Any, Self

import numpy as np

from ..blame import warn
from ..fold_moments import moments_of_folds, row_count
from ..folds import fold_bounds, given_splits, is_count
from ..moments import Moments, moments_of
from ..solvers.ridge_path import fold_scores, left_out, path, without_each
from ..sources import ArraySource, Source, require_rows
from ..sources.spool import by_number
from ..sparse_rows import SparseRows, linear
from ..validation import check_targets
from ..views import regression_rows
from .base import Regressor, source_names
from .least_squares import Ridge
from .parameters import check_flag
from .routing import Routed, Router
from .scoring import scorer_of
from .whole import all_or_nothing


class RidgeCV(Router, Regressor):
    """Ridge regression with the best of several penalties.

    Minimises::

        sum_i s_i (y_i - x_i w - b)^2 + alpha ||w||^2,  with the alpha that predicts left-out rows best

    Parameters
    ----------
    alphas : array-like of shape (k,), default (0.1, 1.0, 10.0)
        Penalties to try; positive (with `cv`, zero or more).
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    scoring : callable or str, optional
        How predictions are scored, larger being better: a scikit-learn scorer, its name (needs scikit-learn), or any function
        `scorer(estimator, X, y)` (with `sample_weight=` where there are weights). None: minus the mean squared error without `cv`, R^2
        with it.
    cv : int, iterable or splitter, optional
        None leaves one row out at a time, which needs no fit of its own. An int K leaves out each of K runs of neighbouring rows; an
        iterable gives pairs (rows to fit, rows to score); a splitter has `split(X, y)`.
    gcv_mode : {None, "auto", "svd", "eigen"}
        Accepted for scikit-learn's sake; the shape of X decides.
    store_cv_results : bool, default False
        Keep `cv_results_`; without `cv` only.
    alpha_per_target : bool, default False
        Choose a penalty for each target; without `cv` only.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (t,)
    best_score_ : float or ndarray of shape (t,)
    cv_results_ : ndarray of shape (n, k) or (n, t, k)
        Squared errors of the rows left out (times their weight), or with `scoring` their predictions.
    coef_, intercept_, certificate_, n_features_in_, feature_names_in_
        Of the ridge fit with that penalty.

    Notes
    -----
    Leave-one-out: the moments, one more read, 2 n d (d + k (t + 1)) + 9 d^3 flops; where columns are far from depending on each other and
    no row has much leverage, 10 to 50 penalties chosen for it stand for all k, to rounding. The rotation of the rows is 2 n d^2 of that,
    twice what a fit's moments take, so that for many columns it cannot come below three fits. K folds: the moments of each fold, which
    add up to those of the rest, and 4 K d^3 / 3 flops, then 4 d^2 per fold and penalty; 9 K d^3 for penalties of rounding's size.
    The answers are those of fits without the rows, to rounding.

    Examples
    --------
    >>> from ridgeline import RidgeCV
    >>> model = RidgeCV(alphas=[0.01, 1.0, 100.0]).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.1, 4.9, 7.0])
    >>> float(model.alpha_), round(float(model.best_score_), 3)
    (0.01, -0.015)
    """

    _multi_output = True

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: str | None = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
        n_threads: int | None = None,
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target
        self.n_threads = n_threads

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and fit with it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,) or (n, t)
            Targets, one or t of them per row.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.
        **params : dict
            For the splitter and the scorer, under scikit-learn's metadata routing: `groups`, say.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For penalties out of range, options that exclude each other, and all that `Ridge.fit` refuses. Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status` is not "optimal".
        """
        alphas = self._checked_alphas()
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        scorer = scorer_of(self.scoring)
        matrix, weight, names = self._fit_input(X, sample_weight)
        if self.cv is None and self.gcv_mode == "svd" and isinstance(matrix, SparseRows):
            warn(
                "The 'svd' mode is not supported for sparse X by scikit-learn, from its version 1.11 on: leave gcv_mode out, which changes "
                "no answer.",
                FutureWarning,
            )
        targets = check_targets(y, len(matrix))
        source = self._checked(matrix, targets, weight, names)
        routed = self._route("fit", weight if weight.size else None, params)
        self._fit_arrays(source, X, y, alphas, fit_intercept, scorer, routed)
        self._remember_columns(matrix.shape[1], names)
        self.certificate_.warn()
        return self

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Choose the penalty and fit with it, from the rows of a source (`ridgeline.source`). Offsets are taken off the targets.

        Parameters
        ----------
        source : Source
            From `ridgeline.source`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As `fit`, and for damaged files, with their place. Nothing fitted before is changed.
        TypeError
            For rows that come only once, unless their number is known.

        Notes
        -----
        An int as `cv` takes one read of the rows, and memory for the moments of each fold; leaving out one row at a time takes two. With
        `scoring`, `store_cv_results`, a splitter, or fewer rows than columns the rows are written to a temporary file first.
        The answer is that of `fit` for the same rows in the same order.
        """
        alphas = self._checked_alphas()
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        scorer = scorer_of(self.scoring)
        rows = regression_rows(source, multi=True)
        sums = scorer is None and not self.store_cv_results and (self.cv is None or is_count(self.cv))
        if isinstance(rows, ArraySource) or not sums or row_count(rows) < rows.n_features:
            rows = by_number(rows)
            given = {"sample_weight": rows.weight} if rows.weight.size else {}
            self._fit_arrays(rows, rows.X, rows.y, alphas, fit_intercept, scorer, Routed({}, given))
        else:
            self._fit_sums(rows, alphas, fit_intercept)
        self._remember_columns(rows.n_features, source_names(source))
        self.certificate_.warn()
        return self

    def _fit_arrays(
        self, source: ArraySource, X: Any, y: Any, alphas: np.ndarray, fit_intercept: bool, scorer: Any, routed: Routed
    ) -> None:
        """Choose and fit where rows can be had by their number; X and y are what a splitter is shown."""
        results = None
        if self.cv is None:
            moments = moments_of(source) if source.n_rows >= source.n_features else None
            if moments is None:
                source.check_finite()
            used = int(np.count_nonzero(source.weight)) if source.weight.size else source.n_rows
            flat = source.y.ndim == 1
            alpha, score, results = self._leave_one_out(source, source.n_rows, used, flat, moments, alphas, fit_intercept, scorer, routed)
        else:
            try:
                alpha, score, moments = self._folds(source, X, y, alphas, fit_intercept, scorer, routed)
            except ValueError:
                source.check_finite()  # counts rows from the first, not from the fold's
                raise
        best = Ridge(alpha, fit_intercept=fit_intercept, n_threads=self.n_threads).fit_rows(source, moments)
        self._keep(alpha, score, best, results)

    def _fit_sums(self, rows: Source, alphas: np.ndarray, fit_intercept: bool) -> None:
        """Choose and fit from sums over the rows alone, wherever they are."""
        alpha: Any
        score: Any
        if self.cv is None:
            moments = moments_of(rows)
            require_rows(moments.weight)
            flat, nothing = rows.n_targets == 1, Routed({}, {})
            alpha, score, _ = self._leave_one_out(
                rows, row_count(rows), moments.count, flat, moments, alphas, fit_intercept, None, nothing
            )
        else:
            parts = moments_of_folds(rows, self.cv)
            trains = without_each(parts)
            moments = trains[0] + parts[0]
            require_rows(moments.weight)
            alpha, score = _best(fold_scores(parts, trains, alphas, fit_intercept, self.n_threads), alphas)
        self._keep(alpha, score, Ridge(alpha, fit_intercept=fit_intercept, n_threads=self.n_threads).fit_known(rows, moments), None)

    def _keep(self, alpha: Any, score: Any, best: Ridge, results: Any) -> None:
        self.alpha_, self.best_score_ = alpha, score
        self.coef_, self.intercept_, self.certificate_ = best.coef_, best.intercept_, best.certificate_
        if self.store_cv_results:
            self.cv_results_ = results

    def _checked_alphas(self) -> np.ndarray:
        alphas = np.ravel(np.asarray(self.alphas, dtype=object))
        if not alphas.size:
            raise ValueError("alphas is empty; give at least one penalty.")
        if self.cv is not None:
            for option in ("store_cv_results", "alpha_per_target"):
                if getattr(self, option):
                    raise ValueError(f"cv!=None and {option}=True are incompatible; leave cv out for leave-one-out.")
        for k, alpha in enumerate(alphas):
            name = "alphas" if alphas.size == 1 else f"alphas[{k}]"
            if not isinstance(alpha, Real):
                raise TypeError(f"{name} must be an instance of float, not {type(alpha).__name__}: {alpha!r} is no penalty.")
            if not (0 <= float(alpha) < np.inf and (float(alpha) > 0 or self.cv is not None)):
                raise ValueError(f"{name} == {alpha}, must be {'> 0.0' if self.cv is None else 'at least 0'}.")
        return alphas.astype(np.float64)

    def _leave_one_out(
        self, source: Any, n: int, used: int, flat: bool, moments: Moments | None, alphas: np.ndarray, fit_intercept: bool, scorer: Any,
        routed: Routed,
    ) -> tuple[Any, Any, np.ndarray]:  # fmt: skip
        """The best penalty, its score, and the table of results (if it is wanted); of n rows, `used` with weight."""
        t, k = source.n_targets, len(alphas)
        if used < 2 and fit_intercept:
            raise ValueError(
                f"RidgeCV leaves out one row at a time, which takes at least 2 rows with a positive weight; there is {used} (1 sample left "
                "out leaves none). Pass more rows, or fit Ridge."
            )
        total, results = left_out(source, moments, alphas, fit_intercept, scorer is not None or self.store_cv_results)
        if scorer is not None:
            y = source.y.reshape(n, t)
            # rows without weight have no residual in these units
            root = np.sqrt(np.where(source.weight > 0, source.weight, 1.0)) if source.weight.size else np.ones(1)
            results = y[:, :, None] - results / root[:, None, None]
        elif self.store_cv_results:
            results = results**2
        if scorer is None:
            scores = -total / n
            if not self.alpha_per_target or flat:
                scores = scores.mean(axis=0, keepdims=True)
        else:
            together = [range(t)] if not self.alpha_per_target or flat else [[j] for j in range(t)]
            scores = np.array([
                [_score(scorer, results[:, list(some), j], y[:, list(some)], routed.score) for j in range(k)]
                for some in together
            ])
        best = scores.argmax(axis=1)
        alpha, score = alphas[best], scores[np.arange(len(best)), best]
        results = results[:, 0] if flat and results.size else results
        return (alpha, score, results) if self.alpha_per_target and not flat else (float(alpha[0]), float(score[0]), results)

    def _folds(
        self, source: ArraySource, X: Any, y: Any, alphas: np.ndarray, fit_intercept: bool, scorer: Any, routed: Routed
    ) -> tuple[float, float, Moments | None]:
        """The best penalty over the folds, its mean score, and the moments of all rows where the folds give them."""
        n = source.n_rows
        if is_count(self.cv):
            tests: list[Any] = [slice(a, b) for a, b in pairwise(fold_bounds(self.cv, n))]
            parts = [moments_of(source.take(test)) for test in tests]
            trains = without_each(parts)
            moments = trains[0] + parts[0]
        else:
            pairs = given_splits(self.cv, X, y, n, routed.split)
            tests = [test for _, test in pairs]
            parts = [moments_of(source.take(test)) for test in tests]
            trains = [moments_of(source.take(train)) for train, _ in pairs]
            moments = None
        if scorer is None:
            return *_best(fold_scores(parts, trains, alphas, fit_intercept, self.n_threads), alphas), moments
        scores = np.empty((len(tests), len(alphas)))
        for k, (test, train) in enumerate(zip(tests, trains)):
            rows = source.X[test]
            truth = source.y[test].reshape(len(rows), -1)
            given = routed.of_rows(test, n)
            scores[k] = [_score(scorer, linear(rows, w, b), truth, given) for w, b in zip(*path(train, alphas, fit_intercept))]
        return *_best(scores, alphas), moments


def _best(scores: np.ndarray, alphas: np.ndarray) -> tuple[float, float]:
    """The penalty with the best mean over the folds (K, k), and that mean."""
    mean = scores.mean(axis=0)
    best = int(mean.argmax())
    return float(alphas[best]), float(mean[best])


class _Given(Regressor):
    """An estimator whose predictions are its input, for scorers."""

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(X)


def _score(scorer: Any, prediction: np.ndarray, y: np.ndarray, params: dict[str, Any]) -> float:
    flat = y.shape[1] == 1
    return float(scorer(_Given(), prediction[:, 0] if flat else prediction, y[:, 0] if flat else y, **params))
