"""Ray's engine by a stand-in for Ray, in every run; `test_ray.py` holds the same against Ray itself."""

import sys
from itertools import pairwise

import numpy as np
import pytest

from ridgeline import LogisticRegression, Moments, QuantileRegressor, Ridge, model_file, source
from ridgeline.__main__ import main
from ridgeline.engines import ray_workers
from ridgeline.watch import OutOfTime, watch, watched

from .ray_stand_in import stand_in
from .rows import ENDS, FEATURES, FITS, assert_same_bits, clone, columns

COLUMNS = columns()
X = np.column_stack([COLUMNS[name] for name in "abcde"])


@pytest.fixture(autouse=True)
def ray(monkeypatch):
    ray = stand_in()
    monkeypatch.setitem(sys.modules, "ray", ray)
    ray_workers._tasks.cache_clear()
    yield ray
    ray_workers._tasks.cache_clear()


def frames():
    """Frames of a table, as Arrow's, of which one has no rows."""
    pa = pytest.importorskip("pyarrow")
    whole = pa.table(COLUMNS)
    return [whole.slice(a, b - a) for a, b in pairwise(ENDS)]


def chunks(*names):
    return [tuple(values[a:b] for values in (X, *(COLUMNS[name] for name in names))) for a, b in pairwise(ENDS)]


@pytest.mark.parametrize("name", FITS)
def test_frames_are_fitted_where_they_are(name, ray):
    model, roles = FITS[name]
    references = [ray.put(frame) for frame in frames()]
    got = clone(model).fit_source(source(references, features=FEATURES, **roles))
    assert_same_bits(got, clone(model).fit_source(source(references, features=FEATURES, engine="serial", **roles)))
    assert ray.tasks


def test_chunks_are_fitted_where_they_are(ray):
    parts = chunks("y", "s", "o")
    given = source([ray.put(part) for part in parts])
    assert (given.n_features, given.n_targets, given.schema.offset) == (5, 1, True)
    assert_same_bits(Ridge().fit_source(given), Ridge().fit_source(source(parts)))
    here = source([ray.put(part) for part in parts], engine="serial")
    assert here.partitions is None
    assert_same_bits(Ridge().fit_source(here), Ridge().fit_source(source(parts)))


def test_names_as_objects(ray):
    parts = [(x, y.astype(object)) for x, y in chunks("kind")]
    got = LogisticRegression().fit_source(source([ray.put(part) for part in parts]))
    assert got.classes_.tolist() == ["low", "mid", "top"]
    assert_same_bits(got, LogisticRegression().fit_source(source(parts)))


def test_a_dataset_keeps_its_order(ray):
    dataset = ray.Dataset(frames())
    got = Ridge().fit_source(source(dataset, target="y", weight="s", features=list("abcde")))
    assert_same_bits(got, Ridge().fit_source(source(chunks("y", "s"))))
    assert not dataset.context.execution_options.preserve_order  # as it was


def test_the_kinds_of_columns_are_those_of_the_first_frame_with_rows(ray):
    pa = pytest.importorskip("pyarrow")
    empty = pa.table({"a": pa.array([], pa.null()), "y": pa.array([], pa.null())})
    rows = pa.table({"a": [1.0, 2.0, 4.0], "y": [1.0, 3.0, 2.0]})
    given = source([ray.put(part) for part in (empty, rows, rows)], target="y")
    assert given.known_rows == 6 and given.table.columns["a"].dtype == np.float64
    with pytest.raises(ValueError, match="the Ray dataset: there are no rows"):
        source(ray.Dataset([]), target="y")


def test_who_reads(ray):
    references = [ray.put(frame) for frame in frames()]

    def engine(**options):
        return source(references, target="y", features=["a"], **options).partitions

    assert engine() is not None and engine(engine="ray") is not None and engine(engine="serial") is None
    with pytest.raises(TypeError, match="engine of rows in Ray must be None, 'ray' or 'serial', got 'dask'"):
        engine(engine="dask")
    with pytest.raises(TypeError, match="a ObjectRef of Ray holds no rows; pass a dataset, or a list of references"):
        source(references[0], target="y")


def test_an_error_on_a_worker_names_the_partition(ray):
    parts = chunks("y")
    parts[9] = (np.where(np.arange(len(parts[9][0]))[:, None] == 3, np.nan, parts[9][0]), parts[9][1])
    model = Ridge()
    with pytest.raises(ValueError, match="X in chunk 9 contains NaN at row 3, column 0") as caught:
        model.fit_source(source([ray.put(part) for part in parts]))
    assert caught.value.__notes__ == ["(in partition 9)"] and not hasattr(model, "coef_")


def test_a_time_limit_ends_the_work_and_cancels_what_is_left(ray):
    given = source([ray.put(part) for part in chunks("y")])
    before = len(ray.tasks)
    with watched(time_limit=0.0), pytest.raises(OutOfTime):
        watch().limited = True
        Moments.of_source(given)
    left = [task for task in ray.tasks[before:] if task.image is None]
    assert len(left) > len(ENDS) - 2  # all partitions, and the nodes above them
    assert [task.cancelled for task in ray.tasks[before:]].count(True) == len(ENDS)  # every leaf and the root, which nobody will ask for


def test_partitions_that_are_done_are_told_of_one_by_one(ray):
    counts = []

    class Display:
        def begin(self, read, total, unit):
            assert (total, unit) == (len(ENDS) - 1, "partitions")

        def done(self, count):
            counts.append(count)

        def close(self):
            pass

    with watched(time_limit=1e9):
        watch().display = Display()
        Moments.of_source(source([ray.put(part) for part in chunks("y")]))
    assert sum(counts) == len(ENDS) - 1 and set(counts) == {0, 1}


def test_files_are_opened_by_those_who_fit_them_from_the_command_line_too(ray, tmp_path, capsys, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(COLUMNS), path, row_group_size=300)
    want = Ridge().fit_source(source(path, target="y", features=list("abcde")))
    assert_same_bits(Ridge().fit_source(source(path, target="y", features=list("abcde"), engine="ray")), want)
    options = ["--target", "y", "--drop", "colour,z,label,kind,count,s,o", "--out", str(tmp_path / "m.rl")]
    for engine, address in (("ray", None), ("ray://head:6379", "head:6379")):
        assert main(["fit", str(path), *options, "--engine", engine]) == 0
        assert_same_bits(model_file.load(tmp_path / "m.rl"), want)
        assert ray.begun[-1]["address"] == address and not ray.running
    monkeypatch.setitem(sys.modules, "ray", None)
    capsys.readouterr()
    assert main(["fit", str(path), *options, "--engine", "ray"]) == 2
    assert capsys.readouterr().err == "ridgeline: error: Ray's workers need ray: pip install 'ridgeline[ray]'.\n"


def test_rows_that_a_fit_needs_one_by_one_are_brought_here(ray):
    parts = chunks("y")
    got = QuantileRegressor(alpha=0.01).fit_source(source([ray.put(part) for part in parts]))
    assert (got.coef_ == QuantileRegressor(alpha=0.01).fit_source(source(parts)).coef_).all()
