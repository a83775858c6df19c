"""Warnings that point at the line of the caller's program, however deep in the library they arise."""

from __future__ import annotations

import sys
import warnings


def warn(message: str, category: type[Warning]) -> None:
    """Warn; the place is that of the innermost call from outside the library."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "ridgeline":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
