"""What a regression leaves over: residuals against predictions, and against a normal distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .drawing import BLUE, GREY, ORANGE, Display, faint_grid, name_of, require_one_for_each, rows_shown, some_rows, vector
from .points import binned_means, normal_quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RUNS = 12
"""Runs of neighbouring predictions whose residuals are averaged: few enough for a line, enough for a bend."""


class ResidualsDisplay(Display):
    """Residuals y - yhat against predictions yhat.

    A sound model leaves a level cloud about zero: a bend asks for another column, a funnel for a transformed y or weights.

    Parameters
    ----------
    y, y_pred : array-like of shape (n,)
        Targets and their predictions.
    name : str
        Of the target, whose units both axes have.

    Attributes
    ----------
    predicted, residual : ndarray of shape (n,)

    Examples
    --------
    >>> from ridgeline.plots import ResidualsDisplay
    >>> ResidualsDisplay.from_predictions([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]).residual
    array([-0.5,  0. ,  0.5])
    """

    def __init__(self, y: Any, y_pred: Any, *, name: str = "y") -> None:
        self.predicted, self.residual = _residuals(y, y_pred)
        self.name = name

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, ax: Axes | None = None) -> Self:
        """Of a fitted regressor with one target.

        Parameters
        ----------
        model : regressor
            Fitted, with one target.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their targets.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ResidualsDisplay
        """
        return cls(y, model.predict(X), name=name_of(y)).plot(ax)

    @classmethod
    def from_predictions(cls, y: Any, y_pred: Any, *, name: str = "y", ax: Axes | None = None) -> Self:
        """Of predictions; the arguments are those of the class.

        Parameters
        ----------
        y, y_pred : array-like of shape (n,)
            Targets and their predictions.
        name : str
            Of the target, whose units both axes have.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ResidualsDisplay
        """
        return cls(y, y_pred, name=name).plot(ax)

    def _draw(self, ax: Axes) -> None:
        n = len(self.residual)
        shown = some_rows(n)
        ax.plot(
            self.predicted[shown], self.residual[shown], "o", color=BLUE, alpha=0.6, markersize=4, markeredgewidth=0,
            label=rows_shown(len(shown), n),
        )  # fmt: skip
        ax.axhline(0, color=GREY, linewidth=1)
        if n >= 2 * RUNS:
            ax.plot(*binned_means(self.predicted, self.residual, RUNS), color=ORANGE, linewidth=2, label=f"mean of {RUNS} runs of rows")
        ax.set(xlabel=f"predicted {self.name}", ylabel=f"residual (units of {self.name})", title="Residuals against predictions")
        faint_grid(ax)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False, fontsize=9)


class QuantileDisplay(Display):
    """Ordered residuals against the quantiles of a normal distribution; on the diagonal, as a normal distribution has them.

    Ends that turn away from it are heavy tails, for which there is `HuberRegressor`.

    Parameters
    ----------
    y, y_pred : array-like of shape (n,)
        Targets and their predictions.

    Attributes
    ----------
    deviate, residual : ndarray of shape (n,)
        Normal deviates, and the residuals in order, in units of their standard deviation about zero.

    Examples
    --------
    >>> from ridgeline.plots import QuantileDisplay
    >>> QuantileDisplay.from_predictions([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]).deviate.round(3)
    array([-0.967,  0.   ,  0.967])
    """

    size = (5.2, 5.2)

    def __init__(self, y: Any, y_pred: Any) -> None:
        self.deviate, self.residual = normal_quantiles(_residuals(y, y_pred)[1])

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, ax: Axes | None = None) -> Self:
        """Of a fitted regressor with one target.

        Parameters
        ----------
        model : regressor
            Fitted, with one target.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their targets.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        QuantileDisplay
        """
        return cls(y, model.predict(X)).plot(ax)

    @classmethod
    def from_predictions(cls, y: Any, y_pred: Any, *, ax: Axes | None = None) -> Self:
        """Of predictions; the arguments are those of the class.

        Parameters
        ----------
        y, y_pred : array-like of shape (n,)
            Targets and their predictions.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        QuantileDisplay
        """
        return cls(y, y_pred).plot(ax)

    def _draw(self, ax: Axes) -> None:
        n = len(self.residual)
        # all of both ends, where the tails are, and some of the middle
        ends = np.concatenate([np.arange(min(n, 100)), np.arange(max(n - 100, 0), n)])
        shown = np.union1d(ends, some_rows(n))
        far = 1.05 * max(abs(self.deviate[0]), 1.0)
        ax.plot([-far, far], [-far, far], color=GREY, linewidth=1.2, linestyle=":", label="normal")
        ax.plot(
            self.deviate[shown], self.residual[shown], "o", color=BLUE, alpha=0.6, markersize=4, markeredgewidth=0,
            label=rows_shown(len(shown), n),
        )  # fmt: skip
        ax.set(
            xlim=(-far, far),
            xlabel="normal quantile (standard deviations)",
            ylabel="ordered residual (standard deviations)",
            title="Residuals against a normal distribution",
        )
        faint_grid(ax, "both")
        ax.legend(loc="upper left", frameon=False, fontsize=9)


def _residuals(y: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and residuals of one target."""
    y, y_pred = vector(np.ravel(y) if np.ndim(y) == 2 and np.shape(y)[1] == 1 else y, "y"), vector(y_pred, "y_pred")
    require_one_for_each(y, "y", y_pred, "y_pred")
    return y_pred, y - y_pred
