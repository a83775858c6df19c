"""What estimators refuse or warn of, in words that say what to do; and what is left of a fit that another fit replaces."""

import sys

import numpy as np
import pytest
from scipy import sparse

from ridgeline import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Moments,
    Ridge,
    RidgeCV,
    lasso_path,
    source,
)
from ridgeline.certificate import FitWarning

rng = np.random.default_rng(12)
X = rng.normal(size=(120, 3))
Y = X @ [1.0, -2.0, 0.5] + rng.normal(size=120)
TWO = np.column_stack([Y, -Y])
LABELS = (Y > 0).astype(int)


def test_a_score_needs_targets_of_the_shape_of_the_predictions():
    model = Ridge().fit(X, TWO)
    with pytest.raises(ValueError, match=r"y has shape \(120,\), but the model predicts targets of shape \(120, 2\)"):
        model.score(X, Y)


def test_singular_values_belong_to_fits_with_more_rows_than_columns():
    wide = rng.normal(size=(5, 80))
    with pytest.warns(FitWarning, match="fewer rows .5. than columns .80."):
        model = LinearRegression().fit(wide, wide[:, 0])
    with pytest.raises(AttributeError, match="singular_ is not kept for fits with fewer rows than columns"):
        model.singular_  # noqa: B018
    centred = X - X.mean(axis=0)
    np.testing.assert_allclose(LinearRegression().fit(X, Y).singular_, np.linalg.svd(centred, compute_uv=False), rtol=1e-12)


def test_solvers_of_scikit_learn_that_cannot_what_is_asked_of_them():
    with pytest.raises(ValueError, match="solver='svd' does not support positive fitting, in scikit-learn: leave it 'auto'"):
        Ridge(solver="svd", positive=True).fit(X, Y)
    with pytest.raises(ValueError, match="solver='cholesky' does not support an intercept for sparse X, in scikit-learn"):
        Ridge(solver="cholesky").fit(sparse.csr_matrix(X), Y)
    model = Ridge(solver="cholesky", fit_intercept=False).fit(sparse.csr_matrix(X), Y)
    assert model.solver_ == "cholesky"


@pytest.mark.filterwarnings("ignore:With alpha=0")
@pytest.mark.parametrize("model", [Lasso(alpha=0.0), ElasticNet(alpha=0.1, l1_ratio=0.0)], ids=["no penalty", "ridge"])
def test_without_an_l1_penalty_the_answer_is_that_of_ridge(model):
    """From rows, chunks and moments alike; alpha there goes beside the mean."""
    alpha = len(Y) * model.alpha
    want = Ridge(alpha).fit(X, Y)
    parts = [(X[:50], Y[:50]), (X[50:], Y[50:])]
    make = type(model)
    for fitted in (
        make(**model.get_params()).fit(X, Y),
        make(**model.get_params()).fit_source(source(parts)),
        make(**model.get_params()).fit_moments(Moments.of(X, Y)),
    ):
        np.testing.assert_allclose(fitted.coef_, want.coef_, rtol=1e-10)
        np.testing.assert_allclose(fitted.intercept_, want.intercept_, rtol=1e-10)
        assert fitted.dual_gap_ == fitted.certificate_.suboptimality >= 0


def test_a_path_starts_where_it_is_told_and_takes_one_target():
    alphas = [0.1, 0.01]
    first = lasso_path(X, Y, alphas=alphas)
    again = lasso_path(X, Y, alphas=alphas, coef_init=[1.0, -2.0, 0.5])
    np.testing.assert_allclose(again[1], first[1], atol=1e-6)
    with pytest.raises(ValueError, match=r"coef_init has shape \(2,\), but X has 3 columns"):
        lasso_path(X, Y, alphas=alphas, coef_init=[1.0, 2.0])
    with pytest.raises(ValueError, match="the moments have 2 targets; take a path for each"):
        lasso_path(moments=Moments.of(X, TWO), alphas=alphas)


def test_outliers_are_those_of_the_last_fit():
    model = HuberRegressor().fit(X, Y)
    assert model.outliers_.shape == (120,)
    model.fit_source(source([(X, Y)]))
    assert not hasattr(model, "outliers_")  # of rows that are not here


