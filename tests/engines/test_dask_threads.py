"""Dask's engine on workers that are threads of this process: in every run, where `test_cluster.py` starts processes and kills some."""

import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import HuberRegressor, LogisticRegression, Moments, QuantileRegressor, Ridge, checkpoint, model_file, source
from ridgeline.engines import dask_workers, naming
from ridgeline.watch import OutOfTime, watch, watched

from .rows import ENDS, FEATURES, FITS, assert_same_bits, clone, columns, command

distributed = pytest.importorskip("distributed")
pa, pandas, da, dd = (pytest.importorskip(name) for name in ("pyarrow", "pandas", "dask.array", "dask.dataframe"))
pytest.importorskip("narwhals")
import dask
import pyarrow.csv
import pyarrow.parquet as pq

COLUMNS = columns()
X = np.column_stack([COLUMNS[name] for name in "abcde"])
Y, S, OFFSET = COLUMNS["y"], COLUMNS["s"], COLUMNS["o"]

FEW = ENDS[[0, 5, 6, 10, -1]]
"""Where four partitions begin and end, of which one has no rows."""


def threads(LocalCluster=distributed.LocalCluster, **options):
    """A cluster in this process, which others on this machine can reach."""
    return LocalCluster(
        processes=False, protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50, **options
    )


@pytest.fixture(scope="module")
def client():
    with threads(n_workers=1, threads_per_worker=2) as workers, distributed.Client(workers, set_as_default=False) as client:
        yield client


def frame(values=COLUMNS, ends=FEW):
    whole = pandas.DataFrame(values)
    parts = [dask.delayed(whole.iloc[a:b]) for a, b in pairwise(ends)]
    return dd.from_delayed(parts, meta=whole.iloc[:0], verify_meta=False)


def in_blocks(values):
    return da.from_array(values, chunks=(tuple(np.diff(FEW).tolist()), *values.shape[1:]))


def chunks(*vectors):
    return [tuple(values[a:b] for values in (X, *vectors)) for a, b in pairwise(FEW)]


def held(client):
    """Tasks of folds that the scheduler is still asked to keep; the client lets go in a thread of its own."""
    end = time.monotonic() + 10
    while (keys := [key for key in client.futures if str(key).startswith("ridgeline-")]) and time.monotonic() < end:
        time.sleep(0.01)
    return keys


@pytest.mark.parametrize("name", ["of two targets", "logistic"])
def test_frames_are_fitted_where_they_are(name, client):
    model, roles = FITS[name]
    got = clone(model).fit_source(source(frame(), features=FEATURES, engine=client, **roles))
    assert_same_bits(got, clone(model).fit_source(source(frame(), features=FEATURES, engine="serial", **roles)))
    assert not held(client)  # nothing for longer than a fold


def test_blocks_are_fitted_where_they_are(client):
    got = HuberRegressor().fit_source(source(in_blocks(X), in_blocks(Y), in_blocks(S), offset=in_blocks(OFFSET), engine=client))
    assert_same_bits(got, HuberRegressor().fit_source(source(chunks(Y, S, OFFSET))))
    beside = HuberRegressor().fit_source(source(in_blocks(X), Y, S, offset=OFFSET, engine=client))  # sent to the workers once
    assert_same_bits(beside, got)
    without = source(in_blocks(X), in_blocks(Y), engine=client)
    assert_same_bits(Ridge().fit_source(without), Ridge().fit_source(source(chunks(Y))))


def test_names_as_objects(client):
    y = COLUMNS["kind"].astype(object)
    got = LogisticRegression().fit_source(source(in_blocks(X), in_blocks(y), engine=client))
    assert got.classes_.tolist() == ["low", "mid", "top"]
    assert_same_bits(got, LogisticRegression().fit_source(source(chunks(COLUMNS["kind"]))))


def test_rows_that_a_fit_needs_one_by_one_are_brought_here(client):
    model, roles = FITS["quantile"]
    given = source(frame(), features=FEATURES, engine=client, **roles)
    assert_same_bits(clone(model).fit_source(given), clone(model).fit_source(source(frame(), features=FEATURES, engine="serial", **roles)))
    blocks = QuantileRegressor(alpha=0.01).fit_source(source(in_blocks(X), in_blocks(Y), engine=client))
    np.testing.assert_array_equal(blocks.coef_, QuantileRegressor(alpha=0.01).fit_source(source(chunks(Y))).coef_)


