"""What all pictures share: colours, axes, and how a display draws itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..validation import as_real_array, require_finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart by every kind of colour vision (after Okabe and Ito 2008), and with a contrast of 3 or more against white and against a page of
# nearly black, which WCAG 2.1 (1.4.11) asks of graphics: their blue is lightened for it, and their yellow and sky blue are left out.
BLUE, ORANGE, GREY = "#0c7fc4", "#D55E00", "#808080"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#b58900", "#7b68ee", "#c44e52", "#8c6d4f")
STYLES = ("-", "--", ":", "-.")

DPI = 120

MOST_POINTS = 4000
"""Rows that a cloud of points shows: more are a blot, and take seconds to draw."""


class Display(ABC):
    """A picture that knows its numbers.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    size: ClassVar[tuple[float, float]] = (6.4, 4.4)
    ax_: Axes
    figure_: Any
    _own: bool = False

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        Display
        """
        self._own = ax is None
        self.ax_ = _new_axes(self.size) if ax is None else ax
        self.figure_ = self.ax_.figure
        self._draw(self.ax_)
        return self

    @abstractmethod
    def _draw(self, ax: Axes) -> None:
        raise NotImplementedError

    def _repr_png_(self) -> bytes | None:
        """For a notebook, which knows nothing of a figure that pyplot has not made."""
        if not self._own:
            return None
        drawn = BytesIO()
        self.figure_.savefig(drawn, format="png")
        return drawn.getvalue()


def _new_axes(size: tuple[float, float]) -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("drawing needs matplotlib: pip install 'ridgeline[plot]'.") from error
    return Figure(figsize=size, dpi=DPI, layout="constrained").add_subplot()


def faint_grid(ax: Axes, axis: Any = "y") -> None:
    """Lines behind the data that are seen on either page, and no more than seen."""
    ax.grid(True, axis=axis, color=GREY, alpha=0.25, linewidth=0.7)
    ax.set_axisbelow(True)


def log_axis(ax: Axes, x: np.ndarray) -> None:
    """A logarithmic axis of x from the least to the largest value."""
    ax.set_xscale("log")
    if x.min() < x.max():
        ax.set_xlim(x.min(), x.max())


def text_colour() -> Any:
    """The colour of words on the page."""
    import matplotlib

    return matplotlib.rcParams["text.color"]


def vector(values: Any, name: str) -> np.ndarray:
    """A list of at least one finite number.

    Raises
    ------
    ValueError
    """
    array = as_real_array(values, name)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} has shape {array.shape}; pass a list of at least one number.")
    require_finite(array, name)
    return array.astype(np.float64)


def require_one_for_each(values: Any, name: str, others: Any, other: str) -> None:
    """Raise a ValueError unless both have the same length."""
    if len(values) != len(others):
        raise ValueError(f"{name} has {len(values)} entries, {other} {len(others)}; one each.")


def some_rows(n: int) -> np.ndarray:
    """At most `MOST_POINTS` of n rows, the same ones every time, in order."""
    if n <= MOST_POINTS:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, MOST_POINTS, replace=False))


def rows_shown(shown: int, n: int) -> str:
    """ "569 rows", or "4,000 of 1,000,000 rows"."""
    return f"{n:,} rows" if shown == n else f"{shown:,} of {n:,} rows"


def name_of(y: Any, otherwise: str = "y") -> str:
    """The name of a frame's column."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else otherwise
