"""The lasso and the elastic net along a path of penalties."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from ..blame import warn
from ..certificate import worst
from ..moments import require_moments
from ..solvers.lasso import alpha_grid, largest_alpha, solve_path
from ..solvers.quadratic import MomentsQuadratic, Quadratic, RowsQuadratic, gram_difference
from ..sources import ArraySource
from ..validation import as_real_array, check_matrix, check_targets
from .parameters import check_choice, check_count, check_flag, check_number

MODERATE = 3000
"""Columns up to which a path, which looks at all of them a hundred times, is quicker on their scatter than on the rows."""

UNCENTRED = "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix."

SOLVER_PARAMETERS = {"max_iter": 1000, "tol": 1e-4, "random_state": None, "selection": "cyclic"}


def check_gram(gram: Any, source: ArraySource, fit_intercept: bool) -> None:
    """Compare a Gram matrix given by the user with the data; it is not used. True, False and "auto" are no matrices.

    Warns
    -----
    UserWarning
        Where the columns are not centred and an intercept is fitted, so that the matrix is another one.

    Raises
    ------
    ValueError
        If the shape does not fit, or entries are not those of X.
    """
    if isinstance(gram, (bool, np.bool_)) or (isinstance(gram, str) and gram == "auto"):
        return
    given = as_real_array(gram, "precompute")
    d = source.n_features
    if given.shape != (d, d):
        raise ValueError(f"precompute has shape {given.shape}, but X'X of X with {d} columns has {(d, d)}.")
    columns = np.unique(np.linspace(0, d - 1, 8).astype(int))
    difference = gram_difference(given[np.ix_(columns, columns)], source, columns, fit_intercept)
    if difference is None:
        warn(UNCENTRED, UserWarning)
    elif difference > 1e-4:
        raise ValueError(
            f"Gram matrix passed in via 'precompute' did not pass validation: entries differ from those of X'X by {difference:.1e} of "
            "their size. Leave precompute out."
        )


def check_alphas(alphas: Any, name: str = "alphas") -> int | np.ndarray:
    """A number of penalties, or the penalties themselves from the largest down.

    Raises
    ------
    TypeError, ValueError
        That name the first that will not do.
    """
    if isinstance(alphas, (int, np.integer)) and not isinstance(alphas, bool):
        return check_count(alphas, name)
    if isinstance(alphas, (str, bytes)) or not isinstance(alphas, Iterable):
        raise TypeError(f"{name} must be a whole number or a list of penalties, got {alphas!r}.")
    given = list(alphas)
    if not given:
        raise ValueError(f"{name} is empty; give at least one penalty.")
    for k, alpha in enumerate(given):
        if not isinstance(alpha, Real):
            raise TypeError(f"{name}[{k}] must be an instance of float, not {type(alpha).__name__}.")
        if not float(alpha) >= 0:
            raise ValueError(f"{name}[{k}] == {alpha}, must be >= 0.0.")
    return np.sort(np.array(given, dtype=np.float64))[::-1]


def check_ratio(value: Any) -> float:
    """A share of the L1 penalty.

    Raises
    ------
    TypeError, ValueError
    """
    ratio = check_number(value, "l1_ratio")
    if ratio > 1:
        raise ValueError(f"l1_ratio == {value!r}, must be at most 1.")
    return ratio


def grid(problem: Quadratic, alphas: int | np.ndarray, l1_ratio: float, eps: float, positive: bool) -> np.ndarray:
    """The penalties, from the largest down.

    Raises
    ------
    ValueError
        For a number of penalties without an L1 penalty, where no alpha makes every coefficient zero.
    """
    if isinstance(alphas, np.ndarray):
        return alphas
    if l1_ratio == 0:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid by providing your estimator with the "
            "appropriate `alphas=` argument."
        )
    return alpha_grid(largest_alpha(problem, l1_ratio, positive), eps, alphas)


def enet_path(
    X: Any = None,
    y: Any = None,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    moments: Any = None,
    fit_intercept: bool = False,
    n_threads: int | None = None,
    **params: Any,
) -> tuple[Any, ...]:
    """The elastic net for every penalty of a path, each solution from the one before.

    Minimises::

        (1 / (2n)) ||y - X w||^2 + alpha l1_ratio ||w||_1 + (alpha (1 - l1_ratio) / 2) ||w||^2

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n, d)
        Rows.
    y : array-like of shape (n,)
        Targets.
    l1_ratio : float in [0, 1], default 0.5
        Share of the L1 penalty.
    eps : float, default 1e-3
        The smallest penalty beside the largest, which is the least that makes every coefficient zero.
    n_alphas : int
        The number of penalties (deprecated, as in scikit-learn: `alphas`).
    alphas : int or array-like, default 100
        The number of penalties, or the penalties.
    precompute, Xy, copy_X, verbose, check_input : accepted and not used
        Parameters of scikit-learn's.
    coef_init : array-like of shape (d,), optional
        Where the first search starts.
    return_n_iter : bool, default False
        Whether to return the number of sweeps for each penalty too.
    positive : bool, default False
        No coefficient may be negative.
    moments : Moments, optional
        Of the rows, in the place of X and y: the whole path without any row.
    fit_intercept : bool, default False
        Fit an intercept for each penalty, mean(y) - mean(X) w; scikit-learn's function has none: center X and y before.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.
    **params : dict
        `max_iter`, `tol`, `selection` and `random_state` as in `ElasticNet`.

    Returns
    -------
    alphas : ndarray of shape (k,)
        From the largest down.
    coefs : ndarray of shape (d, k)
    dual_gaps : ndarray of shape (k,)
        Proven bounds on how far each objective is from its minimum.
    n_iters : list of int
        Only with `return_n_iter`.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, rows beside moments, several targets, and all that `ElasticNet.fit` refuses.

    Notes
    -----
    Up to 3000 columns one read of X, for its moments; more, one read or more per penalty.

    Examples
    --------
    >>> from ridgeline import Moments, enet_path
    >>> rows = Moments.of([[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [-1.0, 0.0, 1.0])
    >>> alphas, coefs, gaps = enet_path(moments=rows, l1_ratio=1.0, alphas=[0.5, 0.1])
    >>> coefs.round(6)
    array([[0.25, 0.85],
           [0.  , 0.  ]])
    """
    unknown = set(params) - set(SOLVER_PARAMETERS)
    if unknown:
        raise ValueError(f"Unexpected parameters in params: {sorted(unknown)}; known are {sorted(SOLVER_PARAMETERS)}.")
    options = {**SOLVER_PARAMETERS, **params}
    check_choice(options["selection"], "selection", ("cyclic", "random"))
    ratio = check_ratio(l1_ratio)
    check_flag(positive, "positive")
    wanted = check_alphas(_count(alphas, n_alphas))
    problem = _problem(X, y, moments, check_flag(fit_intercept, "fit_intercept"), n_threads)
    penalties = grid(problem, wanted, ratio, check_number(eps, "eps", strict=True), positive)
    start = None
    if coef_init is not None:
        first = as_real_array(coef_init, "coef_init").astype(np.float64)
        if first.shape != problem.scale.shape:
            raise ValueError(f"coef_init has shape {first.shape}, but X has {len(problem.scale)} columns.")
        start = problem.inner(first)
    solutions = list(solve_path(
        problem, penalties, ratio, positive, start,
        tol=check_number(options["tol"], "tol"), max_iter=check_count(options["max_iter"], "max_iter"),
    ))  # fmt: skip
    worst([s.certificate for s in solutions]).warn()
    coefs = np.stack([s.coef for s in solutions], axis=1)
    gaps = np.array([s.certificate.suboptimality for s in solutions])
    if return_n_iter:
        return penalties, coefs, gaps, [s.n_iter for s in solutions]
    return penalties, coefs, gaps


def lasso_path(
    X: Any = None,
    y: Any = None,
    *,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    moments: Any = None,
    fit_intercept: bool = False,
    n_threads: int | None = None,
    **params: Any,
) -> tuple[Any, ...]:
    """The lasso for every penalty of a path: `enet_path` with l1_ratio=1.

    Minimises::

        (1 / (2n)) ||y - X w||^2 + alpha ||w||_1

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n, d)
        Rows.
    y : array-like of shape (n,)
        Targets.
    eps : float, default 1e-3
        The smallest penalty beside the largest, which is the least that makes every coefficient zero.
    n_alphas : int
        The number of penalties (deprecated, as in scikit-learn: `alphas`).
    alphas : int or array-like, default 100
        The number of penalties, or the penalties.
    precompute, Xy, copy_X, verbose : accepted and not used
        Parameters of scikit-learn's.
    coef_init : array-like of shape (d,), optional
        Where the first search starts.
    return_n_iter : bool, default False
        Whether to return the number of sweeps for each penalty too.
    positive : bool, default False
        No coefficient may be negative.
    moments : Moments, optional
        Of the rows, in the place of X and y: the whole path without any row.
    fit_intercept : bool, default False
        Fit an intercept for each penalty, mean(y) - mean(X) w; scikit-learn's function has none: center X and y before.
    n_threads : int, optional
        Threads that share each pass over the rows; None for RIDGELINE_NUM_THREADS or the processors at hand.
    **params : dict
        `max_iter`, `tol`, `selection` and `random_state` as in `ElasticNet`.

    Returns
    -------
    alphas : ndarray of shape (k,)
        From the largest down.
    coefs : ndarray of shape (d, k)
    dual_gaps : ndarray of shape (k,)
        Proven bounds on how far each objective is from its minimum.
    n_iters : list of int
        Only with `return_n_iter`.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, rows beside moments, several targets, and all that `ElasticNet.fit` refuses.

    Notes
    -----
    Up to 3000 columns one read of X, for its moments; more, one read or more per penalty.

    Examples
    --------
    >>> from ridgeline import lasso_path
    >>> alphas, coefs, gaps = lasso_path([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0], alphas=3, eps=0.25)
    >>> alphas.round(6), coefs.round(6)
    (array([0.666667, 0.333333, 0.166667]), array([[0.  , 0.5 , 0.75]]))
    """
    return enet_path(
        X, y, l1_ratio=1.0, eps=eps, n_alphas=n_alphas, alphas=alphas, precompute=precompute, Xy=Xy, copy_X=copy_X,
        coef_init=coef_init, verbose=verbose, return_n_iter=return_n_iter, positive=positive, moments=moments,
        fit_intercept=fit_intercept, n_threads=n_threads, **params,
    )  # fmt: skip


def _count(alphas: Any, n_alphas: Any) -> Any:
    """What scikit-learn 1.9 makes of the two."""
    if isinstance(n_alphas, str) and n_alphas == "deprecated":
        if alphas is None:
            warn("'alphas=None' is deprecated and will be removed in 1.11; pass the number of penalties.", FutureWarning)
        return 100 if alphas is None or (isinstance(alphas, str) and alphas == "warn") else alphas
    warn("'n_alphas' was deprecated in 1.9 and will be removed in 1.11; pass it as alphas.", FutureWarning)
    return n_alphas if alphas is None or isinstance(alphas, str) else alphas


def _problem(X: Any, y: Any, moments: Any, fit_intercept: bool, n_threads: int | None) -> Quadratic:
    if moments is not None:
        if X is not None or y is not None:
            raise TypeError("the path takes rows, X and y, or their moments, not both.")
        if moments.n_targets != 1:
            raise ValueError(f"the moments have {moments.n_targets} targets; take a path for each.")
        require_moments(moments)
        return MomentsQuadratic(moments, fit_intercept)
    matrix = check_matrix(X)
    targets = check_targets(y, len(matrix))
    if targets.ndim == 2 and targets.shape[1] != 1:
        raise ValueError(f"y has {targets.shape[1]} columns; take a path for each (scikit-learn joins them in one group penalty).")
    source = ArraySource(matrix, targets.ravel(), n_threads=n_threads)
    if source.n_features > MODERATE:
        return RowsQuadratic(source, fit_intercept)
    return MomentsQuadratic.of_rows(source, fit_intercept)
