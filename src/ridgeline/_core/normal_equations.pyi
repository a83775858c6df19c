import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]

def assemble(
    lower: _Double, mean: _Double, scale: _Double, weight: float, noise: float, alpha: float, fit_intercept: bool,
    A: _Double, c: _Double, T: _Double, penalty: _Double,
) -> None: ...
def finish(
    A: _Double, A_lo: _Double, c: _Double, c_lo: _Double, T: _Double, target_scale: _Double, variance: _Double,
    mean: _Double, mean_lo: _Double, weight: float, fit_intercept: bool, gamma: float, eta: float, terms: float, single: bool,
    v: _Double, v_lo: _Double, coef: _Double, intercept: _Double, g: _Double, bounds: _Double, work: _Double,
) -> float: ...
