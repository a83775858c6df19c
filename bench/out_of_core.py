"""Rows on disk: fits beside merely reading the same file by the same reader.

    python -m bench.out_of_core [--gigabytes 2] [--columns 50] [--folder .] [--rounds 3] [--cold]

Writes a Parquet and a .npy file of float32 rows and deletes them afterwards.  Every run is a process of its own, whose peak memory is told;
the runs take turns, and each time is the least of the rounds.  A scan reads every column (of Parquet: decompresses and decodes it) and does
nothing with it; a fit's rate counts each of its passes over the file.  With --cold the file is dropped from the system's cache before each
run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from ridgeline import HuberRegressor, LogisticRegression, Ridge, source
from ridgeline.sources import fold

GROUP = 1 << 17
"""Rows per row group, and made at a time."""

MODELS = {"Ridge": Ridge, "LogisticRegression": LogisticRegression, "HuberRegressor": HuberRegressor}


def rows(n, d, start):
    """Some rows, a target and a label of each."""
    rng = np.random.default_rng(start)
    X = rng.standard_normal((n, d), dtype=np.float32)
    y = X[:, : min(d, 8)].sum(axis=1) / 2 + rng.standard_normal(n, dtype=np.float32)
    return X, y, (y > 0).astype(np.int8)


def write(folder, n, d):
    """rows.parquet with columns x0, ..., y, label; X.npy, y.npy and label.npy with the same numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: np.lib.format.open_memmap(os.path.join(folder, f"{name}.npy"), "w+", dtype, shape)
        for name, dtype, shape in (("X", np.float32, (n, d)), ("y", np.float64, (n,)), ("label", np.float64, (n,)))
    }
    names = [f"x{j}" for j in range(d)] + ["y", "label"]
    writer = None
    for start in range(0, n, GROUP):
        X, y, label = rows(min(GROUP, n - start), d, start)
        for name, values in zip(arrays, (X, y, label)):
            arrays[name][start : start + len(y)] = values
        table = pa.Table.from_arrays([*(pa.array(np.ascontiguousarray(column)) for column in X.T), pa.array(y), pa.array(label)], names)
        if writer is None:
            writer = pq.ParquetWriter(os.path.join(folder, "rows.parquet"), table.schema, use_dictionary=False)
        writer.write_table(table, row_group_size=GROUP)
    writer.close()
    for array in arrays.values():
        array.flush()


class Touch:
    """A summary that reads a number of every cache line."""

    total = 0

    def add_rows(self, slab):
        self.total += int(slab.X.reshape(-1).view(np.int32)[::16].sum())

    def merge(self, other):
        self.total += other.total


def open_rows(folder, kind, labels):
    """The source of a run."""
    target = "label" if labels else "y"
    if kind == "parquet":
        d = np.load(os.path.join(folder, "X.npy"), mmap_mode="r").shape[1]
        return source(os.path.join(folder, "rows.parquet"), target=target, features=[f"x{j}" for j in range(d)])
    return source(os.path.join(folder, "X.npy"), os.path.join(folder, f"{target}.npy"))


def run(folder, kind, what):
    """Seconds, passes and megabytes of one run in this process."""
    given = open_rows(folder, kind, what == "LogisticRegression")
    start, passes = time.perf_counter(), 1
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
        passes = MODELS[what]().fit_source(given).certificate_.passes
    return {"seconds": time.perf_counter() - start, "passes": passes, "megabytes": peak()}


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


def measure(folder, kinds, whats, rounds, cold):
    """The best run of each."""
    best = {}
    for _ in range(rounds):
        for kind in kinds:
            for what in whats:
                if cold:
                    drop(folder)
                command = [sys.executable, "-m", "bench.out_of_core", "--run", folder, kind, what]
                got = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                before = best.get((kind, what), got)
                best[kind, what] = min(before, got, key=lambda record: record["seconds"])
    return best


def table(best, size):
    """Lines of Markdown."""
    yield "| file | what | passes | seconds | GB/s per pass | beside the scan | peak resident MB |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for (kind, what), record in best.items():
        scan = best[kind, "scan"]["seconds"]
        each = record["seconds"] / record["passes"]
        yield (
            f"| {kind} | {what} | {record['passes']} | {record['seconds']:.2f} | {size / each / 1e9:.2f} | {scan / each:.2f} | "
            f"{record['megabytes']:.0f} |"
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m bench.out_of_core", description="fits of files beside reading them")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="of float32 rows (default 2)")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--folder", help="where the files are written (default: the system's temporary folder)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--cold", action="store_true", help="drop the files from the system's cache before each run")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        print(json.dumps(run(*options.run)))
        return
    n = max(int(options.gigabytes * 1e9 / 4 / options.columns), 2 * options.columns)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        write(folder, n, options.columns)
        best = measure(folder, ("parquet", "npy"), ("plain read", "scan", *options.models), options.rounds, options.cold)
    print(f"{n} x {options.columns} float32, {'cold' if options.cold else 'from the cache'}; GB of rows in memory.\n")
    for line in table(best, 4.0 * n * options.columns):
        print(line)


if __name__ == "__main__":
    main()
