"""A fitted model as a file: no pickle, nothing in it runs, and no length in it is trusted unchecked.

    offset  size  content
         0     8  b"RLMOD" and the version of the format as three digits
         8     8  N, bytes in the whole file, unsigned 64-bit, little endian like everything here
        16     8  H, bytes of the header
        24     H  the header: JSON in UTF-8
         .     .  the arrays in the order of the header, each from the next multiple of 8, zeros between
       N-4     4  CRC-32 of everything before it

The header is an object of

    ridgeline    version of the library that wrote the file
    class        name of the estimator, one of `CLASSES`
    parameters   its constructor's parameters
    attributes   its fitted attributes (`coef_`, `classes_`, `feature_names_in_`, `certificate_`, ...)
    state        what it needs to go on learning (`partial_fit`); may be empty
    notes        whatever the caller of `save` added; `python -m ridgeline` keeps the table's columns here
    arrays       a list of {dtype, shape, order}: how to read the raw bytes that follow

A value is itself where JSON has it (null, true, whole numbers, finite fractions, strings); anything else is
an object of its own: {"array": k} and {"scalar": k} for the k-th array, {"text", "dtype", "shape"} for arrays
of strings and {"objects", "shape"} for arrays of Python objects, {"float": "nan"}, {"list": []},
{"tuple": []}, {"dict": [[key, value]]}, {"certificate": {}}.  JSON prints the shortest decimal that reads
back as the same double, so nothing is rounded on the way.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import stat
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .certificate import STATUSES, Certificate
from .moments import Moments

MAGIC = b"RLMOD"
VERSION = 1
_PREFIX = struct.Struct("<5s3sQQ")
_CHECKSUM = struct.Struct("<I")

# Classes a file may name, and where they live.  Any other name is refused before anything is imported.
CLASSES = {
    "LinearRegression": "least_squares",
    "Ridge": "least_squares",
    "Lasso": "lasso",
    "ElasticNet": "lasso",
    "LassoCV": "lasso_cv",
    "ElasticNetCV": "lasso_cv",
    "HuberRegressor": "huber",
    "QuantileRegressor": "quantile",
    "LogisticRegression": "logistic",
}
# What a model needs to go on learning and keeps to itself: how to write and how to read each.
_STATE: dict[str, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "_moments": (lambda moments: moments.to_bytes(), Moments.from_bytes),
}

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]*_")
_RAW_DTYPE = re.compile(r"\|[biu]1|<[iu][248]|<f[248]|\|S[1-9][0-9]{0,5}|<[mM]8\[(Y|M|W|D|h|m|s|ms|us|ns)\]")
_TEXT_DTYPE = re.compile(r"<U[1-9][0-9]{0,5}")
_MAX_AXES = 4
_MAX_PADDED_TEXT = 1 << 26


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Attributes
    ----------
    model : estimator
    notes : dict
        As given to `save`.
    written_by : str
        Version of ridgeline that wrote the file.
    """

    model: Any
    notes: dict[str, Any]
    written_by: str


def save(model: Any, path: str | os.PathLike[str], *, notes: Mapping[str, Any] | None = None, moments: bool = True) -> None:
    """Write a fitted estimator to a file, whole or not at all.

    Parameters
    ----------
    model : estimator
        Fitted, and of one of the classes of `CLASSES`.
    path : path-like
        Replaced if it exists: readers see the old file or the new one, never a part.
    notes : mapping, optional
        Anything JSON can hold, kept beside the model and given back by `read`.
    moments : bool, default True
        Whether a least-squares model takes its moments along. With them `partial_fit` goes on where it
        stopped; they are the weight, means and covariances of the data, 4 (d + t)^2 bytes.

    Raises
    ------
    ValueError
        For another class, a model that is not fitted, or a parameter or attribute that has no place.
    OSError
        Where the file cannot be written; what was there before stays.
    """
    _replace(Path(path), encode(model, dict(notes or {}), moments))


def load(path: str | os.PathLike[str]) -> Any:
    """The estimator of a file that `save` wrote: same class, parameters and fitted attributes, bit for bit.

    Raises
    ------
    ValueError
        Saying whether the file is no model, of a newer version, cut short, damaged, or of an unknown class.
    OSError
        Where there is no such file, or it may not be read.
    """
    return read(path).model


def read(path: str | os.PathLike[str]) -> SavedModel:
    """Like `load`, with the notes and the version that wrote the file."""
    where = os.fspath(path)
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{where} is not a ridgeline model file: it is no regular file.")
        prefix = file.read(_PREFIX.size)
        _check_prefix(prefix, status.st_size, where)
        return decode(prefix + file.read(status.st_size - len(prefix)), where)


# ------------------------------------------------------------------------------------------ writing


