"""The kernels on rows of which only some entries are stored, beside the same kernels on the rows written out, and definitions."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
import scipy.sparse as sp

from ridgeline.expansion import Expansion
from ridgeline.kernels import load
from ridgeline.probes import Shift
from ridgeline.ranges import ColumnRanges
from ridgeline.sources import EMPTY, Slab
from ridgeline.sparse_rows import SparseRows, sparse_rows
from tests.core.test_expansion import assert_close, each_loss, expand, problem, twin
from tests.core.test_moments import run
from tests.core.test_moments import twin as moments_twin

stored = load("stored_rows")
_moments = load("moments")

INDICES = [np.int32, np.int64]
DTYPES = [np.float64, np.float32]
SHARES = {"few": 0.04, "some": 0.3, "all": 1.0}


def thin(X, share, seed=1):
    """X with most of its entries zero; a row and a column of nothing among them where there are several."""
    X = X * (np.random.default_rng(seed).uniform(size=X.shape) < share)
    if min(X.shape, default=0) > 2 and share < 1:
        X[1], X[:, 1] = 0, 0
    return X


def rows_of(X, index=np.int32):
    rows = sparse_rows(sp.csr_array(X), "X")
    return SparseRows(rows.begin, rows.end, rows.columns.astype(index), rows.data, rows.shape)


def both(row, n, d, share, index=np.int32, **kinds):
    slab, coordinates, theta = problem(row, n, d, **kinds)
    dense = replace(slab, X=thin(slab.X, share).astype(slab.X.dtype))
    return dense, replace(dense, X=rows_of(dense.X, index)), coordinates, theta


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", INDICES)
@each_loss
def test_an_expansion_is_that_of_the_rows_written_out(row, index, dtype, share):
    for n, d in ((0, 3), (1, 1), (23, 0), (40, 60), (150, 5)):
        for intercept in (True, False):
            dense, sparse, coordinates, theta = both(row, n, d, SHARES[share], index, dtype=dtype, intercept=intercept)
            for order in (0, 1, 2):
                want, got = expand(row, dense, coordinates, theta, order), expand(row, sparse, coordinates, theta, order)
                assert_close(got.value, want.value, 1e-13)
                assert_close(got.gradient, want.gradient, 1e-12 if order else 0)
                if order == 2:
                    assert_close(got.hessian, want.hessian, 1e-11)


@each_loss
def test_near_centres_and_few_entries_multiply_pairs(row):
    """What a fit's coordinates are: no centre is far off, and the Gram is formed of stored pairs."""
    dense, sparse, coordinates, theta = both(row, 90, 50, 0.04)
    coordinates = replace(coordinates, center=coordinates.center / 4)
    got = expand(row, sparse, coordinates, theta)
    if not row.shared:
        _, value, gradient, hessian = twin(row, dense, coordinates, theta)
        assert_close(got.value, value, 1e-12)
        assert_close(got.gradient, gradient, 1e-12)
        assert_close(got.hessian, hessian, 1e-12)
    else:
        assert_close(got.hessian, expand(row, dense, coordinates, theta).hessian, 1e-12)


@each_loss
def test_a_full_column_far_from_zero_keeps_its_digits(row):
    dense, sparse, coordinates, theta = both(row, 60, 6, 0.3)
    X = dense.X.copy()
    X[:, 3] = 1e8 + np.round(X[:, 3] * 64) / 64
    dense, sparse = replace(dense, X=X), replace(sparse, X=rows_of(X))
    center = coordinates.center.copy()
    center[3] = 1e8
    coordinates = replace(coordinates, center=center)
    for order in (1, 2):
        want, got = (expand(row, slab, coordinates, theta, order) for slab in (dense, sparse))
        assert_close(got.value, want.value, 1e-13)
        assert_close(got.gradient, want.gradient, 1e-12)
        assert_close(got.hessian, want.hessian, 1e-11)


