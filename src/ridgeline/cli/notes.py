"""What the command line keeps beside a model or moments: the columns of the table that they are of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..report import plural
from ..tables import Features
from .refusal import Refusal


def notes_of(file: str, target: str, rows: int, features: Features, deviation: np.ndarray) -> dict[str, Any]:
    """The notes of a fit to so many rows of a file; `deviation` is that of each column of X."""
    return {
        "file": file,
        "target": target,
        "rows": rows,
        "columns": list(features.columns),
        "categories": {name: list(words) for name, words in features.categories.items()},
        "deviation": deviation.tolist(),
    }


def features_of(notes: dict[str, Any], n_features: int, path: str) -> Features:
    """The columns that a model or moments are of, from their notes; checked, since a file can say anything."""
    columns: Any = notes.get("columns")
    categories: Any = notes.get("categories")
    deviation: Any = notes.get("deviation")
    sound = (
        _are_strings(columns)
        and isinstance(categories, dict)
        and all(_are_strings(words) for words in categories.values())
        and isinstance(deviation, list)
        and all(isinstance(v, (int, float)) for v in deviation)
        and all(isinstance(notes.get(key), kind) for key, kind in (("target", str), ("file", str), ("rows", int)))
    )
    if sound:
        features = Features(tuple(columns), {name: tuple(words) for name, words in categories.items()})
        if len(features.names) == len(deviation) == n_features:
            return features
    raise Refusal(f"{path} holds a model but not the columns of its table: it was saved from Python; use ridgeline.load there.")


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def described(features: Features) -> str:
    """How many columns and coefficients."""
    text = plural(len(features.columns), "column")
    if features.categories:
        text += f" ({len(features.categories)} of words), {plural(len(features.names), 'coefficient')}"
    return text
