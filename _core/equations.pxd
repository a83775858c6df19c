"""From moments to the normal equations, and from their solution to what it proves: the arithmetic, on plain pointers.

Low parts of double-doubles may be NULL, for moments in plain double.  What the arguments are is told in normal_equations.pyx.
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


cdef inline void assemble_equations(Py_ssize_t d, Py_ssize_t t, const double* lower, Py_ssize_t ld, const double* mean, const double* scale,
                                    double weight, double noise, double alpha, bint fit_intercept,
                                    double* A, double* c, double* T, double* penalty) noexcept nogil:
    """A v = c from the moments of d features and t targets, in columns scaled to a diagonal near one.

    The rows of `lower`, the scatter, are ld numbers apart.
    """
    cdef Py_ssize_t j, k
    cdef double s, u
    for j in range(d):
        s = lower[j * ld + j]
        if fit_intercept:
            u = noise * mean[j]
            s = 0 if s <= weight * u * u else s
        else:
            s += weight * mean[j] * mean[j]
        T[j] = 0 if s == 0 and fit_intercept else power_of_two(sqrt(s))
    for j in range(d):
        for k in range(j + 1):
            s = lower[j * ld + k]
            if not fit_intercept:
                s += weight * mean[j] * mean[k]
            A[j * d + k] = s * T[j] * T[k]
            A[k * d + j] = A[j * d + k]
    for j in range(t):
        s = noise * mean[d + j]
        s = 0 if fit_intercept and lower[(d + j) * ld + d + j] <= weight * s * s else 1   # a constant target
        for k in range(d):
            u = lower[(d + j) * ld + k]
            if not fit_intercept:
                u += weight * mean[d + j] * mean[k]
            c[j * d + k] = s * u * T[k]
    for j in range(d):
        T[j] = (1 if T[j] == 0 else T[j]) * scale[j]
        penalty[j] = alpha * T[j] * T[j]
        A[j * d + j] += penalty[j]


cdef inline dd entry(const double* hi, const double* lo, Py_ssize_t j) noexcept nogil:
    cdef dd r
    r.hi = hi[j]
    r.lo = lo[j] if lo != NULL else 0
    return r


cdef inline void multiply(const double* A, const double* A_lo, Py_ssize_t d, const double* v, double* hi, double* lo) noexcept nogil:
    """(hi + lo) += A v in double-double; A is symmetric, so that its rows are walked."""
    cdef Py_ssize_t j, k
    cdef double x
    cdef dd product, sum
    for j in range(d):
        x = v[j]
        for k in range(d):
            product = two_prod(A[j * d + k], x)
            sum = two_sum(hi[k], product.hi)
            sum = fast_two_sum(sum.hi, sum.lo + (lo[k] + product.lo))
            hi[k] = sum.hi
            lo[k] = sum.lo
        if A_lo != NULL:
            for k in range(d):
                lo[k] = multiply_add(A_lo[j * d + k], x, lo[k])


cdef inline double finish_equations(Py_ssize_t d, Py_ssize_t t, const double* A, const double* A_lo, const double* c, const double* c_lo,
                                    const double* T, const double* target_scale, const double* variance,
                                    const double* mean, const double* mean_lo, double weight, bint fit_intercept,
                                    double gamma, double eta, double terms, bint single, double* v, const double* v_lo,
                                    double* coef, double* intercept, double* g, double* bounds, double* work) noexcept nogil:
    """Coefficients and intercepts as they are returned, and the gradient of exactly those; returns a bound on its largest entry."""
    cdef Py_ssize_t j, k
    cdef double U, unit, reach, far_reach, off, s, norm = 0, size
    cdef double rootW = sqrt(weight)
    cdef double* lo = work
    cdef double* root = work + d
    cdef double* far = work + 2 * d
    cdef double* e = work + 3 * d
    cdef dd b, m, x
    for j in range(d):
        root[j] = sqrt(max(A[j * d + j], 0.0))
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
                x.hi = v[k * d + j] / U
                x.lo = v_lo[k * d + j] / U if v_lo != NULL else 0
                b = dd_add(b, dd_mul(m, x))
            m = entry(mean, mean_lo, d + k)
            b.hi = -b.hi
            b.lo = -b.lo
            b = dd_add(m, b)
        intercept[k] = <float> b.hi if single else b.hi
        b.hi = b.lo = 0
        for j in range(d):
            s = v[k * d + j] / U * T[j]
            coef[k * d + j] = <float> s if single else s
            v[k * d + j] = coef[k * d + j] / T[j] * U
        off = 0
        if fit_intercept:
            for j in range(d):
                m = entry(mean, mean_lo, j)
                m.hi *= T[j]
                m.lo *= T[j]
                x.hi = coef[k * d + j] / T[j]
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
            g[k * d + j] = -c[k * d + j]
            lo[j] = -c_lo[k * d + j] if c_lo != NULL else 0
        multiply(A, A_lo, d, v + k * d, g + k * d, lo)
        reach = sqrt(max(variance[k], 0.0))
        far_reach = rootW * fabs(mean[d + k] * U)
        for j in range(d):
            g[k * d + j] += lo[j]
            reach += fabs(v[k * d + j]) * root[j]
            far_reach += fabs(v[k * d + j]) * far[j]
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
        bounds[2 * k] = sqrt(unit)
        bounds[2 * k + 1] = size + s
        norm = norm if bounds[2 * k + 1] <= norm else bounds[2 * k + 1]
        for j in range(d):
            unit = U * T[j] * weight
            size = fabs(g[k * d + j] / unit + mean[j] * off) + e[j] / unit + fabs(mean[j]) * s
            norm = norm if size <= norm else size
    return norm
