"""The order of merges: the same for every way to deal the runs out, and that of the drawing in `engines.tree`."""

import numpy as np
import pytest

from ridgeline import Ridge, source
from ridgeline.engines.tree import FAN, Tree, merged


class Words:
    """A summary that shows its order of merges: the text of an expression."""

    def __init__(self, text):
        self.text = text

    def merge(self, other):
        self.text = f"({self.text} {other.text})"


def streamed(runs):
    """The total of segments that come one after the other, as [run, text] pairs."""
    trees = [Tree(run, Words(text)) for run, text in runs]
    for later in trees[1:]:
        trees[0].merge(later)
    return trees[0].total().text


def dealt(count, present):
    """The same from the totals of the runs, level by level, as machines make it."""
    level = [Words(str(run)) if run in present else None for run in range(count)]
    while len(level) > 1:
        level = [merged(level[k : k + FAN]) for k in range(0, len(level), FAN)]
    return level[0].text


def test_segments_of_a_run_merge_before_the_runs_do():
    assert streamed([(0, "a"), (0, "b"), (1, "c"), (2, "d"), (2, "e")]) == "(((a b) c) (d e))"


def test_a_node_has_sixteen_places():
    assert FAN == 16
    left = streamed([(run, str(run)) for run in range(16)])
    assert streamed([(run, str(run)) for run in range(18)]) == f"({left} (16 17))"
    assert streamed([(3, "3"), (17, "17"), (18, "18")]) == "(3 (17 18))"  # runs without rows leave their places empty


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 300, 4097])
@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_streamed_and_dealt_are_one_order(count, share):
    rng = np.random.default_rng(count)
    present = sorted({int(rng.integers(count)), *np.flatnonzero(rng.random(count) < share).tolist()})
    assert streamed([(run, str(run)) for run in present]) == dealt(count, set(present))


def test_no_more_nodes_are_open_than_there_are_levels():
    tree = Tree(0, Words(""))
    for run in range(1, 5000):
        tree.merge(Tree(run, Words("")))
        assert len(tree.nodes) <= 1 + np.ceil(np.log(run + 1) / np.log(FAN))


def test_nothing_is_merged_to_nothing():
    assert merged([]) is None and merged([None, None]) is None


def test_an_empty_chunk_keeps_its_place():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 3)), rng.normal(size=400)
    cuts = np.sort(rng.integers(0, 401, 39))
    chunks = [(X[a:b], y[a:b]) for a, b in zip([0, *cuts], [*cuts, 400])]
    chunks[20] = (X[:0], y[:0])
    with_it = Ridge().fit_source(source(chunks)).coef_
    without = Ridge().fit_source(source(chunks[:20] + chunks[21:])).coef_
    np.testing.assert_allclose(with_it, without, rtol=1e-12)
