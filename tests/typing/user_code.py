"""What a user's own module may look like: `mypy --strict` accepts it against the installed wheel (make types).

Every public name is in it (`tests/test_package.py`).  An `ignore` says that the line before it is an error a type checker must find.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

import ridgeline
from ridgeline import (
    Certificate,
    DescentResult,
    ElasticNet,
    ElasticNetCV,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Moments,
    QuantileRegressor,
    Ridge,
    RidgeCV,
)
from ridgeline.plots import (
    CalibrationDisplay,
    CoefficientPathDisplay,
    ConfusionMatrixDisplay,
    DecisionBoundaryDisplay,
    LeverageDisplay,
    QuantileDisplay,
    ResidualsDisplay,
    RiskCurveDisplay,
    RocCurveDisplay,
    SigmoidDisplay,
)

Array = npt.NDArray[np.float64]


def rows(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((50, 3))
    y = X @ np.array([1.0, -2.0, 0.5]) + rng.standard_normal(50)
    return X, y


def proven(certificate: Certificate) -> float:
    return certificate.suboptimality


def ridge() -> float:
    X, y = rows(0)
    model: Ridge = Ridge(alpha=2.0).fit(X, y, sample_weight=np.ones(50))
    return proven(model.certificate_) + float(model.score(X, y))


def merged() -> Ridge:
    (X, y), (X_2, y_2) = rows(1), rows(2)
    return Ridge().fit_moments(Moments.of(X, y) + Moments.of(X_2, y_2))


def predictions() -> list[Array]:
    X, y = rows(3)
    labels = np.where(y > 0, "up", "down")
    classes: npt.NDArray[np.str_] = LogisticRegression(C=10.0).fit(X, labels).predict(X)
    assert classes.shape == labels.shape
    regressors = [
        LinearRegression(), HuberRegressor(), QuantileRegressor(quantile=0.5), Lasso(alpha=0.1), ElasticNet(alpha=0.1, l1_ratio=0.5),
        RidgeCV(alphas=[0.1, 1.0]), LassoCV(alphas=5), ElasticNetCV(alphas=5),
    ]  # fmt: skip
    return [model.fit(X, y).predict(X) for model in regressors]


def searched() -> dict[str, Array]:
    X, y = rows(4)
    search: LogisticRegressionCV = LogisticRegressionCV(Cs=3, cv=3).fit(X, y > 0)
    alphas, coefficients, _ = ridgeline.lasso_path(X, y, alphas=5)
    _, elastic, _ = ridgeline.enet_path(X, y, alphas=5, l1_ratio=0.5)
    return {"C": search.C_, "proba": search.predict_proba(X), "alphas": alphas, "lasso": coefficients, "elastic": elastic}


def functions() -> float:
    X, _ = rows(5)
    p = ridgeline.softmax(X)
    label = ridgeline.one_hot([0, 2, 1], 3)
    total = ridgeline.sigmoid(0.0) + p.sum() + ridgeline.squared_error(X[:, 0], X[:, 1]).mean()
    total += ridgeline.log_sigmoid(X).sum() + ridgeline.softplus(X).sum() + ridgeline.log_softmax(X).sum() + ridgeline.logsumexp(X).sum()
    total += ridgeline.absolute_error(X[:, 0], X[:, 1]).sum() + ridgeline.huber(X[:, 0], X[:, 1], delta=2.0).sum()
    total += ridgeline.binary_cross_entropy([1.0], [0.5]).sum() + ridgeline.kl_divergence(p, p).sum()
    total += ridgeline.categorical_cross_entropy(label, p[:3]).sum()
    total += ridgeline.sparse_categorical_cross_entropy([0, 1, 2], p[:3]).sum()
    return float(total)


def learned() -> DescentResult:
    X, y = rows(6)
    X_fit, X_test, y_fit, y_test = ridgeline.train_test_split(X, y, seed=1)
    w = ridgeline.least_squares_by_inverse(X_fit, y_fit)
    print(ridgeline.least_squares_cost(w, X_fit, y_fit), ridgeline.least_squares_gradient(w, X_fit, y_fit, alpha=0.1))
    print(ridgeline.logistic_cost(w, X_fit, y_fit > 0), ridgeline.logistic_gradient(w, X_fit, y_fit > 0))
    model = LinearRegression().fit(X_fit, y_fit)
    gap: float = ridgeline.generalization_gap(model, X_fit, y_fit, X_test, y_test, "squared_error")
    risk: float = ridgeline.empirical_risk("huber", y_test, model.predict(X_test))
    print(gap, risk)
    return ridgeline.gradient_descent("squared_error", X, y, learning_rate=0.1, max_iter=10)


def elsewhere(folder: Path) -> Ridge:
    X, y = rows(7)
    model = Ridge().fit_source(ridgeline.source(X, y))
    ridgeline.save(model, folder / "model.rl")
    loaded: Ridge = ridgeline.load(folder / "model.rl")
    ridgeline.to_onnx(loaded, folder / "model.onnx", dtype="float32")
    fits = ridgeline.fit_many(Ridge(), X, y, groups=np.arange(50) % 5)
    print(fits.coef.shape, fits.model(0).coef_)
    with ridgeline.checkpoint("fit.checkpoint", every=60.0):
        Ridge().fit_source(ridgeline.source(*rows(1)))
    ridgeline.show_config()
    return loaded


def statistics() -> float:
    X, y = rows(8)
    model = LinearRegression().fit(X, y)
    summary = model.summary()
    return float(summary.standard_error.sum() + model.influence(X, y).leverage.sum())


def pictures(folder: Path) -> list[str]:
    X, y = rows(9)
    line, labels = LinearRegression().fit(X, y), y > 0
    classes = LogisticRegression().fit(X, labels)
    plane = LogisticRegression().fit(X[:, :2], labels)
    roc: RocCurveDisplay = RocCurveDisplay.from_estimator(classes, X, labels)
    roc.figure_.savefig(folder / "roc.png")
    displays = [
        SigmoidDisplay.from_estimator(classes, X, labels), CalibrationDisplay.from_estimator(classes, X, labels),
        ConfusionMatrixDisplay.from_predictions(labels, labels), DecisionBoundaryDisplay.from_estimator(plane, X[:, :2], labels),
        CoefficientPathDisplay.from_estimator(Lasso(), X, y), RiskCurveDisplay.from_estimator(Ridge(), X, y, X, y),
        ResidualsDisplay.from_estimator(line, X, y), QuantileDisplay.from_estimator(line, X, y),
        LeverageDisplay.from_estimator(line, X, y).plot(roc.ax_),
    ]  # fmt: skip
    return [display.ax_.get_title() for display in displays]


def mistakes() -> None:
    Ridge(alhpa=1.0)  # type: ignore[call-arg]
    ridgeline.LogisticRegresion()  # type: ignore[attr-defined]
    Ridge().fit(X=[[1.0]])  # type: ignore[call-arg]


if __name__ == "__main__":
    print(ridgeline.__version__, ridge(), merged().coef_, predictions()[0][:2], functions(), searched()["C"], learned().coef, statistics())
