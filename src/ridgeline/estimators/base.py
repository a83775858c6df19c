"""What every estimator shares: names of columns, checks of a matrix at prediction.  No arithmetic of fitting.

The manners are scikit-learn's (`get_params`, `set_params`, tags), without scikit-learn: only its own calls import it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, ClassVar, Self

import numpy as np

from ..certificate import Certificate
from ..conversion import column_names, working_format
from ..kernels import load
from ..kinship import also
from ..solvers.batch import Batch
from ..sources import SLAB_ELEMENTS, ArraySource, Schema, Source
from ..sparse_rows import SparseRows, linear
from ..validation import (
    check_matrix,
    check_targets,
    check_weights,
    require_finite,
)
from ..watch import watched
from .parameters import Parameters, check_number
from .protocol import Protocol


class NotFittedError(ValueError, AttributeError):
    """An estimator was asked to predict before it was fitted."""


def source_names(source: Source) -> np.ndarray | None:
    """The names of a source's columns, if it has any."""
    names = source.schema.features
    return None if names is None else np.array(names, dtype=object)


predict_one = load("one_row").predict_one


PENALISED = (
    "{name} has no standard errors with {what}: a penalty pulls the coefficients towards zero, by an amount that their variance does not "
    "show, so that no interval around them covers the truth as often as it says. Fit {instead} for a table, or measure how the fit varies "
    "by refitting resampled rows (the bootstrap)."
)


