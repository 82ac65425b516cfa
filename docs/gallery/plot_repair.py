"""
The nearest metric
==================

Four ways to repair the same dissimilarities. Least squares changes many pairs a little, the sum of changes few pairs by much, the
largest change all of them, and shortest paths only shorten.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_breast_cancer

from steelyard import metric

D = 1 - np.abs(np.corrcoef(load_breast_cancer().data.T))
np.fill_diagonal(D, 0)
D = (D + D.T) / 2
pairs = np.triu_indices(len(D), 1)
ways = {
    "least squares": {"norm": "l2"},
    "sum of changes": {"norm": "l1"},
    "largest change": {"norm": "linf"},
    "only shorter": {"decrease_only": True},
}
figure, panels = plt.subplots(2, 2, sharex=True, sharey=True, figsize=(7, 5), layout="constrained")
figure.suptitle("Changes of 435 dissimilarities by four repairs")
for axes, (name, options) in zip(panels.flat, ways.items(), strict=True):
    change = (metric.nearest_metric(D, **options).distances - D)[pairs]
    axes.hist(change, bins=np.linspace(-0.45, 0.25, 57))
    axes.set_yscale("log")
    axes.set_title(f"{name}: {np.mean(np.abs(change) > 1e-6):.0%} changed")
