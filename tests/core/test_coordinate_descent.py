"""Coordinate descent and slopes beside slow twins in NumPy."""

from fractions import Fraction

import numpy as np
import pytest

from ridgeline.kernels import load

kernels = load("coordinate_descent")


def problem(k, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(2 * k + 3, k)) + rng.normal(size=(2 * k + 3, 1))
    return Z.T @ Z, Z.T @ rng.normal(size=len(Z)) * 3, np.abs(rng.normal(size=k))


def sweep(A, c, l1, v, positive):
    """One visit of every coordinate, from the definition."""
    for j in range(len(v)):
        u = c[j] - A[j] @ v + A[j, j] * v[j]
        shrunk = max(u - l1[j], 0) if positive else np.sign(u) * max(abs(u) - l1[j], 0)
        v[j] = shrunk / A[j, j]
    return v


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("k", [1, 2, 7, 40])
def test_a_sweep_is_numpys(k, positive):
    A, c, l1 = problem(k)
    v, g = np.zeros(k), c.copy()
    assert kernels.descend(A, l1, positive, 0.0, 1, v, g) == 1
    np.testing.assert_allclose(v, sweep(A, c, l1, np.zeros(k), positive), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(g, c - A @ v, rtol=1e-11, atol=1e-11)


def test_many_sweeps_end_at_the_minimum():
    A, c, l1 = problem(20)
    v, g = np.zeros(20), c.copy()
    assert kernels.descend(A, l1, False, 1e-14, 100000, v, g) < 100000
    off = v == 0
    assert np.abs(g[off]).max(initial=0) <= l1[off].max(initial=0) + 1e-12
    np.testing.assert_allclose(g[~off], (l1 * np.sign(v))[~off], rtol=1e-10, atol=1e-10)


def test_a_coordinate_without_a_diagonal_is_left_alone():
    A = np.array([[1.0, 0.0], [0.0, 0.0]])
    v, g = np.array([0.0, 5.0]), np.array([2.0, 1.0])
    kernels.descend(A, np.array([0.5, 0.0]), False, 0.0, 3, v, g)
    np.testing.assert_array_equal(v, [1.5, 5.0])


def test_by_hand():
    """(1/2) v^2 - v + |v| / 4: at 3/4; with v >= 0 and slope -1 at 0."""
    v, g = np.zeros(1), np.ones(1)
    kernels.descend(np.eye(1), np.array([0.25]), False, 0.0, 1, v, g)
    assert (v[0], g[0]) == (0.75, 0.25)
    v, g = np.zeros(1), -np.ones(1)
    kernels.descend(np.eye(1), np.array([0.25]), True, 0.0, 1, v, g)
    assert (v[0], g[0]) == (0.0, -1.0)


def test_slopes_are_exact_where_doubles_cancel():
    rng = np.random.default_rng(3)
    d = 12
    A = rng.normal(size=(d, d)) * 1e8
    A = A + A.T
    v = np.where(np.arange(d) % 3 == 0, rng.normal(size=d), 0.0)
    ridge = np.abs(rng.normal(size=d))
    c = A @ v + ridge * v
    g = np.empty(d)
    kernels.slopes(A, c, ridge, v, g, np.empty(d))
    exact = [
        float(Fraction(c[i]) - sum(Fraction(A[i, j]) * Fraction(v[j]) for j in range(d)) - Fraction(ridge[i]) * Fraction(v[i]))
        for i in range(d)
    ]
    np.testing.assert_allclose(g, exact, rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize("name", ["descend", "slopes"])
def test_shapes_that_do_not_belong_together_are_refused(name):
    two, three = np.zeros(2), np.zeros(3)
    arguments = {"descend": (np.eye(2), three, False, 0.0, 1, two, two), "slopes": (np.eye(2), two, three, two, two, two)}
    with pytest.raises(ValueError, match="A is 2 x 2"):
        getattr(kernels, name)(*arguments[name])
