from typing import Any

import numpy as np
from numpy.typing import NDArray

def predict_one(X: Any, coef: Any, intercept: Any) -> NDArray[np.float64] | None: ...
def probabilities_of_one(X: Any, coef: Any, intercept: Any) -> NDArray[np.float64] | None: ...
