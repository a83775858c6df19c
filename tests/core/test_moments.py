"""The moment kernels beside slow twins: long double for the plain ones, fractions for the extended ones."""

from fractions import Fraction

import numpy as np
import pytest

from ridgeline.kernels import load
from ridgeline.workspace import padded

_moments = load("moments")
accumulate, accumulate_extended = _moments.accumulate, _moments.accumulate_extended
residual_extended, merge = _moments.residual_extended, _moments.merge
column_ranges = load("ranges").column_ranges

BLOCK = 8
ROWS = [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3]
TOLERANCE = {np.float64: 1e-14, np.float32: 2e-6}
NONE = np.empty(0)
DOUBLE = np.dtype(np.float64)


def rows(n, d, t, dtype=np.float64, seed=0, weights="some zeros"):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, d)) + 3).astype(dtype)
    y = rng.normal(size=(n, t)) - 2
    s = NONE if weights == "none" else rng.uniform(size=n) * (rng.uniform(size=n) > 0.3)
    return X, y, s


def twin(X, y, s):
    """Weight, mean and centred scatter as their definitions read."""
    Z = np.concatenate([X, y], axis=1).astype(np.longdouble)
    s = s.astype(np.longdouble) if s.size else np.ones(len(Z), np.longdouble)
    weight = s.sum()
    mean = s @ Z / weight if weight else np.zeros(Z.shape[1])
    return weight, mean, (Z - mean).T @ (s[:, None] * (Z - mean))


def run(X, y, s, scale=None, state=None, block=BLOCK):
    p = X.shape[1] + y.shape[1]
    wide, sums = padded(p + 1, X.dtype), padded(p + 1, DOUBLE)
    weight, mean, before = state or (0.0, np.zeros(p), np.zeros((p, p)))
    scatter = np.full((sums, sums), np.nan)
    scatter[:p, :p] = before
    weight = accumulate(
        X, y, s, np.ones(p) if scale is None else scale, weight, mean, scatter,
        np.full((block, wide), np.nan, X.dtype), np.full((3, max(wide, block)), np.nan),
        np.full((wide, wide), np.nan, X.dtype), np.full((sums, sums), np.nan),
    )  # fmt: skip
    return weight, mean, scatter[:p, :p]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("d", [0, 1, 3, 13])
@pytest.mark.parametrize("n", ROWS)
def test_accumulate_is_the_definition(n, d, dtype):
    for t in (1, 2):
        for weights in ("none", "some zeros"):
            X, y, s = rows(n, d, t, dtype, seed=n + d, weights=weights)
            got, want = run(X, y, s), twin(X, y, s)
            tol = TOLERANCE[dtype]
            assert got[0] == pytest.approx(float(want[0]), rel=tol)
            np.testing.assert_allclose(got[1], want[1].astype(float), rtol=tol, atol=tol)
            lower = np.tril(want[2]).astype(float)
            np.testing.assert_allclose(np.tril(got[2]), lower, rtol=tol, atol=tol * max(n, 1))


def test_accumulate_by_hand():
    """Two rows (1, 1) and (3, 5): mean (2, 3), scatter [[2, 4], [4, 8]]."""
    weight, mean, scatter = run(np.array([[1.0], [3.0]]), np.array([[1.0], [5.0]]), NONE)
    assert (weight, mean.tolist()) == (2.0, [2.0, 3.0])
    assert np.tril(scatter).tolist() == [[2.0, 0.0], [4.0, 8.0]]


def test_accumulate_continues_where_it_stood():
    X, y, s = rows(40, 3, 1)
    state = run(X[:17], y[:17], s[:17])
    np.testing.assert_allclose(
        np.tril(run(X[17:], y[17:], s[17:], state=state)[2]), np.tril(run(X, y, s)[2]), rtol=1e-13
    )


