"""Every length that a kernel is told: one more or one less is refused, before anything is read or written beyond an end.

The calls are the library's own: fits, summaries and functions run once with every kernel wrapped, and a call of each kind is kept.  Then
each axis of each array of it is made longer and shorter by one.  What a kernel may take so stands in SLACK.
"""

from __future__ import annotations

import importlib
import inspect
import types
import warnings
from functools import cache

import numpy as np
import pytest
from scipy import sparse

import ridgeline as rl
from ridgeline.curvature import ColumnSquares
from ridgeline.expansion import Coordinates, Expansion
from ridgeline.kernels import load
from ridgeline.pieces import Pieces
from ridgeline.pointwise import SQUARED, huber_loss
from ridgeline.probes import Shift, predictions
from ridgeline.solvers.cholesky import CholeskyFactor
from ridgeline.sources import EMPTY, Slab
from ridgeline.sparse_rows import SparseRows, sparse_rows

LIBRARY = [
    "curvature", "doubledouble", "extended_moments", "losses", "moments", "pieces", "pointwise", "probes", "ranges", "sparse_rows",
    "solvers.cholesky", "solvers.coordinate_descent", "solvers.few_labels", "solvers.few_rows", "solvers.least_squares",
    "solvers.quadratic", "solvers.ridge_path",
]  # fmt: skip
"""The modules that call kernels.  Those of activations are called by hand, and `one_row` passes on what is not for it."""

LESS, MORE, ANY = (-1,), (1,), (-1, 1)

SLACK = {
    # workspace may be larger than it need be, and a block has any number of rows
    "factor": {"work 0": MORE},
    "solve": {"work 0": MORE, "B 0": ANY, "B 1": LESS},    # any number of sides; U is padded, to the same order for one less
    "cholesky_rcond": {"work 0": MORE, "iwork 0": MORE},
    "cholesky_solve": {"B 0": ANY},
    "cholesky_solve_extended": {"b_hi 0": ANY},
    "expand": {"block 0": LESS, "rows 0": MORE, "rows 1": MORE, "scaled 0": MORE, "extremes 1": MORE},    # where there are none
    "expand_scaled_huber": {"block 0": LESS, "rows 0": MORE, "rows 1": MORE, "scaled 0": MORE},
    "expand_softmax": {
        "block 0": LESS, "logits 1": MORE, "rows 0": MORE, "rows 1": MORE, "scaled 0": MORE,
        "soft 0": MORE, "soft 1": ANY, "o 1": ANY,    # where there are codes, and no offsets
    },
    "predict_rows_of": {"theta 1": LESS, "block 0": ANY},    # of columns and intercept, or of columns
    "largest_movement": {"X 0": ANY, "theta 0": ANY, "theta 1": LESS, "block 0": LESS, "rows 0": MORE, "rows 1": MORE},
    "curvatures": {"work 0": MORE, "work 1": MORE},
    "left_out": {"residuals 1": ANY, "vectors 1": MORE},    # none are asked for
    "accumulate": {"block 0": LESS, "rows 0": MORE, "rows 1": MORE},
    "accumulate_extended": {"rows 0": MORE, "rows 1": MORE, "tail 0": MORE, "row 0": MORE, "row 1": MORE, "place 0": MORE},
    "residual_extended": {"row 0": MORE, "row 1": MORE},
    "column_ranges": {"X 0": ANY, "block 0": ANY, "rows 0": MORE},    # X where there are no weights
    "merge": {"scatter 0": ANY, "scatter 1": ANY, "other 0": ANY, "other 1": ANY},    # both are padded
    "assemble": {"lower 0": ANY, "lower 1": ANY},    # likewise
    "finish": {"A_lo 1": MORE, "c_lo 1": MORE, "v_lo 1": MORE},    # there are none
    "logsumexp": {"z 1": ANY},
    "logsumexp_of_cancelled": {"z 1": ANY},
    "sparse_from_logits": {"z 1": ANY},
    "squares": {"out 0": LESS},    # of columns alone
    "fit_groups": {"work 0": MORE, "block 0": MORE},
    "fit_rows": {"work 0": MORE, "block 0": MORE},
    "split": {"block 0": LESS, "rows 0": MORE, "rows 1": MORE},
    "disorder": {"columns 0": MORE},
}  # fmt: skip