def encode(model: Any, notes: dict[str, Any], moments: bool) -> bytes:
    """The bytes of the file that `save` writes."""
    name = type(model).__name__
    if type(model).__module__ != f"ridgeline.estimators.{CLASSES.get(name)}":
        raise ValueError(f"cannot save a {name}: a model file holds one of {', '.join(CLASSES)}.")
    fitted = {key: value for key, value in vars(model).items() if _ATTRIBUTE.fullmatch(key)}
    if "coef_" not in fitted:
        raise ValueError(f"this {name} is not fitted yet; call fit before save.")
    writer = _Writer()
    header = {
        "ridgeline": import_module("ridgeline").__version__,
        "class": name,
        "parameters": {key: writer.value(value, key) for key, value in model.get_params(deep=False).items()},
        "attributes": {key: writer.value(value, key) for key, value in fitted.items()},
        "state": {
            key: writer.value(np.frombuffer(write(getattr(model, key)), np.uint8), key)
            for key, (write, _) in _STATE.items()
            if moments and getattr(model, key, None) is not None
        },
        "notes": notes,
        "arrays": writer.descriptions,
    }
    try:
        text = json.dumps(header, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"notes hold something JSON has no place for: {error}.") from error
    parts, length = [text], _PREFIX.size + len(text)
    for block in writer.blocks:
        parts += [bytes(-length % 8), block]
        length += -length % 8 + len(block)
    body = _PREFIX.pack(MAGIC, b"%03d" % VERSION, length + _CHECKSUM.size, len(text)) + b"".join(parts)
    return body + _CHECKSUM.pack(zlib.crc32(body))


class _Writer:
    """Values as JSON, and the raw arrays they refer to."""

    def __init__(self) -> None:
        self.descriptions: list[dict[str, Any]] = []
        self.blocks: list[bytes] = []

    def value(self, value: Any, name: str) -> Any:
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
            return {"scalar": self.raw(np.asarray(value), name)}
        if kind is np.ndarray and value.dtype.kind == "O":
            return {"objects": [self.value(item, name) for item in value.ravel()], "shape": list(value.shape)}
        if kind is np.ndarray and value.dtype.kind == "U":
            dtype = value.dtype.newbyteorder("<").str
            return {"text": value.ravel().tolist(), "dtype": dtype, "shape": list(value.shape)}
        if kind is np.ndarray:
            return {"array": self.raw(value, name)}
        raise ValueError(f"cannot save {name}: a model file has no place for {kind.__module__}.{kind.__qualname__}.")

    def raw(self, array: np.ndarray, name: str) -> int:
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if not _RAW_DTYPE.fullmatch(array.dtype.str) or array.ndim > _MAX_AXES:
            raise ValueError(f"cannot save {name}: a model file has no place for an array of {array.dtype} with {array.ndim} axes.")
        # The order in memory is kept because BLAS may round differently for the other one.
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        self.descriptions.append({"dtype": array.dtype.str, "shape": list(array.shape), "order": order})
        self.blocks.append(array.tobytes(order))  # type: ignore[arg-type]
        return len(self.blocks) - 1


def _replace(path: Path, image: bytes) -> None:
    """Write beside the target, flush, rename over it: a crash leaves the old file or the new one."""
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if hasattr(os, "O_DIRECTORY"):  # the rename itself reaches the disk with the folder
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# ------------------------------------------------------------------------------------------ reading


def _check_prefix(prefix: bytes, size: int, where: str) -> None:
    """Tell the kinds of file apart before reading the rest: the magic, the version, then the length."""
    if prefix[:5] != MAGIC:
        raise ValueError(f"{where} is not a ridgeline model file.")
    version = prefix[5:8]
    if len(version) == 3 and not re.fullmatch(rb"[0-9]{3}", version):
        raise ValueError(f"{where} is damaged: its version reads {version!r}.")
    if len(version) == 3 and int(version) > VERSION:
        raise ValueError(
            f"{where} is a model file of version {int(version)}, newer than {VERSION}, the newest this "
            "ridgeline reads; update ridgeline to open it."
        )
    if len(version) == 3 and int(version) < 1:
        raise ValueError(f"{where} is damaged: there is no version {int(version)}.")
    if len(prefix) < _PREFIX.size:
        raise ValueError(f"{where} is cut short: {size} bytes do not hold the start of a model file.")
    _, _, length, header = _PREFIX.unpack(prefix)
    if size < length:
        raise ValueError(f"{where} is cut short: {size} bytes of {length}.")
    if size > length:
        raise ValueError(f"{where} is damaged: {size} bytes where it says {length}.")
    if header > length - _PREFIX.size - _CHECKSUM.size:
        raise ValueError(f"{where} is damaged: a header of {header} bytes does not fit in {length}.")


