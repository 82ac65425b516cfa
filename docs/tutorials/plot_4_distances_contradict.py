"""
My distances contradict each other
==================================

Dissimilarities that people, programs or formulas give often break the triangle inequality: A is near B, B is near C, and yet A is
far from C. Nearest neighbours, clusterings and indexes that count on it then go wrong without a word.

The example: thirty measurements of tumours (scikit-learn's Wisconsin breast cancer set), and "1 - correlation" as their
dissimilarity, as it is often used to cluster variables.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_breast_cancer

from steelyard import metric

data = load_breast_cancer()
names = data.feature_names
D = 1 - np.abs(np.corrcoef(data.data.T))
D = (D + D.T) / 2
np.fill_diagonal(D, 0)

# %%
# Is it a metric?
# ---------------
# All triangles are looked at, none is sampled.

report = metric.violations(D)
print(report)

# %%
# Which, in words:

worst = report.to_frame()
for i, j, k, excess in list(zip(*worst.values(), strict=True))[:5]:
    print(f"{names[i]} and {names[j]} are {excess:.2f} further apart than by way of {names[k]}")

# %%
# Are they errors, or is the formula wrong?
# -----------------------------------------
# Two radii may both go along with a third measurement for different reasons. That is no mistake of anyone: 1 - correlation is simply
# no distance. Often a formula mends it. The angle between two variables is one, and the root of 2 - 2 |r| another:

angle = np.arccos(np.clip(1 - D, -1, 1))
np.fill_diagonal(angle, 0)
print(metric.violations(angle, tol=1e-12))

# %%
# If you can choose the formula, do, and stop here. If the numbers come from people or from a program that you cannot change,
# repair them.
#
# The nearest metric
# ------------------
# Least squares moves every pair as little as can be; the gap proves how close the answer is to the best possible.

near = metric.nearest_metric(D)
print(near)
print(metric.violations(near.distances, tol=1e-9))

pairs = np.triu_indices(len(D), 1)
figure, axes = plt.subplots(figsize=(5.4, 5), layout="constrained")
axes.plot(D[pairs], near.distances[pairs], ".", markersize=4)
axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
axes.set_xlabel("1 - correlation")
axes.set_ylabel("distance in the nearest metric")
axes.set_title("435 pairs before and after")

# %%
# Pairs that were too long for their surroundings become shorter, and the legs of their detours a little longer.
#
# Which measurement causes trouble?
# ---------------------------------
# The change of a row, summed, says which items the others disagree about.

moved = np.abs(near.distances - D).sum(axis=1)
order = np.argsort(moved)[-12:]
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.barh(range(12), moved[order])
axes.set_yticks(range(12), names[order])
axes.set_xlabel("sum of changes")
axes.set_title("Measurements whose distances moved most")

# %%
# Another price
# -------------
# If most numbers are right and a few are plainly wrong, the sum of changes is the better price: it leaves most pairs alone.

few = metric.nearest_metric(D, norm="l1")
for name, found in {"least squares": near, "sum of changes": few}.items():
    change = np.abs(found.distances - D)[pairs]
    print(f"{name}: {np.mean(change > 1e-6):.0%} of the pairs changed, the largest change {change.max():.3f}")

# %%
# The decision
# ------------
# Take the angle where you can. Where the numbers are given, take the nearest metric, and ask again about the items at the top
# of the last picture before you believe them.
#
# What not to conclude
# --------------------
# - That the repaired distances are true. They are consistent, and nearest to what you had.
# - That pairs which changed were wrong. A wrong number may sit in the leg of a detour and not in the long pair.
# - That a metric can be drawn in a plane. Consistent is less than Euclidean.
