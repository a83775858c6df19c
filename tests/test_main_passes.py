"""The command line on files that are read in passes: fits, checkpoints, predictions, moments that merge."""

import csv
import errno
import os
import re

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq

import ridgeline
from ridgeline import cli, model_file
from ridgeline.__main__ import main
from ridgeline.cli.fit_in_passes import Spread
from ridgeline.sources import EMPTY, Slab

rng = np.random.default_rng(8)
N = 900
SIZE, AGE = rng.uniform(40, 200, N), rng.integers(0, 80, N).astype(float)
CITY = rng.choice(["Bonn", "Köln"], N)
PRICE = 3 * SIZE - AGE + 50 * (CITY == "Köln") + rng.normal(0, 5, N)


@pytest.fixture
def run(capsys):
    def run(*arguments, code=0):
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        assert status == code, err
        assert not code or (err.count("\n") == 1 and "Traceback" not in err)
        return out + err

    return run


@pytest.fixture
def houses(tmp_path):
    for k, rows in enumerate(np.array_split(np.arange(N), 3)):
        columns = {"size": SIZE[rows], "age": AGE[rows], "city": CITY[rows], "price": PRICE[rows], "dear": (PRICE[rows] > 300).astype(int)}
        pq.write_table(pa.table(columns), tmp_path / f"houses{k}.parquet")
    return tmp_path / "houses*.parquet"


def test_a_glob_of_files_is_one_table(houses, tmp_path, run):
    out = run("fit", houses, "--target", "price", "--drop", "dear", "--one-hot", "--out", tmp_path / "m.rl")
    assert "900 rows, 3 columns (1 of words), 3 coefficients" in out and "Ridge(), chosen" in out and "proven optimal" in out
    X = np.column_stack([SIZE, AGE, CITY == "Köln"])
    model = ridgeline.Ridge().fit(X, PRICE)
    np.testing.assert_allclose(model_file.load(tmp_path / "m.rl").coef_, model.coef_, rtol=1e-12)
    spread = float(re.search(r"\n  size +\S+ +\+(\S+)", out)[1])
    assert abs(spread / (model.coef_[0] * SIZE.std()) - 1) < 1e-3
    assert "fitted to    900 rows of houses" in run("inspect", tmp_path / "m.rl")
    assert "900 predictions written" in run("predict", tmp_path / "m.rl", houses, "--out", tmp_path / "p.parquet")
    np.testing.assert_allclose(pq.read_table(tmp_path / "p.parquet")["prediction"].to_numpy(), model.predict(X), rtol=1e-12)
    run("predict", tmp_path / "m.rl", houses, "--out", tmp_path / "p.csv")
    with open(tmp_path / "p.csv", encoding="utf-8") as file:
        np.testing.assert_allclose([float(row["prediction"]) for row in csv.DictReader(file)], model.predict(X), rtol=1e-12)


def test_few_whole_numbers_are_classes(houses, tmp_path, run):
    out = run("fit", houses, "--target", "dear", "--drop", "price,city", "--out", tmp_path / "m.rl", "--time-limit", "1000")
    assert "LogisticRegression(time_limit=1000.0), chosen because the target holds only 2 distinct" in out
    run("predict", tmp_path / "m.rl", houses, "--proba", "--out", tmp_path / "p.parquet")
    assert pq.read_table(tmp_path / "p.parquet").column_names == ["prediction", "P(0)", "P(1)"]


def test_an_interrupted_fit_goes_on_from_its_checkpoint(houses, tmp_path, run, monkeypatch):
    command = ("fit", houses, "--target", "dear", "--drop", "price,city", "--checkpoint", tmp_path / "c")
    expected = run(*command)
    with monkeypatch.context() as patch:
        patch.setattr(cli.fit_in_passes, "Spread", lambda n: (_ for _ in ()).throw(KeyboardInterrupt))
        told = run(*command, code=130)
    assert told == f"ridgeline: interrupted; the same command goes on from the checkpoint {tmp_path / 'c'}.\n"
    assert re.match(r"checkpoint +of a fit that has read the rows \d+ times", run("inspect", tmp_path / "c"))
    assert run(*command) == expected and not (tmp_path / "c").exists()


