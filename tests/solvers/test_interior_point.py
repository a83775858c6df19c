"""Quantile and absolute regression solved to the vertex: answers by hand, from linear programs, published."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from ridgeline.solvers import interior_point as module
from ridgeline.solvers.interior_point import interior_point
from ridgeline.solvers.vertex import exact_residual, find_vertex

REFERENCE = Path(__file__).parents[2] / ".." / "shared" / "reference" / "robust"


class DenseRows:
    """The rows of an array, by the plainest NumPy."""

    def __init__(self, x):
        self.x = np.asarray(x, dtype=float)
        self.n, self.p = self.x.shape
        self.reads = 0

    def predict(self, beta):
        self.reads += 1
        return self.x @ beta

    def combine(self, v):
        self.reads += 1
        return self.x.T @ v

    def gram(self, q):
        self.reads += 1
        return (self.x * q[:, None]).T @ self.x

    def take(self, indices):
        return self.x[indices]


def solve(x, y, tau=0.5, weight=1.0, penalty=0.0, **options):
    """Quantile regression with an L1 penalty on all columns but the last; the proof of the fit is checked."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    weight = np.broadcast_to(np.asarray(weight, dtype=float), y.shape)
    lower, upper = (tau - 1) * weight, tau * weight
    if penalty:
        k = x.shape[1] - 1
        x = np.vstack([x, np.eye(k, k + 1)])
        y = np.append(y, np.zeros(k))
        lower, upper = np.append(lower, np.full(k, -penalty)), np.append(upper, np.full(k, penalty))
    rows = DenseRows(x)
    fit = interior_point(rows, y, lower, upper, **options)
    assert fit.reads == rows.reads
    assert_proof(x, y, lower, upper, fit)
    return fit


def assert_proof(x, y, lower, upper, fit):
    """The dual point is feasible, and the objective, gap and residuals are those of beta."""
    r = y - x @ fit.beta
    noise = 1e-12 * np.sum((upper - lower) * (np.abs(y) + np.abs(x) @ np.abs(fit.beta))) + 1e-300
    assert fit.primal == pytest.approx(np.maximum(upper * r, lower * r).sum(), rel=1e-12, abs=noise)
    assert np.all(fit.v >= lower) and np.all(fit.v <= upper)
    assert np.all(np.abs(x.T @ fit.v) <= 1e-11 * (np.abs(x).T @ (upper - lower)))
    assert fit.primal - y @ fit.v <= fit.gap + noise
    assert fit.status != "stopped_early"


def column(*values):
    return np.array(values, dtype=float)[:, None]


ONE = np.ones((1, 1))


