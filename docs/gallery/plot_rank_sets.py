"""
Which ranks a model can have
============================

A rank set holds the ranks that the votes leave open; all sets hold together at 95 %. A single place in a table hides that
most models here can have any of thirty ranks.
"""

from steelyard import datasets, plotting, rank

fit = rank.bradley_terry(datasets.load_llmfao().comparisons())
sets = fit.rank_intervals()
axes = plotting.plot_rank_intervals(sets, top=25)
axes.set_title("Rank sets of 25 language models")
