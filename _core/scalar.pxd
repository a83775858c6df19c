"""The pointwise functions of the logistic model, and the exp and log1p under them.

With ``e = exp(-|z|)``, which never overflows,

    sigmoid(z)     = n / (1 + e),    n = 1 where z >= 0, else e        (lecture, eq. 25)
    softplus(z)    = log(1 + exp(z)) = max(z, 0) + log1p(e)
    log_sigmoid(z) = log(sigmoid(z)) = -softplus(-z)

**In double precision** exp and log1p return an unevaluated sum ``hi + lo``, so that what is built on them
rounds almost once.

*exp.*  ``z + z_lo = k log 2 + r`` with k an integer and ``|r| <= log(2) / 2``; then ``exp(r) = 1 + r + r^2
p(r)``, where 1 + r is summed exactly and r^2 p(r) < 0.08 gives lo its digits: r and r^2 p(r) are each off by
less than 2^-55.

*log1p.*  ``1 + x = 2^k (1 + f + c)`` with c the rounding error of the sum.  With ``s = f / (2 + f)`` and
``w = s^2``, the series ``log(1 + f) = 2 atanh(s) = 2 s + s R(w)``, where ``R(w) = sum_{i>=1} 2 w^i / (2 i +
1)``, and the identity ``2 s = f - f^2 / 2 + s f^2 / 2`` give

    log(1 + f + c) = f - f^2 / 2 + s (f^2 / 2 + R(w)) + c / (1 + f)

whose first difference is again exact.  c is no more than the last bit, and its factor 1 / (1 + f) is taken as
1 - 0.85 f.  (The rearrangement is that of Sun's fdlibm.)

**For float32** the same in double precision, with shorter polynomials and without lo: errors are below 2^-35,
and the one rounding to float32 decides.

The polynomials are minimax (Remez's exchange in 250 bits), in the relative error of the result: p of degree 9
to 2^-56.3 and of degree 6 to 2^-39.6 on |r| <= log(2) / 2; R(w) / w of degree 7 to 2^-60 and of degree 4 to
2^-42 on 0 <= w <= 1/25, which is |f| <= 1/2.

Nothing below branches on data: each choice is a select, so a loop over any of these functions can run in SIMD
lanes. Rounding must be as written: no contraction and no reassociation by the compiler (see the flags in
meson.build). Where a product may be fused with a sum, `multiply_add` says so, and there the instruction sets
differ, by less than the last bit.

Infinities and NaN: sigmoid is 0 at -inf and 1 at +inf; softplus is 0 and +inf; log_sigmoid is -inf and -0.0;
each gives NaN for NaN.  Subnormal results are rounded, not flushed.
"""

from cython cimport floating
from doubledouble cimport FUSED, dd, fast_two_sum, multiply_add, two_sum
from libc.math cimport fabs
from libc.stdint cimport int64_t, uint64_t

cdef enum:
    SIMD = 32    # entries the kernels take at a time: a loop of fixed length, without a remainder


ctypedef union Bits:
    double value
    uint64_t word


ctypedef struct Reduced:
    double k
    double r


ctypedef struct Arguments:
    double[SIMD] k
    double[SIMD] r


ctypedef struct Exponentials:
    double[SIMD] hi
    double[SIMD] lo    # not used for float32


cdef inline double as_double(uint64_t word) noexcept nogil:
    cdef Bits bits
    bits.word = word
    return bits.value


cdef inline uint64_t as_word(double value) noexcept nogil:
    cdef Bits bits
    bits.value = value
    return bits.word


cdef inline double power_of_two(double k) noexcept nogil:
    """2^k for -1022 <= k <= 1023: k + 1023, the low bits of 2^52 + k + 1023, moves into the exponent."""
    return as_double(as_word(k + 4503599627371519.0) << 52)


