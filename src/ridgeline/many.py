"""Many models in one call: one for each group of rows and each target.

A group is fitted as it would be alone.  Where the estimator has a kernel for fits of few rows, the plain ones among the groups go through
it, a run of groups per call and without Python in between; the others, and all groups of an estimator without one, are fitted by the
estimator itself.  Threads share the runs.  What goes wrong in a group is recorded as its status, and touches no other.
"""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any

import numpy as np

from .certificate import without_warning
from .checkpoints import unrecorded
from .conversion import column_names, working_format
from .estimators.base import Estimator
from .groups import GroupedRows, Groups, groups_between, groups_by_key
from .labels import check_labels, classes_of
from .many_fits import ManyFits
from .sources import EMPTY, ArraySource, ChunkSource, source
from .sources.grouping import in_groups
from .sources.table import TableSource
from .threads import reduce, thread_count
from .validation import as_real_array, check_matrix, unmasked
from .views import regression_rows

ALONE = 16
"""Groups in a run where there is no kernel for the estimator: an interrupt waits for the runs at hand, and a fit may take milliseconds."""


def fit_many(
    model: Estimator,
    X: Any,
    y: Any = None,
    groups: Any = None,
    *,
    boundaries: Any = None,
    sample_weight: Any = None,
    offset: Any = None,
    n_threads: int | None = None,
) -> ManyFits:
    """Fit a model to each group of rows, and to each target.

    Parameters
    ----------
    model : estimator
        Any of Ridgeline's; its parameters serve every group. It is not changed.
    X : array-like or sparse matrix of shape (n, d), array-like of shape (g, n, d), data frame, Arrow table or source
        In three dimensions, g groups of n rows each. Of a table, the columns named by `y`, `groups`, `sample_weight` and `offset` have
        that role and the others are features. `ridgeline.source(path, target="price", groups="shop")` alone, which names the roles itself.
    y : array-like of shape (n,) or (n, t), (g, n) or (g, n, t) beside a three-dimensional X, or the name of a column, or a list of names
        Targets; each of several columns is fitted by itself.
    groups : array-like of shape (n,) or the name of a column, optional
        The key of each row's group: numbers, strings, dates. Rows need not be sorted. None makes one group of all rows.
    boundaries : array-like of shape (g + 1,), optional
        In place of `groups`: group k is the rows boundaries[k], ..., boundaries[k + 1] - 1.
    sample_weight, offset : array-like of shape (n,), shaped as the rows of X, or the name of a column, optional
        The offset is added to the prediction of each row.
    n_threads : int, optional
        Threads that share the groups; None for RIDGELINE_NUM_THREADS or the processors at hand. The same bits for any number.

    Returns
    -------
    ManyFits
        Coefficients, intercepts, status and certificates as arrays over the groups; `predict`, `model(key)`, `to_table()`.

    Raises
    ------
    ValueError
        For shapes that do not match, and where not a single group could be fitted, with the reason of the first.
    TypeError

    Warns
    -----
    FitWarning
        Once, with their number, if some fits are not "optimal". A group with NaN, a single class, no weight or the like has the status
        "failed" and NaN for coefficients; its rows count within the group in the message.

    Notes
    -----
    Least squares and binary logistic regression of up to 64 columns go through kernels: some microseconds per group beside the
    arithmetic. They give the bits of a separate fit, with one exception: `fit` refines least squares of up to 4096 entries of X to the
    last digit (65536 of float32), and here the answer keeps the ten or more digits that its certificate tells. Classes are those of
    all the rows; a group that lacks some is fitted with those it has. Rows of a group that do not lie together are gathered a megabyte at
    a time. Rows of a source are put in the order of their groups in temporary files first: a read of the keys, a read and a write of the
    rows; in memory stay the keys, the fits, one number per row for the classes of a classifier, and of the files what the system caches.

    Examples
    --------
    >>> from ridgeline import Ridge, fit_many
    >>> X, y = [[0.0], [1.0], [2.0], [0.0], [1.0]], [1.0, 3.0, 5.0, 4.0, 3.0]
    >>> fits = fit_many(Ridge(alpha=0), X, y, groups=["north", "north", "north", "south", "south"])
    >>> fits.keys.tolist(), fits.coef.round(6).tolist(), fits.status.tolist()
    (['north', 'south'], [[2.0], [-1.0]], ['optimal', 'optimal'])
    >>> fits.predict([[10.0]], ["south"]).round(6)
    array([-6.])
    """
    if not isinstance(model, Estimator):
        raise TypeError(f"model must be an estimator of ridgeline, got {model!r}.")
    if isinstance(X, (TableSource, ArraySource, ChunkSource)):
        return _fit_source(model, X, (y, groups, boundaries, sample_weight, offset), n_threads)
    names, X, y, groups, sample_weight, offset = _columns(X, y, groups, sample_weight, offset)
    X, y, boundaries, sample_weight, offset = _flat(X, y, groups, boundaries, sample_weight, offset)
    matrix = check_matrix(X)
    parts = _groups(groups, boundaries, len(matrix))
    classes, targets = _targets(model, y, len(matrix))
    weight, offset = (_per_row(a, name, len(matrix)) for a, name in ((sample_weight, "sample_weight"), (offset, "offset")))
    rows = GroupedRows(matrix, targets.reshape(len(matrix), -1), weight, offset, parts)
    return _fit_groups(model, rows, None if targets.ndim == 1 else targets.shape[1], classes, names, n_threads)


