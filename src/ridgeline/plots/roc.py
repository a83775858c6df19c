"""ROC curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..labels import encode
from ..validation import check_weights
from .drawing import COLOURS, GREY, STYLES, Display, require_one_for_each, vector
from .points import roc

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class RocCurve:
    """The curve of one event: its corners, the scores they stand for, and the area under it."""

    name: str
    false_positive: np.ndarray
    true_positive: np.ndarray
    threshold: np.ndarray
    area: float


class RocCurveDisplay(Display):
    """The share of events that are found against the share of false alarms, for every threshold.

    Parameters
    ----------
    curves : sequence of RocCurve
        One for each event.
    title : str
        Of the picture.

    Examples
    --------
    >>> from ridgeline.plots import RocCurveDisplay
    >>> display = RocCurveDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9])
    >>> display.curves[0].area
    0.75
    """

    size = (5.6, 5.6)

    def __init__(self, curves: Sequence[RocCurve], *, title: str = "ROC") -> None:
        self.curves, self.title = list(curves), title

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, sample_weight: Any = None, ax: Axes | None = None) -> Self:
        """Of a fitted classifier: the second of two classes, or each of more against the others.

        Parameters
        ----------
        model : classifier
            Fitted.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        RocCurveDisplay
        """
        logits = model.decision_function(X)
        codes = encode(y, model.classes_, len(logits))
        weight = check_weights(sample_weight, len(logits))
        names = [str(label) for label in model.classes_.tolist()]
        if logits.ndim == 1:
            curves = [roc_curve(codes == 1, logits, weight, f"class {names[1]}")]
        else:
            p = model.predict_log_proba(X)
            curves = [roc_curve(codes == k, p[:, k], weight, f"class {name}") for k, name in enumerate(names)]
        return cls(curves, title=f"{type(model).__name__}: ROC").plot(ax)

    @classmethod
    def from_predictions(
        cls, y: Any, score: Any, *, sample_weight: Any = None, name: str = "score", ax: Axes | None = None
    ) -> Self:
        """Of scores, larger where the event is likelier.

        Parameters
        ----------
        y : array-like of shape (n,)
            1 or true where the event happened, 0 where not.
        score : array-like of shape (n,)
            Larger where it is likelier.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows; 1 by default.
        name : str
            Of the curve.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        RocCurveDisplay
        """
        y, score = vector(y, "y"), vector(score, "score")
        require_one_for_each(y, "y", score, "score")
        if not ((y == 0) | (y == 1)).all():
            row = int(np.argmin((y == 0) | (y == 1)))
            raise ValueError(f"y is {y[row]:g} at row {row}; each must be 0 or 1.")
        return cls([roc_curve(y == 1, score, check_weights(sample_weight, len(y)), name)]).plot(ax)

    def _draw(self, ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=":", label="by chance, area 0.5")
        for k, curve in enumerate(self.curves):
            ax.plot(
                curve.false_positive, curve.true_positive, color=COLOURS[k % len(COLOURS)], linewidth=2.2,
                linestyle=STYLES[k // len(COLOURS) % len(STYLES)], label=f"{curve.name}, area {curve.area:.3f}",
            )  # fmt: skip
        ax.set(
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            xlabel="false positive rate (share of the others)",
            ylabel="true positive rate (share of the events)",
            title=self.title,
        )
        ax.set_aspect("equal")
        ax.legend(loc="lower right", frameon=False, fontsize=9)


def roc_curve(event: np.ndarray, score: np.ndarray, weight: np.ndarray, name: str) -> RocCurve:
    """The curve of checked arrays; no weights count as ones.

    Raises
    ------
    ValueError
        Unless rows of both kinds have weight.
    """
    weight = weight if weight.size else np.ones(len(event))
    if not weight[event].sum() > 0 or not weight[~event].sum() > 0:
        which = "no event" if not weight[event].sum() > 0 else "nothing but events"
        raise ValueError(f"{name}: y holds {which}, so that there is no curve; it needs rows of both kinds.")
    return RocCurve(name, *roc(event, score.astype(np.float64), weight))
