"""Rows where reading is not plain: files that go away or cannot be read, odd columns, maps to the last page, slow readers."""

import errno
import gzip
import os
import socket
import time

import numpy as np
import pytest

from ridgeline import LogisticRegression, Ridge, checkpoint, source
from ridgeline.moments import moments_of
from ridgeline.sources import mapped, prefetch, spool
from ridgeline.sources.folding import Place
from ridgeline.sources.prefetch import ahead

rng = np.random.default_rng(8)
X, Y = rng.normal(size=(900, 2)), rng.normal(size=900)


# ------------------------------------------------------------------------------------------------------------ tables


@pytest.fixture
def pa():
    pa = pytest.importorskip("pyarrow")
    import pyarrow.csv
    import pyarrow.dataset
    import pyarrow.fs
    import pyarrow.parquet  # noqa: F401

    return pa


def table(pa):
    return pa.table({"a": X[:, 0], "b": X[:, 1], "y": Y})


def tables(pa, folder):
    """The same rows in every kind of table, by the name of the kind."""
    pa.parquet.write_table(table(pa), folder / "rows.parquet", row_group_size=300)
    pa.csv.write_csv(table(pa), folder / "rows.csv")
    pa.dataset.write_dataset(table(pa), folder / "ipc", format="ipc")
    inside = pa.fs.SubTreeFileSystem(str(folder), pa.fs.LocalFileSystem())
    return {
        "Arrow table": table(pa),
        "CSV": folder / "rows.csv",
        "dataset of other files": pa.dataset.dataset(folder / "ipc", format="ipc"),
        "dataset of another file system": pa.dataset.dataset("rows.parquet", filesystem=inside),
        "Parquet": folder / "rows.parquet",
    }


@pytest.mark.parametrize("kind", ["Arrow table", "CSV", "dataset of other files", "dataset of another file system", "Parquet"])
def test_a_checkpoint_tells_the_rows_of_a_table_from_others(kind, pa, tmp_path):
    """Of tables in memory by some rows, of files by their state."""
    data = tables(pa, tmp_path)[kind]
    with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
        model = Ridge().fit_source(source(data, target="y"))
        raise ZeroDivisionError
    if kind == "Arrow table":
        other = table(pa).set_column(0, "a", pa.array(X[:, 0] + 1))
    else:
        other = data
        for inner in tmp_path.rglob("*.*"):
            if inner.suffix in (".parquet", ".csv", ".arrow", ".feather"):
                os.utime(inner, ns=(0, 0))
    with pytest.raises(ValueError, match="the rows have changed since"), checkpoint(tmp_path / "c"):
        Ridge().fit_source(source(other, target="y"))
    if kind == "Arrow table":
        with checkpoint(tmp_path / "c"):
            assert (Ridge().fit_source(source(table(pa), target="y")).coef_ == model.coef_).all()


def test_a_checkpoint_tells_the_rows_of_frames_from_others(tmp_path):
    pytest.importorskip("narwhals")
    pandas, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y})
    changed = frame.assign(a=frame.a + 1)
    for k, make in enumerate((lambda frame: frame, lambda frame: dd.from_pandas(frame, npartitions=3))):
        path = tmp_path / f"c{k}"
        with pytest.raises(ZeroDivisionError), checkpoint(path):
            model = Ridge().fit_source(source(make(frame), target="y", engine="serial" if k else None))
            raise ZeroDivisionError
        with pytest.raises(ValueError, match="the rows have changed since"), checkpoint(path):
            Ridge().fit_source(source(make(changed), target="y", engine="serial" if k else None))
        with checkpoint(path):
            assert (Ridge().fit_source(source(make(frame), target="y", engine="serial" if k else None)).coef_ == model.coef_).all()


def test_how_many_rows_there_are_is_known_where_nothing_must_be_read_for_it(pa, tmp_path):
    known = {kind: source(data, target="y").known_rows for kind, data in tables(pa, tmp_path).items()}
    assert known == {
        "Arrow table": 900, "CSV": None, "dataset of other files": None, "dataset of another file system": None, "Parquet": 900,
    }  # fmt: skip
    pytest.importorskip("narwhals")
    assert source(pytest.importorskip("pandas").DataFrame({"a": [1.0, 2.0], "y": [1.0, 2.0]}), target="y").known_rows == 2


def test_a_file_that_goes_away_is_named(pa, tmp_path):
    files = tables(pa, tmp_path)
    for data in (files["CSV"], files["Parquet"]):
        given = source(data, target="y")
        data.unlink()
        with pytest.raises(FileNotFoundError, match=data.name):
            Ridge().fit_source(given)


