"""The losses: hand-computed values, slow twins, identities, accuracy, and what they refuse."""

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")

from ridgeline import (
    absolute_error,
    binary_cross_entropy,
    categorical_cross_entropy,
    huber,
    kl_divergence,
    log_softmax,
    one_hot,
    sigmoid,
    softmax,
    softplus,
    sparse_categorical_cross_entropy,
    squared_error,
)
from tests import ulps

inf, nan = np.inf, np.nan
FORMATS = [np.float64, np.float32]
REGRESSION = [squared_error, absolute_error, huber]
LOG_2 = np.log(2.0)


def categorical_twin(y, p):
    return -sum(y[..., j] * np.log(p[..., j]) for j in range(y.shape[-1]))


# --- regression ------------------------------------------------------------------------------------------


def test_by_hand():
    y, y_pred = [1.0, 2.0, 3.0], [1.5, 2.0, 0.0]
    np.testing.assert_array_equal(squared_error(y, y_pred), [0.25, 0, 9])
    np.testing.assert_array_equal(absolute_error(y, y_pred), [0.5, 0, 3])
    np.testing.assert_array_equal(huber(y, y_pred), [0.125, 0, 2.5])
    np.testing.assert_array_equal(huber(y, y_pred, delta=2.0), [0.125, 0, 4])


def test_huber_pieces_meet():
    assert huber(1.5, 0.0, delta=1.5) == 1.125
    assert huber(np.nextafter(1.5, 2), 0.0, delta=1.5) == pytest.approx(1.125, rel=1e-15)


def test_huber_slope_is_the_clipped_residual():
    r = np.linspace(-4, 4, 81) + 0.01
    h = 1e-6
    slope = (huber(r + h, np.zeros(81)) - huber(r - h, np.zeros(81))) / (2 * h)
    np.testing.assert_allclose(slope, np.clip(r, -1, 1), atol=1e-8)


@pytest.mark.parametrize("delta", [0, -1.0, nan, inf])
def test_huber_rejects(delta):
    with pytest.raises(ValueError, match=r"delta is .*; pass a positive number"):
        huber([0.0], [0.0], delta=delta)


@pytest.mark.parametrize("loss", REGRESSION)
def test_regression_formats(loss):
    assert loss(np.zeros(2), np.zeros(2)).dtype == np.float64
    assert loss(np.zeros(2, np.float32), np.zeros(2, np.float32)).dtype == np.float32
    assert loss([0, 1], np.zeros(2, np.float32)).dtype == np.float32
    assert loss([0, 1], [1, 2]).dtype == np.float64
    assert loss(np.zeros(2, np.float32), np.zeros(2)).dtype == np.float64
    assert type(loss(1.0, 2.0)) is np.float64


@pytest.mark.parametrize("loss", REGRESSION)
def test_several_targets_keep_their_shape(loss):
    assert loss(np.zeros((4, 2)), np.ones((4, 2))).shape == (4, 2)
    assert loss([], []).shape == (0,)


def test_beyond_the_format_is_infinite_without_a_warning():
    assert squared_error(1e200, -1e200) == inf
    assert squared_error(np.float32(1e30), np.float32(0)) == inf
    assert absolute_error(1e308, -1e308) == inf
    assert huber(1e200, -1e200) == 2e200


def test_unsigned_integers_do_not_wrap():
    assert absolute_error(np.uint8(1), np.uint8(2)) == 1


@pytest.mark.parametrize("loss", REGRESSION)
def test_regression_rejects(loss):
    with pytest.raises(ValueError, match=r"y_pred has shape \(2, 1\) where y has \(2,\)"):
        loss([1.0, 2.0], [[1.0], [2.0]])
    with pytest.raises(ValueError, match="y_pred contains NaN at row 1"):
        loss([1.0, 2.0], [1.0, nan])
    with pytest.raises(ValueError, match="y contains infinity at row 0"):
        loss([inf, 2.0], [1.0, 1.0])


# --- binary cross-entropy --------------------------------------------------------------------------------


def test_binary_by_hand():
    np.testing.assert_array_equal(
        binary_cross_entropy([0, 1, 0, 1], [0.5, 0.5, 0.0, 1.0]), [LOG_2, LOG_2, 0, 0]
    )
    np.testing.assert_array_equal(binary_cross_entropy([1, 0], [0.0, 1.0]), [inf, inf])
    assert binary_cross_entropy(0.5, 0.5) == LOG_2
    assert not np.signbit(binary_cross_entropy([0, 1], [0.0, 1.0])).any()


