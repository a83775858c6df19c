"""The errors of a valgrind run that pass through ridgeline: python memory_errors.py REPORT.xml

An error counts where a compiled module of ridgeline is anywhere on one of its stacks: in a kernel, or in what a kernel called (BLAS) or
was given.  The interpreter and NumPy have reports of their own, which are counted in one line.  Exit status 1 where any counts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

OURS = "/ridgeline/_core/"


def ours(error: ElementTree.Element) -> bool:
    return any(OURS in (frame.text or "") for frame in error.iter("obj"))


def told(error: ElementTree.Element) -> str:
    """The error as valgrind would print it."""
    lines = [f"{error.findtext('kind')}: {error.findtext('what') or error.findtext('xwhat/text')}"]
    for part in error:
        if part.tag == "auxwhat":
            lines.append(f"  {part.text}")
        for frame in part.iter("frame") if part.tag == "stack" else ():
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
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
