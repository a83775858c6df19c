"""Vectors of numbers, as wide as the instruction set has them: GCC's and Clang's portable extension.

The width follows the flags that a file is compiled with.  Loads and stores need no alignment.  Two ways of rounding are needed side by
side: error-free transformations rely on every operation rounding once as written, while sums of products are faster and no worse with
fused multiply-adds; contraction is therefore off for the files, and on for the functions marked RL_FUSED.
"""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #ifndef RL_LANES_
    #define RL_LANES_

    #if defined(__AVX512F__)
    #define RL_BYTES 64
    #define RL_LANES 8
    #define RL_EVEN 0, 2, 4, 6, 8, 10, 12, 14
    #define RL_ODD 1, 3, 5, 7, 9, 11, 13, 15
    #define RL_LOW 0, 8, 1, 9, 2, 10, 3, 11
    #define RL_HIGH 4, 12, 5, 13, 6, 14, 7, 15
    #elif defined(__AVX__)
    #define RL_BYTES 32
    #define RL_LANES 4
    #define RL_EVEN 0, 2, 4, 6
    #define RL_ODD 1, 3, 5, 7
    #define RL_LOW 0, 4, 1, 5
    #define RL_HIGH 2, 6, 3, 7
    #else
    #define RL_BYTES 16
    #define RL_LANES 2
    #define RL_EVEN 0, 2
    #define RL_ODD 1, 3
    #define RL_LOW 0, 2
    #define RL_HIGH 1, 3
    #endif

    #if defined(__GNUC__) && !defined(__clang__)
    #define RL_FUSED __attribute__((noinline, optimize("fp-contract=fast")))
    #define RL_CONTRACT
    #else
    #define RL_FUSED __attribute__((noinline))
    #define RL_CONTRACT _Pragma("STDC FP_CONTRACT ON")
    #endif
    #define RL_EACH(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

    /* whole vectors of either type; half a vector; as many numbers of either type as there are doubles in a vector */
    typedef double rl_vector_double __attribute__((vector_size(RL_BYTES), aligned(8), may_alias));
    typedef float rl_vector_float __attribute__((vector_size(RL_BYTES), aligned(4), may_alias));
    typedef double rl_half_double __attribute__((vector_size(RL_BYTES / 2), aligned(8), may_alias));
    typedef float rl_half_float __attribute__((vector_size(RL_BYTES / 2), aligned(4), may_alias));
    typedef double rl_wide __attribute__((vector_size(RL_BYTES), aligned(8), may_alias));
    typedef double rl_row_double __attribute__((vector_size(RL_BYTES), aligned(8), may_alias));
    typedef float rl_row_float __attribute__((vector_size(RL_BYTES / 2), aligned(4), may_alias));
    typedef int64_t rl_mask __attribute__((vector_size(RL_BYTES), aligned(8), may_alias));

    /* a where the comparison holds, else b */
    #define RL_CHOOSE(test, a, b) ((rl_wide) (((rl_mask) (test) & (rl_mask) (a)) | (~(rl_mask) (test) & (rl_mask) (b))))

    /* The sums of RL_LANES vectors, one in each lane: neighbours are added in rounds. */
    #define RL_NEIGHBOURS(a, b) (__builtin_shufflevector(a, b, RL_EVEN) + __builtin_shufflevector(a, b, RL_ODD))
    static inline rl_wide rl_sums(rl_wide* v) {
        for (int n = RL_LANES / 2; n >= 1; n /= 2) RL_EACH(k, n) v[k] = RL_NEIGHBOURS(v[2 * k], v[2 * k + 1]);
        return v[0];
    }

    /* sum_k by_k v_k of eight vectors. */
    #define RL_EIGHT(v, by) ((by[0] * v[0] + by[1] * v[1] + by[2] * v[2] + by[3] * v[3]) \\
                             + (by[4] * v[4] + by[5] * v[5] + by[6] * v[6] + by[7] * v[7]))
    #endif
    """
    enum:
        LANES "RL_LANES"