def test_sites_merge_and_rows_are_withdrawn(houses, tmp_path, run):
    for k in range(3):
        run("fit", tmp_path / f"houses{k}.parquet", "--target", "price", "--drop", "dear,city", "--moments-out", tmp_path / f"{k}.moments")
    files = [tmp_path / f"{k}.moments" for k in range(3)]
    assert "300 rows of houses0.parquet" in run("inspect", files[0])
    out = run("merge", *files, "--minus", files[1], "--alpha", "2", "--out", tmp_path / "m.rl", "--moments-out", tmp_path / "all")
    assert "of 4 files: 600 rows" in out and "Ridge(alpha=2.0)" in out
    assert "4 files of moments" in run("inspect", tmp_path / "m.rl")
    keep = np.r_[0:300, 600:900]
    model = ridgeline.Ridge(alpha=2.0).fit(np.column_stack([SIZE, AGE])[keep], PRICE[keep])
    np.testing.assert_allclose(model_file.load(tmp_path / "m.rl").coef_, model.coef_, rtol=1e-10)
    few = np.column_stack([SIZE, AGE])[:9], PRICE[:9]  # the model keeps no sums: what is added is all that it then knows
    assert (model_file.load(tmp_path / "m.rl").partial_fit(*few).coef_ == ridgeline.Ridge(alpha=2.0).partial_fit(*few).coef_).all()
    assert "600 rows" in run("merge", tmp_path / "all", "--model", "linear")
    assert "not among these" in run("merge", files[0], "--minus", tmp_path / "all", code=2)
    run("fit", tmp_path / "houses0.parquet", "--target", "price", "--drop", "dear,city,age", "--moments-out", tmp_path / "other")
    assert "differ in their columns" in run("merge", files[0], tmp_path / "other", code=2)
    assert "is not a ridgeline moments file" in run("merge", tmp_path / "houses0.parquet", code=2)


def test_models_do_not_merge_and_the_remedy_is_named(houses, tmp_path, run):
    for k in range(2):
        run("fit", tmp_path / f"houses{k}.parquet", "--target", "price", "--drop", "dear,city", "--out", tmp_path / f"{k}.rl")
    told = run("merge", tmp_path / "0.rl", tmp_path / "1.rl", code=2)
    assert "0.rl is a model, and models do not merge: a mean of coefficients is not the model of all the rows" in told
    assert "--moments-out" in told


@pytest.mark.parametrize("named", [False, True])
def test_a_model_saved_in_python_is_inspected_too(named, tmp_path, run):
    X = np.column_stack([SIZE, AGE])
    model = ridgeline.Ridge(alpha=3.0).fit(X, PRICE)
    if named:
        model.feature_names_in_ = np.array(["size", "age"], dtype=object)
    ridgeline.save(model, tmp_path / "m.rl")
    out = run("inspect", tmp_path / "m.rl")
    assert "Ridge(alpha=3.0)" in out and ("size, age" if named else "x0, x1") in out and "proven optimal" in out
    assert "of 900 rows, weight 900: partial_fit goes on" in out
    ridgeline.save(ridgeline.LogisticRegression().fit(X, CITY), tmp_path / "c.rl")
    assert "Bonn, Köln" in run("inspect", tmp_path / "c.rl")


def test_a_file_that_may_not_be_read_or_a_disk_that_is_full_is_named(houses, tmp_path, run, monkeypatch):
    command = ("fit", tmp_path / "houses0.parquet", "--target", "price", "--drop", "dear,city", "--stream")
    for module, name in (("ridgeline.model_file", "--out"), ("ridgeline.moments_file", "--moments-out")):
        out = tmp_path / name
        with monkeypatch.context() as full:
            full.setattr(f"{module}.replace_file", refusing(errno.ENOSPC, out))
            assert "No space left on device" in run(*command, name, out, code=2) and not out.exists()
    with monkeypatch.context() as lost:
        lost.setattr("pyarrow.parquet.ParquetFile", refusing(errno.EACCES, tmp_path / "houses0.parquet"))
        assert "houses0.parquet: Permission denied" in run(*command, code=2)


def refusing(number, path):
    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number), str(path))

    return refuse


def test_files_whose_columns_changed_are_named(houses, tmp_path, run):
    pq.write_table(pa.table({"size": SIZE, "price": PRICE.astype(str)}), tmp_path / "houses3.parquet")
    assert "another kind of values in" in run("fit", houses, "--target", "price", "--drop", "dear,city,age", code=2)
    assert "houses3.parquet has no such column" in run("fit", houses, "--target", "size", "--drop", "dear,city,price", code=2)


def test_a_column_that_no_fit_can_use_can_be_dropped(tmp_path, run):
    days = np.arange(N).astype("datetime64[D]")
    pq.write_table(pa.table({"day": days, "size": SIZE, "price": PRICE}), tmp_path / "days.parquet")
    assert "column 'day' of" in run("fit", tmp_path / "days.parquet", "--target", "price", "--stream", code=2)
    assert "900 rows, 1 column" in run("fit", tmp_path / "days.parquet", "--target", "price", "--drop", "day", "--stream")


