"""What of a recorded state may become a summary's."""

import numpy as np
import pytest

from ridgeline import Moments
from ridgeline.checkpoints.states import restore, state_of

X, Y = np.arange(12.0).reshape(4, 3), np.ones(4)


def test_a_state_comes_back_with_its_bits():
    moments = Moments.of(X, Y)
    again = restore(Moments(3, 1), state_of(moments, Moments(3, 1)))
    assert again.to_bytes() == moments.to_bytes()


@pytest.mark.parametrize("name, value", [
    ("n_features", 2**64), ("n_features", 4), ("n_features", -3), ("n_features", 3.0), ("n_targets", 2), ("n_targets", True),
    ("count", "many"), ("scaled_mean", np.zeros(3)), ("scale", np.ones(4, np.float32)),
])  # fmt: skip
def test_what_no_rows_can_have_made_is_refused(name, value):
    """A size is the empty summary's; a count begins at zero, and may be any."""
    state = state_of(Moments.of(X, Y), Moments(3, 1)) | {name: value}
    with pytest.raises(ValueError, match=f"Moments.{name} has another shape or type"):
        restore(Moments(3, 1), state)


@pytest.mark.parametrize("state", [None, [], {"weight": 1.0}])
def test_a_state_of_something_else_is_refused(state):
    with pytest.raises(ValueError, match="no mapping|is missing"):
        restore(Moments(3, 1), state)
