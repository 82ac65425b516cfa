"""
A benchmark from a hundred answers
==================================

Thirty classifiers have answered all 897 questions. Ten new ones answer a hundred that the plan chooses; their scores on the
whole are read with intervals, and the truth is drawn beside.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from steelyard import select

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
scores = []
for size in rng.permutation(np.geomspace(20, 800, 40).astype(int)):
    some, pixels = rng.choice(900, size, replace=False), rng.choice(64, 40, replace=False)
    model = KNeighborsClassifier(1).fit(X[some][:, pixels], y[some])
    scores.append(model.predict(X[900:][:, pixels]) == y[900:])
scores = np.array(scores, dtype=float)

plan = select.plan_items(scores[:30], 100, rng=0)
found = plan.estimate(scores[30:][:, plan.items])
truth = scores[30:].mean(axis=1)
order = np.argsort(truth)
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.errorbar(
    range(10), found.mean[order], 1.96 * found.standard_error[order], fmt="o", label="from 100 answers"
)
axes.plot(range(10), truth[order], "k_", markersize=14, label="from all 897")
axes.set_xlabel("new classifier")
axes.set_ylabel("score")
axes.set_title("Ten new classifiers on a benchmark of digits")
axes.legend(frameon=False)
