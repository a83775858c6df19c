"""Coordinates of the solvers, and expansions as summaries: round trips, gradients in original columns, merging."""

import numpy as np
import pytest

from ridgeline.expansion import Coordinates, Expansion
from ridgeline.pointwise import LOGISTIC, SQUARED, SoftmaxLoss
from ridgeline.sources import EMPTY, ArraySource, Slab, fold


def coordinates(d=3, fit_intercept=True, seed=0):
    rng = np.random.default_rng(seed)
    return Coordinates(rng.normal(size=d) * 100, 2.0 ** rng.integers(-20, 20, d), fit_intercept)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_coordinates_round_trip(fit_intercept):
    place = coordinates(fit_intercept=fit_intercept)
    theta = np.random.default_rng(1).normal(size=(2, place.width))
    w, b = place.original(theta)
    assert (w == theta[:, :3] * place.scale).all()
    back = place.internal(w, b)
    # the intercept of uncentred columns is rounded beside m w
    size = 1 + np.abs(w * place.center).sum(axis=1, keepdims=True)
    assert (np.abs(back - theta) <= 4 * np.finfo(float).eps * size).all()
    assert (back[:, :3] == theta[:, :3]).all()


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_predictions_do_not_depend_on_the_coordinates(fit_intercept):
    place = coordinates(fit_intercept=fit_intercept)
    rng = np.random.default_rng(2)
    X, theta = rng.normal(size=(20, 3)) + place.center, rng.normal(size=(1, place.width))
    w, b = place.original(theta)
    Z = (X - place.center) * place.scale
    inner = np.column_stack([Z, np.ones(20)]) if fit_intercept else Z
    if not fit_intercept:
        inner = inner + place.center * place.scale
    np.testing.assert_allclose(X @ w[0] + b[0], inner @ theta[0], rtol=1e-8)


def test_the_intercept_survives_a_far_centre():
    """b = b~ - m w in double-double: with m = 1e8 and w = 1/3 a plain difference keeps half the digits."""
    place = Coordinates(np.array([1e8, -1e8]), np.ones(2), True)
    _, b = place.original(np.array([[1 / 3, 1 / 3, 0.125]]))
    assert b[0] == 0.125


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("classes", [1, 3])
def test_the_original_gradient_is_numpys(classes, fit_intercept):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 3)) * [1, 100, 0.01] + [0, 1000, 0]
    place = Coordinates(X.mean(0) if fit_intercept else np.zeros(3), 2.0 ** np.array([0, -7, 6]), fit_intercept)
    theta = rng.normal(size=classes * place.width) * 0.1
    y = rng.integers(0, classes, 50) if classes > 1 else (rng.uniform(size=50) > 0.5).astype(float)
    loss = SoftmaxLoss(classes) if classes > 1 else LOGISTIC
    found = Expansion(loss, place, theta, 1)
    found.add_rows(Slab(X, y.astype(np.int64 if classes > 1 else float), EMPTY, EMPTY))
    w, b = place.original(theta.reshape(classes, -1))
    z = X @ w.T + b
    if classes > 1:
        p = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
        slope = p - np.eye(classes)[y]
    else:
        slope = 1 / (1 + np.exp(-z)) - y[:, None]
    want = slope.T @ np.column_stack([X, np.ones(50)])[:, : place.width]
    got = place.original_gradient(found.gradient.reshape(classes, -1))
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-8)


def test_a_bound_on_the_gradient_bounds_it():
    place = coordinates()
    rng = np.random.default_rng(4)
    for _ in range(20):
        g = rng.normal(size=(2, 4))
        assert (np.abs(place.original_gradient(g)) <= place.original_bound(np.abs(g)) * (1 + 1e-15)).all()


def sums(order, rows=slice(None)):
    rng = np.random.default_rng(5)
    X, y, s = rng.normal(size=(99, 3)), rng.uniform(size=99), rng.uniform(size=99)
    found = Expansion(LOGISTIC, Coordinates(np.zeros(3), np.ones(3), True), np.full(4, 0.2), order)
    found.add_rows(Slab(X[rows], y[rows], s[rows], EMPTY))
    return found


@pytest.mark.parametrize("order", [0, 1, 2])
def test_expansions_of_parts_merge_to_the_whole(order):
    whole, parts = sums(order), [sums(order, slice(a, a + 33)) for a in (66, 0, 33)]
    total = parts[0]
    for part in parts[1:]:
        total.merge(part)
    np.testing.assert_allclose([total.weight, total.value], [whole.weight, whole.value], rtol=1e-15)
    np.testing.assert_allclose(total.gradient, whole.gradient, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(total.hessian, whole.hessian, rtol=1e-13, atol=1e-14)


def test_merging_with_nothing_changes_no_bit():
    total, whole = sums(2), sums(2)
    total.merge(sums(2, slice(0)))
    for name in ("weight", "value", "gradient", "hessian"):
        assert np.array_equal(getattr(total, name), getattr(whole, name))


def test_the_sum_over_segments_is_compensated():
    """Half a million rows of 0.1: only the sum within a block loses digits, not the sum of blocks."""
    source = ArraySource(np.zeros((1 << 19, 4)), np.full(1 << 19, 0.1))
    found = fold(source, lambda: Expansion(SQUARED, Coordinates(np.zeros(4), np.ones(4), False), np.zeros(4), 0))
    np.testing.assert_allclose(found.value, (1 << 19) * 0.1**2 / 2, rtol=2e-14)
