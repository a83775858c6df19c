"""The command line: fit the user's own table, predict with the model it saved, look into that model.

    python -m ridgeline fit houses.csv --target price --out model.rl
    python -m ridgeline predict model.rl new.csv --out predictions.csv
    python -m ridgeline inspect model.rl

What went wrong is one line on stderr, with the remedy, and exit code 2.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

import numpy as np

from . import __version__, model_file
from .certificate import FitWarning
from .report import (
    certificate_lines,
    coefficient_lines,
    facts,
    number,
    plural,
    risk_lines,
)
from .risk import train_test_split
from .tables import Features, Table, as_words, empty_cells, read_table, require_cells

# --model name -> the estimator and the options of the command line that are its parameters.
MODELS = {
    "linear": ("LinearRegression", ()),
    "ridge": ("Ridge", ("alpha",)),
    "lasso": ("Lasso", ("alpha",)),
    "huber": ("HuberRegressor", ("alpha", "epsilon")),
    "quantile": ("QuantileRegressor", ("alpha", "quantile")),
    "logistic": ("LogisticRegression", ("C",)),
}
OPTIONS = ("alpha", "C", "epsilon", "quantile")

FEW_CLASSES = 10
"""A target of at most this many distinct whole numbers, each in five rows or more on average, is taken for "
"classes."""


class Refusal(ValueError):
    """Something the user asked for that cannot be done; its message is the whole answer."""


