"""The normal equations and what a solution of them proves, beside NumPy with exact rational arithmetic where it matters."""

from fractions import Fraction

import numpy as np
import pytest

from ridgeline.kernels import load

kernels = load("normal_equations")
EMPTY = np.empty((0, 0))
NOISE = 1e-13


def moments(d, t, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(40, d + t)) * 10.0 ** rng.integers(-3, 4, d + t)
    mean = Z.mean(axis=0)
    return (Z - mean).T @ (Z - mean), mean, 40.0


def assembled(S, mean, scale, weight, alpha, fit_intercept, d):
    t = len(S) - d
    A, c, T, penalty = np.empty((d, d)), np.empty((t, d)), np.empty(d), np.empty(d)
    lower = np.tril(S) + np.triu(np.full_like(S, np.nan), 1)  # the upper triangle is never read
    kernels.assemble(lower, mean, scale, weight, NOISE, alpha, fit_intercept, A, c, T, penalty)
    return A, c, T, penalty


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("d", "t"), [(1, 1), (3, 2), (8, 1)])
def test_equations(d, t, fit_intercept):
    S, mean, W = moments(d, t)
    scale = 2.0 ** np.arange(d + t)
    A, c, T, penalty = assembled(S * scale * scale[:, None], mean * scale, scale, W, 3.0, fit_intercept, d)
    whole = S if fit_intercept else S + W * np.outer(mean, mean)
    np.testing.assert_allclose(A, whole[:d, :d] * T * T[:, None] + np.diag(penalty), rtol=1e-13)
    np.testing.assert_allclose(c, whole[d:, :d] * T * scale[d:, None], rtol=1e-13)
    np.testing.assert_array_equal(penalty, 3.0 * T * T)
    np.testing.assert_array_equal(np.frexp(T)[0], 0.5)  # powers of two
    plain = np.diag(A) - penalty
    assert np.all((plain >= 0.25 * (1 - 1e-12)) & (plain < 1))


def test_a_column_with_no_scatter_but_rounding_is_zero():
    S, mean, W = moments(3, 1)
    S[1], S[:, 1] = 1e-30, 1e-30
    A, c, T, _ = assembled(S, mean, np.ones(4), W, 0.0, True, 3)
    assert not A[1].any() and not A[:, 1].any() and not c[:, 1].any() and T[1] == 1


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("low", [False, True])
def test_gradient_of_the_numbers_returned_is_exact(fit_intercept, single, low):
    d, t = 4, 2
    S, mean, W = moments(d, t)
    A, c, T, _ = assembled(S, mean, np.ones(d + t), W, 0.5, fit_intercept, d)
    U = np.array([0.25, 8.0])
    rng = np.random.default_rng(3)
    lows = [1e-17 * rng.normal(size=a.shape) for a in (A, c, mean)] if low else [EMPTY, EMPTY, np.empty(0)]
    lows[0] = np.ascontiguousarray(lows[0] + lows[0].T) if low else EMPTY
    v = np.linalg.solve(A, c.T).T.copy()
    start = v.copy()
    coef, intercept, g, bounds = np.empty((t, d)), np.empty(t), np.empty((t, d)), np.empty((t, 2))
    gamma, eta, terms = 1e-13, 1e-16, 100.0
    norm = kernels.finish(
        A, lows[0], c, lows[1], T, U, np.diag(S)[d:].copy(), mean, lows[2], W, fit_intercept, gamma, eta, terms, single,
        v, EMPTY, coef, intercept, g, bounds, np.empty((4, d)),
    )  # fmt: skip
    kind = np.float32 if single else np.float64
    np.testing.assert_array_equal(coef, (start / U[:, None] * T).astype(kind))
    np.testing.assert_array_equal(v, coef / T * U[:, None])

    def exact(hi, lo, *index):
        return Fraction(float(hi[index])) + (Fraction(float(lo[index])) if lo.size else 0)

    for k in range(t):
        shift = sum(exact(mean, lows[2], j) * Fraction(start[k, j]) / Fraction(U[k]) * Fraction(T[j]) for j in range(d))
        if fit_intercept:
            np.testing.assert_allclose(intercept[k], float(exact(mean, lows[2], d + k) - shift), rtol=1e-7 if single else 1e-15)
        else:
            assert intercept[k] == 0
        for j in range(d):
            true = sum(exact(A, lows[0], j, i) * Fraction(v[k, i]) for i in range(d)) - exact(c, lows[1], k, j)
            assert abs(g[k, j] - float(true)) <= 1e-28 + 1e-15 * abs(float(true))
    # the bounds, in NumPy
    root, far = np.sqrt(np.diag(A)), np.sqrt(W) * np.abs(mean[:d] * T)
    reach = np.sqrt(np.diag(S)[d:]) + np.abs(v) @ root
    far_reach = np.sqrt(W) * np.abs(mean[d:] * U) + np.abs(v) @ far
    e = gamma * reach[:, None] * root
    off = np.zeros(t)
    if fit_intercept:
        e += 8 * eta * (reach[:, None] * far + far_reach[:, None] * root)
        off = eta * terms * far_reach / np.sqrt(W) / U
    slip = intercept + coef @ mean[:d] - mean[d:] if fit_intercept else np.zeros(t)
    np.testing.assert_allclose(bounds[:, 0], np.linalg.norm(e, axis=1), rtol=1e-12)
    np.testing.assert_allclose(bounds[:, 1], np.abs(slip) + off, rtol=1e-2, atol=1e-12)
    unit = U[:, None] * T * W
    wanted = np.abs(g / unit + mean[:d] * slip[:, None]) + e / unit + np.abs(mean[:d]) * off[:, None]
    np.testing.assert_allclose(norm, max(wanted.max(), bounds[:, 1].max()), rtol=1e-2, atol=1e-12)


def test_shapes_are_checked():
    S, mean, W = moments(2, 1)
    with pytest.raises(ValueError, match="do not belong together for 2 features and 1 targets"):
        assembled(S, mean[:2], np.ones(3), W, 0.0, True, 2)


def test_low_parts_are_there_in_full_or_not_at_all():
    d, t = 3, 2
    S, mean, W = moments(d, t)
    A, c, T, _ = assembled(S, mean, np.ones(d + t), W, 0.5, True, d)
    whole = {"A": (d, d), "c": (t, d), "v": (t, d), "mean": (d + t,)}

    def finish(low):
        return kernels.finish(
            A, low["A"], c, low["c"], T, np.ones(t), np.diag(S)[d:].copy(), mean, low["mean"], W, True, 1e-13, 1e-16, 100.0, False,
            np.ones((t, d)), low["v"], np.empty((t, d)), np.empty(t), np.empty((t, d)), np.empty((t, 2)), np.empty((4, d)),
        )  # fmt: skip

    low = {name: np.zeros(shape) for name, shape in whole.items()}
    assert np.isfinite(finish(low))
    for name, shape in whole.items():
        for axis in range(len(shape)):
            for more in (-1, 1):
                other = tuple(length + more * (k == axis) for k, length in enumerate(shape))
                with pytest.raises(ValueError, match="do not belong together"):
                    finish({**low, name: np.zeros(other)})
