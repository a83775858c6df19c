"""The comparison's independent objectives: gradients against finite differences, bounds against hand-computed minima."""

import numpy as np
import pytest

from bench.objective import CORNERED, SMOOTH, Judge, Point, Terms

N, D, CLASSES = 40, 3, 4


def case(family):
    """Rows, targets, a point off the optimum, and terms with every part in play."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    y = {"logistic": rng.integers(0, 2, N).astype(float), "softmax": rng.integers(0, CLASSES, N)}.get(family, 3 * rng.normal(size=N))
    shape = (CLASSES, D + 1) if family == "softmax" else (D + 1,)
    return X, y, rng.normal(size=shape), Terms(alpha=0.7, delta=0.9, epsilon=1.2)


def point_of(theta, family):
    """Coefficients and intercept side by side; Huber's scale after them."""
    if family == "scaled huber":
        return Point(theta[:D], theta[D], scale=theta[-1])
    return Point(theta[..., :D], theta[..., D])


@pytest.mark.parametrize("family", SMOOTH)
def test_gradients_are_those_of_the_values(family):
    X, y, theta, terms = case(family)
    if family == "scaled huber":
        theta = np.append(theta, 1.3)
    value, gradient = SMOOTH[family](X, y, point_of(theta, family), terms)
    assert np.isfinite(value) and gradient.shape == theta.shape
    step = 1e-6
    for index in np.ndindex(theta.shape):
        ends = []
        for sign in (1, -1):
            moved = theta.copy()
            moved[index] += sign * step
            ends.append(SMOOTH[family](X, y, point_of(moved, family), terms)[0])
        assert abs((ends[0] - ends[1]) / (2 * step) - gradient[index]) < 1e-8, index


def test_the_logistic_value_far_out():
    # one row, z = 800: log(1 + e^800) - 0 = 800, and 0 for the other label
    X = np.array([[1.0]])
    for label, value in ((0.0, 800.0), (1.0, 0.0)):
        assert SMOOTH["logistic"](X, np.array([label]), Point(np.array([800.0]), 0.0), Terms())[0] == value


def test_two_classes_of_softmax_are_logistic():
    X, y, theta, terms = case("logistic")
    two = Point(np.array([0 * theta[:D], theta[:D]]), np.array([0.0, theta[D]]))
    binary, _ = SMOOTH["logistic"](X, y, Point(theta[:D], theta[D]), terms)
    assert np.isclose(SMOOTH["softmax"](X, y.astype(int), two, terms)[0], binary, rtol=1e-14)


def test_the_median_proves_itself():
    # of 0, 1, 2, 10, 11 the median is 2: half of 2 + 1 + 0 + 8 + 9, over 5 rows
    X, y = np.zeros((5, 0)), np.array([0.0, 1, 2, 10, 11])
    value, bound = CORNERED["quantile"](X, y, Point(np.zeros(0), 2.0), Terms(quantile=0.5))
    assert value == pytest.approx(2.0) and bound == pytest.approx(2.0)
    assert CORNERED["quantile"](X, y, Point(np.zeros(0), 0.0), Terms(quantile=0.5))[1] <= 2.0


def test_the_soft_threshold_proves_itself():
    # one centred column with x'x = 2 and x'y = 2: w = (2 - alpha) / 2
    X, y = np.array([[-1.0], [1.0]]), np.array([-1.0, 1.0])
    value, bound = CORNERED["lasso"](X, y, Point(np.array([0.75]), 0.0), Terms(alpha=0.5))
    assert value == pytest.approx((0.0625 + 0.375) / 2) and bound == pytest.approx(value)


@pytest.mark.parametrize("family", CORNERED)
def test_bounds_hold_at_any_point(family):
    X, y, theta, _ = case(family)
    terms = Terms(alpha=2.0, quantile=0.3)
    values, bounds = zip(*(CORNERED[family](X, y, Point(s * theta[:D], theta[D]), terms) for s in np.linspace(-1, 1, 21)))
    assert max(bounds) <= min(values)


def test_the_judge_refuses_what_is_not_finite_and_remembers_bounds():
    X, y = np.zeros((5, 0)), np.array([0.0, 1, 2, 10, 11])
    judge = Judge("quantile", X, y, Terms())
    assert judge.accuracy(Point(np.zeros(0), np.nan)) == np.inf
    assert judge.accuracy(Point(np.zeros(0), 2.0)) == pytest.approx(0, abs=1e-15)
    assert judge.accuracy(Point(np.zeros(0), 3.0)) == pytest.approx(0.1)  # half of one row more on one side, over 5
