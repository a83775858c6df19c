"""Errors of the activations in units in the last place, beside SciPy's on the same points.

    python -m bench.accuracy [--points N] [--output docs/accuracy.md]

The reference is mpmath at 300 bits (2400 for logsumexp).  Points cover the whole finite range of each
format, as `tests/ulps.py` draws them: for the elementwise functions moderate numbers, the limits of exp,
and every exponent; for those along rows logits at scales from 1e-8 to 1e15, with shifts and ties, in rows
of 2, 3, 10 and 100.  Log-probabilities are such rows after log_softmax: their logsumexp is 0 but for the
rounding of the entries.
"""

import argparse
import platform
import warnings

import numpy as np
import scipy
import scipy.special

import ridgeline
from tests import ulps

ELEMENTWISE = {"sigmoid": "expit", "log_sigmoid": "log_expit", "softplus": "softplus"}
BY_ROW = {"softmax": "softmax", "log_softmax": "log_softmax", "logsumexp": "logsumexp"}
COLUMNS = (2, 3, 10, 100)

PAGE = """\
# Accuracy of the activations

Written by `python -m bench.accuracy --points {points}` with NumPy {numpy} and SciPy {scipy} on
{machine}. An error is the distance from the exact value (mpmath, 300 bits or more) in units in the
last place of the format. Both libraries get the same points, over the whole finite range, which
`tests/ulps.py` draws. A 0 or an infinity for a result that is neither counts in ulps like any other
error.

{table}
"""


def scipy_function(name):
    # SciPy has softplus from 1.16 or so; before, this is the expression in use.
    return getattr(scipy.special, name, None) or (lambda z: np.logaddexp(z.dtype.type(0), z))


def elementwise(name, n, dtype):
    """The greatest error of ridgeline and of SciPy over n points."""
    z = ulps.scalar_points(n, dtype, seed=7)
    exact = getattr(ulps, name)
    peer = scipy_function(ELEMENTWISE[name])
    return [ulps.greatest_distance(f(z), z, exact, dtype)[0] for f in (getattr(ridgeline, name), peer)]


def by_row(name, tables, dtype):
    """The greatest error of ridgeline and of SciPy over the entries of the results for all tables of rows."""
    greatest = [0.0, 0.0]
    for z in tables:
        results = [getattr(ridgeline, name)(z), getattr(scipy.special, BY_ROW[name])(z, axis=-1)]
        for i, row in enumerate(z):
            exact = np.ravel(getattr(ulps, name)(row))
            for k, got in enumerate(results):
                distances = [ulps.distance(g, e, dtype) for g, e in zip(np.ravel(got[i]), exact)]
                greatest[k] = max(greatest[k], *distances)
    return greatest


def table(n):
    """Lines of a Markdown table over about n results per function and format."""
    lines = [
        "| function | format | results | ridgeline, max ulp | SciPy, max ulp |",
        "|---|---|---:|---:|---:|",
    ]

    def add(name, dtype, count, errors):
        ours, theirs = (f"{e:.2f}" if e < 1e4 else f"{e:.1e}" for e in errors)
        lines.append(f"| {name} | {np.dtype(dtype).name} | {count} | {ours} | {theirs} |")

    for name in ELEMENTWISE:
        for dtype in (np.float64, np.float32):
            add(name, dtype, n, elementwise(name, n, dtype))
    for name in BY_ROW:
        for dtype in (np.float64, np.float32):
            tables = [ulps.logit_rows(n // 4 // c, c, dtype, seed=7) for c in COLUMNS]
            count = sum(len(z) if name == "logsumexp" else z.size for z in tables)
            add(name, dtype, count, by_row(name, tables, dtype))
    for dtype in (np.float64, np.float32):
        tables = [ridgeline.log_softmax(ulps.logit_rows(n // 16 // c, c, dtype, seed=7)) for c in COLUMNS]
        add(
            "logsumexp of log-probabilities", dtype, sum(map(len, tables)), by_row("logsumexp", tables, dtype)
        )
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000, help="results per function and format")
    parser.add_argument("--output", help="a Markdown file to write instead of the screen")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's overflow on the extremes is part of what is measured
        lines = table(arguments.points)
    text = PAGE.format(
        points=arguments.points,
        numpy=np.__version__,
        scipy=scipy.__version__,
        machine=f"{platform.system()} {platform.machine()}",
        table="\n".join(lines),
    )
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
