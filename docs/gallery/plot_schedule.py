"""
How many games does a ranking need?
===================================

Sixteen players whose strengths spread by one logit meet at random, or Swiss style. Kendall's tau says how well the ranking
that comes out agrees with the truth.
"""

from matplotlib import pyplot as plt

from steelyard import rank

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for kind in ("random", "swiss"):
    played = rank.simulate_schedule(16, kind, n_rounds=16, n_repeats=12, rng=0)
    axes.plot(played.matches, played.tau, label=kind)
axes.set_xlabel("games")
axes.set_ylabel("Kendall's tau with the true order")
axes.set_title("A ranking of sixteen, game by game")
axes.legend(frameon=False)
