"""The table of a least squares fit: by hand, beside the textbook, from every place where rows live, and where there is none."""

import pickle
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import ElasticNet, HuberRegressor, Lasso, LinearRegression, Moments, QuantileRegressor, Ridge, RidgeCV, fit_many, source
from ridgeline.certificate import FitWarning
from ridgeline.estimators.base import NotFittedError
from ridgeline.statistics.covariance import KINDS
from tests.statistics.twins import Textbook

rng = np.random.default_rng(0)
N = 3000
X = rng.normal(size=(N, 4)) * [1, 10, 0.1, 1] + [0, 1e3, 0, 2]
Y = X @ [1, 0.1, 2, -1] + rng.normal(size=N) * (1 + X[:, 0] ** 2)
WEIGHT = rng.uniform(0.5, 2, N)
GROUPS = rng.integers(0, 40, N)


def groups_for(kind, groups=GROUPS):
    return groups if kind == "cluster" else None


def test_a_line_through_four_points_by_hand():
    # S_xx = 5, S_xy = 4.7, S_yy = 4.5: w = 0.94, RSS = 4.5 - 4.418 = 0.082, sigma^2 = 0.041, var w = 0.0082, var b = 0.041 (1/4 + 6.25/5)
    table = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [1.1, 1.9, 3.2, 3.8]).summary()
    np.testing.assert_allclose(table.covariance, [[0.0615, -0.0205], [-0.0205, 0.0082]], rtol=1e-13)
    np.testing.assert_allclose([table.residual_ss, table.residual_sd], [0.082, 0.041**0.5], rtol=1e-13)
    np.testing.assert_allclose(table.f_statistic, 0.94**2 / 0.0082, rtol=1e-13)
    np.testing.assert_allclose(table.f_p_value, table.p_value[1], rtol=1e-12)  # F = t^2
    assert table.df_residual == 2
    # t of two degrees of freedom: P(|T| > t) = 1 - t / sqrt(2 + t^2)
    t = table.statistic
    np.testing.assert_allclose(table.p_value, 1 - np.abs(t) / np.sqrt(2 + t**2), rtol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_covariances_are_those_of_the_textbook(kind, weighted, intercept):
    s = WEIGHT if weighted else None
    twin = Textbook(X, Y, s, intercept)
    table = LinearRegression(fit_intercept=intercept).fit(X, Y, s).summary(X, Y, s, covariance=kind, groups=groups_for(kind))
    np.testing.assert_allclose(table.covariance, twin.covariance(kind, GROUPS), rtol=1e-8, atol=1e-16)
    np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(twin.covariance(kind, GROUPS))), rtol=1e-9)
    np.testing.assert_allclose(table.coef, twin.coef, rtol=1e-9)
    assert table.names == (("intercept",) if intercept else ()) + ("x0", "x1", "x2", "x3")
    assert table.n_groups == (40 if kind == "cluster" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_few_rows_in_double_double_agree(kind):
    few = slice(0, 200)
    table = LinearRegression().fit(X[few], Y[few]).summary(X[few], Y[few], covariance=kind, groups=groups_for(kind, GROUPS[few]))
    twin = Textbook(X[few], Y[few]).covariance(kind, GROUPS[few])
    np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(twin)), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_nearly_dependent_columns_keep_their_digits(kind):
    """Columns that differ by 1e-6 of themselves, beside an exact change of basis of them."""
    base = np.round(rng.normal(size=(2000, 3)), 3)
    y = base @ [1, 2, 3] + rng.normal(size=2000)
    near = base.copy()
    near[:, 2] = base[:, 0] + base[:, 2] * 2.0**-20
    table = LinearRegression().fit(near, y).summary(near, y, covariance=kind, groups=groups_for(kind, GROUPS[:2000]))
    same = LinearRegression().fit(base, y).summary(base, y, covariance=kind, groups=groups_for(kind, GROUPS[:2000]))
    # w3 of the near columns is 2^20 times that of the base; the others follow
    np.testing.assert_allclose(table.standard_error[3], same.standard_error[3] * 2**20, rtol=1e-9)
    np.testing.assert_allclose(table.r2, same.r2, rtol=1e-12)
    assert table.condition > 1e5 > same.condition


