"""One visit of each cache block: predictions, loss, gradient and Hessian of a sum of losses at one point theta.

    z_i = Z_i theta + o_i,  Z = [X t - m, 1]      (t scale, m centre in scaled columns, theta = (w, b), o offset)
    F = sum_i s_i l(y_i, z_i)      g = sum_i s_i l'(y_i, z_i) Z_i      H = sum_i s_i l''(y_i, z_i) Z_i Z_i'

A *pointwise loss* is a final class with one method, `evaluate`: values, slopes and curvatures in z of rows of (target, prediction).
It knows no X, no weight and no penalty.  The fused type PointLoss compiles the one loop below for each of them, with static calls;
a new loss is a class and a line in that list.

X is float64 or float32 and is packed in double, or holds stored entries alone (stored.pxd), which are read as they lie; F and g are
double throughout, and their sums over blocks are compensated (two_sum), because a gradient near the optimum is a small difference of
large terms.  The Hessian is formed a block at a time in the precision of the workspace, and summed over blocks in double: an error in
it slows Newton's method and moves no optimum.
"""
cimport cython
from libc.math cimport INFINITY, fabs, sqrt

from doubledouble cimport dd, two_sum
from extremes cimport add_extremes
from formats cimport real
from gram cimport Span, combine, gram, pad, predict
from outputs cimport combine_outputs, predict_outputs
from products cimport combine_rows, lies_in_rows, predict_rows
from rows cimport Rows, memory_of, pack, rows_of, scale_rows, touch
from scalar cimport exponentials, logarithms_of_1_plus, logistic_losses
from stored cimport combine_stored_outputs, far_columns, gram_of_stored_pays, gram_stored, predict_stored_outputs


@cython.final
cdef class Squared:
    """l = (y - z)^2 / 2,  l' = z - y,  l'' = 1."""

    cdef inline void evaluate(self, const double* y, const double* z, Py_ssize_t n, double* value, double* slope,
                              double* curvature) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            slope[i] = z[i] - y[i]
            value[i] = 0.5 * slope[i] * slope[i]
            curvature[i] = 1


@cython.final
cdef class Huber:
    """l = r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2), with r = z - y."""

    cdef readonly double delta

    def __init__(self, double delta):
        self.delta = delta

    cdef inline void evaluate(self, const double* y, const double* z, Py_ssize_t n, double* value, double* slope,
                              double* curvature) noexcept nogil:
        cdef Py_ssize_t i
        cdef double r, a, delta = self.delta
        for i in range(n):
            r = z[i] - y[i]
            a = fabs(r)
            value[i] = 0.5 * r * r if a <= delta else delta * (a - 0.5 * delta)
            slope[i] = r if a <= delta else (delta if r > 0 else -delta)
            curvature[i] = 1 if a <= delta else (0 if a > delta else a)  # NaN goes on


@cython.final
cdef class Absolute:
    """l = |r| with r = z - y: the subgradient sign(r), which is 0 at the corner; no curvature."""

    cdef inline void evaluate(self, const double* y, const double* z, Py_ssize_t n, double* value, double* slope,
                              double* curvature) noexcept nogil:
        cdef Py_ssize_t i
        cdef double r
        for i in range(n):
            r = z[i] - y[i]
            value[i] = fabs(r)
            # r itself where it is 0 or NaN
            slope[i] = 1 if r > 0 else (-1 if r < 0 else r)
            curvature[i] = 0


@cython.final
cdef class Logistic:
    """y in [0, 1], z a log-odds:  l = (1 - y) log(1 + e^z) + y log(1 + e^-z).

    l' = (1 - y) sigma(z) - y sigma(-z) and l'' = sigma(z) sigma(-z): the complement 1 - sigma(z) is never formed by subtraction.
    """

    cdef inline void evaluate(self, const double* y, const double* z, Py_ssize_t n, double* value, double* slope,
                              double* curvature) noexcept nogil:
        logistic_losses(y, z, n, value, slope, curvature)


