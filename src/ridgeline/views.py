"""Rows changed on their way from a source to a fold: a view is a source itself, and its reads count as those of the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .sources import EMPTY, Slab, Source


class View:
    """The rows of a source, each slab by `change`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.n_features, self.n_targets, self.dtype = source.n_features, source.n_targets, source.dtype
        self.n_threads = source.n_threads

    @property
    def reads(self) -> int:
        return self._source.reads

    @reads.setter
    def reads(self, value: int) -> None:
        self._source.reads = value

    def segments(self) -> Iterator[Iterable[Slab]]:
        for segment in self._source.segments():
            yield (changed for slab in segment for changed in self.change(slab))

    def check_finite(self) -> None:
        self._source.check_finite()

    def change(self, slab: Slab) -> Iterator[Slab]:
        raise NotImplementedError


class WithoutTargets(View):
    """Zero targets and no offsets."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.n_targets = 1

    def change(self, slab: Slab) -> Iterator[Slab]:
        yield Slab(slab.X, np.zeros(len(slab.X)), slab.weight, EMPTY)


class ScaledTargets(View):
    """Targets (and offsets) multiplied by a power of two."""

    def __init__(self, source: Source, factor: float) -> None:
        super().__init__(source)
        self.factor = factor

    def change(self, slab: Slab) -> Iterator[Slab]:
        yield Slab(slab.X, slab.y * self.factor, slab.weight, slab.offset * self.factor)


class LargestTarget:
    """max |y| of the rows with weight: a summary."""

    def __init__(self) -> None:
        self.value = 0.0

    def add_rows(self, slab: Slab) -> None:
        y = slab.y[slab.weight > 0] if slab.weight.size else slab.y
        self.value = max(self.value, float(np.abs(y).max(initial=0.0)))

    def merge(self, other: LargestTarget) -> None:
        self.value = max(self.value, other.value)