def decode(image: bytes, where: str) -> SavedModel:
    """The model of an image; `where` is the name messages give it."""
    _check_prefix(image[: _PREFIX.size], len(image), where)  # again: the file may have changed since
    (expected,) = _CHECKSUM.unpack(image[-_CHECKSUM.size :])
    if zlib.crc32(memoryview(image)[: -_CHECKSUM.size]) != expected:
        raise ValueError(f"{where} is damaged: the checksum does not match.")
    start = _PREFIX.size + _PREFIX.unpack_from(image)[3]
    try:
        header = json.loads(image[_PREFIX.size : start].decode(), parse_constant=_refuse_constant)
        _expect(isinstance(header, dict), "the header is no object")
        arrays = _arrays(header["arrays"], image, start)
        model = _model(header, arrays, len(image))
        _expect(
            isinstance(header["notes"], dict) and isinstance(header["ridgeline"], str),
            "the notes are no object",
        )
    except KeyError as error:
        raise ValueError(f"{where} is damaged: {error.args[0]!r} is missing.") from error
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise ValueError(f"{where} is damaged: {error}.".replace("..", ".")) from error
    return SavedModel(model, header["notes"], header["ridgeline"])


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _shape(value: Any, available: int) -> tuple[int, ...]:
    """A shape whose every axis is at most `available`, the entries there can be."""
    _expect(isinstance(value, list) and len(value) <= _MAX_AXES, f"{value!r} is no shape")
    _expect(
        all(_is_count(n) and n <= available for n in value),
        f"an array of shape {value!r} does not fit in the file",
    )
    return tuple(value)


def _arrays(descriptions: Any, image: bytes, start: int) -> list[np.ndarray]:
    """The raw arrays: every length is held against the bytes there are before anything is allocated."""
    _expect(isinstance(descriptions, list), "the list of arrays is no list")
    end = len(image) - _CHECKSUM.size
    arrays = []
    for k, description in enumerate(descriptions):
        _expect(isinstance(description, dict), f"array {k} has no description")
        dtype, order = description["dtype"], description["order"]
        _expect(
            isinstance(dtype, str) and _RAW_DTYPE.fullmatch(dtype) is not None,
            f"array {k} has the dtype {dtype!r}",
        )
        _expect(order in ("C", "F"), f"array {k} has the order {order!r}")
        shape = _shape(description["shape"], len(image))
        start += -start % 8
        size = math.prod(shape)
        _expect(
            start + size * np.dtype(dtype).itemsize <= end,
            f"array {k} of shape {shape} does not fit in the file",
        )
        flat = np.frombuffer(image, dtype, count=size, offset=start)
        start += flat.nbytes
        # In this machine's byte order and in memory of its own.
        arrays.append(flat.astype(np.dtype(dtype).newbyteorder("=")).reshape(shape, order=order))
    _expect(start == end, f"{end - start} bytes belong to no array")
    return arrays


