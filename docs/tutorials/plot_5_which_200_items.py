"""
Which 200 items should people label?
====================================

A classifier is in use, and its mean loss on 1,497 new digits is wanted. Labels are dear: people will label 200. Which ones?

Drawing 200 at random is honest, and wasteful if most of the loss comes from a few hard items. Labelling the hard ones alone is biased. The
way between: draw with unequal chances that are known, and weigh by them.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from steelyard import select

X, y = load_digits(return_X_y=True)
model = LogisticRegression(C=0.01, max_iter=500).fit(X[:300], y[:300])
X, y = X[300:], y[300:]
chances = model.predict_proba(X)
all_losses = -np.log(np.maximum(chances[np.arange(len(y)), y], 1e-4))
truth = all_losses.mean()
print(f"what we want to learn, and know here: {truth:.4f}")

# %%
# Which items may be costly?
# --------------------------
# Before any label the model itself has an opinion: the loss that it expects on an item is the entropy of its chances. That may
# be wrong, and must not bias anything; it only steers. A twentieth of the chance is spread evenly, so that an item of
# which the model is too sure can be drawn as well.

entropy = -(chances * np.log(chances)).sum(axis=1)
score = 0.95 * entropy / entropy.mean() + 0.05


def draw(count, rng):
    """Items one after the other, and the chance of each among those left."""
    left, items, probabilities = score.copy(), [], []
    for _ in range(count):
        share = left / left.sum()
        item = rng.choice(len(share), p=share)
        items.append(item)
        probabilities.append(share[item])
        left[item] = 0
    return np.array(items), np.array(probabilities)


items, probabilities = draw(200, np.random.default_rng(0))
labelled = all_losses[items]  # here people work

figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
axes.loglog(entropy, all_losses, ".", color="lightgrey", label="all items")
axes.loglog(entropy[items], labelled, ".", color="C3", label="to label")
axes.set_xlabel("loss that the model expects")
axes.set_ylabel("loss, once it is labelled")
axes.set_title("Two hundred items to label")
axes.legend(frameon=False)

# %%
# The estimate
# ------------
# The plain mean of these losses is far too large, since hard items were preferred. `active_test` weighs each by its chance;
# the result is unbiased, whatever the score was, and has an interval.

found = select.active_test(labelled, probabilities, len(y))
print(f"plain mean of what was labelled: {labelled.mean():.3f}, which is wrong")
print(found)
print(f"the truth: {truth:.4f}")

# %%
# A plan from places instead
# --------------------------
# Where no such opinion is at hand, or none is trusted, items can be drawn by their place in an embedding: a few are labelled in each
# cluster, and more where these turn out costly. Here the embedding is the logarithm of the chances.

embedding = np.log(chances)
plan = select.plan_sensitivity(embedding, clusters=40, rng=0)
sample = plan.sample(150, losses=all_losses[plan.queries], replace=False)
estimate = sample.estimate(all_losses[sample.indices])
print(f"{estimate.mean:.3f} +- {estimate.mean_standard_error:.3f} from {sample.labels_used} labels")

# %%
# Was it worth it?
# ----------------
# Try all three ways sixty times. Here that is possible, as all labels are known; in life it is what you pay not to do.

rng = np.random.default_rng(1)
found_by = {"at random": [], "by places": [], "by entropy": []}
for seed in range(60):
    found_by["at random"].append(all_losses[rng.choice(len(y), 200, replace=False)].mean())
    plan = select.plan_sensitivity(embedding, clusters=40, rng=seed)
    sample = plan.sample(150, losses=all_losses[plan.queries], replace=False)
    found_by["by places"].append(sample.estimate(all_losses[sample.indices]).mean)
    items, probabilities = draw(200, rng)
    found_by["by entropy"].append(select.active_test(all_losses[items], probabilities, len(y)).risk)
for name, values in found_by.items():
    print(f"{name}: root mean square error {np.sqrt(np.mean((np.array(values) - truth) ** 2)):.4f}")

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axes.boxplot(list(found_by.values()), orientation="horizontal", tick_labels=list(found_by))
axes.axvline(truth, color="black", linestyle="--")
axes.set_xlabel("estimated mean loss")
axes.set_title("Sixty repetitions with about 200 labels each")

# %%
# The decision
# ------------
# Draw by what the model expects: here that is worth about twice as many labels drawn at random. Places help less. Where losses go
# with neither, draw at random, and save the trouble.
#
# What not to conclude
# --------------------
# - That the sample is a training set. It is drawn to estimate one mean; hard items are over-represented on purpose.
# - That it serves every question. Chances that suit the log loss suit another sum only if that is large on the same items:
#   for the share of *right* answers this draw is worse than a random one. Estimate the share of wrong ones.
# - That the interval covers a change of the data. It speaks of these 1,497 items.
