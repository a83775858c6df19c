"""Folds on Ray's workers: the bits of a serial fit, whatever partitions hold and whichever worker dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import LogisticRegression, Moments, Ridge, model_file, source
from ridgeline.watch import OutOfTime, watch, watched

from .rows import ENDS, FEATURES, FITS, assert_same_bits, clone, columns

ray = pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")
pandas = pytest.importorskip("pandas")
pytest.importorskip("narwhals")

# Ray's own modules warn while they are imported, and leave sockets to the collector of garbage.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]

COLUMNS = columns()
X = np.column_stack([COLUMNS[name] for name in "abcde"])


@pytest.fixture(scope="session", autouse=True)
def workers():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def arrow_parts():
    whole = pa.table(COLUMNS)
    return [whole.slice(a, b - a) for a, b in pairwise(ENDS)]


def pandas_parts():
    whole = pandas.DataFrame(COLUMNS)
    return [whole.iloc[a:b] for a, b in pairwise(ENDS)]


def chunks(target, weight=None, offset=None):
    y = np.column_stack([COLUMNS[name] for name in target]) if isinstance(target, list) else COLUMNS[target]
    parts = (X, y, None if weight is None else COLUMNS[weight], None if offset is None else COLUMNS[offset])
    return [tuple(None if part is None else part[a:b] for part in parts) for a, b in pairwise(ENDS)]


def put(parts):
    return [ray.put(part) for part in parts]


@pytest.fixture(scope="module")
def frames(workers):
    return put(arrow_parts())


@pytest.mark.parametrize("name", FITS)
def test_frames_are_fitted_where_they_are(name, frames):
    model, roles = FITS[name]
    got = clone(model).fit_source(source(frames, features=FEATURES, **roles))
    want = clone(model).fit_source(source(frames, features=FEATURES, engine="serial", **roles))
    assert_same_bits(got, want)
    assert list(got.feature_names_in_) == list(want.feature_names_in_)


@pytest.mark.parametrize("name", FITS)
def test_chunks_are_fitted_where_they_are(name):
    model, roles = FITS[name]
    parts = chunks(**roles)
    assert_same_bits(clone(model).fit_source(source(put(parts))), clone(model).fit_source(source(parts)))


@pytest.mark.parametrize("make", [arrow_parts, pandas_parts])
def test_a_dataset_and_its_blocks(make):
    import ray.data

    make_dataset = ray.data.from_arrow if make is arrow_parts else ray.data.from_pandas
    dataset = make_dataset(make())
    want = Ridge().fit_source(source(chunks("y", "s")))
    got = Ridge().fit_source(source(dataset, target="y", weight="s", features=list("abcde")))
    assert_same_bits(got, want)
    assert not dataset.context.execution_options.preserve_order  # as it was


def test_a_dataset_that_is_not_computed_yet_keeps_its_order():
    import ray.data

    def slow_first(batch):
        time.sleep(0.3 * (batch["id"][0] == 0))
        return {"a": np.sin(batch["id"]), "y": batch["id"] * 1.0}

    dataset = ray.data.range(4000, override_num_blocks=4).map_batches(slow_first, batch_size=None)
    got = Ridge().fit_source(source(dataset, target="y"))
    x, y = np.sin(np.arange(4000))[:, None], np.arange(4000.0)
    assert_same_bits(got, Ridge().fit_source(source([(x[k : k + 1000], y[k : k + 1000]) for k in range(0, 4000, 1000)])))


def test_frames_of_pandas_and_one_without_rows_first():
    parts = pandas_parts()
    order = [1, 0, *range(2, len(parts))]
    assert not len(parts[1])
    got = Ridge().fit_source(source(put([parts[k] for k in order]), target="y", features=FEATURES))
    want = Ridge().fit_source(source(put([arrow_parts()[k] for k in order]), target="y", features=FEATURES, engine="serial"))
    assert_same_bits(got, want)


def test_names_as_objects():
    parts = [(x, y.astype(object)) for x, y, *_ in chunks("kind")[3:]]
    got = LogisticRegression().fit_source(source(put(parts)))
    assert got.classes_.tolist() == ["low", "mid", "top"]
    assert_same_bits(got, LogisticRegression().fit_source(source(parts)))


def test_moments(frames):
    got = Moments.of_source(source(frames, target="y", weight="s", features=list("abcde")))
    assert got.to_bytes() == Moments.of_source(source([part[:3] for part in chunks("y", "s")])).to_bytes()


def test_who_reads(frames):
    def engine(**options):
        return source(frames, target="y", **options).partitions

    assert engine() is not None and engine(engine="ray") is not None
    assert engine(engine="serial") is None
    with pytest.raises(TypeError, match="engine of rows in Ray must be None, 'ray' or 'serial', got 'dask'"):
        engine(engine="dask")


def test_what_is_no_data():
    with pytest.raises(TypeError, match="of Ray holds no rows; pass a dataset, or a list of references"):
        source(ray.put(1), target="y")
    with pytest.raises(ValueError, match=r"chunk 0 must be a tuple \(X, y\)"):
        source(put(arrow_parts()))


def test_an_error_on_a_worker_names_the_partition():
    parts = arrow_parts()
    bad = np.where(np.arange(len(parts[9])) == 3, np.nan, COLUMNS["a"][ENDS[9] : ENDS[10]])
    parts[9] = parts[9].set_column(0, "a", pa.array(bad))
    model = Ridge()
    with pytest.raises(ValueError, match="column 'a' contains NaN in row 3 of partition 9 of the frames in Ray") as caught:
        model.fit_source(source(put(parts), target="y", features=list("abcde")))
    assert caught.value.__notes__ == ["(in partition 9)"]
    assert not hasattr(model, "coef_")


def test_an_error_of_the_users_own_task_stays_what_it_was(frames):
    @ray.remote
    def fail():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Ridge().fit_source(source([*frames, fail.remote()], target="y", features=["a"]))


class Opened(tuple):
    """A chunk whose opening on a worker does something else too: `act(*arguments)`."""

    def __new__(cls, chunk, act, *arguments):
        self = super().__new__(cls, chunk)
        self.act = (act, *arguments)
        return self

    def __reduce__(self):
        return _opened, (tuple(self), *self.act)


def _opened(chunk, act, *arguments):
    act(*arguments)
    return Opened(chunk, act, *arguments)


def test_a_time_limit_ends_the_work():
    given = source(put([Opened(chunk, time.sleep, 1.0) for chunk in chunks("y")]))
    begun = time.monotonic()
    with watched(time_limit=1.0), pytest.raises(OutOfTime):
        watch().limited = True
        Moments.of_source(given)
    assert time.monotonic() - begun < 10  # not the eleven seconds of all partitions


@ray.remote
def process():
    return os.getpid()


@pytest.mark.parametrize(("name", "after"), [("Huber", 3), ("logistic", 1), ("softmax", 5)])
def test_a_worker_that_is_killed_costs_time_and_no_bit(name, after, frames):
    model, roles = FITS[name]
    want = clone(model).fit_source(source(frames, features=FEATURES, engine="serial", **roles))
    given = source(frames, features=FEATURES, **roles)
    struck = threading.Event()

    def strike():
        while given.reads <= after:
            time.sleep(0.001)
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        struck.set()

    victims = set(ray.get([process.remote() for _ in range(20)]))
    threading.Thread(target=strike, daemon=True).start()
    got = clone(model).fit_source(given)
    assert struck.wait(10)
    assert not victims & set(ray.get([process.remote() for _ in range(20)]))
    assert_same_bits(got, want)


def die_at_times(marks):
    with open(marks, "ab") as file:
        file.write(b".")
    if os.stat(marks).st_size in (3, 4, 9):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_at_a_partition_of_every_pass(tmp_path):
    """The third opening of partition 11, and later ones, end their process."""
    marks = tmp_path / "marks"
    parts = chunks("label")
    parts[11] = Opened(parts[11], die_at_times, str(marks))
    got = LogisticRegression().fit_source(source(put(parts)))
    assert marks.stat().st_size > 9
    assert_same_bits(got, LogisticRegression().fit_source(source(chunks("label"))))


def test_files_are_opened_by_those_who_fit_them_from_the_command_line_too(tmp_path):
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(COLUMNS), path, row_group_size=100)
    want = Ridge().fit_source(source(path, target="y", features=list("abcde")))
    assert_same_bits(Ridge().fit_source(source(path, target="y", features=list("abcde"), engine="ray")), want)
    options = ["--target", "y", "--drop", "colour,z,label,kind,count,s,o", "--engine", "ray", "--out", str(tmp_path / "m.rl")]
    subprocess.run([sys.executable, "-m", "ridgeline", "fit", str(path), *options], check=True, capture_output=True, timeout=100)
    assert_same_bits(model_file.load(tmp_path / "m.rl"), want)
