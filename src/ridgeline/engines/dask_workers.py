"""The engine of `dask.distributed`: partitions stay on the workers that hold them, or are computed there.

A fold is one graph: the recipe, a leaf beside each partition, the nodes over them.  All tasks are pure, so that the scheduler makes again
what a lost worker had made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import repeat
from typing import Any
from uuid import uuid4

from .contract import Machines, leaf, node
from .tree import root

POLL = 0.1
"""Seconds between two calls of `waiting`."""

CONNECT = 10.0
"""Seconds in which a scheduler must answer and a worker be there."""

DASHBOARD = "127.0.0.1:0"
"""Of workers of this machine: seen from it alone, at any free port, for the usual one may be taken, of which a warning would tell."""


class DaskEngine:
    """Partitions that a client's workers hold or compute.

    Parameters
    ----------
    client : distributed.Client
    partitions : sequence
        Keys of the graph, lists of them, or what is to be sent to a worker as it is.
    graph : dict
        Of tasks by key.
    """

    def __init__(self, client: Any, partitions: Sequence[Any], graph: dict[Any, Any] | None = None) -> None:
        self.client, self.count = client, len(partitions)
        self._partitions, self._graph = partitions, graph or {}

    @classmethod
    def of(cls, client: Any, *collections: Any) -> DaskEngine:
        """The partitions of Dask collections.

        A leaf is given the k-th partition of the one, or the list of the k-th partitions of the several (None of None).
        """
        from dask.core import flatten

        graph: dict[Any, Any] = {}
        keys: list[Iterable[Any]] = []
        for collection in collections:
            if collection is None:
                keys.append(repeat(None))
                continue
            # a frame's expression fuses what it can; of an array's optimised graph, what is persisted would be left out
            whole = collection.optimize() if hasattr(collection, "optimize") else collection
            graph.update(whole.__dask_graph__())
            keys.append(list(flatten(whole.__dask_keys__())))
        return cls(client, [parts[0] if len(parts) == 1 else list(parts) for parts in zip(*keys)], graph)

    def total(self, recipe: bytes, waiting: Callable[[int], None]) -> bytes:
        """See `Engine`."""
        from distributed import wait

        name = f"ridgeline-{uuid4().hex}"
        graph = dict(self._graph)

        def add(*task: Any) -> str:
            key = f"{name}-{len(graph)}"
            graph[key] = task
            return key

        sent = add(bytes, recipe)  # a task, so that workers pass it on among themselves, and none holds the only one
        leaves = [add(leaf, sent, number, partition) for number, partition in enumerate(self._partitions)]
        *left, whole = self.client.get(graph, [*leaves, root(leaves, lambda places: add(node, places))], sync=False)
        try:
            while not whole.done():
                left = [future for future in left if not future.done()]  # an image that is let go stays until it is merged
                waiting(self.count - len(left))
                with self.client.as_current(), suppress(TimeoutError):  # `wait` asks for the current one
                    wait(whole, timeout=POLL)
            return bytes(whole.result())
        finally:
            for future in (*left, whole):
                future.release()


def machines(engine: Any) -> Machines | None:
    """What gives partitions to the workers of a `distributed.Client`; None for anything else."""
    return partial(DaskEngine, engine) if is_client(engine) else None


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at `host:port`; without an address, of workers of this machine, a process per processor.

    Raises
    ------
    ImportError
        Without `distributed`.
    ConnectionError
        If no scheduler answers, or it has no worker.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError("Dask's workers need dask.distributed: pip install 'ridgeline[dask]'.") from error
    if not address:
        with (
            LocalCluster(processes=True, threads_per_worker=1, dashboard_address=DASHBOARD, silence_logs=50) as local,
            Client(local, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = Client(f"tcp://{address}", timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {address} within {CONNECT:g} seconds; is it running there?") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError as error:
            raise ConnectionError(f"the Dask scheduler at {address} has had no worker for {CONNECT:g} seconds; start some.") from error
        yield client


def is_client(value: Any) -> bool:
    """Whether a value is a `distributed.Client`."""
    if "distributed" not in sys.modules:
        return False
    from distributed import Client

    return isinstance(value, Client)


def active_client() -> Any:
    """The `distributed.Client` that Dask would compute with now; None where it would compute in this process."""
    if "distributed" not in sys.modules:
        return None
    from dask.base import get_scheduler

    client = getattr(get_scheduler(), "__self__", None)
    return client if is_client(client) else None
