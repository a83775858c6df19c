"""Ridgeline beside its peers, at equal verified accuracy: one Markdown table, one JSON file, and figures.

    python -m bench.compare [--output compare-output] [--quick] [--only TEXT] [--rivals NAMES] [--scale 0.1] [--time-limit 60]

`problems` says what is fitted, `rivals` by whom, `measure` how; `objective` judges every answer.  Rivals that are not installed are left
out, and the table says so.  Times are the least of the rounds.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ridgeline.threads import thread_count

from . import report
from .measure import ABSENT, HANDICAPS, ROOT, Entrant, Plan, clean_environment, measure
from .problems import PROBLEMS, SERIES, Problem
from .rivals import entering

RESULTS = "results.json"
QUICK_SCALE = 0.02
QUICK_PLAN = Plan(rounds=2, enough=1.0, limit=10.0)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("compare-output"), help="the folder of what is written")
    parser.add_argument("--keep", action="store_true", help="keep what the folder has of problems that are not measured now")
    parser.add_argument("--only", default="", metavar="TEXT", help="problems whose name holds TEXT, or one of several separated by commas")
    parser.add_argument("--rivals", default="", metavar="NAMES", help="rivals whose name holds one of these, separated by commas")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows to take")
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--time-limit", type=float, default=Plan.limit, help="seconds that one fit may take")
    parser.add_argument("--quick", action="store_true", help="a few problems with a fiftieth of their rows, for a check in CI")
    parser.add_argument("--no-figures", action="store_true")
    arguments = parser.parse_args(argv)

    plan = QUICK_PLAN if arguments.quick else Plan(arguments.rounds, limit=arguments.time_limit)
    scale = arguments.scale * (QUICK_SCALE if arguments.quick else 1.0)
    problems = chosen([p.scaled(scale) for p in [*PROBLEMS, *SERIES] if p.quick or not arguments.quick], arguments.only)
    if not problems:
        parser.error(f"no problem's name holds {arguments.only!r}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    file = arguments.output / RESULTS
    results = json.loads(file.read_text(encoding="utf-8")) if arguments.keep and file.exists() else {"problems": {}}
    order = [p.scaled(scale).name for p in [*PROBLEMS, *SERIES]]
    for problem in problems:
        record = compared(problem, arguments.rivals, plan)
        results["problems"] = _in_order(order, results["problems"] | {problem.name: record})
        results["surroundings"] = surroundings(results["problems"])
        file.write_text(json.dumps(results, indent=1), encoding="utf-8")  # so that an interrupted run keeps what it has
        print("\n".join(report.progress(problem.name, record["outcomes"])), flush=True)
    page = report.page(results)
    (arguments.output / "table.md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n" + "\n".join(page))
    if not arguments.no_figures:
        print("\n" + _drawn(results, arguments.output))


def chosen(problems: Sequence[Problem], only: str) -> list[Problem]:
    words = [word.strip() for word in only.split(",") if word.strip()]
    return [p for p in problems if not words or any(word in p.name for word in words)]


def _in_order(order: Sequence[str], problems: dict[str, Any]) -> dict[str, Any]:
    """As the tables have them; others, of another scale, behind."""
    place = {name: i for i, name in enumerate(order)}
    return dict(sorted(problems.items(), key=lambda item: place.get(item[0], len(place))))


def _drawn(results: dict[str, Any], folder: Path) -> str:
    try:
        from . import figures
    except ImportError as error:
        return f"no figures: {error}"
    return "\n".join(str(path) for path in figures.draw(results, folder))


# -------------------------------------------------------------------------------------------------- one problem


def compared(problem: Problem, rivals: str, plan: Plan) -> dict[str, Any]:
    """What JSON keeps of a problem: itself, the limits of the machine at that time (a virtual one's change), and the outcomes."""
    entrants = [Entrant(rival, rival.name) for rival in entering(problem, rivals)]
    return {
        "problem": asdict(problem),
        "limits": limits(),
        "plan": asdict(plan),
        "outcomes": [outcome.as_dict() for outcome in measure(problem, entrants, plan)],
    }


def limits() -> dict[str, float]:
    """Bytes read and flops multiplied per second, from a process that has no handicap."""
    measured = "from bench import passes; import numpy; print(passes.read_speed(3), passes.product_speed(numpy.float64, 3))"
    run = [sys.executable, "-c", measured]
    done = subprocess.run(run, env=clean_environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    read, flops = map(float, done.stdout.split())
    return {"bytes_per_second": read, "flops_per_second": flops}


# --------------------------------------------------------------------------------------------------- the machine


def surroundings(problems: dict[str, Any]) -> dict[str, Any]:
    """Machine, versions, threads, and which BLAS the contenders had loaded."""
    libraries = dict.fromkeys(o["library"] for p in problems.values() for o in p["outcomes"] if o["status"] != ABSENT)
    pools = {
        " ".join(filter(None, (p["prefix"], p["version"], f"({p['architecture'] or p['internal_api']}, {p['num_threads']} threads)"))): None
        for record in problems.values()
        for o in record["outcomes"]
        for p in o["facts"].get("pools", ())
    }
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": thread_count(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {name: importlib.metadata.version(name) for name in dict.fromkeys((*libraries, "NumPy", "SciPy"))},
        "commit": _commit(),
        "pools": sorted(pools),
        "unset": [name for name in HANDICAPS if name in os.environ],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    try:
        run = ["git", "describe", "--always", "--dirty"]
        return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    main()
