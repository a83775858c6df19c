import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]
_Real = NDArray[np.float64] | NDArray[np.float32]

def column_ranges(
    X: _Real, s: _Double, weight: float, mean: _Double, low: _Double, high: _Double, block: _Double, rows: _Double
) -> float: ...