ctypedef fused PointLoss:
    Squared
    Huber
    Absolute
    Logistic


cdef void check(Py_ssize_t n, Py_ssize_t d, Py_ssize_t n_y, Py_ssize_t n_s, Py_ssize_t n_o, Py_ssize_t m, Py_ssize_t t,
                Py_ssize_t p, const double[:, ::1] block, Py_ssize_t w) except *:
    if n_y != n or (n_s != 0 and n_s != n) or (n_o != 0 and n_o != n):
        raise ValueError(f"{n} rows of X, {n_y} targets, {n_s} weights, {n_o} offsets (pass none, or one per row)")
    if m != d or t != d or (p != d and p != d + 1):
        raise ValueError(f"{d} columns of X, {m} centres, {t} scales, {p} parameters")
    if block.shape[0] < 1 or block.shape[1] != pad(w, sizeof(double)):
        raise ValueError(f"the workspace must have {w} columns, padded to whole vectors")


cdef void check_hessian(Py_ssize_t m, Py_ssize_t w, const double[:, ::1] hessian, const double[:, ::1] block,
                        const real[:, ::1] scaled, const real[:, ::1] partial) except *:
    cdef Py_ssize_t ld = pad(w, sizeof(real))
    if hessian.shape[0] != m or hessian.shape[1] != m:
        raise ValueError(f"hessian must be {m} x {m}")
    if scaled.shape[0] < block.shape[0] or scaled.shape[1] != ld or partial.shape[0] != ld or partial.shape[1] != ld:
        raise ValueError(f"the workspace of the Hessian must have {w} columns, padded to whole vectors")


cdef inline void add_compensated(double* hi, double* lo, double x) noexcept nogil:
    cdef dd r = two_sum(hi[0], x)
    hi[0] = r.hi
    lo[0] += r.lo


cdef inline double weighted_sum(const double* weight, double* value, Py_ssize_t n) noexcept nogil:
    """sum weight_i value_i over the rows with weight, in eight independent sums; a row without weight may hold anything.

    value is overwritten by the products. They are a loop of their own, since GCC 12 mixes up the lanes of a select within the sums: under
    AVX2 the rows i + 4, ..., i + 7 took the choices of the rows i, ..., i + 3.
    """
    cdef double acc[8]
    cdef Py_ssize_t i, k, whole = n - n % 8
    for i in range(n):
        value[i] = weight[i] * value[i] if weight[i] != 0 else 0.0
    for k in range(8):
        acc[k] = 0
    i = 0
    while i < whole:
        for k in range(8):
            acc[k] += value[i + k]
        i += 8
    for i in range(whole, n):
        acc[0] += value[i]
    return ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]))


cdef inline void load_weights(const double[::1] s, Py_ssize_t start, Py_ssize_t n, double* weight, double[:, ::1] totals) noexcept nogil:
    """The weights of n rows (ones where s is empty), and their sum into totals."""
    cdef Py_ssize_t i
    cdef double total = 0
    if s.shape[0]:
        for i in range(n):
            weight[i] = s[start + i]
            total += weight[i]
    else:
        for i in range(n):
            weight[i] = 1.0
        total = n
    add_compensated(&totals[0, 0], &totals[1, 0], total)


cdef inline void load_rows(const Rows* x, Py_ssize_t start, Py_ssize_t n, const double* scale, const double* centre,
                           double[:, ::1] block, Py_ssize_t p) noexcept nogil:
    """Pack n rows, with the intercept's column of ones where p = d + 1."""
    cdef Py_ssize_t i
    if p == 0:
        return
    pack(x, start, n, scale, centre, <const double*> NULL, &block[0, 0], block.shape[1])
    if p > x.d:
        for i in range(n):
            block[i, x.d] = 1


