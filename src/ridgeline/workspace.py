"""Sizes of the kernels' workspaces: one place that knows how many rows make a cache block."""

from __future__ import annotations

import math

import numpy as np

BLOCK_ELEMENTS = 1 << 13
"""Entries of a packed block: 64 kB of float64, which the second-level cache holds beside what is fetched for the next."""

VECTOR_BYTES = 64
"""Rows of a block are padded to whole vectors of this length, the longest of any instruction set."""

LARGE = 1 << 15
"""Bytes of an array that is worth aligning, which takes longer than a small fit's other arrays together."""


def padded(p: int, dtype: np.dtype) -> int:
    """Length of a block's rows for p columns."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-p // lanes) * lanes


def block_rows(p: int) -> int:
    """Rows per cache block for p columns: at least 128, so that a tile does more than read and write its part of the Gram; at most 2048."""
    return int(min(max(BLOCK_ELEMENTS // max(p, 1), 128), 2048))


def gram_rows(p: int) -> int:
    """Rows per block for the Gram of p columns alone.

    As few as make little of reading and writing the sums, so that the packed block stays in the first-level cache and the memory is read
    in short bursts: 64; more where the sums leave the second-level cache.
    """
    return 64 if p <= 256 else 128


def aligned(shape: tuple[int, ...], dtype: np.dtype, zero: bool = False) -> np.ndarray:
    """A new array that begins with a cache line, if it is large: a vector across two lines is two loads."""
    make = np.zeros if zero else np.empty
    size = math.prod(shape)
    if size * dtype.itemsize < LARGE:
        return make(shape, dtype)
    memory = make(size + VECTOR_BYTES // dtype.itemsize, dtype)
    first = -memory.__array_interface__["data"][0] % VECTOR_BYTES // dtype.itemsize
    return memory[first : first + size].reshape(shape)
