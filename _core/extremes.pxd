"""The least and the greatest entry of every column of rows that lie in a cache, with their sums or without.

Rows without weight do not count; an entry that is not a number is passed over here, and shows in a sum.
"""
from lanes cimport LANES  # no-cython-lint
from rows cimport Rows

cdef extern from *:
    """
    /* A vector of columns of a row; at the end of the matrix nothing is read beyond it. */
    #define RL_COLUMN(X) \\
    static inline rl_wide rl_column_##X(const X* p, const X* last, Py_ssize_t d) { \\
        rl_wide z = {0}; \\
        if (last - p >= RL_LANES) return __builtin_convertvector(*(const rl_row_##X*) p, rl_wide); \\
        for (Py_ssize_t k = 0; k < d && k < RL_LANES; k++) z[k] = p[k]; \\
        return z; \\
    }

    /* Eight rows at a time; f is NULL for ones.  Vectors are whole: what they hold beyond the columns is nobody's. */
    #define RL_RANGES(X, NAME, SUMMED) \\
    static RL_FUSED void rl_##NAME##_##X(const X* x, const X* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f, \\
                                         const double* c, double* low, double* high, double* sum) { \\
        if (SUMMED) for (Py_ssize_t j = 0; j < d; j += RL_LANES) *(rl_wide*) (sum + j) = (rl_wide){0}; \\
        for (Py_ssize_t i = 0; i < n; i += 8) { \\
            const int some = n - i < 8 ? (int) (n - i) : 8; \\
            const X* row = x + i * step; \\
            for (Py_ssize_t j = 0; j < d; j += RL_LANES) { \\
                rl_wide centre = {0}, total = {0}; \\
                rl_wide least = *(rl_wide*) (low + j), most = *(rl_wide*) (high + j); \\
                if (SUMMED) { centre = *(const rl_wide*) (c + j); total = *(rl_wide*) (sum + j); } \\
                for (int k = 0; k < some; k++) { \\
                    const rl_wide v = rl_column_##X(row + k * step + j, last, d - j); \\
                    if (SUMMED) total += f ? f[i + k] * (v - centre) : v - centre; \\
                    if (f && f[i + k] == 0) continue; \\
                    least = RL_CHOOSE(v < least, v, least); \\
                    most = RL_CHOOSE(v > most, v, most); \\
                } \\
                *(rl_wide*) (low + j) = least; \\
                *(rl_wide*) (high + j) = most; \\
                if (SUMMED) *(rl_wide*) (sum + j) = total; \\
            } \\
        } \\
    }

    /* One column whose entries are adjacent. */
    #define RL_EXTREMES_OF_COLUMN(X) \\
    static RL_FUSED void rl_extremes_of_column_##X(const X* x, Py_ssize_t n, const double* f, double* low, double* high) { \\
        rl_wide least = (rl_wide){0} + *low, most = (rl_wide){0} + *high; \\
        Py_ssize_t i = 0; \\
        for (; i + RL_LANES <= n; i += RL_LANES) { \\
            const rl_wide v = __builtin_convertvector(*(const rl_row_##X*) (x + i), rl_wide); \\
            rl_mask used = (rl_mask){0} - 1; \\
            if (f) used = (rl_mask) (*(const rl_wide*) (f + i) != 0); \\
            least = RL_CHOOSE(used & (rl_mask) (v < least), v, least); \\
            most = RL_CHOOSE(used & (rl_mask) (v > most), v, most); \\
        } \\
        for (; i < n; i++) { \\
            if (f && f[i] == 0) continue; \\
            if (x[i] < least[0]) least[0] = x[i]; \\
            if (x[i] > most[0]) most[0] = x[i]; \\
        } \\
        for (int k = 0; k < RL_LANES; k++) { \\
            if (least[k] < *low) *low = least[k]; \\
            if (most[k] > *high) *high = most[k]; \\
        } \\
    }

    RL_COLUMN(double)
    RL_COLUMN(float)
    RL_RANGES(double, ranges, 1)
    RL_RANGES(float, ranges, 1)
    RL_RANGES(double, extremes, 0)
    RL_RANGES(float, extremes, 0)
    RL_EXTREMES_OF_COLUMN(double)
    RL_EXTREMES_OF_COLUMN(float)
    """
    void rl_ranges_double(const double* x, const double* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f,
                          const double* c, double* low, double* high, double* sum) noexcept nogil
    void rl_ranges_float(const float* x, const float* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f,
                         const double* c, double* low, double* high, double* sum) noexcept nogil
    void rl_extremes_double(const double* x, const double* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f,
                            const double* c, double* low, double* high, double* sum) noexcept nogil
    void rl_extremes_float(const float* x, const float* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, const double* f,
                           const double* c, double* low, double* high, double* sum) noexcept nogil
    void rl_extremes_of_column_double(const double* x, Py_ssize_t n, const double* f, double* low, double* high) noexcept nogil
    void rl_extremes_of_column_float(const float* x, Py_ssize_t n, const double* f, double* low, double* high) noexcept nogil


cdef inline void add_extremes(const Rows* x, Py_ssize_t start, Py_ssize_t n, const double* s, double* low, double* high) noexcept nogil:
    """low and high, padded to whole vectors, of n rows of arrays, not of stored entries; s holds their weights or is NULL."""
    cdef Py_ssize_t j
    if x.column != 1:
        for j in range(x.d):
            if x.wide != NULL:
                rl_extremes_of_column_double(x.wide + j * x.column + start, n, s, low + j, high + j)
            else:
                rl_extremes_of_column_float(x.narrow + j * x.column + start, n, s, low + j, high + j)
    elif x.wide != NULL:
        rl_extremes_double(x.wide + start * x.row, x.wide_last, x.row, n, x.d, s, NULL, low, high, NULL)
    elif x.narrow != NULL:
        rl_extremes_float(x.narrow + start * x.row, x.narrow_last, x.row, n, x.d, s, NULL, low, high, NULL)
