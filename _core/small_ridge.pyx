"""Ridge fits of few rows, from rows to coefficients and certificate in one call: one fit, or many in a row.

    minimise  (1/2) sum_i s_i (y_i - x_i w - b)^2 + (alpha / 2) ||w||^2

The steps are those of solvers/least_squares.py, in its order and with its arithmetic, so that the bits are the same: moments, the equations
A v = c, A = U'U, the coefficients as they are returned, their gradient g and what rounding may hide of it,

    F - F* <= (1/2) (||U^-T g|| + ||e|| ||A^-1||^(1/2))^2 / W + slip^2 / 2.

Only the plain case is done: finite numbers, columns and a target that vary, a condition that keeps the digits.  Anything else is handed
over to the solver that has the means for it.
"""
from libc.math cimport isfinite, sqrt
from libc.stdint cimport int64_t, uint8_t

from cholesky cimport factorise, substitute
from equations cimport assemble_equations, finish_equations
from gram cimport pad
from rows cimport Rows, rows_of
from scatter cimport add_moments


cdef enum:
    FIGURES = 4    # what is told of a fit: bounds on the gradient and on F - F*, the condition, the weight

cdef double EPS = 2.220446049250313e-16


ctypedef struct Options:
    double alpha
    bint fit_intercept
    double noise     # a column whose spread is below noise times its mean is constant
    double terms     # gamma = terms EPS bounds the relative error of a scatter's entries
    bint single      # whether answers are rounded to float32
    double rcond     # the smallest that is done here
    double error     # and the largest gamma / rcond


cdef inline Py_ssize_t width(Py_ssize_t d) noexcept nogil:
    """From one row of a scatter to the next."""
    return pad(d + 2, sizeof(double))


cdef inline bint well_scaled(const double* lower, const double* mean, Py_ssize_t p) noexcept nogil:
    """Whether all is finite, every column has scatter, and no square has come near the ends of the double range."""
    cdef Py_ssize_t j
    cdef bint good = True
    for j in range(p):
        good = good and 1e-280 < lower[j * width(p - 1) + j] < 1e280 and isfinite(mean[j])
    return good


cdef inline Py_ssize_t scratch(Py_ssize_t d) noexcept nogil:
    """Doubles of workspace for the equations of d columns."""
    return 2 * d * d + 10 * d + 2


cdef bint solve(const Options* how, Py_ssize_t d, const double* lower, const double* mean, const double* scale, double weight,
                double* coef, double* intercept, double* figures, double* work) noexcept nogil:
    """From the moments of d columns and a target to coefficients and figures; whether the fit is done."""
    cdef double* A = work
    cdef double* U = A + d * d
    cdef double* c = U + d * d
    cdef double* T = c + d
    cdef double* penalty = T + d
    cdef double* v = penalty + d
    cdef double* g = v + d
    cdef double* step = g + d
    cdef double* four = step + d
    cdef double* bounds = four + 4 * d
    cdef double norm, rcond, gamma = how.terms * EPS, variance = lower[d * width(d) + d], length = 0
    cdef Py_ssize_t j
    if not 0 < weight < 1e250 or not well_scaled(lower, mean, d + 1):
        return False
    assemble_equations(d, 1, lower, width(d), mean, scale, weight, how.noise, how.alpha, how.fit_intercept, A, c, T, penalty)
    if not factorise(A, d, U, four, &norm, &rcond) or rcond < how.rcond or gamma > how.error * rcond:
        return False
    for j in range(d):
        v[j] = c[j]
    substitute(U, d, d, v)
    figures[0] = finish_equations(
        d, 1, A, NULL, c, NULL, T, scale + d, &variance, mean, NULL, weight, how.fit_intercept,
        gamma, EPS, how.terms, how.single, v, NULL, coef, intercept, g, bounds, four,
    )
    for j in range(d):
        step[j] = g[j]
    substitute(U, d, d, step)
    for j in range(d):
        length += g[j] * step[j]
    length = sqrt(max(length, 0.0)) + bounds[0] / sqrt(rcond * norm)
    figures[1] = 0.5 * (length * length / weight + bounds[1] * bounds[1])
    figures[2] = 1 / rcond
    figures[3] = weight
    return isfinite(figures[0]) and isfinite(figures[1])


def workspace(Py_ssize_t d, Py_ssize_t block_rows):
    """Doubles of workspace for fits of d columns: the block, and the rest."""
    cdef Py_ssize_t p = d + 1, ld = pad(p + 1, sizeof(double))
    return (block_rows + ld) * ld, block_rows + 2 * ld + scratch(d) + p * (width(d) + 2)


cdef inline double add(const Rows* x, const double* y, const double* s, const double* scale, double* mean, double* lower,
                       Py_ssize_t block_rows, double* block, double* work) noexcept nogil:
    """The moments of rows; returns their weight."""
    cdef Py_ssize_t ld = pad(x.d + 2, sizeof(double))
    cdef double* partial = block + block_rows * ld
    return add_moments(x, y, 1, s, scale, 0.0, mean, lower, ld, block, block_rows, work, work + ld, work + 2 * ld, partial, partial)