@each_loss
def test_parts_add_up(row):
    _, sparse, coordinates, theta = both(row, 64, 30, 0.1)
    whole = expand(row, sparse, coordinates, theta)
    total = Expansion(row.loss, coordinates, theta, 2)
    for rows in (slice(0, 5), slice(5, 5), slice(5, 64)):
        vectors = (v[rows] if v.size else v for v in (sparse.weight, sparse.offset))
        total.merge(expand(row, Slab(sparse.X[rows], sparse.y[rows], *vectors), coordinates, theta))
    assert_close(total.hessian, whole.hessian, 1e-13)
    assert_close(total.gradient, whole.gradient, 1e-13)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_are_the_definition(dtype, share):
    for n, d, t in ((0, 3, 1), (1, 1, 1), (7, 40, 2), (130, 25, 1), (90, 0, 2)):
        for weighted in (True, False):
            rng = np.random.default_rng(n + d)
            X = thin(rng.normal(size=(n, d)) + 1, SHARES[share]).astype(dtype)
            s = rng.uniform(size=n) * (rng.uniform(size=n) > 0.3) if weighted else EMPTY
            y = rng.normal(size=(n, t)) + 5
            got = run(rows_of(X), y, s)
            want = [np.asarray(a, float) for a in moments_twin(X, y, s)]
            tol = 1e-13 if dtype == np.float64 else 3e-6
            lower = np.tril_indices(d + t)
            assert_close(got[0], want[0], tol)
            assert_close(got[1], want[1], tol)
            assert_close(got[2][lower], want[2][lower], tol)
            again = run(rows_of(X), y, s, state=(got[0], got[1].copy(), got[2].copy()))
            assert_close(again[2][lower], 2 * want[2][lower], tol)


def test_moments_of_a_full_column_far_from_zero():
    rng = np.random.default_rng(0)
    X = thin(rng.normal(size=(200, 30)), 0.05)
    X[:, 4] = 1e8 + rng.normal(size=200)
    y = rng.normal(size=(200, 1))
    got, want = run(rows_of(X), y, EMPTY), moments_twin(X, y, EMPTY)
    assert got[2][4, 4] == pytest.approx(float(want[2][4, 4]), rel=1e-13)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_shows_even_without_weight(value):
    X, s = np.array([[0.0, 1.0], [value, 0.0], [2.0, 0.0]]), np.array([1.0, 0.0, 1.0])
    ranges = ColumnRanges(2)
    ranges.add_rows(Slab(rows_of(X), np.zeros(3), s, EMPTY))
    assert not ranges.finite()
    with np.errstate(invalid="ignore"):
        assert np.isnan(run(rows_of(X), np.zeros((3, 1)), s)[1][0])


@pytest.mark.parametrize("weighted", [True, False])
def test_ranges_know_the_zeros(weighted):
    X = np.array([[0.0, 3.0, -1.0, 0.0], [2.0, 4.0, -2.0, 0.0], [9.0, 0.0, 5.0, 0.0]])
    s = np.array([1.0, 3.0, 0.0]) if weighted else EMPTY
    ranges = ColumnRanges(4)
    ranges.add_rows(Slab(rows_of(X), np.zeros(3), s, EMPTY))
    seen, by = (X[:2], s[:2]) if weighted else (X, np.ones(3))
    np.testing.assert_array_equal(ranges.low, seen.min(0))
    np.testing.assert_array_equal(ranges.high, seen.max(0))
    np.testing.assert_allclose(ranges.mean, by @ seen / by.sum(), rtol=1e-15)


@pytest.mark.parametrize("c", [1, 3])
def test_the_largest_movement(c):
    rng = np.random.default_rng(3)
    X = thin(rng.normal(size=(50, 20)), 0.2)
    coordinates, step = both_coordinates(rng, 20), rng.normal(size=(c, 21))
    shifts = [Shift(coordinates, step) for _ in range(2)]
    for shift, rows in zip(shifts, (X, rows_of(X))):
        shift.add_rows(Slab(rows, np.zeros(50), EMPTY, EMPTY))
    assert shifts[1].largest == pytest.approx(shifts[0].largest, rel=1e-13)


