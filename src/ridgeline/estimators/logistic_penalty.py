"""The penalty of logistic regression, as scikit-learn's three parameters say it.

    (1 / C) ((1 - r) / 2 ||W||^2 + r ||W||_1),      r = l1_ratio

`penalty`, which said r by a name before scikit-learn 1.8, still does, with a warning.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..blame import warn
from .parameters import check_choice, check_number

RATIOS: dict[str | None, float] = {"l2": 0.0, "l1": 1.0, None: 0.0}


def penalty_weights(penalty: Any, C: Any, l1_ratio: Any) -> tuple[float, float]:
    """The weights of ||W||^2 / 2 and of ||W||_1.

    Raises
    ------
    TypeError, ValueError
    """
    strength = 1 / check_number(C, "C", strict=True, infinite=True)
    penalty = check_choice(penalty, "penalty", ("deprecated", "l1", "l2", "elasticnet", None))
    if l1_ratio is None:
        if penalty == "elasticnet":
            raise ValueError("l1_ratio must be specified when penalty is elasticnet: a number from 0 to 1.")
        ratio = 0.0
    else:
        ratio = check_number(l1_ratio, "l1_ratio")
        if ratio > 1:
            raise ValueError(f"l1_ratio == {l1_ratio!r}, must be at least 0 and at most 1.")
    ratio = RATIOS.get(penalty, ratio)
    if penalty is None:
        return 0.0, 0.0
    return strength * (1 - ratio), strength * ratio


def warn_of_penalty(penalty: Any, C: Any, l1_ratio: Any) -> None:
    """scikit-learn's deprecations, as of its version 1.8, and what contradicts itself; of parameters that were checked."""
    if penalty == "deprecated":
        if l1_ratio is None:
            warn("'l1_ratio=None' was deprecated in version 1.8 of scikit-learn: use l1_ratio=0.", FutureWarning)
        return
    warn(
        "'penalty' was deprecated in version 1.8 of scikit-learn, whose interface this is: leave it out; l1_ratio says the share of "
        "the L1 norm, and C=inf stands for penalty=None.",
        FutureWarning,
    )
    if penalty is None and C != 1:
        warn("Setting penalty=None will ignore the C and l1_ratio parameters: C=inf alone says the same.", UserWarning)
    if penalty != "elasticnet" and l1_ratio is not None and 0 < l1_ratio < 1:
        warn(f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})", UserWarning)
    if penalty in ("l1", "l2") and l1_ratio != RATIOS[penalty]:
        warn(f"Inconsistent values: penalty={penalty} with l1_ratio={l1_ratio}; penalty was taken. Leave it out.", UserWarning)

def l1_weights(strength: float, scale: np.ndarray, outputs: int, width: int) -> np.ndarray:
    """The weight of each parameter's absolute value in scaled columns, zero for intercepts; flat."""
    weights = np.zeros((outputs, width))
    weights[:, : len(scale)] = strength * scale
    return weights.ravel()
