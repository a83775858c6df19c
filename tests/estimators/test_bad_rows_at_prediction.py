"""Prediction, scoring and later rows must have the columns, names and labels of the fit; the message says what differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from ridgeline import LinearRegression, LogisticRegression, Moments, Ridge, source
from tests.estimators.test_bad_input import ESTIMATORS, REGRESSORS, W, X, Y, fitted, snapshot, with_entry

METHODS: list[tuple[type, str]] = [(E, "predict") for E in ESTIMATORS] + [
    (LogisticRegression, name) for name in ("decision_function", "predict_proba", "predict_log_proba")
]


@pytest.mark.parametrize("Estimator, method", METHODS)
def test_prediction_checks_its_rows(Estimator: type, method: str) -> None:
    with pytest.raises((ValueError, AttributeError), match=f"{Estimator.__name__} instance is not fitted yet.*'fit'"):
        getattr(Estimator(), method)(X)
    predict: Callable[..., Any] = getattr(fitted(Estimator), method)
    for bad, error, message in [
        (X[:, :1], ValueError, f"X has 1 features, but {Estimator.__name__} is expecting 2 features"),
        (np.hstack([X, X]), ValueError, "X has 4 features"),
        (X[0], ValueError, r"X: Expected 2D array.*reshape\(1, -1\)"),
        (with_entry(X, (2, 1), np.nan), ValueError, "X contains NaN at row 2, column 1"),
        (with_entry(X, (2, 1), np.inf), ValueError, "X contains infinity at row 2, column 1"),
        (with_entry(X, (0, 1), "red", object), ValueError, "X holds 'red' at row 0, column 1"),
        (scipy.sparse.csr_matrix(with_entry(X, (2, 1), np.nan)), ValueError, "X contains NaN at row 2, column 1"),
        (X * 1j, ValueError, "Complex"),
        (None, ValueError, "X"),
    ]:
        with pytest.raises(error, match=message):
            predict(bad)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_score_checks_its_arguments(Estimator: type) -> None:
    model = fitted(Estimator)
    for args, message in [
        ((X, Y[:-1]), "y"),
        ((X, None), "y.*None"),
        ((X, with_entry(Y, 2, np.nan)), "y contains NaN at row 2"),
        ((X, Y, W[:-1]), "sample_weight"),
        ((X, Y, with_entry(W, 1, -1)), "sample_weight is negative at row 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.score(*args)


def test_a_label_unseen_at_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"the label 3.0 at row 5.*not there at fit.*\[0.0, 1.0\]"):
        fitted(LogisticRegression).score(X, with_entry(Y, 5, 3))
    model = LogisticRegression().fit(X, np.where(Y == 1, "yes", "no"))
    with pytest.raises(ValueError, match="the label 'maybe' at row 0"):
        model.score(X, np.array(["maybe"] + ["no"] * 5))


def test_a_label_that_a_double_would_round_to_a_class_is_none() -> None:
    """2^53 + 1 is a whole number that no double is; 2^53 is the nearest."""
    model = LogisticRegression().fit(X, np.where(Y == 1, 2.0**53, 0.0))
    assert model.score(X, np.where(Y == 1, 2**53, 0)) == model.score(X, np.where(Y == 1, 2.0**53, 0.0))
    with pytest.raises(ValueError, match="the label 9007199254740993 at row 1"):
        model.score(X, np.where(Y == 1, 2**53 + 1, 0))


class Frame:
    """The least a data frame offers: names, and itself as an array."""

    def __init__(self, array: np.ndarray, columns: list[str]) -> None:
        self.array, self.columns = array, columns

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.array.astype(dtype or self.array.dtype)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_columns_that_changed_their_names(Estimator: type) -> None:
    model = fitted(Estimator).fit(Frame(X, ["height", "width"]), Y, W)
    assert list(model.feature_names_in_) == ["height", "width"]
    for columns, message in [
        (["height", "depth"], r"during fit\. .* unseen at fit time: \['depth'\]\. .* now missing: \['width'\]\.$"),
        (["width", "height"], r"during fit\. Feature names must be in the same order as they were in fit\.$"),
        (["height", "width", "depth"], r"during fit\. .* unseen at fit time: \['depth'\]\.$"),
        (["width"], r"during fit\. .* yet now missing: \['height'\]\.$"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.predict(Frame(np.resize(X, (6, len(columns))), columns))
    np.testing.assert_array_equal(model.predict(Frame(X, ["height", "width"])), model.predict(X))
    assert not hasattr(model.fit(X, Y, W), "feature_names_in_")


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_a_constant_target_scores_one_or_zero(Estimator: type) -> None:
    model = Estimator().fit(X, np.full(6, 3.0))
    assert model.score(X, np.full(6, 3.0)) == (1.0 if (model.predict(X) == 3.0).all() else 0.0)
    assert model.score(X, np.full(6, 4.0)) == 0.0


@pytest.mark.parametrize("Estimator", [LinearRegression, Ridge])
def test_later_rows_must_fit_the_earlier(Estimator: type) -> None:
    model = Estimator().partial_fit(Frame(X, ["height", "width"]), Y)
    before = snapshot(model)
    for later, y, message in [
        (X[:, :1], Y, "X has 1 features, but .* is expecting 2"),
        (Frame(X, ["height", "depth"]), Y, "unseen at fit time"),
        (X, np.stack([Y, Y], 1), "y has 2 targets per row, but the rows so far had 1"),
        (with_entry(X, (1, 1), np.nan), Y, "X contains NaN at row 1, column 1"),
        (X, with_entry(Y, 3, np.nan), "y contains NaN at row 3"),
        (X, Y[:-1], "y has 5"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(later, y)
        assert snapshot(model) == before


@pytest.mark.parametrize("Estimator", [LinearRegression, Ridge])
def test_sources_and_moments_are_checked_too(Estimator: type) -> None:
    model = fitted(Estimator)
    before = snapshot(model)
    with pytest.raises(ValueError, match="the moments hold no rows.*Moments.of"):
        model.fit_moments(Moments(2, 1))
    bad = with_entry(X, (1, 1), np.nan)
    for chunks, message in [
        ([(X, Y), (bad, Y)], "X in chunk 1 contains NaN at row 1, column 1"),
        ([(X, Y), (bad, Y, with_entry(W, 1, 0))], "X in chunk 1 contains NaN at row 1, column 1"),
        ([(X, Y), (X, with_entry(Y, 2, np.inf))], "y in chunk 1 contains infinity at row 2"),
        ([(X, Y), (X, Y, with_entry(W, 2, -1))], "sample_weight in chunk 1 is negative at row 2"),
        ([(X, Y), (X[:, :1], Y)], r"X in chunk 1 has shape \(6, 1\), but chunk 0 had 2 columns"),
        ([(X, Y), (X, Y[:-1])], "chunk 1 has 6 rows of X, 5 of y"),
        ([(X, Y), (X, with_entry(Y, 2, "a", object))], "y in chunk 1 holds 'a' at row 2"),
        ([(X, Y), (scipy.sparse.csr_array(bad), Y)], "X in chunk 1 contains NaN at row 1, column 1"),
        ([], "the chunks hold no rows"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            model.fit_source(source(lambda chunks=chunks: chunks))
        assert snapshot(model) == before
    once = source(iter([(X, Y)]))
    model.fit_source(once)
    with pytest.raises(TypeError, match="only once.*lambda.*spool=True"):
        model.fit_source(once)
    before = snapshot(model)
    for rows in [(bad, Y), (bad, Y, with_entry(W, 1, 0))]:
        with pytest.raises(ValueError, match="X contains NaN at row 1, column 1"):
            Moments.of(*rows)
        with pytest.raises(ValueError, match="X contains NaN at row 1, column 1"):
            model.fit_source(source(*rows))
    assert snapshot(model) == before
