"""The lasso on many columns, beside scikit-learn, celer and skglm where they are installed.

    python -m bench.lasso [fit] [--rows 2000] [--columns 10000] [--alpha 0.1] [--rounds 3]
    python -m bench.lasso file  [--rows 100000] [--columns 10000] [--alpha 0.1] [--folder .]
    python -m bench.lasso path  [--rows 2000] [--columns 500] [--rounds 3]

`fit`: one penalty, alpha times the least that makes every coefficient zero; `path`: a hundred of them.  Contenders take
turns; each answer's duality gap is computed here, from the rows, so that times are read beside what they bought.  Peers run at the first
tolerance that brings their gap below 1e-10 of the objective at zero, or the tightest tried.  `file`: float32 rows in a `.npy` file, made
and deleted, fitted by a process of its own whose peak memory is told; a matrix of all products would take columns^2 x 8 bytes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

from ridgeline import Lasso, lasso_path

TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)
"""Of the peers, in turn."""

ENOUGH = 1e-10
"""A gap, beside the objective at zero, that counts as solved."""

USED = 50
"""Columns that matter."""

CHUNK = 1000
"""Rows of a file made at a time."""


def rows(n, d, seed=0, dtype=np.float64):
    """Columns correlated in runs, and a sparse signal with noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d), dtype=dtype)
    X[:, 1:] += X[:, :-1] / 2
    w = np.zeros(d)
    w[np.linspace(0, d - 1, USED).astype(int)] = np.where(np.arange(USED) % 2, 1.0, -1.0)
    return X, X @ w + 3 * rng.standard_normal(n) + 5


def relative_gap(X, y, alpha, coef):
    """The duality gap of coefficients with the best intercept, beside the objective at zero: from the rows."""
    n, coef = len(y), coef.astype(np.float64)
    center = y - y.mean()
    residual = y - X @ coef
    residual -= residual.mean()
    slopes = np.abs(residual @ X - residual.sum() * X.mean(axis=0)).max() / n
    kappa = min(1.0, alpha / slopes)
    value = residual @ residual / (2 * n) + alpha * np.abs(coef).sum()
    dual = kappa * (residual @ center) / n - kappa**2 * (residual @ residual) / (2 * n)
    return (value - dual) / (center @ center / (2 * n))


def peers(alpha):
    """Estimators by name, as functions of a tolerance."""
    from sklearn.linear_model import Lasso as Sklearn

    found = {"scikit-learn": lambda tol: Sklearn(alpha, tol=tol, max_iter=100000)}
    try:
        from celer import Lasso as Celer

        found["celer"] = lambda tol: Celer(alpha, tol=tol, max_iter=1000)
    except ImportError:
        pass
    try:
        from skglm import Lasso as Skglm

        found["skglm"] = lambda tol: Skglm(alpha, tol=tol, max_iter=1000)
    except ImportError:
        pass
    return found


def timed(call):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = call()
    return time.perf_counter() - start, answer


def fit(options):
    X, y = rows(options.rows, options.columns)
    F = np.asfortranarray(X)  # what the peers work on
    alpha = options.alpha * np.abs((y - y.mean()) @ X - (y - y.mean()).sum() * X.mean(axis=0)).max() / len(y)
    contenders = {"ridgeline": (lambda: Lasso(alpha), X), "ridgeline, Fortran order": (lambda: Lasso(alpha), F)}
    for name, make in peers(alpha).items():
        for tol in TOLERANCES:
            _, model = timed(lambda make=make, tol=tol: make(tol).fit(F, y))
            if relative_gap(X, y, alpha, model.coef_) <= ENOUGH or tol == TOLERANCES[-1]:
                contenders[f"{name}, tol {tol:g}"] = (lambda make=make, tol=tol: make(tol), F)
                break
    seconds, answers = dict.fromkeys(contenders, np.inf), {}
    for _ in range(options.rounds):
        for name, (make, data) in contenders.items():
            took, answers[name] = timed(lambda make=make, data=data: make().fit(data, y))
            seconds[name] = min(seconds[name], took)
    print(f"{options.rows} x {options.columns} float64, alpha {options.alpha:g} of the largest\n")
    print("| | ms | gap / F(0) | columns in use |\n|---|---:|---:|---:|")
    for name, model in answers.items():
        gap = relative_gap(X, y, alpha, model.coef_)
        print(f"| {name} | {1e3 * seconds[name]:.1f} | {gap:.1e} | {np.count_nonzero(model.coef_)} |")
    print(f"\n{answers['ridgeline'].certificate_}")


