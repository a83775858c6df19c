"""The benchmark's own arithmetic: its exact solution, and what its table shows."""

from fractions import Fraction

import numpy as np

from bench.conditioning import METHODS, exact_solution, measure, relative_error


def test_exact_solution_by_hand():
    # the line through (0, 0), (1, 1), (2, 1): slope 1/2, intercept 1/6
    X = np.array([[0.0, 1], [1, 1], [2, 1]])
    assert exact_solution(X, np.array([0.0, 1, 1])) == [Fraction(1, 2), Fraction(1, 6)]


def test_relative_error_is_of_the_greatest_coefficient():
    assert relative_error(np.array([1.0, 3.0]), [Fraction(1), Fraction(4)]) == 0.25


def test_the_inverse_loses_what_refinement_keeps():
    condition, errors = measure("Hilbert-like", 8)
    assert condition > 1e8 and list(errors) == list(METHODS)
    assert errors["inverse (11)"] > 1e-4
    assert errors["normal equations"] > 1e-4
    assert 1e-13 < errors["numpy lstsq"] < 1e-7
    assert errors["ridgeline"] < 2e-16
