import numpy as np

def split(
    X: np.ndarray, y: np.ndarray, s: np.ndarray, m: np.ndarray, t: np.ndarray, theta: np.ndarray, low: float, high: float,
    totals: np.ndarray, slope: np.ndarray, scatter: np.ndarray, near: np.ndarray, block: np.ndarray, rows: np.ndarray,
    partial: np.ndarray,
) -> int: ...
