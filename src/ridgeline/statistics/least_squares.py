"""The summary of a least squares fit: from moments alone, or from its rows.

From moments, everything of inference.py.  From rows, two reads: the moments, then RSS = sum s_i e_i^2 itself and, for a robust covariance,
the scores; where the columns are nearly dependent both are in double-double.  With n rows, q parameters and r slopes

    R^2 = |gamma|^2 / (|gamma|^2 + RSS)
    F = gamma' M_ss^-1 gamma / r                           M_ss the slopes' part of M; classical: |gamma|^2 / (r sigma^2)
    l = -(n / 2) (log(2 pi RSS / n) + 1) + (1 / 2) sum_i log s_i      normal errors of variance sigma^2 / s_i
    AIC = -2 l + 2 q,  BIC = -2 l + q log n                           sigma is not counted; R counts it

F is the Wald test of all slopes (in the slopes' own coordinates, w = T R' gamma and their covariance T R' M_ss R T).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sources import Source, fold, require_rereadable
from .covariance import correction, meat
from .distributions import f_tail
from .fitted import Fitted, Question
from .inference import Metric, metric_of
from .rows import CAREFUL, LeastSquaresScores, MetricRows, ResidualSums, metric_of_rows
from .summary import NAN, Spread, Summary

OTHER_ROWS = 1e-3
"""Standard errors by which the coefficients may miss the optimum of the rows at hand, before these count as others than those fitted."""

NOISE = 1e-20
"""Share of the targets' scatter that rounding in a fit at the worst condition that Cholesky serves may leave, squared and with room."""

TELLING = 1e-10
"""Relative error of a standard error from which a note tells of it."""


def summarise_moments(fit: Fitted, moments: Any, weighted: bool, question: Question) -> Summary:
    """From moments alone.

    Parameters
    ----------
    fit : Fitted
    moments : Moments or ExtendedMoments
        Of one target.
    weighted : bool
        Whether weights other than one may be in them.

    Raises
    ------
    ValueError
        For a covariance that rows alone know, and if there is no degree of freedom.
    """
    if question.kind != "classical":
        raise ValueError(
            f"covariance={question.kind!r} is a sum over rows, which the model does not keep: pass them, summary(X, y, covariance=...)."
        )
    metric = metric_of(moments, fit.fit_intercept)
    n = metric.weight if question.frequency else float(metric.count)
    metric.require_freedom(n)
    notes = []
    error = 0.5 * metric.error
    if error > TELLING and not metric.undetermined.all():
        notes.append(f"From the moments that the fit kept: about {_digits(error)} digits. Pass the rows, summary(X, y), for all of them.")
    log_weight = NAN if weighted and not question.frequency else 0.0
    if np.isnan(log_weight):
        notes.append("The likelihood asks for each row's weight: pass the rows, summary(X, y, sample_weight).")
    rss = float(metric.residual_ss[0])
    middle = np.eye(metric.size) * (rss / (n - metric.size))
    return _assemble(fit, metric, metric.rcond < CAREFUL, middle, 0, n, rss, log_weight, question, notes)


def summarise_rows(
    fit: Fitted, source: Source, target: int, question: Question, moments: Any = None
) -> Summary:
    """From the rows of the fit.

    Parameters
    ----------
    fit : Fitted
    source : Source
        With covariance "cluster", the last of its targets is the group.
    target : int
        Number of the target among those of the source.
    moments : Moments, optional
        What the fit kept of its rows, to tell whether these are they.

    Raises
    ------
    ValueError
        If these are not the rows that were fitted, and if there is no degree of freedom.
    TypeError
        For rows that come only once.
    """
    require_rereadable(source, "a summary reads the rows two or three times")
    metric, careful = metric_of_rows(source, fit.fit_intercept, target)
    require_fit(fit, metric, moments)
    sums = fold(MetricRows(source, metric, careful, target, bare=True), ResidualSums)
    n = metric.weight if question.frequency else float(sums.rows)
    metric.require_freedom(n)
    if question.kind == "classical":
        middle, groups = np.eye(metric.size) * (sums.squares / (n - metric.size)), 0
    else:
        rows = MetricRows(source, metric, careful, target, int(question.kind == "cluster"))
        middle, groups = meat(LeastSquaresScores(rows, question.kind, question.frequency), question.kind)
        middle *= correction(question.kind, n, metric.size, groups)
    return _assemble(
        fit, metric, careful, middle, groups, n, sums.squares, 0.0 if question.frequency else sums.log_weight, question, []
    )


