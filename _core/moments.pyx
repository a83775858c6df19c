"""Second moments of weighted rows z_i = (x_i, y_i), all that a squared loss can learn from them.

    W = sum s_i      m = sum s_i z_i / W      S = sum s_i (z_i - m)(z_i - m)'

Rows are taken in cache blocks, less a pivot c near the mean (the mean so far, or of a few rows), with a column of ones that gathers
v = sum s_i (z_i - c); then m = c + v / W and S = S_c - v v' / W, where little cancels.  Two sets of moments merge by
(Chan, Golub and LeVeque 1979, Stanford STAN-CS-79-773, eq. 2.1)

    delta = m_b - m,    S <- S + S_b + (W W_b / (W + W_b)) delta delta',    m <- m + (W_b / (W + W_b)) delta

Centring before squaring is what keeps the variance of a column with mean 1e8.
Rows of which few entries are stored are multiplied about c = 0 in pairs of those; where that would lose more than a digit of some column,
which then has hardly a zero, they are packed as the others are.
The extended form holds sums about a fixed pivot c in double-double (106 bits), where the choice of pivot costs nothing:

    W = sum s_i      v = sum s_i (z_i - c)      S_c = sum s_i (z_i - c)(z_i - c)'
"""
from doubledouble cimport dd, dd_add, dd_add_double, dd_mul, dd_mul_double, fast_two_sum, two_prod, two_sum
from formats cimport real
from gram cimport pad
from rows cimport Rows, rows_of
from scatter cimport add_moments


cdef double ROUNDED = 1e-9  # more than sums of the same weights in different orders differ by, relatively


cdef void check(Py_ssize_t n, Py_ssize_t d, Py_ssize_t n_y, Py_ssize_t n_s, Py_ssize_t p, Py_ssize_t t,
                Py_ssize_t mean) except *:
    if n_y != n or (n_s != 0 and n_s != n):
        raise ValueError(f"{n} rows of X, {n_y} of y, {n_s} weights (pass none, or one per row)")
    if p != d + t or mean != p:
        raise ValueError(f"the statistics must have {d} + {t} columns")


cdef double total(const double[::1] s, Py_ssize_t n) noexcept nogil:
    """The weight of n rows."""
    cdef Py_ssize_t i
    cdef double w = 0
    if s.shape[0] == 0:
        return n
    for i in range(n):
        w += s[i]
    return w


def accumulate(X not None, const double[:, ::1] y not None, const double[::1] s not None,
               const double[::1] scale not None, double weight, double[::1] mean not None, double[:, ::1] scatter not None,
               real[:, ::1] block not None, double[:, ::1] rows not None, real[:, ::1] partial not None,
               double[:, ::1] sums not None):
    """Add the rows of X (n x d) and y (n x t) to (weight, mean, scatter); returns the new weight.

    X is float64 or float32 with adjacent columns or adjacent rows. scale (d + t) multiplies the columns (powers of two). mean (p = d + t)
    and the lower triangle of the first p rows of scatter (P, P) are updated, P = p + 1 padded to whole 64-byte vectors; what is beyond is
    workspace. s is empty or has n weights. Products are formed in the precision of `block`.
    Workspace, with Q = p + 1 padded to whole vectors of that precision: block (b, Q), rows (3, max(b, P)), partial (Q, Q), sums (P, P).
    `sums` may be `scatter` itself where there is no weight yet, or where the rows are not sparse and weigh no more than those before them;
    `partial` may be `sums` where both are float64.
    One read of X; n (p + 1)(p + 2) flops; twice that where the mean of 64 rows says too little of the mean of all.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t t = y.shape[1], p = scale.shape[0], b = block.shape[0]
    cdef Py_ssize_t ld = pad(p + 1, sizeof(real)), width = pad(p + 1, sizeof(double))
    check(x.n, x.d, y.shape[0], s.shape[0], p, t, mean.shape[0])
    if b < 1 or block.shape[1] != ld or rows.shape[0] < 3 or rows.shape[1] < max(width, b) or partial.shape[0] != ld \
            or partial.shape[1] != ld or sums.shape[0] != width or sums.shape[1] != width or scatter.shape[0] != width \
            or scatter.shape[1] != width:
        raise ValueError("the statistics or the workspace do not match the columns, padded to whole vectors")
    if p == 0 or x.n == 0:
        return weight
    if weight != 0 and &sums[0, 0] == &scatter[0, 0] and (x.sparse or not total(s, x.n) <= weight * (1 + ROUNDED)):
        raise ValueError("sparse rows, or rows that weigh more than those before them, need sums apart from scatter")
    with nogil:
        weight = add_moments(
            &x, &y[0, 0] if t else NULL, t, &s[0] if s.shape[0] else NULL, &scale[0], weight, &mean[0], &scatter[0, 0], width,
            &block[0, 0], b, &rows[0, 0], &rows[1, 0], &rows[2, 0], &partial[0, 0], &sums[0, 0],
        )
    return weight


def merge(double[:, ::1] scatter not None, const double[:, ::1] other not None, double sign, const double[::1] ratio not None,
          double f, const double[::1] delta not None):
    """S_ij += sign S'_ij r_i r_j + f delta_i delta_j in the lower triangle of the first p = len(delta) rows; 5 p^2 / 2 flops."""
    cdef Py_ssize_t p = delta.shape[0], i, j
    if scatter.shape[0] < p or scatter.shape[1] < p or other.shape[0] < p or other.shape[1] < p or ratio.shape[0] != p:
        raise ValueError(f"the statistics must have {p} columns")
    cdef double* mine
    cdef const double* theirs
    cdef double a, b
    with nogil:
        for i in range(p):
            mine = &scatter[i, 0]
            theirs = &other[i, 0]
            a = sign * ratio[i]
            b = f * delta[i]
            for j in range(i + 1):
                mine[j] += a * theirs[j] * ratio[j] + b * delta[j]