cdef inline Reduced reduce(double z, double z_lo) noexcept nogil:
    """k and r of z + z_lo, for z <= 709 and |z_lo| at most an ulp of z.

    At and below z = -746 those of -746, for exp(-746) < 2^-1075 rounds to 0.  z_lo must then still be finite.
    Without z_lo pass -0.0, which vanishes: adding 0.0 would change the zero -0.0.
    """
    cdef double LOG2_E = 1.4426950408889634        # 1 / log(2)
    cdef double LN2_HI = 0.6931471806019545        # log(2) to 32 bits: k LN2_HI is exact for |k| < 2^20
    cdef double LN2_LO = -4.2009150726810846e-11   # log(2) - LN2_HI
    cdef double ROUND = 6755399441055744.0         # 1.5 * 2^52: its addition rounds to an integer
    cdef Reduced x
    z = -746.0 if z < -746.0 else z                # a comparison with NaN is false, so NaN goes on
    x.k = multiply_add(z, LOG2_E, ROUND) - ROUND
    # z - k LN2_HI is exact: both are multiples of 2^-54 there (or k = 0) and the difference is below 1/2.
    x.r = multiply_add(-x.k, LN2_LO, multiply_add(-x.k, LN2_HI, z) + z_lo)
    return x


cdef inline dd exp_reduced(Reduced x) noexcept nogil:
    """2^k exp(r) as hi + lo; lo underflows before hi does."""
    cdef double k_1, p, first, second, w = x.r * x.r
    cdef dd s, e
    # In even and odd powers, which the processor evaluates side by side.
    p = multiply_add(
        x.r,
        multiply_add(w, multiply_add(w, multiply_add(w, multiply_add(
            w, 2.5000072213603394e-08, 2.755758626737624e-06), 0.00019841269506777785), 0.008333333333494335),
            0.16666666666666413),
        multiply_add(w, multiply_add(w, multiply_add(w, multiply_add(
            w, 2.7630234059192756e-07, 2.480149313582193e-05), 0.0013888888943598022), 0.041666666666530267),
            0.5000000000000011))
    s = fast_two_sum(1.0, x.r)
    e = fast_two_sum(s.hi, multiply_add(w, p, s.lo))
    # 2^k in two factors, since k reaches -1076: the first product is exact, the second rounds once.
    k_1 = x.k if x.k > -1000.0 else -1000.0
    first = power_of_two(k_1)
    second = power_of_two(x.k - k_1)
    e.hi = e.hi * first * second
    e.lo = e.lo * first * second
    return e


cdef inline dd exp_pair(double z, double z_lo) noexcept nogil:
    """exp(z + z_lo) as hi + lo, within the limits of `reduce`."""
    return exp_reduced(reduce(z, z_lo))


cdef inline Reduced reduce_short(double z) noexcept nogil:
    """k and r of z <= 700; at and below z = -200 those of -200."""
    cdef double LOG2_E = 1.4426950408889634        # as in exp_pair
    cdef double LN2 = 0.6931471805599453
    cdef double ROUND = 6755399441055744.0
    cdef Reduced x
    z = -200.0 if z < -200.0 else z                # NaN goes on
    x.k = multiply_add(z, LOG2_E, ROUND) - ROUND
    x.r = multiply_add(-x.k, LN2, z)
    return x


cdef inline double exp_short(Reduced x) noexcept nogil:
    """2^k exp(r), with a relative error below 2^-37."""
    cdef double w = x.r * x.r
    cdef double p = multiply_add(
        x.r,
        multiply_add(w, multiply_add(w, 0.00019908939021753158, 0.008333281807982129), 0.16666666784442108),
        multiply_add(w, multiply_add(w, multiply_add(
            w, 2.470828569431507e-05, 0.0013889197137082485), 0.041666664405038224), 0.5000000000426814))
    return multiply_add(w, p, 1.0 + x.r) * power_of_two(x.k)


cdef inline double atanh_series(double w) noexcept nogil:
    """R(w) for 0 <= w <= 1/25."""
    cdef double v = w * w
    return w * multiply_add(
        w,
        multiply_add(v, multiply_add(v, multiply_add(
            v, 0.1379452798073186, 0.1539058456433409), 0.22222223939113028), 0.4000000000003698),
        multiply_add(v, multiply_add(v, multiply_add(
            v, 0.13181517385390004, 0.18181684264395281), 0.28571428559619827), 0.6666666666666663))


