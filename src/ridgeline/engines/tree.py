"""The order in which the summaries of a fold merge: a function of where rows lie, never of who reads them.

Rows come in *runs*: a matrix, a chunk, a row group of a file, a partition on some machine.  A run has a number, and its segments merge left
to right.  The totals of the runs are the leaves of a tree whose nodes have `FAN` places: node i of a level is the merge, left to right, of
what there is of the nodes FAN i, ..., FAN i + FAN - 1 of the level below.  Runs without rows leave their places empty.

    level 2                  0                       runs 0 ... 255
    level 1      0      1      2  ...                runs 0 ... 15,  16 ... 31,  ...
    runs       0 1 ...  16 ...  32 ...

So a node can be made on one machine from the totals of its runs without knowledge of the others, and a machine that reads the runs one
after the other holds one unfinished summary for each level, log(runs) / log(FAN) of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from ..threads import Mergeable

FAN = 16
"""Places of a node.

Few levels, each of which costs a cluster a message's latency and a reader of runs one more unfinished summary (at most two up to 256 runs,
three up to 4096), against few merges one after the other on one machine, some milliseconds each for a thousand columns.
"""

T = TypeVar("T")
M = TypeVar("M", bound=Mergeable)


class Tree(Generic[M]):
    """The tree of the runs so far: its open nodes, one per level, with their numbers.

    Parameters
    ----------
    run : int
    summary
        Of one segment of that run.

    Attributes
    ----------
    nodes : list of [int, summary]
        The run that is being read, then the nodes above it that have begun: all that there is to know of a fold in progress.
    """

    __slots__ = ("nodes",)

    def __init__(self, run: int, summary: M) -> None:
        self.nodes: list[Any] = [[run, summary]]

    def merge(self, later: Tree[M]) -> None:
        """Add one segment: of the same run as the last, or of a later one."""
        ((run, summary),) = later.nodes
        self._put(0, run, summary)

    def _put(self, level: int, number: int, summary: M) -> None:
        """Merge into the open node of a level, which is closed if it is another."""
        if level == len(self.nodes):
            self.nodes.append([number, summary])
            return
        node = self.nodes[level]
        if node[0] == number:
            node[1].merge(summary)
            return
        self._put(level + 1, node[0] // FAN, node[1])
        node[:] = number, summary

    def total(self) -> M:
        """The root; the tree is used up."""
        level = 0
        while level + 1 < len(self.nodes):
            number, summary = self.nodes[level]
            level += 1
            self._put(level, number // FAN, summary)
        return self.nodes[level][1]


def merged(parts: Iterable[M | None]) -> M | None:
    """One node from what is in its places, in their order; None where all are empty. The first part becomes the total."""
    total: M | None = None
    for part in parts:
        if total is None:
            total = part
        elif part is not None:
            total.merge(part)
    return total


def root(leaves: Sequence[T], join: Callable[[Sequence[T]], T]) -> T:
    """The root of the tree over the totals of all runs, in whatever form, from what makes a node of its places.

    Parameters
    ----------
    leaves : sequence, at least one
        Of the runs 0, 1, ...; those without rows too.
    join : callable
        Makes a node from 2 to FAN of them; a node of one is that one.
    """
    while len(leaves) > 1:
        groups = [leaves[k : k + FAN] for k in range(0, len(leaves), FAN)]
        leaves = [join(group) if len(group) > 1 else group[0] for group in groups]
    return leaves[0]
