"""Certificates: a warning exactly when the status is not optimal, once, with a remedy; and bounds that hold in fifty digits."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

mp = pytest.importorskip("mpmath")

from ridgeline import HuberRegressor, Lasso, LinearRegression, LogisticRegression, Moments, QuantileRegressor, Ridge
from ridgeline.certificate import STATUSES, FitWarning
from tests import fifty_digits
from tests.fifty_digits import Reference

X = np.array([[0.0, 1.0], [1.0, -1.0], [2.0, 0.5], [3.0, 2.0], [4.0, -2.0], [5.0, 0.0], [6.0, 1.0], [7.0, 3.0]])
Y = np.array([0.5, 1.0, -1.0, 3.0, 2.0, 2.5, 4.0, 30.0])
LABEL = np.array([0, 1, 0, 0, 1, 0, 1, 1])
TWIN = np.hstack([X, X[:, :1]])
HILBERT = 1 / (np.arange(12)[:, None] + np.arange(8) + 1.0)

# name -> (fit, status, what the message says to do)
CASES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "least squares": (lambda: LinearRegression().fit(X, Y), "optimal", ""),
    "ridge": (lambda: Ridge().fit(X, Y), "optimal", ""),
    "lasso": (lambda: Lasso(0.1).fit(X, Y), "optimal", ""),
    "lasso, a column twice": (lambda: Lasso(0.1).fit(TWIN, Y), "optimal", ""),
    "lasso, stopped": (lambda: Lasso(1e-6, max_iter=1, tol=0).fit(X, Y), "stopped_early", "increase the number of iterations"),
    "huber": (lambda: HuberRegressor().fit(X, Y), "optimal", ""),
    "huber with a threshold": (lambda: HuberRegressor(delta=1.0).fit(X, Y), "optimal", ""),
    "median": (lambda: QuantileRegressor(alpha=0).fit(X, Y), "optimal", ""),
    "logistic": (lambda: LogisticRegression().fit(X, LABEL), "optimal", ""),
    "logistic, no penalty": (lambda: LogisticRegression(C=np.inf).fit(X, LABEL), "optimal", ""),
    "softmax": (lambda: LogisticRegression().fit(X, LABEL + (Y > 2)), "optimal", ""),
    "ridge, a column twice": (lambda: Ridge().fit(TWIN, Y), "optimal", ""),
    "logistic, a column twice, penalty": (lambda: LogisticRegression().fit(TWIN, LABEL), "optimal", ""),
    "ridge, wide": (lambda: Ridge().fit(X.T, Y[:2]), "optimal", ""),
    "least squares, Hilbert": (lambda: LinearRegression().fit(HILBERT, np.arange(12.0)), "optimal", ""),
    "least squares, a column twice": (lambda: LinearRegression().fit(TWIN, Y), "rank_deficient", "Drop|alpha > 0"),
    "least squares, a constant": (lambda: LinearRegression().fit(X * [1, 0], Y), "rank_deficient", "Drop|alpha > 0"),
    "least squares, wide": (lambda: LinearRegression().fit(X.T, Y[:2]), "rank_deficient", "alpha > 0"),
    "huber, a column twice": (lambda: HuberRegressor(alpha=0).fit(TWIN, Y), "rank_deficient", "Drop|penalty"),
    "median, a column twice": (lambda: QuantileRegressor(alpha=0).fit(TWIN, Y), "rank_deficient", "drop|alpha > 0"),
    "logistic, a column twice": (
        lambda: LogisticRegression(C=np.inf).fit(TWIN, LABEL), "rank_deficient", "Drop|penalty",
    ),
    "moments, Hilbert": (
        lambda: LinearRegression().fit_moments(Moments.of(HILBERT, np.arange(12.0))), "ill_conditioned", "extended",
    ),
    "logistic, separated": (
        lambda: LogisticRegression(C=np.inf).fit(X, X[:, 0] > 3), "no_finite_optimum", "penalty|drop",
    ),
    "logistic, one step": (lambda: LogisticRegression(max_iter=1).fit(X, LABEL), "stopped_early", "max_iter"),
    "L-BFGS, one step": (
        lambda: LogisticRegression(solver="lbfgs", max_iter=1, C=1e9).fit(X, X[:, 0] > 3), "stopped_early", "max_iter",
    ),
    "huber, one step": (lambda: HuberRegressor(max_iter=1).fit(X, Y), "stopped_early", "max_iter"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_status_and_warning(name: str) -> None:
    fit, status, remedy = CASES[name]
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        certificate = fit().certificate_
    assert certificate.status == status
    assert [issubclass(w.category, FitWarning) for w in record] == ([] if status == "optimal" else [True])
    for warning in record:
        assert str(warning.message) == certificate.message
        assert warning.filename == __file__  # it points at the call, not into the library
        assert any(word in certificate.message for word in remedy.split("|"))
    assert certificate.gradient_norm >= 0
    assert certificate.suboptimality >= 0
    assert certificate.passes == 0 if name.startswith("moments") else certificate.passes >= 1
    assert certificate.solver
    assert status in str(certificate)


def test_every_status_is_in_the_table() -> None:
    assert {status for _, status, _ in CASES.values()} == set(STATUSES)


def draw(seed: int) -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray | None]:
    """X at random scales and offsets, real targets, and weights or none."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(8, 16)), int(rng.integers(1, 4))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-6, 6, d)
    if rng.random() < 0.3:
        X += np.abs(X).max(0) * 10.0 ** rng.uniform(0, 4, d)
    z = (X - X.mean(0)) / X.std(0) @ rng.normal(size=d) + rng.standard_t(2, size=n)
    weight = 10.0 ** rng.uniform(-3, 3, n) if rng.random() < 0.5 else None
    if rng.random() < 0.3:
        X = X.astype(np.float32)
    return rng, X, z, weight


