"""Tables in every place: the same fit as of the arrays, by every estimator; columns by name, words one-hot, messages with the place."""

import numpy as np
import pytest

from ridgeline import HuberRegressor, LinearRegression, LogisticRegression, QuantileRegressor, Ridge, source
from ridgeline.moments import moments_of
from ridgeline.sources import fold

pa = pytest.importorskip("pyarrow")
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet  # noqa: F401

N = 1000
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=N), RNG.normal(size=N)
COLOUR = RNG.choice(["red", "green", "blue"], N)
S = RNG.uniform(0.1, 1, N)
O = RNG.normal(size=N)  # noqa: E741
Y = A - B + (COLOUR == "red") + RNG.normal(size=N)
LABEL = np.where(Y > 0.3, "yes", "no")
KIND = np.array(["low", "mid", "top"])[np.digitize(Y, [-0.5, 0.8])]
COUNT = (Y > 0).astype(np.int64)
X = np.column_stack([A, B, COLOUR == "green", COLOUR == "red"]).astype(float)
FEATURES = ["a", "b", "colour"]
COLUMNS = {"a": A, "b": B, "colour": COLOUR, "y": Y, "s": S, "o": O, "label": LABEL, "kind": KIND, "count": COUNT}


def arrow():
    return pa.table(COLUMNS)


def parquet(folder, table=None, **options):
    path = folder / "rows.parquet"
    pa.parquet.write_table(arrow() if table is None else table, path, **{"row_group_size": 300, **options})
    return path


def two_files(folder):
    (folder / "rows").mkdir()
    pa.parquet.write_table(arrow().slice(0, 400), folder / "rows" / "part-0.parquet")
    pa.parquet.write_table(arrow().slice(400), folder / "rows" / "part-1.parquet")
    (folder / "rows" / "_SUCCESS").write_text("")
    return folder / "rows"


def csv(folder):
    pa.csv.write_csv(arrow(), folder / "rows.csv")
    return folder / "rows.csv"


def by_colour(folder):
    pa.parquet.write_to_dataset(arrow(), folder / "by", partition_cols=["colour"])
    return folder / "by"


def frame(package):
    return pytest.importorskip(package).DataFrame({name: list(values) for name, values in COLUMNS.items()})


def pandas_frame(folder):
    pytest.importorskip("narwhals")
    return frame("pandas")


def polars_frame(folder):
    pytest.importorskip("narwhals")
    return frame("polars")


def dask_frame(folder):
    pytest.importorskip("narwhals")
    dask = pytest.importorskip("dask.dataframe")
    return dask.from_pandas(frame("pandas"), npartitions=3)


def ipc(folder):
    pa.dataset.write_dataset(arrow(), folder / "ipc", format="ipc")
    return pa.dataset.dataset(folder / "ipc", format="ipc")


PLACES = {
    "Parquet file": parquet,
    "folder": two_files,
    "glob": lambda folder: str(two_files(folder) / "*.parquet"),
    "list of files": lambda folder: sorted(two_files(folder).glob("*.parquet")),
    "folders by value": by_colour,
    "Arrow table": lambda folder: arrow(),
    "dictionaries": lambda folder: arrow().set_column(2, "colour", arrow()["colour"].dictionary_encode()),
    "Parquet of dictionaries": lambda folder: parquet(folder, arrow().set_column(2, "colour", arrow()["colour"].dictionary_encode())),
    "record batch": lambda folder: arrow().combine_chunks().to_batches()[0],
    "dataset": lambda folder: pa.dataset.dataset(two_files(folder)),
    "filtered dataset": lambda folder: pa.dataset.dataset(two_files(folder)).filter(pa.dataset.field("s") > 0),
    "IPC dataset": ipc,
    "CSV": csv,
    "pandas": pandas_frame,
    "polars": polars_frame,
    "Dask": dask_frame,
}


FITS = {
    "LinearRegression": (LinearRegression(), "y", Y),
    "Ridge": (Ridge(alpha=2.0), "y", Y),
    "HuberRegressor": (HuberRegressor(alpha=0.1), "y", Y),
    "QuantileRegressor": (QuantileRegressor(alpha=0.0), "y", Y),
    "LogisticRegression": (LogisticRegression(), "label", LABEL),
    "LogisticRegression of numbers": (LogisticRegression(class_weight="balanced"), "count", COUNT),
    "multinomial": (LogisticRegression(class_weight={"mid": 2.0}), "kind", KIND),
}


def clone(model):
    return type(model)(**model.get_params())