cdef inline void predict_all(const Rows* x, Py_ssize_t start, Py_ssize_t n, const double* scale, const double* centre, bint packed,
                             const double[:, ::1] block, const double* theta, Py_ssize_t p, double* vec, double* z) noexcept nogil:
    """z = Z theta of n rows, packed or as they lie; vec is workspace."""
    cdef Py_ssize_t i
    load_parameters(theta, p, vec, block.shape[1])
    if p == 0:
        for i in range(n):
            z[i] = 0
    elif packed:
        predict(&block[0, 0], n, block.shape[1], vec, z)
    else:
        predict_rows(x, start, n, p > x.d, scale, centre, vec, z)


cdef inline void load_parameters(const double* theta, Py_ssize_t p, double* vec, Py_ssize_t ld) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(ld):
        vec[j] = theta[j] if j < p else 0.0


cdef inline void add_gradient(const Rows* x, Py_ssize_t start, Py_ssize_t n, const double* scale, const double* centre, bint packed,
                              const double[:, ::1] block, Py_ssize_t p, const double* weight, double* slope, double* vec,
                              double* hi, double* lo) noexcept nogil:
    """hi + lo += sum_i weight_i slope_i Z_i; slope is overwritten by the products, vec is workspace."""
    cdef Py_ssize_t i, j
    for i in range(n):
        slope[i] = weight[i] * slope[i] if weight[i] != 0 else 0.0
    if p == 0:
        return
    if packed:
        combine(&block[0, 0], n, block.shape[1], slope, vec)
    else:
        combine_rows(x, start, n, p > x.d, scale, centre, slope, vec)
    for j in range(p):
        add_compensated(&hi[j], &lo[j], vec[j])


cdef inline bint as_they_lie(const Rows* x, const double* centre, int order) noexcept nogil:
    """Whether a pass reads the rows without packing them: below order 2, or where few entries are stored and no centre is far off."""
    if order < 2:
        return lies_in_rows(x)
    return x.sparse and far_columns(x.d, centre) == 0 and gram_of_stored_pays(&x.stored, 0, x.n, x.d)


cdef inline void add_hessian(const Rows* x, Py_ssize_t start, const double* scale, const double* centre, bint packed, double* vec,
                             double[:, ::1] block, Py_ssize_t n, Py_ssize_t p, const double* weight, double* curvature,
                             real[:, ::1] scaled, real[:, ::1] partial, double sign, double[:, ::1] hessian,
                             Py_ssize_t row, Py_ssize_t column, Span ahead) noexcept nogil:
    """hessian[row:, column:] += sign sum_i weight_i curvature_i Z_i Z_i' by a Gram of the rows scaled to `scaled` (which may be block).

    Where row != column all of the p x p square is filled, else its lower triangle.  curvature is overwritten; `ahead` as in `gram`.
    Stored entries that are not packed are multiplied in pairs; vec is their workspace.
    """
    cdef Py_ssize_t i, j, ld = partial.shape[1]
    if p == 0:
        return
    if not packed:
        for i in range(n):
            curvature[i] = sign * weight[i] * curvature[i] if weight[i] != 0 else 0.0
        gram_stored(&x.stored, start, n, x.d, p > x.d, scale, centre, curvature, row != column, vec, &block[0, 0],
                    &hessian[row, column], hessian.shape[1])
        return
    for i in range(n):
        curvature[i] = sqrt(weight[i] * curvature[i]) if weight[i] != 0 else 0.0
    scale_rows(&block[0, 0], n, block.shape[1], curvature, &scaled[0, 0], ld)
    for i in range(ld):
        for j in range(ld):
            partial[i, j] = 0
    gram(&scaled[0, 0], n, p, ld, &partial[0, 0], ahead)
    for i in range(p):
        for j in range(i + 1):
            hessian[row + i, column + j] += sign * partial[i, j]
    if row != column:
        for i in range(p):
            for j in range(i):
                hessian[row + j, column + i] += sign * partial[i, j]


