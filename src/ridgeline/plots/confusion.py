"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .drawing import BLUE, Display, text_colour
from .points import count_pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ConfusionMatrixDisplay(Display):
    """Counts of true against predicted classes, shaded by their share of the true class.

    Parameters
    ----------
    y, y_pred : array-like of shape (n,)
        True and predicted labels, of any type.
    labels : sequence, optional
        The classes and their order; those in y and y_pred, sorted, by default.

    Attributes
    ----------
    counts : ndarray of shape (c, c)
    labels : ndarray of shape (c,)

    Examples
    --------
    >>> from ridgeline.plots import ConfusionMatrixDisplay
    >>> ConfusionMatrixDisplay.from_predictions(["a", "a", "b"], ["a", "b", "b"]).counts
    array([[1, 1],
           [0, 1]])
    """

    size = (6.4, 5.6)

    def __init__(self, y: Any, y_pred: Any, *, labels: Sequence[Any] | None = None) -> None:
        y, y_pred = np.asarray(y), np.asarray(y_pred)
        if y.ndim != 1 or y.shape != y_pred.shape or not len(y):
            raise ValueError(f"y has shape {y.shape} and y_pred {y_pred.shape}; pass one label for each row in both.")
        self.labels = np.unique(np.concatenate([y, y_pred])) if labels is None else np.asarray(labels)
        self.counts = count_pairs(y, y_pred, self.labels)

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, labels: Sequence[Any] | None = None, ax: Axes | None = None) -> Self:
        """Of a fitted classifier, for rows it has not seen.

        Parameters
        ----------
        model : classifier
            Fitted.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their labels.
        labels : sequence, optional
            The classes and their order; those in y and the predictions, sorted, by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ConfusionMatrixDisplay
        """
        return cls(y, model.predict(X), labels=labels).plot(ax)

    @classmethod
    def from_predictions(cls, y: Any, y_pred: Any, *, labels: Sequence[Any] | None = None, ax: Axes | None = None) -> Self:
        """Of predicted labels; the arguments are those of the class.

        Parameters
        ----------
        y, y_pred : array-like of shape (n,)
            True and predicted labels.
        labels : sequence, optional
            The classes and their order; those in y and y_pred, sorted, by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ConfusionMatrixDisplay
        """
        return cls(y, y_pred, labels=labels).plot(ax)

    def _draw(self, ax: Axes) -> None:
        from matplotlib.colors import LinearSegmentedColormap

        share = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        # from the page's own colour, so that an empty cell is a piece of the page
        shades = LinearSegmentedColormap.from_list("share", [ax.get_facecolor(), BLUE])
        image = ax.imshow(share, cmap=shades, vmin=0, vmax=1)
        size = float(np.clip(90 / len(self.labels), 5, 13))
        for i, j in np.argwhere(self.counts > 0):
            colour = "white" if share[i, j] > 0.5 else text_colour()
            ax.text(j, i, f"{self.counts[i, j]:,}", ha="center", va="center", fontsize=size, color=colour)
        ticks = np.arange(len(self.labels))
        names = [str(label) for label in self.labels.tolist()]
        ax.set_xticks(ticks, names, rotation=90 if max(map(len, names)) > 6 and len(names) > 4 else 0)
        ax.set_yticks(ticks, names)
        right, n = int(np.trace(self.counts)), int(self.counts.sum())
        ax.set(
            xlabel="predicted class",
            ylabel="true class",
            title=f"Confusion matrix: {right:,} of {n:,} right ({right / n:.1%})",
        )
        ax.figure.colorbar(image, ax=ax, label="share of the true class")


def plot_confusion_matrix(y: Any, y_pred: Any, *, labels: Sequence[Any] | None = None, ax: Axes | None = None) -> Axes:
    """Draw a `ConfusionMatrixDisplay`, and return its axes."""
    return ConfusionMatrixDisplay(y, y_pred, labels=labels).plot(ax).ax_
