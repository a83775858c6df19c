"""Moments: hand-computed cases, guarded subtraction, the byte image, extreme scales, messages."""

import zlib

import numpy as np
import pytest

from ridgeline import Moments, source
from ridgeline.moments import moments_of
from ridgeline.ranges import RangesWithTargets
from ridgeline.sources import EMPTY, Slab
from ridgeline.sparse_rows import sparse_rows

PRECISIONS = ["double", "extended"]
each_precision = pytest.mark.parametrize("precision", PRECISIONS)


def rows(n=60, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 2, rng.normal(size=n), rng.uniform(0.1, 2, size=n)


def assert_same(a, b, rtol=1e-12):
    assert a.count == b.count
    np.testing.assert_allclose(a.weight, b.weight, rtol=rtol)
    np.testing.assert_allclose(a.mean, b.mean, rtol=rtol, atol=rtol)
    size = max(1, np.abs(b.scatter).max(initial=0))
    np.testing.assert_allclose(a.scatter, b.scatter, rtol=rtol, atol=rtol * size)


def scaled_scatter(moments):
    extended = moments.precision == "extended"
    return moments.scaled_scatter_extended()[0] if extended else moments.scaled_scatter()


def correlation(S):
    return S / np.sqrt(np.diag(S)) / np.sqrt(np.diag(S))[:, None]


def bits(moments):
    return moments.to_bytes()


@each_precision
def test_by_hand(precision):
    """Rows (1, 1) and (3, 5) with weights 1 and 3: mean (2.5, 4), scatter [[3, 6], [6, 12]]."""
    m = Moments.of([[1.0], [3.0]], [1.0, 5.0], [1.0, 3.0], precision=precision)
    assert (m.weight, m.count, m.n_features, m.n_targets) == (4.0, 2, 1, 1)
    assert m.mean.tolist() == [2.5, 4.0]
    assert m.scatter.tolist() == [[3.0, 6.0], [6.0, 12.0]]


@each_precision
def test_covariance_is_numpys(precision):
    X, y, s = rows()
    Y = np.column_stack([y, y**2])
    m = Moments.of(X, Y, s, precision=precision)
    covariance = np.cov(np.column_stack([X, Y]).T, aweights=s, bias=True)
    np.testing.assert_allclose(m.scatter / m.weight, covariance, rtol=1e-12)
    assert (m.scatter == m.scatter.T).all()


@each_precision
def test_nothing_is_the_empty_element(precision):
    X, y, s = rows()
    nothing = Moments.of(X[:0], y[:0], precision=precision)
    some = Moments.of(X, y, s, precision=precision)
    assert (nothing.weight, nothing.count) == (0.0, 0)
    assert not nothing.mean.any()
    assert not nothing.scatter.any()
    for total in (nothing + some, some + nothing, some - nothing):
        assert bits(total) == bits(some)
    assert bits(nothing + nothing) == bits(nothing)


@each_precision
def test_rows_may_be_added_to_rows(precision):
    X, y, s = rows()
    both = type(Moments.of(X, y, precision=precision))(3, 1)
    for part in (slice(0, 20), slice(20, 60)):
        both.add_rows(Slab(X[part], y[part], s[part], EMPTY))
    assert_same(both, Moments.of(X, y, s, precision=precision))


@each_precision
def test_stored_rows_without_weight_change_nothing(precision):
    sparse = pytest.importorskip("scipy.sparse")
    X, y, s = rows()
    s[:20] = 0
    stored = sparse_rows(sparse.csr_array(X), "X")
    found = type(Moments.of(X, y, precision=precision))(3, 1)
    for part in (slice(0, 20), slice(20, 60)):
        found.add_rows(Slab(stored[part], y[part], s[part], EMPTY))
    assert found.count == 40
    assert_same(found, Moments.of(X[20:], y[20:], s[20:], precision=precision))


@each_precision
def test_adding_changes_neither_summand(precision):
    X, y, _ = rows()
    a, b = (Moments.of(X[part], y[part], precision=precision) for part in (slice(20), slice(20, None)))
    before = bits(a), bits(b)
    a + b, (a + b) - b
    assert (bits(a), bits(b)) == before


@each_precision
def test_taking_away_is_the_inverse_of_adding(precision):
    X, y, s = rows()
    slices = slice(None), slice(25), slice(25, None)
    whole, part, rest = (Moments.of(X[p], y[p], s[p], precision=precision) for p in slices)
    assert_same(whole - part, rest, 1e-12)


@each_precision
def test_taking_everything_away_piece_by_piece_leaves_nothing(precision):
    X, y, s = rows(n=3)
    left = Moments.of(X, y, s, precision=precision)
    for i in range(3):
        left = left - Moments.of(X[i : i + 1], y[i : i + 1], s[i : i + 1], precision=precision)
    assert (left.weight, left.count) == (0.0, 0)
    assert not left.scatter.any()
    assert not left.mean.any()


@each_precision
@pytest.mark.parametrize("other", [
    [0.0, 1.0, 10.0],  # more rows
    [12.0],  # one that leaves a negative variance about the mean, though not about the pivot
    [3.0, 4.0],  # as many, but others
    [4.0, 6.0],  # as many, with the same mean
])  # fmt: skip
def test_rows_that_are_not_part_cannot_be_taken_away(precision, other):
    both = (np.array(x) for x in ([0.0, 10.0], other))
    whole, part = (Moments.of(x[:, None], x, precision=precision) for x in both)
    with pytest.raises(ValueError, match="are not"):
        whole - part


@each_precision
def test_one_column_that_cannot_be_is_enough(precision):
    """The others' variances are as they should be."""
    X = np.column_stack([np.arange(6.0), [0.0, 10.0, 0.0, 10.0, 0.0, 10.0]])
    other = X[:1] + [0.0, 18.0]
    whole, part = (Moments.of(x, np.zeros(len(x)), precision=precision) for x in (X, other))
    with pytest.raises(ValueError, match="leave column 1 with a negative variance"):
        whole - part


@each_precision
def test_a_weight_that_is_not_there_cannot_be_taken_away(precision):
    X, y, _ = rows(n=4)
    whole, part = (Moments.of(X, y, w, precision=precision) for w in (1.0, 2.0))
    with pytest.raises(ValueError, match="not among these"):
        whole - part


def test_a_rest_below_rounding_is_refused():
    X, y, _ = rows(n=2)
    whole, part = Moments.of(X, y, [1e20, 1.0]), Moments.of(X[:1], y[:1], [1e20])
    with pytest.raises(ValueError, match="afresh"):
        whole - part


def test_a_far_mean_does_not_look_like_a_negative_variance():
    x = 1e8 + np.random.default_rng(0).normal(size=(10, 1))
    whole = Moments.of(x, x[:, 0])
    for k in range(1, 10):
        rest = whole - Moments.of(x[:k], x[:k, 0])
        np.testing.assert_allclose(rest.scatter[0, 0], ((x[k:] - x[k:].mean()) ** 2).sum(), atol=1e-5)


def test_moments_of_different_shapes_or_kinds_do_not_add():
    X, y, _ = rows()
    with pytest.raises(ValueError, match="3 features"):
        Moments.of(X, y) + Moments.of(X[:, :2], y)
    with pytest.raises(TypeError, match="ExtendedMoments"):
        Moments.of(X, y) + Moments.of(X, y, precision="extended")


@each_precision
@pytest.mark.parametrize("n", [0, 1, 60])
def test_bytes_round_trip_bit_for_bit(precision, n):
    X, y, s = rows(n=60)
    for scale in (1.0, 1e170, 1e-170):
        m = Moments.of(X[:n] * scale, y[:n], s[:n] if n else None, precision=precision)
        back = Moments.from_bytes(m.to_bytes())
        assert type(back) is type(m)
        assert bits(back) == bits(m)
        assert (back.scatter == m.scatter).all()
        assert bits(back + m) == bits(m + m)


@each_precision
def test_damaged_bytes_are_a_value_error(precision):
    X, y, _ = rows(n=5, d=2)
    image = Moments.of(X, y, precision=precision).to_bytes()
    for length in range(len(image)):
        with pytest.raises(ValueError):
            Moments.from_bytes(image[:length])
    for i in range(len(image)):
        for flip in (1, 128):
            with pytest.raises(ValueError):
                Moments.from_bytes(image[:i] + bytes([image[i] ^ flip]) + image[i + 1 :])
    with pytest.raises(ValueError):
        Moments.from_bytes(image + b"\0")


def test_a_right_checksum_does_not_make_the_header_true():
    image = Moments.of([[1.0], [2.0]], [1.0, 2.0]).to_bytes()
    huge, two, nan = b"\xff" * 8, b"\x02" + bytes(7), b"\xff" * 8
    for start, wrong in ((8, b"other   "), (16, huge), (16, two), (32, nan), (40, nan)):
        body = image[:start] + wrong + image[start + len(wrong) : -4]
        with pytest.raises(ValueError, match="damaged"):
            Moments.from_bytes(body + zlib.crc32(body).to_bytes(4, "little"))
    with pytest.raises(ValueError, match="version"):
        Moments.from_bytes(b"RLMOM999" + image[8:])


@each_precision
@pytest.mark.parametrize("wrong", [0.0, -1.0, np.inf])
def test_scales_of_bytes_are_positive(precision, wrong):
    moments = Moments.of([[1.0], [2.0]], [1.0, 2.0], precision=precision)
    moments.scale[1] = wrong
    with pytest.raises(ValueError, match="a weight is negative, a scale is not positive, or a sum is not finite"):
        Moments.from_bytes(moments.to_bytes())


@each_precision
@pytest.mark.parametrize("columns", [1e-150, 1e-10, 1e150])
@pytest.mark.parametrize("weights", [1e-200, 1.0, 1e100])
def test_extreme_scales_keep_their_digits(precision, columns, weights):
    X, y, s = rows()
    tall = Moments.of(X * [columns, 1.0, 1 / columns], y, s * weights, precision=precision)
    plain = Moments.of(X, y, s, precision=precision)
    unit = np.array([columns, 1.0, 1 / columns, 1.0])
    np.testing.assert_allclose(tall.mean, plain.mean * unit, rtol=1e-12)
    a, b = scaled_scatter(tall), scaled_scatter(plain)
    got = np.sqrt(np.diag(a)) / np.sqrt(tall.weight) / tall.scale / unit
    want = np.sqrt(np.diag(b) / plain.weight)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_allclose(correlation(a), correlation(b), atol=1e-13)


@each_precision
def test_extreme_scales_merge(precision):
    X, y, _ = rows()
    unit = [1e-160, 1.0, 1e160]
    parts = [Moments.of(X[a : a + 20] * unit, y[a : a + 20], precision=precision) for a in (0, 20, 40)]
    whole = Moments.of(X * unit, y, precision=precision)
    total = parts[2] + parts[0] + parts[1]
    np.testing.assert_allclose(total.mean, whole.mean, rtol=1e-13)
    root = [np.sqrt(np.diag(scaled_scatter(m))) / m.scale for m in (total, whole)]
    np.testing.assert_allclose(*root, rtol=1e-12)
    np.testing.assert_allclose(*(correlation(scaled_scatter(m)) for m in (total, whole)), atol=1e-13)


@each_precision
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_rows_that_outweigh_those_before_them(precision, far):
    X, y, s = rows()
    X[5:] += far
    one, parts = Moments.of(X, y, s, precision=precision), Moments.of(X[:5], y[:5], s[:5], precision=precision)
    parts.add_rows(Slab(X[5:], y[5:], s[5:], EMPTY))
    assert_same(parts, one, rtol=1e-13)


@each_precision
def test_mean_1e8_variance_1(precision):
    """A mean in double is known to 1e-8 of that variance, so plain moments keep about ten digits of it."""
    x = 1e8 + np.random.default_rng(0).normal(size=5000)
    m = Moments.of(x[:, None], x, precision=precision)
    z = x - 1e8
    rtol = 1e-14 if precision == "extended" else 1e-10
    np.testing.assert_allclose(m.scatter[0, 0], ((z - z.mean()) ** 2).sum(), rtol=rtol)


@pytest.mark.parametrize("n", [1, 1023, 1024, 1025, 2600])
def test_ranges_of_columns_and_targets_are_those_of_all_rows(n):
    """They are put side by side a thousand rows at a time."""
    rng = np.random.default_rng(n)
    X, y, s = rng.normal(size=(n, 3)), rng.normal(size=n), rng.uniform(0.1, 2, size=n)
    X[n - 1], y[n // 2] = 9, -9
    ranges, both = RangesWithTargets(3, 1), np.column_stack([X, y])
    ranges.add_rows(Slab(X, y, s, EMPTY))
    assert (ranges.both.low == both.min(axis=0)).all() and (ranges.both.high == both.max(axis=0)).all()
    np.testing.assert_allclose(ranges.both.mean, np.average(both, axis=0, weights=s), atol=1e-13)
    assert ranges.both.rows == n


@each_precision
@pytest.mark.parametrize("bad, what", [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_first_entry_that_is_not_finite_is_named(precision, bad, what, weight):
    X, y, s = rows()
    X[7, 1], s[7] = bad, weight
    with pytest.raises(ValueError, match=f"X contains {what} at row 7, column 1"):
        Moments.of(X, y, s, precision=precision)
    y[3] = bad
    with pytest.raises(ValueError, match=f"y contains {what} at row 3"):
        Moments.of(np.ones_like(X), y, precision=precision)
    s[9] = bad
    with pytest.raises(ValueError, match=f"sample_weight contains {what} at row 9"):
        Moments.of(np.ones_like(X), np.ones_like(y), s, precision=precision)


@each_precision
def test_a_nan_is_found_wherever_its_weightless_rows_fall(precision):
    """In a segment of rows that all have no weight, before or after the others."""
    X, y, _ = rows(n=40)
    for where in (0, 1):
        bad = X.copy()
        bad[5 + 20 * where] = np.nan
        s = np.repeat([[0.0, 1.0], [1.0, 0.0]][where], 20)
        chunks = [(bad[a : a + 20], y[a : a + 20], s[a : a + 20]) for a in (0, 20)]
        with pytest.raises(ValueError, match=f"chunk {where} contains NaN at row 5"):
            moments_of(source(lambda chunks=chunks: chunks), precision)


@pytest.mark.parametrize("arguments, message", [
    (([[1.0], [2.0]], [1.0]), "inconsistent numbers of samples"),
    (([[1.0], [2.0]], [1.0, 2.0], [1.0]), "one weight per row"),
    (([[1.0], [2.0]], [1.0, 2.0], [1.0, -1.0]), "negative at row 1"),
    (([1.0, 2.0], [1.0, 2.0]), "2D array"),
    (([["a"], ["b"]], [1.0, 2.0]), "not numbers"),
    (([[10**400], [1]], [1.0, 2.0]), "too large"),
])  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Moments.of(*arguments)
