"""The two files of a checkpoint where a disk refuses: what they held before stands, and the error says what to do."""

import errno
import os

import numpy as np
import pytest

from ridgeline import Ridge, checkpoint, source
from ridgeline.checkpoints import journal, scope

rng = np.random.default_rng(5)
X, Y = rng.normal(size=(3000, 3)), rng.normal(size=3000)


def fitted():
    return Ridge().fit_source(source(X, Y))


@pytest.fixture
def begun(tmp_path):
    """A checkpoint of a scope that was left by an error."""
    path = tmp_path / "c"
    with pytest.raises(ZeroDivisionError), checkpoint(path, every=0.0):
        fitted()
        raise ZeroDivisionError
    return path


@pytest.mark.parametrize(("number", "message"), [
    (errno.ENOSPC, "no space left for the checkpoint; what it held before stands: free some, and run the same fit again to go on"),
    (errno.EDQUOT, "no space left for the checkpoint"),
    (errno.EIO, r"the checkpoint cannot be written \(Input/output error\); what it held before stands"),
])  # fmt: skip
@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_a_disk_that_refuses_leaves_the_journal_as_it_was(call, number, message, begun, monkeypatch):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    book = journal.Journal(str(begun), {})
    kept, blocks = begun.read_bytes(), list(book.blocks)
    with monkeypatch.context() as full, pytest.raises(OSError, match=message) as caught:
        full.setattr(journal.os, call, refuse)
        book.append({}, [np.ones(5)])
    assert (caught.value.errno, caught.value.filename) == (number, str(begun))
    assert begun.read_bytes() == kept and book.blocks == blocks
    book.append({}, [np.ones(5)])
    (start, length, _) = book.blocks[-1]
    assert start == len(kept) and book.read(start, length).arrays[0].tolist() == [1.0] * 5
    book.close(delete=False)


def test_a_disk_that_refuses_the_fold_in_progress_names_its_file(begun, monkeypatch):
    def refuse(path, image):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scope, "replace_file", refuse)
    with pytest.raises(OSError, match="no space left for the checkpoint") as caught, checkpoint(begun, every=0.0):
        fitted()
        Ridge().fit_source(source(X, -Y))
    assert caught.value.filename == f"{begun}.partial"


def test_a_file_system_without_locks_serves(begun, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(journal.fcntl, "flock", refuse)
    with checkpoint(begun):
        assert (fitted().coef_ == Ridge().fit(X, Y).coef_).all()
    assert not begun.exists()


def test_what_is_recorded_of_an_empty_file(tmp_path):
    (tmp_path / "c").write_bytes(b"")
    with pytest.raises(ValueError, match="c is not a ridgeline checkpoint"):
        journal.recorded(str(tmp_path / "c"))
    assert (tmp_path / "c").read_bytes() == b""  # and nothing was begun there


def test_who_wrote_a_checkpoint_and_how_many_reads_it_holds(begun):
    writer, reads = journal.recorded(str(begun))
    assert set(writer) == {"ridgeline", "kernels"} and reads == 1
