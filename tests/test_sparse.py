"""Sparse matrices: every estimator and option answers as it does for the rows written out, and the matrix stays as it was."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from ridgeline import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    Moments,
    QuantileRegressor,
    Ridge,
    RidgeCV,
    source,
)
from ridgeline.sparse_rows import sparse_rows

RNG = np.random.default_rng(11)
N, D = 120, 9
X = RNG.integers(-8, 9, size=(N, D)) * (RNG.uniform(size=(N, D)) < 0.3).astype(float)
X[7] = 0
Z = (X @ np.linspace(-1, 1, D) + RNG.integers(-9, 10, size=N)).round()
S = RNG.integers(0, 4, size=N).astype(float)

MODELS: dict[str, Callable[[], Any]] = {
    "least squares": LinearRegression,
    "least squares, no intercept": lambda: LinearRegression(fit_intercept=False),
    "ridge": lambda: Ridge(alpha=2.0),
    "ridge, no intercept": lambda: Ridge(alpha=0.5, fit_intercept=False),
    "ridge, left out": lambda: RidgeCV(alphas=[0.1, 1.0, 10.0], store_cv_results=True),
    "ridge, folds": lambda: RidgeCV(alphas=[0.1, 1.0, 10.0], cv=4),
    "huber": lambda: HuberRegressor(delta=2.5),
    "huber with scale": HuberRegressor,
    "quantile": lambda: QuantileRegressor(alpha=0.02, quantile=0.4),
    "quantile, no intercept": lambda: QuantileRegressor(alpha=0.0, fit_intercept=False),
    "logistic": lambda: LogisticRegression(C=0.5),
    "logistic, no intercept": lambda: LogisticRegression(fit_intercept=False),
    "logistic, balanced": lambda: LogisticRegression(class_weight="balanced"),
    "logistic, no penalty": lambda: LogisticRegression(C=np.inf),
    "softmax": lambda: LogisticRegression(C=0.5),
    "softmax, balanced": lambda: LogisticRegression(class_weight="balanced", fit_intercept=False),
    "logistic, L-BFGS": lambda: LogisticRegression(solver="lbfgs", tol=1e-12),
}
each_model = pytest.mark.parametrize("name", MODELS)


def shuffled(a: np.ndarray) -> Any:
    """CSR with the columns of each row in descending order."""
    m = sp.csr_matrix(a)
    for i in range(len(a)):
        row = slice(m.indptr[i], m.indptr[i + 1])
        m.indices[row], m.data[row] = m.indices[row][::-1].copy(), m.data[row][::-1].copy()
    return sp.csr_matrix((m.data, m.indices, m.indptr), shape=a.shape)


def doubled(a: np.ndarray) -> Any:
    """CSR with every entry given as two halves."""
    m = sp.coo_array(a)
    order = np.argsort(np.tile(m.row, 2), kind="stable")
    bounds = np.append(0, np.cumsum(np.bincount(np.tile(m.row, 2), minlength=len(a))))
    return sp.csr_array((np.tile(m.data / 2, 2)[order], np.tile(m.col, 2)[order], bounds), shape=a.shape)


def with_zeros(a: np.ndarray) -> Any:
    """CSR that stores every entry, zeros too."""
    n, d = a.shape
    return sp.csr_array((a.ravel(), np.tile(np.arange(d), n), np.arange(n + 1) * d), shape=a.shape)


def lengthy(a: np.ndarray) -> Any:
    m = sp.csr_array(a)
    m.indices, m.indptr = m.indices.astype(np.int64), m.indptr.astype(np.int64)
    return m


def read_only(a: np.ndarray) -> Any:
    m = sp.csr_array(a)
    for part in (m.data, m.indices, m.indptr):
        part.flags.writeable = False
    return m


FORMATS: dict[str, Callable[[np.ndarray], Any]] = {
    "csr_matrix": sp.csr_matrix,
    "csr_array": sp.csr_array,
    "csc": sp.csc_array,
    "coo": sp.coo_matrix,
    "coo, repeated": lambda a: sp.coo_array((np.tile(sp.coo_array(a).data / 2, 2), np.tile(sp.coo_array(a).coords, 2)), shape=a.shape),
    "bsr": sp.bsr_array,
    "lil": sp.lil_array,
    "dok": sp.dok_array,
    "dia": lambda a: quietly(lambda: sp.dia_array(a)),
    "unsorted": shuffled,
    "repeated": doubled,
    "explicit zeros": with_zeros,
    "int64 indices": lengthy,
    "int8 entries": lambda a: sp.csr_array(a.astype(np.int8)),
    "read-only": read_only,
}


def targets(name: str) -> np.ndarray:
    if name.startswith("logistic"):
        return (Z > 0).astype(float)
    return np.digitize(Z, [-6, 6]) if name.startswith("softmax") else Z


def answer(model: Any) -> np.ndarray:
    return np.concatenate([np.ravel(model.coef_), np.ravel(model.intercept_)])


def quietly(fit: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit()


def close(got: Any, want: Any, tol: float = 1e-10) -> None:
    np.testing.assert_allclose(got, want, rtol=tol, atol=tol * max(1.0, float(np.abs(want).max(initial=0.0))))


@each_model
@pytest.mark.parametrize("weighted", [True, False])
def test_the_answer_of_the_rows_written_out(name: str, weighted: bool) -> None:
    y, s = targets(name), S if weighted else None
    sparse, dense = (MODELS[name]().fit(rows, y, s) for rows in (sp.csr_array(X), X))
    close(answer(sparse), answer(dense))
    assert sparse.certificate_.status == dense.certificate_.status
    assert sparse.certificate_.suboptimality <= 1e-8
    close(sparse.predict(sp.csr_array(X)), dense.predict(X))
    assert sparse.score(sp.csr_array(X), y, s) == pytest.approx(dense.score(X, y, s), rel=1e-12)
    for method in ("decision_function", "predict_proba", "predict_log_proba"):
        if hasattr(dense, method):
            close(getattr(sparse, method)(sp.csc_array(X)), getattr(dense, method)(X))


@each_model
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_and_it_stays_as_it_was(name: str, form: str) -> None:
    y = targets(name)
    matrix = FORMATS[form](X)
    parts = [part for part in ("data", "indices", "indptr") if isinstance(getattr(matrix, part, None), np.ndarray)]
    before = [getattr(matrix, part).tobytes() for part in parts]
    close(answer(MODELS[name]().fit(matrix, y, S)), answer(MODELS[name]().fit(X, y, S)))
    assert [getattr(matrix, part).tobytes() for part in parts] == before
    assert (matrix.tocsr() != sp.csr_array(X)).nnz == 0


@each_model
def test_float32_stays_float32(name: str) -> None:
    y, short = targets(name), X.astype(np.float32)
    model, dense = (MODELS[name]().fit(rows, y) for rows in (sp.csr_array(short), short))
    assert model.coef_.dtype == np.float32
    close(answer(model), answer(dense), 1e-5)
    out = model.predict(sp.csr_array(short))
    assert out.dtype == dense.predict(short).dtype


@each_model
def test_fewer_rows_than_columns(name: str) -> None:
    rng = np.random.default_rng(2)
    wide = rng.normal(size=(14, 80)) * (rng.uniform(size=(14, 80)) < 0.2)
    y = targets(name)[:14] if not name.startswith("softmax") else np.arange(14) % 3
    if "quantile" in name or name == "logistic, no penalty":
        return  # more than one solution
    s = S[:14] + 1
    sparse, dense = (quietly(lambda rows=rows: MODELS[name]().fit(rows, y, s)) for rows in (sp.csr_array(wide), wide))
    close(answer(sparse), answer(dense), 1e-7)
    assert sparse.certificate_.status == dense.certificate_.status


@each_model
def test_empty_columns_and_an_all_zero_matrix(name: str) -> None:
    y = targets(name)
    for change in (lambda a: a * (np.arange(D) % 2), lambda a: a * 0):
        rows = change(X)
        sparse, dense = (quietly(lambda rows=rows: MODELS[name]().fit(rows, y)) for rows in (sp.csr_array(rows), rows))
        close(answer(sparse), answer(dense), 1e-8)
        assert sparse.certificate_.status == dense.certificate_.status


@pytest.mark.parametrize("name", ["ridge", "least squares", "logistic", "huber"])
def test_a_full_column_far_from_zero(name: str) -> None:
    rng = np.random.default_rng(3)
    rows = np.column_stack([1e6 + rng.integers(0, 8, N), X])
    y = targets(name)
    sparse, dense = (MODELS[name]().fit(matrix, y) for matrix in (sp.csr_array(rows), rows))
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-8, atol=1e-12)
    assert sparse.certificate_.status == dense.certificate_.status == "optimal"


def test_dependent_columns_are_found() -> None:
    rows = np.column_stack([X, X[:, 0] - X[:, 1]])
    with pytest.warns(UserWarning, match="rank"):
        model = LinearRegression().fit(sp.csr_array(rows), Z)
    with pytest.warns(UserWarning, match="rank"):
        dense = LinearRegression().fit(rows, Z)
    close(answer(model), answer(dense))
    assert model.rank_ == dense.rank_ == D


@pytest.mark.parametrize("name", ["ridge", "logistic", "softmax", "huber", "quantile"])
def test_sources_and_offsets(name: str) -> None:
    y, offset = targets(name), None if name == "softmax" else np.linspace(-1, 1, N)
    models = [MODELS[name]().fit_source(source(rows, y, S, offset=offset)) for rows in (sp.csr_array(X), sp.csc_matrix(X), X)]
    close(answer(models[0]), answer(models[2]))
    close(answer(models[1]), answer(models[2]))
    chunks = [(sp.csr_array(X[a : a + 50]), y[a : a + 50], S[a : a + 50]) for a in range(0, N, 50)]
    close(answer(MODELS[name]().fit_source(source(chunks))), answer(MODELS[name]().fit(X, y, S)), 1e-8)


@pytest.mark.parametrize("precision", ["double", "extended"])
def test_moments(precision: str) -> None:
    y = np.column_stack([Z, Z**2])
    sparse, dense = (Moments.of(rows, y, S, precision=precision) for rows in (sp.csr_array(X), X))
    assert (sparse.weight, sparse.count) == (dense.weight, dense.count)
    close(sparse.mean, dense.mean, 1e-14)
    close(sparse.scatter, dense.scatter, 1e-13)
    parts = [Moments.of(sp.csr_array(X)[rows], y[rows], S[rows], precision=precision) for rows in (slice(0, 31), slice(31, N))]
    close((parts[0] + parts[1]).scatter, dense.scatter, 1e-13)


def text_like(n: int, d: int, per_row: int, seed: int = 0) -> Any:
    """Counts of words as often as Zipf's law has it, each row of length one."""
    rng = np.random.default_rng(seed)
    share = 1 / (np.arange(d) + 2.7)
    columns = rng.choice(d, size=(n, per_row), p=share / share.sum())
    counts = sp.csr_array((np.ones(n * per_row), columns.ravel(), np.arange(n + 1) * per_row), shape=(n, d))
    counts.sum_duplicates()
    return sp.csr_array(sp.diags_array(1 / np.sqrt((counts * counts).sum(axis=1))) @ counts)


