"""The lecture's risks and gradients: twins, central differences, the factor n/2, edges, messages."""

import tracemalloc

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")

from ridgeline import (
    LogisticRegression,
    Ridge,
    binary_cross_entropy,
    least_squares_by_inverse,
    least_squares_cost,
    least_squares_gradient,
    logistic_cost,
    logistic_gradient,
    sigmoid,
    softmax,
)
from ridgeline.lecture import check_coefficients

ALPHAS = [0.0, 0.7]


def problem(n=40, d=5, seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d)).astype(dtype)
    y = (X @ random.normal(size=d) + random.normal(size=n)).astype(dtype)
    return random.normal(size=d).astype(dtype), X, y


# --- slow twins: the lecture's formulas, term by term ---------------------------------------------


def least_squares_cost_twin(w, X, y, alpha):
    return sum((y[i] - sum(w * X[i])) ** 2 for i in range(len(y))) / len(y) + alpha / 2 * sum(w * w)


def logistic_cost_twin(w, X, y, alpha):
    p = 1 / (1 + np.exp(-X @ w))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + alpha / 2 * np.sum(w**2)


def central_differences(cost, w, h=1e-6):
    return np.array([(cost(w + h * e) - cost(w - h * e)) / (2 * h) for e in np.eye(len(w))])


@pytest.mark.parametrize("alpha", ALPHAS)
def test_least_squares_cost_is_equations_8_and_12(alpha):
    w, X, y = problem()
    expected = least_squares_cost_twin(w, X, y, alpha)
    assert least_squares_cost(w, X, y, alpha) == pytest.approx(expected, rel=1e-14)
    # eq. 9: the same as a product of vectors
    r = y - X @ w
    assert least_squares_cost(w, X, y) == pytest.approx(r @ r / len(y), rel=1e-14)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_least_squares_gradient_is_equations_10_and_13(alpha):
    w, X, y = problem()
    expected = 2 / len(y) * X.T @ (X @ w - y) + alpha * w
    np.testing.assert_allclose(least_squares_gradient(w, X, y, alpha), expected, rtol=1e-13)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_logistic_cost_is_equation_26(alpha):
    w, X, y = problem()
    y = (y > 0).astype(float)
    assert logistic_cost(w, X, y, alpha) == pytest.approx(logistic_cost_twin(w, X, y, alpha), rel=1e-14)
    assert logistic_cost(w, X, y) == pytest.approx(binary_cross_entropy(y, X @ w, from_logits=True).mean())


@pytest.mark.parametrize("alpha", ALPHAS)
def test_logistic_gradient_is_equation_29(alpha):
    w, X, y = problem()
    for target in ((y > 0).astype(float), sigmoid(y)):
        expected = X.T @ (sigmoid(X @ w) - target) / len(y) + alpha * w
        np.testing.assert_allclose(logistic_gradient(w, X, target, alpha), expected, rtol=1e-13)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_gradients_are_the_slopes_of_the_costs(alpha):
    w, X, y = problem()
    slope = central_differences(lambda v: least_squares_cost(v, X, y, alpha), w)
    np.testing.assert_allclose(least_squares_gradient(w, X, y, alpha), slope, rtol=1e-7, atol=1e-8)
    y = sigmoid(y)
    slope = central_differences(lambda v: logistic_cost(v, X, y, alpha), w)
    np.testing.assert_allclose(logistic_gradient(w, X, y, alpha), slope, rtol=1e-7, atol=1e-8)


def test_slope_of_the_sigmoid_is_equation_28():
    z, h = np.linspace(-8, 8, 33), 1e-6
    slope = (sigmoid(z + h) - sigmoid(z - h)) / (2 * h)
    np.testing.assert_allclose(slope, sigmoid(z) * (1 - sigmoid(z)), rtol=1e-6)


def test_decision_rule_is_equation_27():
    z = np.array([-2.0, -1e-300, 0.0, 1e-300, 2.0])
    # sigmoid rounds to 1/2 within 1e-16 of 0: the sign of the logit decides without rounding
    np.testing.assert_array_equal(sigmoid(z) >= 0.5, [False, True, True, True, True])
    np.testing.assert_array_equal(z >= 0, [False, False, True, True, True])


def test_sigmoid_is_softmax_of_two_classes_equations_17_18_and_25():
    z = np.linspace(-30, 30, 25)
    np.testing.assert_allclose(softmax(np.stack([np.zeros(25), z], axis=1))[:, 1], sigmoid(z), rtol=1e-14)
    p = sigmoid(z[8:-8])
    np.testing.assert_allclose(np.log(p / (1 - p)), z[8:-8], rtol=1e-12, atol=1e-13)


