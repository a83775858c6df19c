"""logsumexp of rows whose greatest entry and the logarithm of the rest cancel, in fixed point.

In ``logsumexp(z) = m + L`` (activations.pyx) the greatest entry m < 0 and L > 0 may agree in all their
digits: every row of log-probabilities is of this kind, with a logsumexp of 0 but for the rounding of its
entries.  What remains is then

    log T = log1p(T - 1),    T = sum_j exp(z_j),    T near 1,

and T - 1 has to be known to some 60 bits below its own, unknown magnitude.  So T is summed in fixed point
with N limbs of 32 fractional bits, first N = 5 and then more, until T - 1 stands clear of the error bound;
N = 40 reaches below the least subnormal, and settles what is left as 0.

With ``a = -z_j = k log 2 - r`` and ``0 <= r <= log 2 (1 + 2^-20)``,

    exp(z_j) = 2^-k exp(r),    exp(r) = sum_{i <= K} r^i / i!     (Horner),    r^K / K! < 2^(-32 N).

A product leaves out all columns below the first after the last digit, less than N + 2 units 2^(-32 N),
which Horner's rule damps by r at every step; r itself is off by at most k + 2 < 2^11 units.  So exp(z_j) is
off by less than 2^13 units and T by 2^13 c, which has to be 60 bits below T - 1.

A number is an array of limbs: x[0] its whole part, x[1], ..., x[N] the 32-bit digits of its fraction.
"""

from cython cimport floating
from doubledouble cimport dd, fast_two_sum
from libc.math cimport INFINITY, fabs, floor, ldexp, log1p
from libc.stdint cimport int64_t, uint32_t, uint64_t
from logit_rows cimport greatest

cdef enum:
    STAGES = 4
    LIMBS = 41         # N + 1 for the greatest N
    TERMS = 208        # 0.7^208 / 208! < 2^-1280

cdef int[STAGES] N_OF_STAGE
cdef int[STAGES] K_OF_STAGE
cdef uint32_t[LIMBS] LOG_2
cdef uint32_t[TERMS][LIMBS] INVERSE_FACTORIAL


cdef _set(uint32_t* x, value):
    """x = value 2^-1280, for a Python integer value."""
    cdef int i
    for i in range(LIMBS):
        x[i] = (value >> (32 * (LIMBS - 1 - i))) & 0xFFFFFFFF


