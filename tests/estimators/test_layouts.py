"""Odd but legal inputs: the answer of the clean twin, and the input as it was."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ridgeline import ElasticNet, HuberRegressor, LinearRegression, LogisticRegression, QuantileRegressor, Ridge
from ridgeline.validation import DataConversionWarning

# small whole numbers: exact in every type
RNG = np.random.default_rng(5)
X = RNG.integers(-8, 9, size=(61, 3)).astype(float)
Z = (X @ [1.0, -2.0, 0.5] + RNG.integers(-9, 10, size=61)).round()
S = RNG.integers(1, 4, size=61).astype(float)

MODELS: dict[str, Callable[[], Any]] = {
    "least squares": LinearRegression,
    "ridge": lambda: Ridge(alpha=2.0),
    "elastic net": lambda: ElasticNet(alpha=0.5),
    "huber": lambda: HuberRegressor(delta=2.5),
    "quantile": lambda: QuantileRegressor(alpha=0.02, quantile=0.4),
    "logistic": lambda: LogisticRegression(C=0.5),
    "softmax": lambda: LogisticRegression(C=0.5),
}


def targets(name: str) -> np.ndarray:
    if name == "logistic":
        return (Z > 0).astype(float)
    return np.digitize(Z, [-8, 8]).astype(float) if name == "softmax" else Z


def strided(a: np.ndarray) -> np.ndarray:
    wide = np.full(tuple(2 * k for k in a.shape), np.nan)
    wide[tuple(slice(1, None, 2) for _ in a.shape)] = a
    return wide[tuple(slice(1, None, 2) for _ in a.shape)]


def reversed_(a: np.ndarray) -> np.ndarray:
    return a[::-1].copy()[::-1]


def read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


def unaligned(a: np.ndarray) -> np.ndarray:
    raw = np.empty(a.nbytes + 1, np.uint8)
    out = raw[1:].view(a.dtype).reshape(a.shape)
    out[...] = a
    return out


class Frame:
    """An object that is an array only when asked."""

    def __init__(self, a: np.ndarray) -> None:
        self.a = a

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.a.astype(dtype or self.a.dtype)


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": reversed_,
    "read-only": read_only,
    "unaligned": unaligned,
    "byte-swapped": lambda a: a.astype(">f8" if np.little_endian else "<f8"),
    "byte-swapped int": lambda a: a.astype(">i4" if np.little_endian else "<i4"),
    "int8": lambda a: a.astype(np.int8),
    "int64": lambda a: a.astype(np.int64),
    "long double": lambda a: a.astype(np.longdouble),
    "object": lambda a: a.astype(object),
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a)) if a.ndim == 2 else tuple(a),
    "array interface": Frame,
    "masked without a mask": np.ma.masked_array,
    "matrix view": lambda a: a.view(np.ndarray),
}


def fit(name: str, X: Any, y: Any, s: Any) -> Any:
    return MODELS[name]().fit(X, y, s)


def answer(model: Any) -> np.ndarray:
    return np.concatenate([np.ravel(model.coef_), np.ravel(model.intercept_)])


def kept(value: Any) -> bytes:
    return value.a.tobytes() if isinstance(value, Frame) else np.asarray(value).tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", MODELS)
def test_the_same_answer_and_an_untouched_input(name: str, layout: str) -> None:
    change = LAYOUTS[layout]
    y = targets(name)
    data = change(X), change(y), change(S)
    before = [kept(a) for a in data]
    clean, model = fit(name, X, y, S), fit(name, *data)
    np.testing.assert_allclose(answer(model), answer(clean), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(model.predict(data[0]).astype(float), clean.predict(X), rtol=1e-12, atol=1e-12)
    assert model.score(*data) == pytest.approx(clean.score(X, y, S), rel=1e-12)
    assert [kept(a) for a in data] == before
    assert model.coef_.dtype == np.float64


@pytest.mark.parametrize("kind", [np.float16, np.float32, ">f4", "<f2"])
@pytest.mark.parametrize("name", MODELS)
def test_short_floats_give_float32(name: str, kind: Any) -> None:
    y = targets(name)
    clean, model = fit(name, X, y, S), fit(name, X.astype(kind), y, S)
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(answer(model), answer(clean), rtol=3e-6, atol=3e-6)
    assert model.predict(X.astype(kind)).shape == clean.predict(X).shape


@pytest.mark.parametrize("name", MODELS)
def test_booleans(name: str) -> None:
    B, y = X > 0, targets(name)
    np.testing.assert_allclose(answer(fit(name, B, y, S)), answer(fit(name, B.astype(float), y, S)), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_a_memory_map(name: str, tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    y = targets(name)
    mapped = fit(name, np.load(tmp_path / "X.npy", mmap_mode="r"), y, S)
    np.testing.assert_array_equal(answer(mapped), answer(fit(name, X, y, S)))


@pytest.mark.parametrize("name", MODELS)
def test_a_column_of_targets_and_one_weight_for_all(name: str) -> None:
    y = targets(name)
    multi = name in ("least squares", "ridge", "elastic net")
    expected = nullcontext() if multi else pytest.warns(DataConversionWarning, match=r"y\.ravel\(\)")
    with expected:
        column = fit(name, X, y[:, None], S)
    np.testing.assert_array_equal(answer(column), answer(fit(name, X, y, S)))
    if not multi:
        np.testing.assert_array_equal(np.ravel(column.predict(X)), fit(name, X, y, S).predict(X))
    np.testing.assert_array_equal(answer(fit(name, X, y, 1.0)), answer(fit(name, X, y, None)))


@pytest.mark.parametrize("name", MODELS)
def test_more_rows_than_a_segment(name: str) -> None:
    """The fold cuts long data into segments and odd layouts into slabs; neither shows."""
    rng = np.random.default_rng(0)
    tall = rng.normal(size=(400_001, 3)).round(3)
    z = tall @ [1.0, -2.0, 0.5] + rng.normal(size=len(tall))
    y = (z > 0) * 1.0 if name == "logistic" else np.digitize(z, [-1, 1]) * 1.0 if name == "softmax" else z
    if name == "quantile":
        tall, y = tall[:100_001], y[:100_001]
    clean, model = fit(name, tall, y, None), fit(name, np.asfortranarray(tall), y, None)
    np.testing.assert_allclose(answer(model), answer(clean), rtol=0, atol=1e-10)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("name", MODELS)
def test_data_frames(name: str, library: str) -> None:
    module = pytest.importorskip(library)
    names, y = ["a", "b", "c"], targets(name)
    columns = {n: X[:, j] for j, n in enumerate(names)}
    frame = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
    series = module.array(y) if library == "pyarrow" else module.Series(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fit(name, frame, series, S)
        np.testing.assert_allclose(model.predict(frame), model.predict(X), rtol=1e-12, atol=1e-13)
    assert list(model.feature_names_in_) == names
    np.testing.assert_allclose(answer(model), answer(fit(name, X, y, S)), rtol=1e-12, atol=1e-13)
    other = frame.rename_columns(["a", "b", "d"]) if library == "pyarrow" else frame.rename(
        **({"columns": {"c": "d"}} if library == "pandas" else {"mapping": {"c": "d"}})
    )
    with pytest.raises(ValueError, match=r"unseen at fit time: \['d'\]"):
        model.predict(other)


def test_pandas_with_text_and_with_gaps() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"size": [1.0, 2.0, 3.0], "colour": ["red", "blue", "red"]})
    with pytest.raises(ValueError, match="'red' at row 0, column 1.*encode"):
        LinearRegression().fit(frame, [1.0, 2.0, 3.0])
    gaps = pandas.DataFrame({"size": [1.0, None, 3.0]})
    with pytest.raises(ValueError, match="X contains NaN at row 1, column 0"):
        LinearRegression().fit(gaps, [1.0, 2.0, 3.0])
    nullable = pandas.DataFrame({"size": pandas.array([1, None, 3], dtype="Int64")})
    with pytest.raises(ValueError, match=r"X contains NaN at row 1, column 0 \('size'\); drop"):
        LinearRegression().fit(nullable, [1.0, 2.0, 3.0])
    for labels in (pandas.Categorical(["u", "v", "u"]), pandas.Series(["u", "v", "u"], dtype="string")):
        model = LogisticRegression().fit([[1.0], [2.0], [3.0]], labels)
        assert list(model.classes_) == ["u", "v"]
    with pytest.raises(ValueError, match="y contains NaN or None at row 1"):
        LogisticRegression().fit([[1.0], [2.0], [3.0]], pandas.Series(["u", None, "v"], dtype="string"))
