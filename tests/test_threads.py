"""The pool: results in order whatever the threads, errors that come out once, forks, nesting, and the number of threads."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
import traceback
import warnings

import numpy as np
import pytest

from ridgeline import HuberRegressor, LogisticRegression, Moments
from ridgeline.sources import ArraySource, fold, source
from ridgeline.threads import INHERITED, VARIABLE, available, reduce, thread_count

THREADS = [1, 2, 3, 8]


class Trail:
    """What was merged, in order: not commutative, so that any other order shows."""

    def __init__(self, item=None):
        self.items = [] if item is None else [item]

    def merge(self, other):
        self.items += other.items


def slowly(k):
    time.sleep(random.random() / 2000)
    return Trail(k)


@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize("jobs", [0, 1, 2, 3, 50])
def test_results_are_merged_in_the_order_of_the_jobs(jobs, n_threads):
    for _ in range(5):
        total = reduce(iter(range(jobs)), slowly, n_threads)
        assert (total.items if total else []) == list(range(jobs))


def test_no_more_results_wait_than_threads():
    lock, held, most = threading.Lock(), 0, 0

    class Counted(Trail):
        def merge(self, other):
            nonlocal held
            with lock:
                held -= 1

    def work(k):
        nonlocal held, most
        if k == 0:
            time.sleep(0.05)
        with lock:
            held += k > 0  # the first result is what the others are merged into
            most = max(most, held)
        return Counted(k)

    reduce(iter(range(100)), work, 3)
    assert most <= 3 + 1


@pytest.mark.skipif(int(np.__version__.partition(".")[0]) < 2, reason="before NumPy 2 each thread has its own settings")
def test_what_numpy_may_warn_of_is_the_same_in_every_thread():
    seen = set()

    def work(k):
        time.sleep(0.001)
        seen.add((threading.current_thread().name, np.geterr()["invalid"]))
        return Trail(k)

    with np.errstate(invalid="ignore"):
        reduce(iter(range(50)), work, 3)
    assert len(seen) > 1 and {setting for _, setting in seen} == {"ignore"}


@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize("where", ["job", "work", "merge"])
def test_an_error_comes_out_once_with_its_traceback_and_leaves_the_pool_usable(where, n_threads):
    def jobs():
        for k in range(40):
            if where == "job" and k == 17:
                raise RuntimeError("job 17")
            yield k

    class Broken(Trail):
        def merge(self, other):
            if where == "merge" and other.items == [17]:
                raise RuntimeError("merge 17")
            super().merge(other)

    def work(k):
        if where == "work" and k == 17:
            raise RuntimeError("work 17")
        return Broken(k)

    with pytest.raises(RuntimeError, match=f"{where} 17") as failure:
        reduce(jobs(), work, n_threads)
    assert any(frame.filename == __file__ and "RuntimeError" in frame.line for frame in traceback.extract_tb(failure.tb))
    assert reduce(iter(range(9)), slowly, n_threads).items == list(range(9))


def test_an_interrupt_stops_the_others_and_comes_out():
    main, ran = threading.get_ident(), []

    def work(k):
        ran.append(k)
        time.sleep(0.001)
        if threading.get_ident() == main and len(ran) > 5:
            raise KeyboardInterrupt
        return Trail(k)

    with pytest.raises(KeyboardInterrupt):
        reduce(iter(range(10_000)), work, 2)
    done = len(ran)
    assert done < 100
    time.sleep(0.01)
    assert len(ran) == done


def test_of_two_errors_one_comes_out():
    both = threading.Barrier(2)

    def work(k):
        both.wait(60)
        raise ValueError(k)

    with pytest.raises(ValueError) as failure:
        reduce(iter(range(9)), work, 2)
    assert failure.value.args[0] in (0, 1)
    assert reduce(iter(range(9)), slowly, 2).items == list(range(9))


def test_of_an_error_of_a_job_and_one_of_its_maker_one_comes_out():
    main, begun, asked = threading.get_ident(), threading.Event(), threading.Event()

    def jobs():
        yield from (0, 1)
        asked.set()
        time.sleep(0.05)
        raise RuntimeError("of the maker")

    def work(k):
        if threading.get_ident() == main:
            begun.wait(60)
            return Trail(k)
        begun.set()
        asked.wait(60)
        raise ValueError("of a job")

    with pytest.raises(ValueError, match="of a job"):
        reduce(jobs(), work, 2)


def test_an_error_of_the_maker_of_jobs_comes_out_of_any_thread():
    main, asked = threading.get_ident(), threading.Event()

    def jobs():
        yield from (0, 1)
        assert threading.get_ident() != main
        asked.set()
        raise RuntimeError("of the maker")

    def work(k):
        if threading.get_ident() == main:
            asked.wait(60)
        return Trail(k)

    with pytest.raises(RuntimeError, match="of the maker"):
        reduce(jobs(), work, 2)


def test_an_interrupt_does_not_wait_for_what_others_are_at():
    main, begun, go_on, over = threading.get_ident(), threading.Event(), threading.Event(), threading.Event()

    def work(k):
        if threading.get_ident() == main:
            begun.wait(60)
            raise KeyboardInterrupt
        begun.set()
        go_on.wait(60)
        over.set()
        return Trail(k)

    total = Trail("before")
    with pytest.raises(KeyboardInterrupt):
        reduce(iter(range(100)), work, 2, total, private=True)
    assert not over.is_set()
    go_on.set()
    assert over.wait(60)
    assert reduce(iter(range(9)), slowly, 2).items == list(range(9))
    assert total.items == ["before"]


@pytest.mark.parametrize(("failure", "private"), [(ValueError, True), (ValueError, False), (KeyboardInterrupt, False)])
def test_what_may_be_seen_by_others_is_waited_for(failure, private):
    main, begun, over = threading.get_ident(), threading.Event(), []

    def work(k):
        if threading.get_ident() == main:
            begun.wait(60)
            raise failure
        begun.set()
        time.sleep(0.05)
        over.append(k)
        return Trail(k)

    with pytest.raises(failure):
        reduce(iter(range(100)), work, 2, private=private)
    assert over


def test_a_call_within_a_pool_thread_uses_no_other():
    caller = threading.get_ident()

    def inner(k):
        time.sleep(1e-3)  # time for others to come
        return Trail((k, threading.get_ident()))

    def outer(k):
        total = reduce(iter(range(20)), inner, 4)
        assert [job for job, _ in total.items] == list(range(20))
        return Trail((threading.get_ident(), {thread for _, thread in total.items}))

    done = reduce(iter(range(10)), outer, 4).items
    assert len(done) == 10
    assert all(others == {own} for own, others in done if own != caller)


def test_many_callers_at_once():
    results = []

    def call():
        results.append(reduce(iter(range(30)), slowly, 4).items)

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    assert results == [list(range(30))] * 8


def rows(n=30_000, d=41):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) + 3
    return X, X[:, 0] - X[:, 1] + rng.normal(size=n), rng.uniform(size=n)


def test_the_same_bits_for_any_number_of_threads(monkeypatch):
    X, y, s = rows()
    assert len(list(ArraySource(X, y).segments())) >= 3
    seen = set()
    for n_threads in THREADS:
        monkeypatch.setenv(VARIABLE, str(n_threads))
        moments = Moments.of(X, y, s).to_bytes()
        logistic = LogisticRegression().fit(X, y > 0, s).coef_.tobytes()
        huber = HuberRegressor().fit(np.asfortranarray(X), y, s).coef_.tobytes()
        seen.add((moments, logistic, huber))
    assert len(seen) == 1


def test_chunks_are_pulled_by_one_thread_at_a_time():
    X, y, _ = rows(9000, 5)
    inside = threading.Lock()

    def chunks():
        for a in range(0, 9000, 500):
            assert inside.acquire(blocking=False)
            time.sleep(0.0005)
            inside.release()
            yield X[a : a + 500], y[a : a + 500]

    one, four = (fold(source(chunks, n_threads=k), lambda: Moments(5, 1)).to_bytes() for k in (1, 4))
    assert one == four


def _fit(X, y):
    return Moments.of(X, y).to_bytes()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_begun_after_use(method, monkeypatch):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    monkeypatch.setenv(VARIABLE, "3")
    X, y, _ = rows()
    want = _fit(X, y)
    if method == "fork":
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads running, which is what is tried
            child = os.fork()
        if child == 0:
            try:
                os.write(writer, b"same" if _fit(X, y) == want else b"else")
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            assert answer.read() == b"same"
        os.waitpid(child, 0)
        return
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply_async(_fit, (X, y)).get(120) == want


def test_a_script_that_ends_with_threads_idle_ends():
    code = "from ridgeline import Moments; import numpy as np; X = np.ones((200_000, 9)); print(Moments.of(X, X[:, 0]).count)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, VARIABLE: "3"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("200000\n", "", 0)


def test_the_number_of_threads(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv(INHERITED, raising=False)
    assert thread_count() == available() >= 1
    monkeypatch.setenv(INHERITED, "3,2")
    assert thread_count() == 3
    monkeypatch.setenv(VARIABLE, "5")
    assert thread_count() == 5
    assert thread_count(2) == thread_count(np.int64(2)) == 2


def test_the_processors_are_those_of_this_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", {0: {1, 5, 7}}.get, raising=False)  # 0: of the process that asks
    assert available() == 3


def test_a_system_that_does_not_count_its_processors_has_one(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available() == 1


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "2"])
def test_a_number_of_threads_that_is_none(bad):
    with pytest.raises(ValueError, match="n_threads must be"):
        thread_count(bad)


@pytest.mark.parametrize("bad", ["0", "-1", "two", "1.5"])
def test_an_environment_variable_that_is_no_number(bad, monkeypatch):
    monkeypatch.setenv(VARIABLE, bad)
    with pytest.raises(ValueError, match=VARIABLE):
        thread_count()


INTERRUPTED = """
import os, random, signal, sys, threading, time
import numpy as np
from ridgeline.sources import ArraySource, fold
from ridgeline.sources.prefetch import ahead
from ridgeline.threads import reduce

class Rows:
    def __init__(self): self.n = 0
    def add_rows(self, slab): self.n += len(slab.X)
    def merge(self, other): self.n += other.n

def work(k):
    part = Rows()
    part.n = k
    return part

random.seed(0)
rows = ArraySource(np.ones((200_000, 8)), np.ones(200_000), n_threads=3)
interrupted = 0
for k in range(int(sys.argv[1])):
    timer = threading.Timer(random.random() * 0.004, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        end = time.monotonic() + 0.004
        while time.monotonic() < end:
            if k % 2:
                assert reduce(iter(ahead(range(50))), work, 3).n == 1225
            else:
                assert fold(rows, Rows).n == 200_000
        time.sleep(0.01)
    except KeyboardInterrupt:
        interrupted += 1
    while timer.is_alive():
        try: timer.join()
        except KeyboardInterrupt: interrupted += 1
assert fold(rows, Rows).n == 200_000
print(interrupted)
"""


def test_interrupts_at_any_moment_leave_nothing_locked():
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED, "300"], check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 250
