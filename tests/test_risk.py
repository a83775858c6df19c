"""Risk, gap and split: slow twins, hand-computed edges, and messages."""

from functools import partial

import numpy as np
import pytest

from ridgeline import (
    LogisticRegression,
    Ridge,
    absolute_error,
    binary_cross_entropy,
    categorical_cross_entropy,
    empirical_risk,
    generalization_gap,
    huber,
    one_hot,
    sparse_categorical_cross_entropy,
    squared_error,
    train_test_split,
)

inf, nan = np.inf, np.nan
RANDOM = np.random.default_rng(5)
P = RANDOM.dirichlet(np.ones(3), 30)
CODES = RANDOM.integers(0, 3, 30)
Y, Z = RANDOM.normal(size=(2, 30))
BITS = CODES % 2

CASES = [
    ("squared_error", squared_error, Y, Z),
    ("absolute_error", absolute_error, Y, Z),
    ("huber", huber, Y, Z),
    ("binary_cross_entropy", binary_cross_entropy, BITS, P[:, 0]),
    ("categorical_cross_entropy", categorical_cross_entropy, one_hot(CODES, 3), P),
    ("sparse_categorical_cross_entropy", sparse_categorical_cross_entropy, CODES, P),
]
IDS = [case[0] for case in CASES]


def risk_twin(values, weight):
    return sum(s * v for s, v in zip(weight, values)) / sum(weight)


# --- empirical_risk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name, loss, y, y_pred", CASES, ids=IDS)
def test_risk_is_the_weighted_mean_of_the_losses(name, loss, y, y_pred):
    weight = RANDOM.uniform(0, 2, 30)
    for given in (name, loss, partial(loss)):
        assert empirical_risk(given, y, y_pred) == pytest.approx(risk_twin(loss(y, y_pred), np.ones(30)))
        expected = risk_twin(loss(y, y_pred), weight)
        assert empirical_risk(given, y, y_pred, weight) == pytest.approx(expected, rel=1e-14)


def test_by_hand():
    assert empirical_risk("squared_error", [0, 0], [1, 3]) == 5
    assert empirical_risk("zero_one", ["a", "b", "c", "a"], ["a", "b", "b", "b"]) == 0.5
    assert empirical_risk(partial(huber, delta=2.0), [0.0], [4.0]) == 6
    assert type(empirical_risk("squared_error", [0], [1])) is float


def test_several_outputs_are_summed_within_an_example():
    assert empirical_risk("squared_error", [[0, 0], [0, 0]], [[1, 2], [0, 1]]) == 3
    assert empirical_risk("absolute_error", [[0, 0], [0, 0]], [[1, 2], [0, 1]], [1, 0]) == 3


def test_weights_of_any_size_and_a_scalar():
    for scale in (1e-300, 1e249):
        assert empirical_risk("squared_error", [0, 0], [1, 3], [3 * scale, scale]) == 3
    assert empirical_risk("squared_error", [0, 0], [1, 3], 2.0) == 5


def test_infinite_loss_counts_only_with_weight():
    y, p = [1, 1], [0.0, 1.0]
    assert empirical_risk("binary_cross_entropy", y, p) == inf
    assert empirical_risk("binary_cross_entropy", y, p, [0, 1]) == 0


def test_overflow_is_infinite_without_a_warning():
    assert empirical_risk("squared_error", [1e200, 0], [0, 0]) == inf
    assert empirical_risk("absolute_error", [1.5e308, 1.5e308], [0, 0]) == inf


def test_float32_losses_are_summed_in_double():
    y = np.full(1_000_003, 0.1, np.float32)
    assert empirical_risk("absolute_error", y, np.zeros_like(y)) == pytest.approx(float(y[0]), rel=1e-12)


@pytest.mark.parametrize(
    "loss, message",
    [
        ("squared_eror", "unknown loss 'squared_eror'; Did you mean 'squared_error'"),
        ("cross_entropy", "Did you mean 'binary_cross_entropy'"),
        ("?", r"unknown loss '\?'; pass a function, or one of 'squared_error'"),
        (None, "unknown loss None"),
    ],
)
def test_unknown_loss(loss, message):
    with pytest.raises(ValueError, match=message):
        empirical_risk(loss, [1.0], [1.0])
    with pytest.raises(ValueError, match=message):
        generalization_gap(None, None, None, None, None, loss)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("squared_error", [1.0, 2.0], [1.0]), r"y_pred has shape \(1,\) where y has \(2,\)"),
        (("zero_one", [1, 2], [[1], [2]]), r"y_pred has shape \(2, 1\) where y has \(2,\)"),
        (("squared_error", [1.0, nan], [1.0, 2.0]), "y contains NaN at row 1"),
        (("squared_error", [], []), "y holds no examples"),
        (("squared_error", 1.0, 2.0), "gave a single number"),
        (
            (lambda y, p: np.mean(np.subtract(y, p)), [1.0, 2.0], [1.0, 2.0]),
            r"single number for y of shape \(2,\)",
        ),
        (("squared_error", [1.0, 2.0], [1.0, 2.0], [1.0]), "one weight per row"),
        (("squared_error", [1.0, 2.0], [1.0, 2.0], [1.0, -1.0]), "sample_weight is negative at row 1"),
        (("squared_error", [1.0, 2.0], [1.0, 2.0], [0, 0]), "zero in every row"),
        (("squared_error", [1.0, 2.0], [1.0, 2.0], [1.0, nan]), "sample_weight contains NaN at row 1"),
        (("binary_cross_entropy", [1, 2], [0.5, 0.5]), "y holds 2 at row 1"),
    ],
)
def test_risk_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        empirical_risk(*arguments)


