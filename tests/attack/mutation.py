"""Files from strangers: mutated images of every format that the library reads.

    python -m tests.attack.mutation FORMAT COUNT [SEED]

reads COUNT mutations in this process, under a limit on memory and a watchdog on time, and prints how they ended.  What may happen is an
error that the format's reader promises, or the same content; of formats with a checksum, half of the mutations carry a true one, so that
what is inside gets read.  Anything else ends the campaign with the number of the mutation, from which it can be made again.

To add a format, add a row to FORMATS.
"""

from __future__ import annotations

import io
import os
import re
import resource
import signal
import struct
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ridgeline.checkpoints.journal import CHECKPOINT
from ridgeline.checkpoints.scope import checkpoint
from ridgeline.files.envelope import seal

ROOM = 1 << 30
"""Bytes of address space that reading may ask for beyond what the process has: a thousand times the largest image."""

PATIENCE = 120
"""Seconds for one image, of which reading takes milliseconds: at the lowest priority a busy machine has stopped a process for twenty."""

Image = bytes


@dataclass(frozen=True)
class Format:
    """A format and its reader.

    Attributes
    ----------
    images : callable
        Makes the images that are mutated.
    read : callable
        Reads an image to the end and gives what is in it as something that compares by `==`; of a model, also predicts.
    seal : callable, optional
        Makes the checksum of an image true again.  A format that has one must refuse every mutation without it.
    suffix : str
        Of the files that it is read from; empty where bytes are.
    needs : str
        Package without which it cannot be read.
    """

    images: Callable[[], Sequence[Image]]
    read: Callable[[Any], Any]
    seal: Callable[[Image], Image] | None = None
    suffix: str = ""
    needs: str = "numpy"


# ------------------------------------------------------------------------------------------ mutations

