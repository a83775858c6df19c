"""`merge`: moments that were made apart, added and taken away, and the model of what is left: exactly that of the rows together."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import model_file, moments_file
from ..certificate import without_warning
from ..report import certificate_lines, coefficient_lines, facts, plural
from ..tables import Features
from .models import estimator
from .notes import described, features_of, notes_of
from .refusal import Refusal

MODELS_DO_NOT_MERGE = (
    "{path} is a model, and models do not merge: a mean of coefficients is not the model of all the rows. Merge the moments that fit "
    "--moments-out writes (linear, ridge, lasso), or fit all the files in one command, which reads them in passes: fit 'data/*.parquet'."
)


def merge(options: argparse.Namespace) -> None:
    """Print the model of the merged moments, and save what is to be saved."""
    total, notes, features = _read(options.files[0])
    for path, sign in [(path, 1) for path in options.files[1:]] + [(path, -1) for path in options.minus]:
        part, others, _ = _read(path)
        for key in ("target", "columns", "categories"):
            if others[key] != notes[key]:
                raise Refusal(
                    f"{path} and {options.files[0]} differ in their {key}: {_short(others[key])} and {_short(notes[key])}. Collect both "
                    "with the same --target, --drop and --categories."
                )
        total = total + part if sign > 0 else total - part
    deviation = np.sqrt(np.maximum(np.diag(total.scatter)[: total.n_features], 0) / max(total.weight, 1e-300))
    options.C = options.epsilon = options.quantile = None
    model = estimator(options.model, options)
    with without_warning():  # the report prints the certificate in full
        model.fit_moments(total)
    model.feature_names_in_ = np.array(features.names, dtype=object)
    count = len(options.files) + len(options.minus)
    lines = facts(
        ("moments", f"of {plural(count, 'file')}: {plural(total.count, 'row')}, {described(features)}"),
        ("target", notes["target"]),
        ("model", repr(model)),
    )
    print("\n".join(lines + certificate_lines(model.certificate_) + coefficient_lines(model, features, deviation)))
    kept = notes_of(plural(count, "file") + " of moments", notes["target"], total.count, features, deviation)
    if options.moments_out:
        moments_file.save(total, options.moments_out, kept)
        print(f"\nmoments saved to {options.moments_out}")
    if options.out:
        model_file.save(model, options.out, notes=kept, moments=False)
        print(f"\nsaved to {options.out}; predict with: python -m ridgeline predict {options.out} FILE")


def _read(path: str) -> tuple[Any, dict[str, Any], Features]:
    with open(path, "rb") as file:
        if file.read(len(model_file.MODEL.magic)) == model_file.MODEL.magic:
            raise Refusal(MODELS_DO_NOT_MERGE.format(path=path))
    moments, notes, _ = moments_file.read(path)
    return moments, notes, features_of(notes, moments.n_features, path)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
