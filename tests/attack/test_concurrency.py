"""Threads, processes and pools in pools: the same bits, and no deadlock.  Whatever waits does so under a watchdog."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ridgeline as rl
from ridgeline.threads import VARIABLE

from .calls import CALLS, MODELS, S, X, arrays_of

PATIENCE = 100
"""Seconds until what waits is taken for dead."""

TALL = np.random.default_rng(1).normal(size=(60_000, 12))
TALL_Y = TALL @ np.arange(12.0) + np.random.default_rng(2).normal(size=60_000)


def bits(name: str) -> bytes:
    return b"".join(a.tobytes() for a in arrays_of(CALLS[name].run(*CALLS[name].arguments)))


def tall_bits(n_threads: int | None = None) -> bytes:
    """Fits whose rows are several segments, which the pool shares."""
    model = rl.LogisticRegression(n_threads=n_threads).fit(TALL, TALL_Y > 0)
    return rl.Moments.of(TALL, TALL_Y, n_threads=n_threads).to_bytes() + model.coef_.tobytes() + model.predict_proba(TALL).tobytes()


def at_once(work: Callable[[int], Any], callers: int) -> list[Any]:
    """The results of `work(k)` in as many threads, which start together."""
    barrier, results = threading.Barrier(callers), [None] * callers

    def call(k: int) -> None:
        barrier.wait(PATIENCE)
        results[k] = work(k)

    threads = [threading.Thread(target=call, args=(k,), daemon=True) for k in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    return results


def test_eight_threads_call_everything_at_once() -> None:
    names = list(CALLS)
    want = {name: bits(name) for name in names}

    def work(k: int) -> list[str]:
        start = k * len(names) // 8
        return [name for name in names[start:] + names[:start] if bits(name) != want[name]]

    assert at_once(work, 8) == [[]] * 8


def test_eight_threads_share_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "3")
    want = tall_bits()
    assert at_once(lambda k: tall_bits() == want, 8) == [True] * 8


def test_one_fitted_model_serves_eight_threads() -> None:
    models = {name: make().fit(X, y, sample_weight=S) for name, (make, y) in MODELS.items()}
    want = {name: model.predict(X).tobytes() for name, model in models.items()}
    assert at_once(lambda k: all(models[n].predict(X).tobytes() == want[n] for n in models for _ in range(20)), 8) == [True] * 8


def test_no_fit_changes_the_filters_of_warnings_for_a_while() -> None:
    """They are the process's: of two threads in it at once, the last to leave would put back what the other had set."""
    package = Path(rl.__file__).parent
    assert [path.name for path in package.rglob("*.py") if "catch_warnings" in path.read_text(encoding="utf-8")] == []


def test_predictions_beside_a_refit_are_of_one_fit_or_the_other() -> None:
    """`predict` reads coefficients and intercept of one dictionary; a fit puts another in its place."""
    rows = np.arange(200.0).reshape(100, 2) % 13
    targets = [np.zeros(100), 1e6 * (rows[:, 0] + 1)]
    model = rl.Ridge(alpha=1e-9).fit(rows, targets[0])
    over = threading.Event()

    def look() -> bool:
        while not over.is_set():
            predicted = model.predict(rows[:, :])
            if min(np.abs(predicted - y).max() for y in targets) > 1:
                return False
        return True

    def refit() -> bool:
        for _ in range(300):
            for y in targets[::-1]:
                model.fit(rows, y)
        over.set()
        return True

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert at_once(lambda k: look() if k else refit(), 3) == [True] * 3
    finally:
        over.set()
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("n_threads", [*range(1, 17), 10**6])
def test_any_number_of_threads_has_the_same_bits(n_threads: int) -> None:
    """Also one that no machine has: the pool does not make more threads than can help."""
    before = threading.active_count()
    assert tall_bits(n_threads) == tall_bits(1)
    assert threading.active_count() - before < 300


def _everything(_: int) -> dict[str, bytes]:
    return {name: bits(name) for name in CALLS} | {"tall": tall_bits()}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_begun_after_use(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    monkeypatch.setenv(VARIABLE, "2")
    want = _everything(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads running, which is what is tried
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map_async(_everything, range(4)).get(PATIENCE) == [want] * 4


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_pools_of_joblib_around_pools_of_ridgeline(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    joblib = pytest.importorskip("joblib")
    monkeypatch.setenv(VARIABLE, "2")
    want = tall_bits()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = joblib.Parallel(n_jobs=3, backend=backend, timeout=PATIENCE)(joblib.delayed(tall_bits)() for _ in range(6))
    assert [answer == want for answer in found] == [True] * 6


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_limits_on_the_threads_of_blas(limit: int) -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    wide = np.random.default_rng(0).normal(size=(900, 700))
    want = rl.Ridge().fit(wide, wide[:, 0]).coef_
    with threadpoolctl.threadpool_limits(limit):
        found = at_once(lambda k: rl.Ridge().fit(wide, wide[:, 0]).coef_, 4)
    for coef in found:
        np.testing.assert_allclose(coef, want, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_tasks_of_dask_around_pools_of_ridgeline(monkeypatch: pytest.MonkeyPatch) -> None:
    dask = pytest.importorskip("dask")
    monkeypatch.setenv(VARIABLE, "2")
    want = tall_bits()
    found = dask.compute(*(dask.delayed(tall_bits)() for _ in range(8)), scheduler="threads", num_workers=4)
    assert [answer == want for answer in found] == [True] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_in_the_middle_of_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child of a fork while other threads fit has none of their locks to wait for."""
    monkeypatch.setenv(VARIABLE, "3")
    want = rl.Moments.of(TALL, TALL_Y).to_bytes()
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            rl.Moments.of(TALL, TALL_Y)

    others = [threading.Thread(target=busy, daemon=True) for _ in range(3)]
    for other in others:
        other.start()
    try:
        for _ in range(10):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the watchdog of the tests is the parent's
                signal.alarm(PATIENCE)
                os._exit(0 if rl.Moments.of(TALL, TALL_Y).to_bytes() == want else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        over.set()
        for other in others:
            other.join(PATIENCE)
