"""Ridgeline in benchopt's benchmark_quantile_regression: copy this file into its `solvers/`.

    (1 / n) sum_i max(q r_i, (q - 1) r_i) + lmbd ||w||_1,  r_i = y_i - x_i w - b        is QuantileRegressor(quantile=q, alpha=lmbd)

The answer is (w, b), without b where no intercept is fitted.
"""

import warnings

import numpy as np
from benchopt import BaseSolver

from ridgeline import QuantileRegressor


class Solver(BaseSolver):
    name = "ridgeline"
    requirements = ["pip::ridgeline"]
    sampling_strategy = "tolerance"

    def set_objective(self, X, y, lmbd, quantile, fit_intercept=True):
        self.X, self.y = X, y
        self.model = QuantileRegressor(quantile=quantile, alpha=lmbd, fit_intercept=fit_intercept)

    def run(self, tolerance):
        self.model.tol = tolerance
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the objective says what the answer is worth
            self.model.fit(self.X, self.y)

    def get_result(self):
        intercept = [self.model.intercept_] if self.model.fit_intercept else []
        return {"params": np.append(self.model.coef_, intercept)}
