"""Products of a packed block with itself and with vectors: register tiles over the vector unit.

A block P holds m rows of `ld` numbers, ld a multiple of `pad` of its type, zeros beyond its columns.

    gram      C += P'P            lower triangle, in tiles of ROWS x 3 vectors that stay in registers over all m rows
    predict   z  = P theta
    combine   g  = P'r

A tile reads three vectors of the row and broadcasts ROWS numbers for 3 ROWS fused multiply-adds: enough independent sums to hide their
latency, and few enough to fit the register file (24 of 32 with AVX-512; 12 of 16 below). For d above the tile this runs at the speed of
a large matrix product, which a BLAS rank-k update of a tall, narrow block does not reach. (Goto and van de Geijn 2008, ACM TOMS 34.)

The vectors are GCC's and Clang's portable extension: the width follows the instruction set the file is compiled for. Contraction to fused
multiply-adds is switched on for these functions alone.
"""
from blas cimport real

cdef extern from *:
    """
    #if defined(__AVX512F__)
    #define RL_BYTES 64
    #define RL_ROWS 8
    #elif defined(__AVX__)
    #define RL_BYTES 32
    #define RL_ROWS 4
    #else
    #define RL_BYTES 16
    #define RL_ROWS 4
    #endif

    #if defined(__GNUC__) && !defined(__clang__)
    #define RL_FUSED __attribute__((optimize("fp-contract=fast")))
    #define RL_CONTRACT
    #else
    #define RL_FUSED
    #define RL_CONTRACT _Pragma("STDC FP_CONTRACT ON")
    #endif
    #define RL_EACH(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

    typedef double rl_vector_double __attribute__((vector_size(RL_BYTES), aligned(8), may_alias));
    typedef float rl_vector_float __attribute__((vector_size(RL_BYTES), aligned(4), may_alias));

    #define RL_TILE(T, J) \\
    static RL_FUSED void rl_tile_##T##_##J(const T* a, const T* b, Py_ssize_t m, Py_ssize_t ld, T* C, Py_ssize_t ldc) { \\
        RL_CONTRACT \\
        rl_vector_##T acc[RL_ROWS][J], x[J]; \\
        RL_EACH(i, RL_ROWS) RL_EACH(j, J) acc[i][j] = (rl_vector_##T){0}; \\
        for (Py_ssize_t r = 0; r < m; r++, a += ld, b += ld) { \\
            RL_EACH(j, J) x[j] = ((const rl_vector_##T*) b)[j]; \\
            RL_EACH(i, RL_ROWS) RL_EACH(j, J) acc[i][j] += a[i] * x[j]; \\
        } \\
        RL_EACH(i, RL_ROWS) RL_EACH(j, J) ((rl_vector_##T*) (C + i * ldc))[j] += acc[i][j]; \\
    }

    #define RL_KERNELS(T) \\
    RL_TILE(T, 1) RL_TILE(T, 2) RL_TILE(T, 3) \\
    static void rl_gram_##T(const T* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, T* C) { \\
        const Py_ssize_t lanes = RL_BYTES / (Py_ssize_t) sizeof(T); \\
        for (Py_ssize_t i = 0; i < n; i += RL_ROWS) { \\
            Py_ssize_t width = (i + RL_ROWS + lanes - 1) / lanes, j = 0; \\
            T* row = C + i * ld; \\
            for (; j + 3 <= width; j += 3) rl_tile_##T##_3(P + i, P + j * lanes, m, ld, row + j * lanes, ld); \\
            if (width - j == 2) rl_tile_##T##_2(P + i, P + j * lanes, m, ld, row + j * lanes, ld); \\
            if (width - j == 1) rl_tile_##T##_1(P + i, P + j * lanes, m, ld, row + j * lanes, ld); \\
        } \\
    } \\
    static RL_FUSED void rl_predict_##T(const T* P, Py_ssize_t m, Py_ssize_t ld, const T* theta, T* z) { \\
        RL_CONTRACT \\
        const Py_ssize_t lanes = RL_BYTES / (Py_ssize_t) sizeof(T), width = ld / lanes; \\
        const rl_vector_##T* t = (const rl_vector_##T*) theta; \\
        for (Py_ssize_t i = 0; i < m; i++) { \\
            const rl_vector_##T* row = (const rl_vector_##T*) (P + i * ld); \\
            rl_vector_##T even = {0}, odd = {0}; \\
            T sum = 0; \\
            Py_ssize_t j = 0; \\
            for (; j + 2 <= width; j += 2) { even += row[j] * t[j]; odd += row[j + 1] * t[j + 1]; } \\
            if (j < width) even += row[j] * t[j]; \\
            even += odd; \\
            for (Py_ssize_t k = 0; k < lanes; k++) sum += even[k]; \\
            z[i] = sum; \\
        } \\
    } \\
    static RL_FUSED void rl_combine_##T(const T* P, Py_ssize_t m, Py_ssize_t ld, const T* r, T* g) { \\
        RL_CONTRACT \\
        const Py_ssize_t lanes = RL_BYTES / (Py_ssize_t) sizeof(T), width = ld / lanes; \\
        for (Py_ssize_t j = 0; j < width; j++) { \\
            rl_vector_##T even = {0}, odd = {0}; \\
            const T* column = P + j * lanes; \\
            Py_ssize_t i = 0; \\
            for (; i + 2 <= m; i += 2) { \\
                even += r[i] * *(const rl_vector_##T*) (column + i * ld); \\
                odd += r[i + 1] * *(const rl_vector_##T*) (column + (i + 1) * ld); \\
            } \\
            if (i < m) even += r[i] * *(const rl_vector_##T*) (column + i * ld); \\
            ((rl_vector_##T*) g)[j] = even + odd; \\
        } \\
    }

    RL_KERNELS(double)
    RL_KERNELS(float)
    """
    void rl_gram_double(const double* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, double* C) noexcept nogil
    void rl_gram_float(const float* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, float* C) noexcept nogil
    void rl_predict_double(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, double* z) noexcept nogil
    void rl_predict_float(const float* P, Py_ssize_t m, Py_ssize_t ld, const float* theta, float* z) noexcept nogil
    void rl_combine_double(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, double* g) noexcept nogil
    void rl_combine_float(const float* P, Py_ssize_t m, Py_ssize_t ld, const float* r, float* g) noexcept nogil


