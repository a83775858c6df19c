"""The penalty that predicts left-out rows best, beside fits really made without them."""

import warnings

import numpy as np
import pytest

from ridgeline import LinearRegression, Moments, Ridge, RidgeCV, source
from ridgeline.certificate import FitWarning
from ridgeline.solvers.ridge_path import mean_r2, path, without_each

ALPHAS = np.geomspace(1e-3, 1e4, 8)
SHAPES = [(40, 5, 0), (40, 5, 3), (12, 70, 0), (12, 70, 2), (12, 11, 0)]


def problem(n, d, t, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + 3
    y = X @ rng.normal(size=(d, max(t, 1))) + 5 * rng.normal(size=(n, max(t, 1)))
    return X, y if t else y[:, 0], rng.uniform(0.5, 2, n)


def without_row(X, y, s, i, alpha, fit_intercept):
    keep = np.arange(len(X)) != i
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Ridge(alpha, fit_intercept=fit_intercept).fit(X[keep], y[keep], s[keep]).predict(X[i : i + 1])[0]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_leave_one_out_is_fitting_without_each_row(shape, weighted, fit_intercept, order):
    X, y, s = problem(*shape)
    X = np.asarray(X, order=order)
    s = s if weighted else np.ones(len(X))
    model = RidgeCV(ALPHAS, fit_intercept=fit_intercept, store_cv_results=True)
    model.fit(X, y, s if weighted else None)
    alone = np.array([[without_row(X, y, s, i, a, fit_intercept) for a in ALPHAS] for i in range(len(X))])
    errors = (y[:, None] - alone) ** 2 * (s[:, None, None] if y.ndim == 2 else s[:, None])
    errors = np.moveaxis(errors, 1, 2) if y.ndim == 2 else errors  # (n, t, k)
    np.testing.assert_allclose(model.cv_results_, errors, rtol=1e-7)
    score = -errors.mean(axis=tuple(range(errors.ndim - 1)))
    assert model.alpha_ == ALPHAS[score.argmax()]
    np.testing.assert_allclose(model.best_score_, score.max(), rtol=1e-7)
    best = Ridge(model.alpha_, fit_intercept=fit_intercept).fit(X, y, s if weighted else None)
    np.testing.assert_allclose(model.coef_, best.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), best.predict(X), rtol=1e-12)
    assert model.certificate_.status == "optimal"


@pytest.mark.parametrize("options", [
    {}, {"cv": 5}, {"scoring": "neg_mean_absolute_error"}, {"alpha_per_target": True}, {"scoring": "r2", "alpha_per_target": True},
    {"cv": 4, "scoring": "neg_mean_squared_error"},
])  # fmt: skip
@pytest.mark.parametrize("shape", SHAPES)
def test_choice_and_score_are_scikit_learns(shape, options):
    peer = pytest.importorskip("sklearn.linear_model").RidgeCV
    if not shape[2] and len(options) == 2 and "alpha_per_target" in options:
        pytest.skip("scikit-learn fails there")
    X, y, s = problem(*shape)
    for weight in (None, s):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mine = RidgeCV(ALPHAS, **options).fit(X, y, weight)
            theirs = peer(ALPHAS, **options).fit(X, y, weight)
        np.testing.assert_array_equal(mine.alpha_, theirs.alpha_)
        np.testing.assert_allclose(mine.best_score_, theirs.best_score_, rtol=1e-7)
        np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("t", [0, 2])
def test_folds_are_fits_of_the_other_rows(t, fit_intercept):
    X, y, s = problem(31, 4, t)
    folds = np.array_split(np.arange(31), 4)
    scores = np.zeros(len(ALPHAS))
    for test in folds:
        train = np.setdiff1d(np.arange(31), test)
        for k, a in enumerate(ALPHAS):
            model = Ridge(a, fit_intercept=fit_intercept).fit(X[train], y[train], s[train])
            scores[k] += model.score(X[test], y[test], s[test]) / 4
    pairs = [(np.setdiff1d(np.arange(31), test), test) for test in folds]
    for cv in (4, pairs):
        model = RidgeCV(ALPHAS, cv=cv, fit_intercept=fit_intercept).fit(X, y, s)
        assert model.alpha_ == ALPHAS[scores.argmax()]
        np.testing.assert_allclose(model.best_score_, scores.max(), rtol=1e-10)


@pytest.mark.parametrize("t", [0, 2, 3])
def test_a_penalty_for_each_target_of_a_source(t):
    X, y, s = problem(40, 5, t)
    whole = RidgeCV(ALPHAS, alpha_per_target=True).fit(X, y, s)
    for rows in (source(X, y, s), source([(X[:15], y[:15], s[:15]), (X[15:], y[15:], s[15:])])):
        model = RidgeCV(ALPHAS, alpha_per_target=True).fit_source(rows)
        assert np.array_equal(model.alpha_, whole.alpha_) and np.shape(model.alpha_) == np.shape(model.best_score_) == y.shape[1:]
        np.testing.assert_allclose(model.best_score_, whole.best_score_, rtol=1e-7)


