"""How many digits of least squares survive a growing condition number, by four ways to solve.

    minimise ||y - Xw||^2,     relative error  max_j |w_j - w*_j| / max_j |w*_j|

w* is the solution for the very doubles in X and y, by Gaussian elimination on fractions (Python integers: no
rounding at all).  The designs, with columns j = 0, ..., d - 1:

    polynomial     X_ij = t_i^j,  t_i = (i + 1) / n       each column multiplies the condition by about 6
    Hilbert-like   X_ij = 1 / (i + j + 1)                 each column multiplies it by about 18

y = X 1 + noise / 100, standard normal noise from a fixed seed.  What to expect (Björck 1996, Numerical
Methods for Least Squares Problems, section 1.4): a backward stable method loses a factor cond(X), and
cond(X)^2 times the relative residual; the normal equations always lose cond(X)^2.

    python -m bench.conditioning
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from ridgeline import least_squares_by_inverse
from ridgeline.moments import moments_of
from ridgeline.solvers.least_squares import solve
from ridgeline.sources import ArraySource

ROWS = 30
DEGREES = (2, 4, 6, 8, 10, 12)


def polynomial(n: int, d: int) -> np.ndarray:
    return (np.arange(1, n + 1) / n)[:, None] ** np.arange(d)


def hilbert(n: int, d: int) -> np.ndarray:
    return 1.0 / (np.arange(n)[:, None] + np.arange(d) + 1)


DESIGNS: dict[str, Callable[[int, int], np.ndarray]] = {"polynomial": polynomial, "Hilbert-like": hilbert}


def exact_solution(X: np.ndarray, y: np.ndarray) -> list[Fraction]:
    """The rational solution of X'X w = X'y for the doubles in X (n, d) and y (n,).

    O(n d^2 + d^3) operations on fractions, whose length grows with d.
    """
    rows = [[Fraction(float(v)) for v in row] for row in X]
    target = [Fraction(float(v)) for v in y]
    d = X.shape[1]
    system = [
        [sum(r[i] * r[j] for r in rows) for j in range(d)] + [sum(r[i] * t for r, t in zip(rows, target))]
        for i in range(d)
    ]
    for k in range(d):  # X'X is positive definite: no pivot vanishes
        for i in range(d):
            if i != k:
                f = system[i][k] / system[k][k]
                system[i] = [a - f * b for a, b in zip(system[i], system[k])]
    return [system[i][d] / system[i][i] for i in range(d)]


def by_normal_equations(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.solve(X.T @ X, X.T @ y)


def by_lstsq(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(X, y, rcond=None)[0]


def by_ridgeline(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    source = ArraySource(X, y)
    return solve(moments_of(source), fit_intercept=False, source=source).coef[0]


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "inverse (11)": least_squares_by_inverse,
    "normal equations": by_normal_equations,
    "numpy lstsq": by_lstsq,
    "ridgeline": by_ridgeline,
}


def relative_error(w: np.ndarray, exact: list[Fraction]) -> float:
    """max_j |w_j - w*_j| / max_j |w*_j|, the difference taken without rounding."""
    worst = max(abs(Fraction(float(a)) - b) for a, b in zip(w, exact))
    return float(worst / max(abs(b) for b in exact))


def measure(design: str, d: int, n: int = ROWS) -> tuple[float, dict[str, float | None]]:
    """The condition number of the design and each method's error; None where the method gave up."""
    X = DESIGNS[design](n, d)
    y = X.sum(axis=1) + np.random.default_rng(0).normal(size=n) / 100
    exact = exact_solution(X, y)
    errors: dict[str, float | None] = {}
    for name, method in METHODS.items():
        try:
            errors[name] = relative_error(method(X, y), exact)
        except ValueError:  # LinAlgError is one
            errors[name] = None
    return float(np.linalg.cond(X)), errors


def table() -> str:
    """All designs as one Markdown table."""
    lines = [
        f"| design ({ROWS} rows) | columns | condition of X | " + " | ".join(METHODS) + " |",
        "|---|---|---|" + "---|" * len(METHODS),
    ]
    for design in DESIGNS:
        for d in DEGREES:
            condition, errors = measure(design, d)
            cells = ("singular" if e is None else f"{e:.0e}" for e in errors.values())
            lines.append(f"| {design} | {d} | {condition:.0e} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
