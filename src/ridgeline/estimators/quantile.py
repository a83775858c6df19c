"""Quantile regression; the median (quantile 0.5) is the lecture's absolute loss."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..sources import ArraySource, Source, require_rows
from ..sources.spool import by_number
from ..validation import check_targets
from ..views import regression_rows
from .base import Regressor, source_names
from .parameters import check_choice, check_count, check_flag, check_number, check_options
from .whole import all_or_nothing

SOLVERS = ("highs", "highs-ds", "highs-ipm", "interior-point", "revised simplex")


class QuantileRegressor(Regressor):
    """Linear regression of a conditional quantile.

    Minimises::

        (1 / sum_i s_i) sum_i s_i rho(y_i - x_i w - b) + alpha ||w||_1,   rho(r) = max(q r, (q - 1) r)

    For q = 0.5 half the absolute loss: least absolute deviations.

    Parameters
    ----------
    quantile : float in (0, 1), default 0.5
        The q whose quantile of y is fitted, as a linear function of x.
    alpha : float, default 1.0
        Weight of the L1 penalty beside the *mean* loss, as in scikit-learn.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    solver : str, default "highs"
        A name of scikit-learn's, taken as a hint: the interior point serves all.
    solver_options : dict, optional
        Accepted for scikit-learn's sake.
    tol : float, default 1e-10
        Relative duality gap that counts as optimal; an exact vertex closes it altogether.
    max_iter : int, default 100
        Steps of the interior point at most.
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
    coef_ : ndarray of shape (d,)
    intercept_ : float
    n_iter_ : int
    certificate_ : Certificate
        `gradient_norm` is the largest entry of X'v, v the dual solution; `suboptimality` the duality gap.
    n_features_in_, feature_names_in_

    Notes
    -----
    Each step of the interior point reads X twice and takes n d^2 flops; some twenty numbers per row are kept beside X.

    Examples
    --------
    >>> from ridgeline import QuantileRegressor
    >>> model = QuantileRegressor(alpha=0).fit([[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 1.0, 2.0, 3.0, 40.0])
    >>> model.coef_.round(6), float(round(model.intercept_, 6))
    (array([1.]), 0.0)
    """

    _hints: ClassVar = {"solver": partial(check_choice, choices=SOLVERS), "solver_options": check_options}

    _no_table = (
        "{name} has no table of standard errors: they rest on the density of the errors at the quantile (Koenker and Bassett 1978), which "
        "no fit knows. Measure how the fit varies by refitting resampled rows (the bootstrap)."
    )

    def __init__(
        self,
        *,
        quantile: float = 0.5,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "highs",
        solver_options: dict[str, Any] | None = None,
        tol: float = 1e-10,
        max_iter: int = 100,
        time_limit: float | None = None,
        verbose: bool | int = False,
        n_threads: int | None = None,
    ) -> None:
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.solver_options = solver_options
        self.tol = tol
        self.max_iter = max_iter
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
        source = self._checked(matrix, check_targets(y, len(matrix), multi=False, warn=True), weight, names)
        self._fit_rows(source, names)
        self.certificate_.warn()
        return self

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Fit the rows of a source (`ridgeline.source`). Offsets are taken off the targets.

        The interior point asks for single rows, so that rows which are neither in memory nor in a `.npy` file are first written to an
        unnamed temporary file, as `spool=True` does; targets and a handful of other numbers per row are held in memory.

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
        OSError
            Where the temporary file does not fit on the disk.
        """
        self._options()
        rows = regression_rows(source)
        self._fit_rows(by_number(rows), source_names(source))
        self.certificate_.warn()
        return self

    def _options(self) -> tuple[float, float, float, int]:
        """The quantile, `alpha`, `tol` and `max_iter`, checked."""
        self._check_hints()
        tau = check_number(self.quantile, "quantile", strict=True, high=1.0)
        alpha = check_number(self.alpha, "alpha")
        return tau, alpha, check_number(self.tol, "tol"), check_count(self.max_iter, "max_iter")

    def _fit_rows(self, source: ArraySource, names: np.ndarray | None) -> None:
        from ..solvers.quantile import solve_quantile  # needs SciPy, which prediction does not

        tau, alpha, tol, max_iter = self._options()
        total = float(source.weight.sum()) if source.weight.size else float(source.n_rows)
        require_rows(total)
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        with self._watched():
            coef, intercept, n_iter, certificate = solve_quantile(
                source, tau, alpha * total, fit_intercept, tol=tol, max_iter=max_iter
            )
        self.coef_ = coef
        self.intercept_ = intercept if self.fit_intercept else 0.0
        self.n_iter_ = n_iter
        self.certificate_ = certificate
        self._remember_columns(source.n_features, names)
