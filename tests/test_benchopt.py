"""The solver files for benchopt: each in a skeleton of its benchmark, run by benchopt itself, its answer judged by NumPy.

The skeletons have the signatures of benchopt's own benchmarks: what `set_objective` is given and what `get_result` has to return.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("benchopt", reason="the solver files are benchopt's")

ROOT = Path(__file__).parent.parent
SOLVERS = ROOT / "bench" / "benchopt"

DATA = """
import numpy as np
from benchopt import BaseDataset

class Dataset(BaseDataset):
    name = "simulated"

    def get_data(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(300, 5)) + 1
        y = X @ np.arange(5.0) + 3 + rng.normal(size=300)
        return dict(X=X, y=np.where(y > np.median(y), 1, -1) if {signs} else y)
"""

OBJECTIVE = """
import json
import numpy as np
from benchopt import BaseObjective
from bench.objective import CORNERED, SMOOTH, Point, Terms

class Objective(BaseObjective):
    name = "skeleton"
    parameters = {parameters}

    def set_data(self, X, y):
        self.X, self.y = X, y

    def get_one_result(self):
        return dict({key}=np.ones({length}))

    def get_objective(self):
        return dict(X=self.X, y=self.y, **{given})

    def evaluate_result(self, {key}):
        found, d, n = {key}, self.X.shape[1], len(self.X)
        value, accuracy = self.judged(found, d, n)
        with open({log!r}, "a") as log:
            log.write(json.dumps([[getattr(self, name) for name in self.parameters], accuracy]) + chr(10))
        return dict(value=value, accuracy=accuracy)

    def judged(self, found, d, n):
{judge}
"""

WITH_INTERCEPT = """
        point = Point(found[:d], found[d] if self.fit_intercept else 0.0)
        value, gradient = SMOOTH[{family!r}](self.X, {target}, point, Terms(alpha=self.lmbd))
        return value, float(np.abs(gradient[: d + self.fit_intercept]).max())
"""
NO_INTERCEPT = """
        value, gradient = SMOOTH["ols"](self.X, self.y, Point(found, 0.0), Terms())
        return value, float(np.abs(gradient[:d]).max())
"""
HUBER = """
        point = Point(found[2:], found[0], found[1])
        value, gradient = SMOOTH["scaled huber"](self.X, self.y, point, Terms(alpha=self.lmbd, epsilon=self.epsilon))
        return value, float(np.abs(gradient).max())
"""
QUANTILE = """
        terms = Terms(alpha=n * self.lmbd, quantile=self.quantile)
        value, bound = CORNERED["quantile"](self.X, self.y, Point(found[:d], found[d]), terms)
        return value, value - bound
"""
INTERCEPT_OR_NOT = {"lmbd": [0.1], "fit_intercept": [True, False]}
LMBD = "dict(lmbd=self.lmbd, fit_intercept=self.fit_intercept)"

# benchmark: parameters, what set_objective is given, the name and length of the answer, and how it is judged
BENCHMARKS = {
    "ridge": (INTERCEPT_OR_NOT, LMBD, "beta", "6 if self.fit_intercept else 5", WITH_INTERCEPT.format(family="ridge", target="self.y")),
    "ols": ({"fit_intercept": [False]}, "dict(fit_intercept=self.fit_intercept)", "beta", "5", NO_INTERCEPT),
    "logreg_l2": (
        INTERCEPT_OR_NOT,
        LMBD,
        "beta",
        "6 if self.fit_intercept else 5",
        WITH_INTERCEPT.format(family="logistic", target="(self.y + 1) / 2"),
    ),
    "huber_l2": ({"epsilon": [1.35], "lmbd": [1.0]}, "dict(lmbd=self.lmbd, epsilon=self.epsilon)", "params", "7", HUBER),
    "quantile_regression": (
        {"lmbd": [0.01], "quantile": [0.2, 0.5], "fit_intercept": [True]},
        "dict(lmbd=self.lmbd, quantile=self.quantile, fit_intercept=self.fit_intercept)",
        "params",
        "6",
        QUANTILE,
    ),
}


def test_every_solver_file_has_a_skeleton():
    assert {path.stem for path in SOLVERS.glob("*.py")} == BENCHMARKS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_benchopt_runs_the_solver_to_convergence(benchmark, tmp_path):
    parameters, given, key, length, judge = BENCHMARKS[benchmark]
    folder, log = tmp_path / f"benchmark_{benchmark}", tmp_path / "log"
    for part in ("datasets", "solvers"):
        (folder / part).mkdir(parents=True)
    (folder / "datasets" / "simulated.py").write_text(DATA.format(signs=benchmark == "logreg_l2"))
    (folder / "objective.py").write_text(
        OBJECTIVE.format(parameters=parameters, given=given, key=key, length=length, judge=judge, log=str(log))
    )
    shutil.copy(SOLVERS / f"{benchmark}.py", folder / "solvers" / "ridgeline.py")
    done = subprocess.run(
        [sys.executable, "-m", "benchopt", "run", str(folder), "-n", "40", "-r", "1", "--no-plot", "--no-display"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((folder / "outputs").glob("*.parquet")), done.stdout
    finest: dict[str, float] = {}
    for setting, accuracy in map(json.loads, log.read_text().splitlines()):
        finest[str(setting)] = min(accuracy, finest.get(str(setting), np.inf))
    assert len(finest) == np.prod([len(values) for values in parameters.values()])
    assert max(finest.values()) < 1e-8, finest
