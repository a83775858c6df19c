import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]

def descend(A: _Double, l1: _Double, positive: bool, tolerance: float, sweeps: int, v: _Double, g: _Double) -> int: ...
def slopes(A: _Double, c: _Double, ridge: _Double, v: _Double, g: _Double, low: _Double) -> None: ...
