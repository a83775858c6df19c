r"""
Risk, and the gap between seen and unseen rows
==============================================

The *expected risk* of a predictor :math:`f` is its mean loss over the distribution that the rows come from, and the *empirical risk* its
mean loss over the rows at hand:

.. math::

   R(f) &= \mathbb E\,\ell(y, f(x)) \\
   \hat R(f) &= \frac1n \sum_{i=1}^n \ell(y_i, f(x_i))

Nobody knows :math:`R`; a fit minimises :math:`\hat R`. Rows that the fit has not seen estimate :math:`R` without bias, and the difference

.. math:: \hat R_\text{test}(f) - \hat R_\text{train}(f)

is the *generalization gap*.
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import LinearRegression, empirical_risk, generalization_gap, train_test_split

random = np.random.default_rng(2)
x = random.uniform(-1, 1, size=60)
y = np.sin(3 * x) + 0.3 * random.normal(size=60)

X = np.vander(x, 4, increasing=True)[:, 1:]  # x, x^2, x^3
X_train, X_test, y_train, y_test = train_test_split(X, y, test_fraction=0.5, seed=0)
model = LinearRegression().fit(X_train, y_train)

print("training risk", empirical_risk("squared_error", y_train, model.predict(X_train)))
print("test risk    ", empirical_risk("squared_error", y_test, model.predict(X_test)))
print("gap          ", generalization_gap(model, X_train, y_train, X_test, y_test, "squared_error"))

# %%
# The empirical risk approaches the expected one
# ----------------------------------------------
# For one fixed predictor the empirical risk is a mean of independent terms: by the law of large numbers it approaches :math:`R(f)`, with an
# error that falls like :math:`1/\sqrt n`. Here :math:`f = 0` and the data are as above, without end.

n = 2 ** np.arange(3, 17)
many = random.uniform(-1, 1, size=n[-1])
targets = np.sin(3 * many) + 0.3 * random.normal(size=n[-1])
risk = [empirical_risk("squared_error", targets[:k], np.zeros(k)) for k in n]
expected = 0.3**2 + 0.5 - np.sin(6) / 12  # of sin(3x)^2 over (-1, 1), and the noise

figure, axes = plt.subplots(figsize=(6.4, 3.6))
axes.semilogx(n, risk, "o-", label=r"empirical risk $\hat R(0)$")
axes.axhline(expected, color="grey", linestyle=":", label=f"expected risk, {expected:.4f}")
axes.set(xlabel="rows n", ylabel="mean squared loss", title="One predictor, more and more rows")
axes.legend()
plt.show()

# %%
# A predictor that was chosen on the rows is flattered by them
# ------------------------------------------------------------
# The fit's own rows are no sample for its risk, since the fit was chosen for them. The richer the model, the lower the training risk and
# the wider the gap.

degrees = np.arange(1, 13)
curves = np.empty((2, len(degrees)))
for k, degree in enumerate(degrees):
    X = np.vander(x, degree + 1, increasing=True)[:, 1:]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_fraction=0.5, seed=0)
    model = LinearRegression().fit(X_train, y_train)
    curves[0, k] = empirical_risk("squared_error", y_train, model.predict(X_train))
    curves[1, k] = empirical_risk("squared_error", y_test, model.predict(X_test))

figure, axes = plt.subplots(figsize=(6.4, 4.0))
axes.semilogy(degrees, curves[0], "o-", label="30 training rows")
axes.semilogy(degrees, curves[1], "s--", label="30 test rows")
axes.fill_between(degrees, *curves, alpha=0.15, label="generalization gap")
axes.axhline(0.09, color="grey", linestyle=":", label="noise: no predictor has less")
axes.set(
    xlabel="degree of the polynomial",
    ylabel="mean squared loss",
    title="Training risk, test risk and the gap",
)
axes.legend()
plt.show()
