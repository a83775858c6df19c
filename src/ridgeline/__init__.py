"""Ridgeline: linear models by empirical risk minimisation.

Every public name is loaded on first use (PEP 562), so ``import ridgeline`` costs next to nothing and a program
that only calls `sigmoid` never loads SciPy.
"""

from __future__ import annotations

__version__ = "0.1.0"

# public name -> the module that defines it
_HOME = {
    "sigmoid": "activations",
    "log_sigmoid": "activations",
    "softplus": "activations",
    "softmax": "activations",
    "log_softmax": "activations",
    "logsumexp": "activations",
    "one_hot": "activations",
    "squared_error": "losses",
    "absolute_error": "losses",
    "huber": "losses",
    "binary_cross_entropy": "losses",
    "categorical_cross_entropy": "losses",
    "sparse_categorical_cross_entropy": "losses",
    "kl_divergence": "losses",
    "empirical_risk": "risk",
    "generalization_gap": "risk",
    "train_test_split": "risk",
    "least_squares_cost": "lecture",
    "least_squares_gradient": "lecture",
    "least_squares_by_inverse": "lecture",
    "logistic_cost": "lecture",
    "logistic_gradient": "lecture",
    "gradient_descent": "descent",
    "DescentResult": "descent",
    "Moments": "moments",
    "fit_many": "many",
    "source": "sources",
    "checkpoint": "checkpoints.scope",
    "save": "model_file",
    "load": "model_file",
    "to_onnx": "onnx_model",
    "Certificate": "certificate",
    "show_config": "configuration",
    "LinearRegression": "estimators.least_squares",
    "Ridge": "estimators.least_squares",
    "RidgeCV": "estimators.ridge_cv",
    "Lasso": "estimators.lasso",
    "ElasticNet": "estimators.lasso",
    "LassoCV": "estimators.lasso_cv",
    "ElasticNetCV": "estimators.lasso_cv",
    "lasso_path": "estimators.lasso_path",
    "enet_path": "estimators.lasso_path",
    "HuberRegressor": "estimators.huber",
    "QuantileRegressor": "estimators.quantile",
    "LogisticRegression": "estimators.logistic",
    "LogisticRegressionCV": "estimators.logistic_cv",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 (the names are those of the table)


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        from difflib import get_close_matches

        near = get_close_matches(name, _HOME, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"module 'ridgeline' has no attribute {name!r}{hint}")
    from importlib import import_module

    value = getattr(import_module(f"ridgeline.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
