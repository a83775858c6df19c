"""Two commits of ridgeline in one interleaved run: what a change made faster or slower.

    python -m bench.against BASE [--head REVISION] [--only TEXT] [--scale 0.1] [--rounds 7]

Each commit is checked out into a temporary folder, built and installed there, as a user would get it; --head is the working tree as it is
unless a revision is named.  Both are measured by the same problems, the same judge and the same rows; a ratio above 1 means that the head
is faster.  BASE has to have every estimator that the problems ask for, or the row says what is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .compare import chosen
from .measure import ROOT, Entrant, Outcome, Plan, measure
from .problems import PROBLEMS
from .report import seconds
from .rivals import RIVALS

SCALE = 0.1


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="a commit, branch or tag")
    parser.add_argument("--head", default="", help="the other one; the working tree if none is named")
    parser.add_argument("--only", default="", metavar="TEXT", help="problems whose name holds TEXT, or one of several separated by commas")
    parser.add_argument("--scale", type=float, default=SCALE, help=f"share of the rows to take ({SCALE:g} unless told)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--time-limit", type=float, default=Plan.limit, help="seconds that one fit may take")
    arguments = parser.parse_args(argv)

    problems = [p.scaled(arguments.scale) for p in chosen([p for p in PROBLEMS if p.quick or arguments.only], arguments.only)]
    if not problems:
        parser.error(f"no problem's name holds {arguments.only!r}")
    plan = Plan(arguments.rounds, limit=arguments.time_limit)
    with built(arguments.base) as base, built(arguments.head) as head:
        entrants = [entrant(arguments.base, base), entrant(arguments.head or "working tree", head)]
        print(f"| problem | {entrants[0].label} | {entrants[1].label} | times faster | by medians | accuracies |")
        print("|---|---:|---:|---:|---:|---|")
        for problem in problems:
            print(row(problem.name, *measure(problem, entrants, plan)), flush=True)


def row(name: str, base: Outcome, head: Outcome) -> str:
    cells = [name, *(seconds(o.seconds) if o.rounds else o.reason or o.status for o in (base, head))]
    both = base.rounds and head.rounds
    cells += [f"{base.seconds / head.seconds:.2f}", f"{base.median / head.median:.2f}"] if both else ["-", "-"]
    cells += [", ".join(f"{o.accuracy:.0e}" for o in (base, head))]
    return "| " + " | ".join(cells) + " |"


def entrant(label: str, site: Path) -> Entrant:
    """Without `site` (-S) no editable install answers for ridgeline: the folders come in the order given."""
    folders = [str(site), str(ROOT), *dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))]
    return Entrant(RIVALS[0], label, (sys.executable, "-S"), {"PYTHONPATH": os.pathsep.join(folders)})


@contextmanager
def built(revision: str) -> Iterator[Path]:
    """A folder in which ridgeline is installed as it is at a revision, or in the working tree for none."""
    with tempfile.TemporaryDirectory() as name:
        site = Path(name) / "site"
        if not revision:
            _install(ROOT, site)
            yield site
            return
        tree = Path(name) / "tree"
        _run("git", "worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            _install(tree, site)
            yield site
        finally:
            _run("git", "worktree", "remove", "--force", str(tree))


def _install(tree: Path, site: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(*pip, "install", "--no-deps", "--no-build-isolation", "--target", str(site), str(tree))


def _run(*command: str) -> None:
    """With the scripts of this interpreter's environment on the path: Meson, Ninja and Cython are among them."""
    environment = os.environ | {"PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
