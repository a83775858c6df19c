"""Which rows pull on a least squares fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .drawing import BLUE, GREY, ORANGE, Display, faint_grid, rows_shown, some_rows, vector
from .points import residual_of_distance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DISTANCES = (0.5, 1.0)
"""Cook's distances drawn as lines, or where no row comes near them the largest there is.

Beyond 1 a row moves the fit as far as the confidence region of its coefficients reaches (Cook 1977).
"""

NAMED = 3
"""Rows that get their number written beside them, those of the largest distances."""


class LeverageDisplay(Display):
    """Studentised residuals against leverages, with lines of equal Cook's distance.

    To the right lie rows whose columns are unlike those of others; a row that lies there and far from zero draws the fit to itself.

    Parameters
    ----------
    leverage, studentized, distance : array-like of shape (n,)
        Leverages, internally studentised residuals and Cook's distances, as `LinearRegression.influence` gives them.
    row : array-like of shape (n,), optional
        Numbers of the rows; 0, 1, ... by default.
    parameters : int, optional
        The number k of the fit's parameters; the sum of the leverages by default.

    Examples
    --------
    >>> from ridgeline import LinearRegression
    >>> from ridgeline.plots import LeverageDisplay
    >>> X, y = [[1.0], [2.0], [3.0], [4.0], [10.0]], [1.1, 1.9, 3.2, 3.8, 10.5]
    >>> display = LeverageDisplay.from_estimator(LinearRegression().fit(X, y), X, y)
    >>> display.leverage.round(2), display.parameters
    (array([0.38, 0.28, 0.22, 0.2 , 0.92]), 2)
    """

    def __init__(self, leverage: Any, studentized: Any, distance: Any, *, row: Any = None, parameters: int | None = None) -> None:
        known = np.isfinite(np.asarray(studentized, dtype=np.float64))  # a row of leverage one has no studentised residual
        self.leverage, self.studentized, self.distance = (
            vector(np.asarray(values)[known], name)
            for values, name in ((leverage, "leverage"), (studentized, "studentized"), (distance, "distance"))
        )
        self.row = np.flatnonzero(known) if row is None else np.asarray(row)[known]
        self.parameters = round(float(np.sum(leverage))) if parameters is None else parameters

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, sample_weight: Any = None, ax: Axes | None = None) -> Self:
        """Of a fitted `LinearRegression` and the rows of its fit; what `influence` refuses is refused.

        Parameters
        ----------
        model : LinearRegression
            Fitted.
        X : array-like of shape (n, d)
            The rows of the fit.
        y : array-like of shape (n,)
            Their targets.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        LeverageDisplay
        """
        found = model.influence(X, y, sample_weight)
        return cls(found.leverage, found.studentized_internal, found.cooks_distance, row=found.row).plot(ax)

    def _draw(self, ax: Axes) -> None:
        from matplotlib.patheffects import withStroke

        n = len(self.leverage)
        largest = np.argsort(-self.distance, kind="stable")[:NAMED]
        shown = np.union1d(some_rows(n), largest)
        ax.plot(
            self.leverage[shown], self.studentized[shown], "o", color=BLUE, alpha=0.6, markersize=4, markeredgewidth=0,
            label=rows_shown(len(shown), n),
        )  # fmt: skip
        ax.axhline(0, color=GREY, linewidth=1)
        far, high = 1.12 * float(self.leverage.max()), 1.15 * max(float(np.abs(self.studentized).max()), 2.0)
        h = np.linspace(far / 500, min(far, 1 - 1e-9), 500)
        greatest = float(self.distance.max())
        drawn = [distance for distance in DISTANCES if residual_of_distance(h, distance, self.parameters).min() < high]
        for distance, style in zip(drawn or [greatest], ("--", "-")):
            r = residual_of_distance(h, distance, self.parameters)
            label = f"Cook's distance {distance:g}" if drawn else f"Cook's distance {distance:.2g}, the largest"
            ax.plot(h, r, color=ORANGE, linewidth=1.2, linestyle=style, label=label)
            ax.plot(h, -r, color=ORANGE, linewidth=1.2, linestyle=style)
        for k in largest:
            ax.annotate(
                f"row {self.row[k]}", (self.leverage[k], self.studentized[k]), xytext=(6, 3 if self.studentized[k] < 0 else -11),
                textcoords="offset points", fontsize=8, path_effects=[withStroke(linewidth=3, foreground=ax.get_facecolor())],
            )  # fmt: skip
        ax.set(
            xlim=(0, far),
            ylim=(-high, high),
            xlabel="leverage",
            ylabel="studentised residual (standard errors)",
            title=f"Influence of rows, {self.parameters} parameters",
        )
        faint_grid(ax)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, frameon=False, fontsize=9)
