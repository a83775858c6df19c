"""Directions that a Hessian does not see, kept out of the way of its factor."""

import numpy as np
import pytest

from ridgeline.solvers.regular_hessian import RegularHessian, add_projection, unseen_directions

from .test_warm_start import objective, rows


@pytest.mark.parametrize("kind", ["none", "gauge", "uneven", "general"])
def test_a_projection_is_that_on_the_columns(kind):
    rng = np.random.default_rng(1)
    N = np.zeros((6, 2)) if kind != "none" else np.zeros((6, 0))
    if kind == "general":
        N[:] = rng.normal(size=N.shape)
    elif kind != "none":
        N[[0, 2, 4], 0] = rng.normal(size=3)
        N[[1, 3, 5], 1] = rng.normal(size=3)
        N[5, 1] *= kind == "gauge"
    A = rng.normal(size=(6, 6))
    got = A.copy()
    add_projection(got, N)
    np.testing.assert_allclose(got, A + N @ np.linalg.pinv(N), atol=1e-14)


def test_what_is_hidden_is_hidden_whatever_the_units():
    """H = D G D does not see D^-1 n where G does not see n; what it does see, it solves, and as well as G."""
    rng = np.random.default_rng(3)
    B, D = rng.normal(size=(3, 4)), np.array([1.0, 2.0**6, 2.0**-6, 2.0**20])
    n = np.linalg.svd(B)[2][3:].T
    plain, regular = RegularHessian(B.T @ B, n), RegularHessian((B.T @ B) * D * D[:, None], n / D[:, None])
    g = B.T @ rng.normal(size=3)
    np.testing.assert_allclose(B.T @ B @ plain.solve(g), g, rtol=1e-12)
    np.testing.assert_allclose(D * regular.solve(D * g), plain.solve(g), rtol=1e-12)
    assert (regular.shift, regular.rcond) == (0, pytest.approx(plain.rcond, rel=1e-6))


@pytest.mark.parametrize("alpha", [0.0, 1.0, 1e4])
def test_the_step_across_a_gauge_is_that_of_the_whole_hessian(alpha):
    """Whatever the penalty along the gauge: a gradient across it has its step across it."""
    F = objective(*rows(1, 3), alpha, 3)
    gauge = F.gauge()
    theta = np.random.default_rng(2).normal(size=F.size)
    theta -= gauge @ (gauge.T @ theta)
    point = F.expand(theta, 2)
    across = F.across_gauge(point.hessian)
    assert np.abs(across @ gauge).max() <= 1e-12 * np.abs(across).max()
    first = RegularHessian(across, gauge)
    hidden, blind = unseen_directions(F, first)
    assert hidden is gauge and not blind.shape[1]
    step = first.solve(point.gradient)
    step -= gauge @ (gauge.T @ step)
    wanted = np.linalg.lstsq(point.hessian, point.gradient, rcond=1e-13)[0]
    np.testing.assert_allclose(step, wanted, rtol=1e-8, atol=1e-10 * np.abs(wanted).max())


def test_one_output_has_no_gauge():
    F = objective(*rows())
    H = F.expand(np.zeros(F.size), 2).hessian
    assert F.across_gauge(H) is H
