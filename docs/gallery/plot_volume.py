"""
A volume in pieces
==================

Neighbouring voxels agree or not, by noisy evidence of a border between them. The pieces are found without their number, and
no other pieces cost less than the printed share of these. `SIDE = 100` makes a million voxels of it.
"""

import numpy as np
from matplotlib import pyplot as plt
from scipy.spatial import cKDTree

from steelyard import metric

SIDE = 28
rng = np.random.default_rng(0)
centres = rng.uniform(0, SIDE, (max(20, SIDE**3 // 4000), 3))
place = np.stack(np.unravel_index(np.arange(SIDE**3), (SIDE,) * 3), axis=1)
cell = cKDTree(centres).query(place + 2 * np.sin(0.3 * place[:, [1, 2, 0]]))[1]
u, v = metric.grid_edges((SIDE,) * 3)
weight = np.where(cell[u] == cell[v], 1.5, -1.0) + rng.normal(size=len(u))
found = metric.cluster_edges(u, v, weight, rng=0)
print(found)

shape = (SIDE,) * 3
disagreement = np.bincount(u, weight < 0, SIDE**3) + np.bincount(v, weight < 0, SIDE**3)
shuffle = rng.permutation(found.n_clusters)
sizes = np.bincount(found.labels)
pieces = np.where(sizes[found.labels] > 8, shuffle[found.labels] % 20, -1.0)
pictures = {
    "neighbours that disagree": (disagreement, "Greys"),
    "pieces found": (np.ma.masked_less(pieces, 0), "tab20"),
    "cells they came from": (cell * 7 % 20, "tab20"),
}
figure, panels = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
figure.suptitle(f"A slice through {SIDE**3:,} voxels")
for axes, (title, (values, colours)) in zip(panels, pictures.items(), strict=True):
    axes.imshow(values.reshape(shape)[SIDE // 2], cmap=colours, interpolation="nearest")
    axes.set_title(title, fontsize="medium")
    axes.axis("off")