def check(certificate: Any, gap: float, gradient: float, rounding: float, note: str) -> None:
    assert gap <= certificate.suboptimality * (1 + 1e-9) + 1e-300, f"{note}: F - F* = {gap:.3g}, {certificate}"
    # the gradient is computed in double, and its rounding is not in the report
    assert gradient <= certificate.gradient_norm * 1.01 + rounding, f"{note}: {gradient:.3g}, {certificate}"


SEEDS = [pytest.param(range(25), id="quick"), pytest.param(range(25, 1500), id="deep", marks=pytest.mark.slow)]


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("kind", ["huber", "logistic", "softmax"])
def test_bounds_hold(kind: str, seeds: range) -> None:
    proven = 0
    for seed in seeds:
        rng, X, z, weight = draw(seed)
        alpha = float(10.0 ** rng.uniform(-4, 2)) * float(np.median(np.abs(X)) ** 2)
        intercept = bool(rng.integers(2))
        if kind == "huber":
            delta = float(10.0 ** rng.uniform(-2, 1))
            alpha = alpha if rng.random() < 0.5 else 0.0
            model, y, loss = HuberRegressor(delta=delta, alpha=alpha, fit_intercept=intercept), z, fifty_digits.huber(delta)
        else:
            y = np.digitize(z, [-1, 1]) if kind == "softmax" else (z > 0).astype(int)
            y[:3] = [0, 1, 2] if kind == "softmax" else [0, 1, 0]
            model = LogisticRegression(C=1 / alpha, fit_intercept=intercept)
            alpha = 1 / (1 / alpha)
            loss = fifty_digits.softmax if kind == "softmax" else fifty_digits.logistic
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            model.fit(X, y, weight)
        reference = Reference(loss, X, y, weight, alpha, intercept)
        try:
            with mp.workdps(90):
                gap, gradient, _ = reference.judge(model.coef_, model.intercept_, steps=60)
        except (AssertionError, ZeroDivisionError):
            # the reference's Newton has no line search: it cycles on Huber's corners, and from where a fit says it stopped short
            assert kind == "huber" or model.certificate_.status == "stopped_early"
            continue
        terms = float((np.abs(X) @ np.abs(np.atleast_2d(model.coef_)).T).max())  # of a prediction, before they cancel
        rounding = 1e-15 * max(1.0, float(np.abs(X).max())) * max(10.0, terms, float(np.abs(z).max()) if kind == "huber" else 1.0)
        check(model.certificate_, gap, gradient, rounding, f"{kind} {seed}")
        proven += model.certificate_.status == "optimal"
    assert proven >= 0.7 * len(seeds)


