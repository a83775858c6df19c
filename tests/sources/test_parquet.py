"""Parquet, CSV, frames and Dask: damage, files that differ, and what is particular to each."""

import numpy as np
import pytest

from ridgeline import LogisticRegression, Ridge, source
from ridgeline.moments import moments_of
from ridgeline.sources import columns, parquet

pa = pytest.importorskip("pyarrow")
import pyarrow.dataset
import pyarrow.parquet  # noqa: F401

RNG = np.random.default_rng(0)
N = 20_000
DATA = {"a": RNG.normal(size=N), "b": RNG.normal(size=N).astype(np.float32), "y": RNG.normal(size=N)}


def written(folder, name="rows.parquet", **other):
    path = folder / name
    pa.parquet.write_table(pa.table({**DATA, **other}), path, row_group_size=5000, use_dictionary=False)
    return path


def test_a_file_that_is_cut_short_is_named(tmp_path):
    path = written(tmp_path)
    whole = path.read_bytes()
    for length in (4, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="rows.parquet cannot be read as Parquet: .* damaged or cut short"):
            source(path, target="y")


def test_a_footer_that_names_what_parquet_has_not_is_damaged(tmp_path, monkeypatch):
    """As pyarrow says of whole numbers whose width is a flipped bit."""
    path = written(tmp_path)

    def refuse(*args, **kwargs):
        raise pa.ArrowNotImplementedError("Integers with less than 8 bits not implemented")

    monkeypatch.setattr(pa.parquet, "ParquetFile", refuse)
    with pytest.raises(ValueError, match=r"rows.parquet cannot be read as Parquet: Integers with less than 8 bits .* damaged"):
        source(path, target="y")


def test_a_damaged_page_is_named_with_row_group_and_row_and_changes_nothing(tmp_path):
    path = written(tmp_path)
    place = pa.parquet.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    whole = bytearray(path.read_bytes())
    whole[place : place + 40] = b"\xff" * 40
    model = Ridge().fit_source(source(path, target="y"))
    before = model.coef_.copy()
    given = source(path, target="y")
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"rows.parquet is damaged in row group 2, after row 1\d000 of the file|row group 2"):
        model.fit_source(given)
    assert (model.coef_ == before).all()


def test_a_file_that_changes_during_a_fit_is_noticed(tmp_path):
    path = written(tmp_path)
    given = source(path, target="y")
    pa.parquet.write_table(pa.table(DATA).slice(0, 10), path)
    with pytest.raises(ValueError, match="had 20000 rows when the source was made and has 10 now"):
        moments_of(given)


def test_files_of_other_columns_are_named(tmp_path):
    written(tmp_path, "1.parquet", c=np.arange(N))
    written(tmp_path, "2.parquet")
    folder = tmp_path
    with pytest.raises(ValueError, match="'c' of .* holds values in some files only: .*2.parquet has no such column"):
        source(folder, target="y")
    assert source(folder, target="y", features=["a", "b"]).dtype == np.float64
    written(tmp_path, "2.parquet", c=["x"] * N)
    with pytest.raises(ValueError, match="'c' of .* holds another kind of values in .*2.parquet than in .*1.parquet"):
        source(folder, target="y")


@pytest.mark.parametrize("role", ["target", "feature"])
def test_words_in_a_later_file_are_no_numbers_even_where_they_read_as_some(role, tmp_path):
    for k, values in enumerate((np.arange(5.0), np.arange(5.0).astype(str))):
        pa.parquet.write_table(pa.table({"a": values, "b": np.arange(5.0)}), tmp_path / f"{k}.parquet")
    with pytest.raises(ValueError, match=r"'a' of .* holds another kind of values in .*1.parquet than in .*0.parquet"):
        source(tmp_path, target="a" if role == "target" else "b")


def test_numbers_may_differ_in_width_between_files(tmp_path):
    written(tmp_path, "1.parquet", a=DATA["a"].astype(np.float32))
    written(tmp_path, "2.parquet")
    given = source(tmp_path, target="y")
    assert given.dtype == np.float64
    assert source(tmp_path / "1.parquet", target="y").dtype == np.float32
    assert moments_of(given).count == 2 * N


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no Parquet file"):
        source(tmp_path, target="y")


