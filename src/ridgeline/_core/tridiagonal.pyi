import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]

def solve_shifted(A: _Double, B: _Double, alphas: _Double, out: _Double, V: _Double, rows: _Double, lanes: _Double) -> bool: ...
def quadratic_forms(S: _Double, W: _Double, out: _Double, theta: _Double, image: _Double) -> None: ...
