"""Fits that are killed at any moment, a few by default and a thousand in the exhaustive part."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


@pytest.mark.parametrize("count", [pytest.param(20, marks=pytest.mark.slow), pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_killed_and_run_again(count: int) -> None:
    from .kills import attack

    kills, _ = attack(count, seed=1)
    assert kills.total() == count
