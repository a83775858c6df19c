"""A fit that fails, wherever and however, leaves the estimator as it was, bit for bit, and the next fit is not touched by it.

The failure is raised at one line of the library after another: an interrupt from the keyboard may arrive at any of them, and so may a
`MemoryError`.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import numpy as np
import pytest

import ridgeline as rl
from ridgeline.threads import VARIABLE

from .calls import FROM_SOURCE, GROUPS, MODELS, ONLINE, S, X


@pytest.fixture(autouse=True)
def what_numpy_is_to_warn_of() -> Iterator[None]:
    """As before: an error may be raised between the end of a `with np.errstate` and what it restores."""
    with np.errstate():
        yield

PACKAGE = rl.__file__.removesuffix("__init__.py")


class Struck(Exception):
    """Raised by these tests alone."""


class Strike:
    """Counts the lines of the library that run, and raises at the k-th; with none to raise at, it only counts."""

    def __init__(self, at: int = 0, failure: type[BaseException] = Struck) -> None:
        self.at, self.failure, self.lines = at, failure, 0

    def __enter__(self) -> Strike:
        sys.settrace(self._call)
        return self

    def __exit__(self, *failure: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(PACKAGE) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                raise self.failure
        return self._line


def snapshot(model: Any) -> dict[str, bytes]:
    return {name: pickle.dumps(value) for name, value in vars(model).items()}


def other(y: np.ndarray) -> np.ndarray:
    """The same targets in another order, so that a refit has another answer."""
    return y[::-1].copy()


def fit(name: str, model: Any) -> Any:
    return model.fit(X, other(MODELS[name][1]), sample_weight=S)


def from_source(name: str, model: Any) -> Any:
    return model.fit_source(rl.source(X, other(MODELS[name][1]), S))


def from_chunks(name: str, model: Any) -> Any:
    y = other(MODELS[name][1])
    return model.fit_source(rl.source(lambda: ((X[a : a + 16], y[a : a + 16], S[a : a + 16]) for a in (0, 16, 32))))


def partial_fit(name: str, model: Any) -> Any:
    return model.partial_fit(X, other(MODELS[name][1]), sample_weight=S)


WAYS: list[tuple[str, Callable[[str, Any], Any]]] = [
    *((name, fit) for name in MODELS),
    *((name, from_source) for name in FROM_SOURCE),
    *((name, from_chunks) for name in FROM_SOURCE),
    *((name, partial_fit) for name in ONLINE),
]
IDS = [f"{name}-{way.__name__}" for name, way in WAYS]


def fitted(name: str) -> Any:
    make, y = MODELS[name]
    return make().fit(X, y, sample_weight=S)


def strike(name: str, way: Callable[[str, Any], Any], lines: Callable[[int], Any], failure: type[BaseException]) -> None:
    """Raise at each of the lines that `lines` picks of their number."""
    way(name, fitted(name))  # what is imported on first use is imported
    want = snapshot(way(name, fitted(name)))
    model = fitted(name)
    with Strike() as whole:
        way(name, model)
    assert whole.lines > 30
    model = fitted(name)
    before, struck = snapshot(model), 0
    for at in lines(whole.lines):
        try:
            with Strike(at, failure):
                way(name, model)
        except failure:
            struck += 1
            if at >= whole.lines - 1 and snapshot(model) == want:  # at the very last, when the fit was done
                model = fitted(name)
            assert snapshot(model) == before, f"line {at} of {whole.lines} left another model"
        else:  # struck where the library itself asks what can be done, and takes another way
            model = fitted(name)
    assert struck > 10 and snapshot(way(name, model)) == want


# An error while files are being closed leaves the others to the collector, which closes them, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other threads run untraced."""
    monkeypatch.setenv(VARIABLE, "1")


@pytest.mark.parametrize("name, way", WAYS, ids=IDS)
def test_struck_at_some_lines_and_at_the_last(name: str, way: Callable[[str, Any], Any]) -> None:
    def some(count: int) -> Any:
        return [*np.linspace(1, count - 15, 6, dtype=int), *range(count - 13, count + 1)]

    strike(name, way, some, KeyboardInterrupt)


@pytest.mark.slow
@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, Struck])
@pytest.mark.parametrize("name, way", WAYS, ids=IDS)
def test_struck_at_many_lines(name: str, way: Callable[[str, Any], Any], failure: type[BaseException]) -> None:
    strike(name, way, lambda count: np.unique(np.linspace(1, count, 60, dtype=int)), failure)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name, way", WAYS, ids=IDS)
def test_struck_at_every_line(name: str, way: Callable[[str, Any], Any]) -> None:
    strike(name, way, lambda count: range(1, count + 1, max(count // 4000, 1)), KeyboardInterrupt)


@pytest.mark.parametrize("at", [(1, 0), (1, 2), (2, 1)])
@pytest.mark.parametrize("name", FROM_SOURCE)
def test_an_error_of_the_users_chunks_comes_out_with_its_traceback(name: str, at: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever pass and chunk it is in, and whether threads share the rows."""
    y, passes = MODELS[name][1], 0

    def chunks() -> Iterator[tuple[np.ndarray, ...]]:
        nonlocal passes
        passes += 1
        for k in range(3):
            if (passes, k) == at:
                the_users_own_mistake()
            yield X[16 * k : 16 * k + 16], y[16 * k : 16 * k + 16]

    def the_users_own_mistake() -> None:
        raise Struck(at)

    for n_threads in ("1", "3"):
        monkeypatch.setenv(VARIABLE, n_threads)
        passes, model = 0, fitted(name)
        before = snapshot(model)
        try:
            rows = rl.source(chunks)
            passes = 0  # of the fit alone
            model.fit_source(rows)
        except Struck as failure:
            names = [frame.name for frame in traceback.extract_tb(failure.__traceback__)]
            assert names[-2:] == ["chunks", "the_users_own_mistake"]
            assert failure.args == (at,)
        else:
            assert passes < at[0]  # this one had no such pass
            continue
        assert snapshot(model) == before


def broken(*arguments: Any) -> Any:
    raise Struck("the user's own")


CALLBACKS: dict[str, Callable[[], Any]] = {
    "loss": lambda: rl.empirical_risk(broken, X, X),
    "score of RidgeCV": lambda: rl.RidgeCV(cv=3, scoring=broken).fit(X, MODELS["Ridge"][1]),
    "score of LogisticRegressionCV": lambda: MODELS["LogisticRegressionCV"][0](scoring=broken).fit(X, MODELS["LogisticRegression"][1]),
    "chunks of Moments": lambda: rl.Ridge().fit_source(rl.source(lambda: iter(map(broken, [1])))),
    "targets as an array": lambda: rl.Ridge().fit(X, type("Broken", (), {"__array__": broken})()),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLBACKS)
def test_an_error_of_a_users_function_keeps_its_traceback(name: str) -> None:
    with pytest.raises(Struck, match="the user's own") as failure:
        CALLBACKS[name]()
    assert traceback.extract_tb(failure.value.__traceback__)[-1].name == "broken"


@pytest.mark.parametrize("name", ["Ridge", "LogisticRegression", "HuberRegressor fixed", "QuantileRegressor"])
def test_fit_many_leaves_its_template(name: str) -> None:
    model = fitted(name)
    before, call = snapshot(model), partial(rl.fit_many, model, X, MODELS[name][1], GROUPS)
    call()
    with Strike() as whole:
        call()
    for at in np.linspace(1, whole.lines, 30, dtype=int):
        with suppress(KeyboardInterrupt), Strike(at, KeyboardInterrupt):
            call()
        assert snapshot(model) == before