class TestByHand:
    """Answers a reader can check without a computer."""

    def test_median_of_an_odd_number_of_points(self):
        fit = solve(np.ones((5, 1)), [3, 1, 100, 2, -50])
        assert fit.beta == [2.0]
        assert fit.primal == 0.5 * (1 + 1 + 98 + 0 + 52)
        assert fit.vertex and fit.gap == 0.0

    def test_median_of_an_even_number_is_an_end_of_the_middle_interval(self):
        fit = solve(np.ones((4, 1)), [1, 2, 3, 4])
        assert fit.beta[0] in (2.0, 3.0)
        assert fit.primal == 2.0
        assert fit.vertex

    @pytest.mark.parametrize(("tau", "quantile"), [(0.05, 0), (0.25, 2), (0.5, 5), (0.85, 9), (0.99, 10)])
    def test_quantiles_of_zero_to_ten(self, tau, quantile):
        # The quantile is the point number ceil(11 tau).
        assert solve(np.ones((11, 1)), np.arange(11.0)[::-1], tau).beta == [quantile]

    def test_a_weight_counts_as_copies(self):
        assert solve(np.ones((3, 1)), [1, 2, 3], weight=[1, 1, 3]).beta == [3.0]
        assert solve(np.ones((3, 1)), [1, 2, 3], weight=[1, 0.5, 0.5 + 1e-9]).beta == [2.0]

    def test_two_points_lie_on_their_line(self):
        fit = solve([[1, 1], [3, 1]], [5, 11])
        np.testing.assert_array_equal(fit.beta, [3.0, 2.0])
        assert fit.primal == 0.0 and fit.gap == 0.0 and fit.status == "optimal"

    def test_one_outlier_does_not_move_the_line(self):
        x = np.column_stack([np.arange(7.0), np.ones(7)])
        y = 2 * np.arange(7.0) - 1
        y[3] += 1000
        np.testing.assert_allclose(solve(x, y).beta, [2.0, -1.0], rtol=1e-15)

    def test_soft_threshold(self):
        # |3 - b| + a |b| is least at 3 for a < 1 and at 0 for a > 1.
        for a, b in ((0.9, 3.0), (1.1, 0.0)):
            fit = solve([[1, 0], [0, 1]], [3, 0], weight=2.0, penalty=a)
            assert fit.beta[0] == b
            assert fit.primal == min(3.0, 3.0 * a)

    def test_rows_with_one_side_only(self):
        # max(1 - b, 0) + max(5 - b, 0) + |b| has slope -1 up to b = 1, 0 up to 5, and 1 above.
        lower, upper = np.array([0.0, 0, -1]), np.ones(3)
        fit = interior_point(DenseRows(np.ones((3, 1))), np.array([1.0, 5, 0]), lower, upper)
        assert fit.primal == 5.0 and fit.gap <= 1e-14 and 1.0 <= fit.beta[0] <= 5.0