@pytest.mark.parametrize("kind", ["classical", "HC3"])
@pytest.mark.parametrize(
    "convert", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[:, ::-1][:, ::-1], np.ndarray.tolist],
    ids=["fortran", "strided", "reversed", "lists"],
)  # fmt: skip
def test_layouts(kind, convert):
    model = LinearRegression().fit(X, Y)
    table = model.summary(convert(X), Y, covariance=kind)
    np.testing.assert_allclose(table.covariance, model.summary(X, Y, covariance=kind).covariance, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_rows_are_summed_in_double(kind):
    X32 = X.astype(np.float32)
    table = LinearRegression().fit(X32, Y).summary(X32, Y, covariance=kind, groups=groups_for(kind))
    twin = Textbook(X32.astype(float), Y)
    np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(twin.covariance(kind, GROUPS))), rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows(kind):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(rng.random((N, 4)) < 0.3, X, 0.0)
    table = LinearRegression().fit(sparse.csr_array(dense), Y).summary(sparse.csr_array(dense), Y, covariance=kind, groups=groups_for(kind))
    np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(Textbook(dense, Y).covariance(kind, GROUPS))), rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_are_as_good_as_arrays(kind):
    model = LinearRegression().fit(X, Y, WEIGHT)
    targets = np.column_stack([Y, GROUPS]) if kind == "cluster" else Y
    cuts = [0, 7, 700, 701, N]
    rows = source(lambda: ((X[a:b], targets[a:b], WEIGHT[a:b]) for a, b in pairwise(cuts)))
    table = model.summary(source=rows, covariance=kind)
    whole = model.summary(X, Y, WEIGHT, covariance=kind, groups=groups_for(kind))
    np.testing.assert_allclose(table.covariance, whole.covariance, rtol=1e-10, atol=1e-18)
    np.testing.assert_allclose([table.r2, table.log_likelihood, table.aic], [whole.r2, whole.log_likelihood, whole.aic], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_for_any_number_of_threads(kind):
    many, target = np.tile(X, (60, 1)), np.tile(Y, 60)
    groups = groups_for(kind, np.tile(GROUPS, 60))
    tables = [
        LinearRegression(n_threads=k).fit(many, target).summary(many, target, covariance=kind, groups=groups) for k in (1, 2, 3)
    ]
    for other in tables[1:]:
        assert np.array_equal(tables[0].covariance, other.covariance)
        assert tables[0].residual_ss == other.residual_ss


def test_frequency_weights_are_repeated_rows():
    copies = rng.integers(0, 4, 300)
    some, y, groups = X[:300], Y[:300], GROUPS[:300]
    again = np.repeat(np.arange(300), copies)
    weighted = LinearRegression().fit(some, y, copies)
    repeated = LinearRegression().fit(some[again], y[again])
    for kind in KINDS:
        one = weighted.summary(some, y, copies, covariance=kind, groups=groups_for(kind, groups), weights="frequency")
        other = repeated.summary(some[again], y[again], covariance=kind, groups=groups_for(kind, groups[again]))
        for name in ("standard_error", "f_statistic", "log_likelihood", "bic", "r2_adjusted", "df_residual", "n_rows"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10, err_msg=f"{kind} {name}")


@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_weight_are_no_rows(kind):
    s = np.where(np.arange(N) < 2000, WEIGHT, 0.0)
    table = LinearRegression().fit(X, Y, s).summary(X, Y, s, covariance=kind, groups=groups_for(kind))
    part = slice(0, 2000)
    fewer = LinearRegression().fit(X[part], Y[part], WEIGHT[part])
    fewer = fewer.summary(X[part], Y[part], WEIGHT[part], covariance=kind, groups=groups_for(kind, GROUPS[part]))
    np.testing.assert_allclose(table.covariance, fewer.covariance, rtol=1e-10, atol=1e-18)
    assert (table.n_rows, table.df_residual) == (2000, 1995)
    np.testing.assert_allclose(table.log_likelihood, fewer.log_likelihood, rtol=1e-12)


def test_from_moments_as_from_rows():
    model = LinearRegression().fit(X, Y)
    kept, rows = model.summary(), model.summary(X, Y)
    for name in ("covariance", "p_value", "low", "r2", "r2_adjusted", "f_statistic", "log_likelihood", "aic", "bic", "condition"):
        np.testing.assert_allclose(getattr(kept, name), getattr(rows, name), rtol=1e-9, atol=1e-18, err_msg=name)
    merged = LinearRegression().fit_moments(Moments.of(X[:1000], Y[:1000]) + Moments.of(X[1000:], Y[1000:])).summary()
    np.testing.assert_allclose(merged.covariance, rows.covariance, rtol=1e-9, atol=1e-18)
    assert np.isnan(merged.log_likelihood)  # moments do not say whether every weight was one
    assert any("likelihood" in note for note in merged.notes)


def test_a_summary_says_how_many_digits_kept_moments_have():
    x = np.linspace(0, 1, N)[:, None]
    y = 1e6 * x[:, 0] + 1e-3 * rng.normal(size=N)
    model = LinearRegression().fit(np.hstack([x, x**2]), y)
    assert any("digits" in note for note in model.summary().notes)
    assert not model.summary(np.hstack([x, x**2]), y).notes


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_fit_has_kept_its_rows(kind):
    few, y, s, groups = X[:300], np.column_stack([Y, Y**2])[:300], WEIGHT[:300], groups_for(kind, GROUPS[:300])
    model = LinearRegression().fit(few, y, s)
    kept = model.summary(covariance=kind, groups=groups, target=1)
    passed = model.summary(few, y, s, covariance=kind, groups=groups, target=1)
    assert np.array_equal(kept.covariance, passed.covariance)
    assert kept.log_likelihood == passed.log_likelihood


def test_the_last_digits_of_a_small_fit_are_not_pickled_with_it():
    model = LinearRegression().fit(X[:50], Y[:50])
    assert model._few_rows is not None
    again = pickle.loads(pickle.dumps(model))
    assert again._few_rows is None
    np.testing.assert_allclose(again.summary().standard_error, model.summary().standard_error, rtol=1e-8)
    model.fit(X, Y)
    assert model._few_rows is None


@pytest.mark.parametrize("precision", ["double", "extended"])
def test_subsets_of_columns_from_moments(precision):
    whole = Moments.of(X, np.column_stack([Y, Y**2]), precision=precision)
    for columns, target in (([2], 0), ([3, 0], 1), ([0, 1, 2, 3], 0)):
        table = LinearRegression().fit_moments(whole.part(columns, [target])).summary(weights="frequency")
        y = Y ** (target + 1)
        expected = LinearRegression().fit(X[:, columns], y).summary(X[:, columns], y)
        np.testing.assert_allclose(table.standard_error, expected.standard_error, rtol=1e-9)
        np.testing.assert_allclose([table.r2, table.aic, table.f_statistic], [expected.r2, expected.aic, expected.f_statistic], rtol=1e-9)


def test_one_of_several_targets():
    both = np.column_stack([Y, Y**2])
    model = LinearRegression().fit(X, both)
    with pytest.raises(ValueError, match="2 targets: say which, target=0 to 1"):
        model.summary()
    for k in range(2):
        one = LinearRegression().fit(X, both[:, k])
        for table in (model.summary(target=k), model.summary(X, both, target=k)):
            np.testing.assert_allclose(table.standard_error, one.summary(X, both[:, k]).standard_error, rtol=1e-9)
        robust = model.summary(X, both, covariance="cluster", groups=GROUPS, target=k)
        expected = one.summary(X, both[:, k], covariance="cluster", groups=GROUPS)
        np.testing.assert_allclose(robust.standard_error, expected.standard_error, rtol=1e-9)
    with pytest.raises(ValueError, match="target is 2, but the model has 2"):
        model.summary(target=2)


def test_offsets_of_a_source():
    offset = X[:, 0] * 3
    model = LinearRegression().fit_source(source(X, Y, offset=offset))
    table = model.summary(source=source(X, Y, offset=offset), covariance="HC1")
    expected = Textbook(X, Y - offset).covariance("HC1")
    np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(expected)), rtol=1e-9)