def onto(X, y, s, state):
    """Rows added onto the scatter of those before, which weigh no less."""
    p = X.shape[1] + y.shape[1]
    wide, sums = padded(p + 1, X.dtype), padded(p + 1, DOUBLE)
    weight, mean, before = state
    scatter = np.full((sums, sums), np.nan)
    scatter[:p, :p] = before
    partial = scatter if X.dtype == DOUBLE else np.full((wide, wide), np.nan, X.dtype)
    block, work = np.full((BLOCK, wide), np.nan, X.dtype), np.full((3, max(wide, BLOCK)), np.nan)
    mean = mean.copy()
    weight = accumulate(X, y, s, np.ones(p), weight, mean, scatter, block, work, partial, scatter)
    return weight, mean, scatter[:p, :p]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("weights", ["none", "some zeros"])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_rows_added_onto_the_scatter_before(dtype, weights, far):
    """Those that follow lie elsewhere, and nothing is lost beside the scatter of all."""
    X, y, s = rows(61, 3, 2, dtype, weights=weights)
    X[40:] += far
    first = run(X[:40], y[:40], s[:40])
    weight, mean, scatter = onto(X[40:], y[40:], s[40:], first)
    want = twin(X, y, s)
    np.testing.assert_allclose(mean, want[1].astype(float), rtol=TOLERANCE[dtype] * 10)
    assert weight == pytest.approx(float(want[0]), rel=1e-14)
    unit = np.sqrt(np.diag(want[2]).astype(float))
    got = np.tril(scatter / unit / unit[:, None])
    np.testing.assert_allclose(got, np.tril(want[2].astype(float) / unit / unit[:, None]), 0, TOLERANCE[dtype])


def test_a_nan_without_weight_shows_beside_the_rows_before():
    X, y, _ = rows(20, 2, 1, weights="none")
    state = run(X[:15], y[:15], np.ones(15))
    X[17, 1] = np.nan
    scatter = onto(X[15:], y[15:], np.array([1.0, 1.0, 0.0, 1.0, 1.0]), state)[2]
    assert np.isnan(scatter[1, 1])


def test_heavy_rows_need_sums_of_their_own():
    X, y, _ = rows(20, 2, 1, weights="none")
    state = run(X[:5], y[:5], NONE)
    with pytest.raises(ValueError, match="weigh more"):
        onto(X[5:], y[5:], NONE, state)


def test_accumulate_leaves_the_upper_triangle_alone():
    X, y, s = rows(20, 3, 1)
    _, _, scatter = run(X, y, s, state=(0.0, np.zeros(4), np.triu(np.full((4, 4), np.nan), 1)))
    assert np.isnan(scatter[np.triu_indices(4, 1)]).all()
    assert np.isfinite(scatter[np.tril_indices(4)]).all()


def test_scales_multiply_the_columns_exactly():
    X, y, s = rows(30, 3, 1)
    scale = np.array([2.0**-40, 1.0, 2.0**30, 4.0])
    plain, scaled = run(X, y, s), run(X, y, s, scale=scale)
    assert (scaled[1] == plain[1] * scale).all()
    assert (np.tril(scaled[2]) == np.tril(plain[2] * scale * scale[:, None])).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_far_mean_keeps_the_variance(dtype):
    """Raw second moments of a column with mean 1e8 and variance 1 lose every digit."""
    steps = np.arange(64) % 3 - 1.0
    offset = 1e8 if dtype is np.float64 else 2.0**20
    X = (offset + steps)[:, None].astype(dtype)
    _, _, scatter = run(X, np.zeros((64, 1)), NONE)
    assert scatter[0, 0] == pytest.approx(((steps - steps.mean()) ** 2).sum(), rel=1e-7)


@pytest.mark.parametrize("far", [slice(0, 64), slice(900, 964), slice(0, None, 15)])
@pytest.mark.parametrize("weight", [1.0, 1e-13, 1e-20])
def test_a_pivot_far_from_the_mean_costs_no_digits(far, weight):
    """Rows at 1e8 that hardly count, or do, first or later, or all that the pivot comes from; the others are at 0 with variance 1."""
    X, y, _ = rows(1000, 2, 1)
    s = np.ones(1000)
    X[far, 0] += 1e8
    s[far] = weight
    got, want = run(X, y, s, block=128)[2], twin(X, y, s)[2].astype(float)
    unit = np.sqrt(np.diag(want))
    np.testing.assert_allclose(np.tril(got / unit / unit[:, None]), np.tril(want / unit / unit[:, None]), 0, 1e-13)


