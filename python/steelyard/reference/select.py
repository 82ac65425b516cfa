"""Seeding, clustering and sensitivities in plain NumPy: short and slow, for tests and benchmarks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def distances(X: Any, centers: Any) -> Array:
    """Euclidean distances of all points to the nearest center."""
    X, centers = np.asarray(X, float), np.asarray(centers, float)
    return np.asarray(np.min([np.linalg.norm(X - c, axis=1) for c in centers], axis=0))


def kmeans_plusplus(
    X: Any, k: int, rng: np.random.Generator, weights: Any = None, power: float = 2.0
) -> npt.NDArray[np.int64]:
    """The definition: one pass over the data a draw.

    >>> int(max(kmeans_plusplus([[0.0], [0.0], [5.0]], 2, np.random.default_rng(0))))
    2
    """
    X = np.asarray(X, float)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    drawn = [int(rng.choice(len(X), p=w / w.sum()))]
    nearest = np.linalg.norm(X - X[drawn[0]], axis=1)
    while len(drawn) < k:
        mass = w * nearest**power
        drawn.append(int(rng.choice(len(X), p=mass / mass.sum())))
        nearest = np.minimum(nearest, np.linalg.norm(X - X[drawn[-1]], axis=1))
    return np.array(drawn)


def law(X: Any, k: int, weights: Any = None, power: float = 2.0) -> dict[tuple[int, ...], float]:
    """Probability of every sequence of k draws; for a handful of points."""
    X = np.asarray(X, float)
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    chances: dict[tuple[int, ...], float] = {(i,): float(p) for i, p in enumerate(w / w.sum()) if p > 0}
    for _ in range(k - 1):
        longer = {}
        for drawn, chance in chances.items():
            mass = w * distances(X, X[list(drawn)]) ** power
            for i in np.flatnonzero(mass):
                longer[(*drawn, int(i))] = chance * float(mass[i] / mass.sum())
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
