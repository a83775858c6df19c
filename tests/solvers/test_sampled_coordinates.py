"""Coordinates from a sample: a read less, and the same optimum whatever the other rows hold."""

import numpy as np
import pytest
from scipy import sparse

from ridgeline import LogisticRegression
from ridgeline.objective import Objective, OutOfRange
from ridgeline.pointwise import LOGISTIC, SoftmaxLoss
from ridgeline.solvers.newton import SAMPLES
from ridgeline.solvers.select import posed
from ridgeline.sources import ArraySource, source

from .test_few_labels import mean_risk

N, D = 31_000, 6
STRIDE = SAMPLES[0]


def rows(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) * 10.0 ** rng.integers(-2, 3, D) + 5
    z = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=D)
    return X, (z + rng.logistic(size=N) > 0.5).astype(float)


def from_sample(X, y, weight=None):
    return Objective.from_sample(ArraySource(X, y, np.empty(0) if weight is None else weight), LOGISTIC, 1.0, True, STRIDE)


def assert_optimal(model, X, y, s=None):
    """By a gradient in extended precision, in columns brought to unit range."""
    range_of = np.maximum(np.abs(X).max(axis=0), 1)
    _, gradient = mean_risk(X, y, np.ones(len(y)) if s is None else s, model.coef_[0], model.intercept_[0], 1 / model.C)
    assert (np.abs(gradient) / np.append(range_of, 1) <= 1e-8).all()
    assert model.certificate_.status == "optimal"


@pytest.mark.parametrize("weights", [False, True])
def test_the_first_expansion_finds_the_reach_of_all_rows(weights):
    X, y = rows()
    weight = (np.arange(N) % 5 > 0) * 2.0 if weights else None
    X[5 * np.arange(1, 9)] += 20  # rows without weight, where there are weights
    F = from_sample(X, y, weight)
    assert not F.ranged and F.rows == N and F.weight == (N if weight is None else weight.sum())
    before = F.reach.copy()
    point = F.expand(np.full(F.size, 0.1), 1)
    assert F.ranged
    used = X if weight is None else X[weight > 0]
    Z = (used - F.coordinates.center) * F.coordinates.scale
    np.testing.assert_allclose(F.reach[:D], np.abs(Z).max(axis=0), rtol=1e-12)
    assert (F.reach >= before).all()
    again = F.expand(point.theta, 1)
    np.testing.assert_array_equal(again.gradient, point.gradient)


def test_a_read_less_and_the_same_optimum():
    X, y = rows(1)
    model = LogisticRegression().fit(X, y)
    assert_optimal(model, X, y)
    exact = Objective(ArraySource(X, y), LOGISTIC, 1.0, True)
    assert posed(ArraySource(X, y), LOGISTIC, 1.0, True).source.reads < exact.source.reads == 1


@pytest.mark.parametrize("entry", [1e3, 1e5, 1e6])
@pytest.mark.parametrize("row", [STRIDE * 4, STRIDE * 4 + 1])
def test_an_entry_far_out_inside_the_sample_or_not(row, entry):
    X, y = rows(2)
    X[row, 2] = entry
    model = LogisticRegression().fit(X, y)
    assert_optimal(model, X, y)


def test_a_column_that_the_sample_does_not_see():
    X, y = rows(3)
    X[:, 1] = 0
    X[STRIDE * np.arange(1, 400) + 1, 1] = 1
    X[STRIDE * np.arange(1, 100) + 2, 3] = 1e6
    model = LogisticRegression().fit(X, y)
    assert_optimal(model, X, y)


def test_columns_beyond_the_sample_are_told():
    X, y = rows(4)
    X[7, 0] = 1e8
    F = from_sample(X, y)
    with pytest.raises(OutOfRange):
        F.expand(np.zeros(F.size), 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [STRIDE * 3, 8])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_what_is_not_finite_is_named(row, bad, weight):
    X, y = rows(5)
    X[row, 4] = bad
    s = np.ones(N)
    s[row] = weight
    with pytest.raises(ValueError, match=rf"X contains .* at row {row}, column 4"):
        LogisticRegression().fit(X, y, sample_weight=s)


def test_a_sample_without_weight_decides_nothing():
    X, y = rows(6)
    s = np.ones(N)
    s[::STRIDE] = 0
    assert from_sample(X, y, s).ranged
    model = LogisticRegression().fit(X, y, sample_weight=s)
    assert_optimal(model, X, y, s)


def test_the_time_limit_holds_before_the_first_point_too():
    X, y = rows(7)
    X[9, 0] = 1e9
    with pytest.warns(match="time_limit"):
        model = LogisticRegression(time_limit=1e-9).fit(X, y)
    assert model.certificate_.status == "stopped_early" and np.isfinite(model.coef_).all()


@pytest.mark.parametrize("few", ["rows", "stored", "classes", "chunks"])
def test_others_are_read_for_their_ranges(few):
    X, y = rows(8)
    rows_of = ArraySource(X, y)
    loss = SoftmaxLoss(3) if few == "classes" else LOGISTIC
    if few == "rows":
        rows_of = ArraySource(X[:3000], y[:3000])
    if few == "stored":
        rows_of = source(sparse.csr_array(X), y)
    if few == "chunks":
        rows_of = source(lambda: iter([(X, y)]))
    assert posed(rows_of, loss, 1.0, True).ranged
