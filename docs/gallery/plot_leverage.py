"""
Rows that a regression hangs on
===============================

The leverage of a row says how much it alone can move a fit. Rows are sampled by it, so that a fit on few of them is near to
that on all.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_diabetes

from steelyard import select

X, y = load_diabetes(return_X_y=True)
A = np.c_[np.ones(len(X)), X]
leverage = select.leverage_scores(A)
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
dots = axes.scatter(X[:, 4], X[:, 5], c=leverage, s=14, cmap="viridis")
figure.colorbar(dots, label="leverage")
axes.set_xlabel("total cholesterol (scaled)")
axes.set_ylabel("LDL (scaled)")
axes.set_title("Leverage of 442 patients in a regression of ten features")
