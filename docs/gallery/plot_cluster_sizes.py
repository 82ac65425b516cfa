"""
Sizes of clusters
=================

The pieces of a photograph, by size: a few large ones and many single pixels at edges.
"""

import numpy as np
from sklearn.datasets import load_sample_image

from steelyard import metric, plotting

image = load_sample_image("china.jpg")[::6, ::6].astype(float) / 255
u, v = metric.grid_edges(image.shape[:2])
colours = image.reshape(-1, 3)
weight = 0.1 - np.linalg.norm(colours[u] - colours[v], axis=1)
axes = plotting.plot_cluster_sizes(metric.cluster_edges(u, v, weight, rng=0))
axes.set_title("Pieces of a photograph by size")
