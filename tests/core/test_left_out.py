"""The kernel of left-out residuals beside NumPy: orders, types, weights, blocks that end early, stored entries."""

import numpy as np
import pytest

from ridgeline.kernels import load
from ridgeline.workspace import padded

kernels = load("left_out")


def call(X, y, s, basis, keep=True, block=16):
    m, mean, constant, Q, v, shrink = basis
    d, many = len(m), len(v)
    wide = padded(d, np.dtype(np.float64))
    turned = np.zeros((d, wide))
    turned[:, :d] = Q.T
    totals, residuals = np.zeros((len(mean), len(shrink))), np.full((len(y) if keep else 0, many), np.nan)
    least = np.ones(len(shrink))
    kernels.left_out(
        X, y, s, m, mean, constant, turned, v, shrink, totals, least, residuals, np.empty((block, wide)), np.empty((d, block)),
        np.empty((many, block)), np.empty((len(shrink), block)), np.empty((3, max(block, wide))),
    )  # fmt: skip
    return totals, least, residuals


def twin(X, y, s, basis):
    m, mean, constant, Q, v, shrink = basis
    root = np.sqrt(s) if s.size else np.ones(len(X))
    T = (X.astype(np.float64) - m) @ Q * root[:, None]
    e = ((y - mean) * root[:, None])[:, :, None] - (T @ v.T).reshape(len(X), len(mean), len(shrink))
    left = (1 - constant * root**2 - (T**2 @ shrink.T).T).T
    r = e / left[:, None, :]
    return (r**2).sum(axis=0), left.min(axis=0, initial=1.0), r.reshape(len(X), len(v))


def basis_of(d, t, k):
    rng = np.random.default_rng(d)
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    v, shrink = rng.normal(size=(t * k, d)), rng.uniform(0, 0.01 / d, (k, d))
    return rng.normal(size=d), rng.normal(size=t), 0.01, Q, v, shrink


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "d", "t", "k"), [(1, 1, 1, 1), (40, 3, 1, 100), (33, 17, 2, 5), (16, 8, 3, 9), (0, 2, 1, 3)])
def test_residuals_are_numpys(n, d, t, k, dtype, order):
    rng = np.random.default_rng(n)
    X, y = np.asarray(rng.normal(size=(n, d)), dtype=dtype, order=order), rng.normal(size=(n, t))
    for s in (np.empty(0), rng.uniform(0, 2, n) * (rng.uniform(size=n) > 0.2)):
        basis = basis_of(d, t, k)
        totals, least, residuals = call(X, y, s, basis)
        wanted, lowest, each = twin(X, y, s, basis)
        np.testing.assert_allclose(residuals, each, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(totals, wanted, rtol=1e-11)
        np.testing.assert_allclose(least, lowest, rtol=1e-12)
        np.testing.assert_array_equal(call(X, y, s, basis, keep=False)[0], totals)


def test_shapes_are_checked():
    X, y, basis = np.zeros((4, 3)), np.zeros((4, 1)), basis_of(3, 1, 2)
    with pytest.raises(ValueError, match="5 targets"):
        call(X, np.zeros((5, 1)), np.empty(0), basis)
    with pytest.raises(ValueError, match="parameters or the outputs"):
        call(X, y, np.empty(0), (*basis[:4], basis[4][:1], basis[5]))
    with pytest.raises(ValueError, match="blocks of a multiple of 8 rows"):
        call(X, y, np.empty(0), basis, block=12)
