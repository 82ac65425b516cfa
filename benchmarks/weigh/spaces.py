"""The spaces that the benchmarks of weigh solve, with fixed seeds."""

from __future__ import annotations

from functools import cache

import numpy as np

from steelyard import weigh

KINDS = ("uniform", "clusters", "near-duplicates")


@cache
def points(kind: str, n: int, d: int) -> np.ndarray:
    """Uniform in the unit cube; 20 Gaussian clusters of sd .02; uniform with a tenth copied 1e-9 away."""
    rng = np.random.default_rng(0)
    x = rng.random((n, d))
    if kind == "clusters":
        x = x[:20][rng.integers(0, 20, n)] + 0.02 * rng.standard_normal((n, d))
    elif kind == "near-duplicates":
        m = n // 10
        x[:m] = x[m : 2 * m] + 1e-9 * rng.standard_normal((m, d))
    return x


@cache
def scale_of(kind: str, n: int, d: int, times_median: float) -> float:
    return times_median * weigh.find_scale(points(kind, n, d), "median")
