"""Logistic regression on cases with answers by hand: groups, symmetry, separation; and Spector and Mazzeo's published fit."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ridgeline import LogisticRegression, LogisticRegressionCV, source
from ridgeline.certificate import NO_FINITE_OPTIMUM, OPTIMAL, FitWarning
from tests.reference import digits

# two groups: 1 of 4 positive where x = 0, 3 of 5 where x = 1
GROUPS_X = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1.0])[:, None]
GROUPS_Y = np.array([1, 0, 0, 0, 1, 1, 1, 0, 0])

SPECTOR_GPA = [
    2.66, 2.89, 3.28, 2.92, 4, 2.86, 2.76, 2.87, 3.03, 3.92, 2.63, 3.32, 3.57, 3.26, 3.53, 2.74, 2.75,
    2.83, 3.12, 3.16, 2.06, 3.62, 2.89, 3.51, 3.54, 2.83, 3.39, 2.67, 3.65, 4, 3.1, 2.39,
]  # fmt: skip
SPECTOR_TUCE = [
    20, 22, 24, 12, 21, 17, 17, 21, 25, 29, 20, 23, 23, 25, 26, 19, 25, 19, 23, 25, 22, 28, 14, 26, 24,
    27, 17, 24, 21, 23, 21, 19,
]  # fmt: skip
SPECTOR_PSI = [0] * 18 + [1] * 14
SPECTOR_GRADE = [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1]


def test_two_groups_have_their_own_log_odds() -> None:
    model = LogisticRegression(C=np.inf).fit(GROUPS_X, GROUPS_Y)
    np.testing.assert_allclose(model.intercept_, [np.log(1 / 3)], rtol=1e-14)
    np.testing.assert_allclose(model.coef_, [[np.log(3 / 2) - np.log(1 / 3)]], rtol=1e-14)
    np.testing.assert_allclose(model.predict_proba([[0.0], [1.0]]), [[3 / 4, 1 / 4], [2 / 5, 3 / 5]], rtol=1e-14)
    np.testing.assert_allclose(model.predict_log_proba([[0.0]]), np.log([[3 / 4, 1 / 4]]), rtol=1e-14)
    np.testing.assert_array_equal(model.predict([[0.0], [1.0]]), [0, 1])
    assert model.score(GROUPS_X, GROUPS_Y) == 6 / 9
    assert model.score(GROUPS_X, GROUPS_Y, [4, 0, 0, 0, 1, 0, 0, 0, 0]) == 1 / 5
    with pytest.warns(FutureWarning, match="'penalty' was deprecated.*C=inf"):
        same = LogisticRegression(penalty=None).fit(GROUPS_X, GROUPS_Y)
    np.testing.assert_array_equal(same.coef_, model.coef_)


def test_three_classes_in_two_groups() -> None:
    # counts of a, b, c: 1, 2, 3 where x = 0 and 4, 2, 1 where x = 1
    X = np.repeat([0.0, 1.0], [6, 7])[:, None]
    y = np.array(list("abbccc" + "aaaabbc"))
    model = LogisticRegression(C=np.inf).fit(X, y)
    low, high = np.log([1, 2, 3]), np.log([4, 2, 1])
    np.testing.assert_allclose(model.intercept_, low - low.mean(), rtol=1e-13)
    np.testing.assert_allclose(model.coef_[:, 0], (high - high.mean()) - (low - low.mean()), rtol=1e-13)
    np.testing.assert_allclose(model.predict_proba([[1.0]]), [[4 / 7, 2 / 7, 1 / 7]], rtol=1e-13)
    assert list(model.predict([[0.0], [1.0]])) == ["c", "a"]
    assert model.decision_function(X).shape == (13, 3)


@pytest.mark.parametrize("w", [1e-6, 0.5, 2.0, 20.0])
def test_a_penalty_by_hand(w: float) -> None:
    # x = -1, 1 with y = 0, 1: 2 log(1 + exp(-w)) + w^2 / (2 C) is least where C = w (1 + exp(w)) / 2
    model = LogisticRegression(C=w * (1 + np.exp(w)) / 2, fit_intercept=False).fit([[-1.0], [1.0]], [0, 1])
    np.testing.assert_allclose(model.coef_, [[w]], rtol=1e-13)
    np.testing.assert_array_equal(model.intercept_, [0.0])


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_a_class_without_weight_has_no_finite_intercept(solver: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = (X @ rng.normal(size=(4, 3))).argmax(axis=1)
    with pytest.warns(FitWarning, match=r"No row of class 2 has weight.*\(1 of 3\), or fit with fit_intercept=False"):
        model = LogisticRegression(class_weight={2: 0.0}, solver=solver).fit(X, y)
    assert model.certificate_.status == NO_FINITE_OPTIMUM
    others = LogisticRegression(C=2.0).fit(X[y < 2], y[y < 2])  # whose penalty counts a difference of two coefficients as one
    np.testing.assert_allclose(model.predict_proba(X), np.column_stack([others.predict_proba(X), 0 * X[:, 0]]), atol=1e-6)
    free = LogisticRegression(class_weight={2: 0.0}, fit_intercept=False, solver=solver).fit(X, y)
    assert free.certificate_.status == OPTIMAL
    search = LogisticRegressionCV(Cs=[1.0], cv=2, class_weight={2: 0.0}, l1_ratios=(0.0,), use_legacy_attributes=False)
    with pytest.warns(FitWarning, match="No row of class 2 has weight"):
        search.fit(X, y)
    with pytest.warns(FitWarning, match="No row of class 2 has weight"):
        LogisticRegression(solver=solver).fit_source(source(X, y, (y < 2).astype(float)))


def test_class_weights_multiply_sample_weights() -> None:
    base = LogisticRegression(C=2.0)
    by_class = LogisticRegression(C=2.0, class_weight={0: 1.0, 1: 3.0}).fit(GROUPS_X, GROUPS_Y)
    by_row = base.fit(GROUPS_X, GROUPS_Y, np.where(GROUPS_Y == 1, 3.0, 1.0))
    np.testing.assert_array_equal(by_class.coef_, by_row.coef_)
    balanced = LogisticRegression(C=np.inf, class_weight="balanced").fit(GROUPS_X, GROUPS_Y)
    # n / (2 count): 9/8 for the 4 ones, 9/10 for the 5 zeros: odds 1/3 and 3/2 are multiplied by 5/4
    np.testing.assert_allclose(balanced.intercept_, [np.log(1 / 3 * 5 / 4)], rtol=1e-14)


@pytest.mark.parametrize(
    "labels",
    [np.array(["no", "yes"]), np.array([False, True]), np.array([-1, 1]), np.array([2.0, 7.0]), np.array(["a", "b"], object),
     np.array([3, 250], np.uint8)],
    ids=["str", "bool", "int", "float", "object", "uint8"],
)  # fmt: skip
def test_labels_of_any_type(labels: np.ndarray) -> None:
    model = LogisticRegression(C=np.inf).fit(GROUPS_X, labels[GROUPS_Y])
    np.testing.assert_array_equal(model.classes_, labels)
    assert model.classes_.dtype == labels.dtype
    predicted = model.predict(GROUPS_X)
    assert predicted.dtype == labels.dtype
    np.testing.assert_array_equal(predicted, labels[GROUPS_X[:, 0].astype(int)])
    listed = LogisticRegression(C=np.inf).fit(GROUPS_X, list(labels[GROUPS_Y]))
    np.testing.assert_array_equal(listed.coef_, model.coef_)
    assert model.score(GROUPS_X, labels[GROUPS_Y]) == 6 / 9


def test_complete_separation_is_flagged() -> None:
    with pytest.warns(FitWarning, match="coefficients of column 0") as record:
        model = LogisticRegression(C=np.inf).fit([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    assert len(record) == 1
    assert model.certificate_.status == "no_finite_optimum"
    np.testing.assert_array_equal(model.predict([[-3.0], [3.0]]), [0, 1])


def test_quasi_separation_names_the_columns_that_run_off() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = (X[:, 0] + rng.logistic(size=80) > 0).astype(int)
    X[:, 2] = (y == 1) & (rng.random(80) < 0.3)  # an indicator that is set only where y = 1
    with pytest.warns(FitWarning, match="finite C") as record:
        model = LogisticRegression(C=np.inf).fit(X, y)
    assert re.findall(r"column ([\d, ]+)", str(record[0].message)) == ["2 "]
    assert LogisticRegression(C=10.0).fit(X, y).certificate_.status == "optimal"
    assert model.coef_[0, 2] > 5


def test_separation_of_one_class_of_three() -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0], [1.5], [2.5], [10.0], [11.0]])
    with pytest.warns(FitWarning):
        model = LogisticRegression(C=np.inf).fit(X, [0, 1, 0, 1, 0, 1, 2, 2])
    assert model.certificate_.status == "no_finite_optimum"


def test_spector() -> None:
    X = np.column_stack([SPECTOR_GPA, SPECTOR_TUCE, SPECTOR_PSI])
    model = LogisticRegression(C=np.inf).fit(X, SPECTOR_GRADE)
    exact = [2.8261125948893214260901887506974413, 0.09515766131790930919126799162338661, 2.3786876550933542152676534784853429]
    assert digits(model.coef_, exact) >= 12
    assert digits(model.intercept_, -13.021346858115690607009845033314834) >= 12


@pytest.mark.parametrize("classes", [2, 4])
def test_newton_and_lbfgs_agree(classes: int) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 5))
    y = (X @ rng.normal(size=(5, classes)) + 2 * rng.gumbel(size=(200, classes))).argmax(1)
    newton, lbfgs = (LogisticRegression(C=1.0, solver=solver, tol=1e-12).fit(X, y) for solver in ("newton", "lbfgs"))
    np.testing.assert_allclose(newton.coef_, lbfgs.coef_, rtol=0, atol=1e-10)
    assert "Newton" in newton.certificate_.solver
    assert "L-BFGS" in lbfgs.certificate_.solver
    np.testing.assert_allclose(newton.coef_.sum(axis=0) * (classes > 2), 0, atol=1e-13)


def test_a_negligible_penalty_leaves_softmax_determined():
    """The classes' coefficients of a column sum to zero, however little the penalty says so."""
    rng = np.random.default_rng(0)
    X = 8e8 + 1e5 * rng.normal(size=(15, 1))
    model = LogisticRegression(C=1e-2, fit_intercept=False).fit(X, np.arange(15) % 3)
    assert model.certificate_.status == "optimal"
    assert abs(model.coef_.sum()) <= 1e-15 * np.abs(model.coef_).max()


@pytest.mark.parametrize("C", [1.0, 1e3, 1e6])
def test_a_faint_penalty_on_the_gauge_does_not_keep_softmax_from_arriving(C):
    random = np.random.default_rng(0)
    scales = np.logspace(-3, 3, 6)
    X = random.normal(size=(600, 6)) * scales + 10.0
    y = ((X - 10) / scales @ random.normal(size=(6, 4)) + random.gumbel(size=(600, 4))).argmax(axis=1)
    model = LogisticRegression(C=C).fit(X, y)
    assert model.certificate_.status == "optimal" and model.n_iter_[0] < 20
    assert np.abs(model.coef_.sum(axis=0) * scales).max() < 1e-12
