"""Ridgeline in benchopt's benchmark_huber_l2: copy this file into its `solvers/`.

    sum_i (sigma + H((y_i - x_i w - b) / sigma) sigma) + lmbd ||w||^2  over w, b and sigma > 0        is HuberRegressor(epsilon, alpha=lmbd)

The answer is (b, sigma, w).
"""

import warnings

import numpy as np
from benchopt import BaseSolver

from ridgeline import HuberRegressor


class Solver(BaseSolver):
    name = "ridgeline"
    requirements = ["pip::ridgeline"]
    sampling_strategy = "tolerance"

    def set_objective(self, X, y, lmbd, epsilon):
        self.X, self.y = X, y
        self.model = HuberRegressor(epsilon=epsilon, alpha=lmbd)

    def run(self, tolerance):
        self.model.tol = tolerance
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the objective says what the answer is worth
            self.model.fit(self.X, self.y)

    def get_result(self):
        return {"params": np.concatenate([[self.model.intercept_, self.model.scale_], self.model.coef_])}
