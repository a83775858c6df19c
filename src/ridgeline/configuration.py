"""What a report of a wrong answer or a slow fit should say about the machine and the installation."""

from __future__ import annotations

import importlib.metadata
import os
import platform


def show_config() -> None:
    """Print the versions, the instruction set of the kernels and the processors at hand.

    Examples
    --------
    >>> from ridgeline import show_config
    >>> show_config()  # doctest: +SKIP
    ridgeline        0.1.0
    python           3.11.7 (CPython, Linux x86_64)
    numpy            2.4.6
    scipy            1.17.1
    instruction set  avx512 (of baseline, avx2, avx512; RIDGELINE_ISA chooses)
    processors       2
    """
    from .kernels import AVAILABLE, ISA, VARIABLE

    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    lines = {
        "ridgeline": importlib.metadata.version("ridgeline"),
        "python": f"{platform.python_version()} ({platform.python_implementation()}, "
        f"{platform.system()} {platform.machine()})",
        "numpy": importlib.metadata.version("numpy"),
        "scipy": importlib.metadata.version("scipy"),
        "instruction set": f"{ISA} (of {', '.join(AVAILABLE)}; {VARIABLE} chooses)",
        "processors": len(affinity(0)) if affinity else os.cpu_count(),
    }
    for what, value in lines.items():
        print(f"{what:<16} {value}")
