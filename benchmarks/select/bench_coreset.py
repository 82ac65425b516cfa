"""How well 4,000 weighted points stand for all in k-means with k = 100, median of 20 seeds.

Distortion: max(cost(P, C) / cost(S, C), its inverse) for the centres C that k-means finds on the coreset S
alone; weights are not scaled. `c-outlier`: 50,000 x 50, five points at -1000 U, the rest 1 + U. `geometric`:
unit vectors whose counts fall by 1.1, 200,000 points. `imbalanced`: a mixture of 100 with sizes falling by
1.1 and lognormal scales.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from steelyard.select import Coreset, StreamingCoreset, coreset, kmeans, lightweight_coreset

K, M, SEEDS = 100, 4000, 20


def c_outlier(rng):
    X = 1 + rng.random((50_000, 50))
    X[:5] = -1000 * rng.random((5, 50))
    return X


def geometric(rng, ratio=1.1, n=200_000):
    counts = []
    while sum(counts) < n and (not counts or counts[-1] > 1):
        counts.append(max(1, int(n * (1 - 1 / ratio) / ratio ** len(counts))))
    X = np.eye(len(counts))[np.repeat(np.arange(len(counts)), counts)]
    return X + 1e-3 * rng.normal(size=X.shape)


def imbalanced(rng):
    sizes = 1.1 ** -np.arange(K)
    centers = rng.normal(size=(K, 50)) * rng.lognormal(0, 1, (K, 1))
    return centers[rng.choice(K, 50_000, p=sizes / sizes.sum())] + 0.3 * rng.normal(size=(50_000, 50))


def uniform(X, seed):
    rows = np.random.default_rng(seed).choice(len(X), M)
    return Coreset(X[rows], np.full(M, len(X) / M), rows, 2.0, 1)


def streamed(X, seed):
    stream = StreamingCoreset(M, clusters=K, rng=seed)
    for start in range(0, len(X), 7000):
        stream.partial_fit(X[start : start + 7000])
    return stream.result()


MAKERS = {
    "sensitivity": lambda X, seed: coreset(X, M, clusters=K, rng=seed),
    "sensitivity, with replacement": lambda X, seed: coreset(X, M, clusters=K, replace=True, rng=seed),
    "sensitivity, streamed": streamed,
    "lightweight": lambda X, seed: lightweight_coreset(X, M, rng=seed),
    "uniform": uniform,
}


@pytest.mark.parametrize("data", [c_outlier, geometric, imbalanced])
@pytest.mark.parametrize("how", MAKERS)
def test_distortion(benchmark, data, how):
    X = data(np.random.default_rng(0)).astype(np.float32)
    found = []
    for seed in range(SEEDS):
        S = MAKERS[how](X, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = kmeans(S.points, K, sample_weight=S.weights, max_iter=20, rng=seed)
            cost = kmeans(X, K, init=fit.centers, max_iter=1, tol=1).info.trace["cost"][0]
        found.append(max(cost / fit.cost, fit.cost / cost))
    benchmark.group = f"coreset of {len(X)} x {X.shape[1]} ({data.__name__})"
    benchmark.pedantic(MAKERS[how], (X, 0), rounds=3)
    benchmark.extra_info["distortion"] = f"{np.median(found):.3f}"
