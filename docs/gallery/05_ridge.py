r"""
Ridge regression
================

A penalty keeps coefficients small, and makes :math:`X^\top X + \lambda I` well conditioned. The lecture writes it in two ways that differ
by a factor. The regularised *mean* and its gradient (12, 13):

.. math::

   & \frac1n \|y - Xw\|^2 + \frac\lambda2 \|w\|^2 \\
   & \frac2n X^\top(Xw - y) + \lambda w

and the closed form (14), which minimises the *sum* :math:`\|y - Xw\|^2 + \lambda\|w\|^2`:

.. math:: w^* = (X^\top X + \lambda I)^{-1} X^\top y.

So (14) is ``Ridge(alpha=lambda)``, and the minimiser of (12) is ``Ridge(alpha=n*lambda/2)``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from ridgeline import Ridge, RidgeCV, least_squares_by_inverse, least_squares_gradient

X, y = load_diabetes(return_X_y=True, scaled=False)
X = (X - X.mean(axis=0)) / X.std(axis=0)
y = y - y.mean()
n, lam = len(y), 0.1

ridge = Ridge(alpha=lam, fit_intercept=False).fit(X, y)
print(
    "closed form (14) beside Ridge(lambda): ",
    np.abs(least_squares_by_inverse(X, y, lam) - ridge.coef_).max(),
)
mean = Ridge(alpha=n * lam / 2, fit_intercept=False).fit(X, y)
print(
    "gradient (13) at Ridge(n lambda / 2):  ",
    np.abs(least_squares_gradient(mean.coef_, X, y, alpha=lam)).max(),
)

# %%
# The path of the coefficients
# ----------------------------
# All penalties need the same moments of the rows, which are taken once: :math:`X^\top X` and :math:`X^\top y` serve every
# :math:`\lambda`.

from ridgeline import Moments

moments = Moments.of(X, y)
alphas = np.logspace(-1, 5, 80)
path = np.array([Ridge(alpha=alpha).fit_moments(moments).coef_ for alpha in alphas])
chosen = RidgeCV(alphas=alphas).fit(X, y)

figure, axes = plt.subplots(figsize=(6.4, 4.2))
axes.semilogx(alphas, path)
axes.axvline(
    chosen.alpha_,
    color="grey",
    linestyle=":",
    label=f"left-out rows predicted best: {chosen.alpha_:.3g}",
)
axes.axhline(0, color="grey", linewidth=0.8)
axes.set(
    xlabel=r"penalty $\lambda$ of (14)",
    ylabel="coefficient",
    title="Ten coefficients of the diabetes data",
)
axes.legend()
plt.show()

# %%
# `RidgeCV` left each row out once, which needs no fit of its own for any of them; the smallest squared error of the rows left out chose.
print(chosen.alpha_, -chosen.best_score_)
