"""Area under the ROC curve on ADBench's classical sets, features standardised, parameters as shipped.

Timed: scoring all sets. steelyard's scores at the scale at which the magnitude is .3 of the distinct points.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM
from tables import adbench, outlier_set

from steelyard import weigh


def _ours(score):
    return lambda X: weigh.MagnitudeOutlierDetector(score).fit(X).scores_


def _forest(X):
    scores = [-IsolationForest(random_state=seed).fit(X).score_samples(X) for seed in range(5)]
    return np.mean(scores, axis=0)


CONTENDERS = {
    "steelyard weight": _ours("weight"),
    "steelyard differential": _ours("differential"),
    "steelyard spread": _ours("spread"),
    "IsolationForest (5 seeds)": _forest,
    "LOF 20": lambda X: -LocalOutlierFactor(20).fit(X).negative_outlier_factor_,
    "OneClassSVM": lambda X: -OneClassSVM().fit(X).score_samples(X),
    "5th neighbour": lambda X: NearestNeighbors(n_neighbors=5).fit(X).kneighbors()[0][:, -1],
}


@pytest.mark.parametrize("name", CONTENDERS)
def test_outliers(benchmark, name):
    sets = [outlier_set(path) for path in adbench()]
    benchmark.group = "outliers"
    scores = benchmark.pedantic(lambda: [CONTENDERS[name](X) for _, X, _ in sets], rounds=1, iterations=1)
    areas = {title: roc_auc_score(y, score) for (title, _, y), score in zip(sets, scores, strict=True)}
    benchmark.extra_info["mean auc"] = f"{np.mean(list(areas.values())):.3f}"
    benchmark.extra_info |= {title: f"{area:.3f}" for title, area in areas.items()}
