"""Ctrl-C at random moments of long fits: how long until it is heard, and whether the model is as it was.

    python -m tests.attack.interrupts [TIMES]

For each solver and source, a fit of some tenths of a second is interrupted TIMES times at random, by a signal as the keyboard sends it.
Prints the longest time until `KeyboardInterrupt` came out, and the processor time of all threads until then, which on a busy machine says
more; ends with an error where a model changed or nothing came out within a minute.
"""

from __future__ import annotations

import os
import pickle
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import ridgeline as rl

PATIENCE = 60
"""Seconds until the watchdog ends the process."""

RNG = np.random.default_rng(5)
X = RNG.normal(size=(200_000, 20))
NOISE = RNG.standard_t(3, size=len(X))
Y = X @ np.linspace(-1, 1, 20) + NOISE
B, C = Y > 0, np.digitize(Y, [-1, 0, 1])
WIDE = RNG.normal(size=(2000, 1500))
MANY = RNG.normal(size=(4000, 3000))
GROUPS = np.repeat(np.arange(4000), 50)


def chunks() -> Any:
    return ((X[a : a + 5000], Y[a : a + 5000]) for a in range(0, len(X), 5000))


Long = tuple[Callable[[], Any], Callable[[Any], Any]]

LONG: dict[str, Long] = {
    "LinearRegression": (rl.LinearRegression, lambda m: m.fit(WIDE, WIDE[:, 0])),
    "Ridge, extended moments": (rl.Ridge, lambda m: m.fit_moments(rl.Moments.of(X, Y, precision="extended"))),
    "Ridge, wide": (rl.Ridge, lambda m: m.fit(WIDE, WIDE[:, 0])),
    "Ridge, 3000 columns": (rl.Ridge, lambda m: m.fit(MANY, MANY[:, 0] + MANY[:, 1])),
    "RidgeCV, wide": (rl.RidgeCV, lambda m: m.fit(WIDE[:1200], WIDE[:1200, 0])),
    "RidgeCV": (rl.RidgeCV, lambda m: m.fit(X, Y)),
    "RidgeCV by folds": (partial(rl.RidgeCV, cv=5), lambda m: m.fit(X, Y)),
    "Lasso": (partial(rl.Lasso, alpha=0.01), lambda m: m.fit(WIDE, WIDE[:, 0] + WIDE[:, 1])),
    "LassoCV": (partial(rl.LassoCV, cv=3), lambda m: m.fit(X, Y)),
    "LinearRegression, positive": (partial(rl.LinearRegression, positive=True), lambda m: m.fit(X, Y)),
    "HuberRegressor": (rl.HuberRegressor, lambda m: m.fit(X, Y)),
    "QuantileRegressor": (partial(rl.QuantileRegressor, alpha=0.0), lambda m: m.fit(X, Y)),
    "QuantileRegressor, 300 columns": (partial(rl.QuantileRegressor, alpha=0.0), lambda m: m.fit(MANY[:, :300], MANY[:, 301])),
    "LogisticRegression": (rl.LogisticRegression, lambda m: m.fit(X, B)),
    "LogisticRegression softmax": (rl.LogisticRegression, lambda m: m.fit(X, C)),
    "LogisticRegression l1": (partial(rl.LogisticRegression, C=0.01, l1_ratio=1.0), lambda m: m.fit(X, B)),
    "LogisticRegressionCV": (
        partial(rl.LogisticRegressionCV, Cs=4, cv=3, use_legacy_attributes=False, l1_ratios=(0.0,)),
        lambda m: m.fit(X[:50_000], B[:50_000]),
    ),
    "chunks": (rl.HuberRegressor, lambda m: m.fit_source(rl.source(chunks))),
    "fit_many": (rl.Ridge, lambda m: rl.fit_many(rl.HuberRegressor(delta=1.0), X, Y, GROUPS)),
    "gradient_descent": (
        rl.Ridge, lambda m: rl.gradient_descent("squared_error", X, Y, learning_rate=1e-3, max_iter=200),
    ),
}  # fmt: skip


def of_files(folder: str) -> dict[str, Long]:
    """Fits of the same rows in files; those that need pyarrow where it is."""
    np.save(f"{folder}/x.npy", X)
    found: dict[str, Long] = {".npy": (rl.HuberRegressor, lambda m: m.fit_source(rl.source(f"{folder}/x.npy", Y)))}
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        return found
    table = pa.table({**{f"x{j}": X[:, j] for j in range(X.shape[1])}, "y": Y, "group": GROUPS})
    pa.parquet.write_table(table, f"{folder}/rows.parquet")
    pa.csv.write_csv(table, f"{folder}/rows.csv")
    roles: dict[str, Any] = {"target": "y", "features": [f"x{j}" for j in range(X.shape[1])]}
    for name in ("rows.parquet", "rows.csv"):
        found[name] = rl.Ridge, lambda m, name=name: m.fit_source(rl.source(f"{folder}/{name}", **roles))
        found[f"fit_many, {name}"] = (
            rl.Ridge, lambda m, name=name: rl.fit_many(rl.Ridge(), rl.source(f"{folder}/{name}", groups="group", **roles)),
        )  # fmt: skip
    return found


def snapshot(model: Any) -> dict[str, bytes]:
    return {name: pickle.dumps(value) for name, value in vars(model).items()}


def latency(make: Callable[[], Any], fit: Callable[[Any], Any], times: int) -> tuple[int, float, float]:
    """How many of `times` interrupts came while the fit ran; the longest time and processor time until one was heard."""
    small = X[:400]
    model = make().fit(small, B[:400] if "Logistic" in make().__class__.__name__ else Y[:400])
    before, started = snapshot(model), time.perf_counter()
    fit(make())
    usual = time.perf_counter() - started
    heard, worst, most = 0, 0.0, 0.0
    for _ in range(times):
        sent, fitting, done = [0.0, 0.0], False, False

        def send(sent: list[float] = sent) -> None:
            sent[:] = time.perf_counter(), time.process_time()
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(random.uniform(0, 0.8 * usual), send)
        try:
            timer.start()
            fitting = True
            fit(model)
            done = True
            timer.join()
        except KeyboardInterrupt:
            now, work = time.perf_counter(), time.process_time()
            if done or not fitting:
                continue
            if snapshot(model) != before:
                raise AssertionError("an interrupted fit changed the model") from None
            heard, worst, most = heard + 1, max(worst, now - sent[0]), max(most, work - sent[1])
        finally:
            for left in [thread for thread in threading.enumerate() if thread.name == "ridgeline-aside"]:
                left.join()  # what an interrupt leaves to itself would be in the way of the next
            if done:
                model.__dict__ = {name: pickle.loads(value) for name, value in before.items()}
    return heard, worst, most


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    random.seed(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it starts in the background ignore the keyboard
    with TemporaryDirectory() as folder:
        for name, (make, fit) in {**LONG, **of_files(folder)}.items():
            watchdog = threading.Timer(PATIENCE * 5, os._exit, (3,))
            watchdog.daemon = True
            watchdog.start()
            heard, worst, most = latency(make, fit, times)
            watchdog.cancel()
            print(f"{name:30} {heard:3} interrupts heard, after {worst * 1e3:6.1f} ms, {most * 1e3:6.1f} ms of work, at most", flush=True)


if __name__ == "__main__":
    main()
