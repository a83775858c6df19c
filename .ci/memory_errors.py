"""The errors of a valgrind run that pass through ridgeline: python memory_errors.py REPORT.xml

An error counts where, from the innermost call outwards, a compiled module of ridgeline comes before the interpreter: in a kernel, or in
what a kernel called (BLAS).  The interpreter and NumPy have reports of their own, also while they import a module of ridgeline; these
are counted in one line.  Exit status 66 where any error counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

OURS = "/ridgeline/_core/"
INTERPRETER = ("libpython", "python")
FOUND = 66  # that of the thread sanitizer too; an error of this script itself has Python's 1


def frames(stack: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Those that the interpreter called, from the innermost outwards."""
    for frame in stack.iter("frame"):
        if Path(frame.findtext("obj") or "").name.startswith(INTERPRETER):
            return
        yield frame


def ours(error: ElementTree.Element) -> bool:
    stack = error.find("stack")
    return stack is not None and any(OURS in (frame.findtext("obj") or "") for frame in frames(stack))


def told(error: ElementTree.Element) -> str:
    """The error as valgrind would print it, without the interpreter."""
    lines = [f"{error.findtext('kind')}: {error.findtext('what') or error.findtext('xwhat/text')}"]
    for part in error:
        if part.tag == "auxwhat":
            lines.append(f"  {part.text}")
        for frame in frames(part) if part.tag == "stack" else ():
            place = frame.findtext("file")
            where = f"{place}:{frame.findtext('line')}" if place else Path(frame.findtext("obj") or "?").name
            lines.append(f"    {frame.findtext('fn') or '?'} ({where})")
    return "\n".join(lines)


def main(report: Path) -> int:
    errors = ElementTree.parse(report).getroot().findall("error")
    found = [error for error in errors if ours(error)]
    for error in found:
        print(told(error), file=sys.stderr)
    print(f"{len(found)} errors through ridgeline, {len(errors) - len(found)} of the interpreter and other packages alone")
    return FOUND if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
