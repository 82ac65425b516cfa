"""
How many examples cover a data set?
===================================

Facility location picks items one after the other, each similar to what was not yet covered. The curve is the mean
similarity of a digit to the nearest of those chosen: where it flattens, more examples show little that is new.
"""

from matplotlib import pyplot as plt
from sklearn.datasets import load_digits

from steelyard import select

X, _ = load_digits(return_X_y=True)
sizes = [1, 2, 3, 5, 8, 12, 20, 30, 50]
values = [select.facility_location(X, k).value / len(X) for k in sizes]
figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
axes.plot(sizes, values, "o-")
axes.set_xlabel("items chosen")
axes.set_ylabel("mean cosine similarity to the nearest")
axes.set_title("Coverage of 1,797 digits")
