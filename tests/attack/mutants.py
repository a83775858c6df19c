"""Changes to the Python layer, one at a time, and whether the tests notice.

    python -m tests.attack.mutants [--only TEXT] [--sample N] [--seed S] [--jobs J] [--reach FILE ...]

A sample of N of the changes that `mutations` can make to the modules of the library.  For each the tests nearest to the module run first,
then those of its folder, then all that run by default, until one fails; a hang counts as noticed.  With files that `reach` had coverage
write, only the tests that reach the line of the change: no other can notice it.  Prints a line for each, the share noticed in each folder,
and the survivors, of which some change nothing that can be seen: those are judged by whoever reads them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .mutations import Mutation, mutations
from .reach import Reach

ROOT = Path(__file__).parents[2]
LIBRARY, TESTS = ROOT / "src" / "ridgeline", ROOT / "tests"

PATIENCE = 900
"""Seconds of a processor until the tests of a stage are taken to hang: a busy machine is none.  Also, four times over, of the clock."""

SLOWEST = ("tests/attack", "tests/engines", "tests/checkpoints")
"""What the last stage leaves out, unless the change is there: their tests go through what the others test."""


@dataclass(frozen=True)
class Mutant:
    """A change of a module, which is a path within the library."""

    module: Path
    mutation: Mutation

    @property
    def name(self) -> str:
        parts = ["ridgeline", *self.module.with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def __str__(self) -> str:
        line = (LIBRARY / self.module).read_text(encoding="utf-8").split("\n")[self.mutation.line - 1]
        return f"{self.module}:{self.mutation.line} {self.mutation.kind}: {line.strip()}"


def stages(module: Path) -> list[list[str]]:
    """Tests of a module: named like it, of its folder, all."""
    stem = module.stem if module.stem != "__init__" else module.parent.name
    near = sorted(str(path.relative_to(ROOT)) for path in TESTS.glob(f"**/test_{stem}*.py"))
    folder = TESTS / module.parent
    beside = [str(folder.relative_to(ROOT))] if module.parent.parts and folder.is_dir() else []
    left_out = [f"--ignore={place}" for place in SLOWEST if place not in beside]
    return [stage for stage in (near, beside) if stage] + [["tests", *left_out]]


def reaching(mutant: Mutant, reach: Reach) -> list[tuple[list[str], set[str]]]:
    """The files of each stage with tests that reach the line, and those tests; a file is in the first stage that has it."""
    tests = reach.tests(LIBRARY / mutant.module, mutant.mutation.line)
    left = {name.split("::")[0] for name in tests}
    found = []
    for stage in stages(mutant.module):
        files = sorted(file for file in left if any(Path(file).is_relative_to(place) for place in stage if place[0] != "-"))
        left -= set(files)
        found += [(files, tests)] if files else []
    return found


def fate(mutant: Mutant, reach: Reach | None) -> str:
    """What noticed it, or 'survived'."""
    for tests, chosen in reaching(mutant, reach) if reach else [(stage, set()) for stage in stages(mutant.module)]:
        noticed = _noticed(mutant, tests, chosen)
        if noticed:
            return noticed
    return "survived"


def _noticed(mutant: Mutant, tests: list[str], chosen: Collection[str]) -> str:
    """The first test that fails, how else the run ended, or ''."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "tests.attack.mutant", "-p", "no:cacheprovider", *tests]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as names, tempfile.TemporaryFile("w+") as said:
        json.dump(sorted(chosen), names)
        names.flush()
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "RIDGELINE_MUTANT": f"{mutant.name}:{mutant.mutation.number}",
            "RIDGELINE_TESTS": names.name if chosen else "",
            "RIDGELINE_SECONDS": str(PATIENCE),
        }
        run = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            run.wait(4 * PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        said.seek(0)
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said.read(), re.MULTILINE)
    if run.returncode in (0, 5):  # 5: none of the tests runs by default
        return ""
    if run.returncode == -signal.SIGKILL:
        return "hang"
    assert run.returncode != 4, f"pytest does not know the tests {tests}"
    return failed[1].split("/")[-1] if failed else f"exit {run.returncode}"


def every(only: str) -> list[Mutant]:
    """The changes of all modules whose path holds a text."""
    modules = sorted(path.relative_to(LIBRARY) for path in LIBRARY.glob("**/*.py") if "_core" not in path.parts)
    chosen = [module for module in modules if only in str(module)]
    return [Mutant(module, found) for module in chosen for found in mutations((LIBRARY / module).read_text(encoding="utf-8"))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="modules whose path within the library holds TEXT")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reach", nargs="*", type=Path, default=[], metavar="FILE")
    options = parser.parse_args()
    reach = Reach(options.reach) if options.reach else None
    mutants = every(options.only)
    chosen = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))

    def work(mutant: Mutant) -> tuple[Mutant, str]:
        found = fate(mutant, reach)
        print(f"{found:60} {mutant}", flush=True)
        return mutant, found

    with ThreadPoolExecutor(options.jobs) as pool:
        fates = list(pool.map(work, chosen))
    survivors = [mutant for mutant, found in fates if found == "survived"]
    print(f"\nseed {options.seed}: {len(fates) - len(survivors)} of {len(fates)} noticed, of {len(mutants)} there are")
    total, alive = (Counter(_folder(mutant) for mutant in some) for some in ([mutant for mutant, _ in fates], survivors))
    for folder, number in sorted(total.items()):
        print(f"  {folder:20} {number - alive[folder]:4} of {number}")
    for mutant in survivors:
        print(f"survived: {mutant}")
    return 0


def _folder(mutant: Mutant) -> str:
    return str(mutant.module.parent) if mutant.module.parent.parts else "."


if __name__ == "__main__":
    sys.exit(main())
