"""The byte image of moments: no pickle, every length checked before anything is allocated.

    offset  size  content
         0     8  b"RLMOM" and the version as three digits
         8     8  kind: b"double  " or b"extended"
        16    16  d and t, unsigned 64-bit, little endian
        32     .  the arrays of that kind, float64 little endian, one after the other
       end-4   4  CRC-32 of everything before it
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

_MAGIC = b"RLMOM001"


def _sizes(kind: str, p: int) -> list[int]:
    lower = p * (p + 1) // 2
    return [3, p, p, lower] if kind == "double" else [4, p, p, p, p, lower, lower, lower]


def pack(kind: str, d: int, t: int, arrays: tuple[np.ndarray, ...]) -> bytes:
    """The image of moments of `kind` over d features and t targets."""
    body = b"".join(np.ascontiguousarray(a, dtype="<f8").tobytes() for a in arrays)
    image = _MAGIC + kind.ljust(8).encode() + struct.pack("<QQ", d, t) + body
    return image + struct.pack("<I", zlib.crc32(image))


def unpack(image: bytes) -> tuple[str, int, int, list[np.ndarray]]:
    """Kind, d, t and arrays of an image.

    Raises
    ------
    ValueError
        If the image is not one of moments, is of another version, is cut short or damaged.
    """
    image = bytes(image)
    if image[:5] != _MAGIC[:5]:
        raise ValueError("these bytes are not moments written by Moments.to_bytes.")
    if image[:8] != _MAGIC:
        raise ValueError(f"moments of version {image[5:8]!r} cannot be read; this library reads version {_MAGIC[5:]!r}.")
    if len(image) < 36 or zlib.crc32(image[:-4]) != struct.unpack("<I", image[-4:])[0]:
        raise ValueError("these moments are damaged or cut short: the checksum does not match.")
    kind = image[8:16].decode("ascii", "replace").strip()
    d, t = struct.unpack("<QQ", image[16:32])
    if kind not in ("double", "extended") or d + t > len(image):
        raise ValueError("these moments are damaged: the header is not one that Moments.to_bytes writes.")
    sizes = _sizes(kind, d + t)
    if len(image) != 36 + 8 * sum(sizes):
        raise ValueError(f"these moments are damaged: {d} + {t} columns do not fill {len(image)} bytes.")
    flat = np.frombuffer(image, "<f8", offset=32, count=sum(sizes)).astype(np.float64)
    arrays = [a.copy() for a in np.split(flat, np.cumsum(sizes)[:-1])]
    _check(kind, arrays)
    return kind, d, t, arrays


def _check(kind: str, arrays: list[np.ndarray]) -> None:
    """Hold the numbers of an image against what rows can have: sums that are finite, counts that are whole, variances not below zero."""
    head, scale, sums = arrays[0], arrays[1], arrays[2:]
    weight = head[0]
    if kind == "extended":
        counts, pivot, sums = head[2:], sums[0], sums[1:]
        sound = weight + head[1] == weight and (np.isfinite(pivot).all() or (np.isnan(pivot).all() and not weight))
    else:
        counts, p = head[1:2], len(scale)
        variances = sums[1][np.arange(p) * (np.arange(p) + 3) // 2]  # the diagonal of a lower triangle, by rows
        sound = 0 < head[2] < 1 and (variances >= 0).all()
    if not (weight >= 0 and (scale > 0).all() and all(np.isfinite(a).all() for a in (head, scale, *sums))):
        raise ValueError("these moments are damaged: a weight is negative, a scale is not positive, or a sum is not finite.")
    if not (sound and (counts >= 0).all() and (counts == np.floor(counts)).all() and (weight > 0) == (counts[0] > 0)):
        raise ValueError("these moments are damaged: a count, a variance or a precision is not one that rows can have.")
