"""Shifted systems (A + alpha) w = b for many alpha: one reduction to tridiagonal form, then a recurrence for each.

    A = Q T Q',   Q = H_{d-1} ... H_2,   H_i = I - tau_i v_i v_i'     w = Q (T + alpha)^-1 Q'b

H_i takes the entries of row i left of the diagonal to the one beside it (Householder 1958, J. ACM 5; Golub and Van Loan 2013, section
8.3.1).  The rank-two change of what is left, and its product with the next v, are one visit of it: half of the matrix is read and written
once per row, where the usual two steps read it twice.  d^3 / 3 visits of eight flops, of which none waits for a library's threads.

Systems are solved for a few vectors of alphas at a time, one in each lane: T + alpha = L D L' by its recurrence, and the reflections on the
way back, each joined with the sums that the next one asks for.
"""
from libc.math cimport copysign, fabs, sqrt

from gram cimport pad
from lanes cimport LANES
from outputs cimport predict_outputs

cdef extern from *:
    """
    /* Vectors of alphas at a time: their sums, and the next ones', stay in registers. */
    #define RL_SHIFTS 4

    typedef struct { rl_wide of[RL_SHIFTS]; } rl_shifts;

    /* A row of the change a -= v_r w + w_r v left of the diagonal; p += a next_r, and the sum of a next is returned. */
    static RL_FUSED double rl_change_row(double* a, Py_ssize_t n, const double* v, double v_r, const double* w, double w_r,
                                         const double* next, double next_r, double* p) {
        RL_CONTRACT
        rl_wide sum = {0};
        Py_ssize_t j = 0;
        double rest = 0;
        for (; j + RL_LANES <= n; j += RL_LANES) {
            const rl_wide x = *(const rl_wide*) (a + j) - v_r * *(const rl_wide*) (w + j) - w_r * *(const rl_wide*) (v + j);
            *(rl_wide*) (a + j) = x;
            *(rl_wide*) (p + j) += next_r * x;
            sum += x * *(const rl_wide*) (next + j);
        }
        for (; j < n; j++) {
            const double x = a[j] - v_r * w[j] - w_r * v[j];
            a[j] = x;
            p[j] += next_r * x;
            rest += x * next[j];
        }
        for (int k = 0; k < RL_LANES; k++) rest += sum[k];
        return rest;
    }

    /* (T + alpha) u = b for each lane of alpha; pivots and u are (d, RL_SHIFTS vectors).  Whether all pivots are positive. */
    static RL_FUSED int rl_shifted(const double* diagonal, const double* beside, Py_ssize_t d, const double* alpha, const double* b,
                                   rl_shifts* pivots, rl_shifts* u) {
        rl_mask good = (rl_mask){0} - 1;
        RL_EACH(s, RL_SHIFTS) {
            const rl_wide shift = ((const rl_wide*) alpha)[s];
            rl_wide pivot = diagonal[0] + shift, y = (rl_wide){0} + b[0];
            pivots[0].of[s] = pivot;
            u[0].of[s] = y;
            good &= (rl_mask) (pivot > 0);
            for (Py_ssize_t j = 1; j < d; j++) {
                const rl_wide share = beside[j] / pivot;
                pivot = diagonal[j] + shift - share * beside[j];
                y = b[j] - share * y;
                pivots[j].of[s] = pivot;
                u[j].of[s] = y;
                good &= (rl_mask) (pivot > 0);
            }
            y = y / pivot;
            u[d - 1].of[s] = y;
            for (Py_ssize_t j = d - 2; j >= 0; j--) {
                y = (u[j].of[s] - beside[j + 1] * y) / pivots[j].of[s];
                u[j].of[s] = y;
            }
        }
        for (int k = 0; k < RL_LANES; k++) if (!good[k]) return 0;
        return 1;
    }

    /* u = Q u: v_i in row i of V, i numbers of it, and tau_i. */
    static RL_FUSED void rl_reflect_back(const double* V, Py_ssize_t ld, const double* tau, Py_ssize_t d, rl_shifts* u) {
        RL_CONTRACT
        rl_shifts sum;
        if (d < 3) return;
        RL_EACH(s, RL_SHIFTS) sum.of[s] = V[2 * ld] * u[0].of[s] + V[2 * ld + 1] * u[1].of[s];
        for (Py_ssize_t i = 2; i < d; i++) {
            const double* v = V + i * ld;
            const double* next = i + 1 < d ? v + ld : v;
            rl_shifts then;
            RL_EACH(s, RL_SHIFTS) { sum.of[s] *= tau[i]; then.of[s] = next[i] * u[i].of[s]; }
            for (Py_ssize_t r = 0; r < i; r++)
                RL_EACH(s, RL_SHIFTS) {
                    u[r].of[s] -= v[r] * sum.of[s];
                    then.of[s] += next[r] * u[r].of[s];
                }
            sum = then;
        }
    }
    """
    enum:
        SHIFTS "RL_SHIFTS"
    ctypedef struct rl_shifts:
        pass
    double rl_change_row(double* a, Py_ssize_t n, const double* v, double v_r, const double* w, double w_r, const double* next,
                         double next_r, double* p) noexcept nogil
    int rl_shifted(const double* diagonal, const double* beside, Py_ssize_t d, const double* alpha, const double* b, rl_shifts* pivots,
                   rl_shifts* u) noexcept nogil
    void rl_reflect_back(const double* V, Py_ssize_t ld, const double* tau, Py_ssize_t d, rl_shifts* u) noexcept nogil


