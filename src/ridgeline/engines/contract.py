"""What an engine is: machines that hold partitions of the rows, run two pure functions there, and bring back the bytes of one summary.

A fold is three pure functions: an empty summary, rows added to it, two of them merged.  Between machines they become two, of bytes:

    leaf(recipe, number, partition) -> image     the empty summary and the rows of one partition
    node(images) -> image                        up to FAN images merged, left to right

A *recipe* is what a fold needs beside the rows: how a partition becomes a source, which columns are what, and the summary with its
arguments (a point theta, a loss): some kilobytes, the same for every partition.  An *image* is a summary's pickle, so that whoever merges
it has a copy of its own: neither function changes what it is given, and what a lost machine had made is made again to the same bits.

An engine gives each partition its number, applies `leaf` where the partition lies, and `node` as `tree.root` deals the images out.  It
needs nothing else of ridgeline and knows no summary.  The order is fixed, so that the result has the bits of a fold in one process.

Errors travel as images: the first in the order of the partitions is raised where the fold began, as what it was.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from traceback import format_exception
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from .tree import merged

S = TypeVar("S", covariant=True)
T = TypeVar("T")


class Engine(Protocol):
    """Machines that hold partitions.

    Attributes
    ----------
    count : int
        Of the partitions.
    """

    count: int

    def total(self, recipe: bytes, waiting: Callable[[int], None]) -> bytes:
        """The image at the root: of every partition's `leaf`, merged by `node`.

        Parameters
        ----------
        recipe : bytes
            For `leaf`; to be sent to each machine once.
        waiting : callable
            To be called some times a second with the number of partitions whose leaf is made. What it raises ends the work, on all
            machines, and goes on to the caller.
        """
        ...


Machines = Callable[[Sequence[Any]], Engine]
"""Machines that can be given partitions: values small enough to travel, of which a leaf makes the rows (the name of a file)."""


@dataclass(frozen=True)
class Failure:
    """In place of a summary: what was raised."""

    error: Exception


EXPECTED = (ValueError, TypeError, OSError)
"""Errors that speak for themselves; of any other, where in the code it happened is told too."""


def leaf(recipe: bytes, number: int, partition: Any) -> bytes:
    """The image of one partition's summary; of `Failure`, if it cannot be made.

    Parameters
    ----------
    recipe : bytes
        Of `Partitions.reduce`.
    number : int
        Of the partition, from zero, in the order of the rows.
    partition : object
        What the engine holds: a data frame, a tuple of arrays, ...
    """
    try:
        read, floating_errors = pickle.loads(recipe)
        with np.errstate(**floating_errors):
            return image(read(number, partition))
    except Exception as error:
        error.add_note(f"(in partition {number})")
        if not isinstance(error, EXPECTED):
            error.add_note("".join(format_exception(error)))
        return image(Failure(error))


def node(images: Sequence[bytes]) -> bytes:
    """The image of the summaries merged in their order, or of the first failure among them.

    NumPy says nothing here of what is not finite: who began the fold looks for it.
    """
    total: Any = None
    with np.errstate(over="ignore", invalid="ignore"):
        for part in map(pickle.loads, images):
            if isinstance(part, Failure):
                return image(part)
            total = merged((total, part))
    return image(total)


def image(part: Any) -> bytes:
    """A summary, None or a failure as bytes; an error that has no pickle is told in words."""
    try:
        data = pickle.dumps(part, protocol=5)
        if isinstance(part, Failure):
            pickle.loads(data)  # some errors are written and cannot be read
        return data
    except Exception:
        if not isinstance(part, Failure):
            raise
        return pickle.dumps(Failure(RuntimeError(f"{type(part.error).__name__}: {part.error}")), protocol=5)


@dataclass(frozen=True)
class Partitions(Generic[S]):
    """Partitions that an engine holds, and what `read` makes of each, where it lies: a source, a table, a summary.

    Parameters
    ----------
    engine : Engine
    read : callable
        Of (number, partition). It travels, and so must have a pickle: a function of a module or a `partial` of one.
    """

    engine: Engine
    read: Callable[[int, Any], S]

    def map(self, change: Callable[[S], T]) -> Partitions[T]:
        """The same partitions, changed after they were read."""
        return Partitions(self.engine, partial(_then, self.read, change))

    def reduce(self, waiting: Callable[[int], None] | None = None) -> Any:
        """What the partitions were read as and changed into, summaries or None, merged by the tree; None where all are None.

        Raises
        ------
        What was raised for the first partition for which anything was, in the order of the partitions; what `waiting` raises.
        """
        recipe = pickle.dumps((self.read, np.geterr()), protocol=5)
        waiting = waiting or _patience
        result = pickle.loads(self.engine.total(recipe, waiting))
        if isinstance(result, Failure):
            raise result.error
        waiting(self.engine.count)
        return result


def _then(read: Callable[[int, Any], Any], change: Callable[[Any], Any], number: int, partition: Any) -> Any:
    return change(read(number, partition))


def _patience(done: int) -> None:
    pass
