"""Seeding, clustering and sensitivities in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def distances(X: Any, centers: Any) -> Array:
    """Euclidean distances of all points to the nearest center."""
    X, centers = np.asarray(X, float), np.asarray(centers, float)
    return np.asarray(np.min([np.linalg.norm(X - c, axis=1) for c in centers], axis=0))


def kmeans_plusplus(
    X: Any, k: int, rng: np.random.Generator, weights: Any = None, power: float = 2.0, trials: int = 1
) -> npt.NDArray[np.int64]:
    """The definition: one pass over the data a draw; of several trials the one of least cost, the first of
    equals.

    >>> int(max(kmeans_plusplus([[0.0], [0.0], [5.0]], 2, np.random.default_rng(0))))
    2
    """
    X = np.asarray(X, float)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    drawn = [int(rng.choice(len(X), p=w / w.sum()))]
    nearest = np.linalg.norm(X - X[drawn[0]], axis=1)
    while len(drawn) < k:
        mass = w * nearest**power
        tried = rng.choice(len(X), trials, p=mass / mass.sum())
        gaps = [np.minimum(nearest, np.linalg.norm(X - X[c], axis=1)) for c in tried]
        best = int(np.argmin([w @ gap**power for gap in gaps]))
        drawn.append(int(tried[best]))
        nearest = gaps[best]
    return np.array(drawn)


def law(
    X: Any, k: int, weights: Any = None, power: float = 2.0, trials: int = 1
) -> dict[tuple[int, ...], float]:
    """Probability of every sequence of k draws; for a handful of points."""
    X = np.asarray(X, float)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    chances: dict[tuple[int, ...], float] = {(i,): float(p) for i, p in enumerate(w / w.sum()) if p > 0}
    for _ in range(k - 1):
        longer: dict[tuple[int, ...], float] = {}
        for drawn, chance in chances.items():
            mass = w * distances(X, X[list(drawn)]) ** power
            cost = [float(w @ distances(X, X[[*drawn, i]]) ** power) for i in range(len(X))]
            for tried in itertools.product(np.flatnonzero(mass), repeat=trials):
                best = (*drawn, int(min(tried, key=cost.__getitem__)))
                share = float(np.prod(mass[list(tried)] / mass.sum()))
                longer[best] = longer.get(best, 0.0) + chance * share
        chances = longer
    return chances


def kmeans(
    X: Any, centers: Any, steps: int, weights: Any = None, power: int = 2
) -> tuple[Array, Array, float]:
    """Lloyd's algorithm from given centres: centres, labels and cost after so many steps.

    For power 1 a step moves each centre by one Weiszfeld step; a centre on a point must not occur. Clusters
    must not become empty.

    >>> kmeans([[0.0], [2.0], [9.0]], [[0.0], [9.0]], 2)[0].ravel().tolist()
    [1.0, 9.0]
    """
    X, centers = np.asarray(X, float), np.array(centers, float)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    for _ in range(steps):
        gaps = np.array([np.linalg.norm(X - c, axis=1) for c in centers])
        labels = gaps.argmin(axis=0)
        for c in range(len(centers)):
            own = labels == c
            share = w[own] if power == 2 else w[own] / gaps[c, own]
            centers[c] = share @ X[own] / share.sum()
    gaps = np.array([np.linalg.norm(X - c, axis=1) for c in centers])
    return centers, gaps.argmin(axis=0), float(w @ gaps.min(axis=0) ** power)


def sensitivity_chances(center_losses: Any, labels: Any, distances: Any, holder: Any, mix: float) -> Array:
    """Algorithm 1's probabilities from distances^power to the centre points, with an even share."""
    labels = np.asarray(labels)
    score = np.asarray(center_losses, float)[labels] + np.asarray(holder, float)[labels] * np.asarray(
        distances
    )
    even = np.full(len(labels), 1 / len(labels))
    return np.asarray((1 - mix) * score / score.sum() + mix * even)