def require_fit(fit: Fitted, metric: Metric, moments: Any = None) -> None:
    """Raise a ValueError unless the coefficients are the least squares of these rows, to a thousandth of a standard error.

    What rounding of the coefficients themselves moves is allowed for.
    """
    if moments is not None and (moments.count != metric.count or abs(moments.weight - metric.weight) > 1e-9 * metric.weight):
        raise ValueError(
            f"these are not the rows of the fit: {metric.count} rows of total weight {metric.weight:g}, and it was fitted to "
            f"{moments.count} of weight {moments.weight:g}. Pass the X, y and sample_weight that were given to fit."
        )
    excess = float(metric.excess(fit.coef[None, :], np.atleast_1d(fit.intercept))[0])
    sizes = np.abs(fit.coef) / metric.scale * np.sqrt(np.maximum(np.diag(metric.gram), 0.0))
    reach = np.abs(metric.center[0] * fit.coef).sum() + np.abs(fit.intercept).max() if fit.fit_intercept else 0.0
    rounding = 4 * fit.eps * (sizes.sum() + np.sqrt(metric.weight) * reach)
    noise = NOISE * metric.target_scatter[0]
    if excess > OTHER_ROWS**2 * metric.residual_ss[0] / max(metric.freedom, 1) + rounding**2 + noise:
        away = np.sqrt(excess * max(metric.freedom, 1) / max(metric.residual_ss[0], 1e-300))
        raise ValueError(
            f"the coefficients are not the least squares of these rows ({away:.2g} standard errors away). Pass the X, y and "
            "sample_weight that were given to fit; after fit_moments or partial_fit of nearly dependent columns, fit the rows themselves."
        )


def _digits(error: float) -> int:
    return max(int(-np.log10(max(error, 1e-16))), 0)


def _assemble(
    fit: Fitted, metric: Metric, careful: bool, middle: np.ndarray, groups: int, n: float, rss: float, log_weight: float,
    question: Question, notes: list[str],
) -> Summary:  # fmt: skip
    Q, q, r = metric.influence(), metric.size, metric.rank
    covariance = Q @ middle @ Q.T
    freedom = n - q
    test_freedom = groups - 1 if groups else freedom
    explained = float(metric.explained[0])
    total = explained + rss
    gamma = (metric.gamma[0] + metric.gamma[1])[0]
    slopes = middle[q - r :, q - r :]
    with np.errstate(divide="ignore", invalid="ignore"):
        if question.kind == "classical":
            f = np.divide(explained / r, rss / freedom) if r else NAN
        else:
            f = _wald(gamma, slopes) / r if r and (not groups or groups > r) else NAN
        r2 = float(np.divide(explained, total))
        likelihood = -n / 2 * (np.log(2 * np.pi * rss / n) + 1) + log_weight / 2
    if groups and groups <= r:
        notes.append(f"{groups} clusters cannot test {r} slopes at once: no F.")
    if metric.undetermined.any():
        some = [name for name, lost in zip(fit.names, metric.undetermined) if lost]
        notes.append(
            f"The columns have rank {r}, not {len(fit.names)}: the data do not determine the coefficients of {some_of(some)}, which are "
            "the smallest of many and have no standard error. Drop dependent columns."
        )
    if rss <= 1e-24 * total:
        notes.append("The fit is exact: what is left is rounding, and so are the standard errors.")
    return Summary(
        title=f"{fit.title}: least squares{'' if fit.fit_intercept else ' without an intercept'}",
        names=fit.parameters, equations=("",) * len(fit.parameters),
        coef=np.concatenate([np.atleast_1d(fit.intercept), fit.coef]) if fit.fit_intercept else fit.coef,
        covariance=covariance, kind=question.kind, distribution=question.distribution, level=question.level,
        n_rows=n, weight=metric.weight, n_parameters=q, df_model=r, df_residual=freedom, df_test=test_freedom, n_groups=groups,
        condition=metric.condition, certificate=fit.certificate, residual_sd=float(np.sqrt(rss / freedom)), residual_ss=rss,
        r2=r2, r2_adjusted=1 - (1 - r2) * (n - fit.fit_intercept) / freedom, f_statistic=float(f),
        f_p_value=f_tail(float(f), r, test_freedom) if r else NAN,
        log_likelihood=float(likelihood), aic=float(-2 * likelihood + 2 * q), bic=float(-2 * likelihood + q * np.log(n)),
        deviance=rss, null_deviance=total, notes=tuple(notes),
        spread=Spread(metric, middle, fit.coef, float(np.ravel(fit.intercept)[0]), careful),
    )  # fmt: skip


def _wald(gamma: np.ndarray, middle: np.ndarray) -> float:
    """gamma' M^-1 gamma; NaN where the scores of an exact fit, or of few clusters, leave M singular."""
    try:
        return float(gamma @ np.linalg.solve(middle, gamma))
    except np.linalg.LinAlgError:
        return NAN


def some_of(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
