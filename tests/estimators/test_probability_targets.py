"""Targets that are probabilities: a row of them is as many rows of labels, each with its probability for a weight."""

from __future__ import annotations

import numpy as np
import pytest

from ridgeline import LogisticRegression

N, D = 300, 4
rng = np.random.default_rng(3)
X = rng.normal(size=(N, D)) * [1.0, 10.0, 0.1, 1.0] + [0.0, 100.0, 0.0, -3.0]


def soft(c):
    Y = np.random.default_rng(c).dirichlet(np.full(c, 0.7), size=N)
    Y[::7] = np.eye(c)[0]  # some rows are sure
    return Y


def as_labels(Y, weight):
    """Every row once for each class."""
    c = Y.shape[1]
    return np.repeat(X, c, axis=0), np.tile(np.arange(c), N), (weight[:, None] * Y).ravel()


@pytest.mark.parametrize("c", [2, 3, 5])
@pytest.mark.parametrize(
    "options", [{}, {"class_weight": "balanced"}, {"class_weight": {0: 3.0}}, {"l1_ratio": 0.5, "C": 0.1}, {"solver": "lbfgs"}]
)
def test_probabilities_are_weighted_labels(c, options):
    Y, weight = soft(c), np.random.default_rng(1).uniform(0.5, 2, size=N)
    model = LogisticRegression(**options).fit(X, Y, weight)
    rows, labels, each = as_labels(Y, weight)
    twin = LogisticRegression(**options).fit(rows, labels, each)
    assert model.certificate_.status == "optimal"
    assert model.classes_.tolist() == list(range(c))
    tolerance = 1e-9 if "solver" not in options and "l1_ratio" not in options else 2e-5
    np.testing.assert_allclose(model.coef_, twin.coef_, rtol=tolerance, atol=tolerance * np.abs(twin.coef_).max())
    np.testing.assert_allclose(model.predict_proba(X), twin.predict_proba(X), atol=1e-5)


def test_the_gradient_is_zero_at_the_optimum():
    Y = soft(3)
    model = LogisticRegression(C=2.0).fit(X, Y)
    residual = model.predict_proba(X) - Y
    gradient = residual.T @ X + model.coef_ / 2.0
    assert np.abs(gradient).max() / N < 1e-9
    assert np.abs(residual.sum(axis=0)).max() / N < 1e-9


def test_one_hot_rows_are_labels():
    labels = np.random.default_rng(0).integers(0, 3, size=N)
    got, want = LogisticRegression().fit(X, np.eye(3)[labels]), LogisticRegression().fit(X, labels)
    np.testing.assert_allclose(got.coef_, want.coef_, rtol=1e-9, atol=1e-11)


def test_small_fits_and_single_precision_take_them_too():
    Y = soft(2)[:30].astype(np.float32)
    model = LogisticRegression().fit(X[:30].astype(np.float32), Y)
    twin = LogisticRegression().fit(X[:30], Y.astype(np.float64) / Y.astype(np.float64).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(model.coef_, twin.coef_, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((4, 1, -0.5), "holds -0.5 at row 4, column 1, which is not a probability"),
        ((4, 1, np.nan), "holds nan at row 4, column 1"),
        ((4, 1, 0.9), "taken for probabilities of 2 classes, does not sum to 1 at row 4"),
    ],
)
def test_what_is_no_probability_is_named(change, message):
    Y = np.full((N, 2), 0.5)
    row, column, value = change
    Y[row, column] = value
    with pytest.raises(ValueError, match=message):
        LogisticRegression().fit(X, Y)


def test_a_single_class_is_refused():
    with pytest.raises(ValueError, match="at least 2 classes"):
        LogisticRegression().fit(X, np.eye(2)[np.zeros(N, int)])
