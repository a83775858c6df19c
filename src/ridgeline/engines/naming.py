"""Which machines the argument `engine` names: the table of the engines."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from . import dask_workers, ray_workers
from .contract import Machines

ENGINES = {"dask": dask_workers, "ray": ray_workers}
"""Modules that have an engine.

Its `machines(engine)` gives partitions to the machines that `engine` names, if it is one of its own; its `connected(address)` is a scope
with what to name.
"""

HERE = "serial"
"""The name of this process."""


def machines(engine: Any) -> Machines | None:
    """What gives partitions to the machines that `engine` names; None for None and "serial".

    Raises
    ------
    TypeError
        For anything that no engine knows.
    """
    if engine is None or (isinstance(engine, str) and engine == HERE):
        return None
    for module in ENGINES.values():
        found = module.machines(engine)
        if found is not None:
            return found
    raise TypeError(f"engine must be None, 'serial', a distributed.Client or 'ray', got {engine!r}.")


def connected(text: str) -> AbstractContextManager[Any]:
    """A scope with the `engine` that a command line names: `dask`, `dask://host:port`, `ray`.

    Raises
    ------
    ValueError
        For another name. Entering the scope raises ImportError and ConnectionError.
    """
    name, _, address = text.partition("://")
    if name not in ENGINES:
        raise ValueError(f"there is no engine {text!r}; name one of {', '.join(ENGINES)}, with ://HOST:PORT for one that runs elsewhere.")
    return ENGINES[name].connected(address)
