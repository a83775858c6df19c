"""Factor, then solve: Cholesky of a symmetric positive definite matrix, in working precision and in double-double.

    A = L L',   A x = b  <=>  L u = b,  L' x = u

Row-major storage, lower triangle.  The matrix is overwritten by its factor; a status comes back: 0, or the order k of the first
leading minor that is not positive (the matrix is then not positive definite to working precision).
"""
from libc.limits cimport INT_MAX
from libc.math cimport fabs, sqrt

from blas cimport pocon, potrf, potrs
from formats cimport real
from doubledouble cimport dd, dd_add, dd_div, dd_mul, dd_neg, fast_two_sum


cdef int square(Py_ssize_t rows, Py_ssize_t columns) except -1:
    if rows != columns:
        raise ValueError(f"the matrix must be square, got {rows} x {columns}")
    if rows > INT_MAX:
        raise OverflowError(f"order {rows} exceeds what LAPACK's 32-bit integers can count")
    return <int> rows


def cholesky_factor(real[:, ::1] A not None):
    """Overwrite the lower triangle of A (n x n) with L; n^3 / 3 flops.  Returns the status described above."""
    cdef int n = square(A.shape[0], A.shape[1]), info
    if n == 0:
        return 0
    with nogil:
        info = potrf(n, &A[0, 0], n)
    return info


def cholesky_solve(const real[:, ::1] L not None, real[:, ::1] B not None):
    """Solve A x = b for every *row* b of B (k x n), in place; 2 k n^2 flops."""
    cdef int n = square(L.shape[0], L.shape[1])
    if B.shape[1] != n:
        raise ValueError(f"B must have {n} columns, got {B.shape[1]}")
    if B.shape[0] > INT_MAX:
        raise OverflowError("more right-hand sides than LAPACK's 32-bit integers can count")
    cdef int k = <int> B.shape[0]
    if n == 0 or k == 0:
        return
    with nogil:
        potrs(n, k, &L[0, 0], n, &B[0, 0], n)


def norm_1(const real[:, ::1] A not None):
    """The 1-norm of the symmetric A (only its lower triangle is read); n^2 flops."""
    cdef int n = square(A.shape[0], A.shape[1])
    cdef Py_ssize_t i, j
    cdef real total, largest = 0
    with nogil:
        for i in range(n):
            total = 0
            for j in range(i + 1):
                total += fabs(A[i, j])
            for j in range(i + 1, n):
                total += fabs(A[j, i])
            if not (total <= largest):
                largest = total
            if total != total:  # a NaN is the answer, whatever follows
                break
    return largest


def cholesky_rcond(const real[:, ::1] L not None, real norm, real[::1] work not None, int[::1] iwork not None):
    """LAPACK's estimate of 1 / (||A||_1 ||A^-1||_1) from the factor and ||A||_1; a few times 2 n^2 flops.

    work has 3n entries, iwork n.
    """
    cdef int n = square(L.shape[0], L.shape[1])
    cdef real rcond = 1
    if work.shape[0] < 3 * <Py_ssize_t> n or iwork.shape[0] < n:
        raise ValueError(f"work needs {3 * <Py_ssize_t> n} entries and iwork {n}")
    if n:
        with nogil:
            rcond = pocon(n, &L[0, 0], n, norm, &work[0], &iwork[0])
    return rcond


