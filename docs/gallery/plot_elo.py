"""
Elo follows, a fit of all games looks back
==========================================

Elo's rating of a team moves after each game and knows no later one. The whole history is fitted at once: its line for 1998
knows what came in 2002. For a forecast only the first is fair; for a history the second is.
"""

import numpy as np
from matplotlib import pyplot as plt

from steelyard import datasets, rank

football = datasets.load_football()
some = football.columns["date"] >= np.datetime64("1990-01-01")
played = {name: column[some] for name, column in football.columns.items()}
home, away = played["home_team"], played["away_team"]
won = played["home_score"] > played["away_score"]
tied = played["home_score"] == played["away_score"]
ratings = rank.elo(np.where(won, home, away), np.where(won, away, home), tie=tied, k=40, history=True)
games = rank.Comparisons.from_frame(played, **football.defaults)
history = rank.whole_history(games, volatility=0.24, time_unit="year", home=True)

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
for colour, team in (("C0", "France"), ("C1", "Greece")):
    rows, after = ratings.history(team)
    axes.plot(played["date"][rows], after, color=colour, linewidth=0.8, label=f"{team}, Elo")
    line = history.to_frame(items=[team], scale="elo", elo_mean=1500, uncertainty=False)
    axes.plot(line["time"], line["strength"], color=colour, linewidth=2, label=f"{team}, whole history")
axes.set_ylabel("rating (Elo)")
axes.set_title("Two ways to follow a team")
axes.legend(frameon=False)
