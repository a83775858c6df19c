"""Fits that are killed from outside at random moments, and run again: the same bits, and never a checkpoint that cannot be gone on with.

    python -m tests.attack.kills [COUNT [SEED]]

kills COUNT times by SIGKILL, in every fit of `tests/checkpoints/test_resume.py` in turn, and prints how many fits that made.  The moments
of `test_resume.py` are those that its code marks; these are any: the parent sleeps for a random part of the time that a whole fit took, and
whatever the child then does ends there.  A child that had already come to its end is no kill and is not counted.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from time import monotonic, sleep

import numpy as np

from tests.checkpoints.test_resume import MODELS, fit, resumed

MOST_KILLS = 4
"""Of one fit, before it is let come to its end."""


def killed(name: str, path: Path, delay: float) -> bool:
    """Whether a fit with a checkpoint, in a forked process, was ended by a SIGKILL after `delay` seconds rather than by itself."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            resumed(name, path)
            code = 0
        finally:
            os._exit(code)
    sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, f"{name}: a fit from a checkpoint failed"
    return False


def duration(name: str, folder: Path) -> float:
    """Seconds that a fit with its checkpoint takes, the process that it is in included."""
    start = monotonic()
    child = os.fork()
    if not child:
        resumed(name, folder / "timed")
        os._exit(0)
    os.waitpid(child, 0)
    return monotonic() - start


def attack(count: int, seed: int) -> tuple[Counter[str], int]:
    """Kill `count` times; how often in each fit, and how many fits came to their end after one or more.

    Raises
    ------
    AssertionError
        Where one came to other bits, could not be gone on with or left a file behind.
    """
    random = np.random.default_rng(seed)
    kills: Counter[str] = Counter()
    fits = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        expected = {name: fit(name) for name in MODELS}
        whole = {name: duration(name, folder) for name in MODELS}
        models = cycle(MODELS)
        while kills.total() < count:
            name, path = next(models), folder / "fit.checkpoint"
            wanted = min(int(random.integers(1, MOST_KILLS + 1)), count - kills.total())
            done = sum(killed(name, path, float(random.uniform(0, whole[name]))) for _ in range(wanted))
            assert resumed(name, path) == expected[name], f"{name}, seed {seed}: other bits after {done} kills"
            assert os.listdir(folder) == [], f"{name}, seed {seed}: left behind {os.listdir(folder)}"
            kills[name] += done
            fits += done > 0
    return kills, fits


def main(arguments: Sequence[str]) -> None:
    count = int(arguments[0]) if arguments else 1000
    seed = int(arguments[1]) if len(arguments) > 1 else 0
    kills, fits = attack(count, seed)
    each = ", ".join(f"{n} of {name}" for name, n in kills.items())
    print(f"{kills.total()} kills of seed {seed} in {fits} fits, each of which came to the same bits: {each}")


if __name__ == "__main__":
    main(sys.argv[1:])
