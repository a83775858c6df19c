"""One visit of each cache block: predictions, loss, gradient and Hessian of a sum of losses at one point theta.

    z_i = Z_i theta + o_i,  Z = [(X - m) * t, 1]      (m centre, t scale, theta = (w, b), o offset)
    F = sum_i s_i l(y_i, z_i)      g = sum_i s_i l'(y_i, z_i) Z_i      H = sum_i s_i l''(y_i, z_i) Z_i Z_i'

A *pointwise loss* is a final class with one method, `at`: value, slope and curvature in z of one (target, prediction), both double.
It knows no X, no weight and no penalty.  The fused type PointLoss compiles the one loop below for each of them, with static calls;
a new loss is a class and a line in that list.

A block is packed and multiplied in the precision of X; losses are evaluated in double, blocks are summed in double, and the sums over
blocks of F and g are compensated (two_sum), because a gradient near the optimum is a small difference of large terms.
"""
cimport cython
from libc.math cimport exp, fabs, log1p, sqrt

from blas cimport real
from doubledouble cimport dd, two_sum
from gram cimport combine, gram, pad, predict
from rows cimport pack
from scalar cimport sigmoid, softplus


@cython.final
cdef class Squared:
    """l = (y - z)^2 / 2,  l' = z - y,  l'' = 1."""

    cdef inline void at(self, double y, double z, double* value, double* slope, double* curvature) noexcept nogil:
        slope[0] = z - y
        value[0] = 0.5 * slope[0] * slope[0]
        curvature[0] = 1


@cython.final
cdef class Huber:
    """l = r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2), with r = z - y."""

    cdef readonly double delta

    def __init__(self, double delta):
        self.delta = delta

    cdef inline void at(self, double y, double z, double* value, double* slope, double* curvature) noexcept nogil:
        cdef double r = z - y, a = fabs(r)
        if a <= self.delta:
            value[0] = 0.5 * r * r
            slope[0] = r
            curvature[0] = 1
        else:
            value[0] = self.delta * (a - 0.5 * self.delta)
            slope[0] = self.delta if r > 0 else -self.delta
            curvature[0] = 0 if a == a else a


@cython.final
cdef class Absolute:
    """l = |r| with r = z - y: the subgradient sign(r), which is 0 at the corner; no curvature."""

    cdef inline void at(self, double y, double z, double* value, double* slope, double* curvature) noexcept nogil:
        cdef double r = z - y
        value[0] = fabs(r)
        # r itself where it is 0 or NaN
        slope[0] = 1 if r > 0 else (-1 if r < 0 else r)
        curvature[0] = 0


@cython.final
cdef class Logistic:
    """y in [0, 1], z a log-odds:  l = (1 - y) log(1 + e^z) + y log(1 + e^-z).

    l' = (1 - y) sigma(z) - y sigma(-z) and l'' = sigma(z) sigma(-z): the complement 1 - sigma(z) is never formed by subtraction.
    """

    cdef inline void at(self, double y, double z, double* value, double* slope, double* curvature) noexcept nogil:
        cdef double p = sigmoid(z), q = sigmoid(-z)
        # y = 1 and y = 0 take one term: an infinite z times a zero is not wanted
        if y == 1:
            value[0] = softplus(-z)
            slope[0] = -q
        elif y == 0:
            value[0] = softplus(z)
            slope[0] = p
        else:
            value[0] = (1 - y) * softplus(z) + y * softplus(-z)
            slope[0] = (1 - y) * p - y * q
        curvature[0] = p * q


ctypedef fused PointLoss:
    Squared
    Huber
    Absolute
    Logistic


