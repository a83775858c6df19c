"""Which tests reach which lines of the Python layer: what `mutants` runs first, and last.

    python -m coverage run --rcfile=/dev/null --data-file=FILE --include='src/ridgeline/*' -m pytest -p tests.attack.reach ...

A plugin for pytest under which coverage names the test with every line that it counts; what a test runs in a process of its own is not
counted.  `Reach` reads the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    import coverage

    running = coverage.Coverage.current()
    assert running is not None, "start pytest by: coverage run -m pytest"
    running.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        running.switch_context("")


class Reach:
    """What files of coverage say about the lines of modules."""

    def __init__(self, files: Iterable[Path]) -> None:
        import coverage

        self.parts = [coverage.CoverageData(str(file)) for file in files]
        for part in self.parts:
            part.read()

    def tests(self, module: Path, line: int) -> set[str]:
        """The tests that reach a line; those that reach any line of its module, of one that none reaches but an import."""
        lines = [part.contexts_by_lineno(str(module)) for part in self.parts]
        here = {name for part in lines for name in part.get(line, ()) if name}
        return here or {name for part in lines for names in part.values() for name in names if name}
