"""Double-double arithmetic: a number is an unevaluated sum hi + lo with |lo| <= ulp(hi) / 2, about 106 bits.

two_sum   s + e = a + b exactly                        (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B)
split     a = h + l, both of 26 bits or fewer          (Veltkamp 1968; the constant is 2^27 + 1)
two_prod  p + e = a * b exactly, unless it overflows   (Dekker 1971, Numerische Mathematik 18, theorem 5.11;
          where a multiply-add is fused, e = fma(a, b, -p) in one operation)

The sums and products of two double-doubles are those of Joldes, Muller and Popescu (2017, ACM TOMS 44(2)): AccurateDWPlusDW
with relative error below 3 u^2 and DWTimesDW below 7 u^2 (u = 2^-53).  Build without contraction and without -ffast-math.
"""

cdef extern from *:
    """
    #if defined(__FMA__) || defined(__aarch64__)
    #define RIDGELINE_FUSED 1
    #define ridgeline_multiply_add(a, b, c) __builtin_fma(a, b, c)
    #else
    #define RIDGELINE_FUSED 0
    #define ridgeline_multiply_add(a, b, c) ((a) * (b) + (c))
    #endif
    """
    bint FUSED "RIDGELINE_FUSED"    # a constant of the instruction set: whether it has a fused multiply-add
    # a b + c, rounded once where FUSED, else twice.  (C's own fma would be a slow call there.)
    double multiply_add "ridgeline_multiply_add"(double a, double b, double c) noexcept nogil


ctypedef struct dd:
    double hi
    double lo


cdef inline dd two_sum(double a, double b) noexcept nogil:
    cdef dd r
    cdef double t
    r.hi = a + b
    t = r.hi - a
    r.lo = (a - (r.hi - t)) + (b - t)
    return r


cdef inline dd fast_two_sum(double a, double b) noexcept nogil:
    """As two_sum, given |a| >= |b| or a = 0."""
    cdef dd r
    r.hi = a + b
    r.lo = b - (r.hi - a)
    return r


cdef inline dd two_prod(double a, double b) noexcept nogil:
    cdef dd r
    cdef double t, ah, al, bh, bl
    if FUSED:
        r.hi = a * b
        r.lo = multiply_add(a, b, -r.hi)
        return r
    t = 134217729.0 * a
    ah = t - (t - a)
    al = a - ah
    t = 134217729.0 * b
    bh = t - (t - b)
    bl = b - bh
    r.hi = a * b
    r.lo = ((ah * bh - r.hi) + ah * bl + al * bh) + al * bl
    return r


cdef inline dd dd_add(dd a, dd b) noexcept nogil:
    cdef dd s = two_sum(a.hi, b.hi)
    cdef dd t = two_sum(a.lo, b.lo)
    cdef dd v = fast_two_sum(s.hi, s.lo + t.hi)
    return fast_two_sum(v.hi, t.lo + v.lo)


cdef inline dd dd_add_double(dd a, double b) noexcept nogil:
    cdef dd s = two_sum(a.hi, b)
    return fast_two_sum(s.hi, s.lo + a.lo)


cdef inline dd dd_neg(dd a) noexcept nogil:
    cdef dd r
    r.hi = -a.hi
    r.lo = -a.lo
    return r


cdef inline dd dd_mul(dd a, dd b) noexcept nogil:
    cdef dd c = two_prod(a.hi, b.hi)
    return fast_two_sum(c.hi, c.lo + (a.hi * b.lo + a.lo * b.hi))


cdef inline dd dd_mul_double(dd a, double b) noexcept nogil:
    cdef dd c = two_prod(a.hi, b)
    return fast_two_sum(c.hi, c.lo + a.lo * b)


cdef inline dd dd_div(dd a, dd b) noexcept nogil:
    """One Newton correction of the quotient of the leading parts."""
    cdef double q = a.hi / b.hi
    cdef dd r = dd_add(a, dd_neg(dd_mul_double(b, q)))
    return fast_two_sum(q, (r.hi + r.lo) / b.hi)
