"""Shifted systems by a tridiagonal form, and quadratic forms, beside NumPy."""

import numpy as np
import pytest

from ridgeline.kernels import load
from ridgeline.workspace import padded

kernels = load("tridiagonal")

DOUBLE = np.dtype(np.float64)


def in_whole_vectors(A):
    """With something beyond the columns, and above the diagonal, that must not be read."""
    d = len(A)
    wide = np.full((d, padded(d, DOUBLE)), 1e300)
    wide[:, :d] = np.where(np.tri(d), A, -1e300)
    return wide


def solved(A, B, alphas):
    d, work = len(A), in_whole_vectors(A)
    out = np.full((len(alphas), len(B), d), np.nan)
    rows, lanes = np.full((7, work.shape[1]), np.nan), np.full((2 * d + 1, 32), np.nan)
    positive = kernels.solve_shifted(work, B, alphas, out, np.full_like(work, np.nan), rows, lanes)
    return out, positive


def scatter(d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * d + 3, d)) * 10.0 ** rng.integers(-2, 3, d)
    return X.T @ X


def residual(A, B, alphas, W):
    """||(A + alpha) w - b|| / (||A + alpha|| ||w||): what a backward stable solution leaves."""
    left = np.einsum("ij,ktj->kti", A, W) + alphas[:, None, None] * W - B
    size = (np.linalg.norm(A, 2) + alphas)[:, None] * np.linalg.norm(W, axis=2)
    return np.linalg.norm(left, axis=2) / size


@pytest.mark.parametrize("k", [1, 31, 32, 33, 100])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 40, 131])
def test_every_shift_is_solved(d, k):
    A, alphas = scatter(d, d), np.logspace(-2, 6, k)
    B = np.random.default_rng(1).normal(size=(3, d))
    W, positive = solved(A, B, alphas)
    assert positive
    assert residual(A, B, alphas, W).max() <= 1e-15 * d


def test_a_matrix_that_is_tridiagonal_or_diagonal_already():
    B = np.arange(1.0, 7.0)[None]
    for A in (np.diag(np.arange(1.0, 7.0)), np.diag(np.full(6, 4.0)) + np.eye(6, k=1) + np.eye(6, k=-1), np.zeros((6, 6))):
        W, positive = solved(A, B, np.array([0.5, 2.0]))
        assert positive
        wanted = [np.linalg.solve(A + alpha * np.eye(6), B.T).T for alpha in (0.5, 2.0)]
        np.testing.assert_allclose(W, wanted, rtol=1e-14)


@pytest.mark.parametrize("power", [-300, -150, 150, 300])
def test_entries_whose_squares_leave_the_range(power):
    A, B = scatter(5, 2), np.ones((1, 5))
    plain, _ = solved(A, B, np.array([1.0]))
    W, positive = solved(A * 2.0**power, B, np.array([2.0**power]))
    assert positive
    np.testing.assert_allclose(W * 2.0**power, plain, rtol=1e-12)


def test_what_is_not_positive_definite_is_told():
    A, B = scatter(9, 3), np.ones((1, 9))
    assert not solved(A - 2 * np.linalg.eigvalsh(A)[0] * np.eye(9) - 1e-3 * np.eye(9), B, np.array([1e-3]))[1]
    assert not solved(-A, B, np.array([1.0, 1e9]))[1]
    for bad in (np.nan, np.inf):
        A[4, 2] = bad
        assert not solved(A, B, np.array([1.0]))[1]


def test_no_columns_no_targets_and_no_shifts():
    assert solved(np.empty((0, 0)), np.empty((2, 0)), np.ones(3))[1]
    assert solved(scatter(3), np.empty((0, 3)), np.ones(3))[1]
    assert solved(scatter(3), np.ones((1, 3)), np.empty(0))[1]


@pytest.mark.parametrize("m", [1, 5, 32, 33])
@pytest.mark.parametrize("d", [0, 1, 7, 8, 9, 50])
def test_quadratic_forms(d, m):
    S, W = scatter(d, d), np.random.default_rng(m).normal(size=(m, d))
    wide = np.zeros((d, padded(d, DOUBLE)))
    wide[:, :d] = S
    out = np.empty(m)
    kernels.quadratic_forms(wide, W, out, np.full((32, wide.shape[1]), np.nan), np.full((32, d), np.nan))
    np.testing.assert_allclose(out, np.einsum("mi,ij,mj->m", W, S, W), rtol=1e-13, atol=1e-300)
