"""Double-double arithmetic on NumPy arrays: the small dense steps that follow the kernels of `_core/doubledouble.pxd`.

A number is a pair (hi, lo) whose sum it is; sources and error bounds stand in the kernel file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernels import load

dot_extended = load("moments").dot_extended

DD = tuple[Any, Any]
"""An array in double-double: (hi, lo), of one shape."""

_SPLIT = 134217729.0  # 2^27 + 1 (Veltkamp 1968)


def fast_two_sum(a: Any, b: Any) -> DD:
    """a + b exactly, given |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def two_sum(a: Any, b: Any) -> DD:
    """a + b exactly (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def two_prod(a: Any, b: Any) -> DD:
    """a * b exactly (Dekker)."""
    p = a * b
    t = _SPLIT * a
    ah = t - (t - a)
    al = a - ah
    t = _SPLIT * b
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def add(a: DD, b: DD) -> DD:
    s, e = two_sum(a[0], b[0])
    t, f = two_sum(a[1], b[1])
    s, e = fast_two_sum(s, e + t)
    return fast_two_sum(s, e + f)


def neg(a: DD) -> DD:
    return -a[0], -a[1]


def mul(a: DD, b: DD) -> DD:
    p, e = two_prod(a[0], b[0])
    return fast_two_sum(p, e + (a[0] * b[1] + a[1] * b[0]))


def div(a: DD, b: DD) -> DD:
    q = a[0] / b[0]
    r = add(a, neg(mul(b, (q, q * 0.0))))
    return fast_two_sum(q, (r[0] + r[1]) / b[0])


def exact(a: Any) -> DD:
    """A double as a double-double."""
    a = np.asarray(a, dtype=np.float64)
    return a, np.zeros_like(a)


def total(a: DD, axis: int = -1) -> DD:
    """Sum along an axis, by halving."""
    hi, lo = (np.moveaxis(np.asarray(x), axis, 0) for x in a)
    if len(hi) == 0:
        return exact(np.zeros(hi.shape[1:]))
    while len(hi) > 1:
        half = len(hi) // 2
        pair = add((hi[:half], lo[:half]), (hi[half : 2 * half], lo[half : 2 * half]))
        hi = np.concatenate([pair[0], hi[2 * half :]])
        lo = np.concatenate([pair[1], lo[2 * half :]])
    return hi[0], lo[0]


def dot(a: DD, b: DD) -> DD:
    """Sum of products along the last axis; where b has fewer axes, or one row, it goes with every row of a."""
    a_hi, a_lo, b_hi, b_lo = (np.ascontiguousarray(x, dtype=np.float64) for x in (*a, *b))
    *shape, n = a_hi.shape
    hi, lo = np.empty(shape), np.empty(shape)
    of_a, of_b = (hi.size, n), (b_hi.size // n if n else hi.size, n)
    dot_extended(
        a_hi.reshape(of_a), a_lo.reshape(of_a), b_hi.reshape(of_b), b_lo.reshape(of_b), hi.reshape(-1), lo.reshape(-1)
    )
    return (hi, lo) if shape else (hi[()], lo[()])
