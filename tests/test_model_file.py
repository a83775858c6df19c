"""The model file: bit-for-bit round trips, and a ValueError for every file that is not one."""

import errno
import json
import os
import stat
import struct
import threading
import zlib

import numpy as np
import pytest

import ridgeline
from ridgeline import model_file
from ridgeline.certificate import Certificate, FitWarning

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=40)
LABELS = {
    "strings": np.where(Y > 0, "yes, é", "no"),
    "three strings": np.array(["a", "bb", "ccc"])[np.digitize(Y, [-1, 1])],
    "objects": np.where(Y > 0, "yes", "no").astype(object),
    "integers": (Y > 0).astype(np.int32) * 7 - 3,
    "booleans": Y > 0,
    "whole floats": np.where(Y > 0, 1.0, -2.0),
}
CERTIFICATE = Certificate("optimal", "cholesky: few columns", 1e-16, 0.1 + 0.2, 3.5, 1, "solved exactly.")


class Frame:
    """The least a data frame is: named columns and an array."""

    def __init__(self, array, columns):
        self.array, self.columns = array, columns

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


def ridge(**attributes):
    """A model fitted by hand, so that these tests need no solver."""
    model = ridgeline.Ridge(alpha=0.25)
    model.coef_ = np.array([0.1, -0.0, 5e-324])
    model.intercept_ = np.float64(0.1)
    model.n_features_in_ = 3
    model.certificate_ = CERTIFICATE
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def same(a, b):
    """Same type, same bits."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray) and a.dtype.kind == "O":
        assert a.shape == b.shape and all(same(x, y) for x, y in zip(a.ravel(), b.ravel()))
    elif isinstance(a, (np.ndarray, np.generic)):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    else:
        assert repr(a) == repr(b)
    return True


def assert_same_model(a, b):
    assert type(a) is type(b)
    assert a.get_params().keys() == b.get_params().keys()
    assert all(same(value, b.get_params()[name]) for name, value in a.get_params().items())
    fitted = [{k: v for k, v in vars(m).items() if k.endswith("_") and k[0] != "_"} for m in (a, b)]
    assert fitted[0].keys() == fitted[1].keys()
    assert all(same(value, fitted[1][name]) for name, value in fitted[0].items())


def reseal(image, header=None):
    """The image with its lengths and checksum made true again, so that what is inside gets read."""
    size = struct.unpack_from("<Q", image, 16)[0]
    body = image[24 + size : -4]
    text = image[24 : 24 + size] if header is None else json.dumps(header).encode()
    if header is not None:
        body = bytes(-(24 + len(text)) % 8) + body[-(24 + size) % 8 :]
    new = image[:8] + struct.pack("<QQ", 28 + len(text) + len(body), len(text)) + text + body
    return new + struct.pack("<I", zlib.crc32(new))


def header_of(image):
    return json.loads(image[24 : 24 + struct.unpack_from("<Q", image, 16)[0]])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.rl"


@pytest.fixture
def image(path):
    model_file.save(
        ridge(feature_names_in_=np.array(["a", "b", "c"], dtype=object)), path, notes={"target": "y"}
    )
    return path.read_bytes()


REGRESSORS = {
    "LinearRegression": {},
    "Ridge": {"alpha": 0.5},
    "RidgeCV": {"alphas": [0.1, 10.0], "store_cv_results": True},
    "Lasso": {"alpha": 0.05},
    "ElasticNet": {"alpha": 0.05, "l1_ratio": 0.9},
    "LassoCV": {"cv": 3, "alphas": 5},
    "ElasticNetCV": {"cv": 3, "alphas": [0.1, 0.01], "l1_ratio": [0.5, 1.0]},
    "HuberRegressor": {"epsilon": 1.5},
    "QuantileRegressor": {"quantile": 0.25, "alpha": 0.0},
}


@pytest.mark.filterwarnings("ignore::ridgeline.certificate.FitWarning")  # any certificate is to be kept
@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_regressors_round_trip_bit_for_bit(name, dtype, path):
    model = getattr(ridgeline, name)(**REGRESSORS[name])
    model.fit(Frame(X.astype(dtype), ["height", "weight", "Größe"]), Y)
    model_file.save(model, path)
    loaded = model_file.load(path)
    assert_same_model(model, loaded)
    same(model.predict(X), loaded.predict(X))


@pytest.mark.parametrize("labels", LABELS)
def test_classifiers_round_trip_with_any_labels(labels, path):
    model = ridgeline.LogisticRegression(C=2.0).fit(X, LABELS[labels])
    model_file.save(model, path)
    loaded = model_file.load(path)
    assert_same_model(model, loaded)
    same(model.predict(X), loaded.predict(X))
    same(model.predict_proba(X), loaded.predict_proba(X))


@pytest.mark.filterwarnings("ignore::ridgeline.certificate.FitWarning")
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("options", [{}, {"l1_ratios": [0.0, 0.5], "use_legacy_attributes": False}, {"refit": False}], ids=str)
def test_a_search_round_trips_with_all_it_has_tried(labels, options, path):
    model = ridgeline.LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, **options).fit(X, LABELS[labels])
    model_file.save(model, path)
    loaded = model_file.load(path)
    assert_same_model(model, loaded)
    same(model.predict_proba(X), loaded.predict_proba(X))
    assert loaded.score(X, LABELS[labels]) == model.score(X, LABELS[labels])


def test_several_targets_and_a_penalty_per_target(path):
    model = ridgeline.Ridge(alpha=np.array([0.1, 10.0])).fit(X, np.column_stack([Y, -Y]))
    model_file.save(model, path)
    assert_same_model(model, model_file.load(path))


def test_partial_fit_goes_on_after_loading(path):
    whole = ridgeline.Ridge().partial_fit(X[:20], Y[:20])
    model_file.save(whole, path)
    loaded = model_file.load(path).partial_fit(X[20:], Y[20:])
    same(whole.partial_fit(X[20:], Y[20:]).coef_, loaded.coef_)


def test_partial_fit_of_a_classifier_goes_on_after_loading(path):
    y = LABELS["three strings"]
    whole = ridgeline.LogisticRegression().partial_fit(X[:20], y[:20], classes=np.unique(y))
    model_file.save(whole, path)
    loaded = model_file.load(path).partial_fit(X[20:], y[20:])
    same(whole.partial_fit(X[20:], y[20:]).coef_, loaded.coef_)


def test_the_summary_of_a_loaded_model_knows_whether_rows_had_weights(path):
    for weight in (None, np.ones(40)):
        model = ridgeline.LinearRegression().fit(X, Y, sample_weight=weight)
        model_file.save(model, path)
        summary = model_file.load(path).summary()
        np.testing.assert_allclose(summary.standard_error, model.summary().standard_error, rtol=1e-9)
        assert np.isfinite(summary.log_likelihood) == (weight is None)


def test_moments_stay_behind_on_request(path):
    model = ridgeline.Ridge().fit(X, Y)
    model_file.save(model, path)
    with_moments = path.stat().st_size
    model_file.save(model, path, moments=False)
    assert path.stat().st_size < with_moments - 100
    same(model_file.load(path).predict(X), model.predict(X))


def test_a_certificate_that_is_not_optimal_is_kept(path):
    with pytest.warns(FitWarning):
        model = ridgeline.LinearRegression().fit(np.column_stack([X, X[:, 0]]), Y)
    model_file.save(model, path)
    assert model_file.load(path).certificate_ == model.certificate_


@pytest.mark.parametrize(
    "value",
    [
        np.float64("nan"),
        np.array([np.inf, -0.0, np.nan, 5e-324]),
        np.arange(6, dtype=">i4").astype(np.int32).reshape(2, 3, order="F"),
        np.empty((0, 3), np.float32),
        np.array(["", "long enough", "日本"]),
        np.array(["a", "b"], dtype="U30"),
        np.array(["x", 1, 2.5, None, True, float("nan")], dtype=object),
        np.array([b"a", b"bc"]),
        np.array(["2024-01-01", "2025-01-01"], dtype="datetime64[D]"),
        [1, (2.5, None), {"a": [True]}],
        float("-inf"),
        2**70,
        "text with \0 and \ud800",
    ],
    ids=repr,
)
def test_values_round_trip(value, path):
    model_file.save(ridge(extra_=value), path)
    same(model_file.load(path).extra_, value)


def test_the_memory_order_of_coefficients_is_kept(path):
    model_file.save(ridge(coef_=np.asfortranarray(X[:2]), intercept_=np.zeros(2)), path)
    assert model_file.load(path).coef_.flags.f_contiguous


def test_notes_and_version_come_back(image, path):
    saved = model_file.read(path)
    assert saved.notes == {"target": "y"} and saved.written_by == ridgeline.__version__


def test_loaded_arrays_can_be_written_to(image, path):
    model_file.load(path).coef_[0] = 1.0


def test_truncation_at_every_length_is_a_value_error(image, path):
    for length in range(len(image)):
        with pytest.raises(ValueError, match="not a ridgeline model file" if length < 5 else "cut short"):
            model_file.decode(image[:length], "model.rl")
    for length in (0, 4, 7, 8, 23, 24, 100, len(image) - 1):
        path.write_bytes(image[:length])
        with pytest.raises(ValueError, match="not a ridgeline model file" if length < 5 else "cut short"):
            model_file.load(path)


def test_every_flipped_byte_is_a_value_error(image):
    flip = np.random.default_rng(1)
    for position in range(len(image)):
        damaged = bytearray(image)
        damaged[position] ^= int(flip.integers(1, 256))
        with pytest.raises(ValueError, match=r"not a ridgeline model file|damaged|cut short|newer"):
            model_file.decode(bytes(damaged), "model.rl")


def test_flips_under_a_true_checksum_raise_only_value_errors(image, path):
    """What a file made with ill will can do: the inside is checked too."""
    model_file.save(ridgeline.Ridge().fit(X, Y), path)
    flip = np.random.default_rng(2)
    for original in (image, path.read_bytes()):
        for _ in range(3000):
            damaged = bytearray(original)
            for position in flip.integers(0, len(original), flip.integers(1, 4)):
                damaged[position] = int(flip.integers(0, 256))
            damaged[-4:] = struct.pack("<I", zlib.crc32(damaged[:-4]))
            try:
                model = model_file.decode(bytes(damaged), "model.rl").model
            except ValueError:
                continue
            assert model.coef_.shape == (3,)


def test_what_is_wrong_is_said(image, path):
    def message(data):
        path.write_bytes(data)
        with pytest.raises(ValueError) as caught:
            model_file.load(path)
        return str(caught.value)

    assert "is not a ridgeline model file" in message(b"\x80\x04 a pickle")
    assert "is not a ridgeline model file" in message(b"")
    assert "version 3, newer than 2" in message(b"RLMOD003" + image[8:])
    assert f"cut short: {len(image) - 1} bytes of {len(image)}" in message(image[:-1])
    assert "checksum does not match" in message(image[:-1] + bytes([image[-1] ^ 1]))
    assert f"damaged: {len(image) + 1} bytes where it says {len(image)}" in message(image + b"\0")
    assert str(path) in message(b"")


HOSTILE = {
    "another class": (lambda h: h.update({"class": "Pipeline"}), "the class 'Pipeline' is unknown"),
    "a class that is no name": (lambda h: h.update({"class": ["Ridge"]}), "unknown"),
    "no class": (lambda h: h.pop("class"), "'class' is missing"),
    "a method overwritten": (
        lambda h: h["attributes"].update(predict_=1, predict=1),
        "no attribute 'predict'",
    ),
    "a dunder": (lambda h: h["attributes"].update(__class__=1), "no attribute '__class__'"),
    "a property": (
        lambda h: (
            h.update({"class": "LinearRegression", "parameters": {}}),
            h["attributes"].update(singular_=1),
        ),
        "no attribute 'singular_'",
    ),
    "a private name": (lambda h: h["state"].update(_anything=1), "keeps no state"),
    "moments that are no bytes": (lambda h: h["state"].update(_moments=1), "damaged"),
    "a memory that is no quadratic": (
        lambda h: h["state"].update(_memory={"list": [{"array": 0}, {"array": 0}]}),
        "no quadratic",
    ),
    "a strange parameter": (lambda h: h["parameters"].update(beta=1), "a parameter Ridge does not have"),
    "a huge shape": (lambda h: h["arrays"][0].update(shape=[2**60]), "does not fit in the file"),
    "a huge empty shape": (lambda h: h["arrays"][0].update(shape=[0, 2**60]), "does not fit in the file"),
    "a negative shape": (lambda h: h["arrays"][0].update(shape=[-1]), "does not fit in the file"),
    "a shape of truths": (lambda h: h["arrays"][0].update(shape=[True, 3]), "does not fit in the file"),
    "an object dtype": (lambda h: h["arrays"][0].update(dtype="|O"), "has the dtype"),
    "a short array": (lambda h: h["arrays"][0].update(shape=[2]), "belong to no array|does not fit"),
    "an array that is not there": (lambda h: h["attributes"].update(coef_={"array": 99}), "no array 99"),
    "wide text": (
        lambda h: h["attributes"].update(x_={"text": ["a"] * 99, "dtype": "<U999999", "shape": [99]}),
        "far wider than the file",
    ),
    "text in another shape": (
        lambda h: h["attributes"].update(x_={"text": ["a"], "dtype": "<U1", "shape": [2]}),
        "do not fill",
    ),
    "a list as a key": (lambda h: h["attributes"].update(x_={"dict": [[{"list": []}, 1]]}), "unhashable"),
    "half a certificate": (
        lambda h: h["attributes"]["certificate_"]["certificate"].pop("passes"),
        "certificate",
    ),
    "a false status": (
        lambda h: h["attributes"]["certificate_"]["certificate"].update(status="great"),
        "status 'great'",
    ),
    "no certificate": (lambda h: h["attributes"].pop("certificate_"), "certificate_"),
    "names that do not fit": (
        lambda h: h["attributes"].update(feature_names_in_={"objects": ["a"], "shape": [1]}),
        "feature_names_in_ does not fit",
    ),
    "columns that do not fit": (lambda h: h["attributes"].update(n_features_in_=4), "coef_ does not fit"),
    "columns that are no number": (lambda h: h["attributes"].update(n_features_in_={"list": []}), "damaged"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers(case, image, path):
    change, expected = HOSTILE[case]
    header = header_of(image)
    change(header)
    path.write_bytes(reseal(image, header))
    with pytest.raises(ValueError, match=expected):
        model_file.load(path)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"{" * 100, b"\xff", b"null", b"NaN", b'{"arrays": 1e999}'])
def test_headers_that_are_no_header(text, image, path):
    body = image[:8] + struct.pack("<QQ", 28 + len(text), len(text)) + text
    path.write_bytes(body + struct.pack("<I", zlib.crc32(body)))
    with pytest.raises(ValueError, match="damaged"):
        model_file.load(path)


def test_what_cannot_be_saved_is_refused_and_the_old_file_stays(image, path):
    cases = [
        (ridgeline.Ridge(), "not fitted"),
        (object(), "cannot save a object"),
        (type("Ridge", (), {})(), "cannot save a Ridge"),
        (ridge(extra_=threading.Lock()), "cannot save extra_"),
        (ridge(extra_=np.zeros(2, np.complex128)), "cannot save extra_"),
        (ridge(alpha=object()), r"cannot save alpha.*set_params\(alpha=None\)"),
        (ridge(coef_=[0.1, 0.2, 0.3]), r"cannot save coef_.*densify\(\)"),
    ]
    for model, expected in cases:
        with pytest.raises(ValueError, match=expected):
            model_file.save(model, path)
    with pytest.raises(ValueError, match="notes"):
        model_file.save(ridge(), path, notes={"a": float("nan")})
    assert path.read_bytes() == image
    assert [p.name for p in path.parent.iterdir()] == ["model.rl"]


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(image, path, monkeypatch):
    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        model_file.save(ridge(), path)
    assert path.read_bytes() == image
    assert [p.name for p in path.parent.iterdir()] == ["model.rl"]


def test_what_keeps_a_file_from_being_made_is_what_is_said(image, path):
    resource = pytest.importorskip("resource")  # not on every system
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))  # no more files can be opened
    try:
        with pytest.raises(OSError) as caught:
            model_file.save(ridge(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.errno == errno.EMFILE
    assert path.read_bytes() == image


@pytest.mark.skipif(not hasattr(os, "O_DIRECTORY"), reason="folders cannot be flushed here")
def test_bytes_reach_the_disk_before_their_name_and_then_the_name(image, path, monkeypatch):
    """What a crash leaves is up to the system; that it is asked in this order, and of whole bytes, is up to us."""
    asked, fsync, replace = [], os.fsync, os.replace

    def synced(number):
        state = os.fstat(number)
        asked.append(("folder", number) if stat.S_ISDIR(state.st_mode) else ("bytes", state.st_size))
        fsync(number)

    def renamed(old, new):
        asked.append(("name", new.name))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    model_file.save(ridge(), path)
    assert asked[:2] == [("bytes", path.stat().st_size), ("name", "model.rl")] and [what for what, _ in asked[2:]] == ["folder"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(asked[2][1])  # and the folder is closed


def test_permissions_and_links_of_a_replaced_file_are_kept(image, path):
    path.chmod(0o640)
    link = path.with_name("link.rl")
    link.symlink_to(path)
    model_file.save(ridge(), link)
    assert link.is_symlink() and stat.S_IMODE(path.stat().st_mode) == 0o640


def test_missing_files_and_folders_are_os_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        model_file.load(tmp_path / "nothing.rl")
    with pytest.raises(FileNotFoundError):
        model_file.save(ridge(), tmp_path / "no" / "folder.rl")
    with pytest.raises((OSError, ValueError)):
        model_file.load(tmp_path)