cdef inline double atanh_series_short(double w) noexcept nogil:
    """R(w) for 0 <= w <= 1/25, with a relative error below 2^-35."""
    return w * multiply_add(w, multiply_add(w, multiply_add(w, multiply_add(
        w, 0.20086553562078968, 0.22138811286767004), 0.285730508541017), 0.3999998658253902),
        0.6666666670079986)


cdef inline dd log_pair(double k, double f, double c) noexcept nogil:
    """k log(2) + log(1 + f + c) as hi + lo, |lo| < |hi| / 8.

    For 0 <= k < 2^20, |f| <= 1/2, and |c| at most an ulp of 1 + f.
    """
    cdef double LN2_HI = 0.6931471806019545        # as in exp_pair
    cdef double LN2_LO = -4.2009150726810846e-11
    cdef double s, h
    cdef dd a, b
    s = f / (2.0 + f)
    h = 0.5 * f * f
    a = fast_two_sum(k * LN2_HI, f)
    b = fast_two_sum(a.hi, -h)
    b.lo = multiply_add(s, h + atanh_series(s * s), multiply_add(k, LN2_LO, a.lo + b.lo))
    b.lo = multiply_add(c, multiply_add(-0.85, f, 1.0), b.lo)
    return b


cdef inline double log_short(double k, double f) noexcept nogil:
    """k log(2) + log(1 + f) with an error below 2^-35, for |f| <= 1/2."""
    cdef double s = f / (2.0 + f), h = 0.5 * f * f
    return multiply_add(k, 0.6931471805599453, f - multiply_add(-s, h + atanh_series_short(s * s), h))


cdef inline dd log1p_pair(double x, double x_lo) noexcept nogil:
    """log(1 + x + x_lo) as hi + lo, for 0 <= x < 2^1000 and |x_lo| at most an ulp of x."""
    cdef uint64_t SQRT_HALF = 0x3FE6A09E667F3BCD   # the bits of sqrt(1/2)
    cdef uint64_t TWO_52 = 0x4330000000000000      # and of 2^52
    cdef dd u = two_sum(1.0, x)
    cdef uint64_t n = (as_word(u.hi) - SQRT_HALF) >> 52
    cdef double k = as_double(n | TWO_52) - 4503599627370496.0      # n as a double: the low bits of 2^52 + n
    cdef double f = as_double(as_word(u.hi) - (n << 52)) - 1.0      # 1 + f in [sqrt(1/2), sqrt(2))
    return log_pair(k, f, (u.lo + x_lo) * power_of_two(-k))


cdef inline dd log1p_pair_to_1(double x, double x_lo) noexcept nogil:
    """log(1 + x + x_lo) as hi + lo, for 0 <= x <= 1: below 1/2 f = x, else f = (x - 1) / 2, each exact."""
    cdef bint above = x >= 0.5
    return log_pair(1.0 if above else 0.0, 0.5 * (x - 1.0) if above else x, 0.5 * x_lo if above else x_lo)


cdef inline double log1p_short(double x) noexcept nogil:
    """log(1 + x) with a relative error below 2^-35, for 0 <= x < 2^1000."""
    cdef uint64_t SQRT_HALF = 0x3FE6A09E667F3BCD   # as in log1p_pair
    cdef uint64_t TWO_52 = 0x4330000000000000
    cdef dd u = two_sum(1.0, x)
    cdef uint64_t n = (as_word(u.hi) - SQRT_HALF) >> 52
    cdef double k = as_double(n | TWO_52) - 4503599627370496.0
    cdef double f = as_double(as_word(u.hi) - (n << 52)) - 1.0
    return log_short(k, f) + u.lo / u.hi


cdef inline double log1p_short_to_1(double x) noexcept nogil:
    """log(1 + x) with a relative error below 2^-35, for 0 <= x <= 1."""
    cdef bint above = x >= 0.5
    return log_short(1.0 if above else 0.0, 0.5 * (x - 1.0) if above else x)


