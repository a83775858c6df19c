"""The summary of a logistic or softmax fit without a penalty, from its rows; see likelihood.py.

    null model   the intercepts alone, l_0 = sum_k W_k log(W_k / W);  without an intercept equal probabilities, l_0 = -W log c
    McFadden     1 - l / l_0                     LR = 2 (l - l_0), chi^2 of as many degrees of freedom as there are slopes
    AIC = -2 l + 2 q,  BIC = -2 l + q log n      deviance = -2 l

HC1 and the clusters' factor are as in covariance.py, with the q parameters of all equations together.  Of c > 2 classes the table has c - 1
equations, the log-odds of each class against a baseline, phi_k = theta_k - theta_b = G (theta_1 - theta_0, ...), or c that sum to zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..certificate import NO_FINITE_OPTIMUM
from ..objective import Objective
from ..pointwise import Loss
from ..sources import Slab, Source, fold
from ..views import ClassCodes, OneTarget, class_rows
from .covariance import correction, meat
from .distributions import chi2_tail
from .fitted import Fitted, Question
from .least_squares import OTHER_ROWS, some_of
from .likelihood import Information, LikelihoodScores, information
from .summary import NAN, Summary

POWERS_OF_LEVERAGE = ("HC2", "HC3")


@dataclass(frozen=True)
class Classes:
    """The classes of the fit, and how they stand in the rows.

    Attributes
    ----------
    labels : tuple of str
    values : ndarray of shape (c,)
        The target that stands for each in the source.
    share : ndarray of shape (c,)
        The weight of each class's rows, factors included.
    factors : ndarray of shape (c,), or empty
        Of class_weight.
    baseline : int, optional
        The class that the others are compared with; None for equations that sum to zero.
    """

    labels: tuple[str, ...]
    values: np.ndarray
    share: np.ndarray
    factors: np.ndarray
    baseline: int | None

    def equations(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """G, and what its rows are called."""
        c = len(self.labels)
        if c == 2:
            return np.eye(1), ("",)
        whole = np.vstack([np.zeros(c - 1), np.eye(c - 1)])
        if self.baseline is None:
            return whole - 1 / c * np.ones((1, c - 1)), self.labels
        kept = [k for k in range(c) if k != self.baseline]
        return (whole - whole[self.baseline])[kept], tuple(self.labels[k] for k in kept)


class CodesAndGroups(ClassCodes):
    """Class codes, and the group beside them, in place of the targets (n, 2)."""

    def change(self, slab: Slab) -> Iterator[Slab]:
        codes, weight = self.coded(slab.y[:, 0], slab.weight)
        yield Slab(slab.X, np.column_stack([codes, slab.y[:, 1]]), weight, slab.offset)


class RowsOfWeight:
    """How many rows have a positive weight: a summary."""

    def __init__(self) -> None:
        self.rows = 0

    def add_rows(self, slab: Slab) -> None:
        self.rows += int(np.count_nonzero(slab.weight)) if slab.weight.size else len(slab.y)

    def merge(self, other: RowsOfWeight) -> None:
        self.rows += other.rows


def summarise(fit: Fitted, source: Source, classes: Classes, loss: Loss, question: Question) -> Summary:
    """From the rows of the fit.

    Parameters
    ----------
    fit : Fitted
        Coefficients (1, d) or (c, d), intercepts (1,) or (c,).
    source : Source
        Its targets are `classes.values`; with covariance "cluster" the second target is the group.
    loss : Loss
        Of that many classes.

    Raises
    ------
    ValueError
        For separated classes, HC2 and HC3, and if these are not the rows that were fitted.
    TypeError
        For rows that come only once.

    Notes
    -----
    Three reads of the rows (their ranges, the Hessian, the scores if asked for) and q^3 flops for the q parameters of all equations.
    """
    if fit.certificate.status == NO_FINITE_OPTIMUM:
        raise ValueError(f"no summary: {fit.certificate.message}")
    if question.kind in POWERS_OF_LEVERAGE:
        raise ValueError(f"{question.kind} divides by leverages of least squares; of a likelihood the sandwich is HC0 (or HC1, 'cluster').")
    if classes.factors.size and question.kind == "classical":
        raise ValueError(
            "class_weight makes the fit no maximum of a likelihood, so that its curvature says nothing about errors: ask for "
            "covariance='HC0', or fit with class_weight=None."
        )
    clustered = question.kind == "cluster"
    rows = class_rows(OneTarget(source, 0) if source.n_targets > 1 else source, classes.values, classes.factors)
    objective = Objective(rows, loss, 0.0, fit.fit_intercept)
    theta = objective.coordinates.internal(fit.coef, fit.intercept)
    info = information(objective, theta)
    if not info.distance <= OTHER_ROWS + 4 * fit.eps * float(np.linalg.norm(info.back) * np.abs(theta).max(initial=0.0)):
        raise ValueError(
            f"the coefficients are not the maximum of the likelihood of these rows ({info.distance:.2g} standard errors away). Pass the X, "
            "y and sample_weight that were given to fit; a fit that stopped early has no table."
        )
    n = objective.weight if question.frequency else float(fold(rows.targets_only(), RowsOfWeight).rows)
    q = len(info.whitener)
    if n <= q:
        raise ValueError(f"{n:g} rows leave no degree of freedom for {q} coefficients; standard errors need more rows.")
    middle, groups = np.eye(q), 0
    if question.kind != "classical":
        scored = CodesAndGroups(source, classes.values, classes.factors) if clustered else rows
        squares, groups = meat(LikelihoodScores(scored, objective.coordinates, theta, clustered, question.frequency), question.kind)
        middle = info.whitener @ squares @ info.whitener.T * correction(question.kind, n, q, groups)
    return _assemble(fit, info, middle, groups, n, objective, classes, question)


def _assemble(
    fit: Fitted, info: Information, middle: np.ndarray, groups: int, n: float, objective: Objective, classes: Classes, question: Question
) -> Summary:
    G, equations = classes.equations()
    p, q, c = len(fit.parameters), len(info.whitener), len(classes.labels)
    back = np.kron(G, np.eye(p)) @ info.back @ info.whitener.T
    lost = np.tile(info.undetermined.reshape(-1, p).any(axis=0), len(equations))
    back[lost] = np.nan
    both = np.concatenate([fit.intercept[:, None], fit.coef], axis=1) if fit.fit_intercept else fit.coef
    coef = both if c == 2 else G @ (both[1:] - both[0])
    weight, share = objective.weight, classes.share[classes.share > 0]
    null = float(share @ np.log(share / share.sum())) if fit.fit_intercept else -weight * float(np.log(c))
    slopes = q - (c - 1) * fit.fit_intercept
    notes = []
    if objective.source.schema.offset:
        null = NAN
        notes.append("With an offset the null model is another fit: no null deviance and no likelihood ratio.")
    if lost.any():
        some = [name for name, gone in zip(fit.parameters, lost) if gone]
        notes.append(
            f"The columns depend on each other: the data do not determine the coefficients of {some_of(some)}, which have no standard "
            "error. Drop dependent columns."
        )
    if c > 2:
        against = "the mean of all classes" if classes.baseline is None else classes.labels[classes.baseline]
        notes.append(f"Coefficients are of log-odds against {against}.")
    likelihood = info.log_likelihood
    ratio = 2 * (likelihood - null)
    return Summary(
        title=f"{fit.title}: {'logistic' if c == 2 else f'softmax of {c} classes'}, maximum likelihood",
        names=fit.parameters * len(equations), equations=tuple(e for e in equations for _ in range(p)),
        coef=coef.ravel(), covariance=back @ middle @ back.T, kind=question.kind, distribution=question.distribution, level=question.level,
        n_rows=n, weight=weight, n_parameters=q, df_model=slopes, df_residual=n - q, df_test=groups - 1 if groups else n - q,
        n_groups=groups, condition=info.condition, certificate=fit.certificate,
        log_likelihood=likelihood, aic=-2 * likelihood + 2 * q, bic=float(-2 * likelihood + q * np.log(n)),
        deviance=-2 * likelihood, null_deviance=-2 * null, null_log_likelihood=null, pseudo_r2=1 - likelihood / null if null else NAN,
        lr_statistic=ratio, lr_p_value=chi2_tail(ratio, slopes) if slopes else NAN, notes=tuple(notes),
    )  # fmt: skip
