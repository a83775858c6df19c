"""Newton and L-BFGS: certificates beside fifty digits, and cases without a finite or a unique optimum."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ridgeline.certificate import NO_FINITE_OPTIMUM, OPTIMAL, RANK_DEFICIENT, STOPPED_EARLY
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SQUARED, SoftmaxLoss, huber_loss
from ridgeline.solvers.select import minimise
from ridgeline.sources import EMPTY, ArraySource
from tests import fifty_digits

EPS = np.finfo(float).eps


@dataclass(frozen=True)
class Case:
    name: str
    loss: Any
    twin: Any
    alpha: float = 0.0
    fit_intercept: bool = True
    classes: int = 0

    def __str__(self):
        return self.name


CASES = [
    Case("squared", SQUARED, fifty_digits.squared),
    Case("huber", huber_loss(0.5), fifty_digits.huber(0.5)),
    Case("huber, penalised", huber_loss(0.5), fifty_digits.huber(0.5), 2.0),
    Case("logistic", LOGISTIC, fifty_digits.logistic, 0.0, True, 2),
    Case("logistic, penalised", LOGISTIC, fifty_digits.logistic, 1.5, True, 2),
    Case("logistic, no intercept", LOGISTIC, fifty_digits.logistic, 0.1, False, 2),
    Case("softmax", SoftmaxLoss(3), fifty_digits.softmax, 0.0, True, 3),
    Case("softmax, penalised", SoftmaxLoss(3), fifty_digits.softmax, 0.7, True, 3),
    Case("softmax, no intercept", SoftmaxLoss(4), fifty_digits.softmax, 0.7, False, 4),
]


def problem(case, n=60, d=3, seed=0, weights=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * [1.0, 30.0, 0.01][:d] + [0.0, 500.0, 1.0][:d]
    score = (X - X.mean(0)) / X.std(0) @ rng.normal(size=d)
    if case.classes:
        noisy = score[:, None] * np.linspace(-1, 1, case.classes) + 2 * rng.gumbel(size=(n, case.classes))
        y = noisy.argmax(1).astype(np.int64 if case.classes > 2 else float)
    else:
        y = score + rng.standard_t(2, size=n)
    return X, y, rng.uniform(size=n) * (rng.uniform(size=n) > 0.1) if weights else EMPTY


def objective(case, X, y, s=EMPTY):
    return Objective(ArraySource(X, y, s), case.loss, case.alpha, case.fit_intercept)


def fit(case, X, y, s=EMPTY, solver="newton", tol=1e-8, max_iter=100):
    target = objective(case, X, y, s)
    return minimise(target, np.zeros(target.size), tol=tol, max_iter=max_iter, solver=solver)


each_case = pytest.mark.parametrize("case", CASES, ids=str)


@each_case
@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_certificate_holds_beside_fifty_digits(case, solver, seed):
    X, y, s = problem(case, n=40, seed=seed)
    found = fit(case, X, y, s, solver)
    judge = fifty_digits.Reference(case.twin, X, y, s, case.alpha, case.fit_intercept)
    gap, norm, _ = judge.judge(found.coef, found.intercept)
    proof = found.certificate
    assert proof.status == OPTIMAL
    assert gap <= proof.suboptimality
    # the gradient, like any sum of s_i l'_i z_i, is known to rounding of its terms
    assert norm <= proof.gradient_norm + 64 * EPS * np.abs(X).max()
    assert proof.gradient_norm <= norm + 1e-10
    assert norm <= 1e-5


@each_case
def test_newtons_bound_is_tight_enough_to_use(case):
    X, y, s = problem(case, seed=3)
    assert fit(case, X, y, s).certificate.suboptimality < 1e-18


@each_case
def test_newton_and_lbfgs_reach_the_same_optimum(case):
    X, y, s = problem(case, n=200, seed=2)
    a, b = fit(case, X, y, s), fit(case, X, y, s, "lbfgs", tol=1e-12)
    unit = X.std(0)
    np.testing.assert_allclose(a.coef * unit, b.coef * unit, atol=1e-7)
    assert a.certificate.passes < b.certificate.passes or b.certificate.passes < 15


@each_case
def test_newton_needs_few_reads_and_forgets_its_start(case):
    X, y, s = problem(case, n=200, seed=4)
    target = objective(case, X, y, s)
    far = np.random.default_rng(0).normal(size=target.size) * 3
    starts = [minimise(target, start, tol=1e-8, max_iter=100, solver="newton") for start in (0 * far, far)]
    np.testing.assert_allclose(starts[0].coef, starts[1].coef, rtol=1e-8, atol=1e-10)
    assert starts[0].n_iter <= 15


def test_logistic_by_hand():
    """Three of four rows are 1, only an intercept: b = log 3."""
    found = fit(CASES[3], np.zeros((4, 1)), np.array([1.0, 1.0, 1.0, 0.0]))
    np.testing.assert_allclose(found.intercept, [np.log(3)], rtol=1e-14)
    assert found.certificate.status == RANK_DEFICIENT
    assert found.coef.tolist() == [[0.0]]


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_the_iteration_limit_is_said(solver):
    X, y, s = problem(CASES[3])
    found = fit(CASES[3], X, y, s, solver, max_iter=1, tol=1e-14)
    assert found.certificate.status in (STOPPED_EARLY, OPTIMAL if solver == "lbfgs" else STOPPED_EARLY)


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("case", [CASES[3], CASES[6]], ids=str)
def test_separated_classes_have_no_finite_optimum(case, solver):
    X = np.linspace(-1, 1, 30)[:, None]
    y = X[:, 0] > 0 if case.classes == 2 else np.digitize(X[:, 0], [-0.3, 0.3])
    found = fit(case, X, y.astype(float if case.classes == 2 else np.int64), solver=solver)
    assert found.certificate.status == NO_FINITE_OPTIMUM
    assert "column 0" in found.certificate.message


def test_quasi_separated_classes_have_no_finite_optimum():
    """One boundary row of either class: the slope still grows without end."""
    X, y = np.array([[-2.0], [-1.0], [0.0], [0.0], [1.0], [2.0]]), np.array([0.0, 0, 0, 1, 1, 1])
    assert fit(CASES[3], X, y).certificate.status == NO_FINITE_OPTIMUM


def test_a_penalty_makes_separated_classes_finite():
    X = np.linspace(-1, 1, 30)[:, None]
    found = fit(CASES[4], X, (X[:, 0] > 0).astype(float))
    assert found.certificate.status == OPTIMAL


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("case", [CASES[0], CASES[1], CASES[3], CASES[6]], ids=str)
def test_dependent_columns_give_the_smallest_solution(case, solver):
    X, y, s = problem(case, n=150, seed=5)
    X = X[:, :1]
    one = fit(case, X, y, s)
    two = fit(case, np.column_stack([X, 2 * X]), y, s, solver)
    assert one.certificate.status == OPTIMAL
    assert two.certificate.status == RANK_DEFICIENT
    # of all (u, v) with u + 2 v = w the smallest is (w, 2 w) / 5
    np.testing.assert_allclose(two.coef, one.coef @ [[0.2, 0.4]], rtol=1e-6)


def test_columns_that_trade_with_each_other_leave_the_intercept_alone():
    """Twins far from zero: what one takes over from the other moves no intercept."""
    X, y, _ = problem(CASES[3], n=150, seed=5)
    X = np.column_stack([X[:, 0] + 5, X[:, 0] + 5, X[:, 1]])
    assert "coefficients of columns 0, 1 (dependent" in fit(CASES[3], X, y).certificate.message
    X[:, 1] += 7
    assert "coefficients of columns 0, 1 and the intercept (dependent" in fit(CASES[3], X, y).certificate.message


@pytest.mark.parametrize("case", [case for case in CASES if not case.alpha], ids=str)
def test_the_units_of_the_columns_do_not_matter(case):
    X, y, s = problem(case, seed=6)
    unit = np.array([1e-100, 1e100, 1.0])
    plain, scaled = fit(case, X, y, s), fit(case, X * unit, y, s)
    np.testing.assert_allclose(scaled.coef * unit, plain.coef, rtol=1e-9, atol=1e-12)
    assert scaled.certificate.status == plain.certificate.status == OPTIMAL


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("size", [700.0, 720.0, 744.0, 800.0])
def test_offsets_far_on_the_wrong_side_leave_a_way_back(size, alpha):
    """p (1 - p) is then as small as a double can be, subnormal, or nothing, and a step by its inverse beyond the range."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(50, 3)), (rng.uniform(size=50) < 0.5).astype(float)
    for offset in (np.where(y > 0, -size, size), np.full(50, -size)):
        target = Objective(ArraySource(X, y, EMPTY, offset), LOGISTIC, alpha, True)
        found = minimise(target, np.zeros(4), tol=1e-10, max_iter=100)
        assert found.certificate.status == OPTIMAL
        w, b = found.coef[0], found.intercept[0]
        p = np.exp(-np.logaddexp(0, -(X @ w + b + offset)))
        # tol bounds the gradient per row, in columns within one
        assert np.abs(np.append(X.T @ (p - y) + alpha * w, (p - y).sum())).max() <= 1e-10 * 50 * np.abs(X).max()
