"""The words and numbers of a report."""

import numpy as np
import pytest

import ridgeline
from ridgeline.certificate import STATUSES, Certificate
from ridgeline.report import certificate_lines, coefficient_lines, facts, loss_of, number, plural, risk_lines
from ridgeline.tables import Features

rng = np.random.default_rng(5)
X = rng.normal(size=(60, 2)) * [1.0, 100.0]
Y = X @ [2.0, 0.01] + rng.normal(size=60)
S = rng.uniform(size=60)


def test_numbers_and_counts():
    assert [number(v) for v in (3.0, 0.123456, 1e-9, 12345678.9)] == ["3", "0.1235", "1e-09", "1.235e+07"]
    assert [plural(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_long_facts_wrap_under_their_text():
    lines = facts(("label", "word " * 40))
    assert (
        len(lines) > 1
        and lines[0].startswith("label  ")
        and all(line.startswith(" " * 13) for line in lines[1:])
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (ridgeline.LinearRegression(), lambda r: r**2),
        (ridgeline.Ridge(), lambda r: r**2),
        (
            ridgeline.HuberRegressor(delta=1.5),
            lambda r: np.where(np.abs(r) <= 1.5, r**2 / 2, 1.5 * np.abs(r) - 1.5**2 / 2),
        ),
        (ridgeline.QuantileRegressor(quantile=0.8, alpha=0.0), lambda r: np.maximum(0.8 * r, -0.2 * r)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_risk_is_of_the_loss_that_was_fitted(model, expected):
    model.fit(X, Y)
    loss = expected(Y - model.predict(X))
    np.testing.assert_allclose(loss_of(model)[1](X, Y, None), loss.mean(), rtol=1e-13)
    np.testing.assert_allclose(loss_of(model)[1](X, Y, S), np.average(loss, weights=S), rtol=1e-13)


def test_the_risk_of_a_classifier_is_the_cross_entropy():
    labels = np.array(["low", "high"])[(Y > 0).astype(int)]
    model = ridgeline.LogisticRegression().fit(X, labels)
    p = model.predict_proba(X)[np.arange(60), np.searchsorted(model.classes_, labels)]
    np.testing.assert_allclose(loss_of(model)[1](X, labels, None), -np.log(p).mean(), rtol=1e-12)
    risk, accuracy = risk_lines(model, (X, labels, None), None)
    assert "cross-entropy" in risk and "gap" not in risk and accuracy.startswith("accuracy ")


def test_the_gap_is_test_less_train():
    model = ridgeline.Ridge().fit(X[:40], Y[:40])
    line = risk_lines(model, (X[:40], Y[:40], None), (X[40:], Y[40:], None))[0]
    gap = ridgeline.generalization_gap(model, X[:40], Y[:40], X[40:], Y[40:], "squared_error")
    assert f"{gap:.4g}" in line


@pytest.mark.parametrize("status", STATUSES)
def test_every_certificate_has_words(status):
    text = "\n".join(certificate_lines(Certificate(status, "a solver", 1e-9, np.inf, np.nan, 1, "Do this.")))
    assert "1 read of the data" in text and "is not known" in text and "condition nan" not in text
    assert ("Do this." in text) == (status != "optimal")


def test_coefficients_are_ordered_by_their_effect():
    model = ridgeline.Ridge().fit(X * [1.0, -1.0], Y)
    lines = coefficient_lines(model, Features(("small", "wide"), {}), X.std(axis=0))
    assert [line.split()[0] for line in lines if "  " in line] == ["column", "small", "wide", "(intercept)"]
