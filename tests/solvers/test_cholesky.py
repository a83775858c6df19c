"""The two factors: the same questions, answered beside NumPy and beside fractions."""

from fractions import Fraction

import numpy as np
import pytest

from ridgeline.doubledouble import exact
from ridgeline.solvers.cholesky import CholeskyFactor, ExtendedFactor
from tests.fifty_digits import exact_solution


def positive(n, seed=0):
    B = np.random.default_rng(seed).normal(size=(n + 2, n))
    A = B.T @ B
    return A / np.sqrt(np.diag(A)) / np.sqrt(np.diag(A))[:, None]


def both(A):
    return CholeskyFactor(A), ExtendedFactor(exact(A), 1e-28)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_both_factors_solve_rows_and_vectors(n):
    A, B = positive(n), np.random.default_rng(1).normal(size=(3, n))
    want = np.linalg.solve(A, B.T).T
    for factor in both(A):
        np.testing.assert_allclose(factor.solve(B), want, rtol=1e-10)
        np.testing.assert_allclose(factor.solve(B[0]), want[0], rtol=1e-10)


@pytest.mark.parametrize("n", [96, 97, 130, 2048, 2049])
def test_every_size_of_factor_solves(n):
    """The orders at which another kernel takes over, on a matrix whose inverse is known: 1 / n off its diagonal."""
    A, B = np.eye(n) + 1 / n, np.random.default_rng(n).normal(size=(3, n))
    factor = CholeskyFactor(A)
    want = B - B.sum(axis=1, keepdims=True) / (2 * n)
    np.testing.assert_allclose(factor.solve(B), want, atol=1e-12)
    np.testing.assert_allclose(factor.solve(B[0]), want[0], atol=1e-12)
    assert factor.rcond == pytest.approx(1 / (2 * (1 + 1 / n)), rel=0.6)


def test_a_matrix_is_not_changed_and_only_its_lower_triangle_counts():
    A = positive(4)
    lower = np.tril(A)
    np.testing.assert_allclose(CholeskyFactor(lower).solve(np.ones(4)), np.linalg.solve(A, np.ones(4)), rtol=1e-12)
    assert (lower == np.tril(A)).all()


def test_whiten_is_the_length_in_the_inverse_metric():
    assert CholeskyFactor(np.diag([4.0, 25.0])).whiten(np.array([2.0, 5.0])) == pytest.approx(np.sqrt(2), rel=1e-15)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_rcond_is_an_estimate(n):
    A = positive(n, seed=n)
    want = 1 / np.linalg.cond(A, 1)
    assert want / 1.001 <= CholeskyFactor(A).rcond <= 3 * want
    assert want / 1.001 <= ExtendedFactor(exact(A), 1e-28).rcond <= 4 * n * n * want


@pytest.mark.parametrize("unit", [0.25, 1.0, 4.0])
def test_rcond_is_a_ratio_and_the_norm_is_not(unit):
    """Of a diagonal matrix the pivots are its entries."""
    factor = ExtendedFactor(exact(np.diag([1.0, 0.5, 2.0]) * unit), 1e-28)
    assert (factor.rcond, factor.norm, factor.rank) == (0.25, 2 * unit, 3)


@pytest.mark.parametrize("A", [
    [[1.0, 2.0], [2.0, 1.0]], [[0.0]], [[-1.0]], [[1.0, np.nan], [np.nan, 1.0]], [[np.nan, 0.0], [0.0, 1.0]], [[np.inf]],
])  # fmt: skip
def test_what_is_not_positive_definite_says_so(A):
    factor = CholeskyFactor(np.array(A))
    assert not factor.positive
    assert factor.rcond == 0


@pytest.mark.parametrize("n", [96, 97, 2049])
def test_every_size_of_factor_says_what_is_not_positive_definite(n):
    A = np.eye(n)
    A[-1, -1] = -1.0
    factor = CholeskyFactor(A)
    assert not factor.positive and factor.rcond == 0


@pytest.mark.parametrize("n", [3, 120])
def test_an_inverse_beyond_the_range_is_of_no_good_condition(n):
    """Whose norm, as it is searched for, is a NaN in between."""
    A = np.eye(n)
    A[-2:, -2:] = [[1, 5e-324], [5e-324, 1e-313]]
    factor = CholeskyFactor(A)
    assert factor.positive and factor.rcond == 0


def test_nothing_is_regular():
    factor = CholeskyFactor(np.empty((0, 0)))
    assert (factor.positive, factor.rcond) == (True, 1.0)
    assert factor.solve(np.empty((2, 0))).shape == (2, 0)


def test_extended_solutions_of_a_hilbert_matrix():
    """Condition 1e16 at n = 12: nothing is left in double, fifteen digits in double-double."""
    n = 12
    A = np.array([[1 / (i + j + 1) for j in range(n)] for i in range(n)])
    scale = 2.0 ** np.round(-np.log2(np.sqrt(np.diag(A))))
    A = A * scale * scale[:, None]
    want = exact_solution(np.vectorize(Fraction, otypes=[object])(A), np.array([Fraction(1)] * n)).astype(float)
    hi, _ = ExtendedFactor(exact(A), 1e-30).solve_extended(exact(np.ones((1, n))))
    np.testing.assert_allclose(hi[0], want, rtol=1e-13)


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_extended_rank_and_null_space(rank):
    rng = np.random.default_rng(rank)
    B = rng.integers(-3, 4, size=(30, rank)) @ rng.integers(-3, 4, size=(rank, 5)) / 16.0
    A = B.T @ B
    A /= 2.0 ** np.ceil(np.log2(np.abs(A).max()))
    factor = ExtendedFactor(exact(A), 1e-27)
    assert factor.rank == rank
    assert factor.null_space.shape == (5, 5 - rank)
    assert np.abs(A @ factor.null_space).max(initial=0) < 1e-14
    assert np.linalg.matrix_rank(factor.null_space) == 5 - rank
    b = A @ np.ones(5)  # in the range: solved, with zeros for the dependent columns
    np.testing.assert_allclose(A @ factor.solve(b), b, rtol=1e-13, atol=1e-13)
    assert np.count_nonzero(factor.solve(b)) <= rank