# --- generalization_gap -------------------------------------------------------------------------------


class Line:
    """Predicts its single column."""

    def predict(self, X):
        return np.asarray(X)[:, 0]


class Classifier:
    """Row i of X is the probabilities of `classes_`."""

    def __init__(self, *classes):
        self.classes_ = np.array(classes)

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return self.classes_[np.argmax(X, axis=1)]


def test_gap_of_predictions_by_hand():
    # test risk ((1 - 0)^2 + (5 - 2)^2) / 2 = 5, training risk 1
    train, test = ([[1.0], [2.0]], [0.0, 3.0]), ([[1.0], [5.0]], [0.0, 2.0])
    assert generalization_gap(Line(), *train, *test, "squared_error") == 4
    assert generalization_gap(Line(), *train, *test, absolute_error) == 1
    assert generalization_gap(Line(), *train, *test, lambda y, z: (z > y) * 1.0) == 0.5


def test_gap_of_probabilities_by_hand():
    model = Classifier("cat", "dog")
    X, y = [[0.5, 0.5]], ["dog"]
    X_test, y_test = [[0.25, 0.75], [0.5, 0.5]], ["cat", "dog"]
    expected = (np.log(4) + np.log(2)) / 2 - np.log(2)
    for loss in ("binary_cross_entropy", "categorical_cross_entropy", sparse_categorical_cross_entropy):
        assert generalization_gap(model, X, y, X_test, y_test, loss) == pytest.approx(expected)
    assert generalization_gap(model, [[0, 1]], y, X_test, ["cat", "cat"], "zero_one") == 0.5


def test_gap_uses_the_order_of_the_classes():
    model = Classifier(-1, 3, 7)
    y = np.array([7, -1, 3])
    X = [[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1]]
    risk = -np.mean(np.log([0.5, 0.6, 0.8]))
    certain = np.eye(3)[[2, 0, 1]]
    gap = generalization_gap(model, certain, y, X, y, "sparse_categorical_cross_entropy")
    assert gap == pytest.approx(risk)
    # distributions in place of labels
    gap = generalization_gap(model, certain, certain, X, certain, "categorical_cross_entropy")
    assert gap == pytest.approx(risk)


def test_gap_keeps_the_digits_of_a_small_probability():
    # 1 - p of the other class would be 0 here
    gap = generalization_gap(Classifier(0, 1), [[1.0, 0.0]], [0], [[1e-30, 1.0]], [0], binary_cross_entropy)
    assert gap == pytest.approx(30 * np.log(10), rel=1e-15)


def test_gap_of_the_estimators():
    X = RANDOM.normal(size=(80, 4))
    y = X @ [1.0, -1, 2, 0] + RANDOM.normal(size=80)
    parts = train_test_split(X, y, seed=1)
    X_train, X_test, y_train, y_test = parts
    model = Ridge().fit(X_train, y_train)
    expected = np.mean((y_test - model.predict(X_test)) ** 2) - np.mean(
        (y_train - model.predict(X_train)) ** 2
    )
    gap = generalization_gap(model, X_train, y_train, X_test, y_test, "squared_error")
    assert gap == pytest.approx(expected, rel=1e-12)
    names = np.array(["low", "middle", "top"])
    for k, loss in ((2, "binary_cross_entropy"), (3, "sparse_categorical_cross_entropy")):
        label, label_test = (names[:k][np.digitize(t, [0, 2][: k - 1])] for t in (y_train, y_test))
        model = LogisticRegression().fit(X_train, label)

        def risk(X, label, model=model):
            return -np.mean(
                [p[list(model.classes_).index(c)] for p, c in zip(model.predict_log_proba(X), label)]
            )

        gap = generalization_gap(model, X_train, label, X_test, label_test, loss)
        assert gap == pytest.approx(risk(X_test, label_test) - risk(X_train, label), rel=1e-10)


def test_gap_refusals():
    X, y = [[0.5, 0.5]], ["cat"]
    with pytest.raises(
        TypeError, match="binary_cross_entropy compares probabilities, and Line has no predict_proba"
    ):
        generalization_gap(Line(), X, y, X, y, "binary_cross_entropy")
    model = Classifier("cat", "dog")
    with pytest.raises(
        ValueError, match=r"y_test holds .*'cow'.* at row 1, which is not among.*'cat', 'dog'"
    ):
        generalization_gap(model, X, y, X + X, ["dog", "cow"], "sparse_categorical_cross_entropy")
    with pytest.raises(ValueError, match=r"y_test has shape \(1, 1\), expected \(n,\)"):
        generalization_gap(model, X, y, X, [y], "binary_cross_entropy")
    with pytest.raises(ValueError, match="the model has 3 classes"):
        generalization_gap(Classifier(0, 1, 2), X, y, X, y, "binary_cross_entropy")


