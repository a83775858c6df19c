"""Cholesky by blocks beside NumPy: orders within, at and beyond a block row, a strip and a padded row."""

import numpy as np
import pytest

from ridgeline.kernels import load
from ridgeline.workspace import padded

from .test_small_factor import positive

kernels = load("block_factor")


def factor(A):
    width = padded(len(A), np.dtype(np.float64))
    U = np.zeros((width, width))
    return U, *kernels.factor(np.ascontiguousarray(A), U, np.empty(2 * len(A)))


@pytest.mark.parametrize("n", [1, 7, 31, 32, 33, 64, 97, 128, 131, 200, 261])
def test_factor_and_solve_are_numpys(n):
    A = positive(n)
    U, good, norm, _ = factor(np.tril(A) + np.triu(np.full((n, n), np.nan), 1))  # the upper triangle is never read
    assert good
    np.testing.assert_allclose(norm, np.abs(A).sum(axis=0).max(), rtol=1e-14)
    np.testing.assert_allclose(np.triu(U)[:n, :n], np.linalg.cholesky(A).T, rtol=1e-11, atol=1e-12)
    for rows in (0, 1, 3, 8, 19):
        B = np.random.default_rng(1).normal(size=(rows, n))
        X = B.copy()
        kernels.solve(U, X, np.empty(8 * n if rows > 1 else 0))
        np.testing.assert_allclose(X @ A, B, atol=1e-11)


@pytest.mark.parametrize("condition", [1.0, 1e8, 1e13])
def test_condition_is_estimated_within_a_factor_three(condition):
    for seed in range(3):
        A = positive(120, condition, seed)
        true = np.abs(A).sum(axis=0).max() * np.abs(np.linalg.inv(A)).sum(axis=0).max()
        *_, rcond = factor(A)
        assert 0.9 / true <= rcond <= 3 / true


def test_of_order_none():
    assert factor(np.empty((0, 0)))[1:] == (True, 1.0, 1.0)


@pytest.mark.parametrize("where", [0, 31, 32, 99])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_what_is_not_positive_is_said(where, value):
    A = np.eye(100)
    A[where, where] = value
    _, good, _, rcond = factor(A)
    assert not good and rcond == 0


def test_shapes_are_checked():
    square, work = np.eye(3), np.empty(24)
    with pytest.raises(ValueError, match="its order padded to 8"):
        kernels.factor(square, np.zeros((3, 3)), work)
    with pytest.raises(ValueError, match="work needs 6"):
        kernels.factor(square, np.zeros((8, 8)), work[:5])
    with pytest.raises(ValueError, match="U must be of order 8"):
        kernels.solve(square, np.empty((1, 3)), work)
    with pytest.raises(ValueError, match="work needs 24"):
        kernels.solve(np.eye(8), np.empty((2, 3)), work[:23])
