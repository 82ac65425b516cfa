"""Learning curves: accuracy on unseen points against the number of labels, for rules that choose them.

A support vector classifier (C = 10) starts from one label a class; each round a rule adds a few of the pool
(60 % of the points). 'margin' takes the smallest gap between the classifier's own two largest decision
values, 'logistic margin' that between the two largest probabilities of a logistic regression. Means over the
seeds. Timed: the choosing and the training of all rounds.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tables import labelled

from steelyard import weigh

ROUNDS = 6
CASES = {"iris": (3, 20), "wine": (4, 20), "cancer": (5, 10), "digits": (20, 4)}  # labels a round, seeds


def _gap(values):
    if values.ndim == 1:
        return np.abs(values)
    two = np.sort(values, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def _smallest(gap, count):
    return np.argsort(gap, kind="stable")[:count]


RULES = {
    "random": lambda A, y, pool, count, model, rng: rng.choice(len(pool), count, replace=False),
    "margin": lambda A, y, pool, count, model, rng: _smallest(_gap(model.decision_function(pool)), count),
    "logistic margin": lambda A, y, pool, count, model, rng: _smallest(
        _gap(LogisticRegression(max_iter=500).fit(A, y).predict_proba(pool)), count
    ),
    "steelyard coverage": lambda A, y, pool, count, model, rng: weigh.query(A, pool, count).indices,
    "steelyard magnitude": lambda A, y, pool, count, model, rng: (
        weigh.query(A, pool, count, rule="magnitude").indices
    ),
    "steelyard ambiguity": lambda A, y, pool, count, model, rng: weigh.query(A, pool, count, y=y).indices,
}


def curve(X, y, rule, count, seed):
    A, B, a, b = train_test_split(X, y, test_size=0.4, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(A)
    A, B = scaler.transform(A), scaler.transform(B)
    rng = np.random.default_rng(seed)
    known = [int(rng.choice(np.flatnonzero(a == c))) for c in np.unique(a)]
    found = []
    for _ in range(ROUNDS + 1):
        model = SVC(C=10).fit(A[known], a[known])
        found.append(model.score(B, b))
        rest = np.setdiff1d(np.arange(len(A)), known)
        known += rest[rule(A[known], a[known], A[rest], count, model, rng)].tolist()
    return found


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("table", CASES)
def test_queries(benchmark, table, name):
    X, y = labelled(table)
    count, seeds = CASES[table]
    benchmark.group = f"query {table}, {count} labels a round"
    found = benchmark.pedantic(
        lambda: [curve(X, y, RULES[name], count, seed) for seed in range(seeds)], rounds=1, iterations=1
    )
    benchmark.extra_info["mean"] = f"{np.mean(np.array(found)[:, 1:]):.3f}"
    benchmark.extra_info["accuracy"] = " ".join(f"{value:.3f}" for value in np.mean(found, axis=0))
