"""
The edge of a scan
==================

Points of a laser scan or a map: where is its edge, where are its holes? Large weights. In two and three dimensions products
go through a far field, so that a million points take a minute or two; here are 6,000.
``benchmarks/weigh/picture_of_a_million.py`` draws the million, its dots rasterised.
"""

import numpy as np

from steelyard import plotting, weigh

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, size=(14_000, 2))
ring = np.hypot(*x.T) < 1
hole = np.hypot(x[:, 0] - 0.3, x[:, 1] - 0.1) > 0.35
notch = ~((x[:, 0] < -0.2) & (np.abs(x[:, 1] + 0.2) < 0.12))
x = x[ring & hole & notch][:6000]
found = weigh.weighting(x, scale=20.0, tol=1e-6)
print(found.info.solver)
axes = plotting.plot_weights(found)
axes.set_aspect("equal")
axes.set_title(f"{len(x):,} points weigh {found.magnitude:.0f}")
