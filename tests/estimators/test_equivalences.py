"""Fits that must agree: repeated rows and weights, order, scale, shift, precision. Problems are seeded; `slow` draws many more."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ridgeline import HuberRegressor, Lasso, LinearRegression, LogisticRegression, QuantileRegressor, Ridge
from ridgeline.certificate import FitWarning

# name -> (a model, whether its penalty is zero, whether it classifies)
MODELS: dict[str, tuple[Callable[..., Any], bool, bool]] = {
    "least squares": (LinearRegression, True, False),
    "ridge": (lambda **k: Ridge(alpha=2.0, **k), False, False),
    "lasso": (lambda **k: Lasso(alpha=0.02, **k), False, False),
    "huber": (lambda **k: HuberRegressor(delta=0.7, alpha=0, **k), True, False),
    "huber, penalised": (lambda **k: HuberRegressor(delta=0.7, alpha=2.0, **k), False, False),
    "huber, scale fitted": (lambda **k: HuberRegressor(alpha=0, **k), True, False),
    "median": (lambda **k: QuantileRegressor(alpha=0, **k), True, False),
    "lower quartile, penalised": (lambda **k: QuantileRegressor(quantile=0.25, alpha=0.02, **k), False, False),
    "logistic": (lambda **k: LogisticRegression(C=np.inf, **k), True, True),
    "logistic, penalised": (lambda **k: LogisticRegression(C=0.5, **k), False, True),
    "softmax": (lambda **k: LogisticRegression(C=2.0, **k), False, True),
}
FREE = [name for name, (_, free, _) in MODELS.items() if free]
SEEDS = [0, pytest.param(range(1, 60), marks=pytest.mark.slow)]


def problem(name: str, seed: int, n: int = 60, d: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, len(name)])
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    z = (X - X.mean(0)) @ rng.normal(size=d) / 4
    if not MODELS[name][2]:
        return X, z + rng.standard_t(3, size=n)
    noise = 3 * rng.logistic(size=n)
    return X, np.digitize(z + noise, [-2, 2] if name == "softmax" else [0])


def fit(name: str, X: Any, y: Any, weight: Any = None, **parameters: Any) -> Any:
    return MODELS[name][0](**parameters).fit(X, y, weight)


def vector(model: Any) -> np.ndarray:
    return np.concatenate([np.ravel(model.coef_), np.ravel(model.intercept_)])


def assert_agree(a: np.ndarray, b: np.ndarray, digits: float = 9) -> None:
    """Relative to the largest entry: a coefficient near zero has the absolute accuracy of its neighbours."""
    assert np.isfinite(a).all()
    np.testing.assert_allclose(a, b, rtol=0, atol=10**-digits * np.abs(b).max())


def each(seeds: Any) -> Any:
    return seeds if isinstance(seeds, range) else [seeds]


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("name", MODELS)
class TestRows:
    def test_weight_k_is_a_row_k_times(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed)
            k = np.random.default_rng(seed).integers(1, 4, len(y))
            if name.startswith(("median", "lower")):
                k[0] = 2  # an odd total: the optimal vertex is unique
                k[1] += (k.sum() + 1) % 2
            weighted, repeated = fit(name, X, y, k), fit(name, X.repeat(k, 0), y.repeat(k))
            assert_agree(vector(weighted), vector(repeated))

    def test_weight_zero_is_no_row(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed)
            w = np.random.default_rng(seed).uniform(0.5, 2, len(y))
            gone = np.random.default_rng(seed + 1).random(len(y)) < 0.3
            junk = np.where(gone[:, None], 1e6, X)
            assert_agree(vector(fit(name, junk, y, np.where(gone, 0, w))), vector(fit(name, X[~gone], y[~gone], w[~gone])))

    def test_any_order(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed, n=61)
            order = np.random.default_rng(seed).permutation(len(y))
            assert_agree(vector(fit(name, X[order], y[order])), vector(fit(name, X, y)))

    def test_equal_weights_of_any_size(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed, n=61)
            for weight in (1e-200, 1e-30, 1e30, 1e200):
                if MODELS[name][1] or name.startswith("lower"):  # the penalty stands beside a mean, or is nought
                    assert_agree(vector(fit(name, X, y, np.full(len(y), weight))), vector(fit(name, X, y)), 8)


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("name", FREE)
class TestColumns:
    def test_a_scaled_column_scales_its_coefficient_back(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed, n=61)
            model = fit(name, X, y)
            for factor in (1e-150, 1e-20, 1e-3, 1e5, 1e20, 1e150):
                scale = np.array([factor, 1.0, 1 / factor, 3.0])
                scaled = fit(name, X * scale, y)
                assert_agree(np.ravel(scaled.coef_ * scale), np.ravel(model.coef_), 8)
                assert_agree(np.ravel(scaled.intercept_), np.ravel(model.intercept_), 8)
                assert scaled.certificate_.status == "optimal"

    def test_a_shift_moves_only_the_intercept(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed, n=61)
            X = np.round(X * 2**20) / 2**20  # so that adding 1e8 is exact
            model = fit(name, X, y)
            for shift in (np.array([1.0, -2.0, 0.5, 0.0]), np.array([1e8, -1e8, 3.0, 1e4])):
                shifted = fit(name, X + shift, y)
                assert_agree(np.ravel(shifted.coef_), np.ravel(model.coef_), 8)
                expected = np.ravel(model.intercept_ - model.coef_ @ shift)
                assert_agree(np.ravel(shifted.intercept_), expected, 8)

    def test_no_intercept_is_scale_free_too(self, name: str, seeds: Any) -> None:
        for seed in each(seeds):
            X, y = problem(name, seed, n=61)
            scale = np.array([1e-100, 1.0, 1e100, 1e8])
            model, scaled = (fit(name, Z, y, fit_intercept=False) for Z in (X, X * scale))
            assert_agree(np.ravel(scaled.coef_ * scale), np.ravel(model.coef_), 8)
            assert model.intercept_ == 0

    def test_targets_of_any_size(self, name: str, seeds: Any) -> None:
        if MODELS[name][2]:
            pytest.skip("labels have no size")
        for seed in each(seeds):
            X, y = problem(name, seed, n=61)
            for factor in (1e-100, 1e-20, 1e20, 1e100):
                if name == "huber":
                    big = HuberRegressor(delta=0.7 * factor, alpha=0).fit(X, y * factor)
                else:
                    big = fit(name, X, y * factor)
                assert_agree(vector(big) / factor, vector(fit(name, X, y)), 8)


@pytest.mark.parametrize("name", MODELS)
def test_float32_agrees_to_its_own_precision(name: str) -> None:
    for seed in range(3):
        X, y = problem(name, seed, n=61)
        single, double = fit(name, X.astype(np.float32), y), fit(name, X.astype(np.float32).astype(float), y)
        assert single.coef_.dtype == np.float32
        assert single.certificate_.status == "optimal"
        assert_agree(vector(single), vector(double), 5)
        if not MODELS[name][2]:
            assert single.predict(X.astype(np.float32)).dtype == np.float32


def test_balanced_classes_count_weights_as_rows() -> None:
    X, y = problem("softmax", 0)
    k = np.random.default_rng(0).integers(0, 4, len(y))
    model = LogisticRegression(class_weight="balanced")
    weighted = vector(model.fit(X, y, k))
    assert_agree(weighted, vector(model.fit(X.repeat(k, 0), y.repeat(k))))


@pytest.mark.parametrize("weight", [(1e-200, 1e200), (1e-30, 1e30)])
@pytest.mark.parametrize("name", FREE)
def test_weights_of_any_range(name: str, weight: tuple[float, float]) -> None:
    """Rows of tiny weight are as good as absent beside rows of large weight."""
    X, y = problem(name, 1, n=121)
    tiny = np.arange(121) % 2 == 0
    model = fit(name, X, y, np.where(tiny, *weight))
    assert_agree(vector(model), vector(fit(name, X[~tiny], y[~tiny])), 8)


@pytest.mark.parametrize("name", MODELS)
def test_splitting_a_weight_changes_nothing(name: str) -> None:
    X, y = problem(name, 2, n=61)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FitWarning)
        split = fit(name, np.vstack([X, X]), np.append(y, y), np.append(np.full(61, 0.25), np.full(61, 0.75)))
    assert_agree(vector(split), vector(fit(name, X, y)))
