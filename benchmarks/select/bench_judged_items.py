"""Items for human judges beside subset2evaluate's selectors, on WMT21 TED English-German, and soft accuracy.

13 systems x 529 segments with MQM scores of people and chrF as the metric (data for measuring only, named by
STEELYARD_WMT). Means over budgets of 5 to 50 %: soft pairwise accuracy and Kendall's tau of the chosen
segments' MQM against all segments', and the tiers that tell systems apart. subset2evaluate's diversities need
the outputs, which the table has not.
"""

from __future__ import annotations

import csv
import gzip
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from steelyard.rank import pairwise_significance
from steelyard.select import item_utility

FILE = Path(os.environ.get("STEELYARD_WMT", "wmt21_ted_ende_scores.csv.gz"))
BUDGETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
RANDOM = 100  # draws


def tables():
    """MQM and chrF, systems by segments."""
    if not FILE.exists():
        pytest.skip("STEELYARD_WMT does not name the table of WMT21 TED scores")
    with gzip.open(FILE, "rt") as lines:
        rows = list(csv.DictReader(lines))
    systems = sorted({row["system"] for row in rows})
    segments = sorted({int(row["segment"]) for row in rows})
    out = np.full((2, len(systems), len(segments)), np.nan)
    for row in rows:
        at = systems.index(row["system"]), segments.index(int(row["segment"]))
        out[(0, *at)], out[(1, *at)] = float(row["mqm"]), float(row["chrf"])
    return out


def as_items(mqm, chrf):
    """The same as subset2evaluate takes it."""
    return [
        {
            "i": j,
            "scores": {
                str(s): {"human": float(mqm[s, j]), "chrf": float(chrf[s, j])} for s in range(len(mqm))
            },
        }
        for j in range(mqm.shape[1])
    ]


def order_of(who, kind, mqm, chrf, seed=0):
    """Segments, the most useful first."""
    n = mqm.shape[1]
    if who == "random":
        return np.random.default_rng(seed).permutation(n)
    if who == "steelyard":
        return np.argsort(-item_utility(chrf, kind).values, kind="stable")
    chosen = pytest.importorskip("subset2evaluate.select_subset").basic(
        as_items(mqm, chrf),
        method={"variance": "metric_var", "consistency": "metric_cons"}[kind],
        metric="chrf",
    )
    return np.array([item["i"] for item in chosen])


def worth(order, mqm):
    """Soft accuracy, tau and tiers, means over the budgets."""
    whole, rows = pairwise_significance(mqm), []
    for share in BUDGETS:
        few = mqm[:, order[: int(share * mqm.shape[1])]]
        part = pairwise_significance(few)
        tau = kendalltau(few.mean(axis=1), mqm.mean(axis=1)).statistic
        rows.append((part.soft_accuracy(whole), tau, part.tiers().max()))
    return np.mean(rows, axis=0)


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("random", ""),
        ("steelyard", "variance"),
        ("steelyard", "consistency"),
        ("steelyard", "diversity"),
        ("steelyard", "information"),
        ("subset2evaluate", "variance"),
        ("subset2evaluate", "consistency"),
    ],
)
def test_selectors(benchmark, who, kind):
    warnings.simplefilter("ignore")
    mqm, chrf = tables()
    benchmark.group = "WMT21 TED en-de, chosen by chrF, judged by MQM"
    order = benchmark.pedantic(order_of, (who, kind, mqm, chrf), rounds=1)
    orders = [order_of(who, kind, mqm, chrf, seed) for seed in range(RANDOM)] if who == "random" else [order]
    found = np.mean([worth(one, mqm) for one in orders], axis=0)
    benchmark.extra_info.update(zip(("soft_accuracy", "tau", "tiers"), found.round(3).tolist(), strict=True))


@pytest.mark.parametrize("who", ["steelyard", "subset2evaluate"])
def test_p_values(benchmark, who):
    mqm, _ = tables()
    benchmark.group = "p-values of 78 pairs of systems, 529 segments"
    if who == "steelyard":
        benchmark(lambda: pairwise_significance(mqm).p_values)
        return
    peer = pytest.importorskip("subset2evaluate.evaluate")
    found = benchmark.pedantic(peer.compute_pairwise_p_values, (mqm,), rounds=1)
    benchmark.extra_info["largest difference"] = difference(found, pairwise_significance(mqm).p_values)


def difference(peer, ours):
    """Over pairs: subset2evaluate fills the upper triangle."""
    upper = np.triu_indices(len(ours), 1)
    one, other = np.asarray(peer)[upper], np.asarray(ours)[upper]
    return float(min(np.abs(one - other).max(), np.abs(1 - one - other).max()))


@pytest.mark.parametrize("who", ["steelyard", "subset2evaluate"])
def test_four_equal_systems(benchmark, who):
    same = np.tile(np.random.default_rng(0).normal(size=50), (4, 1))
    benchmark.group = "clusters of four equal systems (right: 1)"
    if who == "steelyard":
        found = benchmark.pedantic(lambda: int(pairwise_significance(same).tiers().max()), rounds=1)
    else:
        peer = pytest.importorskip("subset2evaluate.evaluate")
        found = benchmark.pedantic(lambda: peer.eval_subset_clusters(as_items(same, same)), rounds=1)
    benchmark.extra_info["clusters"] = int(found)