def _fit_source(model: Estimator, rows: Any, others: tuple[Any, ...], n_threads: int | None) -> ManyFits:
    """Fit the groups of a table: put in their order in temporary files, then read from there."""
    if not (isinstance(rows, TableSource) and rows.has_groups):
        raise TypeError(
            "fit_many takes the source of a table whose column of keys is named, source(path, target='price', groups='shop'), or arrays."
        )
    if any(other is not None for other in others):
        raise TypeError("the source names targets, groups, weights and offsets itself; leave them out of fit_many.")
    classes = values = None
    if model._estimator_type == "classifier":
        classes, values, _ = classes_of(rows)
    elif rows.schema.labels is not None:
        regression_rows(rows)  # says so
    keys, starts, ordered = in_groups(rows)
    targets = ordered.y if values is None else np.searchsorted(values, ordered.y).astype(np.float64)
    grouped = GroupedRows(ordered.X, targets.reshape(len(targets), -1), ordered.weight, ordered.offset, Groups(keys, starts))
    names = np.array(rows.schema.features, dtype=object)
    return _fit_groups(model, grouped, None if rows.n_targets == 1 else rows.n_targets, classes, names, n_threads)


def _fit_groups(
    model: Estimator, rows: GroupedRows, n_targets: int | None, classes: np.ndarray | None, names: np.ndarray | None, n_threads: int | None
) -> ManyFits:
    """Fit every group of checked rows."""
    X, parts = rows.X, rows.groups
    fits = ManyFits(type(model)(**model.get_params()), parts.keys, X.shape[1], n_targets, classes, names, working_format(X.dtype))
    most = ALONE if type(model).fit_groups is Estimator.fit_groups else len(parts)
    with without_warning(), unrecorded():
        reduce(parts.jobs(X.shape[1], most), partial(_fit_run, fits, rows), thread_count(n_threads), private=True)
    fits.require_one()
    fits.warn()
    return fits


class _Done:
    """A run of groups whose fits are written where they belong: a summary with nothing left to add."""

    def merge(self, other: _Done) -> None:
        """Nothing."""


def _fit_run(fits: ManyFits, rows: GroupedRows, run: tuple[int, int]) -> _Done:
    """Fit the groups first, ..., stop - 1."""
    first, stop = run
    X, y, weight, offset = rows.take(first, stop)
    starts = rows.groups.starts[first : stop + 1] - rows.groups.starts[first]
    for t in range(y.shape[1]):
        left = list(range(stop - first))
        if not offset.size and fits.kernels_serve:
            batch = fits.template.fit_groups(X, np.ascontiguousarray(y[:, t], dtype=np.float64), weight, starts)
            if batch is not None:
                fits.put_batch(first, t, batch)
                left = np.flatnonzero(~batch.done).tolist()
        for k in left:
            a, b = starts[k], starts[k + 1]
            _fit_one(fits, first + k, t, X[a:b], y[a:b, t], weight[a:b] if weight.size else None, offset[a:b])
    return _Done()


