"""LAPACK, wrapped once: arguments by value, one name for both precisions, row-major matrices.

Everything here takes C-ordered (row-major) storage.  A row-major m x n matrix with leading dimension ld is, to Fortran,
the column-major n x m matrix A'; the wrappers do that exchange, so that an algorithm reads in the letters of its formula.
Symmetric matrices hold their *lower* triangle in row-major terms (Fortran's 'U').
"""
from scipy.linalg.cython_lapack cimport dpocon, dpotrf, dpotrs, spocon, spotrf, spotrs

from formats cimport real


cdef inline int potrf(int n, real* A, int lda) noexcept nogil:
    """A = L L' in the lower triangle; returns 0, or the 1-based order of the first minor that is not positive."""
    cdef int info = 0
    if real is double:
        dpotrf(b"U", &n, A, &lda, &info)
    else:
        spotrf(b"U", &n, A, &lda, &info)
    return info


cdef inline int potrs(int n, int nrhs, const real* L, int ldl, real* B, int ldb) noexcept nogil:
    """Solve (L L') X = B in place; the `nrhs` right-hand sides are the rows of B (nrhs x n)."""
    cdef int info = 0
    if real is double:
        dpotrs(b"U", &n, &nrhs, <double*> L, &ldl, B, &ldb, &info)
    else:
        spotrs(b"U", &n, &nrhs, <float*> L, &ldl, B, &ldb, &info)
    return info


cdef inline real pocon(int n, const real* L, int ldl, real norm, real* work, int* iwork) noexcept nogil:
    """Reciprocal condition number (1-norm, estimated) of the matrix whose factor is L.  work: 3n, iwork: n."""
    cdef int info = 0
    cdef real rcond = 0
    if real is double:
        dpocon(b"U", &n, <double*> L, &ldl, &norm, &rcond, work, iwork, &info)
    else:
        spocon(b"U", &n, <float*> L, &ldl, &norm, &rcond, work, iwork, &info)
    return rcond
