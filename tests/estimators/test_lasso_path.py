"""Paths of penalties and their choice by cross-validation: every point is a fit of its own, and folds are exact."""

import warnings

import numpy as np
import pytest

from ridgeline import ElasticNet, ElasticNetCV, Lasso, LassoCV, Moments, enet_path, lasso_path
from ridgeline.certificate import STOPPED_EARLY, FitWarning


def table(n, d):
    rng = np.random.default_rng(n + d)
    X = rng.normal(size=(n, d)) + 1.0
    w = np.where(np.arange(d) < 5, 2.0, 0.0)
    return X, X @ w + rng.normal(size=n) + 4.0, rng.uniform(0.2, 2.0, n)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("n", "d"), [(60, 8), (30, 50)])
def test_every_point_of_a_path_is_a_fit(n, d, positive):
    X, y, _ = table(n, d)
    alphas, coefs, gaps, sweeps = enet_path(
        X, y, l1_ratio=0.7, alphas=12, eps=1e-2, positive=positive, return_n_iter=True, max_iter=5000
    )
    assert coefs.shape == (d, 12) and gaps.shape == (12,) and len(sweeps) == 12
    assert (np.diff(alphas) < 0).all() and not coefs[:, 0].any() and (gaps >= 0).all()
    slopes = X.T @ y / n / 0.7
    np.testing.assert_allclose(alphas[0], slopes.max() if positive else np.abs(slopes).max(), rtol=1e-12)
    np.testing.assert_allclose(alphas, np.geomspace(alphas[0], alphas[0] * 1e-2, 12), rtol=1e-12)
    for alpha, coef in zip(alphas[1:], coefs.T[1:]):
        single = ElasticNet(alpha, l1_ratio=0.7, fit_intercept=False, positive=positive, max_iter=5000).fit(X, y)
        np.testing.assert_allclose(coef, single.coef_, rtol=1e-8, atol=1e-10)


def test_a_path_of_moments_needs_no_row():
    X, y, s = table(80, 6)
    moments = Moments.of(X[:30], y[:30], s[:30]) + Moments.of(X[30:], y[30:], s[30:])
    alphas, coefs, _ = lasso_path(moments=moments, alphas=[0.5, 0.05, 0.2], fit_intercept=True)
    np.testing.assert_array_equal(alphas, [0.5, 0.2, 0.05])
    for alpha, coef in zip(alphas, coefs.T):
        np.testing.assert_allclose(coef, Lasso(alpha).fit(X, y, s).coef_, rtol=1e-10, atol=1e-12)


def test_a_path_of_many_columns_reads_rows_and_agrees(monkeypatch):
    from ridgeline.estimators import lasso_path as module

    X, y, _ = table(60, 40)
    expected = lasso_path(X, y, alphas=8, eps=0.05)
    monkeypatch.setattr(module, "MODERATE", 10)
    actual = lasso_path(X, y, alphas=8, eps=0.05)
    np.testing.assert_allclose(actual[1], expected[1], rtol=1e-9, atol=1e-11)


def test_what_a_path_refuses():
    X, y, _ = table(20, 3)
    with pytest.raises(ValueError, match="Unexpected parameters in params"):
        lasso_path(X, y, normalize=True)
    with pytest.raises(ValueError, match="y has 2 columns; take a path for each"):
        lasso_path(X, np.column_stack([y, y]))
    with pytest.raises(TypeError, match="not both"):
        lasso_path(X, y, moments=Moments.of(X, y))
    with pytest.raises(ValueError, match="Automatic alpha grid generation is not supported for l1_ratio=0"):
        enet_path(X, y, l1_ratio=0, alphas=3)
    with pytest.raises(ValueError, match="coef_init has shape"):
        lasso_path(X, y, coef_init=np.zeros(4))
    with pytest.raises(ValueError, match="moments hold no rows"):
        lasso_path(moments=Moments(3, 1))
    for alphas, error, message in (
        ([1.0, -1.0], ValueError, r"alphas\[1\] == -1.0, must be >= 0.0."),
        ([1.0, "1"], TypeError, r"alphas\[1\] must be an instance of float, not str"),
        ([], ValueError, "alphas is empty"),
        ("many", TypeError, "alphas must be a whole number or a list"),
    ):
        with pytest.raises(error, match=message):
            lasso_path(X, y, alphas=alphas)


