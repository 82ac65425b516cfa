"""
Ten digits that stand for all
=============================

Medoids are items themselves, so that they can be looked at: here ten of 1,797 handwritten digits, to which all others lie as
near as they can. The bound says how much better any other ten could be.
"""

from matplotlib import pyplot as plt
from sklearn.datasets import load_digits

from steelyard import select

X, _ = load_digits(return_X_y=True)
found = select.medoids(X, 10, bound_iter=50, rng=0)
print(found)
figure, panels = plt.subplots(2, 5, figsize=(6, 2.8), layout="constrained")
figure.suptitle("Ten medoids of 1,797 digits")
for axes, row in zip(panels.flat, found.indices, strict=True):
    axes.imshow(X[row].reshape(8, 8), cmap="gray_r")
    axes.axis("off")
