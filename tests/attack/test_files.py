"""Mutated files of every format, in a process of their own that may crash, hang and run out of memory without harm to the tests."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import ridgeline as rl

from .mutation import FORMATS, with_crc

ROOT = Path(__file__).parents[2]
EXHAUSTIVE = {"model": 1_000_000, "moments": 1_000_000, "checkpoint": 1_000_000}


def campaign(name: str, count: int, seed: int, place: Path, patience: float) -> None:
    if find_spec(FORMATS[name].needs) is None:
        pytest.skip(f"{FORMATS[name].needs} is not installed")
    place.write_text("before the first")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.attack.mutation", name, str(count), str(seed)],
        cwd=ROOT, env={**os.environ, "MUTATION_PLACE": str(place)}, capture_output=True, text=True, timeout=patience, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"about mutation {place.read_text()}, return code {done.returncode}:\n{done.stderr[-3000:]}"
    print(done.stdout)


@pytest.mark.parametrize("name", [name for name in FORMATS if "source" not in name])
def test_some_mutations(name: str, tmp_path: Path) -> None:
    campaign(name, 150, 1, tmp_path / "place", 120)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_mutations(name: str, tmp_path: Path) -> None:
    campaign(name, 10_000, 2, tmp_path / "place", 900)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_a_million_mutations(name: str, tmp_path: Path) -> None:
    campaign(name, EXHAUSTIVE[name], 3, tmp_path / "place", 7200)


# ------------------------------------------------------------------- what fell once, each by itself


def test_a_header_longer_than_the_file_is_not_allocated(tmp_path: Path) -> None:
    """NumPy would ask for the four gigabytes first."""
    path = tmp_path / "rows.npy"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{'descr': '<f8'")
    with pytest.raises(ValueError, match=r"rows\.npy cannot be read as \.npy: its header of 4294967295 bytes does not fit"):
        rl.source(str(path), [0.0])


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
        "  indented\n more",
    ],
)
def test_a_header_that_is_no_header(header: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    text = header.ljust(117).encode() + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64))
    with pytest.raises(ValueError, match=r"rows\.npy (cannot be read as \.npy|is cut short)"):
        rl.source(str(path), [0.0])


@pytest.mark.parametrize("precision, place", [("double", k) for k in range(3)] + [("extended", k) for k in range(4)])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.5])
def test_moments_of_no_rows_that_can_be(precision: str, place: int, value: float) -> None:
    """A weight, count or precision that is none, under a true checksum."""
    image = bytearray(rl.Moments.of([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0], precision=precision).to_bytes())
    if (place, value) == (0, 0.5) or (precision, place, value) == ("double", 2, 0.5):
        pytest.skip("a weight, or a precision, that can be")
    image[32 + 8 * place : 40 + 8 * place] = struct.pack("<d", value)
    with pytest.raises(ValueError, match="these moments are damaged"):
        rl.Moments.from_bytes(with_crc(bytes(image)))


def test_a_dictionary_without_the_entry_that_is_named() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    for code in (2, -1, 2**31 - 1):
        codes = pyarrow.array([0, 1, code, 0], pyarrow.int32())
        colours = pyarrow.DictionaryArray.from_arrays(codes, pyarrow.array(["red", "blue"]), safe=False)
        table = pyarrow.table({"colour": colours, "y": [1.0, 2.0, 3.0, 4.0]})
        with pytest.raises(ValueError, match="'colour' is damaged in row 2 of the Arrow table: its dictionary has no such entry"):
            rl.Ridge().fit_source(rl.source(table, target="y"))


@pytest.mark.parametrize("how", ["source", "table"])
def test_a_page_of_parquet_that_fails_its_checksum(how: str, tmp_path: Path) -> None:
    """Data without compression, in which a flipped bit is another number; found where the writer left checksums."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    table = pyarrow.table({"x": np.arange(100.0), "y": np.arange(100.0)})
    parquet.write_table(table, path, use_dictionary=False, compression="none", write_page_checksum=True)
    image = bytearray(path.read_bytes())
    image[image.index(struct.pack("<d", 50.0)) + 6] ^= 1
    path.write_bytes(image)
    with pytest.raises(ValueError, match=r"rows\.parquet .*CRC checksum verification failed"):
        FORMATS["parquet source"].read(str(path)) if how == "source" else FORMATS["parquet table"].read(str(path))
