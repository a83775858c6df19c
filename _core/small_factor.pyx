"""Cholesky of a small positive definite matrix, with its condition, in one call and without LAPACK.

    A = U'U,   A x = b  <=>  U'v = b,  U x = v

U lies in the upper triangle, row-major, so that every inner loop but that of the last substitution runs along a row (right-looking,
Golub and Van Loan 2013, section 4.2.5).  For orders up to a hundred that is as fast as a blocked routine, and SciPy need not be loaded.
"""
from libc.math cimport fabs, isfinite, sqrt

cdef int MAX_SEARCH = 5    # steps of the search for the norm; it rarely takes more than two


cdef void substitute(const double[:, ::1] U, Py_ssize_t n, double *x) noexcept nogil:
    """x <- A^-1 x; 2 n^2 flops."""
    cdef Py_ssize_t j, k
    cdef double t
    for k in range(n):
        t = x[k] = x[k] / U[k, k]
        for j in range(k + 1, n):
            x[j] -= t * U[k, j]
    for k in range(n - 1, -1, -1):
        t = x[k]
        for j in range(k + 1, n):
            t -= U[k, j] * x[j]
        x[k] = t / U[k, k]


cdef double inverse_norm(const double[:, ::1] U, Py_ssize_t n, double *x, double *sign) noexcept nogil:
    """An estimate from below of ||A^-1||_1 (Higham 1988, ACM TOMS 14, algorithm 4.1 with its alternating last vector)."""
    cdef Py_ssize_t i, best = -1, last
    cdef int step
    cdef double estimate = 0, new, largest, s
    cdef bint same
    for i in range(n):
        x[i] = 1.0 / n
    for step in range(MAX_SEARCH):
        substitute(U, n, x)
        new = 0
        same = step > 0
        for i in range(n):
            new += fabs(x[i])
            s = 1.0 if x[i] >= 0 else -1.0
            same = same and s == sign[i]
            sign[i] = s
        if new <= estimate:
            break
        estimate = new
        if same:
            break
        for i in range(n):
            x[i] = sign[i]
        substitute(U, n, x)
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
    substitute(U, n, x)
    new = 0
    for i in range(n):
        new += fabs(x[i])
    return max(estimate, 2 * new / (3 * n))


def factor(const double[:, ::1] A not None, double[:, ::1] U not None, double[::1] work not None):
    """Put the factor of A (n x n, its lower triangle is read) into the upper triangle of U.

    Returns (positive, norm, rcond): positive definite or not (then rcond = 0), ||A||_1, and an estimate of 1 / (||A||_1 ||A^-1||_1).
    n^3 / 3 flops and some 20 n^2; work has 2n entries.
    """
    cdef Py_ssize_t n = A.shape[0], i, j, k
    if A.shape[1] != n or U.shape[0] != n or U.shape[1] != n:
        raise ValueError(f"A and U must be square and of one order, got {A.shape[0]} x {A.shape[1]} and {U.shape[0]} x {U.shape[1]}")
    if work.shape[0] < 2 * n:
        raise ValueError(f"work needs {2 * n} entries, got {work.shape[0]}")
    cdef double norm = 0, total, t, rcond = 0
    cdef bint positive = True
    if n == 0:
        return True, 1.0, 1.0
    with nogil:
        for i in range(n):
            work[i] = 0
        for i in range(n):
            total = 0
            for j in range(i + 1):
                U[j, i] = A[i, j]
                total += fabs(A[i, j])
            for j in range(i):
                work[j] += fabs(A[i, j])
            work[i] += total
        for i in range(n):
            norm = work[i] if not work[i] <= norm else norm
            if norm != norm:    # a NaN is the answer, whatever follows
                break
        positive = isfinite(norm)
        for k in range(n):
            if not positive:
                break
            t = U[k, k]
            if not t > 0:
                positive = False
                break
            t = sqrt(t)
            U[k, k] = t
            t = 1 / t
            for j in range(k + 1, n):
                U[k, j] *= t
            for i in range(k + 1, n):
                t = U[k, i]
                for j in range(i, n):
                    U[i, j] -= t * U[k, j]
        if positive:
            t = norm * inverse_norm(U, n, &work[0], &work[n])
            rcond = 1 / t if isfinite(t) and t > 0 else 0
    return positive, norm, rcond


def solve(const double[:, ::1] U not None, double[:, ::1] B not None):
    """Solve A x = b for every *row* b of B (k x n), in place; 2 k n^2 flops."""
    cdef Py_ssize_t n = U.shape[0], i
    if U.shape[1] != n or B.shape[1] != n:
        raise ValueError(f"U must be square and B have {n} columns, got {U.shape[0]} x {U.shape[1]} and {B.shape[1]}")
    if n:
        with nogil:
            for i in range(B.shape[0]):
                substitute(U, n, &B[i, 0])
