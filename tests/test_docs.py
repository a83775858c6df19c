"""What the pages of docs/ say: their snippets print what they show, and the tests they name exist."""

import ast
import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_print_what_the_page_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    names, parser, text = {}, doctest.DocTestParser(), page.read_text(encoding="utf-8")
    for package in re.findall(r"\w+", "".join(re.findall("<!-- needs (.*?) -->", text))):
        pytest.importorskip(package)
    for block in re.findall(r"```python\n(>>>.*?)```", text, re.S):
        snippet = parser.get_doctest(block, names, page.name, str(page), 0)
        printed = []
        doctest.DocTestRunner(verbose=False).run(snippet, out=printed.append, clear_globs=False)
        assert not printed, "".join(printed)
        names = snippet.globs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_tests_exist(page):
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8")):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)
