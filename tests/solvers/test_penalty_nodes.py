"""Sums of squares of left-out residuals from a few penalties: as at all of them, or not at all."""

import numpy as np
import pytest

from ridgeline import Moments, source
from ridgeline.solvers import ridge_path
from ridgeline.solvers.penalty_nodes import penalty_nodes

ALPHAS = np.logspace(-3, 5, 100)


def rows(n=600, d=6, t=1, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, d)) + 0.3) * np.geomspace(1.0, spread, d)
    return X, X @ rng.normal(size=(d, t)) + 2 * rng.normal(size=(n, t)), rng.uniform(0.5, 1.5, n)


def sums(X, y, s, alphas, fit_intercept):
    return ridge_path.left_out(source(X, y, s), Moments.of(X, y, s), alphas, fit_intercept, False)[0]


def asked(monkeypatch):
    """The nodes that the next searches get."""
    given = []
    monkeypatch.setattr(ridge_path, "penalty_nodes", lambda *a: given.append(penalty_nodes(*a)) or given[-1])
    return given


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("d", "t", "spread"), [(1, 1, 1.0), (6, 1, 1.0), (6, 3, 1.5), (20, 1, 1.0)])
def test_sums_are_those_at_every_penalty(d, t, spread, fit_intercept, monkeypatch):
    X, y, s = rows(d=d, t=t, spread=spread)
    given = asked(monkeypatch)
    found = sums(X, y, s, ALPHAS, fit_intercept)
    assert given[0] is not None
    assert len(given[0].alphas) <= 50
    monkeypatch.setattr(ridge_path, "penalty_nodes", lambda *_: None)
    np.testing.assert_allclose(found, sums(X, y, s, ALPHAS, fit_intercept), rtol=2e-13)


def test_a_row_of_much_leverage_has_all_penalties_read(monkeypatch):
    X, y, s = rows()
    X[7] *= 10
    given = asked(monkeypatch)
    found = sums(X, y, s, ALPHAS, True)
    assert given[0] is not None
    monkeypatch.setattr(ridge_path, "penalty_nodes", lambda *_: None)
    np.testing.assert_array_equal(found, sums(X, y, s, ALPHAS, True))


VALUES, RISK = np.array([1000.0, 2000.0]), np.ones((1, 101))


@pytest.mark.parametrize(
    ("values", "risk", "alphas", "rows"),
    [
        (VALUES * [1e-6, 1], RISK, ALPHAS, 500),  # columns that nearly depend on each other
        (VALUES * [0, 1], RISK, ALPHAS, 500),
        (VALUES, RISK, ALPHAS, 20),  # leverages are large at the mean
        (VALUES, RISK, np.array([1.0, 2.0, 4.0]), 500),  # fewer penalties than nodes
        (VALUES, RISK, np.full(100, 2.0), 500),  # no interval
        (VALUES, RISK * np.geomspace(1e-4, 1, 101), ALPHAS, 500),  # a fit so close that rounding of the largest sum would show
        (VALUES, RISK * np.linspace(-1e-17, 1, 101), ALPHAS, 500),
    ],
)
def test_where_no_few_penalties_do(values, risk, alphas, rows):
    assert penalty_nodes(VALUES, RISK, ALPHAS, 500) is not None
    assert penalty_nodes(values, risk, alphas, rows) is None


def test_a_penalty_that_is_a_node_has_its_sum():
    nodes = penalty_nodes(VALUES, RISK, ALPHAS, 500)
    again = penalty_nodes(VALUES, RISK, np.concatenate([[ALPHAS[0]], nodes.alphas, ALPHAS]), 500)
    np.testing.assert_allclose(again.weights.sum(axis=0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(again.between(again.alphas[None] * 0 + 3.0), 3.0, rtol=1e-14)
