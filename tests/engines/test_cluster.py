"""Folds on a real cluster of processes: the bits of a serial fit, whatever partitions hold and whichever worker dies."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import HuberRegressor, LogisticRegression, Moments, Ridge, source
from ridgeline.watch import OutOfTime, watch, watched

from .rows import ENDS, FEATURES, FITS, SIZES, assert_same_bits, clone, columns

distributed = pytest.importorskip("distributed")
pytest.importorskip("narwhals")
pandas, da, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.array"), pytest.importorskip("dask.dataframe")
import dask

pytestmark = pytest.mark.slow

SETTINGS = {
    "distributed.comm.timeouts.connect": "20s",
    "distributed.comm.timeouts.tcp": "60s",
    "distributed.scheduler.allowed-failures": 20,  # one task may be unlucky several times, where workers are killed on purpose
    "distributed.admin.tick.limit": "60s",
}
COLUMNS = columns()
X = np.column_stack([COLUMNS[name] for name in "abcde"])


@contextmanager
def cluster():
    """A client of two worker processes."""
    with (
        dask.config.set(SETTINGS),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0, silence_logs=50
        ) as workers,
        distributed.Client(workers, timeout="30s") as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client():
    with cluster() as client:
        yield client


def frame():
    """The rows as a Dask frame of partitions of these sizes."""
    whole = pandas.DataFrame(COLUMNS)
    parts = [dask.delayed(whole.iloc[a:b]) for a, b in pairwise(ENDS)]
    return dd.from_delayed(parts, meta=whole.iloc[:0], verify_meta=False)


def in_blocks(values, sizes=SIZES):
    return da.from_array(values, chunks=(tuple(sizes), *values.shape[1:]))


def arrays(**roles):
    """Dask arrays, their order that of `source`: X, targets, weights, offsets."""
    y = COLUMNS[roles["target"]] if isinstance(roles["target"], str) else np.column_stack([COLUMNS[name] for name in roles["target"]])
    beside = {"sample_weight": roles.get("weight"), "offset": roles.get("offset")}
    vectors = {name: in_blocks(COLUMNS[column]) for name, column in beside.items() if column is not None}
    return {"data": in_blocks(X), "y": in_blocks(y), **vectors}


def here(**data):
    """The same source, read in this process by threads of its own."""
    return source(**data, engine="serial")


@pytest.fixture(scope="module")
def persisted(client):
    return frame().persist()


@pytest.mark.parametrize("name", FITS)
def test_frames_are_fitted_where_they_are(name, client, persisted):
    model, roles = FITS[name]
    with dask.config.set(scheduler="synchronous"):
        want = clone(model).fit_source(source(frame(), features=FEATURES, **roles))
    got = clone(model).fit_source(source(persisted, features=FEATURES, **roles))
    assert_same_bits(got, want)
    assert list(got.feature_names_in_) == list(want.feature_names_in_)


@pytest.mark.parametrize("name", FITS)
def test_arrays_are_fitted_where_they_are(name, client):
    model, roles = FITS[name]
    data = arrays(**roles)
    chunks = [tuple(part[a:b] for part in (X, np.asarray(data["y"]))) for a, b in pairwise(ENDS)]
    if len(data) > 2:
        weight, offset = (np.asarray(data[name]) if name in data else None for name in ("sample_weight", "offset"))
        chunks = [(*c, *(None if v is None else v[a:b] for v in (weight, offset))) for c, (a, b) in zip(chunks, pairwise(ENDS))]
    got = clone(model).fit_source(source(**data))
    assert_same_bits(got, clone(model).fit_source(source(chunks)))


def test_no_rows_come_to_the_client(client, persisted):
    class Counted:
        most = 0

    def count(image):
        Counted.most = max(Counted.most, len(image))
        return image

    given = source(persisted, target="label", features=FEATURES)
    engine = given.partitions.engine
    plain = engine.total
    engine.total = lambda recipe, waiting: count(plain(recipe, waiting))
    LogisticRegression().fit_source(given)
    assert 0 < Counted.most < 4000  # bytes: of a Hessian of eight parameters, not of 1484 rows


def test_float32_and_columns_in_several_blocks(client):
    wide = da.from_array(X.astype(np.float32), chunks=(tuple(SIZES), 2))
    given = source(wide, in_blocks(COLUMNS["y"]))
    assert given.dtype == np.float32
    chunks = [(X[a:b].astype(np.float32), COLUMNS["y"][a:b]) for a, b in pairwise(ENDS)]
    assert_same_bits(Ridge().fit_source(given), Ridge().fit_source(source(chunks)))


def test_targets_of_this_process_beside_blocks_of_the_cluster(client):
    got = HuberRegressor().fit_source(source(in_blocks(X), COLUMNS["y"], COLUMNS["s"], offset=COLUMNS["o"]))
    want = HuberRegressor().fit_source(here(data=in_blocks(X), y=COLUMNS["y"], sample_weight=COLUMNS["s"], offset=COLUMNS["o"]))
    assert_same_bits(got, want)


def test_blocks_of_unknown_length(client):
    rows = frame()
    unknown = rows[list("abcde")].to_dask_array()
    assert np.isnan(unknown.chunks[0]).all()
    got = Ridge().fit_source(source(unknown, rows["y"].to_dask_array()))
    assert_same_bits(got, Ridge().fit_source(source([(X[a:b], COLUMNS["y"][a:b]) for a, b in pairwise(ENDS)])))
    with pytest.raises(ValueError, match="unknown length, so y must be a Dask array"):
        source(unknown, COLUMNS["y"])


def test_names_as_objects(client):
    y = COLUMNS["kind"].astype(object)
    got = LogisticRegression().fit_source(source(in_blocks(X), in_blocks(y)))
    assert got.classes_.tolist() == ["low", "mid", "top"]
    assert np.array_equal(got.coef_, LogisticRegression().fit_source(source(in_blocks(X), in_blocks(COLUMNS["kind"]))).coef_)


def test_categories_of_a_frame_that_knows_only_some(client):
    table = frame()
    table["colour"] = table["colour"].astype("category")
    got = Ridge().fit_source(source(table, target="y", features=FEATURES))
    assert_same_bits(got, Ridge().fit_source(source(frame(), target="y", features=FEATURES)))


def test_moments(client, persisted):
    got = Moments.of_source(source(persisted, target="y", weight="s", features=list("abcde")))
    chunks = [(X[a:b], COLUMNS["y"][a:b], COLUMNS["s"][a:b]) for a, b in pairwise(ENDS)]
    assert got.to_bytes() == Moments.of_source(source(chunks)).to_bytes()


def test_who_reads_is_one_rule(client, persisted):
    def engine(**options):
        return source(persisted, target="y", features=["a"], **options).table.frames.client

    assert engine() is client
    assert engine(engine="serial") is None
    assert engine(engine=client) is client
    with dask.config.set(scheduler="threads"):
        assert engine() is None
    with pytest.raises(TypeError, match="engine of a Dask collection must be None, 'serial' or a distributed.Client, got 'threads'"):
        engine(engine="threads")
    with pytest.raises(TypeError, match="engine says who reads Parquet files or the partitions of a collection"):
        source(X, COLUMNS["y"], engine=client)


BAD = {
    "a cell of X": ("a", np.nan, "y", ValueError, r"column 'a' is empty \(null\) in row 3 of partition 9 of the Dask data frame"),
    "a target": ("y", np.inf, "y", ValueError, r"target 'y' contains infinity in row 3 of partition 9"),
    "a weight": ("s", -1.0, "y", ValueError, r"weight 's' in row 0 of partition 9"),
    "a label": ("count", 0.5, "count", ValueError, "Unknown label type: continuous"),
}


@pytest.mark.parametrize("what", BAD)
def test_an_error_on_a_worker_names_the_partition(what, client):
    column, value, target, kind, message = BAD[what]
    values = {**COLUMNS, column: COLUMNS[column].astype(float)}
    values[column][ENDS[9] + 3] = value
    whole = pandas.DataFrame(values)
    table = dd.from_delayed([dask.delayed(whole.iloc[a:b]) for a, b in pairwise(ENDS)], meta=whole.iloc[:0], verify_meta=False)
    model = LogisticRegression() if target == "count" else Ridge()
    with pytest.raises(kind, match=message) as caught:
        model.fit_source(source(table, target=target, weight="s", features=list("abcde")))
    assert caught.value.__notes__ == ["(in partition 9)"]
    assert not hasattr(model, "coef_")


def test_an_error_of_the_users_own_graph_stays_what_it_was(client):
    def fail(part):
        if len(part) == 500:
            raise KeyError("mine")
        return part

    table = frame().map_partitions(fail, meta=frame()._meta)
    with pytest.raises(KeyError, match="mine"):
        Ridge().fit_source(source(table, target="y", features=["a"]))


def test_a_time_limit_ends_the_work(client):
    def slow(part):
        time.sleep(1.0)
        return part

    table = frame().map_partitions(slow, meta=frame()._meta)
    begun = time.monotonic()
    with watched(time_limit=1.0), pytest.raises(OutOfTime):
        watch().limited = True
        Moments.of_source(source(table, target="y", features=["a"]))
    assert time.monotonic() - begun < 10  # not the eleven seconds of all partitions


@pytest.mark.parametrize(("name", "after"), [("Huber", 3), ("logistic", 1), ("softmax", 5)])
def test_a_worker_that_is_killed_costs_time_and_no_bit(name, after):
    model, roles = FITS[name]
    want = clone(model).fit_source(source(frame(), features=FEATURES, **roles))
    with cluster() as client:
        given = source(frame().persist(), features=FEATURES, **roles)
        victim = next(iter(client.run(os.getpid).values()))
        struck = threading.Event()

        def strike():
            while given.reads <= after:
                time.sleep(0.001)
            os.kill(victim, signal.SIGKILL)
            struck.set()

        threading.Thread(target=strike, daemon=True).start()
        got = clone(model).fit_source(given)
        assert struck.is_set()
    assert_same_bits(got, want)


def test_a_worker_that_dies_at_a_partition_of_every_pass(tmp_path):
    """The third reading of partition 5, and the next one after it, end their process: rows that are not persisted are read again."""
    marks = tmp_path / "marks"

    def deadly(part):
        if len(part) == 128:
            with open(marks, "ab") as file:
                file.write(b".")
            if marks.stat().st_size in (3, 4, 9):
                os.kill(os.getpid(), signal.SIGKILL)
        return part

    with cluster():
        table = frame().map_partitions(deadly, meta=frame()._meta)
        got = LogisticRegression().fit_source(source(table, target="label", features=FEATURES))
    assert marks.stat().st_size > 9
    with dask.config.set(scheduler="synchronous"):
        assert_same_bits(got, LogisticRegression().fit_source(source(frame(), target="label", features=FEATURES)))
