"""Parquet files of which a part cannot be read: an error, or left out on request, the same part in every pass."""

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

from ridgeline import LogisticRegression, source

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
    with pytest.warns(UserWarning, match=r"skipped 250 rows and 1 file\(s\) of unknown length .* row group 1"):
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
    with pytest.raises(TypeError, match="leaves out row groups and files of Parquet"):
        source(X, Y, on_error="skip")
    with pytest.raises(ValueError, match="on_error must be"):
        source(X, Y, on_error="ignore")
