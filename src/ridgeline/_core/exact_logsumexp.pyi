import numpy as np
from numpy.typing import NDArray

_Real = NDArray[np.float64] | NDArray[np.float32]

def logsumexp_of_cancelled(z: _Real, out: _Real) -> None: ...
