"""From moments to the normal equations, and from a solution of them to what it proves: O(d^2) work, in one visit each.

Arrays that hold the low parts of double-doubles may be empty (zero rows), for moments in plain double.
"""
from libc.math cimport INFINITY, fabs, frexp, ldexp, sqrt

from doubledouble cimport dd, dd_add, dd_mul, fast_two_sum, multiply_add, two_prod, two_sum


cdef inline double power_of_two(double size) noexcept nogil:
    """A power of two, within 2^+-500, that brings `size` into [1/2, 1); 1 for zero and for what is not finite."""
    cdef int exponent = 0
    if not 0 < size < INFINITY:
        return 1
    frexp(size, &exponent)
    return ldexp(1.0, min(max(-exponent, -500), 500))


def assemble(
    const double[:, ::1] lower not None, const double[::1] mean not None, const double[::1] scale not None,
    double weight, double noise, double alpha, bint fit_intercept,
    double[:, ::1] A not None, double[:, ::1] c not None, double[::1] T not None, double[::1] penalty not None,
):
    """A v = c from the moments of d features and t targets, p = d + t, in columns scaled to a diagonal near one.

    Parameters
    ----------
    lower : (p, p)
        Scatter of the columns times `scale`; the lower triangle is read.
    mean, scale : (p,)
        Mean of the scaled columns, and their scale.
    noise : float
        A column whose scatter is at most noise^2 mean^2 weight is constant, and is set to zero (with an intercept).
    A : (d, d), c : (t, d), T : (d,), penalty : (d,)
        Filled: the equations, the columns' scale D times `scale`, alpha T^2.
    """
    cdef Py_ssize_t p = lower.shape[0], d = A.shape[0], t = p - d, j, k
    if (
        t < 0 or lower.shape[1] != p or mean.shape[0] != p or scale.shape[0] != p or A.shape[1] != d or c.shape[0] != t or c.shape[1] != d
        or T.shape[0] != d or penalty.shape[0] != d
    ):
        raise ValueError(f"shapes do not belong together for {d} features and {t} targets")
    cdef double s, u
    with nogil:
        for j in range(d):
            s = lower[j, j]
            if fit_intercept:
                u = noise * mean[j]
                s = 0 if s <= weight * u * u else s
            else:
                s += weight * mean[j] * mean[j]
            T[j] = 0 if s == 0 and fit_intercept else power_of_two(sqrt(s))
        for j in range(d):
            for k in range(j + 1):
                s = lower[j, k]
                if not fit_intercept:
                    s += weight * mean[j] * mean[k]
                A[j, k] = s * T[j] * T[k]
                A[k, j] = A[j, k]
        for j in range(t):
            s = noise * mean[d + j]
            s = 0 if fit_intercept and lower[d + j, d + j] <= weight * s * s else 1   # a constant target
            for k in range(d):
                u = lower[d + j, k]
                if not fit_intercept:
                    u += weight * mean[d + j] * mean[k]
                c[j, k] = s * u * T[k]
        for j in range(d):
            T[j] = (1 if T[j] == 0 else T[j]) * scale[j]
            penalty[j] = alpha * T[j] * T[j]
            A[j, j] += penalty[j]


cdef inline dd entry(const double[::1] hi, const double[::1] lo, Py_ssize_t j) noexcept nogil:
    cdef dd r
    r.hi = hi[j]
    r.lo = lo[j] if lo.shape[0] else 0
    return r


cdef void multiply(
    const double[:, ::1] A, const double[:, ::1] A_lo, const double[::1] v, double[::1] hi, double[::1] lo,
) noexcept nogil:
    """(hi + lo) += A v in double-double; A is symmetric, so that its rows are walked."""
    cdef Py_ssize_t d = v.shape[0], j, k
    cdef double x
    cdef dd product, sum
    for j in range(d):
        x = v[j]
        for k in range(d):
            product = two_prod(A[j, k], x)
            sum = two_sum(hi[k], product.hi)
            sum = fast_two_sum(sum.hi, sum.lo + (lo[k] + product.lo))
            hi[k] = sum.hi
            lo[k] = sum.lo
        if A_lo.shape[0]:
            for k in range(d):
                lo[k] = multiply_add(A_lo[j, k], x, lo[k])


