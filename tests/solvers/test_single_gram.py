"""Ridge by a Gram in single precision: the answers of double precision, certified beside exact fractions, or none."""

from itertools import product

import numpy as np
import pytest

from ridgeline import Ridge
from ridgeline.certificate import OPTIMAL
from ridgeline.moments import moments_of
from ridgeline.solvers import single_gram
from ridgeline.solvers.cholesky import CholeskyFactor
from ridgeline.solvers.least_squares import solve
from ridgeline.solvers.single_gram import METHOD, solve_by_single_gram
from ridgeline.solvers.without_moments import solve_without_moments
from ridgeline.sources import ArraySource
from tests.fifty_digits import exact_judgement, exact_normal_equations


def rows(n=600, d=6, condition=1.0, center=0.0, seed=0):
    """Gaussian rows whose covariance has about this condition."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    X = (rng.normal(size=(n, d)) * np.geomspace(1, condition**-0.5, d)) @ turn + center
    return X, X @ rng.normal(size=d) + rng.normal(size=n), rng.uniform(size=n) * (rng.uniform(size=n) > 0.2)


PROBLEMS = {
    "independent": dict(),
    "condition 1e4": dict(condition=1e4),
    "condition 1e6": dict(condition=1e6),
    "far means": dict(center=1e5),
    "few rows, no probe": dict(n=60),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_certificate_holds_beside_fractions(name, fit_intercept):
    X, y, s = rows(**PROBLEMS[name])
    found = solve_by_single_gram(ArraySource(X, y, s), 0.5, fit_intercept)
    if name == "far means" and not fit_intercept:
        assert found is None  # the columns are nearly one, but for their means
        return
    A, c = exact_normal_equations(X, y, s, 0.5, fit_intercept)
    gap, norm, best = exact_judgement(A, c, float(sum(map(float, s))), found.coef[0], found.intercept[0])
    certificate = found.certificate
    assert (certificate.status, certificate.solver) == (OPTIMAL, METHOD)
    assert gap <= certificate.suboptimality <= 1e-15
    assert norm <= certificate.gradient_norm
    np.testing.assert_allclose(found.coef[0], best[: X.shape[1]], rtol=0, atol=1e-10 * np.abs(best[: X.shape[1]]).max())


def test_an_error_of_the_gradient_makes_it_no_shorter():
    rng = np.random.default_rng(2)
    B = rng.normal(size=(20, 5))
    A, g, error = B.T @ B, rng.normal(size=5), rng.uniform(size=5)
    known = np.sqrt(g @ np.linalg.solve(A, g))
    claimed = single_gram._length(CholeskyFactor(A), known, 0.0, error)
    for signs in product([-1, 1], repeat=5):
        wrong = g + signs * error
        assert np.sqrt(wrong @ np.linalg.solve(A, wrong)) <= claimed


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_same_as_from_moments_in_double(order):
    X, y, s = rows(n=2500, d=40, condition=1e3)
    source = ArraySource(np.asarray(X, order=order), y, s)
    want = solve(moments_of(source), 2.0, source=source)
    got = solve_by_single_gram(source, 2.0, True)
    np.testing.assert_allclose(got.coef, want.coef, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got.intercept, want.intercept, rtol=1e-10)
    assert got.certificate.passes <= 10


def test_any_number_of_threads_gives_the_same_bits():
    X, y, s = rows(n=9000, d=70)
    one, three = (solve_by_single_gram(ArraySource(X, y, s, n_threads=k), 1.0, True) for k in (1, 3))
    assert (one.coef == three.coef).all() and one.intercept == three.intercept


@pytest.mark.parametrize("spoil", ["dependent", "NaN", "out of range"])
def test_no_answer_where_single_precision_has_none(spoil):
    X, y, s = rows(condition=1e12 if spoil == "dependent" else 1.0)
    X[5, 2] = {"NaN": np.nan, "out of range": 1e30}.get(spoil, X[5, 2])
    assert solve_by_single_gram(ArraySource(X, y, s), 1e-9, True) is None


@pytest.mark.parametrize("wrong", [3.0, 1.05])
def test_no_answer_where_steps_do_not_shrink_as_they_must(wrong):
    """With a factor of as many times the matrix, a step leaves 1 - 1 / wrong of the error: two thirds, or a twentieth, seven times."""
    X, y, s = rows()
    source = ArraySource(X, y, s)
    equations, factor = single_gram._factor(source, 0.5, True, single_gram.SURE)
    assert single_gram._refine(source, equations, factor, True) is not None
    assert single_gram._refine(source, equations, CholeskyFactor(wrong * equations.A[0]), True) is None


def test_a_fit_falls_back_to_moments(monkeypatch):
    monkeypatch.setattr(single_gram, "WIDTH", 4)
    X, y, s = rows(condition=1e12)
    got = Ridge(alpha=1e-9).fit(X, y, s)
    monkeypatch.setattr(Ridge, "_without_moments", False)
    want = Ridge(alpha=1e-9).fit(X, y, s)
    assert (got.coef_ == want.coef_).all()
    assert got.certificate_.solver == want.certificate_.solver != METHOD
    X[7, 1] = np.inf
    monkeypatch.setattr(Ridge, "_without_moments", True)
    with pytest.raises(ValueError, match=r"row 7, column 1|\[7, 1\]|\(7, 1\)"):
        Ridge().fit(X, y, s)


def test_rows_are_not_added_to_a_fit_that_kept_no_moments(monkeypatch):
    monkeypatch.setattr(single_gram, "WIDTH", 4)
    X, y, _ = rows()
    model = Ridge().fit(X, y)
    assert model.certificate_.solver == METHOD
    with pytest.raises(ValueError, match="partial_fit for all rows"):
        model.partial_fit(X, y)
    assert Ridge().partial_fit(X[:300], y[:300]).partial_fit(X[300:], y[300:]).coef_ == pytest.approx(model.coef_, rel=1e-10)


def test_which_fits_it_is_for(monkeypatch):
    asked = []
    monkeypatch.setattr(single_gram, "solve_by_single_gram", lambda *arguments: asked.append(arguments))
    X = np.zeros((2400, 600))
    y = np.zeros(2400)
    for source in (
        ArraySource(X, y),
        ArraySource(X[:2399], y[:2399]),
        ArraySource(X[:, 1:], y),
        ArraySource(X.astype(np.float32), y),
        ArraySource(X, np.zeros((2400, 2))),
    ):
        solve_without_moments(source, 1.0, True)
    assert len(asked) == 1
