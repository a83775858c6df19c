"""Files: damage is named with its position and changes nothing; maps, spooled rows and what may be read only once."""

import errno
import mmap
import os
import sys
import threading
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import HuberRegressor, LinearRegression, LogisticRegression, QuantileRegressor, Ridge, source
from ridgeline.moments import moments_of
from ridgeline.sources import fold, mapped
from ridgeline.sources.prefetch import ahead
from ridgeline.sources.spool import spool

RNG = np.random.default_rng(0)
X, Y, S = RNG.normal(size=(5000, 6)), RNG.normal(size=5000), RNG.uniform(0.1, 1, 5000)
LABEL = np.where(X[:, 0] + Y > 0, "yes", "no")


def chunks(*vectors, step=700):
    return ((X[a : a + step], *(v[a : a + step] for v in vectors)) for a in range(0, len(X), step))


# ------------------------------------------------------------------------------------------------------- .npy


@pytest.fixture
def small_windows(monkeypatch):
    """A window of three pages, so that a file of some hundred kilobytes has many; what was advised is kept."""
    monkeypatch.setattr(mapped, "WINDOW", 1 << 13)
    advised = []
    advise = mapped.Pages._advise

    def spy(self, advice, start, stop):
        advised.append((advice, start, stop))
        advise(self, advice, start, stop)

    monkeypatch.setattr(mapped.Pages, "_advise", spy)
    return advised


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i2", ">f8"])
def test_a_file_has_the_bits_of_its_array(order, dtype, tmp_path, small_windows):
    A = np.asarray(np.tile(X * 100, (8, 1)), dtype=dtype, order=order)
    y = np.tile(Y, 8)
    np.save(tmp_path / "X.npy", A)
    np.save(tmp_path / "y.npy", y)
    want = moments_of(source(A, y)).to_bytes()
    for given in (
        source(tmp_path / "X.npy", y), source(str(tmp_path / "X.npy"), str(tmp_path / "y.npy")),
        source(np.load(tmp_path / "X.npy", mmap_mode="r"), y), source(np.load(tmp_path / "X.npy", mmap_mode="r+"), y),
    ):  # fmt: skip
        for _ in range(2):
            assert moments_of(given).to_bytes() == want
    assert small_windows or not hasattr(mmap, "MADV_WILLNEED")


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="no advice to give here")
def test_the_window_moves_over_every_row_once(tmp_path, small_windows):
    A = np.tile(X, (100, 1))
    np.save(tmp_path / "X.npy", A)
    fold(source(tmp_path / "X.npy", np.zeros(len(A)), n_threads=1), Nothing)
    asked = [(a, b) for advice, a, b in small_windows if advice == mmap.MADV_WILLNEED]
    dropped = [(a, b) for advice, a, b in small_windows if advice == mmap.MADV_DONTNEED]
    for steps in (asked, dropped):
        assert steps[0][0] == 0
        assert all(before[1] == after[0] for before, after in pairwise(steps))
    assert len(asked) > 2 and asked[-1][1] > A.nbytes - (1 << 22) and dropped[-1][1] == A.nbytes


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="no advice to give here")
def test_rows_picked_from_a_file_are_given_back(tmp_path, small_windows):
    A = np.tile(X, (100, 1))
    np.save(tmp_path / "X.npy", A)
    y = np.arange(len(A)) % 7.0
    numbers = np.flatnonzero(np.random.default_rng(0).uniform(size=len(A)) < 0.1)
    got = moments_of(source(tmp_path / "X.npy", y).pick(numbers)).to_bytes()
    assert got == moments_of(source(A, y).pick(numbers)).to_bytes()
    dropped = [(a, b) for advice, a, b in small_windows if advice == mmap.MADV_DONTNEED]
    assert dropped[0][0] == 0 and dropped[-1][1] == A.nbytes
    assert all(before[1] == after[0] for before, after in pairwise(dropped))
    for name, values in (("y", y), ("s", 1 + y)):
        np.save(tmp_path / f"{name}.npy", values)
    del small_windows[:]
    beside = source(tmp_path / "X.npy", tmp_path / "y.npy", np.load(tmp_path / "s.npy", mmap_mode="r")).pick(numbers)
    assert moments_of(beside).to_bytes() == moments_of(source(A, y, 1 + y).pick(numbers)).to_bytes()
    ends = [b for advice, _, b in small_windows if advice == mmap.MADV_DONTNEED]
    assert ends.count(y.nbytes) >= 2 and A.nbytes in ends


class Nothing:
    """A summary of nothing."""

    def add_rows(self, slab):
        pass

    def merge(self, other):
        pass


def test_what_was_written_to_a_private_map_is_kept(tmp_path, small_windows):
    np.save(tmp_path / "X.npy", np.tile(X, (20, 1)))
    private = np.load(tmp_path / "X.npy", mmap_mode="c")
    private[:] = 1.0
    moments_of(source(private, np.zeros(len(private))))
    assert (private == 1).all() and not small_windows