def test_dependent_columns_have_no_standard_error_and_the_others_do():
    doubled = np.column_stack([X[:, 0], X[:, 1], X[:, 1], X[:, 3]])
    with pytest.warns(FitWarning):
        model = LinearRegression().fit(doubled, Y)
    with pytest.warns(FitWarning):
        few = LinearRegression().fit(doubled[:100], Y[:100])
    for kind in KINDS:
        table = model.summary(doubled, Y, covariance=kind, groups=groups_for(kind))
        one = LinearRegression().fit(doubled[:, [0, 1, 3]], Y)
        one = one.summary(doubled[:, [0, 1, 3]], Y, covariance=kind, groups=groups_for(kind))
        assert np.isnan(table.standard_error).tolist() == [False, False, True, True, False]
        np.testing.assert_allclose(table.standard_error[[0, 1, 4]], one.standard_error[[0, 1, 3]], rtol=1e-9)
        np.testing.assert_allclose([table.r2, table.df_residual, table.f_statistic], [one.r2, one.df_residual, one.f_statistic], rtol=1e-9)
    assert any("x1, x2" in note for note in table.notes)
    assert np.isinf(table.condition)
    assert np.isnan(few.summary().standard_error).sum() == 2
    with pytest.raises(ValueError, match="depend on each other"):
        few.predict_interval(doubled[:2])


