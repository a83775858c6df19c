"""Batches of rows that are seen once, each remembered by a quadratic: sequential Laplace approximation.

    theta_t = argmin_theta  sum_{i in batch t} s_i l(y_i, z_i) + (1/2) (theta - theta_{t-1})' A_{t-1} (theta - theta_{t-1})
    A_t     = A_{t-1} + sum_{i in batch t} s_i H_i(theta_t),                      A_0 = the penalty

(Spiegelhalter and Lauritzen 1990, Networks 20).  Of a quadratic loss it is the fit of all rows; of another, rows of the past count with the
curvature that they had at the estimate of their time.  theta = (W, b) is in original columns, output by output, (c, d + 1): columns are
centred and scaled anew in every batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..certificate import OPTIMAL, STOPPED_EARLY, Certificate
from ..objective import Objective, Point
from .reads import STEP
from .regular_hessian import RegularHessian

SUFFICIENT_HALVINGS = 40


@dataclass(frozen=True)
class Memory:
    """The quadratic that stands for the rows so far: its minimum (c, d + 1) and its matrix (m, m), m = c (d + 1)."""

    theta: np.ndarray
    precision: np.ndarray

    @staticmethod
    def of_penalty(outputs: int, n_features: int, alpha: float) -> Memory:
        """No rows yet: (alpha / 2) ||W||^2."""
        diagonal = np.zeros((outputs, n_features + 1))
        diagonal[:, :n_features] = alpha
        return Memory(np.zeros((outputs, n_features + 1)), np.diag(diagonal.ravel()))


@dataclass(frozen=True)
class Update:
    """The memory after a batch, and what was proved of its minimum."""

    memory: Memory
    n_iter: int
    certificate: Certificate


def update(objective: Objective, memory: Memory, *, tol: float, max_iter: int) -> Update:
    """Add a batch.

    Parameters
    ----------
    objective : Objective
        The losses of the batch, without a penalty.
    memory : Memory
    tol : float
        Largest entry of the gradient, divided by the weight of the batch, that counts as converged.
    max_iter : int

    Notes
    -----
    Newton with halved steps: one read of the batch, n m (m + 1) + m^3 / 3 flops per step, about six; memory m^2.
    """
    coordinates, c = objective.coordinates, objective.loss.outputs
    inward, outward = _changes(objective)
    start = coordinates.internal(memory.theta[:, :-1], memory.theta[:, -1])
    p = start.shape[1]
    cut = memory.precision.reshape(c, p_all := memory.theta.shape[1], c, p_all)[:, :p, :, :p].reshape(c * p, c * p)
    A = _both_sides(cut, inward, c)
    prior = start.ravel()
    gauge = objective.gauge()

    def at(theta: np.ndarray) -> Point:
        point = objective.expand(theta, 2)
        pull = A @ (theta - prior)
        return replace(
            point, value=point.value + 0.5 * float(pull @ (theta - prior)), gradient=point.gradient + pull, hessian=point.hessian + A
        )

    point, converged, n_iter, decrement = at(prior), False, 0, np.inf
    while n_iter < max_iter and not converged:
        n_iter += 1
        factor = RegularHessian(point.hessian, gauge, 0.0, objective.weight, point.theta)
        g = point.gradient - gauge @ (gauge.T @ point.gradient)
        step = -factor.solve(g)
        step -= gauge @ (gauge.T @ step)
        decrement = factor.whiten(g)
        size = objective.movement(step) / max(1.0, objective.movement(point.theta))
        noise = 8 * np.finfo(float).eps * abs(point.value)
        for _ in range(SUFFICIENT_HALVINGS):
            new = at(point.theta + step)
            if new.value <= point.value + 1e-4 * float(g @ step) + noise:
                point = new
                break
            step = step / 2
        converged = size <= STEP and objective.steepness(point) <= tol
    theta = point.theta.reshape(c, p)
    w, b = coordinates.original(theta)
    precision = np.zeros((c, p_all, c, p_all))
    precision[:, :p, :, :p] = _both_sides(point.hessian, outward, c).reshape(c, p, c, p)
    norm = float(np.abs(coordinates.original_gradient(point.gradient.reshape(c, p))).max()) / objective.weight
    message = "Of the rows of the last batch, and of a quadratic that remembers the others."
    if not converged:
        message = f"Stopped after {n_iter} iterations on the last batch. Raise max_iter, or add a penalty (a finite C)."
    certificate = Certificate(
        OPTIMAL if converged else STOPPED_EARLY, "Newton on a batch and a quadratic memory", norm,
        0.5 * decrement**2 / objective.weight if converged else float("inf"), 1 / factor.rcond if n_iter and factor.rcond else np.nan,
        objective.source.reads, message,
    )  # fmt: skip
    return Update(Memory(np.column_stack([w, b]), precision.reshape(c * p_all, c * p_all)), n_iter, certificate)


def _changes(objective: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (p, p) from scaled and centred to original parameters of one output, and back."""
    coordinates = objective.coordinates
    p, d = coordinates.width, len(coordinates.center)
    forth, back = np.eye(p), np.eye(p)
    diagonal = np.arange(d)
    forth[diagonal, diagonal], back[diagonal, diagonal] = coordinates.scale, 1 / coordinates.scale
    if coordinates.fit_intercept:
        forth[d, :d], back[d, :d] = -coordinates.scale * coordinates.center, coordinates.center
    return forth, back


def _both_sides(A: np.ndarray, T: np.ndarray, outputs: int) -> np.ndarray:
    """T'A T for every pair of outputs."""
    p = len(T)
    blocks = A.reshape(outputs, p, outputs, p)
    product: np.ndarray = np.einsum("ji,ajbk,kl->aibl", T, blocks, T, optimize=True).reshape(outputs * p, outputs * p)
    return product
