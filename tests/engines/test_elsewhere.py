"""Files that a cluster's workers open, from Python and from the command line; fits on a cluster that are killed and go on."""

import multiprocessing
import os
import signal
import socket
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import LogisticRegression, Ridge, checkpoint, model_file, source
from ridgeline.engines import dask_workers

from .rows import ENDS, FEATURES, FITS, assert_same_bits, clone, columns, command

distributed = pytest.importorskip("distributed")
pa = pytest.importorskip("pyarrow")
import pyarrow.csv
import pyarrow.parquet as pq

pytest.importorskip("narwhals")
pandas, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
import dask

pytestmark = pytest.mark.slow

COLUMNS = columns()


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0, silence_logs=50
        ) as workers,
        distributed.Client(workers, timeout="30s", set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The rows in three files, of several row groups each."""
    folder = tmp_path_factory.mktemp("rows")
    whole = pa.table(COLUMNS)
    for k, (a, b) in enumerate([(0, 500), (500, 501), (501, len(whole))]):
        pq.write_table(whole.slice(a, b - a), folder / f"rows{k}.parquet", row_group_size=150)
    return folder


@pytest.mark.parametrize("name", FITS)
def test_files_are_fitted_by_those_who_open_them(name, client, files):
    model, roles = FITS[name]
    got = clone(model).fit_source(source(files, features=FEATURES, engine=client, **roles))
    assert_same_bits(got, clone(model).fit_source(source(files, features=FEATURES, **roles)))


def test_relative_paths_mean_this_process(client, files, monkeypatch):
    want = Ridge().fit_source(source(files, target="y", features=["a"]))
    monkeypatch.chdir(files)
    assert_same_bits(Ridge().fit_source(source("rows*.parquet", target="y", features=["a"], engine=client)), want)


def test_damage_is_named_with_its_file_and_left_out_on_request(client, files, tmp_path):
    path = tmp_path / "bad.parquet"
    image = bytearray((files / "rows0.parquet").read_bytes())
    start = pq.ParquetFile(files / "rows0.parquet").metadata.row_group(1).column(0).data_page_offset
    image[start + 40 : start + 400] = os.urandom(360)
    path.write_bytes(image)
    with pytest.raises(ValueError, match="bad.parquet is damaged in row group 1"):
        Ridge().fit_source(source(path, target="y", features=["a"], engine=client))
    with pytest.warns(UserWarning, match="skipped 150 rows"):
        given = source(path, target="y", features=["a"], engine=client, on_error="skip")
    with pytest.warns(UserWarning, match="skipped 150 rows"):
        here = source(path, target="y", features=["a"], on_error="skip")
    assert_same_bits(Ridge().fit_source(given), Ridge().fit_source(here))


def test_csv_is_refused(client, tmp_path):
    pyarrow.csv.write_csv(pa.table(COLUMNS), tmp_path / "rows.csv")
    with pytest.raises(TypeError, match="is CSV, which is read from its beginning"):
        source(tmp_path / "rows.csv", target="y", engine=client)


@pytest.mark.parametrize("target", ["y", "label", "count"])
def test_the_command_line_names_a_scheduler(target, client, files, tmp_path, capsys):
    address = client.scheduler.address.replace("tcp://", "dask://")
    options = ["--target", target, "--weight", "s", "--one-hot", "--drop", ",".join({"y", "z", "label", "kind", "count", "o"} - {target})]
    there = command(capsys, "fit", files, *options, "--engine", address, "--out", tmp_path / "there.rl")
    here = command(capsys, "fit", files, *options, "--out", tmp_path / "here.rl")
    assert there.replace("there.rl", "here.rl") == here
    assert_same_bits(model_file.load(tmp_path / "there.rl"), model_file.load(tmp_path / "here.rl"))


def test_the_command_line_starts_workers_of_its_own(files, tmp_path, capsys):
    out = command(capsys, "fit", files, "--target", "y", "--drop", "z,label,kind,count,colour", "--engine", "dask")
    assert out == command(capsys, "fit", files, "--target", "y", "--drop", "z,label,kind,count,colour")


def test_what_does_not_answer_is_one_line(files, capsys, monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT", 1.0)
    with socket.socket() as nobody:  # bound, and never listening
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        said = command(capsys, "fit", files, "--target", "y", "--engine", f"dask://{address}", code=2)
        assert f"no Dask scheduler answers at {address} within 1 seconds" in said
    said = command(capsys, "fit", files, "--target", "y", "--engine", "spark", code=2)
    assert "there is no engine 'spark'; name one of dask, ray" in said


def test_a_scheduler_without_workers_is_one_line(files, capsys, monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT", 1.0)
    with distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=":0", silence_logs=50) as nobody:
        address = nobody.scheduler_address.replace("tcp://", "dask://")
        assert "has had no worker for 1 seconds" in command(capsys, "fit", files, "--target", "y", "--engine", address, code=2)


FEW = ENDS[[0, 5, 10, -1]]
"""Where three partitions begin and end: what is not persisted travels in every pass."""


def frame(values=COLUMNS, ends=FEW):
    whole = pandas.DataFrame(values)
    parts = [dask.delayed(whole.iloc[a:b]) for a, b in pairwise(ends)]
    return dd.from_delayed(parts, meta=whole.iloc[:0], verify_meta=False)


def killed_at(read, name, address, path):
    """A process that fits on a cluster, and is killed when that read has begun."""
    model, roles = FITS[name]
    with distributed.Client(address, set_as_default=False) as client:
        given = source(frame(), features=FEATURES, engine=client, **roles)
        engine = given.partitions.engine
        total = engine.total

        def deadly(recipe, waiting):
            if given.reads >= read:
                os.kill(os.getpid(), signal.SIGKILL)
            return total(recipe, waiting)

        engine.total = deadly
        with checkpoint(path, every=0.0):
            clone(model).fit_source(given)


@pytest.mark.parametrize(("name", "read"), [("ridge, weighted", 1), ("Huber", 4), ("logistic", 5), ("softmax", 3)])
def test_a_fit_on_a_cluster_that_is_killed_goes_on_to_the_same_bits(name, read, client, tmp_path):
    model, roles = FITS[name]
    path = str(tmp_path / "fit.checkpoint")
    process = multiprocessing.get_context("spawn").Process(target=killed_at, args=(read, name, client.scheduler.address, path))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    given = source(frame(), features=FEATURES, engine=client, **roles)
    asked = count_folds(given)
    with checkpoint(path):
        got = clone(model).fit_source(given)
    assert_same_bits(got, clone(model).fit_source(source(frame(), features=FEATURES, engine=client, **roles)))
    assert asked[0] <= 1 + given.reads - (read - 1)  # one to know the rows, and those that were not recorded
    assert not os.path.exists(path)


def count_folds(given):
    engine = given.partitions.engine
    asked, total = [0], engine.total

    def counted(recipe, waiting):
        asked[0] += 1
        return total(recipe, waiting)

    engine.total = counted
    return asked


class Enough(Exception):
    """Ends a fit in the middle."""


def stopped(given, model, path):
    """A fit whose third read fails."""
    engine = given.partitions.engine
    total = engine.total

    def failing(recipe, waiting):
        if given.reads > 2:
            raise Enough
        return total(recipe, waiting)

    engine.total = failing
    with pytest.raises(Enough), checkpoint(path):
        model.fit_source(given)


def test_other_rows_are_refused(client, tmp_path):
    """Dask knows of both no more than the columns and the number of partitions."""
    roles = {"target": "label", "features": list("abcde"), "engine": client}
    path = tmp_path / "fit.checkpoint"
    stopped(source(frame(), **roles), LogisticRegression(), path)
    with pytest.raises(ValueError, match="is of another fit, or the rows have changed since"), checkpoint(path):
        LogisticRegression().fit_source(source(frame(columns(seed=1)), **roles))
    with checkpoint(path):  # and the others are still served, by whoever reads them
        got = LogisticRegression().fit_source(source(frame(), **{**roles, "engine": "serial"}))
    assert_same_bits(got, LogisticRegression().fit_source(source(frame(), **roles)))


def test_other_blocks_are_refused(client, tmp_path):
    import dask.array as da

    sizes = (tuple(np.diff(ENDS).tolist()), 5)
    X = np.column_stack([COLUMNS[name] for name in "abcde"])
    path = tmp_path / "fit.checkpoint"
    y = da.from_array(COLUMNS["count"] > 0, chunks=sizes[:1])
    stopped_model = LogisticRegression()
    given = source(da.from_array(X, chunks=sizes), y, engine=client)
    stopped(given, stopped_model, path)
    changed = X.copy()
    changed[-1] += 1  # in the last block but one
    with pytest.raises(ValueError, match="the rows have changed since"), checkpoint(path):
        LogisticRegression().fit_source(source(da.from_array(changed, chunks=sizes), y, engine=client))
