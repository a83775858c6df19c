"""The certificate: what a fit proved about its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from .blame import warn
from .kinship import also

OPTIMAL = "optimal"
ILL_CONDITIONED = "ill_conditioned"
RANK_DEFICIENT = "rank_deficient"
NO_FINITE_OPTIMUM = "no_finite_optimum"
STOPPED_EARLY = "stopped_early"

STATUSES = (OPTIMAL, ILL_CONDITIONED, RANK_DEFICIENT, NO_FINITE_OPTIMUM, STOPPED_EARLY)


class FitWarning(UserWarning):
    """A fit whose certificate is not "optimal"; the message says why and what to do.

    Where scikit-learn is loaded, also its `ConvergenceWarning` if there was no convergence ("stopped_early", "no_finite_optimum");
    else SciPy's `LinAlgWarning`.
    """


_quiet: ContextVar[bool] = ContextVar("ridgeline_quiet", default=False)


@contextmanager
def without_warning() -> Iterator[None]:
    """A scope whose certificates do not warn: for callers that tell of them in their own words.

    Of this thread and of what it shares among others; the filters of `warnings` are the whole process's.
    """
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


@dataclass(frozen=True)
class Certificate:
    """What was proven about a fit, in the units of the objective divided by the total weight.

    Attributes
    ----------
    status : str
        "optimal"; "ill_conditioned" (the data do not determine the coefficients to ten digits); "rank_deficient" (they do not
        determine them at all: the smallest of the solutions was returned); "no_finite_optimum" (the risk keeps falling as the
        coefficients grow: separated classes); "stopped_early" (the iteration limit came first).
    solver : str
        The method that gave the answer, and the reason it was chosen.
    gradient_norm : float
        Largest absolute entry of the gradient (with respect to coefficients and intercept) at the returned coefficients.
    suboptimality : float
        Upper bound on F - F*. `inf` where nothing could be proven.
    condition : float
        Estimated 1-norm condition number of the (column-scaled) Hessian at the optimum; NaN where none was formed.
    passes : int
        Reads of the data.
    message : str
        The same for a person.

    Examples
    --------
    >>> from ridgeline import Ridge
    >>> certificate = Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).certificate_
    >>> certificate.status, certificate.gradient_norm < 1e-12, certificate.suboptimality < 1e-20
    ('optimal', True, True)
    """

    status: str
    solver: str
    gradient_norm: float
    suboptimality: float
    condition: float
    passes: int
    message: str

    def warn(self) -> None:
        """Warn once if the status is not "optimal", outside `without_warning`."""
        if self.status != OPTIMAL and not _quiet.get():
            unfinished = self.status in (STOPPED_EARLY, NO_FINITE_OPTIMUM)
            kind = also(FitWarning, "ConvergenceWarning") if unfinished else also(FitWarning, "LinAlgWarning", "scipy.linalg")
            warn(self.message, kind)

    def __str__(self) -> str:
        return (
            f"{self.status} ({self.solver}): |gradient| <= {self.gradient_norm:.2g}, "
            f"F - F* <= {self.suboptimality:.2g}, condition {self.condition:.2g}, {self.passes} passes. {self.message}"
        )


def worst(certificates: Sequence[Certificate]) -> Certificate:
    """Of several fits, the certificate that says most against its own."""
    return max(certificates, key=lambda c: (c.status != OPTIMAL, c.suboptimality))
