"""Ridgeline in benchopt's benchmark_ridge: copy this file into its `solvers/`.

    0.5 ||y - X w - b||^2 + (lmbd / 2) ||w||^2        is Ridge(alpha=lmbd)

The answer is (w, b), without b where no intercept is fitted.
"""

import numpy as np
from benchopt import BaseSolver

from ridgeline import Ridge


class Solver(BaseSolver):
    name = "ridgeline"
    requirements = ["pip::ridgeline"]
    sampling_strategy = "run_once"  # direct: one read of X

    def set_objective(self, X, y, lmbd, fit_intercept=False):
        self.X, self.y = X, y
        self.model = Ridge(alpha=lmbd, fit_intercept=fit_intercept)

    def run(self, _):
        self.model.fit(self.X, self.y)

    def get_result(self):
        intercept = [self.model.intercept_] if self.model.fit_intercept else []
        return {"beta": np.append(self.model.coef_, intercept)}
