"""Moments of a table as a file: what sites, days and machines send each other in place of rows.

The format is "RLMTB" in the envelope of `files.envelope`: a header {"ridgeline": version, "notes": {...}} and one array, the bytes that
`Moments.to_bytes` gives.  The notes name the columns, so that moments of other columns are never merged by mistake.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from .files.envelope import Format, damage, expect, read_file, seal, unseal
from .files.replacement import replace_file
from .moments import Moments

MOMENTS = Format(b"RLMTB", 1, "moments file")


def save(moments: Any, path: str | os.PathLike[str], notes: Mapping[str, Any]) -> None:
    """Write moments to a file, whole or not at all.

    Raises
    ------
    OSError
    """
    header = {"ridgeline": import_module("ridgeline").__version__, "notes": dict(notes)}
    replace_file(path, seal(MOMENTS, header, [np.frombuffer(moments.to_bytes(), np.uint8)]))


def read(path: str | os.PathLike[str]) -> tuple[Any, dict[str, Any], str]:
    """Moments, notes, and the version that wrote them.

    Raises
    ------
    ValueError
        Saying whether the file holds no moments, is of a newer version, cut short or damaged.
    OSError
    """
    where = os.fspath(path)
    opened = unseal(MOMENTS, read_file(MOMENTS, path), where)
    with damage(where):
        (image,) = opened.arrays
        expect(isinstance(opened.header["notes"], dict) and isinstance(opened.header["ridgeline"], str), "the notes are no object")
        return Moments.from_bytes(image.tobytes()), opened.header["notes"], opened.header["ridgeline"]