def test_not_finite_entries_show_even_where_the_weight_is_zero():
    X, y, s = rows(10, 2, 1)
    for value in (np.nan, np.inf):
        for weight in (0.0, 1.0):
            bad, s[4] = X.copy(), weight
            bad[4, 1] = value
            assert not np.isfinite(run(bad, y, s)[1][1])
            assert np.isfinite(run(bad, y, s)[1][0])


def exact_twin(X, y, s, pivot):
    """W, v and S_c in fractions."""
    Z = np.concatenate([X, y], axis=1).tolist()
    Z = [[Fraction(z) - Fraction(c) for z, c in zip(row, pivot.tolist())] for row in Z]
    s = [Fraction(float(f)) for f in (s if s.size else np.ones(len(Z)))]
    p = range(len(pivot))
    v = [sum((f * z[j] for f, z in zip(s, Z)), Fraction(0)) for j in p]
    S = [[sum((f * z[j] * z[k] for f, z in zip(s, Z)), Fraction(0)) for k in p] for j in p]
    return sum(s, Fraction(0)), v, S


def extended(X, y, s, pivot):
    p = len(pivot)
    weight, sums, (hi, lo, tail) = np.zeros(2), np.zeros((2, p)), np.zeros((3, p, p))
    accumulate_extended(X, y, s, np.ones(p), pivot, weight, sums, hi, lo, tail, np.full((4, p), np.nan))
    return weight, sums, hi, lo + tail


def close(hi, lo, want, size):
    return abs(Fraction(float(hi)) + Fraction(float(lo)) - want) <= Fraction(1, 10**29) * max(size, 1)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n, d", [(0, 2), (1, 0), (1, 1), (2, 3), (50, 3)])
def test_extended_sums_have_thirty_digits(n, d, dtype):
    X, y, s = rows(n, d, 1, dtype, seed=n)
    X = X + dtype(1e4)
    pivot = np.full(d + 1, 1e4 + 1.1)
    weight, sums, hi, lo = extended(X, y, s, pivot)
    W, v, S = exact_twin(X, y, s, pivot)
    assert close(*weight, W, n)
    for j in range(d + 1):
        assert close(sums[0, j], sums[1, j], v[j], n * 1e4)
        for k in range(j + 1):
            assert close(hi[j, k], lo[j, k], S[j][k], n * 1e8)


def test_the_third_words_hold_what_the_second_cannot():
    """Of rows without weights about zero, whose products two words hold whole, nothing is lost but in the third."""
    X, y, _ = rows(40, 3, 1, weights="none")
    _, _, S = exact_twin(X, y, NONE, np.zeros(4))
    hi, lo, tail = np.zeros((3, 4, 4))
    accumulate_extended(X, y, NONE, np.ones(4), np.zeros(4), np.zeros(2), np.zeros((2, 4)), hi, lo, tail, np.empty((4, 4)))
    for j in range(4):
        for k in range(j + 1):
            assert abs(sum(Fraction(float(word[j, k])) for word in (hi, lo, tail)) - S[j][k]) <= Fraction(1, 10**40)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n, d", [(0, 2), (1, 1), (2, 3), (30, 4)])
def test_column_ranges(n, d, dtype):
    X, _, s = rows(n, d, 1, dtype, seed=5)
    mean, low, high = np.zeros(d), np.full(d, np.inf), np.full(d, -np.inf)
    wide = padded(d, np.dtype(float))
    weight = column_ranges(X, s, 0.0, mean, low, high, np.full((8, wide), np.nan), np.full((6, wide), np.nan))
    used = X[s > 0].astype(float)
    assert weight == pytest.approx(s.sum(), rel=1e-14)
    if len(used):
        np.testing.assert_allclose(mean, np.average(used, axis=0, weights=s[s > 0]), rtol=1e-13)
        assert (low == used.min(0)).all()
        assert (high == used.max(0)).all()
    else:
        assert (low == np.inf).all()


