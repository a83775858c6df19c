r"""
Softmax, the simplex, and one-hot codes
=======================================

A classifier of :math:`c` classes answers with a distribution: a point of the *simplex* :math:`\{p : p_j \ge 0, \sum_j p_j = 1\}`. A
linear model gives :math:`c` real numbers, the *logits*, and softmax takes them there (17):

.. math:: \operatorname{softmax}(z)_j = \frac{e^{z_j}}{\sum_k e^{z_k}}

The logits of a distribution are its logarithms up to a constant (18), :math:`z_j = \log p_j + \text{const}`, for the constant cancels.
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import log_softmax, logsumexp, one_hot, softmax

z = np.array([2.0, 1.0, -1.0])
p = softmax(z)
print("softmax       ", p, " sum", p.sum())
print("shifted by 100", softmax(z + 100))
print("log p - z     ", np.log(p) - z, " = -logsumexp(z) =", -logsumexp(z))

# %%
# The formula as it stands overflows from :math:`e^{710}` on. Subtracting the largest logit first changes nothing but that.

with np.errstate(over="ignore", invalid="ignore"):
    naive = np.exp([1000.0, 999.0]) / np.exp([1000.0, 999.0]).sum()
print("as written", naive)
print("softmax   ", softmax([1000.0, 999.0]))
print("log_softmax", log_softmax([0.0, -1000.0]), "where log(softmax) would be", [0.0, -np.inf])

# %%
# Corners of the simplex
# ----------------------
# A label is the distribution that is sure of it, a corner (19, 20):

print(one_hot([2, 0, 1]))
print(one_hot(["cat", "dog"], classes=["cat", "dog", "emu"]))

# %%
# Multiplying the logits by a growing factor drives a distribution from the middle, where all are equally likely, towards the corner of its
# largest entry; it never arrives, for softmax is positive everywhere.

corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
figure, axes = plt.subplots(figsize=(5.6, 5.0))
axes.fill(*corners.T, facecolor="none", edgecolor="grey")
for corner, name, where in zip(
    corners, ("(1, 0, 0)", "(0, 1, 0)", "(0, 0, 1)"), ("right", "left", "center")
):
    axes.annotate(
        name,
        corner,
        (0, 8 if where == "center" else -14),
        textcoords="offset points",
        ha=where,
        color="grey",
    )
factors = np.linspace(0, 6, 60)
for k, logits in enumerate(np.random.default_rng(3).normal(size=(7, 3))):
    way = softmax(factors[:, None] * logits) @ corners
    axes.plot(*way.T, color=f"C{k}")
    axes.plot(*way[10], "o", color=f"C{k}", markersize=5)
axes.plot(*(np.full(3, 1 / 3) @ corners), "k*", markersize=11, label="all logits equal")
axes.set_title("softmax(t z) for t from 0 to 6; dots at t = 1", pad=18)
axes.set_aspect("equal")
axes.axis("off")
axes.legend(loc="upper left")
plt.show()
