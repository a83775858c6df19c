"""Fits on a cluster: what a pass costs beside the rows, how it scales here, and what a model makes of that for a thousand workers.

    python -m bench.cluster [--rows 3200000] [--columns 50] [--rounds 3] [--workers 1 2]

Workers are processes of one thread on this machine (`dask.distributed`), so that they share its memory and its processors: what is
measured is the cost of the engine, and no network.  A pass over P partitions with next to no rows costs a + c P seconds: the two come from
passes over 1 and over 512 of them.  The rate of a worker is that of a whole fit of rows that workers hold.  The time of a fit of n rows of
d columns on W workers is then taken to be

    reads x (8 n d / (W x rate)  +  depth x (a + bytes / bandwidth)  +  c x partitions)

with depth = ceil(log_16 partitions) levels of the tree, a for the latency of each (more than it is: a has the client's part in it), the
bytes of one summary, and c for each partition, one after another and none of it hidden behind the reads (again more than it is: here the
workers' own part in c takes the scheduler's processors).  Reads and rate are measured; that reads do not depend on n, and that all workers
are equally quick and hold their rows in memory, are assumptions; with rows on disks, the disks' rate takes the place of the memory's where
it is lower.
"""

import argparse
import math
import time

import numpy as np

from ridgeline import LogisticRegression, Moments, Ridge, source
from ridgeline.engines.tree import FAN

MANY = 512
"""Partitions whose scheduling takes much longer than everything else in a pass without rows."""

EACH = 4
"""Partitions per worker of the rows that are fitted."""

BANDWIDTH = 1e9
"""Bytes a second between machines: ten gigabits, less what protocols take."""

DISK = 1e9
"""Bytes a second that a worker reads from its disk or from a store, assumed."""

FAR = (1000, 10**12, 16)
"""Workers, rows, and partitions per worker, of the extrapolation."""

FITS = {"ridge": (Ridge, 0), "logistic": (LogisticRegression, 1)}
"""Name -> estimator and which of the targets."""


class Counted:
    """An engine that counts its folds and the bytes that go out and come back."""

    def __init__(self, engine):
        self.engine, self.count = engine, engine.count
        self.reads, self.out, self.back = 0, 0, 0

    def total(self, recipe, waiting):
        result = self.engine.total(recipe, waiting)
        self.reads += 1
        self.out, self.back = max(self.out, len(recipe)), max(self.back, len(result))
        return result