@pytest.mark.parametrize("cv", [None, 4])
def test_a_penalty_too_small_for_dependent_columns_is_warned_of(cv):
    X, y, _ = problem(40, 5, 0)
    X = np.column_stack([X, X[:, 0]])
    for fit in (lambda model: model.fit(X, y), lambda model: model.fit_source(source(X, y))):
        with pytest.warns(FitWarning, match="The columns have rank 5, not 6"):
            fit(RidgeCV([1e-300], cv=cv))


def test_a_function_scores_predictions():
    X, y, _ = problem(40, 5, 0)

    def worst(estimator, prediction, truth):
        return -np.abs(truth - estimator.predict(prediction)).max()

    model = RidgeCV(ALPHAS, scoring=worst, store_cv_results=True).fit(X, y)
    scores = -np.abs(y[:, None] - model.cv_results_).max(axis=0)
    assert model.best_score_ == scores.max() and model.alpha_ == ALPHAS[scores.argmax()]


def test_moments_of_the_others_lose_nothing():
    X, y, _ = problem(50, 3, 2)
    X += 1e6
    cuts = [slice(0, 10), slice(10, 11), slice(11, 50)]
    for rest, cut in zip(without_each([Moments.of(X[c], y[c]) for c in cuts]), cuts):
        keep = np.setdiff1d(np.arange(50), np.arange(50)[cut])
        whole = Moments.of(X[keep], y[keep])
        assert rest.count == len(keep)
        np.testing.assert_allclose(rest.scatter, whole.scatter, rtol=1e-9, atol=1e-9 * np.abs(whole.scatter).max())


@pytest.mark.parametrize("least", [0.0, 1e-14, 1e-2])
def test_path_is_a_fit_for_each_penalty(least):
    """With one that drowns in rounding, by eigenvectors, and without."""
    X, y, s = problem(40, 5, 2)
    moments = Moments.of(X, y, s)
    coef, intercept = path(moments, np.append(least, ALPHAS), True)
    for a, w, b in zip(np.append(least, ALPHAS), coef, intercept):
        model = Ridge(a).fit_moments(moments)
        np.testing.assert_allclose(w, model.coef_, rtol=1e-9)
        np.testing.assert_allclose(b, model.intercept_, rtol=1e-9)
    scores = [Ridge(a).fit_moments(moments).score(X, y, s) for a in ALPHAS]
    np.testing.assert_allclose(mean_r2(moments, coef[1:], intercept[1:]), scores, rtol=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 1e-13])
def test_directions_that_the_columns_do_not_have_are_left_out(alpha):
    X, y, _ = problem(40, 4, 0)
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    (coef,), _ = path(Moments.of(X, y), np.array([alpha]), True)
    wanted = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=1e-10)[0]
    np.testing.assert_allclose(coef[0], wanted, rtol=1e-6)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_folds_have_the_same_bits_on_any_number_of_threads(n_threads):
    X, y, s = problem(60, 7, 2)
    one, more = (RidgeCV(ALPHAS, cv=4, n_threads=k).fit(X, y, s) for k in (1, n_threads))
    assert one.best_score_ == more.best_score_ and one.alpha_ == more.alpha_


def test_folds_may_try_no_penalty_at_all():
    """Leaving out one row at a time takes a positive one."""
    X, y, s = problem(40, 5, 0)
    found, least = (RidgeCV([alpha], cv=4).fit(X, y, s) for alpha in (0.0, 1e-9))
    np.testing.assert_allclose(found.coef_, LinearRegression().fit(X, y, s).coef_, rtol=1e-11)
    assert found.alpha_ == 0 and found.best_score_ == pytest.approx(least.best_score_, rel=1e-9)


def test_a_constant_fold_scores_as_a_constant_target_does():
    X = np.arange(6.0)[:, None]
    model = RidgeCV([1.0], cv=2).fit(X, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert model.best_score_ == 1.0


@pytest.mark.parametrize(("options", "message"), [
    ({"alphas": []}, "alphas is empty"),
    ({"alphas": [1.0, -1.0]}, r"alphas\[1\] == -1.0, must be > 0"),
    ({"alphas": [1.0, 0.0]}, r"alphas\[1\] == 0.0, must be > 0"),
    ({"cv": 3, "alphas": [-1.0]}, "alphas == -1.0, must be at least 0"),
    ({"cv": 3, "store_cv_results": True}, "cv!=None and store_cv_results=True are incompatible"),
    ({"cv": 3, "alpha_per_target": True}, "cv!=None and alpha_per_target=True are incompatible"),
    ({"cv": 1}, "cv == 1, must be at least 2"),
    ({"cv": 41}, "at most the number of rows, 40"),
    ({"cv": []}, "cv gave no splits"),
])  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(options, message):
    X, y, _ = problem(40, 5, 0)
    model = RidgeCV().fit(X, y)
    before = dict(vars(model))
    model.set_params(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    after = {name: value for name, value in vars(model).items() if name not in options}
    assert after == {name: value for name, value in before.items() if name not in options}


@pytest.mark.parametrize("shape", [(40, 5, 0), (5, 90, 0)])
def test_rows_that_are_not_finite_are_named(shape):
    X, y, _ = problem(*shape)
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="row 3, column 2"):
        RidgeCV().fit(X, y)
    with pytest.raises(ValueError, match="row 3, column 2"):
        RidgeCV(cv=2).fit(X, y)
