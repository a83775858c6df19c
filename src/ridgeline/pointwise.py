"""The losses that a fit can minimise, each with what a solver may ask of it and nothing more.

A loss turns slabs of rows into the value, gradient and Hessian of sum_i s_i l(y_i, z_i) (`add_rows`, through the kernels), and says of
itself:

    outputs            c, predictions per row: theta is (c, p)
    shared             parameters beside theta that all rows share (a scale), at the end of the flat vector
    curvature          an upper bound on l'' (for a preconditioner)
    gauge              whether adding one constant to every output of a row changes nothing
    recession(y, z)    lim l(y, t z) / t as t grows, for predictions z along a direction: a direction on which it sums to zero
                       and which moves some prediction has no finite optimum
    threshold(shared)  the |y - z| at which l'' falls to zero (infinite for a smooth loss): within it l is quadratic, beyond it linear
    inner(share)       the same loss with its threshold lowered by a share
    of_pieces(...)     what sums over rows within and beyond the threshold say of the loss (only where there is a threshold)
    admits(shared)     whether the shared parameters are in the loss's domain
    quadratic          whether l'' is the same everywhere

To add a loss of one prediction per row: a class in `_core/expansion.pyx`, its name in that file's PointLoss, and an instance of
`PointwiseLoss` here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .kernels import load
from .sources import Slab
from .sparse_rows import SparseRows
from .workspace import BLOCK_ELEMENTS, block_rows, padded

if TYPE_CHECKING:
    from .expansion import Expansion
    from .pieces import Sums

kernels = load("expansion")


@dataclass(frozen=True)
class PointwiseLoss:
    """A loss of one prediction per row, computed by a kernel's loss object."""

    name: str
    kernel: Any
    curvature: float
    recession: Callable[[np.ndarray, np.ndarray], np.ndarray]
    outputs: int = 1
    shared: int = 0
    gauge: bool = False
    quadratic: bool = False
    self_concordant: bool = False  # |l'''| <= l'' |dz|: l'' changes by e^r at most where predictions move by r (Bach 2010)
    corner: float = np.inf

    def __reduce__(self) -> tuple[Any, ...]:
        """By name: its kernel is that of the machine that reads it."""
        return loss_named, (self.name, self.corner)

    def admits(self, shared: np.ndarray) -> bool:
        return True

    def threshold(self, shared: np.ndarray) -> float:
        return self.corner

    def inner(self, share: float) -> PointwiseLoss:
        return huber_loss(self.corner * (1 - share)) if self.corner < np.inf else self

    def of_pieces(self, sums: Sums, shared: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient and Hessian of Huber's loss: r^2 / 2 inside, delta |r| - delta^2 / 2 outside."""
        delta = self.corner
        value = 0.5 * sums.squares + delta * sums.sizes - 0.5 * delta * delta * sums.outside
        return value, sums.gradient + delta * sums.slope, sums.gram

    def curvatures(self, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The second derivative of each row's loss, in z."""
        out = np.empty(len(z))
        kernels.curvatures(self.kernel, y, z, np.empty((2, len(z))), out)
        return out

    def add_rows(self, slab: Slab, out: Expansion) -> None:
        """Add a slab to an expansion."""
        p = out.coordinates.width
        kernels.expand(
            self.kernel, slab.X, slab.y, slab.weight, slab.offset, out.coordinates.shift, out.coordinates.scale,
            out.theta[:p], out.order, out.totals, out.gradients.reshape(2, -1), out.lower,
            *_workspace(out, slab, p, 6), out.extremes,
        )  # fmt: skip


FEW_ROWS = 16
"""Rows of a block at least where no Hessian is formed: it is only read twice, and should lie near when it is read again."""

SEVERAL_OUTPUTS = 512
"""Rows of a block of several outputs, whose Hessians of one block, one for each pair, are then worth clearing and adding up."""


def _block_rows(order: int, p: int, outputs: int) -> int:
    """Rows of a cache block of p columns."""
    if order >= 2:
        return max(block_rows(p), min(SEVERAL_OUTPUTS, 4 * BLOCK_ELEMENTS // max(p, 1))) if outputs else block_rows(p)
    if outputs:
        return block_rows(max(p, outputs))
    return int(min(max(4 * BLOCK_ELEMENTS // max(p, 1), FEW_ROWS), 2048))


def _workspace(out: Expansion, slab: Slab, p: int, rows: int, outputs: int = 0) -> tuple[np.ndarray, ...]:
    """Block, (logits, vectors,) rows, scaled, partial: what the kernels ask for p columns, with `rows` numbers per row."""
    b, wide = min(_block_rows(out.order, p, outputs), len(slab.X)) or 1, padded(p, np.dtype(np.float64))
    length = max(b, wide)
    run = b
    if isinstance(slab.X, SparseRows):  # stored entries are read in long runs of rows, since each touches every column
        run = min(length, len(slab.X)) or 1
        b = b if out.order >= 2 else 1
    block, per_row = np.empty((b, wide)), np.empty((rows, length))
    logits = (np.empty((outputs, max(run, b))), np.empty((2, outputs, wide))) if outputs else ()
    if out.order < 2:
        return block, *logits, per_row, np.empty((1, 1)), np.empty((1, 1))
    kind = out.precision
    wide = padded(p, kind)
    scaled = block if kind == np.float64 and not outputs else np.empty((b, wide), kind)
    return block, *logits, per_row, scaled, np.empty((wide, wide), kind)


SQUARED = PointwiseLoss(
    "squared", kernels.Squared(), 1.0, lambda y, z: np.where(z == 0, 0.0, np.inf), quadratic=True, self_concordant=True
)

ABSOLUTE = PointwiseLoss("absolute", kernels.Absolute(), 0.0, lambda y, z: np.abs(z))

LOGISTIC = PointwiseLoss(
    "logistic",
    kernels.Logistic(),
    0.25,
    lambda y, z: (1 - y) * np.maximum(z, 0) + y * np.maximum(-z, 0),
    self_concordant=True,
)


def huber_loss(delta: float) -> PointwiseLoss:
    """Huber's loss with a fixed threshold."""
    return PointwiseLoss(
        "huber",
        kernels.Huber(delta),
        1.0,
        lambda y, z: delta * np.abs(z),
        corner=delta,
    )


def loss_named(name: str, corner: float) -> PointwiseLoss:
    """The loss of that name; of "huber", with that threshold."""
    return huber_loss(corner) if name == "huber" else {loss.name: loss for loss in (SQUARED, ABSOLUTE, LOGISTIC)}[name]


@dataclass(frozen=True)
class ScaledHuberLoss:
    """Huber's loss with concomitant scale: one shared parameter, sigma."""

    epsilon: float
    name: str = "scaled huber"
    curvature: float = 1.0
    outputs: int = 1
    shared: int = 1
    gauge: bool = False
    quadratic: bool = False
    self_concordant: bool = False

    def add_rows(self, slab: Slab, out: Expansion) -> None:
        """Add a slab to an expansion."""
        p = out.coordinates.width
        kernels.expand_scaled_huber(
            self.epsilon, float(out.theta[p]), slab.X, slab.y, slab.weight, out.coordinates.shift, out.coordinates.scale,
            out.theta[:p], out.order, out.totals, out.gradients.reshape(2, -1), out.lower,
            *_workspace(out, slab, p + 1, 7),
        )  # fmt: skip

    def recession(self, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Along theta alone, with sigma fixed."""
        return self.epsilon * np.abs(z)

    def admits(self, shared: np.ndarray) -> bool:
        """sigma > 0."""
        return bool(shared[0] > 0)

    def threshold(self, shared: np.ndarray) -> float:
        return self.epsilon * float(shared[0])

    def inner(self, share: float) -> ScaledHuberLoss:
        return replace(self, epsilon=self.epsilon * (1 - share))

    def of_pieces(self, sums: Sums, shared: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient and Hessian: (sigma + r^2 / sigma) / 2 inside, sigma (1 - epsilon^2) / 2 + epsilon |r| outside."""
        sigma, rest = float(shared[0]), 1 - self.epsilon * self.epsilon
        value = 0.5 * (sigma * (sums.inside + rest * sums.outside) + sums.squares / sigma) + self.epsilon * sums.sizes
        along = 0.5 * (sums.inside + rest * sums.outside - sums.squares / (sigma * sigma))
        gradient = np.append(sums.gradient / sigma + self.epsilon * sums.slope, along)
        p = len(sums.gradient)
        hessian = np.empty((p + 1, p + 1))
        hessian[:p, :p] = sums.gram / sigma
        hessian[p, :p] = hessian[:p, p] = -sums.gradient / sigma**2
        hessian[p, p] = sums.squares / sigma**3
        return value, gradient, hessian


@dataclass(frozen=True)
class SoftmaxLoss:
    """Cross-entropy of softmax over c classes; targets are class codes (n,) or probabilities (n, c)."""

    outputs: int
    name: str = "softmax"
    curvature: float = 0.5
    shared: int = 0
    gauge: bool = True
    quadratic: bool = False
    self_concordant: bool = True

    def add_rows(self, slab: Slab, out: Expansion) -> None:
        """Add a slab to an expansion."""
        p, c = out.coordinates.width, self.outputs
        labels, soft = (slab.y, np.empty((0, c))) if slab.y.ndim == 1 else (np.empty(0, np.int64), slab.y)
        offset = slab.offset if slab.offset.size else np.empty((0, c))
        kernels.expand_softmax(
            slab.X, labels, soft, slab.weight, offset, out.coordinates.shift, out.coordinates.scale,
            out.theta.reshape(c, p), out.order, out.totals, out.gradients.reshape(2, c, p), out.lower,
            *_workspace(out, slab, p, 7, c),
        )  # fmt: skip

    def recession(self, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """max_k z_k - sum_k y_k z_k."""
        true = z[np.arange(len(z)), y] if y.ndim == 1 else (z * y).sum(1)
        return z.max(axis=1) - true

    def admits(self, shared: np.ndarray) -> bool:
        return True

    def threshold(self, shared: np.ndarray) -> float:
        return np.inf

    def inner(self, share: float) -> SoftmaxLoss:
        return self

    def of_pieces(self, sums: Sums, shared: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        raise NotImplementedError("the softmax has no corner")


Loss = PointwiseLoss | ScaledHuberLoss | SoftmaxLoss

__all__ = ["ABSOLUTE", "LOGISTIC", "SQUARED", "Loss", "PointwiseLoss", "ScaledHuberLoss", "SoftmaxLoss", "huber_loss"]
