"""What scikit-learn asks of an estimator beside its methods, and that nothing of it needs scikit-learn."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import ridgeline
from ridgeline.certificate import FitWarning
from ridgeline.estimators.base import NotFittedError
from ridgeline.estimators.protocol import VERSION, VersionWarning

X = np.arange(12.0).reshape(6, 2) ** 1.5
Y = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])


def test_scikit_learn_is_not_imported_by_fits_messages_and_pickles() -> None:
    program = """
import sys, pickle, warnings
import numpy as np
from ridgeline import LinearRegression, Ridge
X = np.arange(12.0).reshape(6, 2)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    LinearRegression().fit(X, X[:, 0])
assert [w.category.__name__ for w in caught] == ["FitWarning"], caught
try:
    Ridge().predict(X)
except ValueError as error:
    assert type(error).__name__ == "NotFittedError"
model = pickle.loads(pickle.dumps(Ridge().fit(X, X[:, 0])))
assert model._repr_html_() is None
assert not any(name.split(".")[0] == "sklearn" for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_pickle_of_another_version_warns() -> None:
    model = ridgeline.Ridge().fit(X, Y)
    state = model.__getstate__()
    assert state[VERSION] == ridgeline.__version__
    again = ridgeline.Ridge.__new__(ridgeline.Ridge)
    with pytest.warns(VersionWarning, match="pickled by ridgeline 0.0.1 and is read by"):
        again.__setstate__({**state, VERSION: "0.0.1"})
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert VERSION not in vars(pickle.loads(pickle.dumps(model)))


class TestWithScikitLearn:
    @pytest.fixture(autouse=True)
    def sklearn(self) -> Any:
        return pytest.importorskip("sklearn")

    def test_warnings_and_errors_are_its_own_too(self) -> None:
        from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
        from sklearn.exceptions import NotFittedError as Theirs

        with pytest.raises(Theirs) as caught:
            ridgeline.Ridge().predict(X)
        assert isinstance(caught.value, NotFittedError)
        with pytest.warns(ConvergenceWarning) as record:
            ridgeline.LogisticRegression(max_iter=1, solver="newton-cg").fit(X, Y)
        assert issubclass(record[0].category, FitWarning)
        with pytest.warns(DataConversionWarning, match=r"y\.ravel\(\)"):
            ridgeline.HuberRegressor(alpha=1.0).fit(X, Y[:, None])

    def test_a_diagram_as_configured(self, sklearn: Any) -> None:
        model = ridgeline.Ridge(alpha=2.0)
        assert "Ridge" in model._repr_html_()
        with sklearn.config_context(display="text"):
            assert model._repr_html_() is None

    def test_metadata_is_routed_as_asked(self, sklearn: Any) -> None:
        from sklearn.model_selection import cross_validate

        model, weight = ridgeline.Ridge(), np.arange(1.0, 7.0)
        with pytest.raises(RuntimeError, match="enable_metadata_routing"):
            model.set_fit_request(sample_weight=True)
        with sklearn.config_context(enable_metadata_routing=True):
            model.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
            model.set_partial_fit_request(sample_weight="w")
            assert model.get_metadata_routing().fit.requests == {"sample_weight": True}
            assert sklearn.base.clone(model).get_metadata_routing().partial_fit.requests == {"sample_weight": "w"}
            routed = cross_validate(model, X, Y, cv=2, params={"sample_weight": weight}, return_estimator=True)
            with pytest.raises(TypeError, match="Unexpected args.*'weights'.* in fit"):
                model.set_fit_request(weights=True)
        alone = ridgeline.Ridge().fit(X[3:], Y[3:], weight[3:])
        np.testing.assert_array_equal(routed["estimator"][0].coef_, alone.coef_)

    def test_sparse_coefficients_and_back(self) -> None:
        model = ridgeline.LogisticRegression().fit(X, Y)
        want = model.predict_proba(X)
        sparse = model.sparsify().coef_
        assert sparse.shape == (1, 2)
        np.testing.assert_array_equal(model.predict_proba(X), want)
        np.testing.assert_array_equal(model.predict_proba(X[:1]), want[:1])
        np.testing.assert_array_equal(model.densify().coef_, sparse.toarray())


def test_a_warm_start_begins_where_the_last_fit_ended() -> None:
    rng = np.random.default_rng(0)
    A = rng.normal(size=(300, 4))
    y = (A @ [1.0, -1.0, 0.5, 0.0] + rng.normal(size=300) > 0) * 1
    cold = ridgeline.LogisticRegression(C=0.5).fit(A, y)
    warm = ridgeline.LogisticRegression(C=0.5, warm_start=True).fit(A, y)
    first = int(warm.n_iter_[0])
    warm.fit(A, y)
    assert warm.n_iter_[0] < first
    np.testing.assert_allclose(warm.coef_, cold.coef_, rtol=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = ridgeline.LogisticRegression(max_iter=0).fit(A, y)
    np.testing.assert_array_equal(start.coef_, 0.0)
