"""
Which points are odd?
=====================

357 benign tumours and, unknown to us, twenty malignant ones among them; thirty measurements each, nothing labelled. Which
should a doctor look at first?

The data is scikit-learn's copy of the Wisconsin breast cancer set. The labels are used at the end, to see how well it went.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from steelyard import weigh

data = load_breast_cancer()
rows = np.r_[np.flatnonzero(data.target == 1), np.flatnonzero(data.target == 0)[:20]]
malignant = data.target[rows] == 0
X = data.data[rows]

# %%
# Units first
# -----------
# Distances add up columns; a column in square millimetres would drown one in shares of one. Standardise, unless the
# units are the same.

X = (X - X.mean(axis=0)) / X.std(axis=0)

# %%
# What a weight says
# ------------------
# A point far from all others has weight 1. Copies share one weight. What many others resemble has a weight near 0. Added up, weights give
# the magnitude: the number of effectively different points.

w = weigh.weighting(X, scale="fraction")
print(w)

# %%
# The scale decides what "near" means. ``"fraction"`` takes the one at which the magnitude is .3 of the number of points, and
# that is a rule of thumb, not a law of nature. Here is the whole curve, with that choice marked.

f = weigh.magnitude_function(X)
axes = f.plot()
axes.axvline(w.scale, color="grey", linestyle="--")
axes.set_title("Effective number of points over the scale")

# %%
# Who stands out
# --------------
# Two principal components show it roughly; the weights see all thirty measurements.

plane = PCA(2).fit_transform(X)
axes = w.plot(plane)
axes.set_xlabel("first principal component")
axes.set_ylabel("second principal component")
axes.set_title("Tumours by weight")

# %%
# A score without a solve
# -----------------------
# For outliers alone the plain sum of similarities does as well as weights, often better, and costs one pass. It is the default of
# the detector for scikit-learn.

detector = weigh.MagnitudeOutlierDetector("spread").fit(X)
score = -detector.negative_outlier_factor_
order = np.argsort(-score)
print("first to look at:", order[:10].tolist())

# %%
# How well did it go?
# -------------------
# Now the labels. Of the first twenty that the score names, so many are malignant:

for name, values in {"spread": score, "weight": w.weights}.items():
    first = np.argsort(-values)[:20]
    print(
        f"{name}: {malignant[first].sum()} of the first 20; area under ROC {roc_auc_score(malignant, values):.3f}"
    )

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for name, values in {"spread": score, "weight": w.weights}.items():
    axes.plot(np.arange(1, len(X) + 1), np.cumsum(malignant[np.argsort(-values)]), label=name)
axes.plot([1, len(X)], [0, 20], color="grey", linestyle="--", label="in random order")
axes.set_xlabel("tumours looked at")
axes.set_ylabel("malignant ones found")
axes.set_title("Found on the way down the list")
axes.legend(frameon=False)

# %%
# The decision
# ------------
# Look at tumours in this order, as far as time allows. Where to stop is a question of cost, not of statistics: the score has no threshold
# of its own. (``contamination`` sets one, if you know the share.)
#
# What not to conclude
# --------------------
# - That odd means ill. Many benign tumours are odd, too, and the malignant ones that look ordinary come late.
# - That a weight is a probability. It is a place in this set; add points and it changes.
# - That the method is the best for your data. On 40 tables of one collection the spread was ahead of isolation forests, on others
#   it was behind; the page on `steelyard.weigh` has the figures.
# - That a tight group of strays would be found. Its members share one weight.
