"""Fits that are killed and run again: the same bits, from any moment."""

import os
import signal
import sys
import warnings
from functools import partial

import numpy as np
import pytest

from ridgeline import ElasticNet, HuberRegressor, Lasso, LogisticRegression, Moments, QuantileRegressor, Ridge, checkpoint, fit_many, source
from ridgeline.certificate import FitWarning
from ridgeline.checkpoints import journal
from ridgeline.files import replacement
from ridgeline.moments import moments_of
from ridgeline.sources import ArraySource, fold

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")

rng = np.random.default_rng(11)
N = 6000
X = rng.normal(size=(N, 5)) * [1.0, 30.0, 0.01, 1.0, 1.0] + [0.0, 1e3, 0.0, 0.0, 0.0]
Y = X @ [1.0, -0.1, 20.0, 0.0, 0.5] + rng.standard_t(3, size=N)
THREE = np.digitize(Y - Y.mean(), [-2.0, 2.0])
WEIGHT = rng.integers(0, 4, N).astype(float)


def chunks(y):
    """Chunks of several segments, of one, and without rows."""
    return [(X[a:b], y[a:b], WEIGHT[a:b]) for a, b in ((0, 2500), (2500, 2500), (2500, 5000), (5000, 5600), (5600, N))]


MODELS = {
    "ridge": (Ridge(alpha=0.5, n_threads=1), Y),
    "dependent columns": (Ridge(alpha=0.0, n_threads=2), Y),
    "logistic": (LogisticRegression(n_threads=2), THREE > 0),
    "softmax": (LogisticRegression(C=0.1, n_threads=1), THREE),
    "lbfgs": (LogisticRegression(solver="lbfgs", n_threads=1), THREE),
    "l1": (LogisticRegression(l1_ratio=0.5, C=0.01, n_threads=1), THREE > 0),
    "huber": (HuberRegressor(n_threads=2), Y),
    "lasso": (Lasso(alpha=0.1, n_threads=1), Y),
    "elastic net": (ElasticNet(alpha=0.1, n_threads=1), Y),
    "quantile": (QuantileRegressor(quantile=0.3, alpha=0, n_threads=1), Y),
}


def rows_of(name):
    model, y = MODELS[name]
    if name == "dependent columns":
        part = [(np.column_stack([x, x[:, 0] + 1e-9 * x[:, 2]]), y, s) for x, y, s in chunks(Y)]
        return source(lambda: part, n_threads=model.n_threads)
    return source(chunks(y), n_threads=model.n_threads)


def outcome(model):
    """What a fit comes to: bytes of the coefficients, and the certificate."""
    return model.coef_.tobytes(), np.asarray(model.intercept_).tobytes(), repr(model.certificate_)


def fit(name):
    model, _ = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return outcome(type(model)(**model.get_params()).fit_source(rows_of(name)))


