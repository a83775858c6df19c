"""The monoid laws of moments on data that hypothesis draws: any split, any order, is the whole."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ridgeline import Moments
from ridgeline.doubledouble import add, neg

entry = st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-3 else 0.0)
TOLERANCE = {"double": 1e-12, "extended": 1e-28}


@st.composite
def split_rows(draw):
    """Rows, weights, and the parts they fall into, in an order."""
    n, d = draw(st.integers(2, 24)), draw(st.integers(1, 4))
    Z = draw(arrays(np.float64, (n, d + 1), elements=entry))
    shift = draw(st.sampled_from([0.0, 1e8]))
    weights = draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 0.3, 1.0, 7.0, 1e3])))
    weights[0] = 1.0
    owner = draw(arrays(np.int64, n, elements=st.integers(0, 3)))
    order = draw(st.permutations(range(4)))
    return Z + shift, weights, [np.flatnonzero(owner == k) for k in order]


def of(Z, s, precision):
    # a part whose rows have no weight is empty: `of` refuses weights that are all zero
    used = s > 0
    return Moments.of(Z[used, :-1], Z[used, -1], s[used] if used.any() else None, precision=precision)


def unscaled_mean(m):
    return tuple(part / m.scale for part in m.scaled_mean_extended())


def unscaled_scatter(m):
    return tuple(part / m.scale / m.scale[:, None] for part in m.scaled_scatter_extended())


def difference(a, b):
    """Differences of weight, mean and scatter, in units of their sizes."""
    if a.precision == "double":
        means, scatters = a.mean - b.mean, a.scatter - b.scatter
    else:
        means = add(unscaled_mean(a), neg(unscaled_mean(b)))[0]
        scatters = add(unscaled_scatter(a), neg(unscaled_scatter(b)))[0]
    # a double knows its mean to eps: what that moves belongs to the size of the scatter
    share = 1e-4 if a.precision == "double" else 1
    size = np.sqrt(np.diag(b.scatter)) + np.sqrt(b.weight) * np.abs(b.mean) * share
    size = np.maximum(size, 1.0)
    yield abs(a.weight - b.weight) / b.weight
    # rounding moves a mean by eps of the numbers it is the mean of, which may nearly cancel
    yield np.max(np.abs(means) / np.maximum(np.maximum(np.abs(b.mean), np.sqrt(np.diag(b.scatter) / b.weight)), 1.0))
    yield np.max(np.abs(scatters) / size / size[:, None])


@pytest.mark.parametrize("precision", TOLERANCE)
@given(data=split_rows())
def test_any_split_in_any_order_is_the_whole(precision, data):
    Z, s, parts = data
    whole = of(Z, s, precision)
    total = of(Z[:0], s[:0], precision)
    for part in parts:
        total = total + of(Z[part], s[part], precision)
    assert total.count == whole.count
    weight, mean, scatter = difference(total, whole)
    assert weight <= 1e-15 * 24
    assert mean <= TOLERANCE[precision]
    assert scatter <= TOLERANCE[precision] * 10


@pytest.mark.parametrize("precision", TOLERANCE)
@given(data=split_rows())
def test_adding_is_associative_and_commutative(precision, data):
    Z, s, parts = data
    a, b, c = (of(Z[p], s[p], precision) for p in (parts[0], parts[1], np.concatenate(parts[2:])))
    for left, right in (((a + b) + c, a + (b + c)), (a + b, b + a)):
        if right.count:
            assert max(list(difference(left, right))[1:]) <= TOLERANCE[precision] * 10


@pytest.mark.parametrize("precision", TOLERANCE)
@given(data=split_rows())
def test_a_part_can_be_taken_away_again(precision, data):
    Z, s, parts = data
    whole, part = of(Z, s, precision), of(Z[parts[0]], s[parts[0]], precision)
    rest = of(Z[np.concatenate(parts[1:])], s[np.concatenate(parts[1:])], precision)
    left = whole - part
    assert left.count == rest.count
    # what is left knows no more digits than the whole had
    size = np.abs(whole.scatter).max() + whole.weight * np.abs(whole.mean).max() * 1e-4 + 1
    assert np.abs(left.scatter - rest.scatter).max() <= 1e-9 * size


@pytest.mark.parametrize("precision", TOLERANCE)
@given(data=split_rows())
def test_bytes_come_back_bit_for_bit(precision, data):
    Z, s, _ = data
    moments = of(Z, s, precision)
    assert Moments.from_bytes(moments.to_bytes()).to_bytes() == moments.to_bytes()


@given(image=st.binary(max_size=200))
def test_other_bytes_are_a_value_error(image):
    with pytest.raises(ValueError):
        Moments.from_bytes(b"RLMOM001" + image)