@pytest.mark.parametrize("seeds", SEEDS)
def test_bounds_hold_for_quantiles(seeds: range) -> None:
    """An optimum is among the points that meet as many rows (or zeros of penalised coefficients) as there are unknowns."""
    for seed in seeds:
        rng, X, z, weight = draw(seed)
        X, z = X[:9, :2], z[:9]
        weight = None if weight is None else weight[:9]
        n, d = X.shape
        tau, alpha = float(rng.uniform(0.05, 0.95)), float(rng.choice([0.0, 0.03])) * float(np.abs(X).mean())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            model = QuantileRegressor(quantile=tau, alpha=alpha).fit(X, z, weight)
        s = [Fraction(float(v)) for v in (np.ones(n) if weight is None else weight)]
        rows = [[Fraction(float(v)) for v in row] + [Fraction(1)] for row in X]
        y = [Fraction(float(v)) for v in z]
        q, a = Fraction(tau), Fraction(alpha)

        def mean_loss(theta: list[Fraction]) -> Fraction:
            r = [t - sum(u * v for u, v in zip(row, theta)) for row, t in zip(rows, y)]  # noqa: B023
            loss = sum(k * max(q * v, (q - 1) * v) for k, v in zip(s, r)) / sum(s)  # noqa: B023
            return loss + a * sum(abs(v) for v in theta[:d])  # noqa: B023

        zeros = [[Fraction(int(j == k)) for k in range(d + 1)] for j in range(d)] if alpha else []
        best = min(
            mean_loss(list(fifty_digits.exact_solution(A, c)))
            for A, c in (
                (np.array([(rows + zeros)[i] for i in met]), np.array([(y + [Fraction(0)] * d)[i] for i in met]))
                for met in itertools.combinations(range(n + len(zeros)), d + 1)
            )
            if regular(A)
        )
        theta = [Fraction(float(v)) for v in [*model.coef_, model.intercept_]]
        gap = float(mean_loss(theta) - best)
        rounding = 1e-15 * float(mean_loss([Fraction(0)] * (d + 1))) + (1e-6 if X.dtype == np.float32 else 0)
        assert -1e-30 <= gap <= model.certificate_.suboptimality * (1 + 1e-9) + rounding, f"{seed}: {model.certificate_}"


def regular(A: np.ndarray) -> bool:
    """Whether elimination without exchanges goes through."""
    A = A.copy()
    for j in range(len(A)):
        if A[j, j] == 0:
            return False
        for k in range(j + 1, len(A)):
            A[k, j:] = A[k, j:] - A[k, j] / A[j, j] * A[j, j:]
    return True


@pytest.mark.parametrize("seeds", SEEDS)
def test_bounds_hold_for_the_fitted_scale(seeds: range) -> None:
    """F(theta, sigma) is convex: F - F* <= F(mine) - (any value found by a fine search from there)."""
    for seed in seeds:
        rng, X, z, weight = draw(seed)
        epsilon, alpha = float(rng.uniform(1.1, 2)), float(rng.choice([0.0, 1e-3]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            model = HuberRegressor(epsilon=epsilon, alpha=alpha).fit(X, z, weight)
        s = np.ones(len(z)) if weight is None else weight

        def half(w: Any, b: Any, sigma: Any) -> Any:
            total = mp.mpf(0)
            for row, t, k in zip(X, z, s):  # noqa: B023
                u = abs(mp.mpf(float(t)) - mp.fdot(map(float, row), w) - b) / sigma
                h = u * u if u <= epsilon else 2 * epsilon * u - mp.mpf(epsilon) ** 2  # noqa: B023
                total += mp.mpf(float(k)) * (sigma + h * sigma)
            return (total + alpha * mp.fsum(v * v for v in w)) / 2  # noqa: B023

        point = [*(mp.mpf(float(v)) for v in model.coef_), mp.mpf(float(model.intercept_)), mp.mpf(model.scale_)]
        mine = best = half(point[:-2], point[-2], point[-1])
        for _ in range(40):
            near = [v * (1 + mp.mpf(rng.normal()) * mp.mpf(10) ** -rng.integers(3, 12)) for v in point]
            best = min(best, half(near[:-2], near[-2], near[-1]))
        gap = float((mine - best) / mp.fsum(map(float, s)))
        assert gap <= model.certificate_.suboptimality * (1 + 1e-9) + 1e-300, f"{seed}: {gap:.3g}, {model.certificate_}"
