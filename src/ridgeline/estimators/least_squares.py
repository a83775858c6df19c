"""Least squares and ridge regression (the lecture's eqs. 8-14)."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..certificate import Certificate
from ..moments import Moments, moments_of, require_moments
from ..solvers.batch import Batch
from ..solvers.dual import solve_dual
from ..solvers.eigen import eigenvalues
from ..solvers.few_rows import certificate_of_kernel, fit_few_rows, fit_groups
from ..solvers.least_squares import SMALL, LinearSolution, solve
from ..solvers.nonnegative import solve_nonnegative
from ..solvers.wide import solve_wide, wide
from ..solvers.without_moments import METHODS as WITHOUT_MOMENTS
from ..solvers.without_moments import solve_without_moments
from ..sources import ArraySource, Source, require_rows
from ..sparse_rows import is_sparse
from ..validation import as_real_array, check_targets
from ..views import regression_rows
from .base import source_names
from .least_squares_statistics import LeastSquaresStatistics
from .parameters import check_choice, check_flag, check_jobs, check_number, check_optional_count, check_random_state
from .whole import all_or_nothing

SMALL_WIDTH = 64
"""Columns up to which moments serve even where the rows are fewer: they are as cheap, and refined to the last digit."""


RIDGE_SOLVERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs")


class _LeastSquares(LeastSquaresStatistics):
    """Fitting a squared loss from rows, from a source, from moments, or in parts."""

    fit_intercept: bool
    positive: bool
    n_threads: int | None
    _moments: Any
    _multi_output = True
    _column_is_vector = False
    """Whether one column of targets leaves `coef_` a vector."""
    _without_moments: ClassVar = False
    """Whether a fit may do without moments in double, and so without what they give beside the coefficients."""

    def _plain_alpha(self) -> Any:
        """The penalty as it was given."""
        return 0.0

    def _options(self) -> bool:
        """`fit_intercept`, checked with all that the number of targets does not enter."""
        self._check_hints()
        check_flag(self.positive, "positive")
        return check_flag(self.fit_intercept, "fit_intercept")

    def _alphas(self, n_targets: int) -> np.ndarray:
        raise NotImplementedError

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,) or (n, t)
            Targets, one or t of them per row.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.

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

        Notes
        -----
        n >= d: one read of X, n d^2 + d^3 / 3 flops (nearly dependent columns: a few reads more). n < d: n^2 d + n^3 / 3 flops,
        and memory n^2 instead of d^2. Ridge of one target with hundreds of columns and several times the rows: the products in single
        precision, half the time, and three or four reads more in double, where the condition allows it; with thousands of nearly
        independent columns conjugate gradients, some thirty reads and no d^2 at all. X is never copied.
        """
        self._options()
        if sample_weight is None and self._fit_few_rows(X, y):
            return self
        matrix, weight, names = self._fit_input(X, sample_weight)
        targets = check_targets(y, len(matrix))
        self.fit_rows(self._checked(matrix, targets, weight, names))
        self._weighted = weight.size > 0
        if isinstance(matrix, np.ndarray) and matrix.size <= SMALL and not np.any(self._plain_alpha()):
            self._few_rows = ArraySource(matrix.copy(), targets.copy(), weight.copy())
        self._remember_columns(matrix.shape[1], names)
        self.certificate_.warn()
        return self

    def _fit_few_rows(self, X: Any, y: Any) -> bool:
        """Whether this is a plain fit of few rows, which then is done."""
        plain = self.n_threads is None and not self.positive
        few = fit_few_rows(X, y, self._plain_alpha(), self.fit_intercept) if plain else None
        if few is None:
            return False
        best, self._moments = few
        self._weighted, self._few_rows = False, None
        self.coef_ = best.coef[0]
        self.intercept_ = best.intercept[0] if self.fit_intercept else 0.0
        self.certificate_ = best.certificate
        self.rank_ = best.rank
        self._remember_columns(len(self.coef_), None)
        return True

    def fit_groups(self, X: Any, y: np.ndarray, weight: np.ndarray, starts: np.ndarray) -> Batch | None:
        fit_intercept, alpha = self._options(), float(self._alphas(1)[0])
        return None if self.positive else fit_groups(X, y, weight, starts, alpha, fit_intercept)

    def certificate_of_kernel(
        self, n_features: int, figures: tuple[float, float, float], n_iter: int, passes: int
    ) -> Certificate:
        return certificate_of_kernel(n_features, *figures)

    def restore(self, coef: np.ndarray, intercept: Any, n_iter: int, certificate: Certificate, classes: np.ndarray | None) -> None:
        self.coef_, self.intercept_, self.certificate_ = coef, intercept if self.fit_intercept else 0.0, certificate
        self.rank_ = self.n_features_in_ = len(coef)
        self._moments = self._few_rows = None

    @all_or_nothing
    def fit_rows(self, source: ArraySource, moments: Any = None) -> Self:
        """Fit checked rows, whose moments may be known; neither names nor a warning."""
        n, d = source.X.shape
        alphas = self._alphas(source.n_targets)
        if moments is None and not self.positive and self._without_moments:
            found = solve_without_moments(source, float(alphas[0]), check_flag(self.fit_intercept, "fit_intercept"))
            if found is not None:
                self._store([found], None, flat=True)
                self.n_features_in_ = d
                return self
        if moments is None and not self.positive and wide(source):
            solutions = solve_wide(source, alphas, check_flag(self.fit_intercept, "fit_intercept"))
        elif moments is None and n < d and d > SMALL_WIDTH and not self.positive:
            source.check_finite()
            solutions = solve_dual(source, alphas, check_flag(self.fit_intercept, "fit_intercept"))
        else:
            moments = moments_of(source) if moments is None else moments
            solutions = self._solve(moments, alphas, source, source.dtype)
        self._store(solutions, moments, source.y.ndim == 1)
        self.n_features_in_ = d
        return self

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Fit the rows of a source (`ridgeline.source`): one pass; more only where the columns are nearly dependent.

        Rows that come only once are fitted from their moments, as in `fit_moments`. Offsets are taken off the targets.

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
        self.fit_known(rows, moments_of(rows))
        self._remember_columns(rows.n_features, source_names(source))
        self.certificate_.warn()
        return self

    @all_or_nothing
    def fit_known(self, rows: Source | None, moments: Any) -> Self:
        """Fit rows of a source whose moments are known, or moments alone; neither names nor a warning."""
        require_rows(moments.weight)
        again = rows if rows is not None and rows.rereadable else None
        dtype = np.float64 if rows is None else rows.dtype
        self._store(self._solve(moments, self._alphas(moments.n_targets), again, dtype), moments, moments.n_targets == 1)
        self.n_features_in_ = moments.n_features
        return self

    @all_or_nothing
    def fit_moments(self, moments: Moments) -> Self:
        """Fit from moments alone, without any row: exact, d^3 / 3 flops.

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
        self.fit_known(None, moments)
        self._remember_columns(moments.n_features, None)
        self.certificate_.warn()
        return self

    @all_or_nothing
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Add rows to those fitted so far: exactly the fit of all of them together.

        Starts afresh on an estimator that has not been fitted with moments (by `fit` with n >= d, `fit_moments` or `partial_fit`).

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows that have not been added before.
        y : array-like of shape (n,) or (n, t)
            Targets.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the last fit was one of many columns by conjugate gradients or a Gram in single precision (`certificate_.solver` says so),
            which keeps no moments in double.
        """
        matrix, weight, names = self._fit_input(X, sample_weight)
        source = self._checked(matrix, check_targets(y, len(matrix)), weight, names)
        moments, weighted = moments_of(source), weight.size > 0
        if hasattr(self, "certificate_") and self.certificate_.solver in WITHOUT_MOMENTS:
            raise ValueError(
                "the last fit kept no moments to add rows to (it had many columns): call partial_fit for all rows, "
                "or fit_moments(Moments.of(X, y)) before it."
            )
        if getattr(self, "_moments", None) is not None:
            self._check_columns(matrix.shape[1], names)
            if moments.n_targets != self._moments.n_targets:
                raise ValueError(f"y has {moments.n_targets} targets per row, but the rows so far had {self._moments.n_targets}.")
            moments = self._moments + moments
            weighted = weighted or self._weighted
        alphas = self._alphas(moments.n_targets)
        self._store(self._solve(moments, alphas, None, source.dtype), moments, source.y.ndim == 1)
        self._weighted = weighted
        self._remember_columns(matrix.shape[1], names)
        self.certificate_.warn()
        return self

    def _solve(
        self, moments: Any, alphas: np.ndarray, source: Source | None, dtype: Any = np.float64
    ) -> list[LinearSolution]:
        """One solution per distinct penalty, covering the targets in order."""
        options = {"fit_intercept": check_flag(self.fit_intercept, "fit_intercept"), "source": source, "dtype": dtype}
        if check_flag(self.positive, "positive"):
            each = {alpha: solve_nonnegative(moments, alpha, **options) for alpha in dict.fromkeys(alphas.tolist())}
            return [each[alpha][k] for k, alpha in enumerate(alphas.tolist())]
        every = {alpha: solve(moments, alpha, **options) for alpha in dict.fromkeys(alphas.tolist())}
        if len(every) == 1:
            return list(every.values())
        return [every[alpha].target(k) for k, alpha in enumerate(alphas.tolist())]

    def _store(self, solutions: list[LinearSolution], moments: Any, flat: bool) -> None:
        coef = np.concatenate([s.coef for s in solutions])
        intercept = np.concatenate([s.intercept for s in solutions])
        self.coef_ = coef[0] if flat or (self._column_is_vector and len(coef) == 1) else coef
        if self.fit_intercept:
            self.intercept_ = intercept[0] if flat else intercept
        else:
            self.intercept_ = 0.0
        self.certificate_ = max((s.certificate for s in solutions), key=lambda c: (c.status != "optimal", c.condition))
        self.rank_ = min(s.rank for s in solutions)
        self._moments, self._weighted, self._few_rows = moments, True, None


