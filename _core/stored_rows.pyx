"""Rows of which only some entries are stored, by themselves: their order, their predictions, and their sums in twice the precision.

In double-double a centre is worth nothing: sums are taken about zero, of the stored entries alone, and what the centre takes away is taken
away at the end, of 106 bits.

    residual:  r = y - (b - m'v) - sum_{j stored} x_j t_j v_j      g_j = t_j (sum_i s_i r_i x_ij - m_j sum_i s_i r_i)
    moments:   S_0 = sum_i s_i z_i z_i',   v = sum_i s_i z_i,   z = (x T, y)
"""
from libc.stdint cimport int32_t, int64_t

from doubledouble cimport dd, dd_add, dd_add_double, dd_mul_double, fast_two_sum, two_prod, two_sum
from rows cimport Rows, rows_of
from stored cimport combine_stored_outputs, predict_stored_outputs

ctypedef fused index:
    int32_t
    int64_t

SOUND = 0
UNSORTED = 1
OUTSIDE = 2


cdef inline double entry_at(const Rows* x, int64_t k) noexcept nogil:
    return x.stored.wide[k] if x.stored.wide != NULL else <double> x.stored.narrow[k]


cdef inline int64_t column_at(const Rows* x, int64_t k) noexcept nogil:
    return x.stored.brief[k] if x.stored.brief != NULL else x.stored.lengthy[k]


cdef inline dd pair(double hi, double lo) noexcept nogil:
    cdef dd r
    r.hi = hi
    r.lo = lo
    return r


def disorder(const int64_t[::1] begin not None, const int64_t[::1] end not None, const index[::1] columns not None, Py_ssize_t d):
    """Whether the columns of each row ascend (SOUND), or not (UNSORTED), or some entry is of no column below d (OUTSIDE), and its row and
    place.

    begin and end must lie within the columns. One read of them.
    """
    cdef Py_ssize_t i, n = begin.shape[0]
    cdef int64_t k
    cdef bint sorted_ = True
    if end.shape[0] != n:
        raise ValueError("every row begins and ends")
    for i in range(n):
        if begin[i] < 0 or end[i] < begin[i] or end[i] > columns.shape[0]:
            raise ValueError(f"row {i} has entries {begin[i]} to {end[i]} of {columns.shape[0]}")
    with nogil:
        for i in range(n):
            for k in range(begin[i], end[i]):
                if columns[k] < 0 or columns[k] >= d:
                    with gil:
                        return OUTSIDE, i, k
                if k > begin[i] and columns[k] <= columns[k - 1]:
                    sorted_ = False
    return (SOUND, 0, 0) if sorted_ else (UNSORTED, 0, 0)


def predict(X not None, const double[::1] m not None, const double[::1] t not None, const double[:, ::1] theta not None,
            double[:, ::1] work not None, double[:, ::1] out not None):
    """out (c, n) = Z theta' for theta (c, p), p = d or, with intercepts, d + 1; work (c, p) is workspace. 2 c flops per entry."""
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, c = theta.shape[0], p = theta.shape[1], i, k
    if not x.sparse or m.shape[0] != d or t.shape[0] != d or (p != d and p != d + 1) or work.shape[0] != c or work.shape[1] != p \
            or out.shape[0] != c or out.shape[1] != n:
        raise ValueError("shapes do not match")
    if n == 0 or c == 0:
        return
    with nogil:
        if d:
            predict_stored_outputs(&x.stored, 0, n, d, p > d, &t[0], &m[0], &theta[0, 0], p, c, &work[0, 0], &out[0, 0], n)
        else:
            for k in range(c):
                for i in range(n):
                    out[k, i] = theta[k, 0] if p else 0.0


