import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]

def factor(A: _Double, U: _Double, work: _Double) -> tuple[bool, float, float]: ...
def solve(U: _Double, B: _Double, work: _Double) -> None: ...
