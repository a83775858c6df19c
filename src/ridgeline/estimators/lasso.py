"""Least squares with an L1 penalty: the lasso, and with a square beside it the elastic net."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..blame import warn
from ..certificate import worst
from ..moments import Moments, moments_of, require_moments
from ..solvers.lasso import LassoSolution, Penalty, solve_lasso
from ..solvers.least_squares import normal_equations
from ..solvers.quadratic import MomentsQuadratic, Quadratic, RowsQuadratic, double_moments
from ..sources import ArraySource, Source, require_rows
from ..validation import check_targets
from ..views import OneTarget, SelectedColumns, regression_rows
from .base import Regressor, source_names
from .lasso_path import check_gram, check_ratio, enet_path, lasso_path
from .least_squares import Ridge
from .parameters import check_choice, check_count, check_flag, check_number, check_random_state
from .whole import all_or_nothing

MODERATE = 300
"""Columns up to which the moments of all are quicker than some eight reads of the rows."""

ADVICE = (
    "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression estimator: it is what solves "
    "this fit, by Cholesky."
)


class ElasticNet(Regressor):
    """Linear regression with an L1 penalty and a squared one.

    Minimises::

        (1 / (2 sum_i s_i)) sum_i s_i (y_i - x_i w - b)^2 + alpha l1_ratio ||w||_1 + (alpha (1 - l1_ratio) / 2) ||w||^2

    Beside the *sum* (1/2) sum_i s_i (y_i - x_i w - b)^2 of the other estimators the penalties weigh sum(s) alpha l1_ratio and
    sum(s) alpha (1 - l1_ratio): with l1_ratio=0 it is `Ridge(alpha=sum(s) * alpha)`. glmnet's `alpha` is `l1_ratio` and its `lambda` is
    `alpha` here, for `standardize=FALSE` and up to its scaling of y.

    Parameters
    ----------
    alpha : float, default 1.0
        Weight of the penalties; zero is `LinearRegression`.
    l1_ratio : float in [0, 1], default 0.5
        Share of the L1 penalty.
    fit_intercept : bool, default True
        The intercept is never penalised.
    precompute : bool or ndarray of shape (d, d), default False
        Accepted for scikit-learn's sake: the shape of X decides whether a Gram matrix is formed. A matrix given is compared with the data.
    max_iter : int, default 1000
        Sweeps over the coefficients, and solutions on the support, at most.
    copy_X : bool, default True
        Accepted for scikit-learn's sake: X is neither copied nor changed.
    tol : float, default 1e-4
        Where `max_iter` ends the search, a duality gap below tol ||y||^2 / sum(s) is accepted without a warning. The search itself goes on
        until the solution is exact to rounding.
    warm_start : bool, default False
        Start from the coefficients of the last fit.
    positive : bool, default False
        No coefficient may be negative.
    random_state, selection : accepted and not used
        Parameters of scikit-learn's: the order of the coefficients does not change the minimum.
    time_limit : float, optional
        Seconds after which no further step is begun: the fit ends with the best coefficients found until then, its certificate says
        "stopped_early", and it warns. The reads up to a first point are always made.
    verbose : bool or int, default False
        Show how many rows have been read while the fit runs, by tqdm where it is installed.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. The coefficients have the
        same bits for any number.

    Attributes
    ----------
    coef_ : ndarray of shape (d,) or (t, d)
    sparse_coef_ : scipy sparse array
        The same, with what is not zero alone.
    intercept_ : float or ndarray of shape (t,)
    n_iter_ : int or list of int
    dual_gap_ : float or ndarray of shape (t,)
        The proven bound on how far the objective is from its minimum, rounding included.
    certificate_ : Certificate
        `gradient_norm` is the largest entry of the smallest subgradient.
    n_features_in_, feature_names_in_

    Notes
    -----
    Several targets are as many problems. Up to 300 columns: one read of X and n d^2 flops. More: a read for the ranges of the columns,
    then for each working set one read for its Gram and one for the slopes of all columns, two or three times; memory d + k^2 for k working
    columns, so that d^2 numbers need not fit.

    Examples
    --------
    >>> from ridgeline import ElasticNet
    >>> model = ElasticNet(alpha=0.5).fit([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0])
    >>> model.coef_.round(6), model.certificate_.status
    (array([0.454545]), 'optimal')
    """

    _multi_output = True
    _hints: ClassVar = {
        "copy_X": check_flag, "random_state": check_random_state, "selection": partial(check_choice, choices=("cyclic", "random")),
    }  # fmt: skip
    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        time_limit: float | None = None,
        verbose: bool | int = False,
        n_threads: int | None = None,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.time_limit = time_limit
        self.verbose = verbose
        self.n_threads = n_threads

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,) or (n, t)
            Targets, one or t of them per row.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.
        check_input : bool, default True
            Accepted for scikit-learn's sake; the checks cost no read of their own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinity, shapes that do not match, and negative or all-zero weights; the message names the argument and the
            first offending position. Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status` is not "optimal".
        """
        self._penalty()
        matrix, weight, names = self._fit_input(X, sample_weight)
        source = self._checked(matrix, check_targets(y, len(matrix)), weight, names)
        check_gram(self.precompute, source, bool(self.fit_intercept))
        self.fit_rows(source, source.y.ndim == 1)
        self._remember_columns(matrix.shape[1], names)
        self.certificate_.warn()
        return self

    @all_or_nothing
    def fit_rows(self, source: Source, flat: bool) -> Self:
        """Fit checked rows; neither names nor a warning. `flat` is whether the answer has no axis of targets."""
        self._fit(source, None, flat)
        return self

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Fit the rows of a source (`ridgeline.source`), which need not fit in memory. Offsets are taken off the targets.

        Rows that come only once are fitted from their moments.

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
            For NaN, infinity and damaged files, with their place. Nothing fitted before is changed.
        """
        rows = regression_rows(source, multi=True)
        moments = None
        if not rows.rereadable:
            moments = moments_of(rows)
            require_rows(moments.weight)
        self._fit(rows, moments, rows.n_targets == 1)
        self._remember_columns(rows.n_features, source_names(source))
        self.certificate_.warn()
        return self

    @all_or_nothing
    def fit_moments(self, moments: Moments) -> Self:
        """Fit from moments alone, without any row.

        Parameters
        ----------
        moments : Moments or ExtendedMoments
            From `Moments.of`, merged in any order.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If they hold no rows.
        """
        require_moments(moments)
        self._fit(None, moments, moments.n_targets == 1)
        self._remember_columns(moments.n_features, None)
        self.certificate_.warn()
        return self

    def _penalty(self) -> Penalty:
        """The penalty, once every parameter is checked."""
        self._check_hints()
        alpha, ratio = check_number(self.alpha, "alpha"), check_ratio(self.l1_ratio)
        check_flag(self.fit_intercept, "fit_intercept")
        check_flag(self.warm_start, "warm_start")
        check_number(self.tol, "tol")
        check_count(self.max_iter, "max_iter")
        return Penalty.elastic_net(alpha, ratio, check_flag(self.positive, "positive"))

    def _fit(self, source: Source | None, moments: Any, flat: bool) -> None:
        """Fit rows, whose moments may be known, or moments alone."""
        penalty = self._penalty()
        if self.alpha == 0:
            warn(ADVICE, UserWarning)
        if penalty.l1 == 0:
            self._fit_smooth(source, moments, penalty, flat)
            return
        solutions = []
        with self._watched():
            for k, problem in enumerate(_problems(source, moments, bool(self.fit_intercept))):
                solutions.append(solve_lasso(problem, penalty, self._start(problem, k), tol=self.tol, max_iter=self.max_iter))
        self._store(solutions, flat)

    def _start(self, problem: Quadratic, k: int) -> np.ndarray | None:
        """The last coefficients of target k in a problem's coordinates, where they are wanted and fit."""
        coef = getattr(self, "coef_", None) if self.warm_start else None
        if coef is None:
            return None
        rows = np.atleast_2d(np.asarray(coef, dtype=np.float64))
        if rows.shape[1] != len(problem.scale) or k >= len(rows):
            return None
        v = problem.inner(rows[k])
        return np.maximum(v, 0.0) if self.positive else v

    def _fit_smooth(self, source: Source | None, moments: Any, penalty: Penalty, flat: bool) -> None:
        """Without an L1 penalty: ridge, whose alpha goes beside the sum."""
        weight = _weight(source) if moments is None else moments.weight
        ridge = Ridge(weight * penalty.l2, fit_intercept=self.fit_intercept, positive=self.positive, n_threads=self.n_threads)
        if isinstance(source, ArraySource):
            ridge.fit_rows(source, moments)
        elif moments is not None:
            ridge.fit_known(None, moments)
        else:
            assert source is not None
            ridge.fit_known(source, moments_of(source))
        gap = ridge.certificate_.suboptimality
        self.coef_, self.intercept_, self.certificate_ = ridge.coef_, ridge.intercept_, ridge.certificate_
        self.n_iter_ = 0 if flat else [0] * len(ridge.coef_)
        self.dual_gap_ = gap if flat else np.full(len(ridge.coef_), gap)

    def _store(self, solutions: Sequence[LassoSolution], flat: bool) -> None:
        coef = np.stack([s.coef for s in solutions])
        intercept = np.array([s.intercept for s in solutions], dtype=coef.dtype)
        gaps = np.array([s.certificate.suboptimality for s in solutions])
        self.coef_ = coef[0] if len(coef) == 1 else coef  # a vector for one column of targets, too
        self.intercept_ = (intercept[0] if flat else intercept) if self.fit_intercept else 0.0
        self.n_iter_ = solutions[0].n_iter if flat else [s.n_iter for s in solutions]
        self.dual_gap_ = float(gaps[0]) if flat else gaps
        self.certificate_ = worst([s.certificate for s in solutions])

    @property
    def sparse_coef_(self) -> Any:
        """`coef_` as a SciPy sparse array of one row per target."""
        from scipy.sparse import csr_array

        self._require_fitted()
        return csr_array(np.atleast_2d(self.coef_))


