"""
The most diverse mixture
========================

Which shares of which flowers are most diverse, when similar flowers count as partly the same? Most flowers get no share at
all: the support is small, and the answer is proven optimal to the gap that is printed.
"""

from matplotlib import pyplot as plt

from steelyard import datasets, weigh

X = datasets.load_iris().points()[:, :2]
best = weigh.max_diversity(X, scale=0.5)
print(best)
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.scatter(*X.T, s=8, color="lightgrey")
axes.scatter(*X.T, s=1500 * best.distribution, color="C0", alpha=0.6)
axes.set_xlabel("sepal length (cm)")
axes.set_ylabel("sepal width (cm)")
axes.set_title("Shares of the most diverse mixture")
