"""Random least-squares problems against their exact rational solution: the certificate's bound holds, the backward error is small.

The exact optimum of the doubles passed in is found with fractions.Fraction; F of the coefficients returned is evaluated exactly too, so
the comparison has no rounding of its own.
"""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from ridgeline import LinearRegression, Moments, Ridge
from ridgeline.certificate import OPTIMAL, RANK_DEFICIENT


def draw(rng):
    """One problem: X, y, weights, alpha, intercept; any scale, rank, weight, offset, precision and shape."""
    n, d = int(rng.integers(1, 13)), int(rng.integers(1, 5))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-8, 8, d)
    if rng.uniform() < 0.3:
        X += np.abs(X).max(axis=0) * 10.0 ** rng.uniform(0, 6, d)
    if d > 1 and rng.uniform() < 0.2:
        X[:, -1] = 2 * X[:, 0]
    if rng.uniform() < 0.2:
        X = np.round(X / np.abs(X).max(axis=0) * 3)
    y = rng.normal(size=n) * 10.0 ** rng.uniform(-6, 6)
    if rng.uniform() < 0.3:
        X = X.astype(np.float32)
    weight = None
    kind = rng.integers(4)
    if kind == 1:
        weight = rng.integers(0, 3, n).astype(float)
        weight[rng.integers(n)] = 1.0
    elif kind == 2:
        weight = 10.0 ** rng.uniform(-8, 8, n)
    alpha = 0.0 if rng.uniform() < 0.4 else float(10.0 ** rng.uniform(-6, 6) * np.median(np.abs(X)) ** 2)
    return X, y, weight, alpha, bool(rng.integers(2))


def exact_minimum(X, y, weight, alpha, fit_intercept):
    """min F as a Fraction, by elimination on the exact normal equations (dependent columns drop out)."""
    n, d = X.shape
    Z = [[Fraction(float(v)) for v in row] + [Fraction(1)] * fit_intercept for row in X]
    t = [Fraction(float(v)) for v in y]
    s = [Fraction(1)] * n if weight is None else [Fraction(float(v)) for v in weight]
    p = d + fit_intercept
    A = [[sum(s[i] * Z[i][j] * Z[i][k] for i in range(n)) for k in range(p)] for j in range(p)]
    c = [sum(s[i] * Z[i][j] * t[i] for i in range(n)) for j in range(p)]
    for j in range(d):
        A[j][j] += Fraction(alpha)
    least = sum(s[i] * t[i] ** 2 for i in range(n))
    for j in range(p):  # each pivot's share of the explained sum of squares: c_j^2 / A_jj
        if A[j][j] == 0:
            continue
        least -= c[j] ** 2 / A[j][j]
        for k in range(j + 1, p):
            f = A[k][j] / A[j][j]
            if f:
                for m in range(j + 1, p):
                    A[k][m] -= f * A[j][m]
                c[k] -= f * c[j]
    return least / 2


def exact_value(X, y, weight, alpha, coef, intercept):
    """F at the coefficients returned, and the sum of weights, exactly."""
    w, b = [Fraction(float(v)) for v in coef], Fraction(float(intercept))
    total = W = Fraction(0)
    for i, row in enumerate(X):
        s = Fraction(1) if weight is None else Fraction(float(weight[i]))
        r = Fraction(float(y[i])) - b - sum(Fraction(float(x)) * v for x, v in zip(row, w))
        total += s * r * r
        W += s
    return (total + Fraction(alpha) * sum(v * v for v in w)) / 2, W


def backward_error(X, y, weight, alpha, coef, intercept, fit_intercept):
    """The smallest relative change of the columns for which the coefficients are a minimiser, to within a small factor.

    With unit columns Z, w the coefficients in those units and r the residual,

        eta = || (||w||^2 Z'Z + ||r||^2 I)^(-1/2) Z'r ||

    (Karlson and Walden 1997, BIT 37; Gratton, Jiranek and Titley-Peloquin 2012, SIAM J. Matrix Anal. 33). The penalty is d more rows.
    """
    s = np.ones(len(y)) if weight is None else weight
    d = X.shape[1]
    root = np.sqrt(s.astype(np.longdouble))
    Z = np.c_[X.astype(np.longdouble), np.ones((len(y), int(fit_intercept)))] * root[:, None]
    Z = np.r_[Z, np.sqrt(np.longdouble(alpha)) * np.eye(Z.shape[1])[:d]]
    target = np.r_[root * y, np.zeros(d)]
    w = np.append(coef.astype(np.longdouble), [np.longdouble(intercept)] * int(fit_intercept))
    norms = np.sqrt((Z**2).sum(axis=0))
    norms[norms == 0] = 1
    Z, w = Z / norms, w * norms
    r = target - Z @ w
    sigma, V = np.linalg.svd(Z.astype(float), full_matrices=False)[1:]
    g = np.abs(V @ (Z.T @ r).astype(float))
    scale = np.sqrt(float(w @ w) * sigma**2 + float(r @ r))
    # what the long doubles of this check cannot see
    noise = float(np.finfo(np.longdouble).eps) * len(target) * (np.abs(Z) @ np.abs(w) + np.abs(target)).max()
    return float(np.linalg.norm(np.where(scale > 0, np.maximum(g - noise, 0) / np.where(scale > 0, scale, 1), 0)))


def campaign(count, seed):
    rng = np.random.default_rng(seed)
    for k in range(count):
        X, y, weight, alpha, fit_intercept = draw(rng)
        model = Ridge(alpha, fit_intercept=fit_intercept) if alpha else LinearRegression(fit_intercept=fit_intercept)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y, weight)
        certificate = model.certificate_
        best = exact_minimum(X, y, weight, alpha, fit_intercept)
        value, W = exact_value(X, y, weight, alpha, model.coef_, model.intercept_)
        gap = float((value - best) / W)
        scale = float(value / W) + float(np.square(y).max()) * 1e-16
        assert gap <= certificate.suboptimality * 1.01 + 1e-30 * scale, (
            f"problem {k}: F - F* = {gap:.3g} above the bound {certificate.suboptimality:.3g}: {model!r}, {certificate}"
        )
        if X.dtype == np.float64 and certificate.status in (OPTIMAL, RANK_DEFICIENT):
            eta = backward_error(X, y, weight, alpha, model.coef_, model.intercept_, fit_intercept)
            assert eta <= 16 * np.finfo(float).eps, f"problem {k}: backward error {eta:.3g}: {model!r}, {certificate}"


def test_bound_and_backward_error_on_random_problems():
    campaign(300, seed=1)


@pytest.mark.slow
def test_bound_and_backward_error_on_five_thousand_random_problems():
    campaign(5_000, seed=2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(10))
def test_bound_and_backward_error_on_a_hundred_thousand_random_problems(seed):
    campaign(10_000, seed=100 + seed)


def test_exact_minimum_of_a_line_through_three_points():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 1.0])
    assert exact_minimum(X, y, None, 0.0, True) == Fraction(1, 12)
    assert Moments.of(X, y).count == 3
