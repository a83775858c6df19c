"""Preconditioned L-BFGS beside Newton's method, on columns of every kind; what its preconditioner costs; its proof."""

import numpy as np
import pytest

from ridgeline.certificate import NO_FINITE_OPTIMUM, OPTIMAL, RANK_DEFICIENT
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC, SoftmaxLoss, huber_loss
from ridgeline.solvers import lbfgs as module
from ridgeline.solvers.lbfgs import DiagonalPreconditioner, GramPreconditioner, Price, lbfgs
from ridgeline.solvers.newton import newton
from ridgeline.solvers.select import minimise
from ridgeline.sources import EMPTY, ArraySource

N, D = 900, 40


def columns(kind, n=N, d=D, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d))
    if kind == "correlated":
        for j in range(1, d):
            X[:, j] = 0.95 * X[:, j - 1] + 0.3 * X[:, j]
    elif kind == "badly scaled":
        X = X * 10.0 ** np.linspace(-6, 6, d) + 10.0 ** np.linspace(-5, 7, d)
    elif kind == "mostly zero":
        X *= np.random.default_rng(1).uniform(size=X.shape) < 0.05
    return X


def objective(X, classes=2, alpha=0.5, soft=False, weights=True, offset=False, fit_intercept=True, seed=3):
    rng = np.random.default_rng(seed)
    n = len(X)
    c = 1 if classes == 2 else classes
    unit = (X - X.mean(0)) / X.std(0)
    z = unit @ rng.normal(size=(X.shape[1], c)) / 4
    if classes == 2:
        y = (z[:, 0] + rng.logistic(size=n) > 0).astype(float)
        y = rng.uniform(0.05, 0.95, n) if soft else y
    else:
        y = (z + rng.gumbel(size=(n, c))).argmax(1)
        y = rng.dirichlet(np.ones(c), n) if soft else y
    s = rng.uniform(0.5, 2, n) * (rng.uniform(size=n) > 0.1) if weights else EMPTY
    o = rng.normal(size=n if c == 1 else (n, c)) if offset else EMPTY
    loss = LOGISTIC if classes == 2 else SoftmaxLoss(classes)
    return Objective(ArraySource(X, y, s, o), loss, alpha, fit_intercept)


@pytest.mark.parametrize("kind", ["independent", "correlated", "badly scaled", "mostly zero"])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_solvers_of_the_table_agree(kind, classes):
    F = objective(columns(kind), classes)
    zero = np.zeros(F.size)
    found = {name: minimise(F, zero, tol=1e-10, max_iter=100, solver=name) for name in ("newton", "lbfgs", "auto")}
    for best in found.values():
        assert best.certificate.status == OPTIMAL
        np.testing.assert_allclose(best.theta, found["newton"].theta, atol=2e-6)
        value = F.expand(best.theta, 0).value
        assert value - F.expand(found["newton"].theta, 0).value <= 1e-10 * value


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("options", [dict(soft=True), dict(offset=True), dict(weights=False), dict(fit_intercept=False)], ids=str)
def test_targets_offsets_and_weights_of_every_kind(classes, options):
    F = objective(columns("correlated", d=9), classes, **options)
    zero = np.zeros(F.size)
    a, b = (minimise(F, zero, tol=1e-10, max_iter=100, solver=name) for name in ("newton", "lbfgs"))
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-6)


