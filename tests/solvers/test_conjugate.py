"""Ridge by conjugate gradients: the answers of moments in double, certified beside exact fractions, or none after few reads."""

import numpy as np
import pytest

from ridgeline import Ridge
from ridgeline.certificate import OPTIMAL
from ridgeline.moments import moments_of
from ridgeline.solvers import conjugate
from ridgeline.solvers.conjugate import FIRST_LOOK, METHOD, promising, solve_by_products
from ridgeline.solvers.least_squares import solve
from ridgeline.sources import ArraySource
from tests.fifty_digits import exact_judgement, exact_normal_equations
from tests.solvers.test_single_gram import rows


@pytest.fixture
def patient(monkeypatch):
    """As for thousands of columns."""
    monkeypatch.setattr(conjugate, "reads_of_a_gram", lambda d: 100.0)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("problem", [{}, {"condition": 30.0}, {"n": 60}, {"center": 3.0}], ids=str)
def test_the_certificate_holds_beside_fractions(patient, problem, fit_intercept):
    X, y, s = rows(**problem)
    found = solve_by_products(ArraySource(X, y, s), 0.5, fit_intercept)
    A, c = exact_normal_equations(X, y, s, 0.5, fit_intercept)
    gap, norm, best = exact_judgement(A, c, float(sum(map(float, s))), found.coef[0], found.intercept[0])
    assert (found.certificate.status, found.certificate.solver) == (OPTIMAL, METHOD)
    assert gap <= found.certificate.suboptimality <= 1e-10
    assert norm <= found.certificate.gradient_norm <= 1e-9
    np.testing.assert_allclose(found.coef[0], best[: X.shape[1]], rtol=0, atol=1e-9 * np.abs(best[: X.shape[1]]).max())


def test_the_same_as_from_moments(patient):
    X, y, s = rows(n=2500, d=40)
    source = ArraySource(X, y, s)
    got, want = solve_by_products(source, 2.0, True), solve(moments_of(source), 2.0, source=source)
    np.testing.assert_allclose(got.coef, want.coef, rtol=0, atol=1e-11 * np.abs(want.coef).max())
    np.testing.assert_allclose(got.intercept, want.intercept, rtol=1e-10)
    S = np.cov(X.T, aweights=s, ddof=0) * s.sum() + 2 * np.eye(40)
    scale = np.diag(S) ** -0.5
    assert got.certificate.condition <= 1.01 * np.linalg.cond(S * scale * scale[:, None]) * 2  # the sample's diagonal is another


def test_any_number_of_threads_gives_the_same_bits(patient):
    X, y, s = rows(n=9000, d=70)
    one, three = (solve_by_products(ArraySource(X, y, s, n_threads=k), 1.0, True) for k in (1, 3))
    assert (one.coef == three.coef).all() and one.intercept == three.intercept


@pytest.mark.parametrize("unit", [2.0**-40, 1.0, 2.0**40])
def test_dependent_columns_show_after_few_reads(unit, monkeypatch):
    monkeypatch.setattr(conjugate, "reads_of_a_gram", lambda d: 20.0)
    X, y, s = rows(n=3000, d=40, condition=1e4)
    source = ArraySource(X, unit * y, s)
    assert solve_by_products(source, 1.0, True) is None
    assert source.reads <= 2 * FIRST_LOOK + 4


def test_columns_alike_but_for_little_take_a_step_more(patient):
    """One large eigenvalue, the others alike."""
    X, y, s = rows(n=3000, d=40)
    X += 10 * np.random.default_rng(1).normal(size=(3000, 1))
    source = ArraySource(X, y, s)
    got, want = solve_by_products(source, 1.0, True), solve(moments_of(source), 1.0, source=source)
    assert got.certificate.passes <= 25
    np.testing.assert_allclose(got.coef, want.coef, rtol=0, atol=1e-10 * np.abs(want.coef).max())


def test_what_a_penalty_cannot_prove_is_left_to_others(patient):
    """Of columns that are large beside it; seen before any step."""
    X, y, s = rows()
    source = ArraySource(1e4 * X, y, s)
    assert solve_by_products(source, 1e-4, True) is None
    assert source.reads == 2


def test_overflow_is_left_to_others_and_nan_is_named(patient):
    X, y, s = rows()
    assert solve_by_products(ArraySource(X, 1e200 * y, s), 1.0, True) is None
    X[5, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        solve_by_products(ArraySource(X, y, s), 1.0, True)


def test_which_fits_it_is_for():
    assert promising(40_000, 3000) and promising(20_000, 5000)
    assert not promising(100_000, 1000) and not promising(3000, 3000) and not promising(2999, 3000)


def test_an_estimator_takes_it(monkeypatch):
    X, y, s = rows(n=600, d=20)
    want = Ridge().fit(X, y, s)
    monkeypatch.setattr(conjugate, "reads_of_a_gram", lambda d: 100.0)
    got = Ridge().fit(X, y, s)
    assert got.certificate_.solver == METHOD != want.certificate_.solver
    np.testing.assert_allclose(got.coef_, want.coef_, rtol=0, atol=1e-11)
    with pytest.raises(ValueError, match="partial_fit for all rows"):
        got.partial_fit(X, y)
    assert Ridge(alpha=0.0).fit(X, y, s).certificate_.solver != METHOD