# --- train_test_split ---------------------------------------------------------------------------------


def test_split_partitions_the_rows_in_their_order():
    X, y = np.arange(40).reshape(20, 2), np.arange(20)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_fraction=0.3)
    assert len(y_test) == 6 and sorted([*y_train, *y_test]) == list(range(20))
    np.testing.assert_array_equal(X_train, X[y_train])
    np.testing.assert_array_equal(X_test, X[y_test])
    assert np.all(np.diff(y_train) > 0) and np.all(np.diff(y_test) > 0)


def test_split_depends_on_the_seed_alone():
    y = np.arange(50)
    one, again, other = (train_test_split(y, y, seed=seed)[3] for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, again)
    assert one.tolist() != other.tolist()


@pytest.mark.parametrize(
    "n, fraction, expected", [(2, 0.01, 1), (2, 0.99, 1), (10, 0.25, 2), (442, 0.25, 110)]
)
def test_sizes(n, fraction, expected):
    assert len(train_test_split(np.zeros((n, 1)), np.zeros(n), test_fraction=fraction)[3]) == expected


def test_stratified_shares_are_within_a_row():
    y = np.repeat(["a", "b", "c"], [50, 7, 23])
    for seed in range(20):
        y_test = train_test_split(y, y, test_fraction=0.3, seed=seed, stratify=True)[3]
        assert len(y_test) == 24
        for label, count in (("a", 50), ("b", 7), ("c", 23)):
            assert abs(np.sum(y_test == label) - 0.3 * count) < 1


def test_stratified_rows_are_drawn_at_random():
    y = np.repeat([0, 1], 50)
    X = np.arange(100)
    drawn = {tuple(train_test_split(X, y, seed=seed, stratify=True)[1]) for seed in range(5)}
    assert len(drawn) == 5


def test_lists_and_tuples_stay_so():
    X_train, X_test, y_train, y_test = train_test_split([[1], [2], [3], [4]], ("a", "b", "c", "d"))
    assert isinstance(X_train, list) and isinstance(y_test, tuple) and len(X_test) == len(y_test) == 1
    assert len(y_train) == 3


def test_frames_stay_frames():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"a": range(8)}, index=list("hgfedcba"))
    X_train, X_test, y_train, y_test = train_test_split(X, X["a"])
    assert list(X_train.columns) == ["a"] and X_test.index.tolist() == y_test.index.tolist()
    assert y_train.tolist() == X_train["a"].tolist()


def test_containers_with_positions():
    class Frame:
        """As a data frame: rows by `iloc`, whatever the labels."""

        def __init__(self, rows):
            self.rows, self.shape, self.iloc = rows, (len(rows), 1), np.array(rows)

    _, X_test, _, y_test = train_test_split(Frame([0, 1, 2, 3]), np.arange(4))
    assert X_test.tolist() == y_test.tolist()


def test_containers_that_take_rows():
    class Table:
        """As an Arrow table: a shape, and rows by `take`."""

        def __init__(self, rows):
            self.rows, self.shape = rows, (len(rows), 1)

        def take(self, index):
            return Table([self.rows[i] for i in index])

    _, X_test, _, y_test = train_test_split(Table([0, 1, 2, 3]), np.arange(4))
    assert X_test.rows == y_test.tolist()


def test_sparse_rows():
    from scipy.sparse import csr_array

    X = csr_array(np.eye(6))
    _, X_test, _, y_test = train_test_split(X, np.arange(6), test_fraction=0.5)
    np.testing.assert_array_equal(X_test.toarray(), np.eye(6)[y_test])


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"y": [1, 2]}, ValueError, "X has 4 rows and y has 2"),
        ({"X": [1], "y": [1]}, ValueError, r"X has 1 row\(s\); a split needs at least two"),
        ({"X": 3}, TypeError, "X is a int, which has no rows"),
        ({"y": np.float64(3)}, TypeError, "y is a float64, which has no rows"),
        ({"test_fraction": 0}, ValueError, "test_fraction == 0, must be greater than 0 and below 1"),
        ({"test_fraction": 1.0}, ValueError, "test_fraction == 1.0, must be"),
        ({"test_fraction": "half"}, TypeError, "test_fraction must be a number"),
        ({"seed": None}, TypeError, "seed must be a whole number of at least 0, got None"),
        ({"seed": -1}, TypeError, "seed must be a whole number of at least 0, got -1"),
        ({"stratify": True}, ValueError, "label 3 has one row.*two rows of every label"),
        ({"stratify": True, "y": [[1], [1], [2], [2]]}, ValueError, "stratify needs one label for each row"),
    ],
)
def test_split_refusals(change, error, message):
    arguments = {"X": [1, 2, 3, 4], "y": [1, 1, 2, 3]} | change
    if change.get("stratify") and "y" not in change:
        arguments["y"] = [1, 1, 1, 3]
    with pytest.raises(error, match=message):
        train_test_split(arguments.pop("X"), arguments.pop("y"), **arguments)