# --- the factor n/2 -------------------------------------------------------------------------------


def test_closed_form_is_equations_11_and_14():
    _, X, y = problem()
    np.testing.assert_allclose(least_squares_by_inverse(X, y), np.linalg.lstsq(X, y)[0], rtol=1e-12)
    A = X.T @ X + 3 * np.eye(5)
    np.testing.assert_allclose(least_squares_by_inverse(X, y, 3.0), np.linalg.solve(A, X.T @ y), rtol=1e-12)


def test_minimiser_of_eq_12_is_eq_14_with_n_alpha_over_2():
    _, X, y = problem()
    n, alpha = len(y), 0.7
    w = least_squares_by_inverse(X, y, n * alpha / 2)
    assert np.abs(least_squares_gradient(w, X, y, alpha)).max() < 1e-14
    # with the same number instead, the gradient is far from zero
    assert np.abs(least_squares_gradient(least_squares_by_inverse(X, y, alpha), X, y, alpha)).max() > 0.1
    # eq. 14 minimises the sum with alpha ||w||^2: n times the gradient of the mean, and 2 alpha w
    w = least_squares_by_inverse(X, y, alpha)
    assert np.abs(n * least_squares_gradient(w, X, y) + 2 * alpha * w).max() < 1e-12


def test_ridge_is_the_closed_form_and_with_n_alpha_over_2_the_minimiser_of_eq_12():
    _, X, y = problem()
    alpha = 0.7
    closed = Ridge(alpha=alpha, fit_intercept=False).fit(X, y).coef_
    np.testing.assert_allclose(least_squares_by_inverse(X, y, alpha), closed, rtol=1e-12)
    mean = Ridge(alpha=len(y) * alpha / 2, fit_intercept=False).fit(X, y).coef_
    assert np.abs(least_squares_gradient(mean, X, y, alpha)).max() < 1e-14


def test_logistic_regression_with_c_of_1_over_n_alpha_minimises_eq_26():
    _, X, y = problem()
    y = y > 0
    w = LogisticRegression(C=1 / (len(y) * 0.7), fit_intercept=False).fit(X, y).coef_[0]
    assert np.abs(logistic_gradient(w, X, y, 0.7)).max() < 1e-12


def test_logistic_regression_decides_by_equation_27():
    _, X, y = problem()
    model = LogisticRegression().fit(X, np.where(y > 0, "up", "down"))
    z = X @ model.coef_[0] + model.intercept_[0]
    assert np.abs(z).min() > 1e-9  # no tie
    np.testing.assert_array_equal(model.predict(X), np.where(sigmoid(z) >= 0.5, "up", "down"))


def test_closed_form_of_several_targets():
    _, X, y = problem()
    Y = np.stack([y, 2 * y], axis=1)
    np.testing.assert_allclose(least_squares_by_inverse(X, Y)[:, 1], 2 * least_squares_by_inverse(X, y))


# --- edges by hand --------------------------------------------------------------------------------


def test_by_hand():
    X, y = [[1, 2], [3, 4]], [1, 0]
    # residuals Xw - y at w = (1, 0): 0 and 3
    assert least_squares_cost([1, 0], X, y) == 4.5
    assert least_squares_cost([1, 0], X, y, 2) == 5.5
    np.testing.assert_array_equal(least_squares_gradient([1, 0], X, y), [9, 12])
    np.testing.assert_array_equal(least_squares_gradient([1, 0], X, y, 2), [11, 12])
    np.testing.assert_array_equal(logistic_gradient([0, 0], X, y), [0.5, 0.5])


def test_certain_and_wrong_costs_its_logit():
    assert logistic_cost([1.0], [[1e6]], [0]) == 1e6
    assert logistic_gradient([1.0], [[1e6]], [0]).tolist() == [1e6]


def test_certain_and_right_keeps_its_digits():
    # 1 - sigmoid(40) is 0 in double precision; e^-40 is the truth
    exact = float(mpmath.log1p(mpmath.exp(-40)))
    assert logistic_cost([1.0], [[40.0]], [1]) == pytest.approx(exact, rel=1e-15)
    assert logistic_gradient([1.0], [[40.0]], [1])[0] == pytest.approx(
        -40 * float(mpmath.exp(-40)), rel=1e-15
    )


