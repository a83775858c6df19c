"""The command line, one file per command.  What went wrong is one line on stderr, with the remedy, and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .arguments import parser
from .refusal import one_line

__all__ = ["main"]

INTERRUPTED = 130
"""What shells give a program that Ctrl-C ended: 128 and the number of the signal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does: nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except (ValueError, TypeError, ImportError, OSError, MemoryError) as error:
        print(f"ridgeline: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        path = getattr(options, "checkpoint", None)
        left = f"the same command goes on from the checkpoint {path}" if path else "nothing was written"
        print(f"ridgeline: interrupted; {left}.", file=sys.stderr)
        return INTERRUPTED
    return 0