def made(rows, d, seed):
    """Some rows and their two targets as one array: made where it will be."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, d))
    y = X[:, : min(d, 8)].sum(axis=1) / 2 + rng.standard_normal(rows)
    return np.column_stack([X, y, y > 0])


def blocks(client, n, d, parts):
    """X and both targets as Dask arrays that workers hold."""
    import dask
    import dask.array as da

    sizes = [n // parts] * parts
    whole = da.concatenate([da.from_delayed(dask.delayed(made)(k, d, seed), (k, d + 2), float) for seed, k in enumerate(sizes)])
    held = client.persist([whole[:, :d], whole[:, d], whole[:, d + 1]])
    from distributed import wait

    wait(held)
    return held[0], held[1:]


def timed(work, rounds):
    """The least of the rounds, in seconds, and the last result."""
    times, result = [], None
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def overhead(client, d, rounds):
    """(a, c) of a pass, in seconds, and the seconds of the pass over `MANY` partitions in this process."""
    seconds = {}
    for parts in (1, MANY):
        X, targets = blocks(client, 2 * parts, d, parts)
        given = source(X, targets[0], engine=client)
        seconds[parts], _ = timed(lambda given=given: Moments.of_source(given), rounds)
    rows = made(2 * MANY, d, 0)
    chunks = [(rows[k : k + 2, :d], rows[k : k + 2, d]) for k in range(0, 2 * MANY, 2)]
    here, _ = timed(lambda: Moments.of_source(source(chunks)), rounds)
    each = (seconds[MANY] - seconds[1]) / (MANY - 1)
    return max(seconds[1] - each, 0.0), each, here


def fits(client, n, d, workers, rounds):
    """Name -> (seconds, reads, bytes out, bytes back) of the fits of rows that the workers hold."""
    X, targets = blocks(client, n, d, EACH * workers)
    found = {}
    for name, (kind, target) in FITS.items():

        def fit(kind=kind, target=target):
            given = source(X, targets[target], engine=client)
            given.engine = Counted(given.engine)
            kind().fit_source(given)
            return given.engine

        seconds, engine = timed(fit, rounds)
        found[name] = seconds, engine.reads, engine.out, engine.back
    return found


def local(n, d, rounds):
    """Name -> (seconds, reads) in this process on one thread, of the same partitions as chunks."""
    parts = [made(n // EACH, d, seed) for seed in range(EACH)]
    found = {}
    for name, (kind, target) in FITS.items():
        chunks = [(np.ascontiguousarray(part[:, :d]), part[:, d + target].copy()) for part in parts]

        def fit(kind=kind, chunks=chunks):
            return kind(n_threads=1).fit_source(source(chunks, n_threads=1))

        seconds, model = timed(fit, rounds)
        found[name] = seconds, model.certificate_.passes
    return found


def predicted(reads, n, d, workers, partitions, rate, a, c, size):
    """Seconds of a fit by the model."""
    depth = math.ceil(math.log(partitions, FAN))
    return reads * (8 * n * d / (workers * rate) + depth * (a + size / BANDWIDTH) + c * partitions)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description="passes on a cluster: overhead, scaling, extrapolation")
    parser.add_argument("--rows", type=int, default=3_200_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args(arguments)
    import dask
    from distributed import Client, LocalCluster

    n, d = options.rows - options.rows % (EACH * math.lcm(*options.workers)), options.columns
    scaled, costs = {}, {}
    dask.config.set({"distributed.admin.tick.limit": "60s"})
    for workers in options.workers:
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0, silence_logs=50
            ) as cluster,
            Client(cluster) as client,
        ):
            costs[workers] = overhead(client, d, options.rounds)
            scaled[workers] = fits(client, n, d, workers, options.rounds)
    for line in table(local(n, d, options.rounds), scaled, costs, n, d):
        print(line)


def table(alone, scaled, costs, n, d):
    """Lines of Markdown: measured, then by the model."""
    yield "| | ridge | logistic |"
    yield "|---|---:|---:|"
    yield f"| {n} x {d} in this process, one thread: seconds | " + " | ".join(f"{alone[name][0]:.3f}" for name in FITS) + " |"
    for workers, found in scaled.items():
        cells = (f"{found[name][0]:.3f} ({found[name][1]} reads)" for name in FITS)
        yield f"| on {workers} worker(s), rows held there: seconds | " + " | ".join(cells) + " |"
    most = max(scaled)
    found, (a, c, here) = scaled[most], costs[most]
    rates = {name: found[name][1] * 8 * n * d / found[name][0] / most for name in FITS}
    yield "| GB/s of a worker | " + " | ".join(f"{rates[name] / 1e9:.2f}" for name in FITS) + " |"
    yield "| bytes a pass: out, to each worker once | " + " | ".join(str(found[name][2]) for name in FITS) + " |"
    yield "| bytes a pass: back, of each partition to its node | " + " | ".join(str(found[name][3]) for name in FITS) + " |"
    for workers, (fixed, each, _) in costs.items():
        yield f"| a pass without rows, {workers} worker(s): ms, and ms a partition | {1e3 * fixed:.1f} | {1e3 * each:.2f} |"
    yield f"| {MANY} chunks without rows in this process: ms a chunk | {1e3 * here / MANY:.3f} | |"
    workers, rows, per_worker = FAR
    far = workers * per_worker
    for what, limit in (("in memory", np.inf), (f"on disks of {DISK / 1e9:g} GB/s", DISK)):
        cells = []
        for name in FITS:
            reads, size = found[name][1], found[name][3]
            seconds = predicted(reads, rows, d, workers, far, min(rates[name], limit), a, c, size)
            share = reads * c * far / seconds
            cells.append(f"{seconds:.0f} s ({share:.0%} of it scheduling)")
        yield f"| by the model: {workers} workers, {rows:.0e} rows {what}, {far} partitions | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
