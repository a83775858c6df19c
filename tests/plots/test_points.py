"""The arithmetic of the pictures, on cases worked by hand; no matplotlib."""

import numpy as np
import pytest

from ridgeline.plots import points

Y = np.array([0, 0, 1, 1, 1, 0])
P = np.array([0.1, 0.2, 0.3, 0.9, 0.95, 0.6])


def test_calibration_by_hand():
    # Two bins: {0.1, 0.2, 0.3} with one event, {0.6, 0.9, 0.95} with two.
    said, happened, low, high = points.calibration(Y, P, np.ones(6), 2)
    np.testing.assert_allclose(said, [0.2, 0.816666666666667], rtol=1e-14)
    np.testing.assert_allclose(happened, [1 / 3, 2 / 3], rtol=1e-14)
    # Wilson's 95 % interval for one of three, from the closed form.
    z = 1.959964
    centre, half = 1 / 3 + z**2 / 6, z * (1 / 3 * 2 / 3 / 3 + z**2 / 36) ** 0.5
    np.testing.assert_allclose(low[0], (centre - half) / (1 + z**2 / 3), rtol=1e-12)
    np.testing.assert_allclose(high[0], (centre + half) / (1 + z**2 / 3), rtol=1e-12)
    np.testing.assert_allclose(1 - high, low[::-1], rtol=1e-12)


def test_weights_of_calibration_count_as_copies_and_empty_bins_leave():
    said, happened, _, _ = points.calibration(Y, P, np.array([0, 2, 1, 0, 0, 1.0]), 2)
    np.testing.assert_allclose(said, [(2 * 0.2 + 0.3) / 3, 0.6])
    np.testing.assert_allclose(happened, [1 / 3, 0])
    assert len(points.calibration(Y, P, np.ones(6), 10)[0]) == 5


def roc(event, score, weight=None):
    event = np.array(event, dtype=bool)
    return points.roc(event, np.array(score, dtype=float), np.ones(len(event)) if weight is None else np.array(weight, dtype=float))


def pairs(event, score, weight):
    """The area as the probability that an event scores higher than another row, ties counting half."""
    event = np.array(event, dtype=bool)
    a, b = np.array(score)[event], np.array(score)[~event]
    s = np.outer(np.array(weight)[event], np.array(weight)[~event])
    wins = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    return (s * wins).sum() / s.sum()


def test_a_perfect_score_goes_through_the_corner():
    false_positive, true_positive, threshold, area = roc([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert false_positive.tolist() == [0, 0, 1] and true_positive.tolist() == [0, 1, 1] and area == 1
    assert threshold.tolist() == [np.inf, 0.8, 0.1]


def test_a_reversed_score_has_no_area():
    assert roc([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9])[3] == 0


def test_one_score_for_all_is_the_diagonal():
    false_positive, true_positive, _, area = roc([0, 1, 1], [0.5, 0.5, 0.5])
    assert false_positive.tolist() == [0, 1] == true_positive.tolist() and area == 0.5


def test_roc_by_hand():
    # descending: 0.95 yes, 0.9 yes, 0.6 no, 0.3 yes, 0.2 no, 0.1 no
    false_positive, true_positive, threshold, area = roc(Y, P)
    np.testing.assert_allclose(false_positive, [0, 0, 1 / 3, 1 / 3, 1])
    np.testing.assert_allclose(true_positive, [0, 2 / 3, 2 / 3, 1, 1])
    assert threshold.tolist() == [np.inf, 0.9, 0.6, 0.3, 0.1]
    np.testing.assert_allclose(area, 8 / 9)


def test_weights_of_roc_count_as_copies():
    weight = np.array([1, 0, 2, 3, 1, 2])
    again = np.repeat(np.arange(6), weight)
    for weighted, copied in zip(roc(Y, P, weight), roc(Y[again], P[again])):
        np.testing.assert_allclose(weighted, copied, rtol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_the_share_of_pairs_in_order(seed):
    rng = np.random.default_rng(seed)
    event, weight = rng.random(40) < 0.4, rng.integers(0, 4, 40)
    score = rng.integers(0, 6, 40) + event
    false_positive, true_positive, _, area = roc(event, score, weight)
    np.testing.assert_allclose(area, pairs(event, score, weight), rtol=1e-13)
    # the corners alone have the same area
    np.testing.assert_allclose((np.diff(false_positive) * (true_positive[1:] + true_positive[:-1])).sum() / 2, area, rtol=1e-13)


def test_means_of_runs():
    x, y = points.binned_means(np.array([4.0, 1.0, 3.0, 2.0, 5.0]), np.array([40.0, 10.0, 30.0, 20.0, 50.0]), 2)
    assert x.tolist() == [2, 4.5] and y.tolist() == [20, 45]
    assert len(points.binned_means(np.arange(3.0), np.arange(3.0), 7)[0]) == 3


def test_lines_of_equal_distance_by_hand():
    # D = r^2 h / (k (1 - h)): r^2 = 2 for h = 1/2, k = 2, D = 1
    np.testing.assert_allclose(points.residual_of_distance(np.array([0.5, 0.2]), 1.0, 2), [2**0.5, 8**0.5], rtol=1e-15)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_normal_quantiles_by_hand(unit):
    # deviates at 1/4 and 3/4; residuals 3 and -1 have the mean square 5
    deviate, residual = points.normal_quantiles(np.array([3.0, -1.0]) * unit)
    np.testing.assert_allclose(deviate, [-0.6744897501960817, 0.6744897501960817], rtol=1e-14)
    np.testing.assert_allclose(residual, [-1 / 5**0.5, 3 / 5**0.5], rtol=1e-15)


def test_residuals_of_a_perfect_fit_are_zero():
    assert points.normal_quantiles(np.zeros(3))[1].tolist() == [0, 0, 0]
