"""Rows sorted into the pieces of Huber's loss, beside NumPy."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ridgeline.expansion import Coordinates
from ridgeline.pieces import Pieces
from ridgeline.pointwise import SoftmaxLoss
from ridgeline.sources import EMPTY, ArraySource, PickedRows, Slab, fold
from ridgeline.sparse_rows import sparse_rows

LOW, HIGH = 0.8, 1.3


def rows(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 2, 1.5 * rng.normal(size=n), rng.integers(0, 3, n).astype(float)


def numpys(X, y, s, coordinates, theta):
    """The sums, one at a time."""
    Z = np.column_stack([(X.astype(float) - coordinates.center) * coordinates.scale, np.ones(len(X))])[:, : len(theta)]
    r, s = Z @ theta - y, s if s.size else np.ones(len(X))
    inside, outside = (np.abs(r) <= LOW) & (s > 0), (np.abs(r) >= HIGH) & (s > 0)
    scatter = np.tril((s[inside, None] * np.column_stack([Z, r])[inside]).T @ np.column_stack([Z, r])[inside])
    totals = [s[inside].sum(), s[outside].sum(), (s * np.abs(r))[outside].sum()]
    slope = (s * np.sign(r))[outside] @ Z[outside]
    return totals, slope, scatter, np.flatnonzero((s > 0) & ~inside & ~outside)


@pytest.mark.parametrize("d", [0, 1, 3, 7, 8, 40])
@pytest.mark.parametrize("dtype, order", [(np.float64, "C"), (np.float64, "F"), (np.float32, "C"), (np.float32, "F")])
@pytest.mark.parametrize("weighted, ones", [(True, True), (False, True), (True, False)])
def test_beside_numpy(d, dtype, order, weighted, ones):
    X, y, s = rows(1500, d)
    X, s = np.asarray(X, dtype, order=order), s if weighted else EMPTY
    coordinates = Coordinates(np.full(d, 2.0), np.full(d, 0.5), ones)
    theta = np.random.default_rng(1).normal(size=d + ones) / (d + 1) ** 0.5
    mine = Pieces(coordinates, theta, LOW, HIGH)
    mine.add_rows(Slab(X, y, s, EMPTY))
    totals, slope, scatter, near = numpys(X, y, s, coordinates, theta)
    np.testing.assert_allclose(mine.totals, totals, rtol=1e-12)
    np.testing.assert_allclose(mine.slope, slope, atol=1e-10)
    np.testing.assert_allclose(mine.lower, scatter, atol=1e-10)
    np.testing.assert_array_equal(mine.near, near)


def test_stored_entries_are_read_as_the_dense():
    X, y, s = rows(1500, 5)
    X[X < 2] = 0
    stored = sparse_rows(csr_array(X), "X")
    coordinates, theta = Coordinates(np.full(5, 2.0), np.full(5, 0.5), True), np.full(6, 0.2)
    mine, dense = (Pieces(coordinates, theta, LOW, HIGH) for _ in range(2))
    mine.add_rows(Slab(stored, y, s, EMPTY))
    dense.add_rows(Slab(X, y, s, EMPTY))
    np.testing.assert_array_equal(mine.near, dense.near)
    np.testing.assert_allclose(mine.lower, dense.lower, atol=1e-11)
    (picked,) = (slab for segment in ArraySource(stored, y).pick(mine.near).segments() for slab in segment)
    np.testing.assert_array_equal(picked.X.toarray(), X[mine.near])


def test_any_split_gives_the_same():
    X, y, s = rows(90, 3)
    coordinates, theta = Coordinates(np.zeros(3), np.ones(3), True), np.array([0.2, 0.1, -0.3, 0.4])
    whole = Pieces(coordinates, theta, LOW, HIGH)
    whole.add_rows(Slab(X, y, s, EMPTY))
    total = Pieces(coordinates, theta, LOW, HIGH)
    for a, b in [(0, 0), (0, 20), (20, 21), (21, 90)]:
        part = Pieces(coordinates, theta, LOW, HIGH)
        part.add_rows(Slab(X[a:b], y[a:b], s[a:b], EMPTY))
        total.merge(part)
    np.testing.assert_array_equal(total.near, whole.near)
    np.testing.assert_allclose(total.lower, whole.lower, atol=1e-12)
    np.testing.assert_allclose(total.slope, whole.slope, atol=1e-12)


def test_a_residual_that_is_not_a_number_is_near():
    mine = Pieces(Coordinates(np.zeros(1), np.ones(1), False), np.ones(1), LOW, HIGH)
    mine.add_rows(Slab(np.array([[np.inf], [0.0], [1.0]]), np.array([np.inf, 0.0, 0.0]), EMPTY, EMPTY))
    np.testing.assert_array_equal(mine.near, [0, 2])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
def test_picked_rows_are_those_rows(dtype):
    X = np.arange(300).reshape(100, 3).astype(dtype)
    source = ArraySource(X, np.arange(100.0), np.arange(100) + 1.0)
    numbers = np.array([3, 7, 50, 51, 98])
    picked = source.pick(numbers)
    assert isinstance(picked, PickedRows)
    (slab,) = (slab for segment in picked.pick(np.array([1, 4])).segments() for slab in segment)
    np.testing.assert_array_equal(slab.X, X[[7, 98]])
    np.testing.assert_array_equal(slab.y, [7, 98])
    np.testing.assert_array_equal(slab.weight, [8, 99])
    assert slab.X.dtype == source.dtype and not slab.offset.size


def test_no_rows():
    source = ArraySource(np.zeros((5, 2)), np.zeros(5)).pick(np.empty(0, np.int64))
    total = fold(source, lambda: Pieces(Coordinates(np.zeros(2), np.ones(2), True), np.zeros(3), LOW, HIGH))
    assert not total.near.size and not total.totals.any()


def test_the_softmax_has_no_corner_and_no_pieces():
    loss, nothing = SoftmaxLoss(3), np.empty(0)
    assert loss.threshold(nothing) == np.inf and loss.inner(0.5) is loss
    with pytest.raises(NotImplementedError, match="the softmax has no corner"):
        loss.of_pieces(None, nothing)
