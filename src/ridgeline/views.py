"""Rows changed on their way from a source to a fold: a view is a source itself, and its reads count as those of the source."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from .engines.contract import Partitions
from .sources import BEGINNING, EMPTY, SLAB_ELEMENTS, ArraySource, PickedRows, Place, Segment, Slab, Source
from .sparse_rows import SparseRows


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

    @property
    def partitions(self) -> Partitions[Source] | None:
        there = self._source.partitions
        if there is None:
            return None
        alone: Any = copy(self)
        alone._source = None  # what travels with the change is no place where rows live
        return there.map(alone._of)

    def segments(self, start: Place = BEGINNING) -> Iterator[Segment]:
        for segment in self._source.segments(start):
            yield Segment(self._changed(segment), segment.rows, segment.run)

    def _changed(self, segment: Segment) -> Iterator[Slab]:
        for slab in segment:
            yield from self.change(slab)

    @property
    def known_rows(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return self._source.known_rows

    def identity(self) -> Any:
        """The rows, and how they are changed."""
        change = {name: value for name, value in vars(self).items() if name not in ("_source", "n_threads", "schema")}
        return type(self).__name__, change, self._source.identity()

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

    def _of(self, source: Any) -> Any:
        """The same change of other rows; None of none."""
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


class CentredTargets(View):
    """Targets less a constant, then multiplied by a power of two."""

    def __init__(self, source: Source, mean: float, factor: float) -> None:
        super().__init__(source)
        self.mean, self.factor = mean, factor

    def targets_only(self) -> Source:
        return CentredTargets(self._source.targets_only(), self.mean, self.factor)

    def change(self, slab: Slab) -> Iterator[Slab]:
        yield Slab(slab.X, (slab.y - self.mean) * self.factor, slab.weight, EMPTY)


class TargetsAsColumns(View):
    """The targets in the place of the columns, and no targets."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.n_features, self.n_targets, self.dtype = source.n_targets, 0, np.dtype(np.float64)

    def change(self, slab: Slab) -> Iterator[Slab]:
        yield Slab(slab.y.reshape(len(slab.X), -1), EMPTY, slab.weight, EMPTY)


class SelectedColumns(View):
    """Some of the columns, in double precision, beside all targets or one of them."""

    def __init__(self, source: Source, columns: np.ndarray, target: int | None = None) -> None:
        super().__init__(source)
        self.columns, self.target = columns, target
        self.n_features, self.dtype = len(columns), np.dtype(np.float64)
        self.n_targets = source.n_targets if target is None else 1

    def change(self, slab: Slab) -> Iterator[Slab]:
        step = max(SLAB_ELEMENTS // len(self.columns), 1)
        for a in range(0, len(slab.X), step):
            y = slab.y[a : a + step]
            if self.target is not None and y.ndim == 2:
                y = np.ascontiguousarray(y[:, self.target])
            yield Slab(self._some(slab.X[a : a + step]), y, slab.weight[a : a + step], EMPTY)

    def _some(self, X: Any) -> np.ndarray:
        if isinstance(X, SparseRows):
            return X.some_columns(self.columns)
        some = X.T[self.columns].T if X.strides[0] < X.strides[1] else X.take(self.columns, axis=1)
        return some.astype(np.float64, copy=False)


class OneTarget(View):
    """One of several targets per row."""

    def __init__(self, source: Source, target: int) -> None:
        super().__init__(source)
        self.target, self.n_targets = target, 1

    def targets_only(self) -> Source:
        return OneTarget(self._source.targets_only(), self.target)

    def change(self, slab: Slab) -> Iterator[Slab]:
        yield Slab(slab.X, np.ascontiguousarray(slab.y.reshape(len(slab.X), -1)[:, self.target]), slab.weight, slab.offset)


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

    def targets_only(self) -> Source:
        return ClassCodes(self._source.targets_only(), self.values, self.factors)

    def change(self, slab: Slab) -> Iterator[Slab]:
        codes, weight = self.coded(slab.y.reshape(len(slab.X)), slab.weight)
        yield Slab(slab.X, codes.astype(np.float64) if len(self.values) == 2 else codes, weight, slab.offset)

    def coded(self, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The codes of some targets, and the weights of their rows."""
        codes = y.astype(np.int64) if self.plain else np.searchsorted(self.values, y)
        if self.factors.size:
            weight = (weight if weight.size else np.ones(len(y))) * self.factors[codes]
        return codes, weight


def class_rows(source: Source, values: np.ndarray, factors: np.ndarray) -> Source:
    """`ClassCodes`; of arrays in memory, arrays again, which are coded once."""
    rows = ClassCodes(source, values, factors)
    if not isinstance(source, ArraySource) or source.windowed:
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
