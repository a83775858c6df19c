"""Rows on disk: fits beside merely reading the same file by the same reader.

    python -m bench.out_of_core [--gigabytes 2] [--columns 50] [--folder .] [--rounds 3] [--kinds parquet npy] [--models ...] [--cold]

Writes a Parquet and a .npy file of float32 rows, one after the other and a piece at a time, and deletes each before the next is written:
the disk needs room for one of them.  Every run is a process of its own, whose peak memory is told;
the runs take turns, and each time is the least of the rounds.  A scan reads every column (of Parquet: decompresses and decodes it) and does
nothing with it.  A rate is rows read per second, those of every pass of a fit, times the size of a row in memory; "beside the scan" is it
over the scan's.  Processor seconds per pass, of all threads, do not depend on what else runs, and say what bounds a fit: where they exceed
the seconds of a scan times the processors, no overlap of reading with computing reaches its rate.  With --cold the file is dropped from the
system's cache before each run.  What each run took is told on standard error when it ends.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from ridgeline import HuberRegressor, Lasso, LogisticRegression, Ridge, source
from ridgeline.sources import fold

from .measure import ROOT

GROUP = 1 << 17
"""Rows per row group, and made at a time."""

TARGETS = ("y", "label", "third")

MODELS = {
    "Ridge": (Ridge(), "y"),
    "LogisticRegression": (LogisticRegression(), "label"),
    "softmax": (LogisticRegression(), "third"),
    "HuberRegressor": (HuberRegressor(), "y"),
    "Lasso": (Lasso(alpha=0.05), "y"),
}
"""Name -> estimator and target."""


def rows(n, d, start):
    """Some rows; of each a target, a label and one of three labels."""
    rng = np.random.default_rng(start)
    X = rng.standard_normal((n, d), dtype=np.float32)
    y = X[:, : min(d, 8)].sum(axis=1) / 2 + rng.standard_normal(n, dtype=np.float32)
    return X, y, (y > 0).astype(np.int8), np.digitize(y, [-1.0, 1.0]).astype(np.int8)


def write(folder, kind, n, d):
    """rows.parquet with columns x0, ..., y, label, third; or X.npy, y.npy, label.npy and third.npy with the same numbers."""
    (_write_parquet if kind == "parquet" else _write_npy)(folder, n, d)


def _write_npy(folder, n, d):
    shapes = {"X": (np.float32, (n, d)), **dict.fromkeys(TARGETS, (np.float64, (n,)))}
    arrays = [np.lib.format.open_memmap(os.path.join(folder, f"{name}.npy"), "w+", *shape) for name, shape in shapes.items()]
    for start in range(0, n, GROUP):
        for array, values in zip(arrays, rows(min(GROUP, n - start), d, start)):
            array[start : start + len(values)] = values
    for array in arrays:
        array.flush()


def _write_parquet(folder, n, d):
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [*(f"x{j}" for j in range(d)), *TARGETS]
    writer = None
    for start in range(0, n, GROUP):
        X, *targets = rows(min(GROUP, n - start), d, start)
        table = pa.Table.from_arrays([pa.array(np.ascontiguousarray(column)) for column in (*X.T, *targets)], names)
        if writer is None:
            writer = pq.ParquetWriter(os.path.join(folder, "rows.parquet"), table.schema, use_dictionary=False)
        writer.write_table(table, row_group_size=GROUP)
    writer.close()


class Touch:
    """A summary that reads a number of every cache line."""

    total = 0

    def add_rows(self, slab):
        self.total += int(slab.X.reshape(-1).view(np.int32)[::16].sum())

    def merge(self, other):
        self.total += other.total


def open_rows(folder, kind, target):
    """The source of a run."""
    if kind == "npy":
        return source(os.path.join(folder, "X.npy"), os.path.join(folder, f"{target}.npy"))
    import pyarrow.parquet as pq

    path = os.path.join(folder, "rows.parquet")
    return source(path, target=target, features=[name for name in pq.read_schema(path).names if name not in TARGETS])


def run(folder, kind, what):
    """Seconds, passes, processor seconds and megabytes of one run in this process."""
    given = open_rows(folder, kind, MODELS[what][1] if what in MODELS else "y")
    start, passes, before = time.perf_counter(), 1, time.process_time()
    if what == "scan" and kind == "parquet":
        for _ in given.segments():
            pass
    elif what == "scan":
        fold(given, Touch)
    elif what == "plain read":
        with open(os.path.join(folder, "rows.parquet" if kind == "parquet" else "X.npy"), "rb", buffering=0) as file:
            block = bytearray(1 << 22)
            while file.readinto(block):
                pass
    else:
        passes = MODELS[what][0].fit_source(given).certificate_.passes
    processor = time.process_time() - before
    return {"seconds": time.perf_counter() - start, "passes": passes, "processor": processor, "megabytes": peak()}


def peak():
    """Most memory that was resident, in MB, shared pages of mapped files included."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def drop(folder):
    """Have the system forget what it cached of these files."""
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(folder, kind, whats, rounds, cold):
    """The best run of each."""
    best = {}
    for _ in range(rounds):
        for what in whats:
            if cold:
                drop(folder)
            command = [sys.executable, "-m", "bench.out_of_core", "--run", os.path.abspath(folder), kind, what]
            got = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
            print(kind, what, got, file=sys.stderr, flush=True)
            before = best.get((kind, what), got)
            best[kind, what] = min(before, got, key=lambda record: record["seconds"])
    return best


def table(best, size):
    """Lines of Markdown."""
    yield "| file | what | passes | seconds | GB/s | beside the scan | processor seconds per pass | peak resident MB |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for (kind, what), record in best.items():
        scan = best[kind, "scan"]["seconds"]
        each = record["seconds"] / record["passes"]
        yield (
            f"| {kind} | {what} | {record['passes']} | {record['seconds']:.2f} | {size / each / 1e9:.2f} | {scan / each:.2f} | "
            f"{record['processor'] / record['passes']:.2f} | {record['megabytes']:.0f} |"
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m bench.out_of_core", description="fits of files beside reading them")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of float32 rows (default 2)")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--folder", help="where the files are written (default: the system's temporary folder)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", choices=("parquet", "npy"), default=["parquet", "npy"], help="of files")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--cold", action="store_true", help="drop the files from the system's cache before each run")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        print(json.dumps(run(*options.run)))
        return
    n = max(int(options.gigabytes * 1e9 / 4 / options.columns), 2 * options.columns)
    best = {}
    for kind in options.kinds:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            write(folder, kind, n, options.columns)
            best |= measure(folder, kind, ("plain read", "scan", *options.models), options.rounds, options.cold)
    print(f"{n} x {options.columns} float32, {'cold' if options.cold else 'from the cache'}; GB of rows in memory.\n")
    for line in table(best, 4.0 * n * options.columns):
        print(line)


if __name__ == "__main__":
    main()
