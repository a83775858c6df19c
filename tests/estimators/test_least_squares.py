"""Least squares and ridge on cases small enough to check by hand, and on three NIST sets (Longley, Norris, Wampler1)."""

from __future__ import annotations

import numpy as np
import pytest

from ridgeline import LinearRegression, Moments, Ridge, source
from ridgeline.certificate import FitWarning
from tests.estimators import nist
from tests.reference import coefficients, digits


def test_a_line_through_three_points() -> None:
    model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    assert (model.coef_, model.intercept_) == (2.0, 1.0)
    assert model.predict([[10.0]]) == [21.0]
    assert model.score([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]) == 1.0
    assert model.rank_ == 1
    assert model.singular_ == pytest.approx(np.sqrt(2))  # x - 1 = (-1, 0, 1)


def test_the_best_line_by_hand() -> None:
    # x = 0, 1, 2, y = 0, 0, 3: slope = sum (x - 1)(y - 1) / sum (x - 1)^2 = 3/2, intercept 1 - 3/2
    model = LinearRegression().fit([[0], [1], [2]], [0, 0, 3])
    assert (model.coef_, model.intercept_) == (1.5, -0.5)
    # residuals 1/2, -1, 1/2 of targets about their mean -1, -1, 2: R^2 = 1 - 1.5 / 6
    assert model.score([[0], [1], [2]], [0, 0, 3]) == 0.75


def test_without_an_intercept() -> None:
    # slope = sum xy / sum x^2 = 6 / 5
    model = LinearRegression(fit_intercept=False).fit([[0], [1], [2]], [0, 0, 3])
    assert (model.coef_, model.intercept_) == (1.2, 0.0)
    assert model.singular_ == pytest.approx(np.sqrt(5))


@pytest.mark.parametrize("intercept", [True, False])
def test_singular_values_are_of_the_weighted_columns(intercept: bool) -> None:
    rng = np.random.default_rng(4)
    X, s = rng.normal(size=(30, 3)) + [5.0, 0.0, -1.0], rng.uniform(size=30)
    model = LinearRegression(fit_intercept=intercept).fit(X, X.sum(axis=1), s)
    columns = np.sqrt(s)[:, None] * (X - (s @ X / s.sum() if intercept else 0))
    np.testing.assert_allclose(model.singular_, np.linalg.svd(columns, compute_uv=False), rtol=1e-12)


def test_weights() -> None:
    # weight 2 at x = 2: means 5/4 and 3/2, Sxy = 9/2, Sxx = 11/4, Syy = 9
    model = LinearRegression().fit([[0], [1], [2]], [0, 0, 3], sample_weight=[1, 1, 2])
    repeated = LinearRegression().fit([[0], [1], [2], [2]], [0, 0, 3, 3])
    assert model.coef_ == pytest.approx(18 / 11, rel=1e-15) == repeated.coef_
    assert model.intercept_ == pytest.approx(1.5 - 18 / 11 * 1.25, rel=1e-14)
    assert model.score([[0], [1], [2]], [0, 0, 3], [1, 1, 2]) == pytest.approx(9 / 11, rel=1e-14)


def test_ridge_by_hand() -> None:
    # centred x = -1, 0, 1, y = -2, 0, 2: w = 4 / (2 + alpha), b = 3 - w
    for alpha in (0.0, 1.0, 2.0, 6.0):
        model = Ridge(alpha=alpha).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
        assert model.coef_ == pytest.approx(4 / (2 + alpha), rel=1e-15)
        assert model.intercept_ == pytest.approx(3 - 4 / (2 + alpha), rel=1e-15)


def test_the_lecture_s_two_lambdas() -> None:
    """w* = (X'X + lambda I)^-1 X'y is Ridge(lambda); the minimiser of (1/n)||y - Xw||^2 + (lambda/2)||w||^2 Ridge(n lambda / 2)."""
    rng = np.random.default_rng(0)
    X, y, lam = rng.normal(size=(20, 3)), rng.normal(size=20), 0.7
    closed = np.linalg.solve(X.T @ X + lam * np.eye(3), X.T @ y)
    np.testing.assert_allclose(Ridge(alpha=lam, fit_intercept=False).fit(X, y).coef_, closed, rtol=1e-13)
    w = Ridge(alpha=20 * lam / 2, fit_intercept=False).fit(X, y).coef_
    np.testing.assert_allclose((2 / 20) * X.T @ (X @ w - y) + lam * w, 0, atol=1e-15)