def test_who_reads_is_one_rule(client):
    def reader(**options):
        return source(frame(), target="y", features=["a"], **options).table.frames.client

    assert reader() is None and reader(engine="serial") is None and reader(engine=client) is client
    with client.as_current():
        assert reader() is client
    with pytest.raises(TypeError, match="engine of a Dask collection must be None, 'serial' or a distributed.Client, got 'threads'"):
        reader(engine="threads")


def test_an_error_on_a_worker_names_the_partition(client):
    bad = {**COLUMNS, "a": np.where(np.arange(len(Y)) == FEW[2] + 3, np.nan, COLUMNS["a"])}
    model = Ridge()
    with pytest.raises(ValueError, match=r"column 'a' is empty \(null\) in row 3 of partition 2 of the Dask data frame") as caught:
        model.fit_source(source(frame(bad), target="y", features=["a", "b"], engine=client))
    assert caught.value.__notes__ == ["(in partition 2)"]
    assert not hasattr(model, "coef_") and not held(client)


def test_an_infinite_cell_on_a_worker_is_looked_for_there(client):
    source(frame(COLUMNS), target="y", features=["a", "b"], engine=client).check_finite()
    bad = {**COLUMNS, "a": np.where(np.arange(len(Y)) == FEW[3] + 7, np.inf, COLUMNS["a"])}
    given = source(frame(bad), target="y", features=["a", "b"], engine=client)
    with pytest.raises(ValueError, match="column 'a' contains infinity in row 7 of partition 3 of the Dask data frame"):
        Ridge().fit_source(given)
    blocks = source(in_blocks(np.where(np.arange(len(Y))[:, None] == 3, np.inf, X)), in_blocks(Y), engine=client)
    with pytest.raises(ValueError, match="X in chunk 0 contains infinity at row 3, column 0"):
        Ridge().fit_source(blocks)


@pytest.mark.parametrize("kind", ["frame", "blocks"])
def test_a_checkpoint_tells_rows_on_workers_from_others(kind, client, tmp_path):
    """By some rows of every partition, where it lies."""

    def given(change=0.0):
        values = {**COLUMNS, "a": COLUMNS["a"] + change}
        if kind == "frame":
            return source(frame(values), target="y", features=["a", "b"], engine=client)
        return source(in_blocks(np.column_stack([values["a"], values["b"]])), in_blocks(Y), engine=client)

    with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
        model = Ridge().fit_source(given())
        raise ZeroDivisionError
    with pytest.raises(ValueError, match="the rows have changed since"), checkpoint(tmp_path / "c"):
        Ridge().fit_source(given(1.0))
    with checkpoint(tmp_path / "c"):
        assert_same_bits(Ridge().fit_source(given()), model)


def test_an_error_of_the_users_own_graph_stays_what_it_was(client):
    def fail(part):
        raise KeyError("mine")

    table = frame().map_partitions(fail, meta=frame()._meta)
    with pytest.raises(KeyError, match="mine"):
        Ridge().fit_source(source(table, target="y", features=["a"], engine=client))


def test_a_time_limit_ends_the_work(client):
    """The clock is looked at while the workers are at it: what they would still have done is let go."""
    given = source(frame(), target="y", features=["a"], engine=client)
    with watched(time_limit=0.0), pytest.raises(OutOfTime):
        watch().limited = True
        Moments.of_source(given)
    assert not held(client)


TOLD = threading.Event()


def patient(part):
    """The third partition, whose work goes on when the others have been told of."""
    assert len(part) != FEW[3] - FEW[2] or TOLD.wait(20)
    return part


def test_partitions_that_are_done_are_told_of_while_others_are_not(client, monkeypatch):
    monkeypatch.setattr(dask_workers, "POLL", 0.01)
    counts = []

    class Display:
        def begin(self, read, total, unit):
            assert (total, unit) == (4, "partitions")

        def done(self, count):
            counts.append(count)
            if sum(counts) == 3:
                TOLD.set()

        def close(self):
            pass

    table = frame().map_partitions(patient, meta=frame()._meta)
    with watched(time_limit=1e9):
        watch().display = Display()
        moments = Moments.of_source(source(table, target="y", features=["a"], engine=client))
    assert moments.count == len(Y) and TOLD.is_set() and sum(counts) == 4


# --------------------------------------------------------------------------------------------------------- files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The rows in two files, of several row groups each."""
    folder = tmp_path_factory.mktemp("rows")
    whole = pa.table(COLUMNS)
    for k, (a, b) in enumerate([(0, 500), (500, len(whole))]):
        pq.write_table(whole.slice(a, b - a), folder / f"rows{k}.parquet", row_group_size=300)
    return folder


