"""Threads: a small pool, made when first used, that shares the segments of a fold.

The kernels release the interpreter's lock, so plain threads run them side by side.  Work is a sequence of jobs, taken in order by
whoever is free; results are merged in their order by whoever completes the next one, so that what comes out has the same bits for any
number of threads, and no more results wait than there are threads.  The calling thread works too and never waits for a thread of the
pool to begin, so that nested and simultaneous calls cannot block each other; a call from inside a pool thread uses no others.

An interrupt from the keyboard may strike the calling thread between any two calls.  `with` on a lock of the interpreter's own, which is
taken and given back in C, cannot be split by it; a `Condition`, an `Event` or a `Queue`, which are written in Python, can be left locked
for ever.  So there is one such lock and nothing else, and the few times that a thread has to wait, it looks every some ten microseconds.

How many: the argument `n_threads` where a function has one, else the environment variable RIDGELINE_NUM_THREADS, else OMP_NUM_THREADS
(which process pools set for their workers), else the processors this process may use.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

VARIABLE = "RIDGELINE_NUM_THREADS"
INHERITED = "OMP_NUM_THREADS"

MOST_THREADS = 256
"""More threads than this, and than there are processors, are not made, whatever is asked for: the bits are the same."""

MOMENT = 5e-5
"""Seconds between two looks of a waiting thread."""


class Mergeable(Protocol):
    def merge(self, other: Any) -> None: ...


T = TypeVar("T")
M = TypeVar("M", bound=Mergeable)


def available() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def thread_count(n_threads: int | None = None) -> int:
    """The number of threads to use, at least 1.

    Raises
    ------
    ValueError
        If `n_threads` or the environment variable is not a positive whole number.
    """
    if n_threads is not None:
        if isinstance(n_threads, bool) or not hasattr(n_threads, "__index__") or n_threads.__index__() < 1:
            raise ValueError(f"n_threads must be None or a whole number of at least 1, got {n_threads!r}.")
        return n_threads.__index__()
    text = os.environ.get(VARIABLE, "")
    if text:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"{VARIABLE} must be a whole number of at least 1, got {text!r}.")
        return int(text)
    # a list gives the numbers for nested regions
    text = os.environ.get(INHERITED, "").partition(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else available()


class _Pool:
    """Daemon threads that run what they find in a queue."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.size = 0
        self.lock = threading.Lock()

    def ask(self, helpers: int, task: Callable[[], None]) -> None:
        """Have up to `helpers` threads run `task`, some time."""
        with self.lock:
            while self.size < helpers:
                try:
                    threading.Thread(target=self._work, name=f"ridgeline-{self.size + 1}", daemon=True).start()
                except RuntimeError:  # the system has no more for this process; those there are, and the caller, do the work
                    break
                self.size += 1
        for _ in range(min(helpers, self.size)):
            self.queue.put(task)

    def _work(self) -> None:
        _here.inside = True
        while True:
            self.queue.get()()


class _Here(threading.local):
    inside = False


_here = _Here()
_pool = _Pool()


# A forked child has none of its parent's threads, and locks as they stood.
if hasattr(os, "register_at_fork"):  # pragma: no branch: where there is no fork
    os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]


