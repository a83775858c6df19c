"""`predict`: the target of every row of a table, by a model that `fit` saved."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import Any, TextIO

import numpy as np

from .. import model_file
from ..report import number, plural
from ..tables import Table, as_words, empty_cells, read_table
from .fit_in_passes import in_passes
from .notes import features_of
from .predict_in_passes import predict_in_passes
from .refusal import Refusal


def predict(options: argparse.Namespace) -> None:
    """Print the predictions, or write them to a file."""
    saved = model_file.read(options.model)
    model, features = saved.model, features_of(saved.notes, saved.model.n_features_in_, options.model)
    if options.proba and not hasattr(model, "predict_proba"):
        raise Refusal(f"--proba asks for probabilities of classes, and a {type(model).__name__} predicts numbers.")
    if in_passes(options) or (options.out or "").endswith((".parquet", ".pq")):
        predict_in_passes(model, features, options)
        return
    table = read_table(options.file)
    X = features.matrix(table)
    predicted = model.predict(X)
    header, columns = ["prediction"], [predicted.tolist()]
    if options.proba:
        header += [f"P({label})" for label in model.classes_.tolist()]
        columns += list(model.predict_proba(X).T.tolist())
    if options.out is None:
        _write_rows(sys.stdout, header, columns)
    else:
        with open(options.out, "w", encoding="utf-8", newline="") as file:
            _write_rows(file, header, columns)
        print(f"{plural(len(X), 'prediction')} written to {options.out}")
    _report_score(model, saved.notes["target"], table, X)


def _write_rows(file: TextIO, header: list[str], columns: list[list[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*columns))


def _report_score(model: Any, target: str, table: Table, X: np.ndarray) -> None:
    """On stderr, beside the predictions: how good they are, where the file happens to hold the target."""
    truth = _truth(model, table.columns.get(target))
    if truth is not None:
        name = "accuracy" if hasattr(model, "classes_") else "R^2"
        print(f"{name} on the target in {table.name}: {number(model.score(X, truth))}", file=sys.stderr)


def _truth(model: Any, values: np.ndarray | None) -> np.ndarray | None:
    """The target of a file to predict, as the model knows it; None where a row has none, or one it cannot know."""
    if values is None or empty_cells(values).any():
        return None
    if not hasattr(model, "classes_"):
        return values if values.dtype != object else None
    labels = as_words(values).astype(str) if model.classes_.dtype.kind == "U" else values
    if labels.dtype == object or not np.isin(labels, model.classes_).all():
        return None
    return labels.astype(model.classes_.dtype)
