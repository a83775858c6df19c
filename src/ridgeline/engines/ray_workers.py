"""The engine of Ray: partitions are objects in its store, or what its tasks make of a description of them.

A fold is a task per partition and one per node of the tree, whose arguments are references: Ray runs them near what they are given, and
runs again what was lost with a worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from .contract import Machines, leaf, node
from .tree import root

POLL = 0.1
"""Seconds between two calls of `waiting`."""


class RayEngine:
    """Partitions that are object references, each of one partition, or values to be sent to a worker as they are.

    Parameters
    ----------
    partitions : sequence
    """

    def __init__(self, partitions: Sequence[Any]) -> None:
        self._partitions, self.count = list(partitions), len(partitions)

    def total(self, recipe: bytes, waiting: Callable[[int], None]) -> bytes:
        """See `Engine`."""
        import ray

        make, join = _tasks()
        sent = ray.put(recipe)
        left = [make.remote(sent, number, partition) for number, partition in enumerate(self._partitions)]
        whole = root(left, lambda places: join.remote(*places))
        try:
            while left:  # an image that is let go stays until it is merged
                waiting(self.count - len(left))
                _, left = ray.wait(left, num_returns=len(left), timeout=POLL, fetch_local=False)
            while not ray.wait([whole], timeout=POLL)[0]:
                waiting(self.count)
        except BaseException:
            for task in (*left, whole):
                ray.cancel(task)
            raise
        return bytes(ray.get(whole))


@cache
def _tasks() -> tuple[Any, Any]:
    """The two functions of the contract as Ray's remote ones."""
    import ray

    return ray.remote(leaf), ray.remote(_joined)


def _joined(*images: bytes) -> bytes:
    """`node`, of arguments one by one: Ray resolves references among these alone."""
    return node(images)


@contextmanager
def connected(address: str) -> Iterator[str]:
    """Ray as it is at `host:port`; without an address, at RAY_ADDRESS, or else on this machine.

    Raises
    ------
    ImportError
        Without `ray`.
    ConnectionError
        If nothing answers.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError("Ray's workers need ray: pip install 'ridgeline[ray]'.") from error
    ray.init(address=address or None, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield "ray"
    finally:
        ray.shutdown()


def machines(engine: Any) -> Machines | None:
    """What gives partitions to Ray's workers, for the word "ray"; None for anything else."""
    return RayEngine if isinstance(engine, str) and engine == "ray" else None
