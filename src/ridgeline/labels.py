"""Class labels: any type that sorts, to codes 0, 1, ... and back; or probabilities; weights by class; the classes of a source."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from .sources import Slab, Source, fold
from .validation import SUM_TOLERANCE, as_real_array, first_position, is_missing, require_probabilities, unmasked, warn_of_column


def _one_per_row(y: Any, n: int) -> np.ndarray:
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None.")
    labels = unmasked(y, "y")
    if labels.ndim == 2 and labels.shape[1] == 1:
        warn_of_column("y")
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"y should be a 1d array of labels, got an array of shape {labels.shape} instead.")
    if len(labels) != n:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: X has {n} rows, y has {len(labels)}.")
    return labels


def _require_labels(labels: np.ndarray) -> None:
    """Raise a ValueError, with the place, for what cannot be a class."""
    if labels.dtype.kind == "f":
        bad = ~np.isfinite(labels)
        if bad.any():
            kind = "NaN" if np.isnan(labels[bad][0]) else "infinity"
            raise ValueError(f"Input y contains {kind} at {first_position(bad)}; drop such rows before the fit.")
        broken = labels != np.floor(labels)
        if broken.any():
            raise ValueError(
                f"Unknown label type: continuous. y is {labels[broken][0]!r} at {first_position(broken)}; labels are whole numbers or "
                "names. For real-valued targets use a regressor, such as Ridge."
            )
    elif labels.dtype.kind == "O":
        bad = np.array([is_missing(label) for label in labels])
        if bad.any():
            raise ValueError(f"Input y contains NaN or None at {first_position(bad)}; drop such rows before the fit.")
    elif labels.dtype.kind not in "biuUSM":
        raise ValueError(f"y has dtype {labels.dtype}, which cannot be class labels; use whole numbers or names.")


def check_probabilities(y: Any, n: int) -> np.ndarray | None:
    """Probabilities of c >= 2 classes (n, c) as float64, each row with the sum one; None for y of any other form.

    Raises
    ------
    ValueError
        For entries that are negative or not finite, and rows with another sum, with their position.
    """
    given = None if y is None else unmasked(y, "y")
    if given is None or given.ndim != 2 or given.shape[1] < 2 or given.dtype.kind in "USMm" or len(given) != n:
        return None
    given = as_real_array(given, "y")
    given = given if given.dtype.char in SUM_TOLERANCE else given.astype(np.float64)
    name = f"y, of shape {given.shape} and so taken for probabilities of {given.shape[1]} classes,"
    require_probabilities(given, name, "y should be a 1d array of labels, or such a table.", rows=True)
    soft = np.array(given, dtype=np.float64, order="C")
    soft /= soft.sum(axis=1, keepdims=True)
    return soft


def weighted_probabilities(spec: Any, soft: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and sample weights with the weight f_k of each class: s_i sum_k f_k y_ik l_k = (s_i F_i) sum_k (f_k y_ik / F_i) l_k."""
    if spec is None:
        return soft, weight
    weight = weight if weight.size else np.ones(len(soft))
    soft = soft * class_factors(spec, np.arange(soft.shape[1]), weight @ soft)
    sums = soft.sum(axis=1)
    soft /= np.where(sums > 0, sums, 1.0)[:, None]
    soft[sums == 0, 0] = 1.0  # a row without weight
    return soft, weight * sums


SHORT_RANGE = 1 << 16
"""Whole numbers within such a range are told apart by counting,"""

EXACT = 1 << 53
"""below this, where floats still hold every one."""


def check_labels(y: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The sorted classes and the code of every row, a whole number of some format.

    Raises
    ------
    ValueError
        For labels that are missing, fractional, of mixed types, or not one per row.
    """
    labels = _one_per_row(y, n)
    counted = _counted(labels)
    if counted is not None:
        return counted
    _require_labels(labels)
    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"y mixes labels of types that do not sort ({error}); use one type throughout.") from error
    return classes, codes.astype(np.int64).ravel()


def _counted(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Classes and codes of whole numbers within a short range, counted, not sorted; None for other labels."""
    if labels.dtype.kind not in "biuf" or not len(labels):
        return None
    low, high = labels.min().item(), labels.max().item()
    if not (high - low < SHORT_RANGE and abs(low) < EXACT):  # so with NaN or infinity
        return None
    if low < high and low == int(low) and high == int(high):
        second = labels == high
        if np.count_nonzero(second) + np.count_nonzero(labels == low) == len(labels):
            return np.array([int(low), int(high)], labels.dtype), second.view(np.uint8)
    codes = labels.astype(np.int64)
    if labels.dtype.kind == "f" and not (codes == labels).all():
        return None
    low, high = int(low), int(high)
    if low:
        codes -= low
    classes = np.arange(low, high + 1)
    if high - low > 1:  # else both are there
        present = np.bincount(codes) > 0
        if not present.all():
            classes, codes = classes[present], (np.cumsum(present) - 1)[codes]
    return classes.astype(labels.dtype), codes


def encode(y: Any, classes: np.ndarray, n: int) -> np.ndarray:
    """Codes of labels among known classes.

    Raises
    ------
    ValueError
        For a label that is not one of `classes`, with its position.
    """
    labels = _one_per_row(y, n)
    _require_labels(labels)
    codes = _numbered(labels, classes) if _comparable(labels, classes) else _named(labels, classes)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"y holds the label {labels.tolist()[row]!r} at row {row}, which was not there at fit; the classes are {classes.tolist()[:10]}."
        )
    return codes