def test_column_ranges_form_no_squares_and_see_every_infinity():
    X = np.array([[1e300, 1.0], [-1e300, np.inf]])
    for s in (NONE, np.array([1.0, 0.0])):
        mean = np.zeros(2)
        with np.errstate(invalid="ignore"):
            column_ranges(X, s, 0.0, mean, np.zeros(2), np.zeros(2), np.empty((1, 8)), np.empty((6, 8)))
        assert np.isfinite(mean).tolist() == [True, False]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n, d, t", [(0, 1, 1), (1, 0, 1), (3, 2, 1), (20, 3, 2)])
def test_residual_gradient_in_thirty_digits(n, d, t, dtype):
    X, y, s = rows(n, d, t, dtype, seed=n)
    rng = np.random.default_rng(1)
    center, scale = X.astype(float).sum(0) + 0.1, 2.0 ** np.arange(d)
    theta, low = rng.normal(size=(t, d + 1)), rng.normal(size=(t, d + 1)) * 1e-18
    hi, lo = np.zeros((t, d + 1)), np.zeros((t, d + 1))
    residual_extended(X, y, s, center, scale, theta, low, hi, lo, np.empty((2, d + 1)))
    for k in range(t):
        want, size = [Fraction(0)] * (d + 1), Fraction(1)
        for i in range(n):
            z = [(Fraction(float(X[i, j])) - Fraction(center[j])) * Fraction(scale[j]) for j in range(d)]
            z.append(Fraction(1))
            beta = [Fraction(a) + Fraction(b) for a, b in zip(theta[k], low[k])]
            r = Fraction(y[i, k]) - sum(a * b for a, b in zip(z, beta))
            want = [g + Fraction(s[i]) * r * a for g, a in zip(want, z)]
            size += sum(abs(r * a) for a in z) + sum(abs(a * b) for a, b in zip(z, beta)) * max(map(abs, z))
        assert all(close(hi[k, j], lo[k, j], want[j], size) for j in range(d + 1))


def buffers():
    """Correct arguments of every kernel, by name, for 5 rows, 2 columns and 1 target."""
    X, y, s = rows(5, 2, 1)
    z = np.zeros
    return {
        accumulate: dict(
            X=X, y=y, s=s, scale=np.ones(3), weight=0.0, mean=z(3), scatter=z((8, 8)),
            block=z((1, 8)), rows=z((3, 8)), partial=z((8, 8)), sums=z((8, 8)),
        ),
        merge: dict(scatter=z((3, 3)), other=z((3, 3)), sign=1.0, ratio=np.ones(3), f=0.0, delta=z(3)),
        accumulate_extended: dict(
            X=X, y=y, s=s, scale=np.ones(3), pivot=z(3), weight=z(2), sums=z((2, 3)),
            hi=z((3, 3)), lo=z((3, 3)), tail=z((3, 3)), rows=z((4, 3)),
        ),
        column_ranges: dict(X=X, s=s, weight=0.0, mean=z(2), low=z(2), high=z(2), block=z((1, 8)), rows=z((6, 8))),
        residual_extended: dict(
            X=X, y=y, s=s, center=z(2), scale=z(2), coef_hi=z((1, 3)), coef_lo=z((1, 3)),
            gradient_hi=z((1, 3)), gradient_lo=z((1, 3)), row=z((2, 3)),
        ),
    }  # fmt: skip


CASES = [(kernel, name) for kernel, good in buffers().items() for name in good if np.ndim(good[name])]


@pytest.mark.parametrize("kernel, name", CASES, ids=lambda v: getattr(v, "__name__", v))
def test_a_short_buffer_is_refused_before_it_is_touched(kernel, name):
    kernel(**buffers()[kernel])
    shape = buffers()[kernel][name].shape
    for axis in range(len(shape)):
        arguments = buffers()[kernel]
        before = {k: np.copy(v) for k, v in arguments.items()}
        arguments[name] = np.ascontiguousarray(np.take(arguments[name], range(shape[axis] - 1), axis=axis))
        with pytest.raises(ValueError):
            kernel(**arguments)
        assert all(np.array_equal(v, before[k]) for k, v in arguments.items() if k != name)


