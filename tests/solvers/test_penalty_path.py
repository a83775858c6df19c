"""The path of penalties: each point is the optimum for its own."""

import numpy as np
import pytest

from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SoftmaxLoss
from ridgeline.solvers import reads
from ridgeline.solvers.newton import newton
from ridgeline.solvers.penalty_path import penalty_path
from ridgeline.sources import ArraySource


def problem(classes, n=600, d=6, seed=0, decades=3):
    random = np.random.default_rng(seed)
    scale = np.logspace(-decades, decades, d)
    X = random.normal(size=(n, d)) * scale + 10.0
    z = (X - 10) / scale @ random.normal(size=(d, classes)) + random.gumbel(size=(n, classes))
    codes = z.argmax(axis=1)
    loss = LOGISTIC if classes == 2 else SoftmaxLoss(classes)
    return Objective(ArraySource(X, codes.astype(float) if classes == 2 else codes), loss, 0.0, True)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("alphas", [np.logspace(4, -4, 9), np.array([1.0]), np.array([1e-3, 1e3, 1e-3]), np.array([1.0, 0.0])])
def test_every_point_is_its_optimum(classes, alphas):
    objective = problem(classes)
    start = np.zeros(objective.size)
    found = list(penalty_path(objective, alphas, start, tol=1e-10, max_iter=100))
    assert len(found) == len(alphas)
    for alpha, solution in zip(alphas, found):
        here = objective.penalised(float(alpha))
        alone = newton(here, start, tol=1e-12, max_iter=100)
        assert solution.converged and here.steepness(here.expand(solution.point.theta, 1)) < 1e-9
        shift = here.movement(solution.point.theta - alone.point.theta) / max(1.0, here.movement(alone.point.theta))
        assert shift < 1e-6


def test_a_path_takes_few_reads_a_penalty():
    objective = problem(2, n=5000)
    list(penalty_path(objective, np.logspace(4, -4, 50), np.zeros(objective.size), tol=1e-8, max_iter=100))
    assert objective.source.reads < 145


@pytest.mark.parametrize("classes", [2, 4])
def test_penalties_that_hardly_move_the_optimum_take_no_read(classes, monkeypatch):
    """And what is said of their gradients is true, within the error that is said."""
    monkeypatch.setattr(reads, "UNREAD", 1)
    objective, tol = problem(classes, n=3000, decades=0), 1e-8
    alphas, before, unread = np.logspace(3, -5, 60), [], 0
    for alpha, solution in zip(alphas, penalty_path(objective, alphas, np.zeros(objective.size), tol=tol, max_iter=100)):
        before.append(objective.source.reads)
        here = objective.penalised(float(alpha))
        true = here.expand(solution.point.theta, 1)
        objective.source.reads -= 1
        assert solution.converged and here.steepness(true) <= tol
        assert (np.abs(true.gradient - solution.point.gradient) <= solution.error + 1e-13 * here.weight).all()
        unread += np.any(solution.error)
    steps = np.diff(before)
    assert unread > (steps == 0).sum() >= 10  # the last step of others, too
    assert (steps[-8:] == 0).all()


def test_of_rows_is_the_objective_of_those_rows():
    objective = problem(2)
    kept = np.arange(600) % 3 > 0
    part = objective.of_rows(objective.source, kept)
    theta = np.random.default_rng(1).normal(size=objective.size)
    alone = Objective(ArraySource(objective.source.X[kept], objective.source.y[kept]), LOGISTIC, 0.0, True)
    alone.coordinates = objective.coordinates
    assert part.weight == alone.weight == kept.sum() == part.rows
    np.testing.assert_allclose(part.expand(theta, 1).gradient, alone.expand(theta, 1).gradient, rtol=1e-12, atol=1e-9)


def far_off(n=300):
    """Offsets on the wrong side: where a large penalty holds theta at zero there is hardly any curvature, and steps go too far."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(n, 2)), (random.uniform(size=n) < 0.5).astype(float)
    return Objective(ArraySource(X, y, np.empty(0), np.where(y > 0, -8.0, 8.0)), LOGISTIC, 0.0, True)


def test_a_step_that_goes_too_far_is_left_to_newtons_method():
    objective = far_off()
    first, second = penalty_path(objective, np.array([1e6, 1e-3]), np.zeros(3), tol=1e-9, max_iter=100)
    assert first.converged and second.converged
    here = objective.penalised(1e-3)
    X, y, offset, place = objective.source.X, objective.source.y, objective.source.offset, objective.coordinates
    w, b = place.original(second.point.theta[None])
    p = 1 / (1 + np.exp(-(X @ w[0] + b[0] + offset)))
    assert np.abs(np.append((p - y) @ X + 1e-3 * w[0], (p - y).sum())).max() <= 1e-9 * len(y) * np.abs(X).max()
    alone = newton(here, np.zeros(3), tol=1e-9, max_iter=100)
    np.testing.assert_allclose(second.point.theta, alone.point.theta, atol=1e-6)


def test_a_path_whose_steps_run_out_says_so_of_each_point():
    found = list(penalty_path(far_off(), np.array([1e3, 1.0]), np.zeros(3), tol=1e-9, max_iter=1))
    assert [(solution.converged, solution.n_iter) for solution in found] == [(False, 1), (False, 2)]
