"""The problems: one row each.  To add one, add a row to `PROBLEMS`; a data set of your own, a function to `SETS` first.

Data are made from the row alone, with a seed of its own, so that every run and every machine sees the same ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .objective import Terms

LEAST_ROWS = 200
"""`--scale` leaves at least these."""


@dataclass(frozen=True)
class Problem:
    """One fit.

    `penalty` is alpha / n, alpha the penalty's weight in F; `target` the accuracy that counts as solved (see `objective`); `data` a row
    of `DESIGNS` or of `SETS`; `series` is "n" or "d" for the rows of a curve, which are measured where curves are asked for.
    """

    family: str
    n: int
    d: int
    data: str = "gaussian"
    penalty: float = 1e-4
    classes: int = 2
    target: float = 1e-8
    quick: bool = False
    series: str = ""

    @property
    def name(self) -> str:
        parts = [self.family, f"{short(self.n)} x {short(self.d)}"]
        parts += [f"c={self.classes}"] if self.family == "softmax" else []
        parts += [self.data] if self.data != "gaussian" else []
        parts += [f"({self.series} series)"] if self.series else []
        return " ".join(parts)

    @property
    def terms(self) -> Terms:
        return Terms(alpha=self.penalty * self.n)

    def scaled(self, scale: float) -> Problem:
        """With fewer rows, unless the rows are a data set's own."""
        return self if self.data in SETS else replace(self, n=max(round(scale * self.n), min(self.n, LEAST_ROWS)))

    def make(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of shape (n, d), C order, float64, and targets: float64, or class codes int64 for softmax."""
        if self.data in SETS:
            return SETS[self.data]()
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        X = DESIGNS[self.data](self.n, self.d, rng)
        return X, TARGETS[self.family](X, self, rng)


def short(count: int) -> str:
    """1000000 as 1M, 20000 as 20k."""
    for unit, letter in ((1_000_000, "M"), (1000, "k")):
        if count >= unit and count % (unit // 10) == 0:
            return f"{count / unit:g}{letter}"
    return str(count)


# ----------------------------------------------------------------------------------------------------- the rows


def gaussian(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((n, d))


def correlated(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Every two columns correlate to 0.99."""
    X = rng.standard_normal((n, d))
    X *= np.sqrt(0.01)
    X += np.sqrt(0.99) * rng.standard_normal((n, 1))
    return X


def scaled(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Standard deviations from 1e-3 to 1e3, each column's mean as large as its deviation."""
    X = rng.standard_normal((n, d))
    X += 1
    X *= np.logspace(-3, 3, d)
    return X


DESIGNS: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "gaussian": gaussian,
    "correlated": correlated,
    "scaled": scaled,
}


# -------------------------------------------------------------------------------------------------- the targets


def _signal(X: np.ndarray, rng: np.random.Generator, c: int = 1) -> np.ndarray:
    """c linear functions of the row, of standard deviation near 2."""
    w = rng.standard_normal((X.shape[1], c))
    sample = X[: 10 * LEAST_ROWS]
    w /= np.maximum(sample.std(axis=0)[:, None], 1e-12)
    z = X @ w
    z -= z.mean(axis=0)
    z *= 2 / z.std(axis=0)
    return z


def noisy(X: np.ndarray, problem: Problem, rng: np.random.Generator) -> np.ndarray:
    return _signal(X, rng)[:, 0] + 1 + rng.standard_normal(len(X))


def outlying(X: np.ndarray, problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the rows has noise of ten times the size."""
    noise = rng.standard_normal(len(X)) * np.where(rng.uniform(size=len(X)) < 0.1, 10, 1)
    return _signal(X, rng)[:, 0] + 1 + noise


def sparse(X: np.ndarray, problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Ten columns matter."""
    return _signal(X[:, rng.permutation(X.shape[1])[:10]], rng)[:, 0] + 1 + rng.standard_normal(len(X))


def labels(X: np.ndarray, problem: Problem, rng: np.random.Generator) -> np.ndarray:
    z = _signal(X, rng)[:, 0]
    return (rng.uniform(size=len(X)) < 1 / (1 + np.exp(-z))).astype(np.float64)


def codes(X: np.ndarray, problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """A class drawn by the softmax of `_signal`: the greatest logit after Gumbel noise.  Every class occurs."""
    z = _signal(X, rng, problem.classes)
    drawn = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    drawn[: problem.classes] = np.arange(problem.classes)
    return drawn


TARGETS: dict[str, Callable[[np.ndarray, Problem, np.random.Generator], np.ndarray]] = {
    "ols": noisy,
    "ridge": noisy,
    "lasso": sparse,
    "huber": outlying,
    "scaled huber": outlying,
    "quantile": outlying,
    "logistic": labels,
    "softmax": codes,
}


# ---------------------------------------------------------------------------------- real sets, inside scikit-learn


def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return np.ascontiguousarray(X, np.float64), y.astype(np.int64)


def breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return np.ascontiguousarray(X, np.float64), y.astype(np.float64)


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, scaled=False)
    return np.ascontiguousarray(X, np.float64), y.astype(np.float64)


SETS: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    "digits": digits,
    "breast cancer": breast_cancer,
    "diabetes": diabetes,
}


# --------------------------------------------------------------------------------------------------- the problems

MILLION = 1_000_000

PROBLEMS = [
    Problem("logistic", MILLION, 10, quick=True),
    Problem("logistic", MILLION, 50),
    Problem("logistic", 400_000, 200),
    Problem("logistic", 50_000, 1000),
    Problem("logistic", 20_000, 3000),
    Problem("logistic", 200_000, 50, "correlated"),
    Problem("logistic", 200_000, 50, "scaled"),
    Problem("logistic", 2000, 20_000),
    Problem("logistic", 569, 30, "breast cancer", quick=True),
    Problem("softmax", 200_000, 50, classes=10, target=1e-7, quick=True),
    Problem("softmax", 60_000, 784, classes=10, target=1e-7),
    Problem("softmax", 20_000, 400, classes=100, target=1e-7),
    Problem("softmax", 1797, 64, "digits", classes=10, target=1e-7, quick=True),
    Problem("huber", 500_000, 50, penalty=0, quick=True),
    Problem("scaled huber", 500_000, 50),
    Problem("quantile", 20_000, 20, penalty=0, quick=True),
    Problem("quantile", 100_000, 20, penalty=0),
    Problem("ols", MILLION, 50, penalty=0),
    Problem("ols", 400_000, 200, penalty=0),
    Problem("ols", 442, 10, "diabetes", penalty=0, quick=True),
    Problem("ridge", MILLION, 10, quick=True),
    Problem("ridge", MILLION, 50),
    Problem("ridge", 400_000, 200),
    Problem("ridge", 100_000, 1000),
    Problem("ridge", 40_000, 3000),
    Problem("ridge", 200_000, 50, "correlated"),
    Problem("ridge", 200_000, 50, "scaled"),
    Problem("ridge", 2000, 20_000),
    Problem("lasso", 100_000, 200, penalty=0.05, quick=True),
    Problem("lasso", 2000, 20_000, penalty=0.2),
]
"""What the table shows."""

SERIES = [
    *(Problem("ridge", n, 50, series="n") for n in (1000, 10_000, 100_000, MILLION)),
    *(Problem("logistic", n, 50, series="n") for n in (1000, 10_000, 100_000, MILLION)),
    *(Problem("ridge", 50_000, d, series="d") for d in (5, 20, 100, 500)),
    *(Problem("logistic", 50_000, d, series="d") for d in (5, 20, 100, 500)),
]
"""What the curves show: time against rows at 50 columns, and against columns at 50,000 rows."""
