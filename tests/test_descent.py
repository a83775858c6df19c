"""Gradient descent: a slow twin for every loss, the lecture's 15,000 steps, divergence, edges, messages."""

import dataclasses
import time
import warnings

import numpy as np
import pytest

from ridgeline import (
    DescentResult,
    absolute_error,
    binary_cross_entropy,
    categorical_cross_entropy,
    gradient_descent,
    huber,
    least_squares_by_inverse,
    one_hot,
    sigmoid,
    softmax,
    sparse_categorical_cross_entropy,
    squared_error,
)
from ridgeline.certificate import FitWarning
from ridgeline.descent import LOSSES, _greatest_eigenvalue
from ridgeline.mean_risk import SQUARED, as_given, mean_risk, softmax_risk
from ridgeline.sources import ArraySource

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(60, 4))
Y = X @ RANDOM.normal(size=4) + 3 + RANDOM.standard_t(3, size=60)
LABELS = RANDOM.integers(0, 3, 60)
WEIGHT = RANDOM.uniform(0.1, 2, 60)

# name, targets, value (y, z) per example, slope in z
TABLE = [
    ("squared_error", Y, squared_error, lambda y, z: 2 * (z - y)),
    ("absolute_error", Y, absolute_error, lambda y, z: np.sign(z - y)),
    ("huber", Y, huber, lambda y, z: np.clip(z - y, -1, 1)),
    (
        "binary_cross_entropy",
        (Y > 3) * 1.0,
        lambda y, z: binary_cross_entropy(y, z, from_logits=True),
        lambda y, z: sigmoid(z) - y,
    ),
    (
        "sparse_categorical_cross_entropy",
        LABELS,
        lambda y, z: sparse_categorical_cross_entropy(y, z, from_logits=True),
        lambda y, z: softmax(z) - one_hot(y, 3),
    ),
    (
        "categorical_cross_entropy",
        one_hot(LABELS, 3) * 0.7 + 0.1,
        lambda y, z: categorical_cross_entropy(y, z, from_logits=True),
        lambda y, z: softmax(z) - y,
    ),
]
IDS = [row[0] for row in TABLE]


def descent_twin(value, slope, X, y, eta, steps, alpha, intercept, s, outer=()):
    """The lecture's loop; W is (d,) or (c, d)."""
    W, b, curve = np.zeros((*outer, X.shape[1])), np.zeros(outer), []
    s = s / s.sum()
    for k in range(steps + 1):
        z = X @ W.T + b
        curve.append(np.sum(s * value(y, z)) + alpha / 2 * np.sum(W**2))
        r = slope(y, z) * (s[:, None] if outer else s)
        if k < steps:
            W = W - eta * (r.T @ X + alpha * W)
            b = b - eta * r.sum(axis=0) * intercept
    return W, b, np.array(curve)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("loss, y, value, slope", TABLE, ids=IDS)
