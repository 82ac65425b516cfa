"""
Strength over a century
=======================

All matches between nations since 1872, fitted together: each team has a strength on every day it played, and the bands
say how sure it is. ``volatility`` says how fast strengths move; 0.24 a root of a year was estimated from these games.
"""

from steelyard import datasets, plotting, rank

games = datasets.load_football().comparisons()
history = rank.whole_history(games, volatility=0.24, time_unit="year", home=True)
axes = plotting.plot_history(history, ["Brazil", "Hungary", "Germany"], scale="elo")
axes.set_title("Three national teams since their first match")
