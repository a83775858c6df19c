"""The command line, in this process and as a user runs it."""

import csv
import io
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import ridgeline
from ridgeline import model_file
from ridgeline.__main__ import main

rng = np.random.default_rng(3)
N = 120
SIZE = rng.uniform(40, 200, N)
AGE = rng.integers(0, 80, N).astype(float)
CITY = rng.choice(["Bonn", "Köln", "Aachen"], N)
PRICE = 3.0 * SIZE - AGE + 50 * (CITY == "Bonn") + rng.normal(0, 5, N)
KIND = np.where(np.median(PRICE) < PRICE, "dear", "cheap")


def write_csv(path, **columns):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
    return str(path)


@pytest.fixture
def houses(tmp_path):
    return write_csv(tmp_path / "houses.csv", size=SIZE, age=AGE, price=PRICE)


@pytest.fixture
def cities(tmp_path):
    return write_csv(tmp_path / "cities.csv", size=SIZE, city=CITY, price=PRICE, weight=AGE + 1, kind=KIND)


@pytest.fixture
def run(capsys):
    def run(*arguments, code=0):
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        assert status == code, err
        return out, err

    return run


@pytest.fixture
def refused(run):
    """Run what must fail: nothing on stdout, one line on stderr, which is returned."""

    def refused(*arguments):
        out, err = run(*arguments, code=2)
        assert out == "" and err.count("\n") == 1 and "Traceback" not in err
        return err

    return refused


def test_fit_reports_the_model_the_risks_and_the_certificate(houses, run):
    out, err = run("fit", houses, "--target", "price")
    assert err == ""
    assert "houses.csv: 120 rows, 2 columns" in out
    assert re.search(r"model +Ridge\(\), chosen because the target holds 120 distinct numbers", out)
    assert "90 to fit, 30 to test (seed 0)" in out
    assert re.search(r"risk +train +[\d.]+ +test +[\d.]+ +gap +-?[\d.]+ +\(mean squared error\)", out)
    assert re.search(r"R\^2 +train +0.9\d+ +test +0.9\d+", out)
    assert re.search(r"certificate +proven optimal: the objective is", out)
    assert re.search(r"\n  size +[23]\.\d+ +\+1\d\d", out)
    assert max(map(len, out.splitlines())) <= 110


def test_the_report_agrees_with_the_library(houses, run):
    out, _ = run("fit", houses, "--target", "price", "--test-fraction", "0.5", "--seed", "7", "--alpha", "3")
    X = np.column_stack([SIZE, AGE])
    X, X_test, y, y_test = ridgeline.train_test_split(X, PRICE, test_fraction=0.5, seed=7)
    model = ridgeline.Ridge(alpha=3.0).fit(X, y)
    train = ridgeline.empirical_risk("squared_error", y, model.predict(X))
    gap = ridgeline.generalization_gap(model, X, y, X_test, y_test, "squared_error")
    assert f"{train:.4g}" in out and f"{gap:.4g}" in out and f"{model.coef_[0]:.5g}" in out


def test_a_target_of_words_gets_a_classifier(cities, run):
    out, _ = run("fit", cities, "--target", "kind", "--drop", "price,weight", "--one-hot")
    assert "LogisticRegression(), chosen because the target holds text" in out
    assert "cities.csv: 120 rows, 2 columns (1 of words), 3 coefficients" in out
    assert "2 classes: cheap (60), dear (60)" in out and "of the log-odds of dear" in out
    assert "city=Bonn" in out and "compared with city=Aachen" in out
    assert re.search(r"accuracy +train +0?\.?\d+", out) and "0.5 by the most frequent class" in out


def test_a_target_of_few_whole_numbers_gets_a_classifier(tmp_path, run):
    path = write_csv(tmp_path / "t.csv", x=SIZE, y=(SIZE > 100).astype(int) + (SIZE > 150))
    out, _ = run("fit", path, "--target", "y", "--out", tmp_path / "m.rl")
    assert "because the target holds only 3 distinct whole numbers" in out and "class" in out
    assert model_file.load(tmp_path / "m.rl").classes_.tolist() == [0, 1, 2]


