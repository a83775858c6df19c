"""Coefficients of zero or more, beside SciPy's non-negative least squares of the rows themselves."""

import warnings

import numpy as np
import pytest
from scipy.optimize import nnls

from ridgeline import LinearRegression, Moments, Ridge
from ridgeline.certificate import ILL_CONDITIONED, OPTIMAL, FitWarning
from ridgeline.solvers import nonnegative

SHAPES = [(60, 5), (60, 30), (20, 30), (200, 1), (500, 80)]


def rows(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.choice([0.01, 1.0, 100.0], d) + rng.normal(size=d)
    return X, X @ (rng.normal(size=d) / np.abs(X).max(axis=0)) + 0.1 * rng.normal(size=n), rng.uniform(0.5, 2.0, n)


def reference(X, y, s, alpha, fit_intercept):
    """nnls of the centred rows, below them sqrt(alpha) I."""
    mean, middle = (np.average(a, axis=0, weights=s) if fit_intercept else 0 * a[0] for a in (X, y))
    root = np.sqrt(s)[:, None]
    above = root * (X - mean)
    w = nnls(np.vstack([above, np.sqrt(alpha) * np.eye(X.shape[1])]), np.append(root[:, 0] * (y - middle), np.zeros(X.shape[1])))[0]
    return w, middle - mean @ w


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_answer_is_that_of_nnls(shape, alpha, fit_intercept):
    if alpha == 0 and shape[0] < shape[1]:
        pytest.skip("the answer is not unique")
    X, y, s = rows(*shape)
    model = Ridge(alpha, positive=True, fit_intercept=fit_intercept).fit(X, y, s)
    w, b = reference(X, y, s, alpha, fit_intercept)
    np.testing.assert_allclose(model.coef_, w, rtol=1e-7, atol=1e-9 * np.abs(w).max())
    np.testing.assert_allclose(model.intercept_, b, rtol=1e-7, atol=1e-9)
    assert model.certificate_.status == OPTIMAL
    assert (model.coef_ >= 0).all()


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_gradient_is_zero_on_the_support_and_positive_elsewhere(alpha):
    X, y, s = rows(300, 40)
    model = Ridge(alpha, positive=True).fit(X, y, s)
    gradient = X.T @ (s * (model.predict(X) - y)) + alpha * model.coef_
    size = np.abs(X.T) @ (s * np.abs(y)) + 1
    support = model.coef_ > 0
    assert 0 < support.sum() < 40
    assert (np.abs(gradient / size)[support] < 1e-13).all()
    assert (gradient / size > -1e-13).all()


def test_the_bound_holds():
    X, y, s = rows(200, 20, seed=3)
    model = Ridge(0.5, positive=True).fit(X, y, s)
    w, b = reference(X, y, s, 0.5, True)

    def risk(w, b):
        return (0.5 * s @ (y - X @ w - b) ** 2 + 0.25 * w @ w) / s.sum()

    assert risk(model.coef_, model.intercept_) - risk(w, b) <= model.certificate_.suboptimality + 1e-15


def test_targets_have_supports_of_their_own():
    X, y, _ = rows(100, 6)
    both = LinearRegression(positive=True).fit(X, np.stack([y, -y], axis=1))
    for k, one in enumerate((y, -y)):
        alone = LinearRegression(positive=True).fit(X, one)
        np.testing.assert_array_equal(both.coef_[k], alone.coef_)
        assert both.intercept_[k] == alone.intercept_
    assert not ((both.coef_[0] > 0) & (both.coef_[1] > 0)).all()


def test_no_column_helps():
    X = np.arange(10.0)[:, None]
    model = LinearRegression(positive=True).fit(X, 5.0 - 2 * X[:, 0])
    np.testing.assert_array_equal(model.coef_, [0.0])
    assert model.intercept_ == -4.0
    assert LinearRegression(positive=True, fit_intercept=False).fit(X, -X[:, 0]).intercept_ == 0.0


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_columns_of_zeros_get_zero(fit_intercept):
    y = np.arange(10.0)
    for X, coef in ((np.zeros((10, 1)), [0.0]), (np.column_stack([0 * y, y, 0 * y]), [0.0, 1.0, 0.0])):
        model = LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, y)
        np.testing.assert_allclose(model.coef_, coef, atol=1e-14)


