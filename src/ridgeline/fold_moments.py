"""Moments of every fold of a cross-validation, from one read of the rows, wherever they are.

Fold f leaves out the rows b_f, ..., b_{f+1} - 1 of the stream, runs of neighbours as in arrays.  A segment says how many rows it holds
before anybody reads them, so that the rows can be numbered while threads share the segments; slabs are cut where a fold ends, and a
summary keeps the moments of each fold apart.  Those of all rows but a fold's are sums of the others' (`solvers.ridge_path.without_each`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from .checkpoints import unrecorded
from .folds import fold_bounds
from .moments import Moments, scaled
from .sources import BEGINNING, EMPTY, Place, Segment, Slab, Source, fold, require_rereadable
from .views import View


def row_count(source: Source) -> int:
    """How many rows there are, from one read of the targets where that is not known.

    Raises
    ------
    TypeError
        For rows that come only once.
    """
    if source.known_rows is not None:
        return source.known_rows
    require_rereadable(source, "cross-validation needs the number of rows first")
    return fold(source.targets_only(), RowCount).rows


def moments_of_folds(source: Source, cv: Any, products: np.dtype | None = None) -> list[Moments]:
    """The moments of each of `cv` runs of neighbouring rows.

    Parameters
    ----------
    source : Source
    cv : int
        How many.
    products : dtype, optional
        The precision of the products of two columns; None for that of the rows.

    Raises
    ------
    ValueError
        For fewer than two folds or more folds than rows, and for entries that are not finite, with their position.
    TypeError
        For rows that come only once, whose number is known too late.

    Notes
    -----
    One read, and one of the targets where the number of rows is not known; cv times the memory of `Moments`. A checkpoint does not
    record the read.
    """
    rows = InFolds(source, fold_bounds(cv, row_count(source)))
    with unrecorded():
        parts = scaled(rows, partial(MomentsOfFolds, products=products), source.n_targets).parts
    return [parts[k] for k in sorted(parts)]


class RowCount:
    """How many rows there are: a summary."""

    def __init__(self) -> None:
        self.rows = 0

    def add_rows(self, slab: Slab) -> None:
        self.rows += len(slab.X)

    def merge(self, other: RowCount) -> None:
        self.rows += other.rows


class InFolds(View):
    """Rows whose slabs say which fold leaves them out, from the first row to the last in this process.

    Parameters
    ----------
    source : Source
    bounds : ndarray of int, shape (folds + 1,)
        Where the folds begin, and the number of rows.
    """

    def __init__(self, source: Source, bounds: np.ndarray) -> None:
        super().__init__(source)
        self.bounds = bounds

    @property
    def partitions(self) -> None:
        """None: only the stream of all rows has numbers."""

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]:
        """Yield the segments from a place on; those before it are counted."""
        first, place = 0, Place(-1, 0)
        for segment in self._source.segments():
            place = Place(segment.run, place.segment + 1 if segment.run == place.run else 0)
            if place >= start:
                yield Segment(self._cut(segment, first), segment.rows, segment.run)
            first += segment.rows

    def _cut(self, segment: Segment, first: int) -> Iterator[Slab]:
        for slab in segment:
            n = len(slab.X)
            inside = self.bounds[(self.bounds > first) & (self.bounds < first + n)] - first
            cuts = [0, *inside.tolist(), n]
            for a, b in pairwise(cuts):
                part = int(np.searchsorted(self.bounds, first + a, side="right")) - 1
                weight, offset = (values[a:b] if values.size else EMPTY for values in (slab.weight, slab.offset))
                yield Slab(slab.X[a:b], slab.y[a:b], weight, offset, part=part)
            first += n


class MomentsOfFolds:
    """The moments of each part of the rows that has any: a summary, with the parameters of `Moments`."""

    def __init__(
        self, n_features: int, n_targets: int, scale: np.ndarray | None = None, products: np.dtype | None = None
    ) -> None:
        self._empty = partial(Moments, n_features, n_targets, scale, products)
        self.parts: dict[int, Moments] = {}

    @property
    def flops_per_row(self) -> float:
        return float(sum(self._empty.args[:2])) ** 2

    def add_rows(self, slab: Slab) -> None:
        if slab.part not in self.parts:
            self.parts[slab.part] = self._empty()
        self.parts[slab.part].add_rows(slab)

    def merge(self, other: MomentsOfFolds) -> None:
        for k, part in other.parts.items():
            if k in self.parts:
                self.parts[k].merge(part)
            else:
                self.parts[k] = part

    def finite(self) -> bool:
        return all(part.finite() for part in self.parts.values())

    def well_scaled(self) -> bool:
        """Whether the second moments of every part are far from the ends of the double range."""
        return all(part.well_scaled() for part in self.parts.values())
