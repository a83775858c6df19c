"""The table of a logistic and a softmax fit: beside the textbook, from every place where rows live, and where there is none."""

import pickle

import numpy as np
import pytest

from ridgeline import LogisticRegression, LogisticRegressionCV, source
from ridgeline.certificate import FitWarning

rng = np.random.default_rng(1)
N = 2000
X = rng.normal(size=(N, 3)) * [1, 10, 1] + [0, 100, 0]
SCORE = X[:, 0] + 0.05 * (X[:, 1] - 100) + rng.logistic(size=N)
TWO = np.where(SCORE > 0.3, "yes", "no")
THREE = np.digitize(SCORE, [-1, 1.5])
WEIGHT = rng.uniform(0.5, 2, N)
GROUPS = rng.integers(0, 30, N)
KINDS = ("classical", "HC0", "HC1", "cluster")


def groups_for(kind):
    return GROUPS if kind == "cluster" else None


def textbook(model, kind, codes, s, intercept=True):
    """The covariance of the contrasts against the first class, from whole matrices."""
    Z = np.column_stack([np.ones(N), X]) if intercept else X
    p = model.predict_proba(X)
    c = p.shape[1]
    s = np.ones(N) if s is None else s
    H = np.block([[Z.T @ ((s * p[:, k] * ((k == m) - p[:, m]))[:, None] * Z) for m in range(1, c)] for k in range(1, c)])
    g = np.concatenate([(s * ((codes == k) - p[:, k]))[:, None] * Z for k in range(1, c)], axis=1)
    bread = np.linalg.inv(H)
    if kind == "classical":
        return bread
    if kind == "cluster":
        g = np.stack([g[key == GROUPS].sum(axis=0) for key in np.unique(GROUPS)])
        factor = len(g) / (len(g) - 1) * (N - 1) / (N - len(H))
    else:
        factor = N / (N - len(H)) if kind == "HC1" else 1.0
    return factor * bread @ g.T @ g @ bread


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_covariances_are_those_of_the_textbook(y, kind, weighted, intercept):
    s = WEIGHT if weighted else None
    model = LogisticRegression(C=np.inf, fit_intercept=intercept).fit(X, y, s)
    table = model.summary(X, y, s, covariance=kind, groups=groups_for(kind))
    codes = np.searchsorted(model.classes_, y)
    twin = textbook(model, kind, codes, s, intercept)
    scale = np.sqrt(np.diag(twin))
    np.testing.assert_allclose(table.standard_error, scale, rtol=1e-8)
    np.testing.assert_allclose(table.covariance / scale / scale[:, None], twin / scale / scale[:, None], atol=1e-8)
    weight = np.ones(N) if s is None else s
    likelihood = weight @ model.predict_log_proba(X)[np.arange(N), codes]
    np.testing.assert_allclose([table.log_likelihood, table.deviance], [likelihood, -2 * likelihood], rtol=1e-12)
    np.testing.assert_allclose(table.aic, -2 * likelihood + 2 * len(twin), rtol=1e-12)
    np.testing.assert_allclose(table.bic, -2 * likelihood + np.log(N) * len(twin), rtol=1e-12)


def test_the_null_model_is_that_of_the_shares():
    model = LogisticRegression(C=np.inf).fit(X, THREE)
    table = model.summary(X, THREE)
    share = np.bincount(THREE)
    null = share @ np.log(share / N)
    np.testing.assert_allclose([table.null_log_likelihood, table.null_deviance], [null, -2 * null], rtol=1e-13)
    np.testing.assert_allclose(table.pseudo_r2, 1 - table.log_likelihood / null, rtol=1e-13)
    assert (table.df_model, table.n_parameters) == (6, 8)
    np.testing.assert_allclose(table.lr_statistic, 2 * (table.log_likelihood - null))
    bare = LogisticRegression(C=np.inf, fit_intercept=False).fit(X, THREE).summary(X, THREE)
    np.testing.assert_allclose(bare.null_log_likelihood, -N * np.log(3), rtol=1e-13)


