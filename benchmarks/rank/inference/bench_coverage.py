"""Simultaneous rank sets under exact ties: 20 items in ten tied pairs, 200 games a pair, 1,000 runs.

To be reached: coverage of all true rank sets at once >= .95 - 3 Monte Carlo errors = .929.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from steelyard.rank import Comparisons, bradley_terry

RUNS = 1000


def covered(seed: int, truth: np.ndarray) -> bool:
    rng = np.random.default_rng(seed)
    left, right = np.triu_indices(len(truth), 1)
    counts = np.zeros((len(truth), len(truth)))
    counts[left, right] = rng.binomial(200, expit(truth[left] - truth[right]))
    counts[right, left] = 200 - counts[left, right]
    sets = bradley_terry(Comparisons.from_counts(counts)).rank_intervals()
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = len(truth) - (truth[None, :] < truth[:, None]).sum(axis=1)
    return bool(((sets.lower <= best) & (worst <= sets.upper)).all())


def test_coverage(benchmark):
    truth = np.repeat(np.linspace(-0.6, 0.6, 10), 2)
    hits = benchmark.pedantic(lambda: [covered(seed, truth) for seed in range(RUNS)], rounds=1, iterations=1)
    benchmark.group = "coverage"
    benchmark.extra_info["runs"] = RUNS
    benchmark.extra_info["simultaneous coverage"] = f"{np.mean(hits):.3f}"
    assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / RUNS)
