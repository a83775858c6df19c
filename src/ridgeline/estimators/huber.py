"""Huber regression: squared for small residuals, absolute for large ones."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from ..solvers.robust import solve_huber, solve_scaled_huber
from ..solvers.select import Minimum
from ..sources import Source, require_rereadable
from ..validation import check_targets
from ..views import regression_rows
from .base import Regressor, source_names
from .parameters import check_count, check_flag, check_number
from .whole import all_or_nothing


class HuberRegressor(Regressor):
    """Linear regression with Huber's loss, robust to outliers in y.

    Minimises, over w, b and sigma > 0::

        sum_i s_i (sigma + h((y_i - x_i w - b) / sigma) sigma) + alpha ||w||^2
        h(u) = u^2 where |u| <= epsilon, else 2 epsilon |u| - epsilon^2

    or, with `delta` given, at that fixed threshold::

        sum_i s_i huber_delta(y_i - x_i w - b) + (alpha / 2) ||w||^2

    Parameters
    ----------
    epsilon : float, at least 1, default 1.35
        Residuals beyond epsilon scales count as outliers; 1.35 keeps 95 % efficiency on Gaussian errors (Huber 1981).
    max_iter : int, default 100
        Newton steps at most.
    alpha : float, default 0.0001
        Weight of the squared penalty, as in scikit-learn.
    warm_start : bool, default False
        Accepted for scikit-learn's sake: every fit starts from its own least squares.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    tol : float, default 1e-8
        Largest entry of the gradient of F / (total weight), in centred and scaled columns, that counts as converged.
    delta : float, optional
        A fixed threshold in units of y, in place of epsilon times a fitted scale.
    time_limit : float, optional
        Seconds after which no read of the rows is begun or completed: the fit ends with the best coefficients found until then, its
        certificate says "stopped_early", and it warns. The reads up to a first point are always made.
    verbose : bool or int, default False
        Show reads, risk, gradient and time while the fit runs, by tqdm where it is installed, else on standard error.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand. The coefficients have the
        same bits for any number.

    Attributes
    ----------
    coef_ : ndarray of shape (d,)
    intercept_ : float
    scale_ : float
        The fitted scale sigma (1 with `delta`).
    outliers_ : ndarray of bool, shape (n,)
        Rows whose residual is beyond the threshold.
    n_iter_ : int
    certificate_ : Certificate
        Of half the first objective, or of the second.
    n_features_in_, feature_names_in_

    Notes
    -----
    Newton: one read of X and n d^2 flops per step, about ten steps. Of many rows in arrays the steps are made on samples and on the rows
    near the threshold (8 bytes of memory for each), and X is read about five times, once with n d^2 flops.

    Examples
    --------
    >>> from ridgeline import HuberRegressor
    >>> model = HuberRegressor(alpha=0, delta=1.0).fit([[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 30.0, 2.0, 3.0, 4.0])
    >>> model.outliers_, model.coef_.round(3)
    (array([False,  True, False, False, False]), array([0.857]))
    """

    _hints: ClassVar = {"warm_start": check_flag}

    _no_table = (
        "{name} has no table of standard errors: they rest on the shape of the errors beyond the corner (Huber 1981, Robust Statistics, "
        "7.6), and none is built here. Measure how the fit varies by refitting resampled rows (the bootstrap)."
    )

    def __init__(
        self,
        *,
        epsilon: float = 1.35,
        max_iter: int = 100,
        alpha: float = 0.0001,
        warm_start: bool = False,
        fit_intercept: bool = True,
        tol: float = 1e-8,
        delta: float | None = None,
        time_limit: float | None = None,
        verbose: bool | int = False,
        n_threads: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.delta = delta
        self.time_limit = time_limit
        self.verbose = verbose
        self.n_threads = n_threads

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,)
            Targets.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinity, shapes that do not match, and negative or all-zero weights. Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status` is not "optimal".
        """
        self._options()
        matrix, weight, names = self._fit_input(X, sample_weight)
        y = check_targets(y, len(matrix), multi=False, warn=True)
        best, threshold, scale = self._minimise(self._checked(matrix, y, weight, names))
        self._store(best, scale, matrix.shape[1], names)
        self.outliers_ = np.abs(y - self._linear(matrix, best.coef[0], best.intercept[0])) > threshold
        best.certificate.warn()
        return self

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Fit the rows of a source (`ridgeline.source`): about ten reads. Offsets are taken off the targets; `outliers_` is not kept.

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
        TypeError
            For rows that come only once.
        """
        self._options()
        require_rereadable(source)
        best, _, scale = self._minimise(regression_rows(source))
        self._store(best, scale, source.n_features, source_names(source))
        if hasattr(self, "outliers_"):
            del self.outliers_
        best.certificate.warn()
        return self

    def _options(self) -> tuple[float, float, float, int]:
        """`epsilon`, `alpha`, `tol` and `max_iter`, checked."""
        self._check_hints()
        alpha, tol = check_number(self.alpha, "alpha"), check_number(self.tol, "tol")
        max_iter, epsilon = check_count(self.max_iter, "max_iter"), check_number(self.epsilon, "epsilon", low=1.0)
        return epsilon, alpha, tol, max_iter

    def _minimise(self, source: Source) -> tuple[Minimum, float, float]:
        """The minimum, the threshold and the scale."""
        epsilon, alpha, tol, max_iter = self._options()
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        delta = None if self.delta is None else check_number(self.delta, "delta", strict=True)
        with self._watched():
            if delta is None:
                best, scale = solve_scaled_huber(source, epsilon, alpha, fit_intercept, tol=tol, max_iter=max_iter)
                return best, epsilon * scale, scale
            best = solve_huber(source, delta, alpha, fit_intercept, tol=tol, max_iter=max_iter)
            return best, delta, 1.0

    def _store(self, best: Minimum, scale: float, n_features: int, names: np.ndarray | None) -> None:
        self.coef_ = best.coef[0]
        self.intercept_ = best.intercept[0] if self.fit_intercept else 0.0
        self.scale_ = scale
        self.n_iter_ = best.n_iter
        self.certificate_ = best.certificate
        self._remember_columns(n_features, names)
