"""Ridgeline in benchopt's benchmark_logreg_l2: copy this file into its `solvers/`.

    sum_i log(1 + exp(-y_i (x_i w + b))) + (lmbd / 2) ||w||^2,  y_i in {-1, 1}        is LogisticRegression(C=1 / lmbd)

The answer is (w, b), without b where no intercept is fitted.
"""

import warnings

import numpy as np
from benchopt import BaseSolver

from ridgeline import LogisticRegression


class Solver(BaseSolver):
    name = "ridgeline"
    requirements = ["pip::ridgeline"]
    sampling_strategy = "tolerance"

    def set_objective(self, X, y, lmbd, fit_intercept=False):
        self.X, self.y = X, y
        self.model = LogisticRegression(C=1 / lmbd, fit_intercept=fit_intercept)

    def run(self, tolerance):
        self.model.tol = tolerance
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the objective says what the answer is worth
            self.model.fit(self.X, self.y)

    def get_result(self):
        intercept = self.model.intercept_ if self.model.fit_intercept else []
        return {"beta": np.append(self.model.coef_, intercept)}
