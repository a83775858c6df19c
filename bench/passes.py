"""One pass over the rows beside what the hardware allows: the Gram of the moments, and the fused expansions of the logistic loss.

The limits are measured in the same rounds, since what a shared machine gives changes from minute to minute: reading X once with every core
(a NumPy sum per thread), and a large matrix product in the same precision.  A pass cannot take less than max(one read of X, n d (d + 1)
flops at the speed of that product).  X is larger than the third-level cache.  Every time is the least of the rounds, and each round visits
every case once.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.linalg.blas

from ridgeline import Moments, Ridge
from ridgeline.objective import Objective
from ridgeline.pointwise import LOGISTIC
from ridgeline.sources import ArraySource
from ridgeline.threads import thread_count

WIDTHS = {4: 5_000_000, 10: 2_000_000, 20: 1_000_000, 50: 600_000, 100: 300_000, 200: 150_000, 500: 60_000, 1000: 30_000, 2000: 15_000}


ORDER = 2000
"""Of the square products."""


def least(call, rounds):
    """Seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def limits(X):
    """What a pass is measured against: every thread reading its part of X, and square products in either precision."""
    parts = np.array_split(X.reshape(-1), thread_count())
    pool = ThreadPoolExecutor(len(parts))
    square = np.random.default_rng(0).normal(size=(ORDER, ORDER))
    single = square.astype(np.float32)
    return {
        "read": lambda: list(pool.map(np.sum, parts)),
        "product": lambda: square @ square,
        "single product": lambda: single @ single,
    }


def read_speed(rounds):
    """Bytes per second of all threads reading, for a comparison whose data are elsewhere."""
    read = limits(np.ones((50_000_000, 1)))["read"]
    return 8 * 50_000_000 / least(read, rounds)


def product_speed(dtype, rounds):
    """Flops per second of a square matrix product."""
    a = np.random.default_rng(0).normal(size=(ORDER, ORDER)).astype(dtype)
    return 2 * ORDER**3 / least(lambda: a @ a, rounds)


def peers(X, y):
    """Ridge fits of others, by name, where they are installed."""
    found = {"NumPy normal equations": lambda: normal_equations(X, y)}
    try:
        from sklearn.linear_model import Ridge as SklearnRidge
    except ImportError:
        return found
    found["scikit-learn"] = lambda: SklearnRidge().fit(X, y).coef_
    try:
        from sklearnex.linear_model import Ridge as DaalRidge
    except ImportError:
        return found
    found["scikit-learn-intelex"] = lambda: DaalRidge().fit(X, y).coef_
    return found


def normal_equations(X, y):
    Z = X - X.mean(axis=0)
    return np.linalg.solve(Z.T @ Z + np.eye(X.shape[1]), Z.T @ (y - y.mean()))


