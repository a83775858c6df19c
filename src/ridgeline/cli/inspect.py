"""`inspect`: what a file that the command line wrote holds."""

from __future__ import annotations

import argparse

import numpy as np

from .. import model_file
from ..report import certificate_lines, coefficient_lines, facts
from .notes import described, features_of


def inspect(options: argparse.Namespace) -> None:
    """Print it."""
    saved = model_file.read(options.model)
    model, features = saved.model, features_of(saved, options.model)
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
