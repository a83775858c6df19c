"""Rows as they lie in memory, times vectors: what a pass without a Hessian needs, with nothing packed.

    z = Z theta,  g = Z'r,  Z = [X t - m, 1]      (t scale, m centre in scaled columns; the ones only where asked for)

Eight rows (or as many as a vector has lanes) go side by side, so that t, m, theta and g are read once for all of them.  The sums are those
of `predict` and `combine` on a packed block, in the same order and with the same roundings: both ways give the same bits.
(Rows of which only some entries are stored are summed in the order of those, which differs from the packed one by rounding.)
"""
from lanes cimport LANES
from rows cimport Rows, memory_of, touch
from stored cimport combine_stored, predict_stored

cdef extern from *:
    """
    /* The vector at p, of which `count` numbers are columns; nothing is read at or beyond `last`. */
    #define RL_END(X) \\
    static inline rl_wide rl_end_##X(const X* p, const X* last, Py_ssize_t count) { \\
        rl_wide z = {0}; \\
        if (last - p >= RL_LANES) return __builtin_convertvector(*(const rl_row_##X*) p, rl_wide); \\
        for (Py_ssize_t k = 0; k < count; k++) z[k] = p[k]; \\
        return z; \\
    }

    #define RL_PRODUCTS(X) \\
    RL_END(X) \\
    static RL_FUSED void rl_predict_rows_##X(const X* x, const X* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, int ones, \\
                                             const double* t, const double* m, const double* theta, double* z) { \\
        RL_CONTRACT \\
        const Py_ssize_t whole = (d - 1) / RL_LANES * RL_LANES, count = d - whole; \\
        rl_wide t_end = {0}, m_end = {0}, one = {0}; \\
        rl_mask keep = {0}; \\
        for (Py_ssize_t k = 0; k < count; k++) { t_end[k] = t[whole + k]; m_end[k] = m[whole + k]; keep[k] = -1; } \\
        if (ones && count < RL_LANES) one[count] = 1; \\
        for (Py_ssize_t i = 0; i < n; i += RL_LANES) { \\
            rl_wide sum[RL_LANES], by = *(const rl_wide*) (theta + whole); \\
            const X* row[RL_LANES]; \\
            RL_EACH(k, RL_LANES) { row[k] = x + (i + k < n ? i + k : n - 1) * step; sum[k] = (rl_wide){0}; } \\
            for (Py_ssize_t j = 0; j < whole; j += RL_LANES) { \\
                const rl_wide scale = *(const rl_wide*) (t + j), centre = *(const rl_wide*) (m + j); \\
                const rl_wide here = *(const rl_wide*) (theta + j); \\
                RL_EACH(k, RL_LANES) { \\
                    sum[k] += (__builtin_convertvector(*(const rl_row_##X*) (row[k] + j), rl_wide) * scale - centre) * here; \\
                } \\
            } \\
            RL_EACH(k, RL_LANES) { \\
                const rl_wide v = rl_end_##X(row[k] + whole, last, count) * t_end - m_end; \\
                sum[k] += (rl_wide) (((rl_mask) v & keep) | (rl_mask) one) * by; \\
            } \\
            if (ones && count == RL_LANES) RL_EACH(k, RL_LANES) sum[k][0] += theta[d]; \\
            sum[0] = rl_sums(sum); \\
            if (i + RL_LANES <= n) *(rl_wide*) (z + i) = sum[0]; \\
            else for (Py_ssize_t k = 0; i + k < n; k++) z[i + k] = sum[0][k]; \\
        } \\
    } \\
    static RL_FUSED void rl_combine_rows_##X(const X* x, const X* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, int ones, \\
                                             const double* t, const double* m, const double* r, double* g) { \\
        RL_CONTRACT \\
        const Py_ssize_t whole = (d - 1) / RL_LANES * RL_LANES, count = d - whole; \\
        rl_wide t_end = {0}, m_end = {0}, one = {0}, first = {0}; \\
        rl_mask keep = {0}; \\
        for (Py_ssize_t k = 0; k < count; k++) { t_end[k] = t[whole + k]; m_end[k] = m[whole + k]; keep[k] = -1; } \\
        if (ones && count < RL_LANES) one[count] = 1; \\
        first[0] = 1; \\
        for (Py_ssize_t j = 0; j < d + ones; j += RL_LANES) *(rl_wide*) (g + j) = (rl_wide){0}; \\
        for (Py_ssize_t i = 0; i < n; i += 8) { \\
            const X* row[8]; \\
            double by[8]; \\
            rl_wide v[8]; \\
            RL_EACH(k, 8) { row[k] = x + (i + k < n ? i + k : n - 1) * step; by[k] = i + k < n ? r[i + k] : 0.0; } \\
            for (Py_ssize_t j = 0; j < whole; j += RL_LANES) { \\
                const rl_wide scale = *(const rl_wide*) (t + j), centre = *(const rl_wide*) (m + j); \\
                RL_EACH(k, 8) v[k] = __builtin_convertvector(*(const rl_row_##X*) (row[k] + j), rl_wide) * scale - centre; \\
                *(rl_wide*) (g + j) += RL_EIGHT(v, by); \\
            } \\
            RL_EACH(k, 8) { \\
                v[k] = rl_end_##X(row[k] + whole, last, count) * t_end - m_end; \\
                v[k] = (rl_wide) (((rl_mask) v[k] & keep) | (rl_mask) one); \\
            } \\
            *(rl_wide*) (g + whole) += RL_EIGHT(v, by); \\
            if (ones && count == RL_LANES) { \\
                RL_EACH(k, 8) v[k] = first; \\
                *(rl_wide*) (g + d) += RL_EIGHT(v, by); \\
            } \\
        } \\
    }

    RL_PRODUCTS(double)
    RL_PRODUCTS(float)
    """
    void rl_predict_rows_double(const double* x, const double* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, bint ones,
                                const double* t, const double* m, const double* theta, double* z) noexcept nogil
    void rl_predict_rows_float(const float* x, const float* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, bint ones,
                               const double* t, const double* m, const double* theta, double* z) noexcept nogil
    void rl_combine_rows_double(const double* x, const double* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, bint ones,
                                const double* t, const double* m, const double* r, double* g) noexcept nogil
    void rl_combine_rows_float(const float* x, const float* last, Py_ssize_t step, Py_ssize_t n, Py_ssize_t d, bint ones,
                               const double* t, const double* m, const double* r, double* g) noexcept nogil


