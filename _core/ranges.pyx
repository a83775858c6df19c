"""The mean and the range of every column, from one cheap read: no squares are formed, so nothing overflows that the data did not.

    W = sum_i s_i      m = sum_i s_i x_i / W      low = min x_i, high = max x_i over the rows with weight

Sums are of x_i - c with c the mean so far, which keeps the digits of a column far from zero.
"""
from libc.stdint cimport int64_t

from gram cimport pad
from rows cimport Rows, pack, rows_of

cdef extern from *:
    """
    #if defined(__AVX512F__)
    #define RL_RANGE_BYTES 64
    #elif defined(__AVX__)
    #define RL_RANGE_BYTES 32
    #else
    #define RL_RANGE_BYTES 16
    #endif
    #define RL_RANGE_WIDTH ((Py_ssize_t) (RL_RANGE_BYTES / sizeof(double)))
    typedef double rl_columns __attribute__((vector_size(RL_RANGE_BYTES), aligned(8), may_alias));
    typedef int64_t rl_choice __attribute__((vector_size(RL_RANGE_BYTES), aligned(8), may_alias));
    /* a where the comparison holds, else b */
    #define RL_CHOOSE(test, a, b) ((rl_columns) (((rl_choice) (test) & (rl_choice) (a)) | (~(rl_choice) (test) & (rl_choice) (b))))

    /* A vector of columns of a block at a time, two rows side by side; f is NULL for ones. */
    static void rl_ranges(const double* P, Py_ssize_t n, Py_ssize_t ld, const double* f, const double* c,
                          double* low, double* high, double* sum) {
        for (Py_ssize_t j = 0; j < ld; j += RL_RANGE_WIDTH) {
            const rl_columns centre = *(const rl_columns*) (c + j);
            rl_columns least[2], most[2], total[2] = {{0}, {0}};
            least[0] = least[1] = *(rl_columns*) (low + j);
            most[0] = most[1] = *(rl_columns*) (high + j);
            for (Py_ssize_t i = 0; i < n; i++) {
                const rl_columns x = *(const rl_columns*) (P + i * ld + j);
                const int k = i & 1;
                total[k] += f ? f[i] * (x - centre) : x - centre;
                if (f && f[i] == 0) continue;
                least[k] = RL_CHOOSE(x < least[k], x, least[k]);
                most[k] = RL_CHOOSE(x > most[k], x, most[k]);
            }
            *(rl_columns*) (low + j) = RL_CHOOSE(least[0] < least[1], least[0], least[1]);
            *(rl_columns*) (high + j) = RL_CHOOSE(most[0] > most[1], most[0], most[1]);
            *(rl_columns*) (sum + j) = total[0] + total[1];
        }
    }
    """
    void rl_ranges(const double* P, Py_ssize_t n, Py_ssize_t ld, const double* f, const double* c,
                   double* low, double* high, double* sum) noexcept nogil


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
    with nogil:
        for j in range(ld):
            one[j] = 1
            zero[j] = 0
            centre[j] = mean[j] if j < d else 0.0
            least[j] = low[j] if j < d else 0.0
            most[j] = high[j] if j < d else 0.0
        while start < n:
            c = min(b, n - start)
            pack(&x, start, c, one, zero, <const double*> NULL, &block[0, 0], ld)
            w = 0
            if s.shape[0]:
                for i in range(c):
                    w += s[start + i]
            else:
                w = c
            if weight == 0:  # any row is a better centre than zero; a NaN stays
                for j in range(d):
                    centre[j] = block[0, j] if centre[j] == centre[j] else centre[j]
            rl_ranges(&block[0, 0], c, ld, &s[start] if s.shape[0] else NULL, centre, least, most, sums)
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


cdef double _total(const double[::1] s, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef double w = 0
    for i in range(s.shape[0]):
        w += s[i]
    return w if s.shape[0] else n
