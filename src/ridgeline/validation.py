"""What every argument must satisfy, checked once, before anything is computed or changed.

Each message says which argument is wrong, where (the first offending position), and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .blame import warn
from .conversion import as_array, column_names, require_no_path, what_to_encode, working_format
from .kinship import also
from .sparse_rows import SparseRows, is_sparse, sparse_rows

Matrix = np.ndarray | SparseRows
Names = Sequence[str] | np.ndarray | None


def holds_names(y: np.ndarray) -> bool:
    """Whether targets are names: text, or objects that are not numbers."""
    if y.dtype.kind in "UST":
        return True
    return y.dtype.kind == "O" and any(isinstance(value, (str, bytes)) for value in y.ravel()[:1000])


def first_position(mask: np.ndarray, names: Names = None) -> str:
    """Spell the first true entry of `mask` for a message: 'row 3', 'row 3, column 0', or '' for a scalar.

    Where columns have names: "row 3, column 0 ('height')".
    """
    index = np.unravel_index(int(np.argmax(mask)), mask.shape)
    spelt = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column", "axis 2", "axis 3"), index))
    return spelt if names is None or len(index) != 2 else f"{spelt} ({names[int(index[1])]!r})"


def unmasked(value: Any, name: str) -> np.ndarray:
    """`value` as an array of whatever it holds; a ValueError names the first masked cell, which `np.asarray` would uncover."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        where = first_position(np.ma.getmaskarray(value))
        raise ValueError(f"{name} is masked at {where}; fill or drop the masked cells first.")
    return as_array(value, name)


def as_real_array(value: Any, name: str, remedy: str = "") -> np.ndarray:
    """`value` as a NumPy array of real numbers, without a copy where it already is one; `remedy` is for what holds no numbers.

    Raises
    ------
    ValueError
        If it holds masked cells, complex numbers, strings, dates, or is ragged.
    TypeError
        If it is sparse, or holds objects that are not numbers.
    """
    if is_sparse(value):
        raise TypeError(
            f"{name}: Sparse data was passed, but dense data is required; {name}.toarray() converts it to a dense array."
        )
    array = unmasked(value, name)
    if array.dtype.kind == "c":
        raise ValueError(f"{name}: Complex data not supported; pass its real and imaginary parts as columns.")
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except OverflowError as error:
            raise ValueError(f"{name} holds a whole number too large for float64; scale it down.") from error
        except (TypeError, ValueError) as error:
            entry, where = _first_not_a_number(array, column_names(value))
            if is_missing(entry):
                raise ValueError(f"Input {name} contains NaN{where}; drop such rows or fill them in before the fit.") from error
            raise type(error)(
                f"{name} holds {entry!r}{where}, which is not a number ({error}); {remedy or what_to_encode(value, array, entry)}."
            ) from error
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} has dtype {array.dtype}, not numbers; {remedy or 'encode text, dates and categories as numbers'}."
        )
    return array


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, or a missing value of a data frame, of which nothing can be said, not even that it differs."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):
        return np.ndim(value) == 0


def _first_not_a_number(array: np.ndarray, names: Names) -> tuple[Any, str]:
    """That entry, and where it is."""
    for index in np.ndindex(array.shape):
        try:
            float(array[index])
        except (TypeError, ValueError):
            mask = np.zeros(array.shape, bool)
            mask[index] = True
            return array[index], at(mask, names)
    return "an entry", ""


def require_finite(array: Matrix, name: str, columns: Names = None) -> None:
    """Raise a ValueError that names the first NaN or infinite entry of `array`, and its column where `columns` have names."""
    if isinstance(array, SparseRows):
        array.require_finite(name)
        return
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum is finite only if every term is (or an overflow needs the closer look): one fast read, no
        # mask.
        if np.isfinite(array.sum(dtype=np.float64 if array.dtype.itemsize <= 8 else None)):
            return
    bad = ~np.isfinite(array)
    if not bad.any():
        return
    value = array[np.unravel_index(int(np.argmax(bad)), bad.shape)]
    kind = "NaN" if np.isnan(value) else "infinity"
    raise ValueError(
        f"Input {name} contains {kind} at {first_position(bad, columns)}; drop such rows or fill them in first."
    )


def require_range(array: Matrix, name: str, dtype: Any = np.float64, columns: Names = None) -> None:
    """Raise a ValueError that names the first entry that is not finite, or is too large for `dtype`."""
    require_finite(array, name, columns)
    if isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.dtype.itemsize > np.dtype(dtype).itemsize and array.size:
        bad = np.abs(array) > np.finfo(dtype).max
        if bad.any():
            raise ValueError(
                f"Input {name} holds {array.ravel()[int(np.argmax(bad))]!s} at {first_position(bad, columns)}, "
                f"which is too large for {np.dtype(dtype).name}; scale the column down."
            )


