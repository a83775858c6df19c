"""A header of JSON and arrays as one block of bytes, whose every length is checked when it is opened.

    offset  size  content
         0     8  five letters that name the format, and its version as three digits
         8     8  N, bytes in the whole block, unsigned 64-bit, little endian like everything here
        16     8  H, bytes of the header
        24     H  the header: a JSON object in UTF-8; its "arrays" lists {dtype, shape, order} of each array
         .     .  the arrays in that order, each from the next multiple of 8, zeros between
       N-4     4  CRC-32 of everything before it
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

_PREFIX = struct.Struct("<5s3sQQ")
_CHECKSUM = struct.Struct("<I")

_DTYPE = re.compile(r"\|[biu]1|<[iu][248]|<f[248]|\|S[1-9][0-9]{0,5}|<[mM]8\[(Y|M|W|D|h|m|s|ms|us|ns)\]")
MAX_AXES = 8


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    magic : bytes
        Its first five bytes.
    version : int
        The newest, which is written; all from 1 on are read.
    noun : str
        What messages call such a file: "model file".
    """

    magic: bytes
    version: int
    noun: str


@dataclass(frozen=True)
class Opened:
    """What a block holds: its header, its arrays (in memory of their own), and its size in bytes."""

    header: dict[str, Any]
    arrays: list[np.ndarray]
    size: int


def seal(kind: Format, header: dict[str, Any], arrays: Sequence[np.ndarray]) -> bytes:
    """One block of bytes; the arrays' descriptions become the header's "arrays".

    Raises
    ------
    ValueError, TypeError, RecursionError
        For a header that JSON has no place for.
    """
    blocks = [array.tobytes(_order(array)) for array in arrays]  # type: ignore[arg-type]
    descriptions = [{"dtype": array.dtype.str, "shape": list(array.shape), "order": _order(array)} for array in arrays]
    text = json.dumps({**header, "arrays": descriptions}, allow_nan=False).encode()
    parts, length = [text], _PREFIX.size + len(text)
    for block in blocks:
        parts += [bytes(-length % 8), block]
        length += -length % 8 + len(block)
    body = _PREFIX.pack(kind.magic, b"%03d" % kind.version, length + _CHECKSUM.size, len(text)) + b"".join(parts)
    return body + _CHECKSUM.pack(zlib.crc32(body))


def little(array: np.ndarray) -> np.ndarray | None:
    """The array as a block stores it, in little endian; None where a block has no place for it."""
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return array if _DTYPE.fullmatch(array.dtype.str) and array.ndim <= MAX_AXES else None


def _order(array: np.ndarray) -> str:
    """The order in memory, which is kept because BLAS may round differently for the other one."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def read_file(kind: Format, path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, which is read to its end only if it starts like one of the kind and has the length it says.

    Raises
    ------
    ValueError, OSError
    """
    where = os.fspath(path)
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{where} is not a ridgeline {kind.noun}: it is no regular file.")
        prefix = file.read(_PREFIX.size)
        _check_prefix(kind, prefix, status.st_size, where)
        return prefix + file.read(status.st_size - len(prefix))


def unseal(kind: Format, image: bytes, where: str) -> Opened:
    """Header and arrays of a block; `where` is the name that messages give it.

    Raises
    ------
    ValueError
        Saying whether the block is of another kind, of a newer version, cut short, or damaged.
    """
    _check_prefix(kind, image[: _PREFIX.size], len(image), where)
    (expected,) = _CHECKSUM.unpack(image[-_CHECKSUM.size :])
    if zlib.crc32(memoryview(image)[: -_CHECKSUM.size]) != expected:
        raise ValueError(f"{where} is damaged: the checksum does not match.")
    start = _PREFIX.size + _PREFIX.unpack_from(image)[3]
    with damage(where):
        header = json.loads(image[_PREFIX.size : start].decode(), parse_constant=_refuse_constant)
        expect(isinstance(header, dict), "the header is no object")
        return Opened(header, _arrays(header["arrays"], image, start), len(image))


@contextmanager
def damage(where: str) -> Iterator[None]:
    """What goes wrong inside is the fault of the file `where`, and is said as a ValueError."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{where} is damaged: {error.args[0]!r} is missing.") from error
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise ValueError(f"{where} is damaged: {error}.".replace("..", ".")) from error


def expect(condition: bool, otherwise: str) -> None:
    """Raise a ValueError of the text `otherwise` unless the condition holds."""
    if not condition:
        raise ValueError(otherwise)


def is_count(value: Any) -> bool:
    """Whether a value is a whole number of zero or more."""
    return type(value) is int and value >= 0


def shape_of(value: Any, available: int) -> tuple[int, ...]:
    """A shape whose every axis is at most `available`, the entries there can be."""
    expect(isinstance(value, list) and len(value) <= MAX_AXES, f"{value!r} is no shape")
    expect(all(is_count(n) and n <= available for n in value), f"an array of shape {value!r} does not fit in the file")
    return tuple(value)


def _check_prefix(kind: Format, prefix: bytes, size: int, where: str) -> None:
    """Tell the kinds of file apart before reading the rest: the magic, the version, then the length."""
    if prefix[:5] != kind.magic:
        raise ValueError(f"{where} is not a ridgeline {kind.noun}.")
    version = prefix[5:8]
    if len(version) == 3 and not re.fullmatch(rb"[0-9]{3}", version):
        raise ValueError(f"{where} is damaged: its version reads {version!r}.")
    if len(version) == 3 and int(version) > kind.version:
        raise ValueError(
            f"{where} is a {kind.noun} of version {int(version)}, newer than {kind.version}, the newest this ridgeline reads; update "
            "ridgeline to open it."
        )
    if len(version) == 3 and int(version) < 1:
        raise ValueError(f"{where} is damaged: there is no version {int(version)}.")
    if len(prefix) < _PREFIX.size:
        raise ValueError(f"{where} is cut short: {size} bytes do not hold the start of a {kind.noun}.")
    _, _, length, header = _PREFIX.unpack(prefix)
    if size < length:
        raise ValueError(f"{where} is cut short: {size} bytes of {length}.")
    if size > length:
        raise ValueError(f"{where} is damaged: {size} bytes where it says {length}.")
    if header > length - _PREFIX.size - _CHECKSUM.size:
        raise ValueError(f"{where} is damaged: a header of {header} bytes does not fit in {length}.")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _arrays(descriptions: Any, image: bytes, start: int) -> list[np.ndarray]:
    """The arrays: every length is held against the bytes there are before anything is allocated."""
    expect(isinstance(descriptions, list), "the list of arrays is no list")
    end = len(image) - _CHECKSUM.size
    arrays = []
    for k, description in enumerate(descriptions):
        expect(isinstance(description, dict), f"array {k} has no description")
        dtype, order = description["dtype"], description["order"]
        expect(isinstance(dtype, str) and _DTYPE.fullmatch(dtype) is not None, f"array {k} has the dtype {dtype!r}")
        expect(order in ("C", "F"), f"array {k} has the order {order!r}")
        shape = shape_of(description["shape"], len(image))
        start += -start % 8
        size = math.prod(shape)
        expect(start + size * np.dtype(dtype).itemsize <= end, f"array {k} of shape {shape} does not fit in the file")
        flat = np.frombuffer(image, dtype, count=size, offset=start)
        start += flat.nbytes
        # In this machine's byte order and in memory of its own.
        arrays.append(flat.astype(np.dtype(dtype).newbyteorder("=")).reshape(shape, order=order))
    expect(start == end, f"{end - start} bytes belong to no array")
    return arrays
