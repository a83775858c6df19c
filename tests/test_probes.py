"""What a solver asks of the rows beside F: of parts of them, merged, it is what NumPy says of all."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ridgeline.curvature import ColumnSquares, RowCurvatures, SoftmaxProduct
from ridgeline.expansion import Coordinates
from ridgeline.pointwise import LOGISTIC
from ridgeline.probes import OutputCurvature, Ray, Shift, Squares
from ridgeline.sources import EMPTY, Slab
from ridgeline.sparse_rows import sparse_rows

rng = np.random.default_rng(14)
N = 99
X = rng.normal(size=(N, 3)) * (rng.uniform(size=(N, 3)) < 0.7)
S = rng.uniform(size=N) * (rng.uniform(size=N) < 0.9)
Y = (rng.uniform(size=N) < 0.4).astype(float)
P = rng.dirichlet(np.ones(3), N)
PLACE = Coordinates(np.array([0.5, -1.0, 0.0]), np.array([2.0, 0.5, 1.0]), True)
Z = np.column_stack([(X - PLACE.center) * PLACE.scale, np.ones(N)])
THETA, V = rng.normal(size=4), rng.normal(size=(3, 4))
z, p = Z @ THETA, 1 / (1 + np.exp(-Z @ THETA))
DZ = Z @ V.T

SUMMARIES = {
    "squares": (lambda: Squares(PLACE), Y, lambda found: found.sums, S @ Z**2),
    "squares of stored entries": (lambda: ColumnSquares(PLACE), Y, lambda found: found.sums, S @ Z**2),
    "curvature of the output": (lambda: OutputCurvature(LOGISTIC, PLACE, THETA), Y, lambda found: found.hessian, [[S @ (p * (1 - p))]]),
    "curvatures of the rows": (
        lambda: RowCurvatures(LOGISTIC, PLACE, THETA), Y, lambda found: np.concatenate(found.parts), p * (1 - p),
    ),
    "ray": (
        lambda: Ray(LOGISTIC, PLACE, THETA[None]), Y, lambda found: [found.recession, found.movement, found.largest],
        [S @ (np.maximum(z, 0) - Y * z), S @ np.abs(z), np.abs(z)[S > 0].max()],
    ),
    "product with the softmax's Hessian": (
        lambda: SoftmaxProduct(PLACE, V), P, lambda found: found.product,
        (S[:, None] * P * (DZ - (P * DZ).sum(axis=1, keepdims=True))).T @ Z,
    ),
}  # fmt: skip


OF_SPARSE_ROWS = ("squares of stored entries", "product with the softmax's Hessian")
CASES = [(name, sparse) for name in SUMMARIES for sparse in ([True] if name in OF_SPARSE_ROWS else [False, True])]


@pytest.mark.parametrize(("name", "sparse"), CASES)
def test_parts_merge_to_the_sums_of_all_rows(name, sparse):
    empty, y, read, wanted = SUMMARIES[name]
    rows = sparse_rows(csr_array(X), "X") if sparse else X
    parts = []
    for part in (slice(0, 31), slice(31, 64), slice(64, N)):
        parts.append(empty())
        parts[-1].add_rows(Slab(rows[part], y[part], S[part], EMPTY))
    total = parts[0]
    for part in parts[1:]:
        total.merge(part)
    # sums of a hundred terms near one
    np.testing.assert_allclose(read(total), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("step", [THETA, -THETA])
def test_the_largest_movement_is_that_of_any_part(step):
    largest = np.abs(Z @ step)
    for first, second in ((slice(0, 40), slice(40, N)), (slice(40, N), slice(0, 40))):
        parts = [Shift(PLACE, step[None]) for _ in range(2)]
        for found, part in zip(parts, (first, second)):
            found.add_rows(Slab(X[part], Y[part], S[part], EMPTY))
            assert found.largest == pytest.approx(largest[part].max(), rel=1e-12)
        parts[0].merge(parts[1])
        assert parts[0].largest == pytest.approx(largest.max(), rel=1e-12)