cdef inline bint lies_in_rows(const Rows* X) noexcept nogil:
    """Whether these functions take X."""
    return X.sparse or X.column == 1 and X.d > 0


cdef inline void predict_rows(const Rows* X, Py_ssize_t start, Py_ssize_t n, bint ones, const double* t, const double* m,
                              double* theta, double* z) noexcept nogil:
    """z (n) = Z theta for the rows start, ..., start + n - 1; theta is padded with zeros to whole 64-byte vectors, and overwritten."""
    touch(memory_of(X, start, n))
    if X.sparse:
        predict_stored(&X.stored, start, n, X.d, ones, t, m, theta, z)
    elif X.wide != NULL:
        rl_predict_rows_double(X.wide + start * X.row, X.wide_last, X.row, n, X.d, ones, t, m, theta, z)
    else:
        rl_predict_rows_float(X.narrow + start * X.row, X.narrow_last, X.row, n, X.d, ones, t, m, theta, z)


cdef inline void combine_rows(const Rows* X, Py_ssize_t start, Py_ssize_t n, bint ones, const double* t, const double* m,
                              const double* r, double* g) noexcept nogil:
    """g = Z'r for the same rows; g is padded to whole 64-byte vectors, and what lies there overwritten."""
    if X.sparse:
        combine_stored(&X.stored, start, n, X.d, ones, t, m, r, g)
    elif X.wide != NULL:
        rl_combine_rows_double(X.wide + start * X.row, X.wide_last, X.row, n, X.d, ones, t, m, r, g)
    else:
        rl_combine_rows_float(X.narrow + start * X.row, X.narrow_last, X.row, n, X.d, ones, t, m, r, g)
