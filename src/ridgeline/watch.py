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

    def begin(self, read: int, total: int | None, unit: str) -> None: ...

    def done(self, count: int) -> None: ...

    def point(self, text: str) -> None: ...

    def close(self) -> None: ...


QUIET = 2.0
"""Seconds after which a read that goes on is told of in a line."""


class _Lines:
    """A line on standard error for each point, and every two seconds for the rows or partitions that were read."""

    def __init__(self) -> None:
        self.read = self.count = 0
        self.unit = "rows"
        self.total: int | None = None
        self.told = monotonic()

    def begin(self, read: int, total: int | None, unit: str) -> None:
        self.read, self.total, self.unit, self.count = read, total, unit, 0

    def done(self, count: int) -> None:
        self.count += count
        if monotonic() - self.told > QUIET:
            self.point(f"read {self.read}: {self.count} {self.unit}" + (f" of {self.total}" if self.total else ""))

    def point(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
        self.told = monotonic()

    def close(self) -> None:
        pass


class _Bar:
    """tqdm's, filled by each read anew: rows or partitions read, of all where their number is known, their rate, and the last point."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self.bar: Any = tqdm(unit_scale=True, dynamic_ncols=True)

    def begin(self, read: int, total: int | None, unit: str) -> None:
        self.bar.reset(total)
        self.bar.unit = f" {unit}"
        self.bar.set_description(f"read {read}", refresh=False)

    def done(self, count: int) -> None:
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
        Show progress: by tqdm where it is installed, else in lines on standard error.
    display : Display, optional
        Of the scope around this one, used where this one has none of its own.

    Attributes
    ----------
    limited : bool
        Whether the clock counts: not before there is something to return, nor after, when its certificate is made.
    """

    def __init__(self, time_limit: float, verbose: bool, display: Display | None = None) -> None:
        self.started = monotonic()
        self.deadline = self.started + time_limit
        self.limited = False
        self.own: Display | None = None
        if verbose:
            self.own = _Bar() if find_spec("tqdm") else _Lines()
        self.display = self.own or display
        self.lock = threading.Lock()

    def begin(self, read: int, total: int | None, unit: str = "rows") -> None:
        """A read begins: its number, and how many rows, or partitions elsewhere, there are, where that is known."""
        if self.display is not None:
            with self.lock:
                self.display.begin(read, total, unit)

    def read(self, count: int) -> None:
        """So many more were read, on any thread.

        Raises
        ------
        OutOfTime
        """
        if self.display is not None:
            with self.lock:
                self.display.done(count)
        if self.limited and monotonic() > self.deadline:
            raise OutOfTime

    def point(self, reads: int, rows: int, risk: float, gradient: float) -> None:
        """An objective was computed: its mean and the largest entry of its gradient, both by unit of weight."""
        if self.display is not None:
            seconds = monotonic() - self.started
            self.display.point(f"read {reads} ({rows} rows): risk {risk:.9g}, gradient {gradient:.1e}, {seconds:.2f} s")

    def close(self) -> None:
        """Take the display down."""
        if self.own is not None:
            self.own.close()


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
    outer = _current.get()
    here = Watch(float("inf") if time_limit is None else time_limit, verbose, None if outer is None else outer.display)
    if outer is not None:
        here.deadline = min(here.deadline, outer.deadline)
    token = _current.set(here)
    try:
        yield
    finally:
        _current.reset(token)
        here.close()
