"""Rows that stay on a piece of Huber's loss, and the numbers of those that may not.

    r_i = z_i - y_i,  z_i = Z_i theta,  Z = [X t - m, 1]

    inside, |r_i| <= low:    W = sum s_i,  G = sum s_i (Z_i, r_i) (Z_i, r_i)'
    outside, |r_i| >= high:  V = sum s_i,  a = sum s_i |r_i|,  b = sum s_i sign(r_i) Z_i
    near, in between:        i

As long as no row inside or outside reaches the corner, these sums are the whole of what Huber's loss, with a threshold or with a scale,
can learn of them: it is quadratic in the first and linear in the second.  Only rows inside enter the Gram: they are moved together in the
block first.
"""
from libc.math cimport fabs, sqrt

from lanes cimport LANES  # its vectors  # no-cython-lint
from gram cimport combine, gram, pad, predict
from rows cimport Rows, memory_of, pack, rows_of


cdef extern from *:
    """
    /* f_i (Z_i, r_i) of the rows with f_i > 0, at the head of the block; how many they are. */
    static RL_FUSED Py_ssize_t rl_gather(double* block, Py_ssize_t n, Py_ssize_t ld, Py_ssize_t p, const double* f, const double* r) {
        double* to = block;
        Py_ssize_t count = 0;
        for (Py_ssize_t i = 0; i < n; i++) {
            const double* row = block + i * ld;
            if (!(f[i] > 0)) continue;
            for (Py_ssize_t j = 0; j < ld; j += RL_LANES) *(rl_wide*) (to + j) = f[i] * *(const rl_wide*) (row + j);
            to[p] = f[i] * r[i];
            to += ld;
            count++;
        }
        return count;
    }
    """
    Py_ssize_t rl_gather(double* block, Py_ssize_t n, Py_ssize_t ld, Py_ssize_t p, const double* f, const double* r) noexcept nogil


def split(X not None, const double[::1] y not None, const double[::1] s not None, const double[::1] m not None,
          const double[::1] t not None, const double[::1] theta not None, double low, double high, double[::1] totals not None,
          double[::1] slope not None, double[:, ::1] scatter not None, long long[::1] near not None, double[:, ::1] block not None,
          double[:, ::1] rows not None, double[:, ::1] partial not None):
    """Add the rows of X (n x d) to totals (W, V, a), slope b (p) and the lower triangle of scatter G (p + 1, p + 1); near (n) takes the
    numbers of the rows in between, counted from 0, and their count is returned.  Rows without weight are nowhere; one whose r is NaN is
    near.

    X is float64 or float32, with adjacent columns or adjacent rows.  p = len(theta) is d, or d + 1 with an intercept (last); s is empty or
    has n entries.  Workspace, with P = p + 1 padded to whole 64-byte vectors: block (k, P), rows (4, max(k, P)), partial (P, P).
    One read of X; 4 n p flops, and (p + 1) (p + 2) for each row inside.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, p = theta.shape[0], b = block.shape[0], ld = pad(p + 1, sizeof(double))
    cdef Py_ssize_t start = 0, c, i, j, inside, count = 0
    cdef double w, size
    if y.shape[0] != n or (s.shape[0] != 0 and s.shape[0] != n) or near.shape[0] != n:
        raise ValueError(f"{n} rows of X, {y.shape[0]} targets, {s.shape[0]} weights (pass none, or one per row), {near.shape[0]} numbers")
    if m.shape[0] != d or t.shape[0] != d or (p != d and p != d + 1):
        raise ValueError(f"{d} columns of X, {m.shape[0]} centres, {t.shape[0]} scales, {p} parameters")
    if totals.shape[0] != 3 or slope.shape[0] != p or scatter.shape[0] != p + 1 or scatter.shape[1] != p + 1:
        raise ValueError("the outputs do not match")
    if b < 1 or block.shape[1] != ld or rows.shape[0] < 4 or rows.shape[1] < max(b, ld) or partial.shape[0] != ld or partial.shape[1] != ld:
        raise ValueError(f"the workspace must have {p + 1} columns, padded to whole vectors")
    if n == 0:
        return 0
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    cdef double* r = &rows[0, 0]
    cdef double* factor = &rows[1, 0]
    cdef double* sign = &rows[2, 0]
    cdef double* vec = &rows[3, 0]
    with nogil:
        while start < n:
            c = min(b, n - start)
            pack(&x, start, c, scale, centre, <const double*> NULL, &block[0, 0], ld)
            if p > d:
                for i in range(c):
                    block[i, d] = 1
            for j in range(ld):
                vec[j] = theta[j] if j < p else 0.0
            predict(&block[0, 0], c, ld, vec, r)
            for i in range(c):
                r[i] -= y[start + i]
                factor[i] = sign[i] = 0
                w = s[start + i] if s.shape[0] else 1.0
                size = fabs(r[i])
                if w == 0:
                    continue
                if size <= low:
                    factor[i] = sqrt(w)
                    totals[0] += w
                elif size >= high:
                    sign[i] = w if r[i] > 0 else -w
                    totals[1] += w
                    totals[2] += w * size
                else:
                    near[count] = start + i
                    count += 1
            combine(&block[0, 0], c, ld, sign, vec)
            for j in range(p):
                slope[j] += vec[j]
            inside = rl_gather(&block[0, 0], c, ld, p, factor, r)
            for i in range(ld):
                for j in range(ld):
                    partial[i, j] = 0
            gram(&block[0, 0], inside, p + 1, ld, &partial[0, 0], memory_of(&x, start + c, b))
            for i in range(p + 1):
                for j in range(i + 1):
                    scatter[i, j] += partial[i, j]
            start += c
    return count
