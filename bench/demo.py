"""What `make demo` runs: four fits on real data, each beside scikit-learn's, and four pictures.

    python -m bench.demo --output demo-output

The data come inside scikit-learn: diabetes (442 patients), breast cancer (569 tumours), digits (1797 images).
Both libraries minimise the same objective. scikit-learn's tolerances are tightened until its solvers stop
for reasons of their own, so that the coefficients can be compared; `F` is the objective as the certificate
counts it, divided by the number of rows.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sklearn import __version__ as sklearn_version
from sklearn import datasets, linear_model

import ridgeline
from ridgeline import plots
from ridgeline.certificate import FitWarning
from ridgeline.report import certificate_lines, facts, plural, risk_lines

RUNS = 5
ENOUGH_SECONDS = 5.0
"""No further run of a pair of fits once they have taken this long."""

FOLDS = 5


@dataclass(frozen=True)
class Fit:
    """Data, a model, the same model of scikit-learn, and what both minimise."""

    title: str
    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    ours: Any
    theirs: Any
    objective: Callable[[Any, np.ndarray, np.ndarray], float]


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    return datasets.load_diabetes(return_X_y=True, scaled=False)


def standardised_diabetes() -> tuple[np.ndarray, np.ndarray]:
    X, y = diabetes()
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def penalty(model: Any) -> float:
    return float((model.coef_**2).sum())


def ridge_objective(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    return 0.5 * (((y - model.predict(X)) ** 2).sum() + model.alpha * penalty(model)) / len(y)


def huber_objective(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    u = np.abs(y - model.predict(X)) / model.scale_
    h = np.where(u <= model.epsilon, u**2, 2 * model.epsilon * u - model.epsilon**2)
    return 0.5 * ((model.scale_ * (1 + h)).sum() + model.alpha * penalty(model)) / len(y)


def logistic_objective(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    codes = np.searchsorted(model.classes_, y)
    return -model.predict_log_proba(X)[np.arange(len(y)), codes].mean() + penalty(model) / (
        2 * model.C * len(y)
    )


FITS = [
    Fit(
        "Ridge regression: diabetes, its progression after a year",
        diabetes,
        ridgeline.Ridge(alpha=1.0),
        linear_model.Ridge(alpha=1.0, solver="cholesky"),
        ridge_objective,
    ),
    Fit(
        "Huber regression: diabetes, standardised columns",
        standardised_diabetes,
        ridgeline.HuberRegressor(epsilon=1.35, alpha=1e-4),
        linear_model.HuberRegressor(epsilon=1.35, alpha=1e-4, tol=1e-12, max_iter=100_000),
        huber_objective,
    ),
    Fit(
        "Binary logistic regression: breast cancer, malignant (0) or benign (1), columns as they come",
        lambda: datasets.load_breast_cancer(return_X_y=True),
        ridgeline.LogisticRegression(C=1.0),
        linear_model.LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12, max_iter=1000),
        logistic_objective,
    ),
    Fit(
        "Multinomial logistic regression: digits, images of 8 x 8 pixels in ten classes",
        lambda: datasets.load_digits(return_X_y=True),
        ridgeline.LogisticRegression(C=0.01),
        linear_model.LogisticRegression(C=0.01, solver="newton-cholesky", tol=1e-12, max_iter=1000),
        logistic_objective,
    ),
]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for the pictures")
    output = parser.parse_args(arguments).output
    output.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    versions = f"ridgeline {ridgeline.__version__} and scikit-learn {sklearn_version}"
    print(f"{versions}: the same objectives side by side")
    for fit in FITS:
        print("\n" + "\n".join(run(fit)))
    print("\nPictures")
    for name, draw in PICTURES.items():
        path = output / f"{name}.png"
        caption = draw(path)
        print(f"  {path}: {caption}")
    print(f"\n{time.perf_counter() - began:.0f} seconds in all")


def run(fit: Fit) -> list[str]:
    """Fit with both libraries, and say what came out."""
    classifies = hasattr(fit.ours, "predict_proba")
    X, X_test, y, y_test = ridgeline.train_test_split(*fit.load(), stratify=classifies)
    ours, theirs, runs, remark = times(fit, X, y)
    excess = fit.objective(fit.theirs, X, y) - fit.objective(fit.ours, X, y)
    lines = facts(("data", f"{len(X)} rows to fit, {len(X_test)} to test, {X.shape[1]} columns"))
    lines += risk_lines(fit.ours, (X, y, None), (X_test, y_test, None))
    lines += certificate_lines(fit.ours.certificate_)
    lines += facts(
        (
            "scikit-learn",
            f"coefficients differ by {difference(fit.ours, fit.theirs):.1e} of the largest; its F - ours = "
            f"{excess:+.1e}{remark}",
        ),
        (
            "time",
            f"ridgeline {seconds(ours)}, scikit-learn {seconds(theirs)} (median of {plural(runs, 'run')})",
        ),
    )
    return [fit.title] + ["  " + line for line in lines]


def times(fit: Fit, X: np.ndarray, y: np.ndarray) -> tuple[float, float, int, str]:
    """Median seconds of a fit by each library, in turns so that both meet the same machine."""
    spent: tuple[list[float], list[float]] = ([], [])
    remark = ""
    while len(spent[0]) < RUNS and sum(map(sum, spent)) < ENOUGH_SECONDS:
        for model, seconds_spent in zip((fit.ours, fit.theirs), spent):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                start = time.perf_counter()
                model.fit(X, y)
                seconds_spent.append(time.perf_counter() - start)
            foreign = [str(w.message) for w in caught if not issubclass(w.category, FitWarning)]
            if foreign:
                remark = f"; it warns: {foreign[0].splitlines()[0]}"
    return median(spent[0]), median(spent[1]), len(spent[0]), remark


def difference(ours: Any, theirs: Any) -> float:
    """The largest difference of a coefficient, as a share of the largest coefficient."""
    return float(np.abs(ours.coef_ - theirs.coef_).max() / np.abs(theirs.coef_).max())


def seconds(value: float) -> str:
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


# ---------------------------------------------------------------------------------------------- pictures


def draw_sigmoid(path: Path) -> str:
    plots.plot_sigmoid().figure.savefig(path)
    return "the sigmoid, its derivative and the decision at 0"


def breast_cancer_parts() -> tuple[np.ndarray, ...]:
    return ridgeline.train_test_split(*datasets.load_breast_cancer(return_X_y=True), stratify=True)


def draw_risk_curve(path: Path) -> str:
    """Logistic regression by gradient descent, stopped now and then to look at the test rows."""
    X, X_test, y, y_test = breast_cancer_parts()
    center, scale = X.mean(axis=0), X.std(axis=0)
    X, X_test = (X - center) / scale, (X_test - center) / scale
    alpha, rate = 1e-5, 0.5  # without a penalty the classes separate, and there is no least risk to draw

    stops = np.unique(np.geomspace(1, 10_000, 60).astype(int))
    point: Any = (np.zeros(X.shape[1]), 0.0)
    risk = [np.log(2.0)]
    test_risk = [np.log(2.0)]  # of probability 1/2 for every row, where the descent starts
    for steps in np.diff(stops, prepend=0).tolist():
        result = ridgeline.gradient_descent(
            "binary_cross_entropy",
            X,
            y,
            learning_rate=rate,
            max_iter=steps,
            alpha=alpha,
            fit_intercept=True,
            init=point,
        )
        point = (result.coef, result.intercept)
        risk += result.risk[1:].tolist()
        p = ridgeline.sigmoid(X_test @ result.coef + result.intercept)
        test_risk.append(ridgeline.empirical_risk("binary_cross_entropy", y_test, p))
    exact = ridgeline.LogisticRegression(C=1 / (len(X) * alpha)).fit(X, y)
    plots.plot_risk_curve(
        risk,
        test_risk=test_risk,
        test_steps=[0, *stops],
        optimum=logistic_objective(exact, X, y),
        ylabel="cross-entropy",
        log=True,
        title=f"Gradient descent on breast cancer, learning rate {rate}",
    ).figure.savefig(path)
    best = [0, *stops][int(np.argmin(test_risk))]
    return f"gradient descent on breast cancer; its test risk is least after {best} of {len(risk) - 1} steps"


def draw_confusion_matrix(path: Path) -> str:
    X, X_test, y, y_test = ridgeline.train_test_split(*FITS[3].load(), stratify=True)
    model = FITS[3].ours.fit(X, y)
    plots.plot_confusion_matrix(y_test, model.predict(X_test)).figure.savefig(path)
    return "digits, the test rows"


def draw_calibration(path: Path) -> str:
    """Every tumour's probability comes from a model that has not seen it."""
    X, y = datasets.load_breast_cancer(return_X_y=True)
    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    probability = np.empty(len(y))
    for k in range(FOLDS):
        model = ridgeline.LogisticRegression().fit(X[fold != k], y[fold != k])
        probability[fold == k] = model.predict_proba(X[fold == k])[:, 1]
    plots.plot_calibration(y, probability, bins=6).figure.savefig(path)
    return "breast cancer, each tumour's probability from a fit without it"


PICTURES = {
    "sigmoid": draw_sigmoid,
    "risk_curve": draw_risk_curve,
    "confusion_matrix": draw_confusion_matrix,
    "calibration": draw_calibration,
}

if __name__ == "__main__":
    main()
