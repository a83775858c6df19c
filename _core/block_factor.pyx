"""Cholesky of a positive definite matrix of some hundred columns, on the calling thread, with its condition; without LAPACK.

    A = U'U,   A x = b  <=>  U'v = b,  U x = v

A threaded LAPACK takes as long for the flops, and then its threads go on looking for work for some ten milliseconds, in the way of the
threads that read the rows: a fit of 400,000 x 200 took three times as long.

By block rows k of WIDTH rows (Golub and Van Loan 2013, section 4.2.9):

    U_kk'U_kk = A_kk,    U_kj = U_kk^-T A_kj,    A_ij <- A_ij - U_ki'U_kj    (i, j > k)

The upper triangle holds the block rows that are done, and the lower one the rest of -A, so that the last step, which has nearly all the
flops, is the `gram` of a block row.
"""
from libc.math cimport fabs, isfinite, sqrt

from cholesky cimport inverse_norm, substitute
from gram cimport Span, gram, pad

cdef enum:
    WIDTH = 32     # a whole number of tiles, and few enough rows for the second level cache
    STRIP = 64     # columns of a block row, which lie in the first level cache
    SIDES = 8      # right-hand sides that are solved for side by side


cdef inline void subtract(double* x, const double* y, double t, Py_ssize_t n) noexcept nogil:
    """x -= t y."""
    cdef Py_ssize_t j
    for j in range(n):
        x[j] -= t * y[j]


cdef bint factor_diagonal(double* U, Py_ssize_t w, Py_ssize_t ld) noexcept nogil:
    """The factor of a block on the diagonal, in its place."""
    cdef Py_ssize_t r, i
    cdef double t
    for r in range(w):
        t = U[r * ld + r]
        if not t > 0:
            return False
        U[r * ld + r] = sqrt(t)
        t = 1 / U[r * ld + r]
        for i in range(r + 1, w):
            U[r * ld + i] *= t
        for i in range(r + 1, w):
            subtract(U + i * ld + i, U + r * ld + i, U[r * ld + i], w - i)
    return True


cdef void solve_strip(const double* U, double* B, Py_ssize_t w, Py_ssize_t n, Py_ssize_t ld) noexcept nogil:
    """B <- U^-T B for a block U on the diagonal and n columns of its rows."""
    cdef Py_ssize_t r, i
    cdef double t
    for i in range(w):
        for r in range(i):
            subtract(B + i * ld, B + r * ld, U[r * ld + i], n)
        t = 1 / U[i * ld + i]
        for r in range(n):
            B[i * ld + r] *= t


cdef bint factorise_blocks(double* U, Py_ssize_t n, Py_ssize_t ld) noexcept nogil:
    """The factor into the upper triangle of U, whose lower one holds -A; whether A is positive definite."""
    cdef Py_ssize_t k = 0, w, i, r, start, rest
    cdef Span nothing
    nothing.begin = nothing.end = NULL
    while k < n:
        w = min(n - k, <Py_ssize_t> WIDTH)
        for i in range(k, n):
            for r in range(k, min(i + 1, k + w)):
                U[r * ld + i] = -U[i * ld + r]
        if not factor_diagonal(U + k * ld + k, w, ld):
            return False
        start = k + w
        while start < n:
            solve_strip(U + k * ld + k, U + k * ld + start, w, min(n - start, <Py_ssize_t> STRIP), ld)
            start += STRIP
        rest = n - k - w
        if rest > 0:
            gram(U + k * ld + k + w, w, rest, ld, U + (k + w) * ld + k + w, nothing)
        k += w
    return True


