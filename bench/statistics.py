"""Tables of statistics beside statsmodels: how far the numbers differ, and what they take.

    python -m bench.statistics agree
    python -m bench.statistics speed [--rows 1000000] [--columns 20] [--rounds 2]

`agree`: the largest relative difference of any entry, over several shapes, of each number that both print.  `speed`: from the arrays to
standard errors and p-values, fit included; both in turns, the least time of each.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ridgeline import LinearRegression, LogisticRegression
from ridgeline.statistics.covariance import KINDS

SHAPES = ((50, 3), (500, 10), (5000, 20))

LEAST_SQUARES = {
    "coefficients": ("coef", "params"), "standard errors": ("standard_error", "bse"), "p-values": ("p_value", "pvalues"),
    "R^2": ("r2", "rsquared"), "adjusted R^2": ("r2_adjusted", "rsquared_adj"), "F": ("f_statistic", "fvalue"),
    "log-likelihood": ("log_likelihood", "llf"), "AIC": ("aic", "aic"), "BIC": ("bic", "bic"),
}  # fmt: skip
"""A number, and its attribute here and there."""

LIKELIHOOD = {
    "coefficients": ("coef", "params"), "standard errors": ("standard_error", "bse"), "p-values": ("p_value", "pvalues"),
    "log-likelihood": ("log_likelihood", "llf"), "AIC": ("aic", "aic"), "BIC": ("bic", "bic"),
}  # fmt: skip

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def rows(n: int, d: int, seed: int = 0) -> Rows:
    """X, a target with errors that grow with the first column, two classes, three classes, weights, clusters."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 3 * np.arange(d)
    score = (X - 3 * np.arange(d)) @ rng.standard_normal(d) / d**0.5
    y = score + rng.standard_normal(n) * (1 + np.abs(X[:, 0]))
    latent = score + rng.logistic(size=n)
    return X, y, (latent > 0).astype(int), np.digitize(latent, [-0.5, 1.0]), rng.uniform(0.5, 2, n), rng.integers(0, max(n // 20, 5), n)


def design(X: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(X)), X])


def peer_options(kind: str, groups: np.ndarray) -> dict[str, Any]:
    chosen: dict[str, Any] = {"cov_type": "nonrobust" if kind == "classical" else kind}
    return chosen | ({"cov_kwds": {"groups": groups}} if kind == "cluster" else {})


def difference(got: Any, expected: Any) -> float:
    """The largest relative difference of an entry; what underflows to zero there is measured absolutely."""
    got, expected = np.ravel(got), np.asarray(expected).T.ravel()
    return float(np.max(np.abs(got - expected) / np.where(expected != 0, np.abs(expected), 1.0)))


def least_squares(api: Any, kind: str, weighted: bool) -> dict[str, float]:
    worst = dict.fromkeys(LEAST_SQUARES, 0.0)
    for n, d in SHAPES:
        X, y, _, _, s, groups = rows(n, d)
        peer = (api.WLS(y, design(X), weights=s) if weighted else api.OLS(y, design(X))).fit(**peer_options(kind, groups))
        weight, clusters = s if weighted else None, groups if kind == "cluster" else None
        table = LinearRegression().fit(X, y, weight).summary(X, y, weight, covariance=kind, groups=clusters)
        for name, (ours, theirs) in LEAST_SQUARES.items():
            worst[name] = max(worst[name], difference(getattr(table, ours), getattr(peer, theirs)))
    return worst


def likelihood(api: Any, kind: str, classes: int) -> dict[str, float]:
    worst = dict.fromkeys(LIKELIHOOD, 0.0)
    for n, d in SHAPES[1:]:
        X, _, two, three, _, groups = rows(n, d)
        y = two if classes == 2 else three
        model = (api.Logit if classes == 2 else api.MNLogit)(y, design(X))
        peer = model.fit(method="newton", tol=1e-14, maxiter=100, disp=False, **peer_options(kind, groups))
        clusters = groups if kind == "cluster" else None
        table = LogisticRegression(C=np.inf).fit(X, y).summary(X, y, covariance=kind, groups=clusters)
        for name, (ours, theirs) in LIKELIHOOD.items():
            worst[name] = max(worst[name], difference(getattr(table, ours), getattr(peer, theirs)))
    return worst


def influence(api: Any) -> dict[str, float]:
    worst: dict[str, float] = {}
    for n, d in SHAPES:
        X, y, *_ = rows(n, d)
        peer = api.OLS(y, design(X)).fit().get_influence()
        found = LinearRegression().fit(X, y).influence(X, y)
        for name, got, expected in (
            ("leverage", found.leverage, peer.hat_matrix_diag), ("internal", found.studentized_internal, peer.resid_studentized_internal),
            ("external", found.studentized_external, peer.resid_studentized_external),
            ("Cook", found.cooks_distance, peer.cooks_distance[0]), ("DFFITS", found.dffits, peer.dffits[0]),
        ):  # fmt: skip
            size = np.abs(expected).max()
            worst[name] = max(worst.get(name, 0.0), float(np.abs(got - expected).max() / size))
    return worst


