"""The clock and the display that watch a fit, and interrupts."""

import os
import re
import signal
import sys
import threading

import numpy as np
import pytest

from ridgeline import ElasticNet, HuberRegressor, Lasso, LogisticRegression, QuantileRegressor, Ridge, source
from ridgeline.certificate import FitWarning
from ridgeline.sources import ArraySource, fold
from ridgeline.watch import OutOfTime, watch, watched


class Nothing:
    """The least of summaries."""

    def add_rows(self, slab):
        pass

    def merge(self, other):
        pass


@pytest.fixture(scope="module")
def classes():
    random = np.random.default_rng(0)
    X = random.normal(size=(60_000, 10))
    return X, X @ random.normal(size=10) + random.normal(size=60_000) > 0


def test_a_fit_that_runs_out_of_time_returns_its_best_point_and_says_so(classes):
    X, y = classes
    with pytest.warns(FitWarning, match="raise time_limit"):
        model = LogisticRegression(time_limit=1e-9).fit(X, y)
    assert model.certificate_.status == "stopped_early"
    z = model.decision_function(X)
    slope = 1 / (1 + np.exp(-z)) - y
    gradient = np.append((X.T @ slope + model.coef_[0]) / len(y), slope.mean())
    assert np.abs(gradient).max() <= model.certificate_.gradient_norm * (1 + 1e-9)


REGRESSORS = [
    HuberRegressor(), HuberRegressor(delta=1.0), HuberRegressor(alpha=0, epsilon=1.0), QuantileRegressor(alpha=0),
    QuantileRegressor(alpha=0.01, quantile=0.9), Lasso(alpha=0.01), ElasticNet(alpha=0.01),
]  # fmt: skip


@pytest.fixture(scope="module")
def numbers():
    random = np.random.default_rng(3)
    X = random.normal(size=(3000, 10))
    return X, X @ random.normal(size=10) + random.standard_t(2, size=len(X))


@pytest.mark.parametrize("model", REGRESSORS, ids=repr)
def test_regressors_that_run_out_of_time_say_so_and_what_they_have_is_within_their_bound(numbers, model):
    best = type(model)(**model.get_params()).fit(*numbers)
    early = type(model)(**model.get_params()).set_params(time_limit=1e-9)
    with pytest.warns(FitWarning, match="time_limit"):
        early.fit(*numbers)
    proof = early.certificate_
    assert (best.certificate_.status, proof.status) == ("optimal", "stopped_early")
    assert np.isfinite(early.coef_).all() and proof.suboptimality > best.certificate_.suboptimality
    if isinstance(model, QuantileRegressor):  # whose objective is the mean, as the bound is
        risk = [np.maximum(model.quantile * r, (model.quantile - 1) * r).mean() + model.alpha * np.abs(m.coef_).sum()
                for m in (early, best) for r in (numbers[1] - m.predict(numbers[0]),)]  # fmt: skip
        assert risk[0] - risk[1] <= proof.suboptimality * (1 + 1e-9)


@pytest.mark.parametrize("model", REGRESSORS, ids=repr)
def test_regressors_with_time_enough_and_a_display_are_the_same(numbers, model, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    plain = type(model)(**model.get_params()).fit(*numbers)
    watched = type(model)(**model.get_params()).set_params(time_limit=1000, verbose=True).fit(*numbers)
    assert (plain.coef_ == watched.coef_).all() and repr(plain.certificate_) == repr(watched.certificate_)
    assert ("risk" in capsys.readouterr().err) == isinstance(model, HuberRegressor)


def test_time_enough_changes_nothing(classes):
    a, b = LogisticRegression(time_limit=1000).fit(*classes), LogisticRegression().fit(*classes)
    assert (a.coef_ == b.coef_).all() and a.certificate_ == b.certificate_


def test_the_clock_does_not_count_before_there_is_an_answer_and_the_innermost_deadline_holds():
    rows = ArraySource(np.ones((10, 1)), np.ones(10), np.empty(0))
    with watched(1e-9):
        fold(rows, Nothing)
        with watched(1000.0):
            watch().limited = True
            with pytest.raises(OutOfTime):
                fold(rows, Nothing)
    assert watch() is None


def test_lines_without_tqdm(classes, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    LogisticRegression(verbose=True).fit(*classes)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    assert all(re.fullmatch(r"read \d+ \(\d+ rows\): risk \S+, gradient \S+, \S+ s", line) for line in lines)


def test_a_bar_with_tqdm(classes, capsys):
    pytest.importorskip("tqdm")
    LogisticRegression(verbose=1).fit(*classes)
    shown = capsys.readouterr().err
    assert "rows/s" in shown and "risk" in shown


def test_silent_by_default(classes, capsys):
    LogisticRegression().fit(*classes)
    assert capsys.readouterr() == ("", "")


def _endless(stop: threading.Event):
    """Chunks that never end, of which the fortieth asks for an interrupt."""
    random = np.random.default_rng(0)
    for k in range(sys.maxsize):
        if k == 40:
            os.kill(os.getpid(), signal.SIGINT)
        if stop.is_set():
            return
        X = random.normal(size=(1000, 3))
        yield X, (X[:, 0] > 0).astype(float)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("model", [Ridge(), LogisticRegression(), HuberRegressor()], ids=repr)
def test_an_interrupt_ends_a_fit_and_leaves_the_model_as_it_was(model, n_threads):
    stop = threading.Event()
    random = np.random.default_rng(1)
    X = random.normal(size=(50, 3))
    model = type(model)(n_threads=n_threads).fit(X, (X[:, 1] + random.normal(size=50) > 0) * 1.0)
    before = {name: value for name, value in vars(model).items() if name.endswith("_")}
    guard = threading.Timer(60, stop.set)
    guard.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit_source(source(lambda: _endless(stop), n_threads=n_threads))
    finally:
        guard.cancel()
    after = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert not stop.is_set() and all(after[name] is before[name] for name in before) and len(after) == len(before)


def test_an_interrupt_of_the_interior_point():
    random = np.random.default_rng(2)
    X = random.normal(size=(200_000, 20))
    y = X @ random.normal(size=20) + random.standard_cauchy(200_000)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(100):
            QuantileRegressor(alpha=0).fit(X, y)


def test_lines_tell_of_long_reads_how_many_rows_of_all(classes, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr("ridgeline.watch.QUIET", -1.0)
    with watched(None, True), watched(1000.0):  # the inner scope has no display of its own
        fold(ArraySource(*classes, n_threads=1), Nothing)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "read 1: 60000 rows of 60000" and len(lines) > 1


def test_the_number_of_rows_is_known_where_nothing_must_be_read_for_it(classes):
    X, y = classes
    chunks = source([(X[:10], y[:10]), (X[10:], y[10:])])
    assert source(X, y).known_rows == len(y) and chunks.known_rows is None
    fold(chunks, Nothing)
    assert chunks.known_rows == len(y)
