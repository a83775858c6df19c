"""The statistics of least squares as a textbook has them: on whole matrices in NumPy, and exactly in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


class Textbook:
    """Least squares with weights s, of columns Z (the first of ones where there is an intercept)."""

    def __init__(self, X, y, s=None, fit_intercept=True):
        X, y = np.asarray(X, float), np.asarray(y, float)
        self.Z = np.column_stack([np.ones(len(X)), X]) if fit_intercept else X
        self.s = np.ones(len(X)) if s is None else np.asarray(s, float)
        root = np.sqrt(self.s)[:, None]
        Q, R = np.linalg.qr(root * self.Z)
        self.coef = np.linalg.solve(R, Q.T @ (root[:, 0] * y))
        self.bread = np.linalg.inv(R) @ np.linalg.inv(R).T
        self.e = y - self.Z @ self.coef
        self.h = (Q * Q).sum(axis=1)
        self.n, self.k = self.Z.shape
        self.sigma = float(np.sqrt(self.s @ self.e**2 / (self.n - self.k)))

    def covariance(self, kind, groups=None):
        n, k, g = self.n, self.k, (self.s * self.e)[:, None] * self.Z
        if kind == "classical":
            return self.sigma**2 * self.bread
        if kind == "cluster":
            g = np.stack([g[key == groups].sum(axis=0) for key in np.unique(groups)])
            factor = len(g) / (len(g) - 1) * (n - 1) / (n - k)
        else:
            factor = n / (n - k) if kind == "HC1" else 1.0
            g = g / (1 - self.h)[:, None] ** {"HC2": 0.5, "HC3": 1.0}.get(kind, 0.0)
        return factor * self.bread @ (g.T @ g) @ self.bread


def exact_statistics(X, y, fit_intercept):
    """Standard errors, residual SD and R^2 of the doubles given, from fractions, each rounded once or twice."""
    Z = [[Fraction(1)] * fit_intercept + [Fraction(float(v)) for v in row] for row in np.asarray(X)]
    y = [Fraction(float(v)) for v in y]
    n, p = len(Z), len(Z[0])
    rows = [
        [sum(z[a] * z[b] for z in Z) for b in range(p)] + [Fraction(a == b) for b in range(p)] + [sum(z[a] * t for z, t in zip(Z, y))]
        for a in range(p)
    ]
    for k in range(p):
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for r in range(p):
            if r != k:
                rows[r] = [a - rows[r][k] * b for a, b in zip(rows[r], rows[k])]
    w = [row[-1] for row in rows]
    rss = sum((t - sum(a * b for a, b in zip(z, w))) ** 2 for z, t in zip(Z, y))
    mean = sum(y) / n if fit_intercept else Fraction(0)
    total = sum((t - mean) ** 2 for t in y)
    se = [float(rows[a][p + a] * rss / (n - p)) ** 0.5 for a in range(p)]
    return np.array(se), float(rss / (n - p)) ** 0.5, float(1 - rss / total)
