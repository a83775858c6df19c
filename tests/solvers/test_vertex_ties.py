"""The exchange of rows where many are interpolated at once: whole numbers, in which ties are the rule."""

import numpy as np
import pytest

from ridgeline.solvers.vertex import choose_basis, find_vertex, paired
from tests.solvers.test_interior_point import DenseRows


def vertex(x, y, tau, v, first, max_exchanges=30):
    """The vertex found, which must be proven: v in the box, X'v = 0, and no gap."""
    lower, upper = np.full(len(y), tau - 1), np.full(len(y), tau)
    found = find_vertex(DenseRows(x), y, lower, upper, v, first, max_exchanges)
    assert found is not None
    assert (lower <= found.v).all() and (found.v <= upper).all()
    np.testing.assert_allclose(x.T @ found.v, 0, atol=1e-12)
    assert 0 <= found.gap <= 1e-12
    return found


def test_ties_share_what_the_basis_cannot_bear():
    """The median of 0, 0, 0, 0, 1, 1 is 0: the ones pull with 1/2 each, and no zero may pull with more than that."""
    y = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    v = np.array([0.0, 0.4, 0.4, 0.4, 0.0, 0.0])  # the first zero has the most room, but not for all of it
    found = vertex(np.ones((6, 1)), y, 0.5, v, np.array([1]))
    assert found.beta == 0 and found.primal == 1
    assert found.v[:4].sum() == pytest.approx(-1, abs=1e-15) and (found.v[4:] == 0.5).all()


def test_ties_help_by_the_square_of_their_room():
    """Six zeros and two ones: the zeros have to sum to -1, sum to 0, and one of them alone cannot make up for it."""
    v = np.array([0.0, 0.0, 0.1, 0.1, -0.1, -0.1, 0.0, 0.0])
    room = np.array([0.5, 0.5, 0.4, 0.4, 0.4, 0.4]) ** 2
    found = vertex(np.ones((8, 1)), np.repeat([0.0, 1.0], [6, 2]), 0.5, v, np.array([0]), max_exchanges=0)
    np.testing.assert_allclose(found.v[:6], v[:6] - room / room.sum(), rtol=1e-13)


def test_terms_that_cancel_round_as_their_sizes_do():
    """A residual 1e8 - 1e8 + 0 is zero to 1e-8 only, and so is the gap that it makes."""
    one = np.ones(1)
    pair = paired(one, 0 * one, 1e-8 * one, -0.5 * one, -0.5 * one, 0.5 * one, None, 2e8)
    assert 1e-8 == pair.gap <= pair.noise < 1e-6 and pair.within(0.0)
    assert not paired(one, 0 * one, 1e-8 * one, -0.5 * one, -0.5 * one, 0.5 * one).within(0.0)


@pytest.mark.parametrize("seed", range(60))
def test_tables_of_whole_numbers(seed):
    """From anywhere in the box the exchanges, many of them without a step, lead to a proven vertex."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 20)), int(rng.integers(1, 4))
    x = np.column_stack([rng.integers(-2, 3, (n, p - 1)), np.ones(n)]).astype(float)
    tau = float(rng.choice([0.5, 0.25, 0.3]))
    first = choose_basis(DenseRows(x), np.arange(1.0, n + 1), np.linalg.matrix_rank(x))
    vertex(x, rng.integers(-2, 3, n).astype(float), tau, rng.uniform(tau - 1, tau, n), first)
