"""Comparisons: columns `left`, `right`, `outcome` (1 left won, 0 tie, -1), `count`, `weight`, `home`, `time`,
`z` (two covariates) of `n` items. Rankings: `places`, a row a ranking, best first, -1 behind its end."""

from __future__ import annotations

import numpy as np

from .registry import animal, kind, transformation

COLUMNS = ("left", "right", "outcome", "count", "weight", "home", "time", "z")


def _take(data, keep):
    """Some of the games; items that no game names go."""
    part = {key: data[key][keep] for key in COLUMNS}
    used, position = np.unique(np.r_[part["left"], part["right"]], return_inverse=True)
    half = len(part["left"])
    return {**part, "left": position[:half], "right": position[half:], "n": len(used)}


def _complete(rng, data):
    rows = len(data["left"])
    z = rng.normal(size=(rows, 2)) if rng.random() < 0.7 else rng.standard_cauchy((rows, 2))
    made = {
        "count": np.ones(rows),
        "weight": np.ones(rows),
        "home": rng.integers(-1, 2, rows) if rng.random() < 0.6 else np.ones(rows, dtype=np.int64),
        "time": np.sort(rng.integers(0, 30, rows)).astype(float),
        "z": z,
        **data,
    }
    return _take(made, np.ones(rows, dtype=bool))


kind("comparisons", size=lambda data: len(data["left"]), take=_take, complete=_complete)


