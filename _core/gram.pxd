"""Products of a packed block with itself and with vectors: register tiles over the vector unit.

A block P holds m rows of `ld` numbers, ld a multiple of `pad` of its type, zeros beyond its columns; float64, or float32 for `gram`.

    gram      C += P'P            lower triangle, in tiles of ROWS x 3 vectors that stay in registers over all m rows,
                                  and half tiles on the diagonal
    predict   z  = P theta
    combine   g  = P'r

A tile reads three vectors of the row and broadcasts ROWS numbers for 3 ROWS fused multiply-adds: enough independent sums to hide their
latency, and few enough to fit the register file (24 of 32 with AVX-512; 12 of 16 below). For d above the tile this runs at the speed of
a large matrix product, which a BLAS rank-k update of a tall, narrow block does not reach. (Goto and van de Geijn 2008, ACM TOMS 34.)
"""
from formats cimport real
from lanes cimport LANES

cdef extern from *:
    """
    #if RL_BYTES == 64
    #define RL_ROWS 8
    #else
    #define RL_ROWS 4
    #endif
    #define RL_HALF (RL_ROWS / 2)
    /* Columns at a time, whose part of the block stays in the second-level cache while all rows of C pass: whole tiles of either type. */
    #define RL_PANEL 192

    /* What will be packed next: every row that a tile reads also asks for a line of it. */
    typedef struct { const char* line; const char* end; } rl_ahead;

    /* R rows of C by J vectors V of its columns. */
    #define RL_TILE(NAME, T, V, R, J) \\
    static RL_FUSED void NAME(const T* a, const T* b, Py_ssize_t m, Py_ssize_t ld, T* C, rl_ahead* ahead) { \\
        RL_CONTRACT \\
        V acc[R][J], x[J]; \\
        const char* line = ahead->line; \\
        const Py_ssize_t step = line < ahead->end ? 64 : 0; \\
        /* where C is too large for a cache, its part arrives while the products are formed */ \\
        RL_EACH(i, R) RL_EACH(j, J) __builtin_prefetch((const V*) (C + i * ld) + j, 1, 3); \\
        RL_EACH(i, R) RL_EACH(j, J) acc[i][j] = (V){0}; \\
        for (Py_ssize_t r = 0; r < m; r++, a += ld, b += ld) { \\
            __builtin_prefetch(line, 0, 2); \\
            line += step; \\
            RL_EACH(j, J) x[j] = ((const V*) b)[j]; \\
            RL_EACH(i, R) RL_EACH(j, J) acc[i][j] += a[i] * x[j]; \\
        } \\
        ahead->line = line; \\
        RL_EACH(i, R) RL_EACH(j, J) ((V*) (C + i * ld))[j] += acc[i][j]; \\
    }

    /* The square on the diagonal where it is one vector wide: of its upper rows only the left half. */
    #define RL_SQUARE(T) \\
    static RL_FUSED void rl_square_##T(const T* a, Py_ssize_t m, Py_ssize_t ld, T* C, rl_ahead* ahead) { \\
        RL_CONTRACT \\
        rl_half_##T upper[RL_HALF]; \\
        rl_vector_##T lower[RL_HALF]; \\
        const char* line = ahead->line; \\
        const Py_ssize_t step = line < ahead->end ? 64 : 0; \\
        RL_EACH(i, RL_HALF) { upper[i] = (rl_half_##T){0}; lower[i] = (rl_vector_##T){0}; } \\
        for (Py_ssize_t r = 0; r < m; r++, a += ld) { \\
            const rl_half_##T x = *(const rl_half_##T*) a; \\
            const rl_vector_##T y = *(const rl_vector_##T*) a; \\
            __builtin_prefetch(line, 0, 2); \\
            line += step; \\
            RL_EACH(i, RL_HALF) { upper[i] += a[i] * x; lower[i] += a[RL_HALF + i] * y; } \\
        } \\
        ahead->line = line; \\
        RL_EACH(i, RL_HALF) { \\
            *(rl_half_##T*) (C + i * ld) += upper[i]; \\
            *(rl_vector_##T*) (C + (RL_HALF + i) * ld) += lower[i]; \\
        } \\
    }

    /* Rows i, ..., i + R - 1 of C, R = RL_ROWS or RL_HALF (NAME all or some), from a column to another or to the diagonal. */
    #define RL_GROUP(T, NAME, R) \\
    RL_TILE(rl_##NAME##_1_##T, T, rl_vector_##T, R, 1) \\
    RL_TILE(rl_##NAME##_2_##T, T, rl_vector_##T, R, 2) \\
    RL_TILE(rl_##NAME##_3_##T, T, rl_vector_##T, R, 3) \\
    RL_TILE(rl_##NAME##_half_##T, T, rl_half_##T, R, 1) \\
    static void rl_##NAME##_##T(const T* P, Py_ssize_t i, Py_ssize_t from, Py_ssize_t to, Py_ssize_t m, Py_ssize_t ld, T* C, \\
                                rl_ahead* ahead) { \\
        const Py_ssize_t lanes = RL_BYTES / (Py_ssize_t) sizeof(T), columns = i + R < to ? i + R : to, rest = columns % lanes; \\
        const int square = R == RL_ROWS && R == lanes && i + R <= to; \\
        const Py_ssize_t width = columns / lanes + (rest > lanes / 2) - square; \\
        T* row = C + i * ld; \\
        Py_ssize_t j = from / lanes; \\
        for (; j + 3 <= width; j += 3) rl_##NAME##_3_##T(P + i, P + j * lanes, m, ld, row + j * lanes, ahead); \\
        if (width - j == 2) rl_##NAME##_2_##T(P + i, P + j * lanes, m, ld, row + j * lanes, ahead); \\
        if (width - j == 1) rl_##NAME##_1_##T(P + i, P + j * lanes, m, ld, row + j * lanes, ahead); \\
        if (square) rl_square_##T(P + i, m, ld, row + i, ahead); \\
        else if (rest > 0 && rest <= lanes / 2) \\
            rl_##NAME##_half_##T(P + i, P + width * lanes, m, ld, row + width * lanes, ahead); \\
    }

    #define RL_KERNELS(T) \\
    RL_SQUARE(T) RL_GROUP(T, all, RL_ROWS) RL_GROUP(T, some, RL_HALF) \\
    static void rl_gram_##T(const T* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, T* C, const char* next, const char* end) { \\
        rl_ahead ahead = {next, end}; \\
        for (Py_ssize_t from = 0; from < n; from += RL_PANEL) { \\
            const Py_ssize_t to = from + RL_PANEL; \\
            Py_ssize_t i = from; \\
            for (; n - i > RL_HALF; i += RL_ROWS) rl_all_##T(P, i, from, to, m, ld, C, &ahead); \\
            if (n - i > 0) rl_some_##T(P, i, from, to, m, ld, C, &ahead); \\
        } \\
    }

    RL_KERNELS(double)
    RL_KERNELS(float)

    /* As many rows at a time as a vector has lanes. */
    static RL_FUSED void rl_predict(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, double* z) {
        RL_CONTRACT
        for (Py_ssize_t i = 0; i < m; i += RL_LANES) {
            rl_wide sum[RL_LANES];
            const double* row[RL_LANES];
            RL_EACH(k, RL_LANES) { row[k] = P + (i + k < m ? i + k : m - 1) * ld; sum[k] = (rl_wide){0}; }
            for (Py_ssize_t j = 0; j < ld; j += RL_LANES) {
                const rl_wide by = *(const rl_wide*) (theta + j);
                RL_EACH(k, RL_LANES) sum[k] += *(const rl_wide*) (row[k] + j) * by;
            }
            sum[0] = rl_sums(sum);
            if (i + RL_LANES <= m) *(rl_wide*) (z + i) = sum[0];
            else for (Py_ssize_t k = 0; i + k < m; k++) z[i + k] = sum[0][k];
        }
    }

    /* Eight rows at a time; where there are fewer, the last counts for nothing more. */
    static RL_FUSED void rl_combine(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, double* g) {
        RL_CONTRACT
        for (Py_ssize_t j = 0; j < ld; j += RL_LANES) *(rl_wide*) (g + j) = (rl_wide){0};
        for (Py_ssize_t i = 0; i < m; i += 8) {
            const double* row[8];
            double by[8];
            RL_EACH(k, 8) { row[k] = P + (i + k < m ? i + k : m - 1) * ld; by[k] = i + k < m ? r[i + k] : 0.0; }
            for (Py_ssize_t j = 0; j < ld; j += RL_LANES) {
                rl_wide v[8];
                RL_EACH(k, 8) v[k] = *(const rl_wide*) (row[k] + j);
                *(rl_wide*) (g + j) += RL_EIGHT(v, by);
            }
        }
    }
    """
    void rl_gram_double(const double* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, double* C, const char* next,
                        const char* end) noexcept nogil
    void rl_gram_float(const float* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, float* C, const char* next,
                       const char* end) noexcept nogil
    void rl_predict(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, double* z) noexcept nogil
    void rl_combine(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, double* g) noexcept nogil


