"""What a read is worth, and the step that needs none: its gradient within the bounds that are given for it."""

import numpy as np
import pytest

from ridgeline import LogisticRegression
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SoftmaxLoss
from ridgeline.solvers import reads
from ridgeline.solvers.newton import newton
from ridgeline.solvers.reads import without_a_read, worth_a_hessian
from ridgeline.solvers.regular_hessian import RegularHessian
from ridgeline.sources import ArraySource

from .test_few_labels import mean_risk

N, D = 3000, 4


def objective(classes, alpha=1.0):
    rng = np.random.default_rng(classes)
    X = rng.normal(size=(N, D)) * [1.0, 30.0, 0.01, 2.0] + [0.0, 50.0, 0.0, 1.0]
    z = (X / X.std(axis=0)) @ rng.normal(size=(D, classes))
    y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    if classes == 2:
        return Objective(ArraySource(X, y.astype(float)), LOGISTIC, alpha, True)
    return Objective(ArraySource(X, y.astype(np.int64)), SoftmaxLoss(classes), alpha, True)


@pytest.fixture
def dear(monkeypatch):
    """Reads of these few rows count."""
    monkeypatch.setattr(reads, "UNREAD", 1)


def around(F, size, seed):
    """A Hessian's factor and a point, both about `size` from the optimum, and the step from there."""
    best = newton(F, np.zeros(F.size), tol=1e-9, max_iter=50).point.theta
    gauge = F.gauge()
    away = np.random.default_rng(seed).normal(size=(2, F.size)) * size
    away -= away @ gauge @ gauge.T
    at, point = F.expand(best + away[0], 2), F.expand(best + size * away[1], 1)
    factor = RegularHessian(at.hessian, F.gauge(np.diag(at.hessian)), at=at.theta)
    return factor, point, -factor.solve(point.gradient)


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_gradient_is_within_its_bounds(classes, size, dear):
    F = objective(classes)
    for seed in range(3):
        factor, point, step = around(F, size, seed)
        there, error = without_a_read(F, point, factor, step, tol=1.0)
        true = F.expand(there.theta, 1)
        assert (np.abs(true.gradient - there.gradient) <= error + 1e-12 * F.weight).all()
        assert abs(true.value - there.value) <= 1e-12 * true.value + float(error @ np.abs(step))
        assert np.abs(error).max() <= 200 * size * np.abs(point.gradient).max()  # and they say something


def test_what_cannot_be_proven_is_read(dear):
    F = objective(2)
    factor, point, step = around(F, 1e-3, 0)
    assert without_a_read(F, point, factor, step, tol=1e-12) is None  # the bound is larger
    assert without_a_read(F, point, factor, 1e8 * step, tol=1.0) is None  # too far
    factor.share = 1 / 7
    assert without_a_read(F, point, factor, step, tol=1.0) is None  # of a sample
    factor.share, factor.shift = 1.0, 1e-3
    assert without_a_read(F, point, factor, step, tol=1.0) is None  # not the Hessian


def test_a_cheap_read_is_made():
    F = objective(2)
    assert without_a_read(F, *around(F, 1e-5, 0), tol=1.0) is None


def test_a_hessian_pays_where_columns_are_few_and_the_way_is_long():
    F = objective(2)
    assert worth_a_hessian(F, 1e-2, 0.95, True)  # nothing else moves
    assert worth_a_hessian(F, 1e-4, 0.5, False)
    assert not worth_a_hessian(F, 1e-9, 1e-4, True)  # the next step is the last


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_many_rows_take_three_reads_beside_the_samples(fit_intercept):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120_000, 10)) + 0.5
    y = (rng.uniform(size=len(X)) < 1 / (1 + np.exp(-X @ rng.normal(size=10)))).astype(float)
    model = LogisticRegression(C=1.0, fit_intercept=fit_intercept).fit(X, y)
    w, b = model.coef_[0], model.intercept_[0]
    _, gradient = mean_risk(X, y, np.ones(len(X)), w, b, 1.0)
    proof = model.certificate_
    assert proof.status == "optimal" and proof.passes <= 7
    assert np.abs(gradient if fit_intercept else gradient[:-1]).max() <= proof.gradient_norm + 1e-13
    np.testing.assert_allclose(model.coef_, LogisticRegression(C=1.0, fit_intercept=fit_intercept, tol=1e-13).fit(X, y).coef_, rtol=1e-9)
