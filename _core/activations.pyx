"""Activations over contiguous buffers, elementwise and along rows.

Along a row z of c logits, with m = z_t a greatest entry, d_j = z_j - m and

    S = sum_{j != t} exp(d_j),    L = log(1 + S) = log1p(S),

    softmax_j     = exp(d_j) / (1 + S)          (lecture, eq. 17)
    log_softmax_j = d_j - L
    logsumexp     = m + L

As the t-th term is exactly 1 it stays out of the sum: the greatest log-probability, -log1p(S), then keeps
all its digits when S is tiny.  Nothing cancels in d_j - L, where both terms are <= 0.  The rounding error
of d_j goes into exp with it (without it, logits near 1e6 would cost twenty bits), and S and L are sums hi +
lo.  Only m + L may cancel: see exact_logsumexp.pyx.

Arithmetic is in float64 throughout, for float32 buffers with 37 bits and without lo.  A kernel writes only
`out`, which may be `z` itself: what it computes goes into a buffer of SIMD entries first.
"""

from cython cimport floating
from doubledouble cimport dd, multiply_add, two_prod, two_sum
from libc.math cimport INFINITY, fabs
from logit_rows cimport (
    SHORT, Sums, entries, greatest_of_row, log_one_plus, log_probability, others, sum_columns, sum_row,
    transpose, transpose_back
)
from scalar cimport SIMD, log_sigmoid_block, logistic_losses, sigmoid_block, softplus_block


def _same_length(Py_ssize_t n, Py_ssize_t m):
    if n != m:
        raise ValueError(f"out has {m} entries where z has {n}")


cdef inline void store(const floating* x, Py_ssize_t n, floating* out) noexcept nogil:
    """out = the first n of the entries x, at most SIMD."""
    cdef Py_ssize_t i
    if n >= SIMD:
        for i in range(SIMD):
            out[i] = x[i]
    else:
        for i in range(n):
            out[i] = x[i]


def sigmoid(const floating[::1] z, floating[::1] out):
    """out[i] = 1 / (1 + exp(-z[i]))."""
    cdef Py_ssize_t i = 0, n = z.shape[0]
    cdef floating[SIMD] x, spare
    _same_length(n, out.shape[0])
    with nogil:
        while i < n:
            sigmoid_block(entries(&z[0], n, i, spare), x)
            store(x, n - i, &out[i])
            i += SIMD


def log_sigmoid(const floating[::1] z, floating[::1] out):
    """out[i] = log(sigmoid(z[i]))."""
    cdef Py_ssize_t i = 0, n = z.shape[0]
    cdef floating[SIMD] x, spare
    _same_length(n, out.shape[0])
    with nogil:
        while i < n:
            log_sigmoid_block(entries(&z[0], n, i, spare), x)
            store(x, n - i, &out[i])
            i += SIMD


def softplus(const floating[::1] z, floating[::1] out):
    """out[i] = log(1 + exp(z[i]))."""
    cdef Py_ssize_t i = 0, n = z.shape[0]
    cdef floating[SIMD] x, spare
    _same_length(n, out.shape[0])
    with nogil:
        while i < n:
            softplus_block(entries(&z[0], n, i, spare), x)
            store(x, n - i, &out[i])
            i += SIMD


def logistic(const double[::1] y, const double[::1] z, double[::1] value, double[::1] slope,
             double[::1] curvature):
    """The logistic loss of targets 0 <= y <= 1 and log-odds z, and its derivatives (`logistic_block`)."""
    cdef Py_ssize_t n = z.shape[0]
    _same_length(n, y.shape[0])
    _same_length(n, value.shape[0])
    _same_length(n, slope.shape[0])
    _same_length(n, curvature.shape[0])
    if n:
        with nogil:
            logistic_losses(&y[0], &z[0], n, &value[0], &slope[0], &curvature[0])


def _same_shape(Py_ssize_t n, Py_ssize_t c, Py_ssize_t n_out, Py_ssize_t c_out):
    if n != n_out or c != c_out:
        raise ValueError(f"out has shape ({n_out}, {c_out}) where z has ({n}, {c})")


cdef inline dd reciprocal_of_sum(const Sums* sums, Py_ssize_t l, floating m) noexcept nogil:
    """1 / (1 + S) as hi + lo; NaN where m is infinite, for inf - inf has no value."""
    cdef dd S, r, product
    S = two_sum(sums.hi[l], sums.ones[l])
    r.hi = 1.0 / (S.hi + (m - m))
    r.lo = 0.0
    if floating is double:
        product = two_prod(S.hi, r.hi)
        r.lo = (((1.0 - product.hi) - product.lo) - (S.lo + sums.lo[l]) * r.hi) * r.hi
    return r


