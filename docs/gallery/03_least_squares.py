r"""
Least squares and its gradient
==============================

With rows :math:`x_i` of :math:`X` and a linear predictor :math:`x_i \cdot w`, the empirical risk of the squared loss is (8, 9)

.. math:: LS(w) = \frac1n \sum_{i=1}^n (y_i - x_i \cdot w)^2 = \frac1n \|y - Xw\|^2

and its gradient (10)

.. math:: LS'(w) = \frac2n X^\top (Xw - y).
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import LinearRegression, least_squares_cost, least_squares_gradient

random = np.random.default_rng(0)
X = np.column_stack([random.normal(size=100), random.normal(size=100)]) @ [[1.0, 0.6], [0.0, 0.8]]
y = X @ [1.0, -0.5] + 0.5 * random.normal(size=100)

w = np.array([-0.5, 0.5])
print("risk    ", least_squares_cost(w, X, y))
print("gradient", least_squares_gradient(w, X, y))

# %%
# The gradient is what a difference quotient approaches. The risk is quadratic, so that the central one has no error but rounding:

h = 1e-3
quotient = [
    (least_squares_cost(w + h * e, X, y) - least_squares_cost(w - h * e, X, y)) / (2 * h)
    for e in np.eye(2)
]
print("central differences", np.array(quotient))

# %%
# The bowl, and where it is lowest
# --------------------------------
# The risk is a convex quadratic in :math:`w`: its level lines are ellipses, the negative gradient points across them, and it vanishes at
# one point alone, which `LinearRegression` computes.

best = LinearRegression(fit_intercept=False).fit(X, y)
print("minimiser", best.coef_)
print("gradient there", least_squares_gradient(best.coef_, X, y))

axis = np.linspace(-1.5, 2.0, 60)
risk = np.array([[least_squares_cost([a, b], X, y) for a in axis] for b in axis])
figure, axes = plt.subplots(figsize=(6.0, 5.2))
levels = axes.contour(
    axis, axis, risk, levels=[0.25, 0.35, 0.6, 1.0, 1.6, 2.5, 4.0, 6.0], cmap="viridis"
)
axes.clabel(levels, fontsize=8)
for start in [(-0.5, 0.5), (-1.0, -1.0), (1.5, 1.2), (0.5, 1.5), (1.6, -1.2)]:
    axes.annotate(
        "",
        np.add(start, -0.15 * least_squares_gradient(start, X, y)),
        start,
        arrowprops={"arrowstyle": "->", "color": "C3"},
    )
axes.plot(*best.coef_, "*", color="C1", markersize=14, label="minimiser")
axes.set(
    xlabel="$w_1$",
    ylabel="$w_2$",
    title="Risk, negative gradients, and the minimiser",
    aspect="equal",
)
axes.legend()
plt.show()
