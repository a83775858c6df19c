"""The kernel for logistic fits of few rows beside the general solver, and beside NumPy in extended precision."""

import warnings

import numpy as np
import pytest

from ridgeline import LogisticRegression
from ridgeline.estimators import logistic
from ridgeline.kernels import load


def rows(n=300, d=6, seed=0, noise=1.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-2, 3, d) + 10.0 ** rng.integers(-2, 3, d)
    z = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=d)
    return X, (z + noise * rng.logistic(size=n) > 0.3).astype(int)


def general(model, X, y, s=None):
    """The fit as it is without the kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logistic, "fit_few_labels", lambda *_: None)
        return model.fit(X, y, s)


def mean_risk(X, y, s, w, b, alpha):
    """F / W, its gradient and the gradient's largest entry, in extended precision."""
    X, s, w, b = (np.asarray(a, dtype=np.longdouble) for a in (X, s, w, b))
    z = X @ w + b
    sign = np.where(y > 0, 1, -1)
    W = s.sum()
    value = (s @ np.log1p(np.exp(-np.abs(z))) + s @ np.maximum(-sign * z, 0)) / W + alpha / 2 * (w @ w) / W
    slope = s * -sign / (1 + np.exp(sign * z))
    return value, np.append(slope @ X + alpha * w, slope.sum()) / W


def nasty():
    """Data and weights of every kind that the kernel must do right or leave."""
    X, y = rows()
    rng = np.random.default_rng(5)
    ones, s = np.ones(len(y)), rng.uniform(0, 2, len(y))
    some = (s > 0.7).astype(float)
    outlier = X.copy()
    outlier[17] *= 1e6
    return {
        "plain": (X, y, ones),
        "weights": (X, y, s),
        "rows without weight": (X, y, some),
        "huge weights": (X, y, s * 1e100),
        "tiny weights": (X, y, s * 1e-100),
        "few rows": (X[:15], y[:15], ones[:15]),
        "fewer rows than columns": (X[:4], np.array([0, 1, 1, 0]), ones[:4]),
        "two rows": (X[:2], np.array([0, 1]), ones[:2]),
        "rare class": (X, (np.arange(len(y)) % 60 == 7).astype(int), ones),
        "one of a class": (X, (np.arange(len(y)) == 100).astype(int), ones),
        "separated": (X, (X[:, 0] > np.median(X[:, 0])).astype(int), ones),
        "nearly separated": (X, np.where(np.arange(len(y)) == 3, 1 - (X[:, 0] > np.median(X[:, 0])), X[:, 0] > np.median(X[:, 0])), ones),
        "quasi-separated": (np.column_stack([X, y * (np.arange(len(y)) < 50)]), y, ones),
        "equal columns": (np.column_stack([X, X[:, 0]]), y, ones),
        "nearly equal columns": (np.column_stack([X, X[:, 0] + 1e-7 * rng.normal(size=len(y)) * X[:, 0].std()]), y, ones),
        "a constant column": (np.column_stack([X, 7.7 * ones]), y, ones),
        "a column of zeros": (np.column_stack([X, 0 * ones]), y, ones),
        "large means": (X + 1e6, y, ones),
        "huge numbers": (X * 1e200, y, ones),
        "tiny numbers": (X * 1e-200, y, ones),
        "a row far out": (outlier, y, ones),
        "a column without effect": (np.column_stack([X, rng.normal(size=len(y))]), y, ones),
        "Fortran order": (np.asfortranarray(X), y, ones),
        "every other row": (X[::2], y[::2], ones[::2]),
        "every other column": (np.repeat(X, 2, axis=1)[:, ::2], y, ones),
        "float32": (X.astype(np.float32), y, s),
        "whole numbers": (np.round(X).astype(int), y, ones),
    }


@pytest.mark.parametrize("name", nasty())
@pytest.mark.parametrize("C", [1.0, np.inf, 1e-4, 1e6])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_both_ways_agree(name, C, fit_intercept):
    X, y, s = nasty()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow = general(LogisticRegression(C=C, fit_intercept=fit_intercept), X, y, s)
        quick = LogisticRegression(C=C, fit_intercept=fit_intercept).fit(X, y, s)
    mine, other = quick.certificate_, slow.certificate_
    assert mine.status == other.status
    assert quick.coef_.dtype == slow.coef_.dtype and quick.intercept_.shape == slow.intercept_.shape == (1,)
    if mine.status != "optimal":
        np.testing.assert_array_equal(quick.coef_, slow.coef_)
        assert mine == other
        return
    np.testing.assert_allclose(mine.condition, other.condition, rtol=0.05)
    # both within their bounds of the minimum, and the gradient as small as is said
    alpha, w, b = 1 / C, quick.coef_[0], quick.intercept_[0]
    value, gradient = mean_risk(X, y, s, w, b, alpha)
    lowest, _ = mean_risk(X, y, s, slow.coef_[0], slow.intercept_[0], alpha)
    gradient = gradient if fit_intercept else gradient[:-1]
    size = max(1.0, float(np.abs(X).max()))  # of the terms, whose rounding no certificate of doubles can see
    assert np.abs(gradient).max() <= mine.gradient_norm + 1e-13 * size
    assert value - lowest <= mine.suboptimality + 1e-18 * size and mine.suboptimality <= max(1e-9, 10 * other.suboptimality)
    spread = np.ptp(X.astype(float), axis=0)
    error = 1e-5 if X.dtype == np.float32 else 1e-9 * mine.condition**0.5
    effect = np.abs(slow.coef_ * spread).max()
    np.testing.assert_allclose(quick.coef_ * spread, slow.coef_ * spread, rtol=error, atol=error * effect)


