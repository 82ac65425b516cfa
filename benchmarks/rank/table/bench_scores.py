"""Rankings from tables of scores with gaps: comparisons within samples against the plain mean.

Models score ability + difficulty of the sample + noise, difficulties with a standard deviation of 2; accuracy
is Kendall's tau with the abilities, the median of ten tables. Then how often 95 % intervals hold the strength
of 20 equal models on 500 samples, in 200 tables, with and without clusters.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from steelyard.rank import Comparisons, bradley_terry

MODELS, SAMPLES = 60, 1000


def table(missing, seed, models=MODELS, samples=SAMPLES, spread=0.5):
    rng = np.random.default_rng(seed)
    ability = spread * rng.normal(size=models)
    scores = ability[:, None] + 2 * rng.normal(size=samples) + rng.normal(size=(models, samples))
    scores[rng.random(scores.shape) < missing] = np.nan
    return ability, scores


def by_comparisons(scores):
    return bradley_terry(Comparisons.from_scores(scores), prior=0.1).strengths


def by_mean(scores):
    return np.nanmean(scores, axis=1)


@pytest.mark.parametrize("missing", [0.0, 0.8, 0.95])
@pytest.mark.parametrize("method", [by_comparisons, by_mean], ids=["comparisons", "mean"])
def test_scores(benchmark, missing, method):
    benchmark.group = f"scores, {missing:.0%} missing"
    tables = [table(missing, seed) for seed in range(10)]
    benchmark.pedantic(method, (tables[0][1],), rounds=3)
    taus = [kendalltau(ability, method(scores)).statistic for ability, scores in tables]
    benchmark.extra_info["tau"] = f"{np.median(taus):.3f}"


@pytest.mark.parametrize("missing", [0.0, 0.8])
@pytest.mark.parametrize("cluster", [False, True])
def test_intervals(benchmark, missing, cluster):
    benchmark.group = f"intervals from scores, {missing:.0%} missing"
    tables = [table(missing, seed, models=20, samples=500, spread=0.0)[1] for seed in range(200)]

    def zs(scores):
        fit = bradley_terry(Comparisons.from_scores(scores, cluster=cluster))
        return fit.strengths / fit.standard_errors()

    benchmark.pedantic(zs, (tables[0],), rounds=3)
    inside = np.mean([np.abs(zs(scores)) < 1.96 for scores in tables])
    benchmark.extra_info["covered by 95 % intervals"] = f"{inside:.1%}"