def expand(PointLoss loss, X not None, const double[::1] y not None, const double[::1] s not None, const double[::1] o not None,
           const double[::1] m not None, const double[::1] t not None, const double[::1] theta not None, int order,
           double[:, ::1] totals not None, double[:, ::1] gradient not None, double[:, ::1] hessian not None,
           double[:, ::1] block not None, double[:, ::1] rows not None, real[:, ::1] scaled not None, real[:, ::1] partial not None,
           double[:, ::1] extremes not None):
    """Add the rows of X (n x d) to totals (2, 2), gradient (2, p) and the lower triangle of hessian (p, p).

    X is float64 or float32, with adjacent columns or adjacent rows. p = len(theta) is d, or d + 1 with an intercept (last).
    totals[0] = (weight, value), gradient[0] = g, their second rows carry the compensation. order 0 stops at the value, 1 at the gradient;
    hessian, scaled and partial may be (1, 1) below order 2. s and o are empty or have n entries. extremes is empty, or (2, D), with D = d
    padded to whole 64-byte vectors, and takes the least and the greatest entry of each column of the rows with weight, which are arrays.
    Workspace, with P = p padded to whole 64-byte vectors: block (b, P) and rows (6, max(b, P)) of double; at order 2 scaled (b, P) and
    partial (P, P) in the precision of the Hessian (in double scaled may be block).
    One read of X; n p (2, 4 or p + 5) flops for order 0, 1 or 2.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, p = theta.shape[0], b = block.shape[0], start = 0, c, i, ld = pad(p, sizeof(double))
    check(n, d, y.shape[0], s.shape[0], o.shape[0], m.shape[0], t.shape[0], p, block, p)
    if rows.shape[0] < 6 or rows.shape[1] < max(b, ld) or totals.shape[0] != 2 or totals.shape[1] != 2 \
            or gradient.shape[0] != 2 or gradient.shape[1] != p:
        raise ValueError("the outputs or the workspace do not match")
    if order >= 2:
        check_hessian(p, p, hessian, block, scaled, partial)
    if extremes.shape[0] and (extremes.shape[0] != 2 or extremes.shape[1] != pad(d, sizeof(double)) or x.sparse):
        raise ValueError(f"extremes must be empty, or, of rows in an array, two rows of {d} columns, padded to whole vectors")
    if n == 0:
        return
    cdef bint ranged = extremes.shape[0] != 0 and d != 0
    cdef const double* centre = &m[0] if d else NULL
    cdef bint packed = not as_they_lie(&x, centre, order)
    cdef const double* scale = &t[0] if d else NULL
    cdef const double* parameters = &theta[0] if p else NULL
    cdef double* weight = &rows[0, 0]
    cdef double* slope = &rows[1, 0]
    cdef double* curvature = &rows[2, 0]
    cdef double* value = &rows[3, 0]
    cdef double* z = &rows[4, 0]
    cdef double* vec = &rows[5, 0]
    if x.sparse and not packed:
        b = rows.shape[1]
    with nogil:
        while start < n:
            c = min(b, n - start)
            if packed:
                load_rows(&x, start, c, scale, centre, block, p)
            predict_all(&x, start, c, scale, centre, packed, block, parameters, p, vec, z)
            if o.shape[0]:
                for i in range(c):
                    z[i] += o[start + i]
            load_weights(s, start, c, weight, totals)
            loss.evaluate(&y[start], z, c, value, slope, curvature)
            add_compensated(&totals[0, 1], &totals[1, 1], weighted_sum(weight, value, c))
            if order >= 1 and p:
                add_gradient(&x, start, c, scale, centre, packed, block, p, weight, slope, vec, &gradient[0, 0], &gradient[1, 0])
            if ranged:
                add_extremes(&x, start, c, &s[start] if s.shape[0] else NULL, &extremes[0, 0], &extremes[1, 0])
            if order >= 2 and p:
                add_hessian(&x, start, scale, centre, packed, vec, block, c, p, weight, curvature, scaled, partial, 1.0, hessian, 0, 0,
                            memory_of(&x, start + c, b))
            start += c


def curvatures(PointLoss loss, const double[::1] y not None, const double[::1] z not None, double[:, ::1] work not None,
               double[::1] out not None):
    """out_i = l''(y_i, z_i); work (2, n) is workspace."""
    cdef Py_ssize_t n = y.shape[0]
    if z.shape[0] != n or out.shape[0] != n or work.shape[0] != 2 or work.shape[1] != n:
        raise ValueError(f"{n} targets, {z.shape[0]} predictions, {out.shape[0]} curvatures")
    if n == 0:
        return
    with nogil:
        loss.evaluate(&y[0], &z[0], n, &work[0, 0], &work[1, 0], &out[0])


def expand_scaled_huber(double epsilon, double sigma, X not None, const double[::1] y not None, const double[::1] s not None,
                        const double[::1] m not None, const double[::1] t not None, const double[::1] theta not None, int order,
                        double[:, ::1] totals not None, double[:, ::1] gradient not None, double[:, ::1] hessian not None,
                        double[:, ::1] block not None, double[:, ::1] rows not None, real[:, ::1] scaled not None,
                        real[:, ::1] partial not None):
    """Huber's loss with concomitant scale (Huber 1981, Robust Statistics, 7.7; scikit-learn's halved):

        l = (sigma + sigma h(r / sigma)) / 2,  h(u) = u^2 where |u| <= epsilon, else 2 epsilon |u| - epsilon^2,  r = z - y

    The parameters are (theta, sigma): gradient (2, p + 1) and hessian (p + 1, p + 1) end with sigma. Since in the quadratic part
    d2l = (dz - u dsigma)^2 / sigma with u = r / sigma, the Hessian is the Gram of the rows (Z_i, -u_i) / sqrt(sigma).
    Otherwise as `expand`, with P = p + 1 padded and rows (7, max(b, P)).
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, p = theta.shape[0], b = block.shape[0], start = 0, c, i
    cdef Py_ssize_t w = p + 1, ld = pad(w, sizeof(double))
    cdef double r, u
    check(n, d, y.shape[0], s.shape[0], 0, m.shape[0], t.shape[0], p, block, w)
    if rows.shape[0] < 7 or rows.shape[1] < max(b, ld) or totals.shape[0] != 2 or totals.shape[1] != 2 \
            or gradient.shape[0] != 2 or gradient.shape[1] != w:
        raise ValueError("the outputs or the workspace do not match")
    if order >= 2:
        check_hessian(w, w, hessian, block, scaled, partial)
    if n == 0:
        return
    cdef bint packed = order >= 2 or not lies_in_rows(&x)  # else the rows are read as they lie
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    cdef const double* parameters = &theta[0] if p else NULL
    cdef double* weight = &rows[0, 0]
    cdef double* slope = &rows[1, 0]
    cdef double* curvature = &rows[2, 0]
    cdef double* value = &rows[3, 0]
    cdef double* z = &rows[4, 0]
    cdef double* vec = &rows[5, 0]
    cdef double* slope_sigma = &rows[6, 0]
    if x.sparse and not packed:
        b = rows.shape[1]
    with nogil:
        while start < n:
            c = min(b, n - start)
            if packed:
                load_rows(&x, start, c, scale, centre, block, p)
            predict_all(&x, start, c, scale, centre, packed, block, parameters, p, vec, z)
            load_weights(s, start, c, weight, totals)
            for i in range(c):
                r = z[i] - y[start + i]
                u = r / sigma
                if fabs(u) <= epsilon:
                    value[i] = 0.5 * (sigma + r * u)
                    slope[i] = u
                    curvature[i] = 1 / sigma
                    slope_sigma[i] = 0.5 * (1 - u * u)
                    z[i] = -u
                else:
                    value[i] = 0.5 * (sigma * (1 - epsilon * epsilon) + 2 * epsilon * fabs(r))
                    slope[i] = epsilon if u > 0 else -epsilon
                    curvature[i] = 0
                    slope_sigma[i] = 0.5 * (1 - epsilon * epsilon)
                    z[i] = 0
            add_compensated(&totals[0, 1], &totals[1, 1], weighted_sum(weight, value, c))
            if order >= 1:
                add_compensated(&gradient[0, p], &gradient[1, p], weighted_sum(weight, slope_sigma, c))
                add_gradient(&x, start, c, scale, centre, packed, block, p, weight, slope, vec, &gradient[0, 0], &gradient[1, 0])
            if order >= 2:
                for i in range(c):
                    block[i, p] = z[i]
                add_hessian(&x, start, scale, centre, packed, vec, block, c, w, weight, curvature, scaled, partial, 1.0, hessian, 0, 0,
                            memory_of(&x, start + c, b))
            start += c


