"""Risk: the mean loss on data, the gap between unseen and seen data, and the split that makes data unseen.

    R(f)  = sum_i s_i l(y_i, f(x_i)) / sum_i s_i        the empirical risk (all s_i = 1: the mean)
    gap   = R on the test data - R on the training data

Where y_i holds several numbers, l(y_i, .) is the sum of their losses: ||y_i - f(x_i)||^2 for the squared
error.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import numpy as np

from . import losses
from .validation import check_number, check_weights, unmasked

_REGRESSION = ("squared_error", "absolute_error", "huber", "zero_one")
_CROSS_ENTROPIES = ("binary_cross_entropy", "categorical_cross_entropy", "sparse_categorical_cross_entropy")


def _zero_one(y: Any, y_pred: Any) -> np.ndarray:
    """1 where a label is wrong, else 0; labels of any type."""
    y, y_pred = unmasked(y, "y"), unmasked(y_pred, "y_pred")
    if y.shape != y_pred.shape:
        raise ValueError(
            f"y_pred has shape {y_pred.shape} where y has {y.shape}; pass one predicted label for each."
        )
    wrong: np.ndarray = y != y_pred
    return wrong.astype(np.float64)


_LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    name: _zero_one if name == "zero_one" else getattr(losses, name)
    for name in _REGRESSION + _CROSS_ENTROPIES
}


def empirical_risk(
    loss: str | Callable[[Any, Any], Any], y: Any, y_pred: Any, sample_weight: Any = None
) -> float:
    """The (weighted) mean loss over the examples.

    Parameters
    ----------
    loss : str or callable
        "squared_error" (eq. 8 of the lecture), "absolute_error", "huber", "binary_cross_entropy" (eq. 26),
        "categorical_cross_entropy" (eq. 22), "sparse_categorical_cross_entropy", "zero_one", or a function of
        (y, y_pred) that returns one value per example, such as the public losses. Options go through
        `functools.partial(huber, delta=2.0)`.
    y : array-like of shape (n, ...)
        Targets, as the loss wants them.
    y_pred : array-like of shape (n, ...)
        Predictions, or probabilities for the cross-entropies.
    sample_weight : array-like of shape (n,), optional
        Zero or more, not all zero. A row of weight zero counts for nothing, even where its loss is infinite.

    Returns
    -------
    float
        sum_i s_i l_i / sum_i s_i. Where the loss has further axes, such as (n, t) for t targets, l_i is the
        sum over them. Infinite where a loss is.

    Raises
    ------
    ValueError
        For an unknown name, arrays whose shapes do not match, and what the loss itself refuses.

    Notes
    -----
    One read of y and y_pred; O(n) memory; summed in float64 by pairs, whatever the format of the losses.

    Examples
    --------
    >>> from ridgeline import empirical_risk
    >>> empirical_risk("squared_error", [1.0, 2.0], [1.0, 4.0])
    2.0
    >>> empirical_risk("squared_error", [1.0, 2.0], [1.0, 4.0], sample_weight=[3, 1])
    1.0
    """
    values = np.asarray(_loss_function(loss)(y, y_pred), dtype=np.float64)
    if values.ndim == 0:
        raise ValueError(
            f"the loss gave a single number for y of shape {np.shape(y)}; "
            "it must give one value for each example, along a first axis."
        )
    n = len(values)
    if n == 0:
        raise ValueError("y holds no examples; a mean needs at least one.")
    weight = check_weights(sample_weight, n)
    with np.errstate(over="ignore"):
        values = values.reshape(n, -1).sum(axis=1)
        if not weight.size:
            return float(values.mean())
        used = weight > 0
        # divided by the greatest weight, so that no weights overflow or vanish in the products
        weight = weight[used] / weight.max()
        return float((weight * values[used]).sum() / weight.sum())


def generalization_gap(
    model: Any, X: Any, y: Any, X_test: Any, y_test: Any, loss: str | Callable[[Any, Any], Any]
) -> float:
    """Test risk minus training risk of a fitted model.

    Positive where the model does worse on data it has not seen: how much the training risk flatters it.

    Parameters
    ----------
    model : fitted estimator
        With `predict`; for the cross-entropies with `predict_proba` and `classes_`.
    X, y : array-like
        The data the model was fitted to.
    X_test, y_test : array-like
        Data it was not fitted to.
    loss : str or callable
        As for `empirical_risk`. The cross-entropies, by name or as the functions of this library, compare the
        classes' probabilities (in the order of `classes_`) with labels y of any type; for
        "categorical_cross_entropy" y may also be distributions (n, c). Any other loss compares y with
        `model.predict(X)`.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If the model has not what the loss needs.
    ValueError
        For labels the model has not seen, with their position, and all that `empirical_risk` refuses.

    Notes
    -----
    One prediction for each row of X and X_test.

    Examples
    --------
    >>> class Mean:
    ...     def predict(self, X):
    ...         return [2.0 for _ in X]
    >>> from ridgeline import generalization_gap
    >>> generalization_gap(Mean(), [[0], [0]], [1.0, 3.0], [[0], [0]], [0.0, 2.0], "squared_error")
    1.0
    """
    return model_risk(model, X_test, y_test, loss, "y_test") - model_risk(model, X, y, loss)


def model_risk(model: Any, X: Any, y: Any, loss: str | Callable[[Any, Any], Any], name: str = "y") -> float:
    """The empirical risk of a fitted model's predictions; `name` is what messages call y."""
    _loss_function(loss)
    risk = _probability_risk if _name_of(loss) in _CROSS_ENTROPIES else _prediction_risk
    return risk(loss, model, X, y, name)


