r"""
The explicit solution, and how not to compute it
================================================

Setting the gradient to zero gives the *normal equations* :math:`X^\top X\,w = X^\top y`, whose solution is (11)

.. math:: w^* = (X^\top X)^{-1} X^\top y.

That is a formula, not a method. :math:`X^\top X` has the square of the condition number of :math:`X`, so that half the digits are lost
before an inverse loses more.
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import LinearRegression, least_squares_by_inverse

random = np.random.default_rng(0)
X = random.normal(size=(50, 3))
y = X @ [1.0, 2.0, 3.0] + random.normal(size=50)

print("as written (11)  ", least_squares_by_inverse(X, y))
print("LinearRegression ", LinearRegression(fit_intercept=False).fit(X, y).coef_)

# %%
# Here the condition is small and both agree. Columns :math:`1, x, x^2, \dots` of a polynomial are harder, the more of them there are. The
# coefficients below are whole numbers and so are the columns, so that every target is exact in double precision, the exact solution
# is known, and what an answer misses is its own error.

x = np.arange(1, 31, dtype=float)
degrees = np.arange(1, 9)
condition = []
errors = {
    name: []
    for name in ["explicit inverse", "solving the normal equations", "numpy.linalg.lstsq", "ridgeline"]
}
for degree in degrees:
    X = np.vander(x, degree + 1, increasing=True)
    truth = np.ones(degree + 1)
    y = X @ truth  # below 2^53: exact
    assert y.max() < 2**53
    condition.append(np.linalg.cond(X))
    answers = {
        "explicit inverse": np.linalg.inv(X.T @ X) @ (X.T @ y),
        "solving the normal equations": np.linalg.solve(X.T @ X, X.T @ y),
        "numpy.linalg.lstsq": np.linalg.lstsq(X, y, rcond=None)[0],
        "ridgeline": LinearRegression(fit_intercept=False).fit(X, y).coef_,
    }
    for name, w in answers.items():
        errors[name].append(max(np.abs(w - truth).max(), 1e-17))

figure, axes = plt.subplots(figsize=(6.4, 4.4))
for (name, error), style in zip(errors.items(), ["v-", "^-.", "s--", "o-"]):
    axes.loglog(condition, error, style, label=name)
axes.axhline(1, color="grey", linewidth=0.8)
axes.text(condition[0], 1.6, "no correct digit", color="grey", fontsize=9)
axes.set(
    xlabel="condition number of X",
    ylabel="largest error of a coefficient (truth: 1)",
    title="Polynomials of degree 1 to 8",
)
axes.legend(loc="upper left", bbox_to_anchor=(0, 0.93))
plt.show()

# %%
# An error of exactly zero is drawn at :math:`10^{-17}`. `LinearRegression` begins with the normal equations too, in columns that are scaled
# first, and lets their condition decide how the answer is corrected: residuals in twice the precision, and moments in twice the
# precision where those cannot serve. The certificate says what was done.

for degree in (1, 8):
    X = np.vander(x, degree + 1, increasing=True)
    certificate = LinearRegression(fit_intercept=False).fit(X, X.sum(axis=1)).certificate_
    print(f"degree {degree}: {certificate.solver}; condition {certificate.condition:.1e}")

# %%
# :doc:`../conditioning` measures the same on worse designs, and :doc:`../accuracy` the functions of the next sections.
