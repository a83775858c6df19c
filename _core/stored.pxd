"""Rows of which only some entries are stored, the others being zero: what passes over them do, in time that goes with the entries.

    Z_i = x_i T - m  [, 1],    of which x_i T - c is formed where an entry is stored, and the rest once for all rows:

    z_i   = sum_{j stored} (x_ij t_j - c_j) theta_j  -  sum_j (m_j - c_j) theta_j  [+ theta_d]
    Z'r   = sum_i r_i (x_i T - c)  -  (m - c) sum_i r_i                            [, sum_i r_i]
    Z'QZ  = E'QE - u mu' - mu u' + (sum q) mu mu',    E = X T of the stored entries,  u = E'q,  mu = m

c_j is m_j where the centre lies FAR from zero, else 0.  In a fit's coordinates, where no entry is farther than 1 from the centre, a zero is
never that far off: such a column has no zeros, all its entries are stored, and it is centred as it would be in a dense matrix, without
cancellation.  The others lose a bit or two.  (Should a row lack an entry of a far column after all, what it lacks is put right.)
"""
from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

from lanes cimport LANES  # no-cython-lint

cdef extern from *:
    """
    #include <math.h>

    /* Entries of either format, one of the two pointers being NULL; their columns, likewise; where each row begins and ends. */
    typedef struct {
        const double* wide;
        const float* narrow;
        const int32_t* brief;
        const int64_t* lengthy;
        const int64_t* begin;
        const int64_t* end;
    } rl_stored;

    #define RL_FAR 2.0

    #define RL_CALL(f, s, start, ...) do { \\
        if ((s)->wide && (s)->brief) f##_double_int32_t((s)->wide, (s)->brief, (s)->begin + (start), (s)->end + (start), __VA_ARGS__); \\
        else if ((s)->wide) f##_double_int64_t((s)->wide, (s)->lengthy, (s)->begin + (start), (s)->end + (start), __VA_ARGS__); \\
        else if ((s)->brief) f##_float_int32_t((s)->narrow, (s)->brief, (s)->begin + (start), (s)->end + (start), __VA_ARGS__); \\
        else f##_float_int64_t((s)->narrow, (s)->lengthy, (s)->begin + (start), (s)->end + (start), __VA_ARGS__); \\
    } while (0)

    /* z = constant + X v; four sums side by side, or each addition would wait for the last */
    #define RL_STORED_PREDICT(X, I) \\
    static RL_FUSED void rl_stored_predict_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                                     const double* v, double constant, double* z) { \\
        RL_CONTRACT \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            double a = 0, b = 0, c = 0, e = 0; \\
            int64_t k = begin[i]; \\
            for (; k + 4 <= end[i]; k += 4) { \\
                a += x[k] * v[column[k]]; \\
                b += x[k + 1] * v[column[k + 1]]; \\
                c += x[k + 2] * v[column[k + 2]]; \\
                e += x[k + 3] * v[column[k + 3]]; \\
            } \\
            for (; k < end[i]; k++) a += x[k] * v[column[k]]; \\
            z[i] = constant + ((a + b) + (c + e)); \\
        } \\
    } \\
    /* Column j is far off, and row i has no entry of it; k goes along with j. */ \\
    static inline int rl_lacks_##X##_##I(const I* column, int64_t* k, int64_t end, Py_ssize_t j, const double* m) { \\
        while (*k < end && column[*k] < j) ++*k; \\
        return fabs(m[j]) > RL_FAR && !(*k < end && column[*k] == j); \\
    } \\
    /* `far` columns are far off */ \\
    static void rl_stored_predict_far_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                                Py_ssize_t d, const double* t, const double* m, const double* theta, \\
                                                double constant, Py_ssize_t far, double* z) { \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            double sum = constant; \\
            Py_ssize_t met = 0; \\
            for (int64_t k = begin[i]; k < end[i]; k++) { \\
                const I j = column[k]; \\
                const int away = fabs(m[j]) > RL_FAR; \\
                sum += (away ? x[k] * t[j] - m[j] : x[k] * t[j]) * theta[j]; \\
                met += away; \\
            } \\
            int64_t at = begin[i]; \\
            for (Py_ssize_t j = 0; j < d && met < far; j++) if (rl_lacks_##X##_##I(column, &at, end[i], j, m)) sum -= m[j] * theta[j]; \\
            z[i] = sum; \\
        } \\
    } \\
    /* g += X'r */ \\
    static RL_FUSED void rl_stored_combine_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                                     const double* r, double* g) { \\
        RL_CONTRACT \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            const double by = r[i]; \\
            for (int64_t k = begin[i]; k < end[i]; k++) g[column[k]] += by * x[k]; \\
        } \\
    } \\
    static void rl_stored_combine_far_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                                Py_ssize_t d, const double* t, const double* m, Py_ssize_t far, const double* r, \\
                                                double* g) { \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            const double by = r[i]; \\
            Py_ssize_t met = 0; \\
            for (int64_t k = begin[i]; k < end[i]; k++) { \\
                const I j = column[k]; \\
                const int away = fabs(m[j]) > RL_FAR; \\
                g[j] += by * (away ? x[k] * t[j] - m[j] : x[k] * t[j]); \\
                met += away; \\
            } \\
            int64_t at = begin[i]; \\
            for (Py_ssize_t j = 0; j < d && met < far; j++) if (rl_lacks_##X##_##I(column, &at, end[i], j, m)) g[j] -= by * m[j]; \\
        } \\
    } \\
    /* Shares of the mean (f may be NULL for ones), least and greatest entry and number of entries, of the rows with weight. */ \\
    static void rl_stored_ranges_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                           const double* f, double share, double* mean, double* low, double* high, double* count) { \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            const double by = f ? f[i] * share : share; \\
            for (int64_t k = begin[i]; k < end[i]; k++) { \\
                const I j = column[k]; \\
                const double v = x[k]; \\
                mean[j] += by * v; \\
                if (f && f[i] == 0) continue; \\
                low[j] = v < low[j] ? v : low[j]; \\
                high[j] = v > high[j] ? v : high[j]; \\
                count[j]++; \\
            } \\
        } \\
    } \\
    /* C (ld apart), the lower triangle or (`square`) all of it, += q_i e_i e_i', u += q_i e_i, e_i = x_i T; columns ascend in a row. */ \\
    static RL_FUSED void rl_stored_gram_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                                  const double* q, const double* t, int square, double* e, double* u, double* C, \\
                                                  Py_ssize_t ld) { \\
        RL_CONTRACT \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            const I* at = column + begin[i]; \\
            const Py_ssize_t count = end[i] - begin[i]; \\
            for (Py_ssize_t a = 0; a < count; a++) e[a] = x[begin[i] + a] * t[at[a]]; \\
            for (Py_ssize_t a = 0; a < count; a++) { \\
                const double by = q[i] * e[a]; \\
                double* row = C + at[a] * ld; \\
                u[at[a]] += by; \\
                for (Py_ssize_t b = 0; b <= a; b++) row[at[b]] += by * e[b]; \\
                if (square) for (Py_ssize_t b = a + 1; b < count; b++) row[at[b]] += by * e[b]; \\
            } \\
        } \\
    }

    /* V outputs of the c that lie side by side, v and g being their first: registers hold their sums, or their factors. */
    #define RL_STORED_OUTPUTS(X, I, V) \\
    static RL_FUSED void rl_stored_predict_##V##_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, \\
                                                           Py_ssize_t n, const double* v, Py_ssize_t c, double* z, Py_ssize_t step) { \\
        RL_CONTRACT \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            double sum[V] = {0}; \\
            for (int64_t k = begin[i]; k < end[i]; k++) { \\
                const double* at = v + column[k] * c; \\
                RL_EACH(q, V) sum[q] += x[k] * at[q]; \\
            } \\
            RL_EACH(q, V) z[q * step + i] += sum[q]; \\
        } \\
    } \\
    static RL_FUSED void rl_stored_combine_##V##_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, \\
                                                           Py_ssize_t n, const double* r, Py_ssize_t step, Py_ssize_t c, double* g) { \\
        RL_CONTRACT \\
        for (Py_ssize_t i = 0; i < n; i++) { \\
            double by[V]; \\
            RL_EACH(q, V) by[q] = r[q * step + i]; \\
            for (int64_t k = begin[i]; k < end[i]; k++) { \\
                double* at = g + column[k] * c; \\
                RL_EACH(q, V) at[q] += x[k] * by[q]; \\
            } \\
        } \\
    }

    #define RL_STORED_PACK(X, I, T) \\
    static void rl_stored_pack_##T##_##X##_##I(const X* x, const I* column, const int64_t* begin, const int64_t* end, Py_ssize_t n, \\
                                               Py_ssize_t d, const double* t, const double* m, const double* f, T* block, \\
                                               Py_ssize_t ld) { \\
        for (Py_ssize_t i = 0; i < n; i++, block += ld) { \\
            const double by = f ? f[i] : 1.0; \\
            for (Py_ssize_t j = 0; j < d; j++) block[j] = (T) (by * -m[j]); \\
            for (Py_ssize_t j = d; j < ld; j++) block[j] = 0; \\
            for (int64_t k = begin[i]; k < end[i]; k++) \\
                block[column[k]] = (T) (by * (x[k] * t[column[k]] - m[column[k]])); \\
        } \\
    }

    #define RL_STORED(X, I) RL_STORED_PREDICT(X, I) RL_STORED_PACK(X, I, double) RL_STORED_PACK(X, I, float) \\
        RL_STORED_OUTPUTS(X, I, 8) RL_STORED_OUTPUTS(X, I, 4) RL_STORED_OUTPUTS(X, I, 1)
    RL_STORED(double, int32_t)
    RL_STORED(double, int64_t)
    RL_STORED(float, int32_t)
    RL_STORED(float, int64_t)

    static inline void rl_stored_predict(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, const double* v, double constant, double* z) {
        RL_CALL(rl_stored_predict, s, start, n, v, constant, z);
    }
    static inline void rl_stored_predict_outputs(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, const double* v, Py_ssize_t c,
                                                 double* z, Py_ssize_t step) {
        Py_ssize_t k = 0;
        for (; k + 8 <= c; k += 8) RL_CALL(rl_stored_predict_8, s, start, n, v + k, c, z + k * step, step);
        for (; k + 4 <= c; k += 4) RL_CALL(rl_stored_predict_4, s, start, n, v + k, c, z + k * step, step);
        for (; k < c; k++) RL_CALL(rl_stored_predict_1, s, start, n, v + k, c, z + k * step, step);
    }
    static inline void rl_stored_combine_outputs(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, const double* r, Py_ssize_t step,
                                                 Py_ssize_t c, double* g) {
        Py_ssize_t k = 0;
        for (; k + 8 <= c; k += 8) RL_CALL(rl_stored_combine_8, s, start, n, r + k * step, step, c, g + k);
        for (; k + 4 <= c; k += 4) RL_CALL(rl_stored_combine_4, s, start, n, r + k * step, step, c, g + k);
        for (; k < c; k++) RL_CALL(rl_stored_combine_1, s, start, n, r + k * step, step, c, g + k);
    }
    static inline void rl_stored_predict_far(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t,
                                             const double* m, const double* theta, double constant, Py_ssize_t far, double* z) {
        RL_CALL(rl_stored_predict_far, s, start, n, d, t, m, theta, constant, far, z);
    }
    static inline void rl_stored_combine(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, const double* r, double* g) {
        RL_CALL(rl_stored_combine, s, start, n, r, g);
    }
    static inline void rl_stored_combine_far(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t,
                                             const double* m, Py_ssize_t far, const double* r, double* g) {
        RL_CALL(rl_stored_combine_far, s, start, n, d, t, m, far, r, g);
    }
    static inline void rl_stored_ranges(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, const double* f, double share, double* mean,
                                        double* low, double* high, double* count) {
        RL_CALL(rl_stored_ranges, s, start, n, f, share, mean, low, high, count);
    }
    static inline void rl_stored_gram(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, const double* q, const double* t, int square,
                                      double* e, double* u, double* C, Py_ssize_t ld) {
        RL_CALL(rl_stored_gram, s, start, n, q, t, square, e, u, C, ld);
    }
    static inline void rl_stored_pack_wide(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t,
                                           const double* m, const double* f, double* block, Py_ssize_t ld) {
        RL_CALL(rl_stored_pack_double, s, start, n, d, t, m, f, block, ld);
    }
    static inline void rl_stored_pack_narrow(const rl_stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t,
                                             const double* m, const double* f, float* block, Py_ssize_t ld) {
        RL_CALL(rl_stored_pack_float, s, start, n, d, t, m, f, block, ld);
    }
    """
    ctypedef struct Stored "rl_stored":
        const double* wide
        const float* narrow
        const int32_t* brief
        const int64_t* lengthy
        const int64_t* begin
        const int64_t* end

    const double FAR "RL_FAR"
    void rl_stored_predict(const Stored* s, Py_ssize_t start, Py_ssize_t n, const double* v, double constant, double* z) noexcept nogil
    void rl_stored_predict_outputs(const Stored* s, Py_ssize_t start, Py_ssize_t n, const double* v, Py_ssize_t c, double* z,
                                   Py_ssize_t step) noexcept nogil
    void rl_stored_combine_outputs(const Stored* s, Py_ssize_t start, Py_ssize_t n, const double* r, Py_ssize_t step, Py_ssize_t c,
                                   double* g) noexcept nogil
    void rl_stored_predict_far(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t, const double* m,
                               const double* theta, double constant, Py_ssize_t far, double* z) noexcept nogil
    void rl_stored_combine(const Stored* s, Py_ssize_t start, Py_ssize_t n, const double* r, double* g) noexcept nogil
    void rl_stored_combine_far(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t, const double* m,
                               Py_ssize_t far, const double* r, double* g) noexcept nogil
    void rl_stored_ranges(const Stored* s, Py_ssize_t start, Py_ssize_t n, const double* f, double share, double* mean, double* low,
                          double* high, double* count) noexcept nogil
    void rl_stored_gram(const Stored* s, Py_ssize_t start, Py_ssize_t n, const double* q, const double* t, bint square, double* e,
                        double* u, double* C, Py_ssize_t ld) noexcept nogil
    void rl_stored_pack_wide(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t, const double* m,
                             const double* f, double* block, Py_ssize_t ld) noexcept nogil
    void rl_stored_pack_narrow(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, const double* t, const double* m,
                               const double* f, float* block, Py_ssize_t ld) noexcept nogil


