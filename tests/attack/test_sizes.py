"""Sizes at the ends: nothing, one, two; fewer rows than columns; thousands of classes; more than 2^31 of anything."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import ridgeline as rl
from ridgeline._core.factor import cholesky_solve
from ridgeline.certificate import FitWarning

from .calls import MODELS

RNG = np.random.default_rng(11)
BEYOND = 2**31 + 2048


def labels_or_numbers(name: str, n: int) -> np.ndarray:
    """Targets of n rows: numbers, or as many of the classes as there are rows."""
    y = MODELS[name][1]
    if "Logistic" in name:
        return np.arange(n) % int(y.max() + 1) * 1.0
    return RNG.normal(size=(n, *y.shape[1:]))


def fit(name: str, n: int, d: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # few rows determine little, and the certificate may say so
        return MODELS[name][0]().fit(RNG.normal(size=(n, d)), labels_or_numbers(name, n))


@pytest.mark.parametrize("name", MODELS)
def test_no_rows_and_no_columns_are_refused(name: str) -> None:
    for n, d, what in ((0, 2, r"0 sample\(s\)"), (2, 0, r"0 feature\(s\)"), (0, 0, "0 (sample|feature)")):
        with pytest.raises(ValueError, match=what):
            fit(name, n, d)


@pytest.mark.parametrize("d", [1, 5])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_few_rows_are_fitted_or_refused_in_a_sentence(name: str, n: int, d: int) -> None:
    try:
        model = fit(name, n, d)
    except ValueError as error:
        assert any(word in str(error) for word in ("class", "fold", "split", "rows", "sample")), error
        return
    assert np.isfinite(model.coef_).all() and np.isfinite(model.intercept_).all()
    assert np.isfinite(np.asarray(model.predict(np.ones((2, d))), float)).all()
    assert model.certificate_.status in ("optimal", "ill_conditioned", "rank_deficient", "no_finite_optimum", "stopped_early")


ELEMENTWISE = ("sigmoid", "log_sigmoid", "softplus", "softmax", "log_softmax")


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activations_of_nothing(name: str, shape: tuple[int, ...]) -> None:
    assert getattr(rl, name)(np.empty(shape)).shape == shape


def test_losses_and_codes_of_nothing() -> None:
    empty, rows = np.empty(0), np.empty((0, 3))
    for loss in (rl.squared_error, rl.absolute_error, rl.huber, rl.binary_cross_entropy):
        assert loss(empty, empty).shape == (0,)
    for loss in (rl.categorical_cross_entropy, rl.kl_divergence):
        assert loss(rows, rows).shape == (0,)
    assert rl.sparse_categorical_cross_entropy(empty, rows).shape == (0,)
    assert rl.one_hot([]).shape == (0, 0) and rl.one_hot([], 4).shape == (0, 4)
    with pytest.raises(ValueError, match="no examples"):
        rl.empirical_risk("squared_error", empty, empty)
    assert rl.Moments.of(rows, empty).weight == 0


def test_ten_thousand_classes() -> None:
    c = 10_000
    z = RNG.normal(size=(50, c))
    labels = RNG.integers(0, c, 50)
    p = rl.softmax(z)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-13)
    code = rl.one_hot(labels, c)
    assert (code.argmax(axis=1) == labels).all() and code.sum() == 50
    want = np.log(np.exp(z).sum(axis=1)) - z[np.arange(50), labels]
    for loss in (
        rl.sparse_categorical_cross_entropy(labels, z, from_logits=True), rl.categorical_cross_entropy(code, z, from_logits=True),
        rl.sparse_categorical_cross_entropy(labels, p), rl.categorical_cross_entropy(code, p),
    ):  # fmt: skip
        np.testing.assert_allclose(loss, want, rtol=1e-12)
    np.testing.assert_allclose(rl.logsumexp(z), np.log(np.exp(z).sum(axis=1)), rtol=1e-14)


@pytest.mark.parametrize("c", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_softmax_regression_of_many_classes(c: int) -> None:
    """A class has two rows: the gradient of the whole at the answer, by NumPy alone."""
    y = np.arange(2 * c) % c
    X = RNG.normal(size=(2 * c, 4)).round(2)
    model = rl.LogisticRegression(C=0.1).fit(X, y)
    residual = rl.softmax(X @ model.coef_.T + model.intercept_) - rl.one_hot(y)
    gradient = residual.T @ X + model.coef_ / 0.1
    assert max(np.abs(gradient).max(), np.abs(residual.sum(axis=0)).max()) / len(y) < 1e-6
    assert model.predict_proba(X).shape == (2 * c, c)


def test_a_stray_class_number_asks_for_no_gigabytes() -> None:
    with pytest.raises((ValueError, MemoryError)):
        rl.one_hot([0, 2**62])
    with pytest.raises(ValueError, match="row 1"):
        rl.sparse_categorical_cross_entropy([0, 2**62], np.eye(2))
    with pytest.raises(ValueError):
        rl.one_hot([0.0, 1e300])
    model = rl.LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 2**62, 2**62, 0])
    assert model.classes_.tolist() == [0, 2**62]


def test_what_lapack_cannot_count_is_refused() -> None:
    """More right-hand sides than 32 bits; of no columns, so that they take no memory."""
    with pytest.raises(OverflowError, match="32-bit"):
        cholesky_solve(np.empty((0, 0)), np.empty((2**31, 0)))


# --------------------------------------------------------------------------------------- beyond 2^31


def memory_at_hand() -> int:
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))


@pytest.fixture
def large() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """float32 rows of 256 columns with more than 2^31 entries, and those at either end, which alone are not zero.

    A file with a hole takes neither disk nor memory that the system cannot take back.
    """
    if memory_at_hand() < 14 << 30:
        pytest.skip("too little memory")
    d, ends = 256, np.random.default_rng(4).normal(size=(8192, 256)).astype(np.float32)
    n = BEYOND // d
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(4 * n * d)
        X = np.memmap(file.name, np.float32, "r+", shape=(n, d))
        X[:4096], X[-4096:] = ends[:4096], ends[4096:]
        y = np.zeros(n)
        y[:4096], y[-4096:] = ends[:4096, 0], ends[4096:, 1]
        yield X, y, ends


@pytest.mark.slow
def test_a_fit_of_more_entries_than_32_bits_count(large: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    X, y, ends = large
    assert X.size > 2**31
    model = rl.Ridge(alpha=1.0).fit(X, y)
    few = np.concatenate([ends, np.zeros((1, 256), np.float32)])
    weight = np.append(np.ones(len(ends)), float(len(X) - len(ends)))
    twin = rl.Ridge(alpha=1.0).fit(few, np.concatenate([y[:4096], y[-4096:], [0.0]]), weight)
    np.testing.assert_allclose(model.coef_, twin.coef_, rtol=0, atol=1e-6)
    predicted = model.predict(X)
    np.testing.assert_allclose(predicted[-4096:], model.predict(ends[4096:]), rtol=0, atol=1e-5)
    np.testing.assert_allclose(predicted[4096:-4096], model.intercept_, rtol=0, atol=0)


@pytest.mark.slow
def test_activations_of_more_entries_than_32_bits_count(large: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    X, _, ends = large
    p = rl.sigmoid(X)
    assert p[:4096].tobytes() == rl.sigmoid(ends[:4096]).tobytes() and p[-4096:].tobytes() == rl.sigmoid(ends[4096:]).tobytes()
    assert (p[len(p) // 2] == 0.5).all()
    rl.softmax(X, out=p)
    assert p[-4096:].tobytes() == rl.softmax(ends[4096:]).tobytes()


@pytest.mark.slow
def test_more_rows_than_32_bits_count() -> None:
    """One chunk again and again: counts and weights are exact, and the fit is that of the chunk."""
    n = 1 << 22
    x = np.arange(float(n)) % 7
    chunk = x[:, None], 2 * x + x % 2, np.full(n, 0.5)
    times = 2**31 // n + 1
    model = rl.Ridge(alpha=0.0).fit_source(rl.source(lambda: (chunk for _ in range(times))))
    assert model._moments.count == times * n > 2**31 and model._moments.weight == 0.5 * times * n
    np.testing.assert_allclose(model.coef_, rl.Ridge(alpha=0.0).fit(*chunk[:2]).coef_, rtol=1e-12)
