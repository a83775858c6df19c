"""What a fit without a penalty says beyond its coefficients: standard errors, tests, intervals, influence of rows.

    inference      least squares from moments alone, in the metric of its columns
    rows           the rows in that metric: residuals, leverages and scores, a block at a time
    covariance     the middle of the sandwich: classical, HC0 to HC3, by clusters
    likelihood     logistic regression: the information matrix at the optimum, and the scores of rows
    summary        the table, and what the fit as a whole says; `text` prints it
    least_squares, logistic    from an estimator's fit and its data to that table
    influence      leverage, studentised residuals, Cook's distance, DFFITS
"""

from .inference import LinearInference, linear_inference
from .influence import Influence
from .summary import Summary

__all__ = ["Influence", "LinearInference", "Summary", "linear_inference"]
