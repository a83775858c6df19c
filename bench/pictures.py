"""The pictures of docs/pictures.md, each for a light and for a dark page.

    python -m bench.pictures --output docs/figures

The data come inside scikit-learn: diabetes (442 patients), breast cancer (569 tumours), iris (150 flowers).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from sklearn import datasets

import ridgeline
from ridgeline import plots

from .figures import PALETTE, THEMES, save, theme

SHADES = 256
SHADED = ("confusion", "decision", "decision-of-two")
"""Pictures whose shades need more colours than the lines of the others."""


def frame(load: Any, target: str) -> tuple[pandas.DataFrame, pandas.Series]:
    """Standardised columns with names, and the target."""
    data = load(as_frame=True)
    X = (data.data - data.data.mean()) / data.data.std()
    return X, data.target.rename(target)


def tumours() -> tuple[Any, ...]:
    X, y = frame(datasets.load_breast_cancer, "diagnosis")
    return ridgeline.train_test_split(X, np.where(y == 1, "benign", "malignant"), stratify=True)


def patients() -> tuple[Any, ...]:
    return ridgeline.train_test_split(*frame(datasets.load_diabetes, "progression"))


def flowers(classes: int) -> tuple[pandas.DataFrame, np.ndarray]:
    data = datasets.load_iris(as_frame=True)
    kept = data.target >= 3 - classes
    return data.data.loc[kept, ["petal length (cm)", "petal width (cm)"]], data.target_names[data.target[kept]]


def sigmoid() -> plots.SigmoidDisplay:
    X, X_test, y, y_test = tumours()
    return plots.SigmoidDisplay.from_estimator(ridgeline.LogisticRegression(C=0.01).fit(X, y), X_test, y_test)


def coefficients() -> plots.CoefficientPathDisplay:
    X, _, y, _ = patients()
    return plots.CoefficientPathDisplay.from_estimator(ridgeline.Lasso(alpha=2.0), X, y)


def risk() -> plots.RiskCurveDisplay:
    X, X_test, y, y_test = tumours()
    return plots.RiskCurveDisplay.from_estimator(ridgeline.LogisticRegression(), X, y, X_test, y_test, log=True)


def roc() -> plots.RocCurveDisplay:
    X, X_test, y, y_test = tumours()
    few = ["mean texture", "mean smoothness"]
    return plots.RocCurveDisplay.from_estimator(ridgeline.LogisticRegression().fit(X[few], y), X_test[few], y_test)


def calibration() -> plots.CalibrationDisplay:
    X, X_test, y, y_test = tumours()
    few = ["mean texture", "mean smoothness"]
    return plots.CalibrationDisplay.from_estimator(ridgeline.LogisticRegression().fit(X[few], y), X_test[few], y_test, bins=5)


def confusion() -> plots.ConfusionMatrixDisplay:
    X, X_test, y, y_test = ridgeline.train_test_split(*datasets.load_digits(return_X_y=True), stratify=True)
    return plots.ConfusionMatrixDisplay.from_estimator(ridgeline.LogisticRegression(C=0.01).fit(X, y), X_test, y_test)


def decision() -> plots.DecisionBoundaryDisplay:
    X, y = flowers(3)
    return plots.DecisionBoundaryDisplay.from_estimator(ridgeline.LogisticRegression(C=10.0).fit(X, y), X, y)


def decision_of_two() -> plots.DecisionBoundaryDisplay:
    X, y = flowers(2)
    return plots.DecisionBoundaryDisplay.from_estimator(ridgeline.LogisticRegression(C=10.0).fit(X, y), X, y)


def residuals() -> plots.ResidualsDisplay:
    X, _, y, _ = patients()
    return plots.ResidualsDisplay.from_estimator(ridgeline.LinearRegression().fit(X, y), X, y)


def quantiles() -> plots.QuantileDisplay:
    X, _, y, _ = patients()
    return plots.QuantileDisplay.from_estimator(ridgeline.LinearRegression().fit(X, y), X, y)


def leverage() -> plots.LeverageDisplay:
    X, _, y, _ = patients()
    return plots.LeverageDisplay.from_estimator(ridgeline.LinearRegression().fit(X, y), X, y)


PICTURES = {
    "sigmoid": sigmoid,
    "coefficient-path": coefficients,
    "risk-curve": risk,
    "roc": roc,
    "calibration": calibration,
    "confusion": confusion,
    "decision": decision,
    "decision-of-two": decision_of_two,
    "residuals": residuals,
    "quantiles": quantiles,
    "leverage": leverage,
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("docs/figures"), help="folder for the pictures")
    parser.add_argument("--only", default="", help="a name, to draw that one alone")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        if options.only in ("", name):
            for page in THEMES:
                with theme(page):
                    save(draw().figure_, options.output / f"{name}-{page}.png", SHADES if name in SHADED else PALETTE)


if __name__ == "__main__":
    main()
