"""What docs/ and the docstrings say: snippets and examples print what they show, and the tests that pages name exist."""

import ast
import doctest
import importlib
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import ridgeline

ROOT = Path(__file__).parent.parent
NEEDS = {"ridgeline.plots": ["matplotlib"], "to_onnx": ["onnx"]}
"""What examples of the reference need beyond NumPy and SciPy, by name or by module."""
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_print_what_the_page_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    names, parser, text = {}, doctest.DocTestParser(), page.read_text(encoding="utf-8")
    for package in re.findall(r"\w+", "".join(re.findall("<!-- needs (.*?) -->", text))):
        pytest.importorskip(package)
    for kind, block in re.findall(r"```(python\n(?=>>>)|console\n)(.*?)```", text, re.S):
        if kind == "console\n":
            run_commands(block)
            continue
        snippet = parser.get_doctest(block, names, page.name, str(page), 0)
        printed = []
        doctest.DocTestRunner(verbose=False).run(snippet, out=printed.append, clear_globs=False)
        assert not printed, "".join(printed)
        names = snippet.globs


def run_commands(block):
    """The lines `$ python -m ...` of a block print what stands below them, with `...` for anything."""
    for command, shown in re.findall(r"^\$ python (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
        done = subprocess.run([sys.executable, *shlex.split(command)], capture_output=True, text=True, check=False)
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert doctest.OutputChecker().check_output(shown, done.stdout + done.stderr, options), done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_tests_exist(page):
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8")):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)


def names_of_the_reference():
    """The names that docs/api.rst lists, with the modules that it takes them from."""
    module, names = "", []
    for line in (ROOT / "docs" / "api.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            names.append(f"{module}.{line.strip()}")
    return names


def test_reference_lists_every_public_name():
    assert {f"ridgeline.{name}" for name in ridgeline._HOME} <= set(names_of_the_reference())


@pytest.mark.parametrize("name", names_of_the_reference())
def test_every_name_of_the_reference_has_an_example_that_prints_what_it_shows(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module, _, name = name.rpartition(".")
    value = getattr(importlib.import_module(module), name)
    for package in NEEDS.get(name, NEEDS.get(module, ())):
        pytest.importorskip(package)
    described = [(name, value)]
    if inspect.isclass(value):  # with what it inherits
        described += [(method, function) for method, function in inspect.getmembers(value, callable) if not method.startswith("_")]
    finder = doctest.DocTestFinder(recurse=False)
    examples = [test for what, about in described for test in finder.find(about, what, module=False) if test.examples]
    assert any(test.name == name for test in examples)
    for test in examples:
        printed = []
        doctest.DocTestRunner(verbose=False).run(test, out=printed.append)
        assert not printed, "".join(printed)
