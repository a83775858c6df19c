"""The reference cases beside the repository (../shared/reference), where they are there, and how digits are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


def folder() -> Path | None:
    """`shared/reference` beside the repository, or beside a folder that holds it; None where there is none."""
    found = (parent / "shared" / "reference" for parent in ROOT.parents)
    return next((path for path in found if path.is_dir()), None)


def cases(kind: str, pattern: str = "*") -> list[Any]:
    """Pytest parameters, one per JSON file of the kind ("nist", "ridge", "logit", "robust"); one skipped where there are none."""
    home = folder()
    if home is None:
        return [pytest.param(None, id="absent", marks=pytest.mark.skip("../shared/reference is not there"))]
    files = sorted((home / kind).glob(f"{pattern}.json"))
    return [pytest.param(json.loads(file.read_text()), id=file.stem) for file in files]


def digits(got: Any, expected: Any) -> float:
    """-log10 of the largest relative error of an entry, between 0 and 15 (NIST's LRE); 0 for anything not finite."""
    got, expected = np.ravel(np.asarray(got, float)), np.ravel(np.asarray(expected, float))
    if got.shape != expected.shape or not np.isfinite(got).all():
        return 0.0
    error = np.abs(got - expected)
    # an expected zero is measured against the largest entry; below the subnormals nothing can be asked
    size = np.where(expected != 0, np.abs(expected), np.abs(expected).max() or 1.0)
    worst = np.where(error <= 4e-323, 0.0, error / size).max()
    return 15.0 if worst == 0 else float(np.clip(-np.log10(worst), 0, 15))


def powers(case: dict[str, Any]) -> np.ndarray:
    """The design matrix of a NIST case: its columns, or the powers of one column formed in float64."""
    x = np.array(case["x"], float)
    return np.column_stack([x**k for k in range(1, case["degree"] + 1)]) if case.get("degree") else x


def coefficients(model: Any, intercept: bool) -> np.ndarray:
    """Intercept first, as the reference files have them."""
    return np.append(model.intercept_, model.coef_) if intercept else np.ravel(model.coef_)
