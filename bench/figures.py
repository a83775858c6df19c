"""The figures of a comparison, each for a light and for a dark page.

Curves: time to verified accuracy against the number of rows and of columns, both axes logarithmic, each library by its quickest solver,
with the time of one read of X and of one Gram (n d (d + 1) flops) on that machine drawn in.  Bars: the best peer's time over ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image  # which matplotlib needs too

from . import report
from .problems import Problem, short

THEMES = {
    "light": {"page": "#ffffff", "text": "#24292f", "faint": "#d8dee4", "floor": "#6e7781"},
    "dark": {"page": "#0d1117", "text": "#e6edf3", "faint": "#30363d", "floor": "#9da7b3"},
}

# Okabe and Ito's colours (2008), told apart by every kind of colour vision; those too dark or too pale for one page are left out.
COLOURS = {
    "ridgeline": "#D55E00",
    "scikit-learn": "#0c7fc4",
    "scikit-learn-intelex": "#009E73",
    "glum": "#CC79A7",
    "NumPy": "#8c8c8c",
    "statsmodels": "#b58900",
    "skglm": "#56B4E9",
    "polars-ols": "#7b68ee",
    "torch": "#c44e52",
}
MARKERS = dict(zip(COLOURS, "os^Dvphd*"))
DPI = 130
PALETTE = 64
"""Colours of a file: a third of its size, and no difference to the eye."""

SERIES_TITLES = {"n": "rows, with 50 columns", "d": "columns, with 50,000 rows"}


def draw(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write every figure that the results have data for, and say where."""
    problems = list(results["problems"].values())
    figures = {}
    if bars := _speedups(problems):
        figures["speedups"] = lambda: _bars(bars)
    for family in dict.fromkeys(p["problem"]["family"] for p in problems if p["problem"]["series"]):
        figures[f"curves-{family}"] = lambda family=family: _curves(family, problems)
    written = []
    for name, make in figures.items():
        for page in THEMES:
            with theme(page):
                path = folder / f"{name}-{page}.png"
                save(make(), path)
                written.append(path)
    return written


def save(figure: Figure, path: Path, colours: int = PALETTE) -> None:
    """Write a figure with few colours."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(colours).save(path, optimize=True)


@contextmanager
def theme(name: str) -> Iterator[None]:
    """matplotlib's settings for a light or a dark page."""
    colours = THEMES[name]
    settings = {
        "figure.facecolor": colours["page"],
        "axes.facecolor": colours["page"],
        "savefig.facecolor": colours["page"],
        "axes.edgecolor": colours["floor"],
        "grid.color": colours["faint"],
        "hatch.color": colours["floor"],
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), colours["text"]),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
    }
    with matplotlib.rc_context(settings):
        yield


# ---------------------------------------------------------------------------------------------------------- bars


def _speedups(problems: list[dict[str, Any]]) -> list[tuple[str, float, str]]:
    """Problem, how many times faster than the best peer, and that peer."""
    found = []
    for record in problems:
        ours, peer = report.best(record["outcomes"], report.OURS), report.best(record["outcomes"])
        if ours and peer and not record["problem"]["series"]:
            found.append((_title(record["problem"]), peer["seconds"] / ours["seconds"], peer["entrant"]))
    return found


def _title(fields: dict[str, Any]) -> str:
    return Problem(**fields).name


def _bars(bars: list[tuple[str, float, str]]) -> Figure:
    """On a logarithmic axis from 1, where both take the same time: to the right we are faster, to the left the peer."""
    figure = Figure(figsize=(8.6, 1.3 + 0.3 * len(bars)), layout="constrained")
    ax = figure.subplots()
    names, ratios, peers = zip(*bars)
    places = range(len(bars))
    colours = [COLOURS["ridgeline"] if ratio >= 1 else COLOURS["scikit-learn"] for ratio in ratios]
    ax.barh(places, [ratio - 1 for ratio in ratios], left=1, height=0.66, color=colours)
    ax.axvline(1, color=matplotlib.rcParams["axes.edgecolor"], linewidth=1)
    for place, ratio, peer in zip(places, ratios, peers):
        ax.annotate(
            f"{ratio:.2g} × {peer}" if ratio < 100 else f"{ratio:.0f} × {peer}",
            (max(ratio, 1), place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5,
        )  # fmt: skip
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlim(min(0.8, 0.8 * min(ratios)), max(ratios) * 12)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title("Times faster than the best peer, at equal verified accuracy", loc="left", fontsize=12, fontweight="bold")
    ax.set_xlabel("time of the best peer (named) / time of ridgeline")
    return figure


# -------------------------------------------------------------------------------------------------------- curves


def _curves(family: str, problems: list[dict[str, Any]]) -> Figure:
    of_family = [p for p in problems if p["problem"]["family"] == family]
    series = [s for s in SERIES_TITLES if any(p["problem"]["series"] == s for p in of_family)]
    figure = Figure(figsize=(1.5 + 4.1 * len(series), 4.6), layout="constrained")
    axes = figure.subplots(1, len(series), sharey=True, squeeze=False)[0]
    for ax, which in zip(axes, series):
        _curve(ax, which, [p for p in of_family if p["problem"]["series"] == which])
    shown: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        shown |= dict(zip(labels, handles))
    figure.legend(shown.values(), shown.keys(), loc="outside right center", frameon=False)
    figure.suptitle(f"{family.capitalize()}: time to verified accuracy", x=0.02, ha="left", fontsize=12, fontweight="bold")
    axes[0].set_ylabel("time of the quickest solver")
    return figure


def _curve(ax: Axes, which: str, records: list[dict[str, Any]]) -> None:
    records = sorted(records, key=lambda record: record["problem"][which])
    sizes = [record["problem"][which] for record in records]
    for library, colour in COLOURS.items():
        found = [(size, report.best(record["outcomes"], library)) for size, record in zip(sizes, records)]
        points = [(size, outcome["seconds"]) for size, outcome in found if outcome]
        if points:
            ours = library == report.OURS
            ax.plot(
                *zip(*points), color=colour, marker=MARKERS[library], markersize=6 if ours else 4.5,
                linewidth=2.6 if ours else 1.3, label=library, zorder=3 if ours else 2,
            )  # fmt: skip
    read, gram = zip(*(report.floors(record) for record in records))
    floor = matplotlib.rcParams["axes.edgecolor"]
    ax.plot(sizes, read, color=floor, linestyle=":", linewidth=1.6, label="floor: one read of X")
    ax.plot(sizes, gram, color=floor, linestyle="--", linewidth=1.3, label="floor: one Gram's flops")
    ax.set(xscale="log", yscale="log", xlabel=SERIES_TITLES[which])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(round(value))))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: report.seconds(value)))
    ax.grid(which="major", linewidth=0.6)
    ax.set_axisbelow(True)
