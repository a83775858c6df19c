"""Run scikit-learn's own tests of its linear models on ridgeline's: python -m tests.swapped [pytest's arguments]."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import sklearn

MODULES = ("base", "ridge", "logistic", "huber", "quantile", "common", "coordinate_descent")

if __name__ == "__main__":
    given = sys.argv[1:]
    modules = [] if "--pyargs" in given else ["--pyargs", *(f"sklearn.linear_model.tests.test_{module}" for module in MODULES)]
    settings = ["-c", str(Path(__file__).with_name("pytest.ini")), "--rootdir", str(Path(sklearn.__file__).parents[1])]
    sys.exit(pytest.main([*settings, "-p", "tests.swapped.plugin", *modules, *given]))
