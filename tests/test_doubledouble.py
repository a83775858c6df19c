"""Double-double arithmetic on arrays, beside fractions."""

import operator
from fractions import Fraction

import numpy as np
import pytest

from ridgeline import doubledouble as dd

U = Fraction(1, 2**53)


def numbers(count, seed=0):
    """Double-doubles over sixty binary orders of magnitude, with cancelling neighbours."""
    rng = np.random.default_rng(seed)
    hi = rng.normal(size=count) * 2.0 ** rng.integers(-30, 30, count)
    lo = hi * rng.uniform(-0.5, 0.5, count) * 2.0**-53
    return dd.fast_two_sum(hi, lo)


def value(a, i):
    return Fraction(float(a[0][i])) + Fraction(float(a[1][i]))


@pytest.mark.parametrize("name, exact", [("two_sum", operator.add), ("two_prod", operator.mul)])
def test_error_free_transformations_are_exact(name, exact):
    a, b = numbers(200, 1)[0], numbers(200, 2)[0]
    result = getattr(dd, name)(a, b)
    assert (result[0] == exact(a, b)).all()
    assert all(value(result, i) == exact(Fraction(a[i]), Fraction(b[i])) for i in range(200))


@pytest.mark.parametrize("name, exact, units", [
    # Joldes, Muller and Popescu 2017: AccurateDWPlusDW below 3 u^2, DWTimesDW below 7 u^2
    ("add", operator.add, 3),
    ("mul", operator.mul, 7),
    ("div", operator.truediv, 16),
])  # fmt: skip
def test_operations_keep_their_published_bounds(name, exact, units):
    a, b = numbers(300, 3), numbers(300, 4)
    b[0][:50], b[1][:50] = -a[0][:50], a[1][:50]  # cancellation down to the low parts
    result = getattr(dd, name)(a, b)
    for i in range(300):
        want = exact(value(a, i), value(b, i))
        assert abs(value(result, i) - want) <= (units * U**2 + 50 * U**3) * abs(want)
        assert result[0][i] == result[0][i] + result[1][i]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 37])
def test_total_and_dot(count):
    a, b = numbers(count, 5), numbers(count, 6)
    want = sum((value(a, i) for i in range(count)), Fraction(0))
    size = sum((abs(value(a, i)) for i in range(count)), Fraction(1))
    got = dd.total(a)
    assert abs(Fraction(float(got[0])) + Fraction(float(got[1])) - want) <= 30 * U**2 * size
    want = sum((value(a, i) * value(b, i) for i in range(count)), Fraction(0))
    size = sum((abs(value(a, i) * value(b, i)) for i in range(count)), Fraction(1))
    got = dd.dot(a, b)
    assert abs(Fraction(float(got[0])) + Fraction(float(got[1])) - want) <= 50 * U**2 * size


def test_total_along_an_axis_and_negation():
    a = np.arange(6.0).reshape(2, 3), np.zeros((2, 3))
    assert dd.total(a, axis=0)[0].tolist() == [3.0, 5.0, 7.0]
    assert dd.total(dd.neg(a))[0].tolist() == [-3.0, -12.0]
