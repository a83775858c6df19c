"""Logistic regression by batches: what it minimises, how near it comes to the fit of all rows, what it refuses."""

import numpy as np
import pytest

from ridgeline import LogisticRegression
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC
from ridgeline.solvers.laplace import Memory, update
from ridgeline.sources import ArraySource
from tests.solvers.test_stuck import changed


def rows(n=6000, d=4, c=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * [1.0, 10.0, 0.1, 1.0] + [0.0, 5.0, 0.0, -2.0]
    z = (X - X.mean(0)) / X.std(0) @ rng.normal(size=(d, c))
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1), rng.uniform(0.5, 2.0, n)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("c", [2, 3])
def test_one_batch_is_a_fit(c, fit_intercept):
    X, y, s = rows(500, c=c)
    options = {"C": 0.3, "fit_intercept": fit_intercept, "class_weight": {0: 2.0}}
    once = LogisticRegression(**options).partial_fit(X, y, classes=range(c), sample_weight=s)
    whole = LogisticRegression(**options).fit(X, y, s)
    np.testing.assert_allclose(once.coef_, whole.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(once.intercept_, whole.intercept_, rtol=1e-7, atol=1e-9)
    assert once.certificate_.status == "optimal"


@pytest.mark.parametrize("c", [2, 3])
def test_batches_come_near_the_fit_of_all(c):
    X, y, s = rows(c=c)
    whole = LogisticRegression().fit(X, y, s)

    def distance(batches):
        model = LogisticRegression()
        for part in np.array_split(np.arange(len(X)), batches):
            model.partial_fit(X[part], y[part], np.arange(c), s[part])
        return np.abs((model.coef_ - whole.coef_) * X.std(0)).max()

    spread = 1 / np.sqrt(len(X) * 0.2)  # about the standard error of a coefficient
    assert distance(1) < 1e-6 * spread
    assert distance(3) < 0.5 * spread
    assert distance(12) < spread


def test_the_step_minimises_the_batch_and_the_memory():
    X, y, _ = rows(400)
    model = LogisticRegression(C=2.0).partial_fit(X[:200], y[:200], classes=[0, 1])
    theta, A = model._memory.theta[0], model._memory.precision
    model.partial_fit(X[200:], y[200:])
    now = np.append(model.coef_[0], model.intercept_)
    Z = np.column_stack([X, np.ones(len(X))])[200:]
    p = 1 / (1 + np.exp(-Z @ now))
    gradient = Z.T @ (p - y[200:]) + A @ (now - theta)
    assert (np.abs(gradient) < 1e-9 * (np.abs(Z).sum(axis=0) + 1)).all()
    np.testing.assert_allclose(model._memory.precision, A + (Z.T * (p * (1 - p))) @ Z, rtol=1e-9)


def test_a_later_batch_may_hold_one_class():
    X, y, _ = rows(600)
    model = LogisticRegression().partial_fit(X[:200], y[:200], classes=[0, 1])
    for k in (0, 1):
        model.partial_fit(X[200:][y[200:] == k], y[200:][y[200:] == k])
    assert model.certificate_.status == "optimal"
    assert model.score(X, y) > LogisticRegression().fit(X, y).score(X, y) - 0.02


def test_the_first_batch_holds_every_class():
    X, y, _ = rows(100)
    with pytest.raises(ValueError, match="holds no row of class .*1.*rows of every class first"):
        LogisticRegression().partial_fit(X[y == 0], y[y == 0], classes=[0, 1])


def test_a_fit_forgets():
    X, y, _ = rows(300)
    model = LogisticRegression().partial_fit(X, y, classes=[0, 1]).fit(X, y)
    model.partial_fit(X[:150], y[:150])
    again = LogisticRegression().partial_fit(X[:150], y[:150], classes=[0, 1])
    np.testing.assert_array_equal(model.coef_, again.coef_)


@pytest.mark.parametrize(("options", "arguments", "message"), [
    ({}, {"classes": [0]}, "there is one class"),
    ({}, {"classes": [5, 6]}, "y holds the label"),
    ({"l1_ratio": 0.5}, {"classes": [0, 1]}, "set l1_ratio=0"),
    ({"class_weight": "balanced"}, {"classes": [0, 1]}, "class_weight='balanced' needs all rows at once"),
])  # fmt: skip
def test_what_cannot_be_is_refused(options, arguments, message):
    X, y, _ = rows(50)
    model = LogisticRegression(**options)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, y, **arguments)
    assert not hasattr(model, "coef_")


def test_later_batches_are_of_the_same_kind():
    X, y, _ = rows(50)
    model = LogisticRegression().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes are \\[0, 1, 2\\], but those of the first call"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="X has 3 features"):
        model.partial_fit(X[:, :3], y)


def test_a_batch_that_contradicts_the_last_takes_shorter_steps():
    """The first step goes too far where the memory's probabilities are nearly 0 and 1."""
    rng = np.random.default_rng(0)
    X = 3 * rng.normal(size=(200, 2))
    y = (X[:, 0] > 0).astype(int)
    model = LogisticRegression(C=1.0).partial_fit(X, y, classes=[0, 1])
    W, b = model.coef_[0], model.intercept_[0]
    Z = np.column_stack([X, np.ones(200)])
    p = 1 / (1 + np.exp(-X @ W - b))
    A = (Z * (p * (1 - p))[:, None]).T @ Z + np.diag([1.0, 1.0, 0.0])
    few = X[:20]
    passes = model.partial_fit(few, 1 - y[:20]).certificate_.passes
    assert model.certificate_.status == "optimal" and passes > model.n_iter_[0] + 2
    q = 1 / (1 + np.exp(-few @ model.coef_[0] - model.intercept_[0]))
    moved = np.append(model.coef_[0] - W, model.intercept_[0] - b)
    gradient = np.column_stack([few, np.ones(20)]).T @ (q - 1 + y[:20]) + A @ moved
    assert np.abs(gradient).max() <= 1e-7


def test_a_batch_whose_gradient_points_uphill_leaves_the_memory_where_it_was(monkeypatch):
    X, y = np.random.default_rng(0).normal(size=(50, 2)), np.arange(50) % 2.0
    F = changed(monkeypatch, Objective(ArraySource(X, y), LOGISTIC, 0.0, True), gradient=np.negative)
    before = Memory.of_penalty(1, 2, 1.0)
    found = update(F, before, tol=1e-8, max_iter=3)
    assert found.certificate.status == "stopped_early" and found.n_iter == 3
    np.testing.assert_allclose(found.memory.theta, before.theta, atol=1e-15)
