"""Pictures for a learner: the sigmoid, a risk curve, a confusion matrix, calibration.

matplotlib is an optional dependency, imported when a picture is asked for.  Only its object interface is
used: no global state, no window; where `ax` is not given a new figure is made, and `ax.figure.savefig(path)`
writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .activations import sigmoid
from .validation import as_real_array, check_weights, require_finite, unmasked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart by every kind of colour vision, and in print (Okabe and Ito 2008).
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#767676"

# Normal deviate of a two-sided 95 % interval.
DEVIATE_95 = 1.959964


def plot_sigmoid(low: float = -8.0, high: float = 8.0, ax: Axes | None = None) -> Axes:
    """The sigmoid, its derivative, and the decision at z = 0 (the lecture's eqs. 25, 27 and 28).

    Parameters
    ----------
    low, high : float
        Ends of the axis of logits.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    Axes
    """
    if not low < high:
        raise ValueError(f"low is {low!r} and high {high!r}; low must be less than high.")
    ax = _axes(ax)
    z = np.linspace(low, high, 401)
    p = sigmoid(z)
    ax.plot(z, p, color=BLUE, linewidth=2.5, label=r"$\sigma(z) = 1/(1 + e^{-z})$")
    ax.plot(
        z,
        p * (1 - p),
        color=ORANGE,
        linewidth=1.8,
        linestyle="--",
        label=r"$\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$",
    )
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.axhline(0.5, color=GREY, linewidth=0.8)
    ax.text(
        low + 0.03 * (high - low), 0.515, "class 0 to the left, class 1 to the right", color=GREY, fontsize=9
    )
    ax.set(
        xlim=(low, high),
        ylim=(-0.03, 1.03),
        xlabel="logit z",
        ylabel="probability of class 1",
        title="The sigmoid",
    )
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.98), frameon=False)
    return ax


def plot_risk_curve(
    risk: Any,
    *,
    test_risk: Any = None,
    test_steps: Any = None,
    optimum: float | None = None,
    log: bool = False,
    ylabel: str = "risk",
    title: str = "Gradient descent",
    ax: Axes | None = None,
) -> Axes:
    """Risk against the steps of gradient descent, on a logarithmic axis of steps.

    Parameters
    ----------
    risk : array-like of shape (steps + 1,), or a DescentResult
        Training risk before the first step and after each.
    test_risk : array-like, optional
        Risk on rows held out, at the steps `test_steps`.
    test_steps : array-like, optional
        0, 1, 2, ... by default.
    optimum : float, optional
        The least training risk there is, from an exact fit: a line that the curve cannot cross.
    log : bool, default False
        Whether the axis of risk is logarithmic too, for risks near zero.
    ylabel, title : str
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes
    """
    risk = _vector(getattr(risk, "risk", risk), "risk")
    if test_risk is not None:
        test_risk = _vector(test_risk, "test_risk")
        test_steps = np.arange(len(test_risk)) if test_steps is None else _vector(test_steps, "test_steps")
        if len(test_steps) != len(test_risk):
            raise ValueError(
                f"test_steps has {len(test_steps)} entries, test_risk {len(test_risk)}; one each."
            )
    ax = _axes(ax)
    steps = np.arange(len(risk))
    ax.plot(steps, risk, color=BLUE, linewidth=2.2, label="training rows")
    if test_risk is not None:
        ax.plot(test_steps, test_risk, color=ORANGE, linewidth=2.0, linestyle="--", label="test rows")
    if optimum is not None:
        ax.axhline(
            optimum, color=GREY, linewidth=1.2, linestyle=":", label=f"least training risk, {optimum:.4g}"
        )
    # Most of the fall is in the first steps; linear up to 1, so that step 0 has a place.
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ax.set_xlim(0, max(len(risk) - 1, 1))
    if log:
        _plain_log_axis(ax)
    ax.set(xlabel="steps", ylabel=ylabel, title=title)
    ax.grid(True, axis="y", color="#e5e5e5")
    ax.set_axisbelow(True)
    ax.legend(frameon=False)
    return ax


def plot_confusion_matrix(
    y: Any, y_pred: Any, *, labels: Sequence[Any] | None = None, ax: Axes | None = None
) -> Axes:
    """Counts of true against predicted classes, shaded by their share of the true class.

    Parameters
    ----------
    y, y_pred : array-like of shape (n,)
        True and predicted labels, of any type.
    labels : sequence, optional
        The classes and their order; those in y and y_pred, sorted, by default.
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes
    """
    y, y_pred = unmasked(y, "y"), unmasked(y_pred, "y_pred")
    if y.ndim != 1 or y.shape != y_pred.shape or not len(y):
        raise ValueError(
            f"y has shape {y.shape} and y_pred {y_pred.shape}; pass one label for each row in both."
        )
    classes = np.unique(np.concatenate([y, y_pred])) if labels is None else np.asarray(labels)
    counts = _count_pairs(y, y_pred, classes)
    ax = _axes(ax, (6.4, 5.6))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    size = float(np.clip(90 / len(classes), 5, 13))
    for i, j in np.argwhere(counts > 0):
        ax.text(
            j,
            i,
            str(counts[i, j]),
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share[i, j] > 0.5 else "black",
        )
    ticks = np.arange(len(classes))
    names = [str(label) for label in classes.tolist()]
    ax.set_xticks(ticks, names, rotation=90 if max(map(len, names)) > 6 and len(names) > 4 else 0)
    ax.set_yticks(ticks, names)
    right = int(np.trace(counts))
    ax.set(
        xlabel="predicted class",
        ylabel="true class",
        title=f"Confusion matrix: {right} of {len(y)} right ({right / len(y):.1%})",
    )
    ax.figure.colorbar(image, ax=ax, label="share of the true class")
    return ax


def plot_calibration(
    y: Any, probability: Any, *, bins: int = 10, sample_weight: Any = None, ax: Axes | None = None
) -> Axes:
    """How often an event happens against how probable it was said to be; on the diagonal, as often as said.

    The axis of probabilities is cut into bins of equal width; a bin without rows has no point. Bars are 95 %
    intervals of the frequency (Wilson 1927), from the effective number of rows where there are weights.

    Parameters
    ----------
    y : array-like of shape (n,)
        1 or true where the event happened, 0 where not.
    probability : array-like of shape (n,)
    bins : int, default 10
    sample_weight : array-like of shape (n,), optional
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes
    """
    y, probability = _vector(y, "y"), _vector(probability, "probability")
    if len(y) != len(probability):
        raise ValueError(
            f"y has {len(y)} rows, probability {len(probability)}; pass one probability for each row."
        )
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
    said, happened, low, high = calibration(y, probability, weight if weight.size else np.ones(len(y)), bins)
    ax = _axes(ax, (5.6, 5.6))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=":", label="as often as said")
    ax.errorbar(
        said,
        happened,
        yerr=[happened - low, high - happened],
        color=BLUE,
        linewidth=1.5,
        elinewidth=1.0,
        marker="o",
        markersize=6,
        capsize=3,
        label=f"{bins} bins, with 95 % intervals",
    )
    ax.plot(
        probability,
        np.full(len(y), -0.035),
        "|",
        color=BLUE,
        alpha=0.35,
        markersize=8,
        label=f"{len(y)} rows",
    )
    ax.set(
        xlim=(-0.02, 1.02),
        ylim=(-0.06, 1.04),
        xlabel="predicted probability",
        ylabel="observed frequency",
        title="Calibration",
    )
    ax.set_aspect("equal")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, frameon=False)
    return ax


def calibration(
    y: np.ndarray, probability: np.ndarray, weight: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, frequency and the ends of its 95 % interval, for each bin of rows that has weight.

    Wilson's interval, with f the frequency, m = (sum s)^2 / sum s^2 the effective rows and z the deviate:

        (f + z^2 / 2m  +-  z sqrt(f (1 - f) / m + z^2 / 4m^2)) / (1 + z^2 / m)
    """
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    rows = [part for k in range(bins) if weight[part := np.flatnonzero(index == k)].sum() > 0]
    said = np.array([np.average(probability[part], weights=weight[part]) for part in rows])
    f = np.array([np.average(y[part], weights=weight[part]) for part in rows])
    m = np.array([weight[part].sum() ** 2 / (weight[part] ** 2).sum() for part in rows])
    z = DEVIATE_95
    centre = f + z**2 / (2 * m)
    half = z * np.sqrt(f * (1 - f) / m + z**2 / (4 * m**2))
    scale = 1 + z**2 / m
    low, high = (centre - half) / scale, (centre + half) / scale
    return said, f, np.minimum(np.maximum(low, 0), f), np.maximum(np.minimum(high, 1), f)


def _plain_log_axis(ax: Axes) -> None:
    """A logarithmic axis of y with ticks at 1, 2 and 5, written as decimals."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_locator(NullLocator())


def _count_pairs(y: np.ndarray, y_pred: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """How often each (true, predicted) pair of classes occurs."""
    order = np.argsort(classes)
    codes = []
    for name, values in (("y", y), ("y_pred", y_pred)):
        known = np.isin(values, classes)
        if not known.all():
            row = int(np.argmin(known))
            raise ValueError(
                f"{name} is {values[row]!r} at row {row}, which is not among labels; add it there."
            )
        codes.append(order[np.searchsorted(classes, values, sorter=order)])
    c = len(classes)
    return np.bincount(codes[0] * c + codes[1], minlength=c * c).reshape(c, c)


def _vector(values: Any, name: str) -> np.ndarray:
    array = as_real_array(values, name)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} has shape {array.shape}; pass a list of at least one number.")
    require_finite(array, name)
    return array.astype(np.float64)


def _axes(ax: Axes | None, size: tuple[float, float] = (6.4, 4.4)) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("drawing needs matplotlib: pip install 'ridgeline[plot]'.") from error
    return Figure(figsize=size, dpi=120, layout="constrained").add_subplot()
