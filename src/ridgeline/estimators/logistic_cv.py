"""Logistic regression that chooses its penalty by cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..folds import DEFAULT_FOLDS, Split, check_folds, given_splits, is_count, stratified_splits
from ..labels import check_labels, class_factors, class_shares, class_weights, classes_of
from ..objective import Objective
from ..solvers.penalty_path import penalty_path
from ..solvers.proximal_newton import proximal_newton
from ..solvers.select import Minimum, minimise
from ..sources import ArraySource, Source, require_rereadable
from ..sources.spool import by_number
from ..validation import as_real_array
from ..views import ClassCodes
from .base import source_names
from .classifier import REMEDY, LinearClassifier, loss_of_classes, require_two_classes, start_of_classes, targets_of_classes, without_absent
from .logistic import SOLVERS, LogisticRegression
from .logistic_penalty import l1_weights, warn_of_penalty
from .parameters import check_choice, check_count, check_flag, check_number
from .routing import Routed, Router
from .scoring import Scorer, accuracies, scorer_of, told_of
from .whole import all_or_nothing


class LogisticRegressionCV(Router, LinearClassifier):
    """Logistic regression with the best of several penalties.

    Minimises::

        sum_i s_i l(y_i, x_i W + b) + (1 / (2 C)) ||W||^2,  with the C that predicts left-out rows best

    Parameters
    ----------
    Cs : int or array-like of shape (k,), default 10
        Values to try, or how many, evenly spaced in the logarithm from 1e-4 to 1e4.
    l1_ratios : array-like, optional
        Shares of the L1 norm in the penalty to try, from 0 to 1, of which `LogisticRegression` has one; None for the square alone.
        Where they are given, the arrays below have an axis for them, as in scikit-learn.
    fit_intercept : bool, default True
        Whether to fit an intercept, which is never penalised.
    cv : int, iterable or splitter, optional
        A number of folds (None: 5), which have the classes in proportion; an iterable gives pairs (rows to fit, rows to score); a splitter
        has `split(X, y)`.
    scoring : callable or str, optional
        How predictions are scored, larger being better: a scikit-learn scorer, its name (needs scikit-learn), or any function
        `scorer(estimator, X, y)` (with `sample_weight=` where there are weights). None: the accuracy.
    tol : float, default 1e-8
        Largest entry of the gradient of F / (total weight), in centred and scaled columns, that counts as converged.
    max_iter : int, default 100
        Steps for each C.
    class_weight : dict or "balanced", optional
        Multiplies the sample weights by a weight per class, as in `LogisticRegression`.
    refit : bool, default True
        Fit all rows with the C of the best mean score. Otherwise coefficients and C are means over the folds of the best in each.
    use_legacy_attributes : bool, default True
        The form of the attributes below, as scikit-learn has it.
    dual, penalty, solver, n_jobs, intercept_scaling, random_state : accepted
        Parameters of scikit-learn's, with the meaning they have in `LogisticRegression`.
    time_limit : float, optional
        Seconds after which no read of the rows is begun or completed; the limit is for the last fit.
    verbose : bool or int, default False
        Show reads, risk, gradient and time while the fit runs.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.

    Attributes
    ----------
    classes_, coef_, intercept_, n_features_in_, feature_names_in_
        As for `LogisticRegression`.
    Cs_ : ndarray of shape (k,)
    C_, l1_ratio_ : ndarray of shape (1,) or (c,), the same for all classes; else a float
    l1_ratios_ : ndarray of shape (ratios,)
    scores_ : dict of label to ndarray of shape (folds, k[, ratios]); else ndarray of shape (folds, ratios, k)
        The label of the second of two classes; all labels, with the same scores, for more.
    coefs_paths_ : dict of label to ndarray of shape (folds, k[, ratios], d + 1); else (folds, ratios, k, 1 or c, d + 1)
        Coefficients, then the intercept (if one is fitted).
    n_iter_ : ndarray of shape (1, folds, k[, ratios]); else (folds, ratios, k)
    certificate_ : Certificate
        Of the last fit; with `refit=False` there is none.

    Notes
    -----
    In each fold a path of the penalties from the strongest to the weakest: one to four reads of X per C. Rows left out have no weight, so
    that X is not copied. The coefficients have the same bits for any number of threads.

    Examples
    --------
    >>> from ridgeline import LogisticRegressionCV
    >>> X, y = [[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]], [0, 0, 1, 0, 1, 1]
    >>> model = LogisticRegressionCV(Cs=[0.01, 1.0, 100.0], cv=3).fit(X, y)
    >>> float(model.C_[0]), model.scores_[1].mean(axis=0).round(2).tolist()
    (0.01, [0.67, 0.67, 0.67])
    """

    _scores_by_scorer = True
    _hints: ClassVar = {
        **{name: check for name, check in LogisticRegression._hints.items() if name != "warm_start"},
        "penalty": partial(check_choice, choices=("deprecated", "l1", "l2", "elasticnet")),
        "solver": partial(check_choice, choices=SOLVERS),
    }  # fmt: skip

    def __init__(
        self,
        *,
        Cs: Any = 10,
        l1_ratios: Any = None,
        fit_intercept: bool = True,
        cv: Any = None,
        dual: bool = False,
        penalty: str = "deprecated",
        scoring: Any = None,
        solver: str = "auto",
        tol: float = 1e-8,
        max_iter: int = 100,
        class_weight: Any = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
        refit: bool = True,
        intercept_scaling: float = 1.0,
        random_state: Any = None,
        use_legacy_attributes: bool = True,
        time_limit: float | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes
        self.time_limit = time_limit
        self.n_threads = n_threads

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose C and fit with it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows. float64 and float32 are read as they lie in memory; anything else is converted block by block.
        y : array-like of shape (n,)
            Targets.
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
            For options out of range, and all that `LogisticRegression.fit` refuses. Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status` is not "optimal".
        """
        self._check_options()
        matrix, weight, names = self._fit_input(X, sample_weight)
        classes, codes = check_labels(y, len(matrix))
        counted = class_weights(self.class_weight, classes, codes, weight)
        source = self._checked(matrix, targets_of_classes(codes, len(classes)), counted, names)
        require_two_classes(classes, class_shares(codes, counted, len(classes)))
        routed = self._route("fit", weight if weight.size else None, params)
        self._search(source, classes, codes, self._splits(X, y, codes, routed.split), routed)
        self._remember_columns(matrix.shape[1], names)
        return self

    @all_or_nothing
    def fit_source(self, source: Source) -> Self:
        """Choose C and fit with it, from the rows of a source (`ridgeline.source`), whose targets are labels: whole numbers, or names.

        Parameters
        ----------
        source : Source
            From `ridgeline.source`, without offsets.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As `fit`, and for damaged files, with their place. Nothing fitted before is changed.
        TypeError
            For rows that come only once.

        Notes
        -----
        Folds ask for rows by their number: those of a `.npy` file are read where they are, others written to a temporary file first. Beside
        the rows some thirty bytes per row are in memory, and with `scoring` the rows of one fold. The answer is that of `fit` for the same
        rows in the same order.
        """
        self._check_options()
        require_rereadable(source)
        if source.schema.offset:
            raise ValueError("LogisticRegressionCV takes no offsets: its scores are of predictions without them.")
        rows = by_number(source)
        classes, values, share = classes_of(rows)
        require_two_classes(classes, share)
        codes, counted = ClassCodes(rows, values, class_factors(self.class_weight, classes, share)).coded(rows.y, rows.weight)
        targets = targets_of_classes(codes, len(classes))
        coded = ArraySource(rows.X, targets, counted, n_threads=rows.n_threads, schema=rows.schema)
        routed = Routed({}, {"sample_weight": rows.weight} if rows.weight.size else {})
        self._search(coded, classes, codes, self._splits(rows.X, classes[codes], codes, {}), routed)
        self._remember_columns(rows.n_features, source_names(source))
        return self

    def _check_options(self) -> None:
        """Raise an error for a parameter out of range."""
        self._check_hints()
        self._grid()
        warn_of_penalty(self.penalty, 1.0, 0.0 if self.penalty != "l1" else 1.0)
        check_number(self.tol, "tol")
        check_count(self.max_iter, "max_iter")
        for flag in ("fit_intercept", "refit", "use_legacy_attributes"):
            check_flag(getattr(self, flag), flag)
        scorer_of(self.scoring)

    def _search(self, source: ArraySource, classes: np.ndarray, codes: np.ndarray, splits: list[Split], routed: Routed) -> None:
        """Choose from the fits of all splits, and fit the rows, which are checked."""
        (Cs, ratios), tol, max_iter, refit = self._grid(), float(self.tol), int(self.max_iter), bool(self.refit)
        scorer, matrix = told_of(classes, scorer_of(self.scoring)), source.X
        share = class_shares(codes, source.weight, len(classes))
        with self._watched():
            objective = Objective(source, loss_of_classes(len(classes)), 0.0, bool(self.fit_intercept))
            tried = np.zeros(1) if ratios is None else ratios
            paths, n_iter = _paths(objective, source, classes, codes, splits, Cs, tried, tol, max_iter)
            scores = np.empty(n_iter.shape)
            for path, score, (_, test) in zip(paths, scores, splits):
                given = routed.of_rows(test, len(codes))
                left_out: Any = _Numbered(matrix, test) if scorer is None else matrix[test]
                score[:] = _scores(scorer, classes, path, left_out, codes[test], given)
            if refit:
                k, j = np.unravel_index(scores.sum(axis=0).argmax(), scores.shape[1:])
                C, ratio = float(Cs[k]), float(tried[j])
                best = _fit(objective, C, ratio, start_of_classes(objective, share), tol, max_iter)
                coef, intercept = best.coef, best.intercept
            else:
                each = np.unravel_index(scores.reshape(len(splits), -1).argmax(axis=1), scores.shape[1:])
                C, ratio = float(Cs[each[0]].mean()), float(tried[each[1]].mean())
                coef, intercept = _parted(paths[np.arange(len(splits)), each[0], each[1]].mean(axis=0), matrix.shape[1])
        self.classes_, self.coef_, self.intercept_, self.Cs_ = classes, coef, intercept, Cs
        self._keep(C, ratio, ratios, paths, scores, n_iter, bool(self.use_legacy_attributes))
        if refit:
            self.certificate_ = without_absent(best.certificate, classes, share, bool(self.fit_intercept))
            self.certificate_.warn()
        elif hasattr(self, "certificate_"):
            del self.certificate_

    def score(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> float:
        """The score by `scoring`; the accuracy without it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.
        y : array-like of shape (n,)
            Their labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.
        **params : dict
            For the scorer, under scikit-learn's metadata routing.

        Returns
        -------
        float
        """
        scorer, given = scorer_of(self.scoring), self._route("score", sample_weight, params).score
        return super().score(X, y, **given) if scorer is None else float(scorer(self, X, y, **given))

    def _grid(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The values of C and the ratios."""
        if is_count(self.Cs):
            Cs = np.logspace(-4, 4, check_count(self.Cs, "Cs"))
        else:
            Cs = np.atleast_1d(as_real_array(self.Cs, "Cs")).ravel().astype(np.float64)
            if not Cs.size:
                raise ValueError("Cs is empty; give at least one value of C.")
            for k, C in enumerate(Cs.tolist()):
                check_number(C, f"Cs[{k}]", strict=True)
        if self.penalty in ("l1", "l2"):
            return Cs, np.array([float(self.penalty == "l1")]) if self.penalty == "l1" else None
        if self.l1_ratios is None:
            if self.penalty == "elasticnet":
                raise ValueError("l1_ratios must be specified when penalty is elasticnet: an array-like of numbers between 0 and 1.")
            return Cs, None
        ratios = np.atleast_1d(as_real_array(self.l1_ratios, "l1_ratios")).ravel().astype(np.float64)
        if not ratios.size or ((ratios < 0) | (ratios > 1)).any():
            raise ValueError(f"l1_ratios must be an array-like of numbers between 0 and 1, got {self.l1_ratios!r}.")
        return Cs, ratios

    def _splits(self, X: Any, y: Any, codes: np.ndarray, params: dict[str, Any]) -> list[Split]:
        if self.cv is None or is_count(self.cv):
            return stratified_splits(codes, check_folds(DEFAULT_FOLDS if self.cv is None else self.cv, len(codes)))
        return given_splits(self.cv, X, y, len(codes), params)

    def _keep(
        self, C: float, ratio: float, ratios: np.ndarray | None, paths: np.ndarray, scores: np.ndarray, n_iter: np.ndarray, legacy: bool
    ) -> None:
        """Set what describes the search, in scikit-learn's old form or its new one."""
        outputs = paths.shape[3]
        self.l1_ratios_ = np.array([None]) if ratios is None else ratios
        if not legacy:
            self.C_: Any = C
            self.l1_ratio_: Any = ratio
            self.scores_: Any = scores.swapaxes(1, 2)
            self.coefs_paths_: Any = paths.swapaxes(1, 2)
            self.n_iter_ = n_iter.swapaxes(1, 2)
            return
        if ratios is None:
            scores, paths, n_iter = scores[:, :, 0], paths[:, :, 0], n_iter[:, :, 0]
        labels = self.classes_[-outputs:].tolist()
        self.C_, self.l1_ratio_ = np.full(outputs, C), np.full(outputs, None if ratios is None else ratio)
        self.scores_ = dict.fromkeys(labels, scores)
        self.coefs_paths_ = dict(zip(labels, np.moveaxis(paths, -2, 0)))
        self.n_iter_ = n_iter[None]


def _fit(objective: Objective, C: float, ratio: float, theta: np.ndarray, tol: float, max_iter: int) -> Minimum:
    """The minimum for one C and one share of the L1 norm, from theta."""
    here = objective.penalised((1 - ratio) / C)
    if ratio == 0:
        return minimise(here, theta, tol=tol, max_iter=max_iter, remedy=REMEDY)
    l1 = l1_weights(ratio / C, here.coordinates.scale, here.loss.outputs, here.coordinates.width)
    return proximal_newton(here, l1, theta, tol=tol, max_iter=max_iter, remedy=REMEDY)


def _path(
    objective: Objective, Cs: np.ndarray, ratio: float, theta: np.ndarray, tol: float, max_iter: int
) -> Iterator[tuple[np.ndarray, int]]:
    """Parameters and steps for each C, from the strongest penalty to the weakest, each from the last."""
    if ratio == 0:
        for found in penalty_path(objective, 1 / Cs, theta, tol=tol, max_iter=max_iter):
            yield found.point.theta, found.n_iter
        return
    for C in Cs.tolist():
        best = _fit(objective, C, ratio, theta, tol, max_iter)
        theta = best.theta
        yield theta, best.n_iter


def _paths(
    objective: Objective, source: ArraySource, classes: np.ndarray, codes: np.ndarray, splits: list[Split], Cs: np.ndarray,
    ratios: np.ndarray, tol: float, max_iter: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Coefficients, then the intercept (folds, k, ratios, outputs, p), and steps (folds, k, ratios), of the rows to fit in each split."""
    outputs, width = objective.loss.outputs, objective.coordinates.width
    order = np.argsort(Cs, kind="stable")
    shape = len(splits), len(Cs), len(ratios)
    paths, n_iter = np.empty((*shape, outputs, width)), np.empty(shape, dtype=np.int32)
    for fold, (train, _) in enumerate(splits):
        kept = np.zeros(len(codes), dtype=bool)
        kept[train] = True
        part = objective.of_rows(source, kept)
        share = class_shares(codes[kept], source.weight[kept] if source.weight.size else source.weight, len(classes))
        require_two_classes(classes, share, f" among the rows to fit in split {fold}")
        start = start_of_classes(part, share)
        for j, ratio in enumerate(ratios.tolist()):
            for (theta, steps), k in zip(_path(part, Cs[order], ratio, start, tol, max_iter), order):
                coef, intercept = objective.coordinates.original(theta.reshape(outputs, width))
                paths[fold, k, j] = np.column_stack([coef, intercept])[:, :width]
                n_iter[fold, k, j] = steps
    return paths, n_iter


def _parted(w: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and intercepts of a row of the paths."""
    return w[:, :d], w[:, d] if w.shape[1] > d else np.zeros(len(w))


class _Numbered:
    """Rows of a matrix by their numbers, copied when some of them are asked for: a fold of a large file is never whole in memory."""

    def __init__(self, matrix: Any, numbers: np.ndarray) -> None:
        self.matrix, self.numbers, self.shape = matrix, numbers, (len(numbers), matrix.shape[1])

    def __getitem__(self, part: slice) -> Any:
        return self.matrix[self.numbers[part]]


def _scores(
    scorer: Scorer | None, classes: np.ndarray, path: np.ndarray, X: Any, codes: np.ndarray, params: dict[str, Any]
) -> np.ndarray:
    """Of the coefficients of a fold's path (k, ratios, outputs, p), on the rows left out: (k, ratios); `params` are the scorer's."""
    shape = path.shape[:2]
    parted = [_parted(w, X.shape[1]) for w in path.reshape(-1, *path.shape[2:])]
    if scorer is None:
        coef, intercept = (np.array(part) for part in zip(*parted))
        return accuracies(X, coef, intercept, codes, **params).reshape(shape)
    model, truth = LinearClassifier(), classes[codes]
    model.classes_, model.n_features_in_ = classes, X.shape[1]
    scores = []
    for model.coef_, model.intercept_ in parted:
        scores.append(float(scorer(model, X, truth, **params)))
    return np.array(scores).reshape(shape)