def played(rng, left, right, *, spread=None, ties=None, strengths=None):
    """Outcomes of Davidson's model with random strengths."""
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    n = int(max(left.max(), right.max())) + 1
    spread = 10.0 ** rng.uniform(-1, 0.5) if spread is None else spread
    s = spread * rng.normal(size=n) if strengths is None else strengths
    nu = (rng.choice([0.0, 0.3, 2.0]) if ties is None else ties) + 0.0
    x = np.clip(s[left] - s[right], -700, 700)
    chances = np.stack([np.exp(x / 2), np.full_like(x, nu), np.exp(-x / 2)], axis=1)
    chances /= chances.sum(axis=1, keepdims=True)
    drawn = (rng.random(len(x))[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    outcome = np.array([1, 0, -1])[np.minimum(drawn, 2)]
    return {"left": left, "right": right, "outcome": outcome, "n": n}


def _all_pairs(n):
    return np.triu_indices(max(n, 2), 1)


def _repeated(rng, pairs, most=8):
    times = rng.integers(1, most + 1)
    return np.tile(pairs[0], times), np.tile(pairs[1], times)


def _items(n):
    """About n items where a game costs more than an item."""
    return max(2, int(n**0.75))


@animal("comparisons")
def one_pair(rng, n):
    rows = 2 * n + 2
    return played(rng, np.zeros(rows), np.ones(rows))


@animal("comparisons")
def round_robin(rng, n):
    return played(rng, *_repeated(rng, _all_pairs(_items(n))))


@animal("comparisons")
def sparse(rng, n):
    rows = 4 * n + 3
    left = rng.integers(0, n + 1, rows)
    return played(rng, left, (left + rng.integers(1, n + 1, rows)) % (n + 1))


@animal("comparisons")
def ladder(rng, n):
    return played(rng, *_repeated(rng, (np.arange(n), np.arange(1, n + 1)), 12), spread=0.5)


@animal("comparisons")
def star(rng, n):
    return played(rng, *_repeated(rng, (np.zeros(n), np.arange(1, n + 1)), 12), spread=0.5)


@animal("comparisons")
def ring(rng, n):
    k = n + 2
    return played(rng, *_repeated(rng, (np.arange(k), (np.arange(k) + 1) % k), 6))


@animal("comparisons")
def bipartite(rng, n):
    half = max(1, _items(n) // 2)
    pairs = np.divmod(np.arange(half * half), half)
    return played(rng, *_repeated(rng, (pairs[0], pairs[1] + half)))


@animal("comparisons")
def two_groups_that_never_met(rng, n):
    one = played(rng, *_repeated(rng, _all_pairs(_items(n))))
    two = played(rng, *_repeated(rng, _all_pairs(_items(n))))
    both = {key: np.r_[one[key], two[key]] for key in ("outcome",)}
    left, right = (np.r_[one[key], two[key] + one["n"]] for key in ("left", "right"))
    return {"left": left, "right": right, **both, "n": one["n"] + two["n"]}


@animal("comparisons")
def one_bridge(rng, n):
    made = two_groups_that_never_met(rng, n)
    ends = {"left": [0, 0], "right": [made["n"] - 1] * 2, "outcome": [1, -1]}
    return {**{key: np.r_[made[key], ends[key]] for key in ends}, "n": made["n"]}


@animal("comparisons")
def one_that_always_wins(rng, n):
    made = round_robin(rng, n)
    outcome = np.where(made["left"] == 0, 1, made["outcome"])
    return {**made, "outcome": outcome}


@animal("comparisons")
def rock_paper_scissors(rng, n):
    k = max(3, _items(n) | 1)
    left, right = _all_pairs(k)
    return {"left": left, "right": right, "outcome": np.where((right - left) % 2 == 1, 1, -1), "n": k}


@animal("comparisons")
def far_apart(rng, n):
    return played(rng, *_repeated(rng, _all_pairs(_items(n)), 20), spread=8.0)


@animal("comparisons")
def all_but_equal(rng, n):
    return played(rng, *_repeated(rng, _all_pairs(_items(n)), 20), spread=1e-3)


@animal("comparisons")
def nearly_all_ties(rng, n):
    return played(rng, *_repeated(rng, _all_pairs(_items(n)), 20), ties=50.0)


@animal("comparisons")
def strong_beats_weak(rng, n):
    """Along a wide ladder of strengths, with now and then an upset."""
    k = n + 1
    first = np.repeat(np.arange(k), 3)
    second = first + np.tile([1, 2, 3], k)
    first, second = np.tile(first[second < k], 4), np.tile(second[second < k], 4)
    if not len(first):
        first, second = np.zeros(4), np.ones(4)
    return played(rng, first, second, strengths=-1.5 * np.arange(max(k, 2)), ties=0.2)


def _times_count(rng, data, low, high):
    rows = len(data["left"])
    return {**data, "count": np.round(10.0 ** rng.uniform(low, high, rows))}


@transformation("comparisons")
def counts_of_all_sizes(rng, data):
    return _times_count(rng, data, 0, rng.choice([1, 3, 9]))


@transformation("comparisons")
def weights_of_all_sizes(rng, data):
    reach = rng.choice([1, 3, 6])
    return {**data, "weight": 10.0 ** rng.uniform(-reach, reach, len(data["left"]))}


@transformation("comparisons")
def turned(rng, data):
    turn = rng.random(len(data["left"])) < 0.5
    left, right = np.where(turn, data["right"], data["left"]), np.where(turn, data["left"], data["right"])
    return {**data, "left": left, "right": right, "outcome": np.where(turn, -1, 1) * data["outcome"]}


@transformation("comparisons")
def sorted_by_outcome(rng, data):
    order = np.argsort(data["outcome"], kind="stable")
    return {key: value[order] if np.ndim(value) else value for key, value in data.items()}


# ---- rankings


def _take_rankings(data, keep):
    places = data["places"][keep]
    used, position = np.unique(places, return_inverse=True)
    position = position.reshape(places.shape) - (used[0] == -1 if len(used) else 0)
    return {"places": np.where(places < 0, -1, position)}


kind("rankings", size=lambda data: len(data["places"]), take=_take_rankings,
     complete=lambda rng, data: _take_rankings(data, np.ones(len(data["places"]), dtype=bool)))  # fmt: skip


def _ranked(rng, n, items, spread=1.0):
    s = spread * rng.normal(size=items)
    return np.argsort(-(s + rng.gumbel(size=(n, items))), axis=1)


@animal("rankings")
def full_rankings(rng, n):
    return {"places": _ranked(rng, n + 1, max(2, _items(n)))}


@animal("rankings")
def rankings_of_two(rng, n):
    left = rng.integers(0, _items(n), 3 * n + 3)
    right = (left + rng.integers(1, _items(n), len(left)) if _items(n) > 1 else left + 1) % _items(n)
    return {"places": np.c_[left, right]}


@animal("rankings")
def partial_rankings(rng, n):
    places = _ranked(rng, 2 * n + 2, _items(n) + 2)
    length = rng.integers(2, places.shape[1] + 1, len(places))
    return {"places": np.where(np.arange(places.shape[1]) < length[:, None], places, -1)}


@animal("rankings")
def one_always_first(rng, n):
    places = _ranked(rng, n + 2, _items(n) + 1)
    return {"places": np.c_[np.full(len(places), places.max() + 1), places]}


@animal("rankings")
def rankings_of_two_groups(rng, n):
    k = _items(n)
    a, b = _ranked(rng, n + 1, k), _ranked(rng, n + 1, k) + k
    return {"places": np.r_[a, b]}


@animal("rankings")
def unanimous_but_once(rng, n):
    places = np.tile(np.arange(_items(n) + 1), (n + 2, 1))
    places[-1] = places[-1, ::-1]
    return {"places": places}


@animal("rankings")
def far_apart_in_rankings(rng, n):
    return {"places": _ranked(rng, 4 * n + 8, _items(n), spread=5.0)}


@animal("rankings")
def equal_in_rankings(rng, n):
    return {"places": _ranked(rng, 4 * n + 8, _items(n), spread=0.0)}


@transformation("rankings")
def in_copies(rng, data):
    return {"places": np.repeat(data["places"], rng.integers(1, 40, len(data["places"])), axis=0)}
