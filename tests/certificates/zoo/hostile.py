"""Animals of every kind that were made to break certificates: each found in the wild, or one step beyond."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist, pdist

from . import games, points
from .registry import animal, transformation

TINY = 1e-310  # below the normal numbers of float64


def _counts(rng, shape):
    return np.minimum(rng.zipf(1.6, shape), 10**6).astype(float)


def _almost_integers(rng, shape):
    return rng.integers(-4, 5, shape) + 1e-9 * rng.normal(size=shape)


def _interleaved(rng, rows):
    """Each row twice, side by side or one whole round after the other."""
    return np.repeat(rows, 2, axis=0) if rng.random() < 0.5 else np.tile(rows, (2, *[1] * (rows.ndim - 1)))


# ---- points


@animal("points")
def zipf_counts(rng, n):
    return {"X": _counts(rng, (n, points.dimension(rng)))}


@animal("points")
def quantised_angles(rng, n):
    turn = rng.integers(0, 64, n) * (np.pi / 32)
    return {"X": np.c_[np.cos(turn), np.sin(turn)]}


@animal("points")
def checkerboard(rng, n):
    side = max(2, round((2 * n) ** 0.5))
    cells = np.stack(np.meshgrid(*[np.arange(side)] * 2), -1).reshape(-1, 2)
    return {"X": 0.1 * cells[cells.sum(axis=1) % 2 == 0]}


@animal("points")
def corners_and_the_centre(rng, n):
    d = max(1, n // 2)
    return {"X": np.r_[np.eye(d), -np.eye(d), np.zeros((1, d))]}


@animal("points")
def mirrored(rng, n):
    half = rng.normal(size=(max(1, n // 2), points.dimension(rng)))
    return {"X": np.r_[half, half * np.r_[-1.0, np.ones(half.shape[1] - 1)]]}


@animal("points")
def below_normal_numbers(rng, n):
    return {"X": TINY * rng.normal(size=(n, points.dimension(rng)))}


@animal("points")
def integers_and_a_little(rng, n):
    return {"X": _almost_integers(rng, (n, points.dimension(rng, 3)))}


@animal("points")
def each_row_twice(rng, n):
    return {"X": _interleaved(rng, rng.normal(size=(max(1, n // 2), points.dimension(rng))))}


@animal("points")
def halving_gaps(rng, n):
    return {"X": 2.0 ** -np.arange(min(n, 50))[:, None] * np.ones((1, points.dimension(rng, 3)))}


@animal("points")
def near_the_rim_of_a_disc(rng, n):
    turn, depth = rng.uniform(0, 2 * np.pi, n), 10.0 ** -rng.uniform(0, 12, n)
    return {"X": (1 - depth)[:, None] * np.c_[np.cos(turn), np.sin(turn)]}


# ---- dissimilarities


def _inner(rng, n):
    turn, depth = rng.uniform(0, 2 * np.pi, n), 10.0 ** -rng.uniform(0, 6, n)
    return (1 - depth)[:, None] * np.c_[np.cos(turn), np.sin(turn)], depth * (2 - depth)


@animal("dissimilarities")
def hyperbolic(rng, n):
    X, inside = _inner(rng, n)
    i, j = np.triu_indices(n, 1)
    return {"D": np.arccosh(1 + 2 * pdist(X, "sqeuclidean") / (inside[i] * inside[j])), "n": n}


@animal("dissimilarities")
def binary_tree_with_noise(rng, n):
    """Leaves of a tree whose edges halve: paths in it, a little off."""
    depth = max(1, int(np.ceil(np.log2(max(n, 2)))))
    bits = (np.arange(n)[:, None] >> np.arange(depth)[::-1]) & 1
    i, j = np.triu_indices(n, 1)
    common = (np.cumprod(bits[i] == bits[j], axis=1)).sum(axis=1)
    D = 2 * (2.0**-common - 2.0**-depth)
    return {"D": D * (1 + rng.choice([0, 1e-9, 1e-2]) * rng.random(len(D))), "n": n}


@animal("dissimilarities")
def one_or_two_by_colour(rng, n):
    i, j = np.triu_indices(n, 1)
    return {"D": np.where((i + j) % 2 == 0, 1.0, rng.choice([2.0, 2 + 1e-12, 3.0])), "n": n}


@animal("dissimilarities")
def zipf(rng, n):
    return {"D": _counts(rng, n * (n - 1) // 2), "n": n}


@animal("dissimilarities")
def whole_numbers_and_a_little(rng, n):
    return {"D": np.abs(_almost_integers(rng, n * (n - 1) // 2)), "n": n}


@animal("dissimilarities")
def below_normal_dissimilarities(rng, n):
    return {"D": TINY * rng.random(n * (n - 1) // 2), "n": n}


@transformation("dissimilarities")
def one_pair_outweighs_all(rng, data):
    W = 10.0 ** rng.uniform(-6, 6, len(data["D"]))
    return {**data, "W": W} if len(W) else None


# ---- comparisons and rankings


@animal("comparisons")
def zipf_games(rng, n):
    k = max(2, int(n**0.75))
    made = games.played(rng, *np.triu_indices(k, 1))
    return {**made, "count": _counts(rng, len(made["left"]))}


@animal("comparisons")
def each_beats_the_next_all_but_surely(rng, n):
    k = max(3, n)
    left, right = np.repeat(np.arange(k), 2), np.repeat((np.arange(k) + 1) % k, 2)
    rare = 10.0 ** -rng.integers(1, 9)
    return {"left": left, "right": right, "outcome": np.tile([1, -1], k), "n": k,
            "weight": np.tile([1.0, rare], k)}  # fmt: skip


@animal("comparisons")
def every_game_and_its_reverse(rng, n):
    made = games.played(rng, *np.triu_indices(max(2, int(n**0.75)), 1))
    order = _interleaved(rng, np.arange(len(made["left"])))
    again = np.zeros(len(order), dtype=bool)
    again[np.unique(order, return_index=True)[1]] = True
    outcome = np.where(again, 1, -1) * made["outcome"][order]
    return {"left": made["left"][order], "right": made["right"][order], "outcome": outcome, "n": made["n"]}


@animal("comparisons")
def weights_of_twelve_orders(rng, n):
    made = games.one_bridge(rng, n)
    return {**made, "weight": 10.0 ** rng.uniform(-6, 6, len(made["left"]))}


@animal("rankings")
def popular_items_in_rankings(rng, n):
    k = int(n**0.75) + 2
    chance = 1 / np.arange(1, k + 1)
    size = int(rng.integers(2, min(k, 6) + 1))
    keys = np.log(chance) + rng.gumbel(size=(3 * n + 3, k))
    chosen = np.argsort(-keys, axis=1)[:, :size]
    return {"places": rng.permuted(chosen, axis=1)}


@animal("rankings")
def a_ranking_and_its_reverse(rng, n):
    order = rng.permutation(int(n**0.75) + 2)
    return {"places": np.stack([order, order[::-1]] * (n + 1))}


# ---- signed graphs and quadratic programs


def _graph(n, weight):
    u, v = np.triu_indices(n, 1)
    return {"u": u, "v": v, "weight": weight(u, v), "n": n}


@animal("graphs")
def signs_of_a_checkerboard(rng, n):
    return _graph(n, lambda u, v: np.where((u + v) % 2 == 0, 1.0, -1.0) * rng.choice([1.0, 1 + 1e-12]))


@animal("graphs")
def zipf_signs(rng, n):
    return _graph(n, lambda u, v: rng.choice([-1.0, 1.0], len(u)) * _counts(rng, len(u)))


@animal("graphs")
def almost_whole_signs(rng, n):
    return _graph(n, lambda u, v: _almost_integers(rng, len(u)))


@animal("programs")
def ones_and_a_little(rng, n):
    return {"K": np.ones((n, n)) + 10.0 ** -rng.uniform(6, 15) * np.eye(n), "q": rng.normal(size=n)}


@animal("programs")
def each_column_twice(rng, n):
    E = np.tile(rng.normal(size=(n, max(1, n // 2))), 2)
    return {"K": E.T @ E, "q": np.tile(rng.normal(size=E.shape[1] // 2), 2)}


@animal("programs")
def almost_whole_programs(rng, n):
    E = _almost_integers(rng, (n, n))
    return {"K": E.T @ E, "q": _almost_integers(rng, n)}


@animal("programs")
def kernel_near_the_rim(rng, n):
    X, _ = _inner(rng, n)
    return {"K": np.exp(-cdist(X, X) * 10.0 ** rng.uniform(-3, 3)), "q": rng.random(n)}


# ---- pools


def _slopes(rng, X):
    return {"X": X, "y": X @ rng.normal(size=X.shape[1]) + rng.normal(size=len(X))}


@animal("regressions")
def zipf_columns(rng, n):
    return _slopes(rng, np.c_[np.ones(n + 2), _counts(rng, (n + 2, 2))])


@animal("regressions")
def columns_a_little_apart(rng, n):
    x = rng.normal(size=n + 2)
    return _slopes(rng, np.c_[np.ones(n + 2), x, x + 1e-9 * rng.normal(size=n + 2)])


@animal("regressions")
def the_same_row_with_two_answers(rng, n):
    X = np.c_[np.ones(n + 2), rng.normal(size=n + 2)]
    noise = rng.normal(size=n + 2)
    return {
        "X": np.repeat(X, 2, axis=0),
        "y": np.repeat(X.sum(axis=1), 2) + np.repeat(noise, 2) * np.tile([1, -1], n + 2),
    }


@animal("losses")
def zipf_losses(rng, n):
    loss = _counts(rng, n)
    return {"predicted": rng.permuted(loss), "loss": loss}


@animal("losses")
def predictions_of_twelve_orders(rng, n):
    return {"predicted": 10.0 ** rng.uniform(-12, 0, n), "loss": rng.random(n)}


@animal("losses")
def alternating_losses(rng, n):
    loss = np.arange(n) % 2 * 1.0
    return {"predicted": np.abs(loss - (rng.random(n) < 0.1)), "loss": loss}


@animal("votes")
def zipf_classes(rng, n):
    truth = np.minimum(rng.zipf(1.5, 2 * n), 40) - 1
    accuracy = np.array([0.6, 0.65, 0.9])
    wrong = np.minimum(rng.zipf(1.5, (2 * n, 3)), 40) - 1
    return {"P": np.where(rng.random((2 * n, 3)) < accuracy, truth[:, None], wrong), "truth": truth}


@animal("votes")
def models_in_pairs_of_copies(rng, n):
    truth = np.arange(3 * n) % 3
    one = np.where(rng.random((3 * n, 2)) < [0.7, 0.75], truth[:, None], (truth[:, None] + 1) % 3)
    return {"P": one[:, [0, 1, 0, 1]], "truth": truth}


@animal("predictions")
def almost_whole_predictions(rng, n):
    return {"P": _almost_integers(rng, (n, int(rng.integers(1, 5)))), "y": _almost_integers(rng, n)}


@animal("predictions")
def zipf_predictions(rng, n):
    y = _counts(rng, n)
    return {"P": np.c_[y * rng.lognormal(size=n), _counts(rng, n), np.full(n, y.mean())], "y": y}


@animal("predictions")
def models_that_mirror_each_other(rng, n):
    y, error = rng.normal(size=n), rng.normal(size=n)
    return {"P": np.c_[y + error, y - error, y + 2 * error], "y": y}
