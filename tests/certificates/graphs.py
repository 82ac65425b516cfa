"""Clusters of signed graphs against all partitions, in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from steelyard import metric
from steelyard.reference import clustering as reference

from .trials import Claim, trial

EPS = np.finfo(float).eps


def _cost(pairs, labels):
    return sum((abs(c) for i, j, c in pairs if (labels[i] == labels[j]) == (c < 0)), Fraction(0))


@trial(
    solver="metric.cluster_edges",
    states="lower_bound, cycles",
    kind="rigorous",
    truth="all partitions in fractions",
    zoo="graphs",
    largest=7,
)
def cheapest_partition(instance):
    u, v, weight, n = instance["u"], instance["v"], instance["weight"], int(instance["n"])
    largest = float(np.abs(weight).max(initial=0.0))
    if n < 2 or not (largest == 0 or 1e-150 < largest < 1e150):
        return
    found = metric.cluster_edges(u, v, weight, n, rng=0, max_iter=4)
    pairs = [
        (i, j, Fraction(c)) for i, j, c in zip(u.tolist(), v.tolist(), weight.tolist(), strict=True) if c
    ]
    best = min(_cost(pairs, labels) for labels in reference.partitions(n))
    paid = _cost(pairs, found.labels)
    yield Claim(
        stated=float(paid - Fraction(found.lower_bound)),
        true=float(paid - best),
        rounding=float(best) * EPS,
    )
    proven = reference.cycle_bound({(i, j): c for i, j, c in pairs}, found.cycles)
    yield Claim(
        stated=float(paid - proven), true=float(paid - best), rounding=float(best) * EPS, about="cycles"
    )
