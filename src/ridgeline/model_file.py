"""A fitted model as a file (`files`): safe to read from a stranger, bit for bit what was saved.

The format is "RLMOD" in the envelope of `files.envelope`; its header is an object of

    ridgeline    version of the library that wrote the file
    class        name of the estimator, one of `CLASSES`
    parameters   its constructor's parameters
    attributes   its fitted attributes (`coef_`, `classes_`, `feature_names_in_`, `certificate_`, ...)
    state        what it needs to go on learning (`partial_fit`); may be empty
    notes        whatever the caller of `save` added; `python -m ridgeline` keeps the table's columns here
    arrays       how to read the arrays that follow

where parameters, attributes and state are values as `files.values` writes them.  Version 2 differs from version 1 in what it can hold:
arrays of eight axes (four before), the classes `RidgeCV` and `LogisticRegressionCV`, and the states `_memory` and `_weighted`; the same
lines read both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .certificate import Certificate
from .files.envelope import Format, damage, expect, is_count, read_file, seal, unseal
from .files.replacement import replace_file
from .files.values import Reader, Writer
from .moments import Moments

MODEL = Format(b"RLMOD", 2, "model file")

# Classes a file may name, and where they live.  Any other name is refused before anything is imported.
CLASSES = {
    "LinearRegression": "least_squares",
    "Ridge": "least_squares",
    "RidgeCV": "ridge_cv",
    "Lasso": "lasso",
    "ElasticNet": "lasso",
    "LassoCV": "lasso_cv",
    "ElasticNetCV": "lasso_cv",
    "HuberRegressor": "huber",
    "QuantileRegressor": "quantile",
    "LogisticRegression": "logistic",
    "LogisticRegressionCV": "logistic_cv",
}

def _memory_of(parts: Any) -> Any:
    """The quadratic that stands for the rows a classifier has seen."""
    from .solvers.laplace import Memory

    theta, precision = parts
    expect(theta.ndim == 2 and precision.shape == (theta.size, theta.size), "state '_memory' is no quadratic")
    expect(bool(np.isfinite(theta).all() and np.isfinite(precision).all()), "state '_memory' is not finite")
    return Memory(theta, precision)


# What a model needs to go on learning and keeps to itself: the value that stands for it, and what it is made of that value.
_STATE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "_moments": (lambda moments: np.frombuffer(moments.to_bytes(), np.uint8), lambda block: Moments.from_bytes(block.tobytes())),
    "_memory": (lambda memory: [memory.theta, memory.precision], _memory_of),
    "_weighted": (bool, bool),
}

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]*_")


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds.

    Attributes
    ----------
    model : estimator
    notes : dict
        As given to `save`.
    written_by : str
        Version of ridgeline that wrote the file.
    """

    model: Any
    notes: dict[str, Any]
    written_by: str


def save(model: Any, path: str | os.PathLike[str], *, notes: Mapping[str, Any] | None = None, moments: bool = True) -> None:
    """Write a fitted estimator to a file, whole or not at all.

    Parameters
    ----------
    model : estimator
        Fitted, and of one of the classes of `CLASSES`.
    path : path-like
        Replaced if it exists: readers see the old file or the new one, never a part.
    notes : mapping, optional
        Anything JSON can hold, kept beside the model and given back by `read`.
    moments : bool, default True
        Whether a model takes along what `partial_fit` goes on from: of least squares the moments (weight, means and covariances of the
        data), 4 (d + t)^2 bytes, of a classifier fitted by `partial_fit` the curvature of its rows, 8 (c (d + 1))^2 bytes. Without it
        `partial_fit` of the loaded model starts afresh.

    Raises
    ------
    ValueError
        For another class, a model that is not fitted, or a parameter or attribute that has no place: a splitter or a function, say.
    OSError
        Where the file cannot be written; what was there before stays.

    Examples
    --------
    >>> from ridgeline import Ridge, load, save
    >>> save(Ridge(alpha=0.5).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]), "line.rl")
    >>> load("line.rl")
    Ridge(alpha=0.5)
    """
    replace_file(path, encode(model, dict(notes or {}), moments))


def load(path: str | os.PathLike[str]) -> Any:
    """The estimator of a file that `save` wrote: same class, parameters and fitted attributes, bit for bit.

    Parameters
    ----------
    path : path-like
        Of the file.

    Returns
    -------
    estimator

    Raises
    ------
    ValueError
        Saying whether the file is no model, of a newer version, cut short, damaged, or of an unknown class.
    OSError
        Where there is no such file, or it may not be read.

    Examples
    --------
    >>> from ridgeline import LinearRegression, load, save
    >>> save(LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]), "line.rl")
    >>> load("line.rl").predict([[3.0]])
    array([7.])
    """
    return read(path).model


