"""All or nothing: a fit changes its estimator in one step, when everything is known.

An attribute is assigned between two instructions of the interpreter, and an interrupt from the keyboard, a failed allocation or another
thread's `predict` may come between any two.  A method that is `all_or_nothing` therefore works on a twin of the estimator; the estimator
takes over the twin's attributes by one assignment, which nothing can split.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

M = TypeVar("M", bound=Callable[..., Any])


def all_or_nothing(method: M) -> M:
    """The same method, which returns the estimator and leaves it as it was where anything is raised.

    What the method mutates in place it must have made itself: the twin shares every object with the estimator.
    """

    @wraps(method)
    def whole(self: Any, *args: Any, **kwargs: Any) -> Any:
        twin = object.__new__(type(self))
        twin.__dict__ = self.__dict__.copy()
        method(twin, *args, **kwargs)
        self.__dict__ = twin.__dict__
        return self

    return cast(M, whole)
