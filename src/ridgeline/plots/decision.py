"""Where a classifier of two columns decides for which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..conversion import column_names
from ..labels import encode
from ..validation import check_matrix
from .drawing import COLOURS, Display, some_rows, text_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELLS = 200
"""Points of the grid along each axis."""

MARKERS = "os^Dv<>P"


class DecisionBoundaryDisplay(Display):
    """The regions of the plane in which each class is predicted, shaded by its probability, and the rows.

    Parameters
    ----------
    horizontal, vertical : ndarray of shape (m,)
        The grid.
    probability : ndarray of shape (m, m, c)
        Of each class, `probability[i, j]` at (horizontal[j], vertical[i]).
    X : ndarray of shape (n, 2)
        The rows to draw.
    codes : ndarray of shape (n,)
        The true class of each row.
    classes : sequence
        Labels of the c classes.
    names : pair of str
        Of the two columns.
    title : str
        Of the picture.

    Examples
    --------
    >>> from ridgeline import LogisticRegression
    >>> from ridgeline.plots import DecisionBoundaryDisplay
    >>> X, y = [[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [3.0, 2.0]], ["low", "low", "high", "high"]
    >>> display = DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, y), X, y)
    >>> display.classes, display.names
    (['high', 'low'], ('column 0', 'column 1'))
    """

    size = (6.4, 5.4)

    def __init__(
        self, horizontal: np.ndarray, vertical: np.ndarray, probability: np.ndarray, X: np.ndarray, codes: np.ndarray, *, classes: Any,
        names: tuple[str, str] = ("column 0", "column 1"), title: str = "Decision regions",
    ) -> None:  # fmt: skip
        self.horizontal, self.vertical, self.probability = horizontal, vertical, probability
        self.X, self.codes, self.classes, self.names, self.title = X, codes, list(classes), names, title

    @classmethod
    def from_estimator(cls, model: Any, X: Any, y: Any, *, ax: Axes | None = None) -> Self:
        """Of a classifier fitted to two columns.

        Parameters
        ----------
        model : classifier
            Fitted.
        X : array-like of shape (n, 2)
            Rows.
        y : array-like of shape (n,)
            Their labels.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        DecisionBoundaryDisplay

        Raises
        ------
        ValueError
            For another number of columns.
        """
        matrix = check_matrix(X)
        if matrix.shape[1] != 2:
            raise ValueError(f"X has {matrix.shape[1]} columns, and a plane has two: fit and draw X[:, [i, j]].")
        rows = np.asarray(matrix, dtype=np.float64)
        horizontal, vertical = (_span(rows[:, k]) for k in (0, 1))
        grid = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2)
        names = column_names(X)
        # the model may know its columns by name, which a grid does not have
        p = _without_names(model).predict_proba(grid).reshape(CELLS, CELLS, -1)
        return cls(
            horizontal,
            vertical,
            p,
            rows,
            encode(y, model.classes_, len(rows)),
            classes=model.classes_.tolist(),
            names=("column 0", "column 1") if names is None else (names[0], names[1]),
            title=f"{type(model).__name__}: decision regions",
        ).plot(ax)

    def _draw(self, ax: Axes) -> None:
        from matplotlib.colors import to_rgb

        c = self.probability.shape[2]
        colours = [COLOURS[k % len(COLOURS)] for k in range(c)]
        page = np.array(to_rgb(ax.get_facecolor()))
        predicted = self.probability.argmax(axis=2)
        certainty = self.probability.max(axis=2, keepdims=True)
        # the page's colour where the classes are even, up to 45 % of the class's where it is certain
        strength = 0.1 + 0.35 * (certainty - 1 / c) / (1 - 1 / c)
        shade = page + strength * (np.array([to_rgb(colour) for colour in colours])[predicted] - page)
        box = (self.horizontal[0], self.horizontal[-1], self.vertical[0], self.vertical[-1])
        ax.imshow(shade, extent=box, origin="lower", aspect="auto", interpolation="nearest")
        if c == 2:
            second = self.probability[:, :, 1]
            levels = [level for level in (0.1, 0.5, 0.9) if second.min() < level < second.max()]
            if levels:
                lines = ax.contour(
                    self.horizontal, self.vertical, second, levels=levels, colors=text_colour(),
                    linewidths=[1.8 if level == 0.5 else 0.9 for level in levels],
                    linestyles=["-" if level == 0.5 else "--" for level in levels],
                )  # fmt: skip
                ax.clabel(lines, fmt=lambda level: f"{level:.0%}", fontsize=8)
        shown = some_rows(len(self.X))
        for k, label in enumerate(self.classes):
            rows = shown[self.codes[shown] == k]
            ax.plot(
                self.X[rows, 0], self.X[rows, 1], MARKERS[k % len(MARKERS)], color=colours[k], markersize=5, markeredgecolor="white",
                markeredgewidth=0.6, label=f"class {label}",
            )  # fmt: skip
        ax.set(xlim=box[:2], ylim=box[2:], xlabel=self.names[0], ylabel=self.names[1], title=self.title)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _span(values: np.ndarray) -> np.ndarray:
    """A grid over the values and a tenth of their range on each side."""
    low, high = float(values.min()), float(values.max())
    margin = 0.1 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, CELLS)


def _without_names(model: Any) -> Any:
    from copy import copy

    nameless = copy(model)
    if hasattr(nameless, "feature_names_in_"):
        del nameless.feature_names_in_
    return nameless
