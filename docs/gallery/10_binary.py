r"""
Two classes: the sigmoid and logistic regression
================================================

Of two classes one logit is enough, that of class 1 against 0, and softmax becomes the *sigmoid* (25):

.. math::

   \sigma(z) &= \frac1{1 + e^{-z}} = \operatorname{softmax}(0, z)_2 \\
   \sigma'(z) &= \sigma(z)\,(1 - \sigma(z))

with its derivative (28). The risk is the mean binary cross-entropy (26), here with a penalty, and its gradient (29) has the form of that of
least squares, prediction minus target:

.. math::

   & -\frac1n\sum_i \bigl(y_i \log p_i + (1-y_i)\log(1-p_i)\bigr) + \frac\lambda2\|w\|^2,\qquad p = \sigma(Xw) \\
   & \frac1n X^\top(\sigma(Xw) - y) + \lambda w
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

from ridgeline import LogisticRegression, logistic_cost, logistic_gradient, sigmoid, softmax

print(sigmoid(1.5), softmax([0.0, 1.5])[1])
print("1 - sigmoid(40)", 1 - sigmoid(40.0), "but sigmoid(-40)", sigmoid(-40.0))

z = np.linspace(-8, 8, 401)
p = sigmoid(z)
figure, axes = plt.subplots(figsize=(6.4, 3.8))
axes.plot(z, p, label=r"$\sigma(z)$")
axes.plot(z, p * (1 - p), "--", label=r"$\sigma'(z) = \sigma(z)(1 - \sigma(z))$")
axes.axvline(0, color="grey", linewidth=0.8)
axes.set(xlabel="logit z", ylabel="probability of class 1", title="The sigmoid and its derivative")
axes.legend()
plt.show()

# %%
# From the gradient to the fit
# ----------------------------
# ``LogisticRegression(C=1/(n*lambda))`` minimises that risk: its gradient vanishes at the answer.

X, y = load_breast_cancer(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
n, lam = len(y), 0.01
model = LogisticRegression(C=1 / (n * lam), fit_intercept=False).fit(X, y)
w = model.coef_[0]
print("risk at 0 and at w:  ", logistic_cost(np.zeros(30), X, y, lam), logistic_cost(w, X, y, lam))
print("largest gradient entry:", np.abs(logistic_gradient(w, X, y, lam)).max())
print(model.certificate_)

# %%
# It predicts class 1 where :math:`\sigma(x\cdot w) \ge 1/2`, that is :math:`x \cdot w \ge 0` (27):

model = LogisticRegression().fit(X, y)
logits = model.decision_function(X)
order = np.argsort(logits)
figure, axes = plt.subplots(figsize=(6.4, 4.0))
axes.plot(logits[order], sigmoid(logits[order]), color="grey", label=r"$\sigma(z)$")
for k, name in enumerate(("malignant", "benign")):
    jitter = np.random.default_rng(0).uniform(-0.04, 0.04, size=(y == k).sum())
    axes.scatter(logits[y == k], k + jitter, s=9, marker="os"[k], label=f"{name} (class {k})")
axes.axvline(0, color="grey", linestyle=":")
axes.set(
    xlabel="logit",
    ylabel="probability of class 1",
    title=f"569 tumours, {model.score(X, y):.1%} on the right side",
)
axes.legend(loc="center right")
plt.show()

# %%
# Separated classes have no minimum
# ---------------------------------
# Without a penalty the risk of classes that a plane can part falls for ever as the coefficients grow. The fit notices and says so.

import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    LogisticRegression(C=np.inf).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
print(caught[0].message)