cdef inline Py_ssize_t pad(Py_ssize_t n, Py_ssize_t itemsize) noexcept nogil:
    """The smallest multiple of a 64-byte vector's length that holds n numbers."""
    cdef Py_ssize_t lanes = 64 // itemsize
    return (n + lanes - 1) // lanes * lanes


cdef inline void gram(const real* P, Py_ssize_t m, Py_ssize_t n, Py_ssize_t ld, real* C) noexcept nogil:
    """The lower triangle of C (ld x ld; its first n rows and columns matter) += P'P; m n (n + 1) flops."""
    if real is double:
        rl_gram_double(P, m, n, ld, C)
    else:
        rl_gram_float(P, m, n, ld, C)


cdef inline void predict(const real* P, Py_ssize_t m, Py_ssize_t ld, const real* theta, real* z) noexcept nogil:
    """z (m) = P theta; theta has ld entries, zeros beyond the columns."""
    if real is double:
        rl_predict_double(P, m, ld, theta, z)
    else:
        rl_predict_float(P, m, ld, theta, z)


cdef inline void combine(const real* P, Py_ssize_t m, Py_ssize_t ld, const real* r, real* g) noexcept nogil:
    """g (ld) = P'r."""
    if real is double:
        rl_combine_double(P, m, ld, r, g)
    else:
        rl_combine_float(P, m, ld, r, g)
