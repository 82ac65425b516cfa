"""
Three scores for outliers
=========================

The same detector with its three scores on two moons with 30 strays. What is dark is called odd. `spread` is one sum a
point; `weight` and `differential` solve for weights.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import make_moons

from steelyard import weigh

rng = np.random.default_rng(0)
moons, _ = make_moons(400, noise=0.07, random_state=0)
X = np.vstack([moons, rng.uniform((-1.6, -1.1), (2.6, 1.6), (30, 2))])

figure, panels = plt.subplots(1, 3, sharey=True, figsize=(9, 3.2), layout="constrained")
figure.suptitle("Outlier scores of points around two moons")
for axes, kind in zip(panels, ("spread", "weight", "differential"), strict=True):
    score = -weigh.MagnitudeOutlierDetector(kind).fit(X).negative_outlier_factor_
    axes.scatter(*X.T, c=score, s=12, cmap="Reds", edgecolors="grey", linewidths=0.2)
    axes.set_title(kind)
