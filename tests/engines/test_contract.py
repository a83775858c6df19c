"""The contract of an engine, by one that has no machines: it sends bytes to nobody, in any order, twice, and the bits are the same."""

import pickle
import random
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import Moments, Ridge, source
from ridgeline.engines.contract import Failure, Partitions, image, leaf, node
from ridgeline.engines.tree import root
from ridgeline.sources import ArraySource, ChunkSource
from ridgeline.sources.folding import fold
from ridgeline.watch import OutOfTime, watch, watched

from .rows import ENDS, FITS, assert_same_bits, clone, columns

COLUMNS = columns()
X = np.column_stack([COLUMNS[name] for name in "abcde"])


class NoMachines:
    """Partitions in a list; leaves are made in any order, some twice, as after a loss."""

    def __init__(self, partitions):
        self.partitions, self.count = partitions, len(partitions)
        self.folds = 0

    def total(self, recipe, waiting):
        self.folds += 1
        numbers = [*range(len(self.partitions)), 3, 5]
        random.Random(self.folds).shuffle(numbers)
        leaves = {}
        for number in numbers:
            waiting(len(leaves))
            leaves[number] = leaf(recipe, number, self.partitions[number])
        return root([leaves[number] for number in range(len(self.partitions))], node)


def chunks(target, weight=None, offset=None):
    y = np.column_stack([COLUMNS[name] for name in target]) if isinstance(target, list) else COLUMNS[target]
    parts = (X, y, None if weight is None else COLUMNS[weight], None if offset is None else COLUMNS[offset])
    return [tuple(None if part is None else part[a:b] for part in parts) for a, b in pairwise(ENDS)]


def elsewhere(parts):
    """The chunks as an engine's partitions, which are not to be read here."""
    engine = NoMachines(parts)

    def forbidden():
        raise AssertionError("the rows were asked for")

    return ChunkSource(forbidden, 1, engine, tuple(None if part is None else part[:0] for part in parts[0])), engine


@pytest.mark.parametrize("name", [name for name in FITS if name != "quantile"])
def test_a_fold_elsewhere_has_the_bits_of_one_here(name):
    model, roles = FITS[name]
    there, engine = elsewhere(chunks(**roles))
    got = clone(model).fit_source(there)
    assert_same_bits(got, clone(model).fit_source(source(chunks(**roles))))
    assert engine.folds >= got.certificate_.passes


def test_moments_from_elsewhere():
    parts = chunks("y", "s")
    got, want = Moments.of_source(elsewhere(parts)[0]), Moments.of_source(source(parts))
    assert got.to_bytes() == want.to_bytes()
    extended = Moments.of_source(elsewhere(parts)[0], precision="extended")
    assert extended.to_bytes() == Moments.of_source(source(parts), precision="extended").to_bytes()


def test_the_first_error_in_the_order_of_the_partitions_is_raised_as_what_it_was():
    parts = chunks("y")
    for k in (12, 9):
        parts[k] = (np.where(np.arange(len(parts[k][0]))[:, None] == 1, np.nan, parts[k][0]), parts[k][1])
    with pytest.raises(ValueError, match=r"X in chunk 9 contains NaN at row 1, column 0") as caught:
        Ridge().fit_source(elsewhere(parts)[0])
    assert caught.value.__notes__ == ["(in partition 9)"]


def test_an_error_of_another_kind_tells_where_it_happened():
    parts = chunks("y")
    parts[4] = "no chunk"
    with pytest.raises(ValueError, match="chunk 4 must be a tuple"):
        Ridge().fit_source(elsewhere(parts)[0])

    class NoPickle(Exception):
        pass

    assert isinstance(pickle.loads(image(Failure(NoPickle("x")))).error, RuntimeError)
    made = leaf(pickle.dumps((divide, np.geterr())), 7, 0)
    error = pickle.loads(node([image(None), made])).error
    assert isinstance(error, ZeroDivisionError) and error.__notes__[0] == "(in partition 7)" and "divide" in error.__notes__[1]


def test_a_summary_that_cannot_travel_is_an_error_that_says_so():
    made = pickle.loads(leaf(pickle.dumps((unsendable, np.geterr())), 2, 0))
    assert isinstance(made, Failure) and "local object" in str(made.error) and made.error.__notes__[0] == "(in partition 2)"


def unsendable(number, partition):
    return lambda: None


def divide(number, partition):
    return number / partition


def test_the_clock_of_the_fit_ends_the_work():
    with watched(time_limit=0.0):
        watch().limited = True
        there, _ = elsewhere(chunks("y"))
        with pytest.raises(OutOfTime):
            Moments.of_source(there)


def test_partitions_read_elsewhere_are_counted():
    class Count:
        begun, count = (), 0

        def begin(self, *what):
            self.begun = what

        def done(self, count):
            self.count += count

        def close(self):
            pass

    with watched(time_limit=1e9):
        watch().display = count = Count()
        Moments.of_source(elsewhere(chunks("y"))[0])
    assert count.begun == (1, len(ENDS) - 1, "partitions")
    assert count.count == len(ENDS) - 1


def test_nothing_anywhere_is_the_empty_summary():
    there, _ = elsewhere([(X[:0], X[:0, 0])] * 6)
    assert Moments.of_source(there).count == 0
    with pytest.raises(ValueError, match="the source has no rows"):
        Ridge().fit_source(elsewhere([(X[:0], X[:0, 0])] * 6)[0])


def test_what_numpy_is_to_warn_of_travels_with_the_recipe():
    with np.errstate(over="raise"):
        there, _ = elsewhere(chunks("y"))
        assert fold(there, OverflowsAre).kinds == {"raise"}
    assert fold(there, OverflowsAre).kinds == {"warn"}


class OverflowsAre:
    def __init__(self):
        self.kinds = set()

    def add_rows(self, slab):
        self.kinds.add(np.geterr()["over"])

    def merge(self, other):
        self.kinds |= other.kinds


def test_partitions_change_one_after_the_other():
    engine = NoMachines([1, 2, 3, 4, 5, 6])
    assert Partitions(engine, pair).map(first).map(Sum).reduce().total == 1 + 2 + 3 + 4 + 5 + 6


def pair(number, partition):
    return partition, number


def first(value):
    return value[0]


class Sum:
    def __init__(self, total):
        self.total = total

    def merge(self, other):
        self.total += other.total


def test_arrays_have_no_partitions():
    assert ArraySource(X, COLUMNS["y"]).partitions is None