def test_every_loss_follows_its_slow_twin(loss, y, value, slope, intercept, weighted):
    outer = (3,) if "categorical" in loss else ()
    W, b, curve = descent_twin(
        value, slope, X, y, 0.02, 200, 0.3, intercept, WEIGHT if weighted else np.ones(60), outer
    )
    r = gradient_descent(
        loss,
        X,
        y,
        learning_rate=0.02,
        max_iter=200,
        alpha=0.3,
        fit_intercept=intercept,
        sample_weight=WEIGHT if weighted else None,
    )
    np.testing.assert_allclose(r.risk, curve, rtol=1e-12)
    np.testing.assert_allclose(r.coef, W, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(r.intercept, b, rtol=1e-11, atol=1e-13)
    assert r.n_iter == 200 and len(r.risk) == 201 and not r.converged
    assert np.shape(r.intercept) == outer


def lecture_problem():
    """442 rows and 10 columns of the scale of the lecture's: columns of norm 1, targets near 150."""
    random = np.random.default_rng(0)
    X = random.normal(size=(442, 10))
    X = (X - X.mean(axis=0)) / np.linalg.norm(X, axis=0)
    return X, 152 + X @ random.normal(size=10) * 500 + random.normal(size=442) * 50


@pytest.mark.parametrize("intercept, steps", [(False, 15_000), (True, 3_000)])
def test_the_lectures_15000_steps(intercept, steps):
    X, y = lecture_problem()
    w, b, curve = descent_twin(
        squared_error, lambda y, z: 2 * (z - y), X, y, 0.001, steps, 0, intercept, np.ones(442)
    )
    start = time.perf_counter()
    r = gradient_descent("squared_error", X, y, learning_rate=0.001, max_iter=steps, fit_intercept=intercept)
    seconds = time.perf_counter() - start
    assert np.max(np.abs(r.risk / curve - 1)) <= 1e-12
    assert np.max(np.abs(r.coef - w)) <= 1e-12 * np.abs(w).max()
    assert abs(r.intercept - b) <= 1e-12 * abs(b)
    assert np.all(np.diff(r.risk) < 0) and r.n_iter == steps
    assert seconds < 10  # about half a second on one free core; the bound is for a busy one


def test_by_hand():
    # R = ((1 - w)^2 + (4 - 2w)^2) / 2: R(0) = 8.5, R'(0) = -9
    r = gradient_descent("squared_error", [[1.0], [2.0]], [1.0, 4.0], learning_rate=0.1, max_iter=1)
    assert r.risk.tolist() == [8.5, pytest.approx((0.1**2 + 2.2**2) / 2)]
    assert r.coef.tolist() == [pytest.approx(0.9)]
    assert r.gradient_norm == pytest.approx(abs(5 * 0.9 - 9))


def test_converges_to_the_closed_form_with_the_factor_n_over_2():
    alpha = 0.4
    r = gradient_descent("squared_error", X, Y, learning_rate=0.1, max_iter=5000, tol=1e-13, alpha=alpha)
    assert r.converged and r.gradient_norm <= 1e-13 and r.n_iter < 5000
    assert len(r.risk) == r.n_iter + 1
    np.testing.assert_allclose(r.coef, least_squares_by_inverse(X, Y, len(Y) * alpha / 2), rtol=1e-12)


def test_intercept_is_not_penalised():
    r = gradient_descent("squared_error", X, Y, learning_rate=1e-6, max_iter=1, alpha=1e5, fit_intercept=True)
    far = gradient_descent(
        "squared_error", np.zeros((60, 1)), Y, learning_rate=0.5, max_iter=1, alpha=1.0, fit_intercept=True
    )
    assert r.intercept == pytest.approx(2e-6 * Y.mean())
    assert far.intercept == pytest.approx(Y.mean()) and far.coef.tolist() == [0]


def test_continues_from_a_result():
    options = {"learning_rate": 0.05, "fit_intercept": True}
    whole = gradient_descent("huber", X, Y, max_iter=40, **options)
    half = gradient_descent("huber", X, Y, max_iter=15, **options)
    rest = gradient_descent("huber", X, Y, max_iter=25, init=(half.coef, half.intercept), **options)
    np.testing.assert_array_equal(rest.coef, whole.coef)
    np.testing.assert_array_equal(np.r_[half.risk, rest.risk[1:]], whole.risk)


def test_an_intercept_of_zero_may_be_given_where_none_is_fitted():
    plain, pair = (gradient_descent("squared_error", X, Y, learning_rate=0.01, max_iter=3, init=i) for i in (np.ones(4), (np.ones(4), 0.0)))
    np.testing.assert_array_equal(plain.coef, pair.coef)
    assert pair.intercept == 0.0


def test_start_is_not_changed():
    start = np.ones(4)
    gradient_descent("squared_error", X, Y, learning_rate=0.05, max_iter=3, init=start)
    assert start.tolist() == [1] * 4


def test_delta_moves_the_corner():
    r = gradient_descent("huber", X, Y, learning_rate=0.1, max_iter=1, delta=1e9)
    assert r.risk[0] == pytest.approx(np.mean(Y**2) / 2)


def test_stationary_start_stops_at_once():
    r = gradient_descent("absolute_error", [[1.0], [2.0]], [0.0, 0.0], learning_rate=1, max_iter=5)
    assert r.n_iter == 0 and r.converged and r.risk.tolist() == [0] and r.gradient_norm == 0


def test_weight_zero_removes_a_row():
    s = np.r_[0.0, np.ones(59)]
    a = gradient_descent("squared_error", X, Y, learning_rate=0.05, max_iter=9, sample_weight=s)
    b = gradient_descent("squared_error", X[1:], Y[1:], learning_rate=0.05, max_iter=9)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-13)


def test_one_class_and_one_row():
    r = gradient_descent("sparse_categorical_cross_entropy", [[1.0]], [0], learning_rate=1, max_iter=3)
    assert r.coef.shape == (1, 1) and r.risk.tolist() == [0] and r.converged


def test_float32_gives_float32_coefficients():
    r = gradient_descent("squared_error", X.astype(np.float32), Y, learning_rate=0.1, max_iter=100)
    wide = gradient_descent("squared_error", X, Y, learning_rate=0.1, max_iter=100)
    assert r.coef.dtype == np.float32 and r.risk.dtype == np.float64
    np.testing.assert_allclose(r.coef, wide.coef, rtol=1e-5)


