"""k-means++ seeding of Gaussian mixtures beside scikit-learn's, one trial and default, and the definition.

k centres N(0, s^2) with s = 1 and 10, noise 1, float32, k = 1,000. Cost: sum of squared distances over n d.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import kmeans_plusplus as by_sklearn

from steelyard.reference import select as reference
from steelyard.select import kmeans_plusplus

SIZES = [(200_000, 64), (50_000, 384)]
K = 1000


def mixture(n, d, spread):
    rng = np.random.default_rng(0)
    centers = spread * rng.standard_normal((K, d), dtype=np.float32)
    return centers[rng.integers(0, K, n)] + rng.standard_normal((n, d), dtype=np.float32)


def cost(X, indices):
    """Sum of squared distances to the nearest, by blocks, over n d."""
    centers, total = X[indices], 0.0
    half = (centers**2).sum(axis=1) / 2
    for start in range(0, len(X), 20_000):
        block = X[start : start + 20_000]
        total += float((block**2).sum() - 2 * (block @ centers.T - half).max(axis=1).sum())
    return total / X.size


@pytest.mark.parametrize(("n", "d"), SIZES)
@pytest.mark.parametrize("spread", [1, 10])
@pytest.mark.parametrize(
    "who", ["steelyard", "steelyard, 2 + ln k trials", "scikit-learn, 1 trial", "scikit-learn, default"]
)
def test_seeding(benchmark, n, d, spread, who):
    X = mixture(n, d, spread)
    benchmark.group = f"seeding {n} x {d}, s = {spread}"
    if who.startswith("steelyard"):
        options = {"rng": 0, "n_local_trials": None if "trials" in who else 1}
        found = benchmark.pedantic(kmeans_plusplus, (X, K), options, rounds=5).indices
    else:
        trials = 1 if "1 trial" in who else None
        options = {"random_state": 0, "n_local_trials": trials}
        found = benchmark.pedantic(by_sklearn, (X, K), options, rounds=1)[1]
    benchmark.extra_info["cost"] = f"{cost(X, found):.4f}"


def test_definition(benchmark):
    X = mixture(20_000, 64, 1)
    benchmark.group = "seeding 20000 x 64, s = 1, k = 50"
    benchmark.pedantic(reference.kmeans_plusplus, (X, 50, np.random.default_rng(0)), rounds=1)
    benchmark.extra_info["cost"] = "-"


def test_small(benchmark):
    X = mixture(20_000, 64, 1)
    benchmark.group = "seeding 20000 x 64, s = 1, k = 50"
    benchmark.pedantic(kmeans_plusplus, (X, 50), {"rng": 0}, rounds=5)
    benchmark.extra_info["cost"] = "-"
