"""Many models in one call, beside a loop of single fits."""

import warnings

import numpy as np
import pytest

from ridgeline import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
    fit_many,
)
from ridgeline.certificate import FitWarning

G, N, D = 7, 90, 4

REGRESSORS = [
    LinearRegression(), LinearRegression(fit_intercept=False), Ridge(3.0), Ridge(0.5, fit_intercept=False), Ridge(positive=True),
    HuberRegressor(), HuberRegressor(delta=0.7, alpha=0), QuantileRegressor(quantile=0.3, alpha=0),
]  # fmt: skip
CLASSIFIERS = [LogisticRegression(), LogisticRegression(C=10, fit_intercept=False), LogisticRegression(class_weight="balanced")]


def rows(seed=0, sizes=(N,) * G):
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    X = rng.normal(size=(n, D)) * [1.0, 10.0, 0.1, 1.0] + [0.0, 3.0, 0.0, 100.0]
    y = X @ [1.0, -0.2, 4.0, 0.5] + rng.normal(size=n)
    return X, y, np.repeat(np.arange(len(sizes)) * 10, sizes), rng


def labels_of(y, rng, c=2):
    return np.array(["a", "b", "c"])[np.digitize(y - np.median(y) + 2 * rng.normal(size=len(y)), [0.0, 1.0][: c - 1])]


def same(fits, model, k, X, y, sample_weight=None, exact=False):
    """Whether the fit of a group is that of the model alone."""
    alone = type(model)(**model.get_params()).fit(X, y, sample_weight)
    mine = fits.model(fits.keys[k])
    compare = np.testing.assert_array_equal if exact else lambda a, b: np.testing.assert_allclose(
        a, b, rtol=1e-11 if X.dtype == np.float64 else 2e-7, atol=1e-13
    )  # fmt: skip
    compare(mine.coef_, alone.coef_)
    compare(mine.intercept_, alone.intercept_)
    assert mine.coef_.shape == alone.coef_.shape and mine.coef_.dtype == alone.coef_.dtype
    assert np.shape(mine.intercept_) == np.shape(alone.intercept_)
    assert mine.certificate_.status == alone.certificate_.status == fits.status[k]
    assert mine.certificate_.suboptimality <= max(1e-9, 1.01 * alone.certificate_.suboptimality)


@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=repr)
@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize("weighted", [False, True])
def test_each_group_is_fitted_as_alone(model, order, weighted):
    X, y, keys, rng = rows()
    if isinstance(model, LogisticRegression):
        y = labels_of(y, rng)
    s = rng.uniform(0.5, 2.0, len(y)) if weighted else None
    where = rng.permutation(len(y)) if order == "shuffled" else np.arange(len(y))
    fits = fit_many(model, X[where], y[where], keys[where], sample_weight=None if s is None else s[where])
    assert fits.keys.tolist() == [10 * k for k in range(G)] and fits.coef.shape == (G, D) and fits.intercept.shape == (G,)
    for k in range(G):
        mine = keys[where] == 10 * k
        same(fits, model, k, X[where][mine], y[where][mine], None if s is None else s[where][mine])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_larger_groups_have_the_bits_of_single_fits(layout, dtype):
    X, y, keys, _ = rows(sizes=(1100, 1300, 2048))
    X = X.astype(dtype)
    X = {"C": X, "F": np.asfortranarray(X), "strided": np.repeat(X, 2, axis=1)[:, ::2]}[layout]
    fits = fit_many(Ridge(), X, y, keys)
    for k in range(3):
        same(fits, Ridge(), k, X[keys == 10 * k], y[keys == 10 * k], exact=dtype == np.float64)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_groups_of_two_classes_have_the_bits_of_single_fits(dtype, C):
    X, y, keys, rng = rows()
    X, labels = X.astype(dtype), labels_of(y, rng)
    fits = fit_many(LogisticRegression(C=C), X, labels, keys)
    for k in range(G):
        mine = keys == 10 * k
        same(fits, LogisticRegression(C=C), k, X[mine], labels[mine], exact=True)
        assert fits.certificate(10 * k) == LogisticRegression(C=C).fit(X[mine], labels[mine]).certificate_


