"""Distances in units in the last place, against mpmath at 300 bits."""

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")

PRECISION = 300


def ulp_of(exact, dtype):
    """The spacing of `dtype` at `exact`, as in the subnormal range where `exact` lies there."""
    with np.errstate(over="ignore", under="ignore"):
        nearest = dtype(abs(float(exact)))
    return float(np.spacing(min(nearest, np.finfo(dtype).max)))


def distance(got, exact, dtype=np.float64):
    """|got - exact| in ulps of the exact value; `exact` is an mpf."""
    with mpmath.workprec(PRECISION):
        if mpmath.isinf(exact) or np.isinf(got):
            return 0.0 if float(exact) == float(got) else np.inf
        return float(abs(mpmath.mpf(float(got)) - exact) / mpmath.mpf(ulp_of(exact, dtype)))


def greatest_distance(got, points, exact, dtype):
    """The greatest distance over all points, and the point where it is."""
    with mpmath.workprec(PRECISION):
        distances = [distance(g, exact(mpmath.mpf(float(z))), dtype) for g, z in zip(got, points)]
    worst = int(np.argmax(distances)) if distances else 0
    return (distances[worst], points[worst]) if distances else (0.0, None)


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def softplus(z):
    return mpmath.log1p(mpmath.exp(-abs(z))) + max(z, 0)


def log_sigmoid(z):
    return -softplus(-z)


def row(z):
    """(d, L): z_j - max z, and log(1 + the sum of exp(d_j) but for one greatest entry), each an mpf."""
    z = [mpmath.mpf(float(v)) for v in z]
    top = z.index(max(z))
    d = [v - z[top] for v in z]
    return d, mpmath.log1p(mpmath.fsum(mpmath.exp(v) for j, v in enumerate(d) if j != top))


def softmax(z):
    with mpmath.workprec(PRECISION):
        d, L = row(z)
        return [mpmath.exp(v - L) for v in d]


def log_softmax(z):
    with mpmath.workprec(PRECISION):
        d, L = row(z)
        return [v - L for v in d]


def logsumexp(z):
    # Twice the bits: the two terms may cancel to the last one of theirs.
    with mpmath.workprec(8 * PRECISION):
        _, L = row(z)
        return max(mpmath.mpf(float(v)) for v in z) + L


def scalar_points(n, dtype, seed=0):
    """n numbers over the whole finite range: moderate ones, the limits of exp, and every exponent."""
    random = np.random.default_rng(seed)
    tiny, huge = np.log2(float(np.finfo(dtype).smallest_subnormal)), np.log2(float(np.finfo(dtype).max))
    part = n // 5
    sign = random.choice([-1.0, 1.0], part)
    points = np.concatenate(
        [
            random.normal(size=part),
            random.uniform(-40, 40, part),
            random.uniform(-750, 750, part),
            random.uniform(-104, -87, part) if dtype == np.float32 else random.uniform(-746, -708, part),
            sign * np.exp2(random.uniform(tiny, np.nextafter(huge, 0), part)),
        ]
    )
    return points.astype(dtype)


def logit_rows(n, c, dtype, seed=0):
    """n rows of c logits, at scales from 1e-8 to 1e15, some far from 0, some with entries that tie."""
    random = np.random.default_rng(seed)
    scale = random.choice([1e-8, 1e-3, 0.1, 1.0, 3.0, 30.0, 300.0, 1e5, 1e15], (n, 1))
    shift = random.choice([0.0, 0.0, 1.0, -1e3, 1e6, -1e12], (n, 1)) * random.normal(size=(n, 1))
    z = (random.normal(size=(n, c)) * scale + shift).astype(dtype)
    z[::7, -1] = z[::7, 0]
    return z