class LinearRegression(_LeastSquares):
    """Ordinary least squares (the lecture's eqs. 8-11).

    Minimises::

        (1/2) sum_i s_i (y_i - x_i w - b)^2

    Parameters
    ----------
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    copy_X, tol, n_jobs : accepted and not used
        Parameters of scikit-learn's: X is never written to, the answer is exact, and threads are `n_threads`.
    positive : bool, default False
        Coefficients of zero or more.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. The coefficients have the
        same bits for any number.

    Attributes
    ----------
    coef_ : ndarray of shape (d,) or (t, d)
    intercept_ : float or ndarray of shape (t,)
    rank_ : int
        Rank of the (centred) columns. Where it is less than d, the smallest of the solutions is returned, with a warning.
    singular_ : ndarray of shape (min(n, d),)
        Singular values of the (centred, weighted) columns.
    certificate_ : Certificate
    n_features_in_, feature_names_in_

    Notes
    -----
    The same coefficients as scikit-learn's `LinearRegression`; where the columns are nearly dependent, more of their digits.

    Examples
    --------
    >>> from ridgeline import LinearRegression
    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_, model.intercept_
    (array([2.]), np.float64(1.0))
    """

    _hints: ClassVar = {"copy_X": check_flag, "tol": check_number, "n_jobs": check_jobs}

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
        n_threads: int | None = None,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive
        self.n_threads = n_threads

    def _alphas(self, n_targets: int) -> np.ndarray:
        return np.zeros(n_targets)

    @property
    def singular_(self) -> np.ndarray:
        """Singular values of the (centred, weighted) columns, from the largest down."""
        self._require_fitted()
        if self._moments is None:
            raise AttributeError("singular_ is not kept for fits with fewer rows than columns.")
        m, d = self._moments, self.n_features_in_
        S = m.scatter[:d, :d]
        if not self.fit_intercept:
            S = S + m.weight * np.outer(m.mean[:d], m.mean[:d])
        return np.sqrt(np.maximum(eigenvalues(S)[::-1], 0))[: min(m.count, d)]


