"""What small work costs: importing, fitting a thousand rows, predicting one, and many small fits in one call.

    python -m bench.overheads [--rounds N] [--many-rounds N]

Times are the least of all rounds, in microseconds; each round visits every case once, and predictions are compared before they are timed.
scikit-learn's column is there where it is installed. It has no call for many fits: its number for those is that of a loop over the first
groups, per fit.
"""

import argparse
import subprocess
import sys
import time

import numpy as np

from ridgeline import LinearRegression, LogisticRegression, Ridge, fit_many

TARGETS = {"Ridge.fit": 40, "LinearRegression.fit": 40, "LogisticRegression.fit": 400, "Ridge.predict": 1.5, "predict_proba": 2.5}


def calls(linear, ridge, logistic):
    """Calls by title for one library's classes, and what they should agree on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 20))
    y = X[:, 0] + rng.normal(size=1000)
    label, row = y > 0, X[:1].copy()
    fitted, classifier = ridge().fit(X, y), logistic().fit(X, label)
    return {
        "LinearRegression.fit, 1000 x 20": lambda: linear().fit(X, y),
        "Ridge.fit, 1000 x 20": lambda: ridge().fit(X, y),
        "LogisticRegression.fit, 1000 x 20": lambda: logistic().fit(X, label),
        "Ridge.predict, one row": lambda: fitted.predict(row),
        "LogisticRegression.predict_proba, one row": lambda: classifier.predict_proba(row),
    }, (fitted.predict(X), classifier.predict_proba(X))


MANY = {
    "10,000 ridge fits, 2000 x 5": (10_000, 2000, False, 8),
    "10,000 logistic fits, 500 x 5": (10_000, 500, True, 100),
    "100,000 ridge fits, 200 x 5": (100_000, 200, False, 50),
}
"""Groups, rows per group, whether of labels, and the aim in microseconds per fit."""

LOOPED = 100
"""Groups that a loop of single fits is timed on."""


def many_fits(rounds):
    """Rows of the table of many fits: microseconds per fit of one call on all processors, and of loops over the first groups."""
    try:
        from sklearn import linear_model as peer
    except ImportError:
        peer = None
    print("\n| microseconds per fit | fit_many | rows shuffled | loop of ridgeline | loop of scikit-learn | aim |\n|---|" + "---:|" * 5)
    rng = np.random.default_rng(0)
    for title, (groups, rows, labels, aim) in MANY.items():
        X = rng.normal(size=(groups * rows, 5))
        y = X[:, 0] + rng.normal(size=len(X))
        y = (y > 0).astype(int) if labels else y
        keys = np.repeat(np.arange(groups), rows)
        shuffled = rng.permutation(keys)
        mine = LogisticRegression if labels else Ridge
        few = [slice(k * rows, (k + 1) * rows) for k in range(min(LOOPED, groups))]
        calls = {
            "fit_many": (lambda: fit_many(mine(), X, y, keys), groups),
            "shuffled": (lambda: fit_many(mine(), X, y, shuffled), groups),
            "loop": (lambda: [mine().fit(X[k], y[k]).coef_ for k in few], len(few)),
        }
        fits, loop = calls["fit_many"][0](), calls["loop"][0]()
        np.testing.assert_allclose(fits.coef[: len(few)], np.reshape(loop, (len(few), 5)), rtol=1e-9, atol=1e-11)
        assert (fits.status == "optimal").all() and np.all(fits.suboptimality < 1e-10)
        if peer is not None:
            theirs = peer.LogisticRegression if labels else peer.Ridge
            calls["peer"] = (lambda: [theirs().fit(X[k], y[k]).coef_ for k in few], len(few))
            np.testing.assert_allclose(np.reshape(calls["peer"][0](), (len(few), 5)), np.reshape(loop, (len(few), 5)), rtol=1e-2, atol=1e-2)
        best = dict.fromkeys(calls, np.inf)
        for _ in range(rounds):
            for name, (call, count) in calls.items():
                start = time.perf_counter()
                call()
                best[name] = min(best[name], (time.perf_counter() - start) / count)
        cells = [f"{1e6 * best[name]:.1f}" if name in best else "" for name in ("fit_many", "shuffled", "loop", "peer")]
        print(f"| {title} | " + " | ".join(cells) + f" | {aim} |")


def import_times(rounds):
    """Milliseconds of `import ridgeline` after numpy and of a first ridge, in fresh processes; whether SciPy and scipy.linalg came."""
    code = (
        "import numpy, time; a = time.perf_counter(); import ridgeline; b = time.perf_counter(); import sys;"
        "s = any(m.startswith('scipy') for m in sys.modules); X = numpy.eye(9);"
        "ridgeline.Ridge().fit(X, X[0]).predict(X); c = time.perf_counter();"
        "print(1e3 * (b - a), 1e3 * (c - b), s, 'scipy.linalg' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(rounds)]
    return min(float(r[0]) for r in runs), min(float(r[1]) for r in runs), runs[0][2] == "True", runs[0][3] == "True"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--many-rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = options.rounds
    contenders, results = {}, {}
    contenders["ridgeline"], results["ridgeline"] = calls(LinearRegression, Ridge, LogisticRegression)
    try:
        from sklearn import linear_model as peer
    except ImportError:
        pass
    else:
        contenders["scikit-learn"], results["scikit-learn"] = calls(peer.LinearRegression, peer.Ridge, peer.LogisticRegression)
        for mine, theirs in zip(*results.values()):
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-3)
    times = {(who, what): np.inf for who, table in contenders.items() for what in table}
    for _ in range(rounds):
        for who, what in times:
            call, repeat = contenders[who][what], 20 if "one row" in what else 1
            start = time.perf_counter()
            for _ in range(repeat):
                call()
            times[who, what] = min(times[who, what], (time.perf_counter() - start) / repeat)
    print("| microseconds | " + " | ".join(contenders) + " | aim |\n|---|" + "---:|" * (len(contenders) + 1))
    for what in contenders["ridgeline"]:
        aim = next(v for k, v in TARGETS.items() if k in what)
        print(f"| {what} | " + " | ".join(f"{1e6 * times[who, what]:.1f}" for who in contenders) + f" | {aim} |")
    bare, fit, scipy_at_import, linalg = import_times(5)
    print(f"\nimport ridgeline after numpy: {bare:.1f} ms (aim 10; SciPy loaded: {scipy_at_import}); ", end="")
    print(f"a first small ridge, with what it imports: {fit:.0f} ms more (scipy.linalg loaded: {linalg}).")
    if options.many_rounds:
        many_fits(options.many_rounds)


if __name__ == "__main__":
    main()