class Estimator(Protocol, Parameters):
    """Input checks, memory of the columns, and linear predictions."""

    _estimator_type: str
    n_features_in_: int
    coef_: np.ndarray
    certificate_: Certificate

    _no_table: ClassVar[str] = PENALISED.format(
        name="{name}", what="its penalty", instead="LinearRegression, or LogisticRegression with C=float('inf'),"
    )
    """Why there are no standard errors, and what to do."""

    n_threads: int | None = None
    # of those that have these parameters
    time_limit: float | None = None
    verbose: bool | int = False

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model; every estimator has its own."""
        raise NotImplementedError

    def fit_groups(self, X: Any, y: np.ndarray, weight: np.ndarray, starts: np.ndarray) -> Batch | None:
        """Fits of groups of checked rows by a kernel, for `fit_many`; None where there is no kernel for this estimator."""
        return None

    def certificate_of_kernel(
        self, n_features: int, figures: tuple[float, float, float], n_iter: int, passes: int
    ) -> Certificate:
        """The certificate of a fit that `fit_groups` has done."""
        raise NotImplementedError

    def restore(self, coef: np.ndarray, intercept: Any, n_iter: int, certificate: Certificate, classes: np.ndarray | None) -> None:
        """Become the fit that `fit_groups` has done."""
        raise NotImplementedError

    def _require_fitted(self) -> None:
        if not hasattr(self, "coef_"):
            raise also(NotFittedError, "NotFittedError")(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before using "
                "this estimator."
            )

    def summary(self, *args: Any, **options: Any) -> Any:
        """Refuse a table of standard errors, with the reason: LinearRegression, Ridge(alpha=0) and LogisticRegression(C=inf) have one.

        Parameters
        ----------
        *args, **options : object
            As `LinearRegression.summary` takes them; none changes the answer.

        Returns
        -------
        Never.

        Raises
        ------
        ValueError
            Why theory gives no table for this fit.
        """
        self._require_fitted()
        raise ValueError(self._no_table.format(name=type(self).__name__))

    def _watched(self) -> AbstractContextManager[None]:
        """The scope of `time_limit` and `verbose`, for the part of a fit that reads the data."""
        limit = self.time_limit
        if limit is not None:
            limit = check_number(limit, "time_limit", strict=True, infinite=True)
        if not isinstance(self.verbose, (bool, np.bool_, int, np.integer)):
            raise TypeError(f"verbose must be True, False or a whole number, got {self.verbose!r}.")
        return watched(limit, bool(self.verbose))

    def _fit_input(self, X: Any, sample_weight: Any) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """Matrix, weights and column names of the data to fit."""
        matrix = check_matrix(X)
        return matrix, check_weights(sample_weight, len(matrix)), column_names(X)

    def _checked(self, matrix: Any, y: np.ndarray, weight: np.ndarray, names: np.ndarray | None) -> ArraySource:
        """The checked rows of a fit."""
        schema = Schema(features=None if names is None else tuple(names))
        return ArraySource(matrix, y, weight, n_threads=self.n_threads, schema=schema)

    def _remember_columns(self, n_features: int, names: np.ndarray | None) -> None:
        self.n_features_in_ = n_features
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _predict_input(self, X: Any) -> Any:
        """A matrix to predict from: same number of columns, same names, finite."""
        self._require_fitted()
        matrix = check_matrix(X)
        self._check_columns(matrix.shape[1], column_names(X))
        return matrix

    def _check_columns(self, n_features: int, names: np.ndarray | None) -> None:
        """The columns must be those of the fit, in number, and in name where both have names."""
        fitted = getattr(self, "feature_names_in_", None)
        if names is not None and fitted is not None and list(names) != list(fitted):
            missing = [name for name in fitted if name not in set(names)]
            unseen = [name for name in names if name not in set(fitted)]
            what = "The feature names should match those that were passed during fit."
            if unseen:
                what += f" Feature names unseen at fit time: {unseen[:5]}."
            if missing:
                what += f" Feature names seen at fit time, yet now missing: {missing[:5]}."
            if not unseen and not missing:
                what += " Feature names must be in the same order as they were in fit."
            raise ValueError(what)
        if n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input."
            )

    def _linear(self, X: Any, coef: np.ndarray, intercept: Any) -> np.ndarray:
        """X coef' + intercept by slabs: one read of X and no copy of it."""
        matrix = self._predict_input(X)
        if isinstance(matrix, SparseRows):
            out = linear(matrix, np.atleast_2d(coef), 0.0).astype(matrix.dtype, copy=False)
            return self._finite(out[:, 0] if coef.ndim == 1 else out, intercept, matrix)
        n, d = matrix.shape
        contiguous = matrix.flags.c_contiguous or matrix.flags.f_contiguous
        if contiguous and matrix.dtype in (np.float64, np.float32) and matrix.dtype.isnative:
            with np.errstate(over="ignore", invalid="ignore"):
                out = matrix @ coef.T.astype(matrix.dtype, copy=False)
        else:
            columns = coef.T.astype(working_format(matrix.dtype), copy=False)
            out = np.empty((n, *coef.shape[:-1]), columns.dtype)
            step = max(SLAB_ELEMENTS // max(d, 1), 1)
            with np.errstate(over="ignore", invalid="ignore"):
                for a in range(0, n, step):
                    out[a : a + step] = matrix[a : a + step].astype(columns.dtype) @ columns
        return self._finite(out, intercept, matrix)

    def _finite(self, out: np.ndarray, intercept: Any, matrix: Any) -> np.ndarray:
        """Scores plus the intercept; where they are not finite, X must be."""
        out += np.asarray(intercept).astype(out.dtype, copy=False)
        if not np.isfinite(out).all():
            require_finite(matrix, "X", getattr(self, "feature_names_in_", None))
        return out


class Regressor(Estimator):
    """Predictions are real numbers; `score` is R^2."""

    _estimator_type = "regressor"
    intercept_: Any

    def predict(self, X: Any) -> np.ndarray:
        """Predicted targets, X w + b.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.

        Returns
        -------
        ndarray of shape (n,) or (n, t)

        Raises
        ------
        NotFittedError
            Before any fit; it is a ValueError.
        ValueError
            For columns that are not those of the fit, and entries that are not finite, with their position.

        Notes
        -----
        2 n d t flops, one read of X. One row, a C-contiguous float64 ndarray, for a float64 model of one target takes about a microsecond.
        """
        fitted = self.__dict__
        quick = predict_one(X, fitted.get("coef_"), fitted.get("intercept_"))
        if quick is not None:
            return quick
        self._require_fitted()
        return self._linear(X, fitted["coef_"], fitted["intercept_"])  # of one fit, whatever another thread does

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination, R^2 = 1 - sum s (y - yhat)^2 / sum s (y - mean y)^2.

        Averaged over targets where there are several. 1 is perfect; 0 is no better than the mean; a constant y scores 1 if it is
        predicted exactly and 0 otherwise.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.
        y : array-like of shape (n,) or (n, t)
            Their targets.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.

        Returns
        -------
        float
        """
        predicted = self.predict(X).astype(np.float64)
        y = check_targets(y, len(predicted))
        if y.size != predicted.size:
            raise ValueError(f"y has shape {y.shape}, but the model predicts targets of shape {predicted.shape}.")
        s = check_weights(sample_weight, len(y))
        s = s if s.size else np.ones(len(y))
        y, predicted = (a.reshape(len(y), -1) for a in (y, predicted))
        residual = s @ (y - predicted) ** 2
        total = s @ (y - np.average(y, axis=0, weights=s)) ** 2
        constant = total == 0
        r2 = np.where(constant, np.where(residual == 0, 1.0, 0.0), 1 - residual / np.where(constant, 1, total))
        return float(r2.mean())