class Ridge(_LeastSquares):
    """Ridge regression (the lecture's eqs. 12-14).

    Minimises::

        sum_i s_i (y_i - x_i w - b)^2 + alpha ||w||^2

    Parameters
    ----------
    alpha : float or array-like of shape (t,), default 1.0
        Weight of the penalty, as in scikit-learn; one per target if an array. The lecture's closed form
        (X'X + lambda I)^-1 X'y is `alpha=lambda`; the minimiser of its regularised mean, (1/n)||y - Xw||^2 + (lambda/2)||w||^2,
        is `alpha=n * lambda / 2`.
    fit_intercept : bool, default True
        The intercept is never penalised.
    copy_X, max_iter, tol, random_state : accepted and not used
        Parameters of scikit-learn's: X is never written to, the answer is exact, and nothing is drawn by chance.
    solver : str, default "auto"
        "auto" or a name of scikit-learn's, which is taken as a hint: the shape and the condition of the data decide. What scikit-learn
        refuses with a solver (`positive`, an intercept for sparse X) is refused with its name.
    positive : bool, default False
        Coefficients of zero or more.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. The coefficients have the
        same bits for any number.

    Attributes
    ----------
    coef_ : ndarray of shape (d,) or (t, d)
        A vector for one column of targets too, as in scikit-learn.
    intercept_ : float or ndarray of shape (t,)
    solver_ : str
        The solver that was asked for.
    n_iter_ : ndarray of shape (t,)
        One for each target: the solution is direct.
    certificate_ : Certificate
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> from ridgeline import Ridge
    >>> model = Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6), float(round(model.intercept_, 6))
    (array([1.333333]), 1.666667)
    """

    _without_moments = True

    _hints: ClassVar = {
        "copy_X": check_flag, "max_iter": check_optional_count, "tol": check_number, "solver": partial(check_choice, choices=RIDGE_SOLVERS),
        "random_state": check_random_state,
    }  # fmt: skip

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.n_threads = n_threads

    def _plain_alpha(self) -> Any:
        return self.alpha

    def _alphas(self, n_targets: int) -> np.ndarray:
        if np.ndim(self.alpha) == 0:
            return np.full(n_targets, check_number(self.alpha, "alpha"))
        alphas = as_real_array(self.alpha, "alpha").ravel().tolist()
        if len(alphas) != n_targets:
            raise ValueError(f"Number of targets and number of penalties do not correspond: {len(alphas)} != {n_targets}.")
        return np.array([check_number(a, "alpha") for a in alphas])

    _column_is_vector = True

    def _options(self) -> bool:
        if self.positive and self.solver not in ("auto", "lbfgs"):
            raise ValueError(
                f"solver={self.solver!r} does not support positive fitting, in scikit-learn: leave it 'auto', or set positive=False."
            )
        return super()._options()

    def _fit_input(self, X: Any, sample_weight: Any) -> Any:
        if self.fit_intercept and self.solver in ("saga", "svd", "cholesky") and is_sparse(X):
            raise ValueError(
                f"solver={self.solver!r} does not support an intercept for sparse X, in scikit-learn: leave it 'auto'."
            )
        return super()._fit_input(X, sample_weight)

    @property
    def solver_(self) -> str:
        """The solver that was asked for; `certificate_.solver` says what was done."""
        self._require_fitted()
        return self.solver

    @property
    def n_iter_(self) -> np.ndarray:
        """One for each target: the solution is direct."""
        self._require_fitted()
        return np.ones(self.coef_.size // self.n_features_in_, dtype=np.int32)