class _Reduction:
    """One call of `reduce`: what its threads share."""

    def __init__(
        self, jobs: Iterator[T], work: Callable[[T], M], ahead: int, total: M | None, seen: Callable[[M], None], private: bool
    ) -> None:
        self.jobs, self.work, self.ahead, self.seen, self.private = jobs, work, ahead, seen, private
        self.lock = threading.Lock()
        self.taken = self.merged = self.active = self.working = 0
        self.closed = False
        self.waiting: dict[int, Any] = {}
        self.total: Any = total
        self.failure: BaseException | None = None

    def help(self) -> None:
        """Take part, unless it is over."""
        with self.lock:
            if self.closed:
                return
            self.active += 1
        try:
            self.take_part(1)
        except BaseException as failure:
            self.fail(failure)
        finally:
            with self.lock:
                self.active -= 1

    def fail(self, failure: BaseException) -> None:
        if self.failure is None:
            self.failure = failure

    def take_part(self, helper: int = 0) -> None:
        """Do jobs until none are left.  Helpers at work are counted, since no interrupt strikes between two of their steps."""
        while True:
            with self.lock:
                if self.failure is not None:
                    return
                k = self.taken
                full = k >= self.merged + self.ahead
                if not full:
                    try:
                        job = next(self.jobs)
                    except StopIteration:
                        return
                    self.taken += 1
                    self.working += helper
            if full:
                time.sleep(MOMENT)
                continue
            try:
                part = self.work(job)
            except BaseException as failure:
                self.fail(failure)
                part = None
            self.put(k, part, helper)

    def put(self, k: int, part: Any, helper: int) -> None:
        """Leave the k-th result, and merge what is next unless another thread is at it."""
        with self.lock:
            self.working -= helper
            if self.failure is not None:
                return
            self.waiting[k] = part
        while True:
            with self.lock:
                part = self.waiting.pop(self.merged, None)  # for one thread, and the next for none until this one is merged
                if part is None or self.failure is not None:
                    return
            if self.total is None:
                self.total = part
            else:
                self.total.merge(part)
            self.seen(self.total)
            with self.lock:
                self.merged += 1

    def finish(self) -> None:
        """Wait for the helpers; after an interrupt not for those at work of their own, whose results nobody takes."""
        with self.lock:
            self.closed = True
        while self.active:
            with self.lock:
                if self.private and self.active == self.working and not isinstance(self.failure, Exception | None):
                    return
            time.sleep(MOMENT)


def _unseen(total: Any) -> None:
    pass


def reduce(
    jobs: Iterator[T], work: Callable[[T], M], n_threads: int, total: M | None = None, seen: Callable[[M], None] = _unseen,
    private: bool = False,
) -> M | None:  # fmt: skip
    """The results of `work` on each job, merged in the order of the jobs; None for no jobs.

    Parameters
    ----------
    jobs : iterator
        Advanced by one thread at a time.
    work : callable
        Runs on any of the threads.
    n_threads : int
        With 1, or from inside a thread of the pool, all happens in the calling thread.
    total : optional
        What jobs before these came to.
    seen : callable
        Called with the total each time that a result has become a part of it, by one thread at a time, while nothing changes it.
    private : bool
        Whether `work` changes nothing but its result: then an interrupt leaves other threads at what they are at.

    Raises
    ------
    Whatever a job, `work` or a merge raises, once, with its traceback, after all threads have stopped (but see `private`).
    """
    if n_threads <= 1 or _here.inside:
        return _one_by_one(jobs, work, total, seen)
    first, second = next(jobs, None), next(jobs, None)
    if second is None:
        return total if first is None else _one_by_one(iter([first]), work, total, seen)
    assert first is not None
    n_threads = min(n_threads, max(MOST_THREADS, available()))
    shared = _Reduction(_again(first, second, jobs), work, n_threads + 1, total, seen, private)
    here = copy_context()  # what NumPy is to warn of, which the caller may have set, holds in the other threads too
    begun = False
    while True:
        try:
            if not begun:
                begun = True
                _pool.ask(n_threads - 1, lambda: here.copy().run(shared.help))
                shared.take_part()
            shared.finish()
            break
        except BaseException as failure:  # of a job, or an interrupt, even while waiting
            if shared.failure is None:
                shared.failure = failure
    if shared.failure is None:
        return shared.total
    close = getattr(jobs, "close", None)
    if close is not None:
        close()  # now, not when the collector finds the cycle of failure, traceback and frame
    raise shared.failure


def _one_by_one(jobs: Iterator[T], work: Callable[[T], M], total: M | None, seen: Callable[[M], None]) -> M | None:
    for job in jobs:
        part = work(job)
        if total is None:
            total = part
        else:
            total.merge(part)
        seen(total)
    return total


def _again(first: T, second: T, rest: Iterator[T]) -> Iterator[T]:
    yield first
    yield second
    yield from rest
