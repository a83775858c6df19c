"""Tables: every way a user's file can be read, and every way it can be wrong."""

import numpy as np
import pytest

from ridgeline import tables
from ridgeline.tables import Features, read_table


@pytest.fixture
def write(tmp_path):
    def write(text, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def refused(path):
    with pytest.raises(ValueError) as caught:
        read_table(path)
    return str(caught.value)


def test_numbers_and_words(write):
    table = read_table(write("height,name,score\n1.5,Ann,3\n2,Bob,-4e2\n"))
    assert list(table.columns) == ["height", "name", "score"] and len(table) == 2
    assert table.columns["height"].tolist() == [1.5, 2.0]
    assert table.columns["name"].tolist() == ["Ann", "Bob"]
    assert table.columns["score"].tolist() == [3.0, -400.0]


def test_every_double_is_read_exactly(write):
    values = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    table = read_table(write("x\n" + "\n".join(map(repr, values.tolist()))))
    assert (table.columns["x"] == values).all()


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_found(delimiter, write):
    table = read_table(write(f'"a, b; c"{delimiter}d\n1{delimiter}2\n'))
    assert list(table.columns) == ["a, b; c", "d"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_and_line_ends(encoding, newline, write):
    table = read_table(write(newline.join(["größe,stadt", "1,Köln", ""]), encoding=encoding))
    assert table.columns["größe"].tolist() == [1.0] and table.columns["stadt"].tolist() == ["Köln"]


@pytest.mark.parametrize("empty", ["", "NA", "nan", "NaN", "null", "n/a", "?", "-", " "])
def test_empty_cells_among_numbers(empty, write):
    table = read_table(write(f"x,y\n1,2\n{empty},3\n"))
    assert np.isnan(table.columns["x"][1])
    assert table.missing(["x"]).tolist() == [False, True]


def test_among_words_only_an_empty_cell_is_empty(write):
    table = read_table(write("country,y\nNA,1\n,2\nDE,3\n"))
    assert table.columns["country"].tolist() == ["NA", None, "DE"]


def test_words_that_python_would_take_for_numbers(write):
    assert read_table(write("code,y\n1_000,1\n2_000,2\n")).columns["code"].tolist() == ["1_000", "2_000"]


def test_a_word_far_down_turns_the_whole_column_into_words(write, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK_ROWS", 3)
    rows = [f"0{i},{i},{'x' if i == 7 else i}" for i in range(8)]
    table = read_table(write("a,b,c\n" + "\n".join(rows)))
    assert table.columns["a"].tolist() == list(range(8))
    assert table.columns["c"].tolist() == ["0", "1", "2", "3", "4", "5", "6", "x"]


def test_quotes_blank_lines_and_line_numbers(write):
    table = read_table(write('name,y\n\n"two\nlines",1\n"a ""quote""",2\n'))
    assert table.columns["name"].tolist() == ["two\nlines", 'a "quote"']
    assert [table.place(i) for i in range(2)] == ["line 3", "line 5"]


def test_a_column_without_a_name_gets_its_number(write):
    assert list(read_table(write(",y\n0,1\n1,2\n")).columns) == ["column 1", "y"]


def test_files_that_are_no_table(write):
    assert "is empty" in refused(write(""))
    assert "has a header but no rows" in refused(write("a,b\n"))
    assert "holds only numbers (1, 2, 3, ...)" in refused(write("1,2,3\n4,5,6\n"))
    assert "two columns named 'a' in line 1" in refused(write("a,b,a\n1,2,3\n"))
    assert "line 4 of table.csv has 1 cells where the header has 2" in refused(write("a,b\n1,2\n\n3\n"))
    assert "not UTF-8" in refused(write("a,b\nKöln,1\n", encoding="latin-1"))
    assert "cannot be read as CSV" in refused(write('a,b\n"' + "x" * 200_000 + '",1\n'))


def test_a_decimal_comma_is_named(write):
    table = read_table(write(b"size;price\n1,5;3\n2,5;4\n"))
    with pytest.raises(ValueError, match=r"'1,5' in line 2, where numbers are needed \(a comma is no decimal point: write 1.5 for 1,5\)"):
        table.numbers("size")


def test_a_missing_column_names_the_nearest(write):
    table = read_table(write("price,size\n1,2\n"))
    with pytest.raises(ValueError, match=r"no target column 'prize'; did you mean 'price'"):
        table.column("prize", "target column")
    with pytest.raises(ValueError, match="it has 'price', 'size'"):
        table.column("zzz")


def test_text_among_numbers_is_named_with_its_line(write):
    table = read_table(write("age,y\n31,1\n,3\nold,2\n"))
    with pytest.raises(ValueError, match=r"column 'age' of table.csv holds text, 'old' in line 4"):
        table.numbers("age")
    with pytest.raises(ValueError, match="--one-hot"):
        Features.of(table, ["age"], one_hot=False)


def test_one_hot_leaves_the_first_category_out(write):
    table = read_table(write("colour,size,y\nred,1,0\nblue,2,0\ngreen,3,0\nred,4,0\n"))
    features = Features.of(table, ["colour", "size"], one_hot=True)
    assert features.names == ["colour=green", "colour=red", "size"]
    assert features.matrix(table).tolist() == [[0, 1, 1], [0, 0, 2], [1, 0, 3], [0, 1, 4]]


def test_a_category_not_seen_before(write):
    features = Features.of(read_table(write("c,y\na,1\nb,1\n")), ["c"], one_hot=True)
    with pytest.raises(
        ValueError, match=r"holds 'z' in line 3, a category that the model has not seen; it knows 'a'"
    ):
        features.matrix(read_table(write("c\na\nz\n")))


def test_categories_that_look_like_numbers_match_words(write):
    features = Features.of(read_table(write("c\n1\n2\nx\n")), ["c"], one_hot=True)
    assert features.matrix(read_table(write("c\n2\n1\n"))).tolist() == [[1, 0], [0, 0]]


def test_names_are_not_categories(write):
    table = read_table(write("id\n" + "\n".join(f"n{i}" for i in range(1001))))
    with pytest.raises(ValueError, match="1001 distinct words, more than the 1000"):
        Features.of(table, ["id"], one_hot=True)


@pytest.mark.parametrize(("cell", "what"), [("", "empty in line 3"), ("inf", "infinite in line 3")])
def test_cells_that_cannot_be_fitted(cell, what, write):
    table = read_table(write(f"x,y\n1,1\n{cell},1\n"))
    with pytest.raises(ValueError, match=what):
        Features.of(table, ["x"], one_hot=False).matrix(table)


def test_rows_keep_their_lines_when_others_leave(write):
    table = read_table(write("x,y\n1,1\n,1\n3,1\n"))
    kept = table.take(~table.missing(["x"]))
    assert kept.columns["x"].tolist() == [1, 3] and kept.place(1) == "line 4"


class TestParquet:
    @pytest.fixture
    def arrow(self):
        pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
        import pyarrow
        import pyarrow.parquet

        return pyarrow

    def test_types(self, arrow, tmp_path):
        data = arrow.table(
            {
                "whole": arrow.array([1, None, 3]),
                "single": arrow.array([0.5, 1.5, 2.5], arrow.float32()),
                "truth": arrow.array([True, False, None]),
                "word": arrow.array(["a", None, "b"]),
                "category": arrow.array(["x", "y", "x"]).dictionary_encode(),
                "date": arrow.array([0, 1, 2], arrow.date32()),
            }
        )
        arrow.parquet.write_table(data, tmp_path / "t.parquet")
        table = read_table(tmp_path / "t.parquet")
        np.testing.assert_array_equal(table.columns["whole"], [1, np.nan, 3])
        np.testing.assert_array_equal(table.columns["single"], [0.5, 1.5, 2.5])
        np.testing.assert_array_equal(table.columns["truth"], [1, 0, np.nan])
        assert table.columns["word"].tolist() == ["a", None, "b"]
        assert table.columns["category"].tolist() == ["x", "y", "x"]
        assert table.columns["date"].tolist()[0] == "1970-01-01"
        assert table.place(1) == "row 2" and table.take(np.array([False, True, True])).place(0) == "row 2"

    def test_it_is_known_by_its_first_bytes(self, arrow, tmp_path):
        arrow.parquet.write_table(arrow.table({"x": [1.0]}), tmp_path / "t.data")
        assert read_table(tmp_path / "t.data").columns["x"].tolist() == [1.0]

    def test_a_file_that_the_system_refuses_is_not_damaged(self, arrow, tmp_path, monkeypatch):
        arrow.parquet.write_table(arrow.table({"x": [1.0]}), tmp_path / "t.parquet")

        def refuse(*arguments, **options):
            raise PermissionError(13, "Permission denied", "t.parquet")

        monkeypatch.setattr("pyarrow.parquet.ParquetFile", refuse)
        with pytest.raises(PermissionError):
            read_table(tmp_path / "t.parquet")

    def test_two_columns_of_one_name_or_none(self, arrow, tmp_path):
        for data in (arrow.table([[1.0], [2.0]], names=["x", "x"]), arrow.table({})):
            arrow.parquet.write_table(data, tmp_path / "t.parquet")
            assert "no columns, or two of one name" in refused(tmp_path / "t.parquet")

    def test_damaged_files_and_nested_columns(self, arrow, tmp_path):
        (tmp_path / "t.parquet").write_bytes(b"PAR1 nothing")
        assert "cannot be read as Parquet" in refused(tmp_path / "t.parquet")
        arrow.parquet.write_table(arrow.table({"x": [[1.0]]}), tmp_path / "n.parquet")
        assert "column 'x' of n.parquet holds list" in refused(tmp_path / "n.parquet")


def test_parquet_without_pyarrow_says_what_to_install(write, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"ridgeline\[parquet\]"):
        read_table(write(b"PAR1", "t.parquet"))