class TestDegenerate:
    """No exception, and an optimum with its proof, on data that are hardly data."""

    def test_one_row(self):
        assert solve(ONE, [7.0]).beta == [7.0]

    def test_one_row_of_zeros(self):
        fit = solve([[0.0]], [7.0])
        assert fit.beta == [0.0] and fit.primal == 3.5 and fit.status == "rank_deficient"

    def test_fewer_rows_than_columns_gives_the_shortest_interpolant(self):
        fit = solve([[1, 1, 0], [0, 0, 2]], [4, 6])
        np.testing.assert_allclose(fit.beta, [2, 2, 3], rtol=1e-15)
        assert fit.primal == 0.0 and fit.status == "rank_deficient"

    def test_no_columns(self):
        fit = solve(np.ones((3, 0)), [1, -2, 3], 0.25)
        assert fit.beta.shape == (0,) and fit.primal == 2.5 and fit.gap == 0.0 and fit.status == "optimal"

    def test_no_rows(self):
        fit = solve(np.ones((0, 2)), [])
        np.testing.assert_array_equal(fit.beta, [0, 0])
        assert fit.primal == 0.0 and fit.status == "rank_deficient"

    def test_no_weight(self):
        fit = solve(np.ones((3, 2)), [1, 2, 3], weight=0.0)
        np.testing.assert_array_equal(fit.beta, [0, 0])
        np.testing.assert_array_equal(fit.v, [0, 0, 0])

    def test_rows_without_weight_are_left_out(self):
        fit = solve(np.ones((5, 1)), [1e6, 1, 2, 3, -1e6], weight=[0, 1, 1, 1, 0])
        assert fit.beta == [2.0] and fit.primal == 1.0
        assert fit.v[0] == fit.v[4] == 0.0

    @pytest.mark.parametrize("tau", [0.1, 0.5])
    def test_all_targets_equal(self, tau):
        x = np.column_stack([np.arange(9.0) ** 2 % 5, np.ones(9)])
        fit = solve(x, np.full(9, 0.1), tau)
        np.testing.assert_allclose(fit.beta, [0, 0.1], atol=1e-17)
        assert fit.status == "optimal"

    def test_all_targets_zero(self):
        np.testing.assert_array_equal(solve(np.eye(4, 3), np.zeros(4)).beta, np.zeros(3))

    def test_duplicated_rows(self):
        x = np.repeat([[1.0, 1], [2, 1], [4, 1]], 4, axis=0)
        fit = solve(x, x[:, 0] + np.tile([0, 0, 0, 9], 3))
        np.testing.assert_allclose(fit.beta, [1.0, 0.0], atol=1e-15)
        assert fit.primal == pytest.approx(13.5, rel=1e-15)

    def test_a_column_of_zeros(self):
        fit = solve(np.column_stack([np.zeros(5), np.ones(5)]), [1, 2, 3, 4, 50])
        np.testing.assert_allclose(fit.beta, [0, 3], atol=1e-15)
        assert fit.status == "rank_deficient"

    def test_two_equal_columns_share_the_coefficient(self):
        x = np.arange(1.0, 8)
        fit = solve(np.column_stack([x, x]), 3 * x + (x == 4))
        np.testing.assert_allclose(fit.beta, [1.5, 1.5], rtol=1e-14)
        assert fit.status == "rank_deficient" and fit.vertex

    def test_a_basis_of_fewer_rows_than_the_rank_is_no_vertex(self):
        rows, y, one = DenseRows(np.eye(2)), np.ones(2), np.ones(2)
        assert find_vertex(rows, y, -one, one, np.zeros(2), np.array([0]), 5) is None
        both = find_vertex(rows, y, -one, one, np.zeros(2), np.array([0, 1]), 5)
        np.testing.assert_array_equal(both.beta, [1.0, 1.0])

    def test_perfect_fit(self):
        rng = np.random.default_rng(0)
        x = rng.integers(-99, 99, (50, 4)) * [1, 1000, 0.125, 1]
        beta = np.array([1.0, -2, 3, 0.5])
        fit = solve(x, x @ beta, 0.3)
        np.testing.assert_allclose(fit.beta, beta, rtol=1e-15)
        assert fit.status == "optimal"

    @pytest.mark.parametrize("size", [1e-250, 1e250])
    def test_far_from_unit_scale(self, size):
        assert solve(np.ones((3, 1)), size * np.array([1.0, 2, 4])).beta == [2 * size]
        assert solve(np.ones((3, 1)), [1, 2, 4], weight=size).beta == [2.0]

    @pytest.mark.parametrize("seed", range(30))
    def test_small_integers(self, seed):
        rng = np.random.default_rng(seed)
        n, p = rng.integers(1, 40), rng.integers(1, 6)
        x, y = rng.integers(-1, 3, (n, p)), rng.integers(0, 4, n)
        agrees_with_linprog(x, y, rng.choice([0.25, 0.5, 0.9]), rng.integers(0, 3, n), rng.integers(0, 2))