def test_the_plain_ones_are_done_by_the_kernel():
    done = set()
    for name, (X, y, s) in nasty().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if "few rows of" in LogisticRegression().fit(X, y, s).certificate_.solver:
                done.add(name)
    assert done >= {"plain", "weights", "rows without weight", "large means", "Fortran order", "float32", "every other row", "separated"}


def test_options_that_end_a_fit_early_are_left_to_the_general_solver():
    X, y = rows()
    with pytest.warns(UserWarning, match="Stopped after 2"):
        assert LogisticRegression(max_iter=2).fit(X, y).certificate_.status == "stopped_early"
    assert "few rows" not in LogisticRegression(solver="lbfgs").fit(X, y).certificate_.solver


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_named(bad):
    X, y = rows()
    X[33, 2] = bad
    with pytest.raises(ValueError, match="at row 33, column 2"):
        LogisticRegression().fit(X, y)


def test_of_many_groups_each_has_the_bits_of_one():
    kernels = load("small_logistic")
    X, y = rows(700)
    y, starts, size = y.astype(float), [0, 300, 300, 302, 700], kernels.workspace(400, 6, 100)

    def fit(X, y, s, starts):
        g = len(starts) - 1
        out = np.zeros((g, 6)), np.zeros(g), np.zeros((g, 3)), np.zeros((g, 2), np.int64), np.zeros(g, np.uint8)
        kernels.fit_groups(X, y, s, np.array(starts), 1.0, True, 1e-8, 100, False, *out, 400, 100, np.full(size, np.nan))
        return out

    for s in (np.empty(0), np.linspace(0.5, 1, 700)):
        every = fit(X, y, s, starts)
        assert every[4][[0, 3]].tolist() == [1, 1] and not every[4][1]
        for k in (0, 3):
            part = slice(starts[k], starts[k + 1])
            one = fit(X[part], y[part], s[part], [0, starts[k + 1] - starts[k]])
            for mine, all_ in zip(one, every):
                np.testing.assert_array_equal(mine[0], all_[k])


@pytest.mark.parametrize("size", [0.51, 0.75, 0.99])
def test_the_proof_of_one_column_is_its_formula(size):
    """Without an intercept, H and the reach of a column are numbers, and H was formed close by."""
    kernels, eps, n = load("small_logistic"), np.finfo(float).eps, 200
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, n)
    x *= size / np.abs(x).max()
    y = (4 * x + rng.logistic(size=n) > 0).astype(float)
    coef, figures = np.zeros((1, 1)), np.zeros((1, 3))
    out = coef, np.zeros(1), figures, np.zeros((1, 2), np.int64), np.zeros(1, np.uint8)
    kernels.fit_groups(
        x[:, None], y, np.empty(0), np.array([0, n]), 1.0, False, 1e-8, 100, False, *out, n, n, np.empty(kernels.workspace(n, 1, n))
    )
    w = coef[0, 0]
    p = 1 / (1 + np.exp(-w * x))
    F = np.logaddexp(0, w * x).sum() - w * x @ y + w * w / 2
    error = eps * (np.sqrt(n * F / 2) * 4 * np.sqrt(n) + n * np.sqrt(2) * size * abs(w)) * size
    decrement = (abs(x @ (p - y) + w) + error) / np.sqrt(x**2 @ (p * (1 - p)) + 1)
    assert out[4][0] and figures[0, 1] == pytest.approx(np.exp(0.5) / 2 * decrement**2 / n, rel=0.05, abs=0)


def test_shapes_are_checked():
    kernels = load("small_logistic")
    X, y = rows(50, 3)
    given = dict(
        X=X, y=y.astype(float), s=np.empty(0), starts=np.array([0, 50]), coef=np.empty((1, 3)), b=np.empty(1), figures=np.empty((1, 3)),
        counts=np.zeros((1, 2), np.int64), done=np.empty(1, np.uint8), work=np.empty(kernels.workspace(50, 3, 20)),
    )

    def call(**changes):
        X, y, s, starts, *out, work = (given | changes).values()
        kernels.fit_groups(X, y, s, starts, 1.0, True, 1e-8, 100, False, *out, 50, 20, work)

    call()
    wrong = (
        dict(y=np.zeros(49)), dict(s=np.ones(3)), dict(coef=np.empty((1, 2))), dict(b=np.empty(2)), dict(figures=np.empty((1, 4))),
        dict(counts=np.zeros((2, 2), np.int64)), dict(done=np.empty(2, np.uint8)), dict(work=np.empty(9)),
    )
    for changes in wrong:
        with pytest.raises(ValueError, match="shapes do not belong together"):
            call(**changes)
    with pytest.raises(ValueError, match="group 0 has the rows"):
        call(starts=np.array([0, 51]))
