"""
A coreset
=========

Sixty weighted points on which the cost of any four centres is about what it is on 4,000. Far points are drawn more often and
weigh less.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import make_blobs

from steelyard import select

X, _ = make_blobs([2500, 1000, 450, 50], cluster_std=[2, 1, 1, 0.5], random_state=2)
small = select.coreset(X, 60, clusters=4, rng=0)
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.plot(*X.T, ",", color="grey")
axes.scatter(*np.asarray(small.points).T, s=small.weights, color="C3", alpha=0.6)
axes.set_title("Sixty points for four thousand; areas are weights")