def test_one_column_of_zeros_and_ones_by_hand():
    # a 2 x 2 table of counts: the log odds ratio has variance 1/a + 1/b + 1/c + 1/d (Woolf 1955)
    a, b, c, d = 10, 20, 30, 15
    x = np.repeat([0, 0, 1, 1], [a, b, c, d])[:, None]
    y = np.repeat([0, 1, 0, 1], [a, b, c, d])
    table = LogisticRegression(C=np.inf).fit(x, y).summary(x, y)
    np.testing.assert_allclose(table.coef, [np.log(b / a), np.log(d / c) - np.log(b / a)], rtol=1e-12)
    np.testing.assert_allclose(table.standard_error**2, [1 / a + 1 / b, 1 / a + 1 / b + 1 / c + 1 / d], rtol=1e-11)
    counts = LogisticRegression(C=np.inf).fit([[0], [0], [1], [1]], [0, 1, 0, 1], [a, b, c, d])
    counted = counts.summary([[0], [0], [1], [1]], [0, 1, 0, 1], [a, b, c, d], weights="frequency")
    np.testing.assert_allclose(counted.standard_error, table.standard_error, rtol=1e-11)
    assert counted.n_rows == 75


def test_baselines_and_the_symmetric_form_say_the_same():
    model = LogisticRegression(C=np.inf).fit(X, THREE)
    first, last = model.summary(X, THREE), model.summary(X, THREE, baseline=2)
    symmetric = model.summary(X, THREE, symmetric=True)
    np.testing.assert_allclose(symmetric.coef.reshape(3, 4)[:, 1:], model.coef_, rtol=1e-12)
    assert symmetric.equations == tuple(str(k) for k in (0, 1, 2) for _ in range(4))
    assert first.equations[::4] == ("1", "2") and last.equations[::4] == ("0", "1")
    # 2 against 0 is minus 0 against 2
    np.testing.assert_allclose(first.coef[4:], -last.coef[:4], rtol=1e-12)
    np.testing.assert_allclose(first.standard_error[4:], last.standard_error[:4], rtol=1e-11)
    a, b = symmetric.covariance[4:8, 4:8], symmetric.covariance[0:4, 0:4]
    cross = symmetric.covariance[4:8, 0:4]
    np.testing.assert_allclose(np.diag(a + b - cross - cross.T), first.standard_error[:4] ** 2, rtol=1e-10)
    with pytest.raises(ValueError, match="label 7"):
        model.summary(X, THREE, baseline=7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("y", [(SCORE > 0.3).astype(int), THREE * 10 - 4], ids=["two", "three"])
def test_chunks_are_as_good_as_arrays(kind, y):
    model = LogisticRegression(C=np.inf).fit(X, y, WEIGHT)
    targets = np.column_stack([y, GROUPS]) if kind == "cluster" else y
    table = model.summary(source=source([(X[:9], targets[:9], WEIGHT[:9]), (X[9:], targets[9:], WEIGHT[9:])]), covariance=kind)
    whole = model.summary(X, y, WEIGHT, covariance=kind, groups=groups_for(kind))
    np.testing.assert_allclose(table.standard_error, whole.standard_error, rtol=1e-9)
    np.testing.assert_allclose([table.null_deviance, table.n_rows], [whole.null_deviance, whole.n_rows], rtol=1e-12)


def test_names_in_a_file(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"a": X[:, 0], "b": X[:, 1], "y": TWO}), tmp_path / "rows.parquet")
    rows = source(tmp_path / "rows.parquet", target="y")
    table = LogisticRegression(C=np.inf).fit_source(rows).summary(source=rows, covariance="HC0")
    memory = LogisticRegression(C=np.inf).fit(X[:, :2], TWO).summary(X[:, :2], TWO, covariance="HC0")
    assert table.names == ("intercept", "a", "b")
    np.testing.assert_allclose(table.standard_error, memory.standard_error, rtol=1e-9)


