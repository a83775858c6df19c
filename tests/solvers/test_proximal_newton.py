"""L1 and elastic net penalties: the least subgradient of the answer is zero, and the certificate's bound holds."""

import numpy as np
import pytest

from ridgeline import LogisticRegression, source
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC
from ridgeline.solvers.proximal_newton import proximal_newton
from ridgeline.sources import ArraySource

from .test_stuck import changed

CASES = [(100, 20, 2, 1.0, 1.0), (300, 5, 2, 0.5, 1.0), (200, 10, 3, 1.0, 1.0), (200, 10, 4, 0.3, 0.1), (40, 100, 2, 1.0, 0.5)]


def problem(n, d, c, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.choice([0.1, 1.0, 10.0], d) + rng.normal(size=d)
    z = (X - X.mean(0)) / X.std(0) @ (rng.normal(size=(d, c)) * (np.arange(d)[:, None] < 4))
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1), rng.uniform(0.5, 2.0, n)


def gradient(model, X, y, s, l2):
    """Of losses and squared penalty, by NumPy alone."""
    w, b = model.coef_, model.intercept_
    if len(w) == 1:
        w, b = np.vstack([0 * w, w]), np.append(0, b)
    z = X @ w.T + b
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(X)), y] -= 1
    g, g0 = (s[:, None] * p).T @ X + l2 * w, s @ p
    return (g, g0) if len(model.coef_) > 1 else (g[1:], g0[1:])


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("n", "d", "c", "ratio", "C"), CASES)
def test_the_least_subgradient_is_zero(n, d, c, ratio, C, fit_intercept):
    X, y, s = problem(n, d, c)
    model = LogisticRegression(C=C, l1_ratio=ratio, fit_intercept=fit_intercept).fit(X, y, s)
    g, g0 = gradient(model, X, y, s, (1 - ratio) / C)
    l1, zero = ratio / C, model.coef_ == 0
    size = np.abs(X).T @ s
    assert (np.abs(g + l1 * np.sign(model.coef_))[~zero] <= 1e-12 * np.broadcast_to(size, g.shape)[~zero]).all()
    assert (np.abs(g)[zero] <= l1 * (1 + 1e-12)).all()
    if fit_intercept:
        assert np.abs(g0).max() <= 1e-12 * s.sum()
    assert model.certificate_.status == "optimal"
    assert ratio < 1 or zero.any()


@pytest.mark.parametrize("c", [2, 3])
@pytest.mark.parametrize("ratio", [0.2, 1.0])
def test_the_bound_holds(ratio, c):
    X, y, s = problem(300, 8, c)

    def risk(model):
        w, b = model.coef_, model.intercept_
        z = X @ w.T + b
        z = z if c > 2 else np.column_stack([0 * z, z])
        loss = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]
        return (s @ loss + (1 - ratio) / 2 * (w**2).sum() + ratio * np.abs(w).sum()) / s.sum()

    best = LogisticRegression(l1_ratio=ratio).fit(X, y, s)
    rough = LogisticRegression(l1_ratio=ratio, tol=1e-3).fit(X, y, s)
    assert best.certificate_.suboptimality < 1e-15 or c > 2
    assert risk(rough) - risk(best) <= rough.certificate_.suboptimality + 1e-15


def test_l1_ratio_of_nearly_zero_is_the_squared_penalty():
    X, y, s = problem(200, 6, 3)
    near = LogisticRegression(l1_ratio=1e-12).fit(X, y, s)
    np.testing.assert_allclose(near.coef_, LogisticRegression().fit(X, y, s).coef_, rtol=1e-8, atol=1e-10)


def test_a_strong_penalty_leaves_the_intercept_alone():
    X, y, s = problem(150, 5, 2)
    model = LogisticRegression(C=1e-6, l1_ratio=1.0).fit(X, y, s)
    np.testing.assert_array_equal(model.coef_, 0.0)
    np.testing.assert_allclose(model.intercept_, np.log(s[y == 1].sum() / s[y == 0].sum()), rtol=1e-12)


def test_one_step_is_not_enough_and_says_so():
    X, y, s = problem(300, 8, 2)
    with pytest.warns(UserWarning, match="Stopped after 1 iterations.*Raise max_iter"):
        model = LogisticRegression(l1_ratio=1.0, max_iter=1).fit(X, y, s)
    assert model.certificate_.status == "stopped_early"
    assert model.n_iter_ == 1


def test_float32_rows():
    X, y, s = problem(300, 8, 2)
    model = LogisticRegression(l1_ratio=1.0).fit(X.astype(np.float32), y, s)
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, LogisticRegression(l1_ratio=1.0).fit(X, y, s).coef_, rtol=1e-4, atol=1e-6)


def test_steps_that_go_too_far_are_halved():
    """Of offsets on the wrong side, whose rows have hardly any curvature at the start."""
    X, y, s = problem(300, 4, 2)
    offset = np.where(y > 0, -20.0, 20.0)
    model = LogisticRegression(l1_ratio=1.0).fit_source(source(X, y, s, offset=offset))
    assert model.certificate_.status == "optimal"
    w, b = model.coef_[0], model.intercept_[0]
    p = np.exp(-np.logaddexp(0, -(X @ w + b + offset)))
    g = (s * (p - y)) @ X
    size = np.abs(X).T @ s
    assert (np.abs(g + np.sign(w))[w != 0] <= 1e-10 * size[w != 0]).all() and (np.abs(g)[w == 0] <= 1 + 1e-10).all()
    assert abs(s @ (p - y)) <= 1e-10 * s.sum()


def test_a_gradient_that_points_uphill_leads_nowhere_and_is_no_optimum(monkeypatch):
    X, y, s = problem(100, 3, 2)
    F = changed(monkeypatch, Objective(ArraySource(X, y.astype(float), s), LOGISTIC, 0.0, True), gradient=np.negative)
    best = proximal_newton(F, np.array([0.1, 0.1, 0.1, 0.0]), np.zeros(4), tol=1e-8, max_iter=20)
    assert best.certificate.status == "stopped_early" and best.n_iter == 1
    assert not best.theta.any()
