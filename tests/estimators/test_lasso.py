"""Lasso and elastic net: optimality from an independent gradient, the certificate, and every edge with a known answer."""

import re
import warnings
from fractions import Fraction

import numpy as np
import pytest

from ridgeline import ElasticNet, Lasso, LinearRegression, Moments, Ridge, source
from ridgeline.certificate import FitWarning
from ridgeline.solvers import lasso as module
from ridgeline.solvers.lasso import refine

RNG = np.random.default_rng(5)


def table(n, d, mean=2.0, dtype=np.float64):
    rng = np.random.default_rng(n + d)
    X = (rng.normal(size=(n, d)) + mean).astype(dtype)
    w = np.where(np.arange(d) < 6, rng.normal(size=d) * 3, 0.0)
    return X, X @ w + rng.normal(size=n) + 7.0, rng.uniform(0.1, 3.0, n)


def objective(model, X, y, s, coef, intercept):
    r = y - X.astype(np.float64) @ coef - intercept
    l1, l2 = model.alpha * model.l1_ratio, model.alpha * (1 - model.l1_ratio)
    return s @ r**2 / (2 * s.sum()) + l1 * np.abs(coef).sum() + l2 / 2 * coef @ coef


def violation(model, X, y, s):
    """The largest entry of the smallest subgradient, from the rows."""
    w = model.coef_.astype(np.float64)
    r = y - X.astype(np.float64) @ w - model.intercept_
    g = X.T.astype(np.float64) @ (s * r) / s.sum() - model.alpha * (1 - model.l1_ratio) * w
    l1 = model.alpha * model.l1_ratio
    off = np.maximum((g if model.positive else np.abs(g)) - l1, 0)
    return max(np.abs(np.where(w == 0, off, g - l1 * np.sign(w))).max(), abs(s @ r) / s.sum() if model.fit_intercept else 0)


MODELS = {
    "lasso": Lasso,
    "elastic net": lambda a, **k: ElasticNet(a, l1_ratio=0.3, **k),
    "positive": lambda a, **k: Lasso(a, positive=True, **k),
    "no intercept": lambda a, **k: Lasso(a, fit_intercept=False, **k),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [1.0, 0.1, 0.01])
@pytest.mark.parametrize(("n", "d"), [(80, 12), (40, 120), (60, 500)])
@pytest.mark.parametrize("name", MODELS)
def test_the_optimum_from_an_independent_gradient(name, n, d, alpha, weighted):
    X, y, s = table(n, d)
    model = MODELS[name](alpha, max_iter=5000).fit(X, y, s if weighted else None)
    s = s if weighted else np.ones(n)
    assert model.certificate_.status == "optimal"
    assert violation(model, X, y, s) < 1e-11
    assert violation(model, X, y, s) <= model.certificate_.gradient_norm
    assert 0 <= model.dual_gap_ == model.certificate_.suboptimality < 1e-8
    assert isinstance(model.n_iter_, int)


@pytest.mark.parametrize("d", [30, 400])
def test_float32_rows_give_float32_coefficients_near_those_of_double(d):
    X, y, _ = table(100, d, dtype=np.float32)
    single, double = Lasso(0.1).fit(X, y), Lasso(0.1).fit(X.astype(np.float64), y)
    assert single.coef_.dtype == np.float32 and single.certificate_.status == "optimal"
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=1e-5, atol=1e-6)
    assert single.dual_gap_ < 1e-4


