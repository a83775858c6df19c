"""Which estimator `--model` names, and which options are its parameters."""

from __future__ import annotations

import argparse
from typing import Any

from .refusal import Refusal

# --model name -> the estimator and the options of the command line that are its parameters.
MODELS = {
    "linear": ("LinearRegression", ()),
    "ridge": ("Ridge", ("alpha",)),
    "lasso": ("Lasso", ("alpha",)),
    "huber": ("HuberRegressor", ("alpha", "epsilon")),
    "quantile": ("QuantileRegressor", ("alpha", "quantile")),
    "logistic": ("LogisticRegression", ("C",)),
}
OPTIONS = ("alpha", "C", "epsilon", "quantile")

FEW_CLASSES = 10
"""A target of at most this many distinct whole numbers is taken for classes (of a table in memory, where each has five rows or more)."""


def estimator(kind: str, options: argparse.Namespace) -> Any:
    name, own = MODELS[kind]
    parameters = {option: getattr(options, option) for option in OPTIONS if getattr(options, option) is not None}
    for option in parameters:
        if option not in own:
            owners = " and ".join(model for model, (_, its) in MODELS.items() if option in its)
            takes = " and ".join(f"--{other}" for other in own) or "none"
            raise Refusal(f"--{option} is an option of {owners}; the model here is {kind}, whose options are {takes}.")
    import ridgeline

    return getattr(ridgeline, name)(**parameters)