def expand_softmax(X not None, const long long[::1] labels not None, const double[:, ::1] soft not None,
                   const double[::1] s not None, const double[:, ::1] o not None, const double[::1] m not None,
                   const double[::1] t not None, const double[:, ::1] theta not None, int order,
                   double[:, ::1] totals not None, double[:, :, ::1] gradient not None, double[:, ::1] hessian not None,
                   double[:, ::1] block not None, double[:, ::1] logits not None, double[:, :, ::1] vectors not None,
                   double[:, ::1] rows not None, real[:, ::1] scaled not None, real[:, ::1] partial not None):
    """Cross-entropy of softmax (the lecture's eqs. 17-22): l = log sum_k e^{z_k} - sum_k y_k z_k over c classes.

    The targets are class codes in `labels` (n), or, where labels is empty, probabilities in `soft` (n, c).
    theta is (c, p), gradient (2, c, p), hessian (c p, c p) in blocks of p, lower block triangle only. With p_k = softmax(z)_k

        g_k = sum_i s_i (p_ik - y_ik) Z_i      H_kl = sum_i s_i p_ik (delta_kl - p_il) Z_i Z_i'

    With S the sum of e^{z_k - max z} over all but one of the largest, log sum_k e^{z_k} = max z + log1p(S), the largest probability is
    1 / (1 + S) and its complement S / (1 + S); only that one can be near 1, so no complement is a difference that cancels.
    Workspace, with P = p padded to whole 64-byte vectors: block (b, P), logits (c, b), vectors (2, c, P) and rows (7, b) of double; at
    order 2 scaled (b, P), never block itself, and partial (P, P) in the precision of the Hessian.
    One read of X; n p c (2, 4, or 4 + (c + 1) (p + 1) / 2) flops for order 0, 1, 2.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, c = theta.shape[0], p = theta.shape[1], b = block.shape[0]
    cdef Py_ssize_t start = 0, size, i, j, k, l, step = logits.shape[1], ld = pad(p, sizeof(double))
    cdef bint coded = labels.shape[0] == n
    check(n, d, n if coded else soft.shape[0], s.shape[0], o.shape[0], m.shape[0], t.shape[0], p, block, p)
    if not coded and soft.shape[1] != c or o.shape[0] and o.shape[1] != c:
        raise ValueError(f"targets and offsets need {c} columns")
    if coded:
        for i in range(n):
            if labels[i] < 0 or labels[i] >= c:
                raise ValueError(f"labels[{i}] = {labels[i]} is not a class code below {c}")
    if logits.shape[0] != c or step < b or rows.shape[0] < 7 or rows.shape[1] < max(b, step if x.sparse else 0) \
            or vectors.shape[0] != 2 or vectors.shape[1] != c or vectors.shape[2] != ld \
            or totals.shape[0] != 2 or totals.shape[1] != 2 or gradient.shape[0] != 2 or gradient.shape[1] != c or gradient.shape[2] != p:
        raise ValueError("the outputs or the workspace do not match")
    if order >= 2:
        check_hessian(c * p, p, hessian, block, scaled, partial)
    if n == 0 or c == 0:
        return
    cdef const double* centre = &m[0] if d else NULL
    cdef bint packed = not (x.sparse and as_they_lie(&x, centre, order))
    cdef const double* scale = &t[0] if d else NULL
    cdef double* weight = &rows[0, 0]
    cdef double* value = &rows[1, 0]
    cdef double* work = &rows[2, 0]
    cdef double* top = &rows[3, 0]
    cdef double* others = &rows[4, 0]
    cdef double* largest = &rows[5, 0]
    cdef double* ties = &rows[6, 0]
    cdef double* parameters = &vectors[0, 0, 0] if p else NULL
    cdef double* sums = &vectors[1, 0, 0] if p else NULL
    cdef double* z
    cdef double* q
    if x.sparse and not packed:
        b = logits.shape[1]
    with nogil:
        for k in range(c if p else 0):
            load_parameters(&theta[k, 0], p, parameters + k * ld, ld)
        while start < n:
            size = min(b, n - start)
            load_weights(s, start, size, weight, totals)
            if packed:
                touch(memory_of(&x, start, size))
                load_rows(&x, start, size, scale, centre, block, p)
                predict_outputs(&block[0, 0] if p else NULL, size, ld, parameters, c, &logits[0, 0], step)
            else:
                predict_stored_outputs(&x.stored, start, size, d, p > d, scale, centre, parameters, ld, c, sums, &logits[0, 0], step)
            for k in range(c):
                z = &logits[k, 0]
                if o.shape[0]:
                    for i in range(size):
                        z[i] += o[start + i, k]
                if k == 0:
                    for i in range(size):
                        top[i] = z[i]
                else:
                    for i in range(size):
                        top[i] = z[i] if z[i] > top[i] else top[i]
            # sum_k y_k (max z - z_k)
            if coded:
                for i in range(size):
                    value[i] = top[i] - logits[labels[start + i], i]
            else:
                for i in range(size):
                    value[i] = 0
                    for k in range(c):
                        if soft[start + i, k] != 0:
                            value[i] += soft[start + i, k] * (top[i] - logits[k, i])
            for i in range(size):
                others[i] = 0
                ties[i] = -1
            for k in range(c):
                z = &logits[k, 0]
                for i in range(size):
                    z[i] -= top[i]
                exponentials(z, size, work)
                for i in range(size):
                    ties[i] += 1.0 if z[i] == 0 else 0.0
                    others[i] += 0.0 if z[i] == 0 else work[i]
                    z[i] = work[i]
            for i in range(size):
                others[i] += ties[i]
                largest[i] = 1 / (1 + others[i])
            logarithms_of_1_plus(others, size, work)
            for i in range(size):
                value[i] += work[i]
                others[i] *= largest[i]
            add_compensated(&totals[0, 1], &totals[1, 1], weighted_sum(weight, value, size))
            if order == 0 or p == 0:
                start += size
                continue
            for k in range(c):
                z = &logits[k, 0]
                for i in range(size):
                    z[i] *= largest[i]
            if order >= 2:
                for k in range(c):
                    z = &logits[k, 0]
                    for i in range(size):
                        work[i] = z[i] * (others[i] if z[i] == largest[i] else 1 - z[i])
                    add_hessian(&x, start, scale, centre, packed, sums, block, size, p, weight, work, scaled, partial, 1.0,
                                hessian, k * p, k * p, memory_of(&x, start + size, b if k == 0 else 0))
                    for l in range(k):
                        q = &logits[l, 0]
                        for i in range(size):
                            work[i] = z[i] * q[i]
                        add_hessian(&x, start, scale, centre, packed, sums, block, size, p, weight, work, scaled, partial, -1.0,
                                    hessian, k * p, l * p, memory_of(&x, start + size, 0))
            # p_k - y_k: for the class of a coded row less the complement
            if coded:
                for i in range(size):
                    z = &logits[labels[start + i], i]
                    z[0] = -(others[i] if z[0] == largest[i] else 1 - z[0])
            for k in range(c):
                z = &logits[k, 0]
                if not coded:
                    for i in range(size):
                        z[i] -= soft[start + i, k]
                for i in range(size):
                    z[i] = weight[i] * z[i] if weight[i] != 0 else 0.0
            if packed:
                combine_outputs(&block[0, 0], size, ld, &logits[0, 0], step, c, sums)
            else:
                combine_stored_outputs(&x.stored, start, size, d, p > d, scale, centre, &logits[0, 0], step, c, parameters, sums, ld)
                for k in range(c):  # whose place was needed
                    load_parameters(&theta[k, 0], p, parameters + k * ld, ld)
            for k in range(c):
                for j in range(p):
                    add_compensated(&gradient[0, k, j], &gradient[1, k, j], sums[k * ld + j])
            start += size


def predict_rows_of(X not None, const double[::1] m not None, const double[::1] t not None, const double[:, ::1] theta not None,
                    double[:, ::1] block not None, double[:, ::1] vectors not None, double[:, ::1] out not None):
    """out_k = Z theta_k (c, n), Z = [X t - m, 1], the ones where theta (c, p) has a column more than X.

    Workspace, with P = p padded to whole 64-byte vectors: block (b, P) and vectors (c, P).  One read of X, 2 n p c flops.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, c = theta.shape[0], p = theta.shape[1], b = block.shape[0], start = 0, i, k, size
    cdef Py_ssize_t ld = pad(p, sizeof(double))
    check(n, d, n, 0, 0, m.shape[0], t.shape[0], p, block, p)
    if vectors.shape[0] != c or vectors.shape[1] != ld or out.shape[0] != c or out.shape[1] != n:
        raise ValueError("the output or the workspace does not match")
    if n == 0 or c == 0:
        return
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    with nogil:
        if p == 0:
            for k in range(c):
                for i in range(n):
                    out[k, i] = 0
            start = n
        else:
            for k in range(c):
                load_parameters(&theta[k, 0], p, &vectors[k, 0], ld)
        while start < n:
            size = min(b, n - start)
            touch(memory_of(&x, start, size))
            load_rows(&x, start, size, scale, centre, block, p)
            predict_outputs(&block[0, 0], size, ld, &vectors[0, 0], c, &out[0, start], n)
            start += size


