"""Cross-validation over sources: folds are runs of the stream, found in one read, and the answer is that of the rows in memory."""

from itertools import pairwise

import numpy as np
import pytest

from ridgeline import ElasticNetCV, LassoCV, LogisticRegressionCV, Moments, RidgeCV, source
from ridgeline.fold_moments import InFolds, moments_of_folds, row_count
from ridgeline.folds import fold_bounds
from ridgeline.sources.folding import Place

rng = np.random.default_rng(11)
N, D = 5003, 6
X = rng.normal(size=(N, D)) + 3.0
Y = X[:, :2] @ [1.0, -2.0] + rng.normal(size=N)
WEIGHT = rng.uniform(0.5, 2.0, N)


def chunks(step=700, y=Y):
    return source(lambda: ((X[a : a + step], y[a : a + step], WEIGHT[a : a + step]) for a in range(0, N, step)))


@pytest.mark.parametrize("cv", [2, 7])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_moments_of_each_fold_are_those_of_its_rows(cv, n_threads):
    rows = chunks()
    rows.n_threads = n_threads
    parts = moments_of_folds(rows, cv)
    assert row_count(rows) == N
    bounds = fold_bounds(cv, N)
    for part, (a, b) in zip(parts, pairwise(bounds), strict=True):
        alone = Moments.of(X[a:b], Y[a:b], WEIGHT[a:b])
        assert part.count == b - a
        np.testing.assert_allclose(part.mean, alone.mean, rtol=1e-13)
        np.testing.assert_allclose(part.scatter, alone.scatter, rtol=1e-11, atol=1e-9)


def test_a_pass_that_goes_on_in_the_middle_numbers_rows_as_before():
    rows = InFolds(chunks(), fold_bounds(3, N))

    def parts_of(segments):
        return [(segment.run, slab.part, len(slab.X)) for segment in segments for slab in segment]

    whole = parts_of(rows.segments())
    assert parts_of(rows.segments(Place(4, 0))) == [part for part in whole if part[0] >= 4]
    assert sum(n for _, _, n in whole) == N and {part for _, part, _ in whole} == {0, 1, 2}


