"""What softmax, logsumexp and the cross-entropies share: sums over a row z of c >= 1 logits, SIMD at a time.

With m the greatest entry, a of them equal to it, and d_j = z_j - m,

    S = sum_j exp(d_j) - 1 = (a - 1) + sum_{d_j < 0} exp(d_j)

leaves out one term that is exactly 1.  activations.pyx says why.

A *lane* holds a running maximum or sum.  Short rows go side by side, one row to a lane, and their entries are
transposed into a buffer first; of a long row every SIMD-th entry goes to the same lane, and the lanes are
merged at its end.  Either way the loops over lanes have a fixed length and no branch.  Lanes to spare hold
zeros (rows) or -inf (entries of a row).
"""

from cython cimport floating
from doubledouble cimport dd, fast_two_sum, two_sum
from libc.math cimport INFINITY
from scalar cimport SIMD, Arguments, Exponentials, exp_block, log1p_pair, log1p_short, put

cdef enum:
    SHORT = 128    # the longest row that goes beside others


ctypedef struct Sums:
    double[SIMD] hi      # hi + lo: the sum of exp(d_j) < 1
    double[SIMD] lo
    double[SIMD] ones    # how many d_j are 0


cdef inline Py_ssize_t greatest(const floating* z, Py_ssize_t c) noexcept nogil:
    """The first index of the greatest of c >= 1 entries; a NaN counts only where it comes first."""
    cdef Py_ssize_t j, t = 0
    for j in range(1, c):
        if z[j] > z[t]:
            t = j
    return t


cdef inline void take_greatest(const floating* x, floating* m) noexcept nogil:
    """m = max(m, x) in each lane; a NaN in x is passed over."""
    cdef Py_ssize_t l
    for l in range(SIMD):
        m[l] = x[l] if x[l] > m[l] else m[l]


cdef inline dd difference(floating z, floating m) noexcept nogil:
    """z - m for z <= m, with its rounding error where that counts."""
    cdef dd d
    if floating is float:
        d.hi = <double> z - <double> m
        d.lo = 0.0
    else:
        d = two_sum(z, -m)
        # Far below, the difference may have overflowed and taken its error with it.
        d.lo = d.lo if d.hi > -1e300 else 0.0
    return d


cdef inline void clear(Sums* sums) noexcept nogil:
    cdef Py_ssize_t l
    for l in range(SIMD):
        sums.hi[l] = 0.0
        sums.lo[l] = 0.0
        sums.ones[l] = 0.0


cdef inline void add_exponentials(const floating* x, const floating* m, Sums* sums,
                                  floating* e) noexcept nogil:
    """e = exp(x - m) in each lane, added to its sum."""
    cdef Py_ssize_t l
    cdef Exponentials p
    cdef dd d, s
    cdef Arguments z
    for l in range(SIMD):
        d = difference(x[l], m[l])
        put(&z, l, d.hi, d.lo, m[0])
    exp_block(&z, &p, m[0])
    for l in range(SIMD):
        e[l] = <floating> p.hi[l]
        if floating is float:
            sums.hi[l] += 0.0 if x[l] == m[l] else p.hi[l]
        else:
            s = two_sum(sums.hi[l], 0.0 if x[l] == m[l] else p.hi[l])
            sums.hi[l] = s.hi
            sums.lo[l] += s.lo + p.lo[l]
        sums.ones[l] += 1.0 if x[l] == m[l] else 0.0


cdef inline dd others(const Sums* sums, Py_ssize_t l, floating m) noexcept nogil:
    """S of a lane, whose greatest entry is m."""
    cdef dd s = two_sum(sums.hi[l], sums.ones[l] - 1.0)
    # lo holds exp(inf - inf) for a logit of +inf, beside which the others' exponentials are 0.
    return fast_two_sum(s.hi, s.lo + (sums.lo[l] if m < INFINITY else 0.0))


cdef inline void merge(Sums* sums) noexcept nogil:
    """Add all lanes to lane 0."""
    cdef Py_ssize_t l, half = SIMD // 2
    cdef dd s
    while half:
        for l in range(half):
            s = two_sum(sums.hi[l], sums.hi[l + half])
            sums.hi[l] = s.hi
            sums.lo[l] += sums.lo[l + half] + s.lo
            sums.ones[l] += sums.ones[l + half]
        half //= 2


