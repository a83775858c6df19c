"""What `fit_many` returns: many fits as arrays over groups and targets, each of which can be had as an estimator."""

from __future__ import annotations

from collections import Counter
from copy import copy
from typing import Any

import numpy as np

from .blame import warn
from .certificate import OPTIMAL, Certificate, FitWarning
from .estimators.base import Estimator
from .solvers.batch import Batch
from .sources import SLAB_ELEMENTS
from .sparse_rows import as_array
from .validation import check_matrix, unmasked

FAILED = "failed"
"""The status of a group that no model could be fitted to; its message is that of the error."""


class ManyFits:
    """Fits of g groups, of one target (the arrays below without the axis t) or of t targets: what `fit_many` returns.

    Attributes
    ----------
    keys : ndarray of shape (g,)
    coef : ndarray of shape (g, t, d); (g, t, c, d) for c > 2 classes
    intercept : ndarray of shape (g, t); (g, t, c) for c > 2 classes
        Of a group that failed, NaN. Of c > 2 classes, those that a group lacks have NaN; where it has only two, the first of them has
        zeros, and the second its log-odds.
    status : ndarray of str, shape (g, t)
        As in a certificate, or "failed".
    gradient_norm, suboptimality, condition : ndarray of shape (g, t)
        As in a certificate; NaN where the fit failed.
    n_iter : ndarray of int, shape (g, t)
        Steps of the solver; 1 for a direct one, 0 where the fit failed.
    classes : ndarray of shape (c,) or None
        Of a classifier, the labels of all rows, sorted.
    template : estimator
        With the parameters that all fits share.

    Notes
    -----
    Memory: about 8 (d + 8) bytes per fit of the plain kind; a fitted estimator for each of the others.

    Examples
    --------
    >>> from ridgeline import LinearRegression, fit_many
    >>> X, y = [[0.0], [1.0], [2.0], [0.0], [1.0]], [1.0, 3.0, 5.0, 4.0, 3.0]
    >>> fits = fit_many(LinearRegression(), X, y, boundaries=[0, 3, 5])
    >>> fits
    <2 groups of LinearRegression(), 1 features: 2 optimal>
    >>> fits.model(1).predict([[2.0]]).round(6), fits.certificate(0).status
    (array([2.]), 'optimal')
    >>> list(fits.to_table())
    ['group', 'status', 'gradient_norm', 'suboptimality', 'condition', 'n_iter', 'intercept', 'x0']
    """

    def __init__(
        self, template: Estimator, keys: np.ndarray, n_features: int, n_targets: int | None, classes: np.ndarray | None,
        names: np.ndarray | None, dtype: np.dtype,
    ) -> None:  # fmt: skip
        g, t = len(keys), 1 if n_targets is None else n_targets
        outputs = (len(classes),) if classes is not None and len(classes) > 2 else ()
        self.template, self.keys, self.classes, self.names, self.dtype = template, keys, classes, names, dtype
        self.kernels_serve = not outputs
        self._flat = n_targets is None
        self._coef = np.full((g, t, *outputs, n_features), np.nan)
        self._intercept = np.full((g, t, *outputs), np.nan)
        self._figures = np.full((3, g, t), np.nan)
        self._n_iter, self._passes = np.zeros((2, g, t), dtype=np.int32)
        self._status = np.full((g, t), FAILED, dtype="U17")
        self._models: dict[tuple[int, int], Estimator] = {}
        self._errors: dict[tuple[int, int], str] = {}
        self._index: dict[Any, int] = {}

    @property
    def coef(self) -> np.ndarray:
        return self._one(self._coef)

    @property
    def intercept(self) -> np.ndarray:
        return self._one(self._intercept)

    @property
    def status(self) -> np.ndarray:
        return self._one(self._status)

    @property
    def gradient_norm(self) -> np.ndarray:
        return self._one(self._figures[0])

    @property
    def suboptimality(self) -> np.ndarray:
        return self._one(self._figures[1])

    @property
    def condition(self) -> np.ndarray:
        return self._one(self._figures[2])

    @property
    def n_iter(self) -> np.ndarray:
        return self._one(self._n_iter)

    def _one(self, array: np.ndarray) -> np.ndarray:
        """Without the axis of targets, where there is only one."""
        return array[:, 0] if self._flat else array

    def labels(self, codes: np.ndarray) -> np.ndarray:
        """The labels of codes, as long as none is missing; targets of a regression as they are."""
        if self.classes is None or not np.isfinite(codes).all():
            return codes
        return self.classes[codes.astype(np.intp)]

    def put_batch(self, first: int, t: int, batch: Batch) -> None:
        """Put down the fits of a run of groups that a kernel has done."""
        done = np.flatnonzero(batch.done)
        k = first + done
        self._coef[k, t], self._intercept[k, t] = batch.coef[done], batch.intercept[done]
        self._figures[:, k, t] = batch.figures[done].T
        self._n_iter[k, t], self._passes[k, t], self._status[k, t] = batch.n_iter[done], batch.passes[done], OPTIMAL

    def put_model(self, k: int, t: int, model: Any) -> None:
        """Put down a fitted estimator."""
        if self.names is not None:
            model.feature_names_in_ = self.names
        certificate = model.certificate_
        self._models[k, t] = model
        self._status[k, t] = certificate.status
        self._figures[:, k, t] = certificate.gradient_norm, certificate.suboptimality, certificate.condition
        self._passes[k, t], self._n_iter[k, t] = certificate.passes, np.max(getattr(model, "n_iter_", 1))
        if self.classes is None or len(self.classes) == 2:
            self._coef[k, t], self._intercept[k, t] = np.ravel(model.coef_), np.ravel(model.intercept_)[0]
            return
        present = np.searchsorted(self.classes, model.classes_)
        if len(present) == 2:
            self._coef[k, t, present[0]] = self._intercept[k, t, present[0]] = 0.0
            present = present[1:]
        self._coef[k, t, present], self._intercept[k, t, present] = model.coef_, model.intercept_

    def put_failure(self, k: int, t: int, message: str) -> None:
        """Put down why a group has no fit."""
        self._errors[k, t] = message

    def require_one(self) -> None:
        """Raise a ValueError, with the reason of the first, if there is no fit at all."""
        if self._errors and len(self._errors) == self._status.size:
            raise ValueError(f"none of the {len(self.keys)} groups could be fitted; of the first: {self._errors[0, 0]}")

    def warn(self) -> None:
        """Warn once if not all fits are optimal."""
        counts = Counter(self._status[self._status != OPTIMAL].tolist())
        if counts:
            k, t = (int(i) for i in np.argwhere(self._status != OPTIMAL)[0])
            kinds = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
            warn(
                f"{sum(counts.values())} of {self._status.size} fits are not optimal ({kinds}); see `status` and `message(key)`. "
                f"The first is group {self._key(k)!r}: {self._message(k, t)}",
                FitWarning,
            )

    def message(self, key: Any, target: int = 0) -> str:
        """What the certificate of a group's fit says for a person, or why there is none.

        Parameters
        ----------
        key : object
            The key of the group, one of `keys`.
        target : int, default 0
            Which of several targets.

        Returns
        -------
        str

        Raises
        ------
        KeyError
            For a key that is not there.
        """
        return self._message(self._row(key), target)

    def _message(self, k: int, t: int) -> str:
        return self._errors[k, t] if (k, t) in self._errors else self._certificate(k, t).message

    def certificate(self, key: Any, target: int = 0) -> Certificate:
        """The certificate of a group's fit.

        Parameters
        ----------
        key : object
            The key of the group, one of `keys`.
        target : int, default 0
            Which of several targets.

        Returns
        -------
        Certificate

        Raises
        ------
        ValueError
            For a group that failed, with its message; KeyError for a key that is not there.
        """
        return self._certificate(self._row(key), target)

    def _certificate(self, k: int, t: int) -> Certificate:
        if (k, t) in self._errors:
            raise ValueError(f"group {self._key(k)!r} could not be fitted: {self._errors[k, t]}")
        if (k, t) in self._models:
            return self._models[k, t].certificate_
        counts = int(self._n_iter[k, t]), int(self._passes[k, t])
        figures = self._figures[0, k, t].item(), self._figures[1, k, t].item(), self._figures[2, k, t].item()
        return self.template.certificate_of_kernel(self._coef.shape[-1], figures, *counts)

    def model(self, key: Any, target: int = 0) -> Any:
        """The fit of a group (and, of several targets, of one) as a fitted estimator.

        One that came from a kernel keeps no moments: its `partial_fit` starts afresh.

        Parameters
        ----------
        key : object
            The key of the group, one of `keys`.
        target : int, default 0
            Which of several targets.

        Returns
        -------
        estimator
            Of the class of `template`.

        Raises
        ------
        ValueError
            For a group that failed, with its message; KeyError for a key that is not there.
        """
        k = self._row(key)
        certificate = self._certificate(k, target)
        if (k, target) in self._models:
            return self._models[k, target]
        model = copy(self.template)
        coef, intercept = self._coef[k, target].astype(self.dtype), self._intercept[k, target].astype(self.dtype)
        model.restore(coef, intercept, int(self._n_iter[k, target]), certificate, self.classes)
        if self.names is not None:
            model.feature_names_in_ = self.names
        return model

    def _key(self, k: int) -> Any:
        """The key of a group, as Python has it."""
        return self.keys[k : k + 1].tolist()[0]

    def _row(self, key: Any) -> int:
        return int(self._rows(np.array([key], dtype=self.keys.dtype if self.keys.dtype.kind == "O" else None))[0])

    def _rows(self, keys: np.ndarray) -> np.ndarray:
        """Which group each key is."""
        if not self._index:
            self._index = {key: k for k, key in enumerate(self.keys.tolist())}
        unique, codes = np.unique(keys, return_inverse=True)
        try:
            found = [self._index[key] for key in unique.tolist()]
        except KeyError as error:
            raise KeyError(f"no group has the key {error.args[0]!r}; the keys are {self.keys[:10].tolist()}.") from None
        return np.array(found, dtype=np.intp)[codes.ravel()]

    def predict(self, X: Any, groups: Any) -> np.ndarray:
        """Predictions for rows, each by the model of its group.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows with the columns of the fits.
        groups : array-like of shape (n,)
            Keys of the groups.

        Returns
        -------
        ndarray of shape (n,) or (n, t)
            NaN, or for a classifier an error, where a group has no model.

        Notes
        -----
        One read of X, and the coefficients of a row's group for each row. A row with NaN has the prediction NaN; of a classifier it is an
        error.
        """
        scores = self._scores(X, groups)
        if self.classes is None:
            return self._one(scores)
        classes = np.stack([-scores, scores], axis=2) if scores.ndim == 2 else scores
        unknown = np.isnan(classes).all(axis=2)
        if unknown.any():
            row = int(np.argwhere(unknown)[0, 0])
            (key,) = np.asarray(groups)[row : row + 1].tolist()
            raise ValueError(f"row {row} cannot be classified: it is not finite, or its group {key!r} has no model.")
        index = np.where(np.isnan(classes), -np.inf, classes).argmax(axis=2)
        return self._one(self.classes[index])

    def _scores(self, X: Any, groups: Any) -> np.ndarray:
        """x w + b of every row with its group's coefficients, (n, t) or (n, t, c)."""
        matrix, keys = check_matrix(X), unmasked(groups, "groups")
        if keys.shape != (len(matrix),):
            raise ValueError(f"groups has shape {keys.shape}, expected {(len(matrix),)}: one key per row of X.")
        if matrix.shape[1] != self._coef.shape[-1]:
            raise ValueError(f"X has {matrix.shape[1]} features, but the models were fitted to {self._coef.shape[-1]}.")
        which = self._rows(keys)
        scores = np.empty((len(matrix), *self._intercept.shape[1:]))
        step = max(SLAB_ELEMENTS // matrix.shape[1], 1)
        for a in range(0, len(matrix), step):
            rows = slice(a, a + step)
            x = as_array(matrix[rows]).astype(np.float64, copy=False)
            scores[rows] = np.einsum("nd,n...d->n...", x, self._coef[which[rows]]) + self._intercept[which[rows]]
        return scores

    def to_table(self) -> dict[str, np.ndarray]:
        """Columns of equal length for a data frame, one row per fit: `pandas.DataFrame(fits.to_table())`.

        `group`, `target` where there are several, `class` where there are more than two, `status`, `gradient_norm`, `suboptimality`,
        `condition`, `n_iter`, `intercept`, and a coefficient per feature under its name (`x0`, `x1`, ... without names).

        Returns
        -------
        dict of str to ndarray
        """
        d = self._coef.shape[-1]
        shape = self._intercept.shape
        axes = np.indices(shape).reshape(len(shape), -1)
        table = {"group": self.keys[axes[0]]}
        if not self._flat:
            table["target"] = axes[1]
        if len(shape) == 3 and self.classes is not None:
            table["class"] = self.classes[axes[2]]
        for name, values in (
            ("status", self._status), *zip(("gradient_norm", "suboptimality", "condition"), self._figures), ("n_iter", self._n_iter),
        ):  # fmt: skip
            table[name] = values[axes[0], axes[1]]
        table["intercept"] = self._intercept.ravel()
        coef = self._coef.reshape(-1, d)
        names = [f"x{j}" for j in range(d)] if self.names is None else self.names.tolist()
        for j, name in enumerate(names):
            table[name if name not in table else f"coef {name}"] = coef[:, j]
        return table

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        counts = Counter(self._status.ravel().tolist())
        kinds = ", ".join(f"{count} {status}" for status, count in counts.most_common())
        targets = "" if self._flat else f" x {self._status.shape[1]} targets"
        return f"<{len(self)} groups{targets} of {self.template!r}, {self._coef.shape[-1]} features: {kinds}>"