@pytest.mark.parametrize(
    "model",
    [
        RidgeCV([0.1, 10.0, 1e4]), RidgeCV([0.1, 10.0, 1e4], alpha_per_target=True), RidgeCV([0.1, 10.0, 1e4], cv=4),
        RidgeCV([0.1, 10.0], cv=4, scoring=lambda model, X, y, sample_weight=None: -float(np.abs(y - model.predict(X)).mean())),
        RidgeCV([0.1, 10.0], cv=[(np.arange(4000), np.arange(4000, N))]), RidgeCV([0.1, 10.0], store_cv_results=True),
        LassoCV(alphas=10), ElasticNetCV(l1_ratio=[0.3, 1.0], alphas=5, cv=3), ElasticNetCV(l1_ratio=0.0, alphas=[1.0, 0.01]),
        LassoCV(alphas=5, cv=[(np.arange(4000), np.arange(4000, N))]),
    ],
)  # fmt: skip
def test_a_search_over_chunks_is_that_of_the_rows(model):
    inside = type(model)(**model.get_params()).fit(X, Y, WEIGHT)
    model.fit_source(chunks())
    np.testing.assert_allclose(model.alpha_, inside.alpha_, rtol=1e-12)
    np.testing.assert_allclose(model.coef_, inside.coef_, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(model.intercept_, inside.intercept_, rtol=1e-9)
    for name in ("best_score_", "mse_path_", "cv_results_"):
        if hasattr(inside, name):
            np.testing.assert_allclose(getattr(model, name), getattr(inside, name), rtol=1e-9)
    assert model.certificate_.status == "optimal" and model.n_features_in_ == D


def test_a_mapped_file_is_read_where_it_is(tmp_path):
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    rows = source(tmp_path / "X.npy", Y)
    for model in (RidgeCV(cv=5), RidgeCV(), LassoCV(alphas=5)):
        inside = type(model)(**model.get_params()).fit(X.astype(np.float32), Y)
        assert (model.fit_source(rows).coef_ == inside.coef_).all()


def test_a_parquet_file_takes_one_read_for_all_folds(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({**{f"x{j}": X[:, j] for j in range(D)}, "y": Y, "w": WEIGHT}), tmp_path / "rows.parquet", row_group_size=999)
    rows = source(tmp_path / "rows.parquet", target="y", weight="w")
    model = RidgeCV([0.1, 1e4], cv=5).fit_source(rows)
    assert rows.reads == 1 and model.certificate_.passes == 1
    assert model.feature_names_in_.tolist() == [f"x{j}" for j in range(D)]
    np.testing.assert_allclose(model.coef_, RidgeCV([0.1, 1e4], cv=5).fit(X, Y, WEIGHT).coef_, rtol=1e-10)


def test_squares_that_leave_the_double_range_are_scaled_in_every_fold():
    rows = source([(X[a : a + 700] * 1e200, Y[a : a + 700]) for a in range(0, N, 700)])
    parts = moments_of_folds(rows, 3)
    assert all(part.finite() and part.well_scaled() for part in parts)


def test_more_columns_than_rows_are_written_to_a_file_first():
    wide = rng.normal(size=(8, 20))
    model = RidgeCV().fit_source(source([(wide[:5], Y[:5]), (wide[5:], Y[5:8])]))
    np.testing.assert_allclose(model.coef_, RidgeCV().fit(wide, Y[:8]).coef_, rtol=1e-10)


def test_several_targets():
    both = np.column_stack([Y, X[:, 2]])
    model = RidgeCV(cv=3).fit_source(chunks(y=both))
    np.testing.assert_allclose(model.coef_, RidgeCV(cv=3).fit(X, both, WEIGHT).coef_, rtol=1e-10, atol=1e-13)


def test_what_a_search_refuses():
    with pytest.raises(TypeError, match=r"read only once, and cross-validation needs the number of rows first.*spool=True"):
        RidgeCV(cv=3).fit_source(source(iter([(X, Y)])))
    with pytest.raises(ValueError, match="cv == 9000, must be at least 2 and at most the number of rows, 5003"):
        LassoCV(cv=9000).fit_source(chunks())
    with pytest.raises(ValueError, match="alphas is empty"):
        RidgeCV([]).fit_source(chunks())
    bad = X.copy()
    bad[4321, 3] = np.nan
    for model in (RidgeCV(), RidgeCV(cv=3), LassoCV()):
        with pytest.raises(ValueError, match=r"NaN in row 321|NaN at \(321, 3\)|chunk 4"):
            model.fit_source(source([(bad[a : a + 1000], Y[a : a + 1000]) for a in range(0, N, 1000)]))
        assert not hasattr(model, "coef_")
    with pytest.raises(ValueError, match="one is needed"):
        LassoCV().fit_source(chunks(y=np.column_stack([Y, Y])))


LABELS = np.digitize(Y, [-4.0, -1.0])


@pytest.mark.parametrize("labels", [LABELS, (LABELS > 0).astype(np.int8), np.array(["ant", "bee", "cow"])[LABELS]], ids=["3", "2", "names"])
@pytest.mark.parametrize(
    "options", [{}, {"class_weight": "balanced"}, {"scoring": lambda model, X, y, sample_weight=None: model.score(X, y)}]
)
def test_a_search_of_labels_over_chunks_is_that_of_the_rows(labels, options):
    inside = LogisticRegressionCV(Cs=[0.01, 1.0], cv=3, **options).fit(X, labels, WEIGHT)
    model = LogisticRegressionCV(Cs=[0.01, 1.0], cv=3, **options).fit_source(chunks(y=labels))
    assert model.classes_.tolist() == inside.classes_.tolist() and model.C_.tolist() == inside.C_.tolist()
    np.testing.assert_allclose(model.coef_, inside.coef_, rtol=1e-6)
    for label, scores in inside.scores_.items():
        np.testing.assert_allclose(model.scores_[label], scores, atol=1e-3)


def test_labels_of_a_mapped_file_have_the_bits_of_its_array(tmp_path):
    np.save(tmp_path / "X.npy", X)
    model = LogisticRegressionCV(Cs=3).fit_source(source(tmp_path / "X.npy", LABELS))
    assert (model.coef_ == LogisticRegressionCV(Cs=3).fit(X, LABELS).coef_).all()


def test_what_a_search_of_labels_refuses():
    with pytest.raises(TypeError, match="read only once"):
        LogisticRegressionCV().fit_source(source(iter([(X, LABELS)])))
    with pytest.raises(ValueError, match="takes no offsets"):
        LogisticRegressionCV().fit_source(source(X, LABELS > 0, offset=Y))
    with pytest.raises(ValueError, match="Cs is empty"):
        LogisticRegressionCV(Cs=[]).fit_source(source(X, LABELS))


def test_slabs_of_one_fold_are_added_up():
    """Rows of integers are converted some at a time, so that a fold comes in several slabs."""
    whole = np.arange(4 * 70_000).reshape(70_000, 4) % 11
    y = whole[:, 0] * 1.0
    for part, (a, b) in zip(moments_of_folds(source(whole, y), 2), pairwise(fold_bounds(2, 70_000)), strict=True):
        alone = Moments.of(whole[a:b], y[a:b])
        assert part.count == b - a
        np.testing.assert_allclose(part.scatter, alone.scatter, rtol=1e-12)
