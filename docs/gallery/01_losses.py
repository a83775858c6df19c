r"""
Losses
======

A loss says how bad the prediction :math:`\hat y` of one target :math:`y` is. With the residual :math:`r = y - \hat y`:

.. math::

   &\text{squared: } r^2 \\
   &\text{absolute: } |r| \\
   &\text{Huber: } h_\delta(r) = \begin{cases} r^2/2 & |r| \le \delta \\ \delta\,(|r| - \delta/2) & |r| > \delta \end{cases}

Each call returns one value per example.
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import absolute_error, huber, squared_error

y = np.array([1.0, 2.0, 3.0])
prediction = np.array([1.5, 2.0, 0.0])

print("squared ", squared_error(y, prediction))
print("absolute", absolute_error(y, prediction))
print("Huber   ", huber(y, prediction, delta=1.0))

# %%
# The squared loss grows with the square of the residual, so that one outlier may outweigh all other rows; the absolute loss has the same
# slope everywhere and a corner at zero; Huber's loss is the first near zero and the second beyond :math:`\delta`.

residual = np.linspace(-3, 3, 301)
zero = np.zeros_like(residual)

figure, axes = plt.subplots(figsize=(6.4, 4.0))
axes.plot(residual, squared_error(residual, zero), label=r"squared, $r^2$")
axes.plot(residual, absolute_error(residual, zero), label=r"absolute, $|r|$", linestyle="--")
axes.plot(residual, huber(residual, zero), label=r"Huber, $\delta = 1$", linestyle="-.")
axes.set(xlabel="residual r", ylabel="loss", ylim=(0, 5), title="Three losses of regression")
axes.legend()
plt.show()

# %%
# What the choice does to a fit
# -----------------------------
# The minimisers of the three losses over a constant are the mean, the median, and a compromise. With three wild targets among thirty:

from ridgeline import HuberRegressor, LinearRegression, QuantileRegressor

random = np.random.default_rng(0)
x = np.linspace(0, 1, 30)
y = 2 * x + 1 + random.normal(size=30) / 10
y[27:] -= 6

figure, axes = plt.subplots(figsize=(6.4, 4.0))
axes.scatter(x, y, color="grey", s=14, label="rows")
for model, style in [
    (LinearRegression(), "-"),
    (QuantileRegressor(quantile=0.5, alpha=0), "--"),
    (HuberRegressor(delta=0.3, alpha=0), "-."),
]:
    model.fit(x[:, None], y)
    print(
        f"{type(model).__name__:<18} slope {model.coef_[0]: .3f}  intercept {model.intercept_:.3f}"
    )
    axes.plot(x, model.predict(x[:, None]), style, label=type(model).__name__)
axes.set(xlabel="x", ylabel="y", title="One line, three losses; three rows are wild")
axes.legend()
plt.show()
