"""Binary logistic fits of few rows, from rows to coefficients and certificate in one call: one fit, or many in a row.

    minimise  F(w, b) = sum_i s_i l(y_i, x_i w + b) + (alpha / 2) ||w||^2,    l(y, z) = (1 - y) log(1 + e^z) + y log(1 + e^-z)

The rows are packed once, Z = [(x - m) T, 1] with m the columns' means and T powers of two; they stay in the cache while Newton's method
runs over them.  Its rules are those of solvers/newton.py: a full step unless F does not fall by it, the end where a step changes no
prediction in nine digits, the coefficients rounded to what is returned, and the gradient formed there.  Once steps are short the
last factor serves on.  With lambda^2 = g' H^-1 g and R = max_i ||Z_i||_{H^-1}, the proof is that of solvers/certify.py,

    e^r lambda R <= 0.15   =>   F - F* <= e^(1/2 + r) lambda^2 / 2,    r the movement of predictions since H was formed.

Only a clean optimum is done.  Data that are not finite, a single class, dependent columns, separated classes (whose steps stay long), a
condition that costs digits: all of these are handed over to the solver that can tell them apart.
"""
from libc.math cimport INFINITY, exp, fabs, isfinite, log, sqrt
from libc.stdint cimport int64_t, uint8_t

from cholesky cimport factorise, substitute
from doubledouble cimport dd, dd_add, two_prod
from equations cimport power_of_two
from gram cimport Span, combine, gram, pad, predict
from rows cimport Rows, pack, rows_of, scale_rows
from scalar cimport logistic_losses

cdef enum:
    FIGURES = 3      # bounds on the gradient and on F - F*, the condition
    MOST_STEPS = 30  # a fit that takes more has something to tell
    PER_COLUMN = 16  # vectors of workspace as long as a row of Z

cdef double EPS = 2.220446049250313e-16
cdef double STEP = 9.313225746154785e-10      # EPS^(1/2) / 16: a relative step whose square is below rounding
cdef double SHORT = 1e-3                      # a movement after which the factor serves on: it then errs by a part in a thousand
cdef double LEFT = 2.7755575615628914e-17     # EPS / 8: what may be left, beside the size of theta
cdef double SUFFICIENT = 1e-4                 # Armijo's fraction of the predicted decrease
cdef double FLAT = 1e-9                       # a relative change of F that says less about a step than its slopes do
cdef double REGULAR = 1e-8                    # rcond below which the general solver looks for dependent columns
cdef double KAPPA = 0.25                      # l'' <= 1/4


ctypedef struct Options:
    double alpha
    bint fit_intercept
    double tol
    Py_ssize_t max_iter
    bint single          # whether answers are rounded to float32
    Py_ssize_t block_rows


ctypedef struct Problem:
    Py_ssize_t n
    Py_ssize_t d
    Py_ssize_t p
    Py_ssize_t ld
    Py_ssize_t reads
    double weight
    const double* y
    const double* s      # NULL for ones
    double* Z            # (n, ld)
    double* center       # from here on (ld,)
    double* scale
    double* reach        # the most that |Z_ij| is, in column j
    double* penalty
    double* theta
    double* g
    double* step
    double* trial
    double* trial_g
    double* at           # where H was formed
    double* unit         # powers of two that bring H's diagonal near one
    double* other
    double* H            # (p, p)
    double* U
    double* partial      # (ld, ld)
    double* scaled       # (block_rows, ld)
    double* z            # from here on (n,)
    double* slope
    double* curvature
    double* value


cdef inline Py_ssize_t numbers(Py_ssize_t n, Py_ssize_t d, Py_ssize_t block_rows) noexcept nogil:
    """Doubles of workspace for n rows of d columns."""
    cdef Py_ssize_t ld = pad(d + 1, sizeof(double))
    return n * ld + PER_COLUMN * ld + 2 * (d + 1) * (d + 1) + ld * ld + block_rows * ld + 4 * n


