"""The sigmoid, and where a classifier's rows lie on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..activations import sigmoid
from ..labels import encode
from .drawing import BLUE, GREY, ORANGE, Display, require_one_for_each, rows_shown, some_rows, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 40.0
"""Logits beyond this have probabilities that no picture tells from 0 and 1."""


class SigmoidDisplay(Display):
    """The sigmoid, its derivative, and the decision at z = 0 (the lecture's eqs. 25, 27 and 28).

    Parameters
    ----------
    low, high : float
        Ends of the axis of logits.
    logits : array-like of shape (n,), optional
        Of rows, drawn as ticks at the bottom (class 0) and at the top (class 1).
    happened : array-like of shape (n,), optional
        1 or true for the rows of class 1.
    names : pair of str
        Of class 0 and class 1.

    Examples
    --------
    >>> from ridgeline.plots import SigmoidDisplay
    >>> display = SigmoidDisplay(-6, 6).plot()
    >>> display.ax_.get_title()
    'The sigmoid'
    """

    def __init__(
        self, low: float = -8.0, high: float = 8.0, *, logits: Any = None, happened: Any = None, names: tuple[str, str] = ("0", "1")
    ) -> None:
        if not low < high:
            raise ValueError(f"low is {low!r} and high {high!r}; low must be less than high.")
        self.low, self.high, self.names = low, high, names
        self.logits = np.empty(0) if logits is None else vector(logits, "logits")
        self.happened = np.empty(0, dtype=bool) if happened is None else np.asarray(happened, dtype=bool)
        require_one_for_each(self.happened, "happened", self.logits, "logits")

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, ax: Axes | None = None) -> Self:
        """Where the rows of X lie on the sigmoid of a fitted classifier of two classes.

        Parameters
        ----------
        model : classifier
            Fitted.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their labels.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        SigmoidDisplay
        """
        if len(model.classes_) != 2:
            raise ValueError(f"the sigmoid is for two classes, and the model has {len(model.classes_)}; see RocCurveDisplay.")
        z = model.decision_function(X)
        far = float(np.clip(np.abs(z).max(initial=0.0) * 1.05, 4.0, WIDEST))
        names = tuple(str(label) for label in model.classes_.tolist())
        happened = encode(y, model.classes_, len(z)) == 1
        return cls(-far, far, logits=z, happened=happened, names=(names[0], names[1])).plot(ax)

    def _draw(self, ax: Axes) -> None:
        z = np.linspace(self.low, self.high, 401)
        p = sigmoid(z)
        ax.plot(z, p, color=BLUE, linewidth=2.5, label=r"$\sigma(z) = 1/(1 + e^{-z})$")
        ax.plot(z, p * (1 - p), color=ORANGE, linewidth=1.8, linestyle="--", label=r"$\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$")
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.axhline(0.5, color=GREY, linewidth=0.8)
        ax.text(0.02, 0.515, f"class {self.names[0]} to the left", color=GREY, fontsize=9, transform=ax.get_yaxis_transform())
        ax.text(
            0.98, 0.485, f"class {self.names[1]} to the right", color=GREY, fontsize=9, ha="right", va="top",
            transform=ax.get_yaxis_transform(),
        )  # fmt: skip
        if self.logits.size:
            shown = some_rows(len(self.logits))
            for happened, height, colour in ((False, -0.035, ORANGE), (True, 1.035, BLUE)):
                rows = shown[self.happened[shown] == happened]
                ax.plot(self.logits[rows], np.full(len(rows), height), "|", color=colour, alpha=0.7, markersize=8)
            ax.plot([], [], "|", color=GREY, label=rows_shown(len(shown), len(self.logits)))
        ax.set(
            xlim=(self.low, self.high),
            ylim=(-0.07, 1.07) if self.logits.size else (-0.03, 1.03),
            xlabel="logit z",
            ylabel=f"probability of class {self.names[1]}",
            title="The sigmoid",
        )
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.95), frameon=False)


def plot_sigmoid(low: float = -8.0, high: float = 8.0, ax: Axes | None = None) -> Axes:
    """Draw a `SigmoidDisplay`, and return its axes."""
    return SigmoidDisplay(low, high).plot(ax).ax_