def read(path: str | os.PathLike[str]) -> SavedModel:
    """Like `load`, with the notes and the version that wrote the file."""
    return decode(read_file(MODEL, path), os.fspath(path))


def encode(model: Any, notes: dict[str, Any], moments: bool) -> bytes:
    """The bytes of the file that `save` writes."""
    name = type(model).__name__
    if type(model).__module__ != f"ridgeline.estimators.{CLASSES.get(name)}":
        raise ValueError(f"cannot save a {name}: a model file holds one of {', '.join(CLASSES)}.")
    fitted = {key: value for key, value in vars(model).items() if _ATTRIBUTE.fullmatch(key)}
    if "coef_" not in fitted:
        raise ValueError(f"this {name} is not fitted yet; call fit before save.")
    if not isinstance(fitted["coef_"], np.ndarray):
        raise ValueError(f"cannot save coef_ of this {name}, which is sparse: call densify() before save.")
    writer = Writer()
    header = {
        "ridgeline": import_module("ridgeline").__version__,
        "class": name,
        "parameters": {key: _parameter(writer, key, value) for key, value in model.get_params(deep=False).items()},
        "attributes": {key: writer.value(value, key) for key, value in fitted.items()},
        "state": {
            key: writer.value(write(getattr(model, key)), key)
            for key, (write, _) in _STATE.items()
            if moments and getattr(model, key, None) is not None
        },
        "notes": notes,
    }
    try:
        return seal(MODEL, header, writer.arrays)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"notes hold something JSON has no place for: {error}.") from error


def _parameter(writer: Writer, name: str, value: Any) -> Any:
    try:
        return writer.value(value, name)
    except ValueError as error:
        raise ValueError(f"{error} Predictions do not need it: set_params({name}=None), or another plain value, before save.") from None


def decode(image: bytes, where: str) -> SavedModel:
    """The model of an image; `where` is the name messages give it."""
    opened = unseal(MODEL, image, where)
    header = opened.header
    with damage(where):
        model = _model(header, Reader(opened.arrays, opened.size))
        expect(isinstance(header["notes"], dict) and isinstance(header["ridgeline"], str), "the notes are no object")
    return SavedModel(model, header["notes"], header["ridgeline"])


def _model(header: dict[str, Any], reader: Reader) -> Any:
    name = header["class"]
    expect(isinstance(name, str) and name in CLASSES, f"the class {name!r} is unknown; known are {', '.join(CLASSES)}")
    kind = getattr(import_module(f"ridgeline.estimators.{CLASSES[name]}"), name)
    for part in ("parameters", "attributes", "state"):
        expect(isinstance(header[part], dict), f"{part} are no object")
    model = kind()
    parameters = {key: reader.value(item) for key, item in header["parameters"].items()}
    expect(parameters.keys() <= model.get_params(deep=False).keys(), f"a parameter {name} does not have")
    model.set_params(**parameters)
    for key, item in header["attributes"].items():
        expect(_ATTRIBUTE.fullmatch(key) is not None and not hasattr(kind, key), f"{name} has no attribute {key!r}")
        setattr(model, key, reader.value(item))
    for key, item in header["state"].items():
        expect(key in _STATE, f"{name} keeps no state {key!r}")
        setattr(model, key, _STATE[key][1](reader.value(item)))
    _check_shapes(model)
    return model


def _check_shapes(model: Any) -> None:
    """The attributes that prediction relies on agree with one another."""
    d = model.n_features_in_
    certified = isinstance(getattr(model, "certificate_", None), Certificate) or getattr(model, "refit", True) is False
    expect(is_count(int(d)) and certified, "there is no certificate_")
    coef, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    expect(
        coef.dtype.kind == "f" and coef.ndim in (1, 2) and coef.shape[-1] == d,
        "coef_ does not fit the number of columns",
    )
    expect(intercept.dtype.kind in "fi" and intercept.ndim <= 1, "intercept_ is no number")
    expect(intercept.size in (1, coef.size // max(d, 1)), "intercept_ does not fit coef_")
    names = getattr(model, "feature_names_in_", None)
    expect(names is None or np.shape(names) == (d,), "feature_names_in_ does not fit the number of columns")
    moments, memory = getattr(model, "_moments", None), getattr(model, "_memory", None)
    expect(moments is None or moments.n_features == d, "state '_moments' does not fit the number of columns")
    expect(memory is None or memory.theta.shape == (len(coef), d + 1), "state '_memory' does not fit coef_")
    if "LogisticRegression" in type(model).__name__:
        classes = np.asarray(model.classes_)
        expect(classes.ndim == 1 and len(classes) >= 2, "classes_ holds no classes")
        expect(
            coef.ndim == 2 and len(coef) == (1 if len(classes) == 2 else len(classes)),
            "coef_ does not fit classes_",
        )
