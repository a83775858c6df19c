"""Exceptions and warnings that are also scikit-learn's of the same meaning, where scikit-learn is loaded.

So that `except NotFittedError` and `filterwarnings("ignore", category=ConvergenceWarning)` of a program written for scikit-learn hold,
and `import ridgeline` needs no scikit-learn.
"""

from __future__ import annotations

import sys
from typing import Any

_JOINT: dict[tuple[type, type], type] = {}


def also(own: type[Any], peer: str, module: str = "sklearn.exceptions") -> type[Any]:
    """`own`, or a class of the same name that is also the class `peer` of a module that is loaded."""
    theirs = getattr(sys.modules.get(module), peer, None)
    if theirs is None:
        return own
    if (own, theirs) not in _JOINT:
        joint = type(own.__name__, (own, theirs), {"__doc__": own.__doc__, "__module__": own.__module__})
        _JOINT.setdefault((own, theirs), joint)  # that of the first of several threads
    return _JOINT[own, theirs]
