"""sigmoid, log_sigmoid and softplus of scalar.pxd: accuracy over the whole range, limits, signs."""

import numpy as np
import pytest

import ridgeline
from ridgeline.kernels import load
from tests import ulps

FORMATS = [np.float64, np.float32]
FUNCTIONS = ["sigmoid", "log_sigmoid", "softplus"]

# Measured 1.04 at most in float64; float32 is rounded from float64.
BOUND = {np.float64: 1.25, np.float32: 0.501}


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_within_two_ulps(name, dtype):
    z = ulps.scalar_points(20_000, dtype)
    worst, at = ulps.greatest_distance(getattr(ridgeline, name)(z), z, getattr(ulps, name), dtype)
    assert worst < BOUND[dtype], at


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_within_two_ulps_at_a_million_points(name, dtype):
    z = ulps.scalar_points(1_000_000, dtype, seed=1)
    worst, at = ulps.greatest_distance(getattr(ridgeline, name)(z), z, getattr(ulps, name), dtype)
    assert worst < BOUND[dtype], at


def reference(name, z):
    """The three functions in float64 by NumPy's exp and log1p, each within a few ulps of float64."""
    e = np.exp(-np.abs(z))
    if name == "sigmoid":
        return np.where(z >= 0, 1.0, e) / (1.0 + e)
    if name == "softplus":
        return np.maximum(z, 0) + np.log1p(e)
    return np.minimum(z, 0) - np.log1p(e)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_float32(name):
    function = getattr(ridgeline, name)
    block = 1 << 22
    worst = 0.0
    for first in range(0, 1 << 32, block):
        z = np.arange(first, first + block, dtype=np.int64).astype(np.uint32).view(np.float32)
        got = function(z)
        missing = np.isnan(z)
        assert np.array_equal(np.isnan(got), missing)
        finite = np.isfinite(z)
        z, got = z[finite], got[finite]
        if not z.size:
            continue
        with np.errstate(under="ignore", over="ignore"):
            exact = reference(name, z.astype(np.float64))
            spacing = np.spacing(np.minimum(np.abs(exact), np.finfo(np.float32).max).astype(np.float32))
            worst = max(worst, float(np.max(np.abs(got.astype(np.float64) - exact) / spacing)))
    assert worst < BOUND[np.float32]


@pytest.mark.parametrize("dtype", FORMATS)
def test_limits(dtype):
    z = np.array([-np.inf, np.inf, np.nan], dtype)
    np.testing.assert_array_equal(ridgeline.sigmoid(z), [0, 1, np.nan])
    np.testing.assert_array_equal(ridgeline.softplus(z), [0, np.inf, np.nan])
    np.testing.assert_array_equal(ridgeline.log_sigmoid(z), [-np.inf, 0, np.nan])


def test_zero():
    assert ridgeline.sigmoid(0.0) == ridgeline.sigmoid(-0.0) == 0.5
    assert ridgeline.softplus(0.0) == np.log(2.0)
    assert ridgeline.log_sigmoid(0.0) == -np.log(2.0)


def test_subnormal_results():
    # exp(-745) = 4.99e-324 rounds to the least subnormal, 4.94e-324; exp(-746) = 1.8e-324 to 0.
    assert ridgeline.sigmoid(-745.0) == 5e-324
    assert ridgeline.softplus(-745.0) == 5e-324
    assert ridgeline.log_sigmoid(745.0) == -5e-324
    assert ridgeline.sigmoid(-746.0) == 0.0
    assert ridgeline.softplus(-740.0) == np.exp(-740.0)


def test_log_sigmoid_where_the_sigmoid_underflows():
    assert ridgeline.log_sigmoid(-1e308) == -1e308


def test_softplus_does_not_overflow():
    assert ridgeline.softplus(np.finfo(np.float64).max) == np.finfo(np.float64).max
    assert ridgeline.softplus(np.finfo(np.float32).max) == np.finfo(np.float32).max


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 17])
def test_the_same_bits_wherever_a_number_stands(length):
    # A loop run in SIMD lanes treats its tail apart.
    z = np.linspace(-3, 3, 17)
    for name in FUNCTIONS:
        function = getattr(ridgeline, name)
        np.testing.assert_array_equal(function(z[:length]), [function(v) for v in z[:length]])


def test_sigmoid_increases():
    z = np.sort(ulps.scalar_points(20_000, np.float64, seed=2))
    # Neighbours may round to one value, and by an error below an ulp each, a little the other way.
    p = ridgeline.sigmoid(z)
    assert np.all(np.diff(p) >= -2 * np.spacing(p[:-1]))


# --- the logistic loss with its derivatives --------------------------------------------------------------


def logistic(y, z):
    """value, slope and curvature by the kernel."""
    z = np.asarray(z, np.float64)
    y = np.broadcast_to(np.asarray(y, np.float64), z.shape).copy()
    value, slope, curvature = (np.empty_like(z) for _ in range(3))
    load("activations").logistic(y, z, value, slope, curvature)
    return value, slope, curvature


# Measured 1.0, 2.2 and 4.2 at most: a fit needs no more of slope and curvature.
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_logistic_of_certain_targets(y):
    z = ulps.scalar_points(20_000, np.float64, seed=4)
    value, slope, curvature = logistic(y, z)
    sign = 1 - 2 * y  # by symmetry, y = 1 at z is y = 0 at -z
    worst, at = ulps.greatest_distance(value, sign * z, ulps.softplus, np.float64)
    assert worst < 1.25, at
    worst, at = ulps.greatest_distance(sign * slope, sign * z, ulps.sigmoid, np.float64)
    assert worst < 2.5, at
    worst, at = ulps.greatest_distance(curvature, z, lambda v: ulps.sigmoid(v) * ulps.sigmoid(-v), np.float64)
    assert worst < 5.0, at


def test_logistic_of_uncertain_targets():
    rng = np.random.default_rng(5)
    y, z = rng.uniform(size=1000), 10 * rng.normal(size=1000)
    value, slope, curvature = logistic(y, z)
    p, q = ridgeline.sigmoid(z), ridgeline.sigmoid(-z)
    expected = (1 - y) * ridgeline.softplus(z) + y * ridgeline.softplus(-z)
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    np.testing.assert_allclose(slope, p - y, rtol=0, atol=4e-16)
    np.testing.assert_allclose(curvature, p * q, rtol=1e-15)


def test_logistic_limits():
    inf, nan = np.inf, np.nan
    for y, expected in [(0.0, (0, 0, 0)), (1.0, (inf, -1, 0)), (0.5, (inf, -0.5, 0))]:
        np.testing.assert_array_equal(np.ravel(logistic(y, [-inf])), expected)
    for y, expected in [(0.0, (inf, 1, 0)), (1.0, (0, 0, 0)), (0.5, (inf, 0.5, 0))]:
        np.testing.assert_array_equal(np.ravel(logistic(y, [inf])), expected)
    assert np.isnan(logistic(0.0, [nan])).all()
    np.testing.assert_array_equal(np.ravel(logistic(0.0, [-745.0])), [5e-324] * 3)


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 100])
def test_logistic_at_any_length(n):
    z = np.linspace(-3, 3, 100)
    np.testing.assert_array_equal(np.array(logistic(1.0, z[:n])), np.array(logistic(1.0, z))[:, :n])
