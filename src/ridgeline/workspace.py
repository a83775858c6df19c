"""Sizes of the kernels' workspaces: one place that knows how many rows make a cache block."""

from __future__ import annotations

import numpy as np

BLOCK_ELEMENTS = 1 << 13
"""Entries of a packed block: 64 kB of float64, which the second-level cache holds beside what is fetched for the next."""

VECTOR_BYTES = 64
"""Rows of a block are padded to whole vectors of this length, the longest of any instruction set."""


def padded(p: int, dtype: np.dtype) -> int:
    """Length of a block's rows for p columns."""
    lanes = VECTOR_BYTES // dtype.itemsize
    return -(-p // lanes) * lanes


def block_rows(p: int) -> int:
    """Rows per cache block for p columns: at least 128, so that a tile does more than read and write its part of the Gram; at most 2048."""
    return int(min(max(BLOCK_ELEMENTS // max(p, 1), 128), 2048))
