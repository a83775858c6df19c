"""Rows into second moments: the pass that moments of any size and small fits share.

    W = sum s_i      m = sum s_i z_i / W      S = sum s_i (z_i - m)(z_i - m)'      z_i = (x_i, y_i)

Rows are taken in cache blocks, less a pivot c near the mean, with a column of ones that gathers v = sum s_i (z_i - c); then m = c + v / W
and S = S_c - v v' / W, where little cancels (see moments.pyx).  Rows of which few entries are stored are multiplied about c = 0 in pairs
of those; where that would lose more than a digit of some column, which then has hardly a zero, they are packed as the others are.
"""
from libc.math cimport fabs, sqrt

from formats cimport real
from gram cimport gram, pad
from rows cimport Rows, entry, memory_of, pack, pack_beside
from stored cimport gram_of_stored_pays, rl_stored_combine, rl_stored_gram

cdef enum:
    TOGETHER = 512    # rows at least whose products are summed in the precision of the block, before the sum is added up in double
    AHEAD = 2         # blocks of narrow rows from what is packed to what is fetched: one takes less time than the memory to answer
    NARROW = 256


cdef inline bint cancels(const double* sums, Py_ssize_t ld, Py_ssize_t p, double w, const double* pivot, double* delta) noexcept nogil:
    """delta = v / w, the mean about the pivot; whether S_c - v v' / w loses more than a digit of some column's scatter.

    A pivot within rounding of the mean of a (nearly) constant column is as good as any.
    """
    cdef Py_ssize_t j
    cdef double f
    cdef bint found = False
    for j in range(p):
        delta[j] = sums[p * ld + j] / w
        f = w * delta[j] * delta[j]
        if f > 8 * (sums[j * ld + j] - f) and fabs(delta[j]) > 1e-12 * fabs(pivot[j]):
            found = True
    return found


cdef inline void pack_target(const double* y, Py_ssize_t t, Py_ssize_t n, double scale, double pivot, const double* root,
                             real* column, Py_ssize_t ld) noexcept nogil:
    """A column of targets, t numbers apart; one without weight may hold anything."""
    cdef Py_ssize_t i
    if root == NULL:
        for i in range(n):
            column[i * ld] = <real> (y[i * t] * scale - pivot)
    else:
        for i in range(n):
            column[i * ld] = <real> (root[i] * (y[i * t] * scale - pivot) if root[i] != 0 else 0.0)


cdef inline double sums_of_stored(const Rows* x, const double* y, Py_ssize_t t, const double* s, const double* scale, const double* pivot,
                                  double* sums, Py_ssize_t ld, double* e, double* r) noexcept nogil:
    """sums (ld apart, lower triangle) of rows with few stored entries: X about zero, y about the pivot, v in row p; the rows' weight.

    e and r (ld) are workspace; that many rows are taken at a time.
    """
    cdef Py_ssize_t n = x.n, d = x.d, p = d + t, start = 0, c, i, j, k
    cdef double w = 0, f
    while start < n:
        c = min(ld, n - start)
        for i in range(c):
            r[i] = s[start + i] if s != NULL else 1.0
            w += r[i]
        rl_stored_gram(&x.stored, start, c, r, scale, False, e, sums + p * ld, sums, ld)
        for k in range(t):
            for i in range(c):
                f = s[start + i] if s != NULL else 1.0
                # without weight, y may be anything
                r[i] = f * (y[(start + i) * t + k] * scale[d + k] - pivot[d + k]) if f != 0 else 0.0
                sums[p * ld + d + k] += r[i]
                for j in range(k + 1):
                    sums[(d + k) * ld + d + j] += r[i] * (y[(start + i) * t + j] * scale[d + j] - pivot[d + j]) if f != 0 else 0.0
            rl_stored_combine(&x.stored, start, c, r, sums + (d + k) * ld)
        start += c
    for k in range(t):
        for j in range(d):
            sums[(d + k) * ld + j] *= scale[j]
    return w


