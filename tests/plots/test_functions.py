"""The functions `plot_...`: what they show, that they keep to the axes they are given, and what they refuse."""

import io
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="drawing needs matplotlib")

from matplotlib.figure import Figure

from ridgeline import plots
from ridgeline.descent import gradient_descent

Y = np.array([0, 0, 1, 1, 1, 0])
P = np.array([0.1, 0.2, 0.3, 0.9, 0.95, 0.6])

PICTURES = {
    "sigmoid": lambda ax=None: plots.plot_sigmoid(ax=ax),
    "risk": lambda ax=None: plots.plot_risk_curve(
        [4.0, 2.0, 1.0], test_risk=[5.0, 3.0, 2.5], optimum=0.9, ax=ax
    ),
    "log risk": lambda ax=None: plots.plot_risk_curve([4.0, 0.2, 0.01], log=True, ax=ax),
    "confusion": lambda ax=None: plots.plot_confusion_matrix(list("aabbc"), list("abbbc"), ax=ax),
    "calibration": lambda ax=None: plots.plot_calibration(Y, P, ax=ax),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_labelled_and_can_be_written(name):
    ax = PICTURES[name]()
    assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
    file = io.BytesIO()
    ax.figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PICTURES)
def test_given_axes_are_used_and_returned(name):
    ax = Figure().add_subplot()
    assert PICTURES[name](ax) is ax


def test_no_global_state_is_touched():
    loaded = "matplotlib.pyplot" in sys.modules
    for draw in PICTURES.values():
        draw()
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def line(ax, label):
    return next(line for line in ax.lines if str(line.get_label()).startswith(label))


def test_the_sigmoid_is_one_half_at_zero():
    curve = line(plots.plot_sigmoid(-2, 2), r"$\sigma(z)")
    z, p = curve.get_data()
    assert p[z == 0] == 0.5 and z[0] == -2 and z[-1] == 2


def test_the_risk_curve_shows_the_numbers_given():
    ax = plots.plot_risk_curve([4.0, 2.0, 1.0], test_risk=[5.0, 3.0], test_steps=[0, 2], optimum=0.9)
    assert line(ax, "training").get_ydata().tolist() == [4, 2, 1]
    assert line(ax, "test").get_xdata().tolist() == [0, 2]
    assert line(ax, "least").get_ydata()[0] == 0.9


def test_the_risk_curve_of_a_descent():
    result = gradient_descent("squared_error", [[1.0], [2.0]], [1.0, 4.0], learning_rate=0.1, max_iter=5)
    assert line(plots.plot_risk_curve(result), "training").get_ydata().tolist() == result.risk.tolist()


@pytest.mark.parametrize("steps", [1, 2, 100])
def test_the_risk_curve_fills_its_axis(steps):
    assert plots.plot_risk_curve(np.ones(steps + 1)).get_xlim() == (0, steps)


def test_the_risk_before_the_first_step_has_a_place():
    assert plots.plot_risk_curve([1.0]).get_xlim() == (0, 1)


def test_a_logarithmic_axis_prints_decimals():
    ax = plots.plot_risk_curve([0.7, 0.2, 0.03], log=True)
    ax.figure.canvas.draw()
    assert {"0.05", "0.1", "0.2", "0.5"} <= {tick.get_text() for tick in ax.get_yticklabels()}


def test_confusion_counts():
    ax = plots.plot_confusion_matrix(["b", "a", "a", "c"], ["b", "a", "b", "c"], labels=["c", "b", "a"])
    cells = {(t.get_position()[1], t.get_position()[0]): t.get_text() for t in ax.texts}
    assert cells == {(0, 0): "1", (1, 1): "1", (2, 2): "1", (2, 1): "1"}
    assert "3 of 4 right (75.0%)" in ax.get_title()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda: plots.plot_sigmoid(2, 1), "low must be less than high"),
        (lambda: plots.plot_risk_curve([]), "at least one number"),
        (lambda: plots.plot_risk_curve([1.0, np.nan]), "risk contains NaN at row 1"),
        (
            lambda: plots.plot_risk_curve([1.0], test_risk=[1.0, 2.0], test_steps=[0]),
            "test_steps has 1 entries",
        ),
        (lambda: plots.plot_confusion_matrix([0, 1], [0]), "one label for each row"),
        (lambda: plots.plot_confusion_matrix([0, 2], [0, 1], labels=[0, 1]), "y is .*2.* at row 1"),
        (lambda: plots.plot_calibration([0, 2], [0.5, 0.5]), "y is 2 at row 1"),
        (lambda: plots.plot_calibration([0, 1], [0.5, 1.5]), "probability is 1.5 at row 1"),
        (lambda: plots.plot_calibration([0, 1], [0.5]), "one probability for each row"),
        (lambda: plots.plot_calibration([0, 1], [0.5, 0.5], bins=0), "bins is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, expected):
    with pytest.raises(ValueError, match=expected):
        draw()


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"ridgeline\[plot\]"):
        plots.plot_sigmoid()
