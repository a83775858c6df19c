"""A summary as values, and back: for any summary, since what it has added up lies in its attributes.

An attribute that a file has a place for (numbers, strings, arrays, lists, tuples and dicts of these) is state; one that is a summary itself
has a state of its own.  Anything else (a loss, coordinates, a dtype) says what is summed, is the same in every summary of a fold, and comes
from the empty one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..files.envelope import expect
from ..workspace import aligned
from .fingerprint import fingerprint, parts_of

_NUMBERS = (bool, int, float, np.generic)
_PLAIN = (str, type(None), *_NUMBERS)


def state_of(summary: Any, empty: Any) -> dict[str, Any]:
    """The attributes of `summary` that hold what it has added up, by name.

    Parameters
    ----------
    summary : Summary
    empty : Summary
        An empty one of the same fold.

    Raises
    ------
    TypeError
        For an attribute that a file has no place for and that differs from the empty summary's: it would be lost.
    """
    state = {}
    for name, value in vars(summary).items():
        before = getattr(empty, name, None)
        if _is_summary(value):
            state[name] = state_of(value, before)
        elif _is_value(value):
            state[name] = value
        elif not _same(value, before):
            raise TypeError(
                f"a checkpoint has no place for {type(summary).__name__}.{name}, a {type(value).__name__}: a summary keeps what it adds up "
                "in numbers, strings, arrays, lists, tuples and dicts."
            )
    return state


def restore(empty: Any, state: Any) -> Any:
    """The summary whose state this is, made of an empty one.

    Raises
    ------
    ValueError
        For the state of another summary.
    """
    expect(type(state) is dict, "the state of a summary is no mapping")
    for name, value in vars(empty).items():
        if _is_summary(value):
            restore(value, state.get(name))
        elif _is_value(value):
            expect(name in state, f"{type(empty).__name__}.{name} is missing")
            expect(_fits(state[name], value), f"{type(empty).__name__}.{name} has another shape or type")
    for name, value in state.items():
        before = getattr(empty, name, None)
        if not _is_summary(before):
            expect(name in vars(empty) and _is_value(before), f"{type(empty).__name__} has no {name}")
            setattr(empty, name, _own(value))
    return empty


def _same(value: Any, before: Any) -> bool:
    """Whether an attribute that is no value is what it was in the empty summary; where that cannot be seen, it counts as changed."""
    known = isinstance(value, np.dtype) or bool(parts_of(value))
    return value is before or (known and fingerprint(value) == fingerprint(before))


def _is_summary(value: Any) -> bool:
    return hasattr(value, "add_rows") and hasattr(value, "merge")


def _is_value(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_value, value))
    if isinstance(value, dict):
        return all(_is_value(key) and _is_value(item) for key, item in value.items())
    return isinstance(value, _PLAIN) or type(value) is np.ndarray


def _fits(value: Any, before: Any) -> bool:
    """Whether a value can have come of this one by adding rows.

    Arrays keep their shape, lists may grow, None may become anything; a whole number that does not begin at zero counts no rows, and stays.
    """
    if before is None:
        return True
    if type(before) is np.ndarray:
        return type(value) is np.ndarray and value.dtype == before.dtype and value.shape == before.shape
    if type(before) is int and before != 0:
        return type(value) is int and value == before
    if isinstance(before, _NUMBERS):
        return isinstance(value, _NUMBERS)
    return type(value) is type(before)


def _own(value: Any) -> Any:
    """A large array begins with a cache line, as the kernels' own do."""
    if type(value) is np.ndarray and value.flags.c_contiguous and value.dtype.kind == "f":
        new = aligned(value.shape, value.dtype)
        new[...] = value
        return new
    return value
