"""The choice of an instruction set, and that the sets agree."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ridgeline
from ridgeline import kernels
from tests import ulps

PACKAGE = Path(ridgeline.__file__).parent


def in_fresh_interpreter(statement, **environment):
    return subprocess.run(
        [sys.executable, "-c", statement],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_baseline_is_always_there():
    assert kernels.AVAILABLE[0] == "baseline"
    assert kernels.ISA in kernels.AVAILABLE


def test_the_widest_unless_told():
    assert kernels.choose(None) == kernels.choose("") == kernels.AVAILABLE[-1]


@pytest.mark.parametrize("isa", kernels.AVAILABLE)
def test_the_environment_chooses(isa):
    done = in_fresh_interpreter("from ridgeline import kernels; print(kernels.ISA)", RIDGELINE_ISA=isa)
    assert done.stdout.strip() == isa, done.stderr


def test_an_unknown_name_is_told_what_there_is():
    done = in_fresh_interpreter("import ridgeline; ridgeline.sigmoid(0.0)", RIDGELINE_ISA="sse9")
    expected = f"ValueError: RIDGELINE_ISA is 'sse9'; available here: {', '.join(kernels.AVAILABLE)}."
    assert done.stderr.splitlines()[-1] == expected


@pytest.mark.parametrize("isa", kernels.AVAILABLE)
@pytest.mark.parametrize("name", sorted(kernels._IN_EVERY_SET))
def test_each_kernel_is_compiled_for_each_set(name, isa):
    suffix = "" if isa == "baseline" else f"_{isa}"
    assert kernels.load(name, isa).__name__ == f"ridgeline._core.{name}{suffix}"


def test_no_module_goes_past_the_choice():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "kernels.py":
            assert not re.search(r"^\s*(from|import)\b.*\b_core\b", path.read_text(), re.MULTILINE), path


def test_show_config(capsys):
    ridgeline.show_config()
    shown = capsys.readouterr().out
    assert f"instruction set  {kernels.ISA} " in shown
    assert ridgeline.__version__ in shown


# --- agreement -------------------------------------------------------------------------------------------

# Every set is within 1.25 ulps of the exact value in float64 (softmax: 2) and so within twice that of another.
FURTHEST = {"sigmoid": 2, "log_sigmoid": 2, "softplus": 2, "softmax": 4, "log_softmax": 2, "logsumexp": 2}


def result(name, isa, z):
    out = np.empty(len(z), z.dtype) if name == "logsumexp" else np.empty_like(z)
    getattr(kernels.load("activations", isa), name)(z, out)
    return out


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("isa", kernels.AVAILABLE[1:])
@pytest.mark.parametrize("name", ["sigmoid", "log_sigmoid", "softplus"])
def test_elementwise_functions_agree(name, isa, dtype):
    z = ulps.scalar_points(100_000, dtype, seed=5)
    np.testing.assert_array_max_ulp(result(name, isa, z), result(name, "baseline", z), FURTHEST[name])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("c", [2, 3, 10, 100, 1000])
@pytest.mark.parametrize("isa", kernels.AVAILABLE[1:])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_functions_of_rows_agree(name, isa, c, dtype):
    z = ulps.logit_rows(30_000 // c, c, dtype, seed=5)
    ours, baseline = result(name, isa, z), result(name, "baseline", z)
    if name == "logsumexp":  # where the greatest entry and the logarithm cancel, another kernel decides
        clear = np.abs(baseline) > 0.5 * np.abs(z).max(axis=1)
        ours, baseline = ours[clear], baseline[clear]
    np.testing.assert_array_max_ulp(ours, baseline, FURTHEST[name])
