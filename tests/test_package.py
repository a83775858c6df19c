"""The package as a whole: lazy names, what importing it costs, and what the type checkers are told."""

import ast
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ridgeline

PACKAGE = Path(ridgeline.__file__).parent


def test_unknown_name_is_an_attribute_error():
    assert not hasattr(ridgeline, "no_such_name")


@pytest.mark.parametrize("name", ridgeline._HOME)
def test_every_public_name_is_there_and_listed(name):
    value = getattr(ridgeline, name)
    assert callable(value)
    assert value.__name__ == name
    assert name in dir(ridgeline)
    assert name in ridgeline.__all__


def test_stub_lists_the_public_names():
    imports = [node for node in ast.parse((PACKAGE / "__init__.pyi").read_text()).body if isinstance(node, ast.ImportFrom)]
    stub = {alias.asname: node.module for node in imports for alias in node.names}
    assert all(alias.name == alias.asname for node in imports for alias in node.names)  # `x as x` re-exports x
    assert stub == ridgeline._HOME


def test_user_code_uses_every_public_name():
    code = ast.parse((Path(__file__).parent / "typing" / "user_code.py").read_text(encoding="utf-8"))
    names = {node.id if isinstance(node, ast.Name) else node.attr for node in ast.walk(code) if isinstance(node, (ast.Name, ast.Attribute))}
    assert not set(ridgeline._HOME) - names


def test_version_is_that_of_the_distribution():
    assert importlib.metadata.version("ridgeline") == ridgeline.__version__


def modules_after(statement):
    """The top-level names of the modules a fresh interpreter holds after a statement."""
    program = f"import sys, json\n{statement}\njson.dump(sorted({{name.split('.')[0] for name in sys.modules}}), sys.stdout)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


OPTIONAL = {"dask", "distributed", "joblib", "matplotlib", "narwhals", "onnx", "pandas", "polars", "pyarrow", "ray", "sklearn"}


def test_import_loads_neither_numpy_nor_scipy():
    assert not modules_after("import ridgeline") & ({"numpy", "scipy"} | OPTIONAL)


def test_functions_load_no_scipy():
    assert not modules_after("import ridgeline; ridgeline.sigmoid(0.0)") & ({"scipy"} | OPTIONAL)


def test_a_fit_loads_no_optional_package():
    assert not modules_after("import ridgeline; ridgeline.Ridge().fit([[0.0], [1.0], [3.0]], [0.0, 1.0, 2.0])") & OPTIONAL
