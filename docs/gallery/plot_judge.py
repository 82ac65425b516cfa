"""
Few measurements, many forecasts
================================

The progression of a disease is measured in some patients, and foretold by a model in all. The interval from both is narrower the better the model is; where the
model says nothing it is that of the measurements alone.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from steelyard import select

X, y = load_diabetes(return_X_y=True)
model = LinearRegression().fit(X[:100], y[:100])
rng = np.random.default_rng(0)
judge, truth = model.predict(X[100:]), y[100:]
sizes = np.arange(20, 200, 20)
alone, both = [], []
for size in sizes:
    some = rng.permutation(len(truth))
    people, rest = some[:size], some[size:]
    found = select.prediction_powered_mean(truth[people], judge[people], judge[rest])
    both.append(found.standard_error)
    alone.append(truth[people].std(ddof=1) / np.sqrt(size))
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.plot(sizes, alone, "o-", label="measurements alone")
axes.plot(sizes, both, "o-", label="measurements and model")
axes.set_xlabel("patients measured")
axes.set_ylabel("standard error of the mean")
axes.set_ylim(0)
axes.set_title("Progression of diabetes: the mean of 342 patients")
axes.legend(frameon=False)
