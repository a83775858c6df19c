"""One contender in a process of its own: what `measure` starts, asks, times out and ends.

    python -m bench.worker DESCRIPTOR

reads requests from a connection and answers each:

    ("open", problem, folder, rival's name)   ->  ("ready", facts) | ("absent", why) | ("failed", why)
    ("fit", tolerance)                        ->  ("done", seconds, megabytes, point) | ("failed", why)

The rows are mapped from a file, so that all contenders share one copy; a mapping that has been read once is as fast as memory of one's
own (measured: no difference).  Opening fits a few hundred rows, which loads and compiles whatever the first fit of a process does.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from . import rivals
from .problems import Problem

FEW_ROWS = 500
"""Of the first fit."""


def serve(connection: Connection) -> None:
    """Answer until the other side closes."""
    contender = None
    while True:
        try:
            what, *arguments = connection.recv()
        except EOFError:
            return
        try:
            if what == "open":
                contender = _Contender(*arguments)
                connection.send(("ready", contender.facts()))
            else:
                connection.send(("done", *contender.fit(*arguments)))
        except ImportError as error:
            connection.send(("absent", str(error)))
        except Exception as error:  # whatever a library throws is a result of the comparison
            connection.send(("failed", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"))


class _Contender:
    def __init__(self, problem: Problem, folder: Path, name: str) -> None:
        self._problem = problem
        self._rival = next(rival for rival in rivals.RIVALS if rival.name == name)
        self._fit = self._rival.fits[problem.family]
        X, y = (np.asarray(np.load(folder / f"{part}.npy", mmap_mode="c")) for part in "Xy")
        few = min(len(X), FEW_ROWS)
        rehearsal = replace(problem, n=few)
        self._fit(*self._rival.prepare(X[:few].copy(), y[:few].copy()), rehearsal, None)
        float(X.sum())  # maps every page
        self._X, self._y = self._rival.prepare(X, y)

    def facts(self) -> dict[str, Any]:
        """What is loaded in this process: the BLAS and OpenMP libraries, where threadpoolctl is there to say."""
        try:
            from threadpoolctl import threadpool_info
        except ImportError:
            return {}
        keys = ("internal_api", "version", "architecture", "num_threads", "prefix")
        return {"pools": [{key: pool.get(key) for key in keys} for pool in threadpool_info()]}

    def fit(self, tolerance: float | None) -> tuple[float, float | None, Any]:
        """Seconds, the megabytes by which the process grew meanwhile, and the answer."""
        gc.collect()
        before = _resident(reset=True)
        start = time.perf_counter()
        point = self._fit(self._X, self._y, self._problem, tolerance)
        seconds = time.perf_counter() - start
        grown = None if before is None else max(_resident() - before, 0) / 1024
        return seconds, grown, point


def _resident(reset: bool = False) -> int | None:
    """The peak of resident memory, kB, since it was last reset; None where the system does not say."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is resident
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
