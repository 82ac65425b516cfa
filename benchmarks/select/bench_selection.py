"""Labels until the leader is the best of some models, beside uniform sampling.

Pools of 600 items in 3 classes; a model that errs predicts the class after the right one, so that wrong
models agree. Close: accuracies .72 to .80 (two models: .75 and .80); far: .5 to .9 (two: .6 and .85). 400
pools a setting, in a random order or sorted by class and by how many models are right. The labels are those
after which the leader is one of the best of all items in 90 % of the pools, and stays so for ten labels; the
upper limit is the 95 % quantile of the ratio over 1,000 bootstraps of the pools.

python benchmarks/select/bench_selection.py [POOLS] prints the table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from steelyard.select import ModelSelector

ITEMS, STAYS = 600, 10
MODELS = (2, 3, 5, 20, 100)


def accuracies(models: int, kind: str) -> Any:
    if models == 2:
        return np.array([0.75, 0.8] if kind == "close" else [0.6, 0.85])
    return np.linspace(0.72, 0.8, models) if kind == "close" else np.linspace(0.5, 0.9, models)


def pool(models: int, kind: str, order: str, seed: int) -> tuple[Any, Any]:
    """Predictions and the truth."""
    rng = np.random.default_rng([seed, models, kind == "far"])
    truth = rng.integers(0, 3, ITEMS)
    right = rng.random((ITEMS, models)) < rng.permutation(accuracies(models, kind))
    if order == "sorted":
        rows = np.lexsort((right.sum(axis=1), truth))
        truth, right = truth[rows], right[rows]
    return np.where(right, truth[:, None], (truth[:, None] + 1) % 3), truth


def uniform(predictions: Any, truth: Any, seed: int) -> Iterator[int]:
    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(truth))
    tally = np.cumsum((predictions == truth[:, None])[order], axis=0) + 0.5 * rng.random(predictions.shape[1])
    yield from tally.argmax(axis=1)


def selected(rule: str) -> Callable[[Any, Any, int], Iterator[int]]:
    def leaders(predictions: Any, truth: Any, seed: int) -> Iterator[int]:
        selector = ModelSelector(predictions, 0.35, rule=rule, rng=np.random.default_rng([seed, 2]))
        for _ in truth:
            item = selector.ask()
            selector.tell(item, truth[item])
            yield selector.leader

    return leaders


def leads(how: Any, pools: Any, enough: float) -> Any:
    """Pools x labels: is the leader one of the best, until a share `enough` of the pools has it so."""
    best = [(counts := (p == y[:, None]).sum(axis=0)) == counts.max() for p, y in pools]
    runs = [how(p, y, seed) for seed, (p, y) in enumerate(pools)]
    found: list[Any] = []
    while len(found) < ITEMS:
        found.append([b[next(run)] for b, run in zip(best, runs, strict=True)])
        if len(found) >= STAYS and min(np.mean(now) for now in found[-STAYS:]) >= enough:
            break
    return np.array(found).T


def labels_needed(found: Any) -> int:
    """The first number of labels from which on 90 % are right, for `STAYS` labels."""
    good = np.concatenate([found.mean(axis=0) >= 0.9, np.ones(STAYS, dtype=bool)])
    run = np.convolve(good, np.ones(STAYS), mode="valid") == STAYS
    return int(run.argmax()) + 1


def compared(models: int, kind: str, order: str, pools: int, rules: Any = ("unbiased",)) -> dict[str, Any]:
    """Labels needed by each rule, ratios to uniform sampling and their upper limits."""
    made = [pool(models, kind, order, seed) for seed in range(pools)]
    plain = leads(uniform, made, 2.0)
    out: dict[str, Any] = {"uniform": labels_needed(plain)}
    for rule in rules:
        own = leads(selected(rule), made, 0.95)
        rng = np.random.default_rng(0)
        ratios = [
            labels_needed(own[rows]) / labels_needed(plain[rows])
            for rows in rng.integers(0, pools, (1000, pools))
        ]
        needed = labels_needed(own)
        out[rule] = (needed, needed / out["uniform"], float(np.quantile(ratios, 0.95)))
    return out


@pytest.mark.parametrize("order", ["shuffled", "sorted"])
@pytest.mark.parametrize("kind", ["close", "far"])
@pytest.mark.parametrize("models", MODELS)
def test_labels_beside_uniform_sampling(benchmark, models, kind, order):
    benchmark.group = f"the best of {models} {kind} models, {order}"
    found = benchmark.pedantic(compared, (models, kind, order, 100), rounds=1)
    needed, ratio, upper = found["unbiased"]
    benchmark.extra_info["labels"] = f"{needed} of {found['uniform']} ({ratio:.2f}, at most {upper:.2f})"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("| models | items | uniform | unbiased | ratio | upper limit | entropy |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for kind in ("close", "far"):
        for models in MODELS:
            for order in ("shuffled", "sorted"):
                rules = ("unbiased", "entropy") if order == "shuffled" else ("unbiased",)
                row = compared(models, kind, order, count, rules)
                needed, ratio, upper = row["unbiased"]
                authors = row["entropy"][0] if "entropy" in row else ""
                cells = (
                    f"{models} {kind}",
                    order,
                    row["uniform"],
                    needed,
                    f"{ratio:.2f}",
                    f"{upper:.2f}",
                    authors,
                )
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)
