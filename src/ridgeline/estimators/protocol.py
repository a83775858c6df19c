"""What scikit-learn asks of an estimator beside its methods: tags, requests for metadata, pictures in notebooks; and versions in pickles.

Only a call that scikit-learn makes, or a program that has loaded it, imports scikit-learn.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, Self

from ..blame import warn

METADATA = ("sample_weight", "classes", "groups")
"""Arguments of methods that scikit-learn's routing may deliver."""

VERSION = "_ridgeline_version"


class VersionWarning(UserWarning):
    """A pickled estimator was made by another version of ridgeline."""


class Protocol:
    """The methods that scikit-learn looks for."""

    _estimator_type: str
    _multi_output = False
    _sparse_input = True

    def __sklearn_tags__(self) -> Any:
        """scikit-learn's description of this estimator; called by scikit-learn alone."""
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        classifier = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True, multi_output=self._multi_output),
            transformer_tags=None,
            classifier_tags=ClassifierTags() if classifier else None,
            regressor_tags=None if classifier else RegressorTags(),
            input_tags=InputTags(sparse=self._sparse_input),
        )

    def get_metadata_routing(self) -> Any:
        """Which metadata each method takes, for scikit-learn's routing (which must be installed).

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRequest
        """
        return self._own_requests()

    def _own_requests(self) -> Any:
        """The requests of the estimator's own methods."""
        from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object

        requests = getattr(self, "_metadata_request", None)
        if requests is not None:
            return get_routing_for_object(requests)
        requests = MetadataRequest(owner=self)
        for method in ("fit", "partial_fit", "score"):
            for name in _metadata(self, method):
                getattr(requests, method).add_request(param=name, alias=None)
        return requests

    def set_fit_request(self, **requests: bool | str | None) -> Self:
        """Ask scikit-learn's metadata routing to pass arguments to `fit`: `set_fit_request(sample_weight=True)`.

        Parameters
        ----------
        **requests : bool, str or None
            For each argument: True to pass it, False not to, None for an error if it is given, a name to pass another argument as this one.

        Returns
        -------
        self

        Raises
        ------
        RuntimeError
            Unless metadata routing is enabled in scikit-learn.
        TypeError
            For an argument that the method does not take.
        """
        return self._request("fit", requests)

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Ask scikit-learn's metadata routing to pass arguments to `score`.

        Parameters
        ----------
        **requests : bool, str or None
            For each argument: True to pass it, False not to, None for an error if it is given, a name to pass another argument as this one.

        Returns
        -------
        self

        Raises
        ------
        RuntimeError
            Unless metadata routing is enabled in scikit-learn.
        TypeError
            For an argument that the method does not take.
        """
        return self._request("score", requests)

    def set_partial_fit_request(self, **requests: bool | str | None) -> Self:
        """Ask scikit-learn's metadata routing to pass arguments to `partial_fit`, of those that have it.

        Parameters
        ----------
        **requests : bool, str or None
            For each argument: True to pass it, False not to, None for an error if it is given, a name to pass another argument as this one.

        Returns
        -------
        self

        Raises
        ------
        RuntimeError
            Unless metadata routing is enabled in scikit-learn.
        TypeError
            For an argument that the method does not take.
        """
        return self._request("partial_fit", requests)

    def _request(self, method: str, wanted: dict[str, Any]) -> Self:
        from sklearn import get_config

        if not get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "This method is only available when metadata routing is enabled: sklearn.set_config(enable_metadata_routing=True)."
            )
        unknown = set(wanted) - set(_metadata(self, method))
        if unknown:
            raise TypeError(f"Unexpected args: {unknown} in {method}. Accepted arguments are: {set(_metadata(self, method))}")
        requests = self._own_requests()
        for name, value in wanted.items():
            getattr(requests, method).add_request(param=name, alias=value)
        self._metadata_request = requests
        return self

    def _repr_html_(self) -> str | None:
        """scikit-learn's diagram where it is loaded; a notebook shows the plain text otherwise."""
        if "sklearn" not in sys.modules:
            return None
        from sklearn import get_config
        from sklearn.utils import estimator_html_repr

        return str(estimator_html_repr(self)) if get_config()["display"] == "diagram" else None

    def __getstate__(self) -> dict[str, Any]:
        from .. import __version__

        return {**self.__dict__, VERSION: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from .. import __version__

        state = dict(state)
        made = state.pop(VERSION, "of an unknown version")
        if made != __version__:
            warn(
                f"This {type(self).__name__} was pickled by ridgeline {made} and is read by {__version__}: it may not work, or not in the "
                "same way. Fit it again; files written by ridgeline.save are read by every later version.",
                VersionWarning,
            )
        self.__dict__.update(state)


def _metadata(estimator: Protocol, method: str) -> list[str]:
    """The arguments of a method that may be routed."""
    function = getattr(type(estimator), method, None)
    return [] if function is None else [name for name in inspect.signature(function).parameters if name in METADATA]
