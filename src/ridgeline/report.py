"""What the command line and the demo say about a fitted model, as lines of text."""

from __future__ import annotations

import math
import textwrap
from functools import partial
from typing import Any

import numpy as np

from .certificate import (
    ILL_CONDITIONED,
    NO_FINITE_OPTIMUM,
    OPTIMAL,
    RANK_DEFICIENT,
    STOPPED_EARLY,
    Certificate,
)
from .losses import huber
from .risk import empirical_risk
from .tables import Features

WIDTH = 100
LABEL = 13
LARGEST = 10

Part = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""X, y and weights (or None) of some rows."""

_WORDS = {
    OPTIMAL: "proven optimal",
    ILL_CONDITIONED: "optimal, but the data hardly determine the coefficients",
    RANK_DEFICIENT: "optimal, and not the only one: the data do not determine the coefficients",
    NO_FINITE_OPTIMUM: "no finite optimum: the risk keeps falling as the coefficients grow",
    STOPPED_EARLY: "stopped before the optimum",
}


def number(value: float) -> str:
    """Four significant digits, or all of a whole number."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e7 else f"{value:.4g}"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def facts(*pairs: tuple[str, str]) -> list[str]:
    """'label        text', the text wrapped and indented."""
    lines = []
    for label, text in pairs:
        lines += textwrap.wrap(
            text,
            WIDTH,
            initial_indent=label.ljust(LABEL),
            subsequent_indent=" " * LABEL,
            break_on_hyphens=False,
        )
    return lines


def loss_of(model: Any) -> tuple[str, Any]:
    """The loss a model was fitted by: its name, and a function (X, y, weights) -> risk."""
    kind = type(model).__name__
    loss: Any = "squared_error"
    if kind == "LogisticRegression":
        return "cross-entropy", lambda X, y, s: empirical_risk(
            "sparse_categorical_cross_entropy", np.searchsorted(model.classes_, y), model.predict_proba(X), s
        )
    if kind == "HuberRegressor":
        delta = model.epsilon * model.scale_ if model.delta is None else model.delta
        name, loss = f"Huber loss, corner at {number(delta)}", partial(huber, delta=delta)
    elif kind == "QuantileRegressor":
        name, loss = f"pinball loss, quantile {model.quantile:g}", partial(_pinball, quantile=model.quantile)
    else:
        name = "squared error"
    return f"mean {name}", lambda X, y, s: empirical_risk(loss, y, model.predict(X), s)


def _pinball(y: np.ndarray, predicted: np.ndarray, quantile: float) -> np.ndarray:
    residual = y - predicted
    return np.maximum(quantile * residual, (quantile - 1) * residual)


def risk_lines(model: Any, train: Part, test: Part | None) -> list[str]:
    """Risk and score on the rows fitted and on the rows held out, and the gap between them."""
    name, risk = loss_of(model)
    score_name = "accuracy" if hasattr(model, "classes_") else "R^2"
    parts = [train] if test is None else [train, test]
    risks, scores = [risk(*part) for part in parts], [model.score(*part) for part in parts]

    def row(label: str, values: list[float], with_gap: bool, note: str) -> str:
        cells = [f"train {number(values[0]):>8}"]
        if test is not None:
            cells += [f"test {number(values[1]):>8}"]
            cells += [f"gap {number(values[1] - values[0]):>8}" if with_gap else " " * 12]
        return label.ljust(LABEL) + "   ".join(cells) + f"   ({note})"

    return [row("risk", risks, True, name), row(score_name, scores, False, _baseline(train, score_name))]


def _baseline(train: Part, score_name: str) -> str:
    """What the score means: the accuracy of always saying the most frequent class."""
    if score_name == "R^2":
        return "1 is perfect, 0 is the mean"
    _, y, weight = train
    codes = np.unique(y, return_inverse=True)[1]
    shares = np.bincount(codes, weights=weight)
    return f"{number(shares.max() / shares.sum())} by the most frequent class alone"


def certificate_lines(certificate: Certificate) -> list[str]:
    """The certificate in words."""
    if certificate.suboptimality == 0:
        bound = "the objective is at its minimum, to rounding"
    elif math.isfinite(certificate.suboptimality):
        bound = f"the objective is within {certificate.suboptimality:.1e} of its minimum"
    else:
        bound = "how far the objective is from its infimum is not known"
    condition = "" if math.isnan(certificate.condition) else f"condition {certificate.condition:.1e}, "
    lines = facts(
        (
            "certificate",
            f"{_WORDS[certificate.status]}: {bound}; gradient {certificate.gradient_norm:.1e}, {condition}"
            f"{plural(certificate.passes, 'read')} of the data; {certificate.solver}.",
        )
    )
    if certificate.status != OPTIMAL:
        lines += facts(("", certificate.message))
    return lines


def coefficient_lines(model: Any, features: Features, deviation: np.ndarray) -> list[str]:
    """The largest coefficients by name: largest in effect, that is times the standard deviation of the "
    "column."""
    names = np.array(features.names, dtype=object)
    coef = np.atleast_2d(model.coef_).astype(np.float64)
    effect = coef * deviation
    order = np.argsort(-np.abs(effect).ravel(), kind="stable")[:LARGEST]
    several = len(coef) > 1
    rows = [("column", "coefficient", "per deviation") + (("class",) if several else ())]
    for k, j in zip(*np.unravel_index(order, coef.shape)):
        label = (str(model.classes_[k]),) if several else ()
        rows.append((str(names[j]), f"{coef[k, j]:.5g}", f"{effect[k, j]:+.4g}", *label))
    width = min(max(len(row[0]) for row in rows), 48)
    lines = ["", f"largest coefficients ({len(order)} of {coef.size})"]
    if hasattr(model, "classes_") and not several:
        lines[-1] += f", of the log-odds of {model.classes_[1]}"
    lines += [f"  {row[0][:width]:<{width}}  {row[1]:>12}  {row[2]:>13}" + "".join(f"  {c}" for c in row[3:]) for row in rows]
    intercept = np.atleast_1d(model.intercept_)
    if not several:
        lines.append(f"  {'(intercept)':<{width}}  {intercept[0]:>12.5g}")
    if features.categories:
        reference = [f"{name}={words[0]}" for name, words in features.categories.items() if words]
        shown = ", ".join(reference[:6]) + (", ..." if len(reference) > 6 else "")
        lines += textwrap.wrap(f"  compared with {shown}", WIDTH, subsequent_indent="  ")
    return lines
