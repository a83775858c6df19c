"""The activations: accuracy, defined edges, and every kind of input and output."""

import numpy as np
import pytest

import ridgeline
from ridgeline import activations, log_sigmoid, log_softmax, logsumexp, one_hot, sigmoid, softmax, softplus
from tests import ulps

FORMATS = [np.float64, np.float32]
ELEMENTWISE = [sigmoid, log_sigmoid, softplus]
BY_ROW = [softmax, log_softmax]
inf, nan = np.inf, np.nan


def softmax_twin(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logsumexp_twin(z):
    m = z.max(axis=-1)
    return m + np.log(np.exp(z - m[..., None]).sum(axis=-1))


# --- accuracy --------------------------------------------------------------------------------------------

BOUND = {"softmax": 2.5, "log_softmax": 2.0, "logsumexp": 2.0}
FUNCTION = {"softmax": softmax, "log_softmax": log_softmax, "logsumexp": logsumexp}


def worst_row(name, z):
    got = FUNCTION[name](z)
    exact = getattr(ulps, name)
    distances = []
    for i in range(len(z)):
        pairs = zip(np.atleast_1d(got[i]), np.ravel(exact(z[i])))
        distances.append(max(ulps.distance(g, e, z.dtype.type) for g, e in pairs))
    assert not np.isnan(distances).any()
    return max(distances), z[int(np.argmax(distances))]


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("c", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("name", BOUND)
def test_rows_are_accurate_at_any_scale(name, c, dtype):
    worst, row = worst_row(name, ulps.logit_rows(max(10, 3000 // c), c, dtype))
    assert worst <= BOUND[name], row


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("c", [2, 3, 10, 100])
@pytest.mark.parametrize("name", BOUND)
def test_rows_are_accurate_at_a_million_logits(name, c, dtype):
    worst, row = worst_row(name, ulps.logit_rows(1_000_000 // 4 // c, c, dtype, seed=1))
    assert worst <= BOUND[name], row


def test_dominant_log_probability_keeps_its_digits():
    # The greater logit has -log(1 + exp(-50)) = -exp(-50) to first order; 1 - p would round to 0.
    assert log_softmax([0.0, -50.0])[0] == -np.exp(-50.0)


def test_difference_carries_its_rounding_error():
    # 1e8 - 0.1 is no float64; rounded, it would move the second logarithm by 6e-9 of itself.
    worst, _ = worst_row(
        "softmax", np.array([[0.1, 700.0 + 1e-13, 690.3], [1e6 + 0.1, 1e6 - 0.3, 999_990.7]])
    )
    assert worst < 2.5


@pytest.mark.parametrize("dtype", FORMATS)
def test_sums_of_many_terms(dtype):
    z = np.zeros(100_000, dtype)
    assert np.all(softmax(z) == dtype(1e-5))
    assert logsumexp(z) == dtype(np.log(1e5))


# --- identities ------------------------------------------------------------------------------------------


def test_sigmoid_of_minus_z_is_the_complement():
    z = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(sigmoid(-z), 1 - sigmoid(z), rtol=0, atol=2e-16)


def test_sigmoid_derivative_of_eq_28():
    z = np.linspace(-8, 8, 101)
    h = 1e-5
    slope = (sigmoid(z + h) - sigmoid(z - h)) / (2 * h)
    np.testing.assert_allclose(sigmoid(z) * (1 - sigmoid(z)), slope, rtol=1e-6, atol=1e-10)


def test_softplus_slope_is_the_sigmoid():
    z = np.linspace(-8, 8, 101)
    h = 1e-5
    np.testing.assert_allclose(sigmoid(z), (softplus(z + h) - softplus(z - h)) / (2 * h), rtol=1e-6)


def test_softplus_is_minus_log_sigmoid():
    z = np.linspace(-800, 800, 1001)
    np.testing.assert_array_equal(log_sigmoid(z), -softplus(-z))


def test_softmax_is_shift_invariant():
    # Multiples of 1/8 are shifted by 1024 exactly, so not a bit may change.
    z = np.random.default_rng(0).integers(-100, 100, (50, 6)) / 8
    np.testing.assert_array_equal(softmax(z), softmax(z + 1024))
    np.testing.assert_array_equal(log_softmax(z), log_softmax(z + 1024))


def test_two_classes_are_the_sigmoid():
    # eq. (25) is eq. (17) for the logits (z, 0).
    z = np.linspace(-40, 40, 1001)
    p = softmax(np.stack([z, np.zeros_like(z)], axis=-1))[:, 0]
    np.testing.assert_array_max_ulp(p, sigmoid(z), 3)


def test_log_softmax_is_the_logarithm_of_softmax():
    z = np.random.default_rng(1).normal(size=(200, 5)) * 3
    np.testing.assert_allclose(log_softmax(z), np.log(softmax(z)), rtol=1e-12, atol=1e-15)


def test_twins():
    z = np.random.default_rng(2).normal(size=(7, 3, 4)) * 5
    np.testing.assert_allclose(softmax(z), softmax_twin(z), rtol=1e-14)
    np.testing.assert_allclose(logsumexp(z), logsumexp_twin(z), rtol=1e-14)


# --- edges -----------------------------------------------------------------------------------------------


def test_minus_infinity_has_probability_zero():
    np.testing.assert_array_equal(softmax([0.0, -inf, 0.0]), [0.5, 0, 0.5])
    np.testing.assert_array_equal(log_softmax([0.0, -inf]), [0, -inf])
    assert logsumexp([3.0, -inf]) == 3.0


def test_a_row_of_minus_infinities():
    assert np.isnan(softmax([-inf, -inf])).all()
    assert np.isnan(log_softmax([-inf, -inf])).all()
    assert logsumexp([-inf, -inf]) == -inf


def test_plus_infinity():
    assert np.isnan(softmax([inf, 0.0])).all()
    np.testing.assert_array_equal(log_softmax([inf, 0.0]), [nan, -inf])
    assert logsumexp([0.0, inf]) == inf
    assert logsumexp([inf, inf, -inf]) == inf


@pytest.mark.parametrize(
    "row", [[nan, 0.0, 1.0], [0.0, 1.0, nan], [inf, nan, 0.0], [nan, inf, 0.0], [-inf, nan, -inf]]
)
def test_nan_goes_to_the_whole_row(row):
    assert np.isnan(softmax(row)).all()
    assert np.isnan(log_softmax(row)).all()
    assert np.isnan(logsumexp(row))


def test_of_many_rows_each_has_its_own_infinity():
    z = np.zeros((11, 3))
    z[3], z[5], z[8] = [inf, nan, 0.0], [0.0, inf, 1.0], [-inf, -inf, -inf]
    want = np.full(11, np.log(3))
    want[[3, 5, 8]] = nan, inf, -inf
    np.testing.assert_allclose(logsumexp(z, axis=1), want, rtol=1e-15)
    np.testing.assert_allclose(logsumexp(z[::-1], axis=1), want[::-1], rtol=1e-15)


def test_one_class():
    np.testing.assert_array_equal(softmax([[-7.5], [800.0]]), [[1], [1]])
    np.testing.assert_array_equal(log_softmax([[-7.5], [800.0]]), [[0], [0]])
    np.testing.assert_array_equal(logsumexp([[-7.5], [800.0]]), [-7.5, 800])


def test_the_ends_of_the_range():
    huge = np.finfo(np.float64).max
    np.testing.assert_array_equal(softmax([huge, -huge]), [1, 0])
    np.testing.assert_array_equal(log_softmax([huge, -huge]), [0, -inf])  # -2 huge is beyond the format
    assert logsumexp([huge, -huge]) == huge


def test_subnormal_probability():
    np.testing.assert_array_equal(softmax([0.0, -745.0]), [1, 5e-324])
    assert log_softmax([0.0, -745.0])[0] == -5e-324
    assert logsumexp([0.0, -745.0]) == 5e-324


def test_subnormal_logits():
    np.testing.assert_array_equal(softmax([5e-324, 0.0]), [0.5, 0.5])


def test_logsumexp_where_the_greatest_entry_and_the_logarithm_cancel():
    # log(2 exp(-log 2)) is 0 but for the rounding of log 2 to a double, 2.32e-17.
    assert logsumexp([-np.log(2.0)] * 2) == 2.3190468138462996e-17


@pytest.mark.parametrize(
    "row",
    [
        [-np.log(3.0)] * 3,
        [np.log(0.2), np.log(0.8)],
        [np.log(0.2), np.log(0.8), -inf, -1e308],
        [-1e-5, np.log(1e-5)],
        [-1e-30, np.log(1e-30)],
        [-1e-200, np.log(1e-200)],
        [-5e-310, np.log(5e-310)],
        [-5e-324, -744.4400719213812],
        [-np.log(1000.0)] * 1000,
    ],
)
def test_logsumexp_within_two_ulps_of_what_cancellation_leaves(row):
    worst, _ = worst_row("logsumexp", np.array([row]))
    assert worst <= 2.0


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("c", [2, 3, 20])
def test_logsumexp_where_a_few_bits_cancel(c, dtype):
    # Rows shifted so that the result is this fraction of the greatest entry: on both sides of the exact path.
    random = np.random.default_rng(12)
    fraction = random.uniform(0.2, 0.35, (500, 1)) * random.choice([-1, 1], (500, 1))
    z = random.normal(size=(500, c)) * random.choice([0.01, 1.0, 3.0], (500, 1))
    z -= z.max(axis=-1, keepdims=True)
    z -= logsumexp(z, keepdims=True) / (1 + fraction)
    worst, row = worst_row("logsumexp", z.astype(dtype))
    assert worst <= 2.0, row


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("c", [2, 3, 10])
def test_logsumexp_of_log_probabilities(c, dtype):
    worst, row = worst_row("logsumexp", log_softmax(ulps.logit_rows(300, c, dtype, seed=3)))
    assert worst <= 2.0, row


# --- inputs and outputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW + [logsumexp])
@pytest.mark.parametrize("given", [np.int64, np.int8, np.bool_, np.float64, ">f8", np.longdouble])
def test_computes_in_float64(function, given):
    assert function(np.ones((2, 3), given)).dtype == np.float64


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW + [logsumexp])
@pytest.mark.parametrize("given", [np.float32, np.float16, ">f4"])
def test_computes_in_float32(function, given):
    assert function(np.ones((2, 3), given)).dtype == np.float32


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW + [logsumexp])
def test_a_scalar_gives_a_numpy_scalar(function):
    for z in (1, 1.0, np.float64(1), np.array(1.0), True):
        assert type(function(z)) is np.float64
    assert type(function(np.float32(1))) is np.float32


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW)
def test_empty(function):
    assert function([]).shape == (0,)
    assert function(np.empty((3, 0))).shape == (3, 0)
    assert function(np.empty((0, 3), np.float32)).dtype == np.float32


def test_logsumexp_of_nothing():
    assert logsumexp([]) == -inf
    np.testing.assert_array_equal(logsumexp(np.empty((2, 0))), [-inf, -inf])
    assert logsumexp(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW + [logsumexp])
def test_any_strides(function):
    z = np.random.default_rng(3).normal(size=(6, 8, 10))
    for view in (
        z[::2],
        z[:, ::-1],
        z[..., ::3],
        z.T,
        np.asfortranarray(z),
        z[0, :, 3],
        np.broadcast_to(z[0, 0], (3, 10)),
    ):
        np.testing.assert_array_equal(function(view), function(view.copy()))


@pytest.mark.parametrize("function", BY_ROW + [logsumexp])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axis(function, axis):
    z = np.random.default_rng(4).normal(size=(2, 3, 4))
    expected = function(np.ascontiguousarray(np.moveaxis(z, axis, -1)))
    if function is not logsumexp:
        expected = np.moveaxis(expected, -1, axis)
    np.testing.assert_array_equal(function(z, axis=axis), expected)


@pytest.mark.parametrize("function", BY_ROW + [logsumexp])
@pytest.mark.parametrize("axis", [2, -3])
def test_axis_out_of_range(function, axis):
    with pytest.raises(ValueError, match=rf"axis is {axis} but z has shape \(2, 3\)"):
        function(np.ones((2, 3)), axis=axis)


def test_keepdims():
    z = np.zeros((2, 3, 4))
    assert logsumexp(z, axis=1, keepdims=True).shape == (2, 1, 4)
    assert logsumexp(z, keepdims=True).shape == (2, 3, 1)


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW)
def test_out(function):
    z = np.random.default_rng(5).normal(size=(4, 5))
    expected = function(z)
    wide = np.zeros((4, 10))
    for out in (np.empty((4, 5)), np.empty((4, 5), order="F"), wide[:, ::2]):
        assert function(z, out=out) is out
        np.testing.assert_array_equal(out, expected)
    assert not wide[:, 1::2].any()


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW)
def test_out_in_place_and_overlapping(function):
    z = np.random.default_rng(6).normal(size=(4, 5))
    expected = function(z)
    same = z.copy()
    np.testing.assert_array_equal(function(same, out=same), expected)
    memory = np.zeros(25)
    memory[:20] = z.ravel()
    shifted = memory[5:].reshape(4, 5)
    np.testing.assert_array_equal(function(memory[:20].reshape(4, 5), out=shifted), expected)
    square = z[:, :4].copy()
    expected = function(square)
    np.testing.assert_array_equal(function(square, out=square.T), expected)


@pytest.mark.parametrize("function", BY_ROW)
def test_out_along_another_axis(function):
    z = np.random.default_rng(7).normal(size=(4, 5))
    out = np.empty((4, 5))
    assert function(z, axis=0, out=out) is out
    np.testing.assert_array_equal(out, function(z, axis=0))


def test_out_of_logsumexp():
    z = np.random.default_rng(8).normal(size=(4, 5))
    out = np.empty(4)
    assert logsumexp(z, out=out) is out
    np.testing.assert_array_equal(out, logsumexp(z))
    with pytest.raises(ValueError, match=r"out has shape \(4,\); pass one of shape \(4, 1\)"):
        logsumexp(z, keepdims=True, out=out)


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW)
def test_out_that_does_not_fit(function):
    z = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"out has shape \(3, 2\); pass one of shape \(2, 3\)"):
        function(z, out=np.empty((3, 2)))
    with pytest.raises(ValueError, match="out has dtype float32; pass one of float64"):
        function(z, out=np.empty((2, 3), np.float32))
    with pytest.raises(ValueError, match="out is read-only"):
        function(z, out=np.broadcast_to(0.0, (2, 3)))
    with pytest.raises(TypeError, match="out is a list"):
        function(z, out=[0.0])


