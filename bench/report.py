"""What a comparison found, in Markdown: the machine, a table, and what has to be said about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .measure import ABSENT, FAILED, OVER, REACHED
from .rivals import RIVALS

OURS = "ridgeline"


def floors(record: dict[str, Any]) -> tuple[float, float]:
    """Seconds of one read of X, and of the n d (d + 1) flops of one Gram."""
    n, d = record["problem"]["n"], record["problem"]["d"]
    return 8 * n * d / record["limits"]["bytes_per_second"], n * d * (d + 1) / record["limits"]["flops_per_second"]


def best(outcomes: Sequence[dict[str, Any]], library: str = "") -> dict[str, Any] | None:
    """The quickest of a library (of all but ours for none) that reached the target."""
    who = [o for o in outcomes if o["status"] == REACHED and (o["library"] == library if library else o["library"] != OURS)]
    return min(who, key=lambda o: o["seconds"], default=None)


def progress(name: str, outcomes: Sequence[dict[str, Any]]) -> list[str]:
    lines = [name]
    for o in outcomes:
        detail = f"accuracy {o['accuracy']:.1e}, tolerance {o['tolerance']}" if o["accuracy"] is not None else o["reason"]
        lines.append(f"    {o['entrant']:<40} {o['status']:<15} {seconds(o['seconds']):>9}   {detail}")
    return lines


def page(results: dict[str, Any]) -> list[str]:
    """Everything, as lines."""
    problems = results["problems"]
    return [*heading(results["surroundings"]), "", *table(problems), "", *remarks(problems)]


def heading(found: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    lines = [
        f"{found['processor']}, {found['cores']} cores, {found['threads']} threads; {found['system']}; ridgeline at {found['commit']}.",
        f"Versions: {versions}.",
        f"Thread pools that the contenders had loaded: {'; '.join(found['pools']) or 'not known (threadpoolctl is not installed)'}.",
    ]
    if found["unset"]:
        lines.append(f"Unset for every contender, since they slow OpenBLAS down: {', '.join(found['unset'])}.")
    return lines


def table(problems: dict[str, Any]) -> list[str]:
    """A row per problem, a column per library: its quickest solver."""
    libraries = [
        library
        for library in dict.fromkeys(r.library for r in RIVALS if r.library != OURS)
        if any(o["library"] == library and o["status"] != ABSENT for p in problems.values() for o in p["outcomes"])
    ]
    lines = [
        "| problem | accuracy | one read | one Gram | " + " | ".join([OURS, "reads", "times faster", *libraries]) + " |",
        "|---|" + "---:|" * (6 + len(libraries)),
    ]
    for name, record in problems.items():
        outcomes = record["outcomes"]
        ours, peer = best(outcomes, OURS), best(outcomes)
        read, gram = floors(record)
        faster = f"{peer['seconds'] / ours['seconds']:.3g}" if ours and peer else "-"
        reads = str(ours["remark"].get("passes", "")) if ours else ""
        cells = [name, f"{record['problem']['target']:.0e}", seconds(read), seconds(gram), cell(outcomes, OURS), reads, faster]
        lines.append("| " + " | ".join([*cells, *(cell(outcomes, library, peer) for library in libraries)]) + " |")
    return lines


def cell(outcomes: Sequence[dict[str, Any]], library: str, bold: dict[str, Any] | None = None) -> str:
    """A library's best on a problem, in bold if it is the best peer; what it reached where it did not reach the target."""
    found = best(outcomes, library)
    if found:
        text = f"{seconds(found['seconds'])} {found['solver']}".strip()
        return f"**{text}**" if found is bold else text
    tried = [o for o in outcomes if o["library"] == library and o["status"] != ABSENT]
    got = min((o for o in tried if o["accuracy"] is not None), key=lambda o: o["accuracy"], default=None)
    if got:
        return f"({got['accuracy']:.0e} in {seconds(got['seconds'])} {got['solver']})".replace(" )", ")")
    if any(o["status"] == OVER for o in tried):
        return "over the limit"
    return "failed" if tried else ""


def remarks(problems: dict[str, Any]) -> list[str]:
    """Who was absent, who failed, and how."""
    absent, failed = {}, []
    for name, record in problems.items():
        for o in record["outcomes"]:
            if o["status"] == ABSENT:
                absent[o["library"]] = o["reason"]
            elif o["status"] in (FAILED, OVER):
                limit = f"its fits took more than {record['plan']['limit']:g} s" if o["status"] == OVER else o["reason"]
                failed.append(f"- {name}: {o['entrant']}: {limit}")
    lines = ["In brackets: the accuracy that a library reached where it did not reach the one asked for. In bold: the best peer."]
    lines += [f"Left out: {library} ({reason})." for library, reason in absent.items()]
    return lines + (["", *failed] if failed else [])


def seconds(value: float | None) -> str:
    """Three digits, in the unit that suits."""
    if value is None:
        return "-"
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"
