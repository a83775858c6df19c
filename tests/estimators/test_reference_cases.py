"""Fits against answers known to 35 digits: the cases of ../shared/reference, skipped where that folder is not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ridgeline import HuberRegressor, LinearRegression, LogisticRegression, Moments, QuantileRegressor, Ridge
from ridgeline.certificate import FitWarning
from tests.reference import cases, coefficients, digits, powers


def floats(values: Any) -> np.ndarray:
    return np.array(values, dtype=str).astype(float)


@pytest.mark.parametrize("case", cases("nist"))
def test_nist_in_memory(case: dict[str, Any]) -> None:
    model = LinearRegression(fit_intercept=case["intercept"]).fit(powers(case), np.array(case["y"]))
    exact = floats(case["exact_coef_for_double_vandermonde"])
    assert digits(coefficients(model, case["intercept"]), exact) >= 13


@pytest.mark.parametrize("partitions", [50, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", cases("nist"))
def test_nist_from_random_partitions_merged(case: dict[str, Any], partitions: int) -> None:
    X, y = powers(case), np.array(case["y"])
    rng = np.random.default_rng(0)
    # moments of every row by itself once; a partition merges them in random order and random groups
    parts = [Moments.of(X[i : i + 1], y[i : i + 1], precision="extended") for i in range(len(y))]
    exact = floats(case["exact_coef_for_double_vandermonde"])
    worst = 15.0
    for _ in range(partitions):
        model = LinearRegression(fit_intercept=case["intercept"]).fit_moments(merged(parts, rng))
        worst = min(worst, digits(coefficients(model, case["intercept"]), exact))
    assert worst >= 13


def merged(parts: list[Any], rng: np.random.Generator) -> Any:
    """The parts shuffled, cut at random places, each run merged, then the runs merged."""
    order = rng.permutation(len(parts))
    cuts = np.flatnonzero(rng.random(len(parts) - 1) < rng.random()) + 1
    runs = []
    for run in np.split(order, cuts):
        total = parts[run[0]].copy()
        for i in run[1:]:
            total.merge(parts[i])
        runs.append(total)
    total = runs[0]
    for run in runs[1:]:
        total = total + run
    return total


@pytest.mark.parametrize("case", cases("ridge"))
def test_ridge_at_three_alphas(case: dict[str, Any]) -> None:
    X, y = np.array(case["X"]), np.array(case["y"])
    for alpha, exact in case["coef_by_alpha_intercept_first"].items():
        model = Ridge(alpha=float(alpha), fit_intercept=case["intercept"]).fit(X, y)
        assert digits(coefficients(model, case["intercept"]), floats(exact)) >= 12, alpha


def logistic(case: dict[str, Any]) -> LogisticRegression:
    weight = case.get("sample_weight")
    return LogisticRegression(C=1 / case["l2"] if case["l2"] else np.inf).fit(
        np.array(case["X"], float), np.array(case["y"]), None if weight is None else np.array(weight)
    )


def of_kind(*kinds: str) -> list[Any]:
    return [case for case in cases("logit") if case.values[0] is None or case.values[0]["kind"] in kinds]


@pytest.mark.parametrize("case", of_kind("published", "edge"))
def test_logistic_optima(case: dict[str, Any]) -> None:
    model = logistic(case)
    exact, exact_intercept = floats(case["expected"]["coef"]), floats(case["expected"]["intercept"])
    coef, intercept = model.coef_, model.intercept_
    if len(coef) == len(exact) + 1:  # the reference fixes the first class at zero
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    assert digits(coef, exact) >= 10
    assert digits(intercept, exact_intercept) >= 10
    assert model.certificate_.status == "optimal"


@pytest.mark.parametrize("case", of_kind("diverges"))
def test_logistic_without_a_finite_optimum(case: dict[str, Any]) -> None:
    with pytest.warns(FitWarning) as record:
        model = logistic(case)
    assert len(record) == 1
    named = {int(j) for j in re.findall(r"\d+", re.search(r"columns? ([\d, ]*)", model.certificate_.message + " column ").group(1))}
    if case.get("separation"):
        assert model.certificate_.status == "no_finite_optimum"
        assert named == {j for j, _ in case["separation"]["unbounded_columns"] if j >= 0}
    else:
        # a duplicated column: the sum of its two coefficients is determined
        assert model.certificate_.status == "rank_deficient"
        assert named == {0, 3}
        together = model.coef_[0, :3] + [model.coef_[0, 3], 0, 0]
        assert digits(together, floats(case["expected_sum"]["coef"])) >= 10


@pytest.mark.parametrize("case", of_kind("must_raise"))
def test_logistic_refuses_malformed_data(case: dict[str, Any]) -> None:
    if "X_base" in case:
        base = next(other.values[0] for other in cases("logit", case["X_base"]))
        row, column, value = case["set"]
        case = base | {"X": [list(x) for x in base["X"]]}
        case["X"][row][column] = float(value)
        where = f"row {row}, column {column}"
    else:
        where = "only one class: .*0"
    with pytest.raises(ValueError, match=where):
        logistic(case)


@pytest.mark.parametrize("case", cases("robust", "*_lad"))
def test_least_absolute_deviations(case: dict[str, Any]) -> None:
    model = QuantileRegressor(alpha=0).fit(case["X"], case["y"])
    assert digits(coefficients(model, True), floats(case["coef_intercept_first"])) >= 12
    assert model.certificate_.status == "optimal"


@pytest.mark.parametrize("case", cases("robust", "*_huber_fixed"))
def test_huber_with_a_fixed_threshold(case: dict[str, Any]) -> None:
    model = HuberRegressor(delta=case["delta"], alpha=0).fit(case["X"], case["y"])
    assert digits(coefficients(model, True), floats(case["coef_intercept_first"])) >= 10
    assert np.count_nonzero(~model.outliers_) == case["n_inliers"]


@pytest.mark.parametrize("case", cases("robust", "*_huber_concomitant"))
def test_huber_with_concomitant_scale(case: dict[str, Any]) -> None:
    model = HuberRegressor(epsilon=case["epsilon"], alpha=case["alpha"]).fit(case["X"], case["y"])
    assert digits(coefficients(model, True), floats(case["coef_intercept_first"])) >= 10
    assert digits(model.scale_, float(case["scale"])) >= 10
    assert np.count_nonzero(~model.outliers_) == case["n_inliers"]
