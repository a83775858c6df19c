"""Faults seeded in the kernels, one at a time, and whether the kernels' tests notice.

    python -m tests.attack.faults [--only FILE ...] [--sample N] [--seed S] [--jobs J] [--set SET]

A sample of N of the changes that `seeds` can make, each in a copy of the sources with a build of its own: what contains the changed file is
built again, without optimisation beyond -O1 and for one instruction set, and the tests of those kernels run until the first fails.  A crash
and a hang count as noticed; a change that does not compile is replaced by the next.  Prints a line for each, and the survivors at the end.
"""

from __future__ import annotations

import argparse
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .seeds import CORE, Seed, seeds_of

ROOT = CORE.parent
PLACE = ROOT / "build" / "faults"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

PATIENCE = 240
"""Seconds until tests are taken to hang; whole they take a quarter of it on a machine that is busy."""

TESTS = {
    "activations": "core/test_scalar_functions.py test_activations.py core/test_lengths.py core/test_page_ends.py",
    "block_factor": "core/test_block_factor.py core/test_lengths.py solvers/test_cholesky.py",
    "coordinate_descent": "core/test_coordinate_descent.py core/test_lengths.py solvers/test_coordinate_descent.py",
    "cross_entropy": "test_losses.py core/test_lengths.py",
    "exact_logsumexp": "test_activations.py test_losses.py core/test_lengths.py",
    "expansion": "core/test_expansion.py core/test_lengths.py core/test_page_ends.py test_expansion.py test_sparse.py test_objective.py",
    "factor": "core/test_factor.py core/test_lengths.py test_doubledouble.py solvers/test_least_squares.py",
    "left_out": "core/test_left_out.py core/test_lengths.py estimators/test_ridge_cv.py",
    "moments": "core/test_moments.py core/test_lengths.py core/test_page_ends.py test_moments.py test_sparse.py test_doubledouble.py",
    "normal_equations": "core/test_normal_equations.py core/test_lengths.py solvers/test_least_squares.py estimators/test_least_squares.py",
    "one_row": "core/test_one_row.py core/test_lengths.py core/test_page_ends.py",
    "pieces": "test_pieces.py core/test_lengths.py core/test_page_ends.py estimators/test_huber.py",
    "processor": "test_kernels.py",
    "ranges": "core/test_lengths.py core/test_page_ends.py core/test_moments.py test_sparse.py estimators/test_certificates.py",
    "small_factor": "core/test_small_factor.py core/test_lengths.py",
    "small_logistic": "solvers/test_few_labels.py core/test_lengths.py core/test_page_ends.py",
    "small_ridge": "solvers/test_few_rows.py core/test_lengths.py core/test_page_ends.py test_many.py",
    "stored_rows": "core/test_stored_rows.py core/test_lengths.py test_sparse.py",
    "tridiagonal": "core/test_tridiagonal.py core/test_lengths.py estimators/test_ridge_cv.py",
}
"""The tests of each kernel, in `tests/`, those that notice most first."""


def contents(module: str) -> set[str]:
    """The files of `_core/` that a module is compiled from."""
    found, left = set(), [f"{module}.pyx"]
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            names = re.findall(r"^from (\w+) cimport", (CORE / file).read_text(), re.MULTILINE)
            left += [f"{name}.pxd" for name in names if (CORE / f"{name}.pxd").exists()]
    return found


CONTENTS = {module: contents(module) for module in TESTS}