cdef enum:
    # multiply-adds of a dense Gram's registers in the time of one that goes to an entry anywhere
    TILE_ADVANTAGE = 40
    # columns whose outputs are turned over at a time, and stay in the cache meanwhile
    TRANSPOSED = 256


cdef inline Stored stored_of(object X) except *:
    """The stored entries of a `SparseRows`, which the caller keeps alive."""
    cdef Stored stored
    cdef const int64_t[::1] begin = X.begin
    cdef const int64_t[::1] end = X.end
    cdef const double[::1] wide
    cdef const float[::1] narrow
    cdef const int32_t[::1] brief
    cdef const int64_t[::1] lengthy
    stored.wide = NULL
    stored.narrow = NULL
    stored.brief = NULL
    stored.lengthy = NULL
    stored.begin = &begin[0] if begin.shape[0] else NULL
    stored.end = &end[0] if end.shape[0] else NULL
    if end.shape[0] != begin.shape[0] or X.data.shape[0] != X.columns.shape[0]:
        raise ValueError("rows must begin and end, and entries have columns")
    if X.data.itemsize == sizeof(double):
        wide = X.data
        stored.wide = &wide[0] if wide.shape[0] else NULL
    else:
        narrow = X.data
        stored.narrow = &narrow[0] if narrow.shape[0] else NULL
    if X.columns.itemsize == sizeof(int32_t):
        brief = X.columns
        stored.brief = &brief[0] if brief.shape[0] else NULL
    else:
        lengthy = X.columns
        stored.lengthy = &lengthy[0] if lengthy.shape[0] else NULL
    return stored


