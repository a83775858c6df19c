"""Python values as JSON and a list of arrays.

A value is itself where JSON has it (null, true, whole numbers, finite fractions, strings); anything else is an object of its own:

    {"array": k}, {"scalar": k}                 the k-th array, and its one entry
    {"text": [...], "dtype", "shape"}           an array of strings
    {"objects": [...], "shape"}                 an array of Python objects
    {"float": "nan"}                            or "inf", "-inf"
    {"list": []}, {"tuple": []}, {"dict": [[key, value], ...]}
    {"certificate": {}}                         the entries of a `Certificate`

JSON prints the shortest decimal that reads back as the same double, so nothing is rounded on the way.
"""

from __future__ import annotations

import math
import re
from dataclasses import fields
from typing import Any

import numpy as np

from ..certificate import STATUSES, Certificate
from .envelope import expect, is_count, little, shape_of

_TEXT_DTYPE = re.compile(r"<U[1-9][0-9]{0,5}")
_MAX_PADDED_TEXT = 1 << 26


class Writer:
    """Values as JSON, and the arrays they refer to: `arrays`, in order, little endian."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def value(self, value: Any, name: str) -> Any:
        """The JSON of a value; `name` is what messages call it.

        Raises
        ------
        ValueError
            For a value of another kind.
        """
        kind = type(value)
        if value is None or kind in (bool, int):
            return value
        if isinstance(value, str):
            return str(value)
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind in (list, tuple):
            return {kind.__name__: [self.value(item, name) for item in value]}
        if kind is dict:
            return {"dict": [[self.value(key, name), self.value(item, name)] for key, item in value.items()]}
        if kind is Certificate:
            return {"certificate": {f.name: self.value(getattr(value, f.name), name) for f in fields(Certificate)}}
        if isinstance(value, np.generic):
            return {"scalar": self._keep(np.asarray(value), name)}
        if kind is np.ndarray and value.dtype.kind == "O":
            return {"objects": [self.value(item, name) for item in value.ravel()], "shape": list(value.shape)}
        if kind is np.ndarray and value.dtype.kind == "U":
            dtype = value.dtype.newbyteorder("<").str
            return {"text": value.ravel().tolist(), "dtype": dtype, "shape": list(value.shape)}
        if kind is np.ndarray:
            return {"array": self._keep(value, name)}
        raise ValueError(f"cannot save {name}: there is no place in a file for {kind.__module__}.{kind.__qualname__}.")

    def _keep(self, array: np.ndarray, name: str) -> int:
        stored = little(array)
        if stored is None:
            raise ValueError(f"cannot save {name}: there is no place in a file for an array of {array.dtype} with {array.ndim} axes.")
        self.arrays.append(stored)
        return len(self.arrays) - 1


class Reader:
    """Values of JSON and arrays; the mirror image of `Writer`.

    Parameters
    ----------
    arrays : list of ndarray
    available : int
        Bytes of the file: what it says of lengths is held against them.
    """

    def __init__(self, arrays: list[np.ndarray], available: int) -> None:
        self.arrays = arrays
        self.available = available

    def value(self, value: Any) -> Any:
        """The value of what `Writer.value` returned.

        Raises
        ------
        ValueError, TypeError, KeyError
            For anything else.
        """
        if not isinstance(value, dict):
            expect(not isinstance(value, list), "a list stands where a value should")
            return value
        for kind in ("array", "scalar", "float", "list", "tuple", "dict", "text", "objects", "certificate"):
            if kind in value:
                return getattr(self, f"_{kind}")(value)
        raise ValueError("a value of unknown kind")

    def _array(self, value: dict[str, Any]) -> np.ndarray:
        return self._kept(value["array"])

    def _scalar(self, value: dict[str, Any]) -> Any:
        array = self._kept(value["scalar"])
        expect(array.ndim == 0, "a scalar with axes")
        return array[()]

    def _kept(self, k: Any) -> np.ndarray:
        expect(is_count(k) and k < len(self.arrays), f"there is no array {k!r}")
        return self.arrays[k]

    def _float(self, value: dict[str, Any]) -> float:
        expect(value["float"] in ("nan", "inf", "-inf"), "a number that is none")
        return float(value["float"])

    def _items(self, value: Any) -> list[Any]:
        expect(isinstance(value, list), "a list that is none")
        return [self.value(item) for item in value]

    def _list(self, value: dict[str, Any]) -> list[Any]:
        return self._items(value["list"])

    def _tuple(self, value: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self._items(value["tuple"]))

    def _dict(self, value: dict[str, Any]) -> dict[Any, Any]:
        pairs = value["dict"]
        expect(isinstance(pairs, list), "a mapping that is none")
        expect(all(isinstance(p, list) and len(p) == 2 for p in pairs), "a mapping that is none")
        return {self.value(key): self.value(item) for key, item in pairs}

    def _text(self, value: dict[str, Any]) -> np.ndarray:
        strings, dtype = value["text"], value["dtype"]
        expect(isinstance(strings, list) and all(type(s) is str for s in strings), "text that is none")
        expect(isinstance(dtype, str) and _TEXT_DTYPE.fullmatch(dtype) is not None, f"text of the dtype {dtype!r}")
        width = int(dtype[2:])
        expect(max(map(len, strings), default=1) <= width, "text longer than its dtype")
        # NumPy pads every string to the width, 4 bytes a character: a false width must not be paid for.
        expect(4 * width * len(strings) <= _MAX_PADDED_TEXT + 64 * self.available, "text far wider than the file")
        return np.array(strings, dtype=f"=U{width}").reshape(self._filled(value["shape"], len(strings)))

    def _objects(self, value: dict[str, Any]) -> np.ndarray:
        items = self._items(value["objects"])
        out = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):
            expect(item is None or isinstance(item, (bool, int, float, str, np.generic)), "an array of containers")
            out[i] = item
        return out.reshape(self._filled(value["shape"], len(items)))

    def _filled(self, shape: Any, count: int) -> tuple[int, ...]:
        axes = shape_of(shape, self.available)
        expect(math.prod(axes) == count, f"{count} entries do not fill the shape {axes}")
        return axes

    def _certificate(self, value: dict[str, Any]) -> Certificate:
        entries = value["certificate"]
        expect(isinstance(entries, dict) and set(entries) == {f.name for f in fields(Certificate)}, "another kind of certificate")
        certificate = Certificate(**{key: self.value(item) for key, item in entries.items()})
        expect(certificate.status in STATUSES, f"a certificate of the status {certificate.status!r}")
        expect(all(isinstance(s, str) for s in (certificate.solver, certificate.message)), "a certificate without words")
        numbers = certificate.gradient_norm, certificate.suboptimality, certificate.condition, certificate.passes
        expect(all(isinstance(v, (int, float, np.integer, np.floating)) for v in numbers), "a certificate without numbers")
        return certificate