def both_coordinates(rng, d):
    from ridgeline.expansion import Coordinates

    return Coordinates(rng.normal(size=d), 2.0 ** rng.integers(-1, 2, d), True)


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_products_are_those_of_arrays(dtype, index):
    rng = np.random.default_rng(4)
    X = thin(rng.normal(size=(31, 12)), 0.3).astype(dtype)
    rows, shift, scale = rows_of(X, index), rng.normal(size=12) * 3, 2.0 ** rng.integers(-1, 2, 12)
    Z = X.astype(float) * scale - shift
    theta, r = rng.normal(size=(3, 12)), rng.normal(size=(2, 31))
    assert_close(rows.predict(theta), X.astype(float) @ theta.T, 1e-14)
    assert_close(rows.predict(theta, shift, scale), Z @ theta.T, 1e-14)
    assert_close(rows.combine(r, shift, scale), r @ Z, 1e-14)


def test_the_extended_residual_is_exact():
    rng = np.random.default_rng(5)
    n, d, t = 14, 6, 2
    X, y, s = thin(rng.normal(size=(n, d)), 0.4), rng.normal(size=(n, t)), rng.uniform(size=n)
    center, scale = rng.normal(size=d), 2.0 ** rng.integers(-1, 2, d)
    hi = rng.normal(size=(t, d + 1))
    lo = hi * 1e-17 * rng.normal(size=hi.shape)
    g = np.zeros((t, d + 1)), np.zeros((t, d + 1))
    stored.residual_extended(rows_of(X), y, s, center, scale, hi, lo, *g, np.empty((2, d + 1)))
    for k in range(t):
        beta = [Fraction(a) + Fraction(b) for a, b in zip(hi[k], lo[k])]
        want = [Fraction(0)] * (d + 1)
        for i in range(n):
            z = [(Fraction(x) - Fraction(m)) * Fraction(by) for x, m, by in zip(X[i], center, scale)] + [Fraction(1)]
            r = Fraction(s[i]) * (Fraction(y[i, k]) - sum(a * b for a, b in zip(z, beta)))
            want = [total + r * a for total, a in zip(want, z)]
        for j in range(d + 1):
            assert abs(Fraction(g[0][k, j]) + Fraction(g[1][k, j]) - want[j]) <= abs(want[j]) * Fraction(1e-28) + Fraction(1e-29)


def test_extended_sums_are_exact():
    rng = np.random.default_rng(6)
    n, d, t = 9, 5, 1
    X, y, s = thin(rng.normal(size=(n, d)), 0.5), rng.normal(size=(n, t)), rng.uniform(size=n) * (np.arange(n) != 4)
    p = d + t
    weight, sums, hi, lo, tail = np.zeros(2), np.zeros((2, p)), np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    scale = 2.0 ** rng.integers(-1, 2, p)
    stored.accumulate_extended(rows_of(X), y, s, scale, weight, sums, hi, lo, tail, np.empty((3, p)), np.empty(p, np.int64))
    Z = [[Fraction(a) * Fraction(b) for a, b in zip((*x, *z), scale)] for x, z in zip(X, y)]
    for j in range(p):
        for k in range(j + 1):
            want = sum(Fraction(f) * z[j] * z[k] for f, z in zip(s, Z))
            got = Fraction(hi[j, k]) + Fraction(lo[j, k]) + Fraction(tail[j, k])
            assert abs(got - want) <= Fraction(1e-29)
        assert abs(Fraction(sums[0, j]) + Fraction(sums[1, j]) - sum(Fraction(f) * z[j] for f, z in zip(s, Z))) <= Fraction(1e-29)