cdef inline Py_ssize_t far_columns(Py_ssize_t d, const double* m) noexcept nogil:
    """How many centres lie far from zero."""
    cdef Py_ssize_t j, far = 0
    for j in range(d):
        far += fabs(m[j]) > FAR
    return far


cdef inline void predict_stored(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, bint ones, const double* t,
                                const double* m, double* theta, double* z) noexcept nogil:
    """z (n) = Z theta for the rows start, ..., start + n - 1; theta is overwritten."""
    cdef Py_ssize_t j, far = far_columns(d, m)
    cdef double constant = theta[d] if ones else 0.0
    for j in range(d):
        constant -= 0.0 if fabs(m[j]) > FAR else m[j] * theta[j]
    if far:
        rl_stored_predict_far(s, start, n, d, t, m, theta, constant, far, z)
        return
    for j in range(d):
        theta[j] *= t[j]
    rl_stored_predict(s, start, n, theta, constant, z)


cdef inline void combine_stored(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, bint ones, const double* t,
                                const double* m, const double* r, double* g) noexcept nogil:
    """g = Z'r for the same rows."""
    cdef Py_ssize_t i, j, far = far_columns(d, m)
    cdef double total = 0
    for i in range(n):
        total += r[i]
    for j in range(d):
        g[j] = 0
    if far:
        rl_stored_combine_far(s, start, n, d, t, m, far, r, g)
    else:
        rl_stored_combine(s, start, n, r, g)
    for j in range(d):
        if not far:
            g[j] *= t[j]
        if not fabs(m[j]) > FAR:
            g[j] -= m[j] * total
    if ones:
        g[d] = total


