"""The mean and the range of every column, from one cheap read: no squares are formed, so nothing overflows that the data did not.

    W = sum_i s_i      m = sum_i s_i x_i / W      low = min x_i, high = max x_i over the rows with weight

Sums are of x_i - c with c the mean so far, which keeps the digits of a column far from zero.  Of rows of which only some entries are stored
those are read, and a column with fewer entries than there are rows holds a zero.
"""
from gram cimport pad
from lanes cimport LANES  # no-cython-lint
from rows cimport Rows, entry, memory_of, pack, rows_of, touch
from stored cimport rl_stored_ranges

cdef extern from *:
    """
    /* A vector of columns of a row; at the end of the matrix nothing is read beyond it. */
    #define RL_RANGES(X) \\
    static inline rl_wide rl_column_##X(const X* p, const X* last, Py_ssize_t d) { \\
        rl_wide z = {0}; \\
        if (last - p >= RL_LANES) return __builtin_convertvector(*(const rl_row_##X*) p, rl_wide); \\
        for (Py_ssize_t k = 0; k < d && k < RL_LANES; k++) z[k] = p[k]; \\
        return z; \\
    } \\
    /* Eight rows at a time; f is NULL for ones.  Vectors are whole: what they hold beyond the columns is nobody's. */ \\
    static RL_FUSED void rl_ranges_##X(const X* x, const X* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f, \\
                                       const double* c, double* low, double* high, double* sum) { \\
        for (Py_ssize_t j = 0; j < d; j += RL_LANES) *(rl_wide*) (sum + j) = (rl_wide){0}; \\
        for (Py_ssize_t i = 0; i < n; i += 8) { \\
            const int some = n - i < 8 ? (int) (n - i) : 8; \\
            const X* row = x + i * step; \\
            for (Py_ssize_t j = 0; j < d; j += RL_LANES) { \\
                const rl_wide centre = *(const rl_wide*) (c + j); \\
                rl_wide least = *(rl_wide*) (low + j), most = *(rl_wide*) (high + j), total = *(rl_wide*) (sum + j); \\
                for (int k = 0; k < some; k++) { \\
                    const rl_wide v = rl_column_##X(row + k * step + j, last, d - j); \\
                    if (f) { \\
                        total += f[i + k] * (v - centre); \\
                        if (f[i + k] == 0) continue; \\
                    } \\
                    else total += v - centre; \\
                    least = RL_CHOOSE(v < least, v, least); \\
                    most = RL_CHOOSE(v > most, v, most); \\
                } \\
                *(rl_wide*) (low + j) = least; \\
                *(rl_wide*) (high + j) = most; \\
                *(rl_wide*) (sum + j) = total; \\
            } \\
        } \\
    }

    RL_RANGES(double)
    RL_RANGES(float)
    """
    void rl_ranges_double(const double* x, const double* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f,
                          const double* c, double* low, double* high, double* sum) noexcept nogil
    void rl_ranges_float(const float* x, const float* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f,
                         const double* c, double* low, double* high, double* sum) noexcept nogil


def column_ranges(X not None, const double[::1] s not None, double weight, double[::1] mean not None, double[::1] low not None,
                  double[::1] high not None, double[:, ::1] block not None, double[:, ::1] rows not None):
    """Add the rows of X to the weighted mean and to the minimum and maximum of those with weight; returns the new weight.

    A NaN or an infinity shows in the mean, even in a row without weight. s is empty or has n weights.
    Workspace, with D = d padded to whole 64-byte vectors: block (b, D), rows (6, D). One read of X.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, b = block.shape[0], start = 0, c, i, j, ld = pad(d, sizeof(double))
    cdef double w
    if s.shape[0] != 0 and s.shape[0] != n:
        raise ValueError(f"{n} rows of X, {s.shape[0]} weights (pass none, or one per row)")
    if mean.shape[0] != d or low.shape[0] != d or high.shape[0] != d:
        raise ValueError(f"{d} columns of X need as many means, minima and maxima")
    if b < 1 or block.shape[1] != ld or rows.shape[0] < 6 or rows.shape[1] != ld:
        raise ValueError(f"the workspace must have {d} columns, padded to whole vectors")
    if n == 0 or d == 0:
        return weight + _total(s, n)
    cdef double* one = &rows[0, 0]
    cdef double* zero = &rows[1, 0]
    cdef double* centre = &rows[2, 0]
    cdef double* least = &rows[3, 0]
    cdef double* most = &rows[4, 0]
    cdef double* sums = &rows[5, 0]
    if x.sparse:
        with nogil:
            weight = _ranges_of_stored(&x, s, weight, mean, low, high, sums, least)
        return weight
    with nogil:
        for j in range(ld):
            one[j] = 1
            zero[j] = 0
            centre[j] = mean[j] if j < d else 0.0
            least[j] = low[j] if j < d else 0.0
            most[j] = high[j] if j < d else 0.0
        while start < n:
            c = min(b, n - start)
            w = 0
            if s.shape[0]:
                for i in range(c):
                    w += s[start + i]
            else:
                w = c
            if weight == 0:  # any row is a better centre than zero; a NaN stays
                for j in range(d):
                    centre[j] = entry(&x, start, j) if centre[j] == centre[j] else centre[j]
            if x.column != 1:
                pack(&x, start, c, one, zero, <const double*> NULL, &block[0, 0], ld)
                rl_ranges_double(&block[0, 0], &block[0, 0] + c * ld, ld, c, d, &s[start] if s.shape[0] else NULL,
                                 centre, least, most, sums)
            elif x.wide != NULL:
                touch(memory_of(&x, start, c))
                rl_ranges_double(x.wide + start * x.row, x.wide_last, x.row, c, d, &s[start] if s.shape[0] else NULL,
                                 centre, least, most, sums)
            else:
                touch(memory_of(&x, start, c))
                rl_ranges_float(x.narrow + start * x.row, x.narrow_last, x.row, c, d, &s[start] if s.shape[0] else NULL,
                                centre, least, most, sums)
            weight += w
            for j in range(d):
                # without weight the sum is zero, or shows a NaN
                centre[j] += sums[j] / weight if weight > 0 else sums[j]
            start += c
        for j in range(d):
            mean[j] = centre[j]
            low[j] = least[j]
            high[j] = most[j]
    return weight


cdef double _ranges_of_stored(const Rows* x, const double[::1] s, double weight, double[::1] mean, double[::1] low, double[::1] high,
                              double* sums, double* count) noexcept nogil:
    """The same of stored entries, in shares of the mean of these rows, so that their sum cannot overflow; the new weight."""
    cdef Py_ssize_t i, j, n = x.n, used = x.n
    cdef double w = _total(s, n)
    for i in range(s.shape[0]):
        used -= s[i] == 0
    for j in range(x.d):
        sums[j] = count[j] = 0
    rl_stored_ranges(&x.stored, 0, n, &s[0] if s.shape[0] else NULL, 1 / w if w > 0 else 0.0, sums, &low[0], &high[0], count)
    for j in range(x.d):
        if count[j] < used:
            low[j] = min(low[j], 0.0)
            high[j] = max(high[j], 0.0)
        # without weight the sum is zero, or shows a NaN
        mean[j] += w / (weight + w) * (sums[j] - mean[j]) if w > 0 else sums[j]
    return weight + w


cdef double _total(const double[::1] s, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef double w = 0
    for i in range(s.shape[0]):
        w += s[i]
    return w if s.shape[0] else n
