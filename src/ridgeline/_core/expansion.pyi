from typing import final

import numpy as np
from numpy.typing import NDArray

_Double = NDArray[np.float64]
_Real = NDArray[np.float64] | NDArray[np.float32]

@final
class Squared: ...

@final
class Huber:
    @property
    def delta(self) -> float: ...
    def __init__(self, delta: float) -> None: ...

@final
class Absolute: ...

@final
class Logistic: ...

def expand(
    loss: Squared | Huber | Absolute | Logistic, X: _Real, y: _Double, s: _Double, o: _Double, m: _Double, t: _Double,
    theta: _Double, order: int, totals: _Double, gradient: _Double, hessian: _Double, block: _Double, rows: _Double,
    scaled: _Real, partial: _Real, extremes: _Double
) -> None: ...
def curvatures(
    loss: Squared | Huber | Absolute | Logistic, y: _Double, z: _Double, work: _Double, out: _Double
) -> None: ...
def expand_scaled_huber(
    epsilon: float, sigma: float, X: _Real, y: _Double, s: _Double, m: _Double, t: _Double, theta: _Double,
    order: int, totals: _Double, gradient: _Double, hessian: _Double, block: _Double, rows: _Double, scaled: _Real,
    partial: _Real
) -> None: ...
def expand_softmax(
    X: _Real, labels: NDArray[np.int64], soft: _Double, s: _Double, o: _Double, m: _Double, t: _Double,
    theta: _Double, order: int, totals: _Double, gradient: _Double, hessian: _Double, block: _Double, logits: _Double,
    vectors: _Double, rows: _Double, scaled: _Real, partial: _Real
) -> None: ...
def predict_rows_of(
    X: _Real, m: _Double, t: _Double, theta: _Double, block: _Double, vectors: _Double, out: _Double
) -> None: ...
def largest_movement(X: _Real, m: _Double, t: _Double, theta: _Double, block: _Double, rows: _Double) -> float: ...
