"""Searches pass arguments on to their splitter and scorer, where scikit-learn's metadata routing is on; its progress bars find our fits."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="routing is scikit-learn's")

from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold

import ridgeline
from ridgeline.estimators.routing import Routed

pytestmark = pytest.mark.thread_unsafe(reason="scikit-learn's settings belong to a thread, and fixtures run in another")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + rng.normal(size=60)
GROUPS = np.repeat(np.arange(6), 10)
WEIGHT = rng.integers(1, 5, 60).astype(float)
SEARCHES = {
    "RidgeCV": {},
    "LassoCV": {"alphas": 5},
    "ElasticNetCV": {"alphas": 5},
    "LogisticRegressionCV": {"Cs": 3},
}


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_what_has_an_entry_for_each_row_is_cut_with_the_rows():
    routed = Routed({}, {"sample_weight": WEIGHT, "costs": [1.0, 5.0], "how": "well", "beta": 2.0})
    some = routed.of_rows(np.array([3, 1]), len(WEIGHT))
    assert some["sample_weight"].tolist() == [WEIGHT[3], WEIGHT[1]]
    assert {name: value for name, value in some.items() if name != "sample_weight"} == {"costs": [1.0, 5.0], "how": "well", "beta": 2.0}


def search_of(name, **options):
    return getattr(ridgeline, name)(**SEARCHES[name], **options), Y > 0 if "Logistic" in name else Y


@pytest.mark.parametrize("name", SEARCHES)
def test_groups_reach_the_splitter(name, routing):
    search, y = search_of(name, cv=GroupKFold(3))
    search.fit(X, y, groups=GROUPS)
    same, _ = search_of(name, cv=list(GroupKFold(3).split(X, y, GROUPS)))
    same.fit(X, y)
    np.testing.assert_array_equal(search.coef_, same.coef_)


@pytest.mark.parametrize("name", SEARCHES)
def test_without_routing_groups_are_refused_with_the_switch(name):
    search, y = search_of(name, cv=GroupKFold(3))
    with pytest.raises(ValueError, match=r"fit got \['groups'\].*set_config\(enable_metadata_routing=True\)"):
        search.fit(X, y, groups=GROUPS)


@pytest.mark.parametrize("name", SEARCHES)
def test_what_nobody_asked_for_is_refused(name, routing):
    search, y = search_of(name, cv=3)
    with pytest.raises(TypeError, match="groups"):
        search.fit(X, y, groups=GROUPS)


@pytest.mark.parametrize("name", ["RidgeCV", "LogisticRegressionCV"])
@pytest.mark.parametrize("asked", [True, False])
def test_weights_reach_a_scorer_that_asks_for_them(name, asked, routing):
    seen = []

    def metric(y, y_pred, sample_weight=None):
        seen.append(None if sample_weight is None else sample_weight.copy())
        return 0.0

    scorer = sklearn.metrics.make_scorer(metric).set_score_request(sample_weight=asked)
    search, y = search_of(name, cv=[(np.arange(40), np.arange(40, 60))], scoring=scorer)
    search.fit(X, y, sample_weight=WEIGHT)
    assert seen and all((s is not None) == asked for s in seen)
    if asked:
        np.testing.assert_array_equal(seen[0], WEIGHT[40:])


def test_the_score_of_a_search_routes_too(routing):
    search, y = search_of("LogisticRegressionCV", cv=3, scoring=get_scorer("accuracy").set_score_request(sample_weight=True))
    search.fit(X, y)
    assert search.score(X, y, sample_weight=WEIGHT) == pytest.approx(np.average(search.predict(X) == y, weights=WEIGHT))


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_without_a_scorer_uses_the_weights_itself(name, routing):
    search, y = search_of(name)
    with sklearn.config_context(enable_metadata_routing=False):
        expected = search_of(name)[0].fit(X, y, sample_weight=WEIGHT).coef_
    np.testing.assert_array_equal(search.fit(X, y, sample_weight=WEIGHT).coef_, expected)


def test_a_search_within_a_search_gets_its_groups(routing):
    inner = ridgeline.RidgeCV(cv=GroupKFold(2)).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    outer = GridSearchCV(inner, {"fit_intercept": [True]}, cv=GroupKFold(3))
    outer.fit(X, Y, groups=GROUPS, sample_weight=WEIGHT)
    alone = ridgeline.RidgeCV(cv=list(GroupKFold(2).split(X, Y, GROUPS)))
    np.testing.assert_array_equal(outer.best_estimator_.coef_, alone.fit(X, Y, sample_weight=WEIGHT).coef_)


def test_callbacks_of_a_meta_estimator_work_over_our_fits():
    callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    begun = []

    class Recorder:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context):
            begun.append(context.task_name)

        def on_fit_task_end(self, estimator, context): ...

    assert isinstance(Recorder(), callback.FitCallback)
    search = GridSearchCV(ridgeline.Ridge(), {"alpha": [0.1, 1.0]}, cv=2)
    search.set_callbacks(Recorder()).fit(X, Y)
    assert len(begun) > 4
