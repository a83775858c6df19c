"""The contenders: one row each.  To add one, write `fit(X, y, problem, tolerance) -> Point` and add a row to `RIVALS`.

A rival imports its library when it fits, and an ImportError leaves it out with its message.  What is timed is `fit`; `prepare` brings the
rows into the form in which a user of that library has them, which is not timed.  Tolerances are tried from the loosest until the
answer reaches the problem's target; None is the library's default.  Iteration limits are set out of the way, so that a tolerance decides.

The objective is the one of `objective`: alpha is the penalty's weight beside the *sum* of the losses.  What each library calls it is
translated here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .objective import Point
from .problems import Problem

Fit = Callable[[Any, Any, Problem, float | None], Point]
MANY = 100_000
"""Iterations that no fit here gets to."""

DIRECT = (None,)
TIGHTENING = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
LADDER = (None, *TIGHTENING)
"""The defaults are looser than the first number, unless a row says otherwise."""


@dataclass(frozen=True)
class Rival:
    """A way to fit: a library, the solver within it, and per family the function that does it."""

    library: str
    solver: str
    fits: Mapping[str, Fit]
    tolerances: tuple[float | None, ...] = LADDER
    prepare: Callable[[np.ndarray, np.ndarray], tuple[Any, Any]] = lambda X, y: (X, y)
    most_columns: int = MANY
    """Wider problems are left out: the method's memory or time grows beyond what anybody would wait for."""

    @property
    def name(self) -> str:
        return f"{self.library} {self.solver}".strip()


def _given(tolerance: float | None, name: str = "tol", **options: Any) -> dict[str, Any]:
    """Keyword arguments, with the tolerance unless it is the default."""
    return options if tolerance is None else options | {name: tolerance}


def _point(model: Any, **more: Any) -> Point:
    return Point(np.asarray(model.coef_), np.asarray(model.intercept_), **more)


# ----------------------------------------------------------------------------------------------------- ridgeline


