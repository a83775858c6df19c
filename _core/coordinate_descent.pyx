"""Coordinate descent for a quadratic with an L1 penalty, on its matrix.

    minimise  (1/2) v'A v - c'v + sum_j l_j |v_j|          (and v >= 0 where asked)

g = c - A v is kept beside v.  With all other coordinates fixed the minimum over v_j is at

    v_j <- S(g_j + A_jj v_j, l_j) / A_jj,    S(u, l) = sign(u) max(|u| - l, 0)

and a change of v_j by delta takes delta A_j off g (Friedman, Hastie, Hoefling and Tibshirani 2007, Ann. Appl. Stat. 1, with the
covariance updates of Friedman, Hastie and Tibshirani 2010, J. Stat. Softw. 33).
"""
from doubledouble cimport dd, fast_two_sum, two_prod, two_sum

cdef enum:
    EVERY = 5   # sweeps: of so many one visits all coordinates, the others those that are not zero


def descend(
    const double[:, ::1] A not None, const double[::1] l1 not None, bint positive, double tolerance, Py_ssize_t sweeps,
    double[::1] v not None, double[::1] g not None,
):
    """Sweep over the coordinates in their order.

    Parameters
    ----------
    A : (k, k)
        Symmetric, positive semidefinite; a coordinate without a diagonal entry is left alone.
    l1 : (k,)
        Weights of the absolute values, zero or more.
    positive : bool
    tolerance : float
        A sweep over all coordinates in which no |delta| sqrt(A_jj) exceeds this is the last.
    sweeps : int
        At most so many; each costs 2 k flops per coordinate that changes.
    v, g : (k,)
        Updated: the point, and c - A v there.

    Returns
    -------
    int
        Sweeps made.
    """
    cdef Py_ssize_t k = A.shape[0], j, i, done = 0
    cdef double old, new, u, a, delta, largest
    cdef bint whole
    if A.shape[1] != k or l1.shape[0] != k or v.shape[0] != k or g.shape[0] != k:
        raise ValueError(f"A is {k} x {A.shape[1]}, with {l1.shape[0]} weights, {v.shape[0]} coordinates and {g.shape[0]} slopes")
    with nogil:
        while done < sweeps:
            whole = done % EVERY == 0
            largest = 0
            for j in range(k):
                old = v[j]
                a = A[j, j]
                if a <= 0 or (old == 0 and not whole):
                    continue
                u = g[j] + a * old
                if u > l1[j]:
                    new = (u - l1[j]) / a
                elif u < -l1[j] and not positive:
                    new = (u + l1[j]) / a
                else:
                    new = 0
                delta = new - old
                if delta == 0:
                    continue
                v[j] = new
                for i in range(k):
                    g[i] -= delta * A[j, i]
                largest = max(largest, delta * delta * a)
            done += 1
            if whole and largest <= tolerance * tolerance:
                break
    return done


def slopes(
    const double[:, ::1] A not None, const double[::1] c not None, const double[::1] ridge not None, const double[::1] v not None,
    double[::1] g not None, double[::1] low not None,
):
    """g = c - A v - ridge v, summed in double-double: 20 d flops per coordinate that is not zero.

    Parameters
    ----------
    A : (d, d)
        Symmetric, so that its rows are walked.
    c, ridge, v : (d,)
    g : (d,)
        Filled.
    low : (d,)
        Workspace.
    """
    cdef Py_ssize_t d = A.shape[0], i, j
    cdef double x
    cdef dd product, sum
    if A.shape[1] != d or c.shape[0] != d or ridge.shape[0] != d or v.shape[0] != d or g.shape[0] != d or low.shape[0] != d:
        raise ValueError(f"A is {d} x {A.shape[1]}, and the vectors have {c.shape[0]}, {ridge.shape[0]}, {v.shape[0]}, {g.shape[0]}")
    with nogil:
        for i in range(d):
            product = two_prod(-ridge[i], v[i])
            sum = two_sum(c[i], product.hi)
            g[i] = sum.hi
            low[i] = sum.lo + product.lo
        for j in range(d):
            x = -v[j]
            if x == 0:
                continue
            for i in range(d):
                product = two_prod(A[j, i], x)
                sum = two_sum(g[i], product.hi)
                sum = fast_two_sum(sum.hi, sum.lo + (low[i] + product.lo))
                g[i] = sum.hi
                low[i] = sum.lo
        for i in range(d):
            g[i] += low[i]
