"""
Which points to label next
==========================

Ten points have labels; `query` names the points of the pool by which the magnitude of what is labelled grows most: far
from what is known and from each other.
"""

from matplotlib import pyplot as plt
from sklearn.datasets import make_blobs

from steelyard import weigh

X, _ = make_blobs(300, centers=4, cluster_std=1.3, random_state=3)
known, pool = X[:10], X[10:]
asked = weigh.query(known, pool, 8, rule="magnitude")
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.plot(*pool.T, ".", color="lightgrey", label="pool")
axes.plot(*known.T, "o", color="C0", label="labelled")
axes.plot(*pool[asked.indices].T, "*", color="C3", markersize=11, label="to label next")
axes.set_title("Eight points to ask for")
axes.legend(frameon=False)
