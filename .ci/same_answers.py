"""Answers of kernels and one solver a family: --write FILE on one machine, --compare FILE on another.

Random draws, data and options are the same; what differs is the order in which other vectors add up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from steelyard import _core, build_info, metric, rank, select, weigh

BOUND = 1e-12


def points(n: int, d: int) -> np.ndarray:
    return np.random.default_rng(n + d).normal(size=(n, d))


def games(n: int = 40, ties: bool = True) -> rank.Comparisons:
    rng = np.random.default_rng(3)
    first = rng.integers(0, n, 4000)
    second = (first + rng.integers(1, n, 4000)) % n
    strong = rng.random(4000) < 1 / (1 + np.exp((first - second) / n))
    left, right = np.where(strong, first, second), np.where(strong, second, first)
    return rank.Comparisons.from_pairs(left, right, tie=(rng.random(4000) < 0.2) & ties)


def dissimilarities(n: int = 30) -> np.ndarray:
    d = np.random.default_rng(5).exponential(size=(n, n))
    return np.triu(d, 1) + np.triu(d, 1).T


def exp() -> Any:
    return _core.testing._exp(np.linspace(-700, 700, 10_001))


def distances() -> Any:
    return _core.testing._squared_distances(points(33, 7), points(65, 7))


def davidson() -> Any:
    return rank.bradley_terry(games(), prior=1, tol=1e-12).strengths


def rao_kupper() -> Any:
    return rank.bradley_terry(games(), ties="rao-kupper", prior=1, tol=1e-12).strengths


def standard_errors() -> Any:
    return rank.bradley_terry(games(), prior=1, tol=1e-12).standard_errors()


def bootstrap() -> Any:
    return rank.bradley_terry(games(), prior=1, tol=1e-12).bootstrap(n_rounds=20, rng=1).strengths


def rank_sets() -> Any:
    found = rank.bradley_terry(games(), prior=1, tol=1e-12).rank_intervals(rng=1)
    return np.array([found.lower, found.upper])


def rankings() -> Any:
    rng = np.random.default_rng(8)
    table = [rng.permutation(12)[:5].tolist() for _ in range(300)]
    return rank.plackett_luce(table, prior=1, tol=1e-12).strengths


def weighting() -> Any:
    return weigh.weighting(points(150, 5), scale=1.0, method="cholesky").weights


def cityblock() -> Any:
    return weigh.weighting(points(150, 5), scale=1.0, metric="cityblock", method="cholesky").weights


def spread() -> Any:
    return weigh.spread(points(300, 40), scale=0.3)


def nearest_metric() -> Any:
    return metric.nearest_metric(dissimilarities()).distances


def triangles() -> Any:
    return metric.violations(dissimilarities()).total


def clusters() -> Any:
    signs = np.sign(dissimilarities(40) - 0.7)
    np.fill_diagonal(signs, 0)
    return metric.correlation_clustering(signs, rng=4).labels


def seeding() -> Any:
    return select.kmeans_plusplus(points(400, 6), 12, rng=2).indices


CALLS: list[Callable[[], Any]] = [
    exp,
    distances,
    davidson,
    rao_kupper,
    standard_errors,
    bootstrap,
    rank_sets,
    rankings,
    weighting,
    cityblock,
    spread,
    nearest_metric,
    triangles,
    clusters,
    seeding,
]


def main(how: str, path: str) -> int:
    """0 where every answer agrees."""
    if how == "--write":
        np.savez(path, **{call.__name__: np.asarray(call()) for call in CALLS})
        return 0
    theirs, worst = np.load(path), 0.0
    for call in CALLS:
        ours, other = np.asarray(call(), float), np.asarray(theirs[call.__name__], float)
        apart = float(np.max(np.abs(ours - other)) / np.max(np.abs(ours)))
        print(f"{call.__name__:16} {ours.size:6} numbers, apart by {apart:.1e}")
        worst = max(worst, apart)
    print(f"{build_info()['isa']} here: at most {worst:.1e} of the largest number apart, {BOUND} allowed")
    return int(worst > BOUND)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
