"""What statistics needs to know of a fit: an estimator hands it over, and it says no word of how it was fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..certificate import Certificate
from ..sources import ArraySource, Schema
from .covariance import KINDS, group_codes
from .summary import check_level

WEIGHTS = ("precision", "frequency")


@dataclass(frozen=True)
class Fitted:
    """The coefficients of one equation (d,), or of each class (c, d), in double, and their names."""

    title: str
    names: tuple[str, ...]
    coef: np.ndarray
    intercept: np.ndarray
    fit_intercept: bool
    eps: float
    """Unit of rounding of the coefficients."""
    certificate: Certificate

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names with that of the intercept first."""
        return ("intercept", *self.names) if self.fit_intercept else self.names


@dataclass(frozen=True)
class Question:
    """Which covariance, interval and distribution a summary is asked for."""

    kind: str
    level: float
    distribution: str
    frequency: bool
    """Whether a weight counts copies of a row."""

    @staticmethod
    def of(covariance: Any, level: Any, distribution: Any, weights: Any, usual: str) -> Question:
        """Checked; `usual` is the distribution of the classical covariance.

        Raises
        ------
        ValueError
        """
        if covariance not in KINDS:
            raise ValueError(f"covariance must be one of {', '.join(map(repr, KINDS))}, got {covariance!r}.")
        if distribution not in (None, "t", "normal"):
            raise ValueError(f"distribution must be 't', 'normal' or None, got {distribution!r}.")
        if weights not in WEIGHTS:
            raise ValueError(f"weights must be 'precision' or 'frequency', got {weights!r}.")
        distribution = distribution or (usual if covariance == "classical" else "normal")
        return Question(covariance, check_level(level), distribution, weights == "frequency")

    def require_groups(self, groups: Any) -> None:
        """Raise a ValueError unless there are groups exactly where they are asked for."""
        if self.kind == "cluster" and groups is None:
            raise ValueError("covariance='cluster' needs groups=, the cluster of each row.")
        if self.kind != "cluster" and groups is not None:
            raise ValueError(f"groups go with covariance='cluster'; the covariance asked for is {self.kind!r}.")


def with_groups(source: ArraySource, groups: Any) -> ArraySource:
    """The rows of arrays, their groups' numbers beside their targets."""
    codes = group_codes(groups, source.n_rows)
    targets = np.column_stack([source.y, codes])
    return ArraySource(source.X, targets, source.weight, source.offset, source.n_threads, Schema(offset=source.schema.offset))
