"""What watches a long fit: a clock, and a display.

A fit opens a scope, `watched(time_limit, verbose)`.  Every fold inside it, in whichever function and thread, tells the scope how many
rows it has read; every expansion of an objective tells it the risk and the gradient.  From the first of them on there is something to
return, and a fold is ended by `OutOfTime` when the time is up.  A context variable carries the scope, so that nothing between an
estimator and the fold needs to know of it.

An interrupt from the keyboard needs none of this: kernels return to the interpreter after each segment, some tenths of a millisecond, and
an estimator assigns its attributes only when all of them are known.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from time import monotonic
from typing import Any, Protocol


class OutOfTime(Exception):
    """The time limit of a fit passed during a read of the data; what was found before stands."""


class Display(Protocol):
    """Where progress is shown."""

    def rows(self, count: int) -> None: ...

    def point(self, text: str) -> None: ...

    def close(self) -> None: ...


class _Lines:
    """A line on standard error for each point; rows are not shown."""

    def rows(self, count: int) -> None:
        pass

    def point(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class _Bar:
    """tqdm's: rows read, their rate, and the last point."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self.bar: Any = tqdm(unit=" rows", unit_scale=True, dynamic_ncols=True)

    def rows(self, count: int) -> None:
        self.bar.update(count)

    def point(self, text: str) -> None:
        self.bar.set_postfix_str(text)

    def close(self) -> None:
        self.bar.close()


class Watch:
    """A clock and a display for what happens between its making and `close`.

    Parameters
    ----------
    time_limit : float
        Seconds; infinite for none.
    verbose : bool
        Show progress: by tqdm where it is installed, else a line for each point on standard error.

    Attributes
    ----------
    limited : bool
        Whether the clock counts: not before there is something to return, nor after, when its certificate is made.
    """

    def __init__(self, time_limit: float, verbose: bool) -> None:
        self.started = monotonic()
        self.deadline = self.started + time_limit
        self.limited = False
        self.display: Display | None = None
        if verbose:
            self.display = _Bar() if find_spec("tqdm") else _Lines()
        self.lock = threading.Lock()

    def read(self, rows: int) -> None:
        """Rows were read, on any thread.

        Raises
        ------
        OutOfTime
        """
        if self.display is not None:
            with self.lock:
                self.display.rows(rows)
        if self.limited and monotonic() > self.deadline:
            raise OutOfTime

    def point(self, reads: int, rows: int, risk: float, gradient: float) -> None:
        """An objective was computed: its mean and the largest entry of its gradient, both by unit of weight."""
        if self.display is not None:
            seconds = monotonic() - self.started
            self.display.point(f"read {reads} ({rows} rows): risk {risk:.9g}, gradient {gradient:.1e}, {seconds:.2f} s")

    def close(self) -> None:
        """Take the display down."""
        if self.display is not None:
            self.display.close()


_current: ContextVar[Watch | None] = ContextVar("ridgeline_watch", default=None)


def watch() -> Watch | None:
    """The innermost scope, if any."""
    return _current.get()


def time_is_up() -> bool:
    """Whether the deadline of the innermost scope has passed: for a solver that ends between two steps by itself."""
    scope = _current.get()
    return scope is not None and monotonic() > scope.deadline


@contextmanager
def watched(time_limit: float | None = None, verbose: bool = False) -> Iterator[None]:
    """A scope in which folds are timed and shown; without a limit and a display, no scope at all.

    Inside another scope, the earlier deadline counts.
    """
    if time_limit is None and not verbose:
        yield
        return
    outer, here = _current.get(), Watch(float("inf") if time_limit is None else time_limit, verbose)
    if outer is not None:
        here.deadline = min(here.deadline, outer.deadline)
    token = _current.set(here)
    try:
        yield
    finally:
        _current.reset(token)
        here.close()
