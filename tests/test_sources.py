"""Sources: every layout of the same numbers gives the same moments without a copy of X; bad chunks are named."""

import tracemalloc

import numpy as np
import pytest

from ridgeline import Moments, Ridge, source
from ridgeline.moments import moments_of
from ridgeline.sources import ArraySource, fold, segment_rows
from ridgeline.views import LargestTarget, SelectedColumns


def rows(n=300, d=4, seed=0):
    """Whole numbers below 2^10: exact in every dtype here."""
    rng = np.random.default_rng(seed)
    return rng.integers(-500, 500, size=(n, d)).astype(float), rng.normal(size=n), rng.uniform(size=n)


def memory_map(X, path):
    np.save(path / "X.npy", X)
    return np.load(path / "X.npy", mmap_mode="r")


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def unaligned(X):
    buffer = np.zeros(X.nbytes + 1, np.uint8)
    out = buffer[1:].view(X.dtype).reshape(X.shape)
    out[:] = X
    assert not out.flags.aligned
    return out


LAYOUTS = {
    "C": lambda X, path: X.copy(),
    "Fortran": lambda X, path: np.asfortranarray(X),
    "transposed": lambda X, path: X.T.copy().T,
    "rows reversed": lambda X, path: X[::-1].copy()[::-1],
    "columns reversed": lambda X, path: X[:, ::-1].copy()[:, ::-1],
    "every other row": lambda X, path: np.repeat(X, 2, axis=0)[::2],
    "every other column": lambda X, path: np.repeat(X, 2, axis=1)[:, ::2],
    "int64": lambda X, path: X.astype(np.int64),
    "int16": lambda X, path: X.astype(np.int16),
    "big-endian int32": lambda X, path: X.astype(">i4"),
    "byte-swapped float64": lambda X, path: X.astype(X.dtype.newbyteorder()),
    "long double": lambda X, path: X.astype(np.longdouble),
    "objects": lambda X, path: X.astype(object),
    "lists": lambda X, path: X.tolist(),
    "read-only": lambda X, path: read_only(X),
    "memory map": memory_map,
    "memory map, Fortran": lambda X, path: memory_map(np.asfortranarray(X), path),
    "unaligned": lambda X, path: unaligned(X),
    "matrix without masked cells": lambda X, path: np.ma.MaskedArray(X),
}
SINGLE = {
    "float16": lambda X, path: X.astype(np.float16),
    "byte-swapped float32": lambda X, path: X.astype(np.dtype(np.float32).newbyteorder()),
    "Fortran float32": lambda X, path: np.asfortranarray(X, dtype=np.float32),
}


def assert_close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12 * np.abs(want).max())


def assert_same_moments(X, clean, tmp_path, layout):
    _, y, s = rows()
    given = layout(X, tmp_path)
    before = np.array(given, copy=True)
    got, want = Moments.of(given, y, s), Moments.of(clean, y, s)
    assert (np.array(given) == before).all()
    np.testing.assert_allclose(got.mean, want.mean, rtol=1e-13)
    assert_close(got.scatter, want.scatter)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_doubles_gives_the_same_moments(layout, tmp_path):
    X = rows()[0]
    assert_same_moments(X, X, tmp_path, LAYOUTS[layout])


@pytest.mark.parametrize("layout", SINGLE)
def test_short_floats_are_read_as_float32(layout, tmp_path):
    X = rows()[0]
    assert ArraySource(SINGLE[layout](X, tmp_path), np.zeros(len(X))).dtype == np.float32
    assert_same_moments(X, X.astype(np.float32), tmp_path, SINGLE[layout])


def test_booleans_are_numbers():
    X = rows()[0] > 0
    assert Moments.of(X, X[:, 0]).to_bytes() == Moments.of(X.astype(float), X[:, 0].astype(float)).to_bytes()


BIG = ["C", "Fortran", "every other row", "int16", "byte-swapped float64", "memory map"]