@pytest.mark.parametrize("model", [Ridge(), LogisticRegression(), HuberRegressor(delta=1.0)], ids=repr)
def test_the_same_bits_on_any_number_of_threads(model: Any) -> None:
    rows = text_like(9000, 60, 20)
    y = (rows @ np.sin(np.arange(60)) + 0.1 * np.random.default_rng(1).normal(size=9000) > 0).astype(float)
    fits = [model.set_params(n_threads=k).fit(rows, y) and answer(model).tobytes() for k in (1, 2, 3)]
    assert fits[0] == fits[1] == fits[2]


BAD: dict[str, tuple[Any, str]] = {
    "NaN": (sp.csr_array(([1.0, np.nan], [0, 2], [0, 1, 2]), shape=(2, 4)), "NaN at row 1, column 2"),
    "infinity": (sp.csr_array(([np.inf, 1.0], [3, 2], [0, 1, 2]), shape=(2, 4)), "infinity at row 0, column 3"),
    "complex": (sp.csr_array(np.eye(2) * 1j), "Complex data not supported"),
    "no rows": (sp.csr_array((0, 4)), r"0 sample\(s\)"),
    "no columns": (sp.csr_array((2, 0)), r"0 feature\(s\)"),
    "one dimension": (sp.coo_array(np.ones(3)), "Expected 2D array"),
    "two halves that overflow": (sp.csr_array(([1e308, 1e308, 1.0], [0, 0, 1], [0, 2, 3]), shape=(2, 4)), "infinity at row 0, column 0"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("name", ["ridge", "logistic", "huber", "quantile", "ridge, left out"])
def test_what_is_wrong_is_named(name: str, what: str) -> None:
    matrix, message = BAD[what]
    model = MODELS[name]()
    with pytest.raises(ValueError, match=message):
        model.fit(matrix, np.arange(matrix.shape[0]) if matrix.ndim == 2 else np.arange(3))
    assert not hasattr(model, "coef_")


def test_a_column_that_is_not_there_is_refused() -> None:
    matrix = sp.csr_array(np.eye(3))
    matrix.indices[1] = 7
    with pytest.raises(ValueError, match="row 1 has an entry of column 7, and there are 3 columns"):
        Ridge().fit(matrix, np.arange(3.0))
    matrix = sp.csr_array(np.eye(3))
    matrix.indptr[1] = 9
    with pytest.raises(ValueError, match="damaged: row 0 has entries 0 to 9 of 3"):
        Ridge().fit(matrix, np.arange(3.0))


def test_entries_without_columns_are_refused() -> None:
    matrix = sp.csr_array(np.eye(3))
    matrix.indices = matrix.indices[:2]
    with pytest.raises(ValueError, match="damaged: 4 row pointers for 3 rows, 2 columns for 3 entries"):
        Ridge().fit(matrix, np.arange(3.0))


def test_few_rows_become_an_array_unasked_and_many_do_not() -> None:
    rng = np.random.default_rng(0)
    matrix = sp.csr_array((rng.normal(size=1000), (rng.integers(0, 1025, 1000), rng.integers(0, 1024, 1000))), (1025, 1024))
    rows = sparse_rows(matrix, "X")
    np.testing.assert_array_equal(np.asarray(rows[:3]), matrix[:3].toarray())
    assert np.asarray(rows[:3], dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="1025 sparse rows of 1024 columns are too many to write out; take some of them"):
        np.asarray(rows)


def test_a_prediction_checks_its_columns_and_entries() -> None:
    model = Ridge().fit(sp.csr_array(X), Z)
    with pytest.raises(ValueError, match="X has 4 features, but Ridge is expecting 9"):
        model.predict(sp.csr_array(X[:, :4]))
    bad = sp.csr_array(X)
    bad.data[0] = np.nan
    with pytest.raises(ValueError, match="NaN at row 0"):
        model.predict(bad)


def test_targets_are_not_sparse() -> None:
    with pytest.raises(TypeError, match="Sparse data was passed"):
        Ridge().fit(sp.csr_array(X), sp.csr_array(Z[:, None]))


def test_several_targets() -> None:
    y = np.column_stack([Z, Z**2, -Z])
    sparse, dense = (Ridge(alpha=[1.0, 2.0, 3.0]).fit(rows, y) for rows in (sp.csr_array(X), X))
    close(sparse.coef_, dense.coef_)
    close(sparse.predict(sp.csr_array(X)), dense.predict(X))
