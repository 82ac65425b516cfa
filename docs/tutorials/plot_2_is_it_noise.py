"""
Is this benchmark result noise?
===============================

Model A has 93.6 % on the benchmark, model B 90.2 %. Is A better, or would another 500 questions have had it the other way
round?

The benchmark here: which digit is it? 500 handwritten digits of scikit-learn, answered by a support vector machine and by a
random forest that have seen the same 400.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from steelyard import rank, select

X, y = load_digits(return_X_y=True)
train, test = slice(0, 400), slice(1297, 1797)
a = SVC(gamma=0.001).fit(X[train], y[train]).predict(X[test]) == y[test]
b = RandomForestClassifier(random_state=0).fit(X[train], y[train]).predict(X[test]) == y[test]
a, b = a.astype(float), b.astype(float)
print(f"A {a.mean():.1%}, B {b.mean():.1%}")

# %%
# Compare question by question
# ----------------------------
# Both answered the same questions. What makes a question hard for both cancels in the difference, and the error of the difference is
# smaller than the errors of the two scores suggest.

found = select.paired_difference(a, b)
print(found)

unpaired = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
print(f"standard error from pairs {found.standard_error:.4f}, as if on different questions {unpaired:.4f}")

# %%
# Zero lies outside of the interval: on questions like these A is better.
#
# And if the questions hang together?
# -----------------------------------
# The digits were written by a few people, one after the other; neighbours in the file are of one hand. If one hand is hard to read, many
# questions fail together, and 500 questions are worth fewer. The file does not say who wrote what. Runs of 25 digits stand in
# for it here.

hands = np.arange(500) // 25
by_hand = select.paired_difference(a, b, clusters=hands)
print(by_hand)
print(f"design effect {by_hand.design_effect:.2f}")

# %%
# How many questions for a smaller difference?
# --------------------------------------------
# With the variance that was seen: what does it take to find a difference with 80 % power?

sizes = [0.05, 0.03, 0.02, 0.01, 0.005]
needed = [select.items_needed(size, found) for size in sizes]
figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axes.loglog([100 * size for size in sizes], needed, "o-")
axes.axhline(500, color="grey", linestyle="--")
axes.text(0.55, 520, "this benchmark", va="bottom")
axes.set_xlabel("true difference (percentage points)")
axes.set_ylabel("questions needed")
axes.set_title("Questions for a power of 80 %")

# %%
# A benchmark of 500 questions finds differences of three points and is blind to one point. Most leaderboards print
# a tenth of a point.
#
# More than two models
# --------------------
# With many models some pair looks significant by luck. `pairwise_significance` gives p-values for all pairs and tiers of those that are
# really apart.

models = {f"{k} neighbours": KNeighborsClassifier(k) for k in (1, 3, 5, 9, 15, 25)}
answers = [model.fit(X[train], y[train]).predict(X[test]) == y[test] for model in models.values()]
scores = np.vstack([a, b, *answers]).astype(float)
names = ["support vectors", "forest", *models]
all_pairs = rank.pairwise_significance(scores, items=names)
tiers = dict(zip(all_pairs.items.tolist(), all_pairs.tiers().tolist(), strict=True))
for name, tier in sorted(tiers.items(), key=lambda pair: pair[1]):
    print(f"tier {tier}: {name}")

figure, axes = plt.subplots(figsize=(6.4, 5.4), layout="constrained")
picture = axes.imshow(all_pairs.p_values, cmap="Blues_r", vmin=0, vmax=1)
axes.set_xticks(range(len(names)), all_pairs.items, rotation=60, ha="right")
axes.set_yticks(range(len(names)), all_pairs.items)
axes.set_title("p-values that the row beats the column by luck")
figure.colorbar(picture)

# %%
# The decision
# ------------
# Choose A, for questions like these. The next benchmark must be planned for the difference that matters: if that is one
# point, it takes thousands of questions, not 500.
#
# What not to conclude
# --------------------
# - That A is better at reading digits. The interval speaks of questions drawn like these, by these writers.
# - That A's method is better. Each was trained once, on one set of 400; another training set is another draw, and is not in
#   the error. Rows of repeated answers would hold it (``repeats``).
# - That a difference with p > 0.05 is none. It may be that the benchmark is small: look at the interval.