class _Reader:
    """Values of JSON and raw arrays; the mirror image of `_Writer`."""

    def __init__(self, arrays: list[np.ndarray], available: int) -> None:
        self.arrays = arrays
        self.available = available

    def value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            _expect(not isinstance(value, list), "a list stands where a value should")
            return value
        for kind in ("array", "scalar", "float", "list", "tuple", "dict", "text", "objects", "certificate"):
            if kind in value:
                return getattr(self, f"_{kind}")(value)
        raise ValueError("a value of unknown kind")

    def _array(self, value: dict[str, Any]) -> np.ndarray:
        return self._raw(value["array"])

    def _scalar(self, value: dict[str, Any]) -> Any:
        array = self._raw(value["scalar"])
        _expect(array.ndim == 0, "a scalar with axes")
        return array[()]

    def _raw(self, k: Any) -> np.ndarray:
        _expect(_is_count(k) and k < len(self.arrays), f"there is no array {k!r}")
        return self.arrays[k]

    def _float(self, value: dict[str, Any]) -> float:
        _expect(value["float"] in ("nan", "inf", "-inf"), "a number that is none")
        return float(value["float"])

    def _items(self, value: Any) -> list[Any]:
        _expect(isinstance(value, list), "a list that is none")
        return [self.value(item) for item in value]

    def _list(self, value: dict[str, Any]) -> list[Any]:
        return self._items(value["list"])

    def _tuple(self, value: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self._items(value["tuple"]))

    def _dict(self, value: dict[str, Any]) -> dict[Any, Any]:
        pairs = value["dict"]
        _expect(isinstance(pairs, list), "a mapping that is none")
        _expect(all(isinstance(p, list) and len(p) == 2 for p in pairs), "a mapping that is none")
        return {self.value(key): self.value(item) for key, item in pairs}

    def _text(self, value: dict[str, Any]) -> np.ndarray:
        strings, dtype = value["text"], value["dtype"]
        _expect(isinstance(strings, list) and all(type(s) is str for s in strings), "text that is none")
        _expect(
            isinstance(dtype, str) and _TEXT_DTYPE.fullmatch(dtype) is not None,
            f"text of the dtype {dtype!r}",
        )
        width = int(dtype[2:])
        _expect(max(map(len, strings), default=1) <= width, "text longer than its dtype")
        # NumPy pads every string to the width, 4 bytes a character: a false width must not be paid for.
        _expect(4 * width * len(strings) <= _MAX_PADDED_TEXT + 64 * self.available, "text far wider than the file")
        return np.array(strings, dtype=f"=U{width}").reshape(self._filled(value["shape"], len(strings)))

    def _objects(self, value: dict[str, Any]) -> np.ndarray:
        items = self._items(value["objects"])
        out = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):
            _expect(
                item is None or isinstance(item, (bool, int, float, str, np.generic)),
                "an array of containers",
            )
            out[i] = item
        return out.reshape(self._filled(value["shape"], len(items)))

    def _filled(self, shape: Any, count: int) -> tuple[int, ...]:
        axes = _shape(shape, self.available)
        _expect(math.prod(axes) == count, f"{count} entries do not fill the shape {axes}")
        return axes

    def _certificate(self, value: dict[str, Any]) -> Certificate:
        entries = value["certificate"]
        _expect(
            isinstance(entries, dict) and set(entries) == {f.name for f in fields(Certificate)},
            "another kind of certificate",
        )
        certificate = Certificate(**{key: self.value(item) for key, item in entries.items()})
        _expect(certificate.status in STATUSES, f"a certificate of the status {certificate.status!r}")
        _expect(
            all(isinstance(s, str) for s in (certificate.solver, certificate.message)),
            "a certificate without words",
        )
        numbers = (
            certificate.gradient_norm,
            certificate.suboptimality,
            certificate.condition,
            certificate.passes,
        )
        _expect(
            all(isinstance(v, (int, float, np.integer, np.floating)) for v in numbers),
            "a certificate without numbers",
        )
        return certificate


def _model(header: dict[str, Any], arrays: list[np.ndarray], available: int) -> Any:
    name = header["class"]
    _expect(
        isinstance(name, str) and name in CLASSES,
        f"the class {name!r} is unknown; known are {', '.join(CLASSES)}",
    )
    kind = getattr(import_module(f"ridgeline.estimators.{CLASSES[name]}"), name)
    reader = _Reader(arrays, available)
    for part in ("parameters", "attributes", "state"):
        _expect(isinstance(header[part], dict), f"{part} are no object")
    model = kind()
    parameters = {key: reader.value(item) for key, item in header["parameters"].items()}
    _expect(parameters.keys() <= model.get_params(deep=False).keys(), f"a parameter {name} does not have")
    model.set_params(**parameters)
    for key, item in header["attributes"].items():
        _expect(
            _ATTRIBUTE.fullmatch(key) is not None and not hasattr(kind, key),
            f"{name} has no attribute {key!r}",
        )
        setattr(model, key, reader.value(item))
    for key, item in header["state"].items():
        _expect(key in _STATE, f"{name} keeps no state {key!r}")
        block = reader.value(item)
        _expect(isinstance(block, np.ndarray) and block.dtype == np.uint8, f"state {key!r} is no bytes")
        setattr(model, key, _STATE[key][1](block.tobytes()))
    _check_shapes(model)
    return model


def _check_shapes(model: Any) -> None:
    """The attributes that prediction relies on agree with one another."""
    d = model.n_features_in_
    _expect(_is_count(int(d)) and isinstance(model.certificate_, Certificate), "there is no certificate")
    coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    _expect(
        coef.dtype.kind == "f" and coef.ndim in (1, 2) and coef.shape[-1] == d,
        "coef_ does not fit the number of columns",
    )
    _expect(intercept.dtype.kind in "fi" and intercept.ndim <= 1, "intercept_ is no number")
    _expect(intercept.size in (1, coef.size // max(d, 1)), "intercept_ does not fit coef_")
    names = getattr(model, "feature_names_in_", None)
    _expect(names is None or np.shape(names) == (d,), "feature_names_in_ does not fit the number of columns")
    if "LogisticRegression" in type(model).__name__:
        classes = np.asarray(model.classes_)
        _expect(classes.ndim == 1 and len(classes) >= 2, "classes_ holds no classes")
        _expect(
            coef.ndim == 2 and len(coef) == (1 if len(classes) == 2 else len(classes)),
            "coef_ does not fit classes_",
        )