def test_binary_from_logits_is_softplus():
    z = np.linspace(-800, 800, 1001)
    np.testing.assert_array_equal(binary_cross_entropy(np.zeros(1001), z, from_logits=True), softplus(z))
    np.testing.assert_array_equal(binary_cross_entropy(np.ones(1001), z, from_logits=True), softplus(-z))


def test_binary_from_logits_is_that_from_probabilities():
    random = np.random.default_rng(0)
    z, y = random.normal(size=200) * 3, random.uniform(size=200)
    np.testing.assert_allclose(
        binary_cross_entropy(y, z, from_logits=True), binary_cross_entropy(y, sigmoid(z)), rtol=1e-13
    )


def test_binary_slope_is_the_residual_of_the_probability():
    z, h = np.linspace(-5, 5, 51), 1e-6
    y = np.linspace(0, 1, 51)
    slope = (
        binary_cross_entropy(y, z + h, from_logits=True) - binary_cross_entropy(y, z - h, from_logits=True)
    ) / (2 * h)
    np.testing.assert_allclose(slope, sigmoid(z) - y, atol=1e-8)


def test_binary_at_the_ends_of_the_range():
    huge = np.finfo(np.float64).max
    np.testing.assert_array_equal(
        binary_cross_entropy([1, 0, 1, 0], [huge, -huge, -huge, huge], from_logits=True), [0, 0, huge, huge]
    )
    np.testing.assert_array_equal(binary_cross_entropy([1, 0], [inf, -inf], from_logits=True), [0, 0])
    assert np.isfinite(binary_cross_entropy(0.5, huge, from_logits=True))


@pytest.mark.parametrize("dtype", FORMATS)
def test_binary_from_logits_within_two_ulps(dtype):
    z = ulps.scalar_points(5_000, dtype, seed=4)
    y = np.random.default_rng(5).uniform(size=z.size).astype(dtype)
    y[::3] = 0
    y[1::3] = 1
    got = binary_cross_entropy(y, z, from_logits=True)
    with mpmath.workprec(ulps.PRECISION):
        for g, a, b in zip(got, y.tolist(), z.tolist()):
            a, b = mpmath.mpf(a), mpmath.mpf(b)
            assert ulps.distance(g, a * ulps.softplus(-b) + (1 - a) * ulps.softplus(b), dtype) <= 2.0, (a, b)


@pytest.mark.parametrize(
    "y, p, from_logits, message",
    [
        (
            [0, 2],
            [0.5, 0.5],
            False,
            r"y holds 2 at row 1, which is not a probability in \[0, 1\]; encode the two",
        ),
        ([-1, 1], [0.0, 0.0], True, "y holds -1 at row 0"),
        ([0, 1], [0.5, 1.5], False, r"p holds 1.5 at row 1, .*; pass from_logits=True if these are logits"),
        ([0, 1], [0.5, nan], False, "p holds nan at row 1"),
        ([0, nan], [0.5, 0.5], False, "y holds nan at row 1"),
        ([0, 1], [0.5, nan], True, "p contains NaN at row 1"),
        ([0, 1], [0.5], False, r"p has shape \(1,\) where y has \(2,\)"),
        ([0, 1], [[0.5], [0.5]], True, r"p has shape \(2, 1\) where y has \(2,\)"),
        (0.0, 2.0, False, "p holds 2, which is not"),
        (["a"], [0.5], False, "y has dtype <U1, not numbers"),
    ],
)
def test_binary_rejects(y, p, from_logits, message):
    with pytest.raises(ValueError, match=message):
        binary_cross_entropy(y, p, from_logits=from_logits)


# --- categorical cross-entropy ---------------------------------------------------------------------------


def test_categorical_by_hand():
    p = [[0.25, 0.5, 0.25], [0.0, 1.0, 0.0]]
    np.testing.assert_array_equal(categorical_cross_entropy([[0, 1, 0], [0, 1, 0]], p), [LOG_2, 0])
    np.testing.assert_array_equal(sparse_categorical_cross_entropy([1, 1], p), [LOG_2, 0])
    assert categorical_cross_entropy([1, 0, 0], [0.0, 1.0, 0.0]) == inf
    assert sparse_categorical_cross_entropy(0, [0.0, 1.0, 0.0]) == inf
    assert categorical_cross_entropy([0.5, 0.5], [0.5, 0.5]) == LOG_2


def test_categorical_twin():
    random = np.random.default_rng(1)
    y, p = softmax(random.normal(size=(30, 4))), softmax(random.normal(size=(30, 4)))
    np.testing.assert_allclose(categorical_cross_entropy(y, p), categorical_twin(y, p), rtol=1e-14)


