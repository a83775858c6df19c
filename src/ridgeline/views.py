"""Rows changed on their way from a source to a fold: a view is a source itself, and its reads count as those of the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace

import numpy as np

from .sources import EMPTY, ArraySource, PickedRows, Slab, Source


class View:
    """The rows of a source, each slab by `change`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.n_features, self.n_targets, self.dtype = source.n_features, source.n_targets, source.dtype
        self.n_threads = source.n_threads
        self.schema, self.rereadable = source.schema, source.rereadable

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

    def targets_only(self) -> Source:
        return self

    def sample(self, stride: int) -> Source | None:
        """Every `stride`-th row, changed; None where the rows are not in arrays."""
        source = self._source
        return self._of(source.sample(stride)) if isinstance(source, (ArraySource, View)) else None

    def pick(self, numbers: np.ndarray) -> Source | None:
        """The rows with these numbers, changed; None where the rows are not in arrays."""
        source = self._source
        return self._of(source.pick(numbers)) if isinstance(source, (ArraySource, PickedRows, View)) else None

    def _of(self, source: Source | None) -> Source | None:
        """The same change of other rows."""
        if source is None:
            return None
        view = copy(self)
        view._source = source
        return view

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

    def targets_only(self) -> Source:
        return ScaledTargets(self._source.targets_only(), self.factor)

    def change(self, slab: Slab) -> Iterator[Slab]:
        yield Slab(slab.X, slab.y * self.factor, slab.weight, slab.offset * self.factor)


class WithoutOffsets(View):
    """Targets less their offsets: the same residuals, for losses of the residual."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.schema = replace(source.schema, offset=False)

    def targets_only(self) -> Source:
        return WithoutOffsets(self._source.targets_only())

    def change(self, slab: Slab) -> Iterator[Slab]:
        offset = slab.offset if slab.y.ndim == 1 else slab.offset[:, None]
        yield Slab(slab.X, slab.y - offset if slab.offset.size else slab.y, slab.weight, EMPTY)


def regression_rows(source: Source, multi: bool = False) -> Source:
    """A source as a regression takes it: targets that are numbers, less their offsets; several per row only if `multi`.

    Raises
    ------
    ValueError
    """
    if source.schema.labels is not None:
        raise ValueError(
            f"the target holds names ({source.schema.labels[0]}, ...), not numbers; for names use a classifier, such as LogisticRegression."
        )
    if source.n_targets != 1 and not multi:
        raise ValueError(f"the source has {source.n_targets} targets per row where one is needed; fit one model per target.")
    return WithoutOffsets(source) if source.schema.offset else source


class ClassCodes(View):
    """The code of each row's class in place of its target, and weights multiplied by the factor of its class."""

    def __init__(self, source: Source, values: np.ndarray, factors: np.ndarray) -> None:
        super().__init__(source)
        self.values, self.factors = values, factors
        self.plain = bool((values == np.arange(len(values))).all())

    def change(self, slab: Slab) -> Iterator[Slab]:
        y = slab.y.reshape(len(slab.X))
        codes = y.astype(np.int64) if self.plain else np.searchsorted(self.values, y)
        weight = slab.weight
        if self.factors.size:
            weight = (weight if weight.size else np.ones(len(y))) * self.factors[codes]
        yield Slab(slab.X, codes.astype(np.float64) if len(self.values) == 2 else codes, weight, slab.offset)


def class_rows(source: Source, values: np.ndarray, factors: np.ndarray) -> Source:
    """`ClassCodes`; of arrays, arrays again, of which a fit can take samples."""
    rows = ClassCodes(source, values, factors)
    if not isinstance(source, ArraySource):
        return rows
    (coded,) = rows.change(Slab(source.X, source.y, source.weight, source.offset))
    return ArraySource(coded.X, coded.y, coded.weight, coded.offset, source.n_threads, source.schema)


class LargestTarget:
    """max |y| of the rows with weight: a summary."""

    def __init__(self) -> None:
        self.value = 0.0

    def add_rows(self, slab: Slab) -> None:
        y = slab.y[slab.weight > 0] if slab.weight.size else slab.y
        self.value = max(self.value, float(np.abs(y).max(initial=0.0)))

    def merge(self, other: LargestTarget) -> None:
        self.value = max(self.value, other.value)