cdef double reflector(double* v, Py_ssize_t n, double* beside) noexcept nogil:
    """v (n numbers) becomes v_i with 1 at its end, beside the number that the reflection leaves there; returns tau, 0 for none."""
    cdef Py_ssize_t j
    cdef double size = 0, length = 0, last, first
    for j in range(n - 1):
        size = max(size, fabs(v[j]))
    if not size > 0:  # nothing to take away; NaN shows in the pivots
        beside[0] = v[n - 1]
        for j in range(n - 1):
            v[j] = 0
        v[n - 1] = 1
        return 0
    size = max(size, fabs(v[n - 1]))
    for j in range(n):
        length += (v[j] / size) * (v[j] / size)
    length = size * sqrt(length)
    last = v[n - 1]
    beside[0] = -copysign(length, last)
    first = last - beside[0]
    for j in range(n - 1):
        v[j] /= first
    v[n - 1] = 1
    return first / -beside[0]


cdef void reduce_rows(double* A, Py_ssize_t d, Py_ssize_t ld, double* V, double* diagonal, double* beside, double* tau, double* v,
                      double* w, double* p) noexcept nogil:
    """T of the lower triangle of A, which is overwritten, and the reflections; v, w, p are workspace of ld numbers."""
    cdef Py_ssize_t i, j, r
    cdef double* next
    cdef double* row
    cdef double along
    for j in range(ld):
        v[j] = w[j] = 0
    for i in range(d - 1, -1, -1):
        # what the last change makes of row i, and from it the next reflection
        row = A + i * ld
        next = V + i * ld
        for j in range(i):
            next[j] = row[j] - v[i] * w[j] - w[i] * v[j]
        diagonal[i] = row[i] - 2 * v[i] * w[i]
        for j in range(i, ld):
            next[j] = 0
        tau[i] = beside[i] = 0
        if i == 1:
            beside[1] = next[0]
            next[0] = 0
        elif i > 1:
            tau[i] = reflector(next, i, &beside[i])
        for j in range(ld):
            p[j] = 0
        for r in range(i):
            row = A + r * ld
            along = rl_change_row(row, r, v, v[r], w, w[r], next, next[r], p)
            row[r] -= 2 * v[r] * w[r]
            p[r] += along + row[r] * next[r]
        along = 0
        for j in range(i):
            p[j] *= tau[i]
            along += p[j] * next[j]
        for j in range(i):
            w[j] = p[j] - 0.5 * tau[i] * along * next[j]
            v[j] = next[j]
        for j in range(i, ld):
            v[j] = w[j] = 0


