"""Cross-entropies and divergences, one value per example.

The binary cross-entropy of a target y in [0, 1] and a logit z, with p = sigmoid(z),

    -y log p - (1 - y) log(1 - p) = y softplus(-z) + (1 - y) softplus(z),

and that of a target row y and a row z of logits, in the letters of activations.pyx (d_j = z_j - max z, L =
log1p(S)),

    -sum_j y_j log softmax_j(z) = sum_j y_j (L - d_j),

are sums of terms >= 0, so nothing cancels.  A term with y_j = 0 is 0 even where its logarithm is infinite.

The divergence of eq. (21), KL(p || q) = sum_j p_j log(p_j / q_j), has terms of both signs, which cancel to
second order as q nears p.  With t = (p_j - q_j) / q_j and |t| <= 1/8 the first-order part is split off,

    p_j log(p_j / q_j) = (p_j - q_j) + q_j g(t),    g(t) = (1 + t) log(1 + t) - t = sum_{i>=2} (-t)^i / (i
    (i - 1)),

where p_j - q_j is exact (Sterbenz), its sum over the row carries its rounding errors, and q_j g(t) >= 0.

All arithmetic is in float64, rounded once to the format of the buffers.
"""

from cython cimport floating
from doubledouble cimport dd, two_sum
from libc.math cimport INFINITY, log, log1p
from logit_rows cimport greatest, log_one_plus, log_probability, sum_of_others
from scalar cimport softplus


cdef int _lengths_agree(Py_ssize_t n, Py_ssize_t m, Py_ssize_t n_out) except -1:
    if n != m or n != n_out:
        raise ValueError(f"buffers of {n}, {m} and {n_out} examples do not belong together")
    return 0


cdef int _rows_agree(Py_ssize_t c, Py_ssize_t k) except -1:
    if c != k or c == 0:
        raise ValueError(f"rows of {c} and {k} classes do not belong together")
    return 0


cdef inline double weighted(double y, double a) noexcept nogil:
    """y a, and 0 where y = 0 whatever a is."""
    return 0.0 if y == 0.0 else y * a


cdef inline dd add(dd s, double a) noexcept nogil:
    """s + a, the rounding error kept in s.lo (nothing is kept of an infinite sum)."""
    cdef dd sum = two_sum(s.hi, a)
    sum.lo = sum.lo + s.lo if sum.hi - sum.hi == 0.0 else 0.0
    return sum


def binary_from_logits(const floating[::1] y, const floating[::1] z, floating[::1] out):
    """out[i] = y[i] softplus(-z[i]) + (1 - y[i]) softplus(z[i])."""
    cdef Py_ssize_t i, n = y.shape[0]
    cdef double a
    _lengths_agree(n, z.shape[0], out.shape[0])
    with nogil:
        for i in range(n):
            a = weighted(y[i], softplus(-<double> z[i]))
            out[i] = <floating> (a + weighted(1.0 - y[i], softplus(z[i])))


def binary_from_probabilities(const floating[::1] y, const floating[::1] p, floating[::1] out):
    """out[i] = -y[i] log p[i] - (1 - y[i]) log(1 - p[i])."""
    cdef Py_ssize_t i, n = y.shape[0]
    cdef double a
    _lengths_agree(n, p.shape[0], out.shape[0])
    with nogil:
        for i in range(n):
            a = weighted(y[i], -log(<double> p[i]))
            out[i] = <floating> (a + weighted(1.0 - y[i], -log1p(-<double> p[i])) + 0.0)    # + 0: never -0


def categorical_from_logits(const floating[:, ::1] y, const floating[:, ::1] z, floating[::1] out):
    """out[i] = -sum_j y[i, j] log softmax_j(z[i])."""
    cdef Py_ssize_t i, j, t, n = z.shape[0], c = z.shape[1]
    cdef dd S, L, d, s
    _lengths_agree(n, y.shape[0], out.shape[0])
    _rows_agree(c, y.shape[1])
    with nogil:
        for i in range(n):
            t = greatest(&z[i, 0], c)
            S = sum_of_others(&z[i, 0], c, t)
            L = log_one_plus(S, z[i, t])
            s.hi = 0.0
            s.lo = 0.0
            for j in range(c):
                d = two_sum(z[i, t], -<double> z[i, j])
                d.lo = d.lo if d.hi < 1e300 else 0.0         # beyond, d may be infinite
                s = add(s, weighted(y[i, j], L.hi + d.hi))
                s.lo += weighted(y[i, j], remainder(L.hi, d.hi) + (L.lo + d.lo))
            out[i] = <floating> (s.hi + s.lo)


