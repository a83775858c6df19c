"""`checkpoint`: a scope in which what each fold finds is recorded, so that the same work done again goes on where it stood.

A fit is a deterministic sequence of folds, and all that it ever learns of the rows is what they return.  So a checkpoint is a journal of
those answers, beside the totals of the fold in progress.  Work that is done again asks the same questions; as long as the journal has
answers, no row is read, and what lies between the folds is computed again.  The result has the same bits, whichever solver it is of, and no
solver knows.

Each answer lies beside the fingerprint of its question: which summary, at which point, of which rows.  Another question in its place means
another fit, or other rows, and is refused.

Two files: the journal, to which blocks are only ever added, and the fold in progress (`.partial` beside it), replaced as a whole.
"""

from __future__ import annotations

import glob
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from ..engines.tree import Tree
from ..files.envelope import damage, expect, is_count, read_file, seal, unseal
from ..files.replacement import replace_file
from ..files.values import Reader, Writer
from ..kernels import ISA
from ..sources.folding import Place, Progress
from ..watch import OutOfTime
from . import current
from .fingerprint import fingerprint, parts_of
from .journal import CHECKPOINT, Journal, refused
from .states import restore, state_of

EVERY = 5.0
"""Seconds of work lost at most: a moment of writing costs some milliseconds, a thousandth of that."""

BUFFER = 1 << 26
"""Bytes of answers that wait for the next moment of writing at most."""


@contextmanager
def checkpoint(path: str | os.PathLike[str], *, every: float = EVERY) -> Iterator[None]:
    """A scope whose fits, when they are run again after a crash, go on where they stood, to the same bits.

    Parameters
    ----------
    path : path-like
        A file to keep the record in, beside which `path` + ".partial" is written. If it exists, what it records is not read again.
        Both are deleted when the scope ends without an exception, unless a fit in it was stopped by its `time_limit`: run again, it goes
        on from there.
    every : float, default 5.0
        Seconds between two moments of writing: the most work that is lost, whatever ends the process.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If the file is no checkpoint, is damaged, is in use by another process, was written by another version or instruction set, or by
        another fit, or if files of the rows have changed since. Nothing fitted is changed.
    OSError
        If the file cannot be written, for one because the disk is full. What it held before stands.
    TypeError
        For a summary of the caller's own that keeps what it adds up in something that is no value.

    Notes
    -----
    The work must be deterministic, as fits are: the same calls in the same order. What a summary holds is written for every read of
    the rows: 8 (d + 1)^2 bytes for moments and Hessians, 8 d for gradients. Of arrays in memory some entries are compared, of files
    name, length and time of change, of a function's chunks the first, of rows on other machines some of every partition, which takes one
    read more. Reads of a fold that another machine makes are recorded when they are complete. Folds in other threads than the scope's own
    are not recorded.

    Examples
    --------
    >>> import tempfile
    >>> from ridgeline import Ridge, checkpoint, source
    >>> rows = source([([[0.0], [1.0]], [1.0, 3.0]), ([[2.0]], [5.0])])
    >>> with tempfile.TemporaryDirectory() as folder, checkpoint(f"{folder}/fit.checkpoint"):
    ...     model = Ridge(alpha=1.0).fit_source(rows)
    >>> model.coef_.round(6)
    array([1.333333])
    """
    if not 0 <= every < np.inf:
        raise ValueError(f"every must be a number of seconds, zero or more, got {every!r}.")
    record = Checkpoint(os.fspath(path), float(every))
    token = current.set(record)
    done = False
    try:
        yield
        done = True
    finally:
        current.reset(token)
        record.close(done)


