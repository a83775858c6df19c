"""Rows that are awkward to spread over machines, and the fits that every engine must give the bits of."""

import numpy as np

from ridgeline import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
)
from ridgeline.__main__ import main

D = 5
SIZES = [40, 0, 1, 300, 7, 0, 64, 1, 1, 500, 33, 128, 2, 90, 0, 10, 77, 15, 4, 210, 1, 0]
"""Rows of the partitions: more than a node of the tree holds, some empty, some of one row."""

N = sum(SIZES)
ENDS = np.cumsum([0, *SIZES])


def columns(seed=0):
    """Columns of a table: features a ... e and a colour, targets of every kind, weights (some zero), offsets."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D)) * [1, 10, 0.1, 1, 1] + [0, 3, 0, 0, 100]
    y = X @ [1.0, -0.2, 3.0, 0.0, 0.5] + rng.standard_t(3, size=N)
    kind = np.digitize(y - y.mean() + rng.normal(size=N), [-1.0, 1.5])
    kind[ENDS[9] : ENDS[10]] = np.minimum(kind[ENDS[9] : ENDS[10]], 1)  # a partition that lacks a class
    return {
        **dict(zip("abcde", X.T)),
        "colour": np.array(["red", "green", "blue"])[rng.integers(0, 3, N)],
        "y": y,
        "z": y[::-1].copy(),
        "label": np.where(y + rng.normal(size=N) > y.mean(), "yes", "no"),
        "kind": np.array(["low", "mid", "top"])[kind],
        "count": kind.astype(np.int64),
        "s": rng.uniform(0, 1, N) * (rng.random(N) > 0.1),
        "o": rng.normal(size=N),
    }


FEATURES = [*"abcde", "colour"]

FITS = {
    "least squares": (LinearRegression(), {"target": "y"}),
    "of two targets": (Ridge(alpha=[1.0, 2.0]), {"target": ["y", "z"]}),
    "ridge, weighted": (Ridge(), {"target": "y", "weight": "s", "offset": "o"}),
    "nonnegative": (Ridge(positive=True), {"target": "y"}),
    "without intercept": (Ridge(fit_intercept=False), {"target": "y", "weight": "s"}),
    "lasso": (Lasso(alpha=0.1), {"target": "y", "weight": "s"}),
    "elastic net": (ElasticNet(alpha=0.1), {"target": "y"}),
    "Huber": (HuberRegressor(), {"target": "y", "weight": "s", "offset": "o"}),
    "Huber, threshold": (HuberRegressor(delta=1.0, alpha=0.1), {"target": "y"}),
    "quantile": (QuantileRegressor(alpha=0.01), {"target": "y", "weight": "s"}),
    "logistic": (LogisticRegression(), {"target": "label", "weight": "s", "offset": "o"}),
    "logistic, balanced": (LogisticRegression(class_weight="balanced", C=0.1), {"target": "label"}),
    "logistic, unpenalised": (LogisticRegression(C=np.inf), {"target": "label"}),
    "logistic, L1": (LogisticRegression(l1_ratio=1.0, solver="saga", C=0.05), {"target": "label", "weight": "s"}),
    "softmax": (LogisticRegression(), {"target": "kind", "weight": "s"}),
    "softmax of numbers": (LogisticRegression(class_weight={0: 2.0}), {"target": "count"}),
    "softmax, L1": (LogisticRegression(l1_ratio=0.5, solver="saga", C=0.05), {"target": "kind"}),
}


def clone(model):
    return type(model)(**model.get_params())


def assert_same_bits(got, want):
    for name in ("coef_", "intercept_", "classes_", "n_iter_"):
        if hasattr(want, name):
            assert np.array_equal(getattr(got, name), getattr(want, name)), name
    for figure in ("status", "gradient_norm", "suboptimality", "passes"):
        assert getattr(got.certificate_, figure) == getattr(want.certificate_, figure), figure


def command(capsys, *arguments, code=0):
    """What the command line prints; a refusal is one line on stderr."""
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert status == code, err
    assert not code or (err.count("\n") == 1 and err.startswith("ridgeline: error: "))
    return out + err
