"""Signed graphs: edges `u` < `v` with `weight` (positive: together) among `n` nodes."""

from __future__ import annotations

import numpy as np

from .registry import animal, kind, rounded_to, scaled, transformation, unit_of


def _take(data, keep):
    position = np.cumsum(keep) - 1
    edges = keep[data["u"]] & keep[data["v"]]
    u, v = position[data["u"][edges]], position[data["v"][edges]]
    return {"u": u, "v": v, "weight": data["weight"][edges], "n": int(keep.sum())}


kind("graphs", size=lambda data: data["n"], take=_take)


def _complete_graph(n, weight):
    u, v = np.triu_indices(n, 1)
    return {"u": u, "v": v, "weight": weight, "n": n}


def _pairs(n):
    return n * (n - 1) // 2


@animal("graphs")
def random_signs(rng, n):
    return _complete_graph(n, rng.choice([-1.0, 1.0], _pairs(n)))


@animal("graphs")
def normal_weights(rng, n):
    return _complete_graph(n, rng.normal(size=_pairs(n)))


@animal("graphs")
def planted_clusters(rng, n):
    label = rng.integers(0, 1 + n // 3, n)
    u, v = np.triu_indices(n, 1)
    weight = np.where(label[u] == label[v], 1.0, -1.0) * np.where(rng.random(len(u)) < 0.15, -1, 1)
    return {"u": u, "v": v, "weight": weight * rng.random(len(u)), "n": n}


@animal("graphs")
def sparse_signs(rng, n):
    made = _complete_graph(n, rng.normal(size=_pairs(n)))
    kept = rng.random(_pairs(n)) < min(1.0, 4 / max(n, 1))
    return {key: value[kept] if np.ndim(value) else value for key, value in made.items()}


@animal("graphs")
def positive_only(rng, n):
    made = sparse_signs(rng, n)
    return {**made, "weight": np.abs(made["weight"])}


@animal("graphs")
def dense_positive_with_zeros(rng, n):
    weight = np.maximum(rng.normal(0.7, 1.2, _pairs(n)), 0)
    return _complete_graph(n, weight)


@animal("graphs")
def ring_with_one_enemy(rng, n):
    u, v = np.arange(max(n - 1, 0)), np.arange(1, max(n, 1))
    made = {"u": u, "v": v, "weight": np.ones(len(u)), "n": n}
    if n > 2:
        made = {"u": np.r_[u, 0], "v": np.r_[v, n - 1], "weight": np.r_[made["weight"], -1.0], "n": n}
    return made


@animal("graphs")
def signed_star(rng, n):
    return {"u": np.zeros(n - 1, dtype=int), "v": np.arange(1, n), "weight": rng.normal(size=n - 1), "n": n}


@animal("graphs")
def friends_of_one_who_dislike_each_other(rng, n):
    made = _complete_graph(n, np.where(np.triu_indices(n, 1)[0] == 0, 1.0, -1.0))
    if rng.random() < 0.5:
        return made
    kept = rng.random(_pairs(n)) < 0.9
    return {key: value[kept] if np.ndim(value) else value for key, value in made.items()}


@animal("graphs")
def two_hostile_camps(rng, n):
    side = rng.integers(0, 2, n)
    u, v = np.triu_indices(n, 1)
    kept = side[u] != side[v]
    return {"u": u[kept], "v": v[kept], "weight": -rng.random(int(kept.sum())), "n": n}


@animal("graphs")
def islands(rng, n):
    label = rng.integers(0, 1 + n // 4, n)
    u, v = np.triu_indices(n, 1)
    kept = label[u] == label[v]
    return {"u": u[kept], "v": v[kept], "weight": rng.normal(size=int(kept.sum())), "n": n}


@transformation("graphs")
def weights_of_all_sizes(rng, data):
    return {**data, "weight": data["weight"] * 10.0 ** rng.uniform(-6, 6, len(data["weight"]))}


@transformation("graphs")
def heavy_tailed_weights(rng, data):
    return {**data, "weight": data["weight"] * np.abs(rng.standard_cauchy(len(data["weight"])))}


@transformation("graphs")
def in_another_unit(rng, data):
    weight = scaled(data["weight"], unit_of(rng))
    return None if weight is None else {**data, "weight": weight}


@transformation("graphs")
def rounded(rng, data):
    return {**data, "weight": rounded_to(data["weight"], int(rng.integers(1, 4)))}
