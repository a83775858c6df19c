"""The objective: penalty and coordinates, gradients in original columns, what it tells a solver about directions."""

from itertools import product

import numpy as np
import pytest

from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SQUARED, ScaledHuberLoss, SoftmaxLoss, huber_loss
from ridgeline.sources import EMPTY, ArraySource, ChunkSource
from ridgeline.views import CentredTargets

LOSSES = {
    "squared": SQUARED, "huber": huber_loss(0.5), "scaled huber": ScaledHuberLoss(1.35), "logistic": LOGISTIC,
    "softmax": SoftmaxLoss(3),
}  # fmt: skip


def objective(name, alpha=0.0, fit_intercept=True, weights=EMPTY, n=40, unit=1.0):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n, 3)) * [1, 50, 0.02] + [0, 400, 1]) * unit
    y = rng.integers(0, 3, n) if name == "softmax" else rng.integers(0, 2, n).astype(float)
    return Objective(ArraySource(X, y, weights), LOSSES[name], alpha, fit_intercept)


def somewhere(target, size=0.3):
    theta = size * np.random.default_rng(1).normal(size=target.size)
    if target.loss.shared:
        theta[-1] = 0.7
    return theta


each_loss = pytest.mark.parametrize("name", LOSSES)


@each_loss
@pytest.mark.parametrize("alpha, fit_intercept", [(0.0, True), (2.0, True), (2.0, False)])
def test_finite_differences(name, alpha, fit_intercept):
    target = objective(name, alpha, fit_intercept)
    theta = somewhere(target)
    point, h = target.expand(theta, 2), 1e-5
    for j in range(target.size):
        e = h * np.eye(target.size)[j]
        up, down = target.expand(theta + e, 1), target.expand(theta - e, 1)
        assert point.gradient[j] == pytest.approx((up.value - down.value) / (2 * h), rel=1e-6, abs=1e-6)
        slope = (up.gradient - down.gradient) / (2 * h)
        np.testing.assert_allclose(point.hessian[:, j], slope, rtol=1e-5, atol=1e-5)


@each_loss
def test_the_penalty_is_on_original_coefficients_alone(name):
    plain, target = objective(name), objective(name, 3.0)
    theta = somewhere(target)
    c, p = target.loss.outputs, target.coordinates.width
    w, _ = target.coordinates.original(theta[: c * p].reshape(c, p))
    difference = target.expand(theta, 0).value - plain.expand(theta, 0).value
    assert difference == pytest.approx(1.5 * (w**2).sum(), rel=1e-9)


def test_columns_are_centred_and_scaled_to_one():
    target = objective("logistic")
    Z = (target.source.X - target.coordinates.center) * target.coordinates.scale
    np.testing.assert_allclose(Z.mean(0), 0, atol=1e-14)
    assert (np.abs(Z).max(0) >= 0.5).all()
    assert (np.abs(Z).max(0) <= 1).all()
    np.testing.assert_allclose(target.reach[:3], np.abs(Z).max(0), rtol=1e-12)
    assert (np.exp2(np.log2(target.coordinates.scale).round()) == target.coordinates.scale).all()


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_gram_is_numpys(fit_intercept):
    s = np.random.default_rng(2).uniform(size=40)
    target = objective("softmax", fit_intercept=fit_intercept, weights=s)
    Z = (target.source.X - target.coordinates.center) * target.coordinates.scale
    Z = np.column_stack([Z, np.ones(40)]) if fit_intercept else Z
    np.testing.assert_allclose(target.gram(), Z.T @ (Z * s[:, None]), rtol=1e-12, atol=1e-12)


def test_the_squares_of_few_rows_are_the_diagonal_of_the_gram():
    target = objective("logistic")
    np.testing.assert_allclose(target.squares(), np.diag(target.gram()), rtol=1e-12)


def test_the_squares_of_rows_that_give_no_sample_are_of_the_order_of_their_reach():
    """Entries spread evenly over a column's range of r on either side have squares of r^2 / 3."""
    X = np.random.default_rng(3).uniform(-1, 1, size=(3000, 2)) * [1.0, 1e3]
    target = Objective(ChunkSource(lambda: [(X, X[:, 0] > 0)]), LOGISTIC, 1.0, True)
    assert target.sampled(2) is None
    Z = (X - target.coordinates.center) * target.coordinates.scale
    np.testing.assert_allclose(target.squares()[:2], (Z**2).sum(axis=0), rtol=0.3)


def test_the_squares_of_changed_rows_are_those_of_the_rows():
    plain = objective("logistic")
    changed = Objective(CentredTargets(plain.source, 3.0, 0.5), LOGISTIC, 0.0, True)
    np.testing.assert_array_equal(changed.squares(), plain.squares())


def test_outside_the_domain_the_value_is_infinite():
    target = objective("scaled huber")
    theta = somewhere(target)
    for sigma in (0.0, -1.0):
        theta[-1] = sigma
        assert target.expand(theta, 2).value == np.inf


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "squared"])
def test_recession_is_the_slope_at_infinity(name):
    target = objective(name, weights=np.arange(40) % 3 + 0.5)
    direction = somewhere(target, 1.0)
    far = somewhere(target, 0.0)
    direction[target.size - target.loss.shared :] = 0
    t = 1e7
    slope = (target.expand(far + 2 * t * direction, 0).value - target.expand(far + t * direction, 0).value) / t
    assert target.along(direction).recession == pytest.approx(slope, rel=1e-5)


def test_recession_of_a_square_is_infinite_and_rows_without_weight_do_not_count():
    s = np.ones(40)
    s[:5] = 0
    target = objective("squared", weights=s)
    assert target.along(np.ones(4)).recession == np.inf
    assert target.along(np.zeros(4)).recession == 0.0


