"""What tells a question from another, and what of a summary is written: every kind of rows, and summaries inside summaries."""

import numpy as np
import pytest
from scipy import sparse

from ridgeline import Moments, checkpoint, source
from ridgeline.checkpoints.fingerprint import Digests, fingerprint
from ridgeline.checkpoints.states import restore, state_of
from ridgeline.sources import fold

rng = np.random.default_rng(6)
X = rng.normal(size=(2000, 4)) * (rng.random((2000, 4)) < 0.3)
Y = rng.normal(size=2000)


class One:
    """A question of nothing but its kind."""


class Other:
    """Of another kind."""


@pytest.mark.parametrize("values", [
    (np.array([1, "a", None], object), np.array([1, "b", None], object)),
    (np.array([2**70, 2**71], object), np.array([2**70, 2**72], object)),
    (np.arange(3.0), np.arange(3)),
    (np.zeros((2, 3)), np.zeros((3, 2))),
    ({"a": 1}, {"a": 2}),
    ([1, [2, 3]], [1, 2, 3]),
    ((1.0, None), (1.0, False)),
    (One(), Other()),
])  # fmt: skip
def test_other_values_have_other_fingerprints_and_equal_ones_the_same(values):
    first, second = values
    copy = first.copy() if hasattr(first, "copy") else first
    assert fingerprint(first) == fingerprint(copy) != fingerprint(second)


def test_digests_of_parts_stay_in_their_order():
    total = Digests(1)
    total.merge(Digests(2))
    assert total.digests == [fingerprint(1), fingerprint(2)]


def test_sparse_rows_are_told_apart_by_their_entries(tmp_path):
    def begin(rows):
        with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
            Moments.of_source(rows)
            raise ZeroDivisionError

    stored = sparse.csr_matrix(X)
    begin(source(stored, Y))
    changed = stored.copy()
    changed.data[0] += 1
    with pytest.raises(ValueError, match="is of another fit, or the rows have changed since"), checkpoint(tmp_path / "c"):
        Moments.of_source(source(changed, Y))
    with checkpoint(tmp_path / "c"):
        assert Moments.of_source(source(stored.copy(), Y)).to_bytes() == Moments.of_source(source(stored, Y)).to_bytes()


class Inner:
    """A sum of targets."""

    def __init__(self):
        self.total = 0.0

    def add_rows(self, slab):
        self.total += slab.y.sum()

    def merge(self, other):
        self.total += other.total


class Outer:
    """A summary that holds another."""

    def __init__(self):
        self.inner, self.rows = Inner(), 0

    def add_rows(self, slab):
        self.inner.add_rows(slab)
        self.rows += len(slab.y)

    def merge(self, other):
        self.inner.merge(other.inner)
        self.rows += other.rows


def test_a_summary_inside_a_summary_is_a_state_of_its_own(tmp_path):
    rows = source(X, Y)
    with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
        want = fold(rows, Outer)
        raise ZeroDivisionError
    with checkpoint(tmp_path / "c"):
        got = fold(rows, Outer)
    assert (got.rows, got.inner.total) == (2000, want.inner.total)
    assert state_of(got, Outer()) == {"inner": {"total": want.inner.total}, "rows": 2000}
    with pytest.raises(ValueError, match="the state of a summary is no mapping"):
        restore(Outer(), {"inner": 3.0, "rows": 2000})
    with pytest.raises(ValueError, match="Inner.total is missing"):
        restore(Outer(), {"inner": {}, "rows": 2000})
    with pytest.raises(ValueError, match="Outer has no other"):
        restore(Outer(), {"inner": {"total": 0.0}, "rows": 2000, "other": 1})
