"""
What besides the team decides a game?
=====================================

Covariates of a comparison are fitted beside the strengths, and the strengths are then net of them. Here: the side at home,
written as a covariate, and a rest of at least thirty days before the game.
"""

import numpy as np

from steelyard import datasets, plotting, rank

football = datasets.load_football().columns
recent = np.flatnonzero(football["date"] >= np.datetime64("2010-01-01"))
home, away = football["home_team"], football["away_team"]
last: dict[str, np.datetime64] = {}
rested = {name: np.zeros(len(home)) for name in ("home", "away")}
for k in range(len(home)):
    for side, team in (("home", home[k]), ("away", away[k])):
        gap = football["date"][k] - last.get(team, football["date"][0])
        rested[side][k] = gap >= np.timedelta64(30, "D")
        last[team] = football["date"][k]

won = football["home_score"] - football["away_score"]
at_home = np.where(football["neutral"], 0.0, 1.0)
rest = rested["home"] - rested["away"]
first = np.where(won >= 0, 1.0, -1.0)
games = rank.Comparisons.from_pairs(
    np.where(won >= 0, home, away)[recent],
    np.where(won >= 0, away, home)[recent],
    tie=(won == 0)[recent],
    covariates={"at home": (first * at_home)[recent], "a month's rest": (first * rest)[recent]},
)
fit = rank.bradley_terry(games.largest_component(), covariates=True, standardize=False)
axes = plotting.plot_estimates(fit.coefficients.to_frame())
axes.set_xlabel("change of the log-odds")
axes.set_title("International football since 2010")