class Recorder:
    """A kernel that keeps the arguments of its calls."""

    def __init__(self, kernel, calls):
        self.kernel, self.calls = kernel, calls

    def __getitem__(self, format):
        return Recorder(self.kernel[format], self.calls)

    def __call__(self, *args):
        kinds = tuple((a.dtype.char, a.ndim, a.flags.c_contiguous, a.size > 0) if isinstance(a, np.ndarray) else type(a) for a in args)
        name = self.kernel.__name__.removeprefix("__pyx_fuse_0").removeprefix("__pyx_fuse_1")
        self.calls.setdefault((name, self.kernel.__module__, kinds), (self.kernel, [copied(a) for a in args]))
        return self.kernel(*args)


def copied(argument):
    return argument.copy(order="K") if isinstance(argument, np.ndarray) else argument


def is_kernel(value):
    return callable(value) and "cython_function" in type(value).__name__


class Recording(types.ModuleType):
    """A module of kernels that are recorded."""

    def __init__(self, module, calls):
        super().__init__(module.__name__)
        self.module, self.calls = module, calls

    def __getattr__(self, name):
        value = getattr(self.module, name)
        return Recorder(value, self.calls) if is_kernel(value) else value


def run_everything(kernel):
    """Something that calls each kernel, with rows of each kind; `kernel` gives one by its module and name."""
    rng = np.random.default_rng(0)
    X, s = rng.normal(size=(300, 5)), rng.uniform(0.5, 1, 300)
    y = X @ np.arange(1.0, 6.0) + rng.normal(size=300)
    thin = sparse.csr_array(np.where(rng.uniform(size=(300, 25)) < 0.1, 1.5, 0))
    coordinates, theta = Coordinates(np.zeros(5), np.ones(5), True), rng.normal(size=6)
    for rows in (X, np.asfortranarray(X, np.float32), thin):
        for weight in (None, s):
            rl.Moments.of(rows, y, sample_weight=weight)
            rl.Moments.of(rows, y, sample_weight=weight, precision="extended")
            rl.Ridge().fit(rows, y, sample_weight=weight)
            rl.LinearRegression().fit(rows, np.column_stack([y, y]), sample_weight=weight)
            rl.HuberRegressor().fit(rows, y, sample_weight=weight).predict(rows)
            rl.LogisticRegression(C=np.inf).fit(rows, y > np.median(y), sample_weight=weight).predict(rows)
            rl.LogisticRegression().fit(rows, np.digitize(y, [-1, 1]), sample_weight=weight)
    rl.RidgeCV().fit(X, y)
    rl.RidgeCV(cv=3).fit(X, y)
    rl.Lasso(alpha=0.1).fit(X, y)
    rl.LogisticRegression(l1_ratio=1.0).fit(X, y > 0)
    near = np.column_stack([X, X[:, 0] * (1 + 1e-9 * y)])
    for rows in (near, sparse.csr_array(np.where(near > 0, near, 0))):
        rl.LinearRegression().fit(rows, y)
    rl.Ridge().fit(np.tile(X, (8, 1)), np.tile(y, 8))
    rl.Moments.of(X, y) + rl.Moments.of(X, y)
    for model, target in ((rl.Ridge(), y), (rl.LogisticRegression(), (y > 0) * 1.0)):
        rl.fit_many(model, X, target, np.repeat(np.arange(6), 50))
    for slab in (Slab(X, y, s, EMPTY), Slab(sparse_rows(thin[:, :5], "X"), y, s, EMPTY)):
        Pieces(coordinates, theta, 0.8, 1.3).add_rows(slab)
        Shift(coordinates, theta[None]).add_rows(slab)
        Expansion(SQUARED, coordinates, theta, 2, ranged=not isinstance(slab.X, SparseRows)).add_rows(slab)
        predictions(slab, coordinates, theta[None])
    ColumnSquares(coordinates).add_rows(slab)
    huber_loss(1.0).curvatures(y, y / 2)
    slab.X.combine(np.ones((1, 300)), coordinates.shift, coordinates.scale, True)
    for order in (3, 120):
        CholeskyFactor(np.eye(order)).solve(np.ones((9, order)))
    z, row = rng.normal(size=(4, 3)), np.empty(4)
    for name in ("sigmoid", "log_sigmoid", "softplus"):
        kernel("activations", name)(z[0], np.empty(3))
    kernel("activations", "logistic")(z[0], z[1], *np.empty((3, 3)))
    for name in ("softmax", "log_softmax"):
        kernel("activations", name)(z, np.empty((4, 3)))
    for module, name in (("activations", "logsumexp"), ("exact_logsumexp", "logsumexp_of_cancelled")):
        kernel(module, name)(z, row)
    p = rng.dirichlet(np.ones(3), 4)
    rl.kl_divergence(p, p)
    for from_logits in (False, True):
        rl.binary_cross_entropy(p[:, 0], p[:, 1], from_logits=from_logits)
        rl.categorical_cross_entropy(p, p, from_logits=from_logits)
        rl.sparse_categorical_cross_entropy([0, 1, 2, 0], p, from_logits=from_logits)
    A, zero = np.diag([4.0, 9.0]), np.zeros((2, 2))
    kernel("factor", "norm_1")(A)
    kernel("factor", "cholesky_factor")(A.copy())
    kernel("factor", "cholesky_solve")(A, np.ones((3, 2)))
    kernel("factor", "cholesky_rcond")(A, 1.0, np.empty(6), np.empty(2, np.intc))
    kernel("factor", "cholesky_factor_extended")(A.copy(), zero.copy(), 1e-20, np.empty(2, np.intp))
    kernel("factor", "cholesky_solve_extended")(A, zero, np.ones((3, 2)), np.zeros((3, 2)), 2)


