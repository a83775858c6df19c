"""What holds for every test."""

from __future__ import annotations

import signal

# A shell that starts a command in the background has it ignore the interrupt of the keyboard, and Python then leaves that as it is: the
# tests of interrupts would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
