"""
The boundary of a cloud
=======================

Points at the boundary have large weights: nothing lies on their other side. No triangulation, in any number of
dimensions; but a lone point in the midst would be named as well.
"""

from matplotlib import pyplot as plt
from sklearn.datasets import make_moons

from steelyard import weigh

X, _ = make_moons(800, noise=0.08, random_state=0)
edge = weigh.boundary(X, share=0.15)
figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axes.plot(*X.T, ".", color="lightgrey")
axes.plot(*X[edge.indices].T, ".", color="C3")
axes.set_title("The 15 % of the points with the largest weights")