class Killer:
    """Ends this process with SIGKILL at the k-th moment, of those that tell it."""

    def __init__(self, k):
        self.left = k

    def __call__(self, *_):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def kill_within(killer, monkeypatch):
    """Moments: before and after every segment, and within every write, synchronisation and renaming."""
    from ridgeline.sources import folding

    follow = folding.Progress.follow

    def followed(self, tree):
        killer()
        follow(self, tree)

    def halved(file, image, offset):
        half = -(-len(image) // 2)
        done = os_pwrite(file, image[:half], offset)
        killer()
        return done

    os_pwrite = os.pwrite
    monkeypatch.setattr(folding.Progress, "follow", followed)
    monkeypatch.setattr(journal.os, "pwrite", halved)
    for module, name in ((journal.os, "fsync"), (replacement.os, "replace"), (journal.os, "ftruncate")):
        before = getattr(module, name)
        monkeypatch.setattr(module, name, partial(_between, before, killer))


def _between(act, killer, *arguments):
    killer()
    result = act(*arguments)
    killer()
    return result


def in_child(work, *arguments):
    """Whether `work` came to its end in a forked process (and not to a SIGKILL)."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def killed_fit(name, path, k):
    """The child's work: the fit in its scope, killed at moment k."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_within(Killer(k), monkeypatch)
        with checkpoint(path, every=0.0):
            fit(name)


@pytest.fixture(scope="module")
def expected():
    known = {}

    def get(name):
        if name not in known:
            known[name] = fit(name)
        return known[name]

    return get


def resumed(name, path):
    with checkpoint(path, every=0.0):
        return fit(name)


QUICK = ("ridge", "logistic", "lasso")


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in MODELS])
def test_killed_again_and_again_at_later_and_later_moments(name, tmp_path, expected):
    path, k, kills = tmp_path / "fit.checkpoint", 1, 0
    while not in_child(killed_fit, name, path, k):
        k, kills = 3 * k + 1, kills + 1
    assert kills > 1 and os.listdir(tmp_path) == []
    in_child(killed_fit, name, path, k // 2)
    assert resumed(name, path) == expected(name)
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_killed_at_a_hundred_random_moments(name, tmp_path, expected):
    random = np.random.default_rng(5)
    moments = 1
    while not in_child(killed_fit, name, tmp_path / "count", moments):
        moments *= 2
        (tmp_path / "count").unlink(missing_ok=True)
        (tmp_path / "count.partial").unlink(missing_ok=True)
    for trial in range(100):
        path = tmp_path / f"{trial}"
        for _ in range(random.integers(1, 4)):  # a fit that goes on may be killed again
            in_child(killed_fit, name, path, int(random.integers(moments)))
        assert resumed(name, path) == expected(name), trial


def test_what_is_recorded_is_not_read_again(tmp_path):
    read = []

    def rows():
        for k, chunk in enumerate(chunks(THREE > 0)):
            read.append(k)
            yield chunk
        if len(read) > 30 and not whole:
            raise RuntimeError("the disk has gone")

    whole, path = True, tmp_path / "fit.checkpoint"
    model = LogisticRegression(n_threads=1).fit_source(source(rows, n_threads=1))
    once, whole = len(read), False
    read.clear()
    with pytest.raises(RuntimeError, match="the disk has gone"), checkpoint(path):
        LogisticRegression(n_threads=1).fit_source(source(rows, n_threads=1))
    whole = True
    before = len(read)
    read.clear()
    with checkpoint(path):
        again = LogisticRegression(n_threads=1).fit_source(source(rows, n_threads=1))
    assert outcome(again) == outcome(model)
    assert len(read) == once - before + 5 + 1  # the read that failed, and the first chunk, at which a source looks before a fit


def test_a_fold_goes_on_where_it_stood(tmp_path):
    path, seen = tmp_path / "fold", []

    class Seen(Moments):
        def add_rows(self, slab):
            seen.append(float(slab.y[0]))  # one after the other: one thread
            super().add_rows(slab)

    numbers = np.arange(40_000.0)
    rows = ArraySource(np.ones((len(numbers), 300)), numbers, n_threads=1)

    def work():
        with checkpoint(path, every=0.0), pytest.MonkeyPatch.context() as monkeypatch:
            kill_within(Killer(30), monkeypatch)
            fold(rows, lambda: Seen(300, 1))

    total = fold(rows, lambda: Seen(300, 1))
    whole = list(seen)
    seen.clear()
    assert not in_child(work) and path.with_name("fold.partial").exists()
    with checkpoint(path):
        again = fold(rows, lambda: Seen(300, 1))
    assert again.to_bytes() == total.to_bytes()
    assert 0 < len(seen) < len(whole) and seen == whole[-len(seen) :]


def test_a_fit_that_ran_out_of_time_is_gone_on_with(tmp_path):
    path = tmp_path / "fit.checkpoint"
    reads = []
    for _ in range(100):
        with checkpoint(path), warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            model = LogisticRegression(time_limit=1e-9 if len(reads) < 3 else 1000.0).fit_source(source(chunks(THREE)))
        reads.append(model.certificate_.passes)
        if model.certificate_.status == "optimal":
            break
        assert path.exists()
    assert len(reads) == 4 and not path.exists()
    assert outcome(model) == outcome(LogisticRegression().fit_source(source(chunks(THREE))))


def test_several_fits_in_one_scope(tmp_path):
    def work(last):
        done = [outcome(Ridge(alpha=a).fit_source(source(chunks(Y)))) for a in (0.1, 1.0)]
        last()
        return done

    with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
        work(lambda: 1 / 0)
    with checkpoint(tmp_path / "c"):
        assert work(lambda: None) == work(lambda: None)


def test_other_rows_another_fit_and_other_files_are_refused(tmp_path):
    path = tmp_path / "c"

    def begin(rows, model=Ridge()):  # noqa: B008
        with pytest.raises(ZeroDivisionError), checkpoint(path):
            model.fit_source(rows)
            raise ZeroDivisionError

    begin(source(X, Y))
    kept = path.read_bytes()
    changed = Y.copy()
    changed[0] += 1
    model = Ridge().fit(X[:10], Y[:10])
    before = outcome(model)
    for rows, estimator in ((source(X, changed), model), (source(X[:, :4], Y), model), (source(X, (Y > 0) * 1.0), LogisticRegression())):
        told = pytest.raises(ValueError, match="is of another fit, or the rows have changed since: its read 1 was for Moments over 5")
        with told, checkpoint(path):
            estimator.fit_source(rows)
        assert path.read_bytes() == kept
    assert outcome(model) == before
    with checkpoint(path):
        model.fit_source(source(X.copy(), Y))


def test_a_file_that_changed_is_refused(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    file, path = tmp_path / "rows.parquet", tmp_path / "c"
    pq.write_table(pa.table({"x": X[:, 0], "y": Y}), file)
    with pytest.raises(ZeroDivisionError), checkpoint(path):
        Ridge().fit_source(source(file, target="y"))
        raise ZeroDivisionError
    os.utime(file, ns=(0, 0))
    with pytest.raises(ValueError, match="the rows have changed since"), checkpoint(path):
        Ridge().fit_source(source(file, target="y"))


def test_another_version_or_instruction_set_is_refused(tmp_path, monkeypatch):
    import ridgeline

    with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
        raise ZeroDivisionError
    monkeypatch.setattr(ridgeline, "__version__", "9.9")
    told = pytest.raises(ValueError, match=r"was written by ridgeline [\d.]+ with \w+ kernels, and this is ridgeline 9.9 with")
    with told, checkpoint(tmp_path / "c"):
        pass


def test_two_fits_cannot_share_a_file(tmp_path):
    with checkpoint(tmp_path / "c"), pytest.raises(ValueError, match="in use: another fit writes"), checkpoint(tmp_path / "c"):
        pass


def test_folds_inside_folds_and_in_other_threads_are_not_recorded(tmp_path):
    groups = np.repeat(np.arange(20), N // 20)
    plain = fit_many(Lasso(alpha=0.01), X, Y, groups=groups)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c"):
            assert (fit_many(Lasso(alpha=0.01), X, Y, groups=groups, n_threads=2).coef == plain.coef).all()
            moments_of(ArraySource(X, Y))
            raise ZeroDivisionError


def test_a_full_disk_ends_the_fit_and_leaves_the_model_and_the_checkpoint(tmp_path):
    """A limit on the length of files is met as a full disk is: by an error of the write."""
    resource = pytest.importorskip("resource")

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        model = Ridge().fit(X[:100], Y[:100])
        before = outcome(model)
        with pytest.raises(ZeroDivisionError), checkpoint(tmp_path / "c", every=0.0):
            moments_of(source(X, Y))
            raise ZeroDivisionError
        kept = (tmp_path / "c").read_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(kept) + 100, resource.RLIM_INFINITY))
        with pytest.raises(OSError, match="no space left for the checkpoint") as caught, checkpoint(tmp_path / "c", every=0.0):
            moments_of(source(X, Y))
            model.fit_source(source(X, Y))
        assert caught.value.filename.startswith(str(tmp_path / "c"))
        assert (tmp_path / "c").read_bytes() == kept and outcome(model) == before
        assert set(os.listdir(tmp_path)) <= {"c", "c.partial"}
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with checkpoint(tmp_path / "c"):
            moments_of(source(X, Y))
            model.fit_source(source(X, Y))

    assert in_child(work)


def test_a_checkpoint_that_cannot_be_made_says_so(tmp_path):
    for wrong in (tmp_path / "no" / "c", tmp_path):
        with pytest.raises(OSError), checkpoint(wrong):
            pass
    (tmp_path / "other").write_text("something of the user's")
    with pytest.raises(ValueError, match="is not a ridgeline checkpoint"), checkpoint(tmp_path / "other"):
        pass
    assert (tmp_path / "other").read_text() == "something of the user's"
    with pytest.raises(ValueError, match="every must be"), checkpoint(tmp_path / "c", every=-1):
        pass


def test_a_summary_that_is_no_values_is_refused(tmp_path):
    class Labels:
        def __init__(self):
            self.seen = set()

        def add_rows(self, slab):
            self.seen |= set(slab.y.tolist())

        def merge(self, other):
            self.seen |= other.seen

    rows = source(X, THREE)
    with pytest.raises(TypeError, match=r"no place for Labels.seen, a set"), checkpoint(tmp_path / "c"):
        fold(rows, Labels)
