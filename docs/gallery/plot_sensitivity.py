"""
Which items a sample prefers
============================

A sample for the sum of losses draws what may be costly more often, and weighs it less. Each dot is
a digit that was drawn: how likely that was, against what a classifier loses on it. Places are those in the logarithms of
the classifier's chances.
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
loss = -np.log(np.maximum(chances[np.arange(len(y)), y], 1e-4))
plan = select.plan_sensitivity(np.log(chances), clusters=40, rng=0)
sample = plan.sample(150, losses=loss[plan.queries], replace=False)
found = sample.estimate(loss[sample.indices])
print(f"mean loss {found.mean:.3f} +- {found.mean_standard_error:.3f}; of all digits {loss.mean():.3f}")

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.plot(loss[sample.indices], sample.inclusion_probabilities, ".", markersize=3)
axes.set_xlabel("loss")
axes.set_ylabel("chance to be drawn")
axes.set_title("A sample of 150 digits")