NUMBERS = (0, 1, 2, 7, 8, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
DOUBLES = (0.0, -0.0, -1.0, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"))
WORDS = (b"null", b"true", b"-1", b"1e999", b"NaN", b'""', b"[]", b"{}", b'"', b",", b"\n", b"\0", b"99999999999999999999", b"\xff\xfe")


def flip(image: bytearray, rng: np.random.Generator) -> None:
    image[rng.integers(len(image))] ^= 1 << int(rng.integers(8))


def set_byte(image: bytearray, rng: np.random.Generator) -> None:
    image[rng.integers(len(image))] = int(rng.integers(256))


def number(image: bytearray, rng: np.random.Generator) -> None:
    """A length, a count or an offset that is none."""
    size, order = int(rng.choice([1, 2, 4, 8])), rng.choice(["<", ">"])
    value = int(NUMBERS[rng.integers(len(NUMBERS))]) % (1 << 8 * size)
    place(image, struct.pack(f"{order}{'?BH?I???Q'[size]}", value), rng)


def double(image: bytearray, rng: np.random.Generator) -> None:
    place(image, struct.pack("<d", DOUBLES[rng.integers(len(DOUBLES))]), rng, align=8 if rng.integers(2) else 1)


def word(image: bytearray, rng: np.random.Generator) -> None:
    """A token of a text where it does not belong, or for as many bytes."""
    token = WORDS[rng.integers(len(WORDS))]
    at = int(rng.integers(len(image)))
    image[at : at + (len(token) if rng.integers(2) else 0)] = token


def cut(image: bytearray, rng: np.random.Generator) -> None:
    del image[int(rng.integers(len(image))) :]


def drop(image: bytearray, rng: np.random.Generator) -> None:
    a, b = span(image, rng)
    del image[a:b]


def repeat(image: bytearray, rng: np.random.Generator) -> None:
    a, b = span(image, rng)
    image[b:b] = image[a:b] * int(rng.integers(1, 4))


def move(image: bytearray, rng: np.random.Generator) -> None:
    a, b = span(image, rng)
    place(image, bytes(image[a:b]), rng)


def digit(image: bytearray, rng: np.random.Generator) -> None:
    """Another digit, sign or bracket where there is text."""
    at = int(rng.integers(len(image)))
    image[at] = b"0123456789-+.eE[]{},:\"'"[int(rng.integers(23))]


def place(image: bytearray, what: bytes, rng: np.random.Generator, align: int = 1) -> None:
    at = int(rng.integers(max(len(image) - len(what), 1))) // align * align
    image[at : at + len(what)] = what


def span(image: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    a = int(rng.integers(len(image)))
    return a, min(a + 1 + int(rng.integers(1 << int(rng.integers(1, 7)))), len(image))


MUTATIONS = (flip, set_byte, number, double, word, cut, drop, repeat, move, digit)
USUAL = np.array([4, 3, 4, 3, 2, 0.5, 1, 1, 1, 3])


def mutated(images: Sequence[Image], seed: int, k: int) -> tuple[Image, Image]:
    """The k-th mutation of a campaign, and the image it was made of."""
    rng = np.random.default_rng((seed, k))
    original = images[int(rng.integers(len(images)))]
    image = bytearray(original)
    for _ in range(int(rng.integers(1, 4))):
        MUTATIONS[rng.choice(len(MUTATIONS), p=USUAL / USUAL.sum())](image, rng)
        if not image:
            break
    return bytes(image), original


# ------------------------------------------------------------------------------------------- formats


def with_crc(image: Image) -> Image:
    return image[:-4] + struct.pack("<I", zlib.crc32(image[:-4])) if len(image) >= 4 else image


def enveloped(image: Image) -> Image:
    """The length, too, made true, most of the time: a function of the image alone."""
    if len(image) >= 16 and image[8] % 8:
        image = image[:8] + struct.pack("<Q", len(image)) + image[16:]
    return with_crc(image)


def chained(image: Image) -> Image:
    """Of a file of several blocks, each with its length and checksum."""
    blocks, start = [], 0
    while len(image) - start >= 20:
        (length,) = struct.unpack_from("<Q", image, start + 8)
        end = start + length if 20 <= length <= len(image) - start else len(image)
        blocks.append(with_crc(image[start:end]))
        start = end
    return b"".join([*blocks, image[start:]])


def journal(image: Image) -> Image:
    """Of a checkpoint the blocks and, most of the time, lengths and checksums of the answers in them: a function of the image alone."""
    # a block, then the start of one and its answer, by turns
    first, *parts = re.split(rb"(?<=.)(?=RLCKP)", image, flags=re.DOTALL)
    if len(parts) % 2 or zlib.crc32(image) % 4 == 0 or any(len(part) < 28 for part in parts):
        return chained(image)
    answers = [enveloped(part[:8] + struct.pack("<Q", len(part) - 4) + part[16:-4]) for part in parts[1::2]]
    return b"".join([with_crc(first), *(seal(CHECKPOINT, {}, [np.frombuffer(answer, np.uint8)]) for answer in answers)])


ROWS = np.random.default_rng(3).normal(size=(40, 3)).round(2)
TARGET = (ROWS @ [1.0, -2.0, 0.5]).round(2)


def models() -> list[Image]:
    from ridgeline.model_file import encode

    rl = import_module("ridgeline")
    labels = np.where(TARGET > 0, "yes", "no")
    three = np.digitize(TARGET, [-1, 1])
    fitted = [
        rl.Ridge().fit(ROWS, TARGET), rl.Lasso(alpha=0.1).fit(ROWS.astype(np.float32), TARGET),
        rl.LinearRegression().fit(ROWS[:, :1], ROWS), rl.LogisticRegression().fit(ROWS, labels),
        rl.LogisticRegression().partial_fit(ROWS, three), rl.RidgeCV(alphas=[1.0, 2.0]).fit(ROWS, TARGET),
        rl.HuberRegressor(delta=1.0).fit(ROWS, TARGET),
    ]  # fmt: skip
    return [encode(model, {"target": "y", "columns": ["a", 1, None]}, True) for model in fitted]


def read_model(image: Image) -> Any:
    from ridgeline.model_file import decode

    saved = decode(image, "model.rl")
    with suppress(ValueError, TypeError):  # of parameters and labels in a sealed file that suit no data
        saved.model.predict(ROWS[:, : saved.model.n_features_in_])
    return repr(vars(saved.model))


def moments() -> list[Image]:
    rl = import_module("ridgeline")
    weight = np.arange(40.0)
    return [
        rl.Moments.of(ROWS, TARGET).to_bytes(), rl.Moments.of(ROWS, ROWS, weight).to_bytes(),
        rl.Moments.of(ROWS[:0], TARGET[:0]).to_bytes(),
        rl.Moments.of(ROWS, TARGET, weight, precision="extended").to_bytes(),
    ]  # fmt: skip


def read_moments(image: Image) -> Any:
    rl = import_module("ridgeline")
    record = rl.Moments.from_bytes(image)
    with suppress(ValueError, TypeError):  # of no rows, or sums that are none, in sealed bytes
        rl.Ridge().fit_moments(record + record)
    return record.to_bytes()


def checkpointed() -> list[bytes]:
    """What a checkpoint is for: folds of which the rows are read again where no answer is recorded."""
    from ridgeline.moments import Moments
    from ridgeline.sources import ArraySource, fold

    return [fold(ArraySource(ROWS[:n], TARGET[:n], n_threads=1), lambda: Moments(3, 1)).to_bytes() for n in (40, 30, 10)]


def fits() -> list[bytes]:
    """Fits that ask for many kinds of summary, and go on to work with what they are told."""
    rl = import_module("ridgeline")
    rows = rl.source(lambda: [(ROWS, TARGET)])
    fitted = rl.HuberRegressor(delta=0.5).fit_source(rows), rl.LinearRegression().fit_source(rows)
    return [model.coef_.tobytes() for model in fitted]


def recorded(work: Callable[[], Any]) -> list[Image]:
    """The file of work that ended when all of its folds were recorded."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c")
        with suppress(ZeroDivisionError), checkpoint(path, every=0.0):
            work()
            raise ZeroDivisionError
        with open(path, "rb") as file:
            return [file.read()]


def resumed(work: Callable[[], Any], path: str) -> Any:
    with checkpoint(path):
        return work()


def numpy_files() -> list[Image]:
    images = []
    for array in (ROWS, np.asfortranarray(ROWS), ROWS.astype(np.float32), ROWS.astype(">i2")):
        file = io.BytesIO()
        np.save(file, array)
        images.append(file.getvalue())
    return images


def read_numpy(path: str) -> Any:
    rl = import_module("ridgeline")
    rows = rl.source(path, TARGET)
    return rl.Ridge().fit_source(rows).coef_.tobytes()


def csv_files() -> list[Image]:
    lines = [f"{a},{b},{c},{'red' if a > 0 else 'blue'},{t}" for (a, b, c), t in zip(ROWS.tolist(), TARGET.tolist())]
    plain = "\n".join(["a,b,c,colour,y", *lines]) + "\n"
    quoted = plain.replace("red", '"re""d"').replace("\n", "\r\n")
    return [plain.encode(), quoted.encode("utf-8-sig"), plain.replace(",", ";").encode()]


def read_table(path: str) -> Any:
    from ridgeline.tables import read_table as read

    return repr({name: values.tolist() for name, values in read(path).columns.items()})


def read_source(path: str) -> Any:
    rl = import_module("ridgeline")
    return rl.Ridge().fit_source(rl.source(path, target="y")).coef_.tobytes()


def parquet_files() -> list[Image]:
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    colours = np.where(ROWS[:, 0] > 0, "red", "blue")
    table = pyarrow.table({"a": ROWS[:, 0], "b": ROWS[:, 1].astype(np.float32), "c": np.arange(40), "colour": colours, "y": TARGET})
    images = []
    for options in ({}, {"compression": "none", "row_group_size": 16}, {"use_dictionary": False, "write_page_checksum": True}):
        file = io.BytesIO()
        parquet.write_table(table, file, **options)
        images.append(file.getvalue())
    return images


FORMATS: dict[str, Format] = {
    "model": Format(models, read_model, enveloped),
    "moments": Format(moments, read_moments, with_crc),
    "checkpoint": Format(partial(recorded, checkpointed), partial(resumed, checkpointed), journal, suffix=".checkpoint"),
    "checkpoint of fits": Format(partial(recorded, fits), partial(resumed, fits), journal, suffix=".checkpoint"),
    "npy": Format(numpy_files, read_numpy, suffix=".npy"),
    "csv table": Format(csv_files, read_table, suffix=".csv"),
    "csv source": Format(csv_files, read_source, suffix=".csv", needs="pyarrow"),
    "parquet table": Format(parquet_files, read_table, suffix=".parquet", needs="pyarrow"),
    "parquet source": Format(parquet_files, read_source, suffix=".parquet", needs="pyarrow"),
}


# ------------------------------------------------------------------------------------------ campaigns


class TooSlow(BaseException):
    """The watchdog's."""


def _bark(*_: object) -> None:
    raise TooSlow


def attack(name: str, count: int, seed: int, report: Callable[[int], None] = lambda k: None) -> Counter[str]:
    """Read `count` mutations of a format; how they ended, and how often.

    Raises
    ------
    AssertionError
        At the first that ended as none may, with its number.
    """
    form = FORMATS[name]
    images = form.images()
    ends: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _bark)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"strange{form.suffix}")
        for image in images:
            _read(form, image, path)
        whole = [_read(form, image, path) for image in images]
        for k in range(count):
            report(k)
            image, original = mutated(images, seed, k)
            sealed = form.seal is not None and k % 2 == 0
            if sealed and form.seal is not None:
                image = form.seal(image)
            signal.alarm(PATIENCE)
            try:
                content = _read(form, image, path)
            except (ValueError, OSError) as error:
                ends[type(error).__name__] += 1
            except BaseException as error:
                raise AssertionError(f"{name}, seed {seed}, mutation {k}: {type(error).__name__}: {error}") from error
            else:
                same = image == original or content == whole[images.index(original)]
                ends["the same content" if same else "other content"] += 1
                if form.seal is not None and not sealed and not same:
                    raise AssertionError(f"{name}, seed {seed}, mutation {k}: read as other content although its checksum is false")
            finally:
                signal.alarm(0)
    return ends


def _read(form: Format, image: Image, path: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not form.suffix:
            return form.read(image)
        with open(path, "wb") as file:
            file.write(image)
        return form.read(path)


def main(arguments: Sequence[str]) -> None:
    name, count, seed = arguments[0], int(arguments[1]), int(arguments[2]) if len(arguments) > 2 else 0
    attack(name, 20, seed + 1)  # what is imported and started on first use is there
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    place = os.environ.get("MUTATION_PLACE")

    def report(k: int) -> None:
        if place and k % 16 == 0:
            with open(place, "w") as file:
                file.write(str(k))

    ends = attack(name, count, seed, report)
    print(f"{name}: {count} mutations of seed {seed}: " + ", ".join(f"{n} {end}" for end, n in ends.most_common()))


if __name__ == "__main__":
    main(sys.argv[1:])