def combine(X not None, const double[::1] m not None, const double[::1] t not None, const double[:, ::1] r not None,
            double[:, ::1] work not None, double[:, ::1] out not None):
    """out (c, p) = r Z for r (c, n), p = d or, with intercepts, d + 1; work (c, p) is workspace. 2 c flops per entry."""
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, c = r.shape[0], p = out.shape[1]
    if not x.sparse or m.shape[0] != d or t.shape[0] != d or (p != d and p != d + 1) or r.shape[1] != n or work.shape[0] != c \
            or work.shape[1] != p or out.shape[0] != c:
        raise ValueError("shapes do not match")
    if d == 0 or c == 0:
        return
    with nogil:
        combine_stored_outputs(&x.stored, 0, n, d, p > d, &t[0], &m[0], &r[0, 0] if n else NULL, n, c, &work[0, 0], &out[0, 0], p)


def squares(X not None, const double[::1] m not None, const double[::1] t not None, const double[::1] s not None, double[::1] out not None):
    """out (p) += sum_i s_i Z_i^2, p = d or, with an intercept, d + 1; s is empty for ones. A few flops per entry and per column.

    Of a column far from zero without a zero in it, rounding leaves little.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, p = out.shape[0], i, j
    cdef int64_t k
    cdef double f, e, total = 0
    if not x.sparse or m.shape[0] != d or t.shape[0] != d or (p != d and p != d + 1) or (s.shape[0] != 0 and s.shape[0] != n):
        raise ValueError("shapes do not match")
    with nogil:
        for i in range(n):
            f = s[i] if s.shape[0] else 1.0
            total += f
            for k in range(x.stored.begin[i], x.stored.end[i]):
                j = column_at(&x, k)
                # (e - m)^2 in place of m^2, which every row is given below
                e = entry_at(&x, k) * t[j]
                out[j] += f * e * (e - 2 * m[j])
        for j in range(d):
            out[j] += total * m[j] * m[j]
        if p > d:
            out[d] += total


def residual_extended(X not None, const double[:, ::1] y not None, const double[::1] s not None, const double[::1] center not None,
                      const double[::1] scale not None, const double[:, ::1] coef_hi not None, const double[:, ::1] coef_lo not None,
                      double[:, ::1] gradient_hi not None, double[:, ::1] gradient_lo not None, double[:, ::1] row not None):
    """`moments.residual_extended` of `SparseRows`: g += sum_i s_i r_i Z_i, r = y - Z beta, Z = [(X - center) scale, 1].

    coef and gradient are (t, d + 1) pairs hi + lo; row (2, d + 1) is workspace. 80 t flops per entry and per column.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, t = y.shape[1], i, j, q
    cdef int64_t k
    cdef double f
    cdef dd r, g, total, constant
    if not x.sparse or center.shape[0] != d or scale.shape[0] != d or coef_hi.shape[0] != t or coef_hi.shape[1] != d + 1 \
            or coef_lo.shape[0] != t or coef_lo.shape[1] != d + 1 or gradient_hi.shape[0] != t \
            or gradient_hi.shape[1] != d + 1 or gradient_lo.shape[0] != t or gradient_lo.shape[1] != d + 1 \
            or y.shape[0] != n or (s.shape[0] != 0 and s.shape[0] != n) or row.shape[0] < 2 or row.shape[1] < d + 1:
        raise ValueError("shapes do not match")
    with nogil:
        for q in range(t):
            constant = pair(coef_hi[q, d], coef_lo[q, d])
            total = pair(0, 0)
            for j in range(d):
                r = dd_mul_double(pair(coef_hi[q, j] * scale[j], coef_lo[q, j] * scale[j]), -center[j])
                constant = dd_add(constant, r)
                row[0, j] = row[1, j] = 0
            for i in range(n):
                f = s[i] if s.shape[0] else 1.0
                if f == 0:
                    continue
                r = dd_add(pair(y[i, q], 0), pair(-constant.hi, -constant.lo))
                for k in range(x.stored.begin[i], x.stored.end[i]):
                    j = column_at(&x, k)
                    r = dd_add(r, dd_mul_double(pair(coef_hi[q, j], coef_lo[q, j]), -entry_at(&x, k) * scale[j]))
                r = dd_mul_double(r, f)
                total = dd_add(total, r)
                for k in range(x.stored.begin[i], x.stored.end[i]):
                    j = column_at(&x, k)
                    g = dd_add(pair(row[0, j], row[1, j]), dd_mul_double(r, entry_at(&x, k)))
                    row[0, j] = g.hi
                    row[1, j] = g.lo
            for j in range(d):
                r = dd_add(pair(row[0, j], row[1, j]), dd_mul_double(total, -center[j]))
                r = dd_add(pair(gradient_hi[q, j], gradient_lo[q, j]), pair(r.hi * scale[j], r.lo * scale[j]))
                gradient_hi[q, j] = r.hi
                gradient_lo[q, j] = r.lo
            r = dd_add(pair(gradient_hi[q, d], gradient_lo[q, d]), total)
            gradient_hi[q, d] = r.hi
            gradient_lo[q, d] = r.lo