def test_a_certificate_is_that_of_the_last_fit():
    model = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, l1_ratios=(0,), use_legacy_attributes=False).fit(X, LABELS)
    assert model.certificate_.status == "optimal"
    model.set_params(refit=False).fit(X, LABELS)
    assert not hasattr(model, "certificate_")  # a mean of several fits has no proof


def test_sparse_coefficients_become_an_array_again_and_an_array_stays():
    model = LogisticRegression().fit(X, LABELS)
    kept, z = model.coef_, model.decision_function(X)
    assert model.densify().coef_ is kept
    assert sparse.issparse(model.sparsify().coef_) and (model.densify().coef_ == kept).all()
    assert (model.decision_function(X) == z).all()


@pytest.mark.filterwarnings("ignore::ridgeline.certificate.FitWarning")
def test_a_class_whose_rows_have_no_weight_is_never_predicted():
    """Its intercept has no finite optimum, and no log-odds to start from."""
    y = np.digitize(Y, [-1.0, 1.0])
    model = LogisticRegression(class_weight={2: 0.0}).fit(X, y)
    two = LogisticRegression(C=2.0).fit(X[y != 2], y[y != 2])  # half the squares: one vector in place of two opposite ones
    assert set(model.predict(X)) == {0, 1}
    np.testing.assert_allclose(model.predict_proba(X)[:, :2], two.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize(("parameters", "kind", "message"), [
    ({"l1_ratio": None}, FutureWarning, "'l1_ratio=None' was deprecated in version 1.8 of scikit-learn: use l1_ratio=0"),
    ({"penalty": "l2"}, FutureWarning, "'penalty' was deprecated in version 1.8"),
    ({"penalty": None, "C": 2.0}, UserWarning, "Setting penalty=None will ignore the C and l1_ratio parameters: C=inf alone"),
    ({"penalty": "l2", "l1_ratio": 0.5}, UserWarning, "l1_ratio parameter is only used when penalty is 'elasticnet'"),
    ({"penalty": "l1", "l1_ratio": 0.0, "solver": "saga"}, UserWarning, "Inconsistent values: penalty=l1 with l1_ratio=0.0; penalty"),
    ({"n_jobs": 2}, FutureWarning, "'n_jobs' has no effect since 1.8 of scikit-learn.* the number of threads is n_threads"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_parameters_of_other_versions_of_scikit_learn(parameters, kind, message):
    with pytest.warns(kind, match=message):
        LogisticRegression(**parameters).fit(X, LABELS)


def test_an_elastic_net_needs_its_ratio():
    with pytest.raises(ValueError, match="l1_ratio must be specified when penalty is elasticnet: a number from 0 to 1"):
        LogisticRegression(penalty="elasticnet", l1_ratio=None, solver="saga").fit(X, LABELS)


def test_numbers_in_arrays_without_axes_are_numbers():
    assert (Ridge(alpha=np.array(2.0)).fit(X, Y).coef_ == Ridge(alpha=2.0).fit(X, Y).coef_).all()
    assert (HuberRegressor(alpha=np.array(0.5)).fit(X, Y).coef_ == HuberRegressor(alpha=0.5).fit(X, Y).coef_).all()


def test_penalties_of_a_search_are_numbers():
    with pytest.raises(TypeError, match=r"alphas\[1\] must be an instance of float, not str: 'x' is no penalty"):
        RidgeCV(alphas=[1.0, "x"]).fit(X, Y)
    with pytest.warns(FutureWarning, match="The 'svd' mode is not supported for sparse X by scikit-learn.*leave gcv_mode out"):
        RidgeCV(gcv_mode="svd").fit(sparse.csr_matrix(X), Y)


def test_names_of_scorers_are_scikit_learns(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(ImportError, match="scoring='accuracy' names one of scikit-learn's scorers: install scikit-learn, or pass a"):
        LogisticRegressionCV(Cs=2, scoring="accuracy", l1_ratios=(0,), use_legacy_attributes=False).fit(X, LABELS)