def test_the_gauge_moves_nothing():
    target, penalised = objective("softmax"), objective("softmax", 1.0)
    theta = somewhere(target)
    for each, columns in ((target, 4), (penalised, 1)):
        N = each.gauge(np.diag(each.expand(theta, 2).hessian))
        np.testing.assert_allclose(N.T @ N, np.eye(columns), atol=1e-15)
        value = each.expand(theta, 0).value
        for direction in N.T:
            assert each.expand(theta + 5 * direction, 0).value == pytest.approx(value, rel=1e-14)
    assert objective("logistic").gauge().shape == (4, 0)


def test_beside_a_hessian_the_gauge_is_where_the_penalty_is_faint():
    """Shifts of the intercepts, which have no penalty, and of each column whose curvature is a million times its penalty or more."""
    target = objective("softmax", 1.0)
    large = np.tile(1e7 * np.append(target.penalty[:3], 1.0), 3)
    np.testing.assert_array_equal(target.gauge(large), target.gauge())
    np.testing.assert_array_equal(target.gauge(1e-4 * large), target.gauge()[:, [3]])
    one = np.tile([1e-4, 1.0, 1e-4, 1.0], 3) * large  # the second column's
    np.testing.assert_array_equal(target.gauge(one), target.gauge()[:, [1, 3]])


def test_the_penalty_along_the_gauge_is_what_the_excess_says():
    target = objective("softmax", 2.0)
    theta, N = somewhere(target), target.gauge()
    centred = theta - N @ (N.T @ theta)
    cost = target.expand(theta, 0).value - target.expand(centred, 0).value
    assert target.gauge_excess(theta, np.zeros(target.size)) == pytest.approx(cost, rel=1e-10)
    assert target.gauge_excess(centred, np.zeros(target.size)) < 1e-28
    assert objective("logistic", 2.0).gauge_excess(np.ones(4), np.ones(4)) == 0.0


@pytest.mark.parametrize("name", ["huber", "scaled huber"])
def test_a_function_of_the_rows_near_the_corner_is_the_same_while_no_other_reaches_it(name):
    target = objective(name, 0.5, weights=np.random.default_rng(2).random(400), n=400)
    theta, step = somewhere(target), np.zeros(target.size)
    theta[4:] = 0.4  # sigma
    step[:4] = [0.01, -0.02, 0.01, 0.03]
    part = target.narrowed(theta, 0.3)
    narrower = part.narrowed(theta + step, 0.2)
    assert 0 < len(narrower.source.numbers) < len(part.source.numbers) < 400
    for each, at in [(part, theta), (part, theta + step), (narrower, theta + 1.2 * step)]:
        mine, whole = each.expand(at, 2), target.expand(at, 2)
        np.testing.assert_allclose(mine.value, whole.value, rtol=1e-13)
        np.testing.assert_allclose(mine.gradient, whole.gradient, atol=1e-11)
        np.testing.assert_allclose(mine.hessian, whole.hessian, atol=1e-11)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_span_is_reached_in_a_corner(fit_intercept):
    """Of rows at all corners of a box one has the largest prediction there can be."""
    corners = np.array(list(product([-1.0, 1.0], repeat=3))) * [0.7, 30, 0.01]
    target = Objective(ArraySource(corners, np.zeros(8), EMPTY), LOGISTIC, 0.0, fit_intercept)
    theta = somewhere(target)
    w, b = target.coordinates.original(theta[None])
    assert target.span(theta) == pytest.approx(np.abs(corners @ w[0] + b).max(), rel=1e-14)
    assert target.movement(theta) == pytest.approx(np.abs(np.append(w[0] * corners[-1], b)).max(), rel=1e-14)


@each_loss
def test_bounds_on_the_gradient_hold(name):
    """A small step changes it by no more than `slope_error`; one more precise is nearer than `rounding`."""
    target = objective(name, 0.5)
    theta = somewhere(target)
    point = target.expand(theta, 1)
    step = 1e-6 * np.random.default_rng(3).normal(size=target.size)
    step[target.size - target.loss.shared :] = 0
    change = np.abs(target.expand(theta + step, 1).gradient - point.gradient)
    assert (change <= target.slope_error(point, step) + 1e-12).all()


@pytest.mark.parametrize("name", ["logistic", "softmax", "huber"])
def test_rounding_of_the_gradient_is_bounded(name):
    """Columns that differ by powers of two round alike; other scales do not, and the sums move by less than the bound."""
    target, other = objective(name, n=5000), objective(name, n=5000, unit=1.7)
    theta = somewhere(target)
    ratio = target.coordinates.scale * 1 / (other.coordinates.scale * 1.7)
    c, p = target.loss.outputs, target.coordinates.width
    step = np.tile(np.append(ratio, 1.0), c)
    # the same predictions, up to the rounding of the means
    point, twin = target.expand(theta, 1), other.expand(theta * step, 1)
    assert point.value == pytest.approx(twin.value, rel=1e-12)
    assert (np.abs(point.gradient - twin.gradient * step) <= target.rounding(point, 2048)).all()
    assert c * p == theta.size


def test_reads_are_counted():
    target = objective("logistic")
    assert target.source.reads == 1
    target.expand(np.zeros(4), 2)
    target.gram()
    assert target.source.reads == 3


@pytest.mark.parametrize("bad, what", [(np.nan, "NaN"), (np.inf, "infinity")])
def test_entries_that_are_not_finite_are_named(bad, what):
    X = np.ones((5, 2))
    X[3, 1] = bad
    for s in (EMPTY, np.array([1.0, 1, 1, 0, 1])):
        with pytest.raises(ValueError, match=f"{what} at row 3, column 1"):
            Objective(ArraySource(X, np.zeros(5), s), LOGISTIC, 0.0, True)
