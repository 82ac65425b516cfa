"""Correlation clustering in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]


def cost(c: Array, labels: Labels) -> float:
    """Separated pairs with c > 0 and joined pairs with c < 0; c is symmetric.

    >>> cost(np.array([[0.0, 2.0, -1.0], [2.0, 0.0, 3.0], [-1.0, 3.0, 0.0]]), np.array([0, 0, 1]))
    3.0
    """
    together = np.asarray(labels)[:, None] == np.asarray(labels)
    paid = np.where(together, np.maximum(-c, 0.0), np.maximum(c, 0.0))
    return float(np.triu(paid, 1).sum())


def partitions(n: int) -> Iterator[Labels]:
    """All partitions of n items as labels numbered by first appearance."""
    labels = np.zeros(n, np.intp)

    def extend(k: int, used: int) -> Iterator[Labels]:
        if k == n:
            yield labels.copy()
            return
        for label in range(used + 1):
            labels[k] = label
            yield from extend(k + 1, max(used, label + 1))

    return extend(0, 0)


def best_partition(c: Array) -> tuple[float, Labels]:
    """The least cost over all partitions: for about ten items."""
    best = min(
        ((cost(c, labels), k, labels) for k, labels in enumerate(partitions(len(c)))), key=lambda p: p[:2]
    )
    return best[0], best[2]


def cycle_bound(weights: Mapping[tuple[int, int], Any], cycles: Iterable[tuple[Any, Any]]) -> Fraction:
    """What cycles and stars prove that labels cost, in exact arithmetic; ValueError if they prove nothing.

    Each is a multiplier and items. In a cycle every pair along the items agrees (weight > 0) but the one that
    closes it: one pair is paid for. In a star the first item agrees with all others, which disagree with each
    other: of k others at least k - 1 pairs are paid for.

    >>> cycle_bound({(0, 1): 2, (1, 2): 2, (0, 2): -1}, [(1, [0, 1, 2])])
    Fraction(1, 1)
    >>> star = {(0, 1): 1, (0, 2): 1, (0, 3): 1, (1, 2): -1, (1, 3): -1, (2, 3): -1}
    >>> cycle_bound(star, [(1, [0, 1, 2, 3])])
    Fraction(2, 1)
    """
    left = {frozenset(pair): abs(Fraction(c)) for pair, c in weights.items()}
    agrees = {frozenset(pair): c > 0 for pair, c in weights.items()}
    total = Fraction(0)
    for y, row in cycles:
        items = [int(item) for item in row]
        along = [frozenset(pair) for pair in zip(items, [*items[1:], items[0]], strict=True)]
        spokes = [frozenset((items[0], leaf)) for leaf in items[1:]]
        rims = [frozenset(pair) for pair in combinations(items[1:], 2)]
        if all(agrees[pair] for pair in along[:-1]) and not agrees[along[-1]]:
            pairs, right_side = along, 1
        elif all(agrees[pair] for pair in spokes) and not any(agrees[pair] for pair in rims):
            pairs, right_side = spokes + rims, len(spokes) - 1
        else:
            raise ValueError(f"no multiplier of a cycle with one disagreeing pair, or of a star: {y}, {row}")
        if y < 0 or len(items) < 3:
            raise ValueError(f"no multiplier of a row: {y}, {row}")
        for pair in pairs:
            left[pair] -= Fraction(y)
        total += right_side * Fraction(y)
    if min(left.values(), default=0) < 0:
        raise ValueError("the multipliers through a pair are more than its weight")
    return total


def pivot(c: Array, rng: np.random.Generator) -> Labels:
    """Ailon, Charikar & Newman: a random free item takes all free items that agree with it."""
    labels = np.full(len(c), -1, np.intp)
    for cluster, item in enumerate(rng.permutation(len(c))):
        if labels[item] < 0:
            labels[(labels < 0) & ((c[item] > 0) | (np.arange(len(c)) == item))] = cluster
    return labels


def wang_weights(adjacency: npt.NDArray[np.bool_], delta: float = 0.05, eps: float = 0.01) -> Array:
    """Signed weights from common neighbours of a graph without loops."""
    a = np.asarray(adjacency, float)
    common = a @ a
    union = a.sum(axis=0)[:, None] + a.sum(axis=0) - common
    jaccard = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    c: Array = np.log((1 + jaccard - delta) / (1 - jaccard + delta))
    c += np.where(common > 0, eps * np.sign(c), 0.0)
    np.fill_diagonal(c, 0.0)
    return c
