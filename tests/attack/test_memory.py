"""Allocations refused one after another, and memory that stays: in a process of their own (`memory.py`)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the shim is for the GNU C library"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler here"),
]


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_no_refused_allocation_does_harm(stride: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.attack.memory", str(stride)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert "kB more are resident" in done.stdout
