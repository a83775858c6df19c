"""The compiled kernels, in the widest instruction set that this processor runs.

Each kernel of `_core/` is compiled for a baseline and, on x86-64, for AVX2 with FMA and for AVX-512 (see
meson.build). The environment variable RIDGELINE_ISA picks another set than the widest, for tests and
comparisons. The sets agree to rounding, not to the bit.

    AVAILABLE    names of the sets that run here, "baseline" first, the widest last
    ISA          the one in use
    load(name)   the module of a kernel
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from ._core.processor import in_every_set, instruction_sets

VARIABLE = "RIDGELINE_ISA"

AVAILABLE: tuple[str, ...] = instruction_sets()
_IN_EVERY_SET: frozenset[str] = in_every_set()


def choose(wanted: str | None) -> str:
    """The set called `wanted`; the widest where it is None or empty."""
    if not wanted:
        return AVAILABLE[-1]
    if wanted not in AVAILABLE:
        raise ValueError(f"{VARIABLE} is {wanted!r}; available here: {', '.join(AVAILABLE)}.")
    return wanted


ISA = choose(os.environ.get(VARIABLE))


def load(name: str, isa: str = ISA) -> ModuleType:
    """The kernel module `name`, compiled for `isa`."""
    suffix = "" if isa == "baseline" or name not in _IN_EVERY_SET else f"_{isa}"
    return import_module(f"ridgeline._core.{name}{suffix}")