def test_the_same_bits_for_any_number_of_threads():
    X, y, keys, _ = rows(sizes=(500,) * 300)
    one, three = (fit_many(Ridge(), X, y, keys, n_threads=k) for k in (1, 3))
    np.testing.assert_array_equal(one.coef, three.coef)
    np.testing.assert_array_equal(one.suboptimality, three.suboptimality)


def test_ways_to_say_what_the_groups_are():
    X, y, keys, _ = rows()
    fits = fit_many(Ridge(), X, y, keys)
    blocks = fit_many(Ridge(), X.reshape(G, N, D), y.reshape(G, N))
    cuts = fit_many(Ridge(), X, y, boundaries=np.arange(G + 1) * N)
    names = fit_many(Ridge(), X, y, np.array([f"shop {k}" for k in keys]))
    assert blocks.keys.tolist() == cuts.keys.tolist() == list(range(G)) and names.keys[1] == "shop 10"
    for other in (blocks, cuts, names):
        np.testing.assert_array_equal(other.coef, fits.coef)
    assert len(fit_many(Ridge(), X, y)) == 1


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_columns_of_a_table(library):
    X, y, keys, _ = rows()
    columns = {"shop": keys, "price": y, **{name: X[:, j] for j, name in enumerate("abcd")}, "w": np.ones(len(y))}
    if library == "pyarrow":
        table = pytest.importorskip("pyarrow").table(columns)
    else:
        table = pytest.importorskip(library).DataFrame(columns)
    fits = fit_many(Ridge(), table, "price", "shop", sample_weight="w")
    np.testing.assert_allclose(fits.coef, fit_many(Ridge(), X, y, keys).coef, rtol=1e-12)
    assert fits.model(10).feature_names_in_.tolist() == list("abcd")
    assert list(fits.to_table())[-4:] == list("abcd")
    with pytest.raises(ValueError, match="no column 'shops'"):
        fit_many(Ridge(), table, "price", "shops")
    two = fit_many(Ridge(), table, ["price", "w"], "shop")
    np.testing.assert_allclose(two.coef, fit_many(Ridge(), X, np.column_stack([y, np.ones(len(y))]), keys).coef, rtol=1e-12, atol=1e-13)
    with pytest.raises(ValueError, match="no column of X is left to be a feature"):
        fit_many(Ridge(), table, ["price", "w", *"abcd"], "shop")


def test_targets_by_column():
    X, y, keys, rng = rows()
    Y = np.column_stack([y, -2 * y, rng.normal(size=len(y))])
    fits = fit_many(Ridge(), X, Y, keys)
    assert fits.coef.shape == (G, 3, D) and fits.status.shape == fits.intercept.shape == (G, 3)
    for t in range(3):
        np.testing.assert_array_equal(fits.coef[:, t], fit_many(Ridge(), X, Y[:, t], keys).coef)
    np.testing.assert_array_equal(fits.model(20, target=1).coef_, fits.coef[2, 1])
    table = fits.to_table()
    assert table["target"].tolist() == [0, 1, 2] * G and len(table["x0"]) == 3 * G


