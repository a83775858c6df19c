r"""
From a linear model to a network
================================

Everything so far had one shape: a linear map, a loss, and a minimum of the mean loss. A network keeps the last two and makes the first
deeper:

.. math:: z = \phi(x A + a)\, w + b

with a hidden layer :math:`\phi(xA + a)` between the row and the logit. This page goes as far as linear models take one.
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import LogisticRegression, empirical_risk, log_sigmoid, sigmoid

random = np.random.default_rng(0)
X = random.uniform(-1, 1, size=(600, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(float)  # the exclusive or: no line parts these classes

plain = LogisticRegression().fit(X, y)
print("a line:", plain.score(X, y))

# %%
# A hidden layer that is not learned
# ----------------------------------
# Random hidden units make the classes separable by a plane, in the space of the units. The model is still linear in what is fitted: the
# same call, the same certificate, and the same convex problem with one minimum.

A, a = random.normal(size=(2, 50)), random.normal(size=50)


def hidden(rows):
    return np.maximum(rows @ A + a, 0)


last = LogisticRegression(C=10.0).fit(hidden(X), y)
print("random hidden layer:", last.score(hidden(X), y), last.certificate_.status)

# %%
# A hidden layer that is learned
# ------------------------------
# Learning :math:`A` too is gradient descent by the chain rule. The gradient begins as in logistic regression, with
# :math:`\sigma(z) - y`, the slope of the cross-entropy in the logit (29); each layer then multiplies by its own derivative. The problem
# is no longer convex: another start leads to another minimum, and no certificate can be had.

units, rate = 8, 1.0
B, c = random.normal(size=(2, units)), np.zeros(units)
w, b = random.normal(size=units) / units, 0.0
curve = []
for _ in range(3000):
    h = np.tanh(X @ B + c)
    z = h @ w + b
    curve.append(empirical_risk("binary_cross_entropy", y, sigmoid(z)))
    slope = (sigmoid(z) - y) / len(y)
    back = np.outer(slope, w) * (1 - h**2)
    w, b = w - rate * h.T @ slope, b - rate * slope.sum()
    B, c = B - rate * X.T @ back, c - rate * back.sum(axis=0)
print("learned hidden layer:", ((z > 0) == y).mean(), "risk", curve[-1])
print(
    "risk of the line:    ",
    -np.mean(log_sigmoid(np.where(y == 1, 1, -1) * plain.decision_function(X))),
)

# %%
# What the three can do:

grid = np.stack(np.meshgrid(np.linspace(-1, 1, 120), np.linspace(-1, 1, 120)), axis=-1).reshape(
    -1, 2
)
answers = {
    "linear": plain.predict_proba(grid)[:, 1],
    "random hidden layer": last.predict_proba(hidden(grid))[:, 1],
    "learned hidden layer": sigmoid(np.tanh(grid @ B + c) @ w + b),
}
figure, panels = plt.subplots(1, 3, figsize=(9.0, 3.4), sharey=True, layout="constrained")
for axes, (name, p) in zip(panels, answers.items()):
    shades = axes.imshow(
        p.reshape(120, 120), extent=(-1, 1, -1, 1), origin="lower", cmap="RdBu_r", vmin=0, vmax=1
    )
    axes.scatter(*X[:200].T, c=np.where(y[:200] > 0, "darkred", "darkblue"), s=6)
    axes.set(title=name, xlabel="$x_1$")
panels[0].set_ylabel("$x_2$")
figure.colorbar(shades, ax=panels, label="probability of class 1")
plt.show()

# %%
# Reading on
# ----------
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, Springer 2006: chapters 3 and 4 are the linear models of these pages,
#   chapter 5 the networks.
# - T. Hastie, R. Tibshirani and J. Friedman, *The Elements of Statistical Learning*, 2nd edition, Springer 2009: chapter 3 for ridge and
#   the lasso, chapter 7 for risk and the gap, chapter 11 for networks.
# - I. Goodfellow, Y. Bengio and A. Courville, *Deep Learning*, MIT Press 2016: chapter 6 takes up where this page ends.
# - S. Shalev-Shwartz and S. Ben-David, *Understanding Machine Learning*, Cambridge University Press 2014: why empirical risk
#   minimisation works.
# - G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th edition, Johns Hopkins 2013: chapter 5 for least squares done well.
