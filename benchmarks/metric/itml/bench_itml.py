"""Metric learning: time a projection, gap by sweeps and accuracy of neighbours, beside metric-learn.

metric-learn 0.7.0 breaks with scikit-learn 1.6 and later. Give a Python that has it with scikit-learn 1.5 in
METRIC_LEARN_PYTHON; it runs as a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from steelyard import metric
from steelyard.reference import itml as reference

PEER = os.environ.get("METRIC_LEARN_PYTHON", "")
DATA = {"iris": load_iris, "wine": load_wine, "digits": load_digits}
PAIRS = 2000
POINTS = 200


def pairs_of(d):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2 * PAIRS, d)).reshape(PAIRS, 2, d)
    return X, np.where(np.arange(PAIRS) % 2 == 0, 1, -1)


SPEED = """
import json, sys, time, warnings
import numpy as np
from metric_learn import ITML
warnings.simplefilter("ignore")
d, count = json.loads(sys.argv[1])
rng = np.random.default_rng(1)
X = rng.normal(size=(2 * count, d)).reshape(count, 2, d)
y = np.where(np.arange(count) % 2 == 0, 1, -1)
times = {}
for sweeps in (1, 21):
    start = time.perf_counter()
    ITML(max_iter=sweeps, tol=1e-300).fit(X, y, bounds=(float(d), 3.0 * d))
    times[sweeps] = time.perf_counter() - start
print(json.dumps((times[21] - times[1]) / (20 * count)))
"""

ACCURACY = """
import json, sys, warnings
import numpy as np
from metric_learn import ITML_Supervised
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
warnings.simplefilter("ignore")
name, seeds = json.loads(sys.argv[1])
X, y = {"iris": load_iris, "wine": load_wine, "digits": load_digits}[name](return_X_y=True)
scores = []
for seed in range(seeds):
    for a, b in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
        scale = StandardScaler().fit(X[a])
        A, B = scale.transform(X[a]), scale.transform(X[b])
        model = ITML_Supervised(random_state=seed).fit(A, y[a])
        knn = KNeighborsClassifier(5).fit(model.transform(A), y[a])
        scores.append(knn.score(model.transform(B), y[b]))
print(json.dumps(float(np.mean(scores))))
"""


def ask_peer(code, *arguments):
    if not PEER:
        pytest.skip("METRIC_LEARN_PYTHON names no Python with metric-learn 0.7.0")
    found = subprocess.run(
        [PEER, "-c", code, json.dumps(arguments)], check=True, capture_output=True, text=True
    )
    return json.loads(found.stdout)


def quietly(fit, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(*arguments, **options)


@pytest.mark.parametrize("d", [4, 13, 64])
@pytest.mark.parametrize("who", ["steelyard", "steelyard, all pairs", "metric-learn", "reference"])
def test_time_of_a_projection(benchmark, d, who):
    benchmark.group = f"projection d={d}"
    pairs, y = pairs_of(d)
    if who == "metric-learn":
        seconds = benchmark.pedantic(ask_peer, (SPEED, d, PAIRS), rounds=1)
        benchmark.extra_info["microseconds a projection"] = f"{1e6 * seconds:.2f}"
        return
    if who == "reference":
        v = pairs[:, 0] - pairs[:, 1]
        benchmark.pedantic(reference.fit, (v, y == 1, float(d), 3.0 * d), {"sweeps": 1}, rounds=1)
        each = benchmark.stats.stats.median / PAIRS
    else:
        options = {"tol": 1e-300, "max_iter": 16, "random_state": 0}  # a gap of some 1e-5
        if who == "steelyard":
            model, data = metric.ITML(**options), (pairs, y)
        else:
            model = metric.ITMLSupervised(n_constraints="all", **options)
            data = pairs[:POINTS, 0], y[:POINTS]
        benchmark.pedantic(quietly, (model.fit, *data), {"bounds": (d**0.5, (3 * d) ** 0.5)}, rounds=5)
        info = model.info_
        sweeps = np.diff(info.trace["seconds"])
        alone = [k for k in range(2, 16) if k & (k - 1)]  # no certificate after these
        each = 16 / info.steps * np.median(sweeps[np.array(alone) - 2])
        certified = info.seconds / info.steps
        benchmark.extra_info["with five certificates"] = f"{1e6 * certified:.3f}"
    benchmark.extra_info["microseconds a projection"] = f"{1e6 * each:.3f}"


def labelled(name):
    rng = np.random.default_rng(0)
    if name == "unbalanced":
        y = np.repeat([0, 1, 2], [285, 10, 5])
        return rng.normal(size=(300, 10)) * np.linspace(0.3, 3, 10) + 0.7 * y[:, None], y
    X, y = DATA[name](return_X_y=True)
    some = rng.choice(len(X), min(len(X), 400), replace=False)
    return StandardScaler().fit_transform(X[some]), y[some]


@pytest.mark.parametrize("name", [*DATA, "unbalanced"])
@pytest.mark.parametrize("order", ["random pairs", "random blocks"])
def test_gap_after_sweeps(benchmark, name, order):
    """All pairs, listed and taken at random, or not listed and taken in blocks; medians of five seeds."""
    benchmark.group = f"sweeps {name}"
    X, y = labelled(name)
    i, j = np.triu_indices(len(X), 1)
    pairs, kinds = np.stack([X[i], X[j]], axis=1), np.where(y[i] == y[j], 1, -1)

    def gaps(seed):
        options = {"tol": 1e-300, "max_iter": 32, "random_state": seed}
        if order == "random pairs":
            found = quietly(metric.ITML(**options).fit, pairs, kinds)
        else:
            found = quietly(metric.ITMLSupervised(n_constraints="all", **options).fit, X, y)
        return np.asarray(found.info_.trace["gap"])[[3, 7, 15, 31]]

    found = benchmark.pedantic(lambda: np.median([gaps(seed) for seed in range(5)], axis=0), rounds=1)
    benchmark.extra_info["gap after 4, 8, 16, 32 sweeps"] = " ".join(f"{gap:.0e}" for gap in found)


def accuracy(name, seeds, n_constraints=1000):
    X, y = DATA[name](return_X_y=True)
    scores = []
    for seed in range(seeds):
        for a, b in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
            scale = StandardScaler().fit(X[a])
            A, B = scale.transform(X[a]), scale.transform(X[b])
            model = metric.ITMLSupervised(n_constraints=n_constraints, random_state=seed).fit(A, y[a])
            knn = KNeighborsClassifier(5).fit(model.transform(A), y[a])
            scores.append(knn.score(model.transform(B), y[b]))
    return float(np.mean(scores))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("who", ["steelyard", "steelyard, all pairs", "metric-learn"])
def test_accuracy_of_neighbours(benchmark, name, who):
    """Five-fold, standardised, 5 neighbours; time of all fits."""
    benchmark.group = f"neighbours {name}"
    seeds = 1 if name == "digits" else 12
    if who == "metric-learn":
        score = benchmark.pedantic(ask_peer, (ACCURACY, name, seeds), rounds=1)
    else:
        count = "all" if who.endswith("pairs") else 1000
        score = benchmark.pedantic(accuracy, (name, seeds, count), rounds=1)
    benchmark.extra_info["accuracy"] = f"{score:.4f}"
