"""Long calls in a thread of their own: values, errors, context, and an interrupt that is heard while the call goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import traceback

import numpy as np
import pytest

from ridgeline.aside import LONG, aside


def here():
    return threading.get_ident()


def test_a_short_call_stays_in_its_thread():
    assert aside(here, LONG / 2) == here()


def test_a_long_call_has_a_thread_of_its_own():
    assert aside(here, LONG) != here()


def test_a_long_call_from_another_thread_stays_there():
    answers = []
    thread = threading.Thread(target=lambda: answers.append((aside(here, LONG), here())))
    thread.start()
    thread.join()
    assert answers[0][0] == answers[0][1]


def test_an_error_comes_out_with_its_traceback():
    def work():
        raise FloatingPointError("of the call")

    with pytest.raises(FloatingPointError, match="of the call") as failure:
        aside(work, LONG)
    assert [frame.name for frame in traceback.extract_tb(failure.tb)][-1] == "work"


def test_what_numpy_may_warn_of_holds_there():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        aside(lambda: np.ones(1) / np.zeros(1), LONG)


def test_where_no_thread_can_be_started_the_call_is_made_here(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert aside(here, LONG) == here()


def test_an_interrupt_does_not_wait_for_the_call():
    go_on, over = threading.Event(), threading.Event()

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        go_on.wait(60)
        over.set()

    with pytest.raises(KeyboardInterrupt):
        aside(work, LONG)
    assert not over.is_set()
    go_on.set()
    assert over.wait(60)


ENDED = """
import os, signal, threading
import numpy as np
from ridgeline.solvers.cholesky import CholeskyFactor

signal.signal(signal.SIGINT, signal.default_int_handler)
A = np.eye(ORDER) * ORDER + 1.0
timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
timer.start()
while True:
    CholeskyFactor(A)
"""


@pytest.mark.parametrize("order", [2000, 3000])
def test_a_script_that_is_interrupted_in_a_long_call_ends(order):
    code = ENDED.replace("ORDER", str(order))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGINT, done.stderr
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
