"""Reading ahead: one thread that fetches what the fold will ask for next."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Any, TypeVar

T = TypeVar("T")

DEPTH = 2
"""Items that wait: one to take and one in case the next is slow."""

POLL = 0.1
"""Seconds after which a reader that nobody empties looks whether it is still wanted."""


def ahead(items: Iterable[T], depth: int = DEPTH) -> Iterator[T]:
    """The items in their order, made by another thread, up to `depth` of them before they are asked for.

    What making them raises is raised here, in its place.  The thread ends with the items, and within a moment of the generator's being
    closed; the items' own generator is closed by it.
    """
    queue: Queue[tuple[str, Any]] = Queue(depth)
    stop = threading.Event()

    def put(kind: str, value: Any) -> None:
        while not stop.is_set():
            try:
                queue.put((kind, value), timeout=POLL)
                return
            except Full:
                continue

    def read() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                put("item", item)
                if stop.is_set():
                    break
        except BaseException as failure:
            put("failure", failure)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
            put("end", None)

    thread = threading.Thread(target=read, name="ridgeline-reader", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = queue.get()
            if kind == "end":
                break
            if kind == "failure":
                raise value
            yield value
            del value
    finally:
        stop.set()
        while True:  # wake the reader at once
            try:
                queue.get_nowait()
            except Empty:
                break
        thread.join()
