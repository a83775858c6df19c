r"""
Gradient descent and its risk curve
===================================

Where there is no closed form one walks downhill, a step of *learning rate* :math:`\eta` at a time:

.. math:: w \leftarrow w - \eta\,LS'(w)

The lecture takes 15,000 steps with :math:`\eta = 0.001` on columns of norm 1.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from ridgeline import LinearRegression, gradient_descent, least_squares_cost

X, y = load_diabetes(return_X_y=True)  # columns of mean 0 and norm 1
options = {"fit_intercept": True, "max_iter": 15_000}
slow = gradient_descent("squared_error", X, y, learning_rate=0.001, **options)
quick = gradient_descent("squared_error", X, y, learning_rate=0.9, tol=1e-8, **options)

exact = LinearRegression().fit(X, y)
least = least_squares_cost(exact.coef_, X, y - exact.intercept_)
print(f"0.001: {slow.n_iter} steps, risk {slow.risk[-1]:.1f}, gradient {slow.gradient_norm:.1e}")
print(
    f"0.9:   {quick.n_iter} steps, risk {quick.risk[-1]:.1f}, gradient {quick.gradient_norm:.1e}, converged: {quick.converged}"
)
print(f"exact: {exact.certificate_.passes} reads of the rows, risk {least:.1f}")

# %%
# The risk curve
# --------------
# The intercept has curvature 2 and arrives first; along the coefficients the curvature is :math:`2/n` or so, and small steps have hardly
# begun when the 15,000 are over.

figure, axes = plt.subplots(figsize=(6.4, 4.0))
axes.plot(slow.risk, label=r"$\eta = 0.001$")
axes.plot(quick.risk, "--", label=r"$\eta = 0.9$")
axes.axhline(least, color="grey", linestyle=":", label="least risk there is")
axes.set_xscale("symlog", linthresh=1)
axes.set(
    xlabel="steps",
    ylabel="training risk",
    xlim=(0, 15_000),
    title="Gradient descent on the diabetes data",
)
axes.legend()
plt.show()

# %%
# A step too long
# ---------------
# With :math:`L` the largest curvature of the risk, every step below :math:`2/L` lowers it, and a longer one climbs out of the bowl. Here
# :math:`L = 2`. The call then warns, returns the last finite point, and names a rate that is safe for these rows.

import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    wild = gradient_descent(
        "squared_error", X, y, learning_rate=1.01, fit_intercept=True, max_iter=400
    )
print(caught[0].message)

figure, axes = plt.subplots(figsize=(6.4, 3.6))
for rate, style in [(0.1, "-"), (0.9, "--"), (0.99, "-.")]:
    r = gradient_descent(
        "squared_error", X, y, learning_rate=rate, fit_intercept=True, max_iter=400
    )
    axes.semilogy(r.risk, style, label=rf"$\eta = {rate}$")
axes.semilogy(wild.risk, ":", color="C3", linewidth=2, label=r"$\eta = 1.01 > 2/L$")
axes.set(xlabel="steps", ylabel="training risk", title="Learning rates below and beyond 2/L")
axes.legend()
plt.show()

# %%
# The estimators need no learning rate: they go to the minimum by Cholesky or Newton's method, and prove that they are there.
