"""`fit`: a table in memory, split into rows to fit and rows to test, and a report."""

from __future__ import annotations

import argparse

import numpy as np

from .. import model_file
from ..certificate import without_warning
from ..report import certificate_lines, coefficient_lines, facts, number, plural, risk_lines
from ..risk import train_test_split
from ..tables import Features, Table, empty_cells, read_table, require_cells
from .fit_in_passes import fit_in_passes, in_passes
from .models import FEW_CLASSES, estimator
from .notes import described, notes_of
from .refusal import Refusal

TEST_FRACTION = 0.25
"""Rows to test on, unless the command line says otherwise."""


def fit(options: argparse.Namespace) -> None:
    """Fit, print the report, save the model."""
    if in_passes(options):
        fit_in_passes(options)
        return
    options.test_fraction = TEST_FRACTION if options.test_fraction is None else options.test_fraction
    table = read_table(options.file)
    features, table = _select(table, options)
    target, kind, why = _choose(table, options)
    model = estimator(kind, options)
    X = features.matrix(table)
    weight = _weights(table, options.weight)
    train, test = _split(target, options, stratify=kind == "logistic", table=table)

    def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        return X[rows], target[rows], None if weight is None else weight[rows]

    fitted = part(train)
    with without_warning():  # the report prints the certificate in full
        model.fit(*fitted)
    model.feature_names_in_ = np.array(features.names, dtype=object)
    deviation = fitted[0].std(axis=0)

    lines = facts(
        ("file", f"{table.name}: {plural(len(table), 'row')}, {described(features)}"),
        ("target", f"{options.target}, {_range(target, kind)}"),
        ("model", f"{model!r}, {why}"),
        (
            "rows",
            f"{len(train)} to fit, {len(test)} to test (seed {options.seed})" if len(test) else "all fitted",
        ),
    )
    lines += risk_lines(model, fitted, part(test) if len(test) else None)
    lines += certificate_lines(model.certificate_)
    lines += coefficient_lines(model, features, deviation)
    print("\n".join(lines))
    if options.out:
        notes = notes_of(table.name, options.target, len(train), features, deviation)
        model_file.save(model, options.out, notes=notes, moments=False)
        print(f"\nsaved to {options.out}; predict with: python -m ridgeline predict {options.out} FILE")


def _select(table: Table, options: argparse.Namespace) -> tuple[Features, Table]:
    """The columns to fit, and the rows without empty cells in them, the target and the weight."""
    target = table.column(options.target, "target column")
    drop = [name.strip() for name in options.drop.split(",") if name.strip()]
    for name in drop:
        table.column(name)
    if options.target in drop:
        raise Refusal(f"--drop leaves out the target {options.target!r}; name another column.")
    if options.weight == options.target:
        raise Refusal(f"{options.target!r} is both the target and the weight; name two columns.")
    used = [name for name in table.columns if name not in {options.target, options.weight, *drop}]
    if not used:
        raise Refusal(f"{table.name} has no columns left to predict {options.target!r} from; drop fewer.")
    roles = [options.target] + ([options.weight] if options.weight else [])
    if options.weight:
        table.numbers(options.weight, "weight column")
    if options.drop_missing:
        keep = ~table.missing(used + roles)
        if not keep.any():
            counts = {name: int(empty_cells(table.columns[name]).sum()) for name in used + roles}
            worst = max(counts, key=lambda name: counts[name])
            raise Refusal(
                f"every row of {table.name} has an empty cell; leave out the emptiest columns first (--drop {worst} has {counts[worst]})."
            )
        table = table.take(keep)
        target = table.columns[options.target]
    require_cells(table, options.target, target, "target column")
    features = Features.of(table, used, one_hot=options.one_hot)
    if not features.names:
        raise Refusal(f"every column of {table.name} holds one single word; there is nothing to learn from.")
    return features, table


def _choose(table: Table, options: argparse.Namespace) -> tuple[np.ndarray, str, str]:
    """The target as labels or numbers, the model to fit, and the reason for it."""
    values = table.columns[options.target]
    n, text = len(values), values.dtype == object
    distinct = np.unique(values.astype(str) if text else values)
    whole = not text and bool(np.all(distinct == np.floor(distinct)) and np.abs(distinct).max() < 2**53)
    few = whole and len(distinct) <= FEW_CLASSES and n >= 5 * len(distinct)
    kind, why = options.model, "as asked"
    if kind == "auto":
        kind = "logistic" if text or few else "ridge"
        if text:
            why = "because the target holds text"
        elif few:
            why = f"because the target holds only {len(distinct)} distinct whole numbers"
        else:
            why = f"because the target holds {len(distinct)} distinct numbers"
        why = f"chosen {why} (--model chooses another)"
    if kind != "logistic":
        try:
            return table.numbers(options.target, "target column"), kind, why
        except ValueError as error:
            raise Refusal(f"{error}; --model logistic learns to tell words apart.") from None
    if len(distinct) < 2:
        raise Refusal(f"target {options.target!r} of {table.name} is {distinct[0]} in every row; telling classes apart needs two.")
    if (not whole and not text) or len(distinct) > max(n // 4, 2):
        remedy = "too few of each to tell apart; give more rows." if text else "which are no classes; --model ridge predicts numbers."
        raise Refusal(
            f"target {options.target!r} of {table.name} holds {len(distinct)} distinct values in {plural(n, 'row')}, {remedy}"
        )
    return (values.astype(str) if text else values.astype(np.int64)), kind, why


def _weights(table: Table, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    weight = table.numbers(name, "weight column")
    require_cells(table, name, weight, "weight column")
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise Refusal(
            f"weight column {name!r} of {table.name} is {number(weight[row])} in {table.place(row)}; weights must be zero or more."
        )
    return weight


def _split(target: np.ndarray, options: argparse.Namespace, *, stratify: bool, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit and rows to test; classes keep their shares in both."""
    rows = np.arange(len(target))
    if options.test_fraction == 0:
        return rows, rows[:0]
    if not 0 < options.test_fraction < 1:
        raise Refusal(f"--test-fraction is {options.test_fraction:g}; give a fraction from 0 to below 1.")
    if options.seed < 0:
        raise Refusal(f"--seed is {options.seed}; give a whole number of at least 0.")
    if len(rows) < 2:
        raise Refusal(f"{table.name} has one row; a test needs two: --test-fraction 0 fits without one.")
    if stratify:
        labels, first, counts = np.unique(target, return_index=True, return_counts=True)
        if counts.min() < 2:
            k = int(np.argmin(counts))
            raise Refusal(
                f"class {labels[k]!s} of target {options.target!r} has one row "
                f"({table.place(int(first[k]))}), which "
                "cannot be both fitted and tested; --test-fraction 0 fits without a test."
            )
    train, test, _, _ = train_test_split(rows, target, test_fraction=options.test_fraction, seed=options.seed, stratify=stratify)
    return train, test


def _range(target: np.ndarray, kind: str) -> str:
    if kind != "logistic":
        return f"{number(target.min())} to {number(target.max())}, mean {number(target.mean())}"
    labels, counts = np.unique(target, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:8]
    shares = ", ".join(f"{labels[k]} ({counts[k]})" for k in order)
    return f"{len(labels)} classes: {shares}" + (", ..." if len(labels) > 8 else "")