def test_categorical_from_logits_is_that_from_probabilities():
    random = np.random.default_rng(2)
    z, y = random.normal(size=(5, 6, 4)) * 3, softmax(random.normal(size=(5, 6, 4)))
    np.testing.assert_allclose(
        categorical_cross_entropy(y, z, from_logits=True),
        categorical_cross_entropy(y, softmax(z)),
        rtol=1e-13,
    )


def test_sparse_is_categorical_of_one_hot():
    random = np.random.default_rng(3)
    z, labels = random.normal(size=(5, 6, 4)) * 30, random.integers(0, 4, (5, 6))
    np.testing.assert_array_equal(
        sparse_categorical_cross_entropy(labels, z, from_logits=True),
        categorical_cross_entropy(one_hot(labels, 4), z, from_logits=True),
    )
    np.testing.assert_array_equal(
        sparse_categorical_cross_entropy(labels, softmax(z)),
        categorical_cross_entropy(one_hot(labels, 4), softmax(z)),
    )


def test_sparse_is_minus_log_softmax():
    z = ulps.logit_rows(500, 5, np.float64)
    labels = np.arange(500) % 5
    expected = -np.take_along_axis(log_softmax(z), labels[:, None], -1)[:, 0]
    np.testing.assert_array_equal(sparse_categorical_cross_entropy(labels, z, from_logits=True), expected)


@pytest.mark.parametrize("dtype", FORMATS)
def test_categorical_from_logits_is_accurate(dtype):
    z = ulps.logit_rows(500, 4, dtype, seed=6)
    y = softmax(np.random.default_rng(7).normal(size=z.shape).astype(dtype))
    got = categorical_cross_entropy(y, z, from_logits=True)
    for i in range(len(z)):
        with mpmath.workprec(ulps.PRECISION):
            exact = -mpmath.fsum(mpmath.mpf(float(a)) * b for a, b in zip(y[i], ulps.log_softmax(z[i])))
        assert ulps.distance(got[i], exact, dtype) <= 2.0, z[i]


def test_a_masked_class():
    z = [[0.0, -inf, 0.0]]
    np.testing.assert_array_equal(categorical_cross_entropy([[1, 0, 0]], z, from_logits=True), [LOG_2])
    np.testing.assert_array_equal(categorical_cross_entropy([[0, 1, 0]], z, from_logits=True), [inf])
    np.testing.assert_array_equal(sparse_categorical_cross_entropy([1], z, from_logits=True), [inf])


def test_finite_logits_of_any_size_give_no_nan():
    huge = np.finfo(np.float64).max
    z = [[huge, -huge, 0.0]]
    assert sparse_categorical_cross_entropy([0], z, from_logits=True)[0] == 0
    assert sparse_categorical_cross_entropy([1], z, from_logits=True)[0] == inf  # 2 huge is beyond the format
    assert sparse_categorical_cross_entropy([2], z, from_logits=True)[0] == huge
    assert categorical_cross_entropy([[0.5, 0.0, 0.5]], z, from_logits=True)[0] == huge / 2


def test_rows_of_rounded_probabilities_pass():
    p = softmax(np.random.default_rng(8).normal(size=(50, 1000)).astype(np.float32))
    assert np.isfinite(sparse_categorical_cross_entropy(np.zeros(50, int), p)).all()
    assert categorical_cross_entropy([1, 0, 0], [0.3333333, 0.3333333, 0.3333333]) > 1


def test_no_rows():
    assert categorical_cross_entropy(np.empty((0, 3)), np.empty((0, 3))).shape == (0,)
    assert sparse_categorical_cross_entropy(np.empty(0, int), np.empty((0, 3)), from_logits=True).shape == (
        0,
    )
    assert sparse_categorical_cross_entropy([], np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    "labels, p, from_logits, message",
    [
        (
            [0, 3],
            np.zeros((2, 3)),
            True,
            "labels holds 3 at row 1, and class numbers are in 0, ..., 2; encode",
        ),
        ([0, -1], np.zeros((2, 3)), True, "labels holds -1 at row 1"),
        ([0.0, 0.5], np.zeros((2, 3)), True, "labels holds 0.5 at row 1, which is not a whole number"),
        ([0, nan], np.zeros((2, 3)), True, "labels holds nan at row 1"),
        ([[0], [1]], np.zeros((2, 3)), True, r"labels has shape \(2, 1\) where p has \(2, 3\)"),
        (["a"], np.zeros((1, 3)), True, "labels has dtype <U1, not numbers"),
        (
            [0],
            [[0.5, 0.4]],
            False,
            "p does not sum to 1 at row 0 but to 0.9; divide each row by its sum, or pass from",
        ),
        ([0, 0], [[0.5, 0.5], [1.5, -0.5]], False, "p holds 1.5 at row 1, column 0"),
        ([0, 0], [[0.0, 0.5], [nan, 0.0]], True, "p contains NaN at row 1, column 0"),
        ([0], [[0.0, inf]], True, r"p contains \+inf at row 0, column 1"),
        ([0], [[-inf, -inf]], True, "p is -inf throughout at row 0"),
        (0, 1.0, True, r"p has shape \(\); pass shape \(..., c\)"),
        ([0], np.zeros((1, 0)), True, r"p has shape \(1, 0\); pass shape"),
    ],
)
def test_sparse_rejects(labels, p, from_logits, message):
    with pytest.raises(ValueError, match=message):
        sparse_categorical_cross_entropy(labels, p, from_logits=from_logits)