def test_a_constant_column_takes_the_intercept_with_it():
    constant = np.column_stack([X[:500, 0], np.full(500, 3.0)])
    with pytest.warns(FitWarning):
        table = LinearRegression().fit(constant, Y[:500]).summary(constant, Y[:500])
    assert np.isnan(table.standard_error).tolist() == [True, False, True]


def test_the_choice_of_distribution():
    model = LinearRegression().fit(X[:30], Y[:30])
    assert model.summary().distribution == "t"
    robust = model.summary(X[:30], Y[:30], covariance="HC3")
    assert robust.distribution == "normal"
    cautious = model.summary(X[:30], Y[:30], covariance="HC3", distribution="t")
    assert (cautious.p_value > robust.p_value).all()
    wide = cautious.at_level(0.99)
    assert (wide.low < cautious.low).all() and (wide.high > cautious.high).all()
    clustered = model.summary(X[:30], Y[:30], covariance="cluster", groups=GROUPS[:30] % 7, distribution="t")
    np.testing.assert_allclose(clustered.df_test, 6)


@pytest.mark.parametrize("clusters", [3, 4, 5])
def test_few_clusters_test_no_more_slopes_than_they_are(clusters):
    """Four slopes; the scores of all clusters sum to zero."""
    table = LinearRegression().fit(X, Y).summary(X, Y, covariance="cluster", groups=GROUPS % clusters)
    assert np.isnan(table.f_statistic) == (clusters <= 4)
    assert any(f"{clusters} clusters cannot test 4 slopes" in note for note in table.notes) == (clusters <= 4)


@pytest.mark.parametrize("groups", [np.array(list("abcd"))[GROUPS % 4], [f"g{g}" for g in GROUPS % 4], GROUPS % 4 * 0.5])
def test_groups_are_of_any_kind(groups):
    model = LinearRegression().fit(X[:, :2], Y)
    table = model.summary(X[:, :2], Y, covariance="cluster", groups=groups)
    expected = Textbook(X[:, :2], Y).covariance("cluster", GROUPS % 4)
    np.testing.assert_allclose(table.standard_error, np.sqrt(np.diag(expected)), rtol=1e-8)


PENALISED = [Ridge(alpha=1.0), RidgeCV(alphas=[0.1, 1.0]), Lasso(alpha=0.01), ElasticNet(alpha=0.01)]


@pytest.mark.parametrize("model", PENALISED, ids=lambda model: type(model).__name__)
def test_penalised_fits_refuse_and_say_why(model):
    with pytest.raises(ValueError, match="has no standard errors with .*penalty pulls .*Fit LinearRegression.*bootstrap"):
        model.fit(X, Y).summary(X, Y)


