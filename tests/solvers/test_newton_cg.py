"""Newton's method with conjugate gradients on sparse rows: products are those of the Hessian, and it arrives where Newton does."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from ridgeline import LinearRegression, LogisticRegression, Ridge
from ridgeline.curvature import HessianProduct, column_squares, has_products
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SQUARED, ScaledHuberLoss, SoftmaxLoss, huber_loss
from ridgeline.solvers import newton_cg as module
from ridgeline.solvers import wide
from ridgeline.solvers.newton import newton
from ridgeline.solvers.newton_cg import newton_cg
from ridgeline.sources import ArraySource
from ridgeline.sparse_rows import sparse_rows
from tests.test_sparse import text_like

N, D = 400, 30
X = text_like(N, D, 6)
RNG = np.random.default_rng(5)
W = RNG.uniform(size=N) * (RNG.uniform(size=N) < 0.9)
TARGETS = {
    SQUARED: RNG.normal(size=N),
    LOGISTIC: (RNG.uniform(size=N) < 0.4).astype(float),
    huber_loss(0.8): RNG.normal(size=N),
    SoftmaxLoss(3): RNG.integers(0, 3, N),
}
each_loss = pytest.mark.parametrize("loss", TARGETS, ids=lambda loss: loss.name)


def objective(loss, alpha=0.5, intercept=True, weight=W):
    return Objective(ArraySource(sparse_rows(X, "X"), TARGETS[loss], weight), loss, alpha, intercept)


@each_loss
@pytest.mark.parametrize("intercept", [True, False])
def test_products_are_those_of_the_hessian(loss, intercept):
    F = objective(loss, intercept=intercept)
    theta, v = RNG.normal(size=(2, F.size))
    want = F.expand(theta, 2).hessian @ v
    np.testing.assert_allclose(HessianProduct(F, theta)(v), want, rtol=1e-11, atol=1e-11 * np.abs(want).max())


def test_the_mean_curvature_of_each_class():
    """Of logits p it is sum s p (1 - p) / sum s; of two classes in one output the same."""
    for loss in (SoftmaxLoss(3), LOGISTIC):
        F = objective(loss)
        theta = RNG.normal(size=(loss.outputs, F.coordinates.width))
        w, b = F.coordinates.original(theta)
        z = np.asarray(X @ w.T + b)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) if loss.outputs == 3 else 1 / (1 + np.exp(-z))
        np.testing.assert_allclose(HessianProduct(F, theta.ravel()).size, W @ (p * (1 - p)) / W.sum(), rtol=1e-12)


def test_column_squares_are_those_of_the_gram():
    F = objective(SQUARED)
    np.testing.assert_allclose(column_squares(F), np.diag(F.gram()), rtol=1e-12)


def test_a_shared_parameter_has_no_products():
    F = Objective(ArraySource(sparse_rows(X, "X"), TARGETS[SQUARED], W), ScaledHuberLoss(1.35), 0.5, True)
    assert not has_products(F)


@each_loss
def test_it_arrives_where_newton_does(loss):
    F = objective(loss)
    got, want = newton_cg(F, np.zeros(F.size), tol=1e-12, max_iter=50), newton(F, np.zeros(F.size), tol=1e-12, max_iter=50)
    assert got.converged
    np.testing.assert_allclose(got.point.theta, want.point.theta, rtol=1e-8, atol=1e-9)
    assert got.n_iter == (1 if loss.quadratic else got.n_iter)


def test_separated_classes_are_found():
    rows = sp.csr_array(np.vstack([np.eye(20), -np.eye(20)]))
    F = Objective(ArraySource(sparse_rows(rows, "X"), np.repeat([1.0, 0.0], 20)), LOGISTIC, 0.0, True)
    found = newton_cg(F, np.zeros(F.size), tol=1e-30, max_iter=60)
    assert not found.converged and found.runaway is not None


WIDE = text_like(300, 2500, 20, seed=3)


@pytest.mark.parametrize("intercept", [True, False])
def test_many_columns_of_a_classifier(intercept):
    y = (WIDE @ np.sin(np.arange(2500)) > 0).astype(int)
    for classes in (y, y + (WIDE[:, :5].sum(axis=1) > 0.5)):
        sparse, dense = (
            LogisticRegression(C=2.0, fit_intercept=intercept, tol=1e-10, solver=solver).fit(rows, classes)
            for rows, solver in ((WIDE, "auto"), (WIDE.toarray(), "lbfgs"))
        )
        assert "conjugate gradients" in sparse.certificate_.solver
        np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6)
        Z = WIDE @ sparse.coef_.T + sparse.intercept_
        p = 1 / (1 + np.exp(-Z)) if len(sparse.coef_) == 1 else np.exp(Z - np.logaddexp.reduce(Z, axis=1)[:, None])
        hot = classes[:, None] if len(sparse.coef_) == 1 else np.eye(3)[classes]
        assert np.abs(WIDE.T @ (p - hot) + sparse.coef_.T / 2.0).max() / len(classes) < 1e-8


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, 300)])
def test_many_columns_of_a_ridge(monkeypatch, intercept, weight):
    monkeypatch.setattr(wide, "MOMENTS_LIMIT", 100)
    y = RNG.normal(size=(300, 2)) + 3
    dense = Ridge([0.3, 2.0], fit_intercept=intercept).fit(WIDE.toarray(), y, weight)
    monkeypatch.setattr(wide, "DUAL_LIMIT", 100)
    sparse = Ridge([0.3, 2.0], fit_intercept=intercept).fit(WIDE, y, weight)
    assert "conjugate gradients" in sparse.certificate_.solver and sparse.certificate_.status == "optimal"
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-8)
    np.testing.assert_allclose(sparse.intercept_, dense.intercept_, atol=1e-8)


def test_many_columns_without_a_penalty(monkeypatch):
    monkeypatch.setattr(wide, "MOMENTS_LIMIT", 100)
    monkeypatch.setattr(wide, "DUAL_LIMIT", 100)
    y = RNG.normal(size=300)
    with pytest.warns(UserWarning, match="no more rows"):
        model = LinearRegression().fit(WIDE, y)
    assert model.certificate_.status == "rank_deficient"
    np.testing.assert_allclose(model.predict(WIDE), y, atol=1e-4)


def test_steps_by_few_products_arrive_too(monkeypatch):
    """What a step has left goes into the next; a quadratic objective keeps its product."""
    made = []
    build = HessianProduct.__init__
    monkeypatch.setattr(HessianProduct, "__init__", lambda self, *a: (made.append(a), build(self, *a))[1])
    F = objective(SQUARED)
    want = newton(F, np.zeros(F.size), tol=1e-12, max_iter=50).point.theta
    monkeypatch.setattr(module, "MOST_PRODUCTS", 8)
    got = newton_cg(F, np.zeros(F.size), tol=1e-10, max_iter=50)
    assert got.converged and got.n_iter > 1 and len(made) == 1
    np.testing.assert_allclose(got.point.theta, want, rtol=1e-6, atol=1e-8)


def test_a_quadratic_whose_step_hardly_helps_is_not_followed_further(monkeypatch):
    """Where that is not rounding, it says that it has not arrived."""
    F = objective(SQUARED)
    zero = np.zeros(F.size)
    monkeypatch.setattr(module, "MOST_PRODUCTS", 1)
    got = newton_cg(F, zero, tol=1e-10, max_iter=50)
    assert not got.converged and got.point.value < F.expand(zero, 0).value
    assert F.steepness(F.expand(got.point.theta, 1)) > 1e-10


def test_rows_that_show_no_curvature_lead_nowhere_and_it_says_so():
    """Offsets so far on the wrong side that p (1 - p) is zero in every row."""
    rows = ArraySource(sparse_rows(X, "X"), TARGETS[LOGISTIC], np.empty(0), np.full(N, -800.0))
    F = Objective(rows, LOGISTIC, 0.0, False)
    found = newton_cg(F, np.zeros(F.size), tol=1e-8, max_iter=5)
    assert not found.converged and not found.point.theta.any() and np.isnan(found.condition)
