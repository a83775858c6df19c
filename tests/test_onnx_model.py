"""The ONNX graph beside `predict` and `predict_proba`, run by onnxruntime."""

import json
import sys

import numpy as np
import pytest

import ridgeline
from ridgeline import to_onnx

onnx = pytest.importorskip("onnx", reason="writing a graph needs onnx")
runtime = pytest.importorskip("onnxruntime", reason="running it needs onnxruntime")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
SCORES = X @ rng.normal(size=(4, 3))
Y = SCORES[:, 0] + 0.1 * rng.normal(size=60)
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}

LABELS = {
    "two strings": np.where(Y > 0, "ja, é", "nein"),
    "strings": np.array(["a", "bb", "日本"])[SCORES.argmax(axis=1)],
    "objects": np.array(["a", "bb", "c"], dtype=object)[SCORES.argmax(axis=1)],
    "integers": np.array([-3, 4, 9], dtype=np.int32)[SCORES.argmax(axis=1)],
    "two integers": (Y > 0) * 5,
    "booleans": Y > 0,
    "fractions": np.where(Y > 0, 1.0, 0.0),
}


def run(proto, X):
    onnx.checker.check_model(proto, full_check=True)
    session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, {"X": X})))


REGRESSORS = {
    "LinearRegression": {}, "Ridge": {}, "RidgeCV": {}, "Lasso": {"alpha": 0.01}, "ElasticNet": {"alpha": 0.01}, "LassoCV": {"cv": 3},
    "ElasticNetCV": {"cv": 3}, "HuberRegressor": {}, "QuantileRegressor": {"alpha": 0.0},
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name, dtype):
    model = getattr(ridgeline, name)(**REGRESSORS[name]).fit(X, Y)
    rows = X.astype(dtype)
    out = run(to_onnx(model, dtype=dtype), rows)
    assert list(out) == ["variable"] and out["variable"].dtype == dtype and out["variable"].shape == (60, 1)
    np.testing.assert_allclose(out["variable"][:, 0], model.predict(rows), rtol=0, atol=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_several_targets(fit_intercept, dtype):
    model = ridgeline.Ridge(fit_intercept=fit_intercept).fit(X, SCORES)
    rows = X.astype(dtype)
    np.testing.assert_allclose(
        run(to_onnx(model, dtype=dtype), rows)["variable"], model.predict(rows), rtol=0, atol=10 * TOLERANCE[dtype]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", LABELS)
def test_classifiers(labels, dtype):
    model = ridgeline.LogisticRegression(C=3.0).fit(X, LABELS[labels])
    rows = X.astype(dtype)
    out = run(to_onnx(model, dtype=dtype), rows)
    assert list(out) == ["label", "probabilities"]
    assert out["label"].tolist() == model.predict(rows).tolist()
    assert out["probabilities"].dtype == dtype
    np.testing.assert_allclose(out["probabilities"], model.predict_proba(rows), rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("labels", ["two integers", "strings"])
def test_extreme_logits_keep_the_digits_of_small_probabilities(labels):
    model = ridgeline.LogisticRegression(C=3.0).fit(X, LABELS[labels])
    rows = X * 100
    expected = model.predict_proba(rows)
    assert expected.min() < 1e-100
    np.testing.assert_allclose(run(to_onnx(model), rows)["probabilities"], expected, rtol=1e-12)
    far = run(to_onnx(model), X * 1e6)
    assert np.isfinite(far["probabilities"]).all() and far["label"].tolist() == model.predict(X * 1e6).tolist()


def test_single_precision_keeps_small_probabilities_too():
    model = ridgeline.LogisticRegression(C=3.0).fit(X, LABELS["two integers"])
    rows = (X * 10).astype(np.float32)
    exact = model.predict_proba(rows.astype(np.float64))
    assert exact.min() < 1e-20
    # the logits themselves, up to about 80, are rounded to 2^-24 of that
    np.testing.assert_allclose(run(to_onnx(model, dtype="float32"), rows)["probabilities"], exact, rtol=5e-5, atol=1e-37)


def test_a_tie_goes_to_the_first_class():
    model = ridgeline.LogisticRegression(fit_intercept=False).fit(X, LABELS["two strings"])
    assert run(to_onnx(model), np.zeros((1, 4)))["label"].tolist() == model.predict(np.zeros((1, 4))).tolist() == ["ja, é"]


def test_no_row_and_one_row():
    model = ridgeline.LogisticRegression().fit(X, LABELS["strings"])
    assert run(to_onnx(model), X[:1])["probabilities"].shape == (1, 3)
    assert run(to_onnx(model), X[:0])["label"].shape == (0,)


def test_the_precision_is_that_of_the_coefficients():
    model = ridgeline.Ridge().fit(X.astype(np.float32), Y.astype(np.float32))
    assert run(to_onnx(model), X.astype(np.float32))["variable"].dtype == np.float32
    assert run(to_onnx(ridgeline.Ridge().fit(X, Y)), X)["variable"].dtype == np.float64


def test_sparse_coefficients():
    model = ridgeline.LogisticRegression(l1_ratio=1.0).fit(X, LABELS["two integers"])
    dense = run(to_onnx(model), X)["probabilities"]
    np.testing.assert_array_equal(run(to_onnx(model.sparsify()), X)["probabilities"], dense)


def test_a_search_without_a_last_fit():
    model = ridgeline.LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, refit=False).fit(X, LABELS["strings"])
    np.testing.assert_allclose(run(to_onnx(model), X)["probabilities"], model.predict_proba(X), atol=1e-14)


def test_what_describes_the_model(tmp_path):
    pandas = pytest.importorskip("pandas")
    model = ridgeline.Ridge(alpha=2.0).fit(pandas.DataFrame(X, columns=["Größe", "b", "c", "d"]), Y)
    to_onnx(model, tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    described = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(described["feature_names"]) == ["Größe", "b", "c", "d"]
    assert described["estimator"] == "Ridge(alpha=2.0)"
    assert described["ridgeline"] == proto.producer_version == ridgeline.__version__
    np.testing.assert_allclose(run(proto, X)["variable"][:, 0], model.predict(X), atol=1e-13)


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(ValueError, match="not fitted yet"):
        to_onnx(ridgeline.Ridge())
    with pytest.raises(TypeError, match="estimator of ridgeline's, got object"):
        to_onnx(object())
    with pytest.raises(ValueError, match="dtype is float16"):
        to_onnx(ridgeline.Ridge().fit(X, Y), dtype=np.float16)
    dates = np.array(["2024-01-01", "2025-01-01"], dtype="datetime64[D]")[(Y > 0) * 1]
    model = ridgeline.LogisticRegression().fit(X, Y > 0)
    model.classes_ = np.unique(dates)
    with pytest.raises(TypeError, match=r"labels of type datetime64\[D\]"):
        to_onnx(model)


def test_without_onnx_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"ridgeline\[onnx\]"):
        to_onnx(ridgeline.Ridge().fit(X, Y))