cdef inline void predict_stored_outputs(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, bint ones, const double* t,
                                        const double* m, const double* theta, Py_ssize_t ld, Py_ssize_t c, double* work, double* z,
                                        Py_ssize_t step) noexcept nogil:
    """z_k (n numbers, at z + k step) = Z theta_k for c outputs, theta_k at theta + k ld; work (c, ld) holds them column by column."""
    cdef Py_ssize_t i, j, k, a = 0
    cdef double constant
    if far_columns(d, m):
        for k in range(c):
            for j in range(d + ones):
                work[j] = theta[k * ld + j]
            predict_stored(s, start, n, d, ones, t, m, work, z + k * step)
        return
    for k in range(c):
        constant = theta[k * ld + d] if ones else 0.0
        for j in range(d):
            constant -= m[j] * theta[k * ld + j]
        for i in range(n):
            z[k * step + i] = constant
    while a < d:
        for k in range(c):
            for j in range(a, min(a + TRANSPOSED, d)):
                work[j * c + k] = theta[k * ld + j] * t[j]
        a += TRANSPOSED
    rl_stored_predict_outputs(s, start, n, work, c, z, step)


cdef inline void combine_stored_outputs(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, bint ones, const double* t,
                                        const double* m, const double* r, Py_ssize_t step, Py_ssize_t c, double* work, double* g,
                                        Py_ssize_t ld) noexcept nogil:
    """g_k (at g + k ld) = Z'r_k for c outputs, r_k at r + k step; work (c, ld) as above."""
    cdef Py_ssize_t i, j, k, a = 0
    cdef double total
    if far_columns(d, m):
        for k in range(c):
            combine_stored(s, start, n, d, ones, t, m, r + k * step, g + k * ld)
        return
    for j in range(d * c):
        work[j] = 0
    rl_stored_combine_outputs(s, start, n, r, step, c, work)
    while a < d:
        for k in range(c):
            for j in range(a, min(a + TRANSPOSED, d)):
                g[k * ld + j] = t[j] * work[j * c + k]
        a += TRANSPOSED
    for k in range(c):
        total = 0
        for i in range(n):
            total += r[k * step + i]
        for j in range(d):
            g[k * ld + j] -= m[j] * total
        if ones:
            g[k * ld + d] = total