ctypedef struct Span:
    const char* begin
    const char* end


cdef inline Py_ssize_t pad(Py_ssize_t n, Py_ssize_t itemsize) noexcept nogil:
    """The smallest multiple of a 64-byte vector's length that holds n numbers."""
    cdef Py_ssize_t lanes = 64 // itemsize
    return (n + lanes - 1) // lanes * lanes


cdef inline void gram(const real* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, real* C, Span ahead) noexcept nogil:
    """The lower triangle of C (ld x ld; its first n rows and columns matter) += P'P; m n (n + 1) flops.

    Meanwhile the memory `ahead` is brought into the cache: what the next block is packed from. Without that the processor would wait for
    memory while it packs, and memory for the processor while it multiplies.
    """
    if real is double:
        rl_gram_double(P, m, n, ld, C, ahead.begin, ahead.end)
    else:
        rl_gram_float(P, m, n, ld, C, ahead.begin, ahead.end)


cdef inline void predict(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, double* z) noexcept nogil:
    """z (m) = P theta; theta has ld entries, zeros beyond the columns; a row's sum does not depend on the rows beside it."""
    rl_predict(P, m, ld, theta, z)


cdef inline void combine(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, double* g) noexcept nogil:
    """g (ld) = P'r."""
    rl_combine(P, m, ld, r, g)