cdef Problem problem(Py_ssize_t n, Py_ssize_t d, const Options* how, double* work) noexcept nogil:
    """The workspace, shared out."""
    cdef Problem q
    cdef Py_ssize_t ld = pad(d + 1, sizeof(double)), p = d + how.fit_intercept
    q.n, q.d, q.p, q.ld, q.reads, q.weight = n, d, p, ld, 0, 0
    q.Z = work
    q.center = q.Z + n * ld
    q.scale = q.center + ld
    q.reach = q.scale + ld
    q.penalty = q.reach + ld
    q.theta = q.penalty + ld
    q.g = q.theta + ld
    q.step = q.g + ld
    q.trial = q.step + ld
    q.trial_g = q.trial + ld
    q.at = q.trial_g + ld
    q.unit = q.at + ld
    q.other = q.unit + ld
    q.H = q.other + (PER_COLUMN - 11) * ld
    q.U = q.H + (d + 1) * (d + 1)
    q.partial = q.U + (d + 1) * (d + 1)
    q.scaled = q.partial + ld * ld
    q.z = q.scaled + how.block_rows * ld
    q.slope = q.z + n
    q.curvature = q.slope + n
    q.value = q.curvature + n
    return q


cdef inline double total(const double* x, Py_ssize_t n) noexcept nogil:
    """sum x_i in eight independent sums."""
    cdef double[8] acc
    cdef Py_ssize_t i = 0, k
    for k in range(8):
        acc[k] = 0
    while i + 8 <= n:
        for k in range(8):
            acc[k] += x[i + k]
        i += 8
    for k in range(n - i):
        acc[k] += x[i + k]
    return ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]))


cdef bint prepare(Problem* q, const Rows* x, const Options* how) noexcept nogil:
    """Pack the rows and start from the log-odds; whether all is finite, weights and targets are in range, and both classes have weight."""
    cdef Py_ssize_t n = q.n, d = q.d, ld = q.ld, i, j
    cdef double f, v, ones = 0, least = 0, most = 0
    cdef double* high = q.step
    cdef double* low = q.trial
    for j in range(ld):
        q.center[j] = q.scale[j] = q.reach[j] = q.penalty[j] = q.theta[j] = q.step[j] = q.trial[j] = 0
        q.g[j] = 1
        high[j] = -INFINITY
        low[j] = INFINITY
    for i in range(n):
        f = q.s[i] if q.s != NULL else 1.0
        q.weight += f
        ones += f * q.y[i]
        least = f if f < least else least
        most = q.y[i] if q.y[i] > most else most
        least = q.y[i] if q.y[i] < least else least
    if least < 0 or most > 1 or not 0 < q.weight < 1e250 or not 0 < ones < q.weight:
        return False
    # as they are first, for the means and the ranges
    pack(x, 0, n, q.g, q.center, <const double*> NULL, q.Z, ld)
    for i in range(n):
        f = (q.s[i] if q.s != NULL else 1.0) / q.weight
        for j in range(ld):
            v = q.Z[i * ld + j]
            q.theta[j] += f * v
            high[j] = v if v > high[j] else high[j]
            low[j] = v if v < low[j] else low[j]
    for j in range(d):
        if not (isfinite(q.theta[j]) and isfinite(high[j]) and isfinite(low[j])):
            return False
        if how.fit_intercept:
            # clamped, so that a constant column is exactly zero
            q.center[j] = min(max(q.theta[j], low[j]), high[j])
        v = max(high[j] - q.center[j], q.center[j] - low[j])
        q.scale[j] = power_of_two(v)
        q.reach[j] = v * q.scale[j]
        if not isfinite(v):
            return False
        q.penalty[j] = how.alpha * q.scale[j] * q.scale[j]
        q.other[j] = q.center[j] * q.scale[j]
    pack(x, 0, n, q.scale, q.other, <const double*> NULL, q.Z, ld)
    for j in range(ld):
        q.theta[j] = q.trial[j] = q.step[j] = q.g[j] = q.trial_g[j] = 0
    if how.fit_intercept:
        for i in range(n):
            q.Z[i * ld + d] = 1
        q.reach[d] = 1
        q.theta[d] = log(ones) - log(q.weight - ones)
    q.reads = 2
    return True


