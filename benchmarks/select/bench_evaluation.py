"""The best of 100 models from few labels, and the leverage scores of a tall matrix.

Pools: 100 independent models with accuracies uniform in 0.5 .. 0.9, 2,000 items, 3 classes. Labels until the
leader is the best model (by all labels) for good: median and 95 % quantile over 20 pools.
"""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.reference import evaluation as reference
from steelyard.select import ModelSelector, leverage_scores


def pool(seed, items=2000, models=100, classes=3):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    right = rng.random((items, models)) < rng.uniform(0.5, 0.9, models)
    wrong = (truth[:, None] + rng.integers(1, classes, (items, models))) % classes
    return np.where(right, truth[:, None], wrong), truth


def labels_needed(leads):
    wrong = np.flatnonzero(~np.asarray(leads))
    return int(wrong[-1]) + 1 if len(wrong) else 0


def run(how, seeds=20):
    needed = []
    for seed in range(seeds):
        predictions, truth = pool(seed)
        right = predictions == truth[:, None]
        best = right.sum(0) == right.sum(0).max()
        if how == "random":
            order = np.random.default_rng(seed).permutation(len(truth))
            needed.append(labels_needed(best[np.cumsum(right[order], axis=0).argmax(1)]))
            continue
        selector, leads = ModelSelector(predictions, rule=how, rng=seed), []
        for _ in range(len(truth)):
            item = selector.ask()
            selector.tell(item, truth[item])
            leads.append(best[selector.leader])
        needed.append(labels_needed(leads))
    return needed


@pytest.mark.parametrize("how", ["unbiased", "entropy", "random"])
def test_labels_until_the_best_is_found(benchmark, how):
    benchmark.group = "the best of 100 models, 2,000 items"
    needed = benchmark.pedantic(run, (how,), rounds=1)
    benchmark.extra_info["labels, median and 95 %"] = (
        f"{np.median(needed):.0f}, {np.quantile(needed, 0.95):.0f}"
    )


def test_one_step(benchmark):
    selector = ModelSelector(pool(0, items=10_000)[0], 0.4)
    benchmark.group = "one step, 10,000 items x 100 models"
    benchmark.pedantic(selector.ask, rounds=20)


def test_one_step_by_definition(benchmark):
    predictions = pool(0, items=500)[0]
    benchmark.group = "one step, 500 items x 100 models"
    benchmark.pedantic(reference.entropies_after, (predictions, np.full(100, 0.01), 1.5), rounds=1)


def test_one_step_of_the_same(benchmark):
    selector = ModelSelector(pool(0, items=500)[0], 0.4)
    benchmark.group = "one step, 500 items x 100 models"
    benchmark.pedantic(selector.ask, rounds=20)


@pytest.mark.parametrize("method", ["exact", "sketch"])
def test_leverage(benchmark, method):
    A = np.random.default_rng(0).standard_t(3, size=(200_000, 100))
    exact = leverage_scores(A)
    benchmark.group = "leverage scores, 200,000 x 100"
    found = benchmark.pedantic(leverage_scores, (A,), {"method": method, "rng": 0}, rounds=3)
    benchmark.extra_info["sd of ratio to exact"] = f"{np.std(found / exact):.3f}"
