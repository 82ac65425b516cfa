"""The data that rank is measured on, with fixed seeds. Strengths are N(0, 1); the ladder's rise steadily."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from steelyard import datasets


@dataclass(frozen=True)
class Games:
    """One entry a game: winner and loser (both sides in a tie), ties, +1 where the winner was at home."""

    winner: np.ndarray
    loser: np.ndarray
    n: int
    tie: np.ndarray | None = None
    home: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.winner)


def _decide(rng: np.random.Generator, first: np.ndarray, second: np.ndarray, s: np.ndarray) -> Games:
    won = rng.random(len(first)) < 1 / (1 + np.exp(s[second] - s[first]))
    return Games(np.where(won, first, second), np.where(won, second, first), len(s))


def _by_activity(
    rng: np.random.Generator, n: int, games: int, exponent: float
) -> tuple[np.ndarray, np.ndarray]:
    """Players of each game, drawn in proportion to (rank + 1)^-exponent; none against itself."""
    weight = (np.arange(n) + 1.0) ** -exponent
    edges = np.cumsum(weight / weight.sum())
    first, second = (np.minimum(np.searchsorted(edges, rng.random(games)), n - 1) for _ in range(2))
    return first[first != second], second[first != second]


def largest_strong_component(games: Games) -> Games:
    """Who can be compared through wins alone (ties count as edges both ways)."""
    tail, head = games.winner, games.loser
    if games.tie is not None:
        tail, head = np.r_[tail, head[games.tie]], np.r_[head, games.winner[games.tie]]
    graph = sparse.csr_array((np.ones(len(tail)), (tail, head)), shape=(games.n, games.n))
    label = connected_components(graph, connection="strong")[1]
    kept = label == np.bincount(label).argmax()
    code = np.cumsum(kept) - 1
    rows = kept[games.winner] & kept[games.loser]
    return Games(
        code[games.winner[rows]],
        code[games.loser[rows]],
        int(kept.sum()),
        None if games.tie is None else games.tie[rows],
        None if games.home is None else games.home[rows],
    )


@cache
def arena() -> Games:
    """(a) 200 items, a million votes, about 20 % Davidson ties."""
    rng = np.random.default_rng(0)
    s = rng.normal(size=200)
    first, second = _by_activity(rng, 200, 1_000_000, 0.5)
    x, nu = s[first] - s[second], 0.6
    u = rng.random(len(x)) * (np.exp(x / 2) + np.exp(-x / 2) + nu)
    won, tied = u < np.exp(x / 2), u >= np.exp(x / 2) + np.exp(-x / 2)
    swap = ~won & ~tied
    return Games(np.where(swap, second, first), np.where(swap, first, second), 200, tie=tied)


@cache
def sparse_games() -> Games:
    """(b) 20,000 items, a million games, activity (r + 1)^-0.8; largest strong component."""
    rng = np.random.default_rng(1)
    s = rng.normal(size=20_000)
    return largest_strong_component(_decide(rng, *_by_activity(rng, 20_000, 1_000_000, 0.8), s))


@cache
def ladder() -> Games:
    """(c) 5,000 items play the 5 nearest on either side 4 times, s_i = 30 i / 5000; largest component."""
    rng = np.random.default_rng(2)
    first = np.repeat(np.arange(5000), 5)
    second = first + np.tile(np.arange(1, 6), 5000)
    first, second = (np.repeat(side[second < 5000], 4) for side in (first, second))
    return largest_strong_component(_decide(rng, first, second, 30 * np.arange(5000) / 5000))


@cache
def bipartite() -> Games:
    """(d) 2,000 climbers make 20 attempts each on 4,000 uniformly drawn routes; largest strong component."""
    rng = np.random.default_rng(3)
    s = rng.normal(size=6000)
    climber = np.repeat(np.arange(2000), 20)
    return largest_strong_component(_decide(rng, climber, 2000 + rng.integers(0, 4000, len(climber)), s))


@cache
def football() -> Games:
    """(e) international football of the eight years up to the file's last match; largest strong component."""
    table = datasets.load_football().columns
    recent = table["date"] > table["date"].max() - np.timedelta64(8 * 365 + 2, "D")
    home, away = (table[name][recent] for name in ("home_team", "away_team"))
    goals = table["home_score"][recent] - table["away_score"][recent]
    _, code = np.unique(np.concatenate([home, away]), return_inverse=True)
    first, second = code[: len(home)], code[len(home) :]
    swap, host = goals < 0, np.where(table["neutral"][recent], 0, 1)
    return largest_strong_component(
        Games(
            np.where(swap, second, first),
            np.where(swap, first, second),
            int(code.max()) + 1,
            tie=goals == 0,
            home=np.where(swap, -host, host),
        )
    )


def scale() -> Games:
    """(f) 1,000,000 items, 20,000,000 games, activity as (b)."""
    rng = np.random.default_rng(5)
    s = rng.normal(size=1_000_000)
    return _decide(rng, *_by_activity(rng, 1_000_000, 20_000_000, 0.8), s)


CASES = {
    "a-arena": arena,
    "b-sparse": sparse_games,
    "c-ladder": ladder,
    "d-bipartite": bipartite,
    "e-football": football,
}
