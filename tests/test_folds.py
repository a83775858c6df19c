"""Splits of a cross-validation."""

import numpy as np
import pytest

from ridgeline.folds import check_folds, given_splits, is_count, stratified_splits


def test_stratified_by_hand():
    codes = np.array([1, 1, 0, 0, 0, 1, 1, 0])
    tests = [test.tolist() for _, test in stratified_splits(codes, 2)]
    assert tests == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("seed", range(20))
def test_stratified_as_in_sklearn(seed):
    model_selection = pytest.importorskip("sklearn.model_selection")
    random = np.random.default_rng(seed)
    codes = random.integers(0, random.integers(2, 5), random.integers(40, 90))
    for (train, test), (their_train, their_test) in zip(
        stratified_splits(codes, 4), model_selection.StratifiedKFold(4).split(codes[:, None], codes), strict=True
    ):
        assert train.tolist() == their_train.tolist() and test.tolist() == their_test.tolist()


def test_every_row_is_scored_once_and_fitted_otherwise():
    codes = np.random.default_rng(0).integers(0, 3, 100)
    splits = stratified_splits(codes, 5)
    assert sorted(np.concatenate([test for _, test in splits]).tolist()) == list(range(100))
    assert all(not set(train) & set(test) and len(train) + len(test) == 100 for train, test in splits)


def test_splits_may_be_masks_slices_and_splitters():
    class Half:
        def split(self, X, y):
            yield np.arange(len(X)) < 2, slice(2, 4)

    (of_splitter,) = given_splits(Half(), np.zeros(4), None, 4)
    (of_list,) = given_splits([([0, 1], [2, 3])], None, None, 4)
    for train, test in (of_splitter, of_list):
        assert train.tolist() == [0, 1] and test.tolist() == [2, 3]


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: check_folds(1, 10), ValueError, "cv == 1, must be at least 2"),
        (lambda: check_folds(11, 10), ValueError, "at most the number of rows, 10"),
        (lambda: stratified_splits(np.array([0, 0, 1, 1]), 3), ValueError, "greater than the number of members"),
        (lambda: given_splits([], None, None, 4), ValueError, "cv gave no splits"),
        (lambda: given_splits("5", None, None, 4), TypeError, "cv must be None, a number of folds"),
        (lambda: given_splits(5.0, None, None, 4), TypeError, "cv must be None, a number of folds"),
    ],
)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_true_is_no_number_of_folds():
    assert is_count(3) and is_count(np.int64(3)) and not is_count(True) and not is_count(3.0)