def accumulate_extended(const real[:, :] X not None, const double[:, ::1] y not None, const double[::1] s not None,
                        const double[::1] scale not None, const double[::1] pivot not None, double[::1] weight not None,
                        double[:, ::1] sums not None, double[:, ::1] hi not None, double[:, ::1] lo not None,
                        double[:, ::1] tail not None, double[:, ::1] rows not None):
    """The same rows, added in double-double about a pivot.

    weight (2): W.  sums (2, p): v.  hi, lo, tail (p x p, lower triangle): S_c; the tail gathers what rounding takes from lo, so that a
    sum of many rows is as good as its last addition.  rows (4, p) is workspace.  The pivot is in scaled columns.
    One read of X; about 20 n p (p + 1) flops.
    """
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], t = y.shape[1], p = scale.shape[0], i, j, k
    cdef double f, a, e, z
    cdef dd q, r, u, v
    check(n, d, y.shape[0], s.shape[0], p, t, pivot.shape[0])
    if hi.shape[0] != p or hi.shape[1] != p or lo.shape[0] != p or lo.shape[1] != p or tail.shape[0] != p or tail.shape[1] != p \
            or sums.shape[0] != 2 or sums.shape[1] != p or weight.shape[0] != 2 \
            or rows.shape[0] < 4 or rows.shape[1] < p:
        raise ValueError("the statistics and the workspace must match the columns")
    if p == 0:
        return
    cdef double* dh = &rows[0, 0]
    cdef double* dl = &rows[1, 0]
    cdef double* ah = &rows[2, 0]
    cdef double* al = &rows[3, 0]
    cdef double* row_hi
    cdef double* row_lo
    cdef double* row_tail
    with nogil:
        for i in range(n):
            f = s[i] if s.shape[0] else 1.0
            if f == 0:
                for j in range(d):  # it adds nothing, but its NaN or infinity must show: 0 x is NaN for these
                    sums[0, j] += 0.0 * X[i, j]
                continue
            r.hi = weight[0]
            r.lo = weight[1]
            r = dd_add_double(r, f)
            weight[0] = r.hi
            weight[1] = r.lo
            for j in range(p):
                z = X[i, j] * scale[j] if j < d else y[i, j - d] * scale[j]
                q = two_sum(z, -pivot[j])
                dh[j] = q.hi
                dl[j] = q.lo
                q = dd_mul_double(q, f)
                ah[j] = q.hi
                al[j] = q.lo
                r.hi = sums[0, j]
                r.lo = sums[1, j]
                r = dd_add(r, q)
                sums[0, j] = r.hi
                sums[1, j] = r.lo
            for j in range(p):
                a = ah[j]
                e = al[j]
                row_hi = &hi[j, 0]
                row_lo = &lo[j, 0]
                row_tail = &tail[j, 0]
                for k in range(j + 1):
                    # S_jk += (a + e)(dh_k + dl_k), the products' low parts summed before they meet the large sum
                    q = two_prod(a, dh[k])
                    r = two_sum(row_hi[k], q.hi)
                    u = two_sum(row_lo[k], r.lo)
                    v = two_sum(u.hi, q.lo + (a * dl[k] + e * dh[k]))
                    row_tail[k] += u.lo + v.lo
                    q = fast_two_sum(r.hi, v.hi)
                    row_hi[k] = q.hi
                    row_lo[k] = q.lo


