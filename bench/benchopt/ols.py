"""Ridgeline in benchopt's benchmark_ols: copy this file into its `solvers/`.

    0.5 ||y - X w||^2        is LinearRegression(fit_intercept=False)
"""

from benchopt import BaseSolver

from ridgeline import LinearRegression


class Solver(BaseSolver):
    name = "ridgeline"
    requirements = ["pip::ridgeline"]
    sampling_strategy = "run_once"  # direct: one read of X

    def skip(self, X, y, fit_intercept=False):
        return bool(fit_intercept), "the objective has no place for an intercept"

    def set_objective(self, X, y, fit_intercept=False):
        self.X, self.y = X, y
        self.model = LinearRegression(fit_intercept=False)

    def run(self, _):
        self.model.fit(self.X, self.y)

    def get_result(self):
        return {"beta": self.model.coef_}