cdef inline bint gram_of_stored_pays(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d) noexcept nogil:
    """Whether pairs of stored entries are so few that their products cost less than those of all columns."""
    cdef Py_ssize_t i
    cdef double pairs = 0, count
    for i in range(start, start + n):
        count = s.end[i] - s.begin[i]
        pairs += count * count
    return TILE_ADVANTAGE * pairs < <double> n * d * d


cdef inline void gram_stored(const Stored* s, Py_ssize_t start, Py_ssize_t n, Py_ssize_t d, bint ones, const double* t, const double* m,
                             const double* q, bint square, double* e, double* u, double* C, Py_ssize_t ld) noexcept nogil:
    """C, its lower triangle or (`square`) all of it, += Z'QZ of the same rows, no centre being far off; e and u (d) are workspace."""
    cdef Py_ssize_t i, j, k
    cdef double total = 0
    for i in range(n):
        total += q[i]
    for j in range(d):
        u[j] = 0
    rl_stored_gram(s, start, n, q, t, square, e, u, C, ld)
    for j in range(d):
        for k in range(d if square else j + 1):
            C[j * ld + k] += (total * m[j] - u[j]) * m[k] - u[k] * m[j]
    if ones:
        for j in range(d):
            C[d * ld + j] += u[j] - total * m[j]
            if square:
                C[j * ld + d] += u[j] - total * m[j]
        C[d * ld + d] += total