class Lasso(ElasticNet):
    """Linear regression with an L1 penalty: few coefficients are not zero.

    Minimises::

        (1 / (2 sum_i s_i)) sum_i s_i (y_i - x_i w - b)^2 + alpha ||w||_1

    Beside the *sum* (1/2) sum_i s_i (y_i - x_i w - b)^2 of the other estimators the penalty weighs sum(s) alpha. glmnet's `lambda` is
    `alpha` here, for `standardize=FALSE` and up to its scaling of y.

    Parameters
    ----------
    alpha : float, default 1.0
        Weight of the penalty; zero is `LinearRegression`.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    precompute : bool or ndarray of shape (d, d), default False
        Accepted for scikit-learn's sake: the shape of X decides whether a Gram matrix is formed. A matrix given is compared with the data.
    copy_X : bool, default True
        Accepted for scikit-learn's sake: X is neither copied nor changed.
    max_iter : int, default 1000
        Sweeps over the coefficients, and solutions on the support, at most.
    tol : float, default 1e-4
        Where `max_iter` ends the search, a duality gap below tol ||y||^2 / sum(s) is accepted without a warning. The search itself goes on
        until the solution is exact to rounding.
    warm_start : bool, default False
        Start from the coefficients of the last fit.
    positive : bool, default False
        No coefficient may be negative.
    random_state, selection : accepted and not used
        Parameters of scikit-learn's: the order of the coefficients does not change the minimum.
    time_limit : float, optional
        Seconds after which no further step is begun: the fit ends with the best coefficients found until then, its certificate says
        "stopped_early", and it warns. The reads up to a first point are always made.
    verbose : bool or int, default False
        Show how many rows have been read while the fit runs, by tqdm where it is installed.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. The coefficients have the
        same bits for any number.

    Attributes
    ----------
    coef_ : ndarray of shape (d,) or (t, d)
    sparse_coef_ : scipy sparse array
        The same, with what is not zero alone.
    intercept_ : float or ndarray of shape (t,)
    n_iter_ : int or list of int
    dual_gap_ : float or ndarray of shape (t,)
        The proven bound on how far the objective is from its minimum, rounding included.
    certificate_ : Certificate
        `gradient_norm` is the largest entry of the smallest subgradient.
    n_features_in_, feature_names_in_

    Notes
    -----
    Cost as for `ElasticNet`: up to 300 columns one read of X and n d^2 flops, beyond that five reads or so and memory d + k^2 for k working
    columns.

    Examples
    --------
    >>> from ridgeline import Lasso
    >>> model = Lasso(alpha=0.1).fit([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0])
    >>> model.coef_.round(6), model.dual_gap_ < 1e-12
    (array([0.85]), True)
    """

    path = staticmethod(lasso_path)
    l1_ratio = 1.0

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        time_limit: float | None = None,
        verbose: bool | int = False,
        n_threads: int | None = None,
    ) -> None:
        super().__init__(
            alpha, l1_ratio=1.0, fit_intercept=fit_intercept, precompute=precompute, max_iter=max_iter, copy_X=copy_X, tol=tol,
            warm_start=warm_start, positive=positive, random_state=random_state, selection=selection, time_limit=time_limit,
            verbose=verbose, n_threads=n_threads,
        )  # fmt: skip


def _weight(source: Any) -> float:
    if isinstance(source, ArraySource):
        return float(source.weight.sum()) if source.weight.size else float(source.n_rows)
    return float(moments_of(SelectedColumns(source, np.arange(1))).weight)


def _problems(source: Source | None, moments: Any, fit_intercept: bool) -> Any:
    """A problem for each target, from moments where they are known or quicker."""
    if moments is None and source is not None and source.n_features > MODERATE:
        for k in range(source.n_targets):
            yield RowsQuadratic(source if source.n_targets == 1 else OneTarget(source, k), fit_intercept)
        return
    dtype = np.float64 if source is None else source.dtype
    if moments is None and source is not None:
        moments = double_moments(source)
    again = source if source is not None and source.rereadable else None
    equations = normal_equations(moments, 0.0, fit_intercept)
    for k in range(moments.n_targets):
        yield MomentsQuadratic(moments, fit_intercept, k, again, dtype, equations)