def test_fewer_rows_than_columns():
    F = objective(columns("correlated", n=60, d=300))
    best = minimise(F, np.zeros(F.size), tol=1e-9, max_iter=100, solver="lbfgs")
    plain = newton(F, np.zeros(F.size), tol=1e-9, max_iter=100)
    assert best.certificate.status == OPTIMAL
    np.testing.assert_allclose(best.theta, plain.point.theta, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
def test_a_penalty_proves_the_optimum_without_a_hessian(classes, fit_intercept, alpha):
    F = objective(columns("correlated", d=12), classes, alpha, fit_intercept=fit_intercept)
    best = minimise(F, np.zeros(F.size), tol=1e-8, max_iter=100, solver="lbfgs")
    lowest = newton(F, best.theta, tol=1e-12, max_iter=20).point.value
    gap = (F.expand(best.theta, 0).value - lowest) / F.weight
    bound = best.certificate.suboptimality
    assert gap <= bound + 1e-15
    assert bound <= 1e-9 / min(alpha, 1.0)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_curvature_of_the_outputs_is_the_hessian_of_the_intercepts(classes):
    F = objective(columns("independent", d=5), classes, offset=True)
    theta = 0.3 * np.random.default_rng(5).normal(size=F.size)
    p = F.coordinates.width
    H = F.expand(theta, 2).hessian
    np.testing.assert_allclose(F.output_curvature(theta), H[p - 1 :: p, p - 1 :: p], rtol=1e-12, atol=1e-12)


def test_of_many_rows_some_bound_the_curvature_from_below():
    F = objective(columns("independent", n=40_000, d=3), 3)
    theta = np.random.default_rng(5).normal(size=F.size)
    H = F.expand(theta, 2).hessian[3::4, 3::4]
    part = F.output_curvature(theta)
    assert np.trace(part) < np.trace(H) / 3
    assert np.linalg.eigvalsh(H - part).min() > -1e-9


def test_squares_of_columns():
    F = objective(columns("badly scaled"))
    Z = (F.source.X - F.coordinates.center) * F.coordinates.scale
    np.testing.assert_allclose(F.squares(), np.append(F.source.weight @ (Z * Z), F.source.weight.sum()), rtol=1e-12)
    # a column of which a sample sees nothing is not taken for nothing
    X = np.zeros((5000, 1))
    X[1] = 1.0
    assert objective(X, weights=False, alpha=1.0).squares()[0] > 0


@pytest.mark.parametrize("n, d, classes, stride", [
    (1_000_000, 50, 2, 61), (50_000, 1000, 2, 5), (20_000, 3000, 2, 2), (60_000, 784, 10, 2), (20_000, 400, 100, 1),
])  # fmt: skip
def test_the_price_of_a_preconditioner(n, d, classes, stride):
    F = objective(columns("independent", n=50, d=3), classes)
    F.rows, F.coordinates = n, Objective(ArraySource(np.zeros((1, d)), np.zeros(1)), LOGISTIC, 1.0, False).coordinates
    price = Price.of(F)
    assert price.stride == stride
    # never dearer than all rows, nor better
    whole = d / (52 + 9 * (F.loss.outputs - 1))
    assert price.passes <= whole * (1 + 2 * d / n)


def test_the_diagonal_serves_independent_columns_and_the_gram_others(monkeypatch):
    formed = []
    monkeypatch.setattr(module, "COLUMNS_PER_PASS", 1.0)  # P is dear
    build = GramPreconditioner.__init__
    monkeypatch.setattr(GramPreconditioner, "__init__", lambda self, *a: (formed.append(a[1:]), build(self, *a))[1])
    for kind, times in (("independent", 0), ("correlated", 1)):
        formed.clear()
        F = objective(columns(kind, n=4000), weights=False, alpha=1.0)
        solution = lbfgs(F, np.zeros(F.size), tol=1e-9, max_iter=200)
        assert solution.converged
        assert len(formed) == times


@pytest.mark.parametrize("kind", [DiagonalPreconditioner, lambda F: GramPreconditioner(F, np.zeros(F.size), 3)])
def test_preconditioners_are_symmetric_and_positive(kind):
    F = objective(columns("correlated", d=6), 3)
    P = kind(F)
    inverse = np.array([P(e) for e in np.eye(F.size)])
    np.testing.assert_allclose(inverse, inverse.T, rtol=1e-5, atol=1e-7 * np.abs(inverse).max())
    assert np.linalg.eigvalsh((inverse + inverse.T) / 2).min() > 0


@pytest.mark.parametrize("classes", [2, 4])
def test_the_same_bits_for_any_number_of_threads(classes):
    X = columns("correlated", n=20_000, d=30)
    found = []
    for threads in (1, 2, 3):
        F = objective(X, classes, weights=False)
        F.source.n_threads = threads
        found.append(lbfgs(F, np.zeros(F.size), tol=1e-9, max_iter=100).point.theta)
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()


@pytest.mark.parametrize(("n", "alpha"), [(900, 1.0), (900, 1e-3), (12_000, 1.0)])
def test_a_few_hundred_parameters_get_their_last_digits_and_a_proof(n, alpha):
    """By a Hessian of all rows, or of a seventh where those are enough."""
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, 300))
    y = (X[:, :5].sum(axis=1) + 2 * rng.logistic(size=n) > 0).astype(float)
    target = Objective(ArraySource(X, y), LOGISTIC, alpha, True)
    found = minimise(target, np.zeros(301), tol=1e-8, max_iter=100)
    exact = minimise(target, np.zeros(301), tol=1e-12, max_iter=100, solver="newton")
    assert "L-BFGS" in found.certificate.solver and found.certificate.status == "optimal"
    np.testing.assert_allclose(found.coef, exact.coef, rtol=0, atol=1e-9 * np.abs(exact.coef).max())
    assert found.certificate.suboptimality <= 1e-12


