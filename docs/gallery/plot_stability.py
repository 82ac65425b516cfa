"""
Would another crowd agree?
==========================

Votes are redrawn two hundred times. The picture has the items by their score, with the range that the redrawn votes give.
"""

from steelyard import datasets, rank

held = rank.stability(datasets.load_llmfao().comparisons(), prior=1, n_rounds=200, rng=0)
print(held)
axes = held.plot(top=20)
axes.set_title("Scores over 200 redrawn crowds")
