"""Logistic regression with its penalty by cross-validation."""

import warnings

import numpy as np
import pytest

from ridgeline import LogisticRegression, LogisticRegressionCV
from ridgeline.folds import stratified_splits


def data(classes=2, n=240, d=4, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d))
    names = np.array(["ant", "bee", "cat", "dog"])
    return X, names[(X @ random.normal(size=(d, classes)) + random.gumbel(size=(n, classes))).argmax(axis=1)]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_search_is_that_of_separate_fits(classes, weighted):
    X, y = data(classes)
    s = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    Cs = np.array([1.0, 0.01, 100.0])
    model = LogisticRegressionCV(Cs=Cs, cv=3).fit(X, y, s)
    want = np.empty((3, 3))
    for fold, (train, test) in enumerate(stratified_splits(np.unique(y, return_inverse=True)[1], 3)):
        for k, C in enumerate(Cs):
            one = LogisticRegression(C=C).fit(X[train], y[train], None if s is None else s[train])
            want[fold, k] = one.score(X[test], y[test], None if s is None else s[test])
            for label, w, b in zip(model.classes_[-len(one.coef_) :], one.coef_, one.intercept_):
                np.testing.assert_allclose(model.coefs_paths_[label][fold, k], np.append(w, b), rtol=1e-5, atol=1e-6)
    best = Cs[want.sum(axis=0).argmax()]
    for label in model.classes_[-len(model.coef_) :]:
        np.testing.assert_allclose(model.scores_[label], want)
    assert model.C_.tolist() == [best] * len(model.C_) and model.C_.shape == (1 if classes == 2 else classes,)
    alone = LogisticRegression(C=best).fit(X, y, s)
    np.testing.assert_allclose(model.coef_, alone.coef_, rtol=1e-8)
    assert model.certificate_.status == "optimal"


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"refit": False},
        {"class_weight": "balanced", "Cs": 4},
        {"fit_intercept": False, "Cs": [0.1, 1.0]},
        {"cv": 3, "scoring": "neg_log_loss"},
        {"l1_ratios": (0,)},
        {"l1_ratios": (0,), "use_legacy_attributes": False},
        {"l1_ratios": (0, 0.5, 1), "Cs": [0.1, 1.0], "solver": "saga"},
        {"l1_ratios": np.array([0.5]), "Cs": [0.1, 1.0], "solver": "saga", "refit": False, "use_legacy_attributes": False},
    ],
    ids=str,
)
def test_as_in_sklearn(classes, options):
    peers = pytest.importorskip("sklearn.linear_model")
    X, y = data(classes)
    ours = LogisticRegressionCV(**options).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peers.LogisticRegressionCV(tol=1e-8, max_iter=2000, **options).fit(X, y)
    if options.get("refit", True):  # without, theirs says 0 of a ratio that was not asked for
        assert np.array_equal(ours.l1_ratio_, theirs.l1_ratio_)
    for name in ("C_", "Cs_", "coef_", "intercept_"):
        assert np.shape(getattr(ours, name)) == np.shape(getattr(theirs, name)), name
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4, atol=1e-5, err_msg=name)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    for name in ("scores_", "coefs_paths_"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if not isinstance(other, dict):
            mine, other = {0: mine}, {0: other}
        assert list(mine) == list(other)
        for label in other:
            assert mine[label].shape == other[label].shape
            np.testing.assert_allclose(mine[label], other[label], atol=2e-3)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-5)


def test_a_search_has_the_same_bits_for_any_number_of_threads():
    X, y = data(3, n=6000)
    one, two = (LogisticRegressionCV(Cs=3, cv=2, n_threads=k).fit(X, y) for k in (1, 2))
    assert all((one.coefs_paths_[label] == two.coefs_paths_[label]).all() for label in one.classes_)


def test_a_scorer_is_given_labels_and_weights():
    X, y = data()
    seen = []

    def scorer(estimator, X, y, sample_weight):
        seen.append((set(y), len(sample_weight), estimator.predict_proba(X).shape))
        return -len(seen)

    model = LogisticRegressionCV(Cs=2, cv=2, scoring=scorer).fit(X, y, np.ones(len(y)))
    assert len(seen) == 4 and seen[0] == ({"ant", "bee"}, 120, (120, 2))
    assert model.C_[0] == 1e-4


@pytest.mark.parametrize("scoring", ["neg_log_loss", "neg_brier_score"])
def test_a_metric_knows_the_classes_that_the_rows_left_out_lack(scoring):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(60, 2)), np.repeat(["a", "b", "c"], 20)
    rest = np.arange(0, 60, 2)
    model = LogisticRegressionCV(Cs=[0.1], cv=[(rest, np.arange(1, 40, 2))], scoring=scoring, use_legacy_attributes=False).fit(X, y)
    fold = LogisticRegression(C=0.1).fit(X[rest], y[rest])
    X_out, y_out = X[1:40:2], y[1:40:2]
    expected = {
        "neg_log_loss": lambda: -metrics.log_loss(y_out, fold.predict_proba(X_out), labels=["a", "b", "c"]),
        "neg_brier_score": lambda: -metrics.brier_score_loss(y_out, fold.predict_proba(X_out), labels=["a", "b", "c"]),
    }[scoring]()
    np.testing.assert_allclose(model.scores_[0, 0, 0], expected, rtol=1e-7)


def test_a_metric_of_two_names_takes_the_second_for_the_positive_one():
    metrics = pytest.importorskip("sklearn.metrics")
    X, y = data()
    model = LogisticRegressionCV(Cs=[1.0], cv=[(np.arange(120), np.arange(120, 240))], scoring="f1").fit(X, y)
    fold = LogisticRegression(C=1.0).fit(X[:120], y[:120])
    np.testing.assert_allclose(model.scores_["bee"][0, 0], metrics.f1_score(y[120:], fold.predict(X[120:]), pos_label="bee"))


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"Cs": []}, ValueError, "Cs is empty"),
        ({"Cs": [1.0, -1.0]}, ValueError, r"Cs\[1\] == -1.0, must be greater than 0"),
        ({"Cs": 0}, ValueError, "Cs == 0, must be at least 1"),
        ({"l1_ratios": [0.5, 1.5]}, ValueError, "l1_ratios must be an array-like of numbers between 0 and 1"),
        ({"penalty": "elasticnet"}, ValueError, "l1_ratios must be specified"),
        ({"cv": 1}, ValueError, "cv == 1"),
        ({"cv": "five"}, TypeError, "cv must be None"),
        ({"cv": [(slice(0, 0), slice(0, 5))]}, ValueError, "split 0"),
        ({"scoring": 3}, TypeError, "scoring must be"),
        ({"refit": "yes"}, TypeError, "refit must be True or False"),
        ({"tol": -1.0}, ValueError, "tol == -1.0"),
    ],
    ids=str,
)
def test_refused_and_nothing_changed(options, error, message):
    X, y = data()
    model = LogisticRegressionCV(Cs=2, cv=2).fit(X, y)
    before = dict(vars(model))
    model.set_params(**options)
    with pytest.raises(error, match=message):
        model.fit(X, y)
    assert all(vars(model)[name] is value for name, value in before.items() if name.endswith("_"))


def test_a_class_that_a_split_leaves_out_is_named():
    X, y = data()
    only = np.flatnonzero(y == "ant")
    with pytest.raises(ValueError, match="one class among the rows to fit in split 1: 'ant'"):
        LogisticRegressionCV(Cs=2, cv=[(np.arange(100), np.arange(100, 200)), (only, np.arange(50))]).fit(X, y)