@pytest.mark.parametrize("function", ELEMENTWISE + BY_ROW + [logsumexp])
def test_what_is_not_a_real_number(function):
    with pytest.raises(ValueError, match="Complex data not supported"):
        function([1j])
    with pytest.raises(ValueError, match="z has dtype <U1, not numbers"):
        function(["a"])


# --- one_hot ---------------------------------------------------------------------------------------------


def test_one_hot():
    np.testing.assert_array_equal(one_hot([1, 0, 2]), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert one_hot([0, 1], 4).shape == (2, 4)
    assert one_hot([0, 1], dtype=np.float32).dtype == np.float32


def test_one_hot_of_any_shape():
    np.testing.assert_array_equal(one_hot(2), [0, 0, 1])
    np.testing.assert_array_equal(one_hot([[0], [1]]), [[[1, 0]], [[0, 1]]])
    assert one_hot([]).shape == (0, 0)
    assert one_hot([], 3).shape == (0, 3)


def test_one_hot_of_whole_floats():
    np.testing.assert_array_equal(one_hot([0.0, 1.0]), [[1, 0], [0, 1]])


def test_one_hot_with_classes():
    np.testing.assert_array_equal(one_hot(["b", "a"], classes=["a", "b", "c"]), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(one_hot([-1, 1], classes=[-1, 1]), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    "labels, keywords, message",
    [
        ([0, -1], {}, "labels holds -1 at row 1, and class numbers are non-negative"),
        (
            [0, 3],
            {"n_classes": 3},
            r"labels holds 3 at row 1, and class numbers are in 0, ..., 2; raise n_classes",
        ),
        ([0.0, 1.5], {}, "labels holds 1.5 at row 1, which is not a whole number"),
        ([0.0, nan], {}, "labels holds nan at row 1, which is not a whole number"),
        (["a"], {}, "labels are not class numbers; pass classes="),
        (["a", "x"], {"classes": ["a", "b"]}, "labels holds 'x' at row 1, which is not in classes"),
        ([1], {"classes": [1, 2, 1]}, "classes holds 1 at positions 0 and 2"),
        ([1], {"classes": [1, 2], "n_classes": 3}, "n_classes is 3 but classes has 2 entries"),
        ([1], {"n_classes": 2.5}, "n_classes is 2.5; pass a whole number"),
    ],
)
def test_one_hot_rejects(labels, keywords, message):
    with pytest.raises(ValueError, match=message):
        one_hot(labels, **keywords)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_threads_share_large_arrays_and_change_no_bit(name, dtype, monkeypatch):
    z = np.random.default_rng(3).normal(size=(1237, 11)).astype(dtype) * 5
    z[1000] = -np.log(11)  # a logsumexp that cancels, in a part of its own
    function = getattr(ridgeline, name)
    want = function(z)
    monkeypatch.setattr(activations, "THREADED", 100)
    monkeypatch.setattr(activations, "PART", 777)
    for threads in ("1", "3"):
        monkeypatch.setenv("RIDGELINE_NUM_THREADS", threads)
        assert (function(z) == want).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_greatest_entry_may_be_anywhere(dtype):
    """By so much that any other in its place would overflow; rows of up to 128 go beside others, longer ones alone."""
    for c in [*range(1, 41), 128, 129, 140]:
        z = np.zeros((c, c), dtype)
        np.fill_diagonal(z, 1000)
        np.testing.assert_array_equal(logsumexp(z), np.full(c, 1000))
        np.testing.assert_array_equal(softmax(z), np.eye(c))
        np.testing.assert_array_equal(log_softmax(z), z - 1000)
