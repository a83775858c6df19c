"""Quantile regression on cases with answers by hand, and Longley's least absolute deviations against 40 digits."""

from __future__ import annotations

import numpy as np
import pytest

from ridgeline import QuantileRegressor
from tests.estimators import nist
from tests.reference import coefficients, digits


@pytest.mark.parametrize("quantile, expected", [(0.5, 3.0), (0.25, 2.0), (0.9, 5.0), (0.1, 1.0), (0.61, 4.0)])
def test_a_sample_quantile(quantile: float, expected: float) -> None:
    model = QuantileRegressor(quantile=quantile, alpha=0, fit_intercept=False).fit(np.ones((5, 1)), [5.0, 1.0, 4.0, 2.0, 3.0])
    assert model.coef_ == [expected]
    assert model.intercept_ == 0.0


def test_a_weighted_median() -> None:
    X, y = np.ones((5, 1)), np.arange(1.0, 6.0)
    assert QuantileRegressor(alpha=0, fit_intercept=False).fit(X, y, [1, 1, 1, 1, 5]).coef_ == [5.0]
    assert QuantileRegressor(alpha=0, fit_intercept=False).fit(X, y, [4, 1, 0.5, 1, 1]).coef_ == [1.0]


def test_a_line_through_most_points() -> None:
    model = QuantileRegressor(alpha=0).fit([[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 1.0, 2.0, 3.0, 40.0])
    assert (model.coef_, model.intercept_) == (1.0, 0.0)


def test_the_penalty_is_of_the_mean_loss() -> None:
    # x = -1, 1 and y = -3, 3, no intercept: (1/2) |3 - w| + alpha |w|, so that w = 3 for alpha < 1/2 and 0 above
    X, y = [[-1.0], [1.0]], [-3.0, 3.0]
    assert QuantileRegressor(alpha=0.49, fit_intercept=False).fit(X, y).coef_ == [3.0]
    assert QuantileRegressor(alpha=0.51, fit_intercept=False).fit(X, y).coef_ == [0.0]
    # weights that are all 7 change a mean in nothing
    assert QuantileRegressor(alpha=0.49, fit_intercept=False).fit(X, y, [7, 7]).coef_ == [3.0]


def test_a_large_penalty_leaves_the_quantile() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(11, 2)), rng.normal(size=11)
    model = QuantileRegressor(alpha=100.0).fit(X, y)
    np.testing.assert_array_equal(model.coef_, [0.0, 0.0])
    assert model.intercept_ == np.median(y)


def test_the_share_of_rows_below() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(1000, 3)), rng.normal(size=1000)
    for quantile in (0.05, 0.5, 0.8):
        model = QuantileRegressor(quantile=quantile, alpha=0).fit(X, y)
        residual = y - model.predict(X)
        # at a vertex p rows are met, and the others are split as the optimality conditions allow
        assert np.count_nonzero(residual < -1e-9) <= 1000 * quantile <= np.count_nonzero(residual < 1e-9)


@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_degenerate_data_raise_nothing(alpha: float) -> None:
    x = np.arange(6.0)[:, None]
    for y in (np.zeros(6), np.full(6, 1e10), np.repeat([0.0, 1.0], 3), 3 * x[:, 0] + 1):
        model = QuantileRegressor(alpha=alpha).fit(x, y)
        assert model.certificate_.status == "optimal"
        assert np.isfinite(model.coef_).all()


def test_longley() -> None:
    X, y, _ = nist.longley()
    exact = [
        -4356709.395521044622158179801110666395989, -7.397061207480667951974396430872729064009,
        -0.0523760173995610014200889976063900120182, -2.242200951746762092688165441170222306293,
        -1.167632064193992918840140074684170508983, -0.06849389911294703883883340699251593704841,
        2282.560346444825724797129837143586179757,
    ]  # fmt: skip
    assert digits(coefficients(QuantileRegressor(alpha=0).fit(X, y), True), exact) >= 12
