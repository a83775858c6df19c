"""Nothing is read or written outside an array: matrices that begin or end where a page that nobody may touch does.

Kernels read whole vectors where other rows follow, and must know where none do.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

GUARDED = '''
import ctypes, faulthandler, mmap, sys
import numpy as np
from scipy.sparse import csr_array
import ridgeline as rl

faulthandler.enable()
PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)


def guarded(values, at_end):
    """A copy that begins, or ends, where a page without access does."""
    whole = -(-max(values.nbytes, 1) // PAGE) * PAGE
    memory = mmap.mmap(-1, whole + 2 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    first = PAGE + (whole - values.nbytes if at_end else 0)
    order = "F" if values.flags.f_contiguous and not values.flags.c_contiguous else "C"
    array = np.ndarray(values.shape, values.dtype, memory, first, order=order)
    array[...] = values
    for page in (address, address + PAGE + whole):
        assert libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) == 0, ctypes.get_errno()
    KEPT.append(memory)
    return array


KEPT = []


def same(got, want):
    for a, b in zip(got, want, strict=True):
        assert np.array_equal(a, b), (a, b)


def least_squares(X, y, s):
    m = rl.Ridge(0.1).fit(X, y, s)
    return m.coef_, m.intercept_, m.predict(X)


def moments(X, y, s):
    m = rl.Moments.of(X, y, s)
    return m.mean, m.scatter


def extended(X, y, s):
    m = rl.Moments.of(X, y, s, precision="extended")
    return m.mean, m.scatter


def logistic(X, y, s):
    m = rl.LogisticRegression().fit(X, y > np.median(y), s)
    return m.coef_, m.predict_proba(X)


def classes(X, y, s):
    m = rl.LogisticRegression(C=0.5).fit(X, np.digitize(y, np.quantile(y, [0.3, 0.6])), s)
    return m.coef_, m.predict_proba(X)


def huber(X, y, s):
    m = rl.HuberRegressor(delta=0.5).fit(X, y, s)
    return m.coef_, m.intercept_


def median(X, y, s):
    return (rl.QuantileRegressor(alpha=0.0).fit(X, y).coef_,)


def lasso(X, y, s):
    return (rl.Lasso(0.05).fit(X, y, s).coef_,)


def activations(X, y, s):
    return rl.softmax(X), rl.logsumexp(X, axis=1), rl.sigmoid(X), rl.log_softmax(X, axis=0)


CALLS = [least_squares, moments, extended, logistic, classes, huber, median, lasso, activations]
rng = np.random.default_rng(0)
for n in (4, 65, 130):
    for d in (1, 2, 3, 5, 6, 7, 8, 9, 14, 15, 17, 30, 33):
        X, s = rng.normal(size=(n, d)), rng.uniform(0.5, 2, n)
        y = X[:, 0] + rng.normal(size=n)
        for rows in (X, np.asfortranarray(X), X.astype(np.float32)):
            for call in CALLS:
                if call is median and (n > 65 or d > 9):
                    continue
                want = call(rows, y, s)
                for at_end in (False, True):
                    print(call.__name__, rows.shape, rows.dtype, rows.flags.c_contiguous, at_end, file=sys.stderr)
                    same(call(*(guarded(a, at_end) for a in (rows, y, s))), want)
                KEPT.clear()
        if n < 130:
            continue
        sparse = csr_array(np.where(rng.uniform(size=X.shape) < 0.3, X, 0.0))
        for call in (least_squares, moments, extended, logistic, classes, huber, lasso):
            want = call(sparse, y, s)
            for at_end in (False, True):
                print(call.__name__, "sparse", sparse.shape, at_end, file=sys.stderr)
                parts = [guarded(a, at_end) for a in (sparse.data, sparse.indices, sparse.indptr)]
                same(call(csr_array(tuple(parts), sparse.shape, copy=False), guarded(y, at_end), guarded(s, at_end)), want)
'''


@pytest.mark.skipif(sys.platform == "win32", reason="pages are closed by mprotect")
def test_nothing_is_read_outside_an_array():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", GUARDED], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
