"""What a fold was asked, in 16 bytes: a digest of values, arrays and the objects made of them.

A large array counts by its shape and by 128 x 128 of its entries, spread evenly: a fit run again on other rows is noticed, a few changed
cells among millions are not.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..sparse_rows import SparseRows

WHOLE = 1 << 14
"""Entries up to which every one counts: 128 kB, a tenth of a millisecond."""

PER_AXIS = 128
"""Places per axis of those that count in a larger array."""


def fingerprint(value: Any) -> str:
    """The digest of a value as hexadecimal digits; equal for equal values, on every machine."""
    digest = hashlib.blake2b(digest_size=16)
    _add(digest, value)
    return digest.hexdigest()


class Digests:
    """The digests of parts, in order: merges as a summary does, where the parts lie on several machines."""

    def __init__(self, value: Any) -> None:
        self.digests = [fingerprint(value)]

    def merge(self, other: Digests) -> None:
        self.digests += other.digests


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.shape} {value.dtype.newbyteorder('<').str}:".encode())
        _add_entries(digest, value)
    elif isinstance(value, SparseRows):
        _add(digest, ("sparse rows", value.shape, value.stored, value.begin, value.data, value.columns))
    elif value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.generic, np.dtype)):
        digest.update(f"{type(value).__name__} {value!r};".encode())
    elif isinstance(value, (list, tuple)):
        digest.update(f"{len(value)} of:".encode())
        for item in value:
            _add(digest, item)
    elif isinstance(value, dict):
        digest.update(f"{len(value)} pairs:".encode())
        for pair in value.items():
            _add(digest, pair)
    else:
        digest.update(f"{type(value).__module__}.{type(value).__qualname__}:".encode())
        _add(digest, parts_of(value))


def parts_of(value: Any) -> dict[str, Any]:
    """The attributes of an object by name; none for a function or a compiled one."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return {} if callable(value) and not hasattr(value, "add_rows") else dict(getattr(value, "__dict__", {}))


def _add_entries(digest: Any, array: np.ndarray) -> None:
    if array.size > WHOLE:
        most = PER_AXIS if array.ndim > 1 else WHOLE
        array = array[np.ix_(*(np.linspace(0, n - 1, min(n, most)).astype(np.intp) for n in array.shape))]
    if array.dtype.kind == "O":
        _add(digest, array.ravel().tolist())
    else:
        digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
