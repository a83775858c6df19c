"""The same parameters give the same coefficients as scikit-learn. Skipped without scikit-learn.

scikit-learn is run to a tight tolerance; where its solver stops short of that, the tolerance of the comparison says so.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import ridgeline

pytest.importorskip("sklearn")

from sklearn import linear_model

N, D = 150, 4


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, real targets, weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) * [1.0, 3.0, 0.2, 10.0] + [0.0, 5.0, -1.0, 100.0]
    z = (X - X.mean(0)) @ [1.0, -0.5, 3.0, 0.1] + rng.standard_t(4, size=N)
    return X, z, rng.uniform(0.2, 3, size=N)


def same(ours: Any, theirs: Any, X: np.ndarray, tolerance: float) -> None:
    """Coefficients, intercepts and predictions."""
    assert np.shape(ours.coef_) == np.shape(theirs.coef_)
    size = np.abs(theirs.coef_).max()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=tolerance * size)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=tolerance * 100, atol=tolerance * size * 100)
    if hasattr(ours, "predict_proba"):
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=tolerance * 100)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e3 * tolerance, atol=1e3 * tolerance * size)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [None, 1, 3])
def test_least_squares_and_ridge(fit_intercept: bool, weighted: bool, targets: int | None) -> None:
    X, z, s = rows()
    y = z if targets is None else np.stack([z * (k + 1) + X[:, k] for k in range(targets)], 1)
    s = s if weighted else None
    for name, parameters in (("LinearRegression", {}), ("Ridge", {"alpha": 2.5}), ("Ridge", {"alpha": np.arange(1.0, 4.0)})):
        if np.ndim(parameters.get("alpha", 0)) and targets != 3:
            continue
        ours = getattr(ridgeline, name)(fit_intercept=fit_intercept, **parameters).fit(X, y, s)
        theirs = getattr(linear_model, name)(fit_intercept=fit_intercept, **parameters).fit(X, y, s)
        assert ours.coef_.shape == theirs.coef_.shape
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10)
        np.testing.assert_allclose(ours.score(X, y, s), theirs.score(X, y, s), rtol=1e-12)


def test_fewer_rows_than_columns() -> None:
    X, z, s = (a[:3] for a in rows())
    same(ridgeline.Ridge(alpha=0.3).fit(X, z, s), linear_model.Ridge(alpha=0.3, solver="svd").fit(X, z, s), X, 1e-10)
    with pytest.warns(ridgeline.certificate.FitWarning):
        ours = ridgeline.LinearRegression().fit(X, z)
    same(ours, linear_model.LinearRegression().fit(X, z), X, 1e-10)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("epsilon, alpha", [(1.35, 0.0001), (1.01, 1.0), (3.0, 0.0)])
def test_huber(fit_intercept: bool, weighted: bool, epsilon: float, alpha: float) -> None:
    X, z, s = rows()
    X = (X - X.mean(0)) / X.std(0) + 0.5  # L-BFGS reaches no digits otherwise
    parameters = {"epsilon": epsilon, "alpha": alpha, "fit_intercept": fit_intercept}
    ours = ridgeline.HuberRegressor(**parameters).fit(X, z, s if weighted else None)
    theirs = linear_model.HuberRegressor(**parameters, max_iter=10_000, tol=1e-10).fit(X, z, s if weighted else None)

    def objective(model: Any) -> float:
        u = np.abs(z - model.predict(X)) / model.scale_
        h = np.where(u <= epsilon, u * u, 2 * epsilon * u - epsilon**2)
        return (s if weighted else np.ones(N)) @ (model.scale_ * (1 + h)) + alpha * model.coef_ @ model.coef_

    assert objective(ours) <= objective(theirs) * (1 + 1e-9)
    assert ours.certificate_.status == "optimal"
    if epsilon > 1.1:  # below, the scale is nearly nought, where scikit-learn's L-BFGS stops short
        same(ours, theirs, X, 1e-4)
        assert ours.scale_ == pytest.approx(theirs.scale_, rel=1e-4)
        np.testing.assert_array_equal(ours.outliers_, theirs.outliers_)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("quantile, alpha", [(0.5, 0.0), (0.3, 0.01), (0.9, 0.1)])
def test_quantile(fit_intercept: bool, weighted: bool, quantile: float, alpha: float) -> None:
    X, z, s = rows()
    parameters = {"quantile": quantile, "alpha": alpha, "fit_intercept": fit_intercept}
    ours = ridgeline.QuantileRegressor(**parameters).fit(X, z, s if weighted else None)
    theirs = linear_model.QuantileRegressor(**parameters).fit(X, z, s if weighted else None)
    same(ours, theirs, X, 1e-9)


LABELS: dict[str, np.ndarray] = {
    "strings": np.array(["apple", "berry", "cherry", "date"]),
    "integers": np.array([-3, 0, 7, 12]),
    "floats": np.array([0.0, 1.0, 2.0, 5.0]),
    "objects": np.array(["w", "x", "y", "z"], object),
    "booleans": np.array([False, True]),
}


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "weighted, class_weight", [(False, None), (True, None), (True, "balanced"), (False, {0: 2.0, 1: 0.5})]
)
def test_logistic(classes: int, fit_intercept: bool, weighted: bool, class_weight: Any) -> None:
    X, z, s = rows()
    X = (X - X.mean(0)) / X.std(0) + 0.5
    y = np.digitize(z, np.quantile(z, np.arange(1, classes) / classes))
    for C in (0.05, 1.0, 100.0):
        parameters = {"C": C, "fit_intercept": fit_intercept, "class_weight": class_weight}
        ours = ridgeline.LogisticRegression(**parameters).fit(X, y, s if weighted else None)
        theirs = linear_model.LogisticRegression(**parameters, solver="newton-cholesky", tol=1e-12, max_iter=1000)
        theirs.fit(X, y, s if weighted else None)
        same(ours, theirs, X, 1e-8)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=0, atol=1e-6)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-6, atol=1e-9)
        assert ours.score(X, y, s) == pytest.approx(theirs.score(X, y, s), rel=1e-14)


@pytest.mark.parametrize("kind", LABELS)
def test_labels(kind: str) -> None:
    X, z, _ = rows()
    names = LABELS[kind]
    y = names[np.digitize(z, np.quantile(z, np.arange(1, len(names)) / len(names)))]
    ours = ridgeline.LogisticRegression().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(X, y)
    same(ours, theirs, X, 1e-7)
    assert ours.predict(X).dtype == theirs.predict(X).dtype


@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "LogisticRegression"])
def test_float32(name: str) -> None:
    X, z, s = rows()
    X = ((X - X.mean(0)) / X.std(0) + 0.5).astype(np.float32)
    y = (z > 0).astype(int) if name == "LogisticRegression" else z.astype(np.float32)
    ours = getattr(ridgeline, name)().fit(X, y, s)
    theirs = getattr(linear_model, name)().fit(X.astype(float), y, s)
    assert ours.coef_.dtype == np.float32
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=2e-3 if name == "LogisticRegression" else 1e-6)


@pytest.mark.parametrize("name", ["Ridge", "HuberRegressor", "QuantileRegressor", "LogisticRegression"])
def test_shared_parameters_have_the_same_defaults(name: str) -> None:
    ours, theirs = getattr(ridgeline, name)().get_params(), getattr(linear_model, name)().get_params()
    for parameter in set(ours) & set(theirs) - {"tol", "solver", "penalty", "max_iter"}:
        assert ours[parameter] == theirs[parameter], parameter


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_pixels_as_they_are_converge_by_default(C):
    """650 parameters of columns from 0 to 16, some of them nearly constant: L-BFGS alone takes thousands of steps."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    model = ridgeline.LogisticRegression(C=C).fit(X, y)  # a warning would be an error
    scores = X @ model.coef_.T + model.intercept_
    P = np.exp(scores - scores.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    gradient = (P - np.eye(10)[y]).T @ X + model.coef_ / C
    assert model.certificate_.status == "optimal"
    assert np.abs(gradient).max() / len(X) < 1e-7
