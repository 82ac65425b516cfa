"""k-medoids and facility location beside kmedoids (FasterPAM, its matrix included) and apricot-select.

A mixture of 200 groups, float32; k-medoids from random points, one thread each, the median of five runs after
one to warm up; ``extra_info`` has the cost and the bound after 50 passes. apricot gets its similarities
handed over. Bounds of other data, and the memory that 50,000 points take ("processor": the time of all
threads).
"""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest

from steelyard.select import facility_location, medoids


def mixture(n, d):
    rng = np.random.default_rng(0)
    centers = 2 * rng.normal(size=(200, d))
    return (centers[rng.integers(0, 200, n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize(("n", "d", "k"), [(2000, 64, 50), (5000, 64, 100), (8000, 64, 200)])
@pytest.mark.parametrize("who", ["steelyard", "kmedoids"])
def test_medoids(benchmark, n, d, k, who):
    X = mixture(n, d)
    if who == "steelyard":
        found = benchmark.pedantic(
            lambda: medoids(X, k, init="random", rng=0, n_threads=1), rounds=5, warmup_rounds=1
        )
        benchmark.extra_info["cost"] = found.cost
        benchmark.extra_info["error_bound"] = medoids(
            X, k, init=found.indices, bound_iter=50
        ).info.error_bound
        return
    peer = pytest.importorskip("kmedoids")
    distances = pytest.importorskip("sklearn.metrics").pairwise_distances
    found = benchmark.pedantic(
        lambda: peer.fasterpam(distances(X), k, init="random", random_state=0, n_cpu=1),
        rounds=5,
        warmup_rounds=1,
    )
    benchmark.extra_info["cost"] = float(found.loss)


@pytest.mark.parametrize("who", ["steelyard", "apricot"])
def test_facility_location(benchmark, who):
    X = mixture(2000, 64)
    gaps = ((X[:, None, :4] - X[None, :, :4]) ** 2).sum(axis=2)
    S = np.exp(-gaps / gaps.mean()).astype(np.float64)
    if who == "steelyard":
        found = benchmark(lambda: facility_location(S, 100, metric="precomputed", n_threads=1))
        benchmark.extra_info.update(value=found.value, share=found.share)
        return
    peer = pytest.importorskip("apricot")
    chosen = benchmark.pedantic(
        lambda: peer.FacilityLocationSelection(100, metric="precomputed").fit(S), rounds=1, warmup_rounds=0
    )
    benchmark.extra_info["value"] = float(S[chosen.ranking].max(axis=0).sum())


@pytest.mark.parametrize(
    ("name", "k", "power"),
    [("digits", 40, 1), ("digits", 40, 2), ("mixture", 100, 1), ("mixture", 250, 1), ("uniform", 100, 1)],
)
def test_bounds(benchmark, name, k, power):
    X = {
        "digits": lambda: pytest.importorskip("sklearn.datasets").load_digits().data.astype(np.float32),
        "mixture": lambda: mixture(5000, 64),
        "uniform": lambda: np.random.default_rng(0).random((5000, 8), dtype=np.float32),
    }[name]()
    found = benchmark.pedantic(lambda: medoids(X, k, power=power, bound_iter=50, rng=0), rounds=1)
    benchmark.extra_info["error_bound"] = found.info.error_bound


def test_fifty_thousand_points(benchmark):
    X = mixture(50_000, 64)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = benchmark.pedantic(lambda: medoids(X, 200, init="random", rng=0), rounds=1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.extra_info.update(
        processor=time.process_time() - start, most_MB=most / 1024, before_MB=before / 1024, cost=found.cost
    )
