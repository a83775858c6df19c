"""Logistic regression of batches that are seen once."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..labels import check_labels, class_factors, encode
from ..objective import Objective
from ..pointwise import LOGISTIC, PointwiseLoss, SoftmaxLoss
from ..solvers.laplace import Memory, update
from .classifier import LinearClassifier
from .fitted_rows import FittedRows
from .parameters import check_flag
from .whole import all_or_nothing


class OnlineClassifier(FittedRows, LinearClassifier):
    """`partial_fit`."""

    class_weight: Any
    n_threads: int | None
    n_iter_: np.ndarray
    _memory: Memory | None = None

    def _options(self) -> tuple[float, float, float, int, str]:
        raise NotImplementedError

    @all_or_nothing
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Add a batch of rows, which is not needed again.

        A sequential Laplace approximation: the rows so far are remembered by a quadratic, their curvature at the estimate after each
        batch, and the batch is fitted to the optimum together with it. The first batch alone is fitted as by `fit`; the answer after
        several is near that of `fit` on all rows, and nearer the larger the batches are, but not the same. Starts afresh after `fit`.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows that have not been added before.
        y : array-like of shape (n,)
            Their labels.
        classes : array-like, optional
            Every label that any batch may hold, in the first call; those of the first batch by default.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, zero or more; 1 by default.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For all that `fit` refuses, for labels not among the classes, an L1 penalty, and a first batch without rows of every class
            (which later ones need not have). Nothing fitted before is changed.

        Warns
        -----
        FitWarning
            If `certificate_.status`, of this batch and the quadratic, is not "optimal".

        Notes
        -----
        About six reads of the batch, each n m (m + 1) flops for m = c (d + 1) parameters, and a memory of m^2 numbers.
        """
        l2, l1, tol, max_iter, _ = self._options()
        if l1:
            raise ValueError("partial_fit remembers rows by a quadratic, which goes with the squared penalty only: set l1_ratio=0.")
        if isinstance(self.class_weight, str):
            raise ValueError(f"class_weight={self.class_weight!r} needs all rows at once; for partial_fit give a dict of weights.")
        matrix, weight, names = self._fit_input(X, sample_weight)
        n, d = matrix.shape
        known = self._known_classes(y, n, d, classes, names)
        codes = encode(y, known, n)
        missing = np.setdiff1d(np.arange(len(known)), codes)
        if self._memory is None and missing.size and self.fit_intercept:
            raise ValueError(
                f"the first batch holds no row of class {known[missing[0]]!r}, whose intercept then has no finite value: pass a batch with "
                "rows of every class first."
            )
        factors = class_factors(self.class_weight, known, np.ones(len(known)))
        if factors.size:
            weight = (weight if weight.size else np.ones(n)) * factors[codes]
        binary = len(known) == 2
        loss: PointwiseLoss | SoftmaxLoss = LOGISTIC if binary else SoftmaxLoss(len(known))
        source = self._checked(matrix, codes.astype(np.float64) if binary else codes, weight, names)
        memory = self._memory or Memory.of_penalty(loss.outputs, d, l2)
        objective = Objective(source, loss, 0.0, check_flag(self.fit_intercept, "fit_intercept"))
        best = update(objective, memory, tol=tol, max_iter=max_iter)
        self.classes_, self._memory, self._few_rows = known, best.memory, None
        theta = best.memory.theta.astype(source.dtype)
        self.coef_, self.intercept_ = theta[:, :-1].copy(), theta[:, -1].copy()
        self.n_iter_ = np.array([best.n_iter], dtype=np.int32)
        self.certificate_ = best.certificate
        self._remember_columns(d, names)
        self.certificate_.warn()
        return self

    def _known_classes(self, y: Any, n: int, n_features: int, classes: Any, names: np.ndarray | None) -> np.ndarray:
        given = None if classes is None else np.unique(np.asarray(classes))
        if self._memory is None:
            known = check_labels(y, n)[0] if given is None else given
            if len(known) < 2:
                raise ValueError(f"the first batch needs samples of at least 2 classes, and there is one class: {known[0]!r}.")
            return known
        self._check_columns(n_features, names)
        if given is not None and not np.array_equal(given, self.classes_):
            raise ValueError(f"classes are {given.tolist()}, but those of the first call to partial_fit were {self.classes_.tolist()}.")
        return self.classes_
