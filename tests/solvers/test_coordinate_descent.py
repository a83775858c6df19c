"""The minimum on a Gram: optimality conditions, supports that are hard to find, and what the search does when it is stopped."""

import numpy as np
import pytest

from ridgeline.solvers import coordinate_descent as module
from ridgeline.solvers.coordinate_descent import minimise_on_gram


def violation(A, c, l1, v, positive):
    """How far the conditions of a minimum are from holding."""
    g = c - A @ v
    off = np.maximum((g if positive else np.abs(g)) - l1, 0)
    return np.abs(np.where(v == 0, off, g - l1 * np.sign(v))).max()


def gram(n, k, mean=0.0, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, k)) + mean
    return Z.T @ Z / n, Z.T @ (Z[:, : k // 4] @ rng.normal(size=k // 4) + rng.normal(size=n)) / n


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.05, 1e-3, 1e-6])
@pytest.mark.parametrize(("n", "k", "mean"), [(100, 20, 0.0), (30, 90, 0.0), (30, 90, 5.0), (20, 8, 100.0)])
def test_the_conditions_hold_to_rounding(n, k, mean, share, positive):
    A, c = gram(n, k, mean)
    l1 = np.full(k, share * np.abs(c).max())
    found = minimise_on_gram(A, c, l1, np.zeros(k), positive=positive, max_iter=10000)
    assert found.exact
    assert violation(A, c, l1, found.v, positive) <= 1e-12 * np.abs(c).max() * max(mean**2, 1)
    assert np.count_nonzero(found.v) <= n
    assert not positive or found.v.min() >= 0


def test_from_the_optimum_it_is_a_sweep_or_two():
    A, c = gram(100, 20)
    l1 = np.full(20, 0.05 * np.abs(c).max())
    best = minimise_on_gram(A, c, l1, np.zeros(20), positive=False, max_iter=10000)
    again = minimise_on_gram(A, c, l1, best.v, positive=False, max_iter=10000)
    assert again.exact and again.n_iter <= 2 < best.n_iter
    np.testing.assert_allclose(again.v, best.v, rtol=1e-13, atol=1e-15)


def test_a_start_with_too_many_coordinates_is_thinned():
    """The Gram of 10 rows is singular on 40 columns; the minimum uses no more than 10."""
    A, c = gram(10, 40)
    l1 = np.full(40, 1e-3 * np.abs(c).max())
    found = minimise_on_gram(A, c, l1, np.random.default_rng(1).normal(size=40), positive=False, max_iter=10000)
    assert found.exact and np.count_nonzero(found.v) <= 10
    assert violation(A, c, l1, found.v, False) <= 1e-13 * np.abs(c).max()


def test_a_column_twice_is_used_once_or_shared():
    A, c = gram(50, 8)
    twice = np.arange(16) % 8
    A, c = A[np.ix_(twice, twice)], c[twice]
    l1 = np.full(16, 0.05 * np.abs(c).max())
    found = minimise_on_gram(A, c, l1, np.zeros(16), positive=False, max_iter=1000)
    once = minimise_on_gram(A[:8, :8].copy(), c[:8], l1[:8], np.zeros(8), positive=False, max_iter=1000)
    assert found.exact
    np.testing.assert_allclose(found.v[:8] + found.v[8:], once.v, rtol=1e-12, atol=1e-14)


def test_the_limit_is_kept_and_told():
    A, c = gram(30, 90, 5.0)
    found = minimise_on_gram(A, c, np.full(90, 1e-4 * np.abs(c).max()), np.zeros(90), positive=False, max_iter=3)
    assert not found.exact and found.n_iter == 3


def test_nothing_to_do():
    A, c = gram(20, 5)
    found = minimise_on_gram(A, c, np.full(5, 2 * np.abs(c).max()), np.zeros(5), positive=False, max_iter=10)
    assert found.exact and not found.v.any() and found.rcond == 1.0


def test_a_ridge_on_the_diagonal_alone():
    """(1/2) v^2 + (9/2) v^2 - 2 v: at 1/5."""
    found = minimise_on_gram(np.array([[10.0]]), np.array([2.0]), np.zeros(1), np.zeros(1), positive=False, max_iter=10)
    np.testing.assert_allclose(found.v, [0.2], rtol=1e-15)


@pytest.mark.parametrize("start", [[1.0, -2.0], [-1.0, 2.0], [2.0, 1.0], [-2.0, -1.0]])
def test_opposite_columns_without_a_penalty_leave_one_of_them(start):
    """(1/2) (v_1 - v_2 - 1)^2: level along (1, 1), and nothing vanishes towards one of its ends."""
    A, c = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([1.0, -1.0])
    found = minimise_on_gram(A, c, np.zeros(2), np.array(start), positive=False, max_iter=20)
    assert found.exact and np.count_nonzero(found.v) == 1
    assert found.v[0] - found.v[1] == 1.0


def test_two_that_vanish_at_once_do_so_along_one_direction(monkeypatch):
    """Of a basis in which both fall together; the other direction then moves nothing that is left."""
    basis = np.array([[0.5, 0.5], [-0.5, 0.5]])
    monkeypatch.setattr(module, "eigenvectors", lambda A: (np.zeros(2), basis))
    left = module._along_null_space(np.zeros((2, 2)), np.full(2, -0.1), np.ones(2), np.ones(2))
    assert left.tolist() == [0.0, 0.0]


def test_a_limit_that_is_met_by_a_support_is_told():
    A, c = gram(30, 90, 5.0)
    l1 = np.full(90, 1e-4 * np.abs(c).max())
    found = minimise_on_gram(A, c, l1, np.zeros(90), positive=False, max_iter=5)  # four sweeps, and a support's equations
    assert not found.exact and found.n_iter == 5 and found.rcond > 0
    assert violation(A, c, l1, found.v, False) > 0
    np.testing.assert_array_equal(found.g, c - A @ found.v)