cdef inline dd entry(double[:, ::1] hi, double[:, ::1] lo, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    cdef dd r
    r.hi = hi[i, j]
    r.lo = lo[i, j]
    return r


cdef inline void exchange(double[:, ::1] A, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    """Exchange rows and columns i and j of a full symmetric matrix."""
    cdef Py_ssize_t k
    for k in range(A.shape[0]):
        A[i, k], A[j, k] = A[j, k], A[i, k]
    for k in range(A.shape[0]):
        A[k, i], A[k, j] = A[k, j], A[k, i]


def cholesky_factor_extended(double[:, ::1] hi not None, double[:, ::1] lo not None, double tolerance,
                             Py_ssize_t[::1] order not None):
    """P'A P = L L' in double-double (hi + lo, full symmetric storage) with the largest remaining pivot first; returns the rank.

    order (n) receives the permutation. Elimination stops at the first pivot not above `tolerance`: the leading `rank` columns of the
    lower triangle hold L, and what remains of A is noise. About 20 n^3 / 3 flops.
    (Higham 2002, Accuracy and Stability of Numerical Algorithms, 10.3.)
    """
    cdef Py_ssize_t n = square(hi.shape[0], hi.shape[1]), i, j, k, best
    cdef dd total, root, pivot
    if lo.shape[0] != n or lo.shape[1] != n or order.shape[0] != n:
        raise ValueError("hi, lo and order must have the same length")
    with nogil:
        for i in range(n):
            order[i] = i
        for j in range(n):
            best = j
            for i in range(j + 1, n):
                if hi[i, i] > hi[best, best]:
                    best = i
            if best != j:
                exchange(hi, j, best)
                exchange(lo, j, best)
                order[j], order[best] = order[best], order[j]
            pivot = entry(hi, lo, j, j)
            if not (pivot.hi > tolerance):
                break
            # sqrt: one Newton step from the double root, s + (t - s^2) / (2 s)
            root.hi = sqrt(pivot.hi)
            root.lo = 0
            total = dd_add(pivot, dd_neg(dd_mul(root, root)))
            root = fast_two_sum(root.hi, (total.hi + total.lo) / (2 * root.hi))
            hi[j, j] = root.hi
            lo[j, j] = root.lo
            for i in range(j + 1, n):
                total = dd_div(entry(hi, lo, i, j), root)
                hi[i, j] = total.hi
                lo[i, j] = total.lo
            # the rest of the matrix, kept symmetric so that the next exchange finds it whole
            for i in range(j + 1, n):
                for k in range(j + 1, i + 1):
                    total = dd_add(entry(hi, lo, i, k), dd_neg(dd_mul(entry(hi, lo, i, j), entry(hi, lo, k, j))))
                    hi[i, k] = total.hi
                    lo[i, k] = total.lo
                    hi[k, i] = total.hi
                    lo[k, i] = total.lo
        else:
            j = n
    return j


def cholesky_solve_extended(double[:, ::1] hi not None, double[:, ::1] lo not None, double[:, ::1] b_hi not None,
                            double[:, ::1] b_lo not None, Py_ssize_t n):
    """As `cholesky_solve`, in double-double, with the leading n x n part of the factor.

    The rows of b_hi + b_lo (k x n, already in pivot order) are overwritten by the solutions.
    """
    cdef Py_ssize_t i, k, r
    cdef dd total
    if n > square(hi.shape[0], hi.shape[1]) or lo.shape[0] != hi.shape[0] or lo.shape[1] != hi.shape[1] or n < 0 \
            or b_hi.shape[1] != n or b_lo.shape[1] != n or b_lo.shape[0] != b_hi.shape[0]:
        raise ValueError(f"the right-hand sides must be rows of {n} entries")
    with nogil:
        for r in range(b_hi.shape[0]):
            for i in range(n):
                total = entry(b_hi, b_lo, r, i)
                for k in range(i):
                    total = dd_add(total, dd_neg(dd_mul(entry(hi, lo, i, k), entry(b_hi, b_lo, r, k))))
                total = dd_div(total, entry(hi, lo, i, i))
                b_hi[r, i] = total.hi
                b_lo[r, i] = total.lo
            for i in range(n - 1, -1, -1):
                total = entry(b_hi, b_lo, r, i)
                for k in range(i + 1, n):
                    total = dd_add(total, dd_neg(dd_mul(entry(hi, lo, k, i), entry(b_hi, b_lo, r, k))))
                total = dd_div(total, entry(hi, lo, i, i))
                b_hi[r, i] = total.hi
                b_lo[r, i] = total.lo
