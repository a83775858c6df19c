"""A file that grows by one block at a time, in which a block is there whole or not at all.

The file is a sequence of blocks (`files.envelope`), the first of which says who writes it.  A block is written, then synchronised to the
disk, before the next one begins: so all but the last are whole, whatever ends the process or the machine, and a last one that is torn is
cut off when the file is opened again.  A block that is damaged in any other way is an error, never a guess.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import suppress
from typing import Any

import numpy as np

from ..files.envelope import Format, Opened, seal, unseal

CHECKPOINT = Format(b"RLCKP", 1, "checkpoint")

_START = struct.Struct("<8sQ")
"""Magic with version, and length: the first sixteen bytes of a block."""


class Journal:
    """The file of a checkpoint, open for this process alone.

    Parameters
    ----------
    path : str
        Read and continued if it exists.
    writer : dict
        What the first block says; a file that another wrote is refused by `check_writer`.

    Attributes
    ----------
    blocks : list of (int, int, int)
        Offset and length of each block behind the first, and how many arrays it has.

    Raises
    ------
    ValueError
        If the file is no journal, or is damaged, with the place.
    OSError
        If it cannot be opened or written, or another process has it open.
    """

    def __init__(self, path: str, writer: dict[str, Any]) -> None:
        self.path = path
        self.blocks: list[tuple[int, int, int]] = []
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            self._lock()
            self._size, self.writer = 0, writer
            self._scan()
            if not self._size:
                os.ftruncate(self._file, 0)
                self.append(writer, [])
                self.blocks.clear()
        except BaseException:
            os.close(self._file)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                return  # a file system without locks
            raise ValueError(f"{self.path} is in use: another fit writes this checkpoint; give each a file of its own.") from None

    def _scan(self) -> None:
        """Find the blocks, and where the last whole one ends; every length is held against the size of the file."""
        size = os.fstat(self._file).st_size
        while self._size < size:
            start = self._size
            head = self._bytes(start, _START.size)
            ours = head[: len(CHECKPOINT.magic)] == CHECKPOINT.magic[: len(head)]
            if not start and not ours:
                raise ValueError(f"{self.path} is not a ridgeline checkpoint; give the checkpoint another name.")
            end = start + _START.unpack(head)[1] if len(head) == _START.size else size
            try:
                opened = self.read(start, min(end, size) - start)
            except ValueError:
                # a file system may give a torn block its length before its bytes
                if (ours and end >= size) or (start and self._only_zeros(start, size)):
                    break
                raise
            if start:
                self.blocks.append((start, end - start, len(opened.arrays)))
            else:
                self.writer = {key: value for key, value in opened.header.items() if key != "arrays"}
            self._size = end

    def _only_zeros(self, start: int, size: int) -> bool:
        step = 1 << 20
        return not any(any(self._bytes(a, min(step, size - a))) for a in range(start, size, step))

    def _bytes(self, start: int, count: int) -> bytes:
        parts = []
        while count and (part := os.pread(self._file, count, start)):
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return b"".join(parts)

    def read(self, start: int, length: int) -> Opened:
        """The block there."""
        try:
            return unseal(CHECKPOINT, self._bytes(start, length), self.path)
        except ValueError as error:
            if not start:
                raise
            why = str(error).removeprefix(f"{self.path} ").rstrip(".")
            raise ValueError(f"{self.path}, byte {start}: {why}; delete the file to begin the fit afresh.") from error

    def append(self, header: dict[str, Any], arrays: list[np.ndarray]) -> None:
        """Write a block and have it reach the disk.

        Raises
        ------
        OSError
            Where the disk is full or cannot be written; the file is then as it was.
        """
        image = memoryview(seal(CHECKPOINT, header, arrays))
        try:
            done = 0
            while done < len(image):
                done += os.pwrite(self._file, image[done:], self._size + done)
            os.ftruncate(self._file, self._size + done)
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise refused(error, self.path) from error
        self.blocks.append((self._size, len(image), len(arrays)))
        self._size += len(image)

    def close(self, delete: bool) -> None:
        """Let go of the file."""
        if delete:
            with suppress(FileNotFoundError):
                os.unlink(self.path)
        os.close(self._file)


def recorded(path: str) -> tuple[dict[str, Any], int]:
    """Who wrote a checkpoint, and how many folds it holds.

    Raises
    ------
    ValueError, OSError
    """
    if not os.path.getsize(path):
        raise ValueError(f"{path} is not a ridgeline checkpoint.")
    journal = Journal(path, {})
    try:
        return journal.writer, sum(count for _, _, count in journal.blocks)
    finally:
        journal.close(delete=False)


def refused(error: OSError, path: str) -> OSError:
    """What to say where a checkpoint could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        text = "no space left for the checkpoint; what it held before stands: free some, and run the same fit again to go on"
    else:
        text = f"the checkpoint cannot be written ({error.strerror}); what it held before stands"
    return OSError(error.errno, text, path)
