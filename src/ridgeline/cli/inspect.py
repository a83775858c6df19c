"""`inspect`: what a file that the command line wrote holds."""

from __future__ import annotations

import argparse

import numpy as np

from .. import model_file, moments_file
from ..checkpoints.journal import CHECKPOINT, recorded
from ..report import certificate_lines, coefficient_lines, facts, number, plural
from ..tables import Features
from .notes import described, features_of


def inspect(options: argparse.Namespace) -> None:
    """Print it."""
    with open(options.model, "rb") as file:
        magic = file.read(5)
    for kind, show in ((moments_file.MOMENTS, _moments), (CHECKPOINT, _checkpoint)):
        if magic == kind.magic:
            print("\n".join(show(options.model)))
            return
    saved = model_file.read(options.model)
    if not saved.notes:
        print("\n".join(_from_python(saved)))
        return
    model, features = saved.model, features_of(saved.notes, saved.model.n_features_in_, options.model)
    notes = saved.notes
    lines = facts(
        ("model", repr(model)),
        ("target", str(notes["target"])),
        ("fitted to", f"{notes['rows']} rows of {notes['file']}, {described(features)}"),
        ("columns", ", ".join(features.columns)),
    )
    if hasattr(model, "classes_"):
        lines += facts(("classes", ", ".join(str(label) for label in model.classes_.tolist())))
    lines += facts(("written by", f"ridgeline {saved.written_by}"))
    lines += certificate_lines(model.certificate_)
    lines += coefficient_lines(model, features, np.array(notes["deviation"]))
    print("\n".join(lines))


def _from_python(saved: model_file.SavedModel) -> list[str]:
    """Of a model that `ridgeline.save` wrote, which knows of no table."""
    model = saved.model
    d = model.n_features_in_
    names = getattr(model, "feature_names_in_", [f"x{j}" for j in range(d)])
    features = Features(tuple(str(name) for name in names), {})
    lines = facts(("model", repr(model)), ("fitted to", f"{plural(d, 'column')}, in Python"), ("columns", ", ".join(features.columns)))
    if hasattr(model, "classes_"):
        lines += facts(("classes", ", ".join(str(label) for label in model.classes_.tolist())))
    moments = getattr(model, "_moments", None)
    if moments is not None:
        lines += facts(("moments", f"of {plural(moments.count, 'row')}, weight {number(moments.weight)}: partial_fit goes on from them"))
    lines += facts(("written by", f"ridgeline {saved.written_by}"))
    if getattr(model, "certificate_", None) is not None:
        lines += certificate_lines(model.certificate_)
    return lines


def _moments(path: str) -> list[str]:
    moments, notes, version = moments_file.read(path)
    features = features_of(notes, moments.n_features, path)
    return facts(
        ("moments", f"of {plural(moments.count, 'row')} of {notes['file']}, {described(features)}, weight {number(moments.weight)}"),
        ("target", str(notes["target"])),
        ("columns", ", ".join(features.columns)),
        ("written by", f"ridgeline {version}"),
    )


def _checkpoint(path: str) -> list[str]:
    writer, reads = recorded(path)
    return facts(
        ("checkpoint", f"of a fit that has read the rows {plural(reads, 'time')}; the same command goes on from there"),
        ("written by", f"ridgeline {writer.get('ridgeline')}, {writer.get('kernels')} kernels"),
    )
