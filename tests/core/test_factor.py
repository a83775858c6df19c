"""The factor kernels beside NumPy and beside fractions."""

from fractions import Fraction

import numpy as np
import pytest

from ridgeline._core.factor import (
    cholesky_factor,
    cholesky_factor_extended,
    cholesky_rcond,
    cholesky_solve,
    cholesky_solve_extended,
    norm_1,
)

TOLERANCE = {np.float64: 1e-12, np.float32: 2e-4}
ORDERS = [0, 1, 2, 7, 65]


def positive(n, dtype=np.float64, seed=0):
    B = np.random.default_rng(seed).normal(size=(n + 3, n))
    return (B.T @ B + np.eye(n)).astype(dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n", ORDERS)
def test_factor_and_solve_are_numpys(n, dtype):
    A = positive(n, dtype)
    L = np.tril(A) + np.triu(np.full((n, n), np.nan, dtype), 1)  # the upper triangle is never read
    assert cholesky_factor(L) == 0
    tol = TOLERANCE[dtype]
    np.testing.assert_allclose(np.tril(L), np.linalg.cholesky(A), rtol=tol, atol=tol)
    for k in (0, 1, 3):
        B = np.random.default_rng(1).normal(size=(k, n)).astype(dtype)
        X = B.copy()
        cholesky_solve(np.tril(L), X)
        np.testing.assert_allclose(X @ A, B, rtol=0, atol=100 * tol)


def test_factor_by_hand():
    A = np.array([[4.0, 0.0], [2.0, 10.0]])
    assert cholesky_factor(A) == 0
    assert np.tril(A).tolist() == [[2.0, 0.0], [1.0, 3.0]]
    x = np.array([[6.0, 12.0]])
    cholesky_solve(A, x)  # [[4, 2], [2, 10]] x = (6, 12)
    np.testing.assert_allclose(x, [[1.0, 1.0]], rtol=1e-15)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_status_is_the_order_of_the_first_minor_that_is_not_positive(k):
    A = np.eye(3)
    A[k - 1, k - 1] = -1
    assert cholesky_factor(A) == k


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n", ORDERS)
def test_norm_reads_the_lower_triangle(n, dtype):
    A = positive(n, dtype)
    want = np.abs(A).sum(0).max(initial=0)
    A[np.triu_indices(n, 1)] = np.nan
    assert norm_1(A) == pytest.approx(want, rel=1e-6 if dtype is np.float32 else 1e-14)


@pytest.mark.parametrize("at", [(0, 0), (1, 0), (2, 2)])
def test_norm_of_a_nan_is_nan(at):
    A = np.eye(3)
    A[at] = np.nan
    assert np.isnan(norm_1(A))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_rcond_is_within_a_factor_of_three(n, dtype):
    A = positive(n).astype(dtype)
    want = 1 / np.linalg.cond(A, 1)
    L, norm = A.copy(), norm_1(A)
    cholesky_factor(L)
    assert want / 1.0001 <= cholesky_rcond(L, norm, np.empty(3 * n, dtype), np.empty(n, np.intc)) <= 3 * want


def test_rcond_of_nothing_is_one():
    assert cholesky_rcond(np.empty((0, 0)), 1.0, np.empty(0), np.empty(0, np.intc)) == 1.0


def exact(hi, lo=None):
    lo = np.zeros_like(hi) if lo is None else lo
    pairs = zip(np.atleast_2d(hi), np.atleast_2d(lo))
    return [[Fraction(a) + Fraction(b) for a, b in zip(*pair)] for pair in pairs]


def hilbert(n):
    """Scaled to integers, so that the matrix is exact: condition 1e13 at n = 10."""
    scale = np.lcm.reduce(np.arange(1, max(2 * n, 2))).astype(float)
    return np.array([[scale / (i + j + 1) for j in range(n)] for i in range(n)]).reshape(n, n) / scale


@pytest.mark.parametrize("n", [0, 1, 2, 5, 10])
def test_extended_factor_multiplies_back_and_solves(n):
    A = hilbert(n)
    hi, lo, order = A.copy(), np.zeros((n, n)), np.empty(n, np.intp)
    assert cholesky_factor_extended(hi, lo, 1e-28, order) == n
    assert sorted(order) == list(range(n))
    L, original = exact(hi, lo), exact(A)
    for i in range(n):
        for j in range(i + 1):
            product = sum((L[i][k] * L[j][k] for k in range(j + 1)), Fraction(0))
            assert abs(product - original[order[i]][order[j]]) < Fraction(n, 10**30)
    b = np.ones((2, n))[:, order]
    x, x_lo = b.copy(), np.zeros((2, n))
    cholesky_solve_extended(hi, lo, x, x_lo, n)
    solution = exact(x, x_lo)[0] if n else []
    for i in range(n):
        left = sum(original[order[i]][order[j]] * solution[j] for j in range(n))
        assert abs(left - 1) < Fraction(1, 10**20)


def test_extended_pivots_fall_and_the_rank_is_found():
    rng = np.random.default_rng(0)
    B = rng.integers(-4, 5, size=(20, 3)) @ rng.integers(-2, 3, size=(3, 6))
    A = (B.T @ B / 2.0**12).astype(float)
    hi, lo, order = A.copy(), np.zeros((6, 6)), np.empty(6, np.intp)
    rank = cholesky_factor_extended(hi, lo, 1e-25, order)
    assert rank == np.linalg.matrix_rank(B)
    pivots = np.diag(hi)[:rank]
    assert (np.diff(pivots) <= 0).all()


def test_extended_factor_of_nan_has_rank_zero():
    hi = np.full((2, 2), np.nan)
    assert cholesky_factor_extended(hi, np.zeros((2, 2)), 1e-28, np.empty(2, np.intp)) == 0


@pytest.mark.parametrize("call", [
    lambda z: cholesky_factor(z((2, 3))),
    lambda z: norm_1(z((2, 3))),
    lambda z: cholesky_solve(z((2, 3)), z((1, 3))),
    lambda z: cholesky_solve(z((2, 2)), z((1, 3))),
    lambda z: cholesky_solve(z((2, 2)), z((2, 1))),
    lambda z: cholesky_rcond(z((2, 2)), 1.0, z(5), np.zeros(2, np.intc)),
    lambda z: cholesky_rcond(z((2, 2)), 1.0, z(6), np.zeros(1, np.intc)),
    lambda z: cholesky_factor_extended(z((2, 3)), z((2, 3)), 0.0, np.zeros(2, np.intp)),
    lambda z: cholesky_factor_extended(z((2, 2)), z((2, 1)), 0.0, np.zeros(2, np.intp)),
    lambda z: cholesky_factor_extended(z((2, 2)), z((2, 2)), 0.0, np.zeros(1, np.intp)),
    lambda z: cholesky_solve_extended(z((2, 2)), z((2, 2)), z((1, 2)), z((1, 2)), 3),
    lambda z: cholesky_solve_extended(z((2, 2)), z((2, 2)), z((1, 2)), z((1, 2)), -1),
    lambda z: cholesky_solve_extended(z((2, 2)), z((1, 2)), z((1, 2)), z((1, 2)), 2),
    lambda z: cholesky_solve_extended(z((2, 2)), z((2, 2)), z((1, 1)), z((1, 2)), 2),
    lambda z: cholesky_solve_extended(z((2, 2)), z((2, 2)), z((2, 2)), z((1, 2)), 2),
])  # fmt: skip
def test_shapes_that_do_not_match_are_refused(call):
    with pytest.raises(ValueError):
        call(np.zeros)


def test_an_order_beyond_lapacks_integers_is_refused():
    """A stride of zero makes a matrix that no memory could hold; it is refused, not read."""
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), (2**31, 0), (0, 8))
    with pytest.raises((ValueError, OverflowError)):
        cholesky_factor(huge)
