import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]
_Real = NDArray[np.float64] | NDArray[np.float32]

def workspace(n: int, d: int, block_rows: int) -> int: ...
def fit_groups(
    X: _Real, y: _Double, s: _Double, starts: NDArray[np.int64], alpha: float, fit_intercept: bool, tol: float, max_iter: int,
    single: bool, coef: _Double, intercept: _Double, figures: _Double, counts: NDArray[np.int64], done: NDArray[np.uint8],
    most_rows: int, block_rows: int, work: _Double,
) -> None: ...