def test_few_rows_of_whole_numbers_are_not_classes(tmp_path, run):
    out, _ = run("fit", write_csv(tmp_path / "t.csv", x=range(8), y=range(8)), "--target", "y")
    assert "Ridge()" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "linear"], "LinearRegression(), as asked"),
        (["--model", "ridge", "--alpha", "2"], "Ridge(alpha=2.0)"),
        (["--model", "lasso", "--alpha", "2"], "Lasso(alpha=2.0)"),
        (["--model", "huber", "--epsilon", "2"], "mean Huber loss, corner at"),
        (["--model", "quantile", "--quantile", "0.9", "--alpha", "0"], "mean pinball loss, quantile 0.9"),
        (["--test-fraction", "0"], "all fitted"),
        (["--weight", "age"], "1 column"),
    ],
)
def test_every_model_and_option(arguments, expected, houses, run):
    assert expected in run("fit", houses, "--target", "price", *arguments)[0]


def test_weights_count(houses, tmp_path, run):
    run(
        "fit",
        houses,
        "--target",
        "price",
        "--weight",
        "age",
        "--test-fraction",
        "0",
        "--out",
        tmp_path / "m.rl",
    )
    model = ridgeline.Ridge().fit(SIZE[:, None], PRICE, AGE)
    assert model_file.load(tmp_path / "m.rl").coef_ == model.coef_


def test_predict_writes_what_the_model_predicts(cities, tmp_path, run):
    model, out = tmp_path / "m.rl", tmp_path / "p.csv"
    run("fit", cities, "--target", "price", "--drop", "kind,weight", "--one-hot", "--out", model)
    printed, err = run("predict", model, cities)
    assert err.startswith("R^2 on the target in cities.csv: 0.9")
    written, _ = run("predict", model, cities, "--out", out)
    assert written == f"120 predictions written to {out}\n"
    assert out.read_text() == printed
    rows = list(csv.DictReader(io.StringIO(printed)))
    X = np.column_stack([SIZE, CITY == "Bonn", CITY == "Köln"]).astype(float)
    np.testing.assert_array_equal([float(r["prediction"]) for r in rows], model_file.load(model).predict(X))


def test_predict_takes_columns_in_any_order_and_needs_no_target(houses, tmp_path, run):
    run("fit", houses, "--target", "price", "--out", tmp_path / "m.rl")
    first, _ = run("predict", tmp_path / "m.rl", houses)
    shuffled = write_csv(tmp_path / "s.csv", extra=CITY, age=AGE, size=SIZE)
    second, err = run("predict", tmp_path / "m.rl", shuffled)
    assert first == second and err == ""


def test_probabilities_of_classes(cities, tmp_path, run):
    run("fit", cities, "--target", "kind", "--drop", "city,weight", "--out", tmp_path / "m.rl")
    out, err = run("predict", tmp_path / "m.rl", cities, "--proba")
    assert err.startswith("accuracy on the target in cities.csv: ")
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["prediction", "P(cheap)", "P(dear)"]
    for label, cheap, dear in rows[1:]:
        assert abs(float(cheap) + float(dear) - 1) < 1e-12
        assert label == ("dear" if float(dear) > 0.5 else "cheap")


def test_inspect(cities, tmp_path, run):
    model = tmp_path / "m.rl"
    run("fit", cities, "--target", "kind", "--drop", "weight,price", "--one-hot", "--C", "2", "--out", model)
    out, _ = run("inspect", model)
    for expected in (
        "LogisticRegression(C=2.0)",
        "target       kind",
        "90 rows of cities.csv",
        "cheap, dear",
    ):
        assert expected in out
    assert f"ridgeline {ridgeline.__version__}" in out and "proven optimal" in out and "city=Bonn" in out


def test_a_model_file_has_no_path_of_this_machine(houses, tmp_path, run):
    run("fit", houses, "--target", "price", "--out", tmp_path / "m.rl")
    assert str(tmp_path).encode() not in (tmp_path / "m.rl").read_bytes()


def test_a_model_file_keeps_no_sums_of_the_rows(houses, tmp_path, run):
    """What is added to the model is all that it then knows."""
    X = np.column_stack([SIZE, AGE])
    for k, options in enumerate(([], ["--stream"])):
        if options:
            pytest.importorskip("pyarrow", reason="reading CSV in passes needs pyarrow")
        run("fit", houses, "--target", "price", *options, "--out", tmp_path / f"{k}.rl", "--quiet")
        model = model_file.load(tmp_path / f"{k}.rl").partial_fit(X[:9], PRICE[:9])
        assert (model.coef_ == ridgeline.Ridge().partial_fit(X[:9], PRICE[:9]).coef_).all()