cdef inline void clear(real* C, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        C[i] = 0


cdef inline double add_moments(const Rows* x, const double* y, Py_ssize_t t, const double* s, const double* scale, double weight,
                               double* mean, double* scatter, Py_ssize_t ls, real* block, Py_ssize_t b, double* pivot, double* delta,
                               double* root, real* partial, double* sums) noexcept nogil:
    """Add the rows of x and y (n x t) to (weight, mean, scatter); returns the new weight.

    s is NULL or has n weights; scale has p = d + t entries, mean too, and the lower triangle of the first p rows of scatter, `ls` numbers
    apart, is updated.
    Workspace, with P = p + 1 padded for double and Q for the block's precision: block (b, Q), pivot and delta (P), root (b, and P of
    sparse rows), partial (Q, Q), sums (P, P).  `partial` may be `sums` where both are double, and `sums` may be `scatter` itself where
    there is no weight yet, or where rows that are not sparse weigh no more than those before them.  Then c = m is the pivot and

        m <- c + v / (W + w)      S <- S + S_c - v v' / (W + w)

    in which, with w <= W, no column's scatter loses more than half of what was added.
    """
    cdef Py_ssize_t n = x.n, d = x.d, p = x.d + t, start, since, first, step, m, i, j
    cdef Py_ssize_t ld = pad(p + 1, sizeof(real)), width = pad(p + 1, sizeof(double))
    cdef bint own = <void*> partial != <void*> sums, onto = sums == scatter and weight > 0
    cdef double w = 0, f, g
    cdef bint stored
    if p == 0 or n == 0:
        return weight
    cdef double* work = root
    if s == NULL:
        root = NULL
    stored = x.sparse and gram_of_stored_pays(&x.stored, 0, n, d)
    # the pivot c: the mean so far, or the weighted mean of 64 rows from all over (rows may be sorted)
    for j in range(p):
        pivot[j] = mean[j] if weight > 0 and not (stored and j < d) else 0
    if not weight > 0:
        i = 0
        step = max(n // 64, 1)
        while i < n:
            f = s[i] if s != NULL else 1.0
            first = i
            i += step if w + f != 0 else 1  # without weight so far, each row in turn
            if f == 0:
                continue
            w += f
            f /= w
            for j in range(0 if x.sparse else d):
                pivot[j] += f * (entry(x, first, j) * scale[j] - pivot[j])
            for j in range(t):
                pivot[d + j] += f * (y[first * t + j] * scale[d + j] - pivot[d + j])
    for _ in range(2):
        w = 0
        start = since = 0
        if onto:
            clear(sums + p * width, p + 1)
        else:
            clear(sums, (p + 1) * width)
        if own:
            clear(partial, (p + 1) * ld)
        if stored:
            w = sums_of_stored(x, y, t, s, scale, pivot, sums, width, delta, work)
            start = n
        while start < n:
            m = min(b, n - start)
            if root == NULL:
                w += m
            else:
                for i in range(m):
                    w += s[start + i]
                    root[i] = sqrt(s[start + i])
            # where a root is zero a NaN or an infinity still shows, for 0 x is NaN for these
            if t != 1 or not pack_beside(x, start, m, y + start, scale, pivot, root, block, ld):
                pack(x, start, m, scale, pivot, root, block, ld)
                for j in range(t):
                    pack_target(y + start * t + j, t, m, scale[d + j], pivot[d + j], root, block + d + j, ld)
                for i in range(m):
                    block[i * ld + p] = <real> (root[i] if root != NULL else 1.0)
            gram(block, m, p + 1, ld, partial, memory_of(x, start + (AHEAD if p <= NARROW else 1) * m, b))
            start += m
            since += m
            if own and (since >= TOGETHER or start == n):
                for i in range(p + 1):
                    for j in range(i + 1):
                        sums[i * width + j] += partial[i * ld + j]
                clear(partial, (p + 1) * ld)
                since = 0
        # the column of roots holds v = sum s (z - c): the mean is c + v / w and S = S_c - v v' / w
        if onto or w == 0 or not cancels(sums, width, p, w, pivot, delta):
            break
        for j in range(p):
            pivot[j] += delta[j]
        stored = False
    # the merge
    if onto and w != 0:
        weight += w
        for j in range(p):
            delta[j] = sums[p * width + j] / weight
            mean[j] += delta[j]
        for i in range(p):
            for j in range(i + 1):
                scatter[i * ls + j] -= weight * delta[i] * delta[j]
    elif w != 0:  # a NaN passes, and shows in the sums
        f = w / (weight + w)
        g = weight * f
        for i in range(p):
            for j in range(i + 1):
                sums[i * width + j] -= w * delta[i] * delta[j]
        if sums != scatter:
            for i in range(p):
                for j in range(i + 1):
                    scatter[i * ls + j] += sums[i * width + j]
        for j in range(p):
            delta[j] += pivot[j] - mean[j]
        if weight != 0:
            for i in range(p):
                for j in range(i + 1):
                    scatter[i * ls + j] += g * delta[i] * delta[j]
        for j in range(p):
            mean[j] += f * delta[j]
        weight += w
    else:
        for j in range(p):
            mean[j] += sums[p * width + j]  # zero, or NaN
    return weight
