"""What a source leaves out because it cannot be read, and how it is told."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """What is left out: where it is and why, and how many rows it should have had (None where that cannot be known)."""

    why: str
    rows: int | None


def warn_of(skipped: Sequence[Skipped]) -> None:
    """One warning that says how much is left out, and why the first of it."""
    if skipped:
        rows, parts = sum(part.rows or 0 for part in skipped), sum(part.rows is None for part in skipped)
        counts = f"{rows} rows" + (f" and {parts} part(s) of unknown length" if parts else "")
        warnings.warn(f"skipped {counts} that cannot be read. The first: {skipped[0].why}", UserWarning, stacklevel=3)
