"""A mistake for a checker to find, so that its silence can be believed: python seeded.py race | overrun.

race     two threads have one kernel write to one array at a time
overrun  a kernel reads one number beyond the end of what was allocated, behind a view that claims to be longer

The mistake lies in the arguments: no kernel is changed.  Under a checker the exit status is the checker's.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

from ridgeline import kernels

activations = kernels.load("activations")

LENGTH = 100_000
ROUNDS = 50


def race() -> None:
    z, out, together = np.linspace(-5, 5, LENGTH), np.empty(LENGTH), threading.Barrier(2)

    def work() -> None:
        together.wait()
        for _ in range(ROUNDS):
            activations.sigmoid(z, out)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def overrun() -> None:
    short = np.zeros(LENGTH)
    longer = np.lib.stride_tricks.as_strided(short, (LENGTH + 1,))
    activations.sigmoid(longer, np.empty(LENGTH + 1))


if __name__ == "__main__":
    {"race": race, "overrun": overrun}[sys.argv[1]]()
