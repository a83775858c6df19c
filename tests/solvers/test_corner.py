"""Huber's loss by samples and the rows near the corner: the optimum of all rows, whatever they are like."""

import numpy as np
import pytest

from ridgeline import HuberRegressor
from ridgeline.solvers import corner as module

N, D = 40_000, 6


def rows(noise="normal", seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) @ rng.normal(size=(D, D)) * 10.0 ** rng.integers(-4, 4, D) + 3
    e = {
        "normal": lambda: rng.normal(size=N),
        "Cauchy": lambda: rng.standard_cauchy(N),
        "outliers": lambda: np.where(rng.random(N) < 0.3, 100, 1) * rng.normal(size=N),
        "mostly outliers": lambda: np.where(rng.random(N) < 0.6, 50, 0) + rng.normal(size=N),
        "ties": lambda: rng.integers(-3, 4, N).astype(float),
        "in step with the samples": lambda: np.where(np.arange(N) % 7 == 0, 30, rng.normal(size=N)),
        "unequal": lambda: rng.normal(size=N) * np.exp((X[:, 0] - 3) / X[:, 0].std()),
    }[noise]()
    return X, (X / X.std(axis=0)) @ rng.normal(size=D) + 1 + e


NOISES = ["normal", "Cauchy", "outliers", "mostly outliers", "ties", "in step with the samples", "unequal"]


def gradient(X, y, s, model):
    """Of the mean objective in standardised columns, by NumPy alone."""
    Z = np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), np.ones(len(X))])
    r = X @ model.coef_ + model.intercept_ - y
    if model.delta is not None:
        slope = s @ (np.clip(r, -model.delta, model.delta)[:, None] * Z)
        slope[:-1] += model.alpha * model.coef_ / X.std(axis=0)
        return slope / s.sum()
    u = r / model.scale_
    slope = s @ (np.clip(u, -model.epsilon, model.epsilon)[:, None] * Z)
    slope[:-1] += model.alpha * model.coef_ / X.std(axis=0)
    along = 0.5 * s @ (1 - np.minimum(u * u, model.epsilon**2))
    return np.append(slope, along) / s.sum()


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("parameters", [{"delta": 1.0, "alpha": 0.0}, {"delta": 0.3, "alpha": 5.0}, {"alpha": 0.0}, {"alpha": 7.0}])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_vanishes(noise, parameters, weighted):
    X, y = rows(noise)
    s = np.random.default_rng(1).exponential(size=N) if weighted else np.ones(N)
    model = HuberRegressor(**parameters).fit(X, y, s if weighted else None)
    assert model.certificate_.status == "optimal"
    assert np.abs(gradient(X, y, s, model)).max() < 1e-12 * max(1, np.abs(y).max() ** 0.5)
    assert model.certificate_.suboptimality < 1e-14


@pytest.mark.parametrize(("constant", "value", "noise"), [("BAND", 0.02, ()), ("STEPS", 1, ("Cauchy",))])
@pytest.mark.parametrize("parameters", [{"delta": 1.0}, {}])
def test_a_band_too_narrow_and_steps_that_run_out_do_no_harm(parameters, constant, value, noise, monkeypatch):
    X, y = rows(*noise)
    plain = HuberRegressor(**parameters).fit(X, y)
    monkeypatch.setattr(module, constant, value)
    model = HuberRegressor(**parameters).fit(X, y)
    assert model.certificate_.status == "optimal"
    assert model.certificate_.passes > plain.certificate_.passes
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-10)


def test_a_threshold_that_every_row_exceeds_leaves_the_penalty_alone():
    """Slopes are then delta or -delta: w = delta sum_i sign(y_i) x_i / alpha, which is nearly nothing."""
    X, y = rows()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = y - np.median(y)
    y = np.where(y > 0, y + 10, y - 10)
    model = HuberRegressor(delta=1e-6, alpha=1.0, fit_intercept=False).fit(X, y)
    assert model.certificate_.status == "optimal"
    np.testing.assert_allclose(model.coef_, 1e-6 * np.sign(y) @ X, rtol=1e-9)


@pytest.mark.parametrize("width", [10.0, 100.0, 1000.0])
@pytest.mark.parametrize("epsilon", [1.01, 1.35])
def test_samples_whose_scale_is_far_too_large_do_no_harm(width, epsilon):
    """Newton's step on the band then goes beyond zero, out of the domain."""
    rng = np.random.default_rng(6)
    X, y = rows()
    y[::7] += width * rng.normal(size=len(y[::7]))
    model = HuberRegressor(epsilon=epsilon, alpha=0).fit(X, y)
    assert model.certificate_.status == "optimal"
    assert np.abs(gradient(X, y, np.ones(N), model)).max() < 1e-12 * max(1, np.abs(y).max() ** 0.5)


def test_few_reads():
    X, y = rows()
    for parameters in ({"delta": 1.0}, {}):
        assert HuberRegressor(**parameters).fit(X, y).certificate_.passes <= 8


@pytest.mark.parametrize("dtype, order", [(np.float32, "C"), (np.float64, "F"), (np.int32, "C")])
def test_layouts(dtype, order):
    rng = np.random.default_rng(3)
    X = np.asarray(rng.normal(size=(N, D)) * 10, dtype, order=order)
    y = X.astype(float) @ np.ones(D) + rng.standard_cauchy(N)
    plain = HuberRegressor().fit(np.array(X, np.float64, order="C"), y)
    model = HuberRegressor().fit(X, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-6 if dtype == np.float32 else 1e-11)
    assert model.certificate_.status == "optimal"


def test_dependent_columns():
    X, y = rows()
    X[:, 1] = X[:, 0]
    with pytest.warns(match="dependent"):
        model = HuberRegressor(delta=1.0, alpha=0).fit(X, y)
    assert model.certificate_.status == "rank_deficient"
    np.testing.assert_allclose(model.coef_[0], model.coef_[1], rtol=1e-8)


def test_a_sample_that_fits_exactly():
    X, y = rows()
    y[::61] = y[::7] = 0
    X[::61] = X[::7] = 0
    model = HuberRegressor(alpha=0).fit(X, y)
    assert np.abs(gradient(X, y, np.ones(N), model)).max() < 1e-10
