"""Parquet files of which a part cannot be read: what is left of them, found once, so that every pass over the rows leaves out the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .parquet import UNREADABLE, ParquetFile, failure
from .skipping import Skipped

BATCH = 1 << 16
"""Rows decoded at a time."""


def sound_parts(files: Sequence[ParquetFile]) -> tuple[list[ParquetFile], list[Skipped]]:
    """The files, of each the row groups that can be read, and what cannot; one read of all of it.

    Raises
    ------
    OSError
        For what the operating system refuses, which is no damage.
    """
    sound: list[ParquetFile] = []
    skipped: list[Skipped] = []
    for file in files:
        try:
            with file.open() as opened:
                wanted = range(opened.num_row_groups) if file.wanted is None else file.wanted
                whole = []
                for group in wanted:
                    try:
                        for _ in opened.iter_batches(batch_size=BATCH, row_groups=[group]):
                            pass
                        whole.append(group)
                    except UNREADABLE as error:
                        known = failure(error, f"{file.path} is damaged in row group {group}")
                        if not isinstance(known, ValueError):
                            raise known from error
                        skipped.append(Skipped(str(known), opened.metadata.row_group(group).num_rows))
            if len(whole) < len(wanted):
                file = replace(file, wanted=whole)
            sound.append(file)
        except ValueError as error:
            skipped.append(Skipped(str(error), None))
    return sound, skipped