def check_matrix(X: Any, *, minimum_rows: int = 1) -> Any:
    """The design matrix as a two-dimensional real array; no copy where it is one, and no read of its entries.

    A sparse matrix becomes `SparseRows`.
    """
    require_no_path(X, "X")
    array = X if isinstance(X, SparseRows) else sparse_rows(X, "X") if is_sparse(X) else as_real_array(X, "X")
    if array.ndim != 2:
        hint = (
            "Reshape your data: X.reshape(-1, 1) makes one column of it, X.reshape(1, -1) one row."
            if array.ndim < 2
            else "Flatten the trailing axes into columns."
        )
        what = {0: "scalar array", 1: "1D array"}.get(array.ndim, f"array with dim {array.ndim}")
        raise ValueError(f"X: Expected 2D array, got {what} of shape {array.shape} instead. {hint}")
    n, d = array.shape
    if n < minimum_rows:
        raise ValueError(
            f"X: Found array with {n} sample(s) (shape={array.shape}) while a minimum of {minimum_rows} is required."
        )
    if d < 1:
        raise ValueError(
            f"X: Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    return array


class DataConversionWarning(UserWarning):
    """Data were taken in another shape than they were passed in; where scikit-learn is loaded, also its warning of that name."""


def warn_of_column(name: str) -> None:
    """Warn that a column stands where a vector is meant."""
    warn(
        f"A column-vector {name} was passed when a 1d array was expected: pass {name}.ravel().",
        also(DataConversionWarning, "DataConversionWarning"),
    )


def check_targets(y: Any, n: int, *, name: str = "y", multi: bool = True, warn: bool = False) -> np.ndarray:
    """Numeric targets, finite, as contiguous float64 of shape (n,) or (n, t).

    Not `multi`, a single column is taken for a vector; `warn` of it, as scikit-learn's estimators do.
    """
    if y is None:
        raise ValueError(f"requires {name} to be passed, but the target {name} is None.")
    require_no_path(y, name)
    array = as_real_array(y, name, "encode dates and categories as numbers; for labels take a classifier, such as LogisticRegression")
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} should be a 1d array, got an array of shape {array.shape} instead.")
    if array.ndim == 2 and not multi:
        if array.shape[1] != 1:
            raise ValueError(
                f"{name} should be a 1d array, got an array of shape {array.shape} instead; fit one model per column."
            )
        if warn:
            warn_of_column(name)
        array = array[:, 0]
    if len(array) != n:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: X has {n} rows, {name} has {len(array)}.")
    require_range(array, name)
    return np.ascontiguousarray(array, dtype=np.float64)


LARGEST_WEIGHT = 1e250
"""Above this, products of weights and squares leave the double range."""


def check_weights(weight: Any, n: int) -> np.ndarray:
    """Sample weights as contiguous float64 of shape (n,), or empty for None."""
    if weight is None:
        return np.empty(0)
    array = as_real_array(weight, "sample_weight")
    if array.ndim == 0:
        array = np.full(n, float(array))
    if array.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar; sample_weight has shape {array.shape}.")
    if len(array) != n:
        raise ValueError(
            f"sample_weight.shape == {array.shape}, expected {(n,)}: one weight per row of X."
        )
    require_range(array, "sample_weight")
    array = np.ascontiguousarray(array, dtype=np.float64)  # before it is compared: a bound beyond float32 would overflow there
    if n and array.min() < 0:
        where = first_position(array < 0)
        raise ValueError(f"sample_weight is negative at {where}; weights must be zero or more (zero removes a row).")
    if n and not array.any():
        raise ValueError("sample_weight is zero in every row; at least one row needs a positive weight.")
    if n and array.max() > LARGEST_WEIGHT:
        where = first_position(array > LARGEST_WEIGHT)
        raise ValueError(f"sample_weight exceeds {LARGEST_WEIGHT:g} at {where}; divide all weights (and alpha) by a constant.")
    return array


def require_weights(weight: np.ndarray, name: str) -> None:
    """Raise a ValueError that names the first weight that is not finite, is negative, or is too large.

    The weights of a part of the rows, which may all be zero.
    """
    require_range(weight, name)
    weight = weight.astype(np.float64, copy=False)
    for bad, what in ((weight < 0, "is negative"), (weight > LARGEST_WEIGHT, f"exceeds {LARGEST_WEIGHT:g}")):
        if bad.any():
            raise ValueError(f"{name} {what} at {first_position(bad)}; weights are zero or more, and at most {LARGEST_WEIGHT:g}.")


