"""A plugin for pytest under which one module of the library is imported with one change: RIDGELINE_MUTANT=ridgeline.solvers.newton:17.

No file is touched: the module's text is changed on its way from the disk to the interpreter, in whatever process imports it.  Of the tests,
those run that RIDGELINE_TESTS names, a file that holds their list.  After RIDGELINE_SECONDS of a processor the run is killed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .mutations import mutated


class Changed(MetaPathFinder, Loader):
    """Finds one module as the others would, and runs its text with the change."""

    def __init__(self, module: str, number: int) -> None:
        self.module, self.number = module, number
        self.inner: Any = None

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self.module or self.inner is not None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                self.inner, spec.loader = spec.loader, self
                return spec
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        text = self.inner.get_source(self.module)
        exec(compile(mutated(text, self.number), str(module.__file__), "exec"), module.__dict__)

    def get_source(self, fullname: str) -> str:
        return str(self.inner.get_source(fullname))


def install() -> None:
    name, _, number = os.environ.get("RIDGELINE_MUTANT", "").partition(":")
    if name:
        assert name not in sys.modules, f"{name} was imported before it could be changed"
        sys.meta_path.insert(0, Changed(name, int(number)))
    seconds = int(os.environ.get("RIDGELINE_SECONDS", "0"))
    if seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests that a file, RIDGELINE_TESTS, names."""
    place = os.environ.get("RIDGELINE_TESTS", "")
    if place:
        names = set(json.loads(Path(place).read_text(encoding="utf-8")))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in names])
        items[:] = [item for item in items if item.nodeid in names]


install()