def softmax(const floating[:, ::1] z, floating[:, ::1] out):
    """out[i, j] = exp(z[i, j]) / sum_k exp(z[i, k])."""
    cdef Py_ssize_t i = 0, j, l, rows, n = z.shape[0], c = z.shape[1]
    cdef floating[SIMD * SHORT] x
    cdef floating[SIMD] m
    cdef double[SIMD] hi, lo
    cdef Sums sums
    cdef dd r
    cdef floating* row
    cdef floating* column
    _same_shape(n, c, out.shape[0], out.shape[1])
    if c == 0:
        return
    with nogil:
        while i < n:
            if c <= SHORT:
                rows = min(SIMD, n - i)
                transpose(&z[i, 0], rows, c, x)
                sum_columns(x, c, m, &sums, True)
                for l in range(SIMD):
                    r = reciprocal_of_sum(&sums, l, m[l])
                    hi[l] = r.hi
                    lo[l] = r.lo
                for j in range(c):
                    column = x + j * SIMD
                    for l in range(SIMD):
                        column[l] = <floating> multiply_add(column[l], hi[l], column[l] * lo[l])
                transpose_back(x, rows, c, &out[i, 0])
            else:
                rows = 1
                row = &out[i, 0]
                m[0] = greatest_of_row(&z[i, 0], c)
                sum_row(&z[i, 0], c, m[0], &sums, row)
                r = reciprocal_of_sum(&sums, 0, m[0])
                for j in range(c):
                    row[j] = <floating> multiply_add(row[j], r.hi, row[j] * r.lo)
            i += rows


def log_softmax(const floating[:, ::1] z, floating[:, ::1] out):
    """out[i, j] = z[i, j] - log(sum_k exp(z[i, k]))."""
    cdef Py_ssize_t i = 0, j, l, rows, n = z.shape[0], c = z.shape[1]
    cdef floating[SIMD * SHORT] x
    cdef floating[SIMD] m
    cdef double[SIMD] hi, lo
    cdef Sums sums
    cdef dd L
    cdef floating* row
    cdef floating* column
    cdef const floating* some
    cdef floating[SIMD] spare
    _same_shape(n, c, out.shape[0], out.shape[1])
    if c == 0:
        return
    with nogil:
        while i < n:
            if c <= SHORT:
                rows = min(SIMD, n - i)
                transpose(&z[i, 0], rows, c, x)
                sum_columns(x, c, m, &sums, False)
                for l in range(SIMD):
                    L = log_one_plus(others(&sums, l, m[l]), m[l])
                    hi[l] = L.hi
                    lo[l] = L.lo
                for j in range(c):
                    column = x + j * SIMD
                    for l in range(SIMD):
                        column[l] = <floating> log_probability(column[l], m[l], hi[l], lo[l])
                transpose_back(x, rows, c, &out[i, 0])
            else:
                rows = 1
                row = &out[i, 0]
                m[0] = greatest_of_row(&z[i, 0], c)
                sum_row(&z[i, 0], c, m[0], &sums, NULL)
                L = log_one_plus(others(&sums, 0, m[0]), m[0])
                j = 0
                while j < c:
                    some = entries(&z[i, 0], c, j, spare)
                    for l in range(SIMD):
                        x[l] = <floating> log_probability(some[l], m[0], L.hi, L.lo)
                    store(x, c - j, row + j)
                    j += SIMD
            i += rows


cdef bint undecided(floating m, floating value) noexcept nogil:
    """Whether m and L cancelled too far for the format: see exact_logsumexp.pyx, where these bounds are."""
    cdef double small = 0.25 if floating is double else 1e-3
    return fabs(value) < -small * m


cdef inline floating infinite(const floating* z, Py_ssize_t c, floating m) noexcept nogil:
    """The logsumexp of a row whose greatest entry m is infinite: m, unless there is a NaN."""
    cdef Py_ssize_t j
    for j in range(c):
        if z[j] != z[j]:
            m = z[j]
    return m


def logsumexp(const floating[:, ::1] z, floating[::1] out):
    """out[i] = log(sum_k exp(z[i, k])); -inf for the empty sum.

    Returns the number of rows in which m and L cancelled too far for the format (see exact_logsumexp.pyx).
    """
    cdef Py_ssize_t i = 0, l, rows, n = z.shape[0], c = z.shape[1], cancelled = 0
    cdef floating[SIMD * SHORT] x
    cdef floating[SIMD] m, value
    cdef Sums sums
    cdef dd L, s
    _same_length(n, out.shape[0])
    with nogil:
        while i < n:
            if c <= SHORT:
                rows = min(SIMD, n - i)
                transpose(&z[i, 0] if c else NULL, rows, c, x)
                sum_columns(x, c, m, &sums, False)
            else:
                rows = 1
                m[0] = greatest_of_row(&z[i, 0], c)
                sum_row(&z[i, 0], c, m[0], &sums, NULL)
            for l in range(SIMD if c <= SHORT else 1):
                L = log_one_plus(others(&sums, l, m[l]), m[l])
                s = two_sum(m[l], L.hi)
                value[l] = <floating> (s.hi + (s.lo + L.lo))
            for l in range(rows):
                if fabs(m[l]) == INFINITY:
                    value[l] = infinite(&z[i + l, 0] if c else NULL, c, m[l])
                out[i + l] = value[l]
                cancelled += undecided(m[l], value[l])
            i += rows
    return cancelled
