"""A whole score from 100 answers: twenty tables of classifiers on digits, and one of 5,000 models.

The tables are fixed by seeds 0 .. 19: 60 classifiers from weak to strong, 900 test digits. In each of 150
splits 18 models are new and 42 sources: at random ("alike"), or the strongest are new ("stronger"); "unlike"
are coins of the new models' accuracies. Efficiency: variance of the mean of a random sample of 100, by its
formula, over the mean square error.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from steelyard.select import plan_items

TABLES, SPLITS, ASKED = 20, 150, 100


def table(seed, models=60):
    """Right answers, models by items."""
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    test, train, right = order[:900], order[900:], []
    for k in range(models):
        made = [
            LogisticRegression(C=10.0 ** rng.uniform(-4, 0), max_iter=200),
            GaussianNB(),
            KNeighborsClassifier(int(rng.integers(1, 15))),
            DecisionTreeClassifier(max_depth=int(rng.integers(3, 12)), random_state=k),
            RandomForestClassifier(int(rng.integers(3, 40)), random_state=k),
        ]
        columns = rng.choice(64, int(rng.integers(12, 64)), replace=False)
        rows = rng.choice(train, int(10 ** rng.uniform(1.8, 2.9)), replace=False)
        rows = train if len(np.unique(y[rows])) < 10 else rows
        model = made[k % 5].fit(X[rows][:, columns], y[rows])
        right.append(model.predict(X[test][:, columns]) == y[test])
    return np.array(right, dtype=float)


def played(T, who, design, splits=SPLITS, m=ASKED, seed=0):
    """Efficiency, bias in standard errors, and how often intervals of 95 % hold."""
    models, items = T.shape
    rng, plain, square, bias, error, held = np.random.default_rng(seed), [], [], [], [], []
    for _ in range(splits):
        order = np.argsort(T.mean(axis=1)) if who == "stronger" else rng.permutation(models)
        old, new = T[order[: int(0.7 * models)]], T[order[int(0.7 * models) :]]
        if who == "unlike":
            new = (rng.random(new.shape) < new.mean(axis=1)[:, None]).astype(float)
        truth = new.mean(axis=1)
        plan = plan_items(old, m, design=design, rng=rng)
        found = plan.estimate(new[:, plan.items])
        away = found.mean - truth
        plain.append((new.var(axis=1, ddof=1) * (1 / m - 1 / items)).mean())
        square.append((away**2).mean())
        bias.append(away.mean())
        error.append(found.standard_error.mean())
        held.append(((found.lower <= truth) & (truth <= found.upper)).mean())
    return np.mean(plain) / np.mean(square), np.mean(bias) / np.mean(error), np.mean(held)


@pytest.mark.parametrize("design", ["systematic", "stratified", "random"])
@pytest.mark.parametrize("who", ["alike", "stronger", "unlike"])
def test_twenty_tables(benchmark, who, design):
    warnings.simplefilter("ignore")
    tables = [table(seed) for seed in range(TABLES)]
    found = benchmark.pedantic(lambda: np.array([played(T, who, design) for T in tables]), rounds=1)
    benchmark.extra_info.update(
        efficiency=[float(x) for x in np.quantile(found[:, 0], [0, 0.5, 1])],
        worst_bias=float(np.abs(found[:, 1]).max()),
        held=[float(x) for x in np.quantile(found[:, 2], [0, 0.5, 1])],
    )


def test_five_thousand_models(benchmark):
    rng = np.random.default_rng(0)
    T, p = np.empty((5000, 100_000), dtype=np.uint8), rng.random(100_000, dtype=np.float32)
    for i in range(len(T)):
        T[i] = rng.integers(0, 256, T.shape[1], dtype=np.uint8) < (255 * p ** (0.3 + 2 * i / len(T)))

    def work():
        plan = plan_items(T, 1000, rng=0)
        return plan.estimate(T[::500, plan.items])

    benchmark.pedantic(work, rounds=1)