def as_floating(value: Any, name: str) -> np.ndarray:
    """`value` as an array of float64 or float32, in native byte order.

    float32 stays, float16 becomes float32 (which holds it exactly), and everything else becomes float64.
    """
    if type(value) is np.ndarray and value.dtype.char in "df" and value.dtype.isnative:
        return value                                         # what a short call mostly gets
    array = as_real_array(value, name)
    return array.astype(working_format(array.dtype), copy=False)


def require_same_shape(array: np.ndarray, other: np.ndarray, name: str, other_name: str) -> None:
    """Raise a ValueError unless both arrays have one shape: nothing broadcasts here."""
    if array.shape != other.shape:
        raise ValueError(
            f"{other_name} has shape {other.shape} where {name} has {array.shape}; pass one value of "
            f"{other_name} for each of {name} (reshape a column with .ravel())."
        )


# How far a row of probabilities may sum from 1: room for digits typed by hand, none for logits or counts.
SUM_TOLERANCE = {"d": 1e-6, "f": 1e-4}


def require_probabilities(array: np.ndarray, name: str, remedy: str, *, rows: bool) -> None:
    """Raise a ValueError at the first entry outside [0, 1], or (`rows`) the first row that does not sum to
    1.

    A row may miss 1 by `SUM_TOLERANCE`: 1e-6 in float64, 1e-4 in float32.
    """
    bad = ~((array >= 0) & (array <= 1))                     # a comparison with NaN is false
    if bad.any():
        value = array[np.unravel_index(int(np.argmax(bad)), bad.shape)]
        raise ValueError(f"{name} holds {value:g}{at(bad)}, which is not a probability in [0, 1]; {remedy}")
    if not rows:
        return
    total = array.sum(axis=-1, dtype=np.float64)
    bad = np.abs(total - 1.0) > SUM_TOLERANCE[array.dtype.char]
    if bad.any():
        value = np.ravel(total)[int(np.argmax(bad))]
        raise ValueError(
            f"{name} does not sum to 1{at(bad)} but to {value:.9g}; divide each row by its sum, or {remedy}"
        )


def at(mask: np.ndarray, names: Names = None) -> str:
    """' at ' and the first true position of `mask`; nothing for a scalar, which has no position."""
    where = first_position(np.asarray(mask), names)
    return f" at {where}" if where else ""


LARGEST_WHOLE = 1 << 53
"""Beyond this, not every whole number is a double, and a cast of a double to an index may be any number."""


def as_labels(labels: Any, name: str, n_classes: int | None, remedy: str) -> np.ndarray:
    """Class numbers 0, ..., n_classes - 1 as a C-contiguous array of intp, given in any format.

    Raises
    ------
    ValueError
        That names the first label that is not a whole number, is negative, or is not below `n_classes`.
    """
    array = as_real_array(labels, name)
    if array.dtype.kind == "f":
        array = array.astype(np.result_type(array, np.float64), copy=False)  # the bounds below are beyond a float16
        bad = ~(np.isfinite(array) & (array == np.floor(array)))
        if bad.any():
            value = array[np.unravel_index(int(np.argmax(bad)), bad.shape)]
            raise ValueError(f"{name} holds {value:g}{at(bad)}, which is not a whole number; {remedy}")
    if array.size:
        most = LARGEST_WHOLE if n_classes is None else n_classes
        bad = (array < 0) | (array >= most)
        if bad.any():
            value = array[np.unravel_index(int(np.argmax(bad)), bad.shape)]
            bound = "non-negative and below 2^53" if n_classes is None else f"in 0, ..., {n_classes - 1}"
            raise ValueError(f"{name} holds {value:g}{at(bad)}, and class numbers are {bound}; {remedy}")
    return np.ascontiguousarray(array, dtype=np.intp).reshape(array.shape)


def check_number(value: Any, name: str, *, low: float = 0.0, strict: bool = False, high: float = np.inf) -> float:
    """A finite real parameter in its range.

    Raises
    ------
    TypeError, ValueError
    """
    bound = f"{'greater than' if strict else 'at least'} {low:g}" + (f" and below {high:g}" if high < np.inf else "")
    if isinstance(value, (str, bytes)) or np.ndim(value) or not np.isreal(value):
        raise TypeError(f"{name} must be a number {bound}, got {value!r}.")
    number = float(value)
    if not (number > low if strict else number >= low) or number >= high:
        raise ValueError(f"{name} == {value!r}, must be {bound}.")
    return number


def check_count(value: Any, name: str) -> int:
    """A whole number of at least one.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} == {value}, must be at least 1.")
    return int(value)
