"""
The best of eight models, from few labels
=========================================

Eight classifiers disagree on some digits. `ModelSelector` asks for the labels that tell most, and believes a little more
with each.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from steelyard import select

X, y = load_digits(return_X_y=True)
predictions = [
    KNeighborsClassifier(1).fit(X[:size], y[:size]).predict(X[800:]) for size in range(50, 450, 50)
]
truth = y[800:]
selector = select.ModelSelector(np.array(predictions).T, rng=0)
beliefs = []
for _ in range(80):
    item = selector.ask()
    selector.tell(item, truth[item])
    beliefs.append(selector.posterior.copy())
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for k, line in enumerate(np.array(beliefs).T):
    axes.plot(1 + np.arange(80), line, label=f"{50 * (k + 1)} training digits")
axes.set_xlabel("labels asked for")
axes.set_ylabel("belief that it is the best")
axes.set_title("Eight classifiers and eighty labels")
axes.legend(frameon=False, fontsize="small")