def test_row_groups_of_a_filtered_fragment_are_the_ones_that_are_read(tmp_path):
    path = written(tmp_path)
    whole = pa.dataset.dataset(path)
    (fragment,) = whole.get_fragments()
    part = pa.dataset.FileSystemDataset(
        [fragment.subset(row_group_ids=[1, 3])], whole.schema, fragment.format, fragment.filesystem
    )
    rows = np.r_[5000:10_000, 15_000:20_000]
    got = moments_of(source(part, target="y", features=["a"]))
    assert got.count == 10_000
    np.testing.assert_allclose(got.mean, [DATA["a"][rows].mean(), DATA["y"][rows].mean()], rtol=1e-9)


def test_numbers_in_the_names_of_folders_are_numbers(tmp_path):
    table = pa.table({**DATA, "year": np.repeat([2020, 2021], N // 2)})
    pa.parquet.write_to_dataset(table, tmp_path / "by", partition_cols=["year"])
    got = Ridge().fit_source(source(tmp_path / "by", target="y", features=["a", "year"]))
    X = np.column_stack([DATA["a"], table["year"].to_numpy()])
    np.testing.assert_allclose(got.coef_, Ridge().fit(X, DATA["y"]).coef_, rtol=1e-9)


# -------------------------------------------------------------------------------------------------------- CSV


def lines(path, *rows):
    path.write_text("\n".join(rows) + "\n")
    return path


def test_csv_takes_its_delimiter_from_the_header_and_whole_numbers_as_numbers(tmp_path, monkeypatch):
    from ridgeline.sources import text

    monkeypatch.setattr(text, "BLOCK", 64)
    # a fraction after many whole numbers is a number too
    rows = [f"{k};{2 * k + 1}" for k in range(100)] + ["0.5;2"]
    given = source(lines(tmp_path / "rows.csv", "x;y", *rows), target="y")
    assert moments_of(given).count == 101
    np.testing.assert_allclose(Ridge(alpha=0).fit_source(given).coef_, [2], rtol=1e-9)


def test_a_cell_that_is_no_number_is_named_with_file_and_row(tmp_path, monkeypatch):
    from ridgeline.sources import text

    monkeypatch.setattr(text, "BLOCK", 256)
    rows = [f"{k},{k}" for k in range(100)]
    path = lines(tmp_path / "rows.csv", "x,y", *rows, "oops,3")
    with pytest.raises(ValueError, match=r"rows.csv cannot be read after row \d+: .*oops"):
        Ridge().fit_source(source(path, target="y"))
    path = lines(tmp_path / "rows.csv", "x,y", *rows, "1,2,3")
    with pytest.raises(ValueError, match=r"rows.csv cannot be read after row \d+: .*Expected 2 columns, got 3"):
        Ridge().fit_source(source(path, target="y"))
    path = lines(tmp_path / "rows.csv", "x,y", *rows, ",2")
    with pytest.raises(ValueError, match=r"column 'x' is empty .null. in row 100 of .*rows.csv"):
        Ridge().fit_source(source(path, target="y"))


def test_an_empty_word_is_an_empty_cell(tmp_path):
    path = lines(tmp_path / "rows.csv", "x,label", "1,yes", "2,", "3,no")
    with pytest.raises(ValueError, match="column 'label' is empty .null. in row 1 of"):
        source(path, target="label")


def test_classes_in_csv_stay_whole_numbers(tmp_path):
    path = lines(tmp_path / "rows.csv", "x,k", *(f"{k / 7},{int(k > 9)}" for k in range(20)))
    model = LogisticRegression().fit_source(source(path, target="k"))
    assert model.classes_.tolist() == [0, 1] and model.classes_.dtype.kind == "i"


def test_files_that_are_no_table_are_named(tmp_path):
    (tmp_path / "rows.csv").write_text("")
    with pytest.raises(ValueError, match="rows.csv is empty"):
        source(tmp_path / "rows.csv", target="y")
    lines(tmp_path / "1.csv", "x,y", "1,2")
    lines(tmp_path / "2.csv", "x,z", "1,2")
    with pytest.raises(ValueError, match="2.csv has other columns than .*1.csv"):
        source(str(tmp_path / "?.csv"), target="y")


# ------------------------------------------------------------------------------------------------ frames and Dask


def test_missing_values_of_frames_are_named():
    pytest.importorskip("narwhals")
    for package in ("pandas", "polars"):
        frame = pytest.importorskip(package).DataFrame({"a": [1.0, None, 3.0], "y": [1.0, 2.0, 3.0]})
        with pytest.raises(ValueError, match="column 'a' is empty .null. in row 1 of the data frame"):
            Ridge().fit_source(source(frame, target="y"))


def test_categories_and_decimals_of_frames_are_read():
    pytest.importorskip("narwhals")
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    words = ["a", "b", "b", "c"]
    frames = [
        pandas.DataFrame({"w": pandas.Categorical(words), "y": [1.0, 2, 3, 4]}),
        polars.DataFrame({"w": words, "y": ["1", "2", "3", "4"]}).with_columns(
            polars.col("w").cast(polars.Categorical), polars.col("y").cast(polars.Decimal(10, 2))
        ),
        polars.DataFrame({"w": words, "y": [1, 2, 3, 4]}).with_columns(polars.col("w").cast(polars.Enum(["c", "b", "a"]))),
    ]
    for frame in frames:
        given = source(frame, target="y")
        assert given.schema.features == ("w=b", "w=c")
        slab = next(iter(next(given.segments())))
        assert slab.X.tolist() == [[0, 0], [1, 0], [1, 0], [0, 1]] and slab.y.tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="column 'when' .* holds times"):
        source(pandas.DataFrame({"when": pandas.to_datetime(["2020-01-01"]), "y": [1.0]}), target="y")
    with pytest.raises(TypeError, match="a LazyFrame has no rows yet"):
        source(frames[1].lazy(), target="y")
    with pytest.raises(TypeError, match="a column named 0"):
        source(pandas.DataFrame([[1.0, 2.0]]), target="y")


def test_dask_arrays_are_their_blocks():
    da = pytest.importorskip("dask.array")
    X, y = RNG.normal(size=(1000, 4)), RNG.normal(size=1000)
    s = RNG.uniform(size=1000)
    rows = da.from_array(X, chunks=(300, 2))
    want = moments_of(source(lambda: [(X[a : a + 300], y[a : a + 300], s[a : a + 300]) for a in range(0, 1000, 300)])).to_bytes()
    for target, weight in ((y, s), (da.from_array(y, chunks=300), s), (y, da.from_array(s, chunks=300))):
        assert moments_of(source(rows, target, weight)).to_bytes() == want
    unknown = rows[rows[:, 0] > -100]
    assert moments_of(source(unknown, da.from_array(y, chunks=300)[rows[:, 0] > -100])).count == 1000
    names = da.from_array(np.where(y > 0, "yes", "no"), chunks=300)
    assert LogisticRegression().fit_source(source(rows, names)).classes_.tolist() == ["no", "yes"]
    with pytest.raises(ValueError, match="y has chunks of rows .*; rechunk"):
        source(rows, da.from_array(y, chunks=500))
    with pytest.raises(ValueError, match="X has 1000 rows, y has 999"):
        source(rows, y[1:])
    with pytest.raises(ValueError, match="chunks of unknown length"):
        source(unknown, y)
    with pytest.raises(ValueError, match="y is missing"):
        source(rows)


def test_empty_and_single_row_partitions_of_dask_are_fitted():
    pytest.importorskip("narwhals")
    pandas, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame({"a": DATA["a"][:100], "w": ["x", "y"] * 50, "y": DATA["y"][:100]})
    parts = dd.concat([dd.from_pandas(frame[a:b], npartitions=1) for a, b in ((0, 1), (1, 60), (60, 100))])
    parts = parts[(parts.a != frame.a[0])]  # the first partition is empty now
    got = Ridge().fit_source(source(parts, target="y"))
    want = Ridge().fit(np.column_stack([frame.a[1:], frame.w[1:] == "y"]).astype(float), frame.y[1:].to_numpy())
    np.testing.assert_allclose(got.coef_, want.coef_, rtol=1e-10)


def test_the_memory_of_a_fit_does_not_grow_with_the_file(tmp_path, monkeypatch):
    """One row group of 96 MB: Arrow holds some batches of it, here of 2 MB, never the whole."""
    monkeypatch.setattr(columns, "BATCH_ELEMENTS", 1 << 18)
    monkeypatch.setattr(parquet, "BUFFER", 1 << 22)
    n, d = 300_000, 40
    rows = RNG.normal(size=(n, d))
    path = tmp_path / "rows.parquet"
    table = pa.table({**{f"x{j}": rows[:, j] for j in range(d)}, "y": rows[:, 0]})
    pa.parquet.write_table(table, path, row_group_size=n, data_page_size=1 << 16, use_dictionary=False)
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        Ridge().fit_source(source(path, target="y"))
        largest = pool.max_memory()
    finally:
        pa.set_memory_pool(before)
    assert 0 < largest < 0.5 * rows.nbytes
