"""What is refused of groups, chunks, sparse rows, moments and files, in words that say what to do; and the same numbers by a rarer way."""

import numpy as np
import pytest
from scipy import sparse

import ridgeline.inference
import ridgeline.statistics
from ridgeline import HuberRegressor, LogisticRegression, Moments, Ridge, fit_many, model_file, source
from ridgeline.moments import moments_of
from ridgeline.sources import EMPTY, Slab
from ridgeline.sparse_rows import sparse_rows
from ridgeline.statistics.covariance import ClusterSums
from ridgeline.threads import _Pool, reduce

rng = np.random.default_rng(14)
X, Y = rng.normal(size=(300, 3)), rng.normal(size=300)
GROUPS = np.arange(300) % 5


def test_keys_of_groups_sort_and_boundaries_are_whole_numbers():
    mixed = np.array([1, "a"] * 150, dtype=object)
    with pytest.raises(ValueError, match="groups mixes keys of types that do not sort .*; use one type throughout"):
        fit_many(Ridge(), X, Y, groups=mixed)
    with pytest.raises(ValueError, match="boundaries must be at least two whole numbers, got float64 of shape"):
        fit_many(Ridge(), X, Y, boundaries=[0.0, 150.0, 300.0])
    with pytest.raises(ValueError, match="boundaries must be at least two whole numbers, got int64 of shape"):
        fit_many(Ridge(), X, Y, boundaries=[0])


def test_keys_far_apart_are_the_groups_of_their_ranks():
    far = (np.int64(1) << 61) * (GROUPS - 2)
    near, there = fit_many(Ridge(), X, Y, groups=GROUPS), fit_many(Ridge(), X, Y, groups=far)
    assert (near.coef == there.coef).all() and (there.keys == np.unique(far)).all()


def test_rows_for_many_models_have_their_columns_and_a_model():
    fits = fit_many(LogisticRegression(), X, Y > 0, groups=GROUPS)
    with pytest.raises(ValueError, match="X has 2 features, but the models were fitted to 3"):
        fits.predict(X[:, :2], GROUPS)
    with pytest.raises(ValueError, match="row 1 cannot be classified: it is not finite, or its group 3 has no model"):
        fits.predict(np.array([X[0], [np.nan, 0.0, 0.0]]), np.array([0, 3]))
    with pytest.raises(KeyError, match="no group has the key 9; the keys are"):
        fits.predict(X[:2], np.array([0, 9]))


def test_sparse_rows_are_numbers_and_few_where_they_are_written_out():
    with pytest.raises(ValueError, match="X has dtype <U3, not numbers; encode text, dates and categories as numbers"):
        sparse_rows(Worded(sparse.csr_matrix(X)), "X")
    rows = sparse_rows(sparse.csr_matrix(np.ones((3000, 4))), "X")
    with pytest.raises(TypeError, match=r"columns cannot be taken out of sparse rows"):
        rows[:, 1:]
    assert (np.asarray(rows[5:6]) == 1).all()


class Worded:
    """A sparse matrix whose entries claim to be words."""

    def __init__(self, matrix):
        self.matrix, self.dtype, self.ndim, self.shape = matrix, np.dtype("U3"), 2, matrix.shape


def test_a_classifier_needs_one_column_of_labels():
    with pytest.raises(ValueError, match="the source has 2 targets per row; a classifier needs one column of labels"):
        LogisticRegression().fit_source(source([(X, np.column_stack([Y > 0, Y > 0]) * 1.0)]))


def test_what_is_a_number_only_when_asked_again_is_refused():
    class Fickle:
        asked = 0

        def __float__(self):
            self.asked += 1
            if self.asked == 1:
                raise TypeError("not yet")
            return 1.0

    with pytest.raises(TypeError, match="X holds 'an entry', which is not a number"):
        Ridge().fit(np.array([[Fickle()], [2.0]], dtype=object), [1.0, 2.0])


def test_the_precision_of_moments_is_one_of_two():
    with pytest.raises(ValueError, match="precision must be 'double' or 'extended', got 'single'"):
        moments_of(source(X, Y), precision="single")


def test_an_iterator_whose_squares_overflow_cannot_be_scaled():
    with pytest.raises(TypeError, match="its squares leave the double range, so that a second read has to scale the columns"):
        moments_of(source(iter([(X * 1e200, Y)])))


@pytest.mark.parametrize("precision", ["double", "extended"])
def test_an_iterator_whose_squares_have_lost_digits_cannot_be_scaled(precision):
    """Squares of 1e-320 are subnormal, and have three."""
    with pytest.raises(TypeError, match="its squares leave the double range, so that a second read has to scale the columns"):
        moments_of(source(iter([(X * 1e-160, Y)])), precision)
    assert moments_of(source(lambda: [(X * 1e-160, Y)]), precision).count == 300