cdef double expand(Problem* q, const Options* how, const double* theta, double* g, bint second) noexcept nogil:
    """F at theta, its gradient, and if asked for the lower triangle of its Hessian."""
    cdef Py_ssize_t n = q.n, p = q.p, ld = q.ld, i, j, start = 0, m
    cdef double F
    cdef Span nothing
    nothing.begin = nothing.end = NULL
    q.reads += 1
    predict(q.Z, n, ld, theta, q.z)
    logistic_losses(q.y, q.z, n, q.value, q.slope, q.curvature)
    if q.s != NULL:
        for i in range(n):
            q.value[i] *= q.s[i]
            q.slope[i] *= q.s[i]
            q.curvature[i] *= q.s[i]
    F = total(q.value, n)
    combine(q.Z, n, ld, q.slope, g)
    for j in range(p):
        F += 0.5 * q.penalty[j] * theta[j] * theta[j]
        g[j] += q.penalty[j] * theta[j]
    if second:
        for i in range(n):
            q.curvature[i] = sqrt(q.curvature[i])
        for i in range(ld * ld):
            q.partial[i] = 0
        while start < n:
            m = min(how.block_rows, n - start)
            scale_rows(q.Z + start * ld, m, ld, q.curvature + start, q.scaled, ld)
            gram(q.scaled, m, p, ld, q.partial, nothing)
            start += m
        for i in range(p):
            for j in range(i + 1):
                q.H[i * p + j] = q.partial[i * ld + j]
            q.H[i * p + i] += q.penalty[i]
    return F


cdef inline double movement(const Problem* q, const double* step) noexcept nogil:
    """The most that one entry of a step moves a prediction."""
    cdef Py_ssize_t j
    cdef double most = 0, v
    for j in range(q.p):
        v = fabs(step[j]) * (q.reach[j] if q.reach[j] > 0 else 1.0)
        most = v if not v <= most else most
    return most


cdef inline double span(const Problem* q, const double* theta) noexcept nogil:
    """A bound on the size of any prediction."""
    cdef Py_ssize_t j
    cdef double most = 0
    for j in range(q.p):
        most += fabs(theta[j]) * (q.reach[j] if q.reach[j] > 0 else 1.0)
    return most


cdef bint factor(Problem* q, double* norm, double* rcond) noexcept nogil:
    """U'U = H in scaled coordinates, formed at theta; whether it is regular."""
    cdef Py_ssize_t p = q.p, i, j
    for j in range(p):
        q.unit[j] = power_of_two(sqrt(q.H[j * p + j]))
        q.at[j] = q.theta[j]
    for i in range(p):
        for j in range(i + 1):
            q.H[i * p + j] *= q.unit[i] * q.unit[j]
    return factorise(q.H, p, q.U, q.other, norm, rcond) and rcond[0] >= REGULAR


cdef inline void solve(const Problem* q, const double* g, double* x) noexcept nogil:
    """x = H^-1 g."""
    cdef Py_ssize_t j
    for j in range(q.p):
        x[j] = q.unit[j] * g[j]
    substitute(q.U, q.p, q.p, x)
    for j in range(q.p):
        x[j] *= q.unit[j]


