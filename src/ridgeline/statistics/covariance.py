"""The middle of the sandwich: the covariance Q M Q' of coefficients that solve sum_i g_i = 0, the g_i being scores of rows.

    classical   M = sigma^2 I            errors independent and of one variance sigma^2 / s_i            (Gauss and Markov)
    HC0         M = sum g_i g_i'         independent, of any variances         (Eicker 1967; Huber 1967; White 1980, Econometrica 48)
    HC1         n / (n - k) HC0          (Hinkley 1977, Technometrics 19)
    HC2         sum g_i g_i' / (1 - h_i)         unbiased where the variances are equal
    HC3         sum g_i g_i' / (1 - h_i)^2       nearly the jackknife; for few rows the best of these (Long and Ervin 2000, Am. Stat. 54)
    cluster     G / (G - 1) (n - 1) / (n - k) sum_g (sum_{i in g} g_i)(...)'     rows of a cluster may depend on each other in any way
                                                                                 (Liang and Zeger 1986, Biometrika 73)

HC2 and HC3 are of MacKinnon and White (1985, J. Econometrics 29).  n rows, k parameters, G clusters; few clusters (below forty or so) make
the last one too small (Cameron and Miller 2015, J. Human Resources 50).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..expansion import Coordinates, Expansion
from ..pointwise import SQUARED
from ..sources import Slab, Source, fold
from ..validation import as_real_array, first_position, is_missing

KINDS = ("classical", "HC0", "HC1", "HC2", "HC3", "cluster")


class ClusterSums:
    """The sum of the scores of each cluster's rows: a summary; `keys` are sorted."""

    def __init__(self, n_scores: int) -> None:
        self.keys, self.sums = np.empty(0), np.empty((0, n_scores))

    def add_rows(self, slab: Slab) -> None:
        if not len(slab.X):
            return
        order = np.argsort(slab.y, kind="stable")
        keys, starts = np.unique(slab.y[order], return_index=True)
        self._add(keys, np.add.reduceat(slab.X[order], starts))

    def merge(self, other: ClusterSums) -> None:
        self._add(other.keys, other.sums)

    def _add(self, keys: np.ndarray, sums: np.ndarray) -> None:
        place = np.searchsorted(self.keys, keys)
        if len(self.keys) and np.array_equal(self.keys[np.minimum(place, len(self.keys) - 1)], keys):
            self.sums[place] += sums  # clusters that are all known
            return
        every = np.union1d(self.keys, keys)
        total = np.zeros((len(every), sums.shape[1]))
        total[np.searchsorted(every, self.keys)] = self.sums
        total[np.searchsorted(every, keys)] += sums
        self.keys, self.sums = every, total


def meat(scores: Source, kind: str) -> tuple[np.ndarray, int]:
    """sum g_i g_i' (q, q), or that of clusters, and how many clusters; one read."""
    q = scores.n_features
    if kind == "cluster":
        clusters = fold(scores, partial(ClusterSums, q))
        if len(clusters.keys) < 2:
            raise ValueError("all rows are of one cluster; a covariance by clusters needs two at least, and is good from some forty.")
        return clusters.sums.T @ clusters.sums, len(clusters.keys)
    plain = Coordinates(np.zeros(q), np.ones(q), False)
    return fold(scores, partial(Expansion, SQUARED, plain, np.zeros(q), 2)).hessian, 0


def correction(kind: str, n_rows: float, n_parameters: int, n_groups: int) -> float:
    """The factor for few rows."""
    if kind == "HC1":
        return n_rows / (n_rows - n_parameters)
    if kind == "cluster":
        return n_groups / (n_groups - 1) * (n_rows - 1) / (n_rows - n_parameters)
    return 1.0


def group_codes(groups: Any, n: int) -> np.ndarray:
    """The number of each row's group, as float64 that travels beside the targets.

    Raises
    ------
    ValueError
        For groups that are missing, or not one per row.
    """
    keys = np.asarray(groups)
    if keys.ndim == 2 and keys.shape[1] == 1:
        keys = keys[:, 0]
    if keys.shape != (n,):
        raise ValueError(f"groups has shape {keys.shape}, expected {(n,)}: the cluster of each row.")
    if keys.dtype.kind in "fc":
        keys = as_real_array(keys, "groups")
        lost = np.isnan(keys)
    else:
        lost = np.array([is_missing(key) for key in keys]) if keys.dtype.kind == "O" else np.zeros(n, bool)
    if lost.any():
        raise ValueError(f"groups is missing at {first_position(lost)}; give every row a cluster, its own if it stands alone.")
    return np.unique(keys, return_inverse=True)[1].astype(np.float64)
