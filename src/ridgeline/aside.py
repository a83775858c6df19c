"""Long calls into compiled code that an interrupt from the keyboard need not wait for.

Python hears an interrupt in the main thread and between two of its own instructions, and the factors of a matrix of some thousand columns
are one call of seconds.  Such a call runs in a thread of its own, while the main thread waits for a lock, which an interrupt ends at once.
The call then goes on to its end, unseen: `work` must change nothing that others hold, and release the interpreter's lock as NumPy's linear
algebra and the kernels do (SciPy's wrappers of LAPACK do not all).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

LONG = 1e9
"""Floating-point operations that take some ten to fifty milliseconds; to begin a thread takes a tenth of one."""

T = TypeVar("T")


def aside(work: Callable[[], T], flops: float) -> T:
    """What `work` returns or raises; in a thread of its own where it takes long and this is the main thread.

    Parameters
    ----------
    work : callable
    flops : float
        About how many floating-point operations it takes.
    """
    if flops < LONG or threading.current_thread() is not threading.main_thread():
        return work()
    over, here = threading.Lock(), copy_context()
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(here.run(work))
        except BaseException as error:
            failure.append(error)
        finally:
            over.release()

    over.acquire()
    try:
        threading.Thread(target=run, name="ridgeline-aside", daemon=True).start()
    except RuntimeError:  # the system has no more for this process
        return work()
    over.acquire()
    if failure:
        raise failure[0]
    result: T = outcome[0]
    return result