def test_where_all_are_positive_the_constraint_changes_nothing():
    X, _, s = rows(80, 4)
    y = X @ [1.0, 2.0, 3.0, 4.0] + 0.01 * np.sin(np.arange(80.0))
    free = LinearRegression().fit_moments(Moments.of(X, y, s))
    np.testing.assert_array_equal(LinearRegression(positive=True).fit(X, y, s).coef_, free.coef_)


def test_dependent_columns_give_an_answer_of_least_risk():
    X, y, s = rows(50, 4)
    X = np.hstack([X, X[:, :2]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LinearRegression(positive=True).fit(X, y, s)
    w, b = reference(X, y, s, 0.0, True)
    np.testing.assert_allclose(model.predict(X), X @ w + b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("precision", ["double", "extended"])
def test_a_part_of_moments_is_the_moments_of_the_part(precision):
    X, y, s = rows(70, 6)
    part = Moments.of(X, np.stack([y, y**2], axis=1), s, precision=precision).part([4, 1], [1])
    direct = Moments.of(X[:, [4, 1]], y**2, s, precision=precision)
    np.testing.assert_allclose(part.mean, direct.mean, rtol=1e-14)
    np.testing.assert_allclose(part.scatter, direct.scatter, rtol=1e-12)
    assert (part.weight, part.count, part.n_features, part.n_targets) == (direct.weight, 70, 2, 1)


def nearly_dependent(seed):
    """Columns that differ by a millionth to a billionth, and a target that they give to rounding or nearly."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(4, 40)), int(rng.integers(2, 8))
    X = rng.normal(size=(n, d))
    X[:, 1:] = X[:, :1] + 10.0 ** rng.uniform(-9, -6) * rng.normal(size=(n, d - 1))
    return X, X @ np.maximum(rng.normal(size=d), 0) + 10.0 ** rng.uniform(-8, -2) * rng.normal(size=n)


def least_of_all_supports(X, y):
    """The least risk of coefficients above zero, by trying all sets of them: `nnls` does not end on such columns in every SciPy."""
    least = 0.5 * np.mean(y**2)
    for number in range(1, 2 ** X.shape[1]):
        some = X[:, [bool(number >> j & 1) for j in range(X.shape[1])]]
        w = np.linalg.lstsq(some, y, rcond=None)[0]
        if (w > 0).all():
            least = min(least, 0.5 * np.mean((y - some @ w) ** 2))
    return least


@pytest.mark.parametrize("seed", range(60))
def test_the_bound_holds_for_columns_that_are_nearly_dependent(seed):
    """Where a multiplier is no larger than its rounding, whether its column helps is for more digits to say."""
    X, y = nearly_dependent(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LinearRegression(positive=True).fit(X, y)
    rows, target = X - X.mean(axis=0), y - y.mean()
    found = 0.5 * np.mean((target - rows @ model.coef_) ** 2)
    least = least_of_all_supports(rows, target)
    assert (model.coef_ >= 0).all()
    assert found - least <= model.certificate_.suboptimality + 1e-6 * least + 1e-22


def test_of_moments_alone_some_supports_cannot_be_told():
    X, y = nearly_dependent(3)
    model = LinearRegression(positive=True)
    with pytest.warns(FitWarning, match="may belong to the support or not"):
        model.fit_moments(Moments.of(X, y))
    assert model.certificate_.status == ILL_CONDITIONED


def test_a_start_that_is_not_the_minimum_is_bettered(monkeypatch):
    X, y, _ = rows(500, 80)
    want = LinearRegression(positive=True).fit(X, y).coef_
    monkeypatch.setattr(nonnegative, "EXCHANGES", 1)
    np.testing.assert_allclose(LinearRegression(positive=True).fit(X, y).coef_, want, rtol=1e-10)


def test_exchanges_that_do_not_end_are_said_to_be_lost(monkeypatch):
    X, y, _ = rows(60, 5)
    one = int(LinearRegression(positive=True).fit(X, y).coef_.argmin())

    def never_content(moments, equations, support, solution):
        return np.where(np.arange(5) == one, -1.0, 0.0), np.zeros(5)

    monkeypatch.setattr(nonnegative, "_multipliers", never_content)
    model = LinearRegression(positive=True)
    with pytest.warns(FitWarning):
        model.fit(X, y)
    assert model.certificate_.status == ILL_CONDITIONED and model.certificate_.suboptimality > 0
    assert (model.coef_ >= 0).all() and model.coef_[one] == 0
