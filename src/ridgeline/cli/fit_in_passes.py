"""`fit` of files that need not fit in memory: passes over all rows, with progress, a checkpoint, a time limit, and moments to keep."""

from __future__ import annotations

import argparse
import glob
import os
import sys
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from .. import model_file, moments_file
from ..certificate import without_warning
from ..checkpoints.scope import checkpoint
from ..engines.naming import connected, machines
from ..moments import moments_of
from ..report import certificate_lines, coefficient_lines, facts, plural
from ..sources import Slab, fold
from ..sources.columns import find, present
from ..sources.opening import open_files
from ..sources.skipping import Skipped
from ..sources.table import TableSource
from ..tables import Features
from ..watch import watched
from .models import FEW_CLASSES, MODELS, estimator
from .notes import described, notes_of
from .refusal import Refusal

LARGE = 1 << 28
"""Bytes of a file above which it is read in passes: 256 MB of text are some 2 GB of cells in memory."""

IN_PASSES = ("stream", "engine", "skip_damaged", "checkpoint", "time_limit", "moments_out")
"""Options that ask for passes over the rows."""


def in_passes(options: argparse.Namespace) -> bool:
    """Whether a command reads its file in passes: because it is asked to, or because of the size or number of the files."""
    if any(getattr(options, name, None) for name in IN_PASSES) or os.path.isdir(options.file):
        return True
    if os.path.exists(options.file):
        return os.path.getsize(options.file) > LARGE
    return glob.has_magic(options.file)


def fit_in_passes(options: argparse.Namespace) -> None:
    """Fit, here or on the machines of an engine."""
    with connected(options.engine) if options.engine else nullcontext() as engine:
        _fit(options, engine)


def _fit(options: argparse.Namespace, engine: Any) -> None:
    """Fit, print the report, save model and moments."""
    for name in ("drop_missing", "test_fraction"):
        if getattr(options, name):
            raise Refusal(f"--{name.replace('_', '-')} needs the table in memory, and this fit reads its rows in passes; leave it out.")
    rows, features = _rows(options, engine)
    quiet = options.quiet or not sys.stderr.isatty()
    with checkpoint(options.checkpoint) if options.checkpoint else nullcontext(), watched(None, not quiet):
        kind, why = _kind(rows, options)
        model = estimator(kind, options)
        if options.time_limit is not None:
            if "time_limit" not in model.get_params():
                raise Refusal(f"--time-limit is for fits of several passes; {kind} makes one. Leave it out.")
            model.set_params(time_limit=options.time_limit)
        with without_warning():  # the report prints the certificate in full
            model.fit_source(rows)
        spread = fold(rows, partial(Spread, rows.n_features))
        moments = moments_of(rows) if options.moments_out else None
    deviation = spread.deviation()
    name = os.path.basename(options.file)
    lines = facts(
        ("file", f"{name}: {plural(spread.rows, 'row')}, {described(features)}"),
        ("target", options.target),
        ("model", f"{model!r}, {why}"),
        ("rows", "all fitted, read in passes"),
    )
    print("\n".join(lines + certificate_lines(model.certificate_) + coefficient_lines(model, features, deviation)))
    notes = notes_of(name, options.target, spread.rows, features, deviation)
    if moments is not None:
        moments_file.save(moments, options.moments_out, notes)
        print(f"\nmoments saved to {options.moments_out}; merge with: python -m ridgeline merge {options.moments_out} OTHER --out MODEL")
    if options.out:
        model_file.save(model, options.out, notes=notes, moments=False)
        print(f"\nsaved to {options.out}; predict with: python -m ridgeline predict {options.out} FILE")


def _rows(options: argparse.Namespace, engine: Any) -> tuple[TableSource, Features]:
    """The rows of the files, and the columns that are features."""
    skipped: list[Skipped] | None = [] if options.skip_damaged else None
    table = open_files([options.file], skipped, machines(engine))
    for part in skipped or ():
        print(f"ridgeline: skipped: {part.why}" + (f" ({part.rows} rows)" if part.rows else ""), file=sys.stderr)
    find(table, options.target, "target column")
    drop = [name.strip() for name in options.drop.split(",") if name.strip()]
    for name in drop:
        present(table, name, "column")  # whatever it holds: leaving it out is the remedy
    if options.target in drop or options.target == options.weight:
        raise Refusal(f"{options.target!r} is the target, and cannot be dropped or be the weight; name another column.")
    used = [name for name in table.columns if name not in {options.target, options.weight, *drop}]
    words = [name for name in used if table.columns[name].dtype is None and not table.columns[name].refused]
    if words and not options.one_hot:
        raise Refusal(f"column {words[0]!r} of {table.name} holds text; --one-hot makes 0/1 columns of it, --drop leaves it out.")
    given = {}
    for text in options.categories or ():
        name, _, listed = text.partition("=")
        given[name] = listed.split(",")
    rows = TableSource(table, options.target, options.weight, None, used, given)
    return rows, Features(tuple(used), {name: tuple(map(str, values)) for name, values in rows.categories().items()})


def _kind(rows: TableSource, options: argparse.Namespace) -> tuple[str, str]:
    """Which model, and why."""
    kind = options.model
    if options.moments_out and kind not in ("auto", "linear", "ridge"):
        raise Refusal(f"--moments-out keeps what least squares learns; {kind} needs the rows. Leave it out, or choose linear or ridge.")
    if kind != "auto":
        return kind, "as asked"
    if rows.schema.labels is not None:
        return "logistic", "chosen because the target holds text (--model chooses another)"
    few = None if options.moments_out else fold(rows.targets_only(), FewNumbers).seen
    if few is not None and len(few) <= FEW_CLASSES:
        return "logistic", f"chosen because the target holds only {len(few)} distinct whole numbers (--model chooses another)"
    return "ridge", f"chosen because the target holds numbers (--model chooses another of {', '.join(MODELS)})"


class FewNumbers:
    """The distinct targets, as long as they are few whole numbers, else None: a summary."""

    def __init__(self) -> None:
        self.seen: list[float] | None = []

    def add_rows(self, slab: Slab) -> None:
        self._add(np.unique(slab.y).tolist())

    def merge(self, other: FewNumbers) -> None:
        self._add(other.seen)

    def _add(self, values: list[float] | None) -> None:
        if self.seen is None or values is None or not all(value.is_integer() for value in values):
            self.seen = None
            return
        both = sorted({*self.seen, *values})
        self.seen = both if len(both) <= FEW_CLASSES else None


class Spread:
    """How many rows, and the mean and sum of squared differences of each column (Chan, Golub and LeVeque 1979): a summary."""

    def __init__(self, n_features: int) -> None:
        self.rows = 0
        self.mean, self.squares = np.zeros(n_features), np.zeros(n_features)

    def add_rows(self, slab: Slab) -> None:
        mean = slab.X.mean(axis=0, dtype=np.float64)
        self._combine(len(slab.X), mean, ((slab.X - mean) ** 2).sum(axis=0))

    def merge(self, other: Spread) -> None:
        self._combine(other.rows, other.mean, other.squares)

    def _combine(self, rows: int, mean: np.ndarray, squares: np.ndarray) -> None:
        total = self.rows + rows
        if not rows:
            return
        delta = mean - self.mean
        self.squares += squares + self.rows * rows / total * delta * delta
        self.mean += rows / total * delta
        self.rows = total

    def deviation(self) -> np.ndarray:
        """The standard deviation of each column."""
        return np.sqrt(self.squares / max(self.rows, 1))