def path(options):
    from sklearn.linear_model import lasso_path as sklearn_path

    X, y = rows(options.rows, options.columns)
    X -= X.mean(axis=0)
    y -= y.mean()
    F = np.asfortranarray(X)
    calls = {
        "ridgeline": lambda: lasso_path(X, y, alphas=100),
        "scikit-learn, tol 1e-4": lambda: sklearn_path(F, y, alphas=100),
        "scikit-learn, tol 1e-8": lambda: sklearn_path(F, y, alphas=100, tol=1e-8, max_iter=100000),
    }
    try:
        from celer import celer_path

        alphas = calls["ridgeline"]()[0]
        calls["celer, tol 1e-8"] = lambda: celer_path(F, y, "lasso", alphas=alphas, tol=1e-8, max_iter=1000)
    except ImportError:
        pass
    seconds, answers = dict.fromkeys(calls, np.inf), {}
    for _ in range(options.rounds):
        for name, call in calls.items():
            took, answers[name] = timed(call)
            seconds[name] = min(seconds[name], took)
    print(f"{options.rows} x {options.columns} float64, 100 penalties\n")
    print("| | ms | largest gap / F(0) |\n|---|---:|---:|")
    for name, (penalties, coefs, *_) in answers.items():
        gap = max(relative_gap(X, y, alpha, w) for alpha, w in zip(penalties, coefs.T))
        print(f"| {name} | {1e3 * seconds[name]:.0f} | {gap:.1e} |")


CHILD = """
import json, sys, time
import numpy as np
from ridgeline import Lasso, source
rows, alpha = source(sys.argv[1], sys.argv[2]), float(sys.argv[3])
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = peak()
start = time.perf_counter()
model = Lasso(alpha).fit_source(rows)
seconds = time.perf_counter() - start
after = peak()
np.save(sys.argv[4], model.coef_)
print(json.dumps({"seconds": seconds, "mb": after / 1024, "before": before / 1024, "certificate": str(model.certificate_)}))
"""


def file(options):
    n, d = options.rows, options.columns
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        place, targets, coef = (os.path.join(folder, name) for name in ("X.npy", "y.npy", "coef.npy"))
        X = np.lib.format.open_memmap(place, "w+", np.float32, (n, d))
        y = np.empty(n)
        for start in range(0, n, CHUNK):
            part = slice(start, min(start + CHUNK, n))
            X[part], y[part] = rows(part.stop - start, d, seed=start + 1, dtype=np.float32)
        X.flush()
        np.save(targets, y)
        del X
        slopes, scan = np.zeros(d), np.inf
        mapped = np.load(place, mmap_mode="r")
        for _ in range(2):
            start = time.perf_counter()
            for at in range(0, n, CHUNK):
                mapped[at : at + CHUNK].sum()
            scan = min(scan, time.perf_counter() - start)
        for at in range(0, n, CHUNK):
            slopes += (y[at : at + CHUNK] - y.mean()) @ mapped[at : at + CHUNK]
        alpha = options.alpha * np.abs(slopes).max() / n
        command = [sys.executable, "-c", CHILD, place, targets, repr(float(alpha)), coef]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"{n} x {d} float32, a file of {n * d * 4 / 1e9:.1f} GB; a matrix of all products would take {8 * d * d / 1e9:.1f} GB")
        print(f"NumPy reads and sums it in {scan:.2f} s")
        print(f"fit: {result['seconds']:.2f} s; peak {result['mb']:.0f} MB resident, {result['before']:.0f} before the fit")
        print(f"columns in use: {np.count_nonzero(np.load(coef))}")
        print(result["certificate"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["fit", "file", "path"], default="fit")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--columns", type=int)
    parser.add_argument("--alpha", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=".")
    options = parser.parse_args()
    sizes = {"fit": (2000, 10000), "file": (100000, 10000), "path": (2000, 500)}[options.what]
    options.rows, options.columns = options.rows or sizes[0], options.columns or sizes[1]
    {"fit": fit, "file": file, "path": path}[options.what](options)


if __name__ == "__main__":
    main()
