"""Predictions for one row: what a service that answers one request at a time waits for.

    z = x w + b,  p = sigma(z)

Almost all of the time of such a call is in looking at its arguments, so these look at the one kind that is common, a C-contiguous
float64 ndarray of one row, through the buffer protocol, and say None to everything else (and to whatever does not come out finite): the
caller then takes the ordinary way, with its checks and its errors.
"""
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport isfinite

from scalar cimport sigmoid

from numpy import empty, ndarray, ndarray


cdef const double* numbers(object a, Py_buffer* view):
    """The float64 numbers of a contiguous array, whose buffer is then held; NULL, and none held, for anything else."""
    if type(a) is not ndarray:  # a subclass may mean something else by its numbers
        return NULL
    try:
        PyObject_GetBuffer(a, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
    except (BufferError, ValueError, TypeError):
        return NULL
    if view.itemsize != 8 or view.format == NULL or view.format[0] != c"d" or view.format[1] != 0:
        PyBuffer_Release(view)
        return NULL
    return <const double*> view.buf


cdef bint score(object X, object coef, object intercept, int axes, double* z) except -1:
    """Whether z = x w + b could be had, and is finite; w is (d,) with a number b, or (1, d); or b an array of one."""
    cdef Py_buffer rows, weights
    cdef const double* x = numbers(X, &rows)
    cdef const double* w
    cdef Py_ssize_t d, j
    cdef double even = 0, odd = 0
    if x == NULL:
        return False
    d = rows.shape[1] if rows.ndim == 2 and rows.shape[0] == 1 else -1
    w = numbers(coef, &weights) if d >= 0 else NULL
    if w != NULL:
        if weights.ndim == axes and weights.shape[axes - 1] == d and weights.len == 8 * d:
            for j in range(0, d - 1, 2):
                even += x[j] * w[j]
                odd += x[j + 1] * w[j + 1]
            if d % 2:
                even += x[d - 1] * w[d - 1]
        else:
            d = -1
        PyBuffer_Release(&weights)
    PyBuffer_Release(&rows)
    if w == NULL or d < 0:
        return False
    z[0] = even + odd + <double> (intercept[0] if axes == 2 or type(intercept) is ndarray else intercept)
    return isfinite(z[0])


def predict_one(X, coef, intercept):
    """The prediction, an ndarray of shape (1,), or None, for coef (d,) and a number; 2 d flops."""
    cdef double z
    if not score(X, coef, intercept, 1, &z):
        return None
    out = empty(1)
    out[0] = z
    return out


def probabilities_of_one(X, coef, intercept):
    """(sigma(-z), sigma(z)), an ndarray of shape (1, 2), or None, for coef (1, d) and intercept (1,)."""
    cdef double z
    if not score(X, coef, intercept, 2, &z):
        return None
    out = empty((1, 2))
    out[0, 0] = sigmoid(-z)
    out[0, 1] = sigmoid(z)
    return out