def coreset_scores(X: Any, centers: Any, labels: Any, weights: Any = None, power: float = 2.0) -> Array:
    """What the draws of a coreset go by: w (10 D^z / cost(C) + 1 / weight(C)), cluster by cluster.

    >>> coreset_scores([[0.0], [2.0], [9.0]], [[1.0], [9.0]], [0, 0, 1]).tolist()
    [5.5, 5.5, 11.0]
    """
    X, labels = np.asarray(X, float), np.asarray(labels)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    scores = np.zeros(len(X))
    for c, center in enumerate(np.asarray(centers, float)):
        own = labels == c
        mass = w[own] * np.linalg.norm(X[own] - center, axis=1) ** power
        if mass.sum() > 0:
            scores[own] = 10 * mass / mass.sum() + w[own] / w[own].sum()
        elif w[own].sum() > 0:
            scores[own] = 11 * w[own] / w[own].sum()
    return scores


def coreset(
    scores: Any, weights: Any, size: int, rng: np.random.Generator, replace: bool = True
) -> tuple[npt.NDArray[np.int64], Array]:
    """Rows drawn in proportion to the scores, and their weights: sums are unbiased."""
    scores, w = np.asarray(scores, float), np.asarray(weights, float)
    chances = scores / scores.sum()
    if replace:
        ends = np.cumsum(chances)
        rows = np.sort([int(np.argmax(ends > u * ends[-1])) for u in rng.random(size)])
        return rows, w[rows] / (size * chances[rows])
    inclusion = inclusion_probabilities(chances, size)
    order = rng.permutation(np.flatnonzero(inclusion))
    rows = systematic(inclusion, order, rng.random())
    return rows, w[rows] / inclusion[rows]


def merge(*parts: tuple[Any, Any]) -> tuple[Array, Array]:
    """Points and weights of several coresets together: a coreset of the union."""
    points, weights = zip(*parts, strict=True)
    return np.concatenate(points), np.concatenate(weights)


def inclusion_probabilities(chances: Any, size: int) -> Array:
    """min(1, c p), adding up to `size`: items that would pass 1 are taken for certain, the largest first.

    >>> inclusion_probabilities([0.8, 0.1, 0.1], 2).tolist()
    [1.0, 0.5, 0.5]
    """
    p = np.asarray(chances, float)
    certain: list[int] = []
    while len(certain) < size:
        rest = np.delete(np.arange(len(p)), certain)
        c = (size - len(certain)) / p[rest].sum()
        largest = int(rest[np.argmax(p[rest])])
        if c * p[largest] < 1 - 1e-12:
            break
        certain.append(largest)
    inclusion = np.zeros(len(p)) if len(certain) == size else c * p
    inclusion[certain] = 1.0
    return np.asarray(inclusion)


def systematic(inclusion: Any, order: Any, start: float) -> npt.NDArray[np.int64]:
    """Walk along the items in this order, each as long as its probability; take those where a mark lies.

    The marks stand at start, start + 1, ..., with `start` uniform on [0, 1).

    >>> systematic([0.5, 0.5, 1.0], [1, 2, 0], 0.7).tolist()
    [0, 2]
    """
    rows, end, mark = [], 0.0, start
    for i in order:
        end += inclusion[i]
        if mark < end:
            rows.append(int(i))
            mark += 1.0
    return np.sort(np.asarray(rows, dtype=np.int64))


def medoid_cost(costs: Any, chosen: Any, weights: Any = None) -> float:
    """sum_j w_j min_i c_ij over the chosen rows i."""
    least = np.asarray(costs, float)[list(chosen)].min(axis=0)
    return float(least.sum() if weights is None else np.asarray(weights, float) @ least)


def location_value(similarities: Any, chosen: Any, weights: Any = None) -> float:
    """sum_j w_j max_i s_ij over the chosen rows i."""
    most = np.asarray(similarities, float)[list(chosen)].max(axis=0)
    return float(most.sum() if weights is None else np.asarray(weights, float) @ most)
