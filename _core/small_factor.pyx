"""The small Cholesky factorisation of cholesky.pxd, for Python."""
from cholesky cimport factorise, substitute


def factor(const double[:, ::1] A not None, double[:, ::1] U not None, double[::1] work not None):
    """Put the factor of A (n x n, its lower triangle is read) into the upper triangle of U.

    Returns (positive, norm, rcond): positive definite or not (then rcond = 0), ||A||_1, and an estimate of 1 / (||A||_1 ||A^-1||_1).
    n^3 / 3 flops and some 20 n^2; work has 2n entries.
    """
    cdef Py_ssize_t n = A.shape[0]
    if A.shape[1] != n or U.shape[0] != n or U.shape[1] != n:
        raise ValueError(f"A and U must be square and of one order, got {A.shape[0]} x {A.shape[1]} and {U.shape[0]} x {U.shape[1]}")
    if work.shape[0] < 2 * n:
        raise ValueError(f"work needs {2 * n} entries, got {work.shape[0]}")
    cdef double norm = 1, rcond = 1
    cdef bint positive = True
    if n:
        with nogil:
            positive = factorise(&A[0, 0], n, &U[0, 0], &work[0], &norm, &rcond)
    return positive, norm, rcond


def solve(const double[:, ::1] U not None, double[:, ::1] B not None):
    """Solve A x = b for every *row* b of B (k x n), in place; 2 k n^2 flops."""
    cdef Py_ssize_t n = U.shape[0], i
    if U.shape[1] != n or B.shape[1] != n:
        raise ValueError(f"U must be square and B have {n} columns, got {U.shape[0]} x {U.shape[1]} and {B.shape[1]}")
    if n:
        with nogil:
            for i in range(B.shape[0]):
                substitute(&U[0, 0], n, n, &B[i, 0])
