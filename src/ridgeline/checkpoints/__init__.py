"""Long fits that survive their process: `checkpoint` records what each fold over the rows finds, and the same work goes on from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scope import Checkpoint

current: ContextVar[Checkpoint | None] = ContextVar("ridgeline_checkpoint", default=None)
"""The record of the innermost scope, if any."""


@contextmanager
def unrecorded() -> Iterator[None]:
    """A scope whose folds are not recorded: for work whose order depends on chance."""
    token = current.set(None)
    try:
        yield
    finally:
        current.reset(token)
