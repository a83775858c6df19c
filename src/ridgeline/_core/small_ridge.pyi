import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]
_Real = NDArray[np.float64] | NDArray[np.float32]

def workspace(d: int, block_rows: int) -> tuple[int, int]: ...
def fit_rows(
    X: _Double, y: _Double, alpha: float, fit_intercept: bool, noise: float, terms: float, rcond: float, error: float,
    scale: _Double, mean: _Double, lower: _Double, coef: _Double, figures: _Double, block_rows: int, block: _Double, work: _Double,
) -> tuple[bool, float]: ...
def fit_groups(
    X: _Real, y: _Double, s: _Double, starts: NDArray[np.int64], alpha: float, fit_intercept: bool, noise: float, terms: float,
    rcond: float, error: float, coef: _Double, intercept: _Double, figures: _Double, done: NDArray[np.uint8], block_rows: int,
    block: _Double, work: _Double,
) -> None: ...