@pytest.mark.parametrize(
    "y, p, message",
    [
        ([[1, 1]], [[0.5, 0.5]], "y does not sum to 1 at row 0 but to 2"),
        ([[1, 0]], [[0.5, 0.6]], "p does not sum to 1 at row 0 but to 1.1"),
        ([[1, 0]], [0.5, 0.5], r"p has shape \(2,\) where y has \(1, 2\)"),
        ([[1, 0], [0, 2]], [[0.5, 0.5], [0.5, 0.5]], "y holds 2 at row 1, column 1"),
    ],
)
def test_categorical_rejects(y, p, message):
    with pytest.raises(ValueError, match=message):
        categorical_cross_entropy(y, p)


# --- Kullback-Leibler divergence -------------------------------------------------------------------------


def test_kl_by_hand():
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == LOG_2
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == inf
    assert kl_divergence([0.0, 1.0], [0.0, 1.0]) == 0
    np.testing.assert_allclose(kl_divergence([0.5, 0.5], [0.25, 0.75]), 0.5 * np.log(4 / 3), rtol=1e-15)


def test_cross_entropy_is_entropy_plus_divergence():
    # eq. (21)
    random = np.random.default_rng(9)
    p, q = softmax(random.normal(size=(100, 5)) * 2), softmax(random.normal(size=(100, 5)) * 2)
    entropy = categorical_cross_entropy(p, p)
    np.testing.assert_allclose(categorical_cross_entropy(p, q), entropy + kl_divergence(p, q), rtol=1e-14)


def test_kl_of_equal_rows_is_zero():
    p = softmax(np.random.default_rng(10).normal(size=(100, 5)))
    assert not kl_divergence(p, p).any()


@pytest.mark.parametrize("nearness", [1e-12, 1e-8, 1e-3, 0.05, 0.12, 0.13, 0.5, 5.0, 50.0])
def test_kl_is_accurate_near_and_far(nearness):
    random = np.random.default_rng(11)
    z = random.normal(size=(200, 6))
    p, q = softmax(z), softmax(z + nearness * random.normal(size=z.shape))
    got = kl_divergence(p, q)
    for i in range(len(z)):
        with mpmath.workprec(ulps.PRECISION):
            pairs = [(mpmath.mpf(a), mpmath.mpf(b)) for a, b in zip(p[i].tolist(), q[i].tolist())]
            terms = [a * mpmath.log(a / b) for a, b in pairs if a]
            second_order = sum(abs(t - a + b) for t, (a, b) in zip(terms, pairs) if abs(a - b) <= b / 8)
            far = sum(abs(t) for t, (a, b) in zip(terms, pairs) if abs(a - b) > b / 8)
            # Terms of both signs: the error is relative to what is summed, not to the sum.
            summed = second_order + far + abs(sum(a - b for a, b in pairs if abs(a - b) <= b / 8))
            assert abs(mpmath.mpf(float(got[i])) - mpmath.fsum(terms)) <= 4e-16 * summed


def test_kl_of_far_apart_probabilities():
    # The ratio 0.5 / 1e-320 is beyond the format, its logarithm is not.
    expected = 0.5 * (np.log(0.5) - np.log(1e-320)) + 0.5 * np.log(0.5)
    np.testing.assert_allclose(kl_divergence([0.5, 0.5], [1e-320, 1.0]), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "p, q, message",
    [
        ([0.5, 0.6], [0.5, 0.5], "p does not sum to 1 but to 1.1"),
        ([0.5, 0.5], [0.5, nan], "q holds nan at row 1"),
        ([0.5, 0.5], [-0.5, 1.5], "q holds -0.5 at row 0"),
        ([0.5, 0.5], [1.0], r"q has shape \(1,\) where p has \(2,\)"),
    ],
)
def test_kl_rejects(p, q, message):
    with pytest.raises(ValueError, match=message):
        kl_divergence(p, q)
