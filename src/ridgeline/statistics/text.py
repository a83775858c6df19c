"""A summary as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .summary import Summary

WIDTH = 88


def as_text(summary: Summary) -> str:
    """Title, facts in three columns, the table, the notes."""
    heads, rows = _cells(summary)
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
    lines = [_spread(summary.title, f"covariance: {summary.kind}"), ""]
    lines += _in_columns([(label, _fact(value)) for label, value in summary.facts()])
    rule = "-" * max(sum(widths) + 2 * (len(widths) - 1), 1)
    lines += ["", _line(heads, widths), rule]
    equation = ""
    for row, here in zip(rows, summary.equations):
        if here != equation:
            lines.append(here)
            equation = here
        lines.append(_line(row, widths))
    lines.append(rule)
    for note in summary.notes:
        lines += textwrap.wrap(note, WIDTH, initial_indent="* ", subsequent_indent="  ")
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
    columns = [summary.coef, summary.standard_error, summary.statistic, summary.p_value, summary.low, summary.high]
    shown = (_number, _number, _statistic, _probability, _number, _number)
    indent = "  " if any(summary.equations) else ""
    names = [indent + (name if len(name) <= 32 else name[:31] + "…") for name in summary.names]
    return heads, [[name, *(form(v) for form, v in zip(shown, row))] for name, row in zip(names, np.transpose(columns).tolist())]


def _line(row: list[str], widths: list[int]) -> str:
    return "  ".join(text.ljust(width) if k == 0 else text.rjust(width) for k, (text, width) in enumerate(zip(row, widths)))


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.6g}"


def _statistic(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}" if abs(value) < 1e5 else f"{value:.4g}"


def _probability(value: float) -> str:
    return "-" if np.isnan(value) else "<0.0001" if value < 1e-4 else f"{value:.4f}"


def _fact(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.7g}"


def _spread(left: str, right: str) -> str:
    return left + " " * max(WIDTH - len(left) - len(right), 2) + right


def _in_columns(pairs: list[tuple[str, str]], columns: int = 3) -> list[str]:
    """'label value' pairs filled down three columns."""
    depth = -(-len(pairs) // columns)
    blocks = [pairs[k : k + depth] for k in range(0, len(pairs), depth)]
    cells = []
    for block in blocks:
        wide, long = max(len(label) for label, _ in block), max(len(value) for _, value in block)
        cells.append([f"{label.ljust(wide)}  {value.rjust(long)}" for label, value in block])
    return ["    ".join(column[i] for column in cells if i < len(column)) for i in range(depth)]
