"""
How much each flower counts
===========================

A weight near 1 means that a flower has no near neighbour, a weight near 0 that others say the same. Two features of
Fisher's flowers; size and colour of a dot go with its weight.
"""

from steelyard import datasets, plotting, weigh

X = datasets.load_iris().points()[:, 2:]
X = (X - X.mean(axis=0)) / X.std(axis=0)
axes = plotting.plot_weights(weigh.weighting(X, scale="fraction"))
axes.set_xlabel("petal length (standardised)")
axes.set_ylabel("petal width (standardised)")
axes.set_title("Weights of 150 flowers")
