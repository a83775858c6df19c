"""What tables of coefficients refuse, in words that say what to do, and the lines and cells that only some tables have."""

import sys

import numpy as np
import pytest

from ridgeline import LinearRegression, LogisticRegression, source
from ridgeline.statistics import rows as rows_of_statistics

rng = np.random.default_rng(13)
X = rng.normal(size=(90, 2))
Y = X @ [1.0, -0.5] + rng.normal(size=90)
S = rng.uniform(0.5, 2, 90)
LABELS = (Y + rng.normal(size=90) > 0).astype(int)
GROUPS = np.arange(90) // 6


def test_the_head_tells_of_weights_and_clusters():
    facts = dict(LinearRegression().fit(X, Y, S).summary(X, Y, S).facts())
    assert facts["total weight"] == pytest.approx(S.sum()) and "clusters" not in facts
    clustered = LinearRegression().fit(X, Y).summary(X, Y, covariance="cluster", groups=GROUPS)
    facts = dict(clustered.facts())
    assert facts["clusters"] == 15 and "total weight" not in facts
    column = LinearRegression().fit(X, Y).summary(X, Y, covariance="cluster", groups=GROUPS[:, None])  # the same in a column
    assert (column.table["standard_error"] == clustered.table["standard_error"]).all()


def test_clusters_without_rows_in_a_chunk_change_nothing():
    parts = [(X[:40], np.column_stack([Y, GROUPS])[:40]), (X[:0], np.zeros((0, 2))), (X[40:], np.column_stack([Y, GROUPS])[40:])]
    model = LinearRegression().fit(X, Y)
    there = model.summary(source=source(parts), covariance="cluster")
    want = model.summary(X, Y, covariance="cluster", groups=GROUPS)
    np.testing.assert_allclose(there.table["standard_error"], want.table["standard_error"], rtol=1e-9)


def test_weights_that_count_rows_in_robust_errors_of_probabilities():
    counts = rng.integers(1, 4, 90)
    model = LogisticRegression(C=np.inf).fit(X, LABELS, counts)
    repeated = np.repeat(np.arange(90), counts)
    want = LogisticRegression(C=np.inf).fit(X[repeated], LABELS[repeated]).summary(X[repeated], LABELS[repeated], covariance="HC0")
    got = model.summary(X, LABELS, counts, covariance="HC0", weights="frequency")
    np.testing.assert_allclose(got.table["standard_error"], want.table["standard_error"], rtol=1e-6)


def test_a_table_needs_more_rows_than_coefficients():
    few, y = np.array([[0.0], [1.0]]), np.array([1.0, 3.0])
    with pytest.raises(ValueError, match="2 rows leave no degree of freedom for 1 coefficients and the intercept; standard errors"):
        LinearRegression().fit(few, y).summary(few, y)
    with pytest.raises(ValueError, match="2 rows leave no degree of freedom for 2 coefficients; standard errors need more rows"):
        table_of_two_rows()


def table_of_two_rows():
    """Two rows of both classes on both sides, by weights that count rows of which most have none."""
    X, y = np.array([[0.0], [0.0], [1.0], [1.0]]), [0, 1, 0, 1]
    weight = np.full(4, 0.5)
    LogisticRegression(C=np.inf).fit(X, y, weight).summary(X, y, weight, weights="frequency")


def test_a_table_has_room_for_so_many_columns(monkeypatch):
    monkeypatch.setattr(rows_of_statistics, "WIDE", 1)
    with pytest.raises(ValueError, match="standard errors need a matrix of all columns by all columns, and there are 2; at most 1"):
        LinearRegression().fit(X, Y).summary(X, Y, covariance="HC3")


def test_rows_and_targets_are_those_of_the_model():
    model = LinearRegression().fit(X, Y)
    with pytest.raises(ValueError, match=r"y has shape \(90, 2\), but the model has 1 target"):
        model.summary(X, np.column_stack([Y, Y]), covariance="HC3")
    with pytest.raises(ValueError, match="X has 3 features, but LinearRegression is expecting 2 features"):
        model.summary(source=source(np.column_stack([X, Y]), Y), covariance="HC3")


def test_without_an_intercept_the_line_goes_through_zero():
    model = LinearRegression(fit_intercept=False).fit(X, Y)
    table = model.summary(X, Y, covariance="HC3").table
    assert list(table["name"]) == ["x0", "x1"]
    np.testing.assert_allclose(table["coef"], np.linalg.lstsq(X, Y, rcond=None)[0], rtol=1e-10)


def test_no_columns_at_all_leave_the_mean():
    model = LinearRegression().fit_source(source([(X[:, :0], Y)]))
    summary = model.summary()
    assert summary.table["coef"][0] == pytest.approx(Y.mean())
    assert summary.table["standard_error"][0] == pytest.approx(Y.std(ddof=1) / np.sqrt(90))
    assert "rows" in str(summary)


def test_columns_that_are_not_determined_are_dashes():
    twice = np.column_stack([X, X[:, 0]])
    with pytest.warns(UserWarning):
        model = LinearRegression().fit(twice, Y)
    text = str(model.summary(twice, Y))
    (line,) = [line for line in text.splitlines() if line.startswith("x2")]
    assert line.split()[2:] == ["-"] * (len(line.split()) - 2)


def test_intervals_of_probabilities_are_not_there():
    table = LogisticRegression(C=np.inf).fit(X, LABELS).summary(X, LABELS)
    with pytest.raises(ValueError, match="intervals of predictions are there for least squares; a probability's needs another theory"):
        table.predict_interval(X)


def test_a_frame_needs_pandas(monkeypatch):
    table = LinearRegression().fit(X, Y).summary(X, Y)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_frame\(\) makes a pandas data frame; pandas is not installed"):
        table.to_frame()
