"""How coefficients shrink as the penalty grows.

For the lasso and the elastic net the path is `enet_path`; for other estimators each penalty is a fit of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..conversion import column_names
from ..estimators.lasso import ElasticNet
from ..estimators.lasso_path import enet_path
from ..moments import Moments
from ..validation import check_matrix
from .drawing import COLOURS, GREY, STYLES, Display, faint_grid, log_axis, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 50
"""Penalties of a path by default."""

NAMED = 10
"""Coefficients that get a colour and a name, the largest; more could not be told apart."""


class CoefficientPathDisplay(Display):
    """Coefficients against the penalty.

    Parameters
    ----------
    values : array-like of shape (k,)
        Of the penalty's parameter.
    coef : array-like of shape (k, d)
        Coefficients, a row for each value.
    names : sequence of str, optional
        Of the d columns.
    parameter : str
        "alpha", which shrinks, or "C", its inverse.
    chosen : float, optional
        The value of the model at hand, a line.
    ylabel, title : str
        Of the axis and the picture.

    Examples
    --------
    >>> from ridgeline import Ridge
    >>> from ridgeline.plots import CoefficientPathDisplay
    >>> display = CoefficientPathDisplay.from_estimator(Ridge(), [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], values=[0.1, 1.0, 10.0])
    >>> display.parameter, display.coef.shape, display.ax_.get_title()
    ('alpha', (3, 1), 'Ridge: coefficients over alpha')
    """

    def __init__(
        self,
        values: Any,
        coef: Any,
        *,
        names: Any = None,
        parameter: str = "alpha",
        chosen: float | None = None,
        ylabel: str = "coefficient",
        title: str = "Coefficient path",
    ) -> None:
        self.values, self.coef = vector(values, "values"), np.asarray(coef, dtype=np.float64)
        if self.coef.ndim != 2 or len(self.coef) != len(self.values):
            raise ValueError(f"coef has shape {self.coef.shape}; pass one row of coefficients for each of {len(self.values)} values.")
        self.names = [f"column {j}" for j in range(self.coef.shape[1])] if names is None else [str(name) for name in names]
        self.parameter, self.chosen, self.ylabel, self.title = parameter, chosen, ylabel, title

    @classmethod
    def from_estimator(
        cls, model: Any, X: Any, y: Any, *, values: Any = None, output: int = 0, scaled: bool = True, ax: Axes | None = None
    ) -> Self:
        """The path of an estimator with a parameter `alpha` or `C`; copies of it are fitted.

        Parameters
        ----------
        model : estimator
            Fitted or not; the value of its parameter becomes a line.
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Their targets or labels.
        values : array-like, optional
            Values of the parameter; a range that shows the whole path by default.
        output : int, default 0
            Which row of `coef_`, of several targets or classes.
        scaled : bool, default True
            Multiply each coefficient by the standard deviation of its column, so that columns in different units compare.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        CoefficientPathDisplay

        Notes
        -----
        A fit for each value; the lasso and the elastic net go along their path.
        """
        parameter = varied(model)
        values, coef = coefficient_path(model, X, y, values, output)
        matrix = check_matrix(X)
        if scaled:
            coef = coef * _deviations(matrix)
        return cls(
            values,
            coef,
            names=column_names(X),
            parameter=parameter,
            chosen=float(getattr(model, parameter)),
            ylabel="coefficient × standard deviation of its column" if scaled else "coefficient",
            title=f"{type(model).__name__}: coefficients over {parameter}",
        ).plot(ax)

    def _draw(self, ax: Axes) -> None:
        size = np.abs(self.coef).max(axis=0, initial=0.0)
        named = np.argsort(-size, kind="stable")[:NAMED]
        rest = np.setdiff1d(np.arange(len(size)), named)
        for j in rest:
            ax.plot(self.values, self.coef[:, j], color=GREY, linewidth=0.8, alpha=0.5)
        end = int(self.values.argmin() if self.parameter == "alpha" else self.values.argmax())
        for k, j in enumerate(sorted(named, key=lambda j: -self.coef[end, j])):
            style = STYLES[k // len(COLOURS)]
            ax.plot(self.values, self.coef[:, j], color=COLOURS[k % len(COLOURS)], linestyle=style, linewidth=2, label=self.names[j])
        if rest.size:
            ax.plot([], [], color=GREY, linewidth=0.8, label=f"{rest.size} others, smaller")
        ax.axhline(0, color=GREY, linewidth=0.8)
        if self.chosen is not None and self.values.min() <= self.chosen <= self.values.max():
            ax.axvline(self.chosen, color=GREY, linewidth=1.2, linestyle=":", label=f"{self.parameter} = {self.chosen:.3g}")
        direction = "weaker" if self.parameter == "C" else "stronger"
        log_axis(ax, self.values)
        ax.set(xlabel=f"{self.parameter} ({direction} penalty to the right)", ylabel=self.ylabel, title=self.title)
        faint_grid(ax)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)


def varied(model: Any) -> str:
    """The parameter that a path varies.

    Raises
    ------
    TypeError
        For an estimator without one.
    """
    for parameter in ("C", "alpha"):
        if parameter in model.get_params():
            return parameter
    raise TypeError(
        f"{type(model).__name__} has neither alpha nor C to vary; pass an estimator that has, such as Ridge() or LogisticRegression()."
    )


def refitted(model: Any, X: Any, y: Any, parameter: str, value: float) -> Any:
    """A copy of the model, fitted with another value of its parameter."""
    return type(model)(**{**model.get_params(), parameter: float(value)}).fit(X, y)


def penalties(model: Any, X: Any, y: Any) -> np.ndarray:
    """Values of the parameter from where the penalty does nothing to where it leaves nothing, evenly spaced in the logarithm.

    Squared penalties act where alpha nears the sums of squares of the centred columns; an L1 penalty from its largest useful value down, as
    scikit-learn's paths have it; for C the range of `LogisticRegressionCV`.
    """
    if varied(model) == "C":
        return np.logspace(-4, 4, POINTS)
    if isinstance(model, ElasticNet):
        return np.asarray(enet_path(X, y, l1_ratio=model.l1_ratio, alphas=POINTS, fit_intercept=model.fit_intercept)[0])
    moments = Moments.of(X, y)
    squares = np.diag(moments.scatter)[: moments.n_features]
    squares = squares[squares > 0]
    if not squares.size:
        raise ValueError("every column of X is constant, so that no penalty changes anything; check X.")
    return np.geomspace(1e-3 * squares.min(), 1e2 * squares.max(), POINTS)


def coefficient_path(model: Any, X: Any, y: Any, values: Any = None, output: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values of the parameter (k,), ascending, and the coefficients (k, d) of one output for each.

    Notes
    -----
    One path for the lasso and the elastic net, k fits for others.
    """
    values = np.sort(penalties(model, X, y) if values is None else vector(values, "values"))
    if isinstance(model, ElasticNet):
        found, coef, _ = enet_path(
            X, y, l1_ratio=model.l1_ratio, alphas=values, fit_intercept=model.fit_intercept, positive=model.positive,
            max_iter=model.max_iter, tol=model.tol,
        )  # fmt: skip
        return np.asarray(found)[::-1], np.atleast_2d(np.asarray(coef)[output] if np.ndim(coef) == 3 else coef).T[::-1]
    fits = [refitted(model, X, y, varied(model), value) for value in values]
    return values, np.stack([np.atleast_2d(fit.coef_)[output] for fit in fits])


def _deviations(matrix: Any) -> np.ndarray:
    """The standard deviation of each column."""
    moments = Moments.of(matrix, np.zeros(len(matrix)))
    return np.sqrt(np.diag(moments.scatter)[: moments.n_features] / moments.weight)
