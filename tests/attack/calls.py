"""Every public function and estimator as a row: its clean arguments, and what makes one tuple of arrays of the answer.

Campaigns over inputs, failures, interrupts and threads run through this table, so that a new name is one row here; a test holds it against
the list of public names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import ridgeline as rl

RNG = np.random.default_rng(7)
N = 48
X = RNG.integers(0, 9, size=(N, 3)).astype(float)
"""Whole numbers, not negative and small: exact in every format."""

NOISE = RNG.integers(0, 9, size=N)
Y = X @ [2.0, 1.0, 3.0] + NOISE
S = RNG.integers(1, 4, size=N).astype(float)
MIDDLE = np.median(Y)
BINARY = (Y > MIDDLE).astype(float)
THREE = np.digitize(Y, [22, 30]).astype(float)
GROUPS = np.repeat([0.0, 1.0, 2.0], N // 3)
LOGITS = RNG.integers(0, 7, size=(N, 3)).astype(float)
P = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5], [0.125, 0.75, 0.125]])[RNG.integers(0, 4, N)]
ONE = np.eye(3)[THREE.astype(int)]
W3 = np.array([2.0, 1.0, 3.0])

Answer = tuple[Any, ...]


@dataclass(frozen=True)
class Call:
    """`run(*arguments)` gives the answer, any nesting of arrays and numbers; `arguments` are the clean ones.

    Attributes
    ----------
    rounding : float
        Relative difference allowed where sums may run in another order.
    matrix_names : bool
        Whether a data frame's names may come through in the answer (a frame may then be returned in kind).
    """

    run: Callable[..., Any]
    arguments: tuple[np.ndarray, ...]
    rounding: float = 1e-12


def of_model(model: Any, X: Any, *others: Any) -> Answer:
    """What a fitted model answers."""
    answer = [model.coef_, model.intercept_, as_numbers(model.predict(X))]
    for name in ("decision_function", "predict_proba", "predict_log_proba"):
        if hasattr(model, name):
            answer.append(getattr(model, name)(X))
    return (*answer, model.score(X, *others))


def as_numbers(a: Any) -> np.ndarray:
    return np.asarray(a, dtype=np.float64)


def fitted(make: Callable[[], Any], X: Any, y: Any, s: Any) -> Answer:
    return of_model(make().fit(X, y, sample_weight=s), X, y, s)


def in_batches(make: Callable[[], Any], X: Any, y: Any, s: Any) -> Answer:
    model = make().partial_fit(X, y, sample_weight=s)
    return of_model(model.partial_fit(X, y, sample_weight=s), X, y, s)


def from_source(make: Callable[[], Any], X: Any, y: Any, s: Any) -> Answer:
    return of_model(make().fit_source(rl.source(X, y, s)), X, y, s)


def from_chunks(make: Callable[[], Any], X: Any, y: Any, s: Any) -> Answer:
    return of_model(make().fit_source(rl.source(lambda: iter([(X, y, s)]))), X, y, s)


def moments(X: Any, y: Any, s: Any, precision: str = "double") -> Answer:
    return (np.frombuffer(rl.Moments.of(X, y, s, precision=precision).to_bytes()[:-4], np.uint8),)


def many(make: Callable[[], Any], X: Any, y: Any, groups: Any, s: Any) -> Answer:
    fits = rl.fit_many(make(), X, y, groups, sample_weight=s)
    return fits.coef, fits.intercept, as_numbers(fits.keys), fits.status == "optimal"


def descended(loss: str, X: Any, y: Any, s: Any) -> Answer:
    result = rl.gradient_descent(loss, X, y, learning_rate=1e-3, max_iter=20, fit_intercept=True, sample_weight=s)
    return result.coef, result.intercept, result.risk


def of_probabilities(X: Any, y: Any, s: Any) -> Answer:
    model = rl.LogisticRegression(C=0.5).fit(X, y, sample_weight=s)
    return model.coef_, model.intercept_, model.predict_proba(X)


def gap(X: Any, y: Any, X_test: Any, y_test: Any) -> Answer:
    model = rl.LogisticRegression().fit(X0, B0)
    return (rl.generalization_gap(model, X, y, X_test, y_test, "binary_cross_entropy"),)


X0, B0 = X.copy(), BINARY.copy()

MODELS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "LinearRegression": (rl.LinearRegression, Y),
    "LinearRegression positive": (partial(rl.LinearRegression, positive=True), Y),
    "Ridge": (partial(rl.Ridge, alpha=2.0), Y),
    "Ridge without intercept": (partial(rl.Ridge, alpha=2.0, fit_intercept=False), Y),
    "Ridge of two targets": (partial(rl.Ridge, alpha=2.0), np.stack([Y, NOISE], axis=1)),
    "RidgeCV": (partial(rl.RidgeCV, alphas=(0.5, 2.0, 8.0)), Y),
    "RidgeCV by folds": (partial(rl.RidgeCV, alphas=(0.5, 2.0, 8.0), cv=3), Y),
    "Lasso": (partial(rl.Lasso, alpha=0.5), Y),
    "ElasticNet": (partial(rl.ElasticNet, alpha=0.5), Y),
    "LassoCV": (partial(rl.LassoCV, alphas=5, cv=3), Y),
    "ElasticNetCV": (partial(rl.ElasticNetCV, alphas=5, cv=3), Y),
    "HuberRegressor": (rl.HuberRegressor, Y),
    "HuberRegressor fixed": (partial(rl.HuberRegressor, delta=2.5), Y),
    "QuantileRegressor": (partial(rl.QuantileRegressor, quantile=0.4, alpha=0.02), Y),
    "LogisticRegression": (partial(rl.LogisticRegression, C=0.5), BINARY),
    "LogisticRegression softmax": (partial(rl.LogisticRegression, C=0.5), THREE),
    "LogisticRegression l1": (partial(rl.LogisticRegression, C=0.5, l1_ratio=1.0), BINARY),
    "LogisticRegressionCV": (partial(rl.LogisticRegressionCV, Cs=3, cv=3, use_legacy_attributes=False, l1_ratios=(0.0,)), BINARY),
}  # fmt: skip

ONLINE = ("LinearRegression", "Ridge", "LogisticRegression", "LogisticRegression softmax")
FROM_SOURCE = (
    "LinearRegression", "Ridge", "Lasso", "ElasticNet", "HuberRegressor", "HuberRegressor fixed", "QuantileRegressor",
    "LogisticRegression", "LogisticRegression softmax",
)  # fmt: skip

LOSS_NAMES = {
    "squared_error": Y, "absolute_error": Y, "huber": Y, "binary_cross_entropy": BINARY,
    "sparse_categorical_cross_entropy": THREE, "categorical_cross_entropy": ONE,
}  # fmt: skip

CALLS: dict[str, Call] = {
    "sigmoid": Call(rl.sigmoid, (LOGITS,)),
    "log_sigmoid": Call(rl.log_sigmoid, (LOGITS,)),
    "softplus": Call(rl.softplus, (LOGITS,)),
    "softmax": Call(rl.softmax, (LOGITS,)),
    "softmax of columns": Call(partial(rl.softmax, axis=0), (LOGITS,)),
    "log_softmax": Call(rl.log_softmax, (LOGITS,)),
    "logsumexp": Call(rl.logsumexp, (LOGITS,)),
    "one_hot": Call(rl.one_hot, (THREE,)),
    "one_hot of classes": Call(lambda labels, classes: rl.one_hot(labels, classes=classes), (THREE, np.array([2.0, 0.0, 1.0]))),
    "squared_error": Call(rl.squared_error, (Y, Y[::-1])),
    "absolute_error": Call(rl.absolute_error, (Y, Y[::-1])),
    "huber": Call(rl.huber, (Y, Y[::-1])),
    "binary_cross_entropy": Call(rl.binary_cross_entropy, (BINARY, P[:, 0])),
    "binary_cross_entropy of logits": Call(partial(rl.binary_cross_entropy, from_logits=True), (BINARY, LOGITS[:, 0])),
    "categorical_cross_entropy": Call(rl.categorical_cross_entropy, (ONE, P)),
    "categorical_cross_entropy of logits": Call(partial(rl.categorical_cross_entropy, from_logits=True), (ONE, LOGITS)),
    "sparse_categorical_cross_entropy": Call(rl.sparse_categorical_cross_entropy, (THREE, P)),
    "sparse_categorical_cross_entropy of logits": Call(
        partial(rl.sparse_categorical_cross_entropy, from_logits=True), (THREE, LOGITS)
    ),
    "kl_divergence": Call(rl.kl_divergence, (P, P[::-1])),
    "empirical_risk": Call(partial(rl.empirical_risk, "squared_error"), (Y, Y[::-1], S)),
    "empirical_risk of classes": Call(partial(rl.empirical_risk, "zero_one"), (THREE, BINARY, S)),
    "generalization_gap": Call(gap, (X, BINARY, X[:20], BINARY[:20]), 1e-9),
    "train_test_split": Call(lambda X, y: [np.asarray(a, float) for a in rl.train_test_split(X, y)], (X, Y)),
    "train_test_split by class": Call(
        lambda X, y: [np.asarray(a, float) for a in rl.train_test_split(X, y, stratify=True)], (X, BINARY)
    ),
    "least_squares_cost": Call(partial(rl.least_squares_cost, alpha=0.5), (W3, X, Y)),
    "least_squares_gradient": Call(partial(rl.least_squares_gradient, alpha=0.5), (W3, X, Y)),
    "least_squares_by_inverse": Call(partial(rl.least_squares_by_inverse, alpha=0.5), (X, Y), 1e-9),
    "logistic_cost": Call(partial(rl.logistic_cost, alpha=0.5), (W3, X, BINARY)),
    "logistic_gradient": Call(partial(rl.logistic_gradient, alpha=0.5), (W3, X, BINARY)),
    "Moments": Call(moments, (X, Y, S)),
    "Moments extended": Call(partial(moments, precision="extended"), (X, Y, S)),
    "lasso_path": Call(partial(rl.lasso_path, alphas=[2.0, 1.0, 0.5]), (X, Y)),
    "enet_path": Call(partial(rl.enet_path, alphas=[2.0, 1.0, 0.5]), (X, Y)),
    **{f"gradient_descent {loss}": Call(partial(descended, loss), (X, y, S)) for loss, y in LOSS_NAMES.items()},
    **{name: Call(partial(fitted, make), (X, y, S), 1e-10) for name, (make, y) in MODELS.items()},
    "LogisticRegression of probabilities": Call(of_probabilities, (X, P, S), 1e-10),
    **{f"partial_fit {name}": Call(partial(in_batches, MODELS[name][0]), (X, MODELS[name][1], S), 1e-9) for name in ONLINE},
    **{f"source {name}": Call(partial(from_source, MODELS[name][0]), (X, MODELS[name][1], S), 1e-10) for name in FROM_SOURCE},
    **{f"chunks {name}": Call(partial(from_chunks, MODELS[name][0]), (X, MODELS[name][1], S), 1e-10) for name in FROM_SOURCE},
    **{f"fit_many {name}": Call(partial(many, MODELS[name][0]), (X, MODELS[name][1], GROUPS, S), 1e-10)
       for name in ("Ridge", "LogisticRegression", "HuberRegressor fixed")},
}  # fmt: skip

for _call in CALLS.values():
    for _argument in _call.arguments:
        _argument.flags.writeable = False

# public names that are no row, because they take no arrays
WITHOUT_ARRAYS = {"__version__", "Certificate", "checkpoint", "DescentResult", "load", "save", "show_config", "to_onnx"}


def arrays_of(answer: Any) -> list[np.ndarray]:
    """The arrays and numbers of an answer, in order."""
    if isinstance(answer, (list, tuple)):
        return [a for part in answer for a in arrays_of(part)]
    return [np.asarray(answer)]
