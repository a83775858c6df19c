"""A quadratic with an L1 penalty, on its matrix: coordinate descent finds the support, a Cholesky factor finishes on it.

    minimise  (1/2) v'A v - c'v + sum_j l_j |v_j|          (and v >= 0 where asked)

Where the signs s of the support S are known, the minimum solves a linear system,

    A_SS v_S = c_S - l_S s_S

to the last digits that A has.  Some sweeps of coordinate descent guess S; if the solution keeps all signs, and no slope g = c - A v off S
exceeds its l, it is the minimum.  If signs change, the better of two points is taken, both lower than before: the solution with those
coefficients at zero, or the point on the way to it where the first of them vanishes (the step of Lee, Battle, Raina and Ng 2006,
NIPS 19).  Where A_SS is singular, F does not rise along one of the two directions of a null vector, which is followed until a
coefficient vanishes.  Where sweeping does not find S, the coordinate that exceeds its l most joins, and so on, as in that paper: every
step lowers F, and there are finitely many supports and signs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kernels import load
from .cholesky import CholeskyFactor
from .eigen import eigenvectors

kernels = load("coordinate_descent")

EPS = float(np.finfo(float).eps)

BURST = 4
"""Sweeps before the support is first tried, and tried again; twice as many after every second try."""

LONGEST_BURST = 128

SETTLED = 1e-3
"""A change by a sweep, beside the largest possible prediction, after which the support may be known."""


@dataclass(frozen=True)
class GramMinimum:
    """The point, its slopes c - A v, and how it was reached.

    Attributes
    ----------
    exact : bool
        Whether v solves the equations of its support and no slope off it is too large, to rounding.
    rcond : float
        Of the support's matrix; 1 for an empty support, NaN where it is not known.
    n_iter : int
        Sweeps and solutions of the support's equations.
    """

    v: np.ndarray
    g: np.ndarray
    exact: bool
    rcond: float
    n_iter: int


def minimise_on_gram(
    A: np.ndarray, c: np.ndarray, l1: np.ndarray, v: np.ndarray, *, positive: bool, max_iter: int
) -> GramMinimum:
    """The minimum from a start v; see the top of this file.

    Parameters
    ----------
    A : ndarray of shape (k, k)
        Symmetric, positive semidefinite, with a diagonal near one.
    c, l1, v : ndarray of shape (k,)
    positive : bool
    max_iter : int

    Notes
    -----
    2 k flops per coordinate that a sweep changes, s^3 / 3 per support of s.
    """
    v = np.array(v, dtype=np.float64)
    g = c - A @ v
    root = np.sqrt(np.maximum(np.diag(A), 0.0))
    reach = float(np.divide(np.abs(c), root, out=np.zeros_like(c), where=root > 0).max(initial=0.0))
    n_iter, tries, rcond, excess = 0, 0, np.nan, np.zeros_like(v)
    while n_iter < max_iter:
        entering, burst = None, BURST << tries // 2
        if burst <= LONGEST_BURST or not rcond > 0:
            n_iter += kernels.descend(A, l1, positive, SETTLED * reach, min(burst, max_iter - n_iter), v, g)
            tries += 1
            if n_iter >= max_iter:
                break
        else:
            # sweeping leads nowhere: coordinates join one by one, as in an active set method
            entering = int((excess / np.where(root > 0, root, np.inf)).argmax())
        n_iter += 1
        v, rcond = _on_support(A, c, l1, v, entering, 1.0 if entering is None else float(np.sign(g[entering])))
        g = c - A @ v
        noise = 16 * EPS * root * (reach + np.abs(v) @ root)
        excess = np.where(v == 0, (g if positive else np.abs(g)) - l1 - noise, -np.inf)
        if rcond > 0 and not (excess > 0).any():
            return GramMinimum(v, g, True, rcond, n_iter)
    return GramMinimum(v, c - A @ v, False, rcond, n_iter)


def _on_support(
    A: np.ndarray, c: np.ndarray, l1: np.ndarray, v: np.ndarray, entering: int | None, direction: float
) -> tuple[np.ndarray, float]:
    """A point no higher than v, with at most one coordinate more, and rcond where it solves its support's equations (else zero)."""
    while True:  # each time round, a coordinate fewer
        used = v != 0
        sign = np.sign(v)
        if entering is not None:
            used[entering], sign[entering], entering = True, direction, None
        S = np.flatnonzero(used)
        if not S.size:
            return v, 1.0
        sub, sign, start = A[np.ix_(S, S)], sign[S], v[S]
        pull = c[S] - l1[S] * sign
        factor = CholeskyFactor(sub)
        if not factor.positive or factor.rcond < 4 * len(S) * EPS:
            shorter = _along_null_space(sub, pull, sign, start)
            if shorter is None:
                return v, 0.0
            v = _placed(v, S, shorter)
            continue
        u = factor.solve(pull)
        u += factor.solve(pull - sub @ u)
        kept = u * sign > 0
        if kept.all():
            return _placed(v, S, u), factor.rcond
        step = (start[~kept] / (start - u)[~kept]).min()
        moved = start + step * (u - start)
        first = np.where(moved * sign > 0, moved, 0.0)
        first[np.flatnonzero(~kept)[(start[~kept] / (start - u)[~kept]).argmin()]] = 0.0
        both = [np.where(kept, u, 0.0), first]
        v = _placed(v, S, min(both, key=lambda w: 0.5 * w @ sub @ w - pull @ w))


def _placed(v: np.ndarray, S: np.ndarray, values: np.ndarray) -> np.ndarray:
    new = np.zeros_like(v)
    new[S] = values
    return new


def _along_null_space(A: np.ndarray, pull: np.ndarray, sign: np.ndarray, v: np.ndarray) -> np.ndarray | None:
    """v moved downhill along directions that A does not see, until for each of them a coordinate has vanished; None where none does."""
    values, Q = eigenvectors(A)
    null = Q[:, values <= 8 * len(v) * EPS * values[-1]]
    null = Q[:, :1] if not null.shape[1] else null
    moved = v
    while null.shape[1]:
        z, null = null[:, -1], null[:, :-1]
        shrinks, grows = z * sign < 0, z * sign > 0
        # F has a minimum: where nothing vanishes on the way, it does not fall, and a slope that says so is rounding
        if grows.any() and (not shrinks.any() or (A @ moved - pull) @ z > 0):
            z, shrinks = -z, grows
        if not shrinks.any():  # it moves what has vanished with another
            continue
        length = np.where(shrinks, -moved / np.where(shrinks, z, 1.0), np.inf)
        gone = int(length.argmin())
        moved = moved + length[gone] * z
        moved[gone] = 0.0
        # what is left of the null space has no part in the coordinate that vanished
        null = null - np.outer(z, null[gone] / z[gone])
        null[gone] = 0.0
        sign = np.where(moved == 0, 0.0, sign)
    moved = np.where(moved * sign > 0, moved, 0.0)
    return None if (moved != 0).sum() == (v != 0).sum() else moved
