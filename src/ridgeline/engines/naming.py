"""Which machines the argument `engine` names: the table of the engines."""

from __future__ import annotations

from typing import Any

from . import dask_workers, ray_workers
from .contract import Machines

ENGINES = {"dask": dask_workers, "ray": ray_workers}
"""Modules that have an engine. Its `machines(engine)` gives partitions to the machines that `engine` names, if it is one of its own."""

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