@cache
def recorded():
    """A call of each kernel with each kind of arguments: its name, the kernel, and the arguments."""
    calls = {}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LIBRARY:
            module = importlib.import_module(f"ridgeline.{name}")
            for attribute, value in list(vars(module).items()):
                if isinstance(value, types.ModuleType) and value.__name__.startswith("ridgeline._core."):
                    patch.setattr(module, attribute, Recording(value, calls))
                elif is_kernel(value):
                    patch.setattr(module, attribute, Recorder(value, calls))
        run_everything(lambda module, name: Recorder(getattr(load(module), name), calls))
    return [(name, kernel, arguments) for (name, _, _), (kernel, arguments) in calls.items()]


KERNELS = [
    "activations", "block_factor", "coordinate_descent", "cross_entropy", "exact_logsumexp", "expansion", "factor", "left_out", "moments",
    "normal_equations", "pieces", "ranges", "small_factor", "small_logistic", "small_ridge", "stored_rows", "tridiagonal",
]  # fmt: skip

NAMES = sorted(
    f"{module}.{name}"
    for module in KERNELS
    for name, value in vars(load(module)).items()
    if is_kernel(value) and not name.startswith("_") and name != "workspace"
)


def resized(array, axis, by):
    """The array with the last entry of an axis repeated or left out, in the same order in memory."""
    kept = np.arange(array.shape[axis] + by).clip(0, max(array.shape[axis] - 1, 0))
    out = np.take(array, kept, axis) if array.shape[axis] else np.zeros([n + (k == axis) for k, n in enumerate(array.shape)], array.dtype)
    return np.asfortranarray(out) if array.flags.f_contiguous and not array.flags.c_contiguous else np.ascontiguousarray(out)


@pytest.mark.parametrize("name", NAMES)
def test_one_more_or_one_less_is_refused(name):
    module, name = name.split(".")
    calls = [(k, a) for n, k, a in recorded() if n == name and k.__module__ == load(module).__name__]
    assert calls, "nothing calls it"
    for kernel, arguments in calls:
        parameters = list(inspect.signature(getattr(load(module), name)).parameters)
        for k, array in enumerate(arguments):
            for axis in range(array.ndim if isinstance(array, np.ndarray) else 0):
                for by in (-1, 1):
                    if array.shape[axis] + by < 0 or by in SLACK.get(name, {}).get(f"{parameters[k]} {axis}", ()):
                        continue
                    others = [copied(a) for a in arguments]
                    others[k] = resized(array, axis, by)
                    with pytest.raises(ValueError):
                        kernel(*others)
                        raise AssertionError(f"{parameters[k]}, axis {axis} of {array.shape}, {by:+}")
