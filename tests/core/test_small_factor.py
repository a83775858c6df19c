"""The small Cholesky beside NumPy."""

import numpy as np
import pytest

from ridgeline.kernels import load

kernels = load("small_factor")


def positive(n, condition=10.0, seed=0):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return (Q * np.geomspace(1, condition, n)) @ Q.T


def factor(A):
    U = np.full(A.shape, np.nan)
    return U, *kernels.factor(np.ascontiguousarray(A), U, np.empty(2 * len(A)))


@pytest.mark.parametrize("n", [1, 2, 7, 20, 65, 96])
def test_factor_and_solve_are_numpys(n):
    A = positive(n)
    U, good, norm, _ = factor(np.tril(A) + np.triu(np.full((n, n), np.nan), 1))  # the upper triangle is never read
    assert good
    np.testing.assert_allclose(norm, np.abs(A).sum(axis=0).max(), rtol=1e-14)
    np.testing.assert_allclose(np.triu(U), np.linalg.cholesky(A).T, rtol=1e-12, atol=1e-13)
    B = np.random.default_rng(1).normal(size=(3, n))
    X = B.copy()
    kernels.solve(U, X)
    np.testing.assert_allclose(X @ A, B, atol=1e-12)


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e8, 1e13])
@pytest.mark.parametrize("n", [2, 5, 30])
def test_condition_is_estimated_within_a_factor_three(n, condition):
    for seed in range(20):
        A = positive(n, condition, seed)
        true = np.abs(A).sum(axis=0).max() * np.abs(np.linalg.inv(A)).sum(axis=0).max()
        *_, rcond = factor(A)
        assert 0.9 / true <= rcond <= 3 / true


def test_of_order_none():
    assert factor(np.empty((0, 0)))[1:] == (True, 1.0, 1.0)


@pytest.mark.parametrize("A", [np.diag([1.0, -1.0]), np.ones((2, 2)), np.zeros((2, 2)), np.diag([1.0, np.nan]), np.diag([np.inf, 1.0])])
def test_what_is_not_positive_is_said(A):
    _, good, _, rcond = factor(A)
    assert not good and rcond == 0


def test_shapes_are_checked():
    square, work = np.eye(3), np.empty(6)
    with pytest.raises(ValueError, match="square and of one order"):
        kernels.factor(square, np.empty((2, 2)), work)
    with pytest.raises(ValueError, match="work needs 6"):
        kernels.factor(square, np.empty((3, 3)), work[:5])
    with pytest.raises(ValueError, match="B have 3 columns"):
        kernels.solve(square, np.empty((1, 2)))
