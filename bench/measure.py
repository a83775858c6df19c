"""How contenders are measured: in turns, every answer judged, each in a process of its own.

For every problem the rows are written once, a process per contender maps them, and all load and rehearse.  Then each climbs its ladder
of tolerances until the judge finds the target reached, and those that did take turns for some rounds, every fit afresh.  A
contender's time to verified accuracy is the least time of a fit whose answer passed.  A fit that takes longer than the limit is ended
with its process.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np

from .objective import Judge
from .problems import Problem
from .rivals import Rival

ROOT = Path(__file__).parents[1]

HANDICAPS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables that make OpenBLAS use the kernels of another processor: unset for every contender, so that all run at full speed."""

PAUSE = 0.1
"""Seconds before a fit: the threads of a BLAS go on spinning for a while after another process's last call."""

LOADING = 120.0
"""Seconds in which a contender has to have loaded its library and rehearsed."""

SHARED_MEMORY = Path("/dev/shm")

REACHED, SHORT, OVER, ABSENT, FAILED = "reached", "not reached", "over the limit", "absent", "failed"


@dataclass(frozen=True)
class Plan:
    """How long to measure: rounds, seconds after which a contender sits the rest out, seconds that a fit may take."""

    rounds: int = 5
    enough: float = 10.0
    limit: float = 60.0


@dataclass(frozen=True)
class Entrant:
    """A rival, the label it is shown under, and the interpreter and environment that run it."""

    rival: Rival
    label: str
    python: tuple[str, ...] = (sys.executable,)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of an entrant on a problem: `seconds` of the best fit that reached the target, or of the most accurate one."""

    entrant: str
    library: str
    solver: str
    status: str = ABSENT
    seconds: float = np.inf
    median: float = np.inf
    rounds: int = 0
    accuracy: float = np.inf
    tolerance: float | None = None
    megabytes: float | None = None
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    remark: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no infinity."""
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in asdict(self).items()}


class _OverTheLimit(Exception):
    pass


class _Process:
    """The worker of one entrant, and what it has been found to do."""

    def __init__(self, entrant: Entrant, problem: Problem, folder: Path) -> None:
        self.entrant, self.rival = entrant, entrant.rival
        self.outcome = Outcome(entrant.label, self.rival.library, self.rival.solver)
        self.times: list[float] = []
        self._connection, theirs = Pipe()
        self._process = subprocess.Popen(
            [*entrant.python, "-m", "bench.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=clean_environment() | entrant.environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self._send("open", problem, folder, self.rival.name)

    def _send(self, *request: Any) -> None:
        """That nobody is there to read it is said by the answer."""
        with suppress(ConnectionError):
            self._connection.send(request)

    def answer(self, limit: float) -> tuple[Any, ...]:
        """The worker's next answer; a process that died has failed."""
        if not self._connection.poll(limit):
            raise _OverTheLimit
        try:
            return self._connection.recv()
        except (EOFError, ConnectionError):
            return (FAILED, f"the process ended with status {self._process.wait()}")

    def fit(self, tolerance: float | None, limit: float) -> tuple[Any, ...]:
        time.sleep(PAUSE)
        self._send("fit", tolerance)
        return self.answer(limit)

    def close(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in HANDICAPS}


def measure(problem: Problem, entrants: Sequence[Entrant], plan: Plan) -> list[Outcome]:
    """The outcomes of all entrants on one problem, in their order."""
    X, y = problem.make()
    judge = Judge(problem.family, X, y, problem.terms)
    with _written(X, y) as folder:
        processes = [_Process(entrant, problem, folder) for entrant in entrants]
        try:
            for process in processes:
                _await(process)
            for process in processes:
                if process.outcome.status == SHORT:
                    _climb(process, problem, judge, plan)
            for _ in range(plan.rounds - 1):
                for process in processes:
                    if process.outcome.status == REACHED and sum(process.times) < plan.enough:
                        _again(process, problem, judge, plan)
        finally:
            for process in processes:
                process.close()
    return [process.outcome for process in processes]


def _await(process: _Process) -> None:
    """Until it is loaded and has rehearsed."""
    try:
        what, *rest = process.answer(LOADING)
    except _OverTheLimit:
        process.outcome.status, process.outcome.reason = OVER, "a rehearsal of a few hundred rows"
        return
    if what == "ready":
        process.outcome.status, process.outcome.facts = SHORT, rest[0]
    else:
        process.outcome.status, process.outcome.reason = what, rest[0]
        process.close()


def _climb(process: _Process, problem: Problem, judge: Judge, plan: Plan) -> None:
    """Tighten the tolerance until the target is reached, the ladder ends, or it has taken as long as one fit may."""
    outcome, left = process.outcome, plan.limit
    for tolerance in process.rival.tolerances:
        try:
            what, *rest = process.fit(tolerance, left)
        except _OverTheLimit:
            outcome.status = OVER
            break
        if what != "done":
            outcome.status, outcome.reason = FAILED, rest[0]
            break
        seconds, megabytes, point = rest
        left -= seconds
        accuracy = judge.accuracy(point)
        if accuracy < outcome.accuracy:
            outcome.accuracy, outcome.seconds, outcome.tolerance = accuracy, seconds, tolerance
            outcome.megabytes, outcome.remark = megabytes, point.remark
        if accuracy <= problem.target:
            outcome.status, outcome.rounds, process.times = REACHED, 1, [seconds]
            outcome.median = seconds
            return
        if left <= 0:
            break
    process.close()


def _again(process: _Process, problem: Problem, judge: Judge, plan: Plan) -> None:
    """One more fit at the setting that reached the target; it has to reach it again."""
    outcome = process.outcome
    try:
        what, *rest = process.fit(outcome.tolerance, plan.limit)
    except _OverTheLimit:
        what, rest = FAILED, ["a repeated fit took longer than the limit"]
    if what != "done":
        outcome.status, outcome.reason = FAILED, rest[0]
        return
    seconds, _, point = rest
    accuracy = judge.accuracy(point)
    outcome.accuracy = max(outcome.accuracy, accuracy)
    if accuracy > problem.target:
        outcome.status, outcome.reason = SHORT, "a repeated fit missed the target"
        return
    process.times.append(seconds)
    outcome.rounds += 1
    outcome.seconds, outcome.median = min(process.times), statistics.median(process.times)


@contextmanager
def _written(X: np.ndarray, y: np.ndarray) -> Iterator[Path]:
    """A folder with the data, in memory where it has room."""
    roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > 2 * X.nbytes
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if roomy else None) as name:
        folder = Path(name)
        np.save(folder / "X.npy", X)
        np.save(folder / "y.npy", y)
        yield folder