def solve_shifted(double[:, ::1] A not None, const double[:, ::1] B not None, const double[::1] alphas not None,
                  double[:, :, ::1] out not None, double[:, ::1] V not None, double[:, ::1] rows not None, double[:, ::1] lanes not None):
    """out (k, t, d) = (A + alpha)^-1 b for k alphas and the t rows b of B (t, d); whether all of A + alpha are positive definite.

    A (d, P), P = d padded to whole 64-byte vectors, is symmetric, its lower triangle is read, and overwritten.
    Workspace: V (d, P), rows (7, P), lanes (2 d + 1, 32).
    4 d^3 / 3 flops, then 2 d^2 + 10 d per alpha and target.
    """
    cdef Py_ssize_t d = A.shape[0], P = A.shape[1], t = B.shape[0], k = alphas.shape[0], many = SHIFTS * LANES
    cdef Py_ssize_t i, j, l, start
    cdef double along
    cdef bint good = True
    if P != pad(d, sizeof(double)) or B.shape[1] != d or out.shape[0] != k or out.shape[1] != t or out.shape[2] != d:
        raise ValueError(f"A is {d} x {P}, B {t} x {B.shape[1]}, out {out.shape[0]} x {out.shape[1]} x {out.shape[2]}, for {k} alphas")
    if V.shape[0] != d or V.shape[1] != P or rows.shape[0] != 7 or rows.shape[1] != P or lanes.shape[0] != 2 * d + 1 \
            or lanes.shape[1] != 32:
        raise ValueError("the workspace does not match")
    if d == 0 or t == 0 or k == 0:
        return True
    cdef double* diagonal = &rows[0, 0]
    cdef double* beside = &rows[1, 0]
    cdef double* tau = &rows[2, 0]
    cdef double* b = &rows[3, 0]
    cdef double* shift = &lanes[0, 0]
    cdef rl_shifts* pivots = <rl_shifts*> &lanes[1, 0]
    cdef rl_shifts* u = pivots + d
    cdef const double* answer = <const double*> u
    with nogil:
        reduce_rows(&A[0, 0], d, P, &V[0, 0], diagonal, beside, tau, &rows[4, 0], &rows[5, 0], &rows[6, 0])
        for l in range(t):
            for j in range(d):
                b[j] = B[l, j]
            for i in range(d - 1, 1, -1):
                along = 0
                for j in range(i):
                    along += V[i, j] * b[j]
                for j in range(i):
                    b[j] -= tau[i] * along * V[i, j]
            start = 0
            while start < k:
                for i in range(many):
                    shift[i] = alphas[min(start + i, k - 1)]
                good = rl_shifted(diagonal, beside, d, shift, b, pivots, u) and good
                rl_reflect_back(&V[0, 0], P, tau, d, u)
                for i in range(min(many, k - start)):
                    for j in range(d):
                        out[start + i, l, j] = answer[j * many + i]
                start += many
    return good


def quadratic_forms(const double[:, ::1] S not None, const double[:, ::1] W not None, double[::1] out not None,
                    double[:, ::1] theta not None, double[:, ::1] image not None):
    """out_i = w_i' S w_i for the rows of W (m, d) and a symmetric S (d, P), P = d padded with zeros to whole 64-byte vectors.

    Workspace: theta (c, P) and image (c, d) for any c of one or more. 2 m d (d + 1) flops.
    """
    cdef Py_ssize_t d = S.shape[0], P = S.shape[1], m = W.shape[0], many = theta.shape[0], start = 0, c, i, j
    if P != pad(d, sizeof(double)) or W.shape[1] != d or out.shape[0] != m or theta.shape[1] != P or many < 1 \
            or image.shape[0] != many or image.shape[1] != d:
        raise ValueError(f"S is {d} x {P}, W {m} x {W.shape[1]}, out {out.shape[0]}, or the workspace does not match")
    if d == 0:
        for i in range(m):
            out[i] = 0
        return
    with nogil:
        while start < m:
            c = min(many, m - start)
            for i in range(c):
                for j in range(P):
                    theta[i, j] = W[start + i, j] if j < d else 0.0
            predict_outputs(&S[0, 0], d, P, &theta[0, 0], c, &image[0, 0], d)
            for i in range(c):
                out[start + i] = 0
                for j in range(d):
                    out[start + i] += image[i, j] * theta[i, j]
            start += c
