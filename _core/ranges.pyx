"""The mean and the range of every column, from one cheap read: no squares are formed, so nothing overflows that the data did not.

    W = sum_i s_i      m = sum_i s_i x_i / W      low = min x_i, high = max x_i over the rows with weight

Sums are of x_i - c with c the mean so far, which keeps the digits of a column far from zero.  Of rows of which only some entries are stored
those are read, and a column with fewer entries than there are rows holds a zero.
"""
from extremes cimport rl_ranges_double, rl_ranges_float
from gram cimport pad
from rows cimport Rows, entry, memory_of, pack, rows_of, touch
from stored cimport rl_stored_ranges


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
