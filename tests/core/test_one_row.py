"""One row at a time: the quick way gives the ordinary way's numbers, and leaves to it whatever is not plain."""

import numpy as np
import pytest

from ridgeline import LinearRegression, LogisticRegression, Ridge
from ridgeline.kernels import load

kernels = load("one_row")
predict_one, probabilities_of_one = kernels.predict_one, kernels.probabilities_of_one


@pytest.mark.parametrize("d", [0, 1, 2, 3, 8, 21])
def test_a_row_is_its_formula(d):
    rng = np.random.default_rng(d)
    x, w, b = rng.normal(size=(1, d)), rng.normal(size=d), 0.25
    z = x[0] @ w + b
    got = predict_one(x, w, b)
    assert got.shape == (1,)
    np.testing.assert_allclose(got, z, rtol=1e-14)
    got = probabilities_of_one(x, w[None], np.array([b]))
    assert got.shape == (1, 2)
    np.testing.assert_allclose(got, [[1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))]], rtol=1e-14)


class Doubled(np.ndarray):
    pass


ROW, W = np.ones((1, 4)), np.ones(4)


@pytest.mark.parametrize("X, w", [
    (None, W), (ROW, None), (ROW.tolist(), W), (np.ones((2, 4)), W), (np.ones((1, 3)), W), (np.ones(4), W),
    (np.ones((1, 1, 4)), W), (ROW.astype(np.float32), W), (ROW.astype(">f8"), W), (ROW.astype(int), W), (ROW, np.ones((2, 4))),
    (np.ones((1, 8))[:, ::2], W), (np.ma.masked_array(ROW, ROW > 0), W), (ROW.view(Doubled), W), (ROW * np.nan, W), (ROW * np.inf, W),
    (ROW, W * 1e308), (np.ones((1, 8)), np.ones((2, 4))), (ROW, W.astype(np.float32)), (ROW.astype(object), W),
])  # fmt: skip
def test_what_is_not_plain_is_left_to_the_ordinary_way(X, w):
    assert predict_one(X, w, 0.0) is None
    several = w is not None and w.ndim == 2
    assert probabilities_of_one(X, w if w is None or several else w[None], np.zeros(1)) is None


def test_the_estimators_take_either_way_to_the_same_numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = X @ rng.normal(size=5) + rng.normal(size=60)
    for model in (Ridge().fit(X, y), LinearRegression().fit(X, np.column_stack([y, -y])), Ridge().fit(X.astype(np.float32), y)):
        for i in range(3):
            np.testing.assert_allclose(model.predict(X[i : i + 1]), model.predict(X)[i : i + 1], rtol=1e-5)
    for labels in (y > 0, np.digitize(y, [-1, 1])):
        model = LogisticRegression().fit(X, labels)
        np.testing.assert_allclose(model.predict_proba(X[:1]), model.predict_proba(X)[:1], rtol=1e-13)


@pytest.mark.parametrize("width", [4, 15])
def test_a_row_of_another_width_is_refused(width):
    X = np.random.default_rng(0).normal(size=(60, 5))
    model = LogisticRegression().fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match=f"X has {width} features"):
        model.predict_proba(np.ones((1, width)))
    with pytest.raises(ValueError, match=f"X has {width} features"):
        Ridge().fit(X, X[:, 0]).predict(np.ones((1, width)))


def test_a_row_with_a_nan_and_a_model_without_a_fit_are_refused():
    X = np.random.default_rng(0).normal(size=(60, 5))
    with pytest.raises(ValueError, match="NaN"):
        Ridge().fit(X, X[:, 0]).predict(np.full((1, 5), np.nan))
    with pytest.raises(ValueError, match="not fitted"):
        LogisticRegression().predict_proba(X[:1])
