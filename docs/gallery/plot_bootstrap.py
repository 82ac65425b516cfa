"""
How often does the leader lead?
===============================

A thousand Bayesian bootstrap rounds of a crowd's votes: how often each of five models takes which rank.
"""

import numpy as np
from matplotlib import pyplot as plt

from steelyard import datasets, rank

fit = rank.bradley_terry(datasets.load_llmfao().comparisons())
rounds = fit.bootstrap(1000, rng=0)
ranks = 1 + np.argsort(np.argsort(-rounds.strengths, axis=1), axis=1)

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for item in fit.order[:5]:
    count = np.bincount(ranks[:, item], minlength=32)[1:32]
    axes.step(np.arange(1, 32), count / 1000, where="mid", label=fit.items[item])
axes.set_xlabel("rank")
axes.set_ylabel("share of the rounds")
axes.set_title("Ranks of the five leaders in 1,000 rounds")
axes.legend(frameon=False)