@pytest.mark.parametrize("layout", BIG)
def test_x_is_never_copied_as_a_whole(layout, tmp_path):
    """50 MB of X; a fit takes slabs of 1 MB and a block or two."""
    X = rows(n=130_000, d=50)[0]
    given, y = LAYOUTS[layout](X, tmp_path), np.zeros(len(X))
    whole = ArraySource(given, y)
    tracemalloc.start()
    try:
        moments_of(whole)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6e6


def test_targets_and_weights_may_be_strided():
    X, y, s = rows()
    wide = np.column_stack([y, s, y])
    got = Moments.of(X, wide[:, ::2], wide[:, 1])
    assert got.to_bytes() == Moments.of(X, np.column_stack([y, y]), s).to_bytes()


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 3 * 1024 + 1])
def test_segments_cover_the_rows_once_in_order(n):
    X = np.arange(n * 2000.0).reshape(n, 2000)
    for given in (X, np.asfortranarray(X)):
        parts = [slab for segment in ArraySource(given, np.arange(n), np.ones(n)).segments() for slab in segment]
        assert np.array_equal(np.concatenate([np.empty((0, 2000))] + [p.X for p in parts]), X)
        assert sum(len(p.y) for p in parts) == sum(len(p.weight) for p in parts) == n
        assert all(np.shares_memory(p.X, given) for p in parts if p.X.size)


def test_segments_depend_on_the_shape_alone_and_are_of_equal_length():
    assert segment_rows(1, 4) == segment_rows(0, 4) == 64
    assert segment_rows(1 << 17, 4) == 1 << 17
    assert segment_rows((1 << 17) + 1, 4) == (1 << 16) + 64
    assert segment_rows(10_000, 8192) == 2048
    assert segment_rows(10_000, 10**6) == 128
    assert all(segment_rows(10**5, d) % 64 == 0 for d in (0, 1, 3, 50, 1000))


def test_a_fold_has_the_same_bits_every_time():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(70_000, 40)), rng.normal(size=70_000)
    images = {Moments.of(x, y).to_bytes() for x in (X, X, X.copy())}
    assert len(images) == 1


def test_a_view_of_some_columns_has_the_targets_of_all_rows():
    X, y, _ = rows()
    some = SelectedColumns(ArraySource(X, y), np.array([1, 3]))
    assert fold(some.targets_only(), LargestTarget).value == np.abs(y).max()


def test_a_fold_merges_in_order_and_counts_its_reads():
    class Rows:
        def __init__(self):
            self.seen = []

        def add_rows(self, slab):
            self.seen += slab.y.tolist()

        def merge(self, other):
            self.seen += other.seen

    chunks = [(np.ones((3, 2)), np.arange(3.0) + 10 * k) for k in range(4)]
    y = np.concatenate([chunk[1] for chunk in chunks])
    for given in (source(lambda: chunks), source(np.ones((12, 2)), y)):
        assert fold(given, Rows).seen == [10 * k + i for k in range(4) for i in range(3)]
        fold(given, Rows)
        assert given.reads == 2


def chunked(X, y, s, step=70):
    return [(X[a : a + step], y[a : a + step], s[a : a + step]) for a in range(0, len(X), step)]


def test_chunks_are_their_rows_and_can_be_read_again():
    X, y, s = rows()
    want = Moments.of(X, y, s)
    given = source(lambda: iter(chunked(X, y, s)))
    for _ in range(2):
        got = moments_of(given)
        assert got.count == want.count
        assert_close(got.scatter, want.scatter)


def test_chunks_may_differ_in_layout_and_have_no_rows():
    X, y, s = rows()
    parts = chunked(X, y, s)
    parts[1] = (np.asfortranarray(parts[1][0]), parts[1][1][:, None], parts[1][2].tolist())
    parts[2] = (parts[2][0].astype(np.int16).tolist(), *parts[2][1:])
    parts.insert(1, (X[:0], y[:0], s[:0]))
    got = moments_of(source(lambda: parts))
    want = Moments.of(X, y, s)
    assert_close(got.scatter, want.scatter)
    assert moments_of(source(lambda: [(X, y, None)])).weight == len(X)