def finish(
    const double[:, ::1] A not None, const double[:, ::1] A_lo not None,
    const double[:, ::1] c not None, const double[:, ::1] c_lo not None,
    const double[::1] T not None, const double[::1] target_scale not None, const double[::1] variance not None,
    const double[::1] mean not None, const double[::1] mean_lo not None, double weight, bint fit_intercept,
    double gamma, double eta, double terms, bint single,
    double[:, ::1] v not None, const double[:, ::1] v_lo not None,
    double[:, ::1] coef not None, double[::1] intercept not None, double[:, ::1] g not None, double[:, ::1] bounds not None,
    double[:, ::1] work not None,
):
    """Coefficients and intercepts as they are returned, and the gradient of exactly those.

    The gradient A v - c is formed from the moments in double-double; e bounds what rounding in the moments can hide,

        |S_jk error| <= gamma r_j r_k + 8 eta (f_j r_k + r_j f_k),    r_j = sqrt(A_jj),  f_j = sqrt(W) |m_j|

    and the error of the means, at most eta terms f_j / sqrt(W), moves the intercept.

    Parameters
    ----------
    A, A_lo : (d, d), c, c_lo : (t, d)
        The equations; symmetric.
    T : (d,), target_scale, variance : (t,)
        Scales of columns and targets; the scaled targets' scatter.
    mean, mean_lo : (d + t,)
        In original units.
    single : bool
        Whether the answers are to be rounded to float32.
    v, v_lo : (t, d)
        The solution; v becomes that of the coefficients returned.
    coef : (t, d), intercept : (t,), g : (t, d)
        Filled: the answers, and the gradient in v.
    bounds : (t, 2)
        Filled: ||e||, and a bound on how far the intercept is off its equation, per unit of weight.
    work : (4, d)

    Returns
    -------
    float
        A bound on the largest entry of the gradient in original units, divided by the weight.
    """
    cdef Py_ssize_t d = A.shape[0], t = c.shape[0], j, k
    if (
        A.shape[1] != d or c.shape[1] != d or T.shape[0] != d or target_scale.shape[0] != t or variance.shape[0] != t
        or mean.shape[0] != d + t or v.shape[0] != t or v.shape[1] != d or coef.shape[0] != t or coef.shape[1] != d
        or intercept.shape[0] != t or g.shape[0] != t or g.shape[1] != d or bounds.shape[0] != t or bounds.shape[1] != 2
        or work.shape[0] != 4 or work.shape[1] != d
        or A_lo.shape[0] not in (0, d) or (A_lo.shape[0] and A_lo.shape[1] != d)
        or c_lo.shape[0] not in (0, t) or (c_lo.shape[0] and c_lo.shape[1] != d)
        or v_lo.shape[0] not in (0, t) or (v_lo.shape[0] and v_lo.shape[1] != d) or mean_lo.shape[0] not in (0, d + t)
    ):
        raise ValueError(f"shapes do not belong together for {d} features and {t} targets")
    cdef double[::1] lo = work[0], root = work[1], far = work[2], e = work[3]
    cdef double U, unit, reach, far_reach, off, s, norm = 0, size
    cdef double rootW = sqrt(weight)
    cdef dd b, m, x
    with nogil:
        for j in range(d):
            root[j] = sqrt(max(A[j, j], 0.0))
            far[j] = rootW * fabs(mean[j] * T[j])
        for k in range(t):
            U = target_scale[k]
            # the intercept of the solution before it is rounded; (m T) (v / U), since m (T v / U) may overflow on the way
            b.hi = b.lo = 0
            if fit_intercept:
                for j in range(d):
                    m = entry(mean, mean_lo, j)
                    m.hi *= T[j]
                    m.lo *= T[j]
                    x.hi = v[k, j] / U
                    x.lo = v_lo[k, j] / U if v_lo.shape[0] else 0
                    b = dd_add(b, dd_mul(m, x))
                m = entry(mean, mean_lo, d + k)
                b.hi = -b.hi
                b.lo = -b.lo
                b = dd_add(m, b)
            intercept[k] = <float> b.hi if single else b.hi
            b.hi = b.lo = 0
            for j in range(d):
                s = v[k, j] / U * T[j]
                coef[k, j] = <float> s if single else s
                v[k, j] = coef[k, j] / T[j] * U
            off = 0
            if fit_intercept:
                for j in range(d):
                    m = entry(mean, mean_lo, j)
                    m.hi *= T[j]
                    m.lo *= T[j]
                    x.hi = coef[k, j] / T[j]
                    x.lo = 0
                    b = dd_add(b, dd_mul(m, x))
                x.hi = intercept[k]
                x.lo = 0
                b = dd_add(b, x)
                m = entry(mean, mean_lo, d + k)
                m.hi = -m.hi
                m.lo = -m.lo
                off = dd_add(b, m).hi
            for j in range(d):
                g[k, j] = -c[k, j]
                lo[j] = -c_lo[k, j] if c_lo.shape[0] else 0
            multiply(A, A_lo, v[k], g[k], lo)
            reach = sqrt(max(variance[k], 0.0))
            far_reach = rootW * fabs(mean[d + k] * U)
            for j in range(d):
                g[k, j] += lo[j]
                reach += fabs(v[k, j]) * root[j]
                far_reach += fabs(v[k, j]) * far[j]
            size = fabs(off)
            s = 0
            if fit_intercept:
                s = eta * terms * far_reach / rootW / U
            unit = 0
            for j in range(d):
                e[j] = gamma * reach * root[j]
                if fit_intercept:
                    e[j] += 8 * eta * (reach * far[j] + far_reach * root[j])
                unit += e[j] * e[j]
            bounds[k, 0] = sqrt(unit)
            bounds[k, 1] = size + s
            norm = norm if bounds[k, 1] <= norm else bounds[k, 1]
            for j in range(d):
                unit = U * T[j] * weight
                size = fabs(g[k, j] / unit + mean[j] * off) + e[j] / unit + fabs(mean[j]) * s
                norm = norm if size <= norm else size
    return norm