def _comparable(labels: np.ndarray, classes: np.ndarray) -> bool:
    """Whether both are numbers that no common format rounds."""
    if labels.dtype.kind not in "biuf" or classes.dtype.kind not in "biuf" or not len(labels) or not len(classes):
        return False
    ends = (end for numbers in (labels, classes) for end in (numbers.min().item(), numbers.max().item()))
    return labels.dtype == classes.dtype or all(abs(end) < EXACT for end in ends)


def _numbered(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The code of every label, -1 where it is no class, by bisection."""
    order = np.argsort(classes)
    codes = order[np.searchsorted(classes, labels, sorter=order).clip(max=len(classes) - 1)]
    codes[classes[codes] != labels] = -1
    return codes


def _named(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The same of labels of any type."""
    known = {label: code for code, label in enumerate(classes.tolist())}
    return np.array([known.get(label, -1) for label in labels.tolist()], dtype=np.int64)


def class_weights(spec: Any, classes: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sample weights multiplied by the weight of each row's class (empty in, empty out, without a `spec`)."""
    if spec is None:
        return weight
    share = class_shares(codes, weight, len(classes))
    return (weight if weight.size else np.ones(len(codes))) * class_factors(spec, classes, share)[codes]


def class_shares(codes: np.ndarray, weight: np.ndarray, classes: int) -> np.ndarray:
    """The sum of the sample weights of each class's rows (their number, where `weight` is empty)."""
    if classes == 2 and not weight.size:
        second = np.count_nonzero(codes)
        return np.array([len(codes) - second, second], np.float64)
    return np.bincount(codes, weights=weight if weight.size else None, minlength=classes).astype(np.float64)


def class_factors(spec: Any, classes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The weight of each class (empty without a `spec`), from the sum of the sample weights of its rows."""
    if spec is None:
        return np.empty(0)
    if isinstance(spec, str):
        if spec != "balanced":
            raise ValueError(f"class_weight must be a dict, 'balanced' or None, got {spec!r}.")
        # a row of weight k counts k times; a class without weight is refused later
        per_class = share.sum() / (len(classes) * np.where(share > 0, share, 1.0))
    else:
        try:
            items = dict(spec)
        except (TypeError, ValueError) as error:
            raise ValueError(f"class_weight must be a dict, 'balanced' or None, got {spec!r}.") from error
        unknown = [label for label in items if label not in set(classes.tolist())]
        if unknown:
            raise ValueError(f"class_weight names {unknown[0]!r}, which is not a class of y; the classes are {classes.tolist()[:10]}.")
        per_class = np.ones(len(classes))
        for code, label in enumerate(classes.tolist()):
            factor = items.get(label, 1.0)
            if not (isinstance(factor, Real) and 0 <= float(factor) < np.inf):
                raise ValueError(f"class_weight holds {factor!r} for class {label!r}; a weight is a finite number, zero or more.")
            per_class[code] = factor
    return per_class


MOST_CODES = 4096
"""Targets that are whole numbers below this are counted without being sorted."""


class ClassShares:
    """The rows and the weight of every target there is: a summary."""

    def __init__(self) -> None:
        self.rows: dict[float, int] = {}
        self.weights: dict[float, float] = {}

    def add_rows(self, slab: Slab) -> None:
        y = slab.y.reshape(-1)
        small = np.minimum(np.maximum(y, 0), MOST_CODES).astype(np.int64)
        if (small == y).all() and y.max(initial=0.0) < MOST_CODES:
            counts = np.bincount(small)
            sums = np.bincount(small, weights=slab.weight) if slab.weight.size else counts
            values = np.flatnonzero(counts)
            counts, sums = counts[values], sums[values]
        else:
            values, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
            fraction = values != np.floor(values)
            if fraction.any():
                raise ValueError(
                    f"Unknown label type: continuous. The target is {values[fraction][0]!r} in one row; labels are whole numbers or names. "
                    "For real-valued targets use a regressor, such as Ridge."
                )
            sums = np.bincount(codes, weights=slab.weight) if slab.weight.size else counts
        self._add(dict(zip(values.tolist(), counts.tolist())), dict(zip(values.tolist(), sums.tolist())))

    def merge(self, other: ClassShares) -> None:
        self._add(other.rows, other.weights)

    def _add(self, rows: dict[float, int], weights: dict[float, float]) -> None:
        for value, count in rows.items():
            self.rows[value] = self.rows.get(value, 0) + count
            self.weights[value] = self.weights.get(value, 0.0) + weights[value]


def classes_of(source: Source) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The classes of a source, the target that stands for each in its slabs, and the weight of each class's rows; one read of the targets.

    Raises
    ------
    ValueError
        For targets that are fractions, or several per row.
    """
    if source.n_targets != 1:
        raise ValueError(f"the source has {source.n_targets} targets per row; a classifier needs one column of labels.")
    shares = fold(source.targets_only(), ClassShares)
    values = np.array(sorted(shares.rows))
    share = np.array([shares.weights[value] for value in values.tolist()])
    schema = source.schema
    if schema.labels is not None:
        return schema.labels[values.astype(np.intp)], values, share
    kind = schema.target_dtype.kind
    return values.astype(schema.target_dtype if kind in "biuf" else np.float64), values, share
