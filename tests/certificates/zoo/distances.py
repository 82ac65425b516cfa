"""Dissimilarities: condensed `D` of `n` items, weights `W` of pairs, and which pairs are `known`."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from . import points
from .registry import animal, cast, kind, rounded_to, scaled, transformation, unit_of


def _take(data, keep):
    def part(condensed):
        square = squareform(condensed.astype(float), checks=False)[np.ix_(keep, keep)]
        return squareform(square, checks=False).astype(condensed.dtype)

    return {"D": part(data["D"]), "W": part(data["W"]), "known": part(data["known"]), "n": int(keep.sum())}


def _complete(rng, data):
    pairs, how = len(data["D"]), rng.random()
    reach = 0 if how < 0.5 else 3 if how < 0.8 else 6
    known = rng.random(pairs) < (1.0 if rng.random() < 0.7 else 0.6)
    return {"D": data["D"], "W": 10.0 ** rng.uniform(-reach, reach, pairs), "known": known, "n": data["n"]}


kind("dissimilarities", size=lambda data: data["n"], take=_take, complete=_complete)


def _of(square):
    return {"D": np.asarray(squareform(square, checks=False), dtype=float), "n": len(square)}


def _pairs(n):
    return n * (n - 1) // 2


@animal("dissimilarities")
def euclidean(rng, n):
    X = points.normal(rng, n)["X"]
    return {"D": pdist(X), "n": n}


@animal("dissimilarities")
def cityblock_of_integers(rng, n):
    X = points.integers(rng, n)["X"]
    return {"D": pdist(X.astype(float), "cityblock"), "n": n}


@animal("dissimilarities")
def on_a_line(rng, n):
    return {"D": pdist(rng.random((n, 1))), "n": n}


@animal("dissimilarities")
def with_copies(rng, n):
    return {"D": pdist(points.copies(rng, n)["X"]), "n": n}


@animal("dissimilarities")
def almost_metric(rng, n):
    D = pdist(points.normal(rng, n)["X"])
    return {"D": np.abs(D * (1 + 0.01 * rng.normal(size=len(D)))), "n": n}


@animal("dissimilarities")
def metric_but_for_rounding(rng, n):
    D = pdist(rng.random((n, 1)))
    return {"D": np.abs(D * (1 + 1e-13 * rng.normal(size=len(D)))), "n": n}


@animal("dissimilarities")
def far_from_metric(rng, n):
    return {"D": rng.random(_pairs(n)), "n": n}


@animal("dissimilarities")
def heavy_tails(rng, n):
    return {"D": np.abs(rng.standard_cauchy(_pairs(n))), "n": n}


@animal("dissimilarities")
def small_integers(rng, n):
    return {"D": rng.integers(0, 6, _pairs(n)).astype(float), "n": n}


@animal("dissimilarities")
def one_long_side(rng, n):
    D = pdist(points.uniform(rng, n)["X"])
    if len(D):
        D[rng.integers(len(D))] *= 10.0 ** rng.uniform(0, 6)
    return {"D": D, "n": n}


@animal("dissimilarities")
def tree(rng, n):
    """Paths in a random tree; some edges have length zero."""
    square = np.zeros((n, n))
    for i in range(1, n):
        up = int(rng.integers(0, i))
        square[i, :i] = square[:i, i] = square[up, :i] + (0.0 if rng.random() < 0.3 else rng.random())
    return _of(square)


@animal("dissimilarities")
def clusters_of_two_scales(rng, n):
    return {"D": pdist(points.clusters_of_all_sizes(rng, n)["X"]), "n": n}


@animal("dissimilarities")
def squared_euclidean(rng, n):
    return {"D": pdist(points.normal(rng, n)["X"], "sqeuclidean"), "n": n}


@animal("dissimilarities")
def zeros_and_ones(rng, n):
    return {"D": rng.integers(0, 2, _pairs(n)).astype(float), "n": n}


@animal("dissimilarities")
def shortest_paths_with_noise(rng, n):
    square = squareform(rng.random(_pairs(n)), checks=False)
    for k in range(n):
        np.minimum(square, square[:, [k]] + square[[k]], out=square)
    D = squareform(square, checks=False)
    return {"D": D + 0.1 * rng.random(len(D)) * (rng.random(len(D)) < 0.2), "n": n}


@transformation("dissimilarities")
def in_another_unit(rng, data):
    D = scaled(data["D"], unit_of(rng))
    return None if D is None else {**data, "D": D}


@transformation("dissimilarities")
def rounded(rng, data):
    return {**data, "D": rounded_to(data["D"], int(rng.integers(1, 7)))}


@transformation("dissimilarities")
def of_single(rng, data):
    D = cast(data["D"], np.float32)
    return None if D is None else {**data, "D": D.astype(float)}


@transformation("dissimilarities")
def common_offset(rng, data):
    return {**data, "D": data["D"] + (data["D"].max(initial=0) or 1.0) * 10.0 ** rng.uniform(-1, 6)}