def test_what_the_system_refuses_to_read_is_no_damage(pa, tmp_path, monkeypatch):
    """Left out would be rows that are there."""
    from ridgeline.sources.parquet import ParquetFile

    data = tables(pa, tmp_path)["Parquet"]
    open_file = ParquetFile.open

    class Failing:
        def __init__(self, opened):
            self.opened = opened

        def __enter__(self):
            self.opened.__enter__()
            return self

        def __exit__(self, *failure):
            return self.opened.__exit__(*failure)

        def __getattr__(self, name):
            return getattr(self.opened, name)

        def iter_batches(self, **options):
            raise OSError(errno.EIO, "Input/output error", str(data))

    monkeypatch.setattr(ParquetFile, "open", lambda self, *arguments: Failing(open_file(self, *arguments)))
    with pytest.raises(OSError, match="Input/output error") as caught:
        source(data, target="y", on_error="skip")
    assert caught.value.errno == errno.EIO


def test_a_row_group_with_fewer_rows_than_promised_is_damaged(pa, tmp_path, monkeypatch):
    data = tables(pa, tmp_path)["Parquet"]
    given = source(data, target="y")
    iter_batches = pa.parquet.ParquetFile.iter_batches
    monkeypatch.setattr(
        pa.parquet.ParquetFile, "iter_batches", lambda self, **options: (batch.slice(1) for batch in iter_batches(self, **options))
    )
    with pytest.raises(ValueError, match=r"rows.parquet is damaged: row group 0 should have 300 rows and has 299"):
        Ridge().fit_source(given)


def test_what_is_no_file_of_bytes_is_neither_parquet_nor_csv(tmp_path):
    path = str(tmp_path / "rows")
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(path)
        with pytest.raises(ValueError, match="rows is neither Parquet nor CSV by its name or its first bytes"):
            source(path, target="y")