def test_weights_so_small_that_slopes_vanish_beside_the_penalty():
    """g's is then below the least double: w = sum_i s_i (y_i - 1/2) x_i / alpha, the first step, is found all the same."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(50, 3)), (rng.uniform(size=50) < 0.5).astype(float)
    F = Objective(ArraySource(X, y, np.full(50, 1e-200)), LOGISTIC, 1.0, False)
    solution = lbfgs(F, np.zeros(3), tol=1e-10, max_iter=20)
    assert solution.converged
    np.testing.assert_allclose(solution.point.theta * F.coordinates.scale, 1e-200 * (y - 0.5) @ X, rtol=1e-6)


def test_a_loss_that_is_linear_along_a_step_is_left_to_newtons_method():
    """Rows all beyond Huber's threshold show a secant pair no curvature, and the gradient stays as it is."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(150, 100))
    y = 30 + rng.normal(size=150)
    F = Objective(ArraySource(X, y), huber_loss(1.0), 0.0, False)
    zero = np.zeros(F.size)
    solution = lbfgs(F, zero, tol=1e-8, max_iter=50)
    assert not solution.converged
    assert np.isfinite(solution.point.value) and solution.point.value <= F.expand(zero, 0).value
    best = minimise(F, zero, tol=1e-8, max_iter=1000, solver="lbfgs")
    assert best.certificate.status == OPTIMAL
    # tol bounds the gradient per row, in columns within one
    assert np.abs(np.clip(X @ best.coef[0] - y, -1, 1) @ X).max() <= 1e-8 * 150 * np.abs(X).max()


def test_steps_that_show_no_curvature_are_taken_while_the_gradient_falls(monkeypatch):
    F = objective(columns("independent", d=6))
    monkeypatch.setattr(module, "secant_pair", lambda s, y: None)
    solution = lbfgs(F, np.zeros(F.size), tol=1e-8, max_iter=200)
    assert solution.converged
    np.testing.assert_allclose(solution.point.theta, newton(F, np.zeros(F.size), tol=1e-12, max_iter=50).point.theta, atol=1e-6)


@pytest.mark.parametrize("kind", ["regular", "dependent", "separated"])
def test_without_a_penalty_a_hessian_says_what_was_not_seen(kind):
    """At the end of L-BFGS, which makes none: its condition, directions that are open, or one without an end."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(1500, 300))
    y = (X[:, 0] + 3 * rng.logistic(size=1500) > 0).astype(float)
    if kind == "dependent":
        X[:, 2] = X[:, 1]
    elif kind == "separated":
        X[:, 5] = np.where(y > 0, 1.0, -1.0)
    F = Objective(ArraySource(X, y), LOGISTIC, 0.0, True)
    best = minimise(F, np.zeros(F.size), tol=1e-8, max_iter=100, solver="lbfgs")
    wanted = {"regular": OPTIMAL, "dependent": RANK_DEFICIENT, "separated": NO_FINITE_OPTIMUM}[kind]
    assert best.certificate.status == wanted
    p = 1 / (1 + np.exp(-X @ best.coef[0] - best.intercept[0]))
    assert np.abs((p - y) @ X).max() <= 1e-6 * 1500
    if kind == "dependent":
        assert best.coef[0, 1] == pytest.approx(best.coef[0, 2], rel=1e-6)
