"""An estimator's parameters: by name as its constructor declares them, and what each value must satisfy.

Some parameters of scikit-learn steer solvers that are not needed here (`copy_X`, `n_jobs`, `random_state` ...).  They are accepted, so that
a change of import is enough, and checked, so that a mistake is not silent; `Parameters._hints` says which and how.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np


class Parameters:
    """`get_params`, `set_params` and `repr` from the constructor's signature."""

    _hints: ClassVar[dict[str, Callable[[Any, str], Any]]] = {}
    """Parameters that change nothing, and the check of each."""

    def __new__(cls, *args: Any, **params: Any) -> Self:
        """Say which parameter was meant, before Python says that there is none of that name."""
        known = defaults(cls)
        for name in params:
            if name not in known and not _takes_any(cls):
                raise TypeError(f"{cls.__name__}() got an unexpected keyword argument {name!r}.{_meant(name, list(known))}")
        return super().__new__(cls)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters and their values.

        Parameters
        ----------
        deep : bool, default True
            Accepted for scikit-learn's sake: no parameter is an estimator.

        Returns
        -------
        dict of str to object
        """
        return {name: getattr(self, name) for name in defaults(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            Names of the constructor's parameters, and their new values.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a name that is not a parameter, with the nearest one that is.
        """
        known = list(defaults(type(self)))
        for name in params:
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {type(self).__name__}.{_meant(name, known)}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = []
        for name, default in defaults(type(self)).items():
            value = getattr(self, name)
            if type(value) is not type(default) or repr(value) != repr(default):
                changed.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(changed)})"

    def _check_hints(self) -> None:
        for name, check in self._hints.items():
            check(getattr(self, name), name)


def _takes_any(estimator: type) -> bool:
    """Whether the constructor, of a user's own class, takes parameters of any name."""
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(estimator).parameters.values())


def _meant(name: str, known: list[str]) -> str:
    """The parameter that a misspelt name may have meant, and all there are."""
    near = get_close_matches(name, known, 1)
    return (f" Did you mean {near[0]!r}?" if near else "") + f" Valid parameters are: {known!r}."


_DEFAULTS: dict[type, dict[str, Any]] = {}


def defaults(estimator: type) -> dict[str, Any]:
    """The parameters of a constructor and their defaults, in order; read once per class."""
    if estimator not in _DEFAULTS:
        _DEFAULTS[estimator] = {name: p.default for name, p in inspect.signature(estimator).parameters.items()}
    return _DEFAULTS[estimator]


def check_number(
    value: Any, name: str, *, low: float = 0.0, strict: bool = False, high: float = np.inf, infinite: bool = False
) -> float:
    """A real parameter in its range, finite unless `infinite`.

    Raises
    ------
    TypeError, ValueError
    """
    bound = f"{'greater than' if strict else 'at least'} {low:g}" + (f" and below {high:g}" if high < np.inf else "")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Real):
        raise TypeError(f"{name} must be a number {bound}, got {value!r}.")
    number = float(value)
    if not (number > low if strict else number >= low) or number >= high < np.inf or (number == np.inf and not infinite):
        raise ValueError(f"{name} == {value!r}, must be {bound}.")
    return number


def check_count(value: Any, name: str, *, low: int = 1) -> int:
    """A whole number of at least `low`.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if value < low:
        raise ValueError(f"{name} == {value}, must be at least {low}.")
    return int(value)


def check_optional_count(value: Any, name: str) -> int | None:
    """None, or a whole number of at least one.

    Raises
    ------
    TypeError, ValueError
    """
    return None if value is None else check_count(value, name)


def check_flag(value: Any, name: str) -> bool:
    """True or False.

    Raises
    ------
    TypeError
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def check_choice(value: Any, name: str, choices: tuple[str | None, ...]) -> Any:
    """One of a few strings (or None).

    Raises
    ------
    ValueError
    """
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        *first, last = (repr(choice) for choice in choices)
        raise ValueError(f"{name} must be {', '.join(first)} or {last}, got {value!r}.")
    return value


def check_options(value: Any, name: str) -> dict[str, Any] | None:
    """None or a dict.

    Raises
    ------
    TypeError
    """
    if value is not None and not isinstance(value, dict):
        raise TypeError(f"{name} must be None or a dict, got {value!r}.")
    return value


def check_jobs(value: Any, name: str) -> int | None:
    """None or a whole number: `n_jobs`, which changes nothing (see `n_threads`).

    Raises
    ------
    TypeError
    """
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be None or a whole number, got {value!r}.")
    return int(value)


def check_random_state(value: Any, name: str) -> Any:
    """None, a seed, or a generator of random numbers; nothing here is drawn by chance.

    Raises
    ------
    TypeError
    """
    seed = isinstance(value, (int, np.integer, np.random.RandomState, np.random.Generator)) and not isinstance(value, bool)
    if value is not None and not seed:
        raise TypeError(f"{name} must be None, a whole number or a generator of random numbers, got {value!r}.")
    return value