def train_test_split(
    X: Any, y: Any, *, test_fraction: float = 0.25, seed: int = 0, stratify: bool = False
) -> tuple[Any, Any, Any, Any]:
    """Split rows at random into a training and a test part; the same seed gives the same split.

    Parameters
    ----------
    X, y : array, sparse matrix, data frame, Arrow table or list, n rows each
        Each part has the type of the whole.
    test_fraction : float in (0, 1), default 0.25
        The test part has round(n * test_fraction) rows, at least one and at most n - 1.
    seed : int, default 0
        Of `numpy.random.default_rng`.
    stratify : bool, default False
        Give every value of y (n labels) its share of the test part, to within one row. Every label needs two
        rows.

    Returns
    -------
    X_train, X_test, y_train, y_test
        In the order of the whole. Copies, but for what the container's own indexing shares.

    Raises
    ------
    TypeError, ValueError
        For lengths that differ, fewer than two rows, a fraction outside (0, 1) and labels with one row.

    Notes
    -----
    O(n) time beside the copies, O(n log n) with `stratify`.

    Examples
    --------
    >>> from ridgeline import train_test_split
    >>> train_test_split([[0], [1], [2], [3]], [0, 1, 2, 3], seed=1)
    ([[1], [2], [3]], [[0]], [1, 2, 3], [0])
    """
    X, y = (unmasked(a, name) if _only_an_array(a) else a for a, name in ((X, "X"), (y, "y")))
    n = _rows(X, "X")
    if _rows(y, "y") != n:
        raise ValueError(f"X has {n} rows and y has {_rows(y, 'y')}; pass one target for each row.")
    if n < 2:
        raise ValueError(f"X has {n} row(s); a split needs at least two.")
    fraction = check_number(test_fraction, "test_fraction", strict=True, high=1.0)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise TypeError(
            f"seed must be a whole number of at least 0, got {seed!r}; it makes the split repeatable."
        )
    n_test = min(max(round(n * fraction), 1), n - 1)
    random = np.random.default_rng(seed)
    is_test = np.zeros(n, bool)
    if stratify:
        for rows, count in _shares(unmasked(y, "y"), n_test):
            is_test[random.permutation(rows)[:count]] = True
    else:
        is_test[random.permutation(n)[:n_test]] = True
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    return _take(X, train), _take(X, test), _take(y, train), _take(y, test)


def _loss_function(loss: Any) -> Callable[[Any, Any], Any]:
    function: Callable[[Any, Any], Any] | None = loss if callable(loss) else None
    if isinstance(loss, str):
        function = _LOSSES.get(loss)
    if function is not None:
        return function
    near = get_close_matches(loss, _LOSSES, 1, 0.5) if isinstance(loss, str) else []
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"unknown loss {loss!r};{meant} pass a function, or one of {', '.join(map(repr, _LOSSES))}."
    )


