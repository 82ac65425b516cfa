"""
Is the home advantage shrinking?
================================

One fit a decade, each with its own home advantage and the error of it. The unit is Elo points.
"""

import numpy as np
from matplotlib import pyplot as plt

from steelyard import datasets, rank

football = datasets.load_football()
year = football.columns["date"].astype("datetime64[Y]").astype(int) + 1970
elo = 400 / np.log(10)
decades, value, error = range(1950, 2030, 10), [], []
for decade in decades:
    some = (year >= decade) & (year < decade + 10)
    table = {name: column[some] for name, column in football.columns.items()}
    games = rank.Comparisons.from_frame(table, **football.defaults).largest_component()
    fit = rank.bradley_terry(games, home=True)
    value.append(elo * fit.home_advantage)
    error.append(1.96 * elo * fit.covariance().home_standard_error)

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.errorbar(decades, value, error, fmt="o", capsize=3)
axes.set_ylim(0)
axes.set_xlabel("decade")
axes.set_ylabel("home advantage (Elo)")
axes.set_title("Playing at home in international football")