@pytest.mark.parametrize("d", [12, 350])
def test_every_way_in_gives_the_same_model(d):
    X, y, s = table(90, d)
    model = ElasticNet(0.2, l1_ratio=0.8).fit(X, y, s)
    others = [
        ElasticNet(0.2, l1_ratio=0.8).fit(np.asfortranarray(X), y, s),
        ElasticNet(0.2, l1_ratio=0.8).fit(np.repeat(X, 2, axis=1)[:, ::2], y, s),
        ElasticNet(0.2, l1_ratio=0.8).fit_source(source(X, y, s)),
        ElasticNet(0.2, l1_ratio=0.8).fit_source(source(lambda: [(X[:50], y[:50], s[:50]), (X[50:], y[50:], s[50:])])),
        ElasticNet(0.2, l1_ratio=0.8).fit_source(source(iter([(X[:50], y[:50], s[:50]), (X[50:], y[50:], s[50:])]))),
        ElasticNet(0.2, l1_ratio=0.8).fit_moments(Moments.of(X[:50], y[:50], s[:50]) + Moments.of(X[50:], y[50:], s[50:])),
    ]
    for other in others:
        np.testing.assert_allclose(other.coef_, model.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(other.intercept_, model.intercept_, rtol=1e-9)


@pytest.mark.parametrize("d", [12, 350])
def test_targets_are_problems_of_their_own(d):
    X, y, s = table(60, d)
    Y = np.column_stack([y, -2 * y + X[:, 0], RNG.normal(size=60)])
    model = Lasso(0.1).fit(X, Y, s)
    assert model.coef_.shape == (3, d) and model.intercept_.shape == model.dual_gap_.shape == (3,) and len(model.n_iter_) == 3
    for k in range(3):
        single = Lasso(0.1).fit(X, Y[:, k], s)
        np.testing.assert_allclose(model.coef_[k], single.coef_, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(model.intercept_[k], single.intercept_, rtol=1e-12)
    assert (model.sparse_coef_.toarray() == model.coef_).all()
    assert model.predict(X).shape == (60, 3)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_bits_for_any_number_of_threads(threads):
    X, y, _ = table(5000, 320)
    one, many = Lasso(0.05, n_threads=1).fit(X, y), Lasso(0.05, n_threads=threads).fit(X, y)
    np.testing.assert_array_equal(one.coef_, many.coef_)
    assert one.intercept_ == many.intercept_


def test_alpha_zero_is_least_squares_and_says_so():
    X, y, s = table(50, 5)
    with pytest.warns(UserWarning, match="With alpha=0, this algorithm does not converge well"):
        model = Lasso(0).fit(X, y, s)
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, y, s).coef_, rtol=1e-12)
    assert model.n_iter_ == 0


@pytest.mark.parametrize("positive", [False, True])
def test_without_an_l1_penalty_it_is_ridge(positive):
    X, y, s = table(50, 5)
    model = ElasticNet(0.3, l1_ratio=0, positive=positive).fit(X, y, s)
    expected = Ridge(0.3 * s.sum(), positive=positive).fit(X, y, s)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-12)
    assert model.dual_gap_ == model.certificate_.suboptimality < 1e-12


@pytest.mark.parametrize("d", [5, 400])
def test_from_the_largest_alpha_on_nothing_is_used(d):
    X, y, s = table(40, d)
    largest = np.abs((X - np.average(X, axis=0, weights=s)).T @ (s * (y - np.average(y, weights=s)))).max() / s.sum()
    model = Lasso(largest * (1 + 1e-9)).fit(X, y, s)
    assert not model.coef_.any() and model.certificate_.status == "optimal" and model.n_iter_ == 0
    np.testing.assert_allclose(model.intercept_, np.average(y, weights=s), rtol=1e-14)
    assert np.count_nonzero(Lasso(largest * 0.999).fit(X, y, s).coef_) == 1


def test_one_column_by_hand():
    """Scatter 2/3, covariance 2/3: w = 1 - (3/2) alpha."""
    for alpha, expected in ((1e-8, 1.0), (0.1, 0.85), (0.5, 0.25), (1.0, 0.0)):
        model = Lasso(alpha).fit([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0])
        np.testing.assert_allclose(model.coef_, [expected], rtol=1e-7, atol=1e-15)


def test_one_row():
    model = Lasso(0.5).fit([[3.0, 4.0]], [5.0])
    assert not model.coef_.any() and model.intercept_ == 5.0
    # w_2 alone: (1/2)(5 - 4 w)^2 + w / 2 at w = (20 - 1/2) / 16
    np.testing.assert_allclose(Lasso(0.5, fit_intercept=False).fit([[3.0, 4.0]], [5.0]).coef_, [0.0, 19.5 / 16], rtol=1e-14)


@pytest.mark.parametrize("d", [3, 350])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e8 + 0.1])
def test_a_constant_column_is_not_used(d, value):
    X, y, _ = table(40, d)
    X[:, 1] = value
    model = Lasso(0.01, max_iter=5000).fit(X, y)
    assert model.coef_[1] == 0 and model.certificate_.status == "optimal"


@pytest.mark.parametrize("d", [4, 350])
def test_a_constant_target(d):
    X, _, _ = table(40, d)
    model = Lasso(0.1).fit(X, np.full(40, 3.7))
    assert not model.coef_.any() and model.intercept_ == 3.7 and model.dual_gap_ == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("d", [6, 330])