def agrees_with_linprog(x, y, tau, weight=1.0, penalty=0.0):
    """The objective of the fit is that of the linear program, to 9 digits."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n, p = x.shape
    weight = np.broadcast_to(np.asarray(weight, dtype=float), (n,))
    fit = solve(x, y, tau, weight, penalty)
    absolute = np.append(np.full(p - 1, float(penalty)), 0.0)
    # beta = b - c with b, c >= 0 and y - x beta = r - s with r, s >= 0.
    cost = np.concatenate([absolute, absolute, tau * weight, (1 - tau) * weight])
    program = linprog(cost, A_eq=np.hstack([x, -x, np.eye(n), -np.eye(n)]), b_eq=y, method="highs")
    assert program.status == 0
    assert fit.primal == pytest.approx(program.fun, rel=1e-9, abs=1e-12 * (1 + np.abs(weight * y).max()))
    return fit


TAUS = [0.01, 0.1, 0.5, 0.9, 0.99]


class TestAgainstLinprog:
    @pytest.mark.parametrize("tau", TAUS)
    @pytest.mark.parametrize("noise", ["normal", "cauchy"])
    @pytest.mark.parametrize("penalty", [0.0, 3.0])
    def test_random_problems(self, tau, noise, penalty):
        rng = np.random.default_rng(11)
        for n, p in ((12, 3), (60, 8), (300, 5), (25, 20)):
            x = rng.standard_normal((n, p))
            x[:, -1] = 1
            e = rng.standard_normal(n) if noise == "normal" else rng.standard_cauchy(n)
            agrees_with_linprog(x, x @ rng.standard_normal(p) + e, tau, rng.exponential(size=n), penalty)

    @pytest.mark.parametrize("tau", TAUS)
    def test_more_columns_than_rows(self, tau):
        rng = np.random.default_rng(12)
        x, y = rng.standard_normal((15, 40)), rng.standard_normal(15)
        agrees_with_linprog(x, y, tau)
        agrees_with_linprog(x, y, tau, penalty=0.4)

    @pytest.mark.parametrize("tau", TAUS)
    def test_many_ties(self, tau):
        rng = np.random.default_rng(13)
        x = np.column_stack([rng.integers(0, 3, (400, 4)), np.ones(400)])
        agrees_with_linprog(x, rng.integers(0, 5, 400) + x[:, 0], tau)

    @pytest.mark.parametrize("tau", TAUS)
    def test_unscaled_and_uncentred_columns(self, tau):
        rng = np.random.default_rng(14)
        x = rng.standard_normal((200, 4)) * [1e5, 1, 1e-5, 0] + [1e6, 1e3, 0, 1]
        agrees_with_linprog(x, x @ [1e-5, 1, 1e5, 1] + rng.standard_normal(200), tau)


class TestLongData:
    """Data long enough for a sample and a band give the answer of the whole path."""

    @pytest.fixture
    def whole(self, monkeypatch):
        def fit(rows, y, lower, upper):
            with monkeypatch.context() as patch:
                patch.setattr(module, "_narrowed", lambda *_: None)
                return interior_point(rows, y, lower, upper)

        return fit

    def test_iterations_on_parts_of_the_rows_are_not_taken_from_the_whole(self, monkeypatch):
        """Forty that led to nothing leave the twelve that all rows may have."""

        def in_vain(problem, tol, budget):
            budget.made = 40

        monkeypatch.setattr(module, "_narrowed", in_vain)
        rng = np.random.default_rng(0)
        x = np.column_stack([rng.normal(size=(1500, 29)), np.ones(1500)])
        fit = solve(x, x.sum(axis=1) + rng.standard_cauchy(size=1500), max_iter=12)
        assert fit.status == "optimal" and 40 < fit.n_iter <= 52

    def agree(self, x, y, tau, weight, whole, few_reads=True):
        n = len(y)
        weight = np.broadcast_to(weight, (n,))
        fit, slow = solve(x, y, tau, weight), whole(DenseRows(x), y, (tau - 1) * weight, tau * weight)
        assert fit.primal == pytest.approx(slow.primal, rel=1e-12)
        assert fit.vertex and fit.gap <= 1e-12 * fit.primal
        if few_reads:
            np.testing.assert_allclose(fit.beta, slow.beta, rtol=1e-13)
            assert fit.reads <= 12 < slow.reads

    @pytest.mark.parametrize("tau", TAUS)
    def test_normal_and_cauchy_noise(self, tau, whole):
        rng = np.random.default_rng(21)
        x = np.column_stack([rng.standard_normal((20000, 5)), np.ones(20000)])
        for e in (rng.standard_normal(20000), rng.standard_cauchy(20000)):
            self.agree(x, x @ rng.standard_normal(6) + e, tau, 1.0, whole)

    def test_noise_that_grows_with_a_column_in_sorted_rows(self, whole):
        rng = np.random.default_rng(22)
        x = np.column_stack([np.sort(rng.standard_normal(20000)), np.ones(20000)])
        self.agree(x, x[:, 0] + np.exp(x[:, 0]) * rng.standard_normal(20000), 0.1, 1.0, whole)

    def test_a_few_heavy_rows(self, whole):
        rng = np.random.default_rng(23)
        x = np.column_stack([rng.standard_normal((20000, 3)), np.ones(20000)])
        weight = np.where(rng.random(20000) < 0.01, 300.0, rng.random(20000))
        self.agree(x, x @ np.ones(4) + rng.standard_normal(20000), 0.5, weight, whole)

    def biased(self, noise, shift):
        """Rows whose sample lies higher than the others: the band about its fit is another than that about theirs."""
        rng = np.random.default_rng(1)
        n, p = 4000, 3 if noise == "two humps" else 2
        x = np.column_stack([rng.standard_normal((n, p - 1)), np.ones(n)])
        m, e = int((n * p) ** (2 / 3)), rng.standard_normal(n)
        y = np.where(rng.random(n) < 0.5, e - 3, e + 3) if noise == "two humps" else 10 * e**3
        y[np.arange(m) * n // m] += shift
        return x, y

    def test_a_band_that_too_many_rows_leave_is_given_up(self, whole):
        x, y = self.biased("two humps", 0.05)
        self.agree(x, y, 0.5, 1.0, whole, few_reads=False)

    def test_bands_that_run_out_are_given_up(self, whole, monkeypatch):
        x, y = self.biased("cubes", 0.05)
        few = interior_point(DenseRows(x), y, np.full(4000, -0.5), np.full(4000, 0.5)).reads
        monkeypatch.setattr(module, "BANDS", 1)
        self.agree(x, y, 0.5, 1.0, whole, few_reads=False)
        assert interior_point(DenseRows(x), y, np.full(4000, -0.5), np.full(4000, 0.5)).reads > few

    def test_a_vertex_of_the_band_that_is_none_of_all_rows_is_looked_for_again(self, whole, monkeypatch):
        rng = np.random.default_rng(5)
        x = np.column_stack([rng.standard_normal((20000, 3)), np.ones(20000)])
        y = x @ np.ones(4) + rng.standard_normal(20000)
        refused = []

        def find(rows, *others):
            if isinstance(rows, module._Counted) and not refused:
                refused.append(rows)
                return None
            return find_vertex(rows, *others)

        monkeypatch.setattr(module, "find_vertex", find)
        self.agree(x, y, 0.5, 1.0, whole, few_reads=False)
        assert refused

    def test_penalty_rows(self):
        rng = np.random.default_rng(24)
        x = np.column_stack([rng.standard_normal((20000, 4)), np.ones(20000)])
        fit = solve(x, x[:, 0] + rng.standard_normal(20000), 0.5, penalty=300.0)
        assert fit.vertex and np.count_nonzero(fit.beta == 0.0) == 3
        assert fit.reads <= 12

    def test_ties_leverage_and_a_column_the_sample_misses(self, whole):
        rng = np.random.default_rng(25)
        x = np.column_stack([rng.standard_normal((20000, 3)), np.ones(20000)])
        y = x @ np.ones(4) + rng.standard_normal(20000)
        self.agree(np.round(x), np.round(y), 0.5, 1.0, whole, few_reads=False)
        self.agree(x * np.exp(2 * rng.standard_normal((20000, 1))), y, 0.5, 1.0, whole, few_reads=False)
        rare = x.copy()
        rare[:, 1] = 0.0
        rare[7001:7004, 1] = [1, 2, 3]
        self.agree(rare, y, 0.5, 1.0, whole, few_reads=False)

    def test_perfect_fit_and_equal_targets(self):
        rng = np.random.default_rng(26)
        x = np.column_stack([rng.integers(-9, 9, (20000, 3)), np.ones(20000)])
        np.testing.assert_allclose(solve(x, x @ [1.0, 2, 3, 4], 0.3).beta, [1, 2, 3, 4], rtol=1e-14)
        np.testing.assert_allclose(solve(x, np.full(20000, 0.1), 0.3).beta, [0, 0, 0, 0.1], atol=1e-17)


def as_a_caller_would(x, y):
    """Fit with the intercept: columns centred and scaled by powers of two, the coefficients taken back."""
    centre = x.mean(axis=0)
    centred = x - centre
    scale = 2.0 ** -np.frexp(np.abs(centred).max(axis=0))[1]
    y_centre = np.median(y)
    fit = solve(np.column_stack([centred * scale, np.ones(len(y))]), y - y_centre)
    slope = fit.beta[:-1] * scale
    return fit, np.append(y_centre + fit.beta[-1] - slope @ centre, slope)


class TestPublished:
    """Exact solutions found in rational arithmetic, 2 x F(beta) being the sum of absolute residuals."""

    @pytest.mark.parametrize(
        ("name", "total", "expected"),
        [
            ("engel", 17559.932647625694, [81.482247416936163, 0.56018055120941953]),
            (
                "longley",
                2438.7792815420440,
                [
                    -4356709.3955210446,
                    -7.3970612074806680,
                    -0.052376017399561001,
                    -2.2422009517467621,
                    -1.1676320641939929,
                    -0.068493899112947039,
                    2282.5603464448257,
                ],
            ),
        ],
    )
    def test_lad(self, name, total, expected):
        path = REFERENCE / f"{name}_lad.json"
        if not path.exists():
            pytest.skip("the reference folder is not here")
        data = json.loads(path.read_text())
        expected = np.array([float(value) for value in expected])
        fit, beta = as_a_caller_would(np.array(data["X"]), np.array(data["y"]))
        np.testing.assert_allclose(beta, expected, rtol=1e-12)
        assert 2 * fit.primal == pytest.approx(total, rel=1e-12)
        assert fit.vertex and fit.gap <= 1e-12 * fit.primal


def test_exact_residual_is_rounded_once():
    rng = np.random.default_rng(3)
    x, beta = rng.standard_normal((20, 6)), rng.standard_normal(6)
    y = x @ beta
    exact = [
        float(Fraction(y_i) - sum(Fraction(a) * Fraction(b) for a, b in zip(row.tolist(), beta.tolist())))
        for row, y_i in zip(x, y.tolist())
    ]
    np.testing.assert_array_equal(exact_residual(y, x, beta), exact)


def test_offsets_in_the_columns_cost_digits_but_no_honesty():
    # Dyadic data, so that adding the offset is exact and the slopes of both fits are the same numbers.
    rng = np.random.default_rng(5)
    z = rng.integers(-(2**20), 2**20, (2000, 6)) / 2.0**18
    z[:, -1] = 1
    y = z @ rng.standard_normal(6) + rng.standard_t(3, 2000)
    half = np.full(2000, 0.5)
    best = interior_point(DenseRows(z), y, -half, half)
    for power, reached in ((10, True), (20, True), (30, False)):
        fit = interior_point(DenseRows(z + np.append(np.full(5, 2.0**power), 0)), y, -half, half)
        assert (fit.status == "optimal") is reached
        assert fit.primal - best.primal <= fit.gap + 1e-9 * best.primal
        if reached:
            np.testing.assert_allclose(fit.beta[:-1], best.beta[:-1], rtol=1e-14)


def test_too_few_iterations_are_reported_with_a_valid_gap():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((500, 10)), rng.standard_cauchy(500)
    best = interior_point(DenseRows(x), y, np.full(500, -0.9), np.full(500, 0.1))
    for max_iter in range(4):
        fit = interior_point(DenseRows(x), y, np.full(500, -0.9), np.full(500, 0.1), max_iter=max_iter)
        assert fit.n_iter <= max_iter
        assert fit.primal - best.primal <= fit.gap * (1 + 1e-12) + 1e-12 * best.primal