cdef void check(Py_ssize_t n, Py_ssize_t d, Py_ssize_t n_y, Py_ssize_t n_s, Py_ssize_t n_o, Py_ssize_t m, Py_ssize_t t,
                Py_ssize_t p, Py_ssize_t block_rows, Py_ssize_t block_columns) except *:
    if n_y != n or (n_s != 0 and n_s != n) or (n_o != 0 and n_o != n):
        raise ValueError(f"{n} rows of X, {n_y} targets, {n_s} weights, {n_o} offsets (pass none, or one per row)")
    if m != d or t != d or (p != d and p != d + 1):
        raise ValueError(f"{d} columns of X, {m} centres, {t} scales, {p} parameters")
    if block_rows < 1 or block_columns < p:
        raise ValueError(f"the block must have {p} columns, and be padded to whole vectors")


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
    for i in range(n):
        weight[i] = s[start + i] if s.shape[0] else 1.0
        total += weight[i]
    add_compensated(&totals[0, 0], &totals[1, 0], total)


cdef inline void add_gram(real[:, ::1] block, Py_ssize_t n, Py_ssize_t p, const double* weight, const double* curvature,
                          real[:, ::1] partial, double sign, double[:, ::1] hessian, Py_ssize_t row, Py_ssize_t column,
                          real[:, ::1] scaled) noexcept nogil:
    """hessian[row:, column:] += sign sum_i weight_i curvature_i Z_i Z_i' by a Gram of the rows scaled to `scaled` (which may be block).

    Where row != column all of the p x p square is filled, else its lower triangle.
    """
    cdef Py_ssize_t i, j, ld = block.shape[1]
    cdef real f
    for i in range(n):
        f = <real> (sqrt(weight[i] * curvature[i]) if weight[i] != 0 else 0.0)
        for j in range(ld):
            scaled[i, j] = block[i, j] * f
    for i in range(partial.shape[0]):
        for j in range(ld):
            partial[i, j] = 0
    gram(&scaled[0, 0], n, p, ld, &partial[0, 0])
    for i in range(p):
        for j in range(i + 1):
            hessian[row + i, column + j] += sign * partial[i, j]
            if row != column and j < i:
                hessian[row + j, column + i] += sign * partial[i, j]


def expand(PointLoss loss, const real[:, ::1] X not None, const double[::1] y not None,
           const double[::1] s not None, const double[::1] o not None, const double[::1] m not None,
           const double[::1] t not None, const double[::1] theta not None, int order,
           double[:, ::1] totals not None, double[:, ::1] gradient not None, double[:, ::1] hessian not None,
           real[:, ::1] block not None, real[:, ::1] rows not None, double[:, ::1] points not None, real[:, ::1] partial not None):
    """Add the rows of X (n x d) to totals (2, 2), gradient (2, p) and the lower triangle of hessian (p, p).

    p = len(theta) is d, or d + 1 with an intercept (last). totals[0] = (weight, value), gradient[0] = g, their second rows carry the
    compensation. order 0 stops at the value, 1 at the gradient; hessian is (1, 1) below order 2. s and o are empty or have n entries.
    Workspace, with P = p padded to whole 64-byte vectors: block (b, P), rows (2, max(b, P)), points (4, b), at order 2 partial (P, P).
    One read of X; n p (2, 4 or p + 5) flops for order 0, 1 or 2.
    """
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], p = theta.shape[0], b = block.shape[0], start = 0, c, i, j
    cdef Py_ssize_t ld = pad(p, sizeof(real))
    check(n, d, y.shape[0], s.shape[0], o.shape[0], m.shape[0], t.shape[0], p, b, block.shape[1])
    if block.shape[1] != ld or rows.shape[0] < 2 or rows.shape[1] < max(b, ld) or points.shape[0] < 4 or points.shape[1] < b \
            or totals.shape[0] != 2 or totals.shape[1] != 2 or gradient.shape[0] != 2 or gradient.shape[1] != p:
        raise ValueError("the outputs or the workspace do not match")
    if order >= 2 and (hessian.shape[0] != p or hessian.shape[1] != p):
        raise ValueError("hessian must be p x p")
    if order >= 2 and (partial.shape[0] != ld or partial.shape[1] != ld):
        raise ValueError(f"partial must be {ld} x {ld}")
    if n == 0:
        return
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    cdef real* pred = &rows[0, 0]
    cdef real* vec = &rows[1, 0]
    cdef double* weight = &points[0, 0]
    cdef double* slope = &points[1, 0]
    cdef double* curvature = &points[2, 0]
    cdef double* value = &points[3, 0]
    with nogil:
        while start < n:
            c = min(b, n - start)
            if p:
                pack(&X[start, 0] if d else NULL, c, d, centre, scale, &block[0, 0], p, ld)
                for j in range(ld):
                    vec[j] = <real> theta[j] if j < p else <real> 0
                predict(&block[0, 0], c, ld, vec, pred)
            for i in range(c):
                value[i] = (<double> pred[i] if p else 0.0) + (o[start + i] if o.shape[0] else 0.0)
            load_weights(s, start, c, weight, totals)
            for i in range(c):
                loss.at(y[start + i], value[i], &value[i], &slope[i], &curvature[i])
            add_compensated(&totals[0, 1], &totals[1, 1], weighted_sum(weight, value, c))
            if order >= 1 and p:
                for i in range(c):
                    pred[i] = <real> (weight[i] * slope[i] if weight[i] != 0 else 0.0)
                combine(&block[0, 0], c, ld, pred, vec)
                for j in range(p):
                    add_compensated(&gradient[0, j], &gradient[1, j], vec[j])
            if order >= 2 and p:
                add_gram(block, c, p, weight, curvature, partial, 1.0, hessian, 0, 0, block)
            start += c


