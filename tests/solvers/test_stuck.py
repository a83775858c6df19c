"""Solvers that are told what cannot be, and those that may not go on: none claims an optimum that it has not seen."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SQUARED
from ridgeline.solvers.lbfgs import GramPreconditioner, lbfgs
from ridgeline.solvers.newton import newton
from ridgeline.solvers.newton_cg import newton_cg
from ridgeline.sources import EMPTY, ArraySource, ChunkSource
from ridgeline.sparse_rows import sparse_rows

SOLVERS = {"newton": newton, "L-BFGS": lbfgs, "Newton-CG": newton_cg}

rng = np.random.default_rng(16)
X = rng.normal(size=(400, 6))
Y = (X @ rng.normal(size=6) + rng.logistic(size=400) > 0).astype(float)


def objective(loss=LOGISTIC, name="newton"):
    """Newton-CG has products of sparse rows."""
    rows = sparse_rows(csr_matrix(X), "X") if name == "Newton-CG" else X
    return Objective(ArraySource(rows, Y, EMPTY), loss, 0.5, True)


def changed(monkeypatch, F, **change):
    """F, of whose points some attributes are wrong."""
    expand = F.expand

    def wrong(theta, *order):
        point = expand(theta, *order)
        return replace(point, **{name: act(getattr(point, name)) for name, act in change.items()})

    monkeypatch.setattr(type(F), "expand", lambda self, theta, *order: wrong(theta, *order))
    return F


@pytest.mark.parametrize("name", SOLVERS)
def test_a_start_that_has_no_value_is_where_a_solver_stops(name, monkeypatch):
    F = objective(name=name)
    theta = np.zeros(F.size)
    solution = SOLVERS[name](changed(monkeypatch, F, value=lambda value: np.inf), theta, tol=1e-8, max_iter=20)
    assert not solution.converged and solution.n_iter == 0 and (solution.point.theta == theta).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_a_gradient_that_points_uphill_leads_nowhere_and_is_no_optimum(name, monkeypatch):
    F = changed(monkeypatch, objective(name=name), gradient=np.negative)
    solution = SOLVERS[name](F, np.zeros(F.size), tol=1e-8, max_iter=20)
    assert not solution.converged and np.abs(solution.point.gradient).max() / F.weight > 1e-3


@pytest.mark.parametrize("name", SOLVERS)
def test_a_gradient_beyond_the_range_leads_nowhere_and_is_no_optimum(name, monkeypatch):
    F = changed(monkeypatch, objective(name=name), gradient=lambda g: np.full_like(g, np.inf))
    theta = np.zeros(F.size)
    solution = SOLVERS[name](F, theta, tol=1e-8, max_iter=20)
    assert not solution.converged and (solution.point.theta == theta).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_that_may_take_no_step_more_says_so(name):
    F = objective(name=name)
    solution = SOLVERS[name](F, np.zeros(F.size), tol=1e-12, max_iter=1)
    assert not solution.converged and solution.n_iter == 1
    done = SOLVERS[name](F, solution.point.theta, tol=1e-8, max_iter=100)
    assert done.converged and F.steepness(F.expand(done.point.theta, 1)) <= 1e-8


def test_squares_of_many_columns_take_one_product_for_all_steps():
    """The Hessian of least squares is the same everywhere."""
    F = objective(SQUARED)
    solution = newton_cg(F, np.zeros(F.size), tol=1e-9, max_iter=50)
    best = newton(F, np.zeros(F.size), tol=1e-12, max_iter=5)
    assert solution.converged
    np.testing.assert_allclose(solution.point.theta, best.point.theta, atol=1e-8)


def test_a_preconditioner_of_rows_that_cannot_be_sampled_takes_all_of_them():
    F = objective()
    chunks = Objective(ChunkSource(lambda: [(X, Y)]), LOGISTIC, 0.5, True)
    theta, g = np.zeros(F.size), rng.normal(size=F.size)
    whole = GramPreconditioner(F, theta)(g)
    np.testing.assert_allclose(GramPreconditioner(chunks, theta, 3)(g), whole, rtol=1e-5)
    assert np.abs(GramPreconditioner(F, theta, 3)(g) - whole).max() > 1e-5  # where they can be
