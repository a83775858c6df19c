"""Hessians of products in single precision: how far they are off, who may use them, and the same optimum."""

import numpy as np
import pytest

from ridgeline import LogisticRegression
from ridgeline.objective import Objective
from ridgeline.solvers.newton import borne_precision, newton, warm_start
from ridgeline.solvers.regular_hessian import BORNE, ROUNDING, SINGLE, RegularHessian
from ridgeline.solvers.select import minimise

from .test_few_labels import mean_risk
from .test_warm_start import D, N, objective, rows

DOUBLE = np.dtype(np.float64)


@pytest.fixture
def precisions(monkeypatch):
    """Of the Hessians that were formed, in turn."""
    used, plain = [], Objective.expand

    def expand(self, theta, order, precision=DOUBLE):
        used.extend([precision] if order == 2 else [])
        return plain(self, theta, order, precision)

    monkeypatch.setattr(Objective, "expand", expand)
    return used


def apart(seed, classes=2):
    """Rows whose columns are nearly independent."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) + 3
    z = X @ rng.normal(size=(D, classes)) / 4
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1).astype(np.int64)


def nearly_dependent(seed=0):
    X, y = rows(seed)
    X[:, 1] = X[:, 0] + 1e-4 * np.random.default_rng(seed).normal(size=N)
    return X, y


@pytest.mark.parametrize("classes", [2, 4])
def test_entries_are_off_by_no_more_than_is_said(classes):
    F = objective(*rows(1, classes), classes=classes)
    theta = np.random.default_rng(2).normal(size=F.size)
    exact, rounded = (F.expand(theta, 2, precision).hessian for precision in (DOUBLE, SINGLE))
    root = np.sqrt(np.diag(exact))
    error = np.abs(rounded - exact) / np.outer(root, root)
    assert 0 < error.max() <= ROUNDING[SINGLE]


def test_the_share_by_which_a_hessian_is_off():
    """The worst error that the rounding of the entries allows, in every direction, is within the share."""
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(50, 6)) * 10.0 ** rng.integers(-3, 4, 6)
    H = Z.T @ Z
    root = np.sqrt(np.diag(H))
    share = RegularHessian(H, np.zeros((6, 0)), precision=SINGLE).off
    inverse_root = np.linalg.inv(np.linalg.cholesky(H / np.outer(root, root)))
    for signs in (np.ones(6), rng.choice([-1.0, 1.0], 6)):
        E = ROUNDING[SINGLE] * np.outer(signs, signs)
        assert np.abs(np.linalg.eigvalsh(inverse_root @ E @ inverse_root.T)).max() <= share < 1


def test_a_singular_hessian_is_off_by_everything():
    assert RegularHessian(np.zeros((2, 2)), np.zeros((2, 0))).blur(SINGLE) > BORNE
    assert borne_precision(None) == DOUBLE


@pytest.mark.parametrize("classes", [2, 4])
def test_same_optimum_and_a_true_proof(classes, precisions):
    F = objective(*apart(4, classes), 1.0, classes)
    zero = np.zeros(F.size)
    plain = newton(F, zero, tol=1e-9, max_iter=50)
    assert SINGLE not in precisions
    best = minimise(F, zero, tol=1e-9, max_iter=50)
    assert SINGLE in precisions
    np.testing.assert_allclose(best.theta, plain.point.theta, rtol=0, atol=1e-8)
    gap = (F.expand(best.theta, 0).value - plain.point.value) / F.weight
    assert best.certificate.status == "optimal" and gap <= best.certificate.suboptimality + 1e-15 <= 1e-9


def test_nearly_dependent_columns_take_double(precisions):
    F = objective(*nearly_dependent())
    _, factor = warm_start(F, np.zeros(F.size))
    assert factor is not None and borne_precision(factor) == DOUBLE
    assert SINGLE not in precisions


def test_a_hessian_that_does_not_bear_it_is_formed_in_double(precisions):
    F = objective(*nearly_dependent(1))
    zero = np.zeros(F.size)
    plain = newton(F, zero, tol=1e-9, max_iter=50)
    precisions.clear()
    again = newton(F, zero, tol=1e-9, max_iter=50, precision=SINGLE)
    assert precisions[:2] == [SINGLE, DOUBLE] and SINGLE not in precisions[1:]
    np.testing.assert_array_equal(again.point.theta, plain.point.theta)


def test_one_that_ceases_to_bear_it_on_the_way(precisions):
    """A column that nearly separates the classes: it is large where there is curvature only in what is left after the first steps."""
    X, y = apart(5)
    X[:, 0] += 12 * (y - 0.5)
    model = LogisticRegression(C=1e6).fit(X, y)
    assert SINGLE in precisions and model.certificate_.status == "optimal"
    _, gradient = mean_risk(X, y, np.ones(N), model.coef_[0], model.intercept_[0], 1e-6)
    assert np.abs(gradient).max() <= 1e-8