def largest_movement(X not None, const double[::1] m not None, const double[::1] t not None, const double[:, ::1] theta not None,
                     double[:, ::1] block not None, double[:, ::1] rows not None):
    """max_i max_kl (Z_i theta_k - Z_i theta_l), theta (c, p); for a single theta max_i |Z_i theta|.  NaN if anything is.

    Workspace: block (b, P) and rows (4, max(b, P)), as for `expand`.  One read of X, 2 n p c flops.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t n = x.n, d = x.d, c = theta.shape[0], p = theta.shape[1], b = block.shape[0], start = 0, i, k, size
    check(n, d, n, 0, 0, m.shape[0], t.shape[0], p, block, p)
    if rows.shape[0] < 4 or rows.shape[1] < max(b, pad(p, sizeof(double))):
        raise ValueError("the workspace does not match")
    if n == 0 or p == 0:
        return 0.0
    cdef bint packed = not lies_in_rows(&x)
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    cdef double* vec = &rows[0, 0]
    cdef double* z = &rows[1, 0]
    cdef double* high = &rows[2, 0]
    cdef double* low = &rows[3, 0]
    cdef double largest = 0
    if x.sparse:
        b = rows.shape[1]
    with nogil:
        while start < n:
            size = min(b, n - start)
            if packed:
                load_rows(&x, start, size, scale, centre, block, p)
            for i in range(size):
                high[i] = 0 if c == 1 else -INFINITY
                low[i] = 0 if c == 1 else INFINITY
            for k in range(c):
                predict_all(&x, start, size, scale, centre, packed, block, &theta[k, 0], p, vec, z)
                for i in range(size):
                    high[i] = high[i] if z[i] <= high[i] else z[i]
                    low[i] = low[i] if z[i] >= low[i] else z[i]
            for i in range(size):
                largest = largest if high[i] - low[i] <= largest else high[i] - low[i]
            start += size
    return largest