def expand_scaled_huber(double epsilon, double sigma, const real[:, ::1] X not None, const double[::1] y not None,
                        const double[::1] s not None, const double[::1] m not None, const double[::1] t not None,
                        const double[::1] theta not None, int order, double[:, ::1] totals not None,
                        double[:, ::1] gradient not None, double[:, ::1] hessian not None, real[:, ::1] block not None,
                        real[:, ::1] rows not None, double[:, ::1] points not None, real[:, ::1] partial not None):
    """Huber's loss with concomitant scale (Huber 1981, Robust Statistics, 7.7; scikit-learn's halved):

        l = (sigma + sigma h(r / sigma)) / 2,  h(u) = u^2 where |u| <= epsilon, else 2 epsilon |u| - epsilon^2,  r = z - y

    The parameters are (theta, sigma): gradient (2, p + 1) and hessian (p + 1, p + 1) end with sigma. Since in the quadratic part
    d2l = (dz - u dsigma)^2 / sigma with u = r / sigma, the Hessian is the Gram of the rows (Z_i, -u_i) / sqrt(sigma).
    Otherwise as `expand`, with P = p + 1 padded and points (5, b).
    """
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], p = theta.shape[0], b = block.shape[0], start = 0, c, i, j
    cdef Py_ssize_t w = p + 1, ld = pad(w, sizeof(real))
    cdef double r, u
    check(n, d, y.shape[0], s.shape[0], 0, m.shape[0], t.shape[0], p, b, block.shape[1])
    if block.shape[1] != ld or rows.shape[0] < 2 or rows.shape[1] < max(b, ld) or points.shape[0] < 5 or points.shape[1] < b \
            or totals.shape[0] != 2 or totals.shape[1] != 2 or gradient.shape[0] != 2 or gradient.shape[1] != w:
        raise ValueError("the outputs or the workspace do not match")
    if order >= 2 and (hessian.shape[0] != w or hessian.shape[1] != w):
        raise ValueError("hessian must be (p + 1) x (p + 1)")
    if order >= 2 and (partial.shape[0] != ld or partial.shape[1] != ld):
        raise ValueError(f"partial must be {ld} x {ld}")
    if n == 0:
        return
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    cdef real* pred = &rows[0, 0]
    cdef real* vec = &rows[1, 0]
    cdef double* weight = &points[0, 0]
    cdef double* slope = &points[1, 0]
    cdef double* curvature = &points[2, 0]
    cdef double* value = &points[3, 0]
    cdef double* slope_sigma = &points[4, 0]
    with nogil:
        while start < n:
            c = min(b, n - start)
            pack(&X[start, 0] if d else NULL, c, d, centre, scale, &block[0, 0], p, ld)
            for j in range(ld):
                vec[j] = <real> theta[j] if j < p else <real> 0
            predict(&block[0, 0], c, ld, vec, pred)
            load_weights(s, start, c, weight, totals)
            for i in range(c):
                r = pred[i] - y[start + i]
                u = r / sigma
                if fabs(u) <= epsilon:
                    value[i] = 0.5 * (sigma + r * u)
                    slope[i] = u
                    curvature[i] = 1 / sigma
                    slope_sigma[i] = 0.5 * (1 - u * u)
                    block[i, p] = <real> -u
                else:
                    value[i] = 0.5 * (sigma * (1 - epsilon * epsilon) + 2 * epsilon * fabs(r))
                    slope[i] = epsilon if u > 0 else -epsilon
                    curvature[i] = 0
                    slope_sigma[i] = 0.5 * (1 - epsilon * epsilon)
            add_compensated(&totals[0, 1], &totals[1, 1], weighted_sum(weight, value, c))
            if order >= 1:
                add_compensated(&gradient[0, p], &gradient[1, p], weighted_sum(weight, slope_sigma, c))
                for i in range(c):
                    pred[i] = <real> (weight[i] * slope[i] if weight[i] != 0 else 0.0)
                combine(&block[0, 0], c, ld, pred, vec)
                for j in range(p):
                    add_compensated(&gradient[0, j], &gradient[1, j], vec[j])
            if order >= 2:
                add_gram(block, c, w, weight, curvature, partial, 1.0, hessian, 0, 0, block)
            start += c


