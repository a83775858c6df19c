"""Scorers: how good predictions are, larger being better, as scikit-learn's `scoring` parameter names them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..sparse_rows import linear
from ..validation import check_weights

Scorer = Callable[..., Any]
"""`scorer(estimator, X, y)`, with `sample_weight=` where there are weights."""


def scorer_of(scoring: Any) -> Scorer | None:
    """A function `scorer(estimator, X, y)`, or None."""
    if scoring is None or callable(scoring):
        return scoring
    if not isinstance(scoring, str):
        raise TypeError(f"scoring must be None, a function or the name of a scorer, got {scoring!r}.")
    try:
        from sklearn.metrics import get_scorer
    except ImportError as error:
        raise ImportError(f"scoring={scoring!r} names one of scikit-learn's scorers: install scikit-learn, or pass a function.") from error
    return get_scorer(scoring)


ROWS = 2048
"""Whose logits of many models are formed at a time."""


def accuracies(rows: Any, coef: np.ndarray, intercept: np.ndarray, codes: np.ndarray, sample_weight: Any = None) -> np.ndarray:
    """The weighted share of rows whose class each of m linear models predicts, in one pass over the rows.

    Parameters
    ----------
    rows : ndarray or SparseRows, shape (n, d)
    coef : ndarray of shape (m, c, d)
        c = 1 for two classes.
    intercept : ndarray of shape (m, c)
    codes : ndarray of shape (n,)
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    ndarray of shape (m,)
    """
    m, c, d = coef.shape
    s = check_weights(sample_weight, len(codes))
    hits = np.zeros(m)
    for a in range(0, len(codes), ROWS):
        part = slice(a, a + ROWS)
        z = linear(rows[part], coef.reshape(m * c, d), intercept.ravel()).reshape(-1, m, c)
        predicted = z[:, :, 0] > 0 if c == 1 else z.argmax(axis=2)
        hits += (s[part] if s.size else np.ones(len(z))) @ (predicted == codes[part, None])
    return hits / (s.sum() if s.size else len(codes))


def told_of(classes: np.ndarray, scorer: Scorer | None) -> Scorer | None:
    """The same scorer, which knows all classes: the rows that a split leaves out may lack some, and a metric finds its labels in them.

    Changes a scorer of scikit-learn's whose metric takes `labels` (log loss, Brier score, F1 ...), where it has none of its own; of two
    classes the second is the positive one.
    """
    metric = getattr(scorer, "_score_func", None)
    takes = inspect.signature(metric).parameters if metric is not None else {}
    if scorer is None or "labels" not in takes:
        return scorer
    from sklearn.metrics import make_scorer

    known: dict[str, Any] = {"labels": classes}
    if len(classes) == 2 and "pos_label" in takes:
        known["pos_label"] = classes[1]
    wrapped: Any = scorer
    return make_scorer(
        metric, greater_is_better=wrapped._sign > 0, response_method=wrapped._response_method, **{**known, **wrapped._kwargs}
    )
