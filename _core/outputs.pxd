"""Products of a packed block with several vectors at once: what a loss of c outputs per row needs.

A block P holds m rows of `ld` numbers, ld a multiple of 64 bytes, zeros beyond its columns.

    predict_outputs   z_k = P theta_k     for theta (c, ld) and z (c, step)
    combine_outputs   g_k = P'r_k         for r (c, step) and g (c, ld)

Small matrix products in register tiles.  The first multiplies four rows with OUTPUTS vectors, along the columns, for 4 OUTPUTS sums whose
lanes are added up at the end: a number is summed as `predict` sums it, whatever stands beside it.  The second holds up to TALL outputs by
three vectors of columns over all rows, as `gram` does.  Either way a loaded vector serves several multiply-adds, where one vector at a
time would wait for the cache.
"""
from lanes cimport LANES

cdef extern from *:
    """
    #if RL_BYTES == 64
    #define RL_EACH_WIDTH(DO) DO(6) DO(4) DO(2)
    #define RL_OUTPUTS 6
    #define RL_TALL 8
    #else
    #define RL_EACH_WIDTH(DO) DO(2)
    #define RL_OUTPUTS 2
    #define RL_TALL 4
    #endif

    /* `outputs` <= K of them; the last stands in for those beyond it, and so does the last row. */
    #define RL_PREDICT_OUTPUTS(K) \\
    static RL_FUSED void rl_predict_outputs_##K(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, int outputs, \\
                                                double* z, Py_ssize_t step) { \\
        RL_CONTRACT \\
        const double* by[K]; \\
        RL_EACH(k, K) by[k] = theta + (k < outputs ? k : outputs - 1) * ld; \\
        for (Py_ssize_t i = 0; i < m; i += 4) { \\
            const double* row[4]; \\
            double flat[4 * K]; \\
            rl_wide sum[4 * K]; \\
            RL_EACH(r, 4) row[r] = P + (i + r < m ? i + r : m - 1) * ld; \\
            RL_EACH(k, K) RL_EACH(r, 4) sum[4 * k + r] = (rl_wide){0}; \\
            for (Py_ssize_t j = 0; j < ld; j += RL_LANES) { \\
                rl_wide x[4]; \\
                RL_EACH(r, 4) x[r] = *(const rl_wide*) (row[r] + j); \\
                RL_EACH(k, K) { \\
                    const rl_wide t = *(const rl_wide*) (by[k] + j); \\
                    RL_EACH(r, 4) sum[4 * k + r] += x[r] * t; \\
                } \\
            } \\
            RL_EACH(s, 4 * K / RL_LANES) *(rl_wide*) (flat + s * RL_LANES) = rl_sums(sum + s * RL_LANES); \\
            if (i + 4 <= m) for (int k = 0; k < outputs; k++) RL_EACH(r, 4) z[k * step + i + r] = flat[4 * k + r]; \\
            else for (int k = 0; k < outputs; k++) for (int r = 0; i + r < m; r++) z[k * step + i + r] = flat[4 * k + r]; \\
        } \\
    }
    RL_EACH_WIDTH(RL_PREDICT_OUTPUTS)

    static void rl_predict_outputs(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, Py_ssize_t c, double* z,
                                   Py_ssize_t step) {
        while (c > 0) {
            const int k = c < RL_OUTPUTS ? (int) c : RL_OUTPUTS;
    #if RL_OUTPUTS > 2
            if (k > 4) rl_predict_outputs_6(P, m, ld, theta, k, z, step);
            else if (k > 2) rl_predict_outputs_4(P, m, ld, theta, k, z, step);
            else
    #endif
            rl_predict_outputs_2(P, m, ld, theta, k, z, step);
            c -= k; theta += k * ld; z += k * step;
        }
    }

    /* K outputs by J vectors of columns. */
    #define RL_COMBINE_TILE(K, J) \\
    static RL_FUSED void rl_combine_outputs_##K##_##J(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, Py_ssize_t step, \\
                                                      double* g) { \\
        RL_CONTRACT \\
        rl_wide acc[K][J], x[J]; \\
        RL_EACH(k, K) RL_EACH(j, J) acc[k][j] = (rl_wide){0}; \\
        for (Py_ssize_t i = 0; i < m; i++, P += ld, r++) { \\
            RL_EACH(j, J) x[j] = *(const rl_wide*) (P + j * RL_LANES); \\
            RL_EACH(k, K) RL_EACH(j, J) acc[k][j] += r[k * step] * x[j]; \\
        } \\
        RL_EACH(k, K) RL_EACH(j, J) *(rl_wide*) (g + k * ld + j * RL_LANES) = acc[k][j]; \\
    }
    #define RL_COMBINE_COLUMNS(J) \\
    RL_COMBINE_TILE(8, J) RL_COMBINE_TILE(4, J) RL_COMBINE_TILE(2, J) RL_COMBINE_TILE(1, J) \\
    static void rl_combine_columns_##J(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, Py_ssize_t step, Py_ssize_t c, \\
                                       double* g) { \\
        Py_ssize_t k = 0; \\
        if (RL_TALL == 8) for (; k + 8 <= c; k += 8) rl_combine_outputs_8_##J(P, m, ld, r + k * step, step, g + k * ld); \\
        for (; k + 4 <= c; k += 4) rl_combine_outputs_4_##J(P, m, ld, r + k * step, step, g + k * ld); \\
        for (; k + 2 <= c; k += 2) rl_combine_outputs_2_##J(P, m, ld, r + k * step, step, g + k * ld); \\
        for (; k < c; k++) rl_combine_outputs_1_##J(P, m, ld, r + k * step, step, g + k * ld); \\
    }
    RL_COMBINE_COLUMNS(3)
    RL_COMBINE_COLUMNS(2)
    RL_COMBINE_COLUMNS(1)

    static void rl_combine_outputs(
        const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, Py_ssize_t step, Py_ssize_t c, double* g
    ) {
        Py_ssize_t j = 0;
        for (; j + 3 * RL_LANES <= ld; j += 3 * RL_LANES) rl_combine_columns_3(P + j, m, ld, r, step, c, g + j);
        if (ld - j == 2 * RL_LANES) rl_combine_columns_2(P + j, m, ld, r, step, c, g + j);
        if (ld - j == RL_LANES) rl_combine_columns_1(P + j, m, ld, r, step, c, g + j);
    }
    """
    void rl_predict_outputs(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, Py_ssize_t c, double* z,
                            Py_ssize_t step) noexcept nogil
    void rl_combine_outputs(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, Py_ssize_t step, Py_ssize_t c,
                            double* g) noexcept nogil


cdef inline void predict_outputs(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* theta, Py_ssize_t c, double* z,
                                 Py_ssize_t step) noexcept nogil:
    """z_k (m numbers, at z + k step) = P theta_k; the rows of theta have ld entries, zeros beyond the columns."""
    rl_predict_outputs(P, m, ld, theta, c, z, step)


cdef inline void combine_outputs(const double* P, Py_ssize_t m, Py_ssize_t ld, const double* r, Py_ssize_t step, Py_ssize_t c,
                                 double* g) noexcept nogil:
    """g_k (ld numbers, at g + k ld) = P'r_k, with r_k at r + k step."""
    rl_combine_outputs(P, m, ld, r, step, c, g)
