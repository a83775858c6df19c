"""The kernel for fits of few rows beside the general way: the same bits where it serves, and the same answer where it does not."""

import warnings

import numpy as np
import pytest

from ridgeline import LinearRegression, Ridge
from ridgeline.estimators import least_squares
from ridgeline.kernels import load
from ridgeline.solvers.few_rows import fit_few_rows


def rows(n=400, d=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4, d) + 10.0 ** rng.integers(-3, 4, d)
    return X, X @ rng.normal(size=d) + rng.normal(size=n)


def general(model, X, y):
    """The fit as it is without the kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(least_squares, "fit_few_rows", lambda *_: None)
        return model.fit(X, y)


def nasty():
    """Data of every kind that the kernel must do right or leave."""
    X, y = rows()
    twin = np.column_stack([X, X[:, 0]])
    near = np.column_stack([X, X[:, 0] * (1 + 1e-9 * y)])
    constant = np.column_stack([X, np.ones(len(X))])
    outlier = X.copy()
    outlier[17] *= 1e8
    return {
        "plain": (X, y),
        "few rows": (X[:20], y[:20]),
        "fewer rows than columns": (X[:9], y[:9]),
        "one row": (X[:1], y[:1]),
        "one column": (np.repeat(X[:, :1], 12, axis=0), np.repeat(y, 12)),
        "equal columns": (twin, y),
        "nearly equal columns": (near, y),
        "a constant column": (constant, y),
        "a column of zeros": (constant * np.append(np.ones(12), 0), y),
        "a constant target": (X, np.full(len(X), 7.0)),
        "a target of zeros": (X, np.zeros(len(X))),
        "an exact fit": (X, X[:, 3].copy()),
        "large means": (X + 1e9, y),
        "huge numbers": (X * 1e160, y),
        "tiny numbers": (X * 1e-170, y),
        "a huge target": (X, y * 1e180),
        "a row far out": (outlier, y),
        "sorted rows": (X[np.argsort(X[:, 0])], np.sort(y)),
        "Fortran order": (np.asfortranarray(X), y),
        "every other row": (X[::2], y[::2]),
        "float32": (X.astype(np.float32), y),
        "whole numbers": (np.round(X).astype(int), np.round(y).astype(int)),
        "two targets": (X, np.column_stack([y, -y])),
        "a column of targets": (X, y[:, None]),
    }


@pytest.mark.parametrize("name", nasty())
@pytest.mark.parametrize(
    "model", [LinearRegression(), LinearRegression(fit_intercept=False), Ridge(2.5), Ridge(0), Ridge(1e6, fit_intercept=False)], ids=repr
)
def test_both_ways_agree(name, model):
    X, y = nasty()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow = general(type(model)(**model.get_params()), X, y)
        quick = model.fit(X, y)
    np.testing.assert_array_equal(quick.coef_, slow.coef_)
    np.testing.assert_array_equal(quick.intercept_, slow.intercept_)
    assert type(quick.intercept_) is type(slow.intercept_) and quick.coef_.dtype == slow.coef_.dtype
    mine, other = quick.certificate_, slow.certificate_
    assert (mine.status, mine.solver, mine.passes, mine.message) == (other.status, other.solver, other.passes, other.message)
    np.testing.assert_allclose(
        [mine.gradient_norm, mine.suboptimality, mine.condition], [other.gradient_norm, other.suboptimality, other.condition], rtol=1e-9
    )
    assert quick.rank_ == slow.rank_ and quick.n_features_in_ == slow.n_features_in_
    if slow._moments is not None and slow._moments.precision == "double":
        np.testing.assert_array_equal(quick._moments.scatter, slow._moments.scatter)
        np.testing.assert_array_equal(quick._moments.mean, slow._moments.mean)
        assert (quick._moments.weight, quick._moments.count) == (slow._moments.weight, slow._moments.count)


def test_the_kernel_serves_the_plain_case_and_leaves_the_rest():
    done = {name for name, (X, y) in nasty().items() if fit_few_rows(X, y, 1.0, True) is not None}
    # with a penalty equal columns are no trouble
    assert done == {"plain", "an exact fit", "sorted rows", "one column", "large means", "equal columns", "nearly equal columns"}
    X, y = rows()
    for alpha in (-1.0, np.nan, np.inf, "1", None, True, np.ones(1)):
        assert fit_few_rows(X, y, alpha, True) is None
    assert fit_few_rows(X, y, 1.0, 1) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["X", "y"])
def test_what_is_not_finite_is_named(bad, where):
    X, y = rows()
    if where == "X":
        X[333, 7] = bad
    else:
        y[333] = bad
    model = Ridge().fit(*rows())
    before = model.coef_.copy()
    with pytest.raises(ValueError, match=f"Input {where} contains .* at row 333"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.coef_, before)


def test_moments_of_the_kernel_go_on():
    X, y = rows(2000, 5)
    model = Ridge().fit(X[:1500], y[:1500]).partial_fit(X[1500:], y[1500:])
    np.testing.assert_allclose(model.coef_, Ridge().fit(X, y).coef_, rtol=1e-11)


def fit_by_kernel(X, y, s, starts):
    kernels, (g, d), size = load("small_ridge"), (len(starts) - 1, X.shape[1]), 300
    block, work = kernels.workspace(d, size)
    coef, b, figures, done = np.empty((g, d)), np.empty(g), np.empty((g, 4)), np.empty(g, np.uint8)
    kernels.fit_groups(
        X, y, s, np.array(starts), 1.0, True, 1e-13, 200.0, 1e-6, 1.0, coef, b, figures, done, size,
        np.empty(block), np.empty(work),
    )  # fmt: skip
    return coef, b, figures, done


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("s", [np.empty(0), np.linspace(0, 1, 900)])
def test_of_many_groups_each_has_the_bits_of_one(dtype, s):
    X, y = rows(900, 12)
    X, starts = X.astype(dtype), [0, 400, 400, 401, 900]
    coef, b, figures, done = fit_by_kernel(X, y, s, starts)
    assert done.tolist() == [1, 0, 0, 1]
    for k in (0, 3):
        part = slice(starts[k], starts[k + 1])
        one = fit_by_kernel(X[part], y[part], s[part], [0, starts[k + 1] - starts[k]])
        assert (one[0][0] == coef[k]).all() and one[1][0] == b[k] and (one[2][0] == figures[k]).all()


def test_shapes_are_checked():
    kernels = load("small_ridge")
    X, y = rows(50, 3)
    block, work = kernels.workspace(3, 50)
    def call(**changes):
        given = dict(
            X=X, y=y, s=np.empty(0), starts=np.array([0, 50]), coef=np.empty((1, 3)), b=np.empty(1), figures=np.empty((1, 4)),
            done=np.empty(1, np.uint8), rows=50, block=np.empty(block), work=np.empty(work),
        ) | changes
        X_, y_, s, starts, *rest = given.values()
        kernels.fit_groups(X_, y_, s, starts, 1.0, True, 1e-13, 200.0, 1e-6, 1.0, *rest)
    call()
    wrong = (
        dict(y=y[:-1]), dict(s=np.ones(3)), dict(coef=np.empty((1, 2))), dict(b=np.empty(2)), dict(figures=np.empty((1, 3))),
        dict(done=np.empty(2, np.uint8)), dict(work=np.empty(work - 1)), dict(block=np.empty(block + 1)),
    )
    for changes in wrong:
        with pytest.raises(ValueError, match="shapes do not belong together"):
            call(**changes)
    for starts in ([0, 51], [-1, 50], [50, 0]):
        with pytest.raises(ValueError, match="group 0 has the rows"):
            call(starts=np.array(starts))