def test_the_intercept_is_not_penalised() -> None:
    model = Ridge(alpha=1e12).fit([[0.0], [1.0], [2.0]], [101.0, 103.0, 105.0])
    assert model.coef_ == pytest.approx(0, abs=1e-11)
    assert model.intercept_ == pytest.approx(103)


def test_one_penalty_per_target() -> None:
    X, Y = [[0.0], [1.0], [2.0]], [[1.0, 1.0], [3.0, 3.0], [5.0, 5.0]]
    model = Ridge(alpha=[0.0, 2.0]).fit(X, Y)
    np.testing.assert_allclose(model.coef_, [[2.0], [1.0]], rtol=1e-15)
    np.testing.assert_allclose(model.intercept_, [1.0, 2.0], rtol=1e-15)
    assert model.predict(X).shape == (3, 2)
    assert LinearRegression().fit(X, np.array(Y)[:, :1]).coef_.shape == (1, 1)


def test_a_constant_column_has_no_coefficient_and_is_named() -> None:
    with pytest.warns(FitWarning, match="rank 1, not 2 .columns 1 .*Ridge with alpha > 0"):
        model = LinearRegression().fit([[0.0, 7.0], [1.0, 7.0], [2.0, 7.0]], [1.0, 3.0, 5.0])
    assert model.certificate_.status == "rank_deficient"
    np.testing.assert_allclose(model.coef_, [2.0, 0.0], atol=1e-15)
    assert model.rank_ == 1


def test_dependent_columns_give_the_smallest_solution() -> None:
    x = np.array([0.0, 1.0, 2.0, 5.0])
    with pytest.warns(FitWarning, match="rank 1"):
        model = LinearRegression().fit(np.stack([x, 2 * x], 1), 5 * x + 1)
    np.testing.assert_allclose(model.coef_, [1.0, 2.0], rtol=1e-14)  # w1 + 2 w2 = 5, |w| smallest
    assert model.intercept_ == pytest.approx(1.0)


def test_fewer_rows_than_columns() -> None:
    with pytest.warns(FitWarning, match="smallest of the"):
        model = LinearRegression(fit_intercept=False).fit([[3.0, 4.0]], [5.0])
    np.testing.assert_allclose(model.coef_, [0.6, 0.8], rtol=1e-15)
    # (X'X + alpha I)^-1 X'y = x y / (|x|^2 + alpha)
    np.testing.assert_allclose(Ridge(alpha=25.0, fit_intercept=False).fit([[3.0, 4.0]], [5.0]).coef_, [0.3, 0.4], rtol=1e-15)


def test_one_row_is_predicted() -> None:
    model = Ridge(alpha=1.0).fit([[3.0, 4.0]], [5.0])
    np.testing.assert_array_equal(model.coef_, [0.0, 0.0])
    assert model.intercept_ == 5.0


@pytest.mark.parametrize("name", ["longley", "norris", "wampler1"])
def test_nist(name: str) -> None:
    X, y, exact = getattr(nist, name)()
    assert digits(coefficients(LinearRegression().fit(X, y), True), exact) >= 13
    parts = Moments.of(X[::2], y[::2], precision="extended") + Moments.of(X[1::2], y[1::2], precision="extended")
    assert digits(coefficients(LinearRegression().fit_moments(parts), True), exact) >= 13


def test_every_way_to_the_same_fit() -> None:
    rng = np.random.default_rng(1)
    X, y, s = rng.normal(size=(90, 4)), rng.normal(size=90), rng.uniform(size=90)
    expected = coefficients(Ridge(alpha=0.5).fit(X, y, s), True)
    moments = sum((Moments.of(X[a : a + 30], y[a : a + 30], s[a : a + 30]) for a in (30, 60)), Moments.of(X[:30], y[:30], s[:30]))
    updated = Ridge(alpha=0.5)
    for a in (0, 30, 60):
        updated.partial_fit(X[a : a + 30], y[a : a + 30], s[a : a + 30])
    chunks = source(lambda: ((X[a : a + 30], y[a : a + 30], s[a : a + 30]) for a in (0, 30, 60)))
    for model in (
        Ridge(alpha=0.5).fit_moments(moments),
        Ridge(alpha=0.5).fit_moments(Moments.from_bytes(moments.to_bytes())),
        Ridge(alpha=0.5).fit_moments(moments + Moments.of(X[:5], y[:5]) - Moments.of(X[:5], y[:5])),
        Ridge(alpha=0.5).fit_source(source(X, y, s)),
        Ridge(alpha=0.5).fit_source(chunks),
        updated,
    ):
        np.testing.assert_allclose(coefficients(model, True), expected, rtol=1e-11)
