"""
A metric from labels
====================

Wines of three growers, before and after ITML has learned which of thirteen measurements tell them apart. Shown are the two
leading principal components, and the share of wines whose nearest neighbour, among others than itself, has the same grower.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from steelyard import metric

X, y = load_wine(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
model = metric.ITMLSupervised(random_state=0)
neighbour = KNeighborsClassifier(1)
plain = cross_val_score(neighbour, X, y).mean()
learned = cross_val_score(make_pipeline(model, neighbour), X, y).mean()

figure, panels = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
figure.suptitle("Wines of three growers")
spaces = {f"as measured: {plain:.1%}": X, f"learned: {learned:.1%}": model.fit(X, y).transform(X)}
for axes, (title, points) in zip(panels, spaces.items(), strict=True):
    axes.scatter(*PCA(2).fit_transform(points).T, c=np.array(["C0", "C1", "C2"])[y], s=14)
    axes.set_title(title)