def test_what_cannot_be_done_in_passes_is_refused(houses, run):
    assert "--one-hot makes 0/1 columns of it" in run("fit", houses, "--target", "price", code=2)
    assert "--test-fraction needs the table in memory" in run("fit", houses, "--target", "price", "--test-fraction", "0.5", code=2)
    assert "did you mean 'price'" in run("fit", houses, "--target", "pric", code=2)
    few = ("fit", houses, "--target", "price", "--drop", "city", "--model")
    assert "--time-limit is for fits of several passes" in run(*few, "ridge", "--time-limit", "3", code=2)
    assert "--moments-out keeps what least squares learns" in run(*few, "huber", "--moments-out", "m", code=2)
    assert "no file matches" in run("fit", str(houses) + "x*", "--target", "price", code=2)


def test_the_target_is_no_feature(houses, run):
    for also in (("--drop", "price"), ("--weight", "price")):
        told = run("fit", houses, "--target", "price", "--stream", *also, code=2)
        assert "'price' is the target, and cannot be dropped or be the weight" in told


def test_words_as_the_target_are_classes(houses, tmp_path, run):
    command = ("fit", houses, "--target", "city", "--drop", "dear", "--stream", "--out", tmp_path / "m.rl")
    assert "chosen because the target holds text" in run(*command)
    model = ridgeline.LogisticRegression().fit(np.column_stack([SIZE, AGE, PRICE]), CITY)
    np.testing.assert_allclose(model_file.load(tmp_path / "m.rl").coef_, model.coef_, rtol=1e-6)


def test_categories_that_are_given_make_the_columns(houses, tmp_path, run):
    """The first of them is the one without a column."""
    command = ("fit", houses, "--target", "price", "--drop", "dear", "--stream", "--one-hot", "--out", tmp_path / "m.rl")
    assert "3 coefficients" in run(*command, "--categories", "city=Köln,Bonn")
    model = ridgeline.Ridge().fit(np.column_stack([SIZE, AGE, CITY == "Bonn"]), PRICE)
    np.testing.assert_allclose(model_file.load(tmp_path / "m.rl").coef_, model.coef_, rtol=1e-10)
    assert "Köln" in run(*command, "--categories", "city=Bonn", code=2)


def test_predictions_go_to_the_terminal_where_no_file_is_named(houses, tmp_path, run):
    run("fit", houses, "--target", "price", "--drop", "dear,city", "--out", tmp_path / "m.rl")
    written = run("predict", tmp_path / "m.rl", houses).split()
    model = ridgeline.Ridge().fit(np.column_stack([SIZE, AGE]), PRICE)
    assert written[0] == "prediction"
    np.testing.assert_allclose(np.array(written[1:], float), model.predict(np.column_stack([SIZE, AGE])), rtol=1e-10)


@pytest.mark.parametrize("out", ["p.csv", "p.parquet"])
def test_predictions_that_fail_leave_the_file_that_was_there(out, houses, tmp_path, run):
    run("fit", houses, "--target", "price", "--drop", "dear,city", "--out", tmp_path / "m.rl")
    (tmp_path / out).write_text("before")
    names = sorted(path.name for path in tmp_path.iterdir())
    pq.write_table(pa.table({"size": [*SIZE, np.nan], "age": [*AGE, 1.0]}), tmp_path / "houses0.parquet", row_group_size=300)
    for table, message in ((tmp_path / "houses*.parquet", "column 'size' is empty|contains NaN"), (tmp_path / "none.parquet", "no rows")):
        pq.write_table(pa.table({"size": SIZE[:0], "age": AGE[:0]}), tmp_path / "none.parquet")
        assert re.search(message, run("predict", tmp_path / "m.rl", table, "--out", tmp_path / out, code=2))
        (tmp_path / "none.parquet").unlink()
        assert (tmp_path / out).read_text() == "before"
        assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_parts_without_rows_change_no_spread():
    whole, empty = Spread(2), Spread(2)
    X = np.column_stack([SIZE, AGE])
    whole.merge(empty)
    for rows in np.array_split(X, 3):
        part = Spread(2)
        part.add_rows(Slab(rows, EMPTY, EMPTY, EMPTY))
        part.merge(empty)
        whole.merge(part)
    np.testing.assert_allclose(whole.deviation(), X.std(axis=0), rtol=1e-12)


def test_a_model_of_a_search_without_a_refit_is_inspected(tmp_path, run):
    search = ridgeline.LogisticRegressionCV(Cs=2, cv=2, l1_ratios=(0.0,), use_legacy_attributes=False, refit=False)
    ridgeline.save(search.fit(np.column_stack([SIZE, AGE]), CITY), tmp_path / "m.rl")
    out = run("inspect", tmp_path / "m.rl")
    assert "Bonn, Köln" in out and "certificate" not in out


def test_damaged_files_are_skipped_on_request(houses, tmp_path, run):
    path = tmp_path / "houses1.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    command = ("fit", houses, "--target", "price", "--drop", "dear,city")
    assert "houses1.parquet cannot be read as Parquet" in run(*command, code=2)
    out = run(*command, "--skip-damaged")
    assert "600 rows" in out and "ridgeline: skipped: " in out and "houses1.parquet" in out
