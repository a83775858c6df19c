import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]
_Real = NDArray[np.float64] | NDArray[np.float32]

def accumulate(
    X: _Real, y: _Double, s: _Double, scale: _Double, weight: float, mean: _Double, scatter: _Double, block: _Real,
    rows: _Double, partial: _Real, sums: _Double
) -> float: ...
def merge(
    scatter: _Double, other: _Double, sign: float, ratio: _Double, f: float, delta: _Double
) -> None: ...
def accumulate_extended(
    X: _Real, y: _Double, s: _Double, scale: _Double, pivot: _Double, weight: _Double, sums: _Double, hi: _Double,
    lo: _Double, tail: _Double, rows: _Double
) -> None: ...
def dot_extended(
    a_hi: _Double, a_lo: _Double, b_hi: _Double, b_lo: _Double, hi: _Double, lo: _Double
) -> None: ...
def residual_extended(
    X: _Real, y: _Double, s: _Double, center: _Double, scale: _Double, coef_hi: _Double, coef_lo: _Double,
    gradient_hi: _Double, gradient_lo: _Double, row: _Double
) -> None: ...
