r"""
The lasso: does it even fit in memory?
======================================

With the absolute values of the coefficients as penalty, most of them are exactly zero:

.. math:: \frac1{2n} \|y - Xw\|^2 + \alpha \|w\|_1

Ten thousand columns have a matrix of products :math:`X^\top X` of 800 MB. The lasso never asks for it: it needs the products of the
columns in use, and one number for each of the others. The rows may stay in a file.

The file here has 1,000 rows, 40 MB, so that this page builds in seconds; :doc:`../lasso` has the command that measures 20,000 rows.
"""

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from ridgeline import Lasso, lasso_path, source

n, d = 1_000, 10_000
random = np.random.default_rng(0)
X = random.normal(size=(n, d)).astype(np.float32)
truth = np.zeros(d)
truth[::1000] = [3.0, -2.0, 1.5, -1.0, 1.0, 2.5, -3.0, 0.8, -0.8, 2.0]
y = X @ truth + random.normal(size=n)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "X.npy"
np.save(path, X)

tracemalloc.start()
model = Lasso(alpha=0.15).fit_source(source(path, y))
peak = tracemalloc.get_traced_memory()[1]
tracemalloc.stop()

print(f"{np.count_nonzero(model.coef_)} of {d} coefficients are not zero")
print(
    f"reads of the file: {model.certificate_.passes}; arrays of the fit: {peak / 1e6:.1f} MB; X'X would take {8 * d**2 / 1e6:.0f} MB"
)
print(f"proven distance from the minimum of the objective: {model.dual_gap_:.1e}")

# %%
# A penalty that shrinks also biases: the coefficients found are smaller than the true ones by about :math:`\alpha`.

used = np.flatnonzero(truth)
figure, axes = plt.subplots(figsize=(6.4, 3.8))
axes.stem(used, truth[used], linefmt="C7-", markerfmt="C7o", basefmt="k-", label="truth")
found = np.flatnonzero(model.coef_)
axes.plot(found, model.coef_[found], "C1x", markersize=8, markeredgewidth=2, label="lasso")
axes.set(
    xlabel="column",
    ylabel="coefficient",
    title=f"Ten of 10,000 columns matter; the lasso uses {len(found)}",
)
axes.legend()
plt.show()

# %%
# The path
# --------
# From the penalty at which every coefficient is zero down, columns enter one after the other. Each solution starts from the one before.

alphas, coefs, gaps = lasso_path(X[:, ::20], y, alphas=40, eps=0.02)
figure, axes = plt.subplots(figsize=(6.4, 4.0))
axes.semilogx(alphas, coefs[coefs.any(axis=1)].T, linewidth=1)
axes.invert_xaxis()
axes.set(
    xlabel=r"penalty $\alpha$",
    ylabel="coefficient",
    title="Path of the lasso, every twentieth column",
)
plt.show()
print("largest proven gap on the path:", gaps.max())

folder.cleanup()
