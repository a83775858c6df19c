"""Every odd but legal form of every argument of every public call: the answer of the clean twin, and the argument as it was."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import ridgeline as rl
from ridgeline.validation import DataConversionWarning

from .calls import CALLS, WITHOUT_ARRAYS, N, S, arrays_of
from .forms import FORMS, AsArray, AsInterface, AsSequence, Form

LARGE = 1e-5  # of float32, whose sums may run in another order


def test_there_are_sixty_forms_and_every_public_name_is_called() -> None:
    assert len(FORMS) >= 60
    called = " ".join([*CALLS, "source", "gradient_descent"])
    assert [name for name in rl.__all__ if name not in WITHOUT_ARRAYS and name not in called] == []


def kept(value: Any) -> bytes:
    """The numbers of an argument, to see whether a call has changed them."""
    if isinstance(value, (AsArray, AsInterface, AsSequence)):
        value = value.a
    return repr(value).encode() if isinstance(value, (list, tuple)) else np.asarray(value, dtype=object).astype(str).tobytes()


def answer(name: str, arguments: tuple[Any, ...]) -> list[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataConversionWarning)
        return arrays_of(CALLS[name].run(*arguments))


def difference(name: str, form: Form, got: list[np.ndarray], want: list[np.ndarray]) -> str:
    """What differs from the clean twin's answer; empty if nothing does that may not."""
    if [a.shape for a in got] != [a.shape for a in want]:
        return f"shapes {[a.shape for a in got]} instead of {[a.shape for a in want]}"
    if [a.dtype for a in got] != [a.dtype for a in want]:
        return f"formats {[str(a.dtype) for a in got]} instead of {[str(a.dtype) for a in want]}"
    if all((a == b).all() or a.tobytes() == b.tobytes() for a, b in zip(got, want)):
        return ""
    worst = max(float(np.max(np.abs(a.astype(float) - b) / np.maximum(np.abs(b), 1), initial=0)) for a, b in zip(got, want))
    allowed = 0.0 if not form.columns else LARGE if form.dtype == np.float32 else CALLS[name].rounding
    return "" if worst <= allowed else f"differs by {worst:.1e}, allowed {allowed:.0e}"


def wrong_forms(name: str, places: list[set[int]]) -> list[str]:
    """The forms that do not give the clean twin's answer with the arguments at each of the `places` in that form, and what is wrong."""
    clean, wrong = CALLS[name].arguments, []
    wanted: dict[Any, list[np.ndarray]] = {}
    for label, form in FORMS.items():
        if find_spec(form.needs) is None:
            continue
        for here in places:
            odd = {k for k in here if form.holds(clean[k])}
            arguments = tuple(form.of(a) if k in odd else a for k, a in enumerate(clean))
            twin = (form.dtype, *sorted(odd))
            if twin not in wanted:
                wanted[twin] = answer(name, tuple(form.twin(a) if k in odd else a for k, a in enumerate(clean)))
            before = [kept(a) for a in arguments]
            try:
                found = difference(name, form, answer(name, arguments), wanted[twin])
            except Exception as error:
                found = f"{type(error).__name__}: {str(error)[:150]}"
            if [kept(a) for a in arguments] != before:
                found += "; the input was modified"
            if found:
                wrong.append(f"{label}, arguments {sorted(odd)}: {found}")
    return wrong


@pytest.mark.parametrize("name", CALLS)
def test_every_form_of_all_arguments(name: str) -> None:
    assert wrong_forms(name, [set(range(len(CALLS[name].arguments)))]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_every_form_of_each_argument(name: str) -> None:
    assert wrong_forms(name, [{k} for k in range(len(CALLS[name].arguments))]) == []


WEIGHTED = [(name, k) for name, call in CALLS.items() for k, a in enumerate(call.arguments) if a is S]


@pytest.mark.parametrize("name, k", WEIGHTED)
def test_one_weight_of_stride_zero_for_all(name: str, k: int) -> None:
    clean = CALLS[name].arguments
    twin, odd = (tuple(weights if j == k else a for j, a in enumerate(clean)) for weights in (np.full(N, 2.0), np.broadcast_to(2.0, N)))
    assert difference(name, FORMS["C"], answer(name, odd), answer(name, twin)) == ""


# (call, argument): taken apart in kind, or of any type that sorts
KEPT_IN_KIND = {("train_test_split", 0), ("train_test_split", 1), ("train_test_split by class", 0)}
OF_ANY_TYPE = KEPT_IN_KIND | {
    ("one_hot of classes", 0), ("one_hot of classes", 1), ("empirical_risk of classes", 0), ("empirical_risk of classes", 1),
    ("train_test_split by class", 1), ("fit_many Ridge", 2), ("fit_many LogisticRegression", 2), ("fit_many HuberRegressor fixed", 2),
    ("generalization_gap", 1), ("generalization_gap", 3),
}  # fmt: skip
ARGUMENTS = [(name, k) for name, call in CALLS.items() for k in range(len(call.arguments))]


def with_argument(name: str, k: int, value: Any) -> tuple[Any, ...]:
    return tuple(value if j == k else a for j, a in enumerate(CALLS[name].arguments))


@pytest.mark.parametrize("name, k", [place for place in ARGUMENTS if place not in KEPT_IN_KIND])
def test_a_masked_cell_is_refused_and_named(name: str, k: int) -> None:
    """NumPy would uncover it: `np.asarray` of a masked array has the number under the mask."""
    clean = CALLS[name].arguments[k]
    mask = np.zeros(clean.shape, bool)
    mask[(2,) + (1,) * (clean.ndim - 1)] = True
    with pytest.raises(ValueError, match="masked at row 2"):
        CALLS[name].run(*with_argument(name, k, np.ma.masked_array(clean, mask)))


@pytest.mark.parametrize("name, k", [place for place in ARGUMENTS if place not in OF_ANY_TYPE])
def test_complex_numbers_are_refused(name: str, k: int) -> None:
    with pytest.raises((ValueError, TypeError), match="[Cc]omplex"):
        CALLS[name].run(*with_argument(name, k, CALLS[name].arguments[k] + 1j))


SCALARS = {
    "sigmoid": (0.5,), "log_sigmoid": (0.5,), "softplus": (0.5,), "softmax": (0.5,), "log_softmax": (0.5,), "logsumexp": (0.5,),
    "squared_error": (0.5, 2.0), "absolute_error": (0.5, 2.0), "huber": (0.5, 2.0), "binary_cross_entropy": (1.0, 0.5),
    "one_hot": (2,),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_no_dimensions_are_an_array_of_one(name: str) -> None:
    """A Python number, a NumPy scalar and a 0-d array have the answer of an array of one entry."""
    run, arguments = CALLS[name].run, SCALARS[name]
    want = np.ravel(run(*([[a]] if name in ("softmax", "log_softmax", "logsumexp") else [a] for a in arguments)))
    for form in (lambda a: a, np.float64, np.array, lambda a: np.array(a, object), lambda a: np.array(a, np.longdouble)):
        got = run(*map(form, arguments))
        assert np.ravel(got).tobytes() == want.tobytes() and np.shape(got) == ((3,) if name == "one_hot" else ())


def test_the_arguments_themselves_were_never_written_to() -> None:
    """Every call above shares these arrays, which cannot be written."""
    assert not any(a.flags.writeable for call in CALLS.values() for a in call.arguments)