def fit_rows(X not None, const double[::1] y not None, double alpha, bint fit_intercept, double noise, double terms, double rcond,
             double error, const double[::1] scale not None, double[::1] mean not None, double[:, ::1] lower not None,
             double[::1] coef not None, double[::1] figures not None, Py_ssize_t block_rows,
             double[::1] block not None, double[::1] work not None):
    """One fit of the rows of X (n x d, float64) and y (n), all of weight one; whether it is done, and the intercept.

    Parameters
    ----------
    noise, terms, rcond, error : float
        As in `Options`.
    scale, mean : (p,), lower : (P, P), p = d + 1, P = p + 1 padded to whole 64-byte vectors
        Ones and zeros; mean and lower are filled with the moments.
    coef : (d,), figures : (4,)
        Filled: the coefficients; a bound on the gradient's largest entry, one on F - F* (both per weight), the condition, the weight.
        If the fit is not done they hold nothing.
    block, work
        Of the lengths that `workspace` says.

    Notes
    -----
    One read of X; n (d + 2)(d + 3) + d^3 / 3 flops.
    """
    cdef Rows x = rows_of(X)
    cdef Py_ssize_t d = x.d, p = d + 1, ld = pad(p + 1, sizeof(double))
    if x.wide == NULL or y.shape[0] != x.n or scale.shape[0] != p or mean.shape[0] != p or lower.shape[0] != ld or lower.shape[1] != ld \
            or coef.shape[0] != d or figures.shape[0] != FIGURES or block_rows < 1 \
            or (block.shape[0], work.shape[0]) != workspace(d, block_rows):
        raise ValueError(f"shapes do not belong together for {x.n} rows of {d} columns in float64")
    cdef Options how
    cdef double weight, intercept = 0
    cdef bint done
    how.alpha, how.fit_intercept, how.noise, how.terms = alpha, fit_intercept, noise, terms
    how.rcond, how.error, how.single = rcond, error, False
    with nogil:
        weight = add(&x, &y[0], <const double*> NULL, &scale[0], &mean[0], &lower[0, 0], block_rows, &block[0], &work[0])
        done = solve(&how, d, &lower[0, 0], &mean[0], &scale[0], weight, &coef[0], &intercept, &figures[0], &work[2 * ld + block_rows])
    return done, intercept


def fit_groups(X not None, const double[::1] y not None, const double[::1] s not None, const int64_t[::1] starts not None,
               double alpha, bint fit_intercept, double noise, double terms, double rcond, double error,
               double[:, ::1] coef not None, double[::1] intercept not None, double[:, ::1] figures not None,
               uint8_t[::1] done not None, Py_ssize_t block_rows, double[::1] block not None, double[::1] work not None):
    """A fit of each group of rows starts[k], ..., starts[k + 1] - 1 of X (n x d), y (n) and the weights s (n, or empty).

    As `fit_rows` otherwise, for float64 or float32, of which sums are double and answers rounded: coef (g, d), intercept (g,),
    figures (g, 4) and done (g,) are filled.
    """
    cdef Rows x = rows_of(X), part
    cdef Py_ssize_t n = x.n, d = x.d, p = d + 1, g = coef.shape[0], k, j, start, ld = pad(p + 1, sizeof(double))
    if y.shape[0] != n or (s.shape[0] != 0 and s.shape[0] != n) \
            or starts.shape[0] != g + 1 or coef.shape[1] != d \
            or intercept.shape[0] != g or figures.shape[0] != g or figures.shape[1] != FIGURES or done.shape[0] != g \
            or block_rows < 1 or (block.shape[0], work.shape[0]) != workspace(d, block_rows):
        raise ValueError(f"shapes do not belong together for {n} rows of {d} columns in {g} groups")
    for k in range(g):
        if not 0 <= starts[k] <= starts[k + 1] <= n:
            raise ValueError(f"group {k} has the rows {starts[k]} to {starts[k + 1]} of {n}")
    cdef Options how
    cdef double* scale = &work[work.shape[0] - p * (width(d) + 2)]
    cdef double* mean = scale + p
    cdef double* lower = mean + p
    cdef double* rest = &work[block_rows + 2 * ld]
    cdef double weight
    how.alpha, how.fit_intercept, how.noise, how.terms = alpha, fit_intercept, noise, terms
    how.rcond, how.error, how.single = rcond, error, x.narrow != NULL
    with nogil:
        for j in range(p):
            scale[j] = 1
        for k in range(g):
            start = starts[k]
            part = x
            part.n = starts[k + 1] - start
            if part.wide != NULL:
                part.wide += start * x.row
            if part.narrow != NULL:
                part.narrow += start * x.row
            for j in range(p * (width(d) + 1)):
                mean[j] = 0
            weight = 0
            if part.n:
                weight = add(&part, &y[start], &s[start] if s.shape[0] else NULL, scale, mean, lower, block_rows, &block[0], &work[0])
            done[k] = solve(&how, d, lower, mean, scale, weight, &coef[k, 0], &intercept[k], &figures[k, 0], rest)