cdef inline double remainder(double a, double b) noexcept nogil:
    """The rounding error of a + b for a >= 0 small and b >= 0; 0 where b is infinite."""
    return two_sum(a, b).lo if b < 1e300 else 0.0


def sparse_from_logits(const Py_ssize_t[::1] labels, const floating[:, ::1] z, floating[::1] out):
    """out[i] = -log softmax_y(z[i]), y = labels[i].  The caller has checked 0 <= labels[i] < c."""
    cdef Py_ssize_t i, t, n = z.shape[0], c = z.shape[1]
    cdef dd S, L
    _lengths_agree(n, labels.shape[0], out.shape[0])
    _rows_agree(c, c)
    with nogil:
        for i in range(n):
            t = greatest(&z[i, 0], c)
            S = sum_of_others(&z[i, 0], c, t)
            L = log_one_plus(S, z[i, t])
            out[i] = <floating> (0.0 - log_probability(z[i, labels[i]], z[i, t], L.hi, L.lo))


def categorical_from_probabilities(const floating[:, ::1] y, const floating[:, ::1] p, floating[::1] out):
    """out[i] = -sum_j y[i, j] log p[i, j]."""
    cdef Py_ssize_t i, j, n = p.shape[0], c = p.shape[1]
    cdef dd s
    _lengths_agree(n, y.shape[0], out.shape[0])
    _rows_agree(c, y.shape[1])
    with nogil:
        for i in range(n):
            s.hi = 0.0
            s.lo = 0.0
            for j in range(c):
                s = add(s, weighted(y[i, j], -log(<double> p[i, j])))
            out[i] = <floating> (s.hi + s.lo + 0.0)


cdef inline double log_ratio(double p, double q) noexcept nogil:
    """log(p / q) for p, q > 0."""
    cdef double ratio = p / q
    if 0.5 <= ratio <= 2.0:
        return log1p((p - q) / q)                            # p - q is exact here (Sterbenz)
    if 1e-300 < ratio < 1e300:
        return log(ratio)
    return log(p) - log(q)                                   # far apart: the ratio itself may leave the range


# 1 / (i (i - 1)), i = 2, ..., 18: the next term, t^19 / 342 for |t| <= 1/8, is below 2^-58 of the first,
# t^2 / 2.
cdef double[17] G
for _i in range(17):
    G[_i] = 1.0 / ((_i + 2) * (_i + 1))


cdef inline double second_order(double t) noexcept nogil:
    """(1 + t) log(1 + t) - t, for |t| <= 1/8."""
    cdef Py_ssize_t i
    cdef double g = 0.0
    for i in range(16, -1, -1):
        g = G[i] - t * g
    return t * t * g


def kl_divergence(const floating[:, ::1] p, const floating[:, ::1] q, floating[::1] out):
    """out[i] = sum_j p[i, j] log(p[i, j] / q[i, j]), with 0 log 0 = 0, and inf where q = 0 < p."""
    cdef Py_ssize_t i, j, n = p.shape[0], c = p.shape[1]
    cdef double p_j, q_j
    cdef dd s
    _lengths_agree(n, q.shape[0], out.shape[0])
    _rows_agree(c, q.shape[1])
    with nogil:
        for i in range(n):
            s.hi = 0.0
            s.lo = 0.0
            for j in range(c):
                p_j = p[i, j]
                q_j = q[i, j]
                if p_j == 0.0:
                    continue
                if q_j == 0.0:
                    s = add(s, INFINITY)
                elif -q_j <= 8.0 * (p_j - q_j) <= q_j:
                    s = add(s, p_j - q_j)
                    s = add(s, q_j * second_order((p_j - q_j) / q_j))
                else:
                    s = add(s, p_j * log_ratio(p_j, q_j))
            out[i] = <floating> (s.hi + s.lo)
