from typing import Any

import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]
_Index = NDArray[np.int32] | NDArray[np.int64]

SOUND: int
UNSORTED: int
OUTSIDE: int

def disorder(begin: NDArray[np.int64], end: NDArray[np.int64], columns: _Index, d: int) -> tuple[int, int, int]: ...
def predict(X: Any, m: _Double, t: _Double, theta: _Double, work: _Double, out: _Double) -> None: ...
def combine(X: Any, m: _Double, t: _Double, r: _Double, work: _Double, out: _Double) -> None: ...
def squares(X: Any, m: _Double, t: _Double, s: _Double, out: _Double) -> None: ...
def residual_extended(
    X: Any, y: _Double, s: _Double, center: _Double, scale: _Double, coef_hi: _Double, coef_lo: _Double,
    gradient_hi: _Double, gradient_lo: _Double, row: _Double
) -> None: ...
def accumulate_extended(
    X: Any, y: _Double, s: _Double, scale: _Double, weight: _Double, sums: _Double, hi: _Double, lo: _Double,
    tail: _Double, row: _Double, place: NDArray[np.int64]
) -> None: ...
