"""The arithmetic behind the pictures, on checked arrays.

    ROC            the share of events (true positives) against the share of others (false positives) that score at least t, for every t
    area           P(score of an event > score of another) + P(equal) / 2, the area under that curve by trapezoids
    calibration    for rows binned by the probability that was said, how often the event happened
    quantiles      the k-th of n ordered residuals against the normal deviate at (k - 1/2) / n
    distance       where a row of given leverage would have a given Cook's distance
"""

from __future__ import annotations

import numpy as np

DEVIATE_95 = 1.959964
"""Normal deviate of a two-sided 95 % interval."""


def roc(event: np.ndarray, score: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The ROC curve from (0, 0) to (1, 1), and its area.

    Parameters
    ----------
    event : ndarray of bool, shape (n,)
        At least one of each kind has weight.
    score, weight : ndarray of shape (n,)

    Returns
    -------
    false_positive, true_positive, threshold : ndarray of shape (k,)
        A point for each distinct score, before them the one above all scores (threshold infinite); corners only: a point on the line
        between its neighbours is left out.
    area : float

    Notes
    -----
    n log n for the sort. Weights are summed in the order of the scores.
    """
    order = np.argsort(-score, kind="stable")
    order = order[weight[order] > 0]
    event, score, weight = event[order], score[order], weight[order]
    last = np.flatnonzero(np.append(np.diff(score) != 0, True))
    hits = np.append(0.0, np.cumsum(weight * event)[last])
    alarms = np.append(0.0, np.cumsum(weight * ~event)[last])
    true_positive, false_positive = hits / hits[-1], alarms / alarms[-1]
    area = float((np.diff(false_positive) * (true_positive[1:] + true_positive[:-1])).sum() / 2)
    threshold = np.append(np.inf, score[last])
    # a corner: the step after it has another direction than the step before
    rise, run = np.diff(hits), np.diff(alarms)
    turns = rise[1:] * run[:-1] != rise[:-1] * run[1:]
    corner = np.concatenate([[True], turns, [True]])
    return false_positive[corner], true_positive[corner], threshold[corner], area


def calibration(
    y: np.ndarray, probability: np.ndarray, weight: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, frequency and the ends of its 95 % interval, for each bin of rows that has weight.

    Wilson's interval (1927), with f the frequency, m = (sum s)^2 / sum s^2 the effective rows and z the deviate:

        (f + z^2 / 2m  +-  z sqrt(f (1 - f) / m + z^2 / 4m^2)) / (1 + z^2 / m)
    """
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    rows = [part for k in range(bins) if weight[part := np.flatnonzero(index == k)].sum() > 0]
    said = np.array([np.average(probability[part], weights=weight[part]) for part in rows])
    f = np.array([np.average(y[part], weights=weight[part]) for part in rows])
    m = np.array([weight[part].sum() ** 2 / (weight[part] ** 2).sum() for part in rows])
    z = DEVIATE_95
    centre = f + z**2 / (2 * m)
    half = z * np.sqrt(f * (1 - f) / m + z**2 / (4 * m**2))
    scale = 1 + z**2 / m
    low, high = (centre - half) / scale, (centre + half) / scale
    return said, f, np.minimum(np.maximum(low, 0), f), np.maximum(np.minimum(high, 1), f)


def count_pairs(y: np.ndarray, y_pred: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """How often each (true, predicted) pair of classes occurs.

    Raises
    ------
    ValueError
        For a label that is not among the classes, with its row.
    """
    order = np.argsort(classes)
    codes = []
    for name, values in (("y", y), ("y_pred", y_pred)):
        known = np.isin(values, classes)
        if not known.all():
            row = int(np.argmin(known))
            raise ValueError(f"{name} is {values[row]!r} at row {row}, which is not among labels; add it there.")
        codes.append(order[np.searchsorted(classes, values, sorter=order)])
    c = len(classes)
    return np.bincount(codes[0] * c + codes[1], minlength=c * c).reshape(c, c)


def binned_means(x: np.ndarray, y: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of x and y over runs of neighbouring x, as many rows in each to within one."""
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, min(bins, len(x)))
    return np.array([x[part].mean() for part in parts]), np.array([y[part].mean() for part in parts])


def residual_of_distance(leverage: np.ndarray, distance: float, parameters: int) -> np.ndarray:
    """The studentised residual r at which a row of leverage h has that Cook's distance: D = r^2 h / (k (1 - h))."""
    return np.sqrt(distance * parameters * (1 - leverage) / leverage)


def normal_quantiles(residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The normal deviates at (k - 1/2) / n (Hazen 1914), and the residuals in order, in units of their standard deviation about zero."""
    from scipy.special import ndtri

    n = len(residual)
    deviation = np.sqrt(np.mean(residual**2))
    return ndtri((np.arange(n) + 0.5) / n), np.sort(residual) / (deviation if deviation > 0 else 1.0)