def test_a_null_in_a_dictionary_is_an_empty_cell(pa):
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 2]), pa.array(["x", "z", None]))
    data = pa.table({"w": words, "y": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(ValueError, match=r"column 'w' is empty \(null\) in row 3 of the Arrow table"):
        source(data, target="y")
    assert source(data.slice(0, 3), target="y").schema.features == ("w=z",)  # which no row of these has


def test_csv_that_begins_empty_or_true_goes_on_as_numbers(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "1.csv").write_text("on,later,y\n" + "".join(f"{'true' if k % 2 else 'false'},{k * k},{k}\n" for k in range(9)))
    (tmp_path / "2.csv").write_text("on,later,y\ntrue,7,3\n")
    both = source([tmp_path / "1.csv", tmp_path / "2.csv"], target="y")
    rows = np.concatenate([slab.X for segment in both.segments() for slab in segment])
    assert rows.tolist() == [[float(k % 2), float(k * k)] for k in range(9)] + [[1.0, 7.0]]
    (tmp_path / "3.csv").write_text("later,y\n,1\n,2\n")
    with pytest.raises(ValueError, match=r"column 'later' is empty \(null\) in row 0 of .*3.csv"):
        Ridge().fit_source(source(tmp_path / "3.csv", target="y"))


def test_nothing_is_left_out_of_csv_without_damage(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "rows.csv").write_text("x,y\n" + "".join(f"{k},{2 * k}\n" for k in range(9)))
    given = source(tmp_path / "rows.csv", target="y", on_error="skip")
    assert given.skipped == () and moments_of(given).count == 9


def test_a_compressed_file_that_is_torn_far_down_is_an_error_where_damage_is_left_out(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("ridgeline.sources.text.BLOCK", 1 << 12)
    text = "x,y\n" + 40 * "".join(f"{a},{b}\n" for a, b in zip(X[:, 0].tolist(), Y.tolist()))
    image = gzip.compress(text.encode())
    (tmp_path / "rows.csv.gz").write_bytes(image[: len(image) * 3 // 4])
    with pytest.raises(ValueError, match=r"rows.csv.gz cannot be read after row [1-9]\d*: Truncated compressed stream"):
        source(tmp_path / "rows.csv.gz", target="y", on_error="skip")


def test_columns_of_frames_that_no_fit_can_use_are_refused_by_name():
    pytest.importorskip("narwhals")
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = polars.DataFrame({"on": [True, False, True], "lists": [[1.0], [2.0], [3.0]], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="column 'lists' of the data frame holds values of type List"):
        source(frame, target="y")
    given = source(frame, target="y", features=["on"])
    assert next(iter(next(given.segments()))).X.tolist() == [[1.0], [0.0], [1.0]]
    mixed = pandas.DataFrame({"w": pandas.Categorical([1, "a", 1]), "y": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="column 'w' mixes words of types that do not sort"):
        source(mixed, target="y")


def test_roles_that_leave_nothing_or_name_twice(pa):
    with pytest.raises(ValueError, match="the Arrow table has no columns left to be features"):
        source(table(pa).select(["y"]), target="y")
    words = pa.table({"w": ["x", "z"], "y": [1.0, 2.0]})
    with pytest.raises(ValueError, match="the categories of column 'w' name one twice: x, z, x"):
        source(words, target="y", categories={"w": ["x", "z", "x"]})
    reader = pa.RecordBatchReader.from_batches(table(pa).schema, table(pa).to_batches())
    with pytest.raises(TypeError, match="a RecordBatchReader can be read only once; pass the table or dataset it reads"):
        source(reader, target="y")


def test_a_table_is_read_on_from_within_a_batch(pa):
    """As a fold that is gone on with asks for it: the segments that it has are left out, the others are the same."""
    rows = np.random.default_rng(0).normal(size=(200_000, 8))
    given = source(pa.table({**{f"x{j}": rows[:, j] for j in range(8)}, "y": rows[:, 0]}), target="y", n_threads=1)
    whole = [[slab.X for slab in segment] for segment in given.segments()]
    later = [[slab.X for slab in segment] for segment in given.segments(Place(0, 2))]
    assert len(whole) > 3 and len(later) == len(whole) - 2
    for part, same in zip(whole[2:], later):
        assert (np.concatenate(part) == np.concatenate(same)).all()


# ------------------------------------------------------------------------------------------------------------ arrays


def test_an_engine_belongs_to_collections_and_a_vector_to_its_matrix():
    with pytest.raises(TypeError, match="engine says who reads Parquet files or the partitions of a collection"):
        source(X, Y, engine="ray")
    with pytest.raises(TypeError, match="chunks bring their own targets, weights and offsets"):
        source(lambda: [(X, Y)], Y)


def test_dask_collections_that_are_no_matrix():
    da, bag = pytest.importorskip("dask.array"), pytest.importorskip("dask.bag")
    with pytest.raises(ValueError, match=r"X must have two dimensions \(rows, columns\), got a Dask array of shape \(900,\)"):
        source(da.from_array(Y), Y)
    unknown = da.from_array(X, chunks=(300, 2))
    unknown = unknown[:, unknown[0] > -100]
    with pytest.raises(ValueError, match=r"X has an unknown number of columns; call compute_chunk_sizes\(\) on it first"):
        source(unknown, Y)
    with pytest.raises(TypeError, match="a Dask Bag has no columns; pass a Dask array or data frame"):
        source(bag.from_sequence([1, 2]), Y)


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(mapped, "WINDOW", 1 << 13)


def test_a_map_that_ends_with_a_page_is_read_to_its_end(tmp_path, small_windows):
    """Advice about what lies behind the last page would be an error."""
    A = rng.normal(size=(1 << 14, 2))
    assert A.nbytes % mapped.mmap.PAGESIZE == 0
    A.tofile(tmp_path / "rows")
    there = np.memmap(tmp_path / "rows", A.dtype, "r", shape=A.shape)
    given = source(there, A[:, 0])
    pages = mapped.Pages.of(there)
    for row in (0, len(A) - 1, len(A) - 1):  # twice, as by two short segments at the end
        pages.move_to(row)
    pages.release()
    assert pages.asked == A.nbytes
    assert moments_of(given).to_bytes() == moments_of(source(A, A[:, 0])).to_bytes()


def test_a_system_that_takes_no_advice_reads_all_the_same(tmp_path, small_windows, monkeypatch):
    monkeypatch.delattr(mapped.mmap, "MADV_WILLNEED")
    A = rng.normal(size=(1 << 14, 2))
    np.save(tmp_path / "X.npy", A)
    given = source(tmp_path / "X.npy", A[:, 0])
    assert not given.windowed and moments_of(given).to_bytes() == moments_of(source(A, A[:, 0])).to_bytes()


def test_maps_that_have_a_window(tmp_path, small_windows):
    """Of single bytes too; not rows that run backwards or lie on one another."""
    np.zeros((1 << 16, 2), np.uint8).tofile(tmp_path / "rows")
    there = np.memmap(tmp_path / "rows", np.uint8, "r", shape=(1 << 16, 2))
    assert mapped.Pages.of(there) is not None and mapped.Pages.of(there.reshape(2, 1 << 16).T) is not None
    assert mapped.Pages.of(there[::-1]) is None and mapped.Pages.of(np.broadcast_to(there[0], there.shape)) is None


def test_headers_of_npy_that_promise_what_cannot_be(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, X)
    image = path.read_bytes()
    path.write_bytes(image.replace(b"(900, 2)", b"(-90, 2)"))
    with pytest.raises(ValueError, match=r"X.npy cannot be read as .npy: its header promises the shape \(-90, 2\)"):
        source(path, Y)
    np.save(path, X[:0])
    with pytest.raises(ValueError, match="X has no rows|0 sample|at least"):
        Ridge().fit(np.load(path), Y[:0])
    assert mapped.open_npy(path).shape == (0, 2)


# ------------------------------------------------------------------------------------------------------------ chunks


def test_spooled_weights_that_only_the_first_rows_have(tmp_path):
    weight = rng.uniform(1, 2, 300)
    spooled = source(iter([(X[:300], Y[:300], weight), (X[:0], Y[:0]), (X[300:], Y[300:])]), spool=tmp_path)
    assert (spooled.weight == np.concatenate([weight, np.ones(600)])).all()
    assert (spooled.X == X).all() and (spooled.y == Y).all()


@pytest.mark.parametrize("before", [4095, 4096, 4097, 9000])
def test_spooled_weights_that_only_the_last_rows_have(before):
    """Those of the rows before are written four thousand at a time."""
    A, b, last = np.ones((before + 10, 1)), np.arange(before + 10.0), np.arange(10.0) + 2
    spooled = source(iter([(A[:before], b[:before]), (A[before:], b[before:], last)]), spool=True)
    assert (spooled.weight == np.append(np.ones(before), last)).all() and (spooled.y == b).all()


def test_spooled_rows_without_columns():
    spooled = source(iter([(X[:300, :0], Y[:300]), (X[300:, :0], Y[300:])]), spool=True)
    assert spooled.X.shape == (900, 0) and (spooled.y == Y).all()


def test_errors_of_the_users_own_iterator_are_not_of_the_disk(tmp_path):
    def failing():
        yield X, Y
        raise OSError(errno.ECONNRESET, "the server has gone")

    with pytest.raises(OSError, match="the server has gone") as caught:
        source(failing(), spool=tmp_path)
    assert caught.value.errno == errno.ECONNRESET and os.listdir(tmp_path) == []


@pytest.mark.parametrize(("number", "message"), [(errno.ENOSPC, r"no space left in .* for 80 bytes of rows"), (errno.EIO, "refused")])
def test_room_for_sorted_rows_is_taken_beforehand(number, message, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(number, "refused")

    monkeypatch.setattr(spool.os, "posix_fallocate", refuse)
    with pytest.raises(OSError, match=message) as caught:
        spool.reserved((10,), np.dtype(np.float64), tmp_path)
    assert caught.value.errno == number and os.listdir(tmp_path) == []
    assert spool.reserved((0, 3), np.dtype(np.float64)).shape == (0, 3)  # no room, no file


def test_a_nan_among_chunks_is_found_beside_chunks_that_are_left_out():
    bad = X[300:600].copy()
    bad[7, 1] = np.nan
    parts = [(X[:300], Y[:300]), "no chunk", (bad, Y[300:600])]
    with pytest.warns(UserWarning, match="skipped"):
        rows = source(lambda: parts, on_error="skip")
    with pytest.raises(ValueError, match="X in chunk 2 contains NaN at row 7, column 1"):
        Ridge().fit_source(rows)


def test_chunks_of_names_in_a_column_and_of_names_that_do_not_sort():
    names = np.where(Y > 0, "yes", "no")
    column = LogisticRegression().fit_source(source([(X, names[:, None])]))
    assert (column.coef_ == LogisticRegression().fit_source(source([(X, names)])).coef_).all()
    mixed = names.astype(object)
    mixed[3] = 7
    with pytest.raises(ValueError, match="the target mixes labels of types that do not sort .*; use one type throughout"):
        source([(X, mixed)])


def test_a_label_that_comes_only_later_is_named():
    names, times = np.where(Y > 0, "yes", "no").astype(object), []

    def chunks():
        times.append(1)
        later = names.copy()
        if len(times) > 2:
            later[5] = "maybe"
        return [(X, later)]

    with pytest.raises(ValueError, match="y in chunk 0 holds the label 'maybe' at row 5, which was not there at the first reading"):
        LogisticRegression().fit_source(source(chunks))


# ------------------------------------------------------------------------------------------------------ reading ahead


def test_a_reader_waits_for_one_who_is_slow(monkeypatch):
    monkeypatch.setattr(prefetch, "POLL", 0.001)
    got = []
    for item in ahead(iter(range(6)), 1):
        time.sleep(0.01)
        got.append(item)
    assert got == list(range(6))


def test_a_reader_that_is_no_longer_wanted_when_it_begins_reads_nothing():
    def forbidden():
        raise AssertionError("read")
        yield

    reader = prefetch._Reader(forbidden(), 1)
    reader.wanted = False
    reader.read()
    assert reader.made.empty() and not reader.running
