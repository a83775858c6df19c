"""Fewer rows than columns: the same answers as the normal equations, the smallest interpolant, certificates in fractions."""

import numpy as np
import pytest

from ridgeline.certificate import ILL_CONDITIONED, OPTIMAL, RANK_DEFICIENT
from ridgeline.solvers.dual import solve_dual
from ridgeline.sources import EMPTY, ArraySource
from ridgeline.sparse_rows import sparse_rows
from tests.fifty_digits import exact_judgement, exact_normal_equations


def rows(n=8, d=12, seed=0, weights=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * 2.0 ** rng.integers(-2, 3, d) + 3
    return X, rng.normal(size=n), rng.uniform(0.2, 2, size=n) if weights else EMPTY


def dual(X, y, s=EMPTY, alpha=0.0, fit_intercept=True):
    return solve_dual(ArraySource(X, y, s), np.array([alpha]), fit_intercept)[0]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("weights", [True, False])
def test_the_certificate_holds_beside_fractions(alpha, fit_intercept, weights):
    X, y, s = rows(weights=weights)
    found = dual(X, y, s, alpha, fit_intercept)
    A, c = exact_normal_equations(X, y, s if weights else None, alpha, fit_intercept)
    weight = float(s.sum()) if weights else float(len(X))
    gap, norm, best = exact_judgement(A, c, weight, found.coef[0], found.intercept[0])
    assert found.certificate.status == OPTIMAL
    assert gap <= found.certificate.suboptimality
    assert norm <= found.certificate.gradient_norm + 1e-12
    np.testing.assert_allclose(found.coef[0], best[: X.shape[1]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_tiny_penalty_is_proven_too(fit_intercept):
    """The gradient is known to some 1e-15 beside the rows; its square over the penalty is what may be left."""
    X, y, s = rows()
    certificate = dual(X, y, s, 1e-9, fit_intercept).certificate
    assert (certificate.status, certificate.suboptimality < 1e-12) == (OPTIMAL, True)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_stored_rows_are_read_as_often(alpha):
    sparse = pytest.importorskip("scipy.sparse")
    X, y, s = rows()
    X *= np.random.default_rng(1).uniform(size=X.shape) < 0.5
    whole, stored = ArraySource(X, y, s), ArraySource(sparse_rows(sparse.csr_array(X), "X"), y, s)
    (want,), (found,) = (solve_dual(source, np.array([alpha]), True) for source in (whole, stored))
    np.testing.assert_allclose(found.coef, want.coef, rtol=1e-9, atol=1e-13)
    assert found.certificate.passes == stored.reads == whole.reads == want.certificate.passes


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_without_a_penalty_the_smallest_interpolant(fit_intercept):
    X, y, s = rows()
    found = dual(X, y, s, 0.0, fit_intercept)
    centre = np.average(X, axis=0, weights=s) if fit_intercept else 0.0
    level = np.average(y, weights=s) if fit_intercept else 0.0
    want = np.linalg.lstsq(X - centre, y - level, rcond=1e-12)[0]
    np.testing.assert_allclose(found.coef[0], want, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(X @ found.coef[0] + found.intercept[0], y, rtol=1e-11, atol=1e-12)
    assert found.certificate.status == RANK_DEFICIENT
    assert found.rank == len(X) - fit_intercept


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_coefficients_in_single_precision_are_what_is_certified(fit_intercept):
    X, y, s = rows()
    X = X.astype(np.float32)
    found = dual(X, y, s, 1.0, fit_intercept)
    assert found.coef.dtype == found.intercept.dtype == np.float32
    A, c = exact_normal_equations(X.astype(float), y, s, 1.0, fit_intercept)
    gap, norm, best = exact_judgement(A, c, float(s.sum()), found.coef[0].astype(float), float(found.intercept[0]))
    assert 0 < gap <= found.certificate.suboptimality <= 1e-10
    assert norm <= found.certificate.gradient_norm + 1e-12
    np.testing.assert_allclose(found.coef[0], best[: X.shape[1]], rtol=0, atol=1e-6 * np.abs(best).max())


@pytest.mark.parametrize("alpha", [1e-11, 1e-12, 1e-14, 1e-20])
def test_a_penalty_that_is_tiny_beside_nearly_equal_rows_is_told(alpha):
    """Of rows 1e-7 apart whose targets differ, the penalty alone decides how far the coefficients go after the difference."""
    X, y, _ = rows(weights=False)
    X[7] = X[6] + 1e-7 * np.random.default_rng(1).normal(size=X.shape[1])
    found = dual(X, y, alpha=alpha)
    assert found.certificate.status == ILL_CONDITIONED
    assert "raise alpha" in found.certificate.message and found.certificate.condition > 1e10
    A, c = exact_normal_equations(X, y, None, alpha, True)
    gap, *_ = exact_judgement(A, c, float(len(y)), found.coef[0], found.intercept[0])
    assert gap <= found.certificate.suboptimality


def test_a_row_without_weight_is_no_row():
    X, y, s = rows()
    s[3] = 0
    kept = s > 0
    for alpha in (0.0, 0.5):
        whole, rest = dual(X, y, s, alpha), dual(X[kept], y[kept], s[kept], alpha)
        np.testing.assert_allclose(whole.coef, rest.coef, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(whole.intercept, rest.intercept, rtol=1e-9)


def test_repeated_rows_interpolate_too():
    X, y, _ = rows(weights=False)
    X, y = np.concatenate([X, X[:1]]), np.append(y, y[0])
    found = dual(X, y)
    np.testing.assert_allclose(X @ found.coef[0] + found.intercept[0], y, rtol=1e-9, atol=1e-10)
    assert found.rank == len(X) - 2


def test_one_penalty_per_target():
    X, y, s = rows()
    both = solve_dual(ArraySource(X, np.column_stack([y, y**2]), s), np.array([0.1, 10.0]), True)
    np.testing.assert_allclose(both[0].coef, dual(X, y, s, 0.1).coef, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(both[1].coef, dual(X, y**2, s, 10.0).coef, rtol=1e-10, atol=1e-14)


def test_one_row_by_hand():
    """x = (3, 4), y = 5, no intercept: w = y x / (25 + alpha)."""
    X, y = np.array([[3.0, 4.0]]), np.array([5.0])
    np.testing.assert_allclose(dual(X, y, alpha=25.0, fit_intercept=False).coef, [[0.3, 0.4]], rtol=1e-15)
    np.testing.assert_allclose(dual(X, y, fit_intercept=False).coef, [[0.6, 0.8]], rtol=1e-15)


def test_one_row_with_an_intercept_is_all_intercept():
    found = dual(np.array([[3.0, 4.0]]), np.array([5.0]), alpha=1.0)
    assert not found.coef.any()
    assert found.intercept[0] == 5.0


@pytest.mark.parametrize("unit", [1e-150, 1e150])
def test_extreme_units(unit):
    X, y, s = rows()
    plain, found = dual(X, y, s), dual(X * unit, y, s)
    np.testing.assert_allclose(found.coef * unit, plain.coef, rtol=1e-9, atol=1e-12)


def test_x_is_not_changed():
    X, y, s = rows()
    X.flags.writeable = False
    dual(X, y, s, 1.0)