def test_any_layout():
    a = gradient_descent("squared_error", X, Y, learning_rate=0.1, max_iter=50)
    b = gradient_descent("squared_error", np.asfortranarray(X), Y.tolist(), learning_rate=0.1, max_iter=50)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-13)


def test_result_is_frozen():
    r = gradient_descent("squared_error", X, Y, learning_rate=0.1, max_iter=1)
    assert isinstance(r, DescentResult)
    with pytest.raises(dataclasses.FrozenInstanceError):
        r.coef = 0


# --- the summary ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1])
def test_segments_merge_to_the_whole(order):
    n = 150_000
    X, y = np.tile(X8, (n // 100, 1)), np.tile(Y8, n // 100)
    theta = np.linspace(-1, 1, 9)
    source = ArraySource(X, y)
    assert len(list(source.segments())) > 1
    value, gradient = mean_risk(SQUARED, source, as_given(8, True), theta, 0.0, order)
    r = X8 @ theta[:8] + theta[8] - Y8
    assert value == pytest.approx(np.mean(r**2), rel=1e-14)
    expected = 2 / 100 * np.r_[X8.T @ r, r.sum()] if order else np.zeros(9)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    assert source.reads == 1


X8 = RANDOM.normal(size=(100, 8))
Y8 = RANDOM.normal(size=100)


def test_curvature_of_softmax_is_at_most_one_half():
    q = softmax(RANDOM.normal(size=(500, 3)) * 3)
    greatest = max(np.linalg.eigvalsh(np.diag(p) - np.outer(p, p))[-1] for p in q)
    assert greatest <= softmax_risk(3).curvature
    p = np.array([0.5, 0.5])
    assert np.linalg.eigvalsh(np.diag(p) - np.outer(p, p))[-1] == pytest.approx(0.5)


# --- divergence -----------------------------------------------------------------------------------


def safe_rate(message):
    return float(str(message).split("is about ")[1].rstrip("."))


@pytest.mark.parametrize("steps", [30, 5_000])
@pytest.mark.parametrize("intercept", [False, True])
def test_divergence_warns_with_a_rate_that_works(steps, intercept):
    Z = np.c_[X, np.ones(60)] if intercept else X
    limit = 2 / (2 * np.linalg.eigvalsh(Z.T @ Z / 60)[-1] + 0.1)
    options = {"max_iter": steps, "alpha": 0.1, "fit_intercept": intercept}
    with pytest.warns(FitWarning, match=r"diverged at learning_rate=.*largest safe learning rate") as caught:
        r = gradient_descent("squared_error", X, Y, learning_rate=1.2 * limit, **options)
    assert not r.converged and np.isfinite(r.risk).all() and np.isfinite(r.coef).all()
    assert np.isfinite(r.gradient_norm) and len(r.risk) == r.n_iter + 1
    assert caught[0].filename == __file__
    rate = safe_rate(caught[0].message)
    assert 0.9 * limit < rate < limit
    calm = gradient_descent("squared_error", X, Y, learning_rate=rate, **options)
    assert calm.risk[-1] < calm.risk[0] and np.all(np.diff(calm.risk) <= 1e-12 * calm.risk[0])


def test_weighted_eigenvalue():
    source = ArraySource(X, Y, WEIGHT)
    Z = np.c_[X, np.ones(60)]
    exact = np.linalg.eigvalsh((Z.T * WEIGHT) @ Z / WEIGHT.sum())[-1]
    assert _greatest_eigenvalue(source, True) == pytest.approx(exact, rel=1e-3)
    assert _greatest_eigenvalue(ArraySource(np.zeros((2, 2)), np.zeros(2)), False) == 0


@pytest.mark.parametrize("loss, y, value, slope", TABLE, ids=IDS)
def test_a_penalty_step_too_long_diverges_for_every_loss(loss, y, value, slope):
    with pytest.warns(FitWarning, match="largest safe learning rate"):
        r = gradient_descent(loss, X, y, learning_rate=1.0, max_iter=5000, alpha=100.0)
    assert not r.converged and np.isfinite(r.risk).all() and np.isfinite(r.coef).all()


def test_subgradient_steps_that_overshoot_say_so():
    with pytest.warns(FitWarning, match="take a smaller one"):
        gradient_descent("absolute_error", [[1.0], [2.0]], [0.1, 0.1], learning_rate=9, max_iter=3)


def test_rounding_about_an_exact_start_is_no_divergence():
    exact = X @ np.ones(4)
    r = gradient_descent("squared_error", X, exact, learning_rate=0.1, max_iter=50, init=np.ones(4) + 1e-16)
    assert r.risk[-1] < 1e-28


def test_a_risk_that_rounding_has_raised_is_no_divergence():
    """Steps about a minimum change the risk by rounding, up as often as down."""
    risen = 0
    rate = 1 / (2 * np.linalg.eigvalsh(X.T @ X / 60)[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(40):
            y = Y + k
            best = np.linalg.lstsq(X, y, rcond=None)[0]
            r = gradient_descent("squared_error", X, y, learning_rate=rate, max_iter=5, init=best)
            risen += r.risk[-1] > r.risk[0]
            np.testing.assert_allclose(r.coef, best, rtol=1e-13)
    assert risen


def test_columns_beyond_range_are_named_as_the_cause():
    with pytest.warns(FitWarning, match="scale the columns of X"):
        r = gradient_descent("huber", [[1e200], [1.0]], [1.0, 1.0], learning_rate=1e200, max_iter=9)
    assert np.isfinite(r.risk).all()


# --- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"loss": "squared_eror"}, ValueError, "unknown loss 'squared_eror'; Did you mean 'squared_error'"),
        ({"loss": squared_error}, ValueError, "unknown loss .*the losses are 'squared_error'"),
        ({"learning_rate": 0}, ValueError, "learning_rate == 0, must be greater than 0"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate == -1.0, must be greater than 0"),
        ({"learning_rate": np.nan}, ValueError, "learning_rate == nan"),
        ({"learning_rate": np.inf}, ValueError, "learning_rate == inf"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be a number"),
        ({"max_iter": 0}, ValueError, "max_iter == 0, must be at least 1"),
        ({"max_iter": 1.5}, TypeError, "max_iter must be a whole number"),
        ({"tol": -1}, ValueError, "tol == -1, must be at least 0"),
        ({"alpha": -1}, ValueError, "alpha == -1, must be at least 0"),
        ({"delta": 0}, ValueError, "delta == 0, must be greater than 0"),
        ({"X": [1.0, 2.0]}, ValueError, "Expected 2D array"),
        ({"X": [[1.0], [np.nan]]}, ValueError, "X contains NaN at row 1, column 0"),
        ({"X": [[-np.inf], [1.0]]}, ValueError, "X contains infinity at row 0, column 0"),
        ({"y": [1.0]}, ValueError, "X has 2 rows, y has 1"),
        ({"y": [1.0, np.nan]}, ValueError, "y contains NaN at row 1"),
        ({"y": [[1.0, 2.0], [1.0, 2.0]]}, ValueError, "fit one model per column"),
        ({"sample_weight": [1.0]}, ValueError, "one weight per row"),
        ({"sample_weight": [1.0, -1.0]}, ValueError, "sample_weight is negative at row 1"),
        ({"sample_weight": [0, 0]}, ValueError, "zero in every row"),
        ({"init": [1.0, 2.0]}, ValueError, r"init has shape \(2,\), expected \(1,\)"),
        ({"init": [np.nan]}, ValueError, "init contains NaN at row 0"),
        ({"init": ([1.0], 2.0)}, ValueError, "pass fit_intercept=True"),
        ({"init": ([1.0], 2.0, 3.0)}, ValueError, r"init is a tuple of 3"),
        ({"init": ([1.0], [2.0, 3.0])}, ValueError, r"the intercept, has shape \(2,\), expected \(\)"),
        ({"init": ([1.0], np.inf), "fit_intercept": True}, ValueError, "the intercept, contains infinity"),
        ({"init": [1e200]}, ValueError, "the risk at the start is beyond double precision"),
        ({"loss": "binary_cross_entropy", "y": [1, 2]}, ValueError, "y holds 2 at row 1.*classes as 0 and 1"),
        ({"loss": "sparse_categorical_cross_entropy", "y": [0, 1.5]}, ValueError, "y holds 1.5 at row 1"),
        (
            {"loss": "sparse_categorical_cross_entropy", "y": [10**9, 0]},
            ValueError,
            "more class numbers than",
        ),
        ({"loss": "sparse_categorical_cross_entropy", "y": [0, -1]}, ValueError, "y holds -1 at row 1"),
        ({"loss": "categorical_cross_entropy"}, ValueError, "one_hot"),
        (
            {"loss": "categorical_cross_entropy", "y": [[1, 0], [1, 1]]},
            ValueError,
            "does not sum to 1 at row 1",
        ),
    ],
)
def test_refusals(change, error, message):
    arguments = {
        "loss": "squared_error",
        "X": [[1.0], [2.0]],
        "y": [0.0, 1.0],
        "learning_rate": 0.1,
        "max_iter": 5,
    } | change
    with pytest.raises(error, match=message):
        gradient_descent(arguments.pop("loss"), arguments.pop("X"), arguments.pop("y"), **arguments)


def test_the_table_of_losses_is_tested_whole():
    assert sorted(IDS) == sorted(LOSSES)
