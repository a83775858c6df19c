"""Changes to a module's text: each kind, their numbers, and that a changed module is what is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .mutants import ROOT, every, reaching, stages
from .mutations import mutated, mutations

CASES = {
    "Lt for LtE": ("def f(x): return x <= 3", 3, False),
    "Sub for Add": ("def f(x): return x + 3", 1, -2),
    "Div for Mult": ("def f(x):\n    y = 6\n    y *= x\n    return y", 2, 3.0),
    "Or for And": ("def f(x): return x > 3 and x < 5", 9, True),
    "Not dropped": ("def f(x): return not x", 1, 1),
    "max for min": ("def f(x): return min(x, 2)", 5, 5),
    "4": ("def f(x): return x * 3", 2, 8),
    "False": ("def f(x): return x is True", False, True),
    "None returned": ("def f(x): return x", 1, None),
    "raise dropped": ("def f(x):\n    if x:\n        raise ValueError\n    return 1", 1, 1),
    "call dropped": ("def f(x):\n    x.append(1)\n    return x", [], []),
    "attribute not set": ("def f(x):\n    f.y = 1\n    return hasattr(f, 'y')", 1, False),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_kind(kind):
    text, given, got = CASES[kind]
    (number,) = (found.number for found in mutations(text) if found.kind == kind)
    place: dict = {}
    exec(compile(mutated(text, number), "f", "exec"), place)
    assert place["f"](given) == got


def test_what_is_not_touched():
    text = (
        '"""Words."""\nLIMIT = 3 + 4\nTABLE: dict = {1: 2}\n@decorated(1)\n'
        'def f(x: int = None) -> int:\n    "More."\n    assert x > 1, f"{x + 1}"\n'
    )
    assert list(mutations(text)) == []


def test_a_changed_module_is_imported():
    mutant = next(one for one in every("workspace.py") if one.mutation.kind == "None returned")  # the first function's
    code = "import tests.attack.mutant, ridgeline.workspace as w, numpy; print(w.padded(3, numpy.dtype(float)), w.block_rows(3))"
    environment = os.environ | {"RIDGELINE_MUTANT": f"{mutant.name}:{mutant.mutation.number}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    changed, same = done.stdout.split()
    assert changed == "None" != same


def test_every_module_has_tests_of_its_own_or_of_its_folder():
    assert all(len(stages(mutant.module)) >= 1 for mutant in every("solvers"))
    (near, beside, _) = stages(every("solvers/newton.py")[0].module)
    assert "tests/solvers/test_newton.py" in near and beside == ["tests/solvers"]


def test_of_the_tests_that_reach_a_line_the_nearest_come_first():
    class Known:
        def tests(self, module, line):
            return {"tests/test_many.py::a", "tests/solvers/test_dual.py::b", "tests/solvers/test_newton.py::c[1]", "tests/test_many.py::d"}

    found = reaching(every("solvers/newton.py")[0], Known())
    assert [files for files, _ in found] == [["tests/solvers/test_newton.py"], ["tests/solvers/test_dual.py"], ["tests/test_many.py"]]
    assert all(tests == Known().tests(None, 0) for _, tests in found)