def _fit_one(
    fits: ManyFits, k: int, t: int, X: Any, y: np.ndarray, weight: np.ndarray | None, offset: np.ndarray
) -> None:
    """Fit one group by the estimator itself, and put down the fit or its failure."""
    model = copy(fits.template)
    labels = fits.labels(y)
    try:
        if offset.size:
            model.fit_source(source(X, labels, weight, offset=offset))  # type: ignore[attr-defined]
        else:
            model.fit(X, labels, sample_weight=weight)
    except ValueError as error:
        fits.put_failure(k, t, str(error))
    else:
        fits.put_model(k, t, model)


def _columns(X: Any, *roles: Any) -> tuple[Any, ...]:
    """The names of the features (None for an array), the features, and each role with names of columns replaced by their numbers."""
    names = column_names(X)
    if names is None:
        named = [role for role in roles if isinstance(role, str)]
        if named:
            raise ValueError(f"{named[0]!r} names a column, but X is an array without column names; pass the numbers themselves.")
        return None, X, *roles
    taken: list[str] = []

    def read(role: Any) -> Any:
        if isinstance(role, list) and role and all(isinstance(name, str) for name in role):
            return np.stack([read(name) for name in role], axis=1)
        if not isinstance(role, str):
            return role
        if role not in names:
            raise ValueError(f"X has no column {role!r}; its columns are {names.tolist()[:10]}.")
        taken.append(role)
        return np.asarray(X[role])

    read_roles = [read(role) for role in roles]
    features = [name for name in names if name not in taken]
    if not features:
        raise ValueError("no column of X is left to be a feature.")
    columns = [as_real_array(X[name], f"column {name!r}") for name in features]
    matrix = np.empty((len(features), len(columns[0])), working_format(np.result_type(*columns)))
    for j, column in enumerate(columns):
        matrix[j] = column
    return np.array(features, dtype=object), matrix.T, *read_roles


def _flat(X: Any, y: Any, groups: Any, boundaries: Any, *per_row: Any) -> tuple[Any, ...]:
    """X (g, n, d) as (g n, d) with boundaries, and what goes with its rows."""
    if getattr(X, "ndim", np.ndim(X) if isinstance(X, (list, tuple)) else 2) != 3:
        return X, y, boundaries, *per_row
    if groups is not None or boundaries is not None:
        raise ValueError("a three-dimensional X has its groups along the first axis; leave out groups and boundaries.")
    X = unmasked(X, "X")
    g, n, d = X.shape

    def flat(a: Any, name: str) -> Any:
        if a is None:
            return None
        a = unmasked(a, name)
        if a.shape[:2] != (g, n):
            raise ValueError(f"{name} has shape {a.shape}, expected {(g, n)} for X of shape {X.shape}.")
        return a.reshape(g * n, *a.shape[2:])

    rest = [flat(a, name) for a, name in zip(per_row, ("sample_weight", "offset"))]
    return X.reshape(g * n, d), flat(y, "y"), np.arange(g + 1) * n, *rest


def _groups(groups: Any, boundaries: Any, n: int) -> Groups:
    if groups is not None and boundaries is not None:
        raise ValueError("pass groups or boundaries, not both.")
    if groups is not None:
        return groups_by_key(groups, n)
    return groups_between([0, n] if boundaries is None else boundaries, n)


def _targets(model: Estimator, y: Any, n: int) -> tuple[np.ndarray | None, np.ndarray]:
    """The classes of all rows and their codes, as floats with NaN where a label is missing; or (None, targets)."""
    if model._estimator_type != "classifier":
        array = as_real_array(y, "y") if y is not None else np.empty(0)
        if array.ndim not in (1, 2) or len(array) != n:
            raise ValueError(f"y has shape {array.shape}, expected {(n,)} or ({n}, t): the targets of each row of X.")
        return None, array
    labels = unmasked(y, "y")
    if labels.ndim not in (1, 2) or len(labels) != n:
        raise ValueError(f"y has shape {labels.shape}, expected {(n,)} or ({n}, t): the labels of each row of X.")
    flat = labels.ravel()
    known = np.isfinite(flat) if flat.dtype.kind == "f" else np.ones(flat.size, bool)
    codes = np.full(flat.size, np.nan)
    classes, codes[known] = check_labels(flat[known], int(known.sum()))
    return classes, codes.reshape(labels.shape)


def _per_row(value: Any, name: str, n: int) -> np.ndarray:
    """One number per row, whose values each group checks; empty for None."""
    if value is None:
        return EMPTY
    array = as_real_array(value, name)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}, expected {(n,)}: one per row of X.")
    return np.ascontiguousarray(array, dtype=np.float64)

