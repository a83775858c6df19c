"""Least squares from moments and rows: every rung of the ladder, certified beside exact fractions."""

import numpy as np
import pytest

from ridgeline import LinearRegression, Moments, source
from ridgeline.certificate import ILL_CONDITIONED, OPTIMAL, RANK_DEFICIENT
from ridgeline.doubledouble import exact
from ridgeline.moments import moments_of
from ridgeline.solvers.cholesky import CholeskyFactor
from ridgeline.solvers.least_squares import SMALL, normal_equations, refine, solve
from ridgeline.sources import ArraySource
from tests.fifty_digits import exact_judgement, exact_normal_equations


def rows(n=1100, d=4, seed=0, dependence=0.0, center=0.0):
    """n d > SMALL: large enough for the plain rung. `dependence` is the independent part of the last column."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + center
    if dependence:
        X[:, -1] = X[:, 0] + dependence * X[:, -1]
    return X, X @ rng.normal(size=d) + rng.normal(size=n), rng.uniform(size=n)


def longley(n=40):
    """Six trending columns around a common growth, as Longley's (1967), with y a combination of all and a little noise."""
    rng = np.random.default_rng(1967)
    t = np.linspace(0, 1, n)[:, None]
    X = np.round(np.array([80.0, 3e5, 3e3, 2.5e3, 1.1e5, 1955.0]) * (1 + 0.5 * t + 1e-3 * rng.normal(size=(n, 6))), 3)
    return X, np.round(X @ [15.0, -0.03, -2.0, -1.0, -0.05, 1800.0] + 100 * rng.normal(size=n), 0)


def judged(found, X, y, s=None, alpha=0.0, fit_intercept=True):
    A, c = exact_normal_equations(X.astype(float), y, s, alpha, fit_intercept)
    weight = float(len(X)) if s is None else float(sum(map(float, s)))
    return exact_judgement(A, c, weight, found.coef[0], found.intercept[0])


def digits(got, want):
    return -np.log10(max(np.max(np.abs(got - want) / np.abs(want)), 1e-17))