def test_a_file_that_is_cut_short_is_named_with_the_first_row_that_is_missing(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, X)
    whole = path.read_bytes()
    path.write_bytes(whole[: 128 + 48 * 1234 + 5])
    with pytest.raises(ValueError, match=r"X.npy is cut short: .*\(5000, 6\) .*row 1234 is the first incomplete"):
        source(path, Y)
    np.save(path, np.asfortranarray(X))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="every column is incomplete"):
        source(path, Y)
    for start in (b"", b"\x93NUM", whole[:40], b"not an array at all"):
        path.write_bytes(start)
        with pytest.raises(ValueError, match=r"X.npy cannot be read as .npy"):
            source(path, Y)
    np.save(path, np.array([[1, "a"]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        source(path, Y)
    with pytest.raises(FileNotFoundError):
        source(tmp_path / "none.npy", Y)


# ------------------------------------------------------------------------------- what can be read only once


def test_an_iterator_serves_least_squares_in_one_pass():
    for model in (Ridge(), LinearRegression()):
        once = source(chunks(Y, S))
        assert not once.rereadable
        model.fit_source(once)
        again = type(model)().fit_source(source(lambda: chunks(Y, S)))
        assert model.coef_.tobytes() == again.coef_.tobytes()
        assert model.certificate_.passes == 1 or model.certificate_.status == "optimal"


def test_few_rows_and_a_constant_column_need_no_second_reading():
    model = Ridge().fit_source(source(iter([([[1.0, 7.0], [2.0, 7.0], [4.0, 7.0]], [1.0, 2.0, 3.0])])))
    np.testing.assert_allclose(model.coef_, Ridge().fit([[1.0, 7.0], [2.0, 7.0], [4.0, 7.0]], [1.0, 2.0, 3.0]).coef_, atol=1e-15)


@pytest.mark.parametrize("Model", [HuberRegressor, LogisticRegression])
def test_other_losses_refuse_an_iterator_before_it_is_read(Model):
    left = chunks(np.sign(Y) > 0)
    with pytest.raises(TypeError, match=r"read only once, and this fit .* source\(lambda: .* spool=True"):
        Model().fit_source(source(left))
    assert len(list(left)) == 7  # but the one that told the number of columns


def test_a_bad_row_of_an_iterator_is_named_when_it_comes():
    bad = X[:5].copy()
    bad[3, 2] = np.nan
    with pytest.raises(ValueError, match="X in chunk 1 contains NaN at row 3, column 2"):
        Ridge().fit_source(source(iter([(X, Y), (bad, Y[:5])])))


FITS = [Ridge(), HuberRegressor(), QuantileRegressor(alpha=0), LogisticRegression()]


@pytest.mark.parametrize("model", FITS, ids=lambda model: type(model).__name__)
def test_spooled_rows_serve_every_estimator_and_leave_nothing_behind(model, tmp_path):
    y = LABEL if isinstance(model, LogisticRegression) else Y
    spooled = source(chunks(y, S), spool=tmp_path)
    got = type(model)(**model.get_params()).fit_source(spooled)
    want = type(model)(**model.get_params()).fit(X, y, S)
    assert got.coef_.tobytes() == want.coef_.tobytes()
    if y is LABEL:
        assert got.classes_.tolist() == ["no", "yes"]
    assert os.listdir(tmp_path) == []


def test_spooled_rows_keep_their_offsets_and_take_the_widest_precision(tmp_path):
    single = X[:100].astype(np.float32)
    spooled = source(iter([(single, Y[:100]), (X[100:], Y[100:], S[100:])]), spool=True)
    assert spooled.dtype == np.float64
    assert np.array_equal(spooled.X, np.concatenate([single, X[100:]]))
    assert np.array_equal(spooled.weight, np.concatenate([np.ones(100), S[100:]]))
    offset = source(((a, b, None, c) for a, b, c in chunks(Y, S)), spool=True)
    assert offset.schema.offset and np.array_equal(offset.offset, S) and not offset.weight.size


def test_a_full_disk_says_how_far_it_went_and_leaves_nothing(tmp_path, monkeypatch):
    from ridgeline.sources.spool import _Column

    append = _Column.append

    def full(self, values):
        if self.rows > 2000:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, values)

    monkeypatch.setattr(_Column, "append", full)
    with pytest.raises(OSError, match=r"no space left in .* after 2100 rows; name a folder with more: spool="):
        source(chunks(Y), spool=tmp_path)
    assert os.listdir(tmp_path) == []


def test_no_rows_are_not_spooled():
    with pytest.raises(ValueError, match="no rows"):
        spool(source(iter([(X[:0], Y[:0])])))


def test_chunks_of_names_are_labels():
    for given in (lambda: chunks(LABEL, S), list(chunks(LABEL, S))):
        got = LogisticRegression().fit_source(source(given))
        want = LogisticRegression().fit(X, LABEL, S)
        np.testing.assert_allclose(got.coef_, want.coef_, rtol=1e-9)
        assert got.classes_.tolist() == ["no", "yes"]
    missing = LABEL.astype(object)
    missing[800] = None
    with pytest.raises(ValueError, match="y in chunk 1 is missing at row 100"):
        source(lambda: chunks(missing))
    got = LogisticRegression().fit_source(source(X, LABEL, S))
    assert got.classes_.tolist() == ["no", "yes"] and got.coef_.tobytes() == want.coef_.tobytes()


def test_chunks_have_offsets_all_of_them_or_none():
    got = Ridge().fit_source(source(lambda: ((a, b, None, c) for a, b, c in chunks(Y, S))))
    np.testing.assert_allclose(got.coef_, Ridge().fit(X, Y - S).coef_, rtol=1e-10)
    with pytest.raises(ValueError, match="chunk 1 and chunk 0 differ in whether they have offsets"):
        Ridge().fit_source(source([(X, Y, None, S), (X, Y)]))


def test_numbers_keep_their_type_as_classes():
    for y in (Y > 0, (Y > 0).astype(np.int8), np.sign(Y)):
        for given in (source(X, y), source(lambda y=y: chunks(y))):
            got, want = LogisticRegression().fit_source(given), LogisticRegression().fit(X, y)
            assert got.classes_.dtype == want.classes_.dtype and (got.classes_ == want.classes_).all()


# -------------------------------------------------------------------------------------------------- reading ahead


def test_reading_ahead_keeps_the_order_and_what_was_raised():
    assert list(ahead(range(100))) == list(range(100))

    def failing():
        yield from range(5)
        raise OSError("the disk is gone")

    got = []
    with pytest.raises(OSError, match="the disk is gone"):
        for item in ahead(failing()):
            got.append(item)
    assert got == list(range(5))


def test_a_reader_that_nobody_listens_to_ends_and_closes_what_it_reads():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    items = ahead(endless())
    next(items)
    items.close()
    assert closed.is_set() and threading.active_count() == before


# -------------------------------------------------------------------------------------------- optional packages


@pytest.mark.parametrize("package, name, remedy", [
    ("pyarrow", "rows.parquet", r"needs pyarrow: pip install 'ridgeline\[parquet\]'"),
    ("pyarrow", "rows.csv", r"needs pyarrow: pip install 'ridgeline\[parquet\]'"),
])  # fmt: skip
def test_a_package_that_is_missing_is_named(package, name, remedy, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(b"PAR1" if name.endswith("parquet") else b"a,y\n1,2\n")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=remedy):
        source(tmp_path / name, target="y")


def test_frames_without_narwhals_say_so(monkeypatch):
    frame = pytest.importorskip("polars").DataFrame({"a": [1.0], "y": [2.0]})
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(ImportError, match=r"needs narwhals: pip install 'ridgeline\[frames\]'"):
        source(frame, target="y")


def test_paths_that_are_nothing_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        source(tmp_path / "none.parquet", target="y")
    with pytest.raises(FileNotFoundError, match="no file matches"):
        source(str(tmp_path / "*.parquet"), target="y")
    (tmp_path / "notes.doc").write_text("hello")
    with pytest.raises(ValueError, match="notes.doc is neither Parquet nor CSV"):
        source(tmp_path / "notes.doc", target="y")


def test_targets_and_weights_in_files_are_given_back_too(tmp_path, small_windows, monkeypatch):
    rng = np.random.default_rng(3)
    X, y, w = rng.normal(size=(60_000, 4)).astype(np.float32), rng.normal(size=60_000), rng.uniform(1, 2, 60_000)
    for name, values in (("X", X), ("y", y), ("w", w)):
        np.save(tmp_path / f"{name}.npy", values)
    given_back = []
    advise = mapped.Pages._advise
    monkeypatch.setattr(
        mapped.Pages, "_advise", lambda self, advice, a, b: (given_back.append((self.row, advice, a, b)), advise(self, advice, a, b))[1]
    )
    rows = source(*(tmp_path / f"{name}.npy" for name in "Xyw"))
    assert rows.windowed
    for row, length in ((8, 2),):
        returned = [(a, b) for r, advice, a, b in given_back if r == row and advice == mapped.mmap.MADV_DONTNEED]
        assert sum(b - a for a, b in returned) == length * 8 * 60_000  # both, once, when they were checked
    assert (Ridge().fit_source(rows).coef_ == Ridge().fit(X, y, w).coef_).all()
    sampled = rows.sample(7)
    assert (sampled.y == y[::7]).all() and (sampled.weight == w[::7]).all()
    labels = source(tmp_path / "X.npy", (y > 0).astype(float))
    np.testing.assert_allclose(LogisticRegression().fit_source(labels).coef_, LogisticRegression().fit(X, y > 0).coef_, rtol=1e-6)
    y[50_000] = np.nan
    np.save(tmp_path / "y.npy", y)
    with pytest.raises(ValueError, match=r"y contains NaN at.*50000|50000"):
        source(tmp_path / "X.npy", tmp_path / "y.npy")
    with pytest.raises(ValueError, match="inconsistent numbers of samples: X has 60000 rows, y has 59999"):
        np.save(tmp_path / "y.npy", y[:-1])
        source(tmp_path / "X.npy", tmp_path / "y.npy")
