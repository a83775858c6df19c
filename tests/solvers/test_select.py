"""The table of solvers: which one serves how many parameters of which loss; the certificate tells."""

import numpy as np
import pytest

from ridgeline import HuberRegressor, LogisticRegression
from ridgeline.certificate import FitWarning

PENALISED, FREE = LogisticRegression(C=1.0), LogisticRegression(C=np.inf)
CORNER, SCALED = HuberRegressor(delta=1.0, alpha=1.0), HuberRegressor()


@pytest.mark.parametrize(("model", "parameters", "expected"), [
    (PENALISED, 250, "Newton with Cholesky (250 parameters)"), (PENALISED, 251, "preconditioned L-BFGS (251 parameters)"),
    (FREE, 251, "Newton with Cholesky (251 parameters)"),
    (CORNER, 150, "Newton with Cholesky (150 parameters)"), (CORNER, 151, "preconditioned L-BFGS (151 parameters)"),
    (SCALED, 152, "Newton with Cholesky (152 parameters)"),
])  # fmt: skip
def test_the_number_of_parameters_decides(model, parameters, expected):
    rng = np.random.default_rng(parameters)
    X = rng.normal(size=(900, parameters - 1 - (model is SCALED)))  # the intercept is one, and so is a scale
    y = X[:, 0] + rng.normal(size=900)
    fit = type(model)(**model.get_params()).fit(X, y > 0 if isinstance(model, LogisticRegression) else y)
    assert (fit.certificate_.solver, fit.certificate_.status) == (expected, "optimal")


def test_of_dependent_columns_the_classes_share_the_smallest_coefficients():
    """Columns X B, of which one is 5 - x and one x + y + z: the smallest of all W with B W = V, the solution of X alone, is B^+ V."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)) * [1, 10, 1], rng.integers(0, 3, 200)
    span = np.array([[1.0, 0, 0, -1, 1], [0, 1, 0, 0, 1], [0, 0, 1, 0, 1]])
    with pytest.warns(FitWarning, match="the smallest of the solutions"):
        found = LogisticRegression(C=np.inf).fit(X @ span + [0, 0, 0, 5, 0], y).coef_
    alone = LogisticRegression(C=np.inf).fit(X, y).coef_
    np.testing.assert_allclose(found, alone @ np.linalg.pinv(span).T, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-14)