@pytest.mark.parametrize("model", [HuberRegressor(), QuantileRegressor(alpha=0.0)], ids=lambda model: type(model).__name__)
def test_other_losses_refuse_and_say_why(model):
    with pytest.raises(ValueError, match="no table of standard errors.*bootstrap"):
        model.fit(X[:200], Y[:200]).summary()


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(covariance="HC4"), "covariance must be one of 'classical', 'HC0'"),
        (dict(level=95), "level must be a probability between 0 and 1"),
        (dict(distribution="F"), "distribution must be 't', 'normal' or None"),
        (dict(weights="importance"), "weights must be 'precision' or 'frequency'"),
        (dict(covariance="cluster"), "needs groups="),
        (dict(groups=GROUPS), "groups go with covariance='cluster'"),
        (dict(covariance="cluster", groups=GROUPS[:-1]), r"groups has shape \(2999,\), expected \(3000,\)"),
        (dict(covariance="cluster", groups=np.where(GROUPS == 0, np.nan, GROUPS)), "groups is missing at row"),
        (dict(covariance="cluster", groups=np.zeros(N)), "all rows are of one cluster"),
        (dict(y=Y[::-1]), "not the least squares of these rows"),
        (dict(X=X[:-1], y=Y[:-1]), "not the rows of the fit: 2999 rows"),
        (dict(sample_weight=WEIGHT), "not the rows of the fit"),
        (dict(X=X[:, :3]), "X has 3 features"),
        (dict(y=None), "y is missing"),
        (dict(X=None), "X is missing"),
        (dict(y=np.where(np.arange(N) == 5, np.nan, Y)), "NaN at row 5"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_by_name(change, message):
    model = LinearRegression().fit(X, Y)
    with pytest.raises(ValueError, match=message):
        model.summary(**(dict(X=X, y=Y) | change))


@pytest.mark.parametrize("n", [3, 10])
def test_other_rows_are_told_by_a_thousandth_of_a_standard_error(n):
    """An intercept that is off by k standard errors of the mean is k away."""
    x, y = np.arange(float(n))[:, None], np.arange(float(n)) ** 2
    model = LinearRegression().fit(x, y)
    best, unit = model.intercept_, model.summary(x, y).residual_sd / n**0.5
    model.intercept_ = best + 0.0009 * unit
    model.summary(x, y)
    for k, told in ((0.0011, "0.0011"), (3, "3")):
        model.intercept_ = best + k * unit
        with pytest.raises(ValueError, match=rf"not the least squares of these rows \({told} standard errors away\)"):
            model.summary(x, y)


def test_refusals_that_depend_on_the_fit():
    with pytest.raises(NotFittedError):
        LinearRegression().summary()
    with pytest.raises(ValueError, match="positive=True"):
        LinearRegression(positive=True).fit(np.abs(X), Y).summary()
    with pytest.raises(ValueError, match="leave no degree of freedom"):
        LinearRegression().fit(X[:5], Y[:5]).summary()
    with pytest.raises(ValueError, match="a sum over rows, which the model does not keep"):
        LinearRegression().fit(X, Y).summary(covariance="HC1")
    with pytest.raises(ValueError, match="kept no moments"):
        fit_many(LinearRegression(), X, Y, groups=GROUPS).model(0).summary()
    with pytest.raises(TypeError, match="not both"):
        LinearRegression().fit(X, Y).summary(X, Y, source=source(X, Y))
    with pytest.raises(TypeError, match="read only once"):
        LinearRegression().fit(X, Y).summary(source=source(iter([(X, Y)])))
    with pytest.raises(ValueError, match="has 1 targets per row where 2 are needed"):
        LinearRegression().fit(X, Y).summary(source=source(X, Y), covariance="cluster")


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_a_row_of_leverage_one_is_refused(kind):
    alone = np.column_stack([X[:, 0], np.arange(N) == 3])
    model = LinearRegression().fit(alone, Y)
    with pytest.raises(ValueError, match="leverage 1"):
        model.summary(alone, Y, covariance=kind)
    assert np.isfinite(model.summary(alone, Y, covariance="HC1").standard_error).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_intervals_of_predictions_are_those_of_the_textbook(weighted):
    s = WEIGHT if weighted else None
    twin, model = Textbook(X, Y, s), LinearRegression().fit(X, Y, s)
    new = X[:7] + 3
    Z = np.column_stack([np.ones(7), new])
    for kind in ("classical", "HC3"):
        error = np.sqrt(np.einsum("ij,jk,ik->i", Z, twin.covariance(kind), Z))
        table = model.summary(X, Y, s, covariance=kind, distribution="normal")
        mean, single = table.predict_interval(new, 0.9, "mean"), table.predict_interval(new, 0.9)
        np.testing.assert_allclose(mean.standard_error, error, rtol=1e-8)
        np.testing.assert_allclose(mean.high - mean.prediction, 1.6448536269514722 * error, rtol=1e-8)
        np.testing.assert_allclose(single.prediction - single.low, 1.6448536269514722 * np.hypot(error, twin.sigma), rtol=1e-8)
        np.testing.assert_allclose(mean.prediction, model.predict(new), rtol=1e-12)
    np.testing.assert_allclose(model.predict_interval(new).low, model.summary(X, Y, s).predict_interval(new).low, rtol=1e-9)


def test_intervals_refuse_what_predict_refuses():
    model = LinearRegression().fit(X, Y)
    with pytest.raises(ValueError, match="kind must be 'prediction' or 'mean'"):
        model.predict_interval(X, kind="both")
    with pytest.raises(ValueError, match="X has 3 features"):
        model.predict_interval(X[:, :3])
    with pytest.raises(ValueError, match="X has 3 features"):
        model.summary().predict_interval(X[:, :3])
    with pytest.raises(ValueError, match="NaN at row 1, column 2"):
        model.predict_interval([[0, 0, 0, 0], [0, 0, np.nan, 0]])
    with pytest.raises(ValueError, match="penalty"):
        Ridge(alpha=1.0).fit(X, Y).predict_interval(X)


def test_names_of_a_frame_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["income", "age", "rate", "rooms"])
    model = LinearRegression().fit(frame, Y)
    table = model.summary(frame, Y, covariance="cluster", groups=pandas.Series(GROUPS))
    assert table.names == ("intercept", "income", "age", "rate", "rooms")
    assert table.to_frame().loc["age", "coef"] == model.coef_[1]
    with pytest.raises(ValueError, match="feature names should match"):
        model.summary(frame[["age", "income", "rate", "rooms"]], Y)


