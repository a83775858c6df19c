r"""
Multinomial logistic regression
===============================

The mean cross-entropy of the softmax of linear logits (22):

.. math:: \frac1n \sum_{i=1}^n H\bigl(y_i, \operatorname{softmax}(x_i W + b)\bigr)

is convex in :math:`W` and :math:`b`. `LogisticRegression` minimises it, plus a penalty of weight :math:`1/C`, whatever the number of
classes."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_iris

from ridgeline import LogisticRegression, empirical_risk, generalization_gap, train_test_split

iris = load_iris()
X, y = (
    iris.data[:, 2:],
    iris.target_names[iris.target],
)  # length and width of petals; names of species
model = LogisticRegression(C=10.0).fit(X, y)
print(model.classes_, model.score(X, y))
print(model.coef_.round(2))
print(model.predict_proba([[4.9, 1.7]]).round(3))

# %%
# The logits are linear, so that the border between two classes, where their logits are equal, is a line.

a, b = np.meshgrid(np.linspace(0.5, 7.2, 200), np.linspace(0, 2.7, 160))
p = model.predict_proba(np.column_stack([a.ravel(), b.ravel()])).reshape(*a.shape, 3)
figure, axes = plt.subplots(figsize=(6.4, 4.4))
axes.contourf(
    a, b, p.argmax(axis=2), levels=[-0.5, 0.5, 1.5, 2.5], colors=["C0", "C1", "C2"], alpha=0.18
)
axes.contour(a, b, p.max(axis=2), levels=[0.5, 0.7, 0.9, 0.99], colors="grey", linewidths=0.7)
for k, (species, marker) in enumerate(zip(model.classes_, "os^")):
    axes.scatter(
        *X[y == species].T,
        color=f"C{k}",
        marker=marker,
        s=18,
        edgecolor="white",
        linewidth=0.4,
        label=species,
    )
axes.set(
    xlabel="petal length (cm)",
    ylabel="petal width (cm)",
    title="Most probable species; lines: its probability 0.5, 0.7, 0.9, 0.99",
)
axes.legend(loc="upper left")
plt.show()

# %%
# Ten classes, and the gap
# ------------------------
# Images of digits, 64 grey values each. The certificate proves how far the fit is from the minimum of its regularised risk; how well
# it does on rows it has not seen, only those rows can say.

X, y = load_digits(return_X_y=True)
X /= 16  # from white, 0, to black, 1
X_train, X_test, y_train, y_test = train_test_split(X, y, test_fraction=0.25, seed=0, stratify=True)
for C in (10.0, 0.1):
    model = LogisticRegression(C=C).fit(X_train, y_train)
    risk = empirical_risk("zero_one", y_test, model.predict(X_test))
    gap = generalization_gap(
        model, X_train, y_train, X_test, y_test, "sparse_categorical_cross_entropy"
    )
    print(f"C = {C:<4} {risk:.1%} of test images wrong; gap of the cross-entropy {gap:.3f}")
    print(f"         {model.certificate_.status}, F - F* <= {model.certificate_.suboptimality:.1e}")

# %%
# The coefficients of a class are an image too: where ink speaks for it (red) and against it (blue).

figure, panels = plt.subplots(2, 5, figsize=(7.0, 3.2))
extreme = np.abs(model.coef_).max()
for digit, axes in enumerate(panels.flat):
    axes.imshow(model.coef_[digit].reshape(8, 8), cmap="RdBu_r", vmin=-extreme, vmax=extreme)
    axes.set_title(str(digit), fontsize=10)
    axes.axis("off")
figure.suptitle("Coefficients of the ten classes, C = 0.1", fontsize=11)
plt.show()
