"""Logistic regression, binary (the lecture's eqs. 25-29) and multinomial (eqs. 17-22)."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..blame import warn
from ..certificate import Certificate
from ..labels import (
    check_labels,
    check_probabilities,
    class_factors,
    class_shares,
    class_weights,
    classes_of,
    weighted_probabilities,
)
from ..objective import Objective
from ..solvers.batch import Batch
from ..solvers.few_labels import certificate_of_kernel, fit_few_labels, fit_groups
from ..solvers.proximal_newton import proximal_newton
from ..solvers.select import METHODS, minimise, posed
from ..sources import ArraySource, Source, require_rereadable, require_rows
from ..views import class_rows
from .base import source_names
from .classifier import REMEDY, loss_of_classes, require_two_classes, start_of_classes, targets_of_classes, without_absent
from .logistic_penalty import l1_weights, penalty_weights, warn_of_penalty
from .logistic_statistics import LogisticStatistics
from .parameters import check_choice, check_count, check_flag, check_jobs, check_number, check_random_state
from .whole import all_or_nothing

SOLVERS = ("auto", "newton", "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")


# programs filter scikit-learn's warnings by these words
NOT_CONVERGED = {
    "lbfgs": "lbfgs failed to converge. Increase the number of iterations (max_iter), or scale the columns.",
    "newton-cg": "newton-cg failed to converge. Increase the number of iterations, max_iter, or scale the columns.",
    "newton-cholesky": "Newton solver did not converge after {max_iter} iterations: raise max_iter, or scale the columns.",
    "liblinear": "Liblinear failed to converge, increase the number of iterations. max_iter says it; or scale the columns.",
    "sag": "The max_iter was reached which means the coef_ did not converge: raise it, or scale the columns.",
}
NOT_CONVERGED["saga"] = NOT_CONVERGED["sag"]


class LogisticRegression(LogisticStatistics):
    """Logistic regression: binary for two classes, multinomial (softmax) for more.

    Minimises::

        sum_i s_i l(y_i, x_i W + b) + (1 / (2 C)) ||W||^2

    with l the binary cross-entropy from logits (eq. 26) or, for c > 2 classes, the cross-entropy of the softmax (eqs. 21-22). The
    intercept is not penalised. With r = `l1_ratio` the penalty is (1 / C) ((1 - r) / 2 ||W||^2 + r ||W||_1).

    Parameters
    ----------
    C : float, default 1.0
        Inverse of the penalty's weight, as in scikit-learn; `inf` fits without a penalty.
    penalty : {"l2", "l1", "elasticnet", None}, deprecated
        As in scikit-learn: leave it, and say l1_ratio, or C=inf for None.
    l1_ratio : float from 0 to 1, default 0.0
        Share of the L1 norm in the penalty; see below.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    class_weight : dict or "balanced", optional
        Multiplies the sample weights by a weight per class; "balanced" is W / (c W_k), with W_k the weight
        of class k's rows and W that of all.
    tol : float, default 1e-8
        Largest entry of the gradient of F / (total weight), in centred and scaled columns, that counts as converged. Newton's method
        usually arrives far below it.
    max_iter : int, default 100
        Newton steps (ten times as many for L-BFGS, which serves most penalised fits of more than 250 parameters, 600 of many rows).
    solver : str, default "auto"
        "auto", "newton" or "lbfgs"; scikit-learn's other names are taken as hints, and all reach the same optimum, with an intercept
        that is not penalised.
    warm_start : bool, default False
        Start from the coefficients of the fit before, where classes and number of columns are the same.
    dual, intercept_scaling, random_state, n_jobs : accepted and not used
        Parameters of scikit-learn's: the answer is the optimum, whichever way leads there; threads are `n_threads`.
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
    classes_ : ndarray of shape (c,)
        The labels, sorted.
    coef_ : ndarray of shape (1, d) or (c, d)
        Of the second class for two, of every class for more (they sum to zero over the classes).
    intercept_ : ndarray of shape (1,) or (c,)
    n_iter_ : ndarray of shape (1,)
    certificate_ : Certificate
    n_features_in_, feature_names_in_

    Notes
    -----
    One read of X per Newton step, typically six to ten, each n m (d + 1) flops with m parameters. X is never copied.

    Examples
    --------
    >>> from ridgeline import LogisticRegression
    >>> X, y = [[-2.0], [-1.0], [1.0], [2.0], [0.5]], ["no", "no", "yes", "yes", "no"]
    >>> model = LogisticRegression().fit(X, y)
    >>> model.predict([[-3.0], [3.0]])
    array(['no', 'yes'], dtype='<U3')
    >>> model.certificate_.status
    'optimal'
    """

    _hints: ClassVar = {
        "dual": check_flag, "intercept_scaling": partial(check_number, strict=True), "random_state": check_random_state,
        "warm_start": check_flag, "n_jobs": check_jobs,
    }  # fmt: skip

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-8,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "auto",
        max_iter: int = 100,
        verbose: bool | int = False,
        warm_start: bool = False,
        n_jobs: int | None = None,
        time_limit: float | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.time_limit = time_limit
        self.n_threads = n_threads

    def _warn_deprecated(self) -> None:
        """scikit-learn's deprecations, as of its version 1.8."""
        warn_of_penalty(self.penalty, self.C, self.l1_ratio)
        if self.n_jobs is not None:
            warn(
                f"'n_jobs' has no effect since 1.8 of scikit-learn. You provided 'n_jobs={self.n_jobs}': leave it out; the number of "
                "threads is n_threads.",
                FutureWarning,
            )

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,) or (n, c)
            Labels of any type that sorts: numbers, strings, booleans. Or the probabilities of c >= 2 classes in each row, with the sum 1
            (eq. 22 with such y_k): the classes are then 0, ..., c - 1.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinity, shapes that do not match, negative or all-zero weights, and a single class; the message names the
            argument and the first offending position. Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status` is not "optimal": separated classes, for one, have no finite optimum without a penalty.
        """
        self._options()
        self._warn_deprecated()
        matrix, weight, names = self._fit_input(X, sample_weight)
        soft = check_probabilities(y, len(matrix))
        if soft is not None:
            return self._fit_probabilities(matrix, soft, weight, names)
        classes, codes = check_labels(y, len(matrix))
        given, weight = weight, class_weights(self.class_weight, classes, codes, weight)
        share = class_shares(codes, weight, len(classes))
        source = self._checked(matrix, targets_of_classes(codes, len(classes)), weight, names)
        self._fit_codes(source, classes, share, names)
        self._keep_few_rows(matrix, codes, given)
        self.certificate_.warn()
        return self

    def _fit_probabilities(self, matrix: Any, soft: np.ndarray, weight: np.ndarray, names: np.ndarray | None) -> Self:
        """Fit targets that are probabilities."""
        soft, weight = weighted_probabilities(self.class_weight, soft, weight)
        classes = np.arange(soft.shape[1])
        share = weight @ soft if weight.size else soft.sum(axis=0)
        source = self._checked(matrix, np.ascontiguousarray(soft[:, 1]) if len(classes) == 2 else soft, weight, names)
        self._fit_codes(source, classes, share, names, soft=True)
        self.certificate_.warn()
        return self

    def fit_groups(self, X: Any, y: np.ndarray, weight: np.ndarray, starts: np.ndarray) -> Batch | None:
        l2, l1, tol, max_iter, solver = self._options()
        fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        if l1 or self.class_weight is not None or solver == "lbfgs" or self.verbose or self.time_limit is not None:
            return None
        return fit_groups(X, y, weight, starts, l2, fit_intercept, tol, max_iter)

    def certificate_of_kernel(
        self, n_features: int, figures: tuple[float, float, float], n_iter: int, passes: int
    ) -> Certificate:
        return certificate_of_kernel(n_features, figures, n_iter, passes)

    def restore(self, coef: np.ndarray, intercept: Any, n_iter: int, certificate: Certificate, classes: np.ndarray | None) -> None:
        assert classes is not None
        self.classes_, self.certificate_ = classes, certificate
        self._memory = self._few_rows = None
        self.coef_, self.intercept_ = coef[None, :], np.array([intercept])
        self.n_iter_ = np.array([n_iter], dtype=np.int32)
        self.n_features_in_ = len(coef)

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Fit the rows of a source (`ridgeline.source`), whose targets are labels: whole numbers, or names.

        Offsets, where the source has them, are added to the log-odds of the second of two classes.

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
            For NaN, infinity and damaged files, with their place, and for a single class. Nothing fitted before is changed.
        TypeError
            For rows that come only once.

        Notes
        -----
        One read of the targets, to know the classes; then as `fit`, each of whose reads is a pass over the source.
        """
        self._options()
        self._warn_deprecated()
        require_rereadable(source)
        classes, values, share = classes_of(source)
        require_rows(share.sum())
        if source.schema.offset and len(classes) != 2:
            raise ValueError(f"offsets serve two classes, and there are {len(classes)}.")
        factors = class_factors(self.class_weight, classes, share)
        rows = class_rows(source, values, factors)
        self._fit_codes(rows, classes, share * factors if factors.size else share, source_names(source))
        self.certificate_.warn()
        return self

    def _options(self) -> tuple[float, float, float, int, str]:
        """The weights of the penalty, `tol`, `max_iter` and `solver`, checked."""
        self._check_hints()
        l2, l1 = penalty_weights(self.penalty, self.C, self.l1_ratio)
        tol, max_iter = check_number(self.tol, "tol"), check_count(self.max_iter, "max_iter", low=0)
        solver = check_choice(self.solver, "solver", SOLVERS)
        return l2, l1, tol, max_iter, solver if solver in METHODS else "auto"

    def _fit_codes(
        self, source: Source, classes: np.ndarray, share: np.ndarray, names: np.ndarray | None, soft: bool = False
    ) -> None:
        """Fit a source of class codes (or, `soft`, probabilities), `share` the weight of the rows of each."""
        l2, l1, tol, max_iter, solver = self._options()
        require_two_classes(classes, share)
        c, fit_intercept = len(classes), check_flag(self.fit_intercept, "fit_intercept")
        with self._watched():
            best = None
            plain = solver != "lbfgs" and not (l1 or soft or self.verbose or self.warm_start)
            if c == 2 and isinstance(source, ArraySource) and plain:
                best = fit_few_labels(source, l2, fit_intercept, tol, max_iter)
            if best is None:
                pose = Objective if l1 or solver == "lbfgs" else posed
                objective = pose(source, loss_of_classes(c), l2, fit_intercept)
                start = self._start(objective, share, classes) if max_iter else np.zeros(objective.size)
                remedy = NOT_CONVERGED.get(self.solver, REMEDY).format(max_iter=max_iter)
                if l1:
                    coordinates = objective.coordinates
                    weights = l1_weights(l1, coordinates.scale, objective.loss.outputs, coordinates.width)
                    best = proximal_newton(objective, weights, start, tol=tol, max_iter=max_iter, remedy=remedy)
                else:
                    best = minimise(objective, start, tol=tol, max_iter=max_iter, solver=solver, remedy=remedy)
        self.classes_ = classes
        self.coef_ = best.coef
        self.intercept_ = best.intercept
        self.n_iter_ = np.array([best.n_iter], dtype=np.int32)
        self.certificate_ = without_absent(best.certificate, classes, share, fit_intercept)
        self._memory = self._few_rows = None
        self._remember_columns(source.n_features, names)

    def _start(self, objective: Objective, share: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """The last coefficients with `warm_start`, where they are of the same columns and classes; else those of the shares."""
        coef = getattr(self, "coef_", None) if self.warm_start else None
        shape = objective.loss.outputs, objective.source.n_features
        if coef is None or coef.shape != shape or not np.array_equal(classes, self.classes_):
            return start_of_classes(objective, share)
        intercept = self.intercept_ if objective.coordinates.fit_intercept else np.zeros(len(coef))
        return objective.coordinates.internal(coef.astype(np.float64), np.asarray(intercept, np.float64)).ravel()
