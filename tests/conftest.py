"""What holds for every test."""

from __future__ import annotations

import signal

try:
    from hypothesis import settings
except ImportError:  # the tests that draw their data skip themselves
    pass
else:
    # Quick by default, deep in the slow stage: --hypothesis-profile deep.  A draw takes what the machine's other work leaves it.
    settings.register_profile("quick", deadline=None, max_examples=200)
    settings.register_profile("deep", deadline=None, max_examples=2000)
    settings.load_profile("quick")

# A shell that starts a command in the background has it ignore the interrupt of the keyboard, and Python then leaves that as it is: the
# tests of interrupts would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
