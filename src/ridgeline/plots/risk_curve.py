"""Risk on rows that were fitted and on rows that were not: over the steps of gradient descent, or over penalties."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..risk import model_risk
from .coefficient_path import penalties, refitted, varied
from .drawing import BLUE, GREY, ORANGE, Display, faint_grid, log_axis, require_one_for_each, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class RiskCurveDisplay(Display):
    """Risk against steps or penalties; where there are test rows, the gap between them and the training rows.

    Parameters
    ----------
    x : array-like of shape (k,)
        Steps or penalties.
    risk : array-like of shape (k,)
        On the rows that were fitted.
    test_risk : array-like, optional
        On rows held out, at `test_x`.
    test_x : array-like, optional
        Those of `x` by default.
    optimum : float, optional
        The least training risk there is, from an exact fit: a line that the curve cannot cross.
    steps : bool, default False
        Whether x counts steps, from 0.
    log : bool, default False
        Whether the axis of risk is logarithmic, for risks near zero.
    xlabel, ylabel, title : str
        Of the axes and the picture.

    Examples
    --------
    >>> from ridgeline import Ridge
    >>> from ridgeline.plots import RiskCurveDisplay
    >>> display = RiskCurveDisplay.from_estimator(Ridge(), [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], [[3.0]], [6.5], values=[0.1, 1.0])
    >>> display.risk.round(3), display.test_risk.round(3)
    (array([0.006, 0.296]), array([0.096, 0.694]))
    """

    def __init__(
        self,
        x: Any,
        risk: Any,
        test_risk: Any = None,
        *,
        test_x: Any = None,
        optimum: float | None = None,
        steps: bool = False,
        log: bool = False,
        xlabel: str = "penalty",
        ylabel: str = "risk",
        title: str = "Risk",
    ) -> None:
        self.x, self.risk = vector(x, "x"), vector(risk, "risk")
        require_one_for_each(self.x, "x", self.risk, "risk")
        self.test_risk = np.empty(0) if test_risk is None else vector(test_risk, "test_risk")
        self.test_x = vector(test_x, "test_x") if test_x is not None else self.x[: len(self.test_risk)]
        require_one_for_each(self.test_x, "test_x", self.test_risk, "test_risk")
        self.optimum, self.steps, self.log = optimum, steps, log
        self.xlabel, self.ylabel, self.title = xlabel, ylabel, title

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: Any,
        X_test: Any,
        y_test: Any,
        *,
        values: Any = None,
        loss: str | Callable[[Any, Any], Any] | None = None,
        log: bool = False,
        ax: Axes | None = None,
    ) -> Self:
        """Fit the model anew for each penalty, and measure its risk on both parts.

        Parameters
        ----------
        model : estimator
            With a parameter `alpha` or `C`; a copy is fitted, not it.
        X, y : array-like
            Rows to fit.
        X_test, y_test : array-like
            Rows to measure on.
        values : array-like, optional
            Values of the parameter; a range that shows the whole curve by default.
        loss : str or callable, optional
            As for `generalization_gap`; the squared error, or for a classifier the cross-entropy, by default.
        log : bool, default False
            Whether the axis of risk is logarithmic, for risks near zero.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        RiskCurveDisplay

        Notes
        -----
        A fit and two predictions for each value.
        """
        parameter = varied(model)
        values = np.sort(penalties(model, X, y) if values is None else vector(values, "values"))
        classifies = hasattr(model, "predict_proba")
        loss = loss or ("sparse_categorical_cross_entropy" if classifies else "squared_error")
        fits = [refitted(model, X, y, parameter, value) for value in values]
        weaker = "weaker penalty to the right" if parameter == "C" else "stronger penalty to the right"
        return cls(
            values,
            [model_risk(fit, X, y, loss) for fit in fits],
            [model_risk(fit, X_test, y_test, loss, "y_test") for fit in fits],
            log=log,
            xlabel=f"{parameter} ({weaker})",
            ylabel="mean cross-entropy (nats)" if classifies else f"mean {loss if isinstance(loss, str) else 'loss'}".replace("_", " "),
            title=f"{type(model).__name__}: risk and the generalisation gap",
        ).plot(ax)

    def _draw(self, ax: Axes) -> None:
        ax.plot(self.x, self.risk, color=BLUE, linewidth=2.2, label="training rows")
        if self.test_risk.size:
            ax.plot(self.test_x, self.test_risk, color=ORANGE, linewidth=2.0, linestyle="--", label="test rows")
            self._draw_gap(ax)
        if self.optimum is not None:
            ax.axhline(self.optimum, color=GREY, linewidth=1.2, linestyle=":", label=f"least training risk, {self.optimum:.4g}")
        if self.steps:
            # Most of the fall is in the first steps; linear up to 1, so that step 0 has a place.
            ax.set_xscale("symlog", linthresh=1, linscale=0.5)
            ax.set_xlim(0, max(self.x[-1], 1))
        else:
            log_axis(ax, self.x)
        if self.log:
            _plain_log_axis(ax)
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel, title=self.title)
        faint_grid(ax)
        ax.legend(frameon=False)

    def _draw_gap(self, ax: Axes) -> None:
        """The space between the curves, and its height where the test risk is least."""
        training = np.interp(self.test_x, self.x, self.risk)
        best = int(self.test_risk.argmin())
        gap = self.test_risk[best] - training[best]
        ax.fill_between(self.test_x, training, self.test_risk, color=ORANGE, alpha=0.12, linewidth=0, label="generalisation gap")
        ax.plot(
            self.test_x[best], self.test_risk[best], "o", color=ORANGE, markersize=6,
            label=f"best on the test rows, {self.test_risk[best]:.4g}: a gap of {gap:.2g}",
        )  # fmt: skip


def plot_risk_curve(
    risk: Any, *, test_risk: Any = None, test_steps: Any = None, optimum: float | None = None, log: bool = False, ylabel: str = "risk",
    title: str = "Gradient descent", ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Risk against the steps of gradient descent, on a logarithmic axis of steps: a `RiskCurveDisplay`, of which the axes are returned.

    Parameters
    ----------
    risk : array-like of shape (steps + 1,), or a DescentResult
        Training risk before the first step and after each.
    test_risk, optimum, log, ylabel, title
        As for `RiskCurveDisplay`.
    test_steps : array-like, optional
        0, 1, 2, ... by default.
    """
    risk = vector(getattr(risk, "risk", risk), "risk")
    if test_risk is not None:
        test_risk = vector(test_risk, "test_risk")
        test_steps = np.arange(len(test_risk)) if test_steps is None else vector(test_steps, "test_steps")
        require_one_for_each(test_steps, "test_steps", test_risk, "test_risk")
    return (
        RiskCurveDisplay(
            np.arange(len(risk)), risk, test_risk, test_x=test_steps, optimum=optimum, steps=True, log=log, xlabel="steps", ylabel=ylabel,
            title=title,
        )
        .plot(ax)
        .ax_
    )  # fmt: skip


def _plain_log_axis(ax: Axes) -> None:
    """A logarithmic axis of y with ticks at 1, 2 and 5, written as decimals."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_locator(NullLocator())
