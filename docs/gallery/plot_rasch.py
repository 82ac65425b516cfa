"""
Hard questions and able answerers
=================================

Twenty classifiers answer 300 questions ("which digit is this?"). The Rasch model puts both on one scale: a classifier
answers a question of its own ability rightly half of the time. Questions that all or none answered have no finite
place, and are left out.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from steelyard import rank

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
right = []
for size in np.geomspace(15, 1200, 20).astype(int):
    some = rng.choice(1400, size, replace=False)
    model = KNeighborsClassifier(1).fit(X[some], y[some])
    right.append(model.predict(X[1400:1700]) == y[1400:1700])

right = np.array(right, dtype=float)
told = (right.sum(axis=0) > 0) & (right.sum(axis=0) < 20)
fit = rank.rasch(right[:, told])
figure, (above, below) = plt.subplots(2, sharex=True, figsize=(6.4, 4.4), layout="constrained")
above.errorbar(fit.abilities, np.arange(20), xerr=1.96 * fit.ability_errors, fmt="o", markersize=4)
above.set_ylabel("classifier")
above.set_title("Abilities (above) and difficulties (below)")
below.hist(fit.difficulties, bins=30)
below.set_xlabel("logits")
below.set_ylabel("questions")