def test_a_chunk_of_doubles_after_one_of_singles_keeps_its_digits():
    parts = [(np.zeros((2, 1), np.float32), np.zeros(2)), (np.full((2, 1), 1 / 3), np.zeros(2))]
    assert moments_of(source(lambda: parts)).mean[0] == 1 / 6


def good():
    return np.ones((3, 2)), np.ones(3), np.ones(3)


def spoiled(index, value):
    chunk = list(good())
    chunk[index] = value
    return tuple(chunk)


def with_nan(shape, where, value=np.nan):
    array = np.ones(shape)
    array[where] = value
    return array


@pytest.mark.parametrize("bad, message", [
    (spoiled(0, np.ones((3, 3))), "X in chunk 1 has shape .3, 3., but chunk 0 had 2 columns"),
    (spoiled(0, np.ones(3)), "X in chunk 1 must have two dimensions"),
    (spoiled(0, with_nan((3, 2), (2, 1))), "X in chunk 1 contains NaN at row 2, column 1"),
    (spoiled(0, with_nan((3, 2), (0, 1), np.inf)), "X in chunk 1 contains infinity at row 0, column 1"),
    (spoiled(0, [["a", "b"]] * 3), "X in chunk 1 has dtype"),
    (spoiled(1, with_nan(3, 1)), "y in chunk 1 contains NaN at row 1"),
    (spoiled(1, np.ones(2)), "chunk 1 has 3 rows of X, 2 of y and 3 weights"),
    (spoiled(1, np.ones((3, 2))), "y in chunk 1 has shape .3, 2.; it needs 1 target"),
    (spoiled(1, 1.0), "y in chunk 1 has shape"),
    (spoiled(2, np.ones(4)), "chunk 1 has 3 rows of X, 3 of y and 4 weights"),
    (spoiled(2, np.ones((3, 1))), "sample_weight in chunk 1 must have one dimension"),
    (spoiled(2, with_nan(3, 2)), "sample_weight in chunk 1 contains NaN at row 2"),
    (spoiled(2, [1.0, -0.5, -1.0]), "sample_weight in chunk 1 is negative at row 1"),
    (good()[:1], "chunk 1 must be a tuple"),
    (np.ones((3, 2)), "chunk 1 must be a tuple"),
])  # fmt: skip
def test_a_chunk_that_does_not_fit_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        moments_of(source(lambda: [good(), bad]))


def test_without_chunks_there_is_no_source():
    with pytest.raises(ValueError, match="no rows"):
        source(lambda: [])


def test_what_can_be_read_only_once_is_refused():
    X, y, s = rows()
    given = source(iter(chunked(X, y, s)))
    moments_of(given)
    with pytest.raises(TypeError, match="only once.*spool=True"):
        moments_of(given)
    once = iter(chunked(X, y, s))
    with pytest.raises(TypeError, match="same iterator twice"):
        moments_of(source(lambda: once))
    once = iter(chunked(X, y, s))
    given = source(lambda: map(tuple, once))
    moments_of(given)
    with pytest.raises(ValueError, match="at the first reading and 0 at the next"):
        moments_of(given)


def test_a_matrix_needs_its_targets():
    with pytest.raises(ValueError, match="y is missing"):
        source([[1.0]])


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="long double is double here")
def test_a_long_double_beyond_the_doubles_is_named():
    X = np.ones((4, 2), np.longdouble)
    X[2, 1] = np.longdouble("1e4000")
    calls = {"X": lambda: Moments.of(X, np.ones(4)), "y": lambda: Moments.of(np.ones((4, 2)), X[:, 1])}
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"{name} holds 1e\+4000 at row 2.*too large for float64"):
            call()


def test_a_first_chunk_without_rows_says_whether_there_are_offsets():
    rng = np.random.default_rng(0)
    X, y, o = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=20)
    chunks = [(X[:0], y[:0], None, o[:0]), (X, y, None, o)]
    assert np.array_equal(Ridge().fit_source(source(chunks)).coef_, Ridge().fit(X, y - o).coef_)
