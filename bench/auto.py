"""Whether `solver="auto"` takes the quickest row of `ridgeline/solvers/select.py`: every row forced, on a sweep of shapes.

    python -m bench.auto [--only TEXT] [--scale 0.5] [--rounds 3] [--worst 1.2]

Each solver minimises the same objective from the same start, in turns, at the default tolerance; the judge of `objective` looks at every
answer, and one that misses `TARGET` does not count.  Times are the least of the rounds.  The command ends with status 1 where "auto" takes
more than `--worst` times as long as the best.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, Loss, SoftmaxLoss, huber_loss
from ridgeline.solvers.select import METHODS, Minimum, minimise
from ridgeline.sources import ArraySource
from ridgeline.validation import check_matrix

from .measure import PAUSE
from .objective import Judge, Point
from .problems import Problem
from .report import seconds

TARGET = 1e-6
"""Largest gradient entry of F / n of an answer that counts: every solver's tolerance is 1e-8, in columns of its own scaling."""

WORST = 1.2
LEAST = 5e-3
"""Seconds by which "auto" may miss whatever the ratio: a fit of a few milliseconds is not timed to a fifth."""

MAX_ITER = 100
PENALTY = 1e-4


@dataclass(frozen=True)
class Shape:
    """A problem of the table of `problems`, dense or of stored entries, and the solvers that can be forced on it."""

    family: str
    n: int
    d: int
    classes: int = 2
    density: float = 1.0
    solvers: tuple[str, ...] = ("newton", "lbfgs")

    @property
    def problem(self) -> Problem:
        return Problem(self.family, self.n, self.d, classes=self.classes, penalty=PENALTY)

    @property
    def name(self) -> str:
        return self.problem.name + (f" density {self.density:g}" if self.density < 1 else "")


SHAPES = [
    *(Shape("logistic", n, d) for n, d in ((300_000, 10), (100_000, 50), (50_000, 200), (20_000, 400), (15_000, 800), (10_000, 1500))),
    Shape("logistic", 500, 2500, solvers=("lbfgs",)),
    Shape("logistic", 20_000, 5000, density=0.004, solvers=("newton_cg", "lbfgs")),
    *(Shape("softmax", n, d, c) for n, d, c in ((50_000, 20, 5), (30_000, 50, 10), (20_000, 70, 10), (10_000, 20, 50), (10_000, 150, 10))),
    Shape("softmax", 5000, 100, 50, solvers=("lbfgs",)),
    Shape("softmax", 10_000, 5000, 3, density=0.004, solvers=("newton_cg", "lbfgs")),
    *(Shape("huber", n, d) for n, d in ((200_000, 20), (50_000, 200), (10_000, 1000))),
]
"""Both sides of every boundary of the table, where more than one of its rows can serve."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="shapes whose name holds TEXT")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows to take")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worst", type=float, default=WORST, help=f"how many times the best's time auto may take ({WORST:g} unless told)")
    arguments = parser.parse_args(argv)
    shapes = [shape for shape in SHAPES if arguments.only in shape.name]
    if not shapes:
        parser.error(f"no shape's name holds {arguments.only!r}")
    print(f"| problem | parameters | auto | {' | '.join(METHODS)} | auto : best | auto took |")
    print("|---|---:|---:|" + "---:|" * len(METHODS) + "---:|---|")
    missed = 0
    for shape in shapes:
        found = measured(shape, arguments.scale, arguments.rounds)
        ratio, late = verdict(found, arguments.worst)
        missed += late
        cells = [seconds(found[name].seconds) if name in found else "" for name in METHODS]
        mark = f"**{ratio:.2f}**" if late else f"{ratio:.2f}"
        auto = found["auto"]
        print(f"| {shape.name} | {auto.parameters} | {seconds(auto.seconds)} | {' | '.join(cells)} | {mark} | {auto.method} |", flush=True)
    print(f"\nauto missed the best by more than {arguments.worst:g} on {missed} of {len(shapes)}.")
    return int(missed > 0)


@dataclass
class Timed:
    """The least time of a solver whose answers reached the target; infinite if one did not."""

    parameters: int
    method: str = ""
    seconds: float = np.inf
    short: bool = False


def verdict(found: dict[str, Timed], worst: float) -> tuple[float, bool]:
    """auto's time beside the best's, and whether that is too long."""
    best = min(timed.seconds for timed in found.values())
    auto = found["auto"].seconds
    return auto / best if auto < np.inf else np.inf, not (auto <= worst * best or auto - best <= LEAST)


def measured(shape: Shape, scale: float, rounds: int) -> dict[str, Timed]:
    """Every solver of a shape and "auto", in turns."""
    objective, theta, accuracy = posed(shape, scale)
    found = {name: Timed(objective().size) for name in ("auto", *shape.solvers)}
    names = list(found)
    for turn in range(rounds):
        first = turn % len(names)  # whoever comes first finds the caches as others left them
        for name in names[first:] + names[:first]:
            timed = found[name]
            fresh = objective()  # reading the columns' ranges is not timed: it is the same for all
            time.sleep(PAUSE)
            start = time.perf_counter()
            best = minimise(fresh, theta, tol=1e-8, max_iter=MAX_ITER, solver=name)
            taken = time.perf_counter() - start
            timed.method = best.certificate.solver
            timed.short = timed.short or not accuracy(best) <= TARGET
            timed.seconds = np.inf if timed.short else min(timed.seconds, taken)
    return found


def posed(shape: Shape, scale: float) -> tuple[Callable[[], Objective], np.ndarray, Callable[[Minimum], float]]:
    """What makes the objective, the start, and the judge."""
    problem = shape.problem.scaled(scale)
    X, y = problem.make()
    if shape.density < 1:
        X[np.random.default_rng(0).uniform(size=X.shape) >= shape.density] = 0.0
    judge = Judge(problem.family, X, y, problem.terms)
    matrix = check_matrix(X if shape.density == 1 else _stored(X))
    loss = _loss(problem)

    def objective() -> Objective:
        return Objective(ArraySource(matrix, y), loss, problem.terms.alpha, True)

    def accuracy(best: Minimum) -> float:
        several = problem.family == "softmax"
        return judge.accuracy(Point(best.coef if several else best.coef[0], best.intercept if several else best.intercept[0]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return objective, np.zeros(objective().size), accuracy


def _stored(X: np.ndarray) -> object:
    from scipy.sparse import csr_array

    return csr_array(X)


def _loss(problem: Problem) -> Loss:
    if problem.family == "huber":
        return huber_loss(problem.terms.delta)
    return LOGISTIC if problem.family == "logistic" else SoftmaxLoss(problem.classes)


if __name__ == "__main__":
    sys.exit(main())
