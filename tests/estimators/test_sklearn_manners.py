"""The estimators in scikit-learn's hands: clone, pipelines, searches, its own checks. Skipped without scikit-learn."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import ridgeline

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

REGRESSORS = [
    ridgeline.LinearRegression, ridgeline.Ridge, ridgeline.RidgeCV, ridgeline.Lasso, ridgeline.ElasticNet, ridgeline.LassoCV,
    ridgeline.ElasticNetCV, ridgeline.HuberRegressor, ridgeline.QuantileRegressor,
]  # fmt: skip
ESTIMATORS = [*REGRESSORS, ridgeline.LogisticRegression]

CHANGED: dict[type, dict[str, Any]] = {
    ridgeline.LinearRegression: {"fit_intercept": False},
    ridgeline.Ridge: {"alpha": 0.25},
    ridgeline.RidgeCV: {"alphas": [0.5, 2.0]},
    ridgeline.Lasso: {"alpha": 0.1, "max_iter": 500},
    ridgeline.ElasticNet: {"alpha": 0.1, "l1_ratio": 0.9},
    ridgeline.LassoCV: {"alphas": 7},
    ridgeline.ElasticNetCV: {"alphas": 7, "l1_ratio": [0.5, 0.9]},
    ridgeline.HuberRegressor: {"epsilon": 1.5, "alpha": 0.0},
    ridgeline.QuantileRegressor: {"quantile": 0.3, "alpha": 0.001},
    ridgeline.LogisticRegression: {"C": 3.0, "class_weight": {0: 1.0, 1: 2.0}},
}


def data(Estimator: type) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    z = X @ [1.0, -2.0, 0.5] + rng.normal(size=120)
    return X, (z > 0).astype(int) if Estimator is ridgeline.LogisticRegression else z


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_parameters_and_clone(Estimator: type) -> None:
    model = Estimator(**CHANGED[Estimator])
    assert {k: v for k, v in model.get_params().items() if k in CHANGED[Estimator]} == CHANGED[Estimator]
    copy = clone(model.fit(*data(Estimator)))
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "coef_")
    assert Estimator().set_params(**CHANGED[Estimator]).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(data(Estimator)[0])
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)
    check_is_fitted(model)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_repr_shows_what_was_changed(Estimator: type) -> None:
    name = Estimator.__name__
    assert repr(Estimator()) == f"{name}()"
    inside = ", ".join(f"{k}={v!r}" for k, v in Estimator(**CHANGED[Estimator]).get_params().items() if k in CHANGED[Estimator])
    assert repr(Estimator(**CHANGED[Estimator])) == f"{name}({inside})"
    namespace = {name: Estimator}
    assert eval(repr(Estimator(**CHANGED[Estimator])), namespace).get_params() == Estimator(**CHANGED[Estimator]).get_params()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_pickle(Estimator: type) -> None:
    X, y = data(Estimator)
    model = Estimator(**CHANGED[Estimator]).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert str(again.certificate_) == str(model.certificate_)  # NaN is not itself
    assert again.get_params() == model.get_params()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_kind(Estimator: type) -> None:
    assert is_classifier(Estimator()) == (Estimator is ridgeline.LogisticRegression)
    assert is_regressor(Estimator()) == (Estimator in REGRESSORS)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_pipeline_and_cross_validation(Estimator: type) -> None:
    X, y = data(Estimator)
    pipeline = make_pipeline(StandardScaler(), Estimator(**CHANGED[Estimator])).fit(X, y)
    assert pipeline.score(X, y) > 0.5
    scores = cross_val_score(pipeline, X, y, cv=4)
    assert scores.shape == (4,)
    assert (scores > 0.3).all()
    assert cross_val_predict(Estimator(), X, y, cv=3).shape == (120,)


@pytest.mark.parametrize(
    "Estimator, grid",
    [
        (ridgeline.Ridge, {"alpha": [1e-3, 1.0, 1e6]}),
        (ridgeline.HuberRegressor, {"alpha": [1e-3, 1e6], "epsilon": [1.2, 1.5]}),
        (ridgeline.QuantileRegressor, {"alpha": [1e-3, 100.0]}),
        (ridgeline.LogisticRegression, {"C": [1.0, 1e-9], "fit_intercept": [True, False]}),
    ],
)
def test_grid_search(Estimator: type, grid: dict[str, list[Any]]) -> None:
    X, y = data(Estimator)
    search = GridSearchCV(Estimator(), grid, cv=3).fit(X, y)
    assert set(search.best_params_) == set(grid)
    assert search.best_score_ == np.max(search.cv_results_["mean_test_score"]) > 0.5
    assert search.predict(X).shape == (120,)


def test_probabilities_reach_the_scorers() -> None:
    X, y = data(ridgeline.LogisticRegression)
    for scoring in ("neg_log_loss", "roc_auc", "neg_brier_score"):
        assert np.isfinite(cross_val_score(ridgeline.LogisticRegression(), X, y, scoring=scoring, cv=3)).all()


def test_several_targets_by_a_wrapper() -> None:
    X, y = data(ridgeline.HuberRegressor)
    model = MultiOutputRegressor(ridgeline.HuberRegressor()).fit(X, np.stack([y, -y], 1))
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 0, atol=1e-9)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that the classes are not heirs of scikit-learn's
    made = [*(Estimator() for Estimator in ESTIMATORS), ridgeline.LogisticRegressionCV(cv=3)]
    every_check = parametrize_with_checks(made)
    names, cases = every_check.args
    cases = list(cases)  # scikit-learn before 1.9 has a generator, pytest 10 wants a list


@pytest.mark.thread_unsafe(reason="scikit-learn's checks change one estimator, and the filters of warnings")
@pytest.mark.parametrize(names, cases, **every_check.kwargs)
@pytest.mark.filterwarnings("ignore")  # its data are often rank deficient or separated, and its warnings are about itself
def test_scikit_learn_s_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)
