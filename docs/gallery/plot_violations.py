"""
Which pairs contradict the rest
===============================

1 - correlation is often used as a distance, and is none: two measurements may be far apart while each is near a third. The
picture has the thirty measurements of a data set on tumours; the darker a pair, the more it exceeds its shortest detour.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_breast_cancer

from steelyard import metric

D = 1 - np.abs(np.corrcoef(load_breast_cancer().data.T))
np.fill_diagonal(D, 0)
D = (D + D.T) / 2
print(metric.violations(D))
closure = metric.nearest_metric(D, decrease_only=True).distances

figure, axes = plt.subplots(figsize=(5.4, 4.6), layout="constrained")
picture = axes.imshow(D - closure, cmap="Reds")
figure.colorbar(picture, label="distance less shortest path")
axes.set_xlabel("measurement")
axes.set_ylabel("measurement")
axes.set_title("Distances longer than a detour")
