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


def peer_models():
    """scikit-learn's linear models, or None where it is not installed."""
    try:
        from sklearn import linear_model
    except ImportError:
        return None
    return linear_model


def loop(model, X, y, rows):
    """Coefficients of single fits of the first groups, (LOOPED, d)."""
    return np.array([model().fit(X[a : a + rows], y[a : a + rows]).coef_.ravel() for a in range(0, LOOPED * rows, rows)])


def many_calls(groups, rows, labels):
    """For each column of the table of many fits, a call that gives the first groups' coefficients, and how many fits it makes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(groups * rows, 5))
    y = X[:, 0] + rng.normal(size=len(X))
    y = (y > 0).astype(int) if labels else y
    keys = np.repeat(np.arange(groups), rows)
    order = rng.permutation(len(X))
    mixed, mixed_y, mixed_keys = X[order], y[order], keys[order]
    name = "LogisticRegression" if labels else "Ridge"
    mine, theirs = LogisticRegression if labels else Ridge, getattr(peer_models(), name, None)
    calls = {
        "fit_many": (lambda: fit_many(mine(), X, y, keys).coef[:LOOPED], groups),
        "fit_many, rows shuffled": (lambda: fit_many(mine(), mixed, mixed_y, mixed_keys).coef[:LOOPED], groups),
        "ridgeline in a loop": (lambda: loop(mine, X, y, rows), LOOPED),
    }
    return calls | ({"scikit-learn in a loop": (lambda: loop(theirs, X, y, rows), LOOPED)} if theirs else {})


def many_fits(rounds):
    """Print the table of many fits: microseconds per fit, of one call on all processors and of loops over the first groups."""
    for row, (title, (*sizes, aim)) in enumerate(MANY.items()):
        calls = many_calls(*sizes)
        coef = [call() for call, _ in calls.values()]
        for other in coef:
            np.testing.assert_allclose(other, coef[0], rtol=1e-2, atol=1e-2)  # scikit-learn's stops where its own tolerance says
        np.testing.assert_allclose(coef[1:3], [coef[0]] * 2, rtol=1e-9, atol=1e-11)
        best = dict.fromkeys(calls, np.inf)
        for _ in range(rounds):
            for name, (call, count) in calls.items():
                start = time.perf_counter()
                call()
                best[name] = min(best[name], (time.perf_counter() - start) / count)
        if row == 0:
            print("\n| microseconds per fit | " + " | ".join(calls) + " | aim |\n|---|" + "---:|" * (len(calls) + 1))
        print(f"| {title} | " + " | ".join(f"{1e6 * seconds:.1f}" for seconds in best.values()) + f" | {aim} |")


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
    peer = peer_models()
    if peer is not None:
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
