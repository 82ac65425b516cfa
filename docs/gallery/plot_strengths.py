"""
Strengths with their intervals
==============================

How much better is the best of 59 language models, by the votes of a crowd? Dots are ratings, lines 95 % intervals from
sandwich errors by worker. Most neighbours in this list overlap: the order of two neighbours says little.
"""

from steelyard import datasets, rank

fit = rank.bradley_terry(datasets.load_llmfao().comparisons())
axes = fit.plot(top=20, scale="elo")
axes.set_title("The twenty strongest of 59 language models")
