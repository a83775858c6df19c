"""Slow references for the solvers: the objective in fifty digits, and least squares in fractions.

    F(theta) = sum_i s_i l(y_i, Z_i theta) + (alpha / 2) ||w||^2      Z = [X, 1]

A loss is a function of (y, z) that returns value, slope (c) and curvature (c x c) as mpmath numbers.
"""

from fractions import Fraction

import numpy as np
import pytest

mp = pytest.importorskip("mpmath")

mp.mp.dps = 50


def squared(y, z):
    r = z[0] - y
    return r * r / 2, [r], [[mp.mpf(1)]]


def huber(delta):
    def at(y, z):
        r = z[0] - y
        if abs(r) <= delta:
            return r * r / 2, [r], [[mp.mpf(1)]]
        return delta * (abs(r) - mp.mpf(delta) / 2), [delta * mp.sign(r)], [[mp.mpf(0)]]

    return at


def logistic(y, z):
    p = 1 / (1 + mp.exp(-z[0]))
    return mp.log(1 + mp.exp(z[0])) - y * z[0], [p - y], [[p * (1 - p)]]


def softmax(y, z):
    e = [mp.exp(v) for v in z]
    total = mp.fsum(e)
    p, c = [v / total for v in e], range(len(z))
    slope = [p[k] - (k == y) for k in c]
    return mp.log(total) - z[y], slope, [[p[k] * ((k == m) - p[m]) for m in c] for k in c]


class Reference:
    """F in fifty digits for coefficients (c, d) and intercepts (c,)."""

    def __init__(self, loss, X, y, s=None, alpha=0.0, fit_intercept=True):
        self.loss, self.alpha, self.d = loss, mp.mpf(float(alpha)), X.shape[1]
        self.y = [v.item() for v in np.asarray(y)]
        self.s = [mp.mpf(float(v)) for v in (np.ones(len(X)) if s is None else s)]
        self.Z = [[mp.mpf(float(v)) for v in row] + [mp.mpf(1)] * fit_intercept for row in X]

    def theta(self, coef, intercept):
        """Rows of [w, b], as mpmath numbers."""
        p = len(self.Z[0])
        rows = np.column_stack([np.atleast_2d(coef), np.atleast_1d(intercept)])[:, :p]
        return [[mp.mpf(float(v)) for v in row] for row in rows]

    def expand(self, theta):
        """Value, gradient and Hessian at theta (c rows of p)."""
        c, p = len(theta), len(self.Z[0])
        value, gradient, hessian = mp.mpf(0), mp.zeros(c * p, 1), mp.zeros(c * p)
        for x, y, s in zip(self.Z, self.y, self.s):
            v, slope, curvature = self.loss(y, [mp.fdot(x, row) for row in theta])
            value += s * v
            for k in range(c):
                for j in range(p):
                    gradient[k * p + j] += s * slope[k] * x[j]
                    for m in range(c):
                        f = s * curvature[k][m] * x[j]
                        for i in range(p):
                            hessian[k * p + j, m * p + i] += f * x[i]
        for k in range(c):
            for j in range(self.d):
                value += self.alpha * theta[k][j] ** 2 / 2
                gradient[k * p + j] += self.alpha * theta[k][j]
                hessian[k * p + j, k * p + j] += self.alpha
        return value, gradient, hessian

    def judge(self, coef, intercept, steps=8):
        """F - F* and the largest entry of the gradient, both divided by the weight, of the given coefficients.

        F* is found by Newton's method from there; a direction that F does not see gets a curvature of its own.
        """
        start = theta = self.theta(coef, intercept)
        c, p, weight = len(theta), len(self.Z[0]), mp.fsum(self.s)
        first = self.expand(start)
        for _ in range(steps):
            _, gradient, hessian = self.expand(theta)
            for i in range(c * p):
                hessian[i, i] += mp.mpf(10) ** -40
            step = mp.lu_solve(hessian, -gradient)
            theta = [[theta[k][j] + step[k * p + j] for j in range(p)] for k in range(c)]
            if mp.norm(step, mp.inf) < mp.mpf(10) ** -30:
                break
        best = self.expand(theta)
        assert mp.norm(best[1], mp.inf) <= mp.mpf(10) ** -25 * weight, "the reference did not converge"
        gap = (first[0] - best[0]) / weight
        return float(gap), float(mp.norm(first[1], mp.inf) / weight), theta


def exact_normal_equations(X, y, s=None, alpha=0.0, fit_intercept=True):
    """Z'SZ + alpha and Z'Sy in fractions, from the doubles given."""
    X = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    Z = np.column_stack([X, y]).astype(object)
    Z = np.vectorize(Fraction, otypes=[object])(Z)
    S = Z if s is None else Z * np.vectorize(Fraction, otypes=[object])(s)[:, None]
    G = Z.T @ S
    for j in range(X.shape[1] - fit_intercept):
        G[j, j] += Fraction(alpha)
    return G[:-1, :-1], G[:-1, -1]


def exact_solution(A, c):
    """A^-1 c by elimination in fractions."""
    A, c = A.copy(), c.copy()
    n = len(c)
    for j in range(n):
        for k in range(j + 1, n):
            f = A[k, j] / A[j, j]
            A[k, j:] -= f * A[j, j:]
            c[k] -= f * c[j]
    for j in range(n - 1, -1, -1):
        c[j] = (c[j] - A[j, j + 1 :] @ c[j + 1 :]) / A[j, j]
    return c


def exact_judgement(A, c, weight, coef, intercept):
    """(F - F*) / W, the largest entry of the gradient / W, and the solution, all from exact fractions."""
    given = np.array([Fraction(float(v)) for v in np.append(coef, intercept)[: len(c)]])
    best = exact_solution(A, c)
    gradient = A @ given - c
    gap = (given - best) @ gradient / 2
    return float(gap / Fraction(weight)), float(max(abs(g) for g in gradient) / Fraction(weight)), best.astype(float)
