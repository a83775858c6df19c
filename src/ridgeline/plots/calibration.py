"""Whether events happen as often as they were said to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..labels import encode
from ..validation import check_weights
from .drawing import BLUE, GREY, Display, rows_shown, some_rows, vector
from .points import calibration

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CalibrationDisplay(Display):
    """How often an event happens against how probable it was said to be; on the diagonal, as often as said.

    The axis of probabilities is cut into bins of equal width; a bin without rows has no point. Bars are 95 %
    intervals of the frequency (Wilson 1927), from the effective number of rows where there are weights.

    Parameters
    ----------
    y : array-like of shape (n,)
        1 or true where the event happened, 0 where not.
    probability : array-like of shape (n,)
        How probable it was said to be.
    bins : int, default 10
        Parts of the axis, of equal width.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows; 1 by default.
    event : str
        What happened, for the labels.

    Attributes
    ----------
    said, happened, low, high : ndarray of shape (k,)
        Of each bin that has weight: the mean probability, the frequency and the ends of its interval.

    Examples
    --------
    >>> from ridgeline.plots import CalibrationDisplay
    >>> display = CalibrationDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], bins=2)
    >>> display.said.round(2), display.happened
    (array([0.15, 0.8 ]), array([0., 1.]))
    """

    size = (5.6, 5.6)

    def __init__(self, y: Any, probability: Any, *, bins: int = 10, sample_weight: Any = None, event: str = "") -> None:
        y, probability = vector(y, "y"), vector(probability, "probability")
        if len(y) != len(probability):
            raise ValueError(f"y has {len(y)} rows, probability {len(probability)}; pass one probability for each row.")
        for name, values, sound in (
            ("y", y, (y == 0) | (y == 1)),
            ("probability", probability, (probability >= 0) & (probability <= 1)),
        ):
            if not sound.all():
                row = int(np.argmin(sound))
                expected = "0 or 1" if name == "y" else "from 0 to 1"
                raise ValueError(f"{name} is {values[row]:g} at row {row}; each must be {expected}.")
        if bins < 1:
            raise ValueError(f"bins is {bins}; at least one is needed.")
        weight = check_weights(sample_weight, len(y))
        self.probability, self.bins, self.event = probability, bins, event
        self.said, self.happened, self.low, self.high = calibration(y, probability, weight if weight.size else np.ones(len(y)), bins)

    @classmethod
    def from_estimator(
        cls, model: Any, X: Any, y: Any, *, bins: int = 10, sample_weight: Any = None, label: Any = None, ax: Axes | None = None
    ) -> Self:
        """Of a fitted classifier, for rows it has not seen.

        Parameters
        ----------
        model : classifier
            Fitted.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their labels.
        bins : int, default 10
            Parts of the axis, of equal width.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.
        label : object, optional
            The class whose probability is looked at; by default the second of two.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        CalibrationDisplay
        """
        classes = model.classes_.tolist()
        if label is None and len(classes) > 2:
            raise ValueError(f"the model has {len(classes)} classes; say which with label=, one of {classes}.")
        if label is not None and label not in classes:
            raise ValueError(f"label is {label!r}, which is none of the classes {classes}.")
        k = 1 if label is None else classes.index(label)
        p = model.predict_proba(X)[:, k]
        happened = encode(y, model.classes_, len(p)) == k
        return cls(happened, p, bins=bins, sample_weight=sample_weight, event=f"class {classes[k]}").plot(ax)

    @classmethod
    def from_predictions(
        cls, y: Any, probability: Any, *, bins: int = 10, sample_weight: Any = None, event: str = "", ax: Axes | None = None
    ) -> Self:
        """Of probabilities; the arguments are those of the class.

        Parameters
        ----------
        y : array-like of shape (n,)
            1 or true where the event happened, 0 where not.
        probability : array-like of shape (n,)
            How probable it was said to be.
        bins : int, default 10
            Parts of the axis, of equal width.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.
        event : str
            What happened, for the labels.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        CalibrationDisplay
        """
        return cls(y, probability, bins=bins, sample_weight=sample_weight, event=event).plot(ax)

    def _draw(self, ax: Axes) -> None:
        n = len(self.probability)
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=":", label="as often as said")
        ax.errorbar(
            self.said,
            self.happened,
            yerr=[self.happened - self.low, self.high - self.happened],
            color=BLUE,
            linewidth=1.5,
            elinewidth=1.0,
            marker="o",
            markersize=6,
            capsize=3,
            label=f"{self.bins} bins, with 95 % intervals",
        )
        shown = some_rows(n)
        ax.plot(
            self.probability[shown], np.full(len(shown), -0.035), "|", color=BLUE, alpha=0.7, markersize=8,
            label=rows_shown(len(shown), n),
        )  # fmt: skip
        of = f" of {self.event}" if self.event else ""
        ax.set(
            xlim=(-0.02, 1.02),
            ylim=(-0.06, 1.04),
            xlabel=f"predicted probability{of}",
            ylabel="observed frequency",
            title="Calibration",
        )
        ax.set_aspect("equal")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, frameon=False, fontsize=9)


def plot_calibration(y: Any, probability: Any, *, bins: int = 10, sample_weight: Any = None, ax: Axes | None = None) -> Axes:
    """Draw a `CalibrationDisplay`, and return its axes."""
    return CalibrationDisplay(y, probability, bins=bins, sample_weight=sample_weight).plot(ax).ax_