def factor(const double[:, ::1] A not None, double[:, ::1] U not None, double[::1] work not None):
    """Put the factor of A (n x n, its lower triangle is read) into the upper triangle of U, zeros of n padded to whole 64-byte vectors.

    Returns (positive, norm, rcond): positive definite or not (then rcond = 0), ||A||_1, and an estimate of 1 / (||A||_1 ||A^-1||_1).
    n^3 / 3 flops and some 20 n^2; work has 2n entries.
    """
    cdef Py_ssize_t n = A.shape[0], ld = pad(n, sizeof(double)), i, j
    if A.shape[1] != n or U.shape[0] != ld or U.shape[1] != ld:
        shapes = f"{A.shape[0]} x {A.shape[1]} and {U.shape[0]} x {U.shape[1]}"
        raise ValueError(f"A must be square and U of its order padded to {ld}, got {shapes}")
    if work.shape[0] < 2 * n:
        raise ValueError(f"work needs {2 * n} entries, got {work.shape[0]}")
    cdef double norm = 0, rcond = 0, t
    cdef bint positive
    if n == 0:
        return True, 1.0, 1.0
    with nogil:
        for i in range(n):
            work[i] = 0
        for i in range(n):
            t = 0
            for j in range(i + 1):
                U[i, j] = -A[i, j]
                t += fabs(A[i, j])
            for j in range(i):
                work[j] += fabs(A[i, j])
            work[i] += t
        for i in range(n):
            norm = work[i] if not work[i] <= norm else norm
            if norm != norm:    # a NaN is the answer, whatever follows
                break
        positive = isfinite(norm) and factorise_blocks(&U[0, 0], n, ld)
        if positive:
            t = norm * inverse_norm(&U[0, 0], n, ld, &work[0], &work[n])
            rcond = 1 / t if isfinite(t) and t > 0 else 0
    return positive, norm, rcond


cdef void substitute_sides(const double* U, Py_ssize_t n, Py_ssize_t ld, double *x) noexcept nogil:
    """x <- A^-1 x for SIDES vectors, x[SIDES * j + l] entry j of the l-th."""
    cdef Py_ssize_t j, k, l
    cdef double t
    cdef double[SIDES] now
    for k in range(n):
        t = U[k * ld + k]
        for l in range(SIDES):
            now[l] = x[SIDES * k + l] / t
            x[SIDES * k + l] = now[l]
        for j in range(k + 1, n):
            t = U[k * ld + j]
            for l in range(SIDES):
                x[SIDES * j + l] -= t * now[l]
    for k in range(n - 1, -1, -1):
        for l in range(SIDES):
            now[l] = x[SIDES * k + l]
        for j in range(k + 1, n):
            t = U[k * ld + j]
            for l in range(SIDES):
                now[l] -= t * x[SIDES * j + l]
        t = U[k * ld + k]
        for l in range(SIDES):
            x[SIDES * k + l] = now[l] / t


def solve(const double[:, ::1] U not None, double[:, ::1] B not None, double[::1] work not None):
    """Solve A x = b for every *row* b of B (k x n), in place; 2 k n^2 flops. work has 8 n entries, or none for a single row."""
    cdef Py_ssize_t n = B.shape[1], ld = pad(n, sizeof(double)), rows = B.shape[0], i = 0, j, l, few
    if U.shape[0] != ld or U.shape[1] != ld:
        raise ValueError(f"U must be of order {ld}, for rows of {n} entries, got {U.shape[0]} x {U.shape[1]}")
    if rows > 1 and work.shape[0] < SIDES * n:
        raise ValueError(f"work needs {SIDES * n} entries, got {work.shape[0]}")
    if n == 0 or rows == 0:
        return
    with nogil:
        if rows == 1:
            substitute(&U[0, 0], n, ld, &B[0, 0])
        else:
            while i < rows:
                few = min(rows - i, <Py_ssize_t> SIDES)
                for j in range(n):
                    for l in range(SIDES):
                        work[SIDES * j + l] = B[i + l, j] if l < few else 0.0
                substitute_sides(&U[0, 0], n, ld, &work[0])
                for j in range(n):
                    for l in range(few):
                        B[i + l, j] = work[SIDES * j + l]
                i += few
