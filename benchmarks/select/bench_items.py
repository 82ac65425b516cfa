"""A whole score from 100 answers: twenty tables of classifiers on digits, and one of 5,000 models.

The tables are fixed by seeds 0 .. 19: 60 classifiers from weak to strong, 900 test digits. In each of 150
splits 18 models are new and 42 sources: at random ("alike"), or the strongest are new ("stronger"); "unlike"
are coins of the new models' accuracies, in 600 splits. Efficiency: variance of the mean of a random sample of
100, by its formula, over the mean square error. WMT21 TED (data for measuring only, named by STEELYARD_WMT):
13 systems x 529 segments with MQM scores, each system in turn new, 60 plans each. Simulated: 1,000 tables of
31 models x 500 items, one model new, 80 asked.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from bench_judged_items import tables

from steelyard.select import plan_items

TABLES, SPLITS, ASKED = 20, 150, 100
COINS = 600  # splits: an efficiency near 1 is then known to 1 or 2 %


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
    splits = COINS if who == "unlike" else SPLITS
    found = benchmark.pedantic(lambda: np.array([played(T, who, design, splits) for T in tables]), rounds=1)
    benchmark.extra_info.update(
        efficiency=[float(x) for x in np.quantile(found[:, 0], [0, 0.5, 1])],
        worst_bias=float(np.abs(found[:, 1]).max()),
        held=[float(x) for x in np.quantile(found[:, 2], [0, 0.5, 1])],
    )


def told(found):
    """Efficiency, bias in standard errors and coverage; rows of estimate, error, low, high, truth, plain."""
    mean, error, low, high, truth, plain = np.array(found).T
    away = mean - truth
    return {
        "efficiency": float(plain.mean() / (away**2).mean()),
        "bias": float(away.mean() / error.mean()),
        "held": float(((low <= truth) & (truth <= high)).mean()),
    }


def one(sources, new, m, rng):
    plan = plan_items(sources, m, rng=rng)
    found = plan.estimate(new[plan.items])
    plain = new.var(ddof=1) * (1 / m - 1 / len(new))
    return (found.mean[0], found.standard_error[0], found.lower[0], found.upper[0], new.mean(), plain)


@pytest.mark.parametrize("m", [50, 100])
def test_translations(benchmark, m):
    T, rng = tables()[0], np.random.default_rng(0)
    # Each system has a variance of its own: efficiencies are taken system by system.
    work = lambda: [[one(np.delete(T, k, axis=0), T[k], m, rng) for _ in range(60)] for k in range(len(T))]  # noqa: E731
    found = benchmark.pedantic(work, rounds=1)
    each = [told(rows) for rows in found]
    benchmark.extra_info.update(
        efficiency=float(np.median([x["efficiency"] for x in each])),
        bias=float(np.mean([x["bias"] for x in each])),
        held=float(np.mean([x["held"] for x in each])),
    )


@pytest.mark.parametrize("who", ["alike", "stronger"])
def test_a_thousand_simulated_tables(benchmark, who):
    def work():
        rows = []
        for seed in range(1000):
            rng = np.random.default_rng(seed)
            skill, kind = rng.normal(size=(31, 1)), rng.normal(size=(31, 1))
            if who == "stronger":
                skill[-1] = skill[:-1].max() + 0.5
            logit = skill + 2 * rng.normal(size=500) + kind * rng.normal(size=500)
            right = (rng.random((31, 500)) < 1 / (1 + np.exp(-logit))).astype(float)
            rows.append(one(right[:-1], right[-1], 80, rng))
        return rows

    benchmark.extra_info.update(told(benchmark.pedantic(work, rounds=1)))


def test_five_thousand_models(benchmark):
    rng = np.random.default_rng(0)
    T, p = np.empty((5000, 100_000), dtype=np.uint8), rng.random(100_000, dtype=np.float32)
    for i in range(len(T)):
        T[i] = rng.integers(0, 256, T.shape[1], dtype=np.uint8) < (255 * p ** (0.3 + 2 * i / len(T)))

    def work():
        plan = plan_items(T, 1000, rng=0)
        return plan.estimate(T[::500, plan.items])

    benchmark.pedantic(work, rounds=1)