cdef inline double complement(const real[:, ::1] p, Py_ssize_t i, Py_ssize_t k) noexcept nogil:
    """1 - p_k of row i without cancellation: by subtraction below one half, else the sum of the other probabilities."""
    cdef Py_ssize_t j
    cdef double total = 0
    if p[k, i] < 0.5:
        return 1 - <double> p[k, i]
    for j in range(p.shape[0]):
        if j != k:
            total += p[j, i]
    return total


def expand_softmax(const real[:, ::1] X not None, const long long[::1] labels not None, const double[:, ::1] soft not None,
                   const double[::1] s not None, const double[:, ::1] o not None, const double[::1] m not None,
                   const double[::1] t not None, const double[:, ::1] theta not None, int order,
                   double[:, ::1] totals not None, double[:, :, ::1] gradient not None, double[:, ::1] hessian not None,
                   real[:, ::1] block not None, real[:, ::1] scaled not None, real[:, ::1] logits not None,
                   real[:, ::1] rows not None, double[:, ::1] points not None, real[:, ::1] partial not None):
    """Cross-entropy of softmax (the lecture's eqs. 17-22): l = log sum_k e^{z_k} - sum_k y_k z_k over c classes.

    The targets are class codes in `labels` (n), or, where labels is empty, probabilities in `soft` (n, c).
    theta is (c, p), gradient (2, c, p), hessian (c p, c p) in blocks of p, lower block triangle only. With p_k = softmax(z)_k

        g_k = sum_i s_i (p_ik - y_ik) Z_i      H_kl = sum_i s_i p_ik (delta_kl - p_il) Z_i Z_i'

    and 1 - p_k is always the sum of the other probabilities.
    Workspace, with P = p padded to whole 64-byte vectors: block, scaled (b, P); logits (c, b); rows (2, max(b, P)); points (4, max(b, c));
    at order 2 partial (P, P).
    One read of X; n p c (2, 4, or 4 + (c + 1) (p + 1) / 2) flops for order 0, 1, 2.
    """
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c = theta.shape[0], p = theta.shape[1], b = block.shape[0]
    cdef Py_ssize_t start = 0, m_rows, i, j, k, l, best, ld = pad(p, sizeof(real))
    cdef double top, f, loss, rest, x
    check(n, d, n if labels.shape[0] == n else soft.shape[0], s.shape[0], o.shape[0], m.shape[0], t.shape[0], p, b, block.shape[1])
    if labels.shape[0] != n and soft.shape[1] != c or o.shape[0] and o.shape[1] != c:
        raise ValueError(f"targets and offsets need {c} columns")
    if labels.shape[0] == n:
        for i in range(n):
            if labels[i] < 0 or labels[i] >= c:
                raise ValueError(f"labels[{i}] = {labels[i]} is not a class code below {c}")
    if block.shape[1] != ld or scaled.shape[0] < b or scaled.shape[1] != ld or logits.shape[0] != c or logits.shape[1] < b \
            or rows.shape[0] < 2 or rows.shape[1] < max(b, ld) or points.shape[0] < 4 or points.shape[1] < max(b, c) \
            or totals.shape[0] != 2 or totals.shape[1] != 2 or gradient.shape[0] != 2 or gradient.shape[1] != c or gradient.shape[2] != p:
        raise ValueError("the outputs or the workspace do not match")
    if order >= 2 and (hessian.shape[0] != c * p or hessian.shape[1] != c * p or partial.shape[0] != ld or partial.shape[1] != ld):
        raise ValueError(f"hessian must be cp x cp and partial {ld} x {ld}")
    if n == 0 or c == 0:
        return
    cdef const double* centre = &m[0] if d else NULL
    cdef const double* scale = &t[0] if d else NULL
    cdef double* weight = &points[0, 0]
    cdef double* value = &points[1, 0]
    cdef double* product = &points[2, 0]
    cdef double* e = &points[3, 0]
    cdef real* vec = &rows[0, 0]
    cdef real* residual = &rows[1, 0]
    with nogil:
        while start < n:
            m_rows = min(b, n - start)
            if p:
                pack(&X[start, 0] if d else NULL, m_rows, d, centre, scale, &block[0, 0], p, ld)
            for k in range(c):
                for j in range(ld):
                    vec[j] = <real> theta[k, j] if j < p else <real> 0
                if p:
                    predict(&block[0, 0], m_rows, ld, vec, &logits[k, 0])
                else:
                    for i in range(m_rows):
                        logits[k, i] = 0
            load_weights(s, start, m_rows, weight, totals)
            for i in range(m_rows):
                best = 0
                for k in range(c):
                    e[k] = logits[k, i] + (o[start + i, k] if o.shape[0] else 0.0)
                    if not (e[k] <= e[best]):
                        best = k
                top = e[best]
                # value = log sum_k e^{z_k - top} - sum_k y_k (z_k - top); the largest term is exactly 1
                loss = 0
                if labels.shape[0] == n:
                    loss = top - e[labels[start + i]]
                else:
                    for k in range(c):
                        x = soft[start + i, k]
                        if x != 0:
                            loss += x * (top - e[k])
                rest = 0
                for k in range(c):
                    if k == best:
                        e[k] = 1
                    else:
                        e[k] = exp(e[k] - top)
                        rest += e[k]
                value[i] = loss + log1p(rest)
                f = 1 / (1 + rest)
                for k in range(c):
                    logits[k, i] = <real> (e[k] * f)
            add_compensated(&totals[0, 1], &totals[1, 1], weighted_sum(weight, value, m_rows))
            if order >= 2 and p:
                for k in range(c):
                    for l in range(k + 1):
                        for i in range(m_rows):
                            x = complement(logits, i, k) if k == l else logits[l, i]
                            product[i] = logits[k, i] * x
                        add_gram(block, m_rows, p, weight, product, partial, 1.0 if k == l else -1.0, hessian, k * p, l * p, scaled)
            if order >= 1 and p:
                for i in range(m_rows):
                    value[i] = complement(logits, i, labels[start + i]) if labels.shape[0] == n else 0.0
                for k in range(c):
                    for i in range(m_rows):
                        if labels.shape[0] == n:
                            x = -value[i] if labels[start + i] == k else logits[k, i]
                        else:
                            x = logits[k, i] - soft[start + i, k]
                        residual[i] = <real> (weight[i] * x if weight[i] != 0 else 0.0)
                    combine(&block[0, 0], m_rows, ld, residual, vec)
                    for j in range(p):
                        add_compensated(&gradient[0, k, j], &gradient[1, k, j], vec[j])
            start += m_rows
