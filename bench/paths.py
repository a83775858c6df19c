"""What many penalties cost beside one: paths and cross-validations, in times of a single fit of the same rows.

    python -m bench.paths [--only TEXT] [--scale 0.1] [--rounds 5]

A path of logistic regression is timed inside `LogisticRegressionCV` of one split, which leaves few rows out; its scores and the fit at the
end belong to what is timed.  Where scikit-learn is installed, its time for the same call stands beside, once, without rounds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

import ridgeline

from .measure import PAUSE
from .problems import Problem
from .report import seconds

FIFTY = 50
HUNDRED = np.logspace(-3, 5, 100)
LEFT_OUT = 100


def one_split(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """All rows but the last few to fit, those to score."""
    return [(np.arange(n - LEFT_OUT), np.arange(n - LEFT_OUT, n))]


@dataclass(frozen=True)
class Case:
    """A single fit and the search whose time is counted in it; both take a module of estimators and the number of rows."""

    name: str
    problem: Problem
    one: Callable[[Any, int], Any]
    many: Callable[[Any, int], Any]
    peer: bool = True


def _logistic(library: Any, n: int) -> Any:
    return library.LogisticRegression(C=1.0)


def _logistic_path(library: Any, n: int) -> Any:
    return library.LogisticRegressionCV(Cs=FIFTY, cv=one_split(n))


def _ridge(library: Any, n: int) -> Any:
    return library.Ridge()


def _left_out(library: Any, n: int) -> Any:
    return library.RidgeCV(HUNDRED)


def _ten_folds(library: Any, n: int) -> Any:
    return library.RidgeCV(HUNDRED, cv=10)


def _lasso(library: Any, n: int) -> Any:
    return library.Lasso(alpha=0.05)


def _lasso_folds(library: Any, n: int) -> Any:
    return library.LassoCV(cv=5)


SHAPES = ((200_000, 10), (50_000, 50), (10_000, 300))

CASES = [
    *(Case("logistic, 50 values of C", Problem("logistic", n, d), _logistic, _logistic_path, peer=False) for n, d in SHAPES),
    *(Case("ridge, 100 alphas, one row left out", Problem("ridge", n, d), _ridge, _left_out) for n, d in SHAPES),
    *(Case("ridge, 100 alphas, ten folds", Problem("ridge", n, d), _ridge, _ten_folds, peer=False) for n, d in SHAPES),
    Case("lasso, 100 alphas, five folds", Problem("lasso", 50_000, 100), _lasso, _lasso_folds),
]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows to take")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    cases = [case for case in CASES if arguments.only in case.name]
    if not cases:
        parser.error(f"no case's name holds {arguments.only!r}")
    print("| search | rows x columns | one fit | the search | in fits | scikit-learn's search : ours |")
    print("|---|---|---:|---:|---:|---:|")
    for case in cases:
        problem = case.problem.scaled(arguments.scale)
        X, y = problem.make()
        one, many = measured([case.one(ridgeline, len(X)), case.many(ridgeline, len(X))], X, y, arguments.rounds)
        beside = "-"
        if case.peer and find_spec("sklearn") is not None:
            import sklearn.linear_model

            (theirs,) = measured([case.many(sklearn.linear_model, len(X))], X, y, 1)
            beside = f"{theirs / many:.3g}"
        print(f"| {case.name} | {problem.n} x {problem.d} | {seconds(one)} | {seconds(many)} | {many / one:.3g} | {beside} |", flush=True)
    return 0


def measured(models: Sequence[Any], X: np.ndarray, y: np.ndarray, rounds: int) -> list[float]:
    """The least time of each, in turns."""
    least = [np.inf] * len(models)
    for _ in range(rounds):
        for k, model in enumerate(models):
            time.sleep(PAUSE)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                start = time.perf_counter()
                model.fit(X, y)
                least[k] = min(least[k], time.perf_counter() - start)
    return least


if __name__ == "__main__":
    sys.exit(main())