@pytest.mark.parametrize("name", ["ridge, weighted", "logistic", "quantile"])
def test_files_are_fitted_by_those_who_open_them(name, client, files):
    model, roles = FITS[name]
    there = source(files, features=FEATURES, engine=client, **roles)
    assert (there.partitions.engine.count, there.known_rows) == (6, len(Y))
    assert_same_bits(clone(model).fit_source(there), clone(model).fit_source(source(files, features=FEATURES, **roles)))


def test_relative_paths_mean_this_process(client, files, monkeypatch):
    monkeypatch.chdir(files)
    given = source("rows*.parquet", target="y", features=["a"], engine=client)
    assert {os.path.isabs(file.path) for file in given.table._engine._partitions} == {True}
    inside = pyarrow.dataset.dataset("rows0.parquet", filesystem=pyarrow.fs.SubTreeFileSystem(str(files), pyarrow.fs.LocalFileSystem()))
    (file,) = dask_files(inside)
    assert file.path == "rows0.parquet"  # whose file system travels with it


def dask_files(dataset):
    """What travels of the files of a dataset, one name per row group of the first."""
    from ridgeline.sources.parquet import ParquetTable, files_of
    from ridgeline.sources.shared_files import SharedFiles

    kept = []
    SharedFiles(ParquetTable(files_of(dataset), "the dataset"), kept.extend)
    assert [file.wanted for file in kept] == [[0], [1]]
    return kept[:1]


def test_a_checkpoint_knows_files_by_name_and_time(client, files, tmp_path):
    def begin(engine):
        with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
            Ridge().fit_source(source(files, target="y", features=["a"], engine=engine))
            raise ZeroDivisionError

    begin(client)
    with checkpoint(tmp_path / "c"):  # whoever reads them
        assert_same_bits(
            Ridge().fit_source(source(files, target="y", features=["a"])),
            Ridge().fit_source(source(files, target="y", features=["a"], engine=client)),
        )


def test_csv_is_refused(client, tmp_path):
    pyarrow.csv.write_csv(pa.table(COLUMNS), tmp_path / "rows.csv")
    with pytest.raises(TypeError, match="is CSV, which is read from its beginning, by one; write it as Parquet"):
        source(tmp_path / "rows.csv", target="y", engine=client)


# ----------------------------------------------------------------------------------------------- the command line


FIT = ["--target", "y", "--weight", "s", "--drop", "z,label,kind,count,o,colour"]


def test_the_command_line_names_a_scheduler(client, files, tmp_path, capsys):
    address = client.scheduler.address.replace("tcp://", "dask://")
    there = command(capsys, "fit", files, *FIT, "--engine", address, "--out", tmp_path / "there.rl")
    here = command(capsys, "fit", files, *FIT, "--out", tmp_path / "here.rl")
    assert there.replace("there.rl", "here.rl") == here
    assert_same_bits(model_file.load(tmp_path / "there.rl"), model_file.load(tmp_path / "here.rl"))


def test_the_command_line_starts_workers_of_its_own(files, capsys, monkeypatch):
    asked = []

    @contextmanager
    def local(**options):
        asked.append(options)
        with threads(n_workers=1) as workers:
            yield workers

    monkeypatch.setattr(distributed, "LocalCluster", local)
    assert command(capsys, "fit", files, *FIT, "--engine", "dask") == command(capsys, "fit", files, *FIT)
    assert asked == [{"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "silence_logs": 50}]


def test_what_does_not_answer_is_one_line(files, capsys, monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT", 0.2)
    with socket.socket() as nobody:  # bound, and never listening
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        said = command(capsys, "fit", files, *FIT, "--engine", f"dask://{address}", code=2)
    assert f"no Dask scheduler answers at {address} within 0.2 seconds; is it running there?" in said
    said = command(capsys, "fit", files, *FIT, "--engine", "spark", code=2)
    assert "there is no engine 'spark'; name one of dask, ray" in said


def test_a_scheduler_without_workers_is_one_line(files, capsys, monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT", 0.2)
    with threads(n_workers=0) as nobody:
        address = nobody.scheduler_address.replace("tcp://", "dask://")
        said = command(capsys, "fit", files, *FIT, "--engine", address, code=2)
    assert "has had no worker for 0.2 seconds; start some." in said


def test_without_dask_nothing_is_a_client_and_the_command_line_says_what_to_install(files, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "distributed")
    assert not dask_workers.is_client(object()) and dask_workers.active_client() is None
    with pytest.raises(TypeError, match="engine must be None, 'serial', a distributed.Client or 'ray', got 3"):
        naming.machines(3)
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = command(capsys, "fit", files, *FIT, "--engine", "dask", code=2)
    assert "Dask's workers need dask.distributed: pip install 'ridgeline[dask]'" in said