RUNGS = {
    "plain": dict(),
    "plain, far means": dict(center=1e4),
    "refined": dict(dependence=1e-4),
    "extended": dict(dependence=1e-8),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("rung", RUNGS)
def test_the_certificate_holds_beside_fractions(rung, alpha, fit_intercept):
    X, y, s = rows(**RUNGS[rung])
    assert X.size > SMALL
    data = ArraySource(X, y, s)
    found = solve(moments_of(data), alpha, fit_intercept=fit_intercept, source=data)
    gap, norm, best = judged(found, X, y, s, alpha, fit_intercept)
    assert found.certificate.status == OPTIMAL
    assert gap <= found.certificate.suboptimality
    assert norm <= found.certificate.gradient_norm * 1.01
    assert digits(found.coef[0], best[: X.shape[1]]) > 10


@pytest.mark.parametrize("precision", ["double", "extended"])
@pytest.mark.parametrize("dependence", [0.0, 1e-3, 1e-6])
@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_moments_alone_know_what_they_do_not_know(alpha, dependence, precision):
    X, y, s = rows(n=200, dependence=dependence)
    found = solve(Moments.of(X, y, s, precision=precision), alpha)
    gap, _, best = judged(found, X, y, s, alpha)
    assert gap <= found.certificate.suboptimality
    exact = digits(found.coef[0], best[:4])
    if found.certificate.status == OPTIMAL:
        assert exact >= 9
    else:
        assert (precision, found.certificate.status) == ("double", ILL_CONDITIONED)
    if precision == "extended":
        assert exact >= 15 - 1


@pytest.mark.parametrize(("dependence", "status"), [(2e-2, OPTIMAL), (2e-3, ILL_CONDITIONED)])
def test_moments_alone_say_when_ten_digits_are_in_doubt(dependence, status):
    """Of conditions 2e4 and 2e6; times the eight roundings of 2e-16 in an entry, 3e-11 and 3e-9."""
    X, y, s = rows(n=200, dependence=dependence)
    certificate = solve(Moments.of(X, y, s)).certificate
    assert (certificate.status, certificate.condition) == (status, pytest.approx(8 / dependence**2, rel=0.9))


def test_float32_moments_alone_do_not_claim_double():
    X, y, s = rows(n=3000)
    X = X.astype(np.float32)
    found = solve(Moments.of(X, y, s))
    gap, norm, _ = judged(found, X, y, s)
    assert gap <= found.certificate.suboptimality <= 1e-6
    assert norm <= found.certificate.gradient_norm <= 1e-3
    assert found.certificate.status == OPTIMAL
    again = Moments.from_bytes((Moments.of(X, y, s) + Moments.of(X.astype(float), y, s)).to_bytes())
    assert again.eps == np.finfo(np.float32).eps


def test_refined_answers_beat_plain_ones():
    X, y = longley()
    best = judged(solve(Moments.of(X, y)), X, y)[2]
    plain = solve(Moments.of(X, y))
    refined = solve(Moments.of(X, y), source=source(X, y))
    lost = digits(plain.coef[0], best[:6])
    assert digits(refined.coef[0], best[:6]) > 15
    assert lost < 13
    assert refined.certificate.suboptimality < plain.certificate.suboptimality
    assert "refinement" in refined.certificate.solver


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_refinement_ends_when_a_step_changes_no_digit(fit_intercept):
    """The moments, a step that changes the last digits, one that changes none, and the gradient: four reads."""
    X, y, s = rows(n=200, dependence=1e-2)
    found = LinearRegression(fit_intercept=fit_intercept).fit(X, y, s)
    assert (found.certificate_.passes, found.certificate_.solver) == (4, "Cholesky with double-double refinement")


def test_refinement_that_has_no_more_steps_says_how_its_steps_shrank():
    """With a factor of 1.25 times the matrix each leaves a fifth."""
    X, y, _ = rows()
    source = ArraySource(X, y)
    equations = normal_equations(moments_of(source), 0.0, True)
    best = CholeskyFactor(equations.A[0]).solve(equations.c[0])
    theta, rho = refine(source, equations, CholeskyFactor(1.25 * equations.A[0]), exact(1.001 * best), True, max_steps=4)
    assert rho == pytest.approx(0.2, rel=1e-2)  # steps are measured beside what they lead to
    want = best / equations.target_scale[:, None]
    np.testing.assert_allclose(theta[0][:, :-1] / want - 1, 1e-3 * 0.2**4, rtol=1e-3)


def test_several_targets_are_each_alone():
    X, y, s = rows(n=100)
    Y = np.column_stack([y, 1e6 * y**2, -y])
    whole = solve(Moments.of(X, Y, s))
    for k in range(3):
        alone = solve(Moments.of(X, Y[:, k], s))
        np.testing.assert_allclose(whole.target(k).coef, alone.coef, rtol=1e-10)
        np.testing.assert_allclose(whole.target(k).intercept, alone.intercept, rtol=1e-9)


@pytest.mark.parametrize("given", ["rows", "extended moments"])
def test_dependent_columns_give_the_smallest_solution(given):
    """(u, v) with u + 2 v = w: the smallest is (w, 2 w) / 5, and the intercept does not move."""
    X, y, s = rows(n=80, d=1)
    twice = np.column_stack([X, 2 * X])
    if given == "rows":
        found = solve(Moments.of(twice, y, s), source=source(twice, y, s))
    else:
        found = solve(Moments.of(twice, y, s, precision="extended"))
    one = solve(Moments.of(X, y, s), source=source(X, y, s))
    assert (found.certificate.status, found.rank) == (RANK_DEFICIENT, 1)
    np.testing.assert_allclose(found.coef, one.coef @ [[0.2, 0.4]], rtol=1e-14)
    np.testing.assert_allclose(found.intercept, one.intercept, rtol=1e-13)
    assert "columns 0, 1" in found.certificate.message


@pytest.mark.parametrize("constant", [7.0, 0.1, -1e8 / 3])
@pytest.mark.parametrize("n", [80, 3000])
def test_a_constant_column_gets_zero(constant, n):
    """Its mean is rounded, so its scatter is not exactly zero."""
    X, y, s = rows(n=n, d=2)
    X[:, 1] = constant
    found = solve(Moments.of(X, y, s), source=source(X, y, s))
    assert (found.certificate.status, found.coef[0, 1]) == (RANK_DEFICIENT, 0.0)
    alone = solve(Moments.of(X, y, s))
    assert (alone.certificate.status, alone.coef[0, 1]) == (ILL_CONDITIONED, 0.0)
    ridge = solve(Moments.of(X, y, s), 1.0, source=source(X, y, s))
    assert ridge.certificate.status == OPTIMAL
    assert abs(ridge.coef[0, 1]) < 1e-15


def test_double_moments_of_dependent_columns_are_ill_conditioned():
    X, y, s = rows(n=80, d=1)
    found = solve(Moments.of(np.column_stack([X, 2 * X]), y, s))
    assert found.certificate.status == ILL_CONDITIONED
    assert "extended" in found.certificate.message


@pytest.mark.parametrize("precision", ["double", "extended"])
@pytest.mark.parametrize("unit", [1e-150, 1e150])
@pytest.mark.parametrize("weights", [1e-100, 1.0, 1e100])
def test_extreme_units_change_nothing_but_the_units(unit, weights, precision):
    X, y, s = rows(n=100)
    plain = solve(Moments.of(X, y, s, precision=precision))
    found = solve(Moments.of(X * unit, y / unit, s * weights, precision=precision))
    np.testing.assert_allclose(found.coef * unit * unit, plain.coef, rtol=1e-11)
    np.testing.assert_allclose(found.intercept * unit, plain.intercept, rtol=1e-11)
    assert found.certificate.status == OPTIMAL


def test_a_line_by_hand():
    """Through (0, 1), (1, 3), (2, 5), and with a penalty of 2 on the slope: 4 / (2 + 2)."""
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    line, flatter = solve(Moments.of(X, y)), solve(Moments.of(X, y), 2.0)
    np.testing.assert_allclose([line.coef[0, 0], line.intercept[0]], [2.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose([flatter.coef[0, 0], flatter.intercept[0]], [1.0, 2.0], rtol=1e-15)
