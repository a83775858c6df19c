"""Where rows live: one file for each kind of place.  What needs an optional package is imported when it is used."""

from .arrays import ArraySource, PickedRows
from .chunks import ChunkSource
from .folding import (
    BEGINNING,
    EMPTY,
    SEGMENT_ELEMENTS,
    SEGMENT_ROWS,
    SLAB_ELEMENTS,
    Place,
    Schema,
    Segment,
    Slab,
    Source,
    Summary,
    adjacent,
    fold,
    require_rereadable,
    require_rows,
    segment_rows,
)
from .opening import source

__all__ = [
    "BEGINNING",
    "EMPTY",
    "SEGMENT_ELEMENTS",
    "SEGMENT_ROWS",
    "SLAB_ELEMENTS",
    "ArraySource",
    "ChunkSource",
    "PickedRows",
    "Place",
    "Schema",
    "Segment",
    "Slab",
    "Source",
    "Summary",
    "adjacent",
    "fold",
    "require_rereadable",
    "require_rows",
    "segment_rows",
    "source",
]