def test_separated_classes_are_reported_not_warned_about(tmp_path, run):
    path = write_csv(tmp_path / "t.csv", x=range(40), y=["a"] * 20 + ["b"] * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out, err = run("fit", path, "--target", "y", "--C", "inf")
    assert "no finite optimum" in out and err == ""


def test_rows_with_empty_cells_leave_on_request(tmp_path, run, refused):
    size = [str(s) for s in SIZE]
    size[4] = ""
    path = write_csv(tmp_path / "t.csv", size=size, price=PRICE)
    assert "column 'size' of t.csv is empty in line 6 (and 0 more)" in refused(
        "fit", path, "--target", "price"
    )
    assert "119 rows" in run("fit", path, "--target", "price", "--drop-missing")[0]
    path = write_csv(tmp_path / "t.csv", size=SIZE, never=[""] * N, price=PRICE)
    assert "--drop never" in refused("fit", path, "--target", "price", "--drop-missing")


def test_wrong_columns_and_options(houses, cities, tmp_path, refused):
    assert refused("fit", houses, "--target", "pricee").rstrip().endswith("did you mean 'price'?")
    assert "no column 'nothing'" in refused("fit", houses, "--target", "price", "--drop", "nothing")
    assert "leaves out the target" in refused("fit", houses, "--target", "price", "--drop", "price")
    assert "no columns left" in refused("fit", houses, "--target", "price", "--drop", "size,age")
    assert "both the target and the weight" in refused(
        "fit", houses, "--target", "price", "--weight", "price"
    )
    text = refused("fit", cities, "--target", "price")
    assert "column 'city' of cities.csv holds text" in text and "in line 2" in text and "--one-hot" in text
    assert "--model logistic" in refused(
        "fit", cities, "--target", "kind", "--drop", "city", "--model", "ridge"
    )
    assert "weight column 'city' of cities.csv holds text" in refused(
        "fit", cities, "--target", "price", "--weight", "city"
    )
    assert "--C is an option of logistic" in refused("fit", houses, "--target", "price", "--C", "2")
    assert "which are no classes" in refused("fit", houses, "--target", "price", "--model", "logistic")
    names = tmp_path / "names.csv"
    names.write_text("x,name\n1,Ada\n2,Bea\n3,Cid\n4,Dov\n")
    assert "holds 4 distinct values in 4 rows, too few of each" in refused("fit", names, "--target", "name")
    assert "alpha" in refused("fit", houses, "--target", "price", "--alpha", "-1")
    assert "--test-fraction is 1" in refused("fit", houses, "--target", "price", "--test-fraction", "1")
    assert "--seed is -1" in refused("fit", houses, "--target", "price", "--seed", "-1")
    assert "invalid choice" in refused("fit", houses, "--target", "price", "--model", "tree")
    assert "required: --target" in refused("fit", houses)
    assert "required: COMMAND" in refused()


def test_of_two_rows_one_is_a_test(tmp_path, run):
    path = write_csv(tmp_path / "t.csv", x=[1, 2], y=[2, 4])
    out, _ = run("fit", path, "--target", "y", "--model", "ridge")
    assert "2 rows, 1 column" in out and "rows         1 " in out


def test_wrong_data(tmp_path, refused):
    path = write_csv(tmp_path / "t.csv", x=[1, 2, 3, 4], y=["a", "a", "a", "b"])
    assert "class b of target 'y' has one row (line 5)" in refused("fit", path, "--target", "y")
    path = write_csv(tmp_path / "t.csv", x=[1], y=[2])
    assert "has one row; a test needs two" in refused("fit", path, "--target", "y")
    path = write_csv(tmp_path / "t.csv", x=[1, 2, 3, 4], y=["a"] * 4)
    assert "is a in every row" in refused("fit", path, "--target", "y")
    path = write_csv(tmp_path / "t.csv", x=[1, 2, 3, 4], y=[1, 2, 3, 4.5], w=[1, 2, -3, 0])
    assert "weight column 'w' of t.csv is -3 in line 4" in refused(
        "fit", path, "--target", "y", "--weight", "w"
    )
    path = write_csv(tmp_path / "t.csv", x=[1], y=[2])
    assert "--test-fraction 0" in refused("fit", path, "--target", "y")
    path = write_csv(tmp_path / "t.csv", x=["a"] * 4, y=[1, 2, 3, 4.5])
    assert "every column of t.csv holds one single word" in refused("fit", path, "--target", "y", "--one-hot")


def test_wrong_files(houses, tmp_path, run, refused):
    missing = tmp_path / "nothing"
    assert f"{missing}: No such file" in refused("fit", missing, "--target", "y")
    assert f"{missing}: No such file" in refused("inspect", missing)
    assert "is not a ridgeline model file" in refused("inspect", houses)
    assert "is not a ridgeline model file" in refused("predict", houses, houses)
    model = tmp_path / "m.rl"
    run("fit", houses, "--target", "price", "--out", model)
    model.write_bytes(model.read_bytes()[:-5])
    assert "is cut short" in refused("predict", model, houses)
    model_file.save(ridgeline.Ridge().fit(SIZE[:, None], PRICE), model)
    assert "it was saved from Python" in refused("predict", model, houses)


def test_wrong_tables_to_predict(houses, tmp_path, run, refused):
    model = tmp_path / "m.rl"
    run("fit", houses, "--target", "price", "--out", model)
    other = write_csv(tmp_path / "other.csv", size=SIZE)
    assert "other.csv has no column 'age'" in refused("predict", model, other)
    other = write_csv(tmp_path / "other.csv", size=["big", "small"], age=[1, 2])
    assert "column 'size' of other.csv holds text, 'big' in line 2" in refused("predict", model, other)
    assert "--proba asks for probabilities" in refused("predict", model, houses, "--proba")
    assert "No such file" in refused("predict", model, houses, "--out", tmp_path / "no" / "p.csv")


def test_a_target_that_the_model_cannot_know_is_not_scored(cities, tmp_path, run):
    model = tmp_path / "m.rl"
    run("fit", cities, "--target", "kind", "--drop", "weight,city", "--out", model)
    assert "accuracy" in run("predict", model, cities)[1]
    other = write_csv(tmp_path / "other.csv", price=PRICE, size=SIZE, kind=np.where(SIZE > 100, "large", "cheap"))
    out, err = run("predict", model, other)
    assert out.count("\n") == N + 1 and err == ""


def test_notes_of_another_model_are_refused(houses, tmp_path, run, refused):
    """Their columns, words and deviations must be as many as the model has coefficients."""
    model = tmp_path / "m.rl"
    run("fit", houses, "--target", "price", "--out", model)
    saved = model_file.read(model)
    for change in ({"deviation": [1.0]}, {"columns": ["size"]}, {"categories": {"size": ["s", "m", "l"]}}):
        model_file.save(saved.model, model, notes={**saved.notes, **change})
        assert "not the columns of its table" in refused("predict", model, houses)


def test_a_fit_that_cannot_be_saved_says_so(houses, tmp_path, run):
    _, err = run("fit", houses, "--target", "price", "--out", tmp_path / "no" / "m.rl", code=2)
    assert err.count("\n") == 1 and "No such file" in err


def test_parquet_gives_the_same_report_as_csv(houses, tmp_path, run):
    pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "houses.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"size": SIZE, "age": AGE, "price": PRICE}), path)
    out, _ = run("fit", path, "--target", "price")
    assert out.replace("houses.parquet", "houses.csv") == run("fit", houses, "--target", "price")[0]


def start(*arguments):
    command = [sys.executable, "-m", "ridgeline", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


def test_as_a_user_runs_it(cities, tmp_path):
    model = tmp_path / "m.rl"
    fit = start("fit", cities, "--target", "kind", "--drop", "city", "--out", model)
    assert fit.returncode == 0 and fit.stderr == "" and "proven optimal" in fit.stdout
    predict = start("predict", model, cities, "--proba")
    assert predict.returncode == 0 and predict.stdout.count("\n") == N + 1
    assert start("inspect", model).returncode == 0
    wrong = start("fit", cities, "--target", "sort")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
    assert wrong.stderr.startswith("ridgeline: error: cities.csv has no target column 'sort'")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_reader_that_leaves_early_is_no_error(houses, tmp_path):
    model = tmp_path / "m.rl"
    assert start("fit", houses, "--target", "price", "--out", model).returncode == 0
    many = write_csv(tmp_path / "many.csv", size=np.tile(SIZE, 100), age=np.tile(AGE, 100))
    shell = f"'{sys.executable}' -m ridgeline predict '{model}' '{many}' | head -1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "prediction\n" and done.stderr == ""
