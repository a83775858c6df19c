"""The kernels beside the hardware's limits and beside their peers, in one interleaved run.

    python -m bench.kernels [--rounds N] [pointwise passes]

Pointwise times are the least of all rounds, in nanoseconds per entry, for data that fit the second-level cache; each
round visits every case once, so that what else the machine does falls on all alike. Before it is timed, each
result is verified against a NumPy twin.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.special

from ridgeline import kernels

from .passes import passes

ENTRIES = 12_000


def softmax_twin(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logsumexp_twin(z):
    m = z.max(axis=-1)
    return m + np.log(np.exp(z - m[..., None]).sum(axis=-1))


def logistic_twin(z):
    return np.logaddexp(0, z)


# name: the NumPy twin, SciPy's function, and the lengths of the rows (0: elementwise)
POINTWISE = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), scipy.special.expit, (0,)),
    "log_sigmoid": (lambda z: -np.logaddexp(0, -z), scipy.special.log_expit, (0,)),
    "softplus": (logistic_twin, None, (0,)),
    "logistic": (logistic_twin, None, (0,)),
    "softmax": (softmax_twin, lambda z: scipy.special.softmax(z, axis=-1), (3, 10, 40, 100, 1000)),
    "log_softmax": (
        lambda z: np.log(softmax_twin(z)),
        lambda z: scipy.special.log_softmax(z, axis=-1),
        (3, 10, 40, 100, 1000),
    ),
    "logsumexp": (logsumexp_twin, lambda z: scipy.special.logsumexp(z, axis=-1), (3, 10, 40, 100, 1000)),
}


@dataclass
class Case:
    """One row of the table: how to call each contender, and its least time so far."""

    title: str
    entries: int
    contenders: dict[str, Callable[[], object]]
    seconds: dict[str, float] = field(default_factory=dict)

    def visit(self) -> None:
        for name, call in self.contenders.items():
            start = time.perf_counter()
            call()
            elapsed = time.perf_counter() - start
            self.seconds[name] = min(elapsed, self.seconds.get(name, np.inf))


def call_of(name, isa, z, expected):
    """A call of the kernel in one instruction set, its result verified against the twin's in float64."""
    kernel = getattr(kernels.load("activations", isa), name)
    if name == "logistic":
        outputs = [np.zeros_like(z) for _ in range(4)]  # the targets, and three results
        out, arguments = outputs[1], (outputs[0], z, *outputs[1:])
    else:
        out = np.empty(len(z), z.dtype) if name == "logsumexp" else np.empty_like(z)
        kernel, arguments = kernel["double" if z.dtype == np.float64 else "float"], (z, out)
    kernel(*arguments)
    np.testing.assert_allclose(out, expected, rtol=1e-12 if z.dtype == np.float64 else 1e-6, atol=1e-14)
    return lambda: kernel(*arguments)


def pointwise_cases():
    random = np.random.default_rng(0)
    for name, (twin, peer, lengths) in POINTWISE.items():
        for c in lengths:
            for dtype in (np.float64, np.float32) if name != "logistic" else (np.float64,):
                z = 3 * random.normal(size=(ENTRIES // c, c) if c else ENTRIES)
                z = z.astype(dtype)
                expected = twin(z.astype(np.float64))
                contenders = {isa: call_of(name, isa, z, expected) for isa in kernels.AVAILABLE}
                if peer:
                    contenders["SciPy"] = lambda peer=peer, z=z: peer(z)
                shape = f"rows of {c}" if c else "elementwise"
                yield Case(f"| {name} | {dtype.__name__} | {shape} |", z.size, contenders)


def pointwise(rounds):
    """Lines of a Markdown table."""
    cases = list(pointwise_cases())
    for _ in range(rounds):
        for case in cases:
            case.visit()
    columns = [*kernels.AVAILABLE, "SciPy"]
    lines = [
        f"Pointwise, ns per entry, {ENTRIES} entries. logistic: value, slope and curvature.",
        "",
        "| function | format | shape | " + " | ".join(columns) + " | SciPy : ours |",
        "|---|---|---|" + "---:|" * (len(columns) + 1),
    ]
    for case in cases:
        ns = {name: 1e9 * seconds / case.entries for name, seconds in case.seconds.items()}
        cells = [f"{ns[name]:.2f}" if name in ns else "-" for name in columns]
        ratio = f"{ns['SciPy'] / ns[kernels.AVAILABLE[-1]]:.1f}" if "SciPy" in ns else "-"
        lines.append(f"{case.title} " + " | ".join([*cells, ratio]) + " |")
    return lines


SECTIONS = {"pointwise": pointwise, "passes": passes}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in arguments.sections or SECTIONS:
            print("\n".join(SECTIONS[name](arguments.rounds)))


if __name__ == "__main__":
    main()
