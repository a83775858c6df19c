"""Files and chunks of which a part cannot be read: an error, or left out on request, the same part in every pass."""

import gzip

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

from ridgeline import LogisticRegression, Ridge, source

rng = np.random.default_rng(4)
X, Y = rng.normal(size=(3000, 2)), rng.integers(0, 2, 3000)


@pytest.fixture
def folder(tmp_path):
    """Three files; the second row group of the first is damaged, and the second file is cut short."""
    for k in range(3):
        rows = slice(1000 * k, 1000 * (k + 1))
        pq.write_table(pa.table({"a": X[rows, 0], "b": X[rows, 1], "y": Y[rows]}), tmp_path / f"{k}.parquet", row_group_size=250)
    first, second = tmp_path / "0.parquet", tmp_path / "1.parquet"
    column = pq.read_metadata(first).row_group(1).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    image = bytearray(first.read_bytes())
    image[start : start + 40] = bytes([255]) * 40
    first.write_bytes(image)
    second.write_bytes(second.read_bytes()[:-50])
    return tmp_path


def test_an_error_unless_it_is_asked_to_be_skipped(folder):
    with pytest.raises(ValueError, match=r"1.parquet cannot be read as Parquet"):
        source(folder, target="y")
    (folder / "1.parquet").unlink()
    model = LogisticRegression()
    with pytest.raises(ValueError, match=r"0.parquet is damaged in row group 1, after row 250 of the file"):
        model.fit_source(source(folder, target="y"))
    assert not hasattr(model, "coef_")


def test_what_is_skipped_is_told_and_the_rest_is_fitted(folder):
    with pytest.warns(UserWarning, match=r"skipped 250 rows and 1 part\(s\) of unknown length .* row group 1"):
        rows = source(folder, target="y", on_error="skip")
    assert [part.rows for part in rows.skipped] == [250, None]
    keep = np.r_[0:250, 500:1000, 2000:3000]
    model = LogisticRegression().fit_source(rows)
    groups = [(X[k], Y[k]) for k in np.split(keep, range(250, len(keep), 250))]
    assert (model.coef_ == LogisticRegression().fit_source(source(groups)).coef_).all()


def test_what_cannot_be_skipped(folder, tmp_path):
    for k in (0, 2):
        (folder / f"{k}.parquet").unlink()
    with pytest.raises(ValueError, match="nothing of .* can be read"):
        source(folder, target="y", on_error="skip")
    for data in (X, pa.table({"a": X[:, 0], "y": Y})):
        with pytest.raises(TypeError, match="leaves out what cannot be read .* leave it out"):
            source(data, Y if data is X else None, target=None if data is X else "y", on_error="skip")
    with pytest.raises(ValueError, match="on_error must be"):
        source(X, Y, on_error="ignore")


def test_whole_rows_of_files_that_are_cut_short(tmp_path):
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    with open(tmp_path / "X.npy", "r+b") as file:
        file.truncate(128 + 16 * 2000 + 8)
    with open(tmp_path / "y.npy", "r+b") as file:
        file.truncate(128 + 8 * 1500)
    with pytest.raises(ValueError, match="row 2000 is the first incomplete"):
        source(tmp_path / "X.npy", Y)
    with pytest.warns(UserWarning, match=r"skipped 2500 rows .*X.npy is cut short: .*row 2000 is the first incomplete"):
        rows = source(tmp_path / "X.npy", tmp_path / "y.npy", on_error="skip")
    assert [part.rows for part in rows.skipped] == [1000, 1500]
    assert (LogisticRegression().fit_source(rows).coef_ == LogisticRegression().fit(X[:1500], Y[:1500]).coef_).all()


def test_a_file_of_columns_that_is_cut_short_has_no_whole_row(tmp_path):
    np.save(tmp_path / "X.npy", np.asfortranarray(X))
    with open(tmp_path / "X.npy", "r+b") as file:
        file.truncate(128 + 16 * 2000)
    with pytest.raises(ValueError, match="every column is incomplete"):
        source(tmp_path / "X.npy", Y, on_error="skip")