class Copy:
    """The sources, a build of them, and an interpreter that imports that."""

    def __init__(self, number: int, instruction_set: str) -> None:
        self.set = instruction_set
        self.source, self.build, self.whole = (PLACE / str(number) / part for part in ("source", "build", "whole"))
        self.core = self.source / "src" / "ridgeline" / "_core"
        shutil.rmtree(PLACE / str(number), ignore_errors=True)    # a run that was ended may have left a fault in it
        for part in ("_core", "src"):
            shutil.copytree(ROOT / part, self.source / part)
        for file in ("meson.build", "meson.options", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(ROOT / file, self.source)
        native = self.source.parent / "native.ini"
        native.write_text(f"[binaries]\npython = '{sys.executable}'\n")
        sets = "" if instruction_set == "baseline" else instruction_set
        self.run("meson", "setup", str(self.build), str(self.source), "--native-file", str(native),
                 "-Dbuildtype=plain", "-Doptimization=1", f"-Dsets={sets}")  # fmt: skip
        if not self.run("ninja", "-C", str(self.build)):
            raise RuntimeError(self.said)
        self.whole.mkdir()
        for built in self.build.glob(f"*{SUFFIX}"):
            shutil.copy2(built, self.whole)
            shutil.copy2(built, self.core)
        # Plain interpreter: an editable install of ridgeline would be found before PYTHONPATH.
        self.python = self.source.parent / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.python)], check=True)
        (site,) = self.python.glob("lib/*/site-packages")
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))

    def run(self, *command: str) -> bool:
        """Whether a command succeeds; `said` is what it printed."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        return done.returncode == 0

    def output(self, module: str) -> str:
        """The name of what is built of a module and used: for the instruction set, or the one build of what is not in every set."""
        names = (f"{module}_{self.set}{SUFFIX}", module + SUFFIX)
        return names[0] if (self.whole / names[0]).exists() else names[1]

    def tests_pass(self, tests: list[str]) -> str:
        """'' where all pass, else how they did not."""
        command = [
            str(self.python / "bin" / "python"), "-P", "-m", "pytest", "-x", "-p", "no:cacheprovider", f"--rootdir={ROOT}",
            f"--config-file={ROOT / 'pyproject.toml'}", *(str(ROOT / "tests" / name) for name in tests),
        ]  # fmt: skip
        environment = os.environ | {
            "PYTHONPATH": str(self.source / "src"), "RIDGELINE_ISA": self.set, "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.source.parent / "hypothesis"), "PYTHONFAULTHANDLER": "",
        }  # fmt: skip
        run = subprocess.Popen(command, env=environment, cwd=self.python, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)  # fmt: skip
        try:
            said, _ = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            return "hang"
        if run.returncode == 0:
            return ""
        if run.returncode < 0:
            return f"crash, signal {-run.returncode}"
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        return failed[1].split("/")[-1] if failed else f"exit {run.returncode}"

    def fate(self, seed: Seed) -> str:
        """'survived', 'not built', or what noticed it."""
        path = self.source / "_core" / seed.file
        text = path.read_text()
        lines = text.split("\n")
        assert lines[seed.number - 1] == seed.before
        lines[seed.number - 1] = seed.after
        modules = [m for m in TESTS if seed.file in CONTENTS[m]]
        outputs = [self.output(m) for m in modules]
        try:
            path.write_text("\n".join(lines))
            if not self.run("ninja", "-C", str(self.build), *outputs):
                return "not built"
            if all((self.build / n).read_bytes() == (self.whole / n).read_bytes() for n in outputs):
                return "same machine code"
            for name in outputs:
                shutil.copy2(self.build / name, self.core)
            tests = list(dict.fromkeys(t for m in modules for t in TESTS[m].split()))
            return self.tests_pass(tests) or "survived"
        finally:
            path.write_text(text)
            for name in outputs:
                shutil.copy2(self.whole / name, self.core)


def sample(files: list[str], count: int, seed: int) -> tuple[list[Seed], list[Seed]]:
    """`count` changes, and those that take the place of what does not compile."""
    chance = random.Random(seed)
    every = [change for file in files for change in seeds_of(file, chance)]
    chance.shuffle(every)
    return every[:count], every[count:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=sorted(p.name for p in CORE.glob("*.p[yx]*")), metavar="FILE")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", default="avx2", help="the instruction set to build for")
    options = parser.parse_args()

    chosen, spare = sample(options.only, options.sample, options.seed)
    copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    with ThreadPoolExecutor(options.jobs) as pool:
        for copy in pool.map(lambda k: Copy(k, options.set), range(options.jobs)):
            copies.put(copy)
        everything = list(dict.fromkeys(t for names in TESTS.values() for t in names.split()))
        copy = copies.get()
        unharmed = copy.tests_pass(everything)
        copies.put(copy)
        if unharmed:
            print(f"without a fault: {unharmed}")
            return 1

        def work(seed: Seed) -> tuple[Seed, str]:
            copy = copies.get()
            try:
                fate = copy.fate(seed)
                while fate in ("not built", "same machine code") and spare:
                    seed = spare.pop()
                    fate = copy.fate(seed)
            finally:
                copies.put(copy)
            print(f"{fate:40} {seed}", flush=True)
            return seed, fate

        fates = list(pool.map(work, chosen))
    survivors = [seed for seed, fate in fates if fate == "survived"]
    kinds = Counter(seed.kind for seed, _ in fates)
    alive = Counter(seed.kind for seed in survivors)
    print(f"\nseed {options.seed}: {len(fates) - len(survivors)} of {len(fates)} noticed")
    for kind, number in sorted(kinds.items()):
        print(f"  {kind:10} {number - alive[kind]:4} of {number}")
    for seed in survivors:
        print(f"survived: {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