def test_extended_sums_keep_the_parts_that_two_doubles_leave():
    """The second part of the weight, and the third of a sum of products, whose terms cancel to what the first two do not hold."""
    n, p = 40, 2
    rng = np.random.default_rng(9)
    X = rng.normal(size=(n, 1)) * 2.0 ** rng.integers(-60, 60, (n, 1))
    y, s = rng.normal(size=(n, 1)) * 2.0 ** rng.integers(-60, 60, (n, 1)), rng.uniform(size=n) * 2.0 ** rng.integers(-50, 1, n)
    X, y, s = np.tile(X, (2, 1)), np.concatenate([y, -y * (1 + 2.0**-50)]), np.tile(s, 2)
    weight, sums, hi, lo, tail = np.zeros(2), np.zeros((2, p)), np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    work = np.empty((3, p)), np.empty(p, np.int64)
    stored.accumulate_extended(rows_of(X), y, s, np.ones(p), weight, sums, hi, lo, tail, *work)
    total = sum(map(Fraction, s))
    assert weight[1] and abs(Fraction(weight[0]) + Fraction(weight[1]) - total) <= total * Fraction(2) ** -100
    terms = [Fraction(f) * Fraction(a) * Fraction(b) for f, a, b in zip(s, X[:, 0], y[:, 0])]
    got = Fraction(hi[1, 0]) + Fraction(lo[1, 0]) + Fraction(tail[1, 0])
    assert abs(got - sum(terms)) <= max(map(abs, terms)) * Fraction(2) ** -107


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_squares_of_centred_columns(intercept, weighted):
    rng = np.random.default_rng(8)
    X, s = thin(rng.normal(size=(30, 5)), 0.4), rng.uniform(size=30)
    center, scale = rng.normal(size=5), 2.0 ** rng.integers(-1, 2, 5)
    Z = np.column_stack([X * scale - center, np.ones((30, int(intercept)))])
    out = np.full(5 + intercept, 2.0)
    stored.squares(rows_of(X), center, scale, s if weighted else np.empty(0), out)
    np.testing.assert_allclose(out, 2 + (s if weighted else np.ones(30)) @ Z**2, rtol=1e-13)


def test_disorder_is_found():
    def look(begin, end, columns, d=3):
        return stored.disorder(*(np.array(a, np.int64) for a in (begin, end, columns)), d)

    assert look([0, 2], [2, 3], [0, 2, 1])[0] == stored.SOUND
    assert look([0, 2], [2, 3], [2, 0, 1])[0] == stored.UNSORTED
    assert look([0, 2], [2, 3], [1, 1, 1])[0] == stored.UNSORTED
    assert look([0, 2], [2, 3], [0, 1, 3]) == (stored.OUTSIDE, 1, 2)
    assert look([0], [1], [-1]) == (stored.OUTSIDE, 0, 0)
    for begin, end in (([1], [0]), ([-1], [1]), ([0], [9])):
        with pytest.raises(ValueError, match="row 0 has entries"):
            look(begin, end, [0, 1])


def test_rows_of_every_order_of_columns():
    """One row of each sequence of up to four columns of three, alone and beside others."""
    for length in range(5):
        for columns in product(range(3), repeat=length):
            ascending = all(a < b for a, b in pairwise(columns))
            for before, after in (([], []), ([2], [0]), ([0], [2])):
                first, last = len(before), len(before) + length
                begin, end = [0, first, last], [first, last, last + len(after)]
                found = stored.disorder(*(np.array(a, np.int64) for a in (begin, end, before + list(columns) + after)), 3)
                assert found[0] == (stored.SOUND if ascending else stored.UNSORTED)


def test_rows_are_taken_without_a_copy_of_entries():
    X = thin(np.random.default_rng(7).normal(size=(20, 6)), 0.4)
    rows = rows_of(X)
    for some in (slice(3, 11), slice(None, None, 3), np.array([5, 2, 2]), np.arange(20) % 2 == 0):
        part = rows[some]
        assert part.data is rows.data
        np.testing.assert_array_equal(part.toarray(), X[some])
    assert rows[:0].toarray().shape == (0, 6)
    assert rows.stored == np.count_nonzero(X)
