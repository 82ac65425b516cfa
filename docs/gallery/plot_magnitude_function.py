"""
The effective number of points
==============================

Seen from afar (small scale) the flowers are one point, seen from near they are 149: two of the 150 are equal. Between
the two the magnitude counts what can be told apart.
"""

from steelyard import datasets, plotting, weigh

X = datasets.load_iris().points()
X = (X - X.mean(axis=0)) / X.std(axis=0)
f = weigh.magnitude_function(X)
print(f)
axes = plotting.plot_magnitude_function(f)
axes.set_title("Magnitude of Fisher's flowers")