def test_deprecated_ways_to_say_how_many():
    X, y, _ = table(20, 3)
    with pytest.warns(FutureWarning, match="'n_alphas' was deprecated in 1.9"):
        assert len(lasso_path(X, y, n_alphas=5)[0]) == 5
    with pytest.warns(FutureWarning, match="'alphas=None' is deprecated"):
        assert len(lasso_path(X, y, alphas=None)[0]) == 100


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("splitter", ["folds", "pairs"])
@pytest.mark.parametrize("d", [6, 40])
def test_folds_are_those_of_fits_without_the_rows(d, splitter, fit_intercept, weighted):
    X, y, s = table(50, d)
    s = s if weighted else np.ones(50)
    tests = [np.arange(0, 17), np.arange(17, 34), np.arange(34, 50)]
    pairs = [(np.setdiff1d(np.arange(50), test), test) for test in tests]
    cv = 3 if splitter == "folds" else pairs
    model = ElasticNetCV(l1_ratio=[0.5, 0.9], alphas=[0.3, 0.1, 0.03], cv=cv, fit_intercept=fit_intercept).fit(X, y, s)
    errors = np.empty((2, 3, 3))
    for r, ratio in enumerate([0.5, 0.9]):
        for k, alpha in enumerate([0.3, 0.1, 0.03]):
            for f, (train, test) in enumerate(pairs):
                single = ElasticNet(alpha, l1_ratio=ratio, fit_intercept=fit_intercept, max_iter=5000).fit(X[train], y[train], s[train])
                errors[r, k, f] = np.average((y[test] - single.predict(X[test])) ** 2, weights=s[test])
    np.testing.assert_allclose(model.mse_path_, errors, rtol=1e-8)
    r, k = np.unravel_index(errors.mean(axis=2).argmin(), (2, 3))
    assert model.alpha_ == model.alphas_[k] == [0.3, 0.1, 0.03][k] and model.l1_ratio_ == [0.5, 0.9][r]
    best = ElasticNet(model.alpha_, l1_ratio=model.l1_ratio_, fit_intercept=fit_intercept).fit(X, y, s)
    np.testing.assert_allclose(model.coef_, best.coef_, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(model.intercept_, best.intercept_, rtol=1e-9)


@pytest.mark.parametrize("model", [LassoCV, ElasticNetCV])
def test_a_search_that_was_stopped_says_so(model):
    X, y, s = table(50, 10)
    with pytest.warns(FitWarning, match="after 1 sweeps"):
        found = model(alphas=[1e-3], cv=3, max_iter=1).fit(X, y, s)
    assert found.certificate_.status == STOPPED_EARLY
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(alphas=[1e-3], cv=3).fit(X, y, s)


def test_many_columns_are_left_out_by_weight(monkeypatch):
    from ridgeline.estimators import lasso_cv as module

    X, y, s = table(50, 30)
    expected = LassoCV(alphas=6, eps=0.05, cv=3).fit(X, y, s)
    monkeypatch.setattr(module, "MODERATE", 10)
    actual = LassoCV(alphas=6, eps=0.05, cv=3).fit(X, y, s)
    np.testing.assert_allclose(actual.mse_path_, expected.mse_path_, rtol=1e-8)
    assert actual.alpha_ == pytest.approx(expected.alpha_, rel=1e-12)


def test_scikit_learn_chooses_the_same():
    peer = pytest.importorskip("sklearn.linear_model")
    X, y, s = table(60, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.LassoCV(alphas=15, tol=1e-10, max_iter=100000).fit(X, y, s)
    mine = LassoCV(alphas=15).fit(X, y, s)
    np.testing.assert_allclose(mine.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(mine.mse_path_, theirs.mse_path_, rtol=1e-5)
    assert mine.alpha_ == pytest.approx(theirs.alpha_, rel=1e-10)


def test_a_constant_target_has_no_path():
    model = LassoCV(alphas=3).fit(table(10, 3)[0], np.full(10, 5.0))
    np.testing.assert_array_equal(model.alphas_, [1e-15] * 3)
    np.testing.assert_array_equal(model.predict(table(10, 3)[0]), np.full(10, 5.0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cv": 51}, "cv == 51, must be at least 2"),
        ({"eps": 0.0}, "eps == 0.0"),
        ({"alphas": 0}, "alphas == 0"),
        ({"selection": "fast"}, "selection must be"),
        ({"l1_ratio": [0.5, 2.0]}, "l1_ratio == 2.0"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    X, y, _ = table(50, 3)
    with pytest.raises(ValueError, match=message):
        ElasticNetCV(**parameters).fit(X, y)


def test_several_targets_and_stray_arguments_are_refused():
    X, y, _ = table(50, 3)
    with pytest.raises(ValueError, match="should be a 1d array"):
        LassoCV().fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
        LassoCV().fit(X, y, groups=np.zeros(50))


def test_a_bad_entry_counts_rows_from_the_first():
    X, y, _ = table(50, 3)
    X[44, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN at row 44, column 1"):
        LassoCV().fit(X, y)