def residual_extended(const real[:, :] X not None, const double[:, ::1] y not None, const double[::1] s not None,
                      const double[::1] center not None, const double[::1] scale not None,
                      const double[:, ::1] coef_hi not None, const double[:, ::1] coef_lo not None,
                      double[:, ::1] gradient_hi not None, double[:, ::1] gradient_lo not None,
                      double[:, ::1] row not None):
    """g += sum_i s_i r_i ztilde_i in double-double, with r = y - Z beta, Z = [(X - center) * scale, 1].

    coef and gradient are (t, d + 1) pairs hi + lo, the intercept last; row (2, d + 1) is workspace. One read of X; 80 n d t flops.
    """
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], t = y.shape[1], i, j, k
    cdef double f
    cdef dd r, q, c
    if center.shape[0] != d or scale.shape[0] != d or coef_hi.shape[0] != t or coef_hi.shape[1] != d + 1 \
            or coef_lo.shape[0] != t or coef_lo.shape[1] != d + 1 or gradient_hi.shape[0] != t \
            or gradient_hi.shape[1] != d + 1 or gradient_lo.shape[0] != t or gradient_lo.shape[1] != d + 1 \
            or y.shape[0] != n or (s.shape[0] != 0 and s.shape[0] != n) or row.shape[0] < 2 or row.shape[1] < d + 1:
        raise ValueError("shapes do not match")
    with nogil:
        for i in range(n):
            f = s[i] if s.shape[0] else 1.0
            if f == 0:
                continue
            for j in range(d):
                q = two_sum(X[i, j], -center[j])
                row[0, j] = q.hi * scale[j]
                row[1, j] = q.lo * scale[j]
            row[0, d] = 1
            row[1, d] = 0
            for k in range(t):
                r.hi = y[i, k]
                r.lo = 0
                for j in range(d + 1):
                    q.hi = -row[0, j]
                    q.lo = -row[1, j]
                    c.hi = coef_hi[k, j]
                    c.lo = coef_lo[k, j]
                    r = dd_add(r, dd_mul(q, c))
                r = dd_mul_double(r, f)
                for j in range(d + 1):
                    q.hi = row[0, j]
                    q.lo = row[1, j]
                    c.hi = gradient_hi[k, j]
                    c.lo = gradient_lo[k, j]
                    c = dd_add(c, dd_mul(q, r))
                    gradient_hi[k, j] = c.hi
                    gradient_lo[k, j] = c.lo


def dot_extended(const double[:, ::1] a_hi not None, const double[:, ::1] a_lo not None, const double[:, ::1] b_hi not None,
                 const double[:, ::1] b_lo not None, double[::1] hi not None, double[::1] lo not None):
    """hi + lo = sum_j a_ij b_ij of each row, in double-double; b (m, n), or (1, n) for the same in every row; about 40 m n flops."""
    cdef Py_ssize_t m = a_hi.shape[0], n = a_hi.shape[1], i, j, k
    cdef dd p, q, r
    if a_lo.shape[0] != m or a_lo.shape[1] != n or b_hi.shape[1] != n or b_lo.shape[1] != n or b_lo.shape[0] != b_hi.shape[0] \
            or (b_hi.shape[0] != m and b_hi.shape[0] != 1) or hi.shape[0] != m or lo.shape[0] != m:
        raise ValueError("shapes do not match")
    with nogil:
        for i in range(m):
            k = i if b_hi.shape[0] == m else 0
            r.hi = r.lo = 0
            for j in range(n):
                p.hi = a_hi[i, j]
                p.lo = a_lo[i, j]
                q.hi = b_hi[k, j]
                q.lo = b_lo[k, j]
                r = dd_add(r, dd_mul(p, q))
            hi[i] = r.hi
            lo[i] = r.lo
