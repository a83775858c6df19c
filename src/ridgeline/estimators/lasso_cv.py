"""The lasso and the elastic net that choose their penalty by cross-validation.

Up to 2000 columns every fold is a sum of the moments of others, so that one read of the rows serves all folds and penalties; more columns
are read again, with the rows left out at weight zero, so that nothing is copied.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from ..certificate import STOPPED_EARLY, Certificate, worst
from ..fold_moments import moments_of_folds
from ..folds import DEFAULT_FOLDS, fold_bounds, given_splits, is_count
from ..moments import DOUBLE
from ..solvers.lasso import LassoSolution, Penalty, fold_error, solve_lasso, solve_path
from ..solvers.quadratic import MomentsQuadratic, Quadratic, RowsQuadratic, double_moments
from ..solvers.ridge_path import without_each
from ..sources import ArraySource, Source, require_rows
from ..sources.spool import by_number
from ..validation import check_targets
from ..views import regression_rows
from .base import Regressor, source_names
from .lasso import ElasticNet
from .lasso_path import check_alphas, check_gram, check_ratio, enet_path, grid, lasso_path
from .parameters import check_choice, check_count, check_flag, check_jobs, check_number, check_random_state
from .routing import Router
from .whole import all_or_nothing

MODERATE = 2000
"""Columns up to which the scatters of all folds are kept: at 5 folds, 200 MB."""


class ElasticNetCV(Router, Regressor):
    """Elastic net with the penalty that predicts left-out rows best.

    Minimises::

        (1 / (2 sum_i s_i)) sum_i s_i (y_i - x_i w - b)^2 + alpha l1_ratio ||w||_1 + (alpha (1 - l1_ratio) / 2) ||w||^2

    Parameters
    ----------
    l1_ratio : float or list of float, default 0.5
        Share of the L1 penalty, or several to try.
    eps : float, default 1e-3
        The smallest penalty beside the largest, which is the least that makes every coefficient zero.
    alphas : int or array-like, default 100
        The number of penalties, or the penalties.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    precompute, copy_X, verbose, n_jobs, random_state, selection : accepted and not used
        Parameters of scikit-learn's, as in `ElasticNet`. A matrix as `precompute` is compared with the data.
    max_iter : int, default 1000
        Sweeps over the coefficients, and solutions on the support, at most, for each penalty.
    tol : float, default 1e-4
        Where `max_iter` ends a search, a duality gap below tol ||y||^2 / sum(s) is accepted without a warning.
    cv : int, iterable or splitter, optional
        None leaves out each of 5 runs of neighbouring rows, an int K each of K; an iterable gives pairs (rows to fit, rows to score); a
        splitter has `split(X, y)`.
    positive : bool, default False
        No coefficient may be negative.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
    alphas_ : ndarray of shape (k,) or (r, k)
        The penalties tried, from the largest down, for each l1_ratio where they differ.
    mse_path_ : ndarray of shape (k, folds) or (r, k, folds)
        Mean squared errors (weighted) of the rows left out.
    coef_, intercept_, dual_gap_, n_iter_, certificate_, n_features_in_, feature_names_in_
        Of the fit of all rows with the best penalty.

    Notes
    -----
    One read of X and its moments, n d^2 flops, for all folds; then a path per fold.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgeline import ElasticNetCV
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> model = ElasticNetCV(l1_ratio=[0.5, 1.0], alphas=20).fit(X, X @ [3.0, 0.0, 0.0, -2.0, 0.0] + 1.0)
    >>> model.l1_ratio_, model.coef_.round(2), model.mse_path_.shape
    (1.0, array([ 3.,  0.,  0., -2.,  0.]), (2, 20, 5))
    """

    _hints: ClassVar = {
        "copy_X": check_flag, "n_jobs": check_jobs, "random_state": check_random_state,
        "selection": partial(check_choice, choices=("cyclic", "random")),
    }  # fmt: skip
    path: Any = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        copy_X: bool = True,
        verbose: bool | int = 0,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        n_threads: int | None = None,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.n_threads = n_threads

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and fit with it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,)
            Targets.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.
        **params : dict
            For the splitter, under scikit-learn's metadata routing: `groups`, say.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, and all that `ElasticNet.fit` refuses. Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status` is not "optimal", or `max_iter` ended a search in a fold.
        """
        self._check_options()
        matrix, weight, names = self._fit_input(X, sample_weight)
        split = self._route("fit", weight if weight.size else None, params).split
        source = self._checked(matrix, check_targets(y, len(matrix), multi=False, warn=True), weight, names)
        check_gram(self.precompute, source, bool(self.fit_intercept))
        self._fit_arrays(source, X, y, split)
        self._remember_columns(matrix.shape[1], names)
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
        One read of the rows, and memory for the moments of each fold. More than 2000 columns, and rows for a splitter, are
        written to a temporary file first. The answer is that of `fit` for the same rows in the same order.
        """
        self._check_options()
        rows = regression_rows(source)
        count = DEFAULT_FOLDS if self.cv is None else self.cv
        if isinstance(rows, ArraySource) or not is_count(count) or rows.n_features > MODERATE:
            rows = by_number(rows)
            self._fit_arrays(rows, rows.X, rows.y, {})
        else:
            parts = moments_of_folds(rows, count, DOUBLE)
            for part in parts:
                require_rows(part.weight)
            trains = without_each(parts)
            whole = MomentsQuadratic(trains[0] + parts[0], bool(self.fit_intercept), 0, rows, rows.dtype)
            self._search(whole, [(MomentsQuadratic(train, bool(self.fit_intercept)), part) for train, part in zip(trains, parts)], rows)
        self._remember_columns(rows.n_features, source_names(source))
        return self

    def _check_options(self) -> None:
        """Raise an error for a parameter out of range."""
        self._ratios()
        check_alphas(self.alphas)
        for flag in ("fit_intercept", "positive"):
            check_flag(getattr(self, flag), flag)
        self._check_hints()
        check_number(self.tol, "tol")
        check_count(self.max_iter, "max_iter")
        check_number(self.eps, "eps", strict=True)

    def _fit_arrays(self, source: ArraySource, X: Any, y: Any, split: dict[str, Any]) -> None:
        """Choose and fit where rows can be had by their number; X and y are what a splitter is shown."""
        try:
            whole, folds = self._folds(source, X, y, bool(self.fit_intercept), split)
        except ValueError:
            source.check_finite()  # counts rows from the first, not from the fold's
            raise
        self._search(whole, folds, source)

    def _search(self, whole: Quadratic, folds: list[tuple[Quadratic, Any]], source: Source) -> None:
        """Choose from the problems of the folds, and fit all rows."""
        ratios, alphas, eps, positive = self._ratios(), check_alphas(self.alphas), float(self.eps), bool(self.positive)
        options: dict[str, Any] = {"tol": float(self.tol), "max_iter": int(self.max_iter)}
        grids = [grid(whole, alphas, ratio, eps, positive) for ratio in ratios]
        errors = np.empty((len(ratios), len(grids[0]), len(folds)))
        doubts: list[Certificate] = []
        for f, (problem, left_out) in enumerate(folds):
            for r, (ratio, penalties) in enumerate(zip(ratios, grids)):
                solutions = list(solve_path(problem, penalties, ratio, positive, **options))
                errors[r, :, f] = fold_error(left_out, solutions)
                doubts += [s.certificate for s in solutions if s.certificate.status == STOPPED_EARLY]
        r, k = divmod(int(errors.mean(axis=2).argmin()), errors.shape[1])
        alpha, ratio = float(grids[r][k]), ratios[r]
        self._finish(whole, source, alpha, ratio, Penalty.elastic_net(alpha, ratio, positive), options)
        self.mse_path_ = errors[0] if len(ratios) == 1 else errors
        self.alphas_ = grids[0] if len(ratios) == 1 or isinstance(alphas, np.ndarray) else np.stack(grids)
        worst([self.certificate_, *doubts]).warn()

    def _ratios(self) -> list[float]:
        given = self.l1_ratio if np.ndim(self.l1_ratio) else [self.l1_ratio]
        return [check_ratio(ratio) for ratio in given]

    def _finish(
        self, whole: Quadratic, source: Source, alpha: float, ratio: float, penalty: Penalty, options: dict[str, Any]
    ) -> None:
        """The fit of all rows."""
        if penalty.l1 == 0:
            best: Any = ElasticNet(alpha, l1_ratio=ratio, fit_intercept=self.fit_intercept, positive=self.positive, **options)
            best.fit_rows(source, True)
            self.coef_, self.intercept_, self.certificate_ = best.coef_, best.intercept_, best.certificate_
            self.n_iter_, self.dual_gap_ = best.n_iter_, best.dual_gap_
        else:
            solution: LassoSolution = solve_lasso(whole, penalty, **options)
            self.coef_, self.certificate_ = solution.coef, solution.certificate
            self.intercept_ = solution.intercept if self.fit_intercept else 0.0
            self.n_iter_, self.dual_gap_ = solution.n_iter, solution.certificate.suboptimality
        self.alpha_, self.l1_ratio_ = alpha, ratio

    def _folds(
        self, source: ArraySource, X: Any, y: Any, fit_intercept: bool, split: dict[str, Any]
    ) -> tuple[Quadratic, list[tuple[Quadratic, Any]]]:
        """The problem of all rows, and for each fold that of the rows to fit beside the rows to score, or their moments."""
        cv, n = DEFAULT_FOLDS if self.cv is None else self.cv, source.n_rows
        runs = is_count(cv)
        tests: list[Any]
        if runs:
            bounds = fold_bounds(cv, n)
            tests = [slice(a, b) for a, b in pairwise(bounds.tolist())]
            counts = [np.bincount(np.r_[0:a, b:n], minlength=n) for a, b in pairwise(bounds.tolist())]
        else:
            splits = given_splits(cv, X, y, n, split)
            tests = [test for _, test in splits]
            counts = [np.bincount(train, minlength=n) for train, _ in splits]
        if source.n_features > MODERATE:
            return RowsQuadratic(source, fit_intercept), [
                (RowsQuadratic(source.weighted(count), fit_intercept), source.take(test)) for count, test in zip(counts, tests)
            ]
        parts = [double_moments(source.take(test)) for test in tests]
        trains = without_each(parts) if runs else [double_moments(source.weighted(count)) for count in counts]
        total = trains[0] + parts[0] if runs else double_moments(source)
        return MomentsQuadratic(total, fit_intercept, 0, source, source.dtype), [
            (MomentsQuadratic(train, fit_intercept), part) for train, part in zip(trains, parts)
        ]


class LassoCV(ElasticNetCV):
    """Lasso with the penalty that predicts left-out rows best.

    Minimises::

        (1 / (2 sum_i s_i)) sum_i s_i (y_i - x_i w - b)^2 + alpha ||w||_1

    Parameters
    ----------
    eps : float, default 1e-3
        The smallest penalty beside the largest, which is the least that makes every coefficient zero.
    alphas : int or array-like, default 100
        The number of penalties, or the penalties.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    precompute, copy_X, verbose, n_jobs, random_state, selection : accepted and not used
        Parameters of scikit-learn's, as in `ElasticNet`. A matrix as `precompute` is compared with the data.
    max_iter : int, default 1000
        Sweeps over the coefficients, and solutions on the support, at most, for each penalty.
    tol : float, default 1e-4
        Where `max_iter` ends a search, a duality gap below tol ||y||^2 / sum(s) is accepted without a warning.
    cv : int, iterable or splitter, optional
        None leaves out each of 5 runs of neighbouring rows, an int K each of K; an iterable gives pairs (rows to fit, rows to score); a
        splitter has `split(X, y)`.
    positive : bool, default False
        No coefficient may be negative.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.

    Attributes
    ----------
    alpha_ : float
    alphas_ : ndarray of shape (k,)
        The penalties tried, from the largest down.
    mse_path_ : ndarray of shape (k, folds)
        Mean squared errors (weighted) of the rows left out.
    coef_, intercept_, dual_gap_, n_iter_, certificate_, n_features_in_, feature_names_in_
        Of the fit of all rows with the best penalty.

    Notes
    -----
    One read of X and its moments, n d^2 flops, for all folds; then a path per fold.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgeline import LassoCV
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> model = LassoCV(cv=3).fit(X, X @ [3.0, 0.0, 0.0, -2.0, 0.0] + 1.0)
    >>> model.coef_.round(2), model.alphas_.shape, model.mse_path_.shape
    (array([ 3.,  0.,  0., -2.,  0.]), (100,), (100, 3))
    """

    path: Any = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        n_threads: int | None = None,
    ) -> None:
        super().__init__(
            l1_ratio=1.0, eps=eps, alphas=alphas, fit_intercept=fit_intercept, precompute=precompute, max_iter=max_iter, tol=tol, cv=cv,
            copy_X=copy_X, verbose=verbose, n_jobs=n_jobs, positive=positive, random_state=random_state, selection=selection,
            n_threads=n_threads,
        )  # fmt: skip
