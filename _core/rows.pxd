"""Rows of a matrix, and packing: a cache block of them, centred and scaled.

    block_ij = f_i (x_ij t_j - m_j)   for j < d        0   from there to the end of the block's row

t is the scale (powers of two: exact), m the centre in scaled columns, f a factor of the row.  The difference is formed in double before
it is rounded to the block's precision, so a float32 column with mean 1e8 keeps its variance.

`Rows` describes a float64 or float32 matrix with adjacent columns (C order, any distance between rows) or adjacent rows (Fortran order,
any distance between columns).  The first kind is packed a vector at a time, the last vector of a row under a mask; the second is
transposed in registers first, as many rows at a time as a vector is long, by rounds of perfect shuffles.  Or they are rows of which only
some entries are stored (stored.pxd).
"""
from cpython.buffer cimport PyObject_CheckBuffer

from formats cimport real
from gram cimport Span
from lanes cimport LANES
from stored cimport Stored, rl_stored_pack_narrow, rl_stored_pack_wide, stored_of

cdef extern from *:
    """
    /* One number of each line, in order: what the processor's own prefetching follows best. */
    static RL_FUSED void rl_touch(const char* p, const char* end) {
        for (; p < end; p += 64) (void) *(const volatile char*) p;
    }

    /* Zeros, apart from the loops that pack, whose registers a call of memset would empty. */
    #define RL_ZERO(T) \\
    static RL_FUSED void rl_zero_##T(T* block, Py_ssize_t n, Py_ssize_t width, Py_ssize_t ld) { \\
        for (Py_ssize_t i = 0; i < n; i++) \\
            for (Py_ssize_t j = 0; j < width; j += RL_LANES) *(rl_row_##T*) (block + i * ld + j) = (rl_row_##T){0}; \\
    }

    RL_ZERO(double)
    RL_ZERO(float)

    /* Rows of x, `row` numbers apart, V vectors wide, the last of them masked: t and m stay in registers. */
    #define RL_NARROW(X, T, V) \\
    static RL_FUSED void rl_narrow_##X##_##T##_##V(const X* x, Py_ssize_t row, Py_ssize_t n, const rl_wide* t, const rl_wide* m, \\
                                                   rl_mask keep, const double* f, T* block, Py_ssize_t ld) { \\
        rl_wide scale[V], centre[V]; \\
        RL_EACH(k, V) { scale[k] = t[k]; centre[k] = m[k]; } \\
        for (Py_ssize_t i = 0; i < n; i++, x += row, block += ld) { \\
            RL_EACH(k, V) { \\
                rl_wide z = __builtin_convertvector(((const rl_row_##X*) x)[k], rl_wide) * scale[k] - centre[k]; \\
                if (f) z *= f[i]; \\
                if (k == V - 1) z = (rl_wide) ((rl_mask) z & keep); \\
                ((rl_row_##T*) block)[k] = __builtin_convertvector(z, rl_row_##T); \\
            } \\
        } \\
    }

    /* The same rows beside a target and a one, [f (x t - m), f (y t_y - m_y), f], which lie in the last two of the V vectors; a target
       without weight may hold anything. */
    #define RL_BESIDE(X, T, V) \\
    static RL_FUSED void rl_beside_##X##_##T##_##V(const X* x, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* y, \\
                                                   const double* t, const double* m, const double* f, T* block, Py_ssize_t ld) { \\
        rl_wide scale[V], centre[V], one[V]; \\
        rl_mask keep[V], target[V]; \\
        RL_EACH(k, V) { scale[k] = centre[k] = one[k] = (rl_wide){0}; keep[k] = target[k] = (rl_mask){0}; } \\
        for (Py_ssize_t j = 0; j < d; j++) { \\
            scale[j / RL_LANES][j % RL_LANES] = t[j]; \\
            centre[j / RL_LANES][j % RL_LANES] = m[j]; \\
            keep[j / RL_LANES][j % RL_LANES] = -1; \\
        } \\
        target[d / RL_LANES][d % RL_LANES] = -1; \\
        one[(d + 1) / RL_LANES][(d + 1) % RL_LANES] = 1; \\
        for (Py_ssize_t i = 0; i < n; i++, x += row, block += ld) { \\
            const double e = f && f[i] == 0 ? 0.0 : y[i] * t[d] - m[d]; \\
            const rl_wide beside = (rl_wide){0} + e; \\
            RL_EACH(k, V) { \\
                rl_wide z = __builtin_convertvector(((const rl_row_##X*) x)[k], rl_wide) * scale[k] - centre[k]; \\
                if (k >= V - 2) z = (rl_wide) (((rl_mask) z & keep[k]) | ((rl_mask) beside & target[k]) | (rl_mask) one[k]); \\
                if (f) z *= f[i]; \\
                ((rl_row_##T*) block)[k] = __builtin_convertvector(z, rl_row_##T); \\
            } \\
        } \\
    }

    /* How many of n rows may be read `width` numbers wide, for `last` is the end of the matrix, beyond which nothing is read. */
    #define RL_WHOLE(X) \\
    static inline Py_ssize_t rl_whole_##X(const X* x, const X* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t width) { \\
        const Py_ssize_t room = last - x - width; \\
        return room < 0 ? 0 : room / row + 1 < n ? room / row + 1 : n; \\
    }

    RL_WHOLE(double)
    RL_WHOLE(float)

    /* Whether the rows are narrow enough for that; if so, packed. */
    #define RL_PACK_BESIDE(X, T) \\
    RL_BESIDE(X, T, 1) RL_BESIDE(X, T, 2) RL_BESIDE(X, T, 3) RL_BESIDE(X, T, 4) \\
    static int rl_pack_beside_##X##_##T(const X* x, const X* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* y, \\
                                        const double* t, const double* m, const double* f, T* block, Py_ssize_t ld) { \\
        const Py_ssize_t width = (d + 2 + RL_LANES - 1) / RL_LANES, vectors = rl_whole_##X(x, last, row, n, width * RL_LANES); \\
        if (width > 4) return 0; \\
        if (width * RL_LANES < ld) rl_zero_##T(block + width * RL_LANES, vectors, ld - width * RL_LANES, ld); \\
        if (width == 1) rl_beside_##X##_##T##_1(x, row, vectors, d, y, t, m, f, block, ld); \\
        else if (width == 2) rl_beside_##X##_##T##_2(x, row, vectors, d, y, t, m, f, block, ld); \\
        else if (width == 3) rl_beside_##X##_##T##_3(x, row, vectors, d, y, t, m, f, block, ld); \\
        else rl_beside_##X##_##T##_4(x, row, vectors, d, y, t, m, f, block, ld); \\
        for (Py_ssize_t i = vectors; i < n; i++) { \\
            const double g = f ? f[i] : 1.0; \\
            T* to = block + i * ld; \\
            for (Py_ssize_t j = 0; j < d; j++) to[j] = (T) (g * (x[i * row + j] * t[j] - m[j])); \\
            to[d] = g != 0 ? (T) (g * (y[i] * t[d] - m[d])) : 0; \\
            to[d + 1] = (T) g; \\
            for (Py_ssize_t j = d + 2; j < ld; j++) to[j] = 0; \\
        } \\
        return 1; \\
    }

    /* The last rows of the matrix are taken one number at a time. */
    #define RL_PACK(X, T) \\
    RL_NARROW(X, T, 1) RL_NARROW(X, T, 2) RL_NARROW(X, T, 3) RL_NARROW(X, T, 4) \\
    static RL_FUSED void rl_pack_##X##_##T(const X* x, const X* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* t, \\
                                           const double* m, const double* f, T* block, Py_ssize_t ld) { \\
        const Py_ssize_t width = (d + RL_LANES - 1) / RL_LANES, whole = (width - 1) * RL_LANES; \\
        const Py_ssize_t vectors = rl_whole_##X(x, last, row, n, width * RL_LANES); \\
        rl_wide t_end[4] = {{0}}, m_end[4] = {{0}}; \\
        rl_mask keep = {0}; \\
        Py_ssize_t i = vectors; \\
        for (Py_ssize_t j = whole; j < d; j++) keep[j - whole] = -1; \\
        for (Py_ssize_t j = width <= 4 ? 0 : whole; j < d; j++) { \\
            const Py_ssize_t k = width <= 4 ? j : j - whole; \\
            t_end[k / RL_LANES][k % RL_LANES] = t[j]; \\
            m_end[k / RL_LANES][k % RL_LANES] = m[j]; \\
        } \\
        if (width * RL_LANES < ld) rl_zero_##T(block + width * RL_LANES, vectors, ld - width * RL_LANES, ld); \\
        if (width == 1) rl_narrow_##X##_##T##_1(x, row, vectors, t_end, m_end, keep, f, block, ld); \\
        else if (width == 2) rl_narrow_##X##_##T##_2(x, row, vectors, t_end, m_end, keep, f, block, ld); \\
        else if (width == 3) rl_narrow_##X##_##T##_3(x, row, vectors, t_end, m_end, keep, f, block, ld); \\
        else if (width == 4) rl_narrow_##X##_##T##_4(x, row, vectors, t_end, m_end, keep, f, block, ld); \\
        else { \\
            const rl_wide t_last = t_end[0], m_last = m_end[0]; \\
            for (i = 0; i < vectors; i++) { \\
                const X* from = x + i * row; \\
                T* to = block + i * ld; \\
                Py_ssize_t j = 0; \\
                rl_wide z; \\
                for (; j < whole; j += RL_LANES) { \\
                    z = __builtin_convertvector(*(const rl_row_##X*) (from + j), rl_wide); \\
                    z = z * *(const rl_wide*) (t + j) - *(const rl_wide*) (m + j); \\
                    if (f) z *= f[i]; \\
                    *(rl_row_##T*) (to + j) = __builtin_convertvector(z, rl_row_##T); \\
                } \\
                z = __builtin_convertvector(*(const rl_row_##X*) (from + j), rl_wide) * t_last - m_last; \\
                if (f) z *= f[i]; \\
                z = (rl_wide) ((rl_mask) z & keep); \\
                *(rl_row_##T*) (to + j) = __builtin_convertvector(z, rl_row_##T); \\
            } \\
        } \\
        for (; i < n; i++) { \\
            const double g = f ? f[i] : 1.0; \\
            T* to = block + i * ld; \\
            for (Py_ssize_t j = 0; j < d; j++) to[j] = (T) (g * (x[i * row + j] * t[j] - m[j])); \\
            for (Py_ssize_t j = d; j < ld; j++) to[j] = 0; \\
        } \\
    }

    /* Columns of x, `column` numbers apart, of n rows each. */
    #define RL_TRANSPOSE(X, T) \
    static RL_FUSED void rl_transpose_##X##_##T(const X* x, Py_ssize_t column, Py_ssize_t n, Py_ssize_t d, const double* t, \
                                       const double* m, const double* f, T* block, Py_ssize_t ld) { \
        for (Py_ssize_t j = 0; j < d; j += RL_LANES) { \
            const int width = d - j < RL_LANES ? (int) (d - j) : (int) RL_LANES; \
            rl_wide t_here = {0}, m_here = {0}; \
            Py_ssize_t i = 0; \
            for (int k = 0; k < width; k++) { t_here[k] = t[j + k]; m_here[k] = m[j + k]; } \
            for (; i + RL_LANES <= n; i += RL_LANES) { \
                rl_wide a[RL_LANES], b[RL_LANES]; \
                /* what the next block will ask for: more columns than the processor follows by itself */ \
                for (int k = 0; k < width; k++) __builtin_prefetch(x + (j + k) * column + i + n, 0, 2); \
                for (int k = 0; k < RL_LANES; k++) \
                    a[k] = k < width ? __builtin_convertvector(*(const rl_row_##X*) (x + (j + k) * column + i), rl_wide) : (rl_wide){0}; \
                for (int round = 1; round < RL_LANES; round *= 2) { \
                    for (int k = 0; k < RL_LANES / 2; k++) { \
                        b[2 * k] = __builtin_shufflevector(a[k], a[k + RL_LANES / 2], RL_LOW); \
                        b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + RL_LANES / 2], RL_HIGH); \
                    } \
                    for (int k = 0; k < RL_LANES; k++) a[k] = b[k]; \
                } \
                for (int k = 0; k < RL_LANES; k++) { \
                    const double g = f ? f[i + k] : 1.0; \
                    *(rl_row_##T*) (block + (i + k) * ld + j) = __builtin_convertvector(g * (a[k] * t_here - m_here), rl_row_##T); \
                } \
            } \
            for (; i < n; i++) { \
                const double g = f ? f[i] : 1.0; \
                for (int k = 0; k < RL_LANES; k++) \
                    block[i * ld + j + k] = k < width ? (T) (g * (x[(j + k) * column + i] * t[j + k] - m[j + k])) : 0; \
            } \
        } \
        for (Py_ssize_t i = 0; i < n; i++) \
            for (Py_ssize_t j = (d + RL_LANES - 1) / RL_LANES * RL_LANES; j < ld; j += RL_LANES) \
                *(rl_row_##T*) (block + i * ld + j) = (rl_row_##T){0}; \
    }

    /* Rows of a block times factors, into the rows of another, zeros beyond. */
    #define RL_SCALE(T) \\
    static RL_FUSED void rl_scale_##T(const double* x, Py_ssize_t n, Py_ssize_t width, const double* f, T* block, Py_ssize_t ld) { \\
        for (Py_ssize_t i = 0; i < n; i++, x += width, block += ld) { \\
            Py_ssize_t j = 0; \\
            for (; j < width; j += RL_LANES) \\
                *(rl_row_##T*) (block + j) = __builtin_convertvector(f[i] * *(const rl_wide*) (x + j), rl_row_##T); \\
            for (; j < ld; j += RL_LANES) *(rl_row_##T*) (block + j) = (rl_row_##T){0}; \\
        } \\
    }

    RL_SCALE(double)
    RL_SCALE(float)
    RL_PACK(double, double)
    RL_PACK(double, float)
    RL_PACK(float, double)
    RL_PACK(float, float)
    RL_PACK_BESIDE(double, double)
    RL_PACK_BESIDE(double, float)
    RL_PACK_BESIDE(float, double)
    RL_PACK_BESIDE(float, float)
    RL_TRANSPOSE(double, double)
    RL_TRANSPOSE(double, float)
    RL_TRANSPOSE(float, double)
    RL_TRANSPOSE(float, float)
    """
    void rl_touch(const char* p, const char* end) noexcept nogil
    void rl_pack_double_double(const double* x, const double* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* t,
                               const double* m, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    void rl_pack_double_float(const double* x, const double* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* t,
                              const double* m, const double* f, float* block, Py_ssize_t ld) noexcept nogil
    void rl_pack_float_double(const float* x, const float* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* t,
                              const double* m, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    void rl_pack_float_float(const float* x, const float* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* t,
                             const double* m, const double* f, float* block, Py_ssize_t ld) noexcept nogil
    bint rl_pack_beside_double_double(const double* x, const double* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* y,
                                      const double* t, const double* m, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    bint rl_pack_beside_double_float(const double* x, const double* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* y,
                                     const double* t, const double* m, const double* f, float* block, Py_ssize_t ld) noexcept nogil
    bint rl_pack_beside_float_double(const float* x, const float* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* y,
                                     const double* t, const double* m, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    bint rl_pack_beside_float_float(const float* x, const float* last, Py_ssize_t row, Py_ssize_t n, Py_ssize_t d, const double* y,
                                    const double* t, const double* m, const double* f, float* block, Py_ssize_t ld) noexcept nogil
    void rl_transpose_double_double(const double* x, Py_ssize_t column, Py_ssize_t n, Py_ssize_t d, const double* t,
                                    const double* m, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    void rl_transpose_double_float(const double* x, Py_ssize_t column, Py_ssize_t n, Py_ssize_t d, const double* t,
                                   const double* m, const double* f, float* block, Py_ssize_t ld) noexcept nogil
    void rl_transpose_float_double(const float* x, Py_ssize_t column, Py_ssize_t n, Py_ssize_t d, const double* t,
                                   const double* m, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    void rl_transpose_float_float(const float* x, Py_ssize_t column, Py_ssize_t n, Py_ssize_t d, const double* t,
                                  const double* m, const double* f, float* block, Py_ssize_t ld) noexcept nogil
    void rl_scale_double(const double* x, Py_ssize_t n, Py_ssize_t width, const double* f, double* block, Py_ssize_t ld) noexcept nogil
    void rl_scale_float(const double* x, Py_ssize_t n, Py_ssize_t width, const double* f, float* block, Py_ssize_t ld) noexcept nogil


ctypedef struct Rows:
    Py_ssize_t n         # rows
    Py_ssize_t d         # columns
    const double* wide   # the first entry of a float64 matrix, else NULL
    const float* narrow  # and of a float32 one
    const double* wide_last
    const float* narrow_last
    Py_ssize_t row       # numbers from one row to the next; 1 in Fortran order
    Py_ssize_t column    # numbers from one column to the next; 1 in C order
    bint sparse          # only some entries are stored, and the fields above but n and d hold nothing
    Stored stored


cdef inline Rows rows_of(object X) except *:
    """The rows of an ndarray (n, d) or of `SparseRows`; the caller keeps it alive."""
    cdef const double[:, :] wide
    cdef const float[:, :] narrow
    cdef Rows rows
    cdef Py_ssize_t size
    rows.wide = rows.wide_last = NULL
    rows.narrow = rows.narrow_last = NULL
    rows.sparse = not PyObject_CheckBuffer(X)
    if rows.sparse:
        rows.stored = stored_of(X)
        rows.n, rows.d = X.shape
        rows.row = rows.column = 0
        return rows
    size = X.itemsize
    if size == sizeof(double):
        wide = X
        rows.n, rows.d, rows.row, rows.column = wide.shape[0], wide.shape[1], wide.strides[0], wide.strides[1]
        if rows.n and rows.d:
            rows.wide = &wide[0, 0]
            rows.wide_last = &wide[rows.n - 1, rows.d - 1] + 1
    else:
        narrow = X
        rows.n, rows.d, rows.row, rows.column = narrow.shape[0], narrow.shape[1], narrow.strides[0], narrow.strides[1]
        if rows.n and rows.d:
            rows.narrow = &narrow[0, 0]
            rows.narrow_last = &narrow[rows.n - 1, rows.d - 1] + 1
    if rows.row % size or rows.column % size:
        raise ValueError("the entries of X are not aligned")
    rows.row //= size
    rows.column //= size
    # a single row or column may have any stride
    if rows.d <= 1:
        rows.column = 1
    if rows.n <= 1:
        rows.row = rows.d if rows.column == 1 else 1
    if not (rows.column == 1 and (rows.row >= rows.d) or rows.row == 1 and rows.column >= rows.n):
        raise ValueError("X must have adjacent columns or adjacent rows")
    return rows


cdef inline void pack(const Rows* X, Py_ssize_t start, Py_ssize_t n, const double* t, const double* m, const double* f,
                      real* block, Py_ssize_t ld) noexcept nogil:
    """Fill block (n, ld) from the rows start, ..., start + n - 1; t and m have d entries, f has n or is NULL for ones."""
    cdef Py_ssize_t i, j
    if X.d == 0:
        for i in range(n):
            for j in range(ld):
                block[i * ld + j] = 0
    elif X.sparse:
        if real is double:
            rl_stored_pack_wide(&X.stored, start, n, X.d, t, m, f, block, ld)
        else:
            rl_stored_pack_narrow(&X.stored, start, n, X.d, t, m, f, block, ld)
    elif X.column == 1:
        if real is double:
            if X.wide != NULL:
                rl_pack_double_double(X.wide + start * X.row, X.wide_last, X.row, n, X.d, t, m, f, block, ld)
            else:
                rl_pack_float_double(X.narrow + start * X.row, X.narrow_last, X.row, n, X.d, t, m, f, block, ld)
        else:
            if X.wide != NULL:
                rl_pack_double_float(X.wide + start * X.row, X.wide_last, X.row, n, X.d, t, m, f, block, ld)
            else:
                rl_pack_float_float(X.narrow + start * X.row, X.narrow_last, X.row, n, X.d, t, m, f, block, ld)
    elif real is double:
        if X.wide != NULL:
            rl_transpose_double_double(X.wide + start, X.column, n, X.d, t, m, f, block, ld)
        else:
            rl_transpose_float_double(X.narrow + start, X.column, n, X.d, t, m, f, block, ld)
    else:
        if X.wide != NULL:
            rl_transpose_double_float(X.wide + start, X.column, n, X.d, t, m, f, block, ld)
        else:
            rl_transpose_float_float(X.narrow + start, X.column, n, X.d, t, m, f, block, ld)


cdef inline bint pack_beside(const Rows* X, Py_ssize_t start, Py_ssize_t n, const double* y, const double* t, const double* m,
                             const double* f, real* block, Py_ssize_t ld) noexcept nogil:
    """The same with two columns more: a target y (n), for which t and m have an entry more, and ones, both times f.

    False, and nothing packed, where the rows are too wide for it, sparse or in Fortran order.
    """
    if X.d == 0 or X.sparse or X.column != 1:
        return False
    if real is double:
        if X.wide != NULL:
            return rl_pack_beside_double_double(X.wide + start * X.row, X.wide_last, X.row, n, X.d, y, t, m, f, block, ld)
        return rl_pack_beside_float_double(X.narrow + start * X.row, X.narrow_last, X.row, n, X.d, y, t, m, f, block, ld)
    else:
        if X.wide != NULL:
            return rl_pack_beside_double_float(X.wide + start * X.row, X.wide_last, X.row, n, X.d, y, t, m, f, block, ld)
        return rl_pack_beside_float_float(X.narrow + start * X.row, X.narrow_last, X.row, n, X.d, y, t, m, f, block, ld)


cdef inline void scale_rows(const double* x, Py_ssize_t n, Py_ssize_t width, const double* f, real* block, Py_ssize_t ld) noexcept nogil:
    """block (n, ld) = f_i x_i for the rows of x (n, width), zeros beyond; in double block may be x."""
    if real is double:
        rl_scale_double(x, n, width, f, block, ld)
    else:
        rl_scale_float(x, n, width, f, block, ld)


cdef inline Span memory_of(const Rows* X, Py_ssize_t start, Py_ssize_t n) noexcept nogil:
    """Where the rows start, ..., start + n - 1 lie, if they lie together; else an empty span."""
    cdef Span span
    span.begin = span.end = <const char*> (X.wide if X.wide != NULL else <const void*> X.narrow)
    if X.column == 1 and X.row < 2 * X.d and start < X.n:
        n = min(n, X.n - start)
        span.begin += start * X.row * (8 if X.wide != NULL else 4)
        span.end = span.begin + n * X.row * (8 if X.wide != NULL else 4)
    return span


cdef inline void touch(Span span) noexcept nogil:
    """Bring a cache block of rows into the cache at the speed of the memory, for loops that do not read it in order."""
    rl_touch(span.begin, span.end)


cdef inline double entry(const Rows* X, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    """x_ij."""
    cdef Py_ssize_t k = i * X.row + j * X.column
    return X.wide[k] if X.wide != NULL else <double> X.narrow[k]
