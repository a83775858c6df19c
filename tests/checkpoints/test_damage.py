"""Checkpoints that are torn or damaged: the same bits or an error that names the file, never a crash and never another answer."""

import numpy as np
import pytest

from ridgeline import checkpoint
from ridgeline.checkpoints.journal import CHECKPOINT, Journal
from ridgeline.files.envelope import seal, unseal
from ridgeline.moments import Moments
from ridgeline.sources import ArraySource, fold

rng = np.random.default_rng(2)
X, Y = rng.normal(size=(5000, 3)), rng.normal(size=5000)
ROWS = [ArraySource(X[:n], Y[:n], n_threads=1) for n in (5000, 3000, 10)]


def work():
    return [fold(rows, lambda: Moments(3, 1)).to_bytes() for rows in ROWS]


EXPECTED = work()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The bytes of the two files of a fit that was interrupted in its third fold."""
    path = tmp_path_factory.mktemp("made") / "c"
    with pytest.raises(ZeroDivisionError), checkpoint(path, every=0.0):
        work()
        raise ZeroDivisionError
    return path.read_bytes(), path.with_name("c.partial").read_bytes()


def outcome(path, journal, partial):
    path.write_bytes(journal)
    path.with_name("c.partial").write_bytes(partial)
    try:
        with checkpoint(path):
            return work()
    except ValueError as error:
        assert str(path) in str(error)
        return None


def test_whole(image, tmp_path):
    assert outcome(tmp_path / "c", *image) == EXPECTED


def test_every_torn_tail_is_cut(image, tmp_path):
    journal, partial = image
    for length in range(0, len(journal), 7):
        assert outcome(tmp_path / "c", journal[:length], partial) == EXPECTED
    for zeros in (1, 40, 4096):
        assert outcome(tmp_path / "c", journal + bytes(zeros), partial) == EXPECTED


def mutated(random, image):
    image = bytearray(image)
    kind, at = random.integers(4), int(random.integers(len(image)))
    if kind == 0:
        image[at] ^= 1 << random.integers(8)
    elif kind == 1:
        image[at : at + 8] = random.bytes(8)
    elif kind == 2:
        del image[at : at + int(random.integers(1, 64))]
    else:
        image[at:at] = random.bytes(int(random.integers(1, 64)))
    return bytes(image)


def attack(image, tmp_path, count):
    random, refused = np.random.default_rng(9), 0
    for trial in range(count):
        journal, partial = image
        journal, partial = (mutated(random, journal), partial) if trial % 4 else (journal[: len(journal) // 3], mutated(random, partial))
        got = outcome(tmp_path / "c", journal, partial)
        assert got in (None, EXPECTED)
        refused += got is None
    return refused


def test_mutated_files(image, tmp_path):
    assert attack(image, tmp_path, 200) > 20


@pytest.mark.slow
def test_ten_thousand_mutated_files(image, tmp_path):
    assert attack(image, tmp_path, 10_000) > 1000


def test_damage_in_the_middle_is_told_with_its_place(image, tmp_path):
    journal, _ = image
    at = len(journal) // 2
    broken = journal[:at] + bytes([journal[at] ^ 1]) + journal[at + 1 :]
    path = tmp_path / "c"
    path.write_bytes(broken)
    with pytest.raises(ValueError, match=r"c, byte \d+: is damaged: .*; delete the file to begin the fit afresh"), checkpoint(path):
        pass
    assert path.read_bytes() == broken


@pytest.mark.parametrize("columns", [-3, 7, 99999999999999999999])
def test_an_answer_about_other_columns_under_true_checksums(columns, image, tmp_path):
    """Its question is the fold's and its arrays have the right shapes: only the size that it says differs."""
    path = tmp_path / "c"
    path.write_bytes(image[0])
    journal = Journal(str(path), {})
    start, length, _ = journal.blocks[0]
    opened = unseal(CHECKPOINT, journal.read(start, length).arrays[0].tobytes(), "")
    state = dict(opened.header["state"]["dict"]) | {"n_features": columns}
    answer = seal(CHECKPOINT, opened.header | {"state": {"dict": list(map(list, state.items()))}}, opened.arrays)
    forged = seal(CHECKPOINT, {}, [np.frombuffer(answer, np.uint8)])
    journal.close(delete=False)
    path.write_bytes(image[0][:start] + forged + image[0][start + length :])
    told = "c is damaged: Moments.n_features has another shape or type"
    with pytest.raises(ValueError, match=told), checkpoint(path):
        work()
