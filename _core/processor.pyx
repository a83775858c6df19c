"""The instruction sets beyond the baseline that were compiled and that this machine runs.

GCC and Clang have `__builtin_cpu_supports`, which also asks whether the operating system saves the registers
of a set (XGETBV).
meson.build gives the two lists of names as macros.
"""

cdef extern from *:
    """
    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    static int ridgeline_runs_avx2(void) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
            && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    }
    static int ridgeline_runs_avx512(void) {
        return ridgeline_runs_avx2()
            && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    }
    #else
    static int ridgeline_runs_avx2(void) { return 0; }
    static int ridgeline_runs_avx512(void) { return 0; }
    #endif
    """
    bint ridgeline_runs_avx2()
    bint ridgeline_runs_avx512()
    const char* RIDGELINE_SETS
    const char* RIDGELINE_IN_EVERY_SET


def instruction_sets():
    """Names of the sets that were compiled and run here, the widest last; "baseline" is always the first."""
    runs = {"avx2": ridgeline_runs_avx2(), "avx512": ridgeline_runs_avx512()}
    return ("baseline", *(name for name in RIDGELINE_SETS.decode().split() if runs[name]))


def in_every_set():
    """Names of the kernels that were compiled for every set."""
    return frozenset(RIDGELINE_IN_EVERY_SET.decode().split())
