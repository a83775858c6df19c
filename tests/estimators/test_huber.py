"""Huber regression on cases with answers by hand, and Longley's data against 40 digits."""

from __future__ import annotations

import numpy as np
import pytest

from ridgeline import HuberRegressor, LinearRegression
from ridgeline.objective import Objective
from ridgeline.pointwise import SQUARED
from ridgeline.solvers.robust import least_squares_start
from ridgeline.sources import ArraySource
from tests.estimators import nist
from tests.reference import coefficients, digits

ONE = np.ones((4, 1))


@pytest.mark.parametrize(
    "delta, alpha, expected",
    [
        # w = mean of clipped residuals' targets: (0 - w) + (1 - w) + (2 - w) + delta = alpha w
        (2.0, 0.0, 5 / 3),
        (2.0, 1.0, 5 / 4),
        # -1 + (1 - w) + (2 - w) + 1 = 0: the row y = 0 is an outlier too
        (1.0, 0.0, 3 / 2),
        # nothing is an outlier: the mean
        (100.0, 0.0, 33 / 4),
    ],
)
def test_location_by_hand(delta: float, alpha: float, expected: float) -> None:
    model = HuberRegressor(delta=delta, alpha=alpha, fit_intercept=False).fit(ONE, [0.0, 1.0, 2.0, 30.0])
    np.testing.assert_allclose(model.coef_, [expected], rtol=1e-14)
    assert (model.intercept_, model.scale_) == (0.0, 1.0)
    np.testing.assert_array_equal(model.outliers_, np.abs(np.array([0, 1, 2, 30]) - expected) > delta)


def test_weights_by_hand() -> None:
    # 2 (0 - w) + (1 - w) + (2 - w) + 3 * 2 = 0
    model = HuberRegressor(delta=2.5, alpha=0, fit_intercept=False).fit(ONE, [0.0, 1.0, 2.0, 30.0], [2, 1, 1, 2.4])
    np.testing.assert_allclose(model.coef_, [9 / 4], rtol=1e-14)


def test_scale_by_hand() -> None:
    # w = 0 by symmetry; sum min((r / sigma)^2, epsilon^2) = n: 2 / sigma^2 + 2 epsilon^2 = 4
    model = HuberRegressor(epsilon=1.35, alpha=0, fit_intercept=False).fit(ONE, [-1.0, 1.0, -100.0, 100.0])
    np.testing.assert_allclose(model.coef_, [0.0], atol=1e-12)
    assert model.scale_ == pytest.approx(np.sqrt(2 / (4 - 2 * 1.35**2)), rel=1e-12)
    np.testing.assert_array_equal(model.outliers_, [False, False, True, True])


def test_a_large_threshold_is_least_squares() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)), rng.standard_cauchy(size=50)
    for delta in (1e6, 1e100, 1e300):
        model = HuberRegressor(delta=delta, alpha=0).fit(X, y)
        np.testing.assert_allclose(coefficients(model, True), coefficients(LinearRegression().fit(X, y), True), rtol=1e-12)
        assert not model.outliers_.any()


def test_one_wild_row_does_no_harm() -> None:
    x = np.arange(20.0)[:, None]
    y = 2 * x[:, 0] + 1 + np.tile([0.1, -0.1], 10)
    clean = HuberRegressor(delta=0.2, alpha=0).fit(x[:-1], y[:-1])
    for wild in (1e3, 1e8, 1e15):
        model = HuberRegressor(delta=0.2, alpha=0).fit(x, np.append(y[:-1], wild))
        assert abs(model.coef_[0] - clean.coef_[0]) < 0.02
        assert model.certificate_.status == "optimal"
        scaled = HuberRegressor(alpha=0).fit(x, np.append(y[:-1], wild))
        assert abs(scaled.coef_[0] - clean.coef_[0]) < 0.02
        assert 0.05 < scaled.scale_ < 0.2
        assert scaled.certificate_.status == "optimal"


def test_the_scale_of_a_perfect_fit_is_in_units_of_the_targets() -> None:
    """It is a floor of rounding, since the best scale is zero."""
    X = np.arange(8.0)[:, None]
    small, large = (HuberRegressor(alpha=0).fit(X, unit * (3 * X[:, 0] + 1)) for unit in (1.0, 2.0**20))
    assert 0 < small.scale_ < 1e-10
    assert large.scale_ == 2.0**20 * small.scale_


@pytest.mark.parametrize("parameters", [{"delta": 1.0}, {"delta": 1e-8}, {}])
def test_perfect_and_degenerate_data_raise_nothing(parameters: dict[str, float]) -> None:
    x = np.arange(6.0)[:, None]
    for X, y in [
        (x, 3 * x[:, 0] + 1),
        (x, np.zeros(6)),
        (x, np.full(6, 1e10)),
        (x[:2], np.array([1.0, 2.0])),
        (x[:3] * 1e-30, np.array([1.0, 2.0, 3.0])),
    ]:
        model = HuberRegressor(alpha=0, **parameters).fit(X, y)
        slope = (y[1] - y[0]) / (X[1, 0] - X[0, 0])
        np.testing.assert_allclose(model.predict(X), y, atol=1e-9 * np.abs(y).max())
        np.testing.assert_allclose(model.coef_, [slope], rtol=1e-9, atol=1e-9 * np.abs(y).max())
        assert model.certificate_.status == "optimal"


def test_a_single_row() -> None:
    for parameters in ({"delta": 1.0}, {}):
        model = HuberRegressor(alpha=1e-4, **parameters).fit([[3.0]], [5.0])
        np.testing.assert_allclose([*model.coef_, model.intercept_], [0.0, 5.0], atol=1e-12)


LONGLEY_FIXED = [
    -4154263.716231306805750785657426430609073, -8.389953944830447197095690610200979831808,
    -0.04869636928609107375204088333042313393778, -2.177620038542716440658066964628527273778,
    -1.133136462394223470858878373664206027095, -0.0557754520329752777781070358401597383812,
    2177.388676299707751208332600095068297521,
]  # fmt: skip
LONGLEY_SCALED = [
    -4019044.469518620969576808408958258915837, -8.879536521401577312615053520917840680101,
    -0.04490575536867851525980101794486001142946, -2.119672900370496909072714137716364487824,
    -1.113567394853052614583604848380294057992, -0.06770367512869299079936785629813729349116,
    2108.075627858344200741921171285824949194,
]  # fmt: skip


def test_longley() -> None:
    X, y, _ = nist.longley()
    assert digits(coefficients(HuberRegressor(delta=61.872691, alpha=0).fit(X, y), True), LONGLEY_FIXED) >= 10
    scaled = HuberRegressor(epsilon=1.35, alpha=0.0001).fit(X, y)
    assert digits(coefficients(scaled, True), LONGLEY_SCALED) >= 10
    assert digits(scaled.scale_, 48.03463398988159133894577349860390985759) >= 10


def test_targets_that_no_column_explains_start_from_zero_where_rounding_makes_the_fit_worse() -> None:
    """The residuals of another fit, and a share of 1e-9 of a column: least squares gains less than sums of squares round."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(50, 3))
        Z = np.column_stack([X, np.ones(50)])
        y = rng.normal(size=50)
        y += 1e-9 * X[:, 0] - Z @ np.linalg.lstsq(Z, y, rcond=None)[0]
        squares = Objective(ArraySource(X, y), SQUARED, 0.0, True)
        _, theta, rms = least_squares_start(squares)
        assert squares.expand(theta, 0).value <= squares.expand(np.zeros(4), 0).value
        assert rms == pytest.approx(np.sqrt((y**2).mean()), rel=1e-12)