@pytest.mark.parametrize("place", PLACES)
def test_a_table_is_its_rows_wherever_it_is(place, tmp_path):
    where = PLACES[place](tmp_path)
    given = source(where, target="y", weight="s", offset="o", features=FEATURES)
    assert given.schema.features == ("a", "b", "colour=green", "colour=red")
    assert given.n_features == 4 and given.dtype == np.float64
    for model, target, y in FITS.values():
        got = clone(model).fit_source(source(where, target=target, weight="s", features=FEATURES))
        want = clone(model).fit(X, y, S)
        np.testing.assert_allclose(got.coef_, want.coef_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(got.intercept_, want.intercept_, rtol=1e-9, atol=1e-9)
        assert list(got.feature_names_in_) == ["a", "b", "colour=green", "colour=red"]
        assert got.certificate_.status == want.certificate_.status
        if hasattr(want, "classes_"):
            assert got.classes_.tolist() == want.classes_.tolist()
            assert got.classes_.dtype.kind == want.classes_.dtype.kind
        if isinstance(model, Ridge):
            np.testing.assert_allclose(got.coef_, want.coef_, rtol=1e-12)


@pytest.mark.parametrize("place", ["Parquet file", "Arrow table", "pandas", "polars", "Dask", "CSV"])
def test_the_same_bits_for_any_number_of_threads(place, tmp_path):
    where = PLACES[place](tmp_path)
    for Model in (Ridge, LogisticRegression, HuberRegressor):
        target = "count" if Model is LogisticRegression else "y"
        bits = {
            Model().fit_source(source(where, target=target, weight="s", features=FEATURES, n_threads=n)).coef_.tobytes() for n in (1, 2, 5)
        }
        assert len(bits) == 1


@pytest.mark.parametrize("place", ["Arrow table", "pandas", "polars"])
def test_a_table_in_memory_has_the_bits_of_its_arrays(place, tmp_path):
    given = source(PLACES[place](tmp_path), target="y", weight="s", features=FEATURES)
    assert moments_of(given).to_bytes() == moments_of(source(X, Y, S)).to_bytes()


def test_row_groups_and_partitions_have_the_bits_of_chunks(tmp_path):
    def chunks(*cuts):
        return lambda: [(X[a:b], Y[a:b], S[a:b]) for a, b in zip((0, *cuts), (*cuts, N))]

    def bits(given):
        return moments_of(given).to_bytes()

    roles = {"target": "y", "weight": "s", "features": FEATURES}
    assert bits(source(parquet(tmp_path), **roles)) == bits(source(chunks(300, 600, 900)))
    assert bits(source(two_files(tmp_path), **roles)) == bits(source(chunks(400)))
    frames = dask_frame(tmp_path)
    cuts = np.cumsum([len(frames.get_partition(k)) for k in range(2)])
    assert bits(source(frames, **roles)) == bits(source(chunks(*cuts)))


def test_a_long_row_group_has_the_segments_of_a_matrix(tmp_path):
    rng = np.random.default_rng(1)
    wide, y = rng.normal(size=(30_000, 40)), rng.normal(size=30_000)
    table = pa.table({**{f"x{j}": wide[:, j] for j in range(40)}, "y": y})
    path = parquet(tmp_path, table, row_group_size=30_000)
    assert moments_of(source(path, target="y")).to_bytes() == moments_of(source(wide, y)).to_bytes()


def test_offsets_shift_the_targets_of_a_regression_and_the_odds_of_a_classifier(tmp_path):
    path = parquet(tmp_path)
    for model in (Ridge(), HuberRegressor(), QuantileRegressor(alpha=0)):
        got = clone(model).fit_source(source(path, target="y", weight="s", offset="o", features=FEATURES))
        same = clone(model).fit_source(source(X, Y, S, offset=O))
        want = clone(model).fit(X, Y - O, S)
        np.testing.assert_allclose(got.coef_, want.coef_, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(same.coef_, want.coef_, rtol=1e-8, atol=1e-10)
    # an offset that is a column of X takes its whole effect away from that column
    far = LogisticRegression(C=np.inf).fit_source(source(path, target="label", offset="a", features=FEATURES))
    want = LogisticRegression(C=np.inf).fit(X, LABEL)
    np.testing.assert_allclose(far.coef_ + [1, 0, 0, 0], want.coef_, rtol=1e-7)
    with pytest.raises(ValueError, match="offsets serve two classes, and there are 3"):
        LogisticRegression().fit_source(source(path, target="kind", offset="o", features=FEATURES))


def test_several_targets(tmp_path):
    got = Ridge().fit_source(source(parquet(tmp_path), target=["y", "o"], features=FEATURES))
    np.testing.assert_allclose(got.coef_, Ridge().fit(X, np.column_stack([Y, O])).coef_, rtol=1e-12)
    with pytest.raises(ValueError, match="2 targets per row where one is needed"):
        HuberRegressor().fit_source(source(parquet(tmp_path), target=["y", "o"], features=FEATURES))


def test_all_other_columns_are_features_in_the_order_of_the_table():
    given = source(arrow().drop_columns(["label", "kind"]), target="y", weight="s")
    assert given.schema.features == ("a", "b", "colour=green", "colour=red", "o", "count")


def test_categories_may_be_given_and_the_first_is_the_reference(tmp_path):
    order = ["red", "blue", "green", "violet"]
    given = source(parquet(tmp_path), target="y", features=FEATURES, categories={"colour": order})
    assert given.schema.features == ("a", "b", "colour=blue", "colour=green", "colour=violet")
    parts = np.concatenate([slab.X for segment in given.segments() for slab in segment])
    assert np.array_equal(parts, np.column_stack([A, B, *(name == COLOUR for name in order[1:])]))
    with pytest.raises(ValueError, match="column 'colour' holds 'blue' in row .*, which is not among its categories, red, green"):
        moments_of(source(parquet(tmp_path), target="y", features=FEATURES, categories={"colour": ["red", "green"]}))
    with pytest.raises(ValueError, match="categories names 'a', which is not a feature .* that holds words"):
        source(parquet(tmp_path), target="y", features=FEATURES, categories={"a": ["red"]})


def test_too_many_categories_are_no_categories():
    table = pa.table({"id": [f"person {i}" for i in range(1500)], "y": np.zeros(1500)})
    with pytest.raises(ValueError, match="'id' .* more than 1000 distinct words: it looks like a name"):
        source(table, target="y")


KINDS = {
    "float16": (pa.array(np.arange(4, dtype=np.float16)), np.float32),
    "float32": (pa.array(np.arange(4), pa.float32()), np.float32),
    "float64": (pa.array(np.arange(4), pa.float64()), np.float64),
    "int8": (pa.array(np.arange(4), pa.int8()), np.float64),
    "uint64": (pa.array(np.arange(4), pa.uint64()), np.float64),
    "bool": (pa.array([False, True, True, False]), np.float64),
    "decimal": (pa.array([0, 1, 2, 3], pa.int64()).cast(pa.decimal128(30, 2)), np.float64),
    "words beside float32": (pa.array(["a", "b", "b", "a"]), np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["memory", "Parquet"])
def test_every_kind_of_number_is_read(kind, place, tmp_path):
    values, dtype = KINDS[kind]
    table = pa.table({"x": values, "y": [1.0, 2.0, 3.0, 5.0]})
    if kind.startswith("words"):
        table = table.append_column("z", pa.array(np.arange(4), pa.float32()))
    where = parquet(tmp_path, table) if place == "Parquet" else table
    given = source(where, target="y")
    assert given.dtype == dtype
    rows = np.concatenate([slab.X for segment in given.segments() for slab in segment])
    assert rows.dtype == dtype
    assert np.array_equal(rows[:, 0], [0, 1, 1, 0] if kind in ("bool", "words beside float32") else np.arange(4))


@pytest.mark.parametrize("values, message", [
    (pa.array([1, 2], pa.timestamp("s")), r"column 'x' of the Arrow table holds times \(timestamp"),
    (pa.array([[1.0], [2.0]]), "column 'x' of the Arrow table holds list"),
    (pa.array([b"a", b"b"]), "column 'x' of the Arrow table holds binary"),
    (pa.nulls(2), "column 'x' of the Arrow table holds nothing but empty cells"),
])  # fmt: skip
def test_what_no_fit_can_use_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        source(pa.table({"x": values, "y": [1.0, 2.0]}), target="y")
    source(pa.table({"x": values, "y": [1.0, 2.0], "z": [1, 2]}), target="y", features=["z"])


def test_columns_that_are_not_there_are_named_with_the_nearest():
    table = arrow()
    for roles, message in [
        ({"target": "lable"}, "no target 'lable'; did you mean 'label'"),
        ({"target": "y", "features": ["a", "colours"]}, "no column 'colours'; did you mean 'colour'"),
        ({"target": "y", "weight": "w8"}, "no weight 'w8'"),
        ({"target": "y", "weight": "label"}, "weight 'label' of the Arrow table holds words where numbers are needed"),
        ({"target": "y", "features": ["a", "y"]}, "column 'y' is named twice"),
        ({"target": "y", "features": ["a", "a"]}, "column 'a' is named twice"),
        ({"target": ["y", "label"]}, "target 'label' of the Arrow table holds words"),
        ({}, "target is missing"),
    ]:
        with pytest.raises(ValueError, match=message):
            source(table, **roles)
    with pytest.raises(TypeError, match="features is a list"):
        source(table, target="y", features="a")
    with pytest.raises(TypeError, match="name the column: .*target="):
        source("rows.parquet", Y)
    with pytest.raises(TypeError, match="target= names columns of a table, and these data are a matrix"):
        source(X, Y, target="y")
    with pytest.raises(ValueError, match="two columns named 'a'"):
        source(pa.Table.from_arrays([pa.array([1.0])] * 2, ["a", "a"]), target="a")


def test_a_regression_of_names_is_refused():
    given = source(arrow(), target="label", features=FEATURES)
    for Model in (Ridge, HuberRegressor, QuantileRegressor):
        with pytest.raises(ValueError, match="the target holds names .no, .* LogisticRegression"):
            Model().fit_source(given)
    with pytest.raises(ValueError, match="continuous.*Ridge"):
        LogisticRegression().fit_source(source(arrow(), target="y", features=FEATURES))


def spoiled(name, row, value):
    values = list(COLUMNS[name])
    values[row] = value
    kind = pa.array(COLUMNS[name]).type
    return arrow().set_column(list(COLUMNS).index(name), name, pa.array(values, kind))


@pytest.mark.parametrize("name, value, message", [
    ("a", None, "column 'a' is empty .null."),
    ("a", np.nan, "column 'a' contains NaN"),
    ("a", np.inf, "column 'a' contains infinity"),
    ("colour", None, "column 'colour' is empty .null."),
    ("y", None, "column 'y' is empty .null."),
    ("y", -np.inf, "target 'y' contains infinity"),
    ("s", np.nan, "column 's' contains NaN|weight 's' contains NaN"),
    ("s", -1.0, "weight 's' .* is negative"),
    ("o", np.nan, "column 'o' contains NaN"),
])  # fmt: skip
def test_a_bad_cell_is_named_with_file_row_group_row_and_column(name, value, message, tmp_path):
    path = parquet(tmp_path, spoiled(name, 750, value))
    roles = {"target": "y", "weight": "s", "offset": "o", "features": FEATURES}
    model = Ridge().fit(X, Y)
    before = model.coef_.copy()
    where = rf" in row 750 of {path} \(row group 2, row 150 of it\)" if value != -1.0 else ""
    with pytest.raises(ValueError, match=f"(?:{message}){where}"):
        model.fit_source(source(path, **roles))
    assert (model.coef_ == before).all()
    for Model in (HuberRegressor, QuantileRegressor):
        with pytest.raises(ValueError, match=message):
            Model().fit_source(source(path, **roles))


def test_labels_that_are_missing_are_named(tmp_path):
    with pytest.raises(ValueError, match="column 'label' is empty .* row 7 of"):
        source(parquet(tmp_path, spoiled("label", 7, None)), target="label", features=FEATURES)


def not_utf_8(values):
    """Arrow strings whose bytes nobody has looked at."""
    data = b"".join(values)
    ends = np.cumsum([0, *map(len, values)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(data))


def test_text_that_is_not_utf_8_is_named():
    table = pa.table({"w": not_utf_8([b"a", b"\xff", b"b"]), "y": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match=r"column 'w' holds text that is not UTF-8 about row 0 of the Arrow table"):
        source(table, target="y")
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, pa.schema({"qqqq": pa.float64()})) as out:
        out.write_table(pa.table({"qqqq": [1.0, 2.0]}))
    damaged = stream.getvalue().to_pybytes().replace(b"qqqq", b"q\xff\xffq")
    with pytest.raises(ValueError, match="the Arrow table has a column whose name is not UTF-8 text"):
        source(pa.ipc.open_stream(damaged).read_all(), target="y")


def test_rows_without_weight_are_no_rows(tmp_path):
    table = arrow().set_column(4, "s", pa.array(np.zeros(N)))
    for where in (table, table.slice(0, 0), parquet(tmp_path, arrow().slice(0, 0))):
        for Model, target in ((Ridge, "y"), (HuberRegressor, "y"), (QuantileRegressor, "y"), (LogisticRegression, "count")):
            with pytest.raises(ValueError, match="no rows, or none with a positive weight"):
                Model().fit_source(source(where, target=target, weight="s", features=["a", "b"]))


def test_a_pass_over_the_targets_reads_no_other_column():
    given = source(arrow(), target="y", weight="s", features=FEATURES)
    asked = []
    batches = given.table.batches

    def spy(names, *rest):
        asked.append(list(names))
        return batches(names, *rest)

    given.table.batches = spy

    class Count:
        n = 0

        def add_rows(self, slab):
            self.n += len(slab.y)

        def merge(self, other):
            self.n += other.n

    assert fold(given.targets_only(), Count).n == N
    assert asked == [["y", "s"]] and given.reads == 0
