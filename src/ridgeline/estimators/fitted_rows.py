"""What the tables of statistics ask of any estimator: the rows that a small fit kept, and the fit in the words of `statistics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..sources import ArraySource
from .base import Estimator

if TYPE_CHECKING:
    from ..statistics.fitted import Fitted


class FittedRows(Estimator):
    """Keeps the rows of a small fit beside it."""

    fit_intercept: bool
    _few_rows: ArraySource | None = None
    """They are few enough to be no larger than what is kept of others, or to take no time; for a summary, and never pickled."""

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__getstate__().items() if key != "_few_rows"}

    def _as_fitted(self, coef: np.ndarray, intercept: Any) -> Fitted:
        """One equation (d,), or those of the classes (c, d), of this fit."""
        from ..statistics.fitted import Fitted

        names = getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])
        return Fitted(
            type(self).__name__, tuple(map(str, names)), coef.astype(np.float64), intercept.astype(np.float64),
            bool(self.fit_intercept), float(np.finfo(coef.dtype).eps), self.certificate_,
        )  # fmt: skip


def require_source_alone(X: Any, y: Any, sample_weight: Any) -> None:
    """Raise a TypeError if arrays are given beside a source."""
    if X is not None or y is not None or sample_weight is not None:
        raise TypeError("pass the rows as X and y or as source, not both.")
