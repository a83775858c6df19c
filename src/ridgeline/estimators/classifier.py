"""What classifiers with linear logits share: labels and probabilities from coefficients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np

from ..activations import log_sigmoid, log_softmax, sigmoid, softmax
from ..certificate import NO_FINITE_OPTIMUM, Certificate
from ..kernels import load
from ..labels import encode
from ..objective import Objective
from ..pointwise import LOGISTIC, PointwiseLoss, SoftmaxLoss
from ..validation import check_weights
from .base import Estimator

probabilities_of_one = load("one_row").probabilities_of_one


class LinearClassifier(Estimator):
    """Logits are X W + b; a class is predicted with the probability of the sigmoid (two classes) or of the softmax."""

    _estimator_type = "classifier"
    classes_: np.ndarray
    intercept_: np.ndarray

    def decision_function(self, X: Any) -> np.ndarray:
        """Logits (eq. 18), X W + b: log-odds of the second of two classes, or one number for each of more.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.

        Returns
        -------
        ndarray of shape (n,) for two classes, (n, c) for more

        Raises
        ------
        NotFittedError
            Before any fit; it is a ValueError.
        ValueError
            For columns that are not those of the fit, and entries that are not finite, with their position.

        Notes
        -----
        2 n d c flops, one read of X.
        """
        self._require_fitted()
        fitted = self.__dict__  # of one fit, whatever another thread does
        coef = fitted["coef_"] if isinstance(fitted["coef_"], np.ndarray) else fitted["coef_"].toarray()
        scores = self._linear(X, coef, fitted["intercept_"])
        return scores[:, 0] if len(fitted["classes_"]) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class: for two classes the second where sigma(z) > 1/2, that is z > 0 (eq. 27).

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.

        Returns
        -------
        ndarray of shape (n,)
            Labels from `classes_`.
        """
        scores = self.decision_function(X)
        index = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[index]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes: softmax (eq. 17), or for two the sigmoid (eq. 25).

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.

        Returns
        -------
        ndarray of shape (n, c)
            In the order of `classes_`; each row has the sum 1.

        Notes
        -----
        One row, a C-contiguous float64 ndarray, takes about a microsecond.
        """
        fitted = self.__dict__
        quick = probabilities_of_one(X, fitted.get("coef_"), fitted.get("intercept_"))
        if quick is not None:
            return quick
        z = self.decision_function(X)
        return np.stack([sigmoid(-z), sigmoid(z)], axis=1) if z.ndim == 1 else softmax(z)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities, accurate where the probabilities round to 0 or 1.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.

        Returns
        -------
        ndarray of shape (n, c)
            In the order of `classes_`.
        """
        z = self.decision_function(X)
        return np.stack([log_sigmoid(-z), log_sigmoid(z)], axis=1) if z.ndim == 1 else log_softmax(z)

    def sparsify(self) -> Self:
        """Keep `coef_` as a sparse matrix: smaller where an L1 penalty has set most of it to zero. `densify` takes it back.

        Returns
        -------
        self
        """
        from scipy.sparse import csr_matrix

        self._require_fitted()
        self.coef_ = csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Keep `coef_` as an array, as a fit leaves it.

        Returns
        -------
        self
        """
        self._require_fitted()
        if not isinstance(self.coef_, np.ndarray):
            self.coef_ = self.coef_.toarray()
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy: the weighted share of rows whose class is predicted.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Rows with the columns of the fit, in their order.
        y : array-like of shape (n,)
            Their labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For a label that was not there at fit.
        """
        predicted = self.predict(X)
        codes = encode(y, self.classes_, len(predicted))
        hit = self.classes_[codes] == predicted
        s = check_weights(sample_weight, len(hit))
        return float(np.average(hit, weights=s if s.size else None))

REMEDY = "Raise max_iter, or scale the columns."


def loss_of_classes(classes: int) -> PointwiseLoss | SoftmaxLoss:
    """Binary cross-entropy for two classes, that of the softmax for more."""
    return LOGISTIC if classes == 2 else SoftmaxLoss(classes)


def targets_of_classes(codes: np.ndarray, classes: int) -> np.ndarray:
    """Class codes as that loss takes them."""
    return codes.astype(np.float64) if classes == 2 else codes


def require_two_classes(classes: np.ndarray, share: np.ndarray, where: str = "") -> None:
    """Raise a ValueError unless the rows of two classes at least have weight; `share` is the weight of each class."""
    present = classes[share > 0].tolist()
    if len(present) < 2:
        only = f"only one class{where}: {present[0]!r}" if present else f"no class{where}"
        raise ValueError(
            f"This solver needs samples of at least 2 classes in the data, but the data contains {only}. "
            "Check y (and that sample_weight is not zero for all rows of the others)."
        )


def without_absent(certificate: Certificate, classes: np.ndarray, share: np.ndarray, fit_intercept: bool) -> Certificate:
    """The certificate of a fit of several classes, which has no finite optimum where no row of one of them has weight."""
    if len(classes) == 2 or not fit_intercept or (share > 0).all():
        return certificate
    absent = classes[share <= 0].tolist()
    message = (
        f"No row of class {absent[0]!r} has weight, so its intercept falls without end. Leave the rows of such classes out "
        f"({len(absent)} of {len(classes)}), or fit with fit_intercept=False."
    )
    return replace(certificate, status=NO_FINITE_OPTIMUM, message=message)


def start_of_classes(objective: Objective, share: np.ndarray) -> np.ndarray:
    """Zero coefficients, and the intercepts that are best with them: log-odds of the classes' shares."""
    theta = np.zeros((objective.loss.outputs, objective.coordinates.width))
    if objective.coordinates.fit_intercept:
        log_share = np.log(np.maximum(share / share.sum(), np.finfo(float).tiny))
        if len(theta) == 1:
            theta[0, -1] = log_share[1] - log_share[0]
        elif (share > 0).all():
            theta[:, -1] = log_share - log_share.mean()
    return theta.ravel()