def cases(d, n):
    """Calls by name; each is verified against NumPy before it is timed."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(n, d)) + 1
    y = X[:, 0] + rng.normal(size=n)
    s = rng.uniform(size=n)
    F, single = np.asfortranarray(X), X.astype(np.float32)
    Z = X - X.mean(axis=0)
    for given, rtol in ((X, 1e-9), (F, 1e-9), (single, 1e-3)):
        np.testing.assert_allclose(Moments.of(given, y).scatter[:d, :d], Z.T @ Z, rtol=rtol, atol=rtol * n)
    np.testing.assert_allclose(Ridge().fit(X, y).coef_, normal_equations(X, y), rtol=1e-8, atol=1e-10)
    objective = Objective(ArraySource(X, (y > 1).astype(float)), LOGISTIC, 1.0, True)
    theta = rng.normal(size=objective.size) / d
    calls = {
        "C order": lambda: Moments.of(X, y),
        "Fortran order": lambda: Moments.of(F, y),
        "weights": lambda: Moments.of(X, y, s),
        "float32": lambda: Moments.of(single, y),
        "dsyrk": lambda: scipy.linalg.blas.dsyrk(1.0, X.T),
        "logistic gradient": lambda: objective.expand(theta, 1),
        "logistic Hessian": lambda: objective.expand(theta, 2),
        "Ridge.fit": lambda: Ridge().fit(X, y),
    }
    return calls, peers(X, y), limits(X)


def passes(rounds):
    """Lines of Markdown tables; `rounds` is divided by twenty, for these take long."""
    rounds = max(rounds // 20, 3)
    lines = [
        f"Passes over n x d rows, {thread_count()} threads. Times in ms; in brackets times the limit, max(one read, n d (d + 1) flops), of",
        "that precision. Limits as measured beside each case: GB/s of a read, GF/s of a product in float64 and float32.",
        "",
    ]
    fits = ["| n x d | Ridge.fit | " + "best peer | times faster |", "|---|---:|---|---:|"]
    for d, n in WIDTHS.items():
        calls, others, bounds = cases(d, n)
        seconds = dict.fromkeys([*calls, *others, *bounds], np.inf)
        for _ in range(rounds):
            for name, call in [*calls.items(), *others.items(), *bounds.items()]:
                seconds[name] = min(seconds[name], least(call, 1))
                if name in ("dsyrk", "product", "single product", *others):
                    time.sleep(0.2)  # the threads of a BLAS go on spinning for a while after its last call
        if len(lines) == 3:
            shown = [name for name in calls if name != "Ridge.fit"]
            lines += ["| n x d | GB/s, GF/s | limit | " + " | ".join(shown) + " |", "|---|---|---:|" + "---:|" * len(shown)]
        flops, read = n * d * (d + 1), seconds["read"]
        peak, single = 2 * ORDER**3 / seconds["product"], 2 * ORDER**3 / seconds["single product"]
        limit = max(read, flops / peak)
        of = {"float32": max(read / 2, flops / single), "logistic gradient": read}
        cells = [f"{1e3 * seconds[name]:.1f} ({seconds[name] / of.get(name, limit):.2f})" for name in shown]
        speeds = f"{8e-9 * n * d / read:.0f}, {peak / 1e9:.0f}, {single / 1e9:.0f}"
        lines.append(f"| {n} x {d} | {speeds} | {1e3 * limit:.1f} | " + " | ".join(cells) + " |")
        best = min(others, key=seconds.__getitem__)
        fits.append(
            f"| {n} x {d} | {1e3 * seconds['Ridge.fit']:.1f} | {best}: {1e3 * seconds[best]:.1f} | "
            f"{seconds[best] / seconds['Ridge.fit']:.1f} |"
        )
    return [*lines, "", *fits, "", *extra_memory()]


def extra_memory():
    """Peak memory of a fit beyond the data, in a fresh process each."""
    lines = ["Extra memory of Ridge.fit, MB (the aim: 16 + 8 d^2 bytes per thread).", ""]
    lines += ["| n x d | kind | MB | aim |", "|---|---|---:|---:|"]
    for n, d in ((1_000_000, 10), (200_000, 200), (40_000, 1000)):
        for kind in ("C", "F", "strided", "float32", "int32"):
            done = subprocess.run([sys.executable, "-m", "bench.passes", str(n), str(d), kind], capture_output=True, text=True, check=True)
            aim = 16 + 8e-6 * d * d * thread_count()
            lines.append(f"| {n} x {d} | {kind} | {float(done.stdout):.1f} | {aim:.0f} |")
    return lines


def _fit_alone(n, d, kind):
    """Print by how many MB a fit raises the peak of this process."""
    small = np.random.default_rng(0).normal(size=(2 * d + 300, d))
    Ridge().fit(small, small[:, 0])  # what is loaded once
    X = np.zeros((n, 2 * d) if kind == "strided" else (n, d), {"float32": np.float32, "int32": np.int32}.get(kind, np.float64),
                 order="F" if kind == "F" else "C")  # fmt: skip
    X = X[:, ::2] if kind == "strided" else X
    for a in range(0, n, len(small)):
        part = X[a : a + len(small)]
        part[:] = 100 * small[: len(part)]
    y = np.ones(n)
    y[::3] = 2
    with open("/proc/self/clear_refs", "w") as reset:  # the peak starts again from what is resident
        reset.write("5")
    before = _status("VmRSS")
    Ridge().fit(X, y)
    print((_status("VmHWM") - before) / 1024)


def _status(what):
    """kB, from what Linux says of this process."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))


if __name__ == "__main__":
    _fit_alone(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
