"""
Two models of ties
==================

Davidson's model and that of Rao and Kupper, fitted to the same football matches, and the share of ties among games on
neutral ground (tenths of them, with 95 % intervals). Between unequal teams Davidson's model expects more ties than were
seen; for football that of Rao and Kupper is nearer.
"""

import numpy as np
from matplotlib import pyplot as plt

from steelyard import datasets, rank

football = datasets.load_football()
since = football.columns["date"] >= np.datetime64("2010-01-01")
played = {name: column[since] for name, column in football.columns.items()}
games = rank.Comparisons.from_frame(played, **football.defaults).largest_component()

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for ties in ("davidson", "rao-kupper"):
    fit = rank.bradley_terry(games, ties=ties, home=True)
    known = np.isin(played["home_team"], fit.items) & np.isin(played["away_team"], fit.items)
    neutral = known & played["neutral"]
    left, right = played["home_team"][neutral], played["away_team"][neutral]
    gap = np.abs(fit.strengths[fit.positions(left)] - fit.strengths[fit.positions(right)])
    order = np.argsort(gap)
    (line,) = axes.plot(gap[order], fit.predict(left, right).tie[order], label=ties)
tied = (played["home_score"] == played["away_score"])[neutral][order]
for part, x in zip(np.array_split(tied, 10), np.array_split(gap[order], 10), strict=True):
    spread = np.sqrt(part.mean() * (1 - part.mean()) / len(part))
    axes.errorbar(x.mean(), part.mean(), 1.96 * spread, fmt="o", color="black", markersize=4)
axes.set_xlabel("difference of strengths (natural log)")
axes.set_ylabel("share of ties")
axes.set_title("Ties on neutral ground since 2010")
axes.legend(frameon=False)
