"""Dissimilarities of n items in condensed order, with fixed seeds."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist


def dissimilarity(kind: str, n: int, seed: int = 1) -> np.ndarray:
    """Types 1 to 3 of Sonthalia and Gilbert, half normal, 0/1, and nearly metric (the hard case)."""
    rng = np.random.default_rng(seed)
    m = n * (n - 1) // 2
    if kind == "type 1":
        return rng.standard_normal(m)
    if kind == "type 2":
        top = np.argsort(-rng.dirichlet(np.ones(100), n), axis=1)[:, :20]
        has = np.zeros((n, 100), dtype=int)
        np.put_along_axis(has, top, 1, axis=1)
        return np.where((has @ has.T)[np.triu_indices(n, 1)] == 0, 1.0, 1e-8)
    if kind == "type 3":
        return np.ceil(1000 * rng.random(m) * rng.standard_normal(m) ** 2)
    if kind == "|normal|":
        return np.abs(rng.standard_normal(m))
    if kind in ("80 % zeros", "20 % zeros"):
        return (rng.random(m) >= int(kind[:2]) / 100).astype(float)
    if kind == "near-metric":
        return pdist(rng.random((n, 5))) * np.maximum(0.0, 1 + 0.5 * rng.standard_normal(m))
    raise ValueError(f"kind must name a generator, got {kind!r}")
