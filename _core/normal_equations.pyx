"""From moments to the normal equations, and from a solution of them to what it proves: O(d^2) work, in one visit each.

Arrays that hold the low parts of double-doubles may be empty (zero rows), for moments in plain double.
"""
from equations cimport assemble_equations, finish_equations


cdef inline const double* first(const double[:, ::1] a) noexcept nogil:
    """Where the numbers are; NULL if there are none."""
    return &a[0, 0] if a.shape[0] and a.shape[1] else NULL


def assemble(
    const double[:, ::1] lower not None, const double[::1] mean not None, const double[::1] scale not None,
    double weight, double noise, double alpha, bint fit_intercept,
    double[:, ::1] A not None, double[:, ::1] c not None, double[::1] T not None, double[::1] penalty not None,
):
    """A v = c from the moments of d features and t targets, p = d + t, in columns scaled to a diagonal near one.

    Parameters
    ----------
    lower : (p, p) or larger
        Scatter of the columns times `scale`; the lower triangle of its first p rows is read.
    mean, scale : (p,)
        Mean of the scaled columns, and their scale.
    noise : float
        A column whose scatter is at most noise^2 mean^2 weight is constant, and is set to zero (with an intercept).
    A : (d, d), c : (t, d), T : (d,), penalty : (d,)
        Filled: the equations, the columns' scale D times `scale`, alpha T^2.
    """
    cdef Py_ssize_t p = scale.shape[0], d = A.shape[0], t = p - d
    if (
        t < 0 or lower.shape[0] < p or lower.shape[1] < p or mean.shape[0] != p or A.shape[1] != d
        or c.shape[0] != t or c.shape[1] != d or T.shape[0] != d or penalty.shape[0] != d
    ):
        raise ValueError(f"shapes do not belong together for {d} features and {t} targets")
    with nogil:
        assemble_equations(
            d, t, &lower[0, 0] if p else NULL, lower.shape[1], &mean[0] if p else NULL, &scale[0] if p else NULL, weight, noise,
            alpha, fit_intercept,
            &A[0, 0] if d else NULL, &c[0, 0] if d and t else NULL, &T[0] if d else NULL, &penalty[0] if d else NULL,
        )


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
    cdef Py_ssize_t d = A.shape[0], t = c.shape[0]
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
    cdef double norm
    with nogil:
        norm = finish_equations(
            d, t, first(A), first(A_lo), first(c), first(c_lo), &T[0] if d else NULL, &target_scale[0] if t else NULL,
            &variance[0] if t else NULL, &mean[0] if d + t else NULL, &mean_lo[0] if mean_lo.shape[0] else NULL, weight, fit_intercept,
            gamma, eta, terms, single, <double*> first(v), first(v_lo), <double*> first(coef), &intercept[0] if t else NULL,
            <double*> first(g), <double*> first(bounds), <double*> first(work),
        )
    return norm