cdef inline double sigmoid_of_exp(floating z, double e, double e_lo) noexcept nogil:
    """1 / (1 + exp(-z)), eq. (25), from exp(-|z|)."""
    cdef dd s
    cdef double n, n_lo, q, rest
    n = 1.0 if z >= 0.0 else e
    if floating is float:
        return n / (1.0 + e)
    else:
        s = fast_two_sum(1.0, e)
        s.lo += e_lo
        n_lo = 0.0 if z >= 0.0 else e_lo
        q = n / s.hi
        # What is left of n + n_lo, divided by 1 + e: the greater of q and 1 - q, good enough for one ulp.
        rest = multiply_add(-q, s.lo, multiply_add(-q, s.hi, n) + n_lo if FUSED else n_lo)
        return multiply_add(rest, q if q > 0.5 else 1.0 - q, q)


cdef inline double softplus_of_exp(floating z, double e, double e_lo) noexcept nogil:
    """log(1 + exp(z)) without overflow: max(z, 0) + log1p(e) with e = exp(-|z|)."""
    cdef dd L
    cdef double above = 0.0 if z <= 0.0 else z     # NaN goes on
    if floating is float:
        return above + log1p_short_to_1(e)
    else:
        L = log1p_pair_to_1(e, e_lo)
        return above + (L.hi + L.lo)


cdef inline double sigmoid(double z) noexcept nogil:
    """1 / (1 + exp(-z)), eq. (25)."""
    cdef dd e = exp_pair(-fabs(z), -0.0)
    return sigmoid_of_exp(z, e.hi, e.lo)


cdef inline double softplus(double z) noexcept nogil:
    """log(1 + exp(z)); its slope is sigmoid(z)."""
    cdef dd e = exp_pair(-fabs(z), -0.0)
    return softplus_of_exp(z, e.hi, e.lo)


# A block of SIMD numbers at a time.  Each function is a few loops rather than one: a number is a chain of
# dependent operations, a hundred cycles long, and the processor has more of these under way in short loops.

cdef inline void put(Arguments* x, Py_ssize_t i, double z, double z_lo, floating precision) noexcept nogil:
    """The i-th argument, z + z_lo, reduced as the type of `precision` asks; float32 does without z_lo."""
    cdef Reduced one
    if floating is float:
        one = reduce_short(z)
    else:
        one = reduce(z, z_lo)
    x.k[i] = one.k
    x.r[i] = one.r


cdef inline void exp_block(const Arguments* x, Exponentials* e, floating precision) noexcept nogil:
    """The exponentials of arguments `put` at the same precision."""
    cdef Py_ssize_t i
    cdef Reduced one
    cdef dd p
    for i in range(SIMD):
        one.k = x.k[i]
        one.r = x.r[i]
        if floating is float:
            e.hi[i] = exp_short(one)
        else:
            p = exp_reduced(one)
            e.hi[i] = p.hi
            e.lo[i] = p.lo


cdef inline void exp_of_minus_abs(const floating* z, Exponentials* e) noexcept nogil:
    """exp(-|z|)."""
    cdef Py_ssize_t i
    cdef Arguments x
    for i in range(SIMD):
        put(&x, i, -fabs(z[i]), -0.0, z[0])
    exp_block(&x, e, z[0])


cdef inline void sigmoid_block(const floating* z, floating* out) noexcept nogil:
    """out = sigmoid(z)."""
    cdef Py_ssize_t i
    cdef Exponentials e
    exp_of_minus_abs(z, &e)
    for i in range(SIMD):
        out[i] = <floating> sigmoid_of_exp(z[i], e.hi[i], e.lo[i])


cdef inline void softplus_block(const floating* z, floating* out) noexcept nogil:
    """out = softplus(z)."""
    cdef Py_ssize_t i
    cdef Exponentials e
    exp_of_minus_abs(z, &e)
    for i in range(SIMD):
        out[i] = <floating> softplus_of_exp(z[i], e.hi[i], e.lo[i])


