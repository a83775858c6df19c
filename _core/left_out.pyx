"""Every row's residual in the ridge fit of all others, for many penalties, from one read and one decomposition.

    t_i = Q'(x_i - m) s_i^(1/2),   e_ik = (y_i - mean) s_i^(1/2) - t_i'v_k,   h_ik = c s_i + sum_j t_ij^2 D_kj,   r_ik = e_ik / (1 - h_ik)

with Q, v and D = 1 / (lambda + alpha) from the eigenvectors and eigenvalues of the scatter.  A block of rows is turned into T' (d x block),
of which the residuals, and after squaring the leverages, of all penalties are two products.
"""
from libc.math cimport sqrt

from gram cimport pad
from lanes cimport LANES  # its vectors  # no-cython-lint
from outputs cimport combine_outputs, predict_outputs
from rows cimport Rows, pack, rows_of


cdef inline double sum_of_squares(const double* e, const double* left, const double* target, Py_ssize_t n, double* out,
                                  Py_ssize_t stride) noexcept nogil:
    """sum ((target - e) / (1 - left))^2 in eight independent sums; the quotients go to out, unless it is NULL."""
    cdef double[8] acc
    cdef double r
    cdef Py_ssize_t i = 0, k, whole = n - n % 8
    for k in range(8):
        acc[k] = 0
    while i < whole:
        for k in range(8):
            r = (target[i + k] - e[i + k]) / left[i + k]
            acc[k] += r * r
        i += 8
    for i in range(whole, n):
        r = (target[i] - e[i]) / left[i]
        acc[0] += r * r
    if out != NULL:
        for i in range(n):
            out[i * stride] = (target[i] - e[i]) / left[i]
    return ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]))


def left_out(X not None, const double[:, ::1] y not None, const double[::1] s not None, const double[::1] m not None,
             const double[::1] mean not None, double constant, const double[:, ::1] turned not None, const double[:, ::1] v not None,
             const double[:, ::1] shrink not None, double[:, ::1] totals not None, double[::1] least not None,
             double[:, ::1] residuals not None, double[:, ::1] block not None, double[:, ::1] across not None,
             double[:, ::1] errors not None, double[:, ::1] left not None, double[:, ::1] vectors not None):
    """Add the squares of r of the rows of X (n x d) to totals (t, k); residuals (n, t k) takes r, or has no rows.

    least (k) is lowered to the least 1 - h of the rows, where that is less.

    X is float64 or float32, with adjacent columns or adjacent rows; y (n, t); s is empty or has n entries; m (d) and mean (t) are taken off
    X and y; constant is c.  turned (d, P) holds Q', v (t k, d) and shrink (k, d) hold v and D, P = d padded to whole 64-byte vectors.
    Workspace for B rows at a time, a multiple of 8: block (B, P), across (d, B), errors (t k, B), left (k, B), vectors (3, max(B, P)).
    One read of X; n d (2 d + 2 k (t + 1)) flops.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, t = y.shape[1], k = shrink.shape[0], B = block.shape[0], P = pad(d, sizeof(double))
    cdef Py_ssize_t start = 0, c, i, j, l
    cdef bint keep = residuals.shape[0] > 0
    if d == 0 or y.shape[0] != n or s.shape[0] != 0 and s.shape[0] != n or m.shape[0] != d or mean.shape[0] != t:
        raise ValueError(f"{n} rows of {d} columns, {y.shape[0]} targets, {s.shape[0]} weights (pass none, or one per row)")
    if turned.shape[0] != d or turned.shape[1] != P or v.shape[0] != t * k or v.shape[1] != d or shrink.shape[1] != d \
            or totals.shape[0] != t or totals.shape[1] != k or least.shape[0] != k \
            or keep and (residuals.shape[0] != n or residuals.shape[1] != t * k):
        raise ValueError("the parameters or the outputs do not match")
    if B < 8 or B % 8 != 0 or block.shape[1] != P or across.shape[0] != d or across.shape[1] != B or errors.shape[0] != t * k \
            or errors.shape[1] != B or left.shape[0] != k or left.shape[1] != B or vectors.shape[0] != 3 \
            or vectors.shape[1] < max(B, P):
        raise ValueError("the workspace must hold blocks of a multiple of 8 rows, and columns padded to whole vectors")
    if n == 0 or t == 0 or k == 0:
        return
    cdef double* root = &vectors[0, 0]
    cdef double* target = &vectors[1, 0]
    cdef double* ones = &vectors[2, 0]
    with nogil:
        for j in range(P):
            ones[j] = 1
        for j in range(d):
            for i in range(B):
                across[j, i] = 0
        while start < n:
            c = min(B, n - start)
            for i in range(c):
                root[i] = sqrt(s[start + i]) if s.shape[0] else 1.0
            pack(&x, start, c, ones, &m[0], root, &block[0, 0], P)
            predict_outputs(&block[0, 0], c, P, &turned[0, 0], d, &across[0, 0], B)
            combine_outputs(&across[0, 0], d, B, &v[0, 0], d, t * k, &errors[0, 0])
            for j in range(d):
                for i in range(B):
                    across[j, i] *= across[j, i]
            combine_outputs(&across[0, 0], d, B, &shrink[0, 0], d, k, &left[0, 0])
            for j in range(k):
                for i in range(c):
                    left[j, i] = 1 - constant * root[i] * root[i] - left[j, i]
                    least[j] = min(least[j], left[j, i])
            for l in range(t):
                for i in range(c):
                    target[i] = (y[start + i, l] - mean[l]) * root[i]
                for j in range(k):
                    totals[l, j] += sum_of_squares(&errors[l * k + j, 0], &left[j, 0], target, c,
                                                   &residuals[start, l * k + j] if keep else NULL, t * k)
            start += c