def inverse(A: np.ndarray) -> np.ndarray:
    """A^-1 of a positive definite A in its own format, by Cholesky."""
    n = len(A)
    L, R = np.zeros_like(A), np.zeros_like(A)
    for j in range(n):
        L[j:, j] = A[j:, j] - L[j:, :j] @ L[j, :j]
        L[j:, j] /= np.sqrt(L[j, j])
        R[j] = (np.eye(n, dtype=A.dtype)[j] - L[j, :j] @ R[:j]) / L[j, j]
    return R.T @ R


def judged(api: Any) -> tuple[float, float]:
    """The largest relative errors of clustered standard errors here and there, by extended arithmetic (80 bits on x86)."""
    n, d = SHAPES[-1]
    X, y, _, _, _, groups = rows(n, d)
    Z, target = design(X).astype(np.longdouble), y.astype(np.longdouble)
    bread = inverse(Z.T @ Z)
    w = bread @ (Z.T @ target)
    w += bread @ (Z.T @ (target - Z @ w))
    scores = (target - Z @ w)[:, None] * Z
    sums = np.stack([scores[groups == key].sum(axis=0) for key in np.unique(groups)])
    factor = np.longdouble(len(sums)) / (len(sums) - 1) * (n - 1) / (n - d - 1)
    exact = np.sqrt(np.diag(factor * bread @ (sums.T @ sums) @ bread))
    table = LinearRegression().fit(X, y).summary(X, y, covariance="cluster", groups=groups)
    peer = api.OLS(y, design(X)).fit(**peer_options("cluster", groups))
    return difference(table.standard_error, exact), difference(peer.bse, exact)


def agree(api: Any) -> None:
    print(f"| fit | covariance | {' | '.join(LEAST_SQUARES)} |\n|---|---|{'---:|' * len(LEAST_SQUARES)}")
    for name, weighted in (("OLS", False), ("WLS", True)):
        for kind in KINDS:
            print(f"| {name} | {kind} | {' | '.join(f'{v:.0e}' for v in least_squares(api, kind, weighted).values())} |")
    print(f"\n| fit | covariance | {' | '.join(LIKELIHOOD)} |\n|---|---|{'---:|' * len(LIKELIHOOD)}")
    for name, classes in (("Logit", 2), ("MNLogit", 3)):
        for kind in ("classical", "HC0", "cluster"):
            print(f"| {name} | {kind} | {' | '.join(f'{v:.0e}' for v in likelihood(api, kind, classes).values())} |")
    print("\nClustered standard errors of {} x {} judged in extended arithmetic: ridgeline {:.0e}, statsmodels {:.0e}".format(
        *SHAPES[-1], *judged(api)
    ))  # fmt: skip
    print("\nInfluence, beside the largest: " + ", ".join(f"{name} {v:.0e}" for name, v in influence(api).items()))


def speed(api: Any, options: argparse.Namespace) -> None:
    X, y, two, _, _, groups = rows(options.rows, options.columns)

    def ours(kind: str) -> Callable[[], Any]:
        clusters = groups if kind == "cluster" else None
        return lambda: LinearRegression().fit(X, y).summary(X, y, covariance=kind, groups=clusters).p_value

    contenders: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        f"least squares, {kind}": (
            ours(kind), lambda kind=kind: api.OLS(y, design(X)).fit(**peer_options(kind, groups)).pvalues,
        ) for kind in ("classical", "HC1", "HC3", "cluster")
    }  # fmt: skip
    contenders["influence of every row"] = (
        lambda: LinearRegression().fit(X, y).influence(X, y).cooks_distance,
        lambda: api.OLS(y, design(X)).fit().get_influence().cooks_distance[0],
    )
    for kind in ("classical", "HC0"):
        contenders[f"logistic, {kind}"] = (
            lambda kind=kind: LogisticRegression(C=np.inf).fit(X, two).summary(X, two, covariance=kind).p_value,
            lambda kind=kind: api.Logit(two, design(X)).fit(disp=False, **peer_options(kind, groups)).pvalues,
        )
    print(f"{options.rows} x {options.columns} float64, seconds, fit included\n")
    print("| | ridgeline | statsmodels | ratio |\n|---|---:|---:|---:|")
    for name, pair in contenders.items():
        least = [np.inf, np.inf]
        for _ in range(options.rounds):
            for k, call in enumerate(pair):
                start = time.perf_counter()
                call()
                least[k] = min(least[k], time.perf_counter() - start)
        print(f"| {name} | {least[0]:.3f} | {least[1]:.2f} | {least[1] / least[0]:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["agree", "speed"], nargs="?", default="agree")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api as api
    # of the last digits, which its iterations do not reach; it resets the filters when it is imported
    warnings.filterwarnings("ignore", module="statsmodels")
    if options.what == "agree":
        agree(api)
    else:
        speed(api, options)


if __name__ == "__main__":
    main()
