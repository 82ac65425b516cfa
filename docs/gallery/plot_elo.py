"""
Elo follows, a fit of all games looks back
==========================================

Elo's rating of a team moves after each game and knows no later one. The whole history is fitted at once: its line for 1998
knows what came in 2002, and it is as smooth as the games allow. For a forecast only the first is fair; for a history the
second is. Drawn is how far France was ahead of Greece.
"""

import numpy as np
from matplotlib import pyplot as plt

from steelyard import datasets, rank

football = datasets.load_football()
date, home, away, home_score, away_score, _ = football.columns.values()
won, tied = home_score > away_score, home_score == away_score
ratings = rank.elo(np.where(won, home, away), np.where(won, away, home), tie=tied, k=40, history=True)

recent = {name: column[date >= np.datetime64("1990-01-01")] for name, column in football.columns.items()}
games = rank.Comparisons.from_frame(recent, **football.defaults)
history = rank.whole_history(games, volatility=0.24, time_unit="year", home=True)

days = np.arange("1992-01", "2026-07", dtype="datetime64[M]").astype("datetime64[D]")
elo, fitted = [], []
for team in ("France", "Greece"):
    rows, after = ratings.history(team)
    elo.append(after[np.searchsorted(date[rows], days) - 1])
    line = history.to_frame(items=[team], scale="elo", uncertainty=False)
    fitted.append(
        np.interp(days.astype(float), line["time"].astype("datetime64[D]").astype(float), line["strength"])
    )

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.plot(days, elo[0] - elo[1], linewidth=0.9, label="Elo, k = 40")
axes.plot(days, fitted[0] - fitted[1], linewidth=2, label="whole history")
axes.axvline(np.datetime64("2004-07-04"), color="grey", linestyle="--")
axes.text(np.datetime64("2004-05-01"), 15, "Greece wins\nthe European Championship", ha="right")
axes.set_ylim(0)
axes.set_ylabel("France less Greece (Elo)")
axes.set_title("Two ways to follow a team")
axes.legend(frameon=False)
