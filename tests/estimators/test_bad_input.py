"""Bad input: a table of what is passed and what the message must say, with the model fitted before left bit for bit as it was.

A message names the argument, the first offending position and the remedy. To add a case, add a row.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from ridgeline import ElasticNet, HuberRegressor, Lasso, LinearRegression, LogisticRegression, QuantileRegressor, Ridge

X = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 0.25], [4.0, 2.0], [5.0, -0.5]])
Y = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
W = np.ones(6)

REGRESSORS = [LinearRegression, Ridge, Lasso, ElasticNet, HuberRegressor, QuantileRegressor]
ESTIMATORS = [*REGRESSORS, LogisticRegression]

DROP = ".*(drop|fill)"
ENCODE = ".*encode"


def with_entry(array: np.ndarray, index: Any, value: Any, dtype: Any = None) -> np.ndarray:
    out = array.astype(dtype or array.dtype)
    out[index] = value
    return out


def fitted(Estimator: type) -> Any:
    return (Estimator(delta=1.0) if Estimator is HuberRegressor else Estimator()).fit(X, Y, W)


def snapshot(model: Any) -> dict[str, bytes]:
    return {name: pickle.dumps(value) for name, value in vars(model).items()}


def masked(array: np.ndarray, index: Any) -> np.ma.MaskedArray:
    mask = np.zeros(array.shape, bool)
    mask[index] = True
    return np.ma.masked_array(array, mask)


# name -> (X, y, sample_weight, exception, pattern of the message)
EVERY: dict[str, tuple[Any, Any, Any, type[Exception], str]] = {
    "NaN in X": (with_entry(X, (3, 1), np.nan), Y, None, ValueError, "X contains NaN at row 3, column 1" + DROP),
    "infinity in X": (with_entry(X, (2, 0), -np.inf), Y, None, ValueError, "X contains infinity at row 2, column 0" + DROP),
    "NaN in float32 X": (with_entry(X, (5, 0), np.nan, np.float32), Y, None, ValueError, "X contains NaN at row 5, column 0"),
    "NaN in Fortran X": (
        np.asfortranarray(with_entry(X, (3, 1), np.nan)), Y, None, ValueError, "X contains NaN at row 3, column 1",
    ),
    "NaN where the weight is zero": (
        with_entry(X, (3, 1), np.nan), Y, with_entry(W, 3, 0), ValueError, "X contains NaN at row 3, column 1",
    ),
    "None in X": (with_entry(X, (4, 0), None, object), Y, None, ValueError, "X contains NaN at row 4, column 0"),
    "masked X": (masked(X, (1, 1)), Y, None, ValueError, "X is masked at row 1, column 1" + DROP),
    "1-D X": (X[:, 0], Y, None, ValueError, r"X: Expected 2D array, got 1D array.*reshape\(-1, 1\)"),
    "3-D X": (X[:, :, None], Y, None, ValueError, "X: Expected 2D array.*Flatten"),
    "scalar X": (1.0, Y, None, ValueError, "X: Expected 2D array"),
    "X is None": (None, Y, None, ValueError, "X"),
    "ragged X": ([[1.0, 2.0], [3.0]], Y[:2], None, ValueError, "X is not a rectangular array"),
    "no rows": (X[:0], Y[:0], None, ValueError, r"X: Found array with 0 sample\(s\)"),
    "no columns": (X[:, :0], Y, None, ValueError, r"X: Found array with 0 feature\(s\)"),
    "string column": (
        with_entry(X, (0, 1), "red", object), Y, None, ValueError, "X holds 'red' at row 0, column 1" + ENCODE,
    ),
    "string dtype": (X.astype(str), Y, None, ValueError, "X has dtype <U" + ENCODE),
    "dates": (X.astype("datetime64[s]"), Y, None, ValueError, "X has dtype datetime64" + ENCODE),
    "objects": (with_entry(X, (2, 1), {}, object), Y, None, TypeError, "X holds {} at row 2, column 1" + ENCODE),
    "complex X": (X * 1j, Y, None, ValueError, "X: Complex data not supported"),
    "complex sparse X": (scipy.sparse.csr_matrix(X * 1j), Y, None, ValueError, "X: Complex data not supported"),
    "sparse y": (X, scipy.sparse.coo_array(Y[:, None]), None, (TypeError, ValueError), "y"),
    "fewer y": (X, Y[:-1], None, ValueError, "X has 6 rows, y has 5"),
    "y is None": (X, None, None, ValueError, "y.*None"),
    "3-D y": (X, Y[:, None, None], None, ValueError, "y should be a 1d array"),
    "scalar y": (X, 1.0, None, ValueError, "y should be a 1d array"),
    "NaN in y": (X, with_entry(Y, 4, np.nan), None, ValueError, "y contains NaN at row 4" + DROP),
    "infinity in y": (X, with_entry(Y, 1, np.inf), None, ValueError, "y contains infinity at row 1" + DROP),
    "masked y": (X, masked(Y, 2), None, ValueError, "y is masked at row 2" + DROP),
    "complex y": (X, Y * 1j, None, ValueError, "y.*(C|c)omplex"),
    "fewer weights": (X, Y, W[:-1], ValueError, r"sample_weight.*\(5,\).*\(6,\)"),
    "2-D weights": (X, Y, W[:, None], ValueError, r"sample_weight has shape \(6, 1\)"),
    "NaN weight": (X, Y, with_entry(W, 2, np.nan), ValueError, "sample_weight contains NaN at row 2" + DROP),
    "infinite weight": (X, Y, with_entry(W, 5, np.inf), ValueError, "sample_weight contains infinity at row 5"),
    "negative weight": (X, Y, with_entry(W, 3, -1), ValueError, "sample_weight is negative at row 3.*zero or more"),
    "negative scalar weight": (X, Y, -1.0, ValueError, "sample_weight"),
    "weight beyond all squares": (X, Y, with_entry(W, 4, 1e300), ValueError, r"sample_weight exceeds 1e\+250 at row 4; divide all weights"),
    "all weights zero": (X, Y, W * 0, ValueError, "sample_weight is zero in every row"),
    "string weights": (X, Y, ["a"] * 6, ValueError, "sample_weight"),
    "complex weights": (X, Y, W * 1j, ValueError, "sample_weight.*(C|c)omplex"),
}  # fmt: skip

OF_REGRESSORS: dict[str, tuple[Any, Any, Any, type[Exception], str]] = {
    "string y": (X, np.array(list("abcdef")), None, ValueError, "y has dtype <U1" + ENCODE),
    "string object y": (X, with_entry(Y, 1, "b", object), None, ValueError, "y holds 'b' at row 1" + ENCODE),
}

OF_CLASSIFIERS: dict[str, tuple[Any, Any, Any, type[Exception], str]] = {
    "one class": (X, Y * 0, None, ValueError, "y.*one class.*0"),
    "one class has weight": (X, Y, Y, ValueError, "one class.*1.*sample_weight"),
    "fractional labels": (X, Y + 0.5, None, ValueError, "y is .*0.5.* at row 0.*regressor"),
    "missing label": (X, np.array(["a", None, "b", "a", "b", "a"], object), None, ValueError, "y contains NaN or None at row 1"),
    "labels of two types": (X, np.array(["a", 1, "b", 2, "a", "b"], object), None, ValueError, "y mixes labels"),
    "two columns of labels": (X, np.stack([Y, Y], 1), None, ValueError, "y should be a 1d array"),
}


def rows() -> list[Any]:
    table = [(Estimator, name, case) for Estimator in ESTIMATORS for name, case in EVERY.items()]
    table += [(Estimator, name, case) for Estimator in REGRESSORS for name, case in OF_REGRESSORS.items()]
    table += [(LogisticRegression, name, case) for name, case in OF_CLASSIFIERS.items()]
    return [pytest.param(E, case, id=f"{E.__name__}-{name}") for E, name, case in table]


@pytest.mark.parametrize("Estimator, case", rows())
def test_fit_refuses_and_changes_nothing(Estimator: type, case: tuple[Any, Any, Any, type[Exception], str]) -> None:
    bad_X, y, weight, error, message = case
    model = fitted(Estimator)
    before = snapshot(model)
    with pytest.raises(error, match=f"(?s){message}"):
        model.fit(bad_X, y, weight)
    assert snapshot(model) == before


# estimators whose fits may take a time limit
WATCHED = [HuberRegressor, QuantileRegressor, Lasso, ElasticNet, LogisticRegression]


PARAMETERS: list[tuple[type, str, Any, type[Exception], str]] = [
    (LinearRegression, "fit_intercept", "no", TypeError, "fit_intercept must be True or False, got 'no'"),
    (LinearRegression, "copy_X", "no", TypeError, "copy_X must be True or False"),
    (LinearRegression, "tol", -1, ValueError, "tol == -1"),
    (LinearRegression, "n_jobs", "all", TypeError, "n_jobs must be None or a whole number"),
    (LinearRegression, "positive", 1, TypeError, "positive must be True or False"),
    (Ridge, "copy_X", None, TypeError, "copy_X must be True or False"),
    (Ridge, "max_iter", 0, ValueError, "max_iter == 0, must be at least 1"),
    (Ridge, "tol", "small", TypeError, "tol must be a number"),
    (Ridge, "solver", "choleski", ValueError, "solver must be 'auto', 'svd', 'cholesky'.*, got 'choleski'"),
    (Ridge, "positive", "yes", TypeError, "positive must be True or False"),
    (Ridge, "random_state", 1.5, TypeError, "random_state must be None, a whole number or a generator"),
    (Ridge, "fit_intercept", None, TypeError, "fit_intercept"),
    (Ridge, "alpha", -1.0, ValueError, "alpha == -1.0, must be at least 0"),
    (Ridge, "alpha", np.nan, ValueError, "alpha == nan"),
    (Ridge, "alpha", np.inf, ValueError, "alpha == inf"),
    (Ridge, "alpha", "1", TypeError, "alpha must be a number at least 0, got '1'"),
    (Ridge, "alpha", None, TypeError, "alpha must be a number"),
    (Ridge, "alpha", 1j, TypeError, "alpha must be a number"),
    (Ridge, "alpha", [1.0, 2.0], ValueError, "alpha.*2 != 1|penalties.*2 != 1"),
    (Ridge, "alpha", [-1.0], ValueError, "alpha == -1.0"),
    (Lasso, "alpha", -1.0, ValueError, "alpha == -1.0, must be at least 0"),
    (Lasso, "fit_intercept", "yes", TypeError, "fit_intercept"),
    (Lasso, "precompute", "never", ValueError, "precompute has dtype <U5, not numbers"),
    (Lasso, "precompute", [[1.0]], ValueError, "precompute has shape"),
    (Lasso, "copy_X", 1, TypeError, "copy_X must be True or False"),
    (Lasso, "max_iter", 0, ValueError, "max_iter == 0, must be at least 1"),
    (Lasso, "tol", "small", TypeError, "tol must be a number"),
    (Lasso, "warm_start", None, TypeError, "warm_start must be True or False"),
    (Lasso, "positive", "no", TypeError, "positive must be True or False"),
    (Lasso, "random_state", 1.5, TypeError, "random_state must be None, a whole number or a generator"),
    (Lasso, "selection", "fast", ValueError, "selection must be 'cyclic' or 'random', got 'fast'"),
    (ElasticNet, "l1_ratio", 1.5, ValueError, "l1_ratio == 1.5, must be at most 1"),
    (ElasticNet, "l1_ratio", None, TypeError, "l1_ratio must be a number"),
    (HuberRegressor, "alpha", -1e-9, ValueError, "alpha == -1e-09"),
    (HuberRegressor, "warm_start", 2, TypeError, "warm_start must be True or False"),
    (HuberRegressor, "epsilon", 0.99, ValueError, "epsilon == 0.99, must be at least 1"),
    (HuberRegressor, "epsilon", "1.35", TypeError, "epsilon must be a number"),
    (HuberRegressor, "delta", 0.0, ValueError, "delta == 0.0, must be greater than 0"),
    (HuberRegressor, "delta", np.nan, ValueError, "delta == nan"),
    (HuberRegressor, "tol", -1.0, ValueError, "tol == -1.0"),
    (HuberRegressor, "tol", None, TypeError, "tol must be a number"),
    (HuberRegressor, "max_iter", 0, ValueError, "max_iter == 0, must be at least 1"),
    (HuberRegressor, "max_iter", 2.5, TypeError, "max_iter must be a whole number, got 2.5"),
    (HuberRegressor, "fit_intercept", "yes", TypeError, "fit_intercept"),
    (QuantileRegressor, "quantile", 0.0, ValueError, "quantile == 0.0, must be greater than 0 and below 1"),
    (QuantileRegressor, "quantile", 1.0, ValueError, "quantile == 1.0, must be greater than 0 and below 1"),
    (QuantileRegressor, "quantile", 1.0, ValueError, "quantile == 1.0"),
    (QuantileRegressor, "quantile", [0.5], TypeError, "quantile must be a number"),
    (QuantileRegressor, "alpha", -1, ValueError, "alpha == -1"),
    (QuantileRegressor, "solver", "simplex", ValueError, "solver must be 'highs', .*, got 'simplex'"),
    (QuantileRegressor, "solver_options", 1, TypeError, "solver_options must be None or a dict"),
    (QuantileRegressor, "tol", np.nan, ValueError, "tol == nan"),
    (QuantileRegressor, "max_iter", True, TypeError, "max_iter must be a whole number, got True"),
    (QuantileRegressor, "fit_intercept", 2, TypeError, "fit_intercept"),
    (LogisticRegression, "C", 0.0, ValueError, "C == 0.0, must be greater than 0"),
    (LogisticRegression, "C", -np.inf, ValueError, "C == -inf"),
    (LogisticRegression, "C", np.nan, ValueError, "C == nan"),
    (LogisticRegression, "C", "1", TypeError, "C must be a number"),
    (LogisticRegression, "C", None, TypeError, "C must be a number"),
    (LogisticRegression, "penalty", "L1", ValueError, "penalty must be 'deprecated', 'l1', 'l2', 'elasticnet' or None"),
    (LogisticRegression, "penalty", np.array(["l2", "l2"]), ValueError, "penalty must be 'deprecated', 'l1'"),
    (LogisticRegression, "l1_ratio", "half", TypeError, "l1_ratio must be a number"),
    (LogisticRegression, "l1_ratio", 1.5, ValueError, "l1_ratio == 1.5"),
    (LogisticRegression, "dual", "no", TypeError, "dual must be True or False, got 'no'"),
    (LogisticRegression, "intercept_scaling", 0, ValueError, "intercept_scaling == 0, must be greater than 0"),
    (LogisticRegression, "random_state", "seed", TypeError, "random_state must be None, a whole number or a generator"),
    (LogisticRegression, "warm_start", None, TypeError, "warm_start must be True or False"),
    (LogisticRegression, "n_jobs", 1.5, TypeError, "n_jobs must be None or a whole number, got 1.5"),
    (LogisticRegression, "solver", "sage", ValueError, "solver must be 'auto', 'newton', 'lbfgs'.*'saga', got 'sage'"),
    (LogisticRegression, "solver", [], ValueError, "solver must be"),
    (LogisticRegression, "tol", -1e-4, ValueError, "tol == -0.0001"),
    (LogisticRegression, "max_iter", -1, ValueError, "max_iter == -1"),
    (LogisticRegression, "max_iter", "100", TypeError, "max_iter must be a whole number"),
    (LogisticRegression, "fit_intercept", "True", TypeError, "fit_intercept"),
    (LogisticRegression, "class_weight", "balance", ValueError, "class_weight must be a dict, 'balanced' or None"),
    (LogisticRegression, "class_weight", 3, ValueError, "class_weight must be a dict"),
    (LogisticRegression, "class_weight", {7: 2.0}, ValueError, "class_weight names 7, which is not a class of y.*0.0, 1.0"),
    (LogisticRegression, "class_weight", {0: -1.0}, ValueError, "class_weight holds .*-1"),
    (LogisticRegression, "class_weight", {1: np.nan}, ValueError, "class_weight holds .*nan"),
    (LogisticRegression, "class_weight", {1: np.inf}, ValueError, "class_weight holds .*inf"),
    (LogisticRegression, "class_weight", {1: "heavy"}, ValueError, "class_weight holds 'heavy'"),
    (LogisticRegression, "class_weight", {1: 0.0}, ValueError, "one class"),
    *((Estimator, "time_limit", 0.0, ValueError, "time_limit == 0.0, must be greater than 0") for Estimator in WATCHED),
    *((Estimator, "time_limit", "1 h", TypeError, "time_limit must be a number") for Estimator in WATCHED),
    *((Estimator, "verbose", "yes", TypeError, "verbose must be True, False or a whole number, got 'yes'") for Estimator in WATCHED),
    *((Estimator, "n_threads", 0, ValueError, "n_threads must be None or a whole number") for Estimator in ESTIMATORS),
]


@pytest.mark.parametrize(
    "Estimator, name, value, error, message", PARAMETERS, ids=lambda v: v.__name__ if isinstance(v, type) else None
)
def test_parameters(Estimator: type, name: str, value: Any, error: type[Exception], message: str) -> None:
    model = fitted(Estimator).set_params(**{name: value})
    before = snapshot(model)
    with pytest.raises(error, match=f"(?s){message}"):
        model.fit(X, Y)
    assert snapshot(model) == before


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_every_parameter_is_in_the_table(Estimator: type) -> None:
    assert set(Estimator().get_params()) == {name for E, name, *_ in PARAMETERS if issubclass(E, Estimator)}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_misspelt_parameter_is_answered_with_the_nearest(Estimator: type) -> None:
    model = fitted(Estimator)
    before = snapshot(model)
    with pytest.raises(ValueError, match="Invalid parameter 'fit_intersept'.* Did you mean 'fit_intercept'"):
        model.set_params(fit_intersept=False)
    with pytest.raises(TypeError, match="fit_intersept"):
        Estimator(fit_intersept=False)
    assert snapshot(model) == before


def test_no_parameter_is_set_where_one_is_unknown() -> None:
    model = Ridge(alpha=1.0)
    with pytest.raises(ValueError, match="'beta'"):
        model.set_params(alpha=2.0, beta=3.0)
    assert model.alpha == 1.0


