"""The expansion kernels beside a NumPy twin, and each loss beside finite differences.

A loss is a row of LOSSES: the library's, its twin from (y, z) to value, slope and curvature, and its targets.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from ridgeline.expansion import Coordinates, Expansion
from ridgeline.kernels import load
from ridgeline.pointwise import ABSOLUTE, LOGISTIC, SQUARED, ScaledHuberLoss, SoftmaxLoss, huber_loss
from ridgeline.sources import EMPTY, Slab
from ridgeline.sparse_rows import sparse_rows
from ridgeline.workspace import block_rows, padded

kernels = load("expansion")

DTYPES = [np.float64, np.float32]
HESSIAN = {np.float64: 1e-12, np.float32: 2e-5}


def squared(y, z):
    r = z[:, 0] - y
    return r**2 / 2, r[:, None], np.ones((len(y), 1, 1))


def absolute(y, z):
    r = z[:, 0] - y
    return np.abs(r), np.sign(r)[:, None], np.zeros((len(y), 1, 1))


def huber(delta):
    def at(y, z):
        r = z[:, 0] - y
        inside = np.abs(r) <= delta
        value = np.where(inside, r**2 / 2, delta * np.abs(r) - delta**2 / 2)
        return value, np.clip(r, -delta, delta)[:, None], inside.astype(float)[:, None, None]

    return at


def logistic(y, z):
    z = z[:, 0]
    p = 1 / (1 + np.exp(-z))
    return np.logaddexp(0, z) - y * z, (p - y)[:, None], (p * (1 - p))[:, None, None]


def softmax(y, z):
    hot = np.eye(z.shape[1])[y] if y.ndim == 1 else y
    log_sum = np.logaddexp.reduce(z, axis=1)
    p = np.exp(z - log_sum[:, None])
    return log_sum - (hot * z).sum(1), p - hot, p[:, :, None] * (np.eye(z.shape[1]) - p[:, None, :])


def labels01(rng, n):
    return (rng.uniform(size=n) > 0.4).astype(float)


def shares(rng, n):
    y = rng.uniform(size=(n, 3))
    return y / y.sum(1, keepdims=True)


@dataclass(frozen=True)
class Row:
    name: str
    loss: Any
    twin: Any
    targets: Any
    shared: tuple = ()

    def __str__(self):
        return self.name


LOSSES = [
    Row("squared", SQUARED, squared, lambda rng, n: rng.normal(size=n)),
    Row("huber", huber_loss(0.7), huber(0.7), lambda rng, n: rng.normal(size=n)),
    Row("logistic", LOGISTIC, logistic, labels01),
    Row("logistic, soft", LOGISTIC, logistic, lambda rng, n: rng.uniform(size=n)),
    Row("softmax of 2", SoftmaxLoss(2), softmax, lambda rng, n: rng.integers(0, 2, n)),
    Row("softmax, codes", SoftmaxLoss(3), softmax, lambda rng, n: rng.integers(0, 3, n)),
    Row("softmax, soft", SoftmaxLoss(3), softmax, shares),
    Row("absolute", ABSOLUTE, absolute, lambda rng, n: rng.normal(size=n)),
    Row("scaled huber", ScaledHuberLoss(1.35), None, lambda rng, n: rng.normal(size=n), (0.8,)),
]
each_loss = pytest.mark.parametrize("row", LOSSES, ids=str)


def problem(row, n, d, dtype=np.float64, weights=True, offsets=True, intercept=True, seed=0):
    rng = np.random.default_rng(seed)
    c = row.loss.outputs
    s = rng.uniform(size=n) * (rng.uniform(size=n) > 0.2) if weights else EMPTY
    shape = (n, c) if isinstance(row.loss, SoftmaxLoss) else n
    o = rng.normal(size=shape) if offsets and not row.shared else EMPTY
    slab = Slab((rng.normal(size=(n, d)) + 2).astype(dtype), row.targets(rng, n), s, o)
    coordinates = Coordinates(rng.normal(size=d) + 2, 2.0 ** rng.integers(-1, 2, d), intercept)
    return slab, coordinates, np.append(rng.normal(size=c * coordinates.width) / max(d, 1) ** 0.5, row.shared)


def expand(row, slab, coordinates, theta, order=2, precision=np.float64):
    out = Expansion(row.loss, coordinates, theta, order, np.dtype(precision))
    out.add_rows(slab)
    return out


def twin(row, slab, coordinates, theta):
    """Value, gradient and Hessian as the formulas read."""
    n, c, p = len(slab.X), row.loss.outputs, coordinates.width
    Z = (slab.X.astype(float) - coordinates.center) * coordinates.scale
    Z = np.column_stack([Z, np.ones(n)]) if coordinates.fit_intercept else Z
    s = slab.weight if slab.weight.size else np.ones(n)
    z = Z @ theta.reshape(c, p).T + (slab.offset.reshape(n, c) if slab.offset.size else 0.0)
    value, slope, curvature = row.twin(slab.y, z)
    gradient = np.einsum("i,ik,ij->kj", s, slope, Z).ravel()
    hessian = np.einsum("i,ikl,ij,im->kjlm", s, curvature, Z, Z).reshape(c * p, c * p)
    return s.sum(), s @ value, gradient, hessian


def assert_close(got, want, tol):
    np.testing.assert_allclose(got, want, rtol=tol, atol=tol * max(1, np.abs(want).max(initial=0)))


BLOCK = block_rows(3)


@pytest.mark.parametrize("row", [row for row in LOSSES if row.twin], ids=str)
@pytest.mark.parametrize("precision", HESSIAN)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n, d", [
    (0, 2), (1, 1), (2, 3), (BLOCK - 1, 2), (BLOCK, 2), (BLOCK + 1, 2), (3 * BLOCK + 5, 2), (9, 0), (40, 13),
])  # fmt: skip
def test_value_gradient_and_hessian_are_their_formulas(row, n, d, dtype, precision):
    for weights, offsets, intercept in ((False, False, True), (True, True, True), (True, False, False)):
        slab, coordinates, theta = problem(row, n, d, dtype, weights, offsets, intercept, seed=n)
        got, want = expand(row, slab, coordinates, theta, precision=precision), twin(row, slab, coordinates, theta)
        for a, b, tol in zip((got.weight, got.value, got.gradient, got.hessian), want, (1e-12, 1e-12, 1e-12, HESSIAN[precision])):
            assert_close(a, b, tol)


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 6, 7, 9, 13, 15, 24])
@pytest.mark.parametrize("d", [1, 7, 8, 15, 24, 41])
def test_any_number_of_classes_and_columns(classes, d):
    """Every tile of the products, and what is left over at their ends."""
    row = Row("softmax", SoftmaxLoss(classes), softmax, lambda rng, n: rng.integers(0, classes, n))
    for n in (1, 3, 4, 131):
        slab, coordinates, theta = problem(row, n, d, seed=d)
        got, want = expand(row, slab, coordinates, theta, 1), twin(row, slab, coordinates, theta)
        for a, b in zip((got.value, got.gradient), want[1:]):
            assert_close(a, b, 1e-12)


@each_loss
@pytest.mark.parametrize("precision", HESSIAN)
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_order_of_the_entries_in_memory(row, dtype, precision):
    slab, coordinates, theta = problem(row, 77, 11, dtype)
    want = expand(row, slab, coordinates, theta, precision=precision)
    wide, tall = np.full((80, 30), np.nan, dtype), np.full((12, 100), np.nan, dtype)
    for X in (wide[:77, 7:18], wide[:77, :11], tall[:11, :77].T, tall[1:, 23:].T):
        X[:] = slab.X
        got = expand(row, Slab(X, slab.y, slab.weight, slab.offset), coordinates, theta, precision=precision)
        assert (got.totals == want.totals).all()
        assert (got.gradients == want.gradients).all()
        assert (got.lower == want.lower).all()


@each_loss
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 7, 8, 9, 16, 33])
def test_the_gradient_alone_is_its_formula(row, d, dtype):
    """Rows are read once, whole vectors of them, and the end of each."""
    if not row.twin:
        pytest.skip("without a twin")
    for n, intercept in ((1, True), (7, False), (67, True)):
        slab, coordinates, theta = problem(row, n, d, dtype, True, True, intercept, seed=d)
        got, want = expand(row, slab, coordinates, theta, 1), twin(row, slab, coordinates, theta)
        for a, b in zip((got.value, got.gradient), want[1:]):
            assert_close(a, b, 1e-12)


@each_loss
def test_the_order_asks_for_less_and_changes_nothing(row):
    slab, coordinates, theta = problem(row, 50, 2)
    full = expand(row, slab, coordinates, theta, 2)
    for order in (0, 1):
        less = expand(row, slab, coordinates, theta, order)
        assert (less.value, less.weight) == (full.value, full.weight)
        assert (less.gradient == (full.gradient if order else 0)).all()


@each_loss
def test_finite_differences_of_value_and_gradient(row):
    slab, coordinates, theta = problem(row, 30, 3, seed=3)
    middle = expand(row, slab, coordinates, theta)
    h = 1e-5
    for j in range(theta.size):
        e = h * np.eye(theta.size)[j]
        up, down = (expand(row, slab, coordinates, theta + step, 1) for step in (e, -e))
        slope, curvature = (up.value - down.value) / (2 * h), (up.gradient - down.gradient) / (2 * h)
        assert middle.gradient[j] == pytest.approx(slope, rel=1e-7, abs=1e-8)
        np.testing.assert_allclose(middle.hessian[:, j], curvature, rtol=1e-6, atol=1e-7)


@each_loss
def test_a_row_without_weight_is_no_row(row):
    slab, coordinates, theta = problem(row, 30, 2)
    kept = slab.weight > 0
    offset = slab.offset[kept] if slab.offset.size else EMPTY
    rest = Slab(slab.X[kept], slab.y[kept], slab.weight[kept], offset)
    got, want = expand(row, slab, coordinates, theta), expand(row, rest, coordinates, theta)
    for name in ("weight", "value", "gradient", "hessian"):
        assert_close(getattr(got, name), getattr(want, name), 1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_scaled_huber_is_its_formula(dtype):
    row = LOSSES[-1]
    slab, coordinates, theta = problem(row, 60, 2, dtype, seed=2)
    Z = np.column_stack([(slab.X.astype(float) - coordinates.center) * coordinates.scale, np.ones(60)])
    sigma, eps = theta[-1], row.loss.epsilon
    u = (Z @ theta[:-1] - slab.y) / sigma
    inside = np.abs(u) <= eps
    value = (sigma + sigma * np.where(inside, u**2, 2 * eps * np.abs(u) - eps**2)) / 2
    slope_sigma = (1 - np.where(inside, u**2, eps**2)) / 2
    got = expand(row, slab, coordinates, theta)
    gradient = np.append(Z.T @ (slab.weight * np.clip(u, -eps, eps)), slab.weight @ slope_sigma)
    A = np.column_stack([Z, -u])[inside]
    assert_close(got.value, slab.weight @ value, 1e-12)
    assert_close(got.gradient, gradient, 1e-12)
    assert_close(got.hessian, A.T @ (A * slab.weight[inside, None]) / sigma, 1e-12)


def test_logistic_by_hand():
    """One row x = 1, y = 1, w = 0: log 2, slope -1/2, curvature 1/4."""
    slab = Slab(np.ones((1, 1)), np.ones(1), EMPTY, EMPTY)
    got = expand(LOSSES[2], slab, Coordinates(np.zeros(1), np.ones(1), False), np.zeros(1))
    assert (got.value, got.gradient.tolist(), got.hessian.tolist()) == (np.log(2), [-0.5], [[0.25]])


@pytest.mark.parametrize("z", [-800.0, 800.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_logistic_far_out_neither_overflows_nor_cancels(y, z):
    slab = Slab(np.ones((1, 1)), np.array([y]), EMPTY, EMPTY)
    got = expand(LOSSES[2], slab, Coordinates(np.zeros(1), np.ones(1), False), np.array([z]))
    wrong = (z > 0) != (y > 0)
    assert got.value == (800.0 if wrong else 0.0)
    assert got.gradient[0] == (np.sign(z) if wrong else 0.0)


def test_softmax_of_a_sure_row_keeps_its_small_gradient():
    """p = (1 - e^-50, e^-50): the gradient of the right class is -e^-50, not 1 - 1."""
    slab = Slab(np.ones((1, 1)), np.array([0]), EMPTY, EMPTY)
    got = expand(LOSSES[4], slab, Coordinates(np.zeros(1), np.ones(1), False), np.array([50.0, 0.0]))
    np.testing.assert_allclose(got.gradient, [-np.exp(-50), np.exp(-50)], rtol=1e-14)
    np.testing.assert_allclose(got.value, np.exp(-50), rtol=1e-14)
    np.testing.assert_allclose(np.diag(got.hessian), np.exp(-50), rtol=1e-14)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n, d", [(1, 1), (9, 3), (65, 8), (2100, 17), (700, 40)])
def test_the_range_of_every_column_on_the_way(n, d, dtype, layout, order):
    """Of the rows with weight alone; and nothing else changes."""
    for weights in (False, True):
        slab, coordinates, theta = problem(LOSSES[0], n, d, dtype, weights, seed=d)
        slab = Slab(np.asarray(slab.X, order=layout), slab.y, slab.weight, slab.offset)
        plain, ranged = (Expansion(LOSSES[0].loss, coordinates, theta, order, ranged=flag) for flag in (False, True))
        plain.add_rows(slab)
        ranged.add_rows(slab)
        used = slab.X[slab.weight > 0] if weights else slab.X
        low, high = ranged.extremes[:, :d]
        np.testing.assert_array_equal(low, used.min(axis=0, initial=np.inf))
        np.testing.assert_array_equal(high, used.max(axis=0, initial=-np.inf))
        np.testing.assert_array_equal(ranged.gradient, plain.gradient)
        assert not plain.extremes.size
        other = Expansion(LOSSES[0].loss, coordinates, theta, order, ranged=True)
        other.add_rows(Slab(slab.X - 1, slab.y, slab.weight, slab.offset))
        ranged.merge(other)
        np.testing.assert_array_equal(ranged.extremes[:, :d], [(used - dtype(1)).min(axis=0, initial=np.inf), high])


def test_stored_entries_have_no_range_on_the_way():
    call = arguments("expand") | {"X": sparse_rows(sparse.csr_array(np.eye(5, 2)), "X")}
    with pytest.raises(ValueError, match="of rows in an array"):
        kernels.expand(**call)


def arguments(kernel):
    """Correct arguments for 5 rows, 2 columns, an intercept, 3 classes, order 2."""
    n, d, p, c, b, wide = 5, 2, 3, 3, 9, 8
    z = np.zeros
    common = dict(
        X=z((n, d)), s=np.ones(n), m=z(d), t=np.ones(d), order=2, totals=z((2, 2)), block=z((b, wide)),
        scaled=z((b, wide)), partial=z((wide, wide)),
    )  # fmt: skip
    if kernel == "expand":
        return dict(
            common, loss=kernels.Squared(), y=z(n), o=z(n), theta=z(p), gradient=z((2, p)), hessian=z((p, p)), rows=z((6, b)),
            extremes=z((2, wide)),
        )  # fmt: skip
    if kernel == "expand_scaled_huber":
        return dict(
            common, epsilon=1.35, sigma=1.0, y=z(n), theta=z(p), gradient=z((2, p + 1)), hessian=z((p + 1, p + 1)), rows=z((7, b)),
        )  # fmt: skip
    return dict(
        common, labels=z(n, np.int64), soft=z((0, c)), o=z((n, c)), theta=z((c, p)), gradient=z((2, c, p)),
        hessian=z((c * p, c * p)), logits=z((c, b)), vectors=z((2, c, wide)), rows=z((7, b)),
    )  # fmt: skip


KERNELS = ["expand", "expand_scaled_huber", "expand_softmax"]
SHORT = [
    (kernel, name) for kernel in KERNELS for name, value in arguments(kernel).items()
    if np.ndim(value) and np.size(value) > 1
]  # fmt: skip


@pytest.mark.parametrize("kernel, name", SHORT)
def test_a_short_buffer_is_refused_before_it_is_touched(kernel, name):
    getattr(kernels, kernel)(**arguments(kernel))
    for axis in range(np.ndim(arguments(kernel)[name])):
        call = arguments(kernel)
        size = call[name].shape[axis]
        if name == "block" and axis == 0:
            size = 1  # fewer rows make a smaller block, none make no block
        call[name] = np.ascontiguousarray(np.take(call[name], range(size - 1), axis=axis))
        with pytest.raises(ValueError):
            getattr(kernels, kernel)(**call)
        assert not call["totals"].any()
        assert not call["gradient"].any()


@pytest.mark.parametrize("kernel", KERNELS)
def test_float32_rows_are_padded_to_sixteen(kernel):
    call = arguments(kernel)
    single = ("scaled", "partial")
    call.update({k: v.astype(np.float32) for k, v in call.items() if k in single})
    with pytest.raises(ValueError, match="workspace"):
        getattr(kernels, kernel)(**call)


@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("row", [0, 2, 4])
def test_a_label_beyond_the_classes_is_refused(row, label):
    call = arguments("expand_softmax")
    call["labels"][row] = label
    with pytest.raises(ValueError, match=rf"labels\[{row}\]"):
        kernels.expand_softmax(**call)


@pytest.mark.parametrize("rows", [1, 2, 9])
@pytest.mark.parametrize("p", [1, 8, 20])
def test_predictions_fill_no_more_than_their_workspace(rows, p):
    """Of more rows than a block has, by blocks of fewer rows than there are columns."""
    rng = np.random.default_rng(p)
    X, m, t, theta = rng.normal(size=(13, p)), rng.normal(size=p), 2.0 ** rng.integers(-1, 2, p), rng.normal(size=(3, p + 1))
    wide = padded(p + 1, np.dtype(float))
    memory = np.full((rows + 40, wide), np.pi)
    out = np.empty((3, 13))
    kernels.predict_rows_of(X, m, t, theta, memory[:rows], np.empty((3, wide)), out)
    np.testing.assert_allclose(out, theta[:, :p] @ (X * t - m).T + theta[:, p:], rtol=1e-12, atol=1e-12)
    assert (memory[rows:] == np.pi).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "n, d, c, ones", [(1, 1, 1, 0), (5, 3, 2, 1), (300, 7, 8, 1), (260, 17, 19, 0), (33, 16, 1, 1), (7, 0, 2, 1), (4, 0, 2, 0)]
)
def test_rows_times_several_vectors(dtype, order, n, d, c, ones):
    rng = np.random.default_rng(n + d)
    X = np.asarray(rng.normal(size=(n, d)) + 1e3, dtype=dtype, order=order)
    m, t, theta = np.full(d, 1e3), 2.0 ** rng.integers(-3, 3, d), rng.normal(size=(c, d + ones))
    out, b, wide = np.empty((c, n)), 128, padded(d + ones, np.dtype(float))
    kernels.predict_rows_of(X, m * t, t, theta, np.empty((b, wide)), np.empty((c, wide)), out)
    Z = np.column_stack([(X.astype(float) - m) * t, np.ones((n, ones))])
    np.testing.assert_allclose(out, theta @ Z.T, rtol=1e-12, atol=1e-12)


def test_rows_times_several_vectors_refuse_other_sizes():
    X, m, t = np.ones((4, 3)), np.zeros(3), np.ones(3)
    for theta, out in ((np.ones((2, 5)), np.empty((2, 4))), (np.ones((2, 3)), np.empty((2, 3))), (np.ones((2, 3)), np.empty((1, 4)))):
        with pytest.raises(ValueError):
            kernels.predict_rows_of(X, m, t, theta, np.empty((4, 8)), np.empty((2, 8)), out)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("c", [1, 3])
def test_the_largest_movement_is_numpys(dtype, order, c):
    rng = np.random.default_rng(c)
    X = np.asarray(rng.normal(size=(75, 6)), dtype, order=order)
    m, t, theta = rng.normal(size=6), 2.0 ** rng.integers(-3, 3, 6), rng.normal(size=(c, 7))
    got = kernels.largest_movement(X, m, t, theta, np.full((20, 8), np.nan), np.full((4, 20), np.nan))
    z = np.column_stack([X.astype(float) * t - m, np.ones(75)]) @ theta.T
    np.testing.assert_allclose(got, np.abs(z).max() if c == 1 else np.ptp(z, axis=1).max(), rtol=1e-12)
