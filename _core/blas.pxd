"""BLAS and LAPACK, wrapped once: arguments by value, one name for both precisions, row-major matrices.

Everything here takes C-ordered (row-major) storage.  A row-major m x n matrix with leading dimension ld is, to Fortran,
the column-major n x m matrix A'; the wrappers do that exchange, so that an algorithm reads in the letters of its formula.
Symmetric matrices hold their *lower* triangle in row-major terms (Fortran's 'U').
"""
from scipy.linalg.cython_blas cimport dgemm, dgemv, dsyrk, sgemm, sgemv, ssyrk
from scipy.linalg.cython_lapack cimport dpocon, dpotrf, dpotrs, spocon, spotrf, spotrs

ctypedef fused real:
    float
    double


cdef inline void syrk_t(int n, int k, real alpha, const real* A, int lda, real beta, real* C, int ldc) noexcept nogil:
    """Lower triangle of C (n x n) <- alpha A'A + beta C, with A of shape (k, n)."""
    if real is double:
        dsyrk(b"U", b"N", &n, &k, &alpha, <double*> A, &lda, &beta, C, &ldc)
    else:
        ssyrk(b"U", b"N", &n, &k, &alpha, <float*> A, &lda, &beta, C, &ldc)


cdef inline void gemm_nt(int m, int n, int k, real alpha, const real* A, int lda, const real* B, int ldb,
                         real beta, real* C, int ldc) noexcept nogil:
    """C (m x n) <- alpha A B' + beta C, with A (m, k) and B (n, k)."""
    if real is double:
        dgemm(b"T", b"N", &n, &m, &k, &alpha, <double*> B, &ldb, <double*> A, &lda, &beta, C, &ldc)
    else:
        sgemm(b"T", b"N", &n, &m, &k, &alpha, <float*> B, &ldb, <float*> A, &lda, &beta, C, &ldc)


cdef inline void gemm_tn(int m, int n, int k, real alpha, const real* A, int lda, const real* B, int ldb,
                         real beta, real* C, int ldc) noexcept nogil:
    """C (m x n) <- alpha A'B + beta C, with A (k, m) and B (k, n)."""
    if real is double:
        dgemm(b"N", b"T", &n, &m, &k, &alpha, <double*> B, &ldb, <double*> A, &lda, &beta, C, &ldc)
    else:
        sgemm(b"N", b"T", &n, &m, &k, &alpha, <float*> B, &ldb, <float*> A, &lda, &beta, C, &ldc)


cdef inline void gemv_n(int m, int n, real alpha, const real* A, int lda, const real* x, real beta,
                        real* y) noexcept nogil:
    """y (m) <- alpha A x + beta y, with A (m, n)."""
    cdef int one = 1
    if real is double:
        dgemv(b"T", &n, &m, &alpha, <double*> A, &lda, <double*> x, &one, &beta, y, &one)
    else:
        sgemv(b"T", &n, &m, &alpha, <float*> A, &lda, <float*> x, &one, &beta, y, &one)


cdef inline void gemv_t(int m, int n, real alpha, const real* A, int lda, const real* x, real beta,
                        real* y) noexcept nogil:
    """y (n) <- alpha A'x + beta y, with A (m, n)."""
    cdef int one = 1
    if real is double:
        dgemv(b"N", &n, &m, &alpha, <double*> A, &lda, <double*> x, &one, &beta, y, &one)
    else:
        sgemv(b"N", &n, &m, &alpha, <float*> A, &lda, <float*> x, &one, &beta, y, &one)


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
