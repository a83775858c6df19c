"""Secant steps beside the BFGS update written out as a matrix."""

import numpy as np
import pytest

from ridgeline.solvers.secant import secant_pair, secant_step


def bfgs(H, s, y):
    """The inverse Hessian after the pair (s, y)."""
    rho = 1 / (s @ y)
    V = np.eye(len(s)) - rho * np.outer(y, s)
    return V.T @ H @ V + rho * np.outer(s, s)


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("k", [0, 1, 4])
def test_steps_are_those_of_the_updated_matrix(k, rescale):
    rng = np.random.default_rng(k)
    A = rng.normal(size=(6, 6))
    A = A @ A.T + np.eye(6)
    guess = np.diag(rng.uniform(1, 2, 6))
    pairs = [secant_pair(s, A @ s) for s in rng.normal(size=(k, 6))]
    g = rng.normal(size=6)
    H = guess
    if rescale and pairs:
        s, y, _ = pairs[-1]
        H = guess * (s @ y) / (y @ guess @ y)
    for s, y, _ in pairs:
        H = bfgs(H, s, y)
    np.testing.assert_allclose(secant_step(g, pairs, lambda v: guess @ v, rescale=rescale), H @ g, rtol=1e-12)


def test_a_pair_must_show_curvature():
    s = np.array([1.0, 0.0])
    assert secant_pair(s, np.array([0.0, 1.0])) is None
    assert secant_pair(s, -s) is None
    assert secant_pair(s, 0 * s) is None
    assert secant_pair(s, s * np.nan) is None


@pytest.mark.parametrize("s, y", [(1.0, 1.0), (1e-9, 1e-9), (1e9, 1e9), (1e-9, 1e12)])
def test_curvature_is_judged_beside_the_lengths(s, y):
    """An angle whose cosine is 1e-15 shows it, one of 1e-17 does not."""
    along, across = np.eye(101)[0], np.append(0.0, np.full(100, 0.1))
    assert secant_pair(s * along, y * (across + 1e-15 * along)) is not None
    assert secant_pair(s * along, y * (across + 1e-17 * along)) is None


def test_a_pair_of_any_size():
    s = np.array([1e-200, 1e-200])
    _, _, rho = secant_pair(s, 1e250 * np.ones(2))
    np.testing.assert_allclose(rho, 0.5e-50)