cdef inline void log_sigmoid_block(const floating* z, floating* out) noexcept nogil:
    """out = log(sigmoid(z)) = -softplus(-z)."""
    cdef Py_ssize_t i
    cdef Exponentials e
    exp_of_minus_abs(z, &e)
    for i in range(SIMD):
        out[i] = <floating> -softplus_of_exp(-z[i], e.hi[i], e.lo[i])


cdef inline void logistic_parts(double z, double* softplus, double* sigmoid,
                                double* complement) noexcept nogil:
    """log(1 + exp(z)), sigmoid(z) and sigmoid(-z), none by a difference that cancels, from one exp."""
    cdef dd e = exp_pair(-fabs(z), -0.0)
    softplus[0] = softplus_of_exp(z, e.hi, e.lo)
    sigmoid[0] = sigmoid_of_exp(z, e.hi, e.lo)
    complement[0] = sigmoid_of_exp(-z, e.hi, e.lo)


cdef inline void logistic_block(const double* y, const double* z, double* value, double* slope,
                                double* curvature) noexcept nogil:
    """The logistic loss of SIMD targets 0 <= y <= 1 and log-odds z, its slope and its curvature in z.

        value = (1 - y) softplus(z) + y softplus(-z) = log1p(exp(-|z|)) + (1 - y if z > 0 else y) |z|
        slope = (1 - y) p - y q,  curvature = p q,  p = sigmoid(z), q = sigmoid(-z)
    """
    cdef Py_ssize_t i
    cdef Exponentials e
    cdef double greater, less, share, p, q
    cdef dd L
    exp_of_minus_abs(z, &e)
    for i in range(SIMD):
        greater = 1.0 / (1.0 + e.hi[i])
        less = e.hi[i] * greater
        p = greater if z[i] >= 0.0 else less
        q = less if z[i] >= 0.0 else greater
        slope[i] = (1.0 - y[i]) * p - y[i] * q
        curvature[i] = greater * less
    for i in range(SIMD):
        L = log1p_pair_to_1(e.hi[i], e.lo[i])
        share = 1.0 - y[i] if z[i] >= 0.0 else y[i]
        # On the right side of a certain target the share is 0 and |z| may be infinite.
        value[i] = (share * fabs(z[i]) if share != 0.0 else 0.0) + (L.hi + L.lo)


cdef inline void logistic_losses(const double* y, const double* z, Py_ssize_t n, double* value, double* slope,
                                 double* curvature) noexcept nogil:
    """`logistic_block` for any number of rows; the outputs may be y or z."""
    cdef Py_ssize_t i, start = 0
    cdef double[SIMD] a, b, v, s, c
    while start < n:
        if n - start >= SIMD:
            logistic_block(y + start, z + start, v, s, c)
            for i in range(SIMD):
                value[start + i] = v[i]
                slope[start + i] = s[i]
                curvature[start + i] = c[i]
        else:
            for i in range(SIMD):
                a[i] = y[start + i] if start + i < n else 0.0
                b[i] = z[start + i] if start + i < n else 0.0
            logistic_block(a, b, v, s, c)
            for i in range(n - start):
                value[start + i] = v[i]
                slope[start + i] = s[i]
                curvature[start + i] = c[i]
        start += SIMD


cdef inline void exponentials(const double* z, Py_ssize_t n, double* out) noexcept nogil:
    """exp(z) of n numbers z <= 709."""
    cdef Py_ssize_t i, start = 0
    cdef Arguments x
    cdef Exponentials e
    while start < n:
        for i in range(SIMD):
            put(&x, i, z[start + i] if start + i < n else 0.0, -0.0, z[0])
        exp_block(&x, &e, z[0])
        for i in range(min(n - start, <Py_ssize_t> SIMD)):
            out[start + i] = e.hi[i] + e.lo[i]
        start += SIMD


cdef inline void logarithms_of_1_plus(const double* x, Py_ssize_t n, double* out) noexcept nogil:
    """log(1 + x) of n numbers 0 <= x < 2^1000."""
    cdef Py_ssize_t i
    cdef dd L
    for i in range(n):
        L = log1p_pair(x[i], 0.0)
        out[i] = L.hi + L.lo
