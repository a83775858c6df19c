from typing import Any

import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]

def left_out(
    X: Any,
    y: _Double,
    s: _Double,
    m: _Double,
    mean: _Double,
    constant: float,
    turned: _Double,
    v: _Double,
    shrink: _Double,
    totals: _Double,
    least: _Double,
    residuals: _Double,
    block: _Double,
    across: _Double,
    errors: _Double,
    left: _Double,
    vectors: _Double,
) -> None: ...