BAD = {
    "NaN in X": (lambda X, y, s: X.__setitem__((3, 1), np.nan), "failed", "Input X contains NaN at row 3, column 1"),
    "NaN in y": (lambda X, y, s: y.__setitem__(4, np.nan), "failed", "Input y contains NaN at row 4"),
    "no weight": (lambda X, y, s: s.__setitem__(slice(None), 0), "failed", "zero in every row"),
    "a negative weight": (lambda X, y, s: s.__setitem__(2, -1), "failed", "negative at row 2"),
    "a NaN weight": (lambda X, y, s: s.__setitem__(2, np.nan), "failed", "sample_weight contains NaN"),
    "equal columns": (lambda X, y, s: X.__setitem__((slice(None), 1), X[:, 0]), "rank_deficient", "depend on each other"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_group_is_marked_and_touches_no_other(bad):
    spoil, status, message = BAD[bad]
    X, y, keys, rng = rows()
    s = rng.uniform(0.5, 2.0, len(y))
    good = fit_many(LinearRegression(), X, y, keys, sample_weight=s)
    third = keys == 20
    Xt, yt, st = X[third], y[third], s[third]
    spoil(Xt, yt, st)
    X[third], y[third], s[third] = Xt, yt, st
    with pytest.warns(FitWarning, match="1 of 7 fits are not optimal") as record:
        fits = fit_many(LinearRegression(), X, y, keys, sample_weight=s)
    assert len(record) == 1
    others = np.arange(G) != 2
    assert fits.status[2] == status and (fits.status[others] == "optimal").all()
    np.testing.assert_array_equal(fits.coef[others], good.coef[others])
    assert message in fits.message(20)
    if status == "failed":
        assert np.isnan(fits.coef[2]).all() and np.isnan(fits.predict(X[third][:1], [20])).all()
        with pytest.raises(ValueError, match="group 20 could not be fitted"):
            fits.model(20)


@pytest.mark.parametrize(("kind", "status"), [("one class", "failed"), ("separated", "no_finite_optimum"), ("no label", "failed")])
def test_bad_groups_of_classes(kind, status):
    X, y, keys, rng = rows()
    labels = (y > np.median(y) + rng.normal(size=len(y))).astype(float)
    group = np.flatnonzero(keys == 30)
    if kind == "no label":
        labels[group[5]] = np.nan
    else:
        labels[group] = 0 if kind == "one class" else X[group, 0] > 0
    with pytest.warns(FitWarning, match="1 of 7"):
        fits = fit_many(LogisticRegression(C=np.inf), X, labels, keys)
    assert fits.status[3] == status and (np.delete(fits.status, 3) == "optimal").all()
    same(fits, LogisticRegression(C=np.inf), 1, X[keys == 10], labels[keys == 10])


def test_more_classes_than_two():
    X, y, keys, rng = rows()
    labels = labels_of(y, rng, 3)
    labels[(keys == 0) & (labels == "b")] = "a"  # a group with two of them
    fits = fit_many(LogisticRegression(), X, labels, keys)
    assert fits.coef.shape == (G, 3, D) and fits.intercept.shape == (G, 3) and np.isnan(fits.coef[0, 1]).all()
    for k in (0, 3):
        mine = keys == 10 * k
        alone = LogisticRegression().fit(X[mine], labels[mine])
        assert (fits.predict(X[mine], keys[mine]) == alone.predict(X[mine])).all()
        np.testing.assert_array_equal(fits.model(10 * k).coef_, alone.coef_)
    table = fits.to_table()
    assert table["class"].tolist() == ["a", "b", "c"] * G


@pytest.mark.parametrize("model", [Ridge(), LogisticRegression()], ids=repr)
def test_sparse_rows(model):
    sparse = pytest.importorskip("scipy.sparse")
    X, y, keys, rng = rows()
    X[rng.random(X.shape) < 0.7] = 0
    y = labels_of(y, rng) if isinstance(model, LogisticRegression) else y
    fits = fit_many(model, sparse.csr_array(X), y, keys)
    np.testing.assert_allclose(fits.coef, fit_many(model, X, y, keys).coef, rtol=1e-8)
    mine = keys == 30
    assert (fits.predict(sparse.csr_array(X), keys) == fits.predict(X, keys)).all()
    np.testing.assert_array_equal(fits.model(30).coef_, type(model)().fit(sparse.csr_array(X[mine]), y[mine]).coef_)


def test_offsets():
    X, y, keys, rng = rows()
    o = rng.normal(size=len(y))
    fits = fit_many(Ridge(), X, y, keys, offset=o)
    np.testing.assert_allclose(fits.coef, fit_many(Ridge(), X, y - o, keys).coef, rtol=1e-11)


def test_predictions_are_those_of_the_models():
    X, y, keys, rng = rows()
    for model, targets in ((Ridge(), y), (LogisticRegression(), labels_of(y, rng))):
        fits = fit_many(model, X, targets, keys)
        where = rng.permutation(len(y))[:50]
        alone = [fits.model(keys[i]).predict(X[i : i + 1])[0] for i in where]
        mine = fits.predict(X[where], keys[where])
        assert (mine == alone).all() if mine.dtype.kind == "U" else np.allclose(mine, alone, rtol=1e-13)
    with pytest.raises(KeyError, match="no group has the key 5"):
        fits.predict(X[:2], [0, 5])
    with pytest.raises(ValueError, match="one key per row"):
        fits.predict(X[:2], [0])


def test_the_figures_of_the_certificates_side_by_side():
    X, y, keys, _ = rows()
    fits = fit_many(HuberRegressor(), X, y, keys)
    for k, key in enumerate(fits.keys):
        certificate = fits.certificate(key)
        figures = fits.gradient_norm[k], fits.suboptimality[k], fits.condition[k]
        assert figures == (certificate.gradient_norm, certificate.suboptimality, certificate.condition)
    assert len(set(fits.condition)) == G


def test_errors_of_all_groups_and_of_arguments_are_raised():
    X, y, keys, _ = rows()
    with pytest.raises(ValueError, match="alpha == -1"):
        fit_many(Ridge(-1), X, y, keys)
    with pytest.raises(ValueError, match="none of the 7 groups could be fitted; of the first: Input X contains NaN"):
        fit_many(Ridge(), X * np.nan, y, keys)
    with pytest.raises(TypeError, match="estimator of ridgeline"):
        fit_many("ridge", X, y, keys)
    with pytest.raises(ValueError, match="one key per row"):
        fit_many(Ridge(), X, y, keys[:-1])
    with pytest.raises(ValueError, match="groups is missing at row 2"):
        fit_many(Ridge(), X, y, np.where(np.arange(len(y)) == 2, np.nan, keys))
    with pytest.raises(ValueError, match="boundaries must rise"):
        fit_many(Ridge(), X, y, boundaries=[0, 50, 10_000])
    with pytest.raises(ValueError, match="not both"):
        fit_many(Ridge(), X, y, keys, boundaries=[0, 50])
    with pytest.raises(ValueError, match="y has shape"):
        fit_many(Ridge(), X, y[:-1], keys)
    with pytest.raises(ValueError, match="array without column names"):
        fit_many(Ridge(), X, y, "shop")
    for bad in (np.ones(3), np.ones((len(y), 1))):
        with pytest.raises(ValueError, match="sample_weight has shape .*one per row of X"):
            fit_many(Ridge(), X, y, keys, sample_weight=bad)
    with pytest.raises(ValueError, match="y has shape .*the labels of each row of X"):
        fit_many(LogisticRegression(), X, (y > 0)[:-1], keys)
    blocks = X.reshape(G, N, D)
    with pytest.raises(ValueError, match="leave out groups and boundaries"):
        fit_many(Ridge(), blocks, y.reshape(G, N), np.arange(G))
    with pytest.raises(ValueError, match=r"y has shape \(630,\), expected \(7, 90\) for X of shape"):
        fit_many(Ridge(), blocks, y)


def test_the_model_given_is_not_changed_and_warnings_are_as_before():
    X, y, keys, _ = rows()
    model = Ridge()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fits = fit_many(model, X, y, keys)
    assert not hasattr(model, "coef_")
    assert repr(fits) == "<7 groups of Ridge(), 4 features: 7 optimal>"
    assert "About" in fits.certificate(0).message and fits.n_iter.tolist() == [1] * G
