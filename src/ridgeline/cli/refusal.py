"""What went wrong, as one line with the remedy."""

from __future__ import annotations


class Refusal(ValueError):
    """Something the user asked for that cannot be done; its message is the whole answer."""


def one_line(error: BaseException) -> str:
    """An error as one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__
