"""10,000 items of 1,000,000 x 128 float32 with 1,000 clusters: time and memory beside the data's own."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from steelyard.select import sensitivity_sample

N, D = 1_000_000, 128


def make(path):
    """Rows of a mixture, written in blocks."""
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((1000, D), dtype=np.float32)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(N, D))
    for start in range(0, N, 100_000):
        rows = rng.integers(0, 1000, 100_000)
        out[start : start + 100_000] = centers[rows] + rng.standard_normal((100_000, D), dtype=np.float32)
    out.flush()


@pytest.mark.parametrize("where", ["memory", "memmap"])
def test_sample(benchmark, tmp_path, where):
    make(tmp_path / "x.npy")
    X = np.load(tmp_path / "x.npy", mmap_mode="r" if where == "memmap" else None)
    losses = np.random.default_rng(1).exponential(size=N)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.group = "sensitivity sample of 10,000 from 1,000,000 x 128"
    sample = benchmark.pedantic(
        sensitivity_sample, (X, 10_000), {"clusters": 1000, "losses": losses, "rng": 0}, rounds=1
    )
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.extra_info["data in MB"] = N * D * 4 // 10**6
    benchmark.extra_info["peak above what there was, MB"] = (after - before) // 1000
    benchmark.extra_info["effective sample size"] = f"{sample.effective_sample_size:.0f}"