def test_one_row_one_column_and_column_target():
    assert least_squares_cost([2.0], [[3.0]], [[5.0]]) == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_float32_in_float32_out(dtype):
    w, X, y = problem(dtype=dtype)
    label = (y > 0).astype(dtype)
    for function, target in [
        (least_squares_cost, y),
        (least_squares_gradient, y),
        (logistic_cost, label),
        (logistic_gradient, label),
    ]:
        got = function(w, X, target, 0.5)
        assert got.dtype == np.float32
        wide = function(w.astype(float), X.astype(float), target.astype(float), 0.5)
        np.testing.assert_allclose(got, wide, rtol=2e-5, atol=2e-6)
    assert least_squares_by_inverse(X, y).dtype == np.float32


@pytest.mark.parametrize("change", [np.asfortranarray, lambda X: X[::-1][::-1], lambda X: X.tolist()])
def test_any_layout(change):
    w, X, y = problem()
    expected = least_squares_gradient(w, X, y)
    np.testing.assert_allclose(least_squares_gradient(w, change(X), y), expected, rtol=1e-14)


def test_integers_and_booleans():
    X = np.array([[1, 0], [1, 1]])
    np.testing.assert_array_equal(
        logistic_gradient([0, 0], X, [True, False]), logistic_gradient([0, 0], X, [1, 0])
    )


def test_many_blocks_agree_with_one_product():
    w, X, y = problem(n=30_011, d=3)
    expected = 2 / len(y) * X.T @ (X @ w - y)
    np.testing.assert_allclose(least_squares_gradient(w, X, y), expected, rtol=1e-12)
    X = np.tile(X, (4, 12))  # several segments of a fold
    y = np.tile(y, 4)
    w = np.tile(w, 12)
    expected = 2 / len(y) * X.T @ (X @ w - y)
    np.testing.assert_allclose(least_squares_gradient(w, X, y), expected, rtol=1e-11)


def test_no_temporary_of_the_size_of_X():
    w, X, y = problem(n=20_000, d=50)
    least_squares_gradient(w, X, y)
    tracemalloc.start()
    logistic_gradient(w, X, (y > 0).astype(float))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 8


# --- messages -------------------------------------------------------------------------------------

FUNCTIONS = [least_squares_cost, least_squares_gradient, logistic_cost, logistic_gradient]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_refusals(function):
    w, X, y = [0.0, 0.0], [[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0]
    with pytest.raises(ValueError, match=r"w has shape \(3,\), expected \(2,\)"):
        function([0, 0, 0], X, y)
    with pytest.raises(ValueError, match=r"w contains NaN at row 1"):
        function([0, np.nan], X, y)
    with pytest.raises(ValueError, match=r"X has 2 rows, y has 3"):
        function(w, X, [0, 1, 0])
    with pytest.raises(ValueError, match=r"X contains NaN at row 1, column 0"):
        function(w, [[1, 2], [np.nan, 4]], y)
    with pytest.raises(ValueError, match=r"X contains infinity at row 0, column 1"):
        function(w, [[1, np.inf], [3, 4]], y)
    with pytest.raises(ValueError, match=r"y contains NaN at row 1"):
        function(w, X, [0, np.nan])
    with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array"):
        function(w, [1.0, 2.0], y)
    with pytest.raises(ValueError, match=r"alpha == -1, must be at least 0"):
        function(w, X, y, -1)
    with pytest.raises(TypeError, match=r"alpha must be a number"):
        function(w, X, y, "much")


@pytest.mark.parametrize("function", [logistic_cost, logistic_gradient])
def test_labels_are_probabilities(function):
    with pytest.raises(ValueError, match=r"y holds -1 at row 1.*encode the two classes as 0 and 1"):
        function([0.0], [[1.0], [2.0]], [1, -1])


@pytest.mark.parametrize("function", FUNCTIONS[:2])
def test_overflow_is_said(function):
    with pytest.raises(OverflowError, match="beyond the range of float64; scale"):
        function([1e200], [[1e200]], [0.0])
    with pytest.raises(OverflowError, match="beyond the range of float32; scale"):
        function([1.0], np.full((1, 1), 1e20, np.float32), [-1e38])


def test_an_inverse_that_is_not_there():
    with pytest.raises(ValueError, match=r"has no inverse.*alpha > 0"):
        least_squares_by_inverse([[1.0, 1.0], [1.0, 1.0]], [1.0, 2.0])
    np.testing.assert_allclose(least_squares_by_inverse([[1.0, 1.0]], [3.0], alpha=1.0), [1, 1])
    with pytest.raises(ValueError, match=r"X contains NaN at row 0, column 0"):
        least_squares_by_inverse([[np.nan]], [1.0])


def test_coefficients_are_copied_to_contiguous_doubles():
    w = check_coefficients(np.arange(6.0)[::2], (3,))
    assert w.flags.c_contiguous and w.dtype == np.float64
