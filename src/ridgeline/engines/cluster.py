"""The engine of `dask.distributed`: partitions stay on the workers that hold them, or are computed there.

A fold is one graph: the recipe, a leaf beside each partition, the nodes over them.  All tasks are pure, so that the scheduler makes again
what a lost worker had made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any
from uuid import uuid4

from .contract import leaf, node
from .tree import root

POLL = 0.1
"""Seconds between two calls of `waiting`."""


class DaskEngine:
    """The partitions of Dask collections, computed by a client's workers.

    Parameters
    ----------
    client : distributed.Client
    *collections : Dask data frame or array, or None
        A leaf is given the k-th partition of the one, or the list of the k-th partitions of the several (None of None).
    """

    def __init__(self, client: Any, *collections: Any) -> None:
        from dask.core import flatten

        self.client = client
        self._graph: dict[Any, Any] = {}
        keys: list[Iterable[Any]] = []
        for collection in collections:
            if collection is None:
                keys.append(repeat(None))
                continue
            # a frame's expression fuses what it can; of an array's optimised graph, what is persisted would be left out
            whole = collection.optimize() if hasattr(collection, "optimize") else collection
            self._graph.update(whole.__dask_graph__())
            keys.append(list(flatten(whole.__dask_keys__())))
        self._partitions = [parts[0] if len(parts) == 1 else list(parts) for parts in zip(*keys)]

    def total(self, recipe: bytes, waiting: Callable[[], None]) -> bytes:
        """See `Engine`."""
        from dask.delayed import Delayed
        from distributed import wait

        name = f"ridgeline-{uuid4().hex}"
        graph = dict(self._graph)

        def add(*task: Any) -> str:
            key = f"{name}-{len(graph)}"
            graph[key] = task
            return key

        sent = add(bytes, recipe)  # a task, so that workers pass it on among themselves, and none holds the only one
        leaves = [add(leaf, sent, number, partition) for number, partition in enumerate(self._partitions)]
        future = self.client.compute(Delayed(root(leaves, lambda places: add(node, places)), graph))
        try:
            while not future.done():
                waiting()
                try:
                    wait(future, timeout=POLL)
                except TimeoutError:
                    continue
            return future.result()
        finally:
            future.release()


def active_client() -> Any:
    """The `distributed.Client` that Dask would compute with now; None where it would compute in this process."""
    if "distributed" not in sys.modules:
        return None
    from dask.base import get_scheduler
    from distributed import Client

    client = getattr(get_scheduler(), "__self__", None)
    return client if isinstance(client, Client) else None
