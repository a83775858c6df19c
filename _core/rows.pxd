"""Packing: a cache block of rows, centred and scaled, with the intercept's column of ones.

    block_ij = (x_ij - m_j) * t_j   for j < d        block_id = 1   where p = d + 1

m is the centre, t the scale (powers of two: exact).  The difference is formed in double before it is rounded to the block's
precision, so a float32 column with mean 1e8 keeps its variance.
"""
from blas cimport real


cdef inline void pack(const real* X, Py_ssize_t n, Py_ssize_t d, const double* m, const double* t,
                      real* block, Py_ssize_t p, Py_ssize_t ld) noexcept nogil:
    """Fill the first p (d or d + 1) of the ld columns of block (n rows) from X (n x d, contiguous); zeros in the rest."""
    cdef Py_ssize_t i, j
    for i in range(n):
        for j in range(d):
            block[i * ld + j] = <real> ((X[i * d + j] - m[j]) * t[j])
        if p > d:
            block[i * ld + d] = 1
        for j in range(p, ld):
            block[i * ld + j] = 0
