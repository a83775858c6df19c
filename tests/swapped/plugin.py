"""A pytest plugin: where scikit-learn's tests import a linear model of which there is one here by that name, they get ours.

A test is collected if it uses one of those classes: one is among its parameters or, where no estimator is among them, its code, or a
function or fixture of its module that it names, names one.  `expected.FAILURES` lists the tests that fail, each with the reason; a test
of that list which passes is an error.  The summary ends with the share that pass.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import CodeType, FunctionType
from typing import Any

import pytest
import sklearn.linear_model

import ridgeline

from .expected import FAILURES

SHARED = {name: getattr(ridgeline, name) for name in sklearn.linear_model.__all__ if name in ridgeline.__all__}
OURS = {name: value for name, value in SHARED.items() if isinstance(value, type)}
REASONS = set(FAILURES.values())
GOAL = 0.95
"""The share of tests that must pass."""


def pytest_configure(config: pytest.Config) -> None:
    for name, estimator in OURS.items():
        setattr(sklearn.linear_model, name, estimator)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    used = [item for item in items if isinstance(item, pytest.Function) and uses(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(used)])
    items[:] = used
    for item in items:
        reasons = [reason for pattern, reason in FAILURES.items() if fnmatchcase(short(item.nodeid), pattern)]
        if reasons:
            item.add_marker(pytest.mark.xfail(reason=reasons[0], strict=True))


def short(nodeid: str) -> str:
    """test_ridge::test_name[parameters]"""
    module, _, test = nodeid.partition("::")
    return module.rpartition("/")[2].removesuffix(".py") + "::" + test


def uses(item: pytest.Function) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    estimators = [part for value in parameters for part in parts(value) if hasattr(part, "fit")]
    if estimators:
        return any(isinstance(e, tuple(OURS.values())) or e in OURS.values() for e in estimators)
    functions = [item.function, *(getattr(item.module, name, None) for name in item.fixturenames)]
    return any(names_ours(function, vars(item.module)) for function in functions)


def parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from parts(part)


def names_ours(function: Any, namespace: dict[str, Any], seen: frozenset[str] = frozenset()) -> bool:
    """Whether the code of a function, or of those of its module that it names, names one of our classes."""
    function = inspect.unwrap(getattr(function, "__pytest_wrapped__", function))
    function = getattr(function, "obj", function)
    if not isinstance(function, FunctionType):
        return False
    names = set(code_names(function.__code__)) - seen
    if any(namespace.get(name) in OURS.values() for name in names if isinstance(namespace.get(name), type)):
        return True
    return any(names_ours(namespace[name], namespace, seen | names) for name in names if name in namespace)


def code_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_names(constant)


def count(reporter: Any) -> dict[str, Counter[str]]:
    """Tests that pass and fail by module; of those that scikit-learn expects to fail, only the ones that pass."""
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "xpassed", "failed", "error", "xfailed"):
        for report in reporter.stats.get(outcome, ()):
            if outcome != "xfailed" or report.wasxfail.removeprefix("reason: ") in REASONS:
                module = short(report.nodeid).partition("::")[0]
                counts.setdefault(module, Counter())["pass" if outcome in ("passed", "xpassed") else "fail"] += 1
    return counts


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts = count(terminalreporter)
    for module, tests in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        terminalreporter.write_line(f"{module}: {tests['pass']} of {tests.total()} tests pass, {tests['pass'] / max(tests.total(), 1):.1%}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        tests = sum(count(reporter).values(), Counter())
        if session.exitstatus == pytest.ExitCode.OK and tests["pass"] < GOAL * tests.total():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
