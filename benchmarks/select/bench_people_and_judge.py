"""Prediction-powered means beside ppi-python, and the evidence of features beside one singular decomposition.

Means: 100 labels by people, 2,000 by a judge; 2,000 tables, intervals of 95 %. Width is against the interval
of the people's labels alone.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from steelyard.select import logme, prediction_powered_mean

TABLES, LABELS, JUDGED = 2000, 100, 2000


def intervals(who, correlation):
    peer = pytest.importorskip("ppi_py") if who == "ppi-python" else None
    rng, out = np.random.default_rng(0), []
    for _ in range(TABLES):
        judge = rng.normal(size=LABELS + JUDGED)
        own = rng.normal(size=LABELS)
        people = correlation * judge[:LABELS] + np.sqrt(1 - correlation**2) * own
        if peer is None:
            found = prediction_powered_mean(people, judge[:LABELS], judge[LABELS:])
            low, high = found.lower, found.upper
        else:
            low, high = (
                float(x[0]) for x in peer.ppi_mean_ci(people, judge[:LABELS], judge[LABELS:], alpha=0.05)
            )
        alone = 2 * student.ppf(0.975, LABELS - 1) * people.std(ddof=1) / np.sqrt(LABELS)
        out.append((low <= 0 <= high, (high - low) / alone))
    return np.array(out, dtype=float)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("who", ["steelyard", "ppi-python"])
def test_prediction_powered_means(benchmark, who, correlation):
    benchmark.group = f"2,000 means, correlation of judge and people {correlation}"
    found = benchmark.pedantic(intervals, (who, correlation), rounds=1)
    benchmark.extra_info.update(covers=found[:, 0].mean(), width=found[:, 1].mean(), widest=found[:, 1].max())


def dense(features, target):
    """The largest log evidence an item of y ~ N(0, s (I + F F' / lambda)), over a fine grid of lambda."""
    n = len(target)
    values, vectors = np.linalg.eigh(features @ features.T)
    square, best, at = (vectors.T @ target) ** 2, -np.inf, 0.0
    for width in (30.0, 0.5, 0.01, 2e-4, 4e-6):
        for log in np.linspace(at - width, at + width, 241):
            scales = 1 + np.maximum(values, 0) * np.exp(-log)
            q = (square / scales).sum()
            value = 0.5 * (np.log(n / q) - 1 - np.log(2 * np.pi)) - np.log(scales).sum() / (2 * n)
            if value > best:
                best, middle = value, log
        at = middle
    return best


@pytest.mark.parametrize(("n", "d"), [(2000, 256), (2000, 2000), (500, 4000)])
@pytest.mark.parametrize("who", ["logme", "one SVD"])
def test_evidence(benchmark, who, n, d):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, size=n)
    features = 0.3 * rng.normal(size=(10, d))[labels] + rng.normal(size=(n, d))
    benchmark.group = f"evidence of {n} x {d} features, ten classes"
    if who == "one SVD":
        benchmark.pedantic(lambda: np.linalg.svd(features, full_matrices=False), rounds=1)
        return
    found = benchmark.pedantic(lambda: logme(features, labels), rounds=1)
    one = dense(features, (labels == 3).astype(float))
    benchmark.extra_info["away from the dense evidence"] = abs(float(found.per_target[3]) - one)
