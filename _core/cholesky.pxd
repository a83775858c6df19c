"""Cholesky of a small positive definite matrix, with its condition, in one call and without LAPACK.

    A = U'U,   A x = b  <=>  U'v = b,  U x = v

U lies in the upper triangle, row-major, so that every inner loop runs along a row (right-looking,
Golub and Van Loan 2013, section 4.2.5).  For orders up to a hundred that is as fast as a blocked routine, and SciPy need not be loaded.
"""
from libc.math cimport fabs, isfinite, sqrt

cdef enum:
    MAX_SEARCH = 5    # steps of the search for the norm; it rarely takes more than two


cdef inline double less_product(double t, const double* a, const double* b, Py_ssize_t n) noexcept nogil:
    """t - a'b, all but the last few products in eight independent sums."""
    cdef double[8] acc
    cdef Py_ssize_t i = 0, k, whole = n - n % 8
    if whole:
        for k in range(8):
            acc[k] = 0
        while i < whole:
            for k in range(8):
                acc[k] += a[i + k] * b[i + k]
            i += 8
        t -= ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]))
    for i in range(whole, n):
        t -= a[i] * b[i]
    return t


cdef inline void substitute(const double* U, Py_ssize_t n, Py_ssize_t ld, double *x) noexcept nogil:
    """x <- A^-1 x, the rows of U ld numbers apart; 2 n^2 flops."""
    cdef Py_ssize_t j, k
    cdef double t
    for k in range(n):
        t = x[k] = x[k] / U[k * ld + k]
        for j in range(k + 1, n):
            x[j] -= t * U[k * ld + j]
    for k in range(n - 1, -1, -1):
        x[k] = less_product(x[k], U + k * ld + k + 1, x + k + 1, n - k - 1) / U[k * ld + k]


cdef inline double inverse_norm(const double* U, Py_ssize_t n, Py_ssize_t ld, double *x, double *sign) noexcept nogil:
    """An estimate from below of ||A^-1||_1 (Higham 1988, ACM TOMS 14, algorithm 4.1 with its alternating last vector).

    Not finite where A^-1 goes beyond the range.
    """
    cdef Py_ssize_t i, best = -1, last
    cdef int step
    cdef double estimate = 0, new, largest, s
    cdef bint same
    for i in range(n):
        x[i] = 1.0 / n
    for step in range(MAX_SEARCH):
        substitute(U, n, ld, x)
        new = 0
        same = step > 0
        for i in range(n):
            new += fabs(x[i])
            s = 1.0 if x[i] >= 0 else -1.0
            same = same and s == sign[i]
            sign[i] = s
        if not isfinite(new):    # and a vector that is would hide it
            return new
        if new <= estimate:
            break
        estimate = new
        if same:
            break
        for i in range(n):
            x[i] = sign[i]
        substitute(U, n, ld, x)
        last = best
        best = 0
        largest = -1
        for i in range(n):
            if fabs(x[i]) > largest:
                largest = fabs(x[i])
                best = i
        if best == last:
            break
        for i in range(n):
            x[i] = 0
        x[best] = 1
    for i in range(n):
        x[i] = (1 + i / <double> (n - 1 if n > 1 else 1)) * (1 if i % 2 == 0 else -1)
    substitute(U, n, ld, x)
    new = 0
    for i in range(n):
        new += fabs(x[i])
    return max(estimate, 2 * new / (3 * n)) if isfinite(new) else new


cdef inline bint factorise(const double* A, Py_ssize_t n, double* U, double* work, double* norm, double* rcond) noexcept nogil:
    """Put the factor of A (n x n, its lower triangle is read) into the upper triangle of U; whether A is positive definite.

    norm is ||A||_1 and rcond an estimate of 1 / (||A||_1 ||A^-1||_1), 0 if not positive.
    n^3 / 3 flops and some 20 n^2; work has 2n entries.
    """
    cdef Py_ssize_t i, j, k
    cdef double total, t
    cdef bint positive
    norm[0] = rcond[0] = 0
    if n == 0:
        norm[0] = rcond[0] = 1
        return True
    for i in range(n):
        work[i] = 0
    for i in range(n):
        total = 0
        for j in range(i + 1):
            U[j * n + i] = A[i * n + j]
            total += fabs(A[i * n + j])
        for j in range(i):
            work[j] += fabs(A[i * n + j])
        work[i] += total
    for i in range(n):
        norm[0] = work[i] if not work[i] <= norm[0] else norm[0]
        if norm[0] != norm[0]:    # a NaN is the answer, whatever follows
            break
    positive = isfinite(norm[0])
    for k in range(n):
        if not positive:
            break
        t = U[k * n + k]
        if not t > 0:
            positive = False
            break
        t = sqrt(t)
        U[k * n + k] = t
        t = 1 / t
        for j in range(k + 1, n):
            U[k * n + j] *= t
        for i in range(k + 1, n):
            t = U[k * n + i]
            for j in range(i, n):
                U[i * n + j] -= t * U[k * n + j]
    if positive:
        t = norm[0] * inverse_norm(U, n, n, work, work + n)
        rcond[0] = 1 / t if isfinite(t) and t > 0 else 0
    return positive
