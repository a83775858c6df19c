r"""
Cross-entropy and Kullback-Leibler divergence
=============================================

The loss of a predicted distribution :math:`p` where the target distribution is :math:`y` (21):

.. math::

   H(y, p) &= -\sum_j y_j \log p_j \\
           &= \underbrace{-\sum_j y_j \log y_j}_{\text{entropy of } y} + \underbrace{\sum_j y_j \log\frac{y_j}{p_j}}_{KL(y\,\|\,p)\ \ge\ 0}

The entropy does not depend on the prediction, so that minimising one minimises the other, and the least loss is at :math:`p = y`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import (
    binary_cross_entropy,
    categorical_cross_entropy,
    kl_divergence,
    softmax,
    sparse_categorical_cross_entropy,
)

y = np.array([[0.7, 0.2, 0.1]])
p = np.array([[0.5, 0.3, 0.2]])
entropy = categorical_cross_entropy(y, y)
print("cross-entropy       ", categorical_cross_entropy(y, p))
print("entropy + divergence", entropy + kl_divergence(y, p))

# %%
# Dense and sparse targets
# ------------------------
# Where every target is a corner of the simplex, its class number says as much, and the loss is :math:`-\log p_k`:

p = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
print("dense ", categorical_cross_entropy([[1, 0, 0], [0, 1, 0]], p))
print("sparse", sparse_categorical_cross_entropy([0, 1], p))

# %%
# From probabilities and from logits
# ----------------------------------
# In logits the loss of class :math:`k` is :math:`\operatorname{logsumexp}(z) - z_k`, where nothing overflows and no probability has been
# rounded to 0 or 1 on the way. A classifier that is sure and wrong shows the difference:

z = np.array([[800.0, 0.0, 0.0]])
print("from logits       ", sparse_categorical_cross_entropy([1], z, from_logits=True))
print("from probabilities", sparse_categorical_cross_entropy([1], softmax(z)))
print(
    "sure and right    ",
    sparse_categorical_cross_entropy([0], [[40.0, 0.0, 0.0]], from_logits=True),
)

# %%
# Two classes
# -----------
# With :math:`y \in [0, 1]` and :math:`p` the probability of class 1 it reads :math:`-y\log p - (1-y)\log(1-p)`. The loss of a target that
# is itself uncertain has its minimum at :math:`p = y`, not at zero: what is left is the entropy.

p = np.linspace(0.001, 0.999, 400)
figure, axes = plt.subplots(figsize=(6.4, 4.0))
for target, style in [(1.0, "-"), (0.7, "--"), (0.5, "-."), (0.0, ":")]:
    loss = binary_cross_entropy(np.full_like(p, target), p)
    (line,) = axes.plot(p, loss, style, label=f"y = {target:g}")
    best = p[loss.argmin()]
    axes.plot(best, loss.min(), "o", color=line.get_color())
axes.set(
    xlabel="predicted probability p of class 1",
    ylabel="loss (nats)",
    ylim=(-0.1, 4),
    title="Binary cross-entropy and its minima",
)
axes.legend()
plt.show()