def _ridgeline(name: str, options: Callable[[Problem], dict[str, Any]]) -> Fit:
    def fit(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
        import ridgeline

        if not hasattr(ridgeline, name):
            raise ImportError(f"this ridgeline has no {name}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the judge says what an answer is worth
            model = getattr(ridgeline, name)(**_given(tolerance, **options(problem))).fit(X, y)
        said = model.certificate_
        remark = {key: getattr(said, key) for key in ("status", "solver", "gradient_norm", "suboptimality", "passes")}
        return _point(model, scale=float(getattr(model, "scale_", 1.0)), remark=remark)

    return fit


RIDGELINE: dict[str, Fit] = {
    "ols": _ridgeline("LinearRegression", lambda p: {}),
    "ridge": _ridgeline("Ridge", lambda p: {"alpha": p.terms.alpha}),
    "logistic": _ridgeline("LogisticRegression", lambda p: {"C": 1 / p.terms.alpha}),
    "softmax": _ridgeline("LogisticRegression", lambda p: {"C": 1 / p.terms.alpha}),
    "huber": _ridgeline("HuberRegressor", lambda p: {"delta": p.terms.delta, "alpha": p.terms.alpha}),
    "scaled huber": _ridgeline("HuberRegressor", lambda p: {"epsilon": p.terms.epsilon, "alpha": p.terms.alpha}),
    "quantile": _ridgeline("QuantileRegressor", lambda p: {"quantile": p.terms.quantile, "alpha": p.penalty}),
    "lasso": _ridgeline("Lasso", lambda p: {"alpha": p.penalty}),
}


# ------------------------------------------------------------------------------------------------------- NumPy


def _normal_equations(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
    mean = X.mean(axis=0)
    Z = X - mean
    gram = Z.T @ Z
    gram.flat[:: len(gram) + 1] += problem.terms.alpha
    w = np.linalg.solve(gram, Z.T @ (y - y.mean()))
    return Point(w, y.mean() - mean @ w)


# ------------------------------------------------------------------------------------------------- scikit-learn


def _sklearn(module: str, name: str, options: Callable[[Problem], dict[str, Any]]) -> Fit:
    """scikit-learn's estimator, or that of a library with the same names."""

    def fit(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
        from importlib import import_module

        estimator = getattr(import_module(module), name)(**_given(tolerance, **options(problem)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = estimator.fit(X, y)
        return _point(model, scale=float(getattr(model, "scale_", 1.0)))

    return fit


SKLEARN = "sklearn.linear_model"
INTELEX = "sklearnex.linear_model"


def _sklearn_logistic(module: str, solver: str) -> dict[str, Fit]:
    fit = _sklearn(module, "LogisticRegression", lambda p: {"C": 1 / p.terms.alpha, "solver": solver, "max_iter": MANY})
    return {"logistic": fit, "softmax": fit}


def _sklearn_ridge(solver: str, **more: Any) -> dict[str, Fit]:
    return {"ridge": _sklearn(SKLEARN, "Ridge", lambda p: {"alpha": p.terms.alpha, "solver": solver} | more)}


def _scaled_huber(p: Problem) -> dict[str, Any]:
    return {"epsilon": p.terms.epsilon, "alpha": p.terms.alpha, "max_iter": MANY}


def _highs(p: Problem) -> dict[str, Any]:
    return {"quantile": p.terms.quantile, "alpha": p.penalty, "solver": "highs"}


# -------------------------------------------------------------------------------------------------------- glum


def _glum(family: str, **more: Any) -> Fit:
    """Its objective is F / n: half the mean deviance, and alpha beside it."""

    def fit(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
        from glum import GeneralizedLinearRegressor

        options = {"family": family, "alpha": problem.penalty, "max_iter": 10_000, "copy_X": False} | more
        return _point(GeneralizedLinearRegressor(**_given(tolerance, "gradient_tol", **options)).fit(X, y))

    return fit


# ------------------------------------------------------------------------------------------------- statsmodels


def _with_ones(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Its linear models take the intercept as a column."""
    return np.column_stack([X, np.ones(len(X))]), y


def _statsmodels(solve: Callable[[Any, Any, Any, Problem, float | None], Any]) -> Fit:
    def fit(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
        import statsmodels.api as sm

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            params = np.asarray(solve(sm, X, y, problem, tolerance).params)
        return Point(params[:-1], params[-1])

    return fit


def _sm_ols(sm: Any, X: Any, y: Any, p: Problem, tolerance: float | None) -> Any:
    return sm.OLS(y, X).fit(method="qr")


def _sm_ridge(sm: Any, X: Any, y: Any, p: Problem, tolerance: float | None) -> Any:
    return sm.OLS(y, X).fit_regularized(L1_wt=0, alpha=np.append(np.full(p.d, p.penalty), 0.0))


def _sm_logit(sm: Any, X: Any, y: Any, p: Problem, tolerance: float | None) -> Any:
    model = sm.GLM(y, X, family=sm.families.Binomial())
    return model.fit_regularized(L1_wt=0, alpha=np.append(np.full(p.d, p.penalty), 0.0))


def _sm_huber(sm: Any, X: Any, y: Any, p: Problem, tolerance: float | None) -> Any:
    model = sm.RLM(y, X, M=sm.robust.norms.HuberT(t=p.terms.delta))
    return model.fit(**_given(tolerance, update_scale=False, start_scale=1.0, conv="coefs", maxiter=10_000))


def _sm_quantile(sm: Any, X: Any, y: Any, p: Problem, tolerance: float | None) -> Any:
    return sm.QuantReg(y, X).fit(**_given(tolerance, "p_tol", q=p.terms.quantile, max_iter=10_000))


# ------------------------------------------------------------------------------------------------------- skglm


def _skglm_lasso(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
    """Its smooth families have no squared penalty beside an intercept, so the lasso is where it enters."""
    import skglm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _point(skglm.Lasso(**_given(tolerance, alpha=problem.penalty, max_iter=1000)).fit(X, y))


def _columns(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fortran order, in which coordinate descent reads."""
    return np.asfortranarray(X), y


# -------------------------------------------------------------------------------------------------- polars-ols


def _frame(X: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    import polars

    return polars.DataFrame({f"x{j}": X[:, j] for j in range(X.shape[1])} | {"y": y}), None


def _polars_ols(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
    import polars
    import polars_ols  # noqa: F401 (brings `least_squares`)

    named = [polars.col(name) for name in X.columns[:-1]]
    expression = polars.col("y").least_squares.ols(*named, mode="coefficients", add_intercept=True)
    found = X.select(expression).unnest("coefficients").row(0, named=True)
    return Point(np.array([found[name] for name in X.columns[:-1]]), found["const"])


# ------------------------------------------------------------------------------------------------------- torch


def _torch(X: Any, y: Any, problem: Problem, tolerance: float | None) -> Point:
    """L-BFGS with its strong Wolfe line search, in float64, on F / n."""
    import torch

    c = problem.classes if problem.family == "softmax" else 1
    rows, targets = torch.from_numpy(X), torch.from_numpy(y)
    W = torch.zeros(problem.d, c, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(c, dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy if c > 1 else torch.nn.functional.binary_cross_entropy_with_logits
    method = torch.optim.LBFGS(
        [W, b],
        max_iter=MANY,
        max_eval=MANY,
        history_size=20,
        line_search_fn="strong_wolfe",
        **_given(tolerance, "tolerance_grad", tolerance_change=0.0),
    )

    def closure() -> Any:
        method.zero_grad()
        z = rows @ W + b
        value = loss(z if c > 1 else z[:, 0], targets) + 0.5 * problem.penalty * (W * W).sum()
        value.backward()
        return value

    method.step(closure)
    return Point(W.detach().numpy().T.copy(), b.detach().numpy().copy())


# -------------------------------------------------------------------------------------------------- the contenders

RIVALS = [
    Rival("ridgeline", "", RIDGELINE, (None, 1e-10, 1e-12)),
    Rival("NumPy", "normal equations", {"ols": _normal_equations, "ridge": _normal_equations}, DIRECT, most_columns=10_000),
    Rival("scikit-learn", "lbfgs", _sklearn_logistic(SKLEARN, "lbfgs")),
    Rival("scikit-learn", "newton-cholesky", _sklearn_logistic(SKLEARN, "newton-cholesky"), most_columns=5000),
    Rival("scikit-learn", "newton-cg", _sklearn_logistic(SKLEARN, "newton-cg")),
    Rival("scikit-learn", "cholesky", _sklearn_ridge("cholesky"), DIRECT),
    Rival("scikit-learn", "lsqr", _sklearn_ridge("lsqr", max_iter=MANY)),
    Rival("scikit-learn", "sag", _sklearn_ridge("sag", max_iter=MANY, random_state=0)),
    Rival("scikit-learn", "lstsq", {"ols": _sklearn(SKLEARN, "LinearRegression", lambda p: {})}, DIRECT),
    Rival("scikit-learn", "Huber", {"scaled huber": _sklearn(SKLEARN, "HuberRegressor", _scaled_huber)}),
    Rival("scikit-learn", "HiGHS", {"quantile": _sklearn(SKLEARN, "QuantileRegressor", _highs)}, DIRECT),
    Rival(
        "scikit-learn",
        "descent",
        {"lasso": _sklearn(SKLEARN, "Lasso", lambda p: {"alpha": p.penalty, "max_iter": MANY})},
        prepare=_columns,
    ),
    Rival("scikit-learn-intelex", "lbfgs", _sklearn_logistic(INTELEX, "lbfgs")),
    Rival(
        "scikit-learn-intelex",
        "normal equations",
        {
            "ridge": _sklearn(INTELEX, "Ridge", lambda p: {"alpha": p.terms.alpha}),
            "ols": _sklearn(INTELEX, "LinearRegression", lambda p: {}),
        },
        DIRECT,
    ),
    Rival(
        "glum",
        "irls-ls",
        {"logistic": _glum("binomial", solver="irls-ls"), "ridge": _glum("normal", solver="irls-ls")},
        most_columns=5000,
    ),
    Rival("glum", "lbfgs", {"logistic": _glum("binomial", solver="lbfgs")}),
    Rival("glum", "irls-cd", {"lasso": _glum("normal", solver="irls-cd", l1_ratio=1)}, most_columns=5000, prepare=_columns),
    Rival("statsmodels", "QR", {"ols": _statsmodels(_sm_ols)}, DIRECT, prepare=_with_ones),
    Rival("statsmodels", "SVD", {"ridge": _statsmodels(_sm_ridge)}, DIRECT, prepare=_with_ones, most_columns=1000),
    Rival("statsmodels", "BFGS", {"logistic": _statsmodels(_sm_logit)}, DIRECT, prepare=_with_ones, most_columns=1000),
    Rival("statsmodels", "RLM", {"huber": _statsmodels(_sm_huber)}, TIGHTENING, prepare=_with_ones),
    Rival("statsmodels", "QuantReg", {"quantile": _statsmodels(_sm_quantile)}, TIGHTENING, prepare=_with_ones),
    Rival("skglm", "AndersonCD", {"lasso": _skglm_lasso}, prepare=_columns),
    Rival("polars-ols", "", {"ols": _polars_ols}, DIRECT, prepare=_frame, most_columns=1000),
    Rival("torch", "L-BFGS", {"logistic": _torch, "softmax": _torch}, TIGHTENING),
]


def entering(problem: Problem, chosen: str = "") -> list[Rival]:
    """The rows that solve this problem; `chosen` keeps those whose name holds one of its comma-separated words, and ridgeline."""
    words = [word.strip() for word in chosen.split(",") if word.strip()]
    return [
        rival
        for rival in RIVALS
        if problem.family in rival.fits
        and problem.d <= rival.most_columns
        and (not words or rival.library == "ridgeline" or any(word in rival.name for word in words))
    ]