class _Parser(argparse.ArgumentParser):
    """argparse, with its complaint on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does: nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except (ValueError, TypeError, ImportError, OSError, MemoryError) as error:
        print(f"ridgeline: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ridgeline", description="Fit linear models to a table, with a proof of how good the fit is.")
    parser.add_argument("--version", action="version", version=f"ridgeline {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    fit = commands.add_parser("fit", help="fit a model to a CSV or Parquet file and report on it")
    fit.set_defaults(run=_fit)
    fit.add_argument("file", metavar="FILE", help="CSV with a header line, or Parquet")
    fit.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    fit.add_argument(
        "--model",
        choices=("auto", *MODELS),
        default="auto",
        help="auto (default): logistic where the target holds text or a few whole numbers, else ridge",
    )
    fit.add_argument("--alpha", type=float, help="weight of the penalty (ridge, huber: squared; lasso, quantile: L1)")
    fit.add_argument("--C", type=float, help="inverse weight of the penalty (logistic)")
    fit.add_argument("--epsilon", type=float, help="scales beyond which a residual is an outlier (huber)")
    fit.add_argument("--quantile", type=float, help="which quantile, 0.5 the median (quantile)")
    fit.add_argument("--weight", metavar="COLUMN", help="the column of sample weights")
    fit.add_argument("--drop", default="", metavar="A,B", help="columns to leave out")
    fit.add_argument("--one-hot", action="store_true", help="make 0/1 columns of text columns")
    fit.add_argument("--drop-missing", action="store_true", help="leave out rows with an empty cell")
    fit.add_argument("--test-fraction", type=float, default=0.25, help="rows to test on; 0 fits all (0.25)")
    fit.add_argument("--seed", type=int, default=0, help="of the random choice of test rows (0)")
    fit.add_argument("--out", metavar="MODEL", help="save the model to this file")

    predict = commands.add_parser("predict", help="predict the target for the rows of a file")
    predict.set_defaults(run=_predict)
    predict.add_argument("model", metavar="MODEL", help="a file that fit --out wrote")
    predict.add_argument("file", metavar="FILE", help="CSV or Parquet with the columns of the fit, in any order")
    predict.add_argument("--out", metavar="CSV", help="write here instead of to standard output")
    predict.add_argument("--proba", action="store_true", help="add the probability of each class (logistic)")

    inspect = commands.add_parser("inspect", help="print what a model file holds")
    inspect.set_defaults(run=_inspect)
    inspect.add_argument("model", metavar="MODEL")
    return parser


# -------------------------------------------------------------------------------------------------------- fit


def _fit(options: argparse.Namespace) -> None:
    table = read_table(options.file)
    features, table = _select(table, options)
    target, kind, why = _choose(table, options)
    model = _estimator(kind, options)
    X = features.matrix(table)
    weight = _weights(table, options.weight)
    train, test = _split(target, options, stratify=kind == "logistic", table=table)

    def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        return X[rows], target[rows], None if weight is None else weight[rows]

    fitted = part(train)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the report prints the certificate in full
        model.fit(*fitted)
    model.feature_names_in_ = np.array(features.names, dtype=object)
    deviation = fitted[0].std(axis=0)

    lines = facts(
        ("file", f"{table.name}: {plural(len(table), 'row')}, {_described(features)}"),
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
        notes = {
            "file": table.name,
            "target": options.target,
            "rows": len(train),
            "columns": list(features.columns),
            "categories": {name: list(words) for name, words in features.categories.items()},
            "deviation": deviation.tolist(),
        }
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
        raise Refusal(
            f"target {options.target!r} of {table.name} holds {len(distinct)} distinct values in "
            f"{plural(n, 'row')}, "
            "which are no classes; --model ridge predicts numbers."
        )
    return (values.astype(str) if text else values.astype(np.int64)), kind, why


def _estimator(kind: str, options: argparse.Namespace) -> Any:
    name, own = MODELS[kind]
    parameters = {option: getattr(options, option) for option in OPTIONS if getattr(options, option) is not None}
    for option in parameters:
        if option not in own:
            owners = " and ".join(model for model, (_, its) in MODELS.items() if option in its)
            takes = " and ".join(f"--{other}" for other in own) or "none"
            raise Refusal(f"--{option} is an option of {owners}; the model here is {kind}, whose options are {takes}.")
    import ridgeline

    return getattr(ridgeline, name)(**parameters)


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


def _described(features: Features) -> str:
    text = plural(len(features.columns), "column")
    if features.categories:
        text += f" ({len(features.categories)} of words), {plural(len(features.names), 'coefficient')}"
    return text


def _range(target: np.ndarray, kind: str) -> str:
    if kind != "logistic":
        return f"{number(target.min())} to {number(target.max())}, mean {number(target.mean())}"
    labels, counts = np.unique(target, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:8]
    shares = ", ".join(f"{labels[k]} ({counts[k]})" for k in order)
    return f"{len(labels)} classes: {shares}" + (", ..." if len(labels) > 8 else "")


# --------------------------------------------------------------------------------------- predict and inspect


def _predict(options: argparse.Namespace) -> None:
    saved = model_file.read(options.model)
    model, features = saved.model, _features(saved, options.model)
    if options.proba and not hasattr(model, "predict_proba"):
        raise Refusal(f"--proba asks for probabilities of classes, and a {type(model).__name__} predicts numbers.")
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


def _inspect(options: argparse.Namespace) -> None:
    saved = model_file.read(options.model)
    model, features = saved.model, _features(saved, options.model)
    notes = saved.notes
    lines = facts(
        ("model", repr(model)),
        ("target", str(notes["target"])),
        ("fitted to", f"{notes['rows']} rows of {notes['file']}, {_described(features)}"),
        ("columns", ", ".join(features.columns)),
    )
    if hasattr(model, "classes_"):
        lines += facts(("classes", ", ".join(str(label) for label in model.classes_.tolist())))
    lines += facts(("written by", f"ridgeline {saved.written_by}"))
    lines += certificate_lines(model.certificate_)
    lines += coefficient_lines(model, features, np.array(notes["deviation"]))
    print("\n".join(lines))


def _features(saved: model_file.SavedModel, path: str) -> Features:
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
    raise Refusal(f"{path} holds a model but not the columns of its table: it was saved from Python; use ridgeline.model_file.load there.")


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


if __name__ == "__main__":
    sys.exit(main())