def test_a_column_twice(d):
    X, y, _ = table(80, d)
    one, two = Lasso(0.1).fit(X, y), Lasso(0.1).fit(np.hstack([X, X]), y)
    assert two.certificate_.status == "optimal"
    np.testing.assert_allclose(two.coef_[:d] + two.coef_[d:], one.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("d", [6, 330])
def test_rows_without_weight_do_not_count(d):
    X, y, s = table(80, d)
    s[::3], y[::3] = 0, 1e6
    keep = s > 0
    np.testing.assert_allclose(Lasso(0.1).fit(X, y, s).coef_, Lasso(0.1).fit(X[keep], y[keep], s[keep]).coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("d", [5, 320])
def test_nearly_collinear_columns_keep_their_digits(d):
    """Twins 1e-4 apart, condition 1e8 of their moments: whose difference is needed."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, d))
    apart = rng.normal(size=700)
    X[:, 1] = X[:, 0] + 1e-4 * apart
    y = X[:, 0] + X[:, 1] + 3.0 * apart
    model = Lasso(1e-6, max_iter=5000).fit(X, y)
    assert np.count_nonzero(model.coef_[:2]) == 2 and model.certificate_.status == "optimal"
    assert violation(model, X, y, np.ones(700)) < 1e-10
    if d == 5:  # whole numbers of hundreds of digits take their time
        np.testing.assert_allclose(model.coef_[model.coef_ != 0], in_forty_digits(model, X, y), rtol=1e-11)


@pytest.mark.parametrize("d", [5, 320])
def test_several_targets_of_nearly_collinear_columns_are_each_refined(d):
    rng = np.random.default_rng(0)
    X, apart = rng.normal(size=(400, d)), rng.normal(size=400)
    X[:, 1] = X[:, 0] + 1e-4 * apart
    y = np.column_stack([X[:, 0] + X[:, 1] + 3.0 * apart, X[:, 1] - 2.0 * apart])
    both = Lasso(1e-6, max_iter=5000).fit(X, y)
    for k in range(2):
        alone = Lasso(1e-6, max_iter=5000).fit(X, y[:, k])
        assert np.count_nonzero(alone.coef_[:2]) == 2 and violation(alone, X, y[:, k], np.ones(400)) < 1e-10
        np.testing.assert_allclose(both.coef_[k], alone.coef_, rtol=1e-10, atol=1e-13)


def in_forty_digits(model, X, y):
    """The coefficients in use and their signs as given, from Fractions of the same doubles: X_S'X_S w = X_S'y - n alpha sign, centred."""
    S = np.flatnonzero(model.coef_)
    scale = 2**80  # every product of two doubles near one, to forty digits, as a whole number
    Z = np.array([[int(Fraction(x) * scale) for x in row] for row in X[:, S]], dtype=object)
    t = np.array([int(Fraction(x) * scale) for x in y], dtype=object)
    n = len(t)
    A = n * (Z.T @ Z) - np.outer(Z.sum(axis=0), Z.sum(axis=0))
    pull = [n * n * Fraction(model.alpha) * int(np.sign(model.coef_[j])) * scale * scale for j in S]
    c = n * (Z.T @ t) - Z.sum(axis=0) * t.sum()
    mpmath = pytest.importorskip("mpmath")
    matrix, mp = mpmath.matrix, mpmath.mp
    mp.dps = 60
    right = matrix([mp.mpf(int(a)) - mp.mpf(p.numerator) / p.denominator for a, p in zip(c, pull)])
    return [float(x) for x in mp.lu_solve(matrix(A.tolist()), right)]


def twins(apart, n=60):
    """Three columns, of which two differ by so much, and a target that wants the difference."""
    rng = np.random.default_rng(4)
    X, own = rng.normal(size=(n, 3)), rng.normal(size=n)
    X[:, 1] = X[:, 0] + apart * own
    return X, X[:, 0] + X[:, 1] - X[:, 2] + 3 * own + 0.1 * rng.normal(size=n)


def nearly_dependent_and_told(X, y, alpha):
    with pytest.warns(FitWarning, match="3 columns in use are nearly dependent .* though the objective is proven"):
        model = Lasso(alpha, max_iter=5000).fit(X, y)
    assert model.certificate_.status == "ill_conditioned"
    return model


def test_twins_too_near_for_refinement_are_told():
    """At condition 4e12 steps of refinement need not shrink, so none is taken; the gap proves the objective all the same."""
    X, y = twins(1e-6)
    model = nearly_dependent_and_told(X, y, 1e-10)
    Z = np.column_stack([X[:, 0], (X[:, 1] - X[:, 0]) / 1e-6, X[:, 2], np.ones(60)])
    least = ((y - Z @ np.linalg.lstsq(Z, y, rcond=None)[0]) ** 2).mean() / 2  # at least, without the penalty
    found = objective(model, X, y, np.ones(60), model.coef_, model.intercept_)
    assert found - least <= model.certificate_.suboptimality + 1e-10 * 7e6


@pytest.mark.parametrize("outcome", ["steps that do not shrink", "a sign that changes"])
def test_refinement_that_settles_nothing_leaves_digits_in_doubt(outcome, monkeypatch):
    X, y = twins(1e-4)
    assert Lasso(1e-6, max_iter=5000).fit(X, y).certificate_.status == "optimal"

    def refined(*arguments, **others):
        theta, rho = refine(*arguments, **others)
        return ((-theta[0], -theta[1]), rho) if outcome == "a sign that changes" else None

    monkeypatch.setattr(module, "refine", refined)
    model = nearly_dependent_and_told(X, y, 1e-6)
    assert violation(model, X, y, np.ones(60)) < 1e-6


def test_a_gap_below_the_tolerance_is_enough_where_sweeps_run_out():
    X, y, _ = table(30, 90)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Lasso(1e-3, max_iter=4, tol=0.5).fit(X, y)
    assert model.certificate_.status == "optimal" and "the duality gap is below tol after 4 sweeps" in model.certificate_.message
    ones = np.ones(30)
    best = Lasso(1e-3, max_iter=5000).fit(X, y)
    truth = objective(model, X, y, ones, model.coef_, model.intercept_) - objective(best, X, y, ones, best.coef_, best.intercept_)
    assert 0 < truth <= model.certificate_.suboptimality <= 0.5 * y @ y / 30


def test_working_sets_that_run_out_say_so(monkeypatch):
    monkeypatch.setattr(module, "ROUNDS", 1)
    X, y, _ = table(200, 900)
    with pytest.warns(FitWarning, match="Objective did not converge"):
        model = Lasso(0.01, max_iter=5000).fit(X, y)
    assert model.certificate_.status == "stopped_early" and model.n_iter_ < 5000
    assert violation(model, X, y, np.ones(200)) > 1e-6


def test_columns_at_condition_1e12_are_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    apart = rng.normal(size=200)
    X[:, 1] = X[:, 0] + 1e-12 * apart
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = Lasso(1e-3, max_iter=3000).fit(X, X[:, 0] + X[:, 1])
    s = np.ones(200)
    assert model.certificate_.suboptimality < 1e-9
    one = Lasso(1e-3).fit(X[:, [0, 2]], X[:, 0] + X[:, 1])
    both = objective(model, X, X[:, 0] + X[:, 1], s, model.coef_, model.intercept_)
    assert both <= objective(one, X[:, [0, 2]], X[:, 0] + X[:, 1], s, one.coef_, one.intercept_) + 1e-9


@pytest.mark.parametrize("d", [4, 330])
@pytest.mark.parametrize("size", [1e-150, 1e-100, 1e100, 1e150])
def test_columns_of_any_size(d, size):
    X, y, _ = table(60, d)
    power = 2.0 ** np.round(np.log2(size))
    plain = Lasso(0.1).fit(X, y)
    scaled = Lasso(0.1 * power).fit(X * power, y)
    np.testing.assert_allclose(scaled.coef_ * power, plain.coef_, rtol=1e-10, atol=1e-13)
    assert scaled.certificate_.status == "optimal"
    targets = Lasso(0.1 * power).fit(X, y * power)
    np.testing.assert_allclose(targets.coef_ / power, plain.coef_, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("d", [4, 330])
def test_bad_entries_are_named(d):
    X, y, _ = table(60, d)
    X[17, 3] = np.nan
    with pytest.raises(ValueError, match=r"Input X contains NaN at row 17, column 3"):
        Lasso().fit(X, y)
    X[17, 3] = 1.0
    y[5] = np.inf
    with pytest.raises(ValueError, match=r"Input y contains infinity at row 5"):
        Lasso().fit(X, y)


@pytest.mark.parametrize("d", [12, 400])
def test_a_warm_start_at_the_solution_makes_no_sweep(d):
    X, y, _ = table(50, d)
    model = Lasso(0.05, warm_start=True, max_iter=5000).fit(X, y)
    coef, sweeps = model.coef_, model.n_iter_
    assert sweeps > 2
    model.fit(X, y)
    assert model.n_iter_ == 0
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-12, atol=1e-14)
    model.set_params(alpha=0.04).fit(X, y)
    np.testing.assert_allclose(model.coef_, Lasso(0.04, max_iter=5000).fit(X, y).coef_, rtol=1e-8, atol=1e-10)


def test_a_warm_start_of_another_shape_is_not_used():
    X, y, _ = table(50, 8)
    model = Lasso(0.05, warm_start=True).fit(X, y)
    model.fit(X[:, :5], y)
    assert model.coef_.shape == (5,)


def test_the_iteration_limit_warns_as_scikit_learns_would():
    X, y, _ = table(30, 90)
    with pytest.warns(FitWarning, match="Objective did not converge. You might want to increase the number of iterations"):
        model = Lasso(1e-4, max_iter=2, tol=1e-10).fit(X, y)
    assert model.certificate_.status == "stopped_early" and model.n_iter_ == 2
    s = np.ones(30)
    best = Lasso(1e-4, max_iter=5000).fit(X, y)
    truth = objective(model, X, y, s, model.coef_, model.intercept_) - objective(best, X, y, s, best.coef_, best.intercept_)
    assert 0 < truth <= model.dual_gap_
    exceptions = pytest.importorskip("sklearn.exceptions")
    with pytest.warns(exceptions.ConvergenceWarning):
        Lasso(1e-4, max_iter=2, tol=1e-10).fit(X, y)


def test_a_gram_matrix_is_compared_with_the_data():
    X, y, s = table(40, 6)
    centred = X - np.average(X, axis=0, weights=s)
    given = (centred * (s * 40 / s.sum())[:, None]).T @ centred
    np.testing.assert_allclose(Lasso(0.1, precompute=given).fit(centred, y, s).coef_, Lasso(0.1).fit(X, y, s).coef_, rtol=1e-10)
    with pytest.raises(ValueError, match="Gram matrix passed in via 'precompute' did not pass validation"):
        Lasso(precompute=2 * given).fit(centred, y, s)
    with pytest.warns(UserWarning, match="Gram matrix was provided but X was centered to fit intercept"):
        Lasso(precompute=X.T @ X).fit(X, y)
    with pytest.raises(ValueError, match=re.escape("precompute has shape (2, 2), but X'X of X with 6 columns has (6, 6)")):
        Lasso(precompute=np.eye(2)).fit(X, y)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("d", [1, 6, 8, 30])
def test_a_gram_matrix_is_compared_whatever_the_units(d, unit):
    """Of many columns eight are looked at, the first and the last among them."""
    X, y, _ = table(40, d)
    centred = (X - X.mean(axis=0)) * unit
    given = centred.T @ centred
    Lasso(0.1, precompute=given).fit(centred, y)
    for j in (0, d - 1):
        other = given.copy()
        other[j, j] *= 1.01
        with pytest.raises(ValueError, match=re.escape("entries differ from those of X'X by 1.0e-02 of their size")):
            Lasso(0.1, precompute=other).fit(centred, y)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"alpha": -1.0}, ValueError, "alpha == -1.0, must be at least 0"),
        ({"alpha": "1"}, TypeError, "alpha must be a number"),
        ({"l1_ratio": 1.5}, ValueError, "l1_ratio == 1.5, must be at most 1"),
        ({"selection": "fast"}, ValueError, "selection must be 'cyclic' or 'random', got 'fast'"),
        ({"max_iter": 0}, ValueError, "max_iter == 0"),
        ({"positive": None}, TypeError, "positive must be True or False"),
        ({"tol": -1}, ValueError, "tol == -1"),
    ],
)
def test_parameters_out_of_range(parameters, error, message):
    model = ElasticNet(**parameters)
    with pytest.raises(error, match=message):
        model.fit([[0.0], [1.0]], [0.0, 1.0])
    assert not hasattr(model, "coef_")


def test_moments_without_rows_are_refused():
    with pytest.raises(ValueError, match="the moments hold no rows"):
        Lasso().fit_moments(Moments(2, 1))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("d", [20, 500])
def test_sparse_rows_give_the_same_model(d, dtype):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(d)
    X = np.where(rng.uniform(size=(150, d)) < 0.1, rng.normal(size=(150, d)), 0.0).astype(dtype)
    y, s = X[:, :5] @ [3.0, -2.0, 1.0, 2.0, -1.0] + rng.normal(size=150), rng.uniform(size=150)
    dense, stored = Lasso(0.02).fit(X, y, s), Lasso(0.02).fit(sparse.csr_array(X), y, s)
    tolerance = 1e-9 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(stored.coef_, dense.coef_, rtol=tolerance, atol=tolerance * 1e-2)
    assert stored.certificate_.status == "optimal"
