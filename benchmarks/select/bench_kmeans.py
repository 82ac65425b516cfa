"""k-means of Gaussian mixtures: ten steps from the same seeds, beside scikit-learn and faiss.

k centres N(0, s^2) with s = 1 and 10, noise 1, float32, k = 1,000. The share of the sgemm rate is that of
2 n k d operations a step in the time of a step, against NumPy's product of the same matrices by blocks of
8,192 rows.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from bench_seeding import SIZES, K, mixture
from sklearn.cluster import KMeans, MiniBatchKMeans

from steelyard.reference import select as reference
from steelyard.select import kmeans, kmeans_plusplus

STEPS = 10


def sgemm_rate(X, centers):
    blocks, right = [X[s : s + 8192] for s in range(0, len(X), 8192)], np.ascontiguousarray(centers.T)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        for block in blocks:
            block @ right
        times.append(time.perf_counter() - start)
    return 2 * len(X) * len(centers) * X.shape[1] / np.median(times)


@pytest.mark.parametrize(("n", "d"), SIZES)
@pytest.mark.parametrize("spread", [1, 10])
@pytest.mark.parametrize("who", ["steelyard", "scikit-learn", "scikit-learn, mini-batches", "faiss"])
def test_ten_steps(benchmark, n, d, spread, who):
    X = mixture(n, d, spread)
    seeds = kmeans_plusplus(X, K, rng=0).centers

    steps = STEPS

    def fit():
        nonlocal steps
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if who == "steelyard":
                found = kmeans(X, K, init=seeds, max_iter=STEPS, tol=0)
                steps = len(found.info.trace)
                return found.cost
            if who == "scikit-learn":
                return (
                    KMeans(K, init=seeds, n_init=1, max_iter=STEPS, tol=0, algorithm="lloyd").fit(X).inertia_
                )
            if who == "faiss":
                faiss = pytest.importorskip("faiss")
                found = faiss.Kmeans(d, K, niter=STEPS, nredo=1, max_points_per_centroid=n)
                found.train(X, init_centroids=seeds)
                return found.index.search(X, 1)[0].sum(dtype=float)
            return MiniBatchKMeans(K, init=seeds, n_init=1, max_iter=STEPS, random_state=0).fit(X).inertia_

    benchmark.group = f"{STEPS} steps, {n} x {d}, s = {spread}"
    cost = benchmark.pedantic(fit, rounds=3)
    benchmark.extra_info["cost"] = f"{cost / X.size:.4f}"
    if who == "steelyard":
        rate = 2 * n * K * d * steps / benchmark.stats.stats.median
        benchmark.extra_info["share of sgemm"] = f"{rate / sgemm_rate(X, seeds):.2f}"


@pytest.mark.parametrize("who", ["steelyard", "reference"])
def test_small(benchmark, who):
    X = mixture(5_000, 64, 1)
    seeds = kmeans_plusplus(X, 50, rng=0).centers
    benchmark.group = "10 steps, 5000 x 64, k = 50"
    if who == "reference":
        cost = benchmark.pedantic(reference.kmeans, (X, seeds, STEPS), rounds=1)[2]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"init": seeds, "max_iter": STEPS, "tol": 0}
            cost = benchmark.pedantic(kmeans, (X, 50), options, rounds=5).cost
    benchmark.extra_info["cost"] = f"{cost / X.size:.4f}"
