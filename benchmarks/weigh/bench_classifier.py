"""Accuracy over five stratified 70/30 splits, features standardised on the training part."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tables import labelled

from steelyard import weigh

CONTENDERS = {
    "steelyard abs, t=1": lambda seed: weigh.WeightingClassifier(),
    "steelyard cdf, t=1": lambda seed: weigh.WeightingClassifier(rule="cdf"),
    "steelyard abs, cv": lambda seed: weigh.WeightingClassifier("cv"),
    "steelyard cdf, cv": lambda seed: weigh.WeightingClassifier("cv", rule="cdf"),
    "kNN 5": lambda seed: KNeighborsClassifier(),
    "SVC": lambda seed: SVC(),
    "random forest": lambda seed: RandomForestClassifier(random_state=seed),
}


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize("table", ["iris", "wine", "cancer", "ionosphere", "digits"])
def test_classes(benchmark, table, name):
    X, y = labelled(table)

    def run():
        found = []
        for seed in range(5):
            A, B, a, b = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
            found.append(make_pipeline(StandardScaler(), CONTENDERS[name](seed)).fit(A, a).score(B, b))
        return found

    benchmark.group = f"classes {table}"
    found = benchmark.pedantic(run, rounds=1, iterations=1)
    benchmark.extra_info["accuracy"] = f"{np.mean(found):.3f}"
    benchmark.extra_info["lowest"] = f"{min(found):.3f}"
