"""Samples before the whole: fewer Hessians, the same optimum, the same proof."""

import warnings

import numpy as np
import pytest

from ridgeline import LogisticRegression
from ridgeline.labels import check_labels
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SoftmaxLoss
from ridgeline.solvers.newton import newton, warm_start
from ridgeline.solvers.select import minimise
from ridgeline.sources import ArraySource

N, D = 40_000, 12


def rows(seed=0, classes=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) @ rng.normal(size=(D, D)) + 3
    z = X @ rng.normal(size=(D, classes)) / 4
    return X, (z + rng.gumbel(size=z.shape)).argmax(axis=1).astype(np.int64)


def objective(X, y, alpha=1.0, classes=2, weight=None):
    loss = LOGISTIC if classes == 2 else SoftmaxLoss(classes)
    y = y.astype(float) if classes == 2 else y
    return Objective(ArraySource(X, y, np.empty(0) if weight is None else weight), loss, alpha, True)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 1e3])
@pytest.mark.parametrize("classes", [2, 4])
def test_same_optimum_as_from_nothing(classes, alpha):
    F = objective(*rows(1, classes), alpha, classes)
    zero = np.zeros(F.size)
    plain = newton(F, zero, tol=1e-9, max_iter=50)
    best = minimise(F, zero, tol=1e-9, max_iter=50)
    np.testing.assert_allclose(best.theta, plain.point.theta, rtol=0, atol=1e-8)
    true = (F.expand(best.theta, 0).value - plain.point.value) / F.weight
    assert best.certificate.status == "optimal"
    assert true <= best.certificate.suboptimality + 1e-15 <= 1e-9


def test_the_factor_is_of_a_share_of_the_rows():
    F = objective(*rows())
    _, factor = warm_start(F, np.zeros(F.size))
    assert factor.share == 1 / 7
    whole = F.expand(factor.at, 2).hessian
    ratio = np.linalg.eigvals(np.array([factor.solve(column) for column in whole])).real
    assert ratio.min() > 0.7 and ratio.max() < 1.4
    # no row takes curvature away
    assert np.linalg.eigvalsh(whole - F.sampled(7).expand(factor.at, 2).hessian).min() > 0


def test_few_rows_or_an_order_that_cannot_be_sampled_start_from_nothing():
    X, y = rows()
    theta = np.zeros(D + 1)
    assert warm_start(objective(X[:500], y[:500]), theta)[0] is theta


def test_at_the_optimum_one_look_is_enough():
    """Whose gradient is far below `tol`, and a step by the sample's factor next to nothing."""
    F = objective(*rows(5))
    best = newton(F, np.zeros(F.size), tol=1e-12, max_iter=50).point.theta
    _, factor = warm_start(F, np.zeros(F.size))
    before = F.source.reads
    found = newton(F, best, tol=1e-6, max_iter=20, factor=factor)
    assert found.converged and F.source.reads == before + 1
    np.testing.assert_array_equal(found.point.theta, best)


@pytest.mark.parametrize("period", [7, 61])
def test_labels_in_step_with_the_sample(period):
    """A sample of one class alone says nothing, and does no harm."""
    X, y = rows(2)
    y[::7] = 1
    y[::61] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression().fit(X, y)
    F = objective(X, y)
    plain = newton(F, np.zeros(F.size), tol=1e-9, max_iter=50)
    coef, _ = F.coordinates.original(plain.point.theta[None])
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-7)


def test_a_sample_without_weight():
    X, y = rows(3)
    weight = np.ones(N)
    weight[::7] = weight[::61] = 0
    F = objective(X, y, weight=weight)
    assert F.sampled(7) is None
    assert minimise(F, np.zeros(F.size), tol=1e-9, max_iter=50).certificate.status == "optimal"


@pytest.mark.parametrize("order", ["C", "F"])
def test_largest_movement_is_numpys(order):
    X, _ = rows(4)
    X = np.asarray(X[:3000], order=order)
    for classes in (2, 3):
        F = objective(X, np.arange(3000) % classes, classes=classes)
        step = np.random.default_rng(5).normal(size=F.size)
        theta = step.reshape(-1, D + 1)
        z = (X - F.coordinates.center) * F.coordinates.scale @ theta[:, :-1].T + theta[:, -1]
        wanted = np.abs(z).max() if classes == 2 else np.ptp(z, axis=1).max()
        np.testing.assert_allclose(F.shift(step), wanted, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.uint64, bool, np.float64, np.float32, np.float16])
@pytest.mark.parametrize("low", [0, 1, 100])
def test_labels_counted_are_labels_sorted(dtype, low):
    y = (np.random.default_rng(0).integers(0, 2 if dtype is bool else 9, 50) * 3 + low).astype(dtype)
    classes, codes = check_labels(y, 50)
    wanted, wanted_codes = np.unique(y, return_inverse=True)
    assert classes.dtype == wanted.dtype and codes.dtype.kind in "iu"
    np.testing.assert_array_equal(classes, wanted)
    np.testing.assert_array_equal(codes, wanted_codes)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float64, np.float16])
@pytest.mark.parametrize("pair", [(0, 1), (5, 90)])
def test_two_labels_are_told_apart_by_their_greater(dtype, pair):
    y = np.array(pair, dtype)[[1, 0, 0, 1, 1]]
    classes, codes = check_labels(y, 5)
    assert classes.dtype == dtype and classes.tolist() == list(pair) and codes.tolist() == [1, 0, 0, 1, 1]


@pytest.mark.parametrize("y", [[0.0, -0.0, 1.0], [-1.0, 1.0, 1.0], [1e300, 0.0, 1e300], [2.0**53, 0.0, 2.0**53], [5.0, 5.0, 5.0]])
def test_labels_in_floats_are_whole_numbers_of_any_size(y):
    classes, codes = check_labels(np.array(y), 3)
    np.testing.assert_array_equal(classes[codes], y)
    np.testing.assert_array_equal(classes, np.unique(y))


@pytest.mark.parametrize("y", [[0.0, 0.5, 1.0], [0.0, np.nan, 1.0], [0.0, np.inf, 1.0], [np.nan] * 3])
def test_other_floats_are_no_labels(y):
    with pytest.raises(ValueError, match="continuous|NaN|infinity"):
        check_labels(np.array(y), 3)
