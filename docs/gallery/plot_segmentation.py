"""
An image in pieces, with a proof
================================

Neighbouring pixels agree or not, by their colours; correlation clustering finds the pieces without being told how many. The
cost is proven to lie within the printed share of the best possible.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_sample_image

from steelyard import metric

image = load_sample_image("flower.jpg")[::5, ::5].astype(float) / 255
height, width, _ = image.shape
u, v = metric.grid_edges((height, width))
colours = image.reshape(-1, 3)
weight = 0.08 - np.linalg.norm(colours[u] - colours[v], axis=1)
found = metric.cluster_edges(u, v, weight, rng=0)
print(found)

mean = np.stack([np.bincount(found.labels, c) for c in colours.T], axis=1)
mean /= np.bincount(found.labels)[:, None]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
figure.suptitle("A photograph and its pieces, each in its mean colour")
left.imshow(image)
right.imshow(mean[found.labels].reshape(image.shape))
for axes in (left, right):
    axes.axis("off")