def test_float32_rows_are_padded_to_sixteen():
    arguments = buffers()[accumulate]
    arguments.update(X=arguments["X"].astype(np.float32), block=np.zeros((2, 8), np.float32))
    with pytest.raises(ValueError, match="vectors"):
        accumulate(**{**arguments, "partial": np.zeros((8, 8), np.float32)})


@pytest.mark.parametrize("d", [1, 2, 6, 7, 14, 31])
@pytest.mark.parametrize("weights", ["none", "some zeros"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_single_target_is_packed_with_the_rows_or_after_them(d, weights, dtype):
    """C order packs narrow rows and their target together, Fortran order one after the other."""
    X, y, s = rows(45, d, 1, dtype, weights=weights)
    y[s == 0 if s.size else []] = np.nan  # what has no weight counts for nothing
    got, want = run(X, y, s, block=32), run(np.asfortranarray(X), y, s, block=32)
    assert got[0] == want[0]
    assert (got[1] == want[1]).all()
    assert (np.tril(got[2]) == np.tril(want[2])).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_scatter_without_weight_is_its_own_workspace(dtype):
    X, y, s = rows(700, 3, 1, dtype)
    wide, scatter = padded(5, X.dtype), np.zeros((8, 8))
    arguments = dict(X=X, y=y, s=s, scale=np.ones(4), block=np.empty((64, wide), dtype), rows=np.empty((3, 64)))
    partial = scatter if dtype is np.float64 else np.empty((wide, wide), dtype)
    accumulate(**arguments, weight=0.0, mean=np.zeros(4), scatter=scatter, partial=partial, sums=scatter)
    np.testing.assert_allclose(np.tril(scatter[:4, :4]), np.tril(run(X, y, s, block=64)[2]), rtol=1e-13)
    with pytest.raises(ValueError, match="sums apart"):
        accumulate(**arguments, weight=1.0, mean=np.zeros(4), scatter=scatter, partial=partial, sums=scatter)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_merge_is_its_formula(sign):
    rng = np.random.default_rng(0)
    mine, other, ratio, delta = rng.normal(size=(9, 9)), rng.normal(size=(9, 9)), 2.0 ** rng.integers(-3, 4, 5), rng.normal(size=5)
    got = mine.copy()
    merge(got, other, sign, ratio, 0.7, delta)
    want = mine[:5, :5] + sign * other[:5, :5] * ratio * ratio[:, None] + 0.7 * np.outer(delta, delta)
    np.testing.assert_allclose(np.tril(got[:5, :5]), np.tril(want), rtol=1e-14, atol=1e-15)
    assert (got[np.triu_indices(9, 1)] == mine[np.triu_indices(9, 1)]).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_any_order_of_the_entries_in_memory(dtype):
    X, y, s = rows(77, 11, 2, dtype)
    want = run(X, y, s, block=32)
    wide, tall = np.full((80, 30), np.nan, dtype), np.full((12, 100), np.nan, dtype)
    for other in (wide[:77, 7:18], wide[:77, :11], wide[::1][3:, 19:], tall[:11, :77].T, tall[1:, 23:].T):
        other[:] = X
        got = run(other, y, s, block=32)
        assert got[0] == want[0]
        assert (got[1] == want[1]).all()
        assert (got[2] == want[2]).all()


@pytest.mark.parametrize("view", [
    np.zeros((5, 2))[::-1], np.zeros((5, 4))[:, ::2], np.broadcast_to(np.zeros(2), (5, 2)), np.zeros((9, 4))[::2, ::2],
    np.zeros((10, 2), order="F")[::2], np.lib.stride_tricks.as_strided(np.zeros(20), (5, 2), (8, 24)),
])  # fmt: skip
def test_entries_that_lie_apart_are_refused(view):
    with pytest.raises(ValueError, match="adjacent"):
        accumulate(**{**buffers()[accumulate], "X": view})
