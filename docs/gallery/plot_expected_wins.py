"""
Who would beat whom
===================

Expected scores between the ten strongest teams since August 2018, on neutral ground; older games count for less: a win counts one, a tie a half.
"""

import numpy as np
from matplotlib import pyplot as plt

from steelyard import datasets, rank

games = datasets.load_football().comparisons()
games = games.filter(since="2018-08-01").largest_component()
recent = rank.bradley_terry(games, home=True, half_life=2, time_unit="year")
sure = recent.to_frame(uncertainty="hessian")
top = [name for name, doubt in zip(sure["item"], sure["provisional"], strict=True) if not doubt][:10]

left, right = np.repeat(top, 10), np.tile(top, 10)
apart = left != right
chances = recent.predict(left[apart], right[apart])
table = np.full(100, np.nan)
table[apart] = chances.win + chances.tie / 2

figure, axes = plt.subplots(figsize=(6.4, 5.4), layout="constrained")
picture = axes.imshow(table.reshape(10, 10), cmap="RdBu", vmin=0, vmax=1)
axes.set_xticks(range(10), top, rotation=60, ha="right")
axes.set_yticks(range(10), top)
axes.set_title("Expected score of the row against the column")
figure.colorbar(picture)