cdef inline dd log_one_plus(dd S, floating m) noexcept nogil:
    """log(1 + S), as precise as sums for the format of m are."""
    cdef dd L
    if floating is float:
        L.hi = log1p_short(S.hi)
        L.lo = 0.0
    else:
        L = log1p_pair(S.hi, S.lo)
    return L


cdef inline double log_probability(floating z, floating m, double L_hi, double L_lo) noexcept nogil:
    """(z - m) - L: of two terms <= 0, so that the rounding of L counts no more than that of the result."""
    cdef dd d = difference(z, m)
    return d.hi - (L_hi + (L_lo - d.lo))


cdef inline const floating* entries(const floating* z, Py_ssize_t c, Py_ssize_t j,
                                    floating* spare) noexcept nogil:
    """SIMD entries of a row from the j-th: in z itself or, at its end, in spare, with -inf behind them."""
    cdef Py_ssize_t l
    if j + SIMD <= c:
        return z + j
    for l in range(SIMD):
        spare[l] = z[j + l] if j + l < c else <floating> -INFINITY
    return spare


cdef inline floating greatest_of_row(const floating* z, Py_ssize_t c) noexcept nogil:
    """The greatest entry that is not NaN, else -inf."""
    cdef Py_ssize_t l, j = 0
    cdef floating[SIMD] m, spare
    for l in range(SIMD):
        m[l] = <floating> -INFINITY
    while j < c:
        take_greatest(entries(z, c, j, spare), m)
        j += SIMD
    for l in range(1, SIMD):
        m[0] = m[l] if m[l] > m[0] else m[0]
    return m[0]


cdef inline void sum_row(const floating* z, Py_ssize_t c, floating m, Sums* sums, floating* e) noexcept nogil:
    """Lane 0 of sums = those of the whole row, with greatest entry m.

    e, unless NULL, gets the c exponentials; it may be z itself.
    """
    cdef Py_ssize_t l, j = 0
    cdef floating[SIMD] greatest, spare, exponentials
    clear(sums)
    for l in range(SIMD):
        greatest[l] = m
    while j < c:
        add_exponentials(entries(z, c, j, spare), greatest, sums, exponentials)
        if e != NULL:
            if j + SIMD <= c:
                for l in range(SIMD):
                    e[j + l] = exponentials[l]
            else:
                for l in range(c - j):
                    e[j + l] = exponentials[l]
        j += SIMD
    merge(sums)


cdef inline dd sum_of_others(const floating* z, Py_ssize_t c, Py_ssize_t t) noexcept nogil:
    """S of one row, z_t being its greatest entry."""
    cdef Sums sums
    sum_row(z, c, z[t], &sums, NULL)
    return others(&sums, 0, z[t])


cdef inline void transpose(const floating* z, Py_ssize_t rows, Py_ssize_t c, floating* x) noexcept nogil:
    """x[j SIMD + l] = z[l c + j], for rows <= SIMD rows of c entries; 0 in the lanes to spare."""
    cdef Py_ssize_t j, l
    for l in range(rows):
        for j in range(c):
            x[j * SIMD + l] = z[l * c + j]
    for l in range(rows, SIMD):
        for j in range(c):
            x[j * SIMD + l] = 0


cdef inline void transpose_back(const floating* x, Py_ssize_t rows, Py_ssize_t c, floating* z) noexcept nogil:
    """z[l c + j] = x[j SIMD + l]."""
    cdef Py_ssize_t j, l
    for l in range(rows):
        for j in range(c):
            z[l * c + j] = x[j * SIMD + l]


cdef inline void sum_columns(floating* x, Py_ssize_t c, floating* m, Sums* sums, bint keep) noexcept nogil:
    """m and sums, lane by lane, of c transposed entries; their exponentials take their place where `keep`."""
    cdef Py_ssize_t j, l
    cdef floating[SIMD] e
    for l in range(SIMD):
        m[l] = <floating> -INFINITY
    for j in range(c):
        take_greatest(x + j * SIMD, m)
    clear(sums)
    for j in range(c):
        add_exponentials(x + j * SIMD, m, sums, e)
        if keep:
            for l in range(SIMD):
                x[j * SIMD + l] = e[l]
