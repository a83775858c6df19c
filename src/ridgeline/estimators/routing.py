"""What a search passes on to its splitter and its scorer: scikit-learn's metadata routing.

    search = LogisticRegressionCV(cv=GroupKFold().set_split_request(groups=True))
    search.fit(X, y, groups=patient)

Routing has to be switched on, by `sklearn.set_config(enable_metadata_routing=True)`.  Without it a scorer gets the weights, and nothing
else is taken.  A search without `scoring` scores by itself, with the weights.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from .protocol import Protocol
from .scoring import scorer_of


@dataclass(frozen=True)
class Routed:
    """Arguments by name, for `cv.split` and for the scorer."""

    split: dict[str, Any]
    score: dict[str, Any]

    def of_rows(self, rows: Any, n: int) -> dict[str, Any]:
        """The scorer's arguments for some of n rows."""
        return {
            name: np.asarray(value)[rows] if np.ndim(value) and len(value) == n else value for name, value in self.score.items()
        }


class Router(Protocol):
    """A search with a splitter, and maybe a scorer."""

    cv: Any
    scoring: Any = None
    _scores_by_scorer = False
    """Whether `score` passes its arguments on too, instead of using them."""

    def get_metadata_routing(self) -> Any:
        """Which metadata the search, its splitter and its scorer take, for scikit-learn's routing (which must be installed).

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
        """
        from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping

        scorer, requests = scorer_of(self.scoring), self._own_requests()
        by_scorer = MethodMapping().add(caller="fit", callee="score")
        if scorer is not None and self._scores_by_scorer:
            by_scorer = by_scorer.add(caller="score", callee="score")
            requests.score.add_request(param="sample_weight", alias=UNUSED)
        router = MetadataRouter(owner=self).add_self_request(requests)
        router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        return router if scorer is None else router.add(scorer=scorer, method_mapping=by_scorer)

    def _route(self, method: str, weight: np.ndarray | None, params: dict[str, Any]) -> Routed:
        """Where the arguments of `fit` or `score` go; `weight` is None or checked.

        Raises
        ------
        ValueError
            For other arguments than the weights without routing.
        TypeError
            For arguments that nobody asked for.
        """
        given = {} if weight is None else {"sample_weight": weight}
        if not _routing_is_on():
            if params:
                raise ValueError(
                    f"{type(self).__name__}.{method} got {sorted(params)}, which is only supported if enable_metadata_routing=True: "
                    "sklearn.set_config(enable_metadata_routing=True), and the splitter or the scorer has to request it."
                )
            return Routed({}, given)
        from sklearn.utils.metadata_routing import process_routing

        routed = process_routing(self, method, **given, **params)
        split = dict(routed.splitter.split) if method == "fit" else {}
        return Routed(split, given if self.scoring is None else dict(routed.scorer.score))


def _routing_is_on() -> bool:
    if sys.modules.get("sklearn") is None:
        return False
    from sklearn import get_config

    return bool(get_config().get("enable_metadata_routing", False))
