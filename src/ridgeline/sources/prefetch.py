"""Reading ahead: one thread that fetches what the fold will ask for next."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

DEPTH = 2
"""Items that wait: one to take and one in case the next is slow."""

POLL = 0.1
"""Seconds after which a reader that nobody empties looks whether it is still wanted."""


MOMENT = 0.001
"""Seconds between two looks whether the reader has ended."""


class _Reader:
    """What the thread and the one who takes its items share; like `threads`, without locks that an interrupt could leave locked."""

    def __init__(self, items: Iterable[Any], depth: int) -> None:
        self.items = items
        self.wanted, self.running = True, False
        self.made: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.places: SimpleQueue[None] = SimpleQueue()
        for _ in range(depth):
            self.places.put(None)

    def put(self, kind: str, value: Any) -> None:
        """Wait for a place, and leave something there."""
        while self.wanted:
            try:
                self.places.get(timeout=POLL)
            except Empty:
                continue
            self.made.put((kind, value))
            return

    def read(self) -> None:
        self.running = True
        try:
            self._read()
        finally:
            self.running = False

    def _read(self) -> None:
        if not self.wanted:
            return
        iterator = iter(self.items)
        try:
            for item in iterator:
                self.put("item", item)
                if not self.wanted:
                    break
        except BaseException as failure:
            self.put("failure", failure)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
            self.put("end", None)


def ahead(items: Iterable[T], depth: int = DEPTH) -> Iterator[T]:
    """The items in their order, made by another thread, up to `depth` of them before they are asked for.

    What making them raises is raised here, in its place.  The thread ends with the items, and within a moment of the generator's being
    closed; the items' own generator is closed by it.
    """
    reader = _Reader(items, depth)
    try:
        threading.Thread(target=reader.read, name="ridgeline-reader", daemon=True).start()
        while True:
            kind, value = reader.made.get()
            reader.places.put(None)
            if kind == "end":
                break
            if kind == "failure":
                raise value
            yield value
            del value
    finally:
        reader.wanted = False
        reader.places.put(None)  # wake it at once
        while reader.running:  # a thread whose start was interrupted may never run, and could not be joined
            time.sleep(MOMENT)