def test_the_text_shows_the_numbers():
    table = LinearRegression().fit(X, Y).summary(X, Y, covariance="HC3")
    text, html = str(table), table._repr_html_()
    assert np.ceil(-np.log10(table.standard_error[1])) == 2  # four digits of it are five decimals
    for part in ("covariance: HC3", "x3", f"{table.coef[1]:.5f}", f"{table.standard_error[1]:.5f}", "P>|z|", "2.5 %", "R^2"):
        assert part in text
    assert "<td>" in html and f"{table.coef[1]:.5f}" in html
    assert max(map(len, text.splitlines())) <= 100
    assert list(table.table) == ["name", "coef", "standard_error", "statistic", "p_value", "low", "high"]


@pytest.mark.parametrize(
    "columns, mean, targets, weight",
    [([2.0**400, 2.0**-400, 1, 1], 0, 1, 1), (1, 0, 2.0**300, 1), (1, 0, 2.0**-300, 1), (1, 2.0**26, 1, 1), (1, 0, 1, 2.0**500)],
    ids=["columns", "targets large", "targets small", "far from zero", "weights"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["classical", "HC3", "cluster"])
@pytest.mark.parametrize("rows", [100, N])
def test_units_change_nothing_but_units(columns, mean, targets, weight, kind, rows):
    base, y, groups = np.round(X[:rows], 3), Y[:rows], groups_for(kind, GROUPS[:rows])
    moved, scaled, s = base * columns + mean, y * targets, np.full(rows, weight)
    plain = LinearRegression().fit(base, y).summary(base, y, covariance=kind, groups=groups)
    table = LinearRegression().fit(moved, scaled, s).summary(moved, scaled, s, covariance=kind, groups=groups)
    tolerance = 1e-6 if mean else 1e-10  # of the rows themselves, which lose their last digits there
    np.testing.assert_allclose(table.standard_error[1:] / targets * columns, plain.standard_error[1:], rtol=tolerance)
    np.testing.assert_allclose([table.r2, table.f_statistic], [plain.r2, plain.f_statistic], rtol=tolerance)


@pytest.mark.parametrize("kind", ["classical", "HC0"])
@pytest.mark.parametrize("target", [lambda X: np.ones(N), lambda X: X[:, 0] + 2 * X[:, 3]], ids=["constant", "exact"])
def test_an_exact_fit_is_told_and_warns_of_nothing(kind, target):
    y = target(X)
    model = LinearRegression().fit(X, y)
    table = model.summary(X, y, covariance=kind)
    assert any("exact" in note for note in table.notes)
    assert table.standard_error.max() < 1e-10
    assert "exact" in str(table)
    model.influence(X, y, largest=3)
