"""Weightings of many points by a far field, beside all pairs and SciPy's dense solve.

The residual of 200 rows made directly and CPU seconds stand beside the time. Slow rows run
once: `pytest benchmarks/weigh/bench_far.py --benchmark-only -k "100000"`.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from spaces import points, scale_of

from steelyard import weigh


def far(x, t):
    return weigh.weighting(x, scale=t, method="far", tol=1e-6).weights


def all_pairs(x, t):
    return weigh.weighting(x, scale=t, method="cg", tol=1e-6).weights


def scipy_dense(x, t):
    return cho_solve(cho_factor(np.exp(-t * cdist(x, x))), np.ones(len(x)))


CONTENDERS = {"far field": far, "all pairs": all_pairs, "SciPy cho_factor": scipy_dense}
MOST = {"far field": 5_000_000, "all pairs": 100_000, "SciPy cho_factor": 5000}


def sampled_residual(x, t, w):
    rows = np.random.default_rng(1).choice(len(x), min(len(x), 200), replace=False)
    off = [1 - np.exp(-t * np.linalg.norm(x - x[i], axis=1)) @ w for i in rows]
    return float(np.sqrt(np.mean(np.square(off))))


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize("times_median", [1.0, 10.0])
@pytest.mark.parametrize("kind", ["uniform", "clusters"])
@pytest.mark.parametrize(
    ("n", "d"), [(5000, 2), (20_000, 2), (100_000, 2), (1_000_000, 2), (20_000, 3), (100_000, 3)]
)
def test_weighting(benchmark, name, times_median, kind, n, d):
    if n > MOST[name]:
        pytest.skip("too many points for this one")
    x = points(kind, n, d)
    t = scale_of(kind, n, d, times_median)
    began = time.process_time()
    w = benchmark.pedantic(CONTENDERS[name], (x, t), rounds=1)
    benchmark.extra_info["cpu_seconds"] = time.process_time() - began
    benchmark.extra_info["residual"] = sampled_residual(x, t, w)
