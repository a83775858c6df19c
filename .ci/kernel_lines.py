"""Which lines of _core/ the tests ran, from a build with -Db_coverage=true: python .ci/kernel_lines.py BUILD [FLOOR].

gcov counts the lines of the C that Cython wrote.  Cython writes above each piece of it which line of which file it is of, and puts
the C of an `extern` block in as it stands: so the counts go back to the sources.  A line counts as run if it was in any module and any
instruction set; a macro of several lines counts as the line that uses it.  Ends with an error below FLOOR percent.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

CORE = Path(__file__).parents[1] / "_core"
PLACE = re.compile(r'^\s*/\* "(?:.*/)?(\w+\.p[yx][xd])":(\d+)$')
BLOCK = re.compile(r'^cdef extern from \*:\n    """\n(.*?)"""', re.MULTILINE | re.DOTALL)

Line = tuple[str, int]


def extern_blocks() -> Iterator[tuple[Line, list[str]]]:
    """The C blocks of the sources: where each begins, and its lines as the compiler sees them, without their indentation."""
    for path in sorted(CORE.glob("*.p[yx][xd]")):
        text = path.read_text()
        for block in BLOCK.finditer(text):
            lines = ast.literal_eval(f'"""{block[1]}"""').split("\n")
            yield (path.name, text.count("\n", 0, block.start(1)) + 1), [line.strip() for line in lines[:-1]]


BLOCKS = list(extern_blocks())


def origins(written: list[str]) -> dict[int, Line]:
    """The source line that each line of a C file (from 1) is of; what Cython adds around functions is of none."""
    found: dict[int, Line] = {}
    here: Line | None = None
    for number, line in enumerate(written, 1):
        place = PLACE.match(line)
        if place:
            here = (place[1], int(place[2])) if (CORE / place[1]).exists() else None
        elif line.lstrip().startswith("/* function exit code */") or line.startswith(("static ", "}")):
            here = here if line.startswith("static ") else None
        if here:
            found[number] = here
    stripped = [line.strip() for line in written]
    for (file, first), lines in BLOCKS:
        for start in (k for k, line in enumerate(stripped) if line == lines[0] and stripped[k : k + len(lines)] == lines):
            found |= {start + 1 + k: (file, first + k) for k in range(len(lines))}
    return found


def counts(build: Path) -> dict[Line, int]:
    """How often each line of the sources ran, for those that became code."""
    total: dict[Line, int] = defaultdict(int)
    for notes in sorted(build.glob("*.p/*.gcno")):
        (written,) = notes.parent.rglob("*.pyx.c") if any(notes.parent.rglob("*.pyx.c")) else (None,)
        if written is None:
            continue
        origin = origins(written.read_text().split("\n"))
        said = subprocess.run(["gcov", "--json-format", "--stdout", str(notes)], cwd=build, capture_output=True, text=True, check=True)
        for file in json.loads(said.stdout)["files"]:
            if file["file"].endswith(written.name):
                for line in file["lines"]:
                    if line["line_number"] in origin:
                        total[origin[line["line_number"]]] += line["count"]
    return total


def spans(numbers: list[int]) -> str:
    """1, 2, 3, 7 as '1-3 7'."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def main(build: Path, floor: float) -> int:
    count = counts(build)
    lines, ran = len(count), sum(map(bool, count.values()))
    print(f"{'file':28} lines   run      %  not run")
    for file in sorted({file for file, _ in count}):
        numbers = sorted(number for f, number in count if f == file)
        missed = [number for number in numbers if not count[file, number]]
        share = 100 * (1 - len(missed) / len(numbers))
        print(f"{file:28} {len(numbers):5} {len(numbers) - len(missed):5} {share:6.1f}  {spans(missed)}")
    print(f"{'all':28} {lines:5} {ran:5} {100 * ran / lines:6.1f}")
    return 100 * ran < floor * lines


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
