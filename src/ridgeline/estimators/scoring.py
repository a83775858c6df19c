"""Scorers: how good predictions are, larger being better, as scikit-learn's `scoring` parameter names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