def accumulate_extended(X not None, const double[:, ::1] y not None, const double[::1] s not None, const double[::1] scale not None,
                        double[::1] weight not None, double[:, ::1] sums not None, double[:, ::1] hi not None,
                        double[:, ::1] lo not None, double[:, ::1] tail not None, double[:, ::1] row not None,
                        int64_t[::1] place not None):
    """`moments.accumulate_extended` of `SparseRows` about a pivot of zero; row (3, p) and place (p) are workspace.

    About 20 flops for each pair of entries of a row, targets among them.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, t = y.shape[1], p = scale.shape[0], i, a, b, count, j, l
    cdef int64_t k
    cdef double f
    cdef dd q, r, u, v
    if not x.sparse or p != d + t or y.shape[0] != n or (s.shape[0] != 0 and s.shape[0] != n) or weight.shape[0] != 2 \
            or sums.shape[0] != 2 or sums.shape[1] != p or hi.shape[0] != p or hi.shape[1] != p or lo.shape[0] != p \
            or lo.shape[1] != p or tail.shape[0] != p or tail.shape[1] != p or row.shape[0] < 3 or row.shape[1] < p \
            or place.shape[0] < p:
        raise ValueError("the statistics and the workspace must match the columns")
    with nogil:
        for i in range(n):
            f = s[i] if s.shape[0] else 1.0
            count = 0
            for k in range(x.stored.begin[i], x.stored.end[i]):
                place[count] = column_at(&x, k)
                row[0, count] = entry_at(&x, k) * scale[place[count]]
                count += 1
            if f == 0:
                for a in range(count):  # it adds nothing, but its NaN or infinity must show: 0 x is NaN for these
                    sums[0, place[a]] += 0.0 * row[0, a]
                continue
            for j in range(t):
                place[count] = d + j
                row[0, count] = y[i, j] * scale[d + j]
                count += 1
            r = dd_add_double(pair(weight[0], weight[1]), f)
            weight[0] = r.hi
            weight[1] = r.lo
            for a in range(count):
                j = place[a]
                q = two_prod(row[0, a], f)
                row[1, a] = q.hi
                row[2, a] = q.lo
                r = dd_add(pair(sums[0, j], sums[1, j]), q)
                sums[0, j] = r.hi
                sums[1, j] = r.lo
            for a in range(count):
                j = place[a]
                for b in range(a + 1):
                    # as in moments.accumulate_extended: low parts are summed before they meet the large sum
                    l = place[b]
                    q = two_prod(row[1, a], row[0, b])
                    r = two_sum(hi[j, l], q.hi)
                    u = two_sum(lo[j, l], r.lo)
                    v = two_sum(u.hi, q.lo + row[2, a] * row[0, b])
                    tail[j, l] += u.lo + v.lo
                    q = fast_two_sum(r.hi, v.hi)
                    hi[j, l] = q.hi
                    lo[j, l] = q.lo
