"""Products in the calling thread beside NumPy's."""

import numpy as np

from ridgeline.inner import inner, length, outside


def test_products_are_numpys():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30_001))
    np.testing.assert_allclose(inner(a, b), a @ b, rtol=1e-12)
    np.testing.assert_allclose(length(a), np.linalg.norm(a), rtol=1e-14)
    assert inner(a[:0], b[:0]) == 0


def test_outside_is_orthogonal_to_the_span_and_never_the_vector_itself():
    rng = np.random.default_rng(1)
    N, _ = np.linalg.qr(rng.normal(size=(40, 3)))
    v = rng.normal(size=40)
    np.testing.assert_allclose(outside(N, v), v - N @ (N.T @ v), atol=1e-14)
    np.testing.assert_allclose(N.T @ outside(N, v), 0, atol=1e-14)
    alone = outside(np.empty((40, 0)), v)
    assert (alone == v).all() and alone is not v
