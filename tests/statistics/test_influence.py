"""Leverage, studentised residuals, Cook's distance and DFFITS: by leaving rows out, and whatever place the rows live in."""

import numpy as np
import pytest

from ridgeline import LinearRegression, Ridge, source
from tests.statistics.twins import Textbook

rng = np.random.default_rng(2)
N = 2500
X = rng.normal(size=(N, 3)) + [0, 50, 0]
Y = X @ [1, -1, 2] + rng.standard_t(3, size=N)
WEIGHT = rng.uniform(0.5, 2, N)


@pytest.mark.parametrize("rows", [60, N])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_each_measure_is_what_leaving_the_row_out_does(rows, weighted, intercept):
    A, y, s = X[:rows], Y[:rows], WEIGHT[:rows] if weighted else None
    found = LinearRegression(fit_intercept=intercept).fit(A, y, s).influence(A, y, s)
    twin = Textbook(A, y, s, intercept)
    np.testing.assert_allclose(found.leverage, twin.h, rtol=1e-9)
    np.testing.assert_allclose(found.residual, twin.e, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(found.leverage.sum(), twin.k, rtol=1e-12)
    assert np.array_equal(found.row, np.arange(rows))
    for i in (0, 7, rows - 1):
        others = np.arange(rows) != i
        without = Textbook(A[others], y[others], None if s is None else s[others], intercept)
        moved = twin.Z @ (twin.coef - without.coef)
        cook = twin.s @ moved**2 / (twin.k * twin.sigma**2)
        np.testing.assert_allclose(found.cooks_distance[i], cook, rtol=1e-6)
        np.testing.assert_allclose(found.dffits[i], moved[i] * np.sqrt(twin.s[i]) / (without.sigma * np.sqrt(twin.h[i])), rtol=1e-6)
        root = np.sqrt(twin.s[i]) * twin.e[i] / np.sqrt(1 - twin.h[i])
        np.testing.assert_allclose(found.studentized_internal[i], root / twin.sigma, rtol=1e-8)
        np.testing.assert_allclose(found.studentized_external[i], root / without.sigma, rtol=1e-8)


def test_a_small_fit_has_kept_its_rows():
    model = LinearRegression().fit(X[:200], Y[:200], WEIGHT[:200])
    kept, passed = model.influence(), model.influence(X[:200], Y[:200], WEIGHT[:200])
    for name, values in kept.table.items():
        assert np.array_equal(values, passed.table[name]), name


@pytest.mark.parametrize("k", [1, 5, 4000])
def test_the_largest_are_those_of_all(k):
    model = LinearRegression().fit(X, Y)
    every, some = model.influence(X, Y), model.influence(X, Y, largest=k)
    order = np.argsort(-every.cooks_distance, kind="stable")[:k]
    for name, values in every.table.items():
        assert np.array_equal(some.table[name], values[order]), name


@pytest.mark.parametrize("largest", [None, 12])
def test_chunks_are_as_good_as_arrays(largest):
    model = LinearRegression().fit(X, Y)
    chunks = source([(X[:3], Y[:3]), (X[3:1200], Y[3:1200]), (X[1200:], Y[1200:])])
    found, whole = model.influence(source=chunks, largest=largest), model.influence(X, Y, largest=largest)
    assert np.array_equal(found.row, whole.row)
    np.testing.assert_allclose(found.cooks_distance, whole.cooks_distance, rtol=1e-9)


@pytest.mark.parametrize("largest", [None, 10])
def test_same_bits_for_any_number_of_threads(largest):
    many, y = np.tile(X, (80, 1)), np.tile(Y, 80)
    one, two = (LinearRegression(n_threads=k).fit(many, y).influence(many, y, largest=largest) for k in (1, 2))
    for name in one.table:
        assert np.array_equal(one.table[name], two.table[name])


def test_a_row_of_leverage_one_and_a_row_without_weight():
    alone = np.column_stack([X[:, 0], np.arange(N) == 4])
    s = np.where(np.arange(N) == 9, 0.0, 1.0)
    found = LinearRegression().fit(alone, Y, s).influence(alone, Y, s)
    assert found.leverage[4] == pytest.approx(1, abs=1e-12)
    assert np.isnan(found.studentized_internal[4]) or abs(found.residual[4]) < 1e-9
    assert found.leverage[9] == found.cooks_distance[9] == found.studentized_internal[9] == 0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Ridge(alpha=1.0).fit(X, Y).influence(X, Y), "penalty"),
        (lambda: LinearRegression().fit(X, Y).influence(X, -Y), "not the least squares of these rows"),
        (lambda: LinearRegression().fit(X, Y).influence(), "X is missing"),
        (lambda: LinearRegression().fit(X, Y).influence(X, Y, largest=0), "largest"),
    ],
)
def test_what_cannot_be_answered_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
