"""What the command line keeps beside a model: the columns of the table that it was fitted to."""

from __future__ import annotations

from typing import Any

from ..model_file import SavedModel
from ..report import plural
from ..tables import Features
from .refusal import Refusal


def features_of(saved: SavedModel, path: str) -> Features:
    """The columns the model was fitted to, from its notes; checked, since a file can say anything."""
    notes = saved.notes
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
        if len(features.names) == len(deviation) == saved.model.n_features_in_:
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