def _name_of(loss: Any) -> str:
    """The name of a loss of this library given by name or as the function; '' for any other function."""
    if isinstance(loss, str):
        return loss
    return next((name for name, function in _LOSSES.items() if function is loss), "")


def _prediction_risk(loss: Any, model: Any, X: Any, y: Any, name: str) -> float:
    return empirical_risk(loss, y, model.predict(X))


def _probability_risk(loss: Any, model: Any, X: Any, y: Any, name: str) -> float:
    """The mean of -log p of the true class: what all three cross-entropies are for labels.

    Also for two classes p is read from the class's own column: 1 - p of the other has lost its digits where p
    is small.
    """
    if not hasattr(model, "predict_proba"):
        raise TypeError(
            f"{_name_of(loss)} compares probabilities, and {type(model).__name__} has no predict_proba; "
            "take a classifier, "
            'or a loss of predictions such as "squared_error".'
        )
    p, classes, y = np.asarray(model.predict_proba(X)), np.asarray(model.classes_), unmasked(y, name)
    if _name_of(loss) == "binary_cross_entropy" and len(classes) != 2:
        raise ValueError(
            f'the model has {len(classes)} classes; "sparse_categorical_cross_entropy" takes more than two.'
        )
    if _name_of(loss) == "categorical_cross_entropy" and y.ndim == 2:
        return empirical_risk("categorical_cross_entropy", y, p)
    if y.ndim != 1:
        raise ValueError(f"{name} has shape {y.shape}, expected (n,): one label for each row.")
    known = np.isin(y, classes)
    if not known.all():
        i = int(np.argmin(known))
        raise ValueError(
            f"{name} holds {y[i]!r} at row {i}, which is not among the model's classes "
            f"{classes.tolist()}: its probability is 0 and the risk infinite. "
            "Fit with every class, or drop such rows."
        )
    return empirical_risk("sparse_categorical_cross_entropy", np.searchsorted(classes, y), p)


def _shares(y: np.ndarray, n_test: int) -> list[tuple[np.ndarray, int]]:
    """The rows of each label and how many of them to test: by largest remainder (Hamilton's method), so that
    they add to n_test."""
    if y.ndim != 1:
        raise ValueError(f"stratify needs one label for each row; y has shape {y.shape}.")
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"label {labels[int(np.argmin(counts))].item()!r} has one row, which cannot be split; "
            "stratify needs two rows of every label."
        )
    quota = counts * (n_test / len(y))
    share = np.floor(quota).astype(int)
    share[np.argsort(share - quota, kind="stable")[: n_test - share.sum()]] += 1
    return [(np.flatnonzero(codes == k), int(share[k])) for k in range(len(labels))]


def _rows(data: Any, name: str) -> int:
    """How many rows: of what has a shape by it (a sparse matrix has no length), else by the length."""
    try:
        return int(data.shape[0]) if hasattr(data, "shape") else len(data)
    except (TypeError, IndexError) as error:
        raise TypeError(f"{name} is a {type(data).__name__}, which has no rows to split.") from error


def _only_an_array(data: Any) -> bool:
    """Whether data can become an array and offer nothing else: neither a length nor a shape."""
    can = hasattr(data, "__array__") or hasattr(data, "__array_interface__")
    return can and not hasattr(data, "__len__") and not hasattr(data, "shape")


def _take(data: Any, index: np.ndarray) -> Any:
    """The rows at `index`, in the container's own type."""
    if hasattr(data, "iloc"):
        return data.iloc[index]
    if isinstance(data, (list, tuple)):
        return type(data)(data[i] for i in index)
    if hasattr(data, "take") and not hasattr(data, "ndim"):  # Arrow's; `take` of an array library counts entries, not rows
        return data.take(index)
    if hasattr(data, "dtype") or hasattr(data, "columns"):   # arrays, sparse matrices, frames
        return data[index]
    return np.asarray(data)[index]