@pytest.mark.parametrize("convert", [np.asfortranarray, lambda a: a[::-1][::-1], lambda a: a.astype(np.float32)])
@pytest.mark.parametrize("kind", KINDS)
def test_layouts_and_formats(convert, kind):
    rows = convert(X)
    table = LogisticRegression(C=np.inf).fit(rows, THREE).summary(rows, THREE, covariance=kind, groups=groups_for(kind))
    expected = LogisticRegression(C=np.inf).fit(X, THREE).summary(X, THREE, covariance=kind, groups=groups_for(kind))
    np.testing.assert_allclose(table.standard_error, expected.standard_error, rtol=1e-6 if rows.dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows(kind):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(rng.random((N, 3)) < 0.5, X - [0, 100, 0], 0.0)
    rows = sparse.csr_array(dense)
    table = LogisticRegression(C=np.inf).fit(rows, TWO).summary(rows, TWO, covariance=kind, groups=groups_for(kind))
    expected = LogisticRegression(C=np.inf).fit(dense, TWO).summary(dense, TWO, covariance=kind, groups=groups_for(kind))
    np.testing.assert_allclose(table.standard_error, expected.standard_error, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_for_any_number_of_threads(kind):
    many, labels = np.tile(X, (90, 1)), np.tile(THREE, 90)
    groups = None if kind != "cluster" else np.tile(GROUPS, 90)
    models = [LogisticRegression(C=np.inf, n_threads=k).fit(many, labels) for k in (1, 2)]
    tables = [model.summary(many, labels, covariance=kind, groups=groups) for model in models]
    assert np.array_equal(tables[0].covariance, tables[1].covariance)


def test_offsets():
    offset = 0.5 * X[:, 2]
    rows = source(X[:, :2], TWO, offset=offset)
    table = LogisticRegression(C=np.inf).fit_source(rows).summary(source=rows, covariance="HC0")
    assert np.isfinite(table.standard_error).all()
    assert np.isnan(table.null_deviance) and any("offset" in note for note in table.notes)
    # an offset of a column's multiple shifts that column's coefficient and nothing else
    rows = source(X, TWO, offset=offset)
    shifted = LogisticRegression(C=np.inf).fit_source(rows).summary(source=rows, covariance="HC0")
    plain = LogisticRegression(C=np.inf).fit(X, TWO).summary(X, TWO, covariance="HC0")
    np.testing.assert_allclose(shifted.standard_error, plain.standard_error, rtol=1e-7)


def test_dependent_columns_have_no_standard_error_and_the_others_do():
    doubled = np.column_stack([X, X[:, 0] - 2 * X[:, 2]])
    with pytest.warns(FitWarning):
        model = LogisticRegression(C=np.inf).fit(doubled, TWO)
    table = model.summary(doubled, TWO)
    single = LogisticRegression(C=np.inf).fit(X, TWO).summary(X, TWO)
    assert np.isnan(table.standard_error).tolist() == [False, True, False, True, True]
    np.testing.assert_allclose(table.standard_error[[0, 2]], single.standard_error[[0, 2]], rtol=1e-7)
    assert table.n_parameters == single.n_parameters
    assert any("x0, x2, x3" in note for note in table.notes)


def test_class_weights_take_the_sandwich():
    model = LogisticRegression(C=np.inf, class_weight="balanced").fit(X, TWO)
    with pytest.raises(ValueError, match="class_weight makes the fit no maximum of a likelihood"):
        model.summary(X, TWO)
    share = np.bincount(TWO == "yes")
    s = (N / (2 * share))[(TWO == "yes").astype(int)]
    table = model.summary(X, TWO, covariance="HC0")
    weighted = LogisticRegression(C=np.inf).fit(X, TWO, s).summary(X, TWO, s, covariance="HC0")
    np.testing.assert_allclose(table.standard_error, weighted.standard_error, rtol=1e-9)
    np.testing.assert_allclose(table.log_likelihood, weighted.log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(table.null_log_likelihood, -N * np.log(2), rtol=1e-12)  # of balanced classes


@pytest.mark.parametrize("from_source", [False, True])
def test_the_null_model_of_weighted_classes_has_the_weighted_shares(from_source):
    model = LogisticRegression(C=np.inf, class_weight={0: 1.0, 1: 3.0, 2: 0.5}).fit(X, THREE, WEIGHT)
    rows = dict(source=source(X, THREE.astype(float), WEIGHT)) if from_source else dict(X=X, y=THREE, sample_weight=WEIGHT)
    share = np.bincount(THREE, WEIGHT) * [1.0, 3.0, 0.5]
    null = share @ np.log(share / share.sum())
    np.testing.assert_allclose(model.summary(**rows, covariance="HC0").null_log_likelihood, null, rtol=1e-12)


def test_separated_classes_are_refused_with_the_certificate_s_words():
    with pytest.warns(FitWarning):
        model = LogisticRegression(C=np.inf).fit(X[:, :1], X[:, 0] > 0)
    with pytest.raises(ValueError, match="no summary: The classes can be separated"):
        model.summary(X[:, :1], X[:, 0] > 0)


@pytest.mark.parametrize("model", [LogisticRegression(), LogisticRegression(C=1.0, l1_ratio=1.0), LogisticRegressionCV(Cs=[1.0])])
def test_penalised_fits_refuse_and_say_why(model):
    with pytest.raises(ValueError, match="has no standard errors with .*penalty pulls .*bootstrap"):
        model.fit(X, TWO).summary(X, TWO)


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(covariance="HC3"), "HC3 divides by leverages of least squares"),
        (dict(X=None), "X is missing: the curvature of a likelihood is a sum over the rows"),
        (dict(y=None), "y is missing"),
        (dict(y=TWO[::-1]), "not the maximum of the likelihood of these rows"),
        (dict(sample_weight=WEIGHT), "not the maximum of the likelihood of these rows"),
        (dict(y=np.where(TWO == "yes", "maybe", "no")), "label 'maybe'"),
        (dict(X=X[:, :2]), "X has 2 features"),
        (dict(covariance="cluster"), "needs groups="),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(change, message):
    model = LogisticRegression(C=np.inf).fit(X, TWO)
    with pytest.raises(ValueError, match=message):
        model.summary(**(dict(X=X, y=TWO) | change))


def test_rows_of_a_source_must_have_the_classes_of_the_fit():
    model = LogisticRegression(C=np.inf).fit(X, THREE)
    with pytest.raises(ValueError, match=r"the rows have the classes \[0, 1\], but the fit has \[0, 1, 2\]"):
        model.summary(source=source(X, np.minimum(THREE, 1)))
    with pytest.raises(ValueError, match="1 target.s. per row where 2 are needed, the label and the cluster"):
        model.summary(source=source(X, THREE), covariance="cluster")


def test_a_fit_that_stopped_early_has_no_table():
    with pytest.warns(FitWarning):
        model = LogisticRegression(C=np.inf, max_iter=1).fit(X, THREE)
    with pytest.raises(ValueError, match="stopped early has no table"):
        model.summary(X, THREE)


def test_a_small_fit_has_kept_its_rows_and_pickles_them_never():
    for y in (TWO, THREE):
        model = LogisticRegression(C=np.inf).fit(X, y, WEIGHT)
        for kind in KINDS:
            kept, passed = (model.summary(*rows, covariance=kind, groups=groups_for(kind)) for rows in ((), (X, y, WEIGHT)))
            assert np.array_equal(kept.covariance, passed.covariance)
            assert kept.null_deviance == passed.null_deviance
    again = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="the curvature of a likelihood is a sum over the rows, which the model does not keep"):
        again.summary()


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.partial_fit(X, THREE), lambda model: model.fit_source(source(X, THREE)),
        lambda model: model.set_params(C=1.0).fit(X, TWO),
    ],
    ids=["partial_fit", "fit_source", "penalised"],
)  # fmt: skip
def test_no_other_fit_leaves_them(change):
    model = LogisticRegression(C=np.inf).fit(X, THREE)
    assert model._few_rows is not None
    change(model)
    assert model._few_rows is None


def test_class_weights_of_a_small_fit():
    model = LogisticRegression(C=np.inf, class_weight={"no": 2.0}).fit(X, TWO, WEIGHT)
    kept, passed = model.summary(covariance="HC0"), model.summary(X, TWO, WEIGHT, covariance="HC0")
    assert np.array_equal(kept.covariance, passed.covariance)


def test_the_text_names_classes_and_baseline():
    names = np.array(["cat", "dog", "eel"])[THREE]
    text = str(LogisticRegression(C=np.inf).fit(X, names).summary(X, names))
    assert "softmax of 3 classes" in text and "\ndog\n" in text and "\neel\n" in text and "log-odds against cat" in text
    html = LogisticRegression(C=np.inf).fit(X, names).summary(X, names)._repr_html_()
    assert html.count("dog") == 1