def lines(rows):
    return ["a,b,y", *(f"{a},{b},{y}" for (a, b), y in zip(X[rows].tolist(), Y[rows].tolist()))]


def test_lines_with_other_cells_than_the_header_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("ridgeline.sources.text.BLOCK", 1 << 14)  # several blocks
    text = lines(slice(0, 2000))
    text[501], text[1501] = "1,2", "1,2,3,4"
    (tmp_path / "rows.csv").write_text("\n".join(text) + "\n")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match="cannot be read after row"):
        LogisticRegression().fit_source(source(tmp_path / "rows.csv", target="y"))
    with pytest.warns(UserWarning, match=r"skipped 2 rows and 1 part\(s\) .*empty.csv"):
        rows = source([tmp_path / "empty.csv", tmp_path / "rows.csv"], target="y", on_error="skip")
    assert "line 502 of" in rows.skipped[1].why and "2 cells where the header has 3 (and 1 more such lines)" in rows.skipped[1].why
    keep = np.delete(np.arange(2000), [500, 1500])
    model = LogisticRegression().fit_source(rows)
    np.testing.assert_allclose(model.coef_, LogisticRegression().fit(X[keep], Y[keep]).coef_, rtol=1e-9)


def test_one_line_that_is_left_out_is_told_alone(tmp_path):
    text = lines(slice(0, 100))
    text[7] = "1,2,3,4"
    (tmp_path / "rows.csv").write_text("\n".join(text) + "\n")
    with pytest.warns(UserWarning, match="skipped 1 rows"):
        rows = source(tmp_path / "rows.csv", target="y", on_error="skip")
    (told,) = rows.skipped
    assert told.why == f"line 8 of {tmp_path / 'rows.csv'} has 4 cells where the header has 3." and told.rows == 1


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_torn_compressed_file_is_an_error_either_way(on_error, tmp_path):
    text = lines(slice(0, 3000))
    image = gzip.compress("\n".join(text + 9 * text[1:]).encode())
    (tmp_path / "rows.csv.gz").write_bytes(image[: len(image) // 2])
    with pytest.raises(ValueError, match=r"rows.csv.gz cannot be read .*: Truncated compressed stream"):
        Ridge().fit_source(source(tmp_path / "rows.csv.gz", target="y", on_error=on_error))


def test_nothing_that_can_be_read_of_csv(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"nothing of .*empty.csv can be read"):
        source(tmp_path / "empty.csv", target="y", on_error="skip")


def test_chunks_that_do_not_fit_are_left_out():
    parts = [(X[:1000], Y[:1000]), (X[1000:2000], Y[:7]), (X[2000:, :1], Y[2000:]), "no chunk", (X[2000:], Y[2000:])]
    with pytest.raises(ValueError, match="chunk 1 has 1000 rows of X, 7 of y"):
        Ridge().fit_source(source(parts))
    with pytest.warns(UserWarning, match=r"skipped 2000 rows and 1 part\(s\) .*chunk 1 has 1000 rows of X, 7 of y"):
        rows = source(lambda: parts, on_error="skip")
    keep = np.r_[0:1000, 2000:3000]
    expected = LogisticRegression().fit(X[keep], Y[keep]).coef_
    np.testing.assert_allclose(LogisticRegression().fit_source(rows).coef_, expected, rtol=1e-10)
    once = source(iter(parts), on_error="skip")
    with pytest.warns(UserWarning, match="skipped 2000 rows"):
        coef = Ridge().fit_source(once).coef_
    np.testing.assert_allclose(coef, Ridge().fit(X[keep], Y[keep]).coef_, rtol=1e-12)
    assert [part.rows for part in once.skipped] == [1000, 1000, None]


def test_a_cell_that_is_empty_is_no_damage():
    bad = X[:100].copy()
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match="chunk 0"):
        Ridge().fit_source(source(iter([(bad, Y[:100])]), on_error="skip"))
