"""What a user's own module may look like: `mypy --strict` accepts it against the installed wheel (make types)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import ridgeline
from ridgeline import Certificate, HuberRegressor, LinearRegression, LogisticRegression, Moments, QuantileRegressor, Ridge


def rows(seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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


def predictions() -> list[npt.NDArray[np.float64]]:
    X, y = rows(3)
    labels = np.where(y > 0, "up", "down")
    classes: npt.NDArray[np.str_] = LogisticRegression(C=10.0).fit(X, labels).predict(X)
    assert classes.shape == labels.shape
    return [model.fit(X, y).predict(X) for model in (LinearRegression(), HuberRegressor(), QuantileRegressor(quantile=0.5))]


def functions() -> float:
    X, _ = rows(4)
    p = ridgeline.softmax(X)
    return float(ridgeline.sigmoid(0.0) + p.sum() + ridgeline.squared_error(X[:, 0], X[:, 1]).mean())


if __name__ == "__main__":
    print(ridgeline.__version__, ridge(), merged().coef_, predictions()[0][:2], functions())