@pytest.mark.parametrize("precision", ["double", "extended"])
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_of_a_constant_column_one_read_has_no_more_to_tell(precision, value):
    constant = np.column_stack([X, np.full(300, value)])
    once = moments_of(source(iter([(constant, Y)])), precision)
    assert once.count == 300 and once.scatter[3, 3] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(once.mean, np.append(constant.mean(axis=0), Y.mean()), rtol=1e-12)


def test_picked_rows_are_rows():
    rows = source(X, Y)
    numbers = np.arange(0, 300, 7)
    picked = rows.pick(numbers)
    assert picked.known_rows == len(numbers)
    assert moments_of(picked.targets_only()).mean[0] == pytest.approx(Y[numbers].mean())
    again = picked.pick(np.arange(3))
    assert moments_of(again).to_bytes() == moments_of(source(X[numbers[:3]], Y[numbers[:3]])).to_bytes()
    assert repr(picked.identity()) != repr(again.identity())
    bad = X.copy()
    bad[8, 1] = np.nan
    with pytest.raises(ValueError, match="X contains NaN at row 8, column 1"):
        source(bad, Y).pick(numbers).check_finite()


def test_the_first_name_of_inference_is_kept():
    assert ridgeline.inference.linear_inference is ridgeline.statistics.inference.linear_inference


def test_a_system_that_has_no_more_threads_is_served_by_those_there_are(monkeypatch):
    """And by the caller, who does all where there are none."""

    class Refused:
        def __init__(self, **options):
            pass

        def start(self):
            raise RuntimeError("can't start new thread")

    pool = _Pool()
    monkeypatch.setattr("ridgeline.threads._pool", pool)
    monkeypatch.setattr("ridgeline.threads.threading.Thread", Refused)
    total = reduce(iter(range(20)), lambda k: Trail([k]), 3)
    assert total.items == list(range(20)) and pool.size == 0


class Trail:
    def __init__(self, items):
        self.items = items

    def merge(self, other):
        self.items += other.items


def test_huber_of_spooled_and_of_several_chunks_has_one_answer():
    parts = [(X[a : a + 60], Y[a : a + 60]) for a in range(0, 300, 60)]
    several, one = HuberRegressor().fit_source(source(parts)), HuberRegressor().fit(X, Y)
    np.testing.assert_allclose(several.coef_, one.coef_, rtol=1e-7, atol=1e-9)


def test_moments_without_rows_are_moments():
    nothing = Moments.of(X, Y) - Moments.of(X, Y)
    assert nothing.count == 0 and nothing.weight == 0


def test_files_that_are_none_and_versions_that_never_were(tmp_path):
    with pytest.raises(ValueError, match="/dev/null is not a ridgeline model file: it is no regular file"):
        model_file.load("/dev/null")
    model_file.save(Ridge().fit(X, Y), tmp_path / "m.rl")
    image = (tmp_path / "m.rl").read_bytes()
    (tmp_path / "m.rl").write_bytes(image[:5] + b"000" + image[8:])
    with pytest.raises(ValueError, match="m.rl is damaged: there is no version 0"):
        model_file.load(tmp_path / "m.rl")


def test_a_system_whose_folders_are_not_opened_keeps_files_all_the_same(tmp_path, monkeypatch):
    monkeypatch.delattr("ridgeline.files.replacement.os.O_DIRECTORY")
    model = Ridge().fit(X, Y)
    model_file.save(model, tmp_path / "m.rl")
    assert (model_file.load(tmp_path / "m.rl").coef_ == model.coef_).all()


def test_clusters_of_a_summary_are_those_of_rows(tmp_path):
    """A slab without rows adds no cluster."""
    sums = ClusterSums(2)
    sums.add_rows(Slab(np.empty((0, 2)), np.empty(0), EMPTY, EMPTY))
    assert len(sums.keys) == 0
    sums.add_rows(Slab(np.ones((3, 2)), np.array([5.0, 4.0, 5.0]), EMPTY, EMPTY))
    assert sums.keys.tolist() == [4.0, 5.0] and sums.sums.tolist() == [[1.0, 1.0], [2.0, 2.0]]


def test_inference_without_an_intercept_is_that_of_a_line_through_zero():
    found = ridgeline.inference.linear_inference(Moments.of(X, Y), fit_intercept=False)
    want = np.linalg.lstsq(X, Y, rcond=None)[0]
    np.testing.assert_allclose(found.coef[0], want, rtol=1e-9)
    assert found.degrees_of_freedom == 300 - 3