class Checkpoint:
    """The record of the folds of one scope: what `checkpoint` makes."""

    def __init__(self, path: str, every: float) -> None:
        from .. import __version__

        self.path, self.partial_path, self.every = path, f"{path}.partial", every
        writer = {"ridgeline": __version__, "kernels": ISA}
        self.journal = Journal(path, writer)
        if self.journal.writer != writer:
            self.journal.close(delete=False)
            raise ValueError(
                f"{path} was written by {_who(self.journal.writer)}, and this is {_who(writer)}, whose last digits may differ. Go on "
                "there, or delete the file to begin the fit afresh."
            )
        for torn in Path(path).parent.glob(f".{glob.escape(os.path.basename(self.partial_path))}.*.part"):
            torn.unlink(missing_ok=True)  # what a process that was killed had begun to write
        self.answers = [(start, length, k) for start, length, count in self.journal.blocks for k in range(count)]
        self.asked = 0
        self.waiting: list[bytes] = []
        self.written = monotonic()
        self.owner, self.busy = threading.get_ident(), False
        self.stopped = False

    def fold(self, source: Any, empty: Callable[[], Any], read: Callable[..., Any]) -> Any:
        """The total of a fold: from the journal, or read and put there.

        Parameters
        ----------
        source : Source
        empty : callable
        read : callable
            Of a `Progress`, reads what lies behind it and keeps it informed; of nothing, just reads.
        """
        if self.stopped or self.busy or threading.get_ident() != self.owner:
            return read()  # inside another fold or beside it: no place in the sequence
        k, self.asked = self.asked, self.asked + 1
        question = _Question(k, source, empty)
        if k < len(self.answers):
            return self._answer(question)
        progress = self._begun(question)
        self.busy = True
        try:
            total = read(progress)
        except OutOfTime:
            self.stopped = True  # what is asked from here on belongs to a fit that was cut short
            raise
        finally:
            self.busy = False
        self._put(question, total)
        return total

    def _answer(self, question: _Question) -> Any:
        start, length, place = self.answers[question.number]
        image = self.journal.read(start, length).arrays[place]
        opened = unseal(CHECKPOINT, image.tobytes(), self.path)
        question.require_same(opened.header, self.path)
        with damage(self.path):
            return question.summary_of(Reader(opened.arrays, opened.size).value(opened.header["state"]))

    def _begun(self, question: _Question) -> Progress[Any]:
        """Where the fold stood when the process before this one ended."""
        path = self.partial_path
        nothing: Progress[Any] = Progress(lambda progress: self._look(question, progress))
        try:
            opened = unseal(CHECKPOINT, read_file(CHECKPOINT, path), path)
        except FileNotFoundError:
            return nothing
        if opened.header.get("fold") != question.number:
            return nothing  # of a fold that has been completed since
        question.require_same(opened.header, path)
        with damage(path):
            place, nodes = (Reader(opened.arrays, opened.size).value(opened.header[key]) for key in ("place", "nodes"))
            expect(len(place) == 2 and all(map(is_count, place)) and bool(nodes), "it does not say how far the fold had come")
            expect(all(is_count(number) for number, _ in nodes), "a node of the tree has no number")
            parts = [[number, question.summary_of(state)] for number, state in nodes]
        tree = Tree(*parts[0])
        tree.nodes = parts
        return Progress(nothing.look, tree, Place(*place))

    def _look(self, question: _Question, progress: Progress[Any]) -> None:
        """A moment at which the totals stand still: write them, if it is time."""
        if monotonic() - self.written < self.every or progress.tree is None:
            return
        self.flush()
        writer = Writer()
        nodes = [[number, state_of(summary, question.template)] for number, summary in progress.tree.nodes]
        state = {"place": writer.value(tuple(progress.place), "place"), "nodes": writer.value(nodes, question.summary)}
        try:
            replace_file(self.partial_path, seal(CHECKPOINT, question.header | state, writer.arrays))
        except OSError as error:
            raise refused(error, self.partial_path) from error
        self.written = monotonic()

    def _put(self, question: _Question, total: Any) -> None:
        writer = Writer()
        state = writer.value(state_of(total, question.template), question.summary)
        self.waiting.append(seal(CHECKPOINT, question.header | {"state": state}, writer.arrays))
        if monotonic() - self.written >= self.every or sum(map(len, self.waiting)) > BUFFER:
            self.flush()

    def flush(self) -> None:
        """Write the answers that wait."""
        if self.waiting:
            self.journal.append({}, [np.frombuffer(image, np.uint8) for image in self.waiting])
            self.waiting = []
        self.written = monotonic()

    def close(self, done: bool) -> None:
        """Delete the files, or, where there is more to do, write what waits and keep them."""
        delete = done and not self.stopped
        try:
            if self.stopped:
                self.flush()
            elif not done:
                with suppress(OSError):  # another error is on its way already
                    self.flush()
        finally:
            self.journal.close(delete)
            if delete:
                with suppress(FileNotFoundError):
                    os.unlink(self.partial_path)


class _Question:
    """What a fold is asked: a number in the sequence, a summary, rows."""

    def __init__(self, number: int, source: Any, empty: Callable[[], Any]) -> None:
        self.number, self.empty = number, empty
        self.template = empty()
        self.summary = type(self.template).__name__
        digest = fingerprint((self.summary, parts_of(self.template), source.n_features, source.n_targets, source.dtype, source.identity()))
        self.header = {"fold": number, "summary": self.summary, "columns": source.n_features, "question": digest}

    def summary_of(self, state: Any) -> Any:
        """The summary whose state this is.

        Raises
        ------
        ValueError
            For the state of another one, which shows at the latest where it cannot be merged.
        """
        summary = restore(self.empty(), state)
        with np.errstate(all="ignore"):
            self.empty().merge(summary)
        return summary

    def require_same(self, header: dict[str, Any], path: str) -> None:
        """Refuse an answer to another question."""
        if all(header.get(key) == value for key, value in self.header.items()):
            return
        theirs, ours = (f"{h.get('summary')} over {h.get('columns')} columns" for h in (header, self.header))
        ours = f"{ours}, of other rows or at another point" if ours == theirs else ours
        raise ValueError(
            f"{path} is of another fit, or the rows have changed since: its read {self.number + 1} was for {theirs}, and this one is for "
            f"{ours}. Run the fit that it is of, or delete the file to begin afresh."
        )


def _who(writer: dict[str, Any]) -> str:
    return f"ridgeline {writer.get('ridgeline')} with {writer.get('kernels')} kernels"
