"""NIST's certified standard errors, residual standard deviations and R^2 (StRD, public domain)."""

import numpy as np
import pytest

from ridgeline import LinearRegression, Moments, Ridge
from ridgeline.statistics import linear_inference
from tests.estimators.nist import longley, norris, wampler1
from tests.reference import cases, digits, powers
from tests.statistics.twins import exact_statistics

LONGLEY_SE = [
    890420.383607373, 84.9149257747669, 0.334910077722432e-01, 0.488399681651699, 0.214274163161675, 0.226073200069370,
    455.478499142212,
]  # fmt: skip
LONGLEY_SD, LONGLEY_R2 = 304.854073561965, 0.995479004577296
NORRIS_SE, NORRIS_SD = [0.232818234301152, 0.429796848199937e-03], 0.884796396144373


def test_longley_and_norris_as_certified():
    X, y, _ = longley()
    table = LinearRegression().fit(X, y).summary()
    assert digits(table.standard_error, LONGLEY_SE) >= 12
    assert digits(table.residual_sd, LONGLEY_SD) >= 12
    assert digits(table.r2, LONGLEY_R2) >= 12
    X, y, _ = norris()
    table = LinearRegression().fit(X, y).summary(X, y)
    assert digits(table.standard_error, NORRIS_SE) >= 12
    assert digits(table.residual_sd, NORRIS_SD) >= 12


def test_an_exact_polynomial_has_no_error_and_says_so():
    X, y, _ = wampler1()
    table = LinearRegression().fit(X, y).summary()
    assert table.residual_sd < 1e-20
    assert table.standard_error.max() < 1e-20
    assert any("exact" in note for note in table.notes)


@pytest.mark.parametrize("case", cases("nist"))
@pytest.mark.parametrize("rows", ["kept", "passed", "moments", "pieces"])
def test_all_sets(case, rows):
    X, y, intercept = powers(case), np.array(case["y"], float), bool(case["intercept"])
    se, sd, r2 = exact_statistics(X, y, intercept)
    if rows == "moments":
        table = LinearRegression(fit_intercept=intercept).fit_moments(Moments.of(X, y, precision="extended")).summary()
    elif rows == "pieces":
        half = len(y) // 2
        moments = Moments.of(X[:half], y[:half], precision="extended") + Moments.of(X[half:], y[half:], precision="extended")
        table = LinearRegression(fit_intercept=intercept).fit_moments(moments).summary(X, y)
    else:
        model = Ridge(alpha=0, fit_intercept=intercept).fit(X, y)
        table = model.summary() if rows == "kept" else model.summary(X, y)
    assert digits(table.r2, r2) >= 12
    if not float(case["certified_rsd"]):  # Wampler's polynomials without noise: from moments, what is left is rounding of 1e13
        assert np.abs(table.standard_error - se).max() < (1e-9 if rows == "moments" else 1e-20)
        return
    assert digits(table.standard_error, se) >= 12
    assert digits(table.residual_sd, sd) >= 12
    # the certified digits are those of decimal data, which Filip's powers in double are not
    if case["name"] != "Filip":
        assert digits(table.standard_error, case["certified_se"]) >= 12


@pytest.mark.parametrize("precision", ["double", "extended"])
def test_linear_inference_of_several_targets(precision):
    X, y, _ = longley()
    both = linear_inference(Moments.of(X, np.column_stack([y, y**2]), precision=precision))
    for k, target in enumerate((y, y**2)):
        one = linear_inference(Moments.of(X, target, precision=precision))
        np.testing.assert_allclose(both.coef_se[k], one.coef_se[0], rtol=1e-9)
        np.testing.assert_allclose(both.residual_sd[k], one.residual_sd[0], rtol=1e-9)
    assert digits(np.append(both.intercept_se[0], both.coef_se[0]), LONGLEY_SE) >= (14 if precision == "extended" else 9)
