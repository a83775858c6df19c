"""A summary as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .summary import Summary

LONGEST_NAME = 32

LARGEST_DECIMALS = 8
"""Beyond them, and above 1e7, numbers are written with an exponent."""


def as_text(summary: Summary) -> str:
    """Title, facts in three columns, the table, the notes."""
    heads, rows = _cells(summary)
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
    facts = _in_columns([(label, _fact(value)) for label, value in summary.facts()])
    kind = f"covariance: {summary.kind}"
    width = max(sum(widths) + 2 * (len(widths) - 1), len(summary.title) + 2 + len(kind), *map(len, facts))
    rule = "-" * width
    lines = [summary.title + kind.rjust(width - len(summary.title)), rule, *facts, rule, _line(heads, widths), rule]
    equation = ""
    for row, here in zip(rows, summary.equations):
        if here != equation:
            lines.append(here)
            equation = here
        lines.append(_line(row, widths))
    lines.append(rule)
    for note in summary.notes:
        lines += textwrap.wrap(note, width, initial_indent="* ", subsequent_indent="  ")
    return "\n".join(line.rstrip() for line in lines)


def as_html(summary: Summary) -> str:
    """The same as two HTML tables without any style of their own."""
    heads, rows = _cells(summary)
    facts = "".join(f"<tr><th>{escape(label)}</th><td>{escape(_fact(value))}</td></tr>" for label, value in summary.facts())
    head = "".join(f"<th>{escape(text)}</th>" for text in ["", *heads[1:]])
    body = ""
    equation = ""
    for row, here in zip(rows, summary.equations):
        if here != equation:
            body += f'<tr><th colspan="{len(heads)}">{escape(here)}</th></tr>'
            equation = here
        body += f"<tr><th>{escape(row[0])}</th>" + "".join(f"<td>{escape(text)}</td>" for text in row[1:]) + "</tr>"
    notes = "".join(f"<li>{escape(note)}</li>" for note in summary.notes)
    return (
        f"<div><p>{escape(summary.title)}; covariance: {escape(summary.kind)}</p><table>{facts}</table>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{f'<ul>{notes}</ul>' if notes else ''}</div>"
    )


def _cells(summary: Summary) -> tuple[list[str], list[list[str]]]:
    """The heads of the columns, and a row of text for each coefficient."""
    letter = "t" if summary.distribution == "t" else "z"
    low, high = (100 * (1 - summary.level) / 2, 100 * (1 + summary.level) / 2)
    heads = ["", "coef", "std error", letter, f"P>|{letter}|", f"{low:g} %", f"{high:g} %"]
    indent = "  " if any(summary.equations) else ""
    columns = (summary.coef, summary.standard_error, summary.statistic, summary.p_value, summary.low, summary.high)
    rows = []
    for name, *numbers in zip(summary.names, *(column.tolist() for column in columns)):
        coef, error, statistic, p, below, above = numbers
        ends = [_beside(error, v) for v in (coef, error, below, above)]
        name = indent + (name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…")
        rows.append([name, *ends[:2], _statistic(statistic), _probability(p), *ends[2:]])
    return heads, rows


def _line(row: list[str], widths: list[int]) -> str:
    return "  ".join(text.ljust(width) if k == 0 else text.rjust(width) for k, (text, width) in enumerate(zip(row, widths)))


def _beside(error: float, value: float) -> str:
    """A number with as many decimals as four digits of its standard error have: what lies beyond says nothing."""
    if np.isnan(value):
        return "-"
    decimals = 3 - int(np.floor(np.log10(error))) if error > 0 and np.isfinite(error) else LARGEST_DECIMALS + 1
    return f"{value:.{max(decimals, 0)}f}" if -4 < decimals <= LARGEST_DECIMALS else f"{value:.6g}"


def _statistic(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}" if abs(value) < 1e5 else f"{value:.4g}"


def _probability(value: float) -> str:
    return "-" if np.isnan(value) else "<0.0001" if value < 1e-4 else f"{value:.4f}"


def _fact(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.7g}"


def _in_columns(pairs: list[tuple[str, str]], columns: int = 3) -> list[str]:
    """'label value' pairs filled down three columns."""
    depth = -(-len(pairs) // columns)
    blocks = [pairs[k : k + depth] for k in range(0, len(pairs), depth)]
    cells = []
    for block in blocks:
        wide, long = max(len(label) for label, _ in block), max(len(value) for _, value in block)
        cells.append([f"{label.ljust(wide)}  {value.rjust(long)}" for label, value in block])
    return ["   ".join(column[i] for column in cells if i < len(column)) for i in range(depth)]
