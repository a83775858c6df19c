"""Which rows to fit and which to score: the splits of a cross-validation, as scikit-learn's `cv` parameter names them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]
"""Rows to fit, rows to score."""

DEFAULT_FOLDS = 5

NOTHING: Mapping[str, Any] = MappingProxyType({})


def is_count(cv: Any) -> bool:
    """Whether `cv` is a number of folds."""
    return isinstance(cv, (int, np.integer)) and not isinstance(cv, bool)


def check_folds(cv: Any, n: int) -> int:
    """A number of folds between 2 and the number of rows.

    Raises
    ------
    ValueError
    """
    if not 2 <= cv <= n:
        raise ValueError(f"cv == {cv}, must be at least 2 and at most the number of rows, {n} (n_samples = {n}).")
    return int(cv)


def fold_bounds(cv: Any, n: int) -> np.ndarray:
    """Where each of `cv` runs of neighbouring rows begins, and n: the folds of scikit-learn's `KFold(cv)`; raises as `check_folds`."""
    folds = check_folds(cv, n)
    return np.cumsum([0, *(n // folds + (k < n % folds) for k in range(folds))])


def given_splits(cv: Any, X: Any, y: Any, n: int, params: Mapping[str, Any] = NOTHING) -> list[Split]:
    """The splits of a splitter (`cv.split(X, y, **params)`) or an iterable of pairs, as row numbers.

    Raises
    ------
    TypeError, ValueError
        For something else, or no splits at all.
    """
    if isinstance(cv, str) or not (hasattr(cv, "split") or hasattr(cv, "__iter__")):
        raise TypeError(f"cv must be None, a number of folds, a splitter or an iterable of (rows to fit, rows to score), got {cv!r}.")
    pairs = cv.split(X, y, **params) if hasattr(cv, "split") else cv
    splits = [(np.arange(n)[train], np.arange(n)[test]) for train, test in pairs]
    if not splits:
        raise ValueError("cv gave no splits; it needs at least one pair (rows to fit, rows to score).")
    return splits


def stratified_splits(codes: np.ndarray, folds: int) -> list[Split]:
    """Folds with the classes in proportion, without shuffling: scikit-learn's `StratifiedKFold(folds)`.

    Imagine the rows sorted by class, the classes in the order in which they first appear, and dealt to the folds in turn: that decides how
    many rows of a class each fold takes. It takes them from the class's own rows in one run.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
    folds : int

    Raises
    ------
    ValueError
        If there are more folds than rows of any class.
    """
    _, first, codes, counts = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
    if folds > counts.max():
        raise ValueError(f"n_splits={folds} cannot be greater than the number of members in each class; the largest has {counts.max()}.")
    fold_of = np.empty(len(codes), dtype=np.intp)
    dealt = 0
    for k in np.argsort(first):
        cards = np.arange(dealt, dealt + counts[k]) % folds
        fold_of[codes == k] = np.sort(cards)
        dealt += counts[k]
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds)]