def _make_tables():
    """log 2 = 2 atanh(1 / 3) = sum_i 2 / ((2 i + 1) 3^(2 i + 1)), the 1 / i!, and K for each N."""
    cdef object bits = 32 * (LIMBS - 1) + 64       # 64 of them guard bits
    cdef object one = int("1") << bits             # a literal would be a C integer
    cdef object factorial = one // one, term, i, K, N, log_2 = one - one
    cdef int stage
    for i in range(450):                           # 3^-901 < 2^-1400
        log_2 += 2 * one // ((2 * i + 1) * int("3") ** (2 * i + 1))
    _set(LOG_2, log_2 >> 64)
    for i in range(TERMS):
        factorial *= max(i, 1)
        _set(INVERSE_FACTORIAL[<int> i], (one // factorial) >> 64)
    for stage, N in enumerate((5, 8, 16, 40)):
        K, term = 0, one
        while term >> (bits - 32 * N):
            K += 1
            term = term * 7 // (10 * K)
        N_OF_STAGE[stage] = N
        K_OF_STAGE[stage] = K


_make_tables()


cdef void multiply_add(uint32_t* x, const uint32_t* r, const uint32_t* constant, int N) noexcept nogil:
    """x = constant + r x, truncated."""
    cdef uint32_t[LIMBS] product
    cdef uint64_t low = 0, high = 0, p, carry
    cdef int i, j
    for j in range(1, N + 1):                      # the column after the last, for its carry
        p = <uint64_t> r[j] * x[N + 1 - j]
        low += <uint32_t> p
        high += p >> 32
    carry = (low >> 32) + high
    i = N
    while i >= 0:
        low = carry + constant[i]
        high = 0
        for j in range(i + 1):
            p = <uint64_t> r[j] * x[i - j]
            low += <uint32_t> p
            high += p >> 32
        product[i] = <uint32_t> low
        carry = (low >> 32) + high
        i -= 1
    for i in range(N + 1):
        x[i] = product[i]


cdef void exp_fixed(double a, uint32_t* x, int N, int K) noexcept nogil:
    """x = exp(-a), for 0 <= a < 2^20."""
    cdef uint32_t[LIMBS] r
    cdef double fraction = a
    cdef uint64_t k = <uint64_t> (a * 1.4426950408889634 + 9.5e-7) + 1
    cdef uint64_t carry = 0, digit
    cdef int64_t difference, borrow = 0
    cdef int i, whole, bits
    # r = a, digit by digit: each step is exact.
    for i in range(N + 1):
        r[i] = <uint32_t> floor(fraction)
        fraction = (fraction - r[i]) * 4294967296.0
    # r = k log 2 - r
    i = N
    while i >= 0:
        digit = k * LOG_2[i] + carry
        carry = digit >> 32
        difference = <int64_t> <uint32_t> digit - r[i] - borrow
        borrow = 1 if difference < 0 else 0
        r[i] = <uint32_t> difference
        i -= 1
    for i in range(N + 1):
        x[i] = INVERSE_FACTORIAL[K][i]
    i = K - 1
    while i >= 0:
        multiply_add(x, r, INVERSE_FACTORIAL[i], N)
        i -= 1
    # x = x 2^-k
    whole = <int> (k >> 5)
    bits = <int> (k & 31)
    i = N
    while i >= 0:
        digit = 0
        if i - whole >= 0:
            digit = <uint64_t> x[i - whole] >> bits
        if i - whole >= 1:
            digit |= (<uint64_t> x[i - whole - 1] << 32) >> bits
        x[i] = <uint32_t> digit
        i -= 1


cdef double value_of_limb(const uint32_t* x, int N, int i) noexcept nogil:
    """The value of the i-th limb of x; 0 beyond the last."""
    return ldexp(<double> x[i], -32 * i) if i <= N else 0.0


cdef double log_sum(const floating* z, Py_ssize_t c) noexcept nogil:
    """log(sum_j exp(z_j)), for z_j <= 0."""
    cdef uint32_t[LIMBS] T, x
    cdef uint64_t carry
    cdef int64_t difference, borrow
    cdef double sign = 1.0
    cdef dd t
    cdef int i, N, first, stage
    cdef Py_ssize_t j
    for stage in range(STAGES):
        N = N_OF_STAGE[stage]
        for i in range(N + 1):
            T[i] = 0
        for j in range(c):
            # Beyond, exp(z_j) is less than the last digit, even at the greatest N.
            if z[j] < -1000.0:
                continue
            exp_fixed(-<double> z[j], x, N, K_OF_STAGE[stage])
            carry = 0
            i = N
            while i >= 0:
                carry += <uint64_t> T[i] + x[i]
                T[i] = <uint32_t> carry
                carry >>= 32
                i -= 1
        # T = |T - 1|
        sign = 1.0
        if T[0] >= 1:
            T[0] -= 1
        else:
            sign = -1.0
            borrow = 0
            i = N
            while i >= 0:
                difference = <int64_t> (1 if i == 0 else 0) - T[i] - borrow
                borrow = 1 if difference < 0 else 0
                T[i] = <uint32_t> difference
                i -= 1
        first = 0
        while first <= N and T[first] == 0:
            first += 1
        t = fast_two_sum(value_of_limb(T, N, first), value_of_limb(T, N, first + 1))
        t.lo += value_of_limb(T, N, first + 2) + value_of_limb(T, N, first + 3)
        if t.hi > ldexp(<double> c, 13 + 60 - 32 * N):
            break
    return log1p(sign * t.hi) + sign * t.lo / (1.0 + sign * t.hi)


def logsumexp_of_cancelled(const floating[:, ::1] z, floating[::1] out):
    """Compute again each out[i] = logsumexp(z[i]) that is small beside the greatest entry of its row.

    The fast sum m + L is off by less than 2^-55 |m|, for float32 by 2^-36 |m|; `small` is where that would
    show in the format of `out`.
    """
    cdef Py_ssize_t i, n = z.shape[0], c = z.shape[1]
    cdef double m
    cdef double small = 0.25 if floating is double else 1e-3
    if n != out.shape[0]:
        raise ValueError(f"out has {out.shape[0]} entries where z has {n} rows")
    if c == 0:
        return
    with nogil:
        for i in range(n):
            m = z[i, greatest(&z[i, 0], c)]
            if m < 0.0 and m > -INFINITY and fabs(out[i]) < -small * m:
                out[i] = <floating> log_sum(&z[i, 0], c)