cdef inline double dot(const double* a, const double* b, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    cdef double t = 0
    for j in range(n):
        t += a[j] * b[j]
    return t


cdef void round_to_answer(Problem* q, const Options* how, double* coef, double* intercept) noexcept nogil:
    """Coefficients in original columns, w = T v and b = b~ - m w, rounded as they are returned; theta becomes theirs."""
    cdef Py_ssize_t d = q.d, j
    cdef dd b, product
    b.hi = q.theta[d] if how.fit_intercept else 0
    b.lo = 0
    for j in range(d):
        coef[j] = q.theta[j] * q.scale[j]
        product = two_prod(-coef[j], q.center[j])
        b = dd_add(b, product)
    intercept[0] = b.hi
    if how.single:
        intercept[0] = <float> intercept[0]
        for j in range(d):
            coef[j] = <float> coef[j]
    b.hi = intercept[0]
    b.lo = 0
    for j in range(d):
        q.theta[j] = coef[j] / q.scale[j]
        b = dd_add(b, two_prod(coef[j], q.center[j]))
    if how.fit_intercept:
        q.theta[d] = b.hi


cdef bint settled(const Problem* q, const Options* how, double F) noexcept nogil:
    """Whether the gradient is as small as it was asked to be, or as rounding leaves it."""
    cdef Py_ssize_t j
    cdef double v, steep = 0
    for j in range(q.p):
        v = fabs(q.g[j]) / (q.reach[j] if q.reach[j] > 0 else 1.0)
        steep = v if not v <= steep else steep
    return steep / q.weight <= max(how.tol, EPS * (64 * max(1.0, F / q.weight) + 8 * KAPPA * movement(q, q.theta)))


cdef bint certify(Problem* q, const Options* how, double F, double norm, double rcond, double* figures) noexcept nogil:
    """What the gradient g at theta proves; whether that is enough.

    theta differs from the point of the coefficients by the rounding of its last entry.
    """
    cdef Py_ssize_t p = q.p, d = q.d, j
    cdef double slip = EPS * fabs(q.theta[d]) if how.fit_intercept else 0.0
    cdef double reach, error, moved, slopes, predictions, v, size = 0, beyond = 0, wide = 0, away = 0, decrement, radius, growth
    slopes = sqrt(2 * KAPPA * q.weight) * sqrt(max(F, 0.0)) * 4 * sqrt(<double> q.n)
    predictions = KAPPA * q.weight * 4 * sqrt(p + 1.0) * span(q, q.theta)
    for j in range(p):
        reach = q.reach[j] if q.reach[j] > 0 else 1.0
        moved = KAPPA * q.weight * slip * reach
        error = moved + EPS * (slopes + predictions) * reach
        beyond += (q.unit[j] * error) ** 2
        wide += (q.reach[j] * q.unit[j]) ** 2
        away += fabs(q.at[j] - q.theta[j]) * reach
        if j < d:
            v = fabs(q.g[j] / q.scale[j] + (q.center[j] * q.g[d] if how.fit_intercept else 0.0)) + moved / q.scale[j] \
                + fabs(q.center[j]) * KAPPA * q.weight * slip
        else:
            v = fabs(q.g[j]) + moved
        size = v if not v <= size else size
    solve(q, q.g, q.other)
    decrement = sqrt(max(dot(q.g, q.other, p), 0.0)) + sqrt(beyond / (rcond * norm))
    radius = 2 * sqrt(wide / (rcond * norm))
    growth = exp(min(2 * away, 100.0))
    if not growth * decrement * radius <= 0.15:
        return False
    figures[0] = size / q.weight
    figures[1] = min(0.5 * exp(0.5) * growth * decrement * decrement, F) / q.weight
    figures[2] = 1 / rcond
    return isfinite(figures[0]) and isfinite(figures[1])


cdef bint fit(Problem* q, const Rows* x, const Options* how, double* coef, double* intercept, double* figures,
              int64_t* counts) noexcept nogil:
    """One fit; whether it is done."""
    cdef Py_ssize_t p = q.p, j, iteration, ld = q.ld
    cdef double F, trial, slope, size, length, t, noise, norm = 0, rcond = 0
    cdef bint second = True
    if not prepare(q, x, how):
        return False
    F = expand(q, how, q.theta, q.g, True)
    for iteration in range(1, min(how.max_iter, <Py_ssize_t> MOST_STEPS) + 1):
        if not isfinite(F) or (second and not factor(q, &norm, &rcond)):
            return False
        solve(q, q.g, q.step)
        for j in range(p):
            q.step[j] = -q.step[j]
        slope = dot(q.g, q.step, p)
        length = movement(q, q.step)
        size = length / max(1.0, movement(q, q.theta))
        noise = 8 * EPS * fabs(F)
        for j in range(p):
            q.other[j] = q.theta[j] + q.step[j] - q.at[j]
        # what is left after the step is at most the part of it by which H has changed since it was formed
        if (size <= STEP and size * span(q, q.other) <= LEFT) or -slope <= EPS * noise:
            for j in range(p):
                q.theta[j] += q.step[j]
            if how.single:  # whose rounding is larger than what is to be seen
                F = expand(q, how, q.theta, q.g, False)
                if not settled(q, how, F):
                    return False
            round_to_answer(q, how, coef, intercept)
            F = expand(q, how, q.theta, q.g, False)
            counts[0] = iteration
            counts[1] = q.reads
            return (how.single or settled(q, how, F)) and certify(q, how, F, norm, rcond, figures)
        second = not length <= SHORT
        t = 1
        while True:
            for j in range(p):
                q.trial[j] = q.theta[j] + t * q.step[j]
            trial = expand(q, how, q.trial, q.trial_g, second)
            if trial <= F + SUFFICIENT * t * slope + noise or (
                    trial <= F + FLAT * fabs(F) and fabs(dot(q.trial_g, q.step, p)) <= 0.5 * fabs(slope)):
                break
            t *= 0.5
            second = True
            if not t * size >= 64 * EPS:
                return False
        F = trial
        for j in range(ld):
            q.theta[j] = q.trial[j]
            q.g[j] = q.trial_g[j]
    return False


def workspace(Py_ssize_t n, Py_ssize_t d, Py_ssize_t block_rows):
    """Doubles of workspace for groups of at most n rows of d columns."""
    return numbers(n, d, block_rows)


def fit_groups(X not None, const double[::1] y not None, const double[::1] s not None, const int64_t[::1] starts not None,
               double alpha, bint fit_intercept, double tol, Py_ssize_t max_iter, bint single,
               double[:, ::1] coef not None, double[::1] intercept not None, double[:, ::1] figures not None,
               int64_t[:, ::1] counts not None, uint8_t[::1] done not None, Py_ssize_t most_rows, Py_ssize_t block_rows,
               double[::1] work not None):
    """A fit of each group of rows starts[k], ..., starts[k + 1] - 1 of X (n x d), y (n) in [0, 1] and the weights s (n, or empty).

    Parameters
    ----------
    X : float64 or float32 with adjacent columns or adjacent rows
    tol : float
        Largest entry of the gradient per unit of weight, in centred and scaled columns.
    single : bool
        Whether the coefficients are rounded to float32.
    coef : (g, d), intercept : (g,), figures : (g, 3), counts : (g, 2), done : (g,)
        Filled: the coefficients; a bound on the gradient's largest entry, one on F - F* (both per weight), the condition; steps and
        reads of the rows; whether the fit is done. Of one that is not, the others hold nothing.
    most_rows : int
        Groups of more rows are not done.
    work : of the length that `workspace(most_rows, d, block_rows)` says

    Notes
    -----
    Six to ten passes over the packed rows of a group, each of n p (p + 5) flops and an exp and a log1p per row.
    """
    cdef Rows x = rows_of(X), part
    cdef Py_ssize_t n = x.n, d = x.d, g = coef.shape[0], k, start
    if y.shape[0] != n or (s.shape[0] != 0 and s.shape[0] != n) or starts.shape[0] != g + 1 or coef.shape[1] != d \
            or intercept.shape[0] != g or figures.shape[0] != g or figures.shape[1] != FIGURES or counts.shape[0] != g \
            or counts.shape[1] != 2 or done.shape[0] != g or block_rows < 1 or work.shape[0] < numbers(most_rows, d, block_rows):
        raise ValueError(f"shapes do not belong together for {n} rows of {d} columns in {g} groups")
    for k in range(g):
        if not 0 <= starts[k] <= starts[k + 1] <= n:
            raise ValueError(f"group {k} has the rows {starts[k]} to {starts[k + 1]} of {n}")
    cdef Options how
    cdef Problem q
    how.alpha, how.fit_intercept, how.tol, how.max_iter = alpha, fit_intercept, tol, max_iter
    how.single, how.block_rows = single, block_rows
    with nogil:
        for k in range(g):
            start = starts[k]
            part = x
            part.n = starts[k + 1] - start
            done[k] = False
            if not 0 < part.n <= most_rows:
                continue
            if part.wide != NULL:
                part.wide += start * x.row
            else:
                part.narrow += start * x.row
            q = problem(part.n, d, &how, &work[0])
            q.y = &y[start]
            q.s = &s[start] if s.shape[0] else NULL
            done[k] = fit(&q, &part, &how, &coef[k, 0], &intercept[k], &figures[k, 0], &counts[k, 0])
