"""Class labels: any type that sorts, to codes 0, 1, ... and back; weights by class."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from .validation import first_position, is_missing


def _as_labels(y: Any, n: int) -> np.ndarray:
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None.")
    if isinstance(y, np.ma.MaskedArray) and np.ma.getmaskarray(y).any():
        raise ValueError(f"y is masked at {first_position(np.ma.getmaskarray(y))}; fill or drop the masked cells first.")
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"y should be a 1d array of labels, got an array of shape {labels.shape} instead.")
    if len(labels) != n:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: X has {n} rows, y has {len(labels)}.")
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
    return labels


SHORT_RANGE = 1 << 16
"""Whole numbers within such a range are told apart by counting."""


def check_labels(y: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The sorted classes and the int64 code of every row.

    Raises
    ------
    ValueError
        For labels that are missing, fractional, of mixed types, or not one per row.
    """
    labels = _as_labels(y, n)
    if labels.dtype.kind in "biu" and len(labels):
        low, high = int(labels.min()), int(labels.max())
        if high - low < SHORT_RANGE and abs(low) < 1 << 62:  # counted, not sorted
            codes = np.subtract(labels, low, dtype=np.int64, casting="unsafe") if low else labels.astype(np.int64)
            present = np.bincount(codes, minlength=high - low + 1) > 0
            if not present.all():
                codes = (np.cumsum(present) - 1)[codes]
            return (np.flatnonzero(present) + low).astype(labels.dtype), codes
    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"y mixes labels of types that do not sort ({error}); use one type throughout.") from error
    return classes, codes.astype(np.int64).ravel()


def encode(y: Any, classes: np.ndarray, n: int) -> np.ndarray:
    """Codes of labels among known classes.

    Raises
    ------
    ValueError
        For a label that is not one of `classes`, with its position.
    """
    labels = _as_labels(y, n)
    known = {label: code for code, label in enumerate(classes.tolist())}
    codes = np.array([known.get(label, -1) for label in labels.tolist()], dtype=np.int64)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"y holds the label {labels.tolist()[row]!r} at row {row}, which was not there at fit; the classes are {classes.tolist()[:10]}."
        )
    return codes


def class_weights(spec: Any, classes: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sample weights multiplied by the weight of each row's class (empty in, empty out, without a `spec`)."""
    if spec is None:
        return weight
    if isinstance(spec, str):
        if spec != "balanced":
            raise ValueError(f"class_weight must be a dict, 'balanced' or None, got {spec!r}.")
        # a row of weight k counts k times; a class without weight is refused later
        share = np.bincount(codes, weights=weight if weight.size else None, minlength=len(classes)).astype(float)
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
    return (weight if weight.size else np.ones(len(codes))) * per_class[codes]
